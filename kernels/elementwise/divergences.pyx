# The formulas of divergences between two distributions.

from libc.math cimport INFINITY
from kernels.core.numeric cimport (
    absolute, entropy_gap_unit, exp, exp_parts, log, log1p, log1p_gap_unit, log1p_unit, log_cosh_unit, real, reciprocal,
    tanh_unit)
from kernels.elementwise.formulas cimport BAD_TARGET, BAD_THIRD, CHECKED, LN2, NONE as ByFourth, NONE as Heavy, PLAIN, clip, zero


cdef struct Kl:
    char none

cdef struct KlBoth:                # with derivatives with respect to the target, which is the third operand
    char none

cdef inline int kl(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """t (log t - x), 0 for t = 0"""
    cdef real gap = log(t) - x
    v[0] = 0 if (t == 0) & (x == x) else t * gap
    g[0] = x if x != x else -t
    h[0] = zero(x)
    g[1] = INFINITY if (x == -INFINITY) & (t == t) else gap + <real> 1
    h[1] = x if x != x else <real> 1 / t
    return t < 0


cdef struct KlLogTarget:
    char none

cdef struct KlLogTargetBoth:
    char none

cdef inline int kl_log_target(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """exp(t) (t - x), 0 where exp(t) is"""
    cdef real gap = t - x
    cdef bint none
    if real is float:
        none = (t < -174) & (x == x)                   # from where on exp_parts takes the factor 0
    else:
        none = (t < -1416) & (x == x)
    v[0] = 0 if none else exp_parts(t, 0, gap)
    g[0] = x if x != x else -exp(t)
    h[0] = zero(x)
    g[1] = 0 if none else exp_parts(t, 0, gap + <real> 1)
    h[1] = 0 if none else exp_parts(t, 0, gap + <real> 2)
    return 0


cdef struct Js:
    char none

cdef inline int js(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """(p (x - M) + q (t - M)) / 2 with p = exp(x), q = exp(t), M = log((p + q)/2). It is (p + q)/2 times the gap between
    log 2 and the entropy of p/(p + q), a polynomial where they are close; x - M likewise."""
    cdef real d = x - t, a = absolute(d), high = x if x > t else t, z = exp(-a), share = reciprocal(1 + z)
    cdef real l = log1p_unit(z), az = 0 if z == 0 else a * z
    cdef real c = 2 if a > 2 else a, half = d * <real> 0.5, q = z * share if d > 0 else share
    cdef real gap = entropy_gap_unit(c) if a <= 2 else <real> LN2 - (l + az * share)
    cdef real to_mean = (<real> LN2 + (d if d < 0 else 0)) - l
    cdef bint none = (x == -INFINITY) & (t == t)
    half = clip(half, <real> 1)
    to_mean = half - log_cosh_unit(half) if a <= 1 else to_mean
    v[0] = 0 if (high == -INFINITY) & (x == t) else exp_parts(high, 0, <real> 0.5 * (<real> 1 + z) * gap)
    g[0] = 0 if none else exp_parts(x, 0, <real> 0.5 * to_mean)
    h[0] = 0 if none else exp_parts(x, 0, <real> 0.5 * (to_mean + q))


cdef struct JsMixed:
    double own, other                # the weights of the input and of the target, which add up to 1

cdef inline int js_mixed(JsMixed f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """p e^x (x - M) + q e^t (t - M) with M = log(p e^x + q e^t).

    With s = |x - t|, z = exp(-s), u and w the weights of the higher and the lower one, a = higher - M and b = M - lower it
    is e^higher (u a - w z b). Where they are close these are nearly the same, and it is, with γ(y) = y - log1p(y) and
    y = 1/z - 1, e^higher (w z γ(y) - (u + w z) γ(e^a - 1)) or e^lower (u (y s - γ(y)) - (u y b - γ(u y))): the former
    where w, which it loses digits by, is the lesser weight."""
    cdef real p = <real> f.own, q = <real> f.other, d = x - t, s = absolute(d), high = x if d > 0 else t
    cdef real w = q if d > 0 else p, u = p if d > 0 else q, z = exp(-s), half = <real> 0.5 * (2 if s > 2 else s)
    cdef real th = tanh_unit(half), rise = <real> 2 * th / (<real> 1 - th) if s <= 2 else <real> 1 / z - <real> 1
    cdef real wf = w * (<real> 2 * th / (<real> 1 + th) if s <= 2 else <real> 1 - z), mean = u + w * z
    cdef real a = -log1p(-wf) if wf < <real> 0.5 else -log(mean), b = log1p(u * rise) if s < 80 else s - a
    cdef bint upper = w <= <real> 0.5, none = (x == -INFINITY) & (t == t)
    cdef real y = wf / mean if upper else u * rise, l = a if upper else b
    cdef real one = rise if rise < 1 else 1, other = y if y < 1 else 1
    cdef real gap = log1p_gap_unit(one) if rise < 1 else rise - s, part = log1p_gap_unit(other) if y < 1 else y - l
    cdef real near = w * z * gap - mean * part if upper else z * (u * (rise * s - gap) - (y * b - part))
    cdef real far = u * a - (0 if z == 0 else w * z * b), slope = a if d > 0 else -b
    cdef real share = w * z / mean if d > 0 else u / mean
    v[0] = 0 if (high == -INFINITY) & (x == t) else exp_parts(high, 0, near if s <= 2 else far)
    g[0] = 0 if none else exp_parts(x, 0, p * slope)
    h[0] = 0 if none else exp_parts(x, 0, p * (slope + share))
    return 0


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    Kl
    KlBoth
    KlLogTarget
    KlLogTargetBoth
    Js
    JsMixed

ctypedef fused ByThird:
    KlBoth
    KlLogTargetBoth


cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    if Formula is Kl: return BAD_TARGET * kl(x, t, v, g, h)
    elif Formula is KlBoth: return BAD_THIRD * kl(x, u, v, g, h)
    elif Formula is KlLogTarget: return kl_log_target(x, t, v, g, h)
    elif Formula is KlLogTargetBoth: return kl_log_target(x, u, v, g, h)
    elif Formula is Js: return js(x, t, v, g, h)
    elif Formula is JsMixed: return js_mixed(f, x, t, v, g, h)


cdef int register_formulas() except -1:
    register_formula[Kl](NULL, "kl", CHECKED)
    register_formula[KlBoth](NULL, "kl_both", CHECKED)
    register_formula[KlLogTarget](NULL, "kl_log_target", PLAIN)
    register_formula[KlLogTargetBoth](NULL, "kl_log_target_both", PLAIN)
    register_formula[Js](NULL, "js", PLAIN)
    register_formula[JsMixed](NULL, "js_mixed", PLAIN)


include "blocks.pxi"
