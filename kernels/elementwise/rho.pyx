# Losses as functions of a squared residual.
#
# ρ(z) = 2 l(√z), as scipy.optimize.least_squares and others take it, with ρ' = l'(r) / r and ρ'' = (l''(r) - l'(r) / r) / 2z
# in closed form: that difference would leave nothing near 0. x is z.

from libc.math cimport INFINITY
from kernels.core.numeric cimport real, sqrt
from kernels.elementwise.formulas cimport HUGE_RATIO, NONE as ByThird, NONE as ByFourth, NONE as Heavy, PLAIN, zero
from kernels.elementwise.residuals cimport (
    Cauchy, EpsilonInsensitive, Fair, Huber, PseudoHuber, SmoothL1, SquaredEpsilonInsensitive, cauchy,
    epsilon_insensitive, fair, huber, log_cosh, pseudo_huber, smooth_l1, squared_epsilon_insensitive)


cdef inline real past(real r, real z) noexcept nogil:
    """The second derivative of 2 √z."""
    return <real> -0.5 / r / z

cdef inline real doubled(real v) noexcept nogil:
    return v + v


cdef struct SquaredErrorRho:
    char none

cdef inline int squared_error_rho(real z, real *v, real *g, real *h) noexcept nogil:
    v[0] = z + z
    g[0] = 2
    h[0] = zero(z)


cdef struct HuberRho:
    double delta

cdef inline int huber_rho(HuberRho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = min(1, δ / r)"""
    cdef real delta = <real> f.delta, r = sqrt(z), slope, curvature
    huber(Huber(f.delta), r, 0, v, &slope, &curvature)
    cdef bint far = r > delta
    v[0] = doubled(v[0]) if far else z
    g[0] = delta / r if far else z * 0 + <real> 1
    h[0] = delta * past(r, z) if far else z * 0


cdef struct SmoothL1Rho:
    double beta

cdef inline int smooth_l1_rho(SmoothL1Rho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = min(1 / β, 1 / r)"""
    cdef real beta = <real> f.beta, r = sqrt(z), slope, curvature
    smooth_l1(SmoothL1(f.beta), r, 0, v, &slope, &curvature)
    cdef bint far = r > beta
    v[0] = doubled(v[0]) if far else z * <real> (1 / f.beta)
    g[0] = <real> 1 / r if far else z * 0 + <real> (1 / f.beta)
    h[0] = past(r, z) if far else z * 0


cdef struct LogCoshRho:
    char none

cdef inline real log_cosh_curvature(real z) noexcept nogil:
    """(sech² r - tanh(r) / r) / 2z for r = √z up to 1. Largest relative error 1.9e-16, before rounding."""
    cdef real p = <real> -1.22442205214251e-07
    p = p * z + <real> 1.3218057061171941e-06
    p = p * z - <real> 7.063313980406071e-06
    p = p * z + <real> 2.559591267680274e-05
    p = p * z - <real> 7.326898967622716e-05
    p = p * z + <real> 0.00018317668947221658
    p = p * z - <real> 0.000427607429731383
    p = p * z + <real> 0.0009672278465721492
    p = p * z - <real> 0.002151533710249216
    p = p * z + <real> 0.004720067339391002
    p = p * z - <real> 0.010190813998413891
    p = p * z + <real> 0.02155276494242749
    p = p * z - <real> 0.04431617738321283
    p = p * z + <real> 0.08747795413144167
    p = p * z - <real> 0.16190476190441747
    p = p * z + <real> 0.2666666666666631
    return p * z - <real> 0.3333333333333333

cdef inline int log_cosh_rho(real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = tanh(r) / r"""
    cdef real r = sqrt(z), slope, curvature, unit = 1 if z > 1 else z
    log_cosh(r, 0, v, &slope, &curvature)
    v[0] = doubled(v[0])
    slope = slope / r
    g[0] = z + <real> 1 if r == 0 else slope
    h[0] = (curvature - slope) / z * <real> 0.5 if z > 1 else log_cosh_curvature(unit)


cdef struct PseudoHuberRho:
    double delta

cdef inline int pseudo_huber_rho(PseudoHuberRho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = 1 / √(1 + z/δ²)"""
    cdef real delta = <real> f.delta, r = sqrt(z), a = r / delta, slope, curvature, i
    pseudo_huber(PseudoHuber(f.delta), r, 0, v, &slope, &curvature)
    v[0] = doubled(v[0])
    i = <real> 1 / (a if a > <real> HUGE_RATIO else sqrt(<real> 1 + a * a))
    g[0] = i
    h[0] = <real> -0.5 * (i / delta) * (i / delta) * i


cdef struct CauchyRho:
    double c, log_c

cdef inline int cauchy_rho(CauchyRho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = 1 / (1 + z/c²)"""
    cdef real c = <real> f.c, r = sqrt(z), a = r / c, slope, curvature, u
    cauchy(Cauchy(f.c, f.log_c), r, 0, v, &slope, &curvature)
    v[0] = doubled(v[0])
    u = <real> 1 / (<real> 1 + a * a)
    g[0] = u
    h[0] = -(u / c) * (u / c)


cdef struct FairRho:
    double c

cdef inline int fair_rho(FairRho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = 1 / (1 + r/c); ρ'' goes to -∞ at 0, but z ρ'' to 0: there it is that of the least normal z."""
    cdef real c = <real> f.c, least, r = sqrt(z), slope, curvature, i
    fair(Fair(f.c), r, 0, v, &slope, &curvature)
    v[0] = doubled(v[0])
    least = <real> 1.0842021724855044e-19 if real is float else <real> 1.4916681462400413e-154
    i = <real> 1 / (<real> 1 + r / c)
    g[0] = i
    r = least if r < least else r
    h[0] = <real> -0.5 * i * i / c / r


cdef struct EpsilonInsensitiveRho:
    double epsilon

cdef inline int epsilon_insensitive_rho(EpsilonInsensitiveRho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = 1 / r beyond ε"""
    cdef real r = sqrt(z), slope, curvature
    epsilon_insensitive(EpsilonInsensitive(f.epsilon), r, 0, v, &slope, &curvature)
    cdef bint near = r <= <real> f.epsilon
    v[0] = doubled(v[0])
    g[0] = 0 if near else <real> 1 / r
    h[0] = 0 if near else past(r, z)


cdef struct SquaredEpsilonInsensitiveRho:
    double epsilon

cdef inline int squared_epsilon_insensitive_rho(SquaredEpsilonInsensitiveRho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = 2 (r - ε) / r beyond ε"""
    cdef real r = sqrt(z), slope, curvature
    squared_epsilon_insensitive(SquaredEpsilonInsensitive(f.epsilon), r, 0, v, &slope, &curvature)
    cdef bint near = (r <= <real> f.epsilon) & (r > 0 or f.epsilon > 0)
    v[0] = doubled(v[0])
    g[0] = 0 if near else (slope / r if (r > 0) & (r < <real> INFINITY) else zero(z) + <real> 2)
    h[0] = 0 if near else (<real> -2 * <real> f.epsilon * past(r, z) if f.epsilon > 0 else zero(z))


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    SquaredErrorRho
    HuberRho
    SmoothL1Rho
    LogCoshRho
    PseudoHuberRho
    CauchyRho
    FairRho
    EpsilonInsensitiveRho
    SquaredEpsilonInsensitiveRho

cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    if Formula is SquaredErrorRho: return squared_error_rho(x, v, g, h)
    elif Formula is HuberRho: return huber_rho(f, x, v, g, h)
    elif Formula is SmoothL1Rho: return smooth_l1_rho(f, x, v, g, h)
    elif Formula is LogCoshRho: return log_cosh_rho(x, v, g, h)
    elif Formula is PseudoHuberRho: return pseudo_huber_rho(f, x, v, g, h)
    elif Formula is CauchyRho: return cauchy_rho(f, x, v, g, h)
    elif Formula is FairRho: return fair_rho(f, x, v, g, h)
    elif Formula is EpsilonInsensitiveRho: return epsilon_insensitive_rho(f, x, v, g, h)
    elif Formula is SquaredEpsilonInsensitiveRho: return squared_epsilon_insensitive_rho(f, x, v, g, h)


cdef int register_formulas() except -1:
    register_formula[SquaredErrorRho](NULL, "squared_error_rho", PLAIN)
    register_formula[HuberRho](NULL, "huber_rho", PLAIN)
    register_formula[SmoothL1Rho](NULL, "smooth_l1_rho", PLAIN)
    register_formula[LogCoshRho](NULL, "log_cosh_rho", PLAIN)
    register_formula[PseudoHuberRho](NULL, "pseudo_huber_rho", PLAIN)
    register_formula[CauchyRho](NULL, "cauchy_rho", PLAIN)
    register_formula[FairRho](NULL, "fair_rho", PLAIN)
    register_formula[EpsilonInsensitiveRho](NULL, "epsilon_insensitive_rho", PLAIN)
    register_formula[SquaredEpsilonInsensitiveRho](NULL, "squared_epsilon_insensitive_rho", PLAIN)


include "blocks.pxi"
