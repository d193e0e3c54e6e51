# Scores of two vectors: cosines, distances.
#
# A score is a struct of its parameters (at most four doubles, in the order in which Python passes them) and a branch in
# each of these functions, which are compiled into the loops: `terms`, what one element adds to up to three sums;
# `finish_score`, the score, of these sums; `prepare_side`, `slope` and `curvature`, its derivatives with respect to an element.
#
# All is computed in double: squares of float32 neither overflow nor underflow there. Where those of float64 would, the
# vectors are multiplied by a power of two, their unit.
#
# To add one: the struct, its name in `Score`, the branches, and its line at the end of vectors.pyx.

from kernels.core.numeric cimport fabs, pow, product_error, real, sqrt


cdef struct Cosine:           # a·b / (max(|a|, eps) max(|b|, eps))
    double eps
cdef struct SmoothCosine:     # a·b / √((|a|² + eps²) (|b|² + eps²))
    double eps
cdef struct Projection:       # a·b / max(|a|, eps): its derivatives carry gradients through, and give, a / max(|a|, eps)
    double eps
cdef struct Taxicab:          # Σ |u|, u = a - b + eps
    double eps
cdef struct Euclid:           # √Σ u²
    double eps
cdef struct Chebyshev:        # max |u|
    double eps
cdef struct Minkowski:        # (Σ |u|^p)^(1/p)
    double eps
    double p

ctypedef fused Score:
    Cosine
    SmoothCosine
    Projection
    Taxicab
    Euclid
    Chebyshev
    Minkowski

ctypedef fused Angle:         # scores of norms and a product
    Cosine
    SmoothCosine
    Projection

ctypedef fused Closing:       # those of which 1 - s may be asked
    Cosine
    SmoothCosine

ctypedef fused OnePass:       # those that need not know the largest element before all else
    Cosine
    SmoothCosine
    Projection
    Taxicab
    Euclid

cdef struct Side:             # a score as one of its two vectors, x, sees it: what the derivatives take
    double unit               # of x and of the other
    double other_unit
    double shift              # of x - y, the sign as that vector sees it
    double cross, along, turn, curvature, curve
    double first, second, square, flat    # derivatives of the loss: set by apply_loss_slope

cdef struct Pair:             # a score of two vectors
    double unit[2]            # powers of two by which the vectors are multiplied
    double largest            # of |u|
    double product            # a·b
    double squares[2]         # |a|², |b|²
    double norms[2]           # |a|, |b|
    double bounded[2]         # what they are divided by
    double ratio              # a·b / |b|²
    double inverse, middle    # of a distance in its unit, and of its elements: see derive_all
    double score
    double gap                # 1 - score
    Side sides[2]


cdef inline void set_zero(Side *side) noexcept nogil:
    side.first = side.second = side.square = side.flat = 0


cdef inline bint is_zero(const Side *side) noexcept nogil:
    """Whether the loss does not depend on the score."""
    return (side.first == 0) & (side.second == 0) & (side.square == 0) & (side.flat == 0)


cdef inline double unit_of(Score f, double unit, real like) noexcept nogil:
    """Known to be 1 to the compiler where it must be."""
    if real is float and Score is not Minkowski:
        return 1
    else:
        return unit


cdef inline double difference(Score f, const Side *side, real x, real y) noexcept nogil:
    return ((<double> x - <double> y) + side.shift) * unit_of(f, side.unit, x)


cdef inline void terms(Score f, const Pair *m, real x, real y, double *p, double *q, double *r) noexcept nogil:
    """What one element adds to the sums of a score."""
    cdef double a, b
    if Score in Angle:
        a = x * unit_of(f, m.unit[0], x)
        b = y * unit_of(f, m.unit[1], x)
        p[0] = a * b
        q[0] = a * a
        r[0] = b * b
    else:
        a = fabs(difference(f, &m.sides[0], x, y))
        if Score is Taxicab:
            p[0] = a
        elif Score is Euclid:
            p[0] = a * a
        elif Score is Chebyshev:
            p[0] = 1 if a == m.largest else 0 if a < m.largest else a      # how many there are
        else:
            p[0] = pow[double](a, f.p, 0)


cdef inline double bounded_norm(Score f, double eps, double square, double norm) noexcept nogil:
    if Score is SmoothCosine:
        return sqrt(square + eps * eps)
    else:
        return eps if norm < eps else norm


cdef inline void prepare_side(const Score *f, const Pair *m, int me, Side *side) noexcept nogil:
    """What a score's derivatives with respect to one vector take."""
    cdef int other = 1 - me
    cdef double p, high, low, inverse, inverse_low, unit = m.unit[me]
    side.unit = unit
    side.other_unit = m.unit[other]
    if Score is Projection:
        side.cross = (unit if me == 0 else 1) / m.bounded[0]
        side.along = 0
        if me == 0 and m.norms[0] >= m.bounded[0] and m.squares[0] > 0:
            side.along = m.score / m.squares[0] * unit
        if m.squares[0] != m.squares[0]:
            side.along = m.squares[0] if me == 0 else 0
    elif Score in Closing:
        side.cross = unit / m.bounded[me] / m.bounded[other]
        if Score is SmoothCosine:
            p = 1 / (m.bounded[me] * m.bounded[me])
            high = p
        else:
            p = 0 if m.squares[me] == 0 else 1 / (m.bounded[me] * m.norms[me])
            high = 0 if m.squares[me] == 0 else 1 / m.squares[me]
        side.along = m.score * (p * unit)
        side.turn = 2 * (p * unit) * side.cross
        side.curvature = m.score * (p * unit) * unit
        side.curve = side.curvature * (2 * p + high)
    else:
        side.unit = side.other_unit = m.unit[0]
        side.shift = m.sides[0].shift if me == 0 else -m.sides[0].shift
        if Score is Euclid:
            side.along = 0 if m.product == 0 else 1 / sqrt(m.product)
            side.curvature = side.along * side.unit
        elif Score is Chebyshev:
            side.along = m.largest
            side.cross = 0 if m.largest == 0 else 1 / m.product
        elif Score is Minkowski:
            p = f.p
            inverse = 1 / p
            inverse_low = -product_error[double](p, inverse, 1) / p
            high = inverse - 1
            low = (inverse - high) - 1 + inverse_low
            side.along = 0 if m.product == 0 else pow[double](m.product, high, low)
            side.curvature = (p - 1) * side.unit
            side.curve = m.product


cdef inline double slope(Score f, const Side *side, real x, real y) noexcept nogil:
    """Derivative with respect to an element x of one vector, with y in the other."""
    cdef double u, high
    if Score in Angle:
        return side.cross * (y * unit_of(f, side.other_unit, x)) - side.along * (x * unit_of(f, side.unit, x))
    else:
        u = difference(f, side, x, y)
        if Score is Euclid:
            return u * side.along
        elif Score is Taxicab:
            u = 1 if u > 0 else u
            return -1 if u < 0 else u
        elif Score is Chebyshev:
            high = side.cross if fabs(u) == side.along else 0 if fabs(u) < side.along else u
            return high if u > 0 else -high
        else:
            high = f.p - 1
            high = side.along * pow[double](fabs(u), high, (f.p - high) - 1)
            high = 0 if u == 0 else high
            return high if u > 0 else -high


cdef inline double curvature(Score f, const Side *side, real x, real y, double g) noexcept nogil:
    """Second derivative, where the first is g."""
    cdef double u, v, w
    if Score in Angle:
        u = x * unit_of(f, side.unit, x)
        v = y * unit_of(f, side.other_unit, x)
        return u * u * side.curve - u * v * side.turn - side.curvature
    elif Score is Euclid:
        return side.curvature * (1 - g * g)
    elif Score is Minkowski:
        u = fabs(difference(f, side, x, y))
        g = fabs(g)
        w = g / u * side.curvature
        w = w - w * (u * (g / side.along) / side.curve)
        return 0 if u == 0 else w
    else:
        return g if g != g else 0


cdef inline void weigh(Score f, const Pair *m, real x, real y, double *v, double *w) noexcept nogil:
    """An element v of a difference that has length 1, and its weight w: v w is the slope."""
    cdef double g = slope(f, &m.sides[0], x, y)
    w[0] = 1
    if Score is Euclid or Score is Minkowski:
        v[0] = difference(f, &m.sides[0], x, y) * m.inverse
        if Score is Minkowski:
            w[0] = g / v[0]
            w[0] = 0 if v[0] == 0 else w[0]
    else:
        v[0] = g


cdef inline double curvature_of_all(Score f, const Pair *m, int me, Py_ssize_t n, double weight, double scatter) noexcept nogil:
    """Second derivative with respect to a number that is every element of x: the sum of the Hessian of the row.

    Of a distance d that is (p - 1) / d (W - (Σ w v)²) with W = Σ w, and as Σ w v² = 1 it is (p - 1) / d W Σ w (v - m)² with
    m = Σ w v / W, where nothing cancels. Of a cosine most cancels, as x has one direction only: what is left is due to eps."""
    cdef double curvature = m.sides[0].curvature
    if Score is SmoothCosine:
        return -3 * <double> n * curvature * (f.eps * m.unit[me] / m.bounded[me]) * (f.eps * m.unit[me] / m.bounded[me])
    elif Score is Cosine:
        return -2 * <double> n * curvature * ((m.bounded[me] - m.norms[me]) / m.bounded[me])
    elif Score is Euclid:
        return curvature * (weight * scatter)
    elif Score is Minkowski:
        return curvature * m.inverse * (weight * scatter)
    else:
        return scatter if scatter != scatter else 0


cdef inline void finish_score(Score f, Pair *m, double p, double q, double r) noexcept nogil:
    """The score, of its sums."""
    cdef int k
    cdef double s, inverse
    m.product = p
    if Score in Angle:
        m.squares[0] = q
        m.squares[1] = r
        for k in range(2):
            m.norms[k] = sqrt(m.squares[k])
            m.bounded[k] = bounded_norm(f, f.eps * m.unit[k], m.squares[k], m.norms[k])
        if Score is Projection:
            m.score = p / m.bounded[0]
        else:
            s = p / (m.bounded[0] * m.bounded[1])
            s = 1 if s > 1 else s
            m.score = -1 if s < -1 else s
    elif Score is Taxicab:
        m.score = p
    elif Score is Euclid:
        m.score = sqrt(p) / m.unit[0]
    elif Score is Chebyshev:
        m.score = 0 if p == 0 else m.largest * (p / p)
    else:
        inverse = 1 / f.p
        s = pow[double](p, inverse, -product_error[double](f.p, inverse, 1) / f.p)
        m.score = (0 if p == 0 else s) / m.unit[0]
    m.gap = 1 - m.score


cdef inline double remainder(const Pair *m, double a, double b) noexcept nogil:
    """The square of an element of a - (a·b / |b|²) b, all of whose digits hold."""
    cdef double multiple, rest
    a *= m.unit[0]
    b *= m.unit[1]
    multiple = m.ratio * b
    rest = (a - multiple) - product_error[double](m.ratio, b, multiple)
    return rest * rest


cdef inline double close_gap(Closing f, const Pair *m, double rest) noexcept nogil:
    """1 - s for vectors that point to the same side: with the cosine c, 1 - c = sin² / (1 + c), and `rest` is |a|² sin²."""
    cdef double slack[2]
    cdef double e, cosine = m.product / (m.norms[0] * m.norms[1])
    cdef int k
    for k in range(2):       # 1 - |a| / what it is divided by
        if Closing is SmoothCosine:
            e = f.eps * m.unit[k]
            slack[k] = e * e / (m.bounded[k] * (m.bounded[k] + m.norms[k]))
        else:
            slack[k] = (m.bounded[k] - m.norms[k]) / m.bounded[k]
    return rest / (m.squares[0] * (1 + cosine)) + cosine * (slack[0] + (1 - slack[0]) * slack[1])
