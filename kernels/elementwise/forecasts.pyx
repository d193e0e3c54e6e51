# The formulas of scores of forecasts.
#
# The continuous ranked probability score of a distribution of a location and a scale is homogeneous: with r = |x - t| / s it is
# |x - t| S(r) + s T(r), where S = 2 F - 1 and T are its derivatives with respect to |x - t| and to s, and T' = -r S'. So a
# distribution says S, T and S', and `of_parts` has what follows.

from libc.math cimport INFINITY
from kernels.core.numeric cimport (
    absolute, entropy_gap_unit, exp_bow, exp_parts, log_parts, log1p_unit, product_error, real, reciprocal, sqrt,
    sum_error, tanh_unit, weighed)
from kernels.elementwise.formulas cimport (
    BAD_FOURTH, BAD_THIRD, CHECKED, NONE as ByFourth, PLAIN, TINY_RATIO, clip, sign, signed, zero)
from kernels.elementwise.scales cimport exponential, in_scales

cdef extern from "core/vecmath/normal.h" nogil:
    float vm_mills_ratiof(float)
    double vm_mills_ratio(double)
    float vm_normal_middlef(float)
    double vm_normal_middle(double)

cdef extern from "elementwise/student.h" nogil:
    """
    #define DENSITY_TWICE 0.7978845608028653558799     /* of the normal distribution at 0: sqrt(2/pi) */
    #define LEAST_NORMAL 0.2336949772551090689318      /* the score at r = 0, s = 1: (sqrt(2) - 1)/sqrt(pi) */
    #define LEAST_LOGISTIC 0.3862943611198906188345    /* 2 log 2 - 1 */
    #define FAR 0x1p500
    #define RAISED_BY 0x1p600
    #define LOG_RAISED_SQUARE 0x1.9fe3682cd3be4p+9     /* 1200 log 2 in two parts */
    #define LOG_RAISED_SQUARE_LOW 0x1.4aa84b6b3b125p-45
    """
    const double DENSITY_TWICE
    const double LEAST_NORMAL
    const double LEAST_LOGISTIC
    const double FAR
    const double RAISED_BY
    const double LOG_RAISED_SQUARE
    const double LOG_RAISED_SQUARE_LOW
    double student_few(double, double, double, double)
    double student_many(double, double, double)


# ---- what distributions have in common -------------------------------------------------------------------------------

cdef inline real ratio(real d, real d_low, real s, real *low) noexcept nogil:
    """|d| / s and its low part, 0 for d = 0 whatever s is; s may be -0."""
    cdef real r = in_scales(absolute(d), sign(d) * d_low, absolute(s), low)
    low[0] = 0 if d == 0 else low[0]
    return zero(s) if d == 0 else r


cdef inline void of_parts(real d, real s, real r, real low, real share, real turn, real root, real twice, real *v, real *g,
                          real *h) noexcept nogil:
    """From S, T and S' = `twice` root², which underflows where S'/s may not; a root of 0 is 0 whatever s and r are."""
    cdef real wide = weighed(root, r) + root * low, size = absolute(s)
    v[0] = absolute(d) * share + s * turn
    g[0] = share if d == 0 else signed(share, d)
    g[1] = turn
    h[0] = twice * weighed(root, root / size)
    h[1] = twice * weighed(wide, wide / size)


# ---- distributions ---------------------------------------------------------------------------------------------------

cdef struct CrpsNormal:
    char none

cdef inline real mills_ratio(real r) noexcept nogil:
    """(1 - Φ(r)) exp(r²/2), r >= 0"""
    if real is float:
        return vm_mills_ratiof(r)
    else:
        return vm_mills_ratio(r)

cdef inline real normal_middle(real r) noexcept nogil:
    """(Φ(r) - 1/2)/r for 0 <= r <= 1"""
    if real is float:
        return vm_normal_middlef(r)
    else:
        return vm_normal_middle(r)

cdef inline int crps_normal(real x, real t, real s, real *v, real *g, real *h) noexcept nogil:
    """S = 2 Φ(r) - 1, T = 2 φ(r) - 1/√π"""
    cdef real d = x - t, low, r = ratio(d, sum_error(x, -t, d), s, &low), w = r * r, y = <real> -0.5 * w
    cdef real w_low = product_error(r, r, w) + 2 * r * low
    cdef real root = exp_parts(<real> -0.25 * w, <real> -0.25 * w_low, <real> 1), e = root * root
    cdef real unit = clip(y, <real> 0.34), less = y + exp_bow(unit)
    cdef real upper = <real> 1 - (e + e) * mills_ratio(clip(r, <real> 40)), share = (r + r) * normal_middle(clip(r, <real> 1))
    less = less if y > <real> -0.34 else e - 1
    share = share if r < <real> 0.875 else upper
    of_parts(d, s, r, low, share, <real> LEAST_NORMAL + <real> DENSITY_TWICE * less, root, <real> DENSITY_TWICE, v, g, h)
    return BAD_THIRD * (s < 0)


cdef struct CrpsLogistic:
    char none

cdef inline int crps_logistic(real x, real t, real s, real *v, real *g, real *h) noexcept nogil:
    """S = tanh(r/2), T = 2 H - 1, where H is the entropy of the probability F(r)"""
    cdef real d = x - t, low, r = ratio(d, sum_error(x, -t, d), s, &low)
    cdef real half = exp_parts(<real> -0.5 * r, <real> -0.5 * low, <real> 1), e = half * half, up = reciprocal(1 + e)
    cdef real near = <real> LEAST_LOGISTIC - 2 * entropy_gap_unit(clip(r, <real> 2))
    cdef real far = 2 * log1p_unit(e) - 1, turn = far + 2 * (weighed(e, r) * up)
    cdef real share = tanh_unit(<real> 0.5 * clip(r, <real> 1))
    turn = near if r <= 2 else turn
    share = share if r <= 1 else (<real> 1 - e) * up
    of_parts(d, s, r, low, share, turn, half * up, <real> 2, v, g, h)
    far = absolute(d) + s * far
    v[0] = v[0] if r <= 2 else far
    return BAD_THIRD * (s < 0)


cdef struct CrpsLaplace:
    char none

cdef inline int crps_laplace(real x, real t, real s, real *v, real *g, real *h) noexcept nogil:
    """S = 1 - exp(-r), T = (1 + r) exp(-r) - 3/4"""
    cdef real d = x - t, low, r = ratio(d, sum_error(x, -t, d), s, &low), e, less, line, turn, near
    cdef real half = exp_parts(<real> -0.5 * r, <real> -0.5 * low, <real> 1)
    exponential(-r, -low, <real> 1, &e, &less, &line)
    near = <real> 0.25 + (line + r * less)
    turn = (e + weighed(e, r)) - <real> 0.75
    of_parts(d, s, r, low, -less, near if r <= 1 else turn, half, <real> 1, v, g, h)
    near = s * (<real> 0.25 + line)
    turn = absolute(d) + s * (e - <real> 0.75)
    v[0] = near if r <= 1 else turn
    return BAD_THIRD * (s < 0)


# Of Student's t distribution: ν, 1/B(1/2, ν/2), the score at r = 0 for s = 1, and with few degrees of freedom 1/B(1/2, β/2)
# for the β of student_few.
cdef struct CrpsStudentT:
    double df, beta, least, base

cdef struct CrpsStudentTLarge:
    double df, beta, least

cdef inline double log_student(double r, double r_low, double d, double s, double df, double *low) noexcept nogil:
    """log(1 + r²/ν) in two parts, also where r or its square overflows: then with the rounding error of √ν, which does not count"""
    cdef double w = r * r, w_low = product_error(r, r, w) + 2 * r * r_low
    cdef double y = w / df, one = 1 + y, rest = (w_low - product_error(y, df, w)) / df + sum_error(<double> 1, y, one)
    cdef bint far = r > FAR
    cdef double raised = d / RAISED_BY / s, l_low, l, total
    raised = raised if s > 0 else r             # which may be 0/0
    l = log_parts(raised / sqrt(df) if far else one, &l_low)
    y = (l + l) + LOG_RAISED_SQUARE
    l_low = (l_low + l_low) + (sum_error(l + l, LOG_RAISED_SQUARE, y) + LOG_RAISED_SQUARE_LOW) if far else l_low + rest / one
    l = y if far else l
    total = l + l_low
    total = l if l == INFINITY else total
    l_low = (l - total) + l_low
    low[0] = l_low if l < INFINITY else 0
    return total


cdef inline void student_parts(double df, double beta, double least, double r, double l, double l_low, double *turn, double *e,
                               double *half) noexcept nogil:
    """T = G (exp(-y) - 1) + the score at 0, y = (ν - 1)/2 log(1 + r²/ν); exp(-y) and its root"""
    cdef double power = 0.5 * (df - 1), y = power * l, less, line, low = product_error(power, l, y) + power * l_low
    low = low if y < 2000 else 0
    exponential(-y, -low, <double> 1, e, &less, &line)
    half[0] = exp_parts(-0.5 * y, -0.5 * low, <double> 1)
    turn[0] = least + sqrt(df) * beta / power * less


cdef inline int crps_student_t(double df, double beta, double least, double base, bint many, real x, real t, real s,
                               real *v, real *g, real *h) noexcept nogil:
    """S and T from logarithms; S' = 2/√ν β exp(-y)/(1 + r²/ν). S is that of r as it is rounded in q, and moved by S'."""
    cdef double d = <double> x - <double> t, a = absolute(d), b = absolute(s), r = a / b, low, l, l_low, share, turn, e, half, q, w, one, u, slope
    cdef double root = sqrt(df), root_low = -0.5 * product_error(root, root, df) / root, rest
    low = (sign(d) * sum_error(<double> x, -<double> t, d) - product_error(r, b, a)) / b
    low = low if absolute(low) <= r else 0
    low = 0 if a == 0 else low
    r = zero(b) if a == 0 else r
    l = log_student(r, low, a, b, df, &l_low)
    student_parts(df, beta, least, r, l, l_low, &turn, &e, &half)
    slope = 2 * beta / root
    q = r / root
    w = 1 / q if q > 1 else q
    w = w * w
    one = 1 + w
    u = (w if q > 1 else <double> 1) / one
    w = (<double> 1 if q > 1 else w) / one                # q²/(1 + q²)
    if many:
        share = student_many(l, df, beta)
    else:
        share = student_few(q, l, df, base)
        rest = (low - product_error(q, root, r)) - q * root_low
        share = share + slope * e * u * (rest if r < FAR else <double> 0)
    share = slope * r if r < <double> TINY_RATIO else share
    v[0] = <real> (a * share + b * turn)
    g[0] = <real> (share if d == 0 else signed(share, d))
    g[1] = <real> turn
    h[0] = <real> (slope * weighed(half, weighed(half, u / b)))
    w = half * w
    h[1] = <real> (slope * df * weighed(w, half / b))
    return BAD_THIRD * (s < 0)


# ---- intervals -------------------------------------------------------------------------------------------------------

cdef struct IntervalScore:
    double factor                 # 2/α - 1

cdef struct IntervalLevels:       # α is the fourth operand, one for each element
    char none

cdef inline real outside(real k, real d, real *slope) noexcept nogil:
    """k d for d > 0, |d| below, and 0 at 0, with its derivative"""
    cdef real by = -1 if d < 0 else d * 0
    by = k if d > 0 else by
    slope[0] = by
    return 0 if by == 0 else by * d

cdef inline int interval_score(real k, real x, real t, real u, real *v, real *g, real *h) noexcept nogil:
    """u - x + 2/α (how far t is outside), as a sum of two terms that are not below 0, also where the ends cross"""
    cdef real above, none = zero(x - t) + zero(t - u)
    v[0] = outside(k, x - t, &g[0])
    v[0] = v[0] + outside(k, t - u, &above)
    g[0] = g[0] + none
    g[1] = none - above
    h[0] = none
    h[1] = none
    return 0

cdef inline int not_a_rate(real alpha) noexcept nogil:
    return 1 - ((alpha > 0) & (alpha <= 1))       # nan is none either


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    CrpsNormal
    CrpsLogistic
    CrpsLaplace
    CrpsStudentT
    CrpsStudentTLarge
    IntervalScore
    IntervalLevels

ctypedef fused ByThird:
    CrpsNormal
    CrpsLogistic
    CrpsLaplace
    CrpsStudentT
    CrpsStudentTLarge
    IntervalScore
    IntervalLevels

ctypedef fused Heavy:
    CrpsNormal
    CrpsLogistic
    CrpsLaplace
    CrpsStudentT
    CrpsStudentTLarge


cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    if Formula is CrpsNormal: return crps_normal(x, t, u, v, g, h)
    elif Formula is CrpsLogistic: return crps_logistic(x, t, u, v, g, h)
    elif Formula is CrpsLaplace: return crps_laplace(x, t, u, v, g, h)
    elif Formula is CrpsStudentT: return crps_student_t(f.df, f.beta, f.least, f.base, False, x, t, u, v, g, h)
    elif Formula is CrpsStudentTLarge: return crps_student_t(f.df, f.beta, f.least, 0, True, x, t, u, v, g, h)
    elif Formula is IntervalScore: return interval_score(<real> f.factor, x, t, u, v, g, h)
    elif Formula is IntervalLevels: return interval_score((2 - s) / s, x, t, u, v, g, h) | BAD_FOURTH * not_a_rate(s)


cdef int register_formulas() except -1:
    register_formula[CrpsNormal](NULL, "crps_normal", CHECKED)
    register_formula[CrpsLogistic](NULL, "crps_logistic", CHECKED)
    register_formula[CrpsLaplace](NULL, "crps_laplace", CHECKED)
    register_formula[CrpsStudentT](NULL, "crps_student_t", CHECKED)
    register_formula[CrpsStudentTLarge](NULL, "crps_student_t_large", CHECKED)
    register_formula[IntervalScore](NULL, "interval_score", PLAIN)
    register_formula[IntervalLevels](NULL, "interval_score_levels", CHECKED)


include "blocks.pxi"
