# The formulas of losses of times that are known, or known to lie between two ends.

from libc.math cimport INFINITY
from kernels.core.cdf cimport (
    BY_FACTOR, BY_SHIFT, ENDS, Distribution, Extreme, Logistic, Normal, density, interval)
from kernels.core.numeric cimport log, log1p, real
from kernels.elementwise.formulas cimport BAD_FOURTH, BAD_TARGET, BAD_THIRD, CHECKED, NONE as ByThird


cdef struct AftNormal:
    char none

cdef struct AftLogistic:
    char none

cdef struct AftExtreme:
    char none

cdef inline int aft(const Distribution *tag, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    """-log(F((log u - x)/s) - F((log t - x)/s)); where t = u, the density of the time: -log f((log t - x)/s) + log(s t)"""
    cdef real log_t = log(t), log_u = log(u), log_s = log(s), more = (u - t) / t, near = log1p(more), far = log_u - log_t
    cdef real w = (near if more < <real> 1e18 else far) / s       # log u - log t keeps no digits of a narrow one
    cdef real a = (log_t - x) / s, b = (log_u - x) / s, end = a + w
    cdef bint exact = t == u
    cdef real value, known, slope, curvature, ray, curve
    cdef real first[ENDS]
    cdef real second[ENDS]
    b = end if (more < 1) & (a > -INFINITY) else b                # of a tiny scale both ends may be infinite, and w too
    interval(tag, a, b, w, &value, <real *> first, <real *> second)
    density(tag, a, &known, &slope, &curvature)
    known = known + (log_s + log_t)
    ray = a * slope - 1
    curve = a * (a * curvature) + 1
    value = known if exact else value
    slope = slope if exact else first[BY_SHIFT]
    curvature = curvature if exact else second[BY_SHIFT]
    ray = ray if exact else first[BY_FACTOR]
    curve = curve if exact else second[BY_FACTOR]
    v[0] = value
    g[0] = -slope / s
    h[0] = curvature / s / s
    g[2] = -ray / s
    h[2] = (2 * ray + curve) / s / s
    return (BAD_TARGET * ((t < 0) | (t == INFINITY)) | BAD_THIRD * ((u < t) | (u <= 0))
            | BAD_FOURTH * ((s <= 0) | (s == INFINITY)))


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    AftNormal
    AftLogistic
    AftExtreme

ctypedef fused ByFourth:
    AftNormal
    AftLogistic
    AftExtreme

ctypedef fused Heavy:
    AftNormal
    AftLogistic
    AftExtreme


cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    if Formula is AftNormal: return aft(<const Normal *> NULL, x, t, u, s, v, g, h)
    elif Formula is AftLogistic: return aft(<const Logistic *> NULL, x, t, u, s, v, g, h)
    elif Formula is AftExtreme: return aft(<const Extreme *> NULL, x, t, u, s, v, g, h)


cdef int register_formulas() except -1:
    register_formula[AftNormal](NULL, "aft_normal", CHECKED)
    register_formula[AftLogistic](NULL, "aft_logistic", CHECKED)
    register_formula[AftExtreme](NULL, "aft_extreme", CHECKED)


include "blocks.pxi"
