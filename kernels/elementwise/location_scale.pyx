# The formulas of distributions of a location and a scale, and of those that are such in the logarithm of the target.
#
# Of the residual r in scales a distribution says the value ρ(r), apart from log s, and its derivatives. What follows from
# that for both parameters, and for the Fisher information, is `by_scale`, for all of them.

from libc.math cimport INFINITY
from kernels.core.numeric cimport (
    absolute, exp_parts, log, log1p, log1p_unit, log_parts, product_error, real, reciprocal, sum_error, tanh_unit)
from kernels.core.stirling cimport stirling_bend, stirling_error, stirling_slope
from kernels.elementwise.formulas cimport (
    BAD_TARGET, BAD_THIRD, CHECKED, EXPECTED, HUGE_RATIO, NONE as ByFourth, LN2, LOG_2PI, NATURAL, clip, sign,
    signed, zero)
from kernels.elementwise.scales cimport exponential, in_scales, tiny_part

cdef extern from *:
    """
    #define EULER 0.577215664901532860607
    #define PI_SQUARED 9.86960440108935861883
    #define RAISED 0x1p600
    #define RAISED_FLOAT 0x1p90
    """
    const double EULER
    const double PI_SQUARED
    const double RAISED
    const double RAISED_FLOAT


# ---- what all have in common -----------------------------------------------------------------------------------------

cdef inline real log_residual(real x, real t, real *l, real *low) noexcept nogil:
    """x - log t to more than twice its digits, in two parts, also where the two cancel; and the logarithm."""
    cdef real l_low, d, rest, total
    l[0] = log_parts(t, &l_low)
    d = x - l[0]
    rest = tiny_part(d, sum_error(x, -l[0], d) - l_low)
    l[0] += tiny_part(l[0], l_low)
    total = d + rest
    low[0] = rest - (total - d)
    return total


cdef inline real moved(real a, real s, bint times) noexcept nogil:
    """a s or a / s"""
    if times:
        return a * s
    return a / s


cdef inline void by_scale(double kind, bint inverse, real s, real slope, real turn, real curvature, real curve, double i11,
                          double i12, double i22, real *g, real *h) noexcept nogil:
    """Derivatives with respect to location and scale: (slope, turn) / s and (curvature, curve) / s². Where s is an inverse scale,
    those of the location are divided by 1/s. (i11, i12, i22) is the Fisher information for s = 1; i12 = 0 is seen when
    this is compiled, as is `inverse`."""
    cdef double determinant = i11 * i22 - i12 * i12
    cdef bint natural = kind == NATURAL, expected = kind == EXPECTED
    cdef real by_slope, by_turn
    by_slope = <real> (i22 / determinant) * slope
    by_turn = <real> (i11 / determinant) * turn
    if i12 != 0:
        by_slope -= <real> (i12 / determinant) * turn
        by_turn -= <real> (i12 / determinant) * slope
    g[0] = moved(by_slope, s, not inverse) if natural else moved(slope, s, inverse)
    g[1] = by_turn * s if natural else turn / s
    curvature = <real> i11 if expected else curvature
    curve = <real> i22 if expected else curve
    h[0] = moved(moved(curvature, s, inverse), s, inverse)
    h[1] = curve / s / s


cdef inline real with_square(real e, real y) noexcept nogil:
    """e y², and 0 for e = 0 whatever y is"""
    return 0 if e == 0 else e * y * y


cdef inline void by_half(double kind, bint inverse, real s, real less, real half, real slope, real turn, real curve, real *g,
                         real *h) noexcept nogil:
    """What by_scale gave, of a curvature exp(r) = half², where that overflows or underflows and the result does not; `less` is r/s."""
    cdef real root = moved(half, s, inverse), second
    h[0] = h[0] if kind == EXPECTED else root * root
    g[1] = g[1] if (absolute(turn) < INFINITY) | (kind == NATURAL) else -less * slope
    second = 0 if half == 0 else less * half
    second = second * second if inverse else second * second + <real> 2 * less * (slope / s)
    h[1] = h[1] if (absolute(curve) < INFINITY) | (kind == EXPECTED) else second


# ---- location and scale ----------------------------------------------------------------------------------------------

cdef struct StudentT:
    double kind, df, inverse_root, constant      # ν, 1/√ν

cdef inline int student_t(StudentT f, real x, real t, real s, real *v, real *g, real *h) noexcept nogil:
    """log s + (ν + 1)/2 log1p(r²/ν) + c. Beyond HUGE_RATIO √ν, where the logarithm is 2 log(r/√ν), derivatives with respect
    to x do not depend on s; r may overflow there."""
    cdef real d = x - t, a = absolute(d), l = log(s), df = <real> f.df, power = df + 1, r = a / s, y = r * <real> f.inverse_root
    cdef bint far = y > <real> HUGE_RATIO, over = (y == INFINITY) & (a < INFINITY), big = r > 1
    cdef real part = a * <real> f.inverse_root, raised = <real> RAISED, shift = <real> (600 * LN2), w, m, den, slope, turn, tilt, p
    if real is float:
        raised, shift = <real> RAISED_FLOAT, <real> (90 * LN2)
    shift = l + (0 if part > 1 else shift)
    part = part if part > 1 else part * raised
    w = r * (r / df)
    w = log1p((part if over else y) - <real> 1 if far else w) - (shift if over else <real> 0)
    v[0] = l + power * (w if far else <real> 0.5 * w) + <real> f.constant
    m = df / r if big else df                      # (ν, ν + r², ν - r²), divided by r where that is large
    den = m + (r if big else r * r)
    tilt = (m - (r if big else r * r)) / den
    p = m / den
    slope = (power if big else power * r) / den
    turn = power if far else r * slope
    by_scale(f.kind, False, s, signed(slope, d) if d != 0 else d, <real> 1 - turn, (slope / r if big else power / den) * tilt,
             turn * (<real> 1 + (p + p)) - <real> 1, (f.df + 1) / (f.df + 3), 0, 2 * f.df / (f.df + 3), g, h)
    g[0] = power / d if far and f.kind != NATURAL else g[0]
    h[0] = -power / d / d if far and f.kind != EXPECTED else h[0]
    return BAD_THIRD * (s <= 0)


cdef struct Laplace:
    double kind

cdef inline int laplace(Laplace f, real x, real t, real s, real *v, real *g, real *h) noexcept nogil:
    """log s + |r| + log 2"""
    cdef real d = x - t, a = absolute(d) / s
    v[0] = log(s) + a + <real> LN2
    by_scale(f.kind, False, s, sign(d), <real> 1 - a, zero(d), (a + a) - <real> 1, 1, 0, 1, g, h)
    return BAD_THIRD * (s <= 0)


cdef struct Logistic:
    double kind

cdef inline int logistic(Logistic f, real x, real t, real s, real *v, real *g, real *h) noexcept nogil:
    """log s + |r| + 2 log1p(exp(-|r|))"""
    cdef real d = x - t, low, r = in_scales(absolute(d), sign(d) * sum_error(x, -t, d), s, &low)
    cdef real e = exp_parts(-r, -low, <real> 1), share = reciprocal(1 + e), curvature = <real> 2 * e * share * share, slope, turn, root
    slope = tanh_unit(<real> 0.5 * clip(r, <real> 1)) if r <= 1 else (<real> 1 - e) * share
    turn = r * slope
    v[0] = log(s) + r + <real> 2 * log1p_unit(e)
    by_scale(f.kind, False, s, signed(slope, d) if d != 0 else d, <real> 1 - turn, curvature,
             (with_square(curvature, r) + (turn + turn)) - <real> 1, 1. / 3, 0, (3 + PI_SQUARED) / 9, g, h)
    root = exp_parts(<real> -0.5 * r, <real> -0.5 * low, share) / s      # e may underflow where e / s² does not
    h[0] = h[0] if f.kind == EXPECTED else <real> 2 * root * root
    return BAD_THIRD * (s <= 0)


cdef struct LogNormal:
    double kind

cdef inline int log_normal(LogNormal f, real x, real t, real s, real *v, real *g, real *h) noexcept nogil:
    """log s + r²/2 + log t + log(2π)/2, of the residual x - log t"""
    cdef real low, l, d = log_residual(x, t, &l, &low), r = d / s, w = r * r
    v[0] = (log(s) + <real> 0.5 * w) + (l + <real> (0.5 * LOG_2PI))
    by_scale(f.kind, False, s, r, <real> 1 - w, zero(r) + 1, <real> 3 * w - <real> 1, 1, 0, 2, g, h)
    return BAD_TARGET * (t <= 0) | BAD_THIRD * (s <= 0)


cdef struct Gumbel:
    double kind

cdef struct Weibull:
    double kind

cdef inline void of_extremes(double kind, bint inverse, real s, real less, real r, real low, real first, real *v, real *g,
                             real *h) noexcept nogil:
    """first + exp(r) - r, for a scale s, or for an inverse one; `less` is r/s."""
    cdef real e, slope, line, turn, curve, half = exp_parts(<real> 0.5 * r, <real> 0.5 * low, <real> 1)
    exponential(r, low, <real> 1, &e, &slope, &line)
    v[0] = first + (e if e == INFINITY else e - r)
    turn = <real> 1 - r * slope
    curve = with_square(e, r)
    if inverse:
        slope, turn, curve = -slope, -turn, curve + 1
    else:
        curve = curve + (<real> 1 - <real> 2 * turn)
    by_scale(kind, inverse, s, slope, turn, e, curve, 1, -(1 - EULER), PI_SQUARED / 6 + (1 - EULER) * (1 - EULER), g, h)
    by_half(kind, inverse, s, less, half, slope, turn, curve, g, h)

cdef inline int gumbel(Gumbel f, real x, real t, real s, real *v, real *g, real *h) noexcept nogil:
    """log s + exp(r) - r"""
    cdef real d = x - t, low, r = in_scales(d, sum_error(x, -t, d), s, &low)
    of_extremes(f.kind, False, s, r / s, r, low, log(s), v, g, h)
    return BAD_THIRD * (s <= 0)


# ---- positive targets, of a location of the logarithm and a shape ----------------------------------------------------

cdef inline int weibull(Weibull f, real x, real t, real k, real *v, real *g, real *h) noexcept nogil:
    """log t - log k + exp(z) - z with z = k (log t - x): log t has the distribution that mirrors Gumbel's, of scale 1/k."""
    cdef real low, l, d = -log_residual(x, t, &l, &low), z = k * d
    of_extremes(f.kind, True, k, d, z, tiny_part(z, product_error(k, d, z) - k * low), l - log(k), v, g, h)
    return BAD_TARGET * (t <= 0) | BAD_THIRD * (k <= 0)


cdef struct GammaShape:
    double kind

cdef inline int gamma_shape(GammaShape f, real x, real t, real k, real *v, real *g, real *h) noexcept nogil:
    """log t + k (exp(y) - 1 - y) + c with y = log t - x and c = log Γ(k) - k log k + k, which is ε(k) + log(2π/k)/2. The mean
    and the shape are orthogonal: without by_scale."""
    cdef real low, l, d = -log_residual(x, t, &l, &low), e, slope, line, tilt = stirling_slope(k), second, far
    # k exp(y), and exp(y) from it or the other way round, so that neither overflows or underflows if it need not.
    cdef bint small = (k <= 1) | (d < 0)
    cdef real factor = k if small else <real> 1, rest = 1 if small else k
    exponential(d, -low, factor, &e, &slope, &line)
    second = (<real> 0.5 + (tilt + tilt) - stirling_bend(k)) / k / k
    v[0] = rest * line + (l + (stirling_error(k) + <real> 0.5 * (<real> LOG_2PI - log(k))))
    g[0] = -slope / factor if f.kind == NATURAL else -rest * slope
    tilt = tilt + <real> 0.5
    far = e / factor
    far = far if far == INFINITY else (far - <real> 1) - d
    g[1] = (line - tilt) / k if k <= 1 else (line / factor if absolute(d) <= 1 else far) - tilt / k
    g[1] = g[1] / second if f.kind == NATURAL else g[1]
    h[0] = k if f.kind == EXPECTED else rest * e
    h[1] = second + zero(line)
    return BAD_TARGET * (t <= 0) | BAD_THIRD * (k <= 0)


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    StudentT
    Laplace
    Logistic
    LogNormal
    Gumbel
    Weibull
    GammaShape

ctypedef fused ByThird:
    StudentT
    Laplace
    Logistic
    LogNormal
    Gumbel
    Weibull
    GammaShape


ctypedef fused Heavy:
    StudentT
    Logistic
    LogNormal
    Gumbel
    Weibull
    GammaShape


cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    if Formula is StudentT: return student_t(f, x, t, u, v, g, h)
    elif Formula is Laplace: return laplace(f, x, t, u, v, g, h)
    elif Formula is Logistic: return logistic(f, x, t, u, v, g, h)
    elif Formula is LogNormal: return log_normal(f, x, t, u, v, g, h)
    elif Formula is Gumbel: return gumbel(f, x, t, u, v, g, h)
    elif Formula is Weibull: return weibull(f, x, t, u, v, g, h)
    elif Formula is GammaShape: return gamma_shape(f, x, t, u, v, g, h)


cdef int register_formulas() except -1:
    register_formula[StudentT](NULL, "student_t", CHECKED)
    register_formula[Laplace](NULL, "laplace", CHECKED)
    register_formula[Logistic](NULL, "logistic", CHECKED)
    register_formula[LogNormal](NULL, "log_normal", CHECKED)
    register_formula[Gumbel](NULL, "gumbel", CHECKED)
    register_formula[Weibull](NULL, "weibull", CHECKED)
    register_formula[GammaShape](NULL, "gamma_shape", CHECKED)


include "blocks.pxi"
