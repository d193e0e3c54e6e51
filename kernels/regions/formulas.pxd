# The overlap of a predicted with a true region. p is the predicted probability of a pixel, q = 1 - p, t the target. Of each
# image and class a loss takes
#     I = Σ p t,   FP = Σ p (1 - t),   FN = Σ q t
# What it makes of these sums is one formula, `fraction`; how a pixel enters them is said by `Terms`.

from libc.math cimport pow
from kernels.core.numeric cimport real

# How a pixel enters the sums.
cdef struct Linear:
    char none
cdef struct Squared:      # (p - t)² in the place of p (1 - t) and q t
    char none
ctypedef fused Terms:
    Linear
    Squared

cdef struct Fraction:         # the parameters
    double kappa, alpha, beta
    double smooth_nr, smooth_dr
    double gamma

cdef struct Slopes:           # derivatives by p of one image and class
    double at_one, at_zero    # the first at targets 1 and 0 (of Squared, parts of them)
    double d_one, d_zero      # the denominator's, divided by the denominator
    double power              # (γ - 1) / (γ v)


cdef inline double fraction(const Fraction *f, bint squared, const double *sums, double factor, Slopes *d) noexcept nogil:
    """v = r^γ with r = (E + dr - nr) / (κ I + E + dr) and E = α FP + β FN: 1 - r is the share of the region that is right.
    The derivatives are multiplied by `factor`. If both regions are empty (0/0), value and derivatives are 0."""
    cdef double errors = f.alpha * sums[1] + f.beta * sums[2]
    cdef double whole = f.kappa * sums[0] + errors + f.smooth_dr
    cdef double wrong, right, v, slope = factor
    if whole == 0:
        d[0] = Slopes(0, 0, 0, 0, 0)
        return 0
    wrong = (errors + (f.smooth_dr - f.smooth_nr)) / whole
    right = (f.kappa * sums[0] + f.smooth_nr) / whole
    v = wrong
    d.power = 0
    if f.gamma != 1:
        # With γ < 1 the slope goes to infinity as r goes to 0; but p q, which it meets, goes there faster.
        v = pow(wrong, f.gamma)
        slope = factor * f.gamma * (v / wrong) if wrong != 0 else 0
        d.power = (f.gamma - 1) / (f.gamma * v * factor) if v != 0 and factor != 0 else 0
    if squared:
        d.at_one = -f.kappa * wrong / whole * slope
        d.at_zero = right / whole * slope
        d.d_one = f.kappa / whole
        d.d_zero = 1 / whole
    else:
        d.at_one = -(f.kappa * wrong + f.beta * right) / whole * slope
        d.at_zero = f.alpha * right / whole * slope
        d.d_one = (f.kappa - f.beta) / whole
        d.d_zero = f.alpha / whole
    return v


cdef inline void terms(Terms f, double p, double q, double t, double *hit, double *over, double *missed) noexcept nogil:
    """What a pixel adds to I, FP and FN."""
    cdef double u = 1 - t
    hit[0] = p * t
    if Terms is Squared:
        over[0] = (p * u - q * t) * (p * u - q * t)
        missed[0] = 0
    else:
        over[0] = p * u
        missed[0] = q * t

cdef inline real slope(Terms f, real p, real q, real t, real at_one, real at_zero) noexcept nogil:
    """The first derivative by p of a pixel; of the denominator, divided by the denominator, from d_one and d_zero."""
    cdef real u = <real> 1 - t
    if Terms is Squared:
        return at_one * t + <real> 2 * at_zero * (p * u - q * t)
    else:
        return at_one * t + at_zero * u

cdef inline real pixel_curvature(Terms f, real g, real c, real at_zero, real power, real w) noexcept nogil:
    """The second derivative by p of a pixel of the weight w, divided by w, from the first ones without it: its own and the
    denominator's."""
    cdef real h = w * (g * (power * g - <real> 2 * c))
    if Terms is Squared:
        return h + <real> 2 * at_zero
    else:
        return h
