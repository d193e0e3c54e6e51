# Distributions by their tags: minus the logarithm of the probability of an interval of standardised numbers, of what lies
# below or above a number, and of the density, with their derivatives. Nothing is a difference of two distribution functions:
# tails keep their digits, and so do intervals of one unit in the last place.
#
# Normal, Logistic, and Extreme with F(z) = 1 - exp(-exp(z)), the distribution of the logarithm of an exponential time, whose
# link is the complementary log-log.
#
# A tag comes as a typed NULL: `interval(<const Normal *> NULL, ...)`.

from libc.math cimport INFINITY
from kernels.core.numeric cimport (
    absolute, exp, log1mexp, log1p_unit, over_zero, real, reciprocal, weighed)

cdef extern from "core/vecmath/intervals.h" nogil:
    """
    #define CDF_HALF_LOG_2PI 0.918938533204672741780
    #define CDF_HIGHEST 0.398942280401432677940      /* of the normal density, 1/sqrt(2 pi) */
    """
    const double CDF_HALF_LOG_2PI
    const double CDF_HIGHEST
    float vm_hazard_gapf(float)
    double vm_hazard_gap(double)
    float vm_bernoulli_gapf(float)
    double vm_bernoulli_gap(double)
    float vm_narrowf(float, float, float *)
    double vm_narrow(double, double, double *)

cdef extern from "core/vecmath/normal.h" nogil:
    float vm_log_of_sumf(float, float, float)
    double vm_log_of_sum(double, double, double)

cdef struct Normal:
    char none
cdef struct Logistic:
    char none
cdef struct Extreme:
    char none
ctypedef fused Distribution:
    Normal
    Logistic
    Extreme

# What derivatives of an interval from a to b are with respect to: one end, a shift of both, a common factor of both at the
# factor 1. The second ones of a factor are the quadratic form a² l_aa + 2 a b l_ab + b² l_bb.
cdef enum:
    BY_LOWER, BY_UPPER, BY_SHIFT, BY_FACTOR, ENDS


# ---- parts -----------------------------------------------------------------------------------------------------------

cdef inline real log_of_sum(real base, real c) noexcept nogil:
    """log(base + c) for a base of 0 or 1 and base + c from 0 to 2: log or log1p, as the element wants"""
    if real is float:
        return vm_log_of_sumf(base, 1, c)
    else:
        return vm_log_of_sum(base, 1, c)

cdef inline real hazard_gap(real z) noexcept nogil:
    """f(z)/(1 - F(z)) - z of the normal distribution, z >= 0"""
    if real is float:
        return vm_hazard_gapf(z)
    else:
        return vm_hazard_gap(z)

cdef inline real bernoulli_gap(real x) noexcept nogil:
    """x/(exp(x) - 1) + x/2 - 1 for 0 <= x <= 2"""
    if real is float:
        return vm_bernoulli_gapf(x)
    else:
        return vm_bernoulli_gap(x)

cdef inline real narrow_mean(real y, real b, real *mean) noexcept nogil:
    """The mean of exp(-m u - u²/2) for |u| < h, and the mean of -u/h; y = m h in [0, 1], b = h² <= 1/4"""
    if real is float:
        return vm_narrowf(y, b, mean)
    else:
        return vm_narrow(y, b, mean)

cdef inline void exp_ratios(real x, real e, real *k, real *rise, real *share) noexcept nogil:
    """Of x >= 0 and e = exp(-x): k = x/(exp(x) - 1), rise = x + k - 1, share = 1 - e; x = inf gives the limits"""
    cdef real gap = bernoulli_gap(x), far = weighed(e, x) / (1 - e), half = <real> 0.5 * x
    k[0] = (1 - half) + gap if x <= 2 else far
    rise[0] = half + gap if x <= 2 else x - 1 + far
    share[0] = x / (1 + (half + gap)) if x <= 2 else 1 - e

cdef inline void sigmoids(real z, real *up, real *down, real *rest) noexcept nogil:
    """sigmoid(z), sigmoid(-z), log(1 + exp(-|z|))"""
    cdef real e = exp(-absolute(z)), large = reciprocal(1 + e), small = e * large
    up[0] = large if z > 0 else small
    down[0] = small if z > 0 else large
    rest[0] = log1p_unit(e)


# ---- an interval -----------------------------------------------------------------------------------------------------

cdef inline void interval(const Distribution *tag, real a, real b, real w, real *v, real *g, real *h) noexcept nogil:
    """l = -log(F(b) - F(a)) for a < b, which may be infinite; w = b - a, as exact as the caller knows it: where the ends
    are large beside w, their own difference has lost its digits."""
    if Distribution is Normal:
        normal_interval(a, b, w, v, g, h)
    elif Distribution is Logistic:
        logistic_interval(a, b, w, v, g, h)
    else:
        extreme_interval(a, b, w, v, g, h)


cdef inline void normal_interval(real a, real b, real w, real *v, real *g, real *h) noexcept nogil:
    # Reflected, so that the interval's middle m is not below 0; p, q: the ends then, p the one with the higher density.
    # Three ways: narrow; from p >= 0 on, by λ = f/(1 - F) at both ends; around 0, by what lies outside.
    cdef bint mirrored = a + b < 0
    cdef real p = -b if mirrored else a, q = -a if mirrored else b
    # No end is compared with a number: a comparison of what was chosen becomes a choice of comparisons, which stays scalar.
    cdef real middle = <real> 0.5 * p + <real> 0.5 * q, m = middle if middle == middle else <real> INFINITY
    cdef real half = <real> 0.5 * w, fall = m * w                    # log f(p) - log f(q)
    cdef real e = exp(-fall), k, rise, share, mean, size = absolute(p)
    cdef bint narrow = (w <= 1) & (fall <= 2), around = (p < size) & (w > 1)
    cdef real gap_p = hazard_gap(size), gap_q = hazard_gap(q), rate_p = size + gap_p
    cdef real ratio = weighed(e, rate_p / (q + gap_q)), rest = 1 - ratio
    cdef real density = <real> CDF_HIGHEST * exp(<real> -0.5 * (p * p)), outside = density * (1 + ratio) / rate_p
    cdef real inside = narrow_mean(<real> 0.5 * fall, half * half, &mean)     # the mean of f(z) / f(p)
    inside = inside * exp(<real> 0.5 * (half * half - fall))
    cdef real left = 1 - outside, top = density if around else rate_p, bottom = left if around else rest
    top = 1 if narrow else top
    bottom = inside if narrow else bottom
    cdef real quotient = top / bottom, over_w = quotient / w, at_p = over_w if narrow else quotient
    cdef real at_q = e * at_p                                       # f(p) and f(q) over the probability
    exp_ratios(fall, e, &k, &rise, &share)
    cdef real shift = weighed(at_p, share), near = m - half * mean
    shift = near if narrow else shift
    # excess: the mean of z, less p; product: it times the shift
    cdef real tail = gap_p - weighed(ratio, gap_q + w), excess = tail / rest
    cdef real product = rate_p * tail * share / (rest * rest), beyond = shift - p
    near = half * (1 - mean)
    excess = beyond if around else excess
    excess = near if narrow else excess
    beyond = weighed(shift, excess)
    product = beyond if around else product
    product = beyond if narrow else product
    cdef real wide_q = weighed(at_q, w), curvature
    near = e * quotient
    wide_q = near if narrow else wide_q
    curvature = product + wide_q
    cdef real bend_p = at_p * at_q + weighed(at_p, excess), bend_q = weighed(at_q, at_q + q)
    cdef real base = <real> 1 if around else <real> 0, term = rest / rate_p
    cdef real line = <real> 0.5 * p * p + <real> CDF_HALF_LOG_2PI
    line = 0 if around else line
    near = inside * w
    term = near if narrow else term
    term = -outside if around else term
    v[0] = line - log_of_sum(base, term)
    g[BY_LOWER] = at_q if mirrored else at_p
    g[BY_UPPER] = -(at_p if mirrored else at_q)
    g[BY_SHIFT] = -shift if mirrored else shift
    g[BY_FACTOR] = weighed(shift, p) - wide_q
    h[BY_LOWER] = bend_q if mirrored else bend_p
    h[BY_UPPER] = bend_p if mirrored else bend_q
    h[BY_SHIFT] = curvature
    h[BY_FACTOR] = weighed(weighed(curvature, p), p) + weighed(wide_q, 2 * p * (w - excess) + (wide_q + w * q))


cdef inline void logistic_interval(real a, real b, real w, real *v, real *g, real *h) noexcept nogil:
    # F(b) - F(a) = F(b) F(-a) (1 - exp(-w))
    cdef real up_a, down_a, rest_a, up_b, down_b, rest_b, k, rise, share, outer
    cdef real middle = absolute(a + b), e = exp(-w)
    sigmoids(a, &up_a, &down_a, &rest_a)
    sigmoids(b, &up_b, &down_b, &rest_b)
    exp_ratios(middle, exp(-middle), &k, &rise, &outer)
    exp_ratios(w, e, &k, &rise, &share)
    cdef real inverse = k / w, f_a = up_a * down_a, f_b = up_b * down_b
    cdef real shift = weighed(up_a * up_b if a + b > 0 else down_a * down_b, outer)
    v[0] = (over_zero(a) + over_zero(-b)) + (rest_a + rest_b) - log1mexp(-w)
    g[BY_LOWER] = up_a + inverse
    g[BY_UPPER] = -(down_b + inverse)
    g[BY_SHIFT] = -shift if a + b < 0 else shift
    g[BY_FACTOR] = weighed(up_a, a) - weighed(down_b, b) - k
    h[BY_LOWER] = f_a + inverse * (1 + inverse)
    h[BY_UPPER] = f_b + inverse * (1 + inverse)
    h[BY_SHIFT] = f_a + f_b
    h[BY_FACTOR] = weighed(weighed(f_a, a), a) + weighed(weighed(f_b, b), b) + weighed(k, k + w)


cdef inline void extreme_interval(real a, real b, real w, real *v, real *g, real *h) noexcept nogil:
    # F(b) - F(a) = exp(-exp(a)) (1 - exp(-d)) with the hazard's increase d = exp(b) - exp(a)
    cdef real e_a = exp(a), e_w = exp(-w), log_d = b + log1mexp(-w), d = exp(log_d)
    cdef real k_w, rise_w, share_w, k, rise, fall
    exp_ratios(w, e_w, &k_w, &rise_w, &share_w)
    exp_ratios(d, exp(-d), &k, &rise, &fall)
    cdef real lower = k * (k_w / w), at_a = e_a + lower, at_b = k / share_w, shift = e_a - k
    cdef real curvature = e_a + weighed(k, rise), wide_a = weighed(e_a, w) + k * k_w
    cdef real times = k_w + w, wide_b = weighed(k, times)        # w/(1 - exp(-w))
    cdef bint from_a = absolute(a) <= absolute(b)
    v[0] = e_a - (log_d if d < <real> 1e-18 else log1mexp(-d))
    g[BY_LOWER] = at_a
    g[BY_UPPER] = -at_b
    g[BY_SHIFT] = shift
    g[BY_FACTOR] = weighed(shift, a) - wide_b if from_a else weighed(shift, b) - wide_a
    h[BY_LOWER] = at_a * (1 + lower)
    h[BY_UPPER] = weighed(at_b, (rise + e_w) / share_w)
    h[BY_SHIFT] = curvature
    h[BY_FACTOR] = (
        weighed(weighed(curvature, a), a) + weighed(wide_b, 2 * a * rise + times * (rise + e_w)) if from_a
        else weighed(weighed(curvature, b), b) - weighed(wide_a, 2 * b * (1 - k) - (w + k * k_w)))


# ---- all below, all above --------------------------------------------------------------------------------------------

cdef inline void below(const Distribution *tag, real z, real *v, real *g, real *h) noexcept nogil:
    """-log F(z)"""
    cdef real up, down, rest, e, k, rise, share
    if Distribution is Normal:
        above(tag, -z, v, g, h)
        g[0] = -g[0]
    elif Distribution is Logistic:
        sigmoids(z, &up, &down, &rest)
        v[0] = over_zero(-z) + rest
        g[0] = -down
        h[0] = up * down
    else:
        e = exp(z)
        exp_ratios(e, exp(-e), &k, &rise, &share)
        v[0] = -(z if e < <real> 1e-18 else log1mexp(-e))
        g[0] = -k
        h[0] = weighed(k, rise)


cdef inline void above(const Distribution *tag, real z, real *v, real *g, real *h) noexcept nogil:
    """-log(1 - F(z))"""
    cdef real up, down, rest, size, gap, rate, density, slope
    cdef bint left = z < 0
    if Distribution is Normal:
        size = absolute(z)
        gap = hazard_gap(size)
        rate = size + gap
        density = <real> CDF_HIGHEST * exp(<real> -0.5 * (z * z))
        slope = density / (1 - density / rate) if left else rate
        v[0] = (0 if left else <real> 0.5 * z * z + <real> CDF_HALF_LOG_2PI) - log_of_sum(
            <real> 1 if left else <real> 0, (-density if left else <real> 1) / rate)
        g[0] = slope
        h[0] = weighed(slope, slope - z if left else gap)
    elif Distribution is Logistic:
        sigmoids(z, &up, &down, &rest)
        v[0] = over_zero(z) + rest
        g[0] = up
        h[0] = up * down
    else:
        v[0] = g[0] = h[0] = exp(z)


# ---- the density -----------------------------------------------------------------------------------------------------

cdef inline void density(const Distribution *tag, real z, real *v, real *g, real *h) noexcept nogil:
    """-log f(z)"""
    cdef real up, down, rest, e, k, rise, share, size = absolute(z)
    if Distribution is Normal:
        v[0] = <real> 0.5 * z * z + <real> CDF_HALF_LOG_2PI
        g[0] = z
        h[0] = 1
    elif Distribution is Logistic:
        sigmoids(z, &up, &down, &rest)
        exp_ratios(size, exp(-size), &k, &rise, &share)
        v[0] = size + 2 * rest
        g[0] = share * up if z > 0 else -share * down              # up - down
        h[0] = 2 * (up * down)
    else:
        e = exp(z)
        v[0] = e - z
        g[0] = e - 1
        h[0] = e
