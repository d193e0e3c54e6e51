# Formulas of residuals d = x - t that regression.pyx and rho.pyx share.

from libc.math cimport INFINITY
from kernels.core.numeric cimport (
    absolute, exp, log, log1p, log1p_gap_unit, log1p_unit, log_cosh_unit, real, reciprocal, sqrt, tanh_unit)
from kernels.elementwise.formulas cimport HUGE_RATIO, LEAST_INVERTIBLE, LN2, TINY_RATIO, clip, sign, signed, zero


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
