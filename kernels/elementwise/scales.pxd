# Residuals in scales, which an exponential multiplies the rounding errors of, and such exponentials.

from libc.math cimport INFINITY
from kernels.core.numeric cimport absolute, exp_bow, exp_parts, muladd, product_error, real
from kernels.elementwise.formulas cimport TINY_RATIO, clip


cdef inline real tiny_part(real r, real low) noexcept nogil:
    """The low part of r, or 0 where it is not to be had, and does not count."""
    return low if (absolute(r) < 2000) & (low == low) else <real> 0


cdef inline real in_scales(real d, real d_low, real s, real *low) noexcept nogil:
    """d / s, and what its rounding left out: an exponential would multiply that."""
    cdef real r = d / s
    low[0] = tiny_part(r, (d_low - product_error(r, s, d)) / s)
    return r


cdef inline void exponential(real r, real low, real k, real *e, real *less_one, real *less_line) noexcept nogil:
    """k exp(r), k (exp(r) - 1), and k (exp(r) - 1 - r): the latter two, where they would cancel, from a quarter of r."""
    cdef real q = <real> 0.25 * clip(r, <real> 1.375), b = exp_bow(q), p = q + b, line = muladd(p, p, b + b), rest
    cdef real one = q + muladd(<real> 0.25, low, b)
    p = muladd(p, p, p + p)
    line = muladd(p, p, line + line)
    p = muladd(p, p, p + p)
    one = muladd(one, one, one + one)
    one = muladd(one, one, one + one)
    e[0] = exp_parts(r, low, k)
    rest = e[0] - k
    one = r if absolute(r) < <real> TINY_RATIO else one      # of which a quarter may underflow
    less_one[0] = k * one if absolute(r) <= <real> 0.6875 else rest
    rest = rest - k * r
    rest = e[0] if e[0] == INFINITY else rest
    less_line[0] = k * muladd(low, p, line) if absolute(r) <= <real> 1.375 else rest
