# The formulas of losses of two classes that leave what is easy out of account.

from kernels.core.numeric cimport absolute, exp, log, log1p, log1p_unit, muladd, pow, real, reciprocal
from kernels.elementwise.formulas cimport BAD_TARGET, CHECKED, NONE as ByThird, NONE as ByFourth, NONE as Heavy, not_a_probability, times


cdef struct SigmoidFocal:
    double gamma, positive, negative

cdef struct SigmoidFocal2:               # γ = 2, which costs half as much
    double positive, negative

cdef inline int sigmoid_focal(double focusing, real scale, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """scale · c, with the cross entropy c and scale = (α t + (1 - α)(1 - t)) m^γ, m = σ(-x) t + σ(x)(1 - t)"""
    cdef real gamma = <real> focusing, nt = 1 - t, size = absolute(x), z = exp(-size), share = reciprocal(1 + z)
    cdef real near = share, far = z * share           # sigmoid of ±|x|
    cdef real p = near if x > 0 else far, q = far if x > 0 else near
    cdef real slope = nt if x > 0 else t, line = 0 if slope == 0 else slope * size
    cdef real c = line + log1p_unit(z), dc = muladd(nt, p, -t * q)
    cdef real r = far * (<real> 1 - (t + t)) / (muladd(z, t, nt) if x > 0 else muladd(z, nt, t))   # m' / m
    cdef real cr
    r = q if t == 0 else r
    r = -p if nt == 0 else r
    cr = 0 if r == 0 else c * r
    v[0] = scale * c
    g[0] = scale * muladd(gamma, cr, dc)
    h[0] = scale * (p * q + gamma * (<real> 2 * dc * r + cr * ((gamma - <real> 1) * r + (q - p))))
    return BAD_TARGET * not_a_probability(t)


cdef struct Asymmetric:
    double gamma_neg, gamma_pos, margin

cdef struct AsymmetricWithoutMargin:
    double gamma_neg, gamma_pos

cdef inline void powered_nll(double gamma, real power, real c, real p, real q, real *v, real *g, real *h) noexcept nogil:
    """q^γ c with c = -log p, and its derivatives with respect to the logit of p; `power` is q^γ."""
    cdef real y = <real> gamma, pc = 0 if p == 0 else p * c
    v[0] = power * c
    g[0] = -power * (y * pc + q)
    h[0] = power * (y * (y * p * pc + q * (<real> 2 * p - pc)) + p * q)

cdef inline int asymmetric(double focus_neg, double focus_pos, double margin, bint with_margin, real x, real t,
                           real *v, real *g, real *h) noexcept nogil:
    """t q^γ₊ softplus(-x) + (1 - t) u^γ₋ n with p = σ(x), q = 1 - p, u = max(p - m, 0), n = -log(1 - u). With r = p q / u and
    s = p q / (1 - u), n' = s and the derivatives of u^γ n are u^γ (γ r n + s) and
    u^γ (γ (γ - 1) r² n + 2 γ r s + s² + (q - p)(γ r n + s))."""
    cdef real y = <real> focus_neg, m = <real> margin, nt = 1 - t
    cdef real size = absolute(x), z = exp(-size), share = reciprocal(1 + z), near = share, far = z * share
    cdef real p = near if x > 0 else far, q = far if x > 0 else near, log1p_z = log1p_unit(z)
    cdef real v1, g1, h1, v0, g0, h0, u, n, r, s, rn, rest, power
    cdef double wide
    powered_nll(focus_pos, focus(x, <real> 1, focus_pos, 1, 0), (0 if x > 0 else size) + log1p_z, p, q, &v1, &g1, &h1)
    if with_margin:
        # In doubles, as its power multiplies its error.
        wide = exp(-<double> size)
        wide = ((<double> 1 if x > 0 else wide) - margin * (1 + wide)) / (1 + wide)
        u = 0 if wide < 0 else <real> wide
        rest = q + m
        n = -(log(rest) if u > <real> 0.5 else log1p(-u))
        r = near * far / u if u > 0 else u
        s = near * far / rest if u > 0 else u
        power = pow(u, focus_neg, 0)
        rn = y * r * n
        v0 = power * n
        g0 = power * (rn + s)
        h0 = power * ((y - 1) * r * rn + s * (<real> 2 * y * r + s) + (q - p) * (rn + s))
    else:
        powered_nll(focus_neg, focus(x, <real> 0, focus_neg, 0, 1), (size if x > 0 else 0) + log1p_z, q, p, &v0, &g0, &h0)
        g0 = -g0
    v[0] = times(t, v1) + times(nt, v0)
    g[0] = times(t, g1) + times(nt, g0)
    h[0] = times(t, h1) + times(nt, h0)
    return BAD_TARGET * not_a_probability(t)


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    SigmoidFocal
    SigmoidFocal2
    Asymmetric
    AsymmetricWithoutMargin

cdef inline int point(Formula f, real x, real t, real u, real s, real *v, real *g, real *h) noexcept nogil:
    if Formula is SigmoidFocal:
        return sigmoid_focal(f.gamma, focus(x, t, f.gamma, f.positive, f.negative), x, t, v, g, h)
    elif Formula is SigmoidFocal2: return sigmoid_focal(2, focus2(x, t, f.positive, f.negative), x, t, v, g, h)
    elif Formula is Asymmetric: return asymmetric(f.gamma_neg, f.gamma_pos, f.margin, True, x, t, v, g, h)
    elif Formula is AsymmetricWithoutMargin: return asymmetric(f.gamma_neg, f.gamma_pos, 0, False, x, t, v, g, h)


cdef int register_formulas() except -1:
    register_formula[SigmoidFocal](NULL, "sigmoid_focal", CHECKED)
    register_formula[SigmoidFocal2](NULL, "sigmoid_focal_2", CHECKED)
    register_formula[Asymmetric](NULL, "asymmetric", CHECKED)
    register_formula[AsymmetricWithoutMargin](NULL, "asymmetric_without_margin", CHECKED)


include "blocks.pxi"
