# Losses of up to three scores: that of the first and second vector, of the first and third, of the second and third.
#
# To add one: the struct of its parameters, its name in `Loss`, its branches, and its line at the end of vectors.pyx.

from kernels.vectors.scores cimport Pair, Side


cdef struct Identity:
    char none
cdef struct Complement:       # 1 - s
    char none
cdef struct Embedding:        # 1 - s for t = 1, max(0, s - margin) for t = -1
    double margin
cdef struct Triplet:          # max(0, margin + s₀ - s₁)
    double margin
cdef struct SwappedTriplet:   # max(0, margin + s₀ - min(s₁, s₂))
    double margin
cdef struct Contrastive:      # t s² + (1 - t) max(0, margin - s)²
    double margin

ctypedef fused Loss:
    Identity
    Complement
    Embedding
    Triplet
    SwappedTriplet
    Contrastive

cdef struct LossTerms:        # a loss of scores
    double value
    double first[3]           # derivative with respect to each score
    double second             # the first of these, as the factor of that score's second derivatives
    double square             # second derivative with respect to the first score
    double flat               # the rest of the second derivative with respect to elements of vectors


cdef inline bint is_invalid(const Loss *f, double t) noexcept nogil:
    """Whether a target is invalid; nan never is."""
    if Loss is Embedding:
        return (t != 1) & (t != -1) & (t == t)
    elif Loss is Contrastive:
        return (t < 0) | (t > 1)
    else:
        return False


cdef inline void evaluate_loss(const Loss *f, const Pair *pair, const Pair *second, const Pair *third, double t,
                               LossTerms *o) noexcept nogil:
    """The value and its derivatives. `second` and `third` are read by losses of two and three scores only."""
    cdef double s = pair.score, z, far, share, slope, unlike
    o.square = o.flat = 0
    o.first[1] = o.first[2] = 0
    if Loss is Identity:
        o.value = s
        o.first[0] = 1
    elif Loss is Complement:
        o.value = pair.gap
        o.first[0] = -1
    elif Loss is Embedding:
        z = s - f.margin
        slope = 0 if z < 0 else 1 + (z - z)
        o.value = (pair.gap if t > 0 else 0 if z < 0 else z) + (t - t)
        o.first[0] = (-1 if t > 0 else slope) + (t - t)
    elif Loss is Contrastive:
        unlike = 1 - t
        z = f.margin - s
        z = 0 if z < 0 else z
        o.value = (0 if t == 0 else t * s * s) + unlike * z * z
        o.second = -2 * unlike * z
        o.first[0] = (0 if t == 0 else 2 * t * s) + o.second
        o.square = 2 * unlike if z > 0 else 0
        o.flat = 2 * t         # that of t s², also where s is 0
    else:
        far, share = second.score, 1
        if Loss is SwappedTriplet:
            far = third.score if third.score < far or third.score != third.score else far
            share = 0.5 if second.score == third.score else 1 if second.score < third.score else 0
        z = (s - far) + f.margin
        slope = 0 if z < 0 else 1 if z == z else z
        o.value = 0 if z < 0 else z
        o.first[0] = slope
        o.first[1] = -slope * share
        if Loss is SwappedTriplet:
            o.first[2] = -slope * (1 - share)
    if Loss is not Contrastive:
        o.second = o.first[0]


cdef inline void apply_loss_slope(const LossTerms *o, int which, double scale, Side *side) noexcept nogil:
    """The loss's derivatives with respect to a score."""
    side.first = o.first[which] * scale
    side.second = (o.second if which == 0 else o.first[which]) * scale
    side.square = o.square * scale if which == 0 else 0
    side.flat = o.flat * scale if which == 0 else 0
