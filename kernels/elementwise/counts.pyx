# The formulas of counts and of proportions: negative log-likelihoods with all their constants.
#
# Each is written as a deviance, which is 0 where the mean is the target, and what is left there: a sum of terms of one sign,
# in place of logarithms of gamma functions that cancel. With d(x) = log x - ψ(x), of an r that is followed by r + t:
#     log Γ(r + t) - log Γ(r) = (r + t) log(r + t) - r log r - t - log(1 + t/r) / 2 + ε(r + t) - ε(r)
# and the derivatives of that need d(r) - d(r + t) and d'(r) - d'(r + t). They stay right where r is infinite.

from libc.math cimport INFINITY
from kernels.core.numeric cimport absolute, exp, exp_parts, log, log1p, log1p_unit, real, sqrt, tanh_unit
from kernels.core.stirling cimport (
    is_near, log1p_bend, log1p_gap, log1p_gap_quotient, log1p_quotient, stirling_bend, stirling_error, stirling_slope)
from kernels.elementwise.formulas cimport BAD_FOURTH, BAD_TARGET, BAD_THIRD, CHECKED, clip, times, zero

cdef extern from *:
    """
    #define ROOT_2PI 2.506628274631000502416
    """
    const double ROOT_2PI


# ---- what they share ---------------------------------------------------------------------------------------------------

cdef inline real far(real like) noexcept nogil:
    """Up to which |x| exp(x) is an ordinary number."""
    if real is float:
        return 87
    else:
        return 708

cdef inline real clipped(real like) noexcept nogil:
    """Up to which |x| exp(x) is an ordinary number that may be multiplied by others."""
    if real is float:
        return 64
    else:
        return 600

cdef inline real huge(real like) noexcept nogil:
    """A number beside which 1 is nothing, with room above it."""
    if real is float:
        return <real> 1e30
    else:
        return <real> 1e290


cdef inline real part_gap(real g, real t, real l) noexcept nogil:
    """1 - log(1 + z) / z for z = g / t, of which l is the logarithm; 1 where t is 0."""
    cdef real z = g / t, gap = log1p_gap(z, l)
    return 1 if (t == 0) | (z > huge(t)) else gap


# Of the gamma functions of r and r + t, where s = r / (r + t) and o = 1 - s. A dispersion u has r = p / u.

cdef inline real rise_slope(real r, real t, real s, real o) noexcept nogil:
    """r (d(r) - d(r + t))"""
    return <real> 0.5 * o + (stirling_slope(r) - s * stirling_slope(r + t))

cdef inline real dispersed_slope(real r, real t, real s, real o, real p, real i) noexcept nogil:
    """r² (d(r) - d(r + t)) / p, i = r / p: what does not cancel of the derivative with respect to u, also for u = 0."""
    cdef real last = (<real> 0.5 * t * s + <real> (1.0 / 12) * o * (<real> 1 + s)) / p, usual = i * rise_slope(r, t, s, o)
    return last if r > <real> 1e8 else usual

cdef inline real dispersed_bend(real r, real t, real s, real o, real p, real i) noexcept nogil:
    """The derivative of that with respect to u"""
    cdef real n = r + t, k = t * s, last = (k * (<real> (1.0 / 6) * s * s - <real> 0.5 * k)
                                           + <real> (1.0 / 60) * (s * s * s * s / n - <real> 1 / r)) / p / p
    cdef real usual = i * i * (o * (<real> 2 * s * stirling_slope(n) - <real> 0.5 * o)
                               + (s * s * stirling_bend(n) - stirling_bend(r)))
    return last if r > <real> 1e8 else usual

cdef inline real gap_bend(real d, real e, real t, real s, real r, real w, real l) noexcept nogil:
    """d e r (2 (w - l) / w² - s), l = log(1 + w): where w is near 0 from what the two parts differ from 1 by, which is in
    proportion to 1/r."""
    cdef real k = log1p_gap_quotient(w, l), near = e * (e * (t * s + d * log1p_bend(w))), away = (d * r) * (e * (k + k - s))
    return near if is_near(w) else away


cdef inline real curvature(real r) noexcept nogil:
    """r² ψ'(r) - r: 1 at 0, and 1/2 far out"""
    return <real> 0.5 + (<real> 2 * stirling_slope(r) - stirling_bend(r))


cdef inline real left_of_count(real t, real root) noexcept nogil:
    """log Γ(t + 1) - t log t + t + log root for t > 0; 0 for t = 0"""
    cdef real left = log((<real> ROOT_2PI * sqrt(t)) * root) + stirling_error(t)
    return 0 if t == 0 else left


cdef inline real above_zero(real r) noexcept nogil:
    """r, but not 0 where a product underflows"""
    if real is float:
        return <real> 1e-37 if r < <real> 1e-37 else r
    else:
        return 1e-307 if r < 1e-307 else r

cdef inline real sigmoid(real x) noexcept nogil:
    cdef real e = exp(-absolute(x)), i = <real> 1 / (<real> 1 + e)
    return e * i if x < 0 else i


# ---- the negative binomial distribution ----------------------------------------------------------------------------------

cdef struct NegativeBinomial:
    char none

cdef inline int negative_binomial(real x, real t, real u, real *v, real *g, real *h) noexcept nogil:
    """log Γ(r) t! / Γ(r + t) + r log(1 + m) + t log(1 + 1/m) with r = 1/u and m = u exp(x)"""
    cdef real e = exp(x), i = <real> 1 / e
    cdef real m = exp_parts(x if u > 0 else 0, 0, u), q = <real> 1 / (<real> 1 + m)
    cdef bint many = m > 1, under = x + x < -far(x), over = q < <real> 1e-17
    cdef real b = <real> 1 / (u + i) if many else e * q      # e / (1 + m)
    cdef real c = <real> 1 + u * t, s = <real> 1 / c, r = <real> 1 / absolute(u), o = u * (t * s)
    cdef real power = -x if many else x, factor = c * b if many else c, y = exp_parts(power, 0, factor)
    cdef real near = (e - t) * q, rest = (e - t) * i, d, w, k, l
    rest = (1 + (t - t) if e == INFINITY else rest) * b
    d = rest if many else near      # (e - t) / (1 + m)
    w = -u * (huge(d) if d > huge(d) else d)      # 0 without dispersion, though d be infinite
    # The logarithms of 1 + d/t = c b / t and of 1 + w = c / (1 + m).
    k = c * q if under else c * b
    k = log(k / t) + (x if under else 0)
    l = y if many else c * q
    l = r + t if over else l
    l = log(l) - (x if over else 0)
    v[0] = (d * (part_gap(d, t, k) - log1p_gap(w, l))
            + (left_of_count(t, sqrt(c)) + (stirling_error(r) - stirling_error(r + t))))
    g[0] = d
    near = y * q * q
    h[0] = y * b if many else near
    g[1] = dispersed_slope(r, t, s, o, <real> 1, r) - d * (d * log1p_gap_quotient(w, l))
    h[1] = dispersed_bend(r, t, s, o, <real> 1, r) + gap_bend(d, d, t, s, r, w, l)
    return BAD_TARGET * (t < 0) | BAD_THIRD * (u < 0)


# ---- counts with additional zeros ----------------------------------------------------------------------------------------

cdef inline void poisson(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """exp(x) - t x + log t!"""
    cdef real e = exp(x), d = e - t
    cdef bint under = x + x < -far(x)
    cdef real k = log((1 if under else e) / t) + (x if under else 0)      # log of 1 + d/t
    v[0] = d * part_gap(d, t, k) + left_of_count(t, <real> 1)
    g[0] = d
    h[0] = e


cdef inline void shared(real t, real z, real share, real others, real *g, real *h) noexcept nogil:
    """The derivatives with respect to a parameter of a distribution that has a share in the zeros."""
    cdef real bend = times(share, h[0] - times(others, g[0] * g[0])), slope = times(share, g[0]), plain = g[0] + zero(z)
    h[0] = bend if t == 0 else h[0]
    g[0] = slope if t == 0 else plain


cdef inline void inflate(real t, real z, real *v, real *g, real *h, real *gu, real *hu, real *gz, real *hz) noexcept nogil:
    """From the loss of a distribution to that with additional zeros, which have the logit z: -log(1 - (1 - π)(1 - exp(-v)))
    for a zero, v - log(1 - π) for others; and derivatives with respect to z."""
    cdef real l = v[0], y = z + l, soft = log1p_unit(exp(-absolute(z))), most = z if z > -l else -l
    cdef real half = tanh_unit(<real> 0.5 * l if l < 1 else <real> 0.5), most_lost = <real> 1 - exp(-l)
    cdef real few_lost = (half + half) / (<real> 1 + half), lost = few_lost if l < 1 else most_lost      # 1 - exp(-l)
    cdef real zeros = sigmoid(z), rest = sigmoid(-z), share = sigmoid(-y), others = sigmoid(y), u = rest * lost
    cdef real none = -log1p(-u), rare = (soft - most) - log1p_unit(exp(-absolute(y))), usual = (z if z > 0 else 0) + soft + l
    none = none if u < <real> 0.5 else rare
    v[0] = none if t == 0 else usual
    shared(t, z, share, others, g, h)
    shared(t, z, share, others, gu, hu)
    usual = zeros + zero(l)
    rare = zeros * rest - others * share
    gz[0] = -others * u if t == 0 else usual
    hz[0] = rare if t == 0 else zeros * rest


cdef struct ZeroInflatedPoisson:
    char none

cdef inline int zero_inflated_poisson(real x, real t, real u, real *v, real *g, real *h) noexcept nogil:
    cdef real no_slope = 0, no_bend = 0
    poisson(x, t, v, g, h)
    inflate(t, u, v, g, h, &no_slope, &no_bend, &g[1], &h[1])
    return BAD_TARGET * (t < 0)


cdef struct ZeroInflatedNegativeBinomial:
    char none

cdef inline int zero_inflated_negative_binomial(real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    cdef int bad = negative_binomial(x, t, u, v, g, h)
    inflate(t, s, v, g, h, &g[1], &h[1], &g[2], &h[2])
    return bad


# ---- successes of trials, and proportions --------------------------------------------------------------------------------

cdef inline real left_of_trials(real t, real rest, real n) noexcept nogil:
    """What is left of -log of the binomial coefficient where t / n is the probability; the root is left to its caller."""
    return stirling_error(t) + (stirling_error(rest) - stirling_error(n))


cdef struct Binomial:
    char none

cdef inline int binomial(real x, real t, real n, real *v, real *g, real *h) noexcept nogil:
    """-log of (n over t) p^t (1 - p)^(n - t), p = sigmoid(x)"""
    cdef real e = exp(-absolute(x)), i = <real> 1 / (<real> 1 + e), rest = n - t
    cdef real few = 0 if (n == 0) & (x == x) else i * exp_parts(-absolute(x), 0, n), many = i * n
    cdef real np = few if x < 0 else many, nq = many if x < 0 else few
    cdef real d = np - t if x < 0 else rest - nq
    cdef bint under = x < -far(x), over = x > far(x), end = (t == 0) | (rest == 0)
    cdef real k = log((n if under else n * (i * e) if x < 0 else many) / t) + (x if under else 0)
    cdef real l = log((n if over else many if x < 0 else n * (i * e)) / rest) - (x if over else 0)
    cdef real left = log((<real> ROOT_2PI * sqrt(t)) * sqrt(rest / n)) + left_of_trials(t, rest, n)
    v[0] = d * (part_gap(d, t, k) - part_gap(-d, rest, l)) + (0 if end else left)
    g[0] = d
    h[0] = few * i
    return BAD_TARGET * ((t < 0) | (t > n) & (n >= 0)) | BAD_THIRD * (n < 0)


cdef struct Beta:
    char none

cdef inline int beta(real x, real t, real u, real *v, real *g, real *h) noexcept nogil:
    """log of B(a, b) t^(1 - a) (1 - t)^(1 - b) with a = p u, b = (1 - p) u, p = sigmoid(x)"""
    cdef real z = clip(x, clipped(x)), p = sigmoid(z), q = sigmoid(-z), other = 1 - t
    cdef real a = above_zero(p * u), b = above_zero(q * u)
    cdef real d = u * (t - p) if x < 0 else u * (q - other)
    cdef real k = log(t / p), l = log(other / q), i = <real> 1 / u
    cdef real gap = d * (log1p_gap(d / a, k) - log1p_gap(-d / b, l)), sa = stirling_slope(a), sb = stirling_slope(b)
    cdef real root = (<real> ROOT_2PI * (t * other)) / (sqrt(p * q) * sqrt(u)), left = log(root)
    cdef real ta = curvature(a), tb = curvature(b)
    # Where p is clipped, the loss is linear.
    v[0] = gap + (left + (stirling_error(a) + (stirling_error(b) - stirling_error(u)))) + absolute(x - z)
    g[0] = (<real> 0.5 * (p - q) + (p * sb - q * sa)) - d * (q * log1p_quotient(d / a, k) + p * log1p_quotient(-d / b, l))
    h[0] = (q - p) * g[0] + (q * q * (a + ta) + p * p * (b + tb))
    g[1] = (gap - (<real> 0.5 + (sa + sb - stirling_slope(u)))) * i
    h[1] = (ta + tb - curvature(u)) * i * i
    return BAD_TARGET * ((t <= 0) | (t >= 1)) | BAD_THIRD * (u <= 0)


cdef struct BetaBinomial:
    char none

cdef inline int beta_binomial(real x, real t, real n, real s, real *v, real *g, real *h) noexcept nogil:
    """-log of (n over t) B(a + t, b + n - t) / B(a, b) with a = p / s, b = (1 - p) / s, p = sigmoid(x)"""
    cdef real z = clip(x, clipped(x)), p = sigmoid(z), q = sigmoid(-z), rest = n - t
    cdef real c = <real> 1 / (<real> 1 + n * s), r = <real> 1 / absolute(s), o = n * s * c
    cdef real a = above_zero(p * r), b = above_zero(q * r), ts = t * s, rs = rest * s
    cdef real pt = c * (p + ts), qt = c * (q + rs)      # the shares when the target is known
    cdef real sa = p / (p + ts), sb = q / (q + rs), oa = ts / (p + ts), ob = rs / (q + rs)      # a / (a + t), 1 less that
    cdef real d = c * (n * p - t if x < 0 else rest - n * q), da = d / p, db = d / q, ya = -(d * s) / p, yb = (d * s) / q
    cdef real ka = log(pt / p), kb = log(qt / q), slope, more, fade
    cdef bint end = (t == 0) | (rest == 0)
    cdef real root = sqrt(pt / p) * sqrt(qt / q) * sqrt(<real> 1 + n * s)
    cdef real inner = 1 if end else (<real> ROOT_2PI * sqrt(t)) * sqrt(rest / n)
    cdef real left = log(root * inner) + (0 if end else left_of_trials(t, rest, n))
    # Where p is clipped, the loss is a straight line, or, where it becomes 0, proportional to p.
    fade = exp(-absolute(x - z)) if (t == 0) & (x < z) | (rest == 0) & (x > z) else 1
    left = left + ((stirling_error(a) - stirling_error(a + t)) + (stirling_error(b) - stirling_error(b + rest))
                   - (stirling_error(r) - stirling_error(r + n)))
    left = left + d * ((part_gap(d, t, log(n * pt / t)) - part_gap(-d, rest, log(n * qt / rest)))
                       + (log1p_gap(yb, kb) - log1p_gap(ya, ka)))
    slope = (d * (q * log1p_quotient(ya, ka) + p * log1p_quotient(yb, kb))
             - (q * rise_slope(a, t, sa, oa) - p * rise_slope(b, rest, sb, ob)))
    more = (x - z) * slope
    v[0] = left * fade + (0 if more < 0 else more)
    g[0] = slope * fade
    h[0] = ((q - p) * slope + q * q * (t * sa + (curvature(a) - sa * sa * curvature(a + t)))
            + p * p * (rest * sb + (curvature(b) - sb * sb * curvature(b + rest)))) * fade
    g[2] = (((dispersed_slope(a, t, sa, oa, p, r) - d * (da * log1p_gap_quotient(ya, ka)))
             + (dispersed_slope(b, rest, sb, ob, q, r) - d * (db * log1p_gap_quotient(yb, kb))))
            - dispersed_slope(r, n, c, o, <real> 1, r)) * fade
    h[2] = (((dispersed_bend(a, t, sa, oa, p, r) + gap_bend(d, da, t, sa, r, ya, ka))
             + (dispersed_bend(b, rest, sb, ob, q, r) + gap_bend(-d, -db, rest, sb, r, yb, kb)))
            - dispersed_bend(r, n, c, o, <real> 1, r)) * fade
    return BAD_TARGET * ((t < 0) | (t > n) & (n >= 0)) | BAD_THIRD * (n < 0) | BAD_FOURTH * (s < 0)


# ---- the lists -----------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    NegativeBinomial
    ZeroInflatedPoisson
    ZeroInflatedNegativeBinomial
    Binomial
    Beta
    BetaBinomial

ctypedef fused ByThird:
    NegativeBinomial
    ZeroInflatedPoisson
    ZeroInflatedNegativeBinomial
    Beta

ctypedef fused ByFourth:
    ZeroInflatedNegativeBinomial
    BetaBinomial

ctypedef fused Heavy:
    NegativeBinomial
    ZeroInflatedPoisson
    ZeroInflatedNegativeBinomial
    Binomial
    Beta
    BetaBinomial


cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    if Formula is NegativeBinomial: return negative_binomial(x, t, u, v, g, h)
    elif Formula is ZeroInflatedPoisson: return zero_inflated_poisson(x, t, u, v, g, h)
    elif Formula is ZeroInflatedNegativeBinomial: return zero_inflated_negative_binomial(x, t, u, s, v, g, h)
    elif Formula is Binomial: return binomial(x, t, u, v, g, h)
    elif Formula is Beta: return beta(x, t, u, v, g, h)
    elif Formula is BetaBinomial: return beta_binomial(x, t, u, s, v, g, h)


cdef int register_formulas() except -1:
    register_formula[NegativeBinomial](NULL, "negative_binomial", CHECKED)
    register_formula[ZeroInflatedPoisson](NULL, "zero_inflated_poisson", CHECKED)
    register_formula[ZeroInflatedNegativeBinomial](NULL, "zero_inflated_negative_binomial", CHECKED)
    register_formula[Binomial](NULL, "binomial", CHECKED)
    register_formula[Beta](NULL, "beta", CHECKED)
    register_formula[BetaBinomial](NULL, "beta_binomial", CHECKED)


include "blocks.pxi"
