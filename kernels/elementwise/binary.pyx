# The formulas of losses between a score and one of two classes, and of the activations.

from kernels.core.numeric cimport absolute, exp, log, log1p, log1p_unit, muladd, pow, real, reciprocal
from kernels.elementwise.focal cimport focus, focus2
from kernels.elementwise.formulas cimport BAD_INPUT, BAD_TARGET, CHECKED, PLAIN, SIGNS, times, Trait, zero
from kernels.elementwise.logistic cimport bce_with_logits


cdef inline int not_a_sign(real t) noexcept nogil:
    return BAD_TARGET * ((absolute(t) != 1) & (t == t))

cdef inline int not_a_probability(real p) noexcept nogil:
    return (p < 0) | (p > 1)


cdef struct BceWithLogits:
    char none

cdef struct WeightedBceWithLogits:
    char none


cdef struct Sigmoid:
    char none

cdef inline int sigmoid(real x, real *v, real *g, real *h) noexcept nogil:
    """1 / (1 + exp(-x))"""
    cdef real z = exp(-absolute(x)), share = reciprocal(1 + z), s = share * share * z
    v[0] = share if x > 0 else z * share
    g[0] = s
    h[0] = s * (z - <real> 1) * share if x > 0 else s * (<real> 1 - z) * share


cdef struct LogSigmoid:
    char none

cdef inline int log_sigmoid(real x, real *v, real *g, real *h) noexcept nogil:
    """-softplus(-x)"""
    cdef real z = exp(-absolute(x)), share = reciprocal(1 + z)
    v[0] = (x if x < 0 else 0) - log1p_unit(z)
    g[0] = z * share if x > 0 else share
    h[0] = -z * share * share


cdef struct BinaryCrossEntropy:
    double log_clamp

cdef inline int binary_cross_entropy(BinaryCrossEntropy f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """-(t log x + (1 - t) log(1 - x)) with torch's clamps: of the logarithms from below, and of x(1 - x) in the derivatives."""
    cdef real floor = <real> f.log_clamp, nx = 1 - x, nt = 1 - t, width = x * nx, a = log(x), b = log1p(-x), up, down
    a = floor if a < floor else a
    b = floor if b < floor else b
    width = <real> 1e-12 if width < <real> 1e-12 else width
    v[0] = -(t * a + nt * b)
    g[0] = (x - t) / width
    up = nx / width
    down = x / width
    h[0] = t * up * up + nt * down * down
    return BAD_INPUT * not_a_probability(x) | BAD_TARGET * not_a_probability(t)


cdef struct ExactBinaryCrossEntropy:
    char none

cdef inline int exact_binary_cross_entropy(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """The same without clamps; 0 times infinity is 0, and at 0 and 1 there are the one-sided limits."""
    cdef real nx = 1 - x, nt = 1 - t, d = x - t, width = x * nx
    cdef real a = 0 if t == 0 else t * log(x), b = 0 if nt == 0 else nt * log1p(-x)
    cdef real up = 0 if t == 0 else t / x / x, down = 0 if nt == 0 else nt / nx / nx
    v[0] = -(a + b)
    g[0] = nx - x if d == 0 and width == 0 else d / width
    h[0] = up + down
    return BAD_INPUT * not_a_probability(x) | BAD_TARGET * not_a_probability(t)


cdef struct SoftMargin:
    char none

cdef inline int soft_margin(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """log(1 + exp(-t x)), from z = exp(-|x|) in (0, 1]"""
    cdef real y = t * x, z = exp(-absolute(y)), share = reciprocal(1 + z)
    v[0] = (-y if y < 0 else 0) + log1p_unit(z)
    g[0] = -t * (z * share if y > 0 else share)
    h[0] = z * share * share
    return not_a_sign(t)


cdef struct Hinge:
    double margin

cdef inline int hinge(Hinge f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """max(0, margin - t x), with derivative 0 at the kink."""
    cdef real m = <real> f.margin - t * x, slope = m if m != m else -t
    v[0] = 0 if m <= 0 else m
    g[0] = 0 if m <= 0 else slope
    h[0] = zero(m)
    return not_a_sign(t)


cdef struct SquaredHinge:
    double margin

cdef inline int squared_hinge(SquaredHinge f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """max(0, margin - t x)²"""
    cdef real m = <real> f.margin - t * x, p = 0 if m <= 0 else m
    v[0] = p * p
    g[0] = <real> -2 * t * p
    h[0] = 0 if m <= 0 else 2
    return not_a_sign(t)


cdef struct ModifiedHuber:
    char none

cdef inline int modified_huber(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """With z = t x: max(0, 1 - z)² for z >= -1, -4z below."""
    cdef real z = t * x, m = 1 - z, p = 0 if m <= 0 else m, c = 2 if p > 2 else p
    v[0] = <real> -4 * z if z < -1 else p * p
    g[0] = <real> -2 * t * c
    h[0] = 0 if z < -1 or m <= 0 else 2
    return not_a_sign(t)


cdef struct Exponential:
    char none

cdef inline int exponential(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """exp(-t x)"""
    cdef real e = exp(-t * x)
    v[0] = e
    g[0] = -t * e
    h[0] = e
    return not_a_sign(t)


cdef struct HingeEmbedding:
    double margin

cdef inline int hinge_embedding(HingeEmbedding f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """x for t = 1; max(0, margin - x) for t = -1, whose derivative at the kink is -1, as in torch."""
    cdef real m = <real> f.margin - x, slope = 0 if m < 0 else <real> -1, nan = t - t       # else 0
    m = 0 if m < 0 else m
    slope = 1 if t > 0 else slope
    v[0] = (x if t > 0 else m) + nan
    g[0] = (x if x != x else slope) + nan
    h[0] = zero(x) + nan
    return not_a_sign(t)


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
    cdef real p = near if x > 0 else far, q = far if x > 0 else near, bent = log1p_unit(z)
    cdef real v1, g1, h1, v0, g0, h0, u, n, r, s, rn, rest, power
    cdef double wide
    powered_nll(focus_pos, focus(x, <real> 1, focus_pos, 1, 0), (0 if x > 0 else size) + bent, p, q, &v1, &g1, &h1)
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
        powered_nll(focus_neg, focus(x, <real> 0, focus_neg, 0, 1), (size if x > 0 else 0) + bent, q, p, &v0, &g0, &h0)
        g0 = -g0
    v[0] = times(t, v1) + times(nt, v0)
    g[0] = times(t, g1) + times(nt, g0)
    h[0] = times(t, h1) + times(nt, h0)
    return BAD_TARGET * not_a_probability(t)


cdef struct MarginRanking:
    double margin

cdef inline int margin_ranking(MarginRanking f, real x, real t, real u, real *v, real *g, real *h, real *gu, real *hu) noexcept nogil:
    """max(0, margin - t (x - u)); at the kink the derivatives are those of the active side, as in torch."""
    cdef real m = <real> f.margin - t * (x - u), slope = m if m != m else t
    v[0] = 0 if m < 0 else m
    g[0] = 0 if m < 0 else -slope
    gu[0] = 0 if m < 0 else slope
    h[0] = zero(m)
    hu[0] = zero(m)
    return not_a_sign(t)


# ---- the lists -------------------------------------------------------------------------------------------------------

ctypedef fused Formula:
    BceWithLogits
    WeightedBceWithLogits
    BinaryCrossEntropy
    ExactBinaryCrossEntropy
    SoftMargin
    Hinge
    SquaredHinge
    ModifiedHuber
    Exponential
    HingeEmbedding
    SigmoidFocal
    SigmoidFocal2
    Asymmetric
    AsymmetricWithoutMargin
    MarginRanking
    Sigmoid
    LogSigmoid

ctypedef fused Paired:
    MarginRanking


cdef inline int point(Formula f, real x, real t, real u, real *v, real *g, real *h, real *gu, real *hu) noexcept nogil:
    if Formula is BceWithLogits: return bce_with_logits(x, t, 1 - t, <real> 1, v, g, h)
    elif Formula is WeightedBceWithLogits: return bce_with_logits(x, u * t, 1 - t, u * t + (1 - t), v, g, h)
    elif Formula is BinaryCrossEntropy: return binary_cross_entropy(f, x, t, v, g, h)
    elif Formula is ExactBinaryCrossEntropy: return exact_binary_cross_entropy(x, t, v, g, h)
    elif Formula is SoftMargin: return soft_margin(x, t, v, g, h)
    elif Formula is Hinge: return hinge(f, x, t, v, g, h)
    elif Formula is SquaredHinge: return squared_hinge(f, x, t, v, g, h)
    elif Formula is ModifiedHuber: return modified_huber(x, t, v, g, h)
    elif Formula is Exponential: return exponential(x, t, v, g, h)
    elif Formula is HingeEmbedding: return hinge_embedding(f, x, t, v, g, h)
    elif Formula is SigmoidFocal:
        return sigmoid_focal(f.gamma, focus(x, t, f.gamma, f.positive, f.negative), x, t, v, g, h)
    elif Formula is SigmoidFocal2: return sigmoid_focal(2, focus2(x, t, f.positive, f.negative), x, t, v, g, h)
    elif Formula is Asymmetric: return asymmetric(f.gamma_neg, f.gamma_pos, f.margin, True, x, t, v, g, h)
    elif Formula is AsymmetricWithoutMargin: return asymmetric(f.gamma_neg, f.gamma_pos, 0, False, x, t, v, g, h)
    elif Formula is MarginRanking: return margin_ranking(f, x, t, u, v, g, h, gu, hu)
    elif Formula is Sigmoid: return sigmoid(x, v, g, h)
    elif Formula is LogSigmoid: return log_sigmoid(x, v, g, h)


cdef int register_formulas() except -1:
    register_formula[BceWithLogits](NULL, "bce_with_logits", PLAIN)
    register_formula[WeightedBceWithLogits](NULL, "bce_with_logits_pos_weight", PLAIN)
    register_formula[BinaryCrossEntropy](NULL, "binary_cross_entropy", CHECKED)
    register_formula[ExactBinaryCrossEntropy](NULL, "exact_binary_cross_entropy", CHECKED)
    register_formula[SoftMargin](NULL, "soft_margin", SIGNS)
    register_formula[Hinge](NULL, "hinge", SIGNS)
    register_formula[SquaredHinge](NULL, "squared_hinge", SIGNS)
    register_formula[ModifiedHuber](NULL, "modified_huber", SIGNS)
    register_formula[Exponential](NULL, "exponential", SIGNS)
    register_formula[HingeEmbedding](NULL, "hinge_embedding", SIGNS)
    register_formula[SigmoidFocal](NULL, "sigmoid_focal", CHECKED)
    register_formula[SigmoidFocal2](NULL, "sigmoid_focal_2", CHECKED)
    register_formula[Asymmetric](NULL, "asymmetric", CHECKED)
    register_formula[AsymmetricWithoutMargin](NULL, "asymmetric_without_margin", CHECKED)
    register_formula[MarginRanking](NULL, "margin_ranking", SIGNS)
    register_formula[Sigmoid](NULL, "sigmoid", PLAIN)
    register_formula[LogSigmoid](NULL, "log_sigmoid", PLAIN)


include "blocks.pxi"
