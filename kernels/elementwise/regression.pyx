# The formulas of losses between numbers; d = x - t.

from libc.math cimport INFINITY
from kernels.core.numeric cimport (
    absolute, exp, log, log1p, log1p_gap_unit, log1p_unit, log_cosh_unit, real, reciprocal, sqrt,
    tanh_unit)
from kernels.elementwise.formulas cimport (
    BAD_INPUT, BAD_TARGET, BAD_THIRD, CHECKED, HUGE_RATIO, LEAST_INVERTIBLE, LN2, NoFormula, PLAIN, TINY_RATIO, TWO_54,
    clip, sign, signed, zero)


cdef struct SquaredError:
    char none

cdef inline int squared_error(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """(x - t)²"""
    cdef real d = x - t
    v[0] = d * d
    g[0] = d + d
    h[0] = 2


cdef struct AbsoluteError:
    char none

cdef inline int absolute_error(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """|x - t|, with derivative 0 at 0."""
    cdef real d = x - t
    v[0] = absolute(d)
    g[0] = sign(d)
    h[0] = zero(d)


cdef struct Huber:
    double delta

cdef inline int huber(Huber f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """d²/2 for |d| < δ, δ(|d| - δ/2) beyond; with c = clip(d, ±δ) both are c(d - c/2)."""
    cdef real delta = <real> f.delta, d = x - t, c = clip(d, delta)
    v[0] = c * (d - <real> 0.5 * c)
    g[0] = c
    h[0] = <real> 0 if absolute(d) >= delta else (d * 0 + <real> 1)


cdef struct SmoothL1:
    double beta

cdef inline int smooth_l1(SmoothL1 f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """d²/2β for |d| < β, |d| - β/2 beyond; with c = clip(d/β, ±1) both are c(d - βc/2)."""
    cdef real beta = <real> f.beta, inverse = <real> (1 / f.beta), d = x - t, c
    c = 1 if d >= beta else d * inverse
    c = -1 if d <= -beta else c
    v[0] = c * (d - <real> 0.5 * (c * beta))
    g[0] = c
    h[0] = <real> 0 if absolute(d) >= beta else d * 0 + inverse


cdef struct LogCosh:
    char none

cdef inline int log_cosh(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """log cosh d: |d| - log 2 + log1p(exp(-2|d|)), near 0 a polynomial, as that cancels."""
    cdef real d = x - t, a = absolute(d), z = exp(<real> -2 * a), share = reciprocal(1 + z)
    cdef real c = clip(d, <real> 1)
    v[0] = log_cosh_unit(c) if a <= 1 else (a - <real> LN2) + log1p_unit(z)
    g[0] = tanh_unit(c) if a <= 1 else signed((<real> 1 - z) * share, d)
    h[0] = <real> 4 * z * share * share


cdef struct PseudoHuber:
    double delta

cdef inline int pseudo_huber(PseudoHuber f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """δ²(√(1 + r²) - 1) with r = |d|/δ, as d²/(1 + √(1 + r²)): no difference, and no square that overflows."""
    cdef real delta = <real> f.delta, d = x - t, a = absolute(d)
    cdef real r = a * <real> (1 / f.delta if f.delta > LEAST_INVERTIBLE else 1 / LEAST_INVERTIBLE)
    cdef bint far = r > <real> HUGE_RATIO * <real> HUGE_RATIO
    cdef real s = r if r > <real> HUGE_RATIO else sqrt(<real> 1 + r * r), i = <real> 1 / s
    v[0] = delta * a if far else a / (<real> 1 + s) * a
    g[0] = signed(delta, d) if far else d * i
    h[0] = i * i * i


cdef struct Quantile:
    double down, up

cdef struct QuantileLevels:       # q is the third operand, one level for each element
    char none

cdef inline int quantile(real q, real up, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """max(-q d, up d) with up = 1 - q, and derivative 0 at 0."""
    cdef real d = x - t
    cdef real slope = -q if d < 0 else d * 0
    slope = up if d > 0 else slope
    v[0] = 0 if slope == 0 else slope * d
    g[0] = slope
    h[0] = zero(d)
    return BAD_THIRD * not_a_level(q)


cdef struct Expectile:
    double down, up

cdef struct ExpectileLevels:
    char none

cdef inline int expectile(real q, real up, bint any, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """q d² below the target, up d² above it with up = 1 - q; at it the mean of both second derivatives. With `any` one of
    the factors may be 0, which makes 0 of an infinite d, too."""
    cdef real d = x - t, k = up if d > 0 else q
    cdef bint none = any & (k == 0) & (d == d)
    v[0] = 0 if none else k * d * d
    g[0] = 0 if none else <real> 2 * k * d
    h[0] = 1 if d == 0 else <real> 2 * k
    return BAD_THIRD * not_a_level(q)


cdef inline int not_a_level(real q) noexcept nogil:
    return 1 - ((q >= 0) & (q <= 1))       # nan is none either


cdef struct SquaredLogError:
    char none

cdef inline int squared_log_error(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """(log1p x - log1p t)², the difference as a log1p of its own, of a positive number: no cancellation."""
    # Of a quotient that may overflow a 2^54th is taken.
    cdef real d = x - t, a = absolute(d), low = t if t < x else x, b = <real> 1 + low, i = <real> 1 / (<real> 1 + x)
    cdef real y = a / b, part = a * <real> (1 / TWO_54) / b, l
    cdef bint far = y > <real> 1e30
    cdef real size = log1p(part if far else y) + (<real> (54 * LN2) if far else <real> 0)
    l = signed(size, d)
    v[0] = size * size
    cdef bint end = (i == 0) & (l == l)
    g[0] = 0 if end else <real> 2 * l * i
    h[0] = 0 if end else <real> 2 * (<real> 1 - l) * i * i
    return BAD_INPUT * (x < -1) | BAD_TARGET * (t < -1)


cdef struct PercentageError:
    double eps

cdef inline int percentage_error(PercentageError f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """|d| / max(|t|, ε)"""
    cdef real d = x - t, a = absolute(t), size = a if a > <real> f.eps else <real> f.eps
    v[0] = absolute(d) / size
    g[0] = sign(d) / size
    h[0] = zero(d)


cdef struct Cauchy:
    double c, log_c

cdef inline int cauchy(Cauchy f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """c²/2 log1p(r²) with r = |d|/c; log1p(r²) = 2 log r where r² would overflow, r² where it would underflow."""
    cdef real c = <real> f.c, d = x - t, a = absolute(d), r = a / c, w = r * r
    cdef bint far = r > <real> HUGE_RATIO, near = r < <real> TINY_RATIO
    cdef bint over = r == INFINITY
    cdef real l = log1p((a if over else r) - <real> 1 if far else w) - (<real> f.log_c if over else <real> 0), u = <real> 1 / (r if far else <real> 1 + w)
    v[0] = <real> 0.5 * d * d if near else c * (c * (l if far else <real> 0.5 * l))
    g[0] = signed(c * u, d) if far else d * u
    h[0] = -u * u if far else (<real> 1 - r) * (<real> 1 + r) * u * u


cdef struct Fair:
    double c

cdef inline int fair(Fair f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """c²(a - log1p a) with a = |d|/c; up to 1 the difference is a polynomial."""
    cdef real c = <real> f.c, d = x - t, a = absolute(d) / c
    cdef bint far = a > <real> HUGE_RATIO * <real> HUGE_RATIO
    cdef real unit = 1 if a > 1 else a, i = <real> 1 / (<real> 1 + a)
    cdef real gap = a - log1p(a) if a > 1 else log1p_gap_unit(unit)
    gap = absolute(d) if far else c * gap
    v[0] = <real> 0.5 * d * d if a < <real> TINY_RATIO else c * gap
    g[0] = signed(c, d) if far else d * i
    h[0] = i * i


cdef struct EpsilonInsensitive:
    double epsilon

cdef inline int epsilon_insensitive(EpsilonInsensitive f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """max(0, |d| - ε), with derivative 0 up to ε."""
    cdef real d = x - t, m = absolute(d) - <real> f.epsilon, slope = sign(d)
    v[0] = 0 if m <= 0 else m
    g[0] = 0 if m <= 0 else slope
    h[0] = zero(d)


cdef struct SquaredEpsilonInsensitive:
    double epsilon

cdef inline int squared_epsilon_insensitive(SquaredEpsilonInsensitive f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """max(0, |d| - ε)²"""
    cdef real d = x - t, m = absolute(d) - <real> f.epsilon, p = 0 if m <= 0 else m
    v[0] = p * p
    g[0] = p + p if d > 0 else -p - p
    h[0] = 0 if m <= 0 else 2


# ---- losses as functions of a squared residual -----------------------------------------------------------------------
#
# ρ(z) = 2 l(√z), as scipy.optimize.least_squares and others take it, with ρ' = l'(r) / r and ρ'' = (l''(r) - l'(r) / r) / 2z
# in closed form: that difference would leave nothing near 0. x is z.

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
    cdef real delta = <real> f.delta, r = sqrt(z), slope, bend
    huber(Huber(f.delta), r, 0, v, &slope, &bend)
    cdef bint far = r > delta
    v[0] = doubled(v[0]) if far else z
    g[0] = delta / r if far else z * 0 + <real> 1
    h[0] = delta * past(r, z) if far else z * 0


cdef struct SmoothL1Rho:
    double beta

cdef inline int smooth_l1_rho(SmoothL1Rho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = min(1 / β, 1 / r)"""
    cdef real beta = <real> f.beta, r = sqrt(z), slope, bend
    smooth_l1(SmoothL1(f.beta), r, 0, v, &slope, &bend)
    cdef bint far = r > beta
    v[0] = doubled(v[0]) if far else z * <real> (1 / f.beta)
    g[0] = <real> 1 / r if far else z * 0 + <real> (1 / f.beta)
    h[0] = past(r, z) if far else z * 0


cdef struct LogCoshRho:
    char none

cdef inline real log_cosh_bend(real z) noexcept nogil:
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
    cdef real r = sqrt(z), slope, bend, unit = 1 if z > 1 else z
    log_cosh(r, 0, v, &slope, &bend)
    v[0] = doubled(v[0])
    slope = slope / r
    g[0] = z + <real> 1 if r == 0 else slope
    h[0] = (bend - slope) / z * <real> 0.5 if z > 1 else log_cosh_bend(unit)


cdef struct PseudoHuberRho:
    double delta

cdef inline int pseudo_huber_rho(PseudoHuberRho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = 1 / √(1 + z/δ²)"""
    cdef real delta = <real> f.delta, r = sqrt(z), a = r / delta, slope, bend, i
    pseudo_huber(PseudoHuber(f.delta), r, 0, v, &slope, &bend)
    v[0] = doubled(v[0])
    i = <real> 1 / (a if a > <real> HUGE_RATIO else sqrt(<real> 1 + a * a))
    g[0] = i
    h[0] = <real> -0.5 * (i / delta) * (i / delta) * i


cdef struct CauchyRho:
    double c, log_c

cdef inline int cauchy_rho(CauchyRho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = 1 / (1 + z/c²)"""
    cdef real c = <real> f.c, r = sqrt(z), a = r / c, slope, bend, u
    cauchy(Cauchy(f.c, f.log_c), r, 0, v, &slope, &bend)
    v[0] = doubled(v[0])
    u = <real> 1 / (<real> 1 + a * a)
    g[0] = u
    h[0] = -(u / c) * (u / c)


cdef struct FairRho:
    double c

cdef inline int fair_rho(FairRho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = 1 / (1 + r/c); ρ'' goes to -∞ at 0, but z ρ'' to 0: there it is that of the least normal z."""
    cdef real c = <real> f.c, least, r = sqrt(z), slope, bend, i
    fair(Fair(f.c), r, 0, v, &slope, &bend)
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
    cdef real r = sqrt(z), slope, bend
    epsilon_insensitive(EpsilonInsensitive(f.epsilon), r, 0, v, &slope, &bend)
    cdef bint near = r <= <real> f.epsilon
    v[0] = doubled(v[0])
    g[0] = 0 if near else <real> 1 / r
    h[0] = 0 if near else past(r, z)


cdef struct SquaredEpsilonInsensitiveRho:
    double epsilon

cdef inline int squared_epsilon_insensitive_rho(SquaredEpsilonInsensitiveRho f, real z, real *v, real *g, real *h) noexcept nogil:
    """ρ' = 2 (r - ε) / r beyond ε"""
    cdef real r = sqrt(z), slope, bend
    squared_epsilon_insensitive(SquaredEpsilonInsensitive(f.epsilon), r, 0, v, &slope, &bend)
    cdef bint near = (r <= <real> f.epsilon) & (r > 0 or f.epsilon > 0)
    v[0] = doubled(v[0])
    g[0] = 0 if near else (slope / r if (r > 0) & (r < <real> INFINITY) else zero(z) + <real> 2)
    h[0] = 0 if near else (<real> -2 * <real> f.epsilon * past(r, z) if f.epsilon > 0 else zero(z))


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    SquaredError
    AbsoluteError
    Huber
    SmoothL1
    LogCosh
    PseudoHuber
    Quantile
    QuantileLevels
    Expectile
    ExpectileLevels
    SquaredLogError
    PercentageError
    Cauchy
    Fair
    EpsilonInsensitive
    SquaredEpsilonInsensitive
    SquaredErrorRho
    HuberRho
    SmoothL1Rho
    LogCoshRho
    PseudoHuberRho
    CauchyRho
    FairRho
    EpsilonInsensitiveRho
    SquaredEpsilonInsensitiveRho

ctypedef fused Paired:
    NoFormula


cdef inline int point(Formula f, real x, real t, real u, real *v, real *g, real *h, real *gu, real *hu) noexcept nogil:
    if Formula is SquaredError: return squared_error(x, t, v, g, h)
    elif Formula is AbsoluteError: return absolute_error(x, t, v, g, h)
    elif Formula is Huber: return huber(f, x, t, v, g, h)
    elif Formula is SmoothL1: return smooth_l1(f, x, t, v, g, h)
    elif Formula is LogCosh: return log_cosh(x, t, v, g, h)
    elif Formula is PseudoHuber: return pseudo_huber(f, x, t, v, g, h)
    elif Formula is Quantile: return quantile(<real> f.down, <real> f.up, x, t, v, g, h)
    elif Formula is QuantileLevels: return quantile(u, 1 - u, x, t, v, g, h)
    elif Formula is Expectile: return expectile(<real> f.down, <real> f.up, False, x, t, v, g, h)
    elif Formula is ExpectileLevels: return expectile(u, 1 - u, True, x, t, v, g, h)
    elif Formula is SquaredLogError: return squared_log_error(x, t, v, g, h)
    elif Formula is PercentageError: return percentage_error(f, x, t, v, g, h)
    elif Formula is Cauchy: return cauchy(f, x, t, v, g, h)
    elif Formula is Fair: return fair(f, x, t, v, g, h)
    elif Formula is EpsilonInsensitive: return epsilon_insensitive(f, x, t, v, g, h)
    elif Formula is SquaredEpsilonInsensitive: return squared_epsilon_insensitive(f, x, t, v, g, h)
    elif Formula is SquaredErrorRho: return squared_error_rho(x, v, g, h)
    elif Formula is HuberRho: return huber_rho(f, x, v, g, h)
    elif Formula is SmoothL1Rho: return smooth_l1_rho(f, x, v, g, h)
    elif Formula is LogCoshRho: return log_cosh_rho(x, v, g, h)
    elif Formula is PseudoHuberRho: return pseudo_huber_rho(f, x, v, g, h)
    elif Formula is CauchyRho: return cauchy_rho(f, x, v, g, h)
    elif Formula is FairRho: return fair_rho(f, x, v, g, h)
    elif Formula is EpsilonInsensitiveRho: return epsilon_insensitive_rho(f, x, v, g, h)
    elif Formula is SquaredEpsilonInsensitiveRho: return squared_epsilon_insensitive_rho(f, x, v, g, h)


cdef int register_formulas() except -1:
    register_formula[SquaredError](NULL, "squared_error", PLAIN)
    register_formula[AbsoluteError](NULL, "absolute_error", PLAIN)
    register_formula[Huber](NULL, "huber", PLAIN)
    register_formula[SmoothL1](NULL, "smooth_l1", PLAIN)
    register_formula[LogCosh](NULL, "log_cosh", PLAIN)
    register_formula[PseudoHuber](NULL, "pseudo_huber", PLAIN)
    register_formula[Quantile](NULL, "quantile", PLAIN)
    register_formula[QuantileLevels](NULL, "quantile_levels", CHECKED)
    register_formula[Expectile](NULL, "expectile", PLAIN)
    register_formula[ExpectileLevels](NULL, "expectile_levels", CHECKED)
    register_formula[SquaredLogError](NULL, "squared_log_error", CHECKED)
    register_formula[PercentageError](NULL, "percentage_error", PLAIN)
    register_formula[Cauchy](NULL, "cauchy", PLAIN)
    register_formula[Fair](NULL, "fair", PLAIN)
    register_formula[EpsilonInsensitive](NULL, "epsilon_insensitive", PLAIN)
    register_formula[SquaredEpsilonInsensitive](NULL, "squared_epsilon_insensitive", PLAIN)
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
