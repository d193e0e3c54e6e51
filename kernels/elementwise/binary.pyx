# The formulas of losses between a score and one of two classes, 0 or 1 or a probability, and of the activations.

from kernels.core.numeric cimport absolute, exp, log, log1p, log1p_unit, real, reciprocal
from kernels.elementwise.formulas cimport BAD_INPUT, BAD_TARGET, CHECKED, NONE as ByThird, NONE as ByFourth, NONE as Heavy, PLAIN, not_a_probability
from kernels.elementwise.logistic cimport bce_with_logits


cdef struct BceWithLogits:
    char none

cdef struct WeightedBceWithLogits:
    char none


cdef struct Sigmoid:
    char none

cdef inline int sigmoid(real x, real *v, real *g, real *h) noexcept nogil:
    """1 / (1 + exp(-x))"""
    cdef real z = exp(-absolute(x)), share = reciprocal(1 + z), s = share * share * z
    v[0] = share if x > 0 else z * share
    g[0] = s
    h[0] = s * (z - <real> 1) * share if x > 0 else s * (<real> 1 - z) * share


cdef struct LogSigmoid:
    char none

cdef inline int log_sigmoid(real x, real *v, real *g, real *h) noexcept nogil:
    """-softplus(-x)"""
    cdef real z = exp(-absolute(x)), share = reciprocal(1 + z)
    v[0] = (x if x < 0 else 0) - log1p_unit(z)
    g[0] = z * share if x > 0 else share
    h[0] = -z * share * share


cdef struct BinaryCrossEntropy:
    double log_clamp

cdef inline int binary_cross_entropy(BinaryCrossEntropy f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """-(t log x + (1 - t) log(1 - x)) with torch's clamps: of the logarithms from below, and of x(1 - x) in the derivatives."""
    cdef real floor = <real> f.log_clamp, nx = 1 - x, nt = 1 - t, width = x * nx, a = log(x), b = log1p(-x), up, down
    a = floor if a < floor else a
    b = floor if b < floor else b
    width = <real> 1e-12 if width < <real> 1e-12 else width
    v[0] = -(t * a + nt * b)
    g[0] = (x - t) / width
    up = nx / width
    down = x / width
    h[0] = t * up * up + nt * down * down
    return BAD_INPUT * not_a_probability(x) | BAD_TARGET * not_a_probability(t)


cdef struct ExactBinaryCrossEntropy:
    char none

cdef inline int exact_binary_cross_entropy(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """The same without clamps; 0 times infinity is 0, and at 0 and 1 there are the one-sided limits."""
    cdef real nx = 1 - x, nt = 1 - t, d = x - t, width = x * nx
    cdef real a = 0 if t == 0 else t * log(x), b = 0 if nt == 0 else nt * log1p(-x)
    cdef real up = 0 if t == 0 else t / x / x, down = 0 if nt == 0 else nt / nx / nx
    v[0] = -(a + b)
    g[0] = nx - x if d == 0 and width == 0 else d / width
    h[0] = up + down
    return BAD_INPUT * not_a_probability(x) | BAD_TARGET * not_a_probability(t)


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    BceWithLogits
    WeightedBceWithLogits
    BinaryCrossEntropy
    ExactBinaryCrossEntropy
    Sigmoid
    LogSigmoid

cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    if Formula is BceWithLogits: return bce_with_logits(x, t, 1 - t, <real> 1, v, g, h)
    elif Formula is WeightedBceWithLogits: return bce_with_logits(x, u * t, 1 - t, u * t + (1 - t), v, g, h)
    elif Formula is BinaryCrossEntropy: return binary_cross_entropy(f, x, t, v, g, h)
    elif Formula is ExactBinaryCrossEntropy: return exact_binary_cross_entropy(x, t, v, g, h)
    elif Formula is Sigmoid: return sigmoid(x, v, g, h)
    elif Formula is LogSigmoid: return log_sigmoid(x, v, g, h)


cdef int register_formulas() except -1:
    register_formula[BceWithLogits](NULL, "bce_with_logits", PLAIN)
    register_formula[WeightedBceWithLogits](NULL, "bce_with_logits_pos_weight", PLAIN)
    register_formula[BinaryCrossEntropy](NULL, "binary_cross_entropy", CHECKED)
    register_formula[ExactBinaryCrossEntropy](NULL, "exact_binary_cross_entropy", CHECKED)
    register_formula[Sigmoid](NULL, "sigmoid", PLAIN)
    register_formula[LogSigmoid](NULL, "log_sigmoid", PLAIN)


include "blocks.pxi"
