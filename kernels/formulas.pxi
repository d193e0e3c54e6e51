# The formulas of the elementwise losses and activations: each is written here once, and nowhere else.
#
# A formula is a struct of its parameters (doubles, in the order in which Python passes them) and an inline function that
# gives value v, first derivative g and second derivative h with respect to x, of one element: x is the input, t the
# target, u a third operand. What a caller does not store the compiler drops, so there is one function, not three.
# Write clips, not branches, so that loops vectorise and NaN stays NaN: `c = k if r > k else r`.
#
# To add one: the struct, the function, its name in `Formula`, its line in `point` and its line in the list at the end.

cdef struct SquaredError:
    double none

cdef struct AbsoluteError:
    double none

cdef struct Huber:
    double delta

cdef struct BinaryCrossEntropy:          # with logits
    double none

cdef struct WeightedBinaryCrossEntropy:  # with logits and pos_weight
    double none

cdef struct Sigmoid:
    double none

cdef struct LogSigmoid:
    double none

ctypedef fused Formula:
    SquaredError
    AbsoluteError
    Huber
    BinaryCrossEntropy
    WeightedBinaryCrossEntropy
    Sigmoid
    LogSigmoid


cdef inline void squared_error(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """(x - t)²"""
    cdef real d = x - t
    v[0] = d * d
    g[0] = d + d
    h[0] = 2


cdef inline void absolute_error(real x, real t, real *v, real *g, real *h) noexcept nogil:
    """|x - t|, with derivative 0 at 0."""
    cdef real d = x - t
    cdef real sign = 1 if d > 0 else d
    v[0] = absolute(d)
    g[0] = -1 if d < 0 else sign
    h[0] = d * 0 if d != d else <real> 0


cdef inline void huber(Huber f, real x, real t, real *v, real *g, real *h) noexcept nogil:
    """d²/2 for |d| < δ, δ(|d| - δ/2) beyond; with c = clip(d, ±δ) both are c(d - c/2)."""
    cdef real delta = <real> f.delta, d = x - t, c
    c = delta if d > delta else d
    c = -delta if c < -delta else c
    v[0] = c * (d - <real> 0.5 * c)
    g[0] = c
    h[0] = (0 if absolute(d) >= delta else d * 0 + 1)


cdef inline void bce_with_logits(real x, real t, real p, real *v, real *g, real *h) noexcept nogil:
    """p t softplus(-x) + (1 - t) softplus(x), from z = exp(-|x|) in (0, 1]: no difference of large numbers, so that
    both tails keep their digits. A logit of ±inf gives the limit."""
    cdef real size = absolute(x), z = exp(-size), pt = p * t, nt = 1 - t, both = pt + nt
    cdef real slope = nt if x > 0 else pt          # of the straight line that the loss approaches
    cdef real share = reciprocal(1 + z)            # sigmoid(|x|)
    cdef real line = 0 if slope == 0 else slope * size
    cdef real up = 1 if x > 0 else z, down = z if x > 0 else <real> 1
    v[0] = line + both * log1p_unit(z)
    g[0] = (nt * up - pt * down) * share
    h[0] = both * z * share * share


cdef inline void sigmoid(real x, real *v, real *g, real *h) noexcept nogil:
    """1 / (1 + exp(-x))"""
    cdef real z = exp(-absolute(x)), share = reciprocal(1 + z), s = share * share * z
    v[0] = share if x > 0 else z * share
    g[0] = s
    h[0] = s * (z - 1) * share if x > 0 else s * (1 - z) * share


cdef inline void log_sigmoid(real x, real *v, real *g, real *h) noexcept nogil:
    """-softplus(-x)"""
    cdef real z = exp(-absolute(x)), share = reciprocal(1 + z)
    v[0] = (x if x < 0 else 0) - log1p_unit(z)
    g[0] = z * share if x > 0 else share
    h[0] = -z * share * share


cdef inline void point(Formula f, real x, real t, real u, real *v, real *g, real *h) noexcept nogil:
    if Formula is SquaredError: squared_error(x, t, v, g, h)
    elif Formula is AbsoluteError: absolute_error(x, t, v, g, h)
    elif Formula is Huber: huber(f, x, t, v, g, h)
    elif Formula is BinaryCrossEntropy: bce_with_logits(x, t, <real> 1, v, g, h)
    elif Formula is WeightedBinaryCrossEntropy: bce_with_logits(x, t, u, v, g, h)
    elif Formula is Sigmoid: sigmoid(x, v, g, h)
    elif Formula is LogSigmoid: log_sigmoid(x, v, g, h)


cdef void enlist_formulas() noexcept:
    enlist[SquaredError](NULL, "squared_error")
    enlist[AbsoluteError](NULL, "absolute_error")
    enlist[Huber](NULL, "huber")
    enlist[BinaryCrossEntropy](NULL, "bce_with_logits")
    enlist[WeightedBinaryCrossEntropy](NULL, "bce_with_logits_pos_weight")
    enlist[Sigmoid](NULL, "sigmoid")
    enlist[LogSigmoid](NULL, "log_sigmoid")
