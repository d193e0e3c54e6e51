# The formulas of losses of counts and of distributions.

from libc.math cimport INFINITY
from kernels.core.numeric cimport (
    absolute, exp, exp_parts, log, log1p, log1p_gap_unit, log1p_unit, log_factorial, pow, product_error, real, reciprocal)
from kernels.elementwise.formulas cimport NONE as ByFourth, NONE as Heavy, BAD_INPUT, BAD_TARGET, BAD_THIRD, CHECKED, EXPECTED, LOG_2PI, NATURAL, PLAIN, clip, times, zero


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
    double kind, eps, constant

cdef inline int gaussian(Gaussian f, real x, real t, real u, real *v, real *g, real *h) noexcept nogil:
    """(log s + d²/s) / 2 with s = max(u, ε); its derivative with respect to u does not see the clamp, as in torch."""
    cdef real d = x - t, s = <real> f.eps if u < <real> f.eps else u, r = d / s, i = <real> 1 / s
    v[0] = <real> 0.5 * (log(s) + d * r) + <real> f.constant
    g[0] = d if f.kind == NATURAL else r
    h[0] = i
    g[1] = s - d * d if f.kind == NATURAL else <real> 0.5 * (i - r * r)
    h[1] = <real> 0.5 * i * i if f.kind == EXPECTED else r * (r * i) - <real> 0.5 * i * i
    return BAD_THIRD * (u < 0)


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

ctypedef fused ByThird:
    Gaussian


cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
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
    elif Formula is Gaussian: return gaussian(f, x, t, u, v, g, h)


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


include "blocks.pxi"
