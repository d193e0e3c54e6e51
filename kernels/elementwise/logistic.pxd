# The formula of the logistic loss, which several families share.

from kernels.core.numeric cimport absolute, exp, exp_gap, log1p_unit, real, reciprocal

cdef inline int bce_of_parts(real x, real z, real pt, real nt, real both, real *v, real *g, real *h) noexcept nogil:
    """pt softplus(-x) + nt softplus(x), with pt = p t, nt = 1 - t and both = pt + nt, from z = exp(-|x|) in (0, 1]: no
    difference of large numbers, so that both tails keep their digits. A logit of ±inf gives the limit."""
    cdef real size = absolute(x)
    cdef real slope = nt if x > 0 else pt          # of the straight line that the loss approaches
    cdef real share = reciprocal(1 + z)            # sigmoid(|x|)
    cdef real line = 0 if slope == 0 else slope * size
    cdef real up = 1 if x > 0 else z, down = z if x > 0 else <real> 1
    v[0] = line + both * log1p_unit(z)
    g[0] = (nt * up - pt * down) * share
    h[0] = both * z * share * share

cdef inline int bce_with_logits(real x, real pt, real nt, real both, real *v, real *g, real *h) noexcept nogil:
    return bce_of_parts(x, exp(-absolute(x)), pt, nt, both, v, g, h)

cdef inline int bce_of_difference(real a, real b, real pt, real nt, real *v, real *g, real *h) noexcept nogil:
    """The same of the logit a - b, whose rounding error would cost the tails their digits."""
    cdef real low = a if a < b else b, high = b if a < b else a
    return bce_of_parts(a - b, exp_gap(low, high), pt, nt, <real> 1, v, g, h)
