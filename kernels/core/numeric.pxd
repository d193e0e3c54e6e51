# Numbers: the computation's dtype, and functions of one number. All are inlined into the loops that call them.

cdef extern from "<math.h>" nogil:
    float fabsf(float)
    double fabs(double)
    float copysignf(float, float)
    double copysign(double, double)
    float sqrtf(float)
    double c_sqrt "sqrt"(double)

cdef extern from "core/vecmath/exp_log.h" nogil:
    float vm_expf(float)
    double vm_exp(double)
    float vm_logf(float)
    double vm_log(double)
    float vm_log1pf(float)
    double vm_log1p(double)
    float vm_exp_gapf(float, float)
    double vm_exp_gap(double, double)
    float vm_exp_partsf(float, float, float)
    double vm_exp_parts(double, double, double)
    float vm_product_errorf(float, float, float)
    double vm_product_error(double, double, double)
    double vm_sum_error(double, double, double)
    double vm_expm1_near(double)
    float vm_exp_bowf(float)
    double vm_exp_bow(double)
    float vm_log_partsf(float, float *)
    double vm_log_parts(double, double *)
    float VM_FMAF(float, float, float)
    double VM_FMA(double, double, double)
    float vm_powf(float, float, float)
    double vm_pow(double, double, double)

cdef extern from "core/vecmath/special.h" nogil:
    float vm_log1p_unitf(float)
    double vm_log1p_unit(double)
    float vm_log1p_gap_unitf(float)
    double vm_log1p_gap_unit(double)
    float vm_tanh_unitf(float)
    double vm_tanh_unit(double)
    float vm_log_cosh_unitf(float)
    double vm_log_cosh_unit(double)
    float vm_entropy_gap_unitf(float)
    double vm_entropy_gap_unit(double)
    float vm_reciprocalf(float)
    double vm_atan2(double, double)

cdef extern from "core/vecmath/normal.h" nogil:
    float vm_log1mexpf(float)
    double vm_log1mexp(double)
    float vm_log_ndtrf(float)
    double vm_log_ndtr(double)
    float vm_log_ndtr_slopef(float)
    double vm_log_ndtr_slope(double)

cdef extern from "core/vecmath/gamma.h" nogil:
    float vm_log_factorialf(float)
    double vm_log_factorial(double)
    float vm_log_gammaf(float)
    double vm_log_gamma(double)
    float vm_digammaf(float)
    double vm_digamma(double)
    float vm_trigammaf(float)
    double vm_trigamma(double)

ctypedef fused real:         # the computation's dtype
    float
    double


cdef inline real exp(real x) noexcept nogil:
    if real is float:
        return vm_expf(x)
    else:
        return vm_exp(x)

cdef inline real log(real x) noexcept nogil:
    if real is float:
        return vm_logf(x)
    else:
        return vm_log(x)

cdef inline real log1p(real x) noexcept nogil:
    if real is float:
        return vm_log1pf(x)
    else:
        return vm_log1p(x)

cdef inline real log1p_unit(real z) noexcept nogil:
    """log1p(z) for 0 <= z <= 1, cheaper"""
    if real is float:
        return vm_log1p_unitf(z)
    else:
        return vm_log1p_unit(z)

cdef inline real log1p_gap_unit(real z) noexcept nogil:
    """z - log1p(z) for 0 <= z <= 1"""
    if real is float:
        return vm_log1p_gap_unitf(z)
    else:
        return vm_log1p_gap_unit(z)

cdef inline real tanh_unit(real x) noexcept nogil:
    """tanh(x) for |x| <= 1"""
    if real is float:
        return vm_tanh_unitf(x)
    else:
        return vm_tanh_unit(x)

cdef inline real log_cosh_unit(real x) noexcept nogil:
    """log(cosh(x)) for |x| <= 1"""
    if real is float:
        return vm_log_cosh_unitf(x)
    else:
        return vm_log_cosh_unit(x)

cdef inline real entropy_gap_unit(real x) noexcept nogil:
    """log 2 less the entropy of sigmoid(x), for |x| <= 2"""
    if real is float:
        return vm_entropy_gap_unitf(x)
    else:
        return vm_entropy_gap_unit(x)

cdef inline real log_factorial(real t) noexcept nogil:
    """log(t!) = log Γ(t + 1), t >= 0"""
    if real is float:
        return vm_log_factorialf(t)
    else:
        return vm_log_factorial(t)

cdef inline real log_gamma(real x) noexcept nogil:
    """log Γ(x), x >= 0"""
    if real is float:
        return vm_log_gammaf(x)
    else:
        return vm_log_gamma(x)

cdef inline real digamma(real x) noexcept nogil:
    """ψ(x) = (log Γ)'(x), x >= 0"""
    if real is float:
        return vm_digammaf(x)
    else:
        return vm_digamma(x)

cdef inline real trigamma(real x) noexcept nogil:
    """ψ'(x), x >= 0"""
    if real is float:
        return vm_trigammaf(x)
    else:
        return vm_trigamma(x)

cdef inline real log1mexp(real x) noexcept nogil:
    """log(1 - exp(x)) for x <= 0"""
    if real is float:
        return vm_log1mexpf(x)
    else:
        return vm_log1mexp(x)

cdef inline real log_ndtr(real x) noexcept nogil:
    """log Φ(x), of the normal distribution function"""
    if real is float:
        return vm_log_ndtrf(x)
    else:
        return vm_log_ndtr(x)

cdef inline real log_ndtr_slope(real x) noexcept nogil:
    """φ(x) / Φ(x), the derivative of log_ndtr; together they cost little more than one"""
    if real is float:
        return vm_log_ndtr_slopef(x)
    else:
        return vm_log_ndtr_slope(x)

cdef inline real exp_gap(real a, real m) noexcept nogil:
    """exp(a - m) for a <= m, the rounding error of a - m carried"""
    if real is float:
        return vm_exp_gapf(a, m)
    else:
        return vm_exp_gap(a, m)

cdef inline real exp_parts(real high, real low, real factor) noexcept nogil:
    """factor exp(high + low), where low is tiny"""
    if real is float:
        return vm_exp_partsf(high, low, factor)
    else:
        return vm_exp_parts(high, low, factor)

cdef inline real exp_bow(real x) noexcept nogil:
    """exp(x) - 1 - x for |x| <= 0.34"""
    if real is float:
        return vm_exp_bowf(x)
    else:
        return vm_exp_bow(x)

cdef inline real log_parts(real x, real *low) noexcept nogil:
    """log(x) for x > 0, and what its rounding left out"""
    if real is float:
        return vm_log_partsf(x, low)
    else:
        return vm_log_parts(x, low)

cdef inline real sum_error(real a, real b, real s) noexcept nogil:
    """a + b - s for s = a + b, rounded"""
    cdef real t = s - a
    return (a - (s - t)) + (b - t)

cdef inline real product_error(real a, real b, real p) noexcept nogil:
    """a b - p for p = a b, rounded"""
    if real is float:
        return vm_product_errorf(a, b, p)
    else:
        return vm_product_error(a, b, p)

cdef inline real pow(real x, double a, double a_low) noexcept nogil:
    """x^(a + a_low) for x >= 0, where a_low is tiny"""
    cdef real high = <real> a, low = <real> ((a - high) + a_low)
    if real is float:
        return vm_powf(x, high, low)
    else:
        return vm_pow(x, high, low)

cdef inline real muladd(real a, real b, real c) noexcept nogil:
    """a b + c, rounded once where the CPU can"""
    if real is float:
        return VM_FMAF(a, b, c)
    else:
        return VM_FMA(a, b, c)

cdef inline real reciprocal(real y) noexcept nogil:
    """1 / y for 1 <= y <= 2, cheaper where that can be"""
    if real is float:
        return vm_reciprocalf(y)
    else:
        return 1 / y

cdef inline real absolute(real x) noexcept nogil:
    if real is float:
        return fabsf(x)
    else:
        return fabs(x)

cdef inline real sign_of(real x) noexcept nogil:
    """-1 or 1: that of zeros and NaN too."""
    if real is float:
        return copysignf(1, x)
    else:
        return copysign(1, x)

cdef inline real sqrt(real x) noexcept nogil:
    if real is float:
        return sqrtf(x)
    else:
        return c_sqrt(x)


cdef inline real weighed(real w, real x) noexcept nogil:
    """w x; what has no weight counts for nothing, whatever it is."""
    return 0 if w == 0 else w * x

cdef inline real over_zero(real x) noexcept nogil:
    """max(0, x); NaN stays."""
    return 0 if x <= 0 else x
