# The formulas of losses between numbers; d = x - t.

from kernels.core.numeric cimport absolute, log1p, real
from kernels.elementwise.formulas cimport (
    BAD_INPUT, BAD_TARGET, BAD_THIRD, CHECKED, LN2, NONE as ByThird, NONE as ByFourth, NONE as Heavy, PLAIN, TWO_54, sign, signed, zero)
from kernels.elementwise.residuals cimport (
    Cauchy, EpsilonInsensitive, Fair, Huber, LogCosh, PseudoHuber, SmoothL1, SquaredEpsilonInsensitive, cauchy,
    epsilon_insensitive, fair, huber, log_cosh, pseudo_huber, smooth_l1, squared_epsilon_insensitive)


cdef struct SquaredError:
    char none

cdef inline int squared_error(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """(x - t)²"""
    cdef real d = x - t
    v[0] = d * d
    g[0] = d + d
    h[0] = 2


cdef struct AbsoluteError:
    char none

cdef inline int absolute_error(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """|x - t|, with derivative 0 at 0."""
    cdef real d = x - t
    v[0] = absolute(d)
    g[0] = sign(d)
    h[0] = zero(d)


cdef struct Quantile:
    double down, up

cdef struct QuantileLevels:       # q is the third operand, one level for each element
    char none

cdef inline int quantile(real q, real up, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """max(-q d, up d) with up = 1 - q, and derivative 0 at 0."""
    cdef real d = x - t
    cdef real slope = -q if d < 0 else d * 0
    slope = up if d > 0 else slope
    v[0] = 0 if slope == 0 else slope * d
    g[0] = slope
    h[0] = zero(d)
    return BAD_THIRD * not_a_level(q)


cdef struct Expectile:
    double down, up

cdef struct ExpectileLevels:
    char none

cdef inline int expectile(real q, real up, bint any, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """q d² below the target, up d² above it with up = 1 - q; at it the mean of both second derivatives. With `any` one of
    the factors may be 0, which makes 0 of an infinite d, too."""
    cdef real d = x - t, k = up if d > 0 else q
    cdef bint none = any & (k == 0) & (d == d)
    v[0] = 0 if none else k * d * d
    g[0] = 0 if none else <real> 2 * k * d
    h[0] = 1 if d == 0 else <real> 2 * k
    return BAD_THIRD * not_a_level(q)


cdef inline int not_a_level(real q) noexcept nogil:
    return 1 - ((q >= 0) & (q <= 1))       # nan is none either


cdef struct SquaredLogError:
    char none

cdef inline int squared_log_error(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """(log1p x - log1p t)², the difference as a log1p of its own, of a positive number: no cancellation."""
    # Of a quotient that may overflow a 2^54th is taken.
    cdef real d = x - t, a = absolute(d), low = t if t < x else x, b = <real> 1 + low, i = <real> 1 / (<real> 1 + x)
    cdef real y = a / b, part = a * <real> (1 / TWO_54) / b, l
    cdef bint far = y > <real> 1e30
    cdef real size = log1p(part if far else y) + (<real> (54 * LN2) if far else <real> 0)
    l = signed(size, d)
    v[0] = size * size
    cdef bint end = (i == 0) & (l == l)
    g[0] = 0 if end else <real> 2 * l * i
    h[0] = 0 if end else <real> 2 * (<real> 1 - l) * i * i
    return BAD_INPUT * (x < -1) | BAD_TARGET * (t < -1)


cdef struct PercentageError:
    double eps

cdef inline int percentage_error(PercentageError f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """|d| / max(|t|, ε)"""
    cdef real d = x - t, a = absolute(t), size = a if a > <real> f.eps else <real> f.eps
    v[0] = absolute(d) / size
    g[0] = sign(d) / size
    h[0] = zero(d)


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    SquaredError
    AbsoluteError
    Huber
    SmoothL1
    LogCosh
    PseudoHuber
    Quantile
    QuantileLevels
    Expectile
    ExpectileLevels
    SquaredLogError
    PercentageError
    Cauchy
    Fair
    EpsilonInsensitive
    SquaredEpsilonInsensitive

cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    if Formula is SquaredError: return squared_error(x, t, v, g, h)
    elif Formula is AbsoluteError: return absolute_error(x, t, v, g, h)
    elif Formula is Huber: return huber(f, x, t, v, g, h)
    elif Formula is SmoothL1: return smooth_l1(f, x, t, v, g, h)
    elif Formula is LogCosh: return log_cosh(x, t, v, g, h)
    elif Formula is PseudoHuber: return pseudo_huber(f, x, t, v, g, h)
    elif Formula is Quantile: return quantile(<real> f.down, <real> f.up, x, t, v, g, h)
    elif Formula is QuantileLevels: return quantile(u, 1 - u, x, t, v, g, h)
    elif Formula is Expectile: return expectile(<real> f.down, <real> f.up, False, x, t, v, g, h)
    elif Formula is ExpectileLevels: return expectile(u, 1 - u, True, x, t, v, g, h)
    elif Formula is SquaredLogError: return squared_log_error(x, t, v, g, h)
    elif Formula is PercentageError: return percentage_error(f, x, t, v, g, h)
    elif Formula is Cauchy: return cauchy(f, x, t, v, g, h)
    elif Formula is Fair: return fair(f, x, t, v, g, h)
    elif Formula is EpsilonInsensitive: return epsilon_insensitive(f, x, t, v, g, h)
    elif Formula is SquaredEpsilonInsensitive: return squared_epsilon_insensitive(f, x, t, v, g, h)


cdef int register_formulas() except -1:
    register_formula[SquaredError](NULL, "squared_error", PLAIN)
    register_formula[AbsoluteError](NULL, "absolute_error", PLAIN)
    register_formula[Huber](NULL, "huber", PLAIN)
    register_formula[SmoothL1](NULL, "smooth_l1", PLAIN)
    register_formula[LogCosh](NULL, "log_cosh", PLAIN)
    register_formula[PseudoHuber](NULL, "pseudo_huber", PLAIN)
    register_formula[Quantile](NULL, "quantile", PLAIN)
    register_formula[QuantileLevels](NULL, "quantile_levels", CHECKED)
    register_formula[Expectile](NULL, "expectile", PLAIN)
    register_formula[ExpectileLevels](NULL, "expectile_levels", CHECKED)
    register_formula[SquaredLogError](NULL, "squared_log_error", CHECKED)
    register_formula[PercentageError](NULL, "percentage_error", PLAIN)
    register_formula[Cauchy](NULL, "cauchy", PLAIN)
    register_formula[Fair](NULL, "fair", PLAIN)
    register_formula[EpsilonInsensitive](NULL, "epsilon_insensitive", PLAIN)
    register_formula[SquaredEpsilonInsensitive](NULL, "squared_epsilon_insensitive", PLAIN)


include "blocks.pxi"
