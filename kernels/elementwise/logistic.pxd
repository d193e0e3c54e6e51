# The formula of the logistic loss, which elementwise losses and losses over a class axis share.

from kernels.core.numeric cimport absolute, exp, log1p_unit, real, reciprocal

cdef inline int bce_with_logits(real x, real pt, real nt, real both, real *v, real *g, real *h) noexcept nogil:
    """pt softplus(-x) + nt softplus(x), with pt = p t, nt = 1 - t and both = pt + nt, from z = exp(-|x|) in (0, 1]: no
    difference of large numbers, so that both tails keep their digits. A logit of ±inf gives the limit."""
    cdef real size = absolute(x), z = exp(-size)
    cdef real slope = nt if x > 0 else pt          # of the straight line that the loss approaches
    cdef real share = reciprocal(1 + z)            # sigmoid(|x|)
    cdef real line = 0 if slope == 0 else slope * size
    cdef real up = 1 if x > 0 else z, down = z if x > 0 else <real> 1
    v[0] = line + both * log1p_unit(z)
    g[0] = (nt * up - pt * down) * share
    h[0] = both * z * share * share
