# What formulas are made of.
#
# A formula is a struct of its parameters (at most four doubles, in the order in which Python passes them; one char where
# there are none) and an inline function, written once and nowhere else. Of one element, x the input, t the target, u a
# third and s a fourth operand, it gives value v, first derivative g[0] and second derivative h[0] with respect to x, and
# returns which operands are outside its domain: BAD_INPUT, BAD_TARGET, BAD_THIRD, BAD_FOURTH or 0. The formulas of `ByThird`
# also give g[1] and h[1], with respect to u, and those of `ByFourth` g[2] and h[2], with respect to s. Those of `Heavy`, which
# take long to compile, have no loop that adds up without storing. A family that has none of a kind cimports `NONE as` that.
# What a caller does not store the compiler drops, so there is one function, not three.
# Write clips, not branches, so that loops vectorise and NaN stays NaN: `c = k if r > k else r`. A bare 2 is a double to C;
# within a longer expression, `<real> 2` keeps float32 formulas from being computed in double, at half the speed.
#
# To add one: the struct, the function, and at the end of its family its name in `Formula`, its line in `point` and its
# line in `register_formulas`.

from kernels.core.numeric cimport real

cdef enum:                # what a formula returns
    BAD_INPUT = 1
    BAD_TARGET = 2
    BAD_THIRD = 4
    BAD_FOURTH = 8
    DERIVATIVES = 3       # with respect to x, u and s

cdef enum Trait:          # of a formula: without a domain; with one; with targets -1 and +1, which booleans stand for
    PLAIN, CHECKED, SIGNS

cdef enum:                # what the first parameter of a formula with Fisher information says
    EXACT = 0             # derivatives
    EXPECTED = 1          # the diagonal of the Fisher information for the second derivatives
    NATURAL = 2           # its inverse times the gradient for the gradient

cdef struct NoFormula:
    char none
ctypedef fused NONE:
    NoFormula

cdef extern from *:
    """
    #define LN2 0.693147180559945309417
    #define LEAST_INVERTIBLE 0x1p-1022
    #define TWO_54 0x1p54
    #define LOG_2PI 1.837877066409345483561
    #define HUGE_RATIO 0x1p30     /* 1 is nothing beside its square, which does not overflow */
    #define TINY_RATIO 0x1p-60    /* it is nothing beside 1, and its square does not underflow */
    """
    const double LEAST_INVERTIBLE
    const double LN2
    const double TWO_54
    const double LOG_2PI
    const double HUGE_RATIO
    const double TINY_RATIO


cdef inline real clip(real x, real k) noexcept nogil:
    """x, not above k and not below -k"""
    x = k if x > k else x
    return -k if x < -k else x

cdef inline real sign(real x) noexcept nogil:
    """-1, 0 or 1"""
    x = -1 if x < 0 else x
    return 1 if x > 0 else x

cdef inline real signed(real k, real x) noexcept nogil:
    """k with the sign of x, for k >= 0"""
    return k if x > 0 else -k

cdef inline real times(real t, real y) noexcept nogil:
    """t y, where 0 times infinity is 0."""
    return 0 if t == 0 else t * y

cdef inline real zero(real x) noexcept nogil:
    """0, or nan where x is nan"""
    return x if x != x else <real> 0

cdef inline int not_a_probability(real p) noexcept nogil:
    return (p < 0) | (p > 1)
