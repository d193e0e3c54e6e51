# The formulas of losses of targets -1 and 1.

from kernels.core.numeric cimport absolute, exp, log1p_unit, real, reciprocal
from kernels.elementwise.formulas cimport NONE as ByFourth, NONE as Heavy, BAD_TARGET, SIGNS, zero


cdef inline int not_a_sign(real t) noexcept nogil:
    return BAD_TARGET * ((absolute(t) != 1) & (t == t))


cdef struct SoftMargin:
    char none

cdef inline int soft_margin(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """log(1 + exp(-t x)), from z = exp(-|x|) in (0, 1]"""
    cdef real y = t * x, z = exp(-absolute(y)), share = reciprocal(1 + z)
    v[0] = (-y if y < 0 else 0) + log1p_unit(z)
    g[0] = -t * (z * share if y > 0 else share)
    h[0] = z * share * share
    return not_a_sign(t)


cdef struct Hinge:
    double margin

cdef inline int hinge(Hinge f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """max(0, margin - t x), with derivative 0 at the kink."""
    cdef real m = <real> f.margin - t * x, slope = m if m != m else -t
    v[0] = 0 if m <= 0 else m
    g[0] = 0 if m <= 0 else slope
    h[0] = zero(m)
    return not_a_sign(t)


cdef struct SquaredHinge:
    double margin

cdef inline int squared_hinge(SquaredHinge f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """max(0, margin - t x)²"""
    cdef real m = <real> f.margin - t * x, p = 0 if m <= 0 else m
    v[0] = p * p
    g[0] = <real> -2 * t * p
    h[0] = 0 if m <= 0 else 2
    return not_a_sign(t)


cdef struct ModifiedHuber:
    char none

cdef inline int modified_huber(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """With z = t x: max(0, 1 - z)² for z >= -1, -4z below."""
    cdef real z = t * x, m = 1 - z, p = 0 if m <= 0 else m, c = 2 if p > 2 else p
    v[0] = <real> -4 * z if z < -1 else p * p
    g[0] = <real> -2 * t * c
    h[0] = 0 if z < -1 or m <= 0 else 2
    return not_a_sign(t)


cdef struct Exponential:
    char none

cdef inline int exponential(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """exp(-t x)"""
    cdef real e = exp(-t * x)
    v[0] = e
    g[0] = -t * e
    h[0] = e
    return not_a_sign(t)


cdef struct HingeEmbedding:
    double margin

cdef inline int hinge_embedding(HingeEmbedding f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """x for t = 1; max(0, margin - x) for t = -1, whose derivative at the kink is -1, as in torch."""
    cdef real m = <real> f.margin - x, slope = 0 if m < 0 else <real> -1, nan = t - t       # else 0
    m = 0 if m < 0 else m
    slope = 1 if t > 0 else slope
    v[0] = (x if t > 0 else m) + nan
    g[0] = (x if x != x else slope) + nan
    h[0] = zero(x) + nan
    return not_a_sign(t)


cdef struct MarginRanking:
    double margin

cdef inline int margin_ranking(MarginRanking f, real x, real t, real u, real *v, real *g, real *h) noexcept nogil:
    """max(0, margin - t (x - u)); at the kink the derivatives are those of the active side, as in torch."""
    cdef real m = <real> f.margin - t * (x - u), slope = m if m != m else t
    v[0] = 0 if m < 0 else m
    g[0] = 0 if m < 0 else -slope
    g[1] = 0 if m < 0 else slope
    h[0] = zero(m)
    h[1] = zero(m)
    return not_a_sign(t)


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    SoftMargin
    Hinge
    SquaredHinge
    ModifiedHuber
    Exponential
    HingeEmbedding
    MarginRanking

ctypedef fused ByThird:
    MarginRanking


cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    if Formula is SoftMargin: return soft_margin(x, t, v, g, h)
    elif Formula is Hinge: return hinge(f, x, t, v, g, h)
    elif Formula is SquaredHinge: return squared_hinge(f, x, t, v, g, h)
    elif Formula is ModifiedHuber: return modified_huber(x, t, v, g, h)
    elif Formula is Exponential: return exponential(x, t, v, g, h)
    elif Formula is HingeEmbedding: return hinge_embedding(f, x, t, v, g, h)
    elif Formula is MarginRanking: return margin_ranking(f, x, t, u, v, g, h)


cdef int register_formulas() except -1:
    register_formula[SoftMargin](NULL, "soft_margin", SIGNS)
    register_formula[Hinge](NULL, "hinge", SIGNS)
    register_formula[SquaredHinge](NULL, "squared_hinge", SIGNS)
    register_formula[ModifiedHuber](NULL, "modified_huber", SIGNS)
    register_formula[Exponential](NULL, "exponential", SIGNS)
    register_formula[HingeEmbedding](NULL, "hinge_embedding", SIGNS)
    register_formula[MarginRanking](NULL, "margin_ranking", SIGNS)


include "blocks.pxi"
