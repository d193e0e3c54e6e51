# What is left of the logarithm of the gamma function after Stirling's formula, and of log(1 + z) after z. Likelihoods of
# counts are sums of these, of one sign each, where the gamma functions themselves would cancel.

from kernels.core.numeric cimport real

cdef extern from "core/vecmath/stirling.h" nogil:
    float vm_stirling_errorf(float)
    double vm_stirling_error(double)
    float vm_stirling_slopef(float)
    double vm_stirling_slope(double)
    float vm_stirling_bendf(float)
    double vm_stirling_bend(double)
    float vm_artanh_tailf(float)
    double vm_artanh_tail(double)


cdef inline real stirling_error(real x) noexcept nogil:
    """ε(x) = log Γ(x + 1) - (x + 1/2) log x + x - log(2π)/2, x >= 0"""
    if real is float:
        return vm_stirling_errorf(x)
    else:
        return vm_stirling_error(x)

cdef inline real stirling_slope(real x) noexcept nogil:
    """-x ε'(x) = x (log x - ψ(x)) - 1/2, x >= 0"""
    if real is float:
        return vm_stirling_slopef(x)
    else:
        return vm_stirling_slope(x)

cdef inline real stirling_bend(real x) noexcept nogil:
    """-(x² ε'(x))', x >= 0"""
    if real is float:
        return vm_stirling_bendf(x)
    else:
        return vm_stirling_bend(x)


# Parts of log(1 + z), z >= -1, given l = log(1 + z), which is only used where z is far from 0. For z near 0 they
# come from s = z / (2 + z) and o = 1 - s, as log(1 + z) = 2 artanh s.

cdef inline bint is_near(real z) noexcept nogil:
    return (z >= <real> -0.5) & (z <= 1)

cdef inline real artanh_tail(real z) noexcept nogil:
    cdef real s = z / (<real> 2 + z)
    if real is float:
        return vm_artanh_tailf(s * s)
    else:
        return vm_artanh_tail(s * s)

cdef inline real log1p_quotient(real z, real l) noexcept nogil:
    """log(1 + z) / z"""
    cdef real o = <real> 2 / (<real> 2 + z), s = <real> 0.5 * z * o
    cdef real near = o + o * (s * s) * artanh_tail(z), away = l / z
    return near if is_near(z) else away

cdef inline real log1p_gap(real z, real l) noexcept nogil:
    """1 - log(1 + z) / z, of the sign of z"""
    cdef real o = <real> 2 / (<real> 2 + z), s = <real> 0.5 * z * o
    cdef real near = s * (<real> 1 - s * o * artanh_tail(z)), away = <real> 1 - l / z
    return near if is_near(z) else away

cdef inline real log1p_gap_quotient(real z, real l) noexcept nogil:
    """(z - log(1 + z)) / z²"""
    cdef real o = <real> 2 / (<real> 2 + z), s = <real> 0.5 * z * o
    cdef real near = <real> 0.5 * o * (<real> 1 - s * o * artanh_tail(z)), away = (<real> 1 - l / z) / z
    return near if is_near(z) else away

cdef inline real log1p_bend(real z) noexcept nogil:
    """2 (log(1 + z) - z + z²/2) / z³ for z near 0 alone"""
    cdef real o = <real> 2 / (<real> 2 + z)
    return <real> 0.5 * o * (<real> 1 + o * o * artanh_tail(z))
