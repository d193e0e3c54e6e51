# The formulas of losses of counts and of distributions.

from libc.math cimport INFINITY
from kernels.core.numeric cimport (
    absolute, entropy_gap_unit, exp, exp_parts, log, log1p, log1p_gap_unit, log1p_unit, log_cosh_unit,
    log_factorial, pow, product_error, real, reciprocal, tanh_unit)
from kernels.elementwise.formulas cimport (
    BAD_INPUT, BAD_TARGET, BAD_THIRD, CHECKED, LN2, LOG_2PI, PLAIN, clip, times, zero)


# ---- counts ----------------------------------------------------------------------------------------------------------

cdef struct Poisson:
    char none

cdef struct PoissonStirling:
    char none

cdef struct PoissonExact:
    char none

cdef inline int poisson(real x, real t, real constant, real *v, real *g, real *h) noexcept nogil:
    """exp(x) - t x"""
    cdef real e = exp(x), y = e - times(t, x)
    y = 0 if (constant == INFINITY) & (y == y) else y      # the sum of all is not negative
    v[0] = e + (t - t) if e == INFINITY else y + constant
    g[0] = e - t
    h[0] = e
    return BAD_TARGET * (t < 0)


cdef struct PoissonRate:
    double eps

cdef struct PoissonRateStirling:
    double eps

cdef struct PoissonRateExact:
    double eps

cdef inline int poisson_rate(double eps, real x, real t, real constant, real *v, real *g, real *h) noexcept nogil:
    """x - t log(x + ε)"""
    cdef real y = x + <real> eps, r, l
    y = 1 if y + t == 0 else y                        # 0 log 0 is 0
    r = t / y
    l = x - t * log(y)
    l = 0 if (constant == INFINITY) & (l == l) else l
    v[0] = x + (t - t) if x == INFINITY else l + constant
    g[0] = <real> 1 - r if r < <real> 0.5 else (y - t) / y
    h[0] = r / y
    return BAD_INPUT * (x < 0) | BAD_TARGET * (t < 0)


cdef inline real stirling(real t) noexcept nogil:
    """Stirling's approximation of log t!, for t > 1; torch and TensorFlow leave it out below."""
    cdef real l = log(t)
    return 0 if t <= 1 else t * (l - <real> 1) + <real> 0.5 * (l + <real> LOG_2PI)


cdef struct Gamma:
    char none

cdef inline int gamma(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """x + t exp(-x)"""
    cdef real e = 0 if (t == 0) & (x == x) else exp_parts(-x, 0, t)
    v[0] = e if e == INFINITY else x + e
    g[0] = 1 - e
    h[0] = e
    return BAD_TARGET * (t < 0)


cdef struct GammaMean:
    char none

cdef inline int gamma_mean(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """log x + t/x"""
    cdef real r = t / x
    v[0] = log(x) + r
    g[0] = (<real> 1 - r if r < <real> 0.5 else (x - t) / x) / x
    h[0] = (r + r - <real> 1 if r < <real> 0.25 else (t - <real> 0.5 * x) / (<real> 0.5 * x)) / x / x
    return BAD_INPUT * (x <= 0) | BAD_TARGET * (t < 0)


cdef inline real power_of_e(double a, double a_low, real x, real factor) noexcept nogil:
    """factor exp(a x), the product's rounding carried; a comes in two parts."""
    cdef real high = <real> a, y = high * x, low
    low = product_error(high, x, y) + <real> ((a - high) + a_low) * x
    low = low if absolute(y) < <real> 1e4 else 0       # beyond, the result is 0 or infinite anyway
    return 0 if factor == 0 else exp_parts(y, low, factor)


cdef struct Tweedie:
    double one, one_low, two, two_low

cdef inline real faster(real first, real second, real limit) noexcept nogil:
    """first - second; `limit` where both are infinite, as one of them grows faster."""
    cdef real d = first - second
    return limit if d != d and first == first and second == second else d


cdef inline int tweedie(Tweedie f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """exp((2 - p) x) / (2 - p) - t exp((1 - p) x) / (1 - p), for p not 1 or 2"""
    cdef real a = <real> f.one, b = <real> f.two
    # The powers are written out thrice, as a variable for each puts branches into the loop.
    v[0] = faster(power_of_e(f.two, f.two_low, x, <real> 1 / b), power_of_e(f.one, f.one_low, x, t) / a, INFINITY)
    g[0] = faster(power_of_e(f.two, f.two_low, x, <real> 1), power_of_e(f.one, f.one_low, x, t), a * INFINITY)
    h[0] = faster(power_of_e(f.two, f.two_low, x, b), a * power_of_e(f.one, f.one_low, x, t), INFINITY)
    return BAD_TARGET * ((t < 0) & (a <= 0))


cdef struct TweedieMean:
    double one, power, exponent, exponent_low

cdef inline int tweedie_mean(TweedieMean f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """x^(2 - p) / (2 - p) - t x^(1 - p) / (1 - p), for p not 1 or 2"""
    # The powers come from x^(2 - p), divided by m = x, or for p < 0 from x^-p, multiplied by n = x: from what does not
    # overflow where the results do not.
    cdef real a = <real> f.one, b = <real> (f.one + 1), p = <real> f.power
    cdef real m = x if f.power > 0 else <real> 1, n = <real> 1 if f.power > 0 else x
    cdef real base = pow(x, f.exponent, f.exponent_low), d = x - t, r = t / x, first = base * n * n, second
    cdef bint end = (f.power > 0) & (x == INFINITY) & (t < INFINITY), small = (x < 1) & (t > <real> 1e-6)
    cdef real power = 0 if end else base / m
    second = (t * base if small else t) / m * n
    second = second if small else second * base
    second = 0 if end | (t == 0) else second
    v[0] = faster(first / b, second / a, first / b * (x - t * (b / a) if x < 1 else (x - t) - t * (<real> 1 / a)))
    g[0] = 0 if end | (d == 0) else base * (d / m) / m
    h[0] = (power / x * (p * t) if absolute(r) == INFINITY else power * (a + p * r)) / m
    return BAD_INPUT * (x <= 0) | BAD_TARGET * ((t < 0) & (a <= 0))


cdef struct HalfSquaredLogLink:
    char none

cdef inline int half_squared_log_link(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """(exp(x) - t)² / 2"""
    cdef real e = exp(x), d = e - t
    v[0] = <real> 0.5 * d * d
    g[0] = d * e
    h[0] = e * (d + e)


# ---- distributions ---------------------------------------------------------------------------------------------------

cdef struct Gaussian:
    double eps, constant

cdef inline int gaussian(Gaussian f, real x, real t, real u, real *v, real *g, real *h, real *gu, real *hu) noexcept nogil:
    """(log s + d²/s) / 2 with s = max(u, ε); its derivative with respect to u does not see the clamp, as in torch."""
    cdef real d = x - t, s = <real> f.eps if u < <real> f.eps else u, r = d / s, i = <real> 1 / s
    v[0] = <real> 0.5 * (log(s) + d * r) + <real> f.constant
    g[0] = r
    h[0] = i
    gu[0] = <real> 0.5 * (i - r * r)
    hu[0] = r * (r * i) - <real> 0.5 * i * i
    return BAD_THIRD * (u < 0)


cdef struct Kl:
    char none

cdef struct KlBoth:                # with derivatives with respect to the target, which is the third operand
    char none

cdef inline int kl(real x, real t, real *v, real *g, real *h, real *gt, real *ht) noexcept nogil:
    """t (log t - x), 0 for t = 0"""
    cdef real gap = log(t) - x
    v[0] = 0 if (t == 0) & (x == x) else t * gap
    g[0] = x if x != x else -t
    h[0] = zero(x)
    gt[0] = INFINITY if (x == -INFINITY) & (t == t) else gap + <real> 1
    ht[0] = x if x != x else <real> 1 / t
    return t < 0


cdef struct KlLogTarget:
    char none

cdef struct KlLogTargetBoth:
    char none

cdef inline int kl_log_target(real x, real t, real *v, real *g, real *h, real *gt, real *ht) noexcept nogil:
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
    gt[0] = 0 if none else exp_parts(t, 0, gap + <real> 1)
    ht[0] = 0 if none else exp_parts(t, 0, gap + <real> 2)
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
    Poisson
    PoissonStirling
    PoissonExact
    PoissonRate
    PoissonRateStirling
    PoissonRateExact
    Gamma
    GammaMean
    Tweedie
    TweedieMean
    HalfSquaredLogLink
    Gaussian
    Kl
    KlBoth
    KlLogTarget
    KlLogTargetBoth
    Js
    JsMixed

ctypedef fused Paired:
    Gaussian
    KlBoth
    KlLogTargetBoth


cdef inline int point(Formula f, real x, real t, real u, real *v, real *g, real *h, real *gu, real *hu) noexcept nogil:
    if Formula is Poisson: return poisson(x, t, <real> 0, v, g, h)
    elif Formula is PoissonStirling: return poisson(x, t, stirling(t), v, g, h)
    elif Formula is PoissonExact: return poisson(x, t, log_factorial(t), v, g, h)
    elif Formula is PoissonRate: return poisson_rate(f.eps, x, t, <real> 0, v, g, h)
    elif Formula is PoissonRateStirling: return poisson_rate(f.eps, x, t, stirling(t), v, g, h)
    elif Formula is PoissonRateExact: return poisson_rate(f.eps, x, t, log_factorial(t), v, g, h)
    elif Formula is Gamma: return gamma(x, t, v, g, h)
    elif Formula is GammaMean: return gamma_mean(x, t, v, g, h)
    elif Formula is Tweedie: return tweedie(f, x, t, v, g, h)
    elif Formula is TweedieMean: return tweedie_mean(f, x, t, v, g, h)
    elif Formula is HalfSquaredLogLink: return half_squared_log_link(x, t, v, g, h)
    elif Formula is Gaussian: return gaussian(f, x, t, u, v, g, h, gu, hu)
    elif Formula is Kl: return BAD_TARGET * kl(x, t, v, g, h, gu, hu)
    elif Formula is KlBoth: return BAD_THIRD * kl(x, u, v, g, h, gu, hu)
    elif Formula is KlLogTarget: return kl_log_target(x, t, v, g, h, gu, hu)
    elif Formula is KlLogTargetBoth: return kl_log_target(x, u, v, g, h, gu, hu)
    elif Formula is Js: return js(x, t, v, g, h)
    elif Formula is JsMixed: return js_mixed(f, x, t, v, g, h)


cdef int register_formulas() except -1:
    register_formula[Poisson](NULL, "poisson", CHECKED)
    register_formula[PoissonStirling](NULL, "poisson_stirling", CHECKED)
    register_formula[PoissonExact](NULL, "poisson_exact", CHECKED)
    register_formula[PoissonRate](NULL, "poisson_rate", CHECKED)
    register_formula[PoissonRateStirling](NULL, "poisson_rate_stirling", CHECKED)
    register_formula[PoissonRateExact](NULL, "poisson_rate_exact", CHECKED)
    register_formula[Gamma](NULL, "gamma", CHECKED)
    register_formula[GammaMean](NULL, "gamma_mean", CHECKED)
    register_formula[Tweedie](NULL, "tweedie", CHECKED)
    register_formula[TweedieMean](NULL, "tweedie_mean", CHECKED)
    register_formula[HalfSquaredLogLink](NULL, "half_squared_log_link", PLAIN)
    register_formula[Gaussian](NULL, "gaussian", CHECKED)
    register_formula[Kl](NULL, "kl", CHECKED)
    register_formula[KlBoth](NULL, "kl_both", CHECKED)
    register_formula[KlLogTarget](NULL, "kl_log_target", PLAIN)
    register_formula[KlLogTargetBoth](NULL, "kl_log_target_both", PLAIN)
    register_formula[Js](NULL, "js", PLAIN)
    register_formula[JsMixed](NULL, "js_mixed", PLAIN)


include "blocks.pxi"
