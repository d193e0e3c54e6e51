# Losses of pairs and triplets of vectors: cosines, distances, and what is made of them.
#
# A score of two vectors and a loss of up to three scores are written once each, and meet in a call. For each row, first the
# sums that its scores take are added up, then the loss gives its value and its derivatives with respect to the scores, and a
# second pass over the vectors, which are in cache then, writes those with respect to the vectors. All this is done in double:
# squares of float32 neither overflow nor underflow there. Where those of float64 would, the row is worked on again, the
# vectors multiplied by a power of two.

include "common.pxi"

cdef extern from "<math.h>" nogil:
    double c_frexp "frexp"(double, int *)
    double c_ldexp "ldexp"(double, int)

cdef extern from "rowmath.h" nogil:
    void rm_turn_inf(const float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, float *, float *)
    void rm_turn_in(const double *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, double *, double *)
    void rm_turn_outf(float *, float *, float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t)
    void rm_turn_out(double *, double *, double *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t)

cdef extern from *:
    """
    #define LEAST_SQUARE 0x1p-400     /* squares of norms from here on ... */
    #define LARGEST_SQUARE 0x1p400    /* ... to here can be multiplied by each other */
    """
    const double LEAST_SQUARE
    const double LARGEST_SQUARE

cdef enum:
    CHUNK = 512           # elements of a vector that are worked on at once
    SIDE_BY_SIDE = 32     # accumulators of each sum; more than the compiler unrolls, so that it vectorises the loop over them;
                          # of shorter vectors so many are worked on side by side
    TERMS = 3             # sums that a score takes, at most
    SCALARS = 4           # parameters of a score or a loss, at most
    GREATEST_UNIT = 1000  # units are 2^-1000 to 2^1000
    FEW_ROWS = 4          # so few are not worth a tile
    TILE_APART = SIDE_BY_SIDE * SIDE_BY_SIDE + 16

# Of a call: three vectors, target and weight of each row; value of each row, gradients and second derivatives.
cdef enum:
    V_A, V_B, V_C, V_T, V_W, V_V, V_G, V_H = 9, V_OPERANDS = 12


# ---- scores ----------------------------------------------------------------------------------------------------------

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

ctypedef fused Ranged:        # those that take the largest element before all else
    Chebyshev
    Minkowski

cdef struct Side:             # a score as one of its two vectors, x, sees it: what the derivatives take
    double unit               # of x and of the other
    double other_unit
    double shift              # of x - y, the sign as that vector sees it
    double cross, along, turn, bend, curve
    double first, second, square, flat    # derivatives of the loss: see derive_piece

cdef struct Pairing:          # a score of two vectors
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


cdef inline double unit_of(Score f, double unit, real like) noexcept nogil:
    """Known to be 1 to the compiler where it must be."""
    if real is float and Score is not Minkowski:
        return 1
    else:
        return unit


cdef inline double difference(Score f, const Side *side, real x, real y) noexcept nogil:
    return ((<double> x - <double> y) + side.shift) * unit_of(f, side.unit, x)


cdef inline void terms(Score f, const Pairing *m, real x, real y, double *p, double *q, double *r) noexcept nogil:
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
        return c_sqrt(square + eps * eps)
    else:
        return eps if norm < eps else norm


cdef inline void see(Score f, const Pairing *m, int me, Side *side) noexcept nogil:
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
        side.bend = m.score * (p * unit) * unit
        side.curve = side.bend * (2 * p + high)
    else:
        side.unit = side.other_unit = m.unit[0]
        side.shift = m.sides[0].shift if me == 0 else -m.sides[0].shift
        if Score is Euclid:
            side.along = 0 if m.product == 0 else 1 / c_sqrt(m.product)
            side.bend = side.along * side.unit
        elif Score is Chebyshev:
            side.along = m.largest
            side.cross = 0 if m.largest == 0 else 1 / m.product
        elif Score is Minkowski:
            p = f.p
            inverse = 1 / p
            inverse_low = -vm_product_error(p, inverse, 1) / p
            high = inverse - 1
            low = (inverse - high) - 1 + inverse_low
            side.along = 0 if m.product == 0 else pow[double](m.product, high, low)
            side.bend = (p - 1) * side.unit
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


cdef inline double bend(Score f, const Side *side, real x, real y, double g) noexcept nogil:
    """Second derivative, where the first is g."""
    cdef double u, v, w
    if Score in Angle:
        u = x * unit_of(f, side.unit, x)
        v = y * unit_of(f, side.other_unit, x)
        return u * u * side.curve - u * v * side.turn - side.bend
    elif Score is Euclid:
        return side.bend * (1 - g * g)
    elif Score is Minkowski:
        u = fabs(difference(f, side, x, y))
        g = fabs(g)
        w = g / u * side.bend
        w = w - w * (u * (g / side.along) / side.curve)
        return 0 if u == 0 else w
    else:
        return g if g != g else 0


cdef inline void weigh(Score f, const Pairing *m, real x, real y, double *v, double *w) noexcept nogil:
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


cdef inline double bend_of_all(Score f, const Pairing *m, int me, Py_ssize_t n, double weight, double scatter) noexcept nogil:
    """Second derivative with respect to a number that is every element of x: the sum of the Hessian of the row.

    Of a distance d that is (p - 1) / d (W - (Σ w v)²) with W = Σ w, and as Σ w v² = 1 it is (p - 1) / d W Σ w (v - m)² with
    m = Σ w v / W, where nothing cancels. Of a cosine most cancels, as x has one direction only: what is left is due to eps."""
    cdef double bend = m.sides[0].bend
    if Score is SmoothCosine:
        return -3 * <double> n * bend * (f.eps * m.unit[me] / m.bounded[me]) * (f.eps * m.unit[me] / m.bounded[me])
    elif Score is Cosine:
        return -2 * <double> n * bend * ((m.bounded[me] - m.norms[me]) / m.bounded[me])
    elif Score is Euclid:
        return bend * (weight * scatter)
    elif Score is Minkowski:
        return bend * m.inverse * (weight * scatter)
    else:
        return scatter if scatter != scatter else 0


cdef inline void settle(Score f, Pairing *m, double p, double q, double r) noexcept nogil:
    """The score, of its sums."""
    cdef int k
    cdef double s, inverse
    m.product = p
    if Score in Angle:
        m.squares[0] = q
        m.squares[1] = r
        for k in range(2):
            m.norms[k] = c_sqrt(m.squares[k])
            m.bounded[k] = bounded_norm(f, f.eps * m.unit[k], m.squares[k], m.norms[k])
        if Score is Projection:
            m.score = p / m.bounded[0]
        else:
            s = p / (m.bounded[0] * m.bounded[1])
            s = 1 if s > 1 else s
            m.score = -1 if s < -1 else s
            m.gap = 1 - m.score
    elif Score is Taxicab:
        m.score = p
    elif Score is Euclid:
        m.score = c_sqrt(p) / m.unit[0]
    elif Score is Chebyshev:
        m.score = 0 if p == 0 else m.largest * (p / p)
    else:
        inverse = 1 / f.p
        s = pow[double](p, inverse, -vm_product_error(f.p, inverse, 1) / f.p)
        m.score = (0 if p == 0 else s) / m.unit[0]


cdef inline double remainder(const Pairing *m, double a, double b) noexcept nogil:
    """The square of an element of a - (a·b / |b|²) b, all of whose digits hold."""
    cdef double multiple, rest
    a *= m.unit[0]
    b *= m.unit[1]
    multiple = m.ratio * b
    rest = (a - multiple) - vm_product_error(m.ratio, b, multiple)
    return rest * rest


cdef inline double close_gap(Closing f, const Pairing *m, double rest) noexcept nogil:
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


# ---- losses of scores ------------------------------------------------------------------------------------------------

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

cdef struct Outer:            # a loss of scores
    double value
    double first[3]           # derivative with respect to each score
    double second             # the first of these, as the factor of that score's second derivatives
    double square             # second derivative with respect to the first score
    double flat               # the rest of the second derivative with respect to elements of vectors


cdef inline bint outside_of(Loss f, double t) noexcept nogil:
    """Whether a target is none; nan is never outside."""
    if Loss is Embedding:
        return (t != 1) & (t != -1) & (t == t)
    elif Loss is Contrastive:
        return (t < 0) | (t > 1)
    else:
        return False


cdef inline bint outer(Loss f, const double *s, double gap, double t, Outer *o) noexcept nogil:
    """Returns whether the target is none."""
    cdef double z, far, share, slope, unlike
    o.square = o.flat = 0
    o.first[1] = o.first[2] = 0
    if Loss is Identity:
        o.value = s[0]
        o.first[0] = 1
    elif Loss is Complement:
        o.value = gap
        o.first[0] = -1
    elif Loss is Embedding:
        z = s[0] - f.margin
        slope = 0 if z < 0 else 1 + (z - z)
        o.value = (gap if t > 0 else 0 if z < 0 else z) + (t - t)
        o.first[0] = (-1 if t > 0 else slope) + (t - t)
    elif Loss is Contrastive:
        unlike = 1 - t
        z = f.margin - s[0]
        z = 0 if z < 0 else z
        o.value = (0 if t == 0 else t * s[0] * s[0]) + unlike * z * z
        o.second = -2 * unlike * z
        o.first[0] = (0 if t == 0 else 2 * t * s[0]) + o.second
        o.square = 2 * unlike if z > 0 else 0
        o.flat = 2 * t         # that of t s², also where s is 0
    else:
        far, share = s[1], 1
        if Loss is SwappedTriplet:
            far = s[2] if s[2] < far or s[2] != s[2] else far
            share = 0.5 if s[1] == s[2] else 1 if s[1] < s[2] else 0
        z = (s[0] - far) + f.margin
        slope = 0 if z < 0 else 1 if z == z else z
        o.value = 0 if z < 0 else z
        o.first[0] = slope
        o.first[1] = -slope * share
        if Loss is SwappedTriplet:
            o.first[2] = -slope * (1 - share)
    if Loss is not Contrastive:
        o.second = o.first[0]
    return outside_of(f, t)


# ---- passes over vectors ---------------------------------------------------------------------------------------------

cdef struct Line:             # a vector
    char *data
    const Operand *op
    Py_ssize_t step
    bint here                 # whether it can be worked on where it lies

cdef inline Line line_of(const Operand *op, char *data, int axis) noexcept nogil:
    return Line(data, op, op.strides[axis], op.flat)

cdef inline const real *piece(const Line *line, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    if line.here:
        return <const real *> line.data + start
    line.op.load(line.data + start * line.step, line.step, line.op.swapped, n, block)
    return block


# What is summed over a piece.
cdef struct Terms:
    char none
cdef struct Largest:          # |u|, or |a| and |b|: their largest
    char none
cdef struct Remainder:
    char none
cdef struct Weights:          # of elements, and their slopes: see weigh
    char none
cdef struct Scatter:          # squares of deviations from the middle
    char none
ctypedef fused Stage:
    Terms
    Largest
    Remainder
    Weights
    Scatter


cdef inline void collect(Score f, Stage stage, const Pairing *m, real x, real y, double *total, double *lost, Py_ssize_t step) noexcept nogil:
    """Add what one element gives to up to three sums, that lie `step` apart."""
    cdef double p = 0, q = 0, r = 0
    if Stage is Largest:
        if Score in Angle:
            p, q = fabs(x), fabs(y)
            total[0] = p if p > total[0] else total[0]
            total[step] = q if q > total[step] else total[step]
        else:
            p = fabs(difference(f, &m.sides[0], x, y))
            total[0] = p if p > total[0] else total[0]
    else:
        if Stage is Remainder:
            p = remainder(m, x, y)
        elif Stage is Weights:
            weigh(f, m, x, y, &q, &p)
            q = q * p
        elif Stage is Scatter:
            weigh(f, m, x, y, &q, &p)
            p = p * (q - m.middle) * (q - m.middle)
        else:
            terms(f, m, x, y, &p, &q, &r)
        keep(p, total, lost, x)
        if Stage is Weights:
            keep(q, total + step, lost + step, x)
        if Stage is Terms and Score in Angle:
            keep(q, total + step, lost + step, x)
            keep(r, total + 2 * step, lost + 2 * step, x)


cdef inline void keep(double x, double *total, double *lost, real like) noexcept nogil:
    """total += x, compensated where the call computes in float64."""
    if real is float:
        total[0] += x
    else:
        accumulate[double](x, total, lost)


cdef void collect_piece(const Score *score, const Stage *stage, const Pairing *pairing, const real *x, const real *y,
                        Py_ssize_t n, double *totals, double *losts) noexcept nogil:
    """Add up a piece of two vectors, or find the largest there."""
    cdef Score f = score[0]
    cdef Stage which
    cdef Pairing m = pairing[0]
    cdef double total[TERMS * SIDE_BY_SIDE]
    cdef double lost[TERMS * SIDE_BY_SIDE]
    cdef Py_ssize_t i, j, k, width, whole = n - n % SIDE_BY_SIDE
    cdef Py_ssize_t sums = 1, least = 1
    if real is float and Stage is not Largest:
        least = 8
    if Stage is Weights:
        sums = 2
    elif Score in Angle and Stage is not Remainder and Stage is not Scatter:
        sums = TERMS
    if n < SIDE_BY_SIDE:
        for i in range(n):
            collect(f, which, &m, x[i], y[i], totals, losts, 1)
        return
    for j in range(sums * SIDE_BY_SIDE):
        total[j] = 0
        if real is double:
            lost[j] = 0
    for i from 0 <= i < whole by SIDE_BY_SIDE:
        for j in range(SIDE_BY_SIDE):
            collect(f, which, &m, x[i + j], y[i + j], total + j, lost + j, SIDE_BY_SIDE)
    for j in range(n - whole):
        collect(f, which, &m, x[whole + j], y[whole + j], total + j, lost + j, SIDE_BY_SIDE)
    for k in range(sums):
        width = SIDE_BY_SIDE // 2
        while width >= least:
            for j in range(k * SIDE_BY_SIDE, k * SIDE_BY_SIDE + width):
                if Stage is Largest:
                    total[j] = total[j + width] if total[j + width] > total[j] else total[j]
                else:
                    keep(total[j + width], &total[j], &lost[j], x[0])
                    if real is double:
                        lost[j] += lost[j + width]
            width //= 2
        j = k * SIDE_BY_SIDE
        if Stage is Largest:
            totals[k] = total[j] if total[j] > totals[k] else totals[k]
        elif real is float:
            totals[k] += sum_of_eight(total + j)
        else:
            keep(total[j], &totals[k], &losts[k], x[0])
            losts[k] += lost[j]


cdef inline double sum_of_eight(const double *t) noexcept nogil:
    """In the order of the halving before it, without the stores that short halves would wait for."""
    return ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7]))


cdef void collect_all(const Score *score, const Stage *stage, const Pairing *m, const Line *a, const Line *b, Py_ssize_t n,
                      double *totals, const real *like) noexcept nogil:
    cdef real blocks[2][CHUNK]
    cdef double losts[TERMS]
    cdef Py_ssize_t i, size
    cdef int k
    for k in range(<int> TERMS):
        totals[k] = 0
        losts[k] = 0
    for i from 0 <= i < n by CHUNK:
        size = min(<Py_ssize_t> CHUNK, n - i)
        collect_piece(score, stage, m, piece(a, i, size, <real *> blocks[0]), piece(b, i, size, <real *> blocks[1]), size,
                      totals, <double *> losts)
    if Stage is not Largest and real is double:
        for k in range(<int> TERMS):
            totals[k] = regained(totals[k], losts[k])


cdef double power_of_two(double largest) noexcept nogil:
    """A factor that brings numbers up to the largest near 1; 1 for 0 and inf."""
    cdef int exponent
    if largest == 0 or largest - largest != 0:
        return 1
    c_frexp(largest, &exponent)
    return c_ldexp(1, max(-<int> GREATEST_UNIT, min(<int> GREATEST_UNIT, 1 - exponent)))


cdef bint out_of_range(double square) noexcept nogil:
    return not LEAST_SQUARE < square < LARGEST_SQUARE


cdef void find_units(const Score *score, Pairing *m, const Line *a, const Line *b, Py_ssize_t n, const real *like) noexcept nogil:
    """The units in which squares and powers neither overflow nor underflow."""
    cdef double largest[TERMS]
    collect_all(score, <const Largest *> NULL, m, a, b, n, <double *> largest, like)
    if Score is SmoothCosine:
        m.unit[0] = power_of_two(max(largest[0], score.eps))
        m.unit[1] = power_of_two(max(largest[1], score.eps))
    elif Score is Cosine:
        m.unit[0] = power_of_two(largest[0])
        m.unit[1] = power_of_two(largest[1])
    elif Score is Chebyshev:
        m.largest = largest[0]
    else:
        m.unit[0] = power_of_two(largest[0])
        if Score is Minkowski:
            if score.p > 500 and largest[0] > 0:      # 2^p may overflow
                m.unit[0] = 1 / largest[0]
        m.sides[0].unit = m.unit[0]


cdef void measure(const Score *score, const Line *a, const Line *b, Py_ssize_t n, bint gap, Pairing *m,
                  const real *like) noexcept nogil:
    """The score of two vectors, and 1 - it where that is asked for."""
    cdef double totals[TERMS]
    m.unit[0] = m.unit[1] = 1
    m.sides[0].unit = 1
    if Score not in Angle:
        m.sides[0].shift = score.eps
    if Score in Ranged:
        find_units(score, m, a, b, n, like)
    collect_all(score, <const Terms *> NULL, m, a, b, n, <double *> totals, like)
    if real is double and Score not in Ranged and Score is not Taxicab:
        if out_of_range(totals[0] if Score is Euclid else totals[1]) or (Score in Closing and out_of_range(totals[2])):
            find_units(score, m, a, b, n, like)
            collect_all(score, <const Terms *> NULL, m, a, b, n, <double *> totals, like)
    settle(score[0], m, totals[0], totals[1], totals[2])
    if Score in Closing:
        if gap and m.score > 0.5:
            m.ratio = m.product / m.squares[1]
            collect_all(score, <const Remainder *> NULL, m, a, b, n, <double *> totals, like)
            m.gap = close_gap(score[0], m, totals[0])


cdef void see_side(const Score *score, const Pairing *m, int me, Side *side, const real *like) noexcept nogil:
    see(score[0], m, me, side)


# ... of one score, or of two
cdef struct One:
    char none
cdef struct Two:
    char none
ctypedef fused Count:
    One
    Two

cdef struct Slope:
    char none
cdef struct Curvature:
    char none
ctypedef fused Order:
    Slope
    Curvature


cdef void derive_piece(const Score *score, const Count *count, const Order *order, const Side *first, const Side *second,
                       const real *x, const real *y, const real *z, Py_ssize_t n, real *g, real *h) noexcept nogil:
    """The derivatives with respect to x of a loss of its scores with y and with z."""
    cdef Score f = score[0]
    cdef Side p = first[0], q = second[0]
    cdef double a, b, c
    cdef Py_ssize_t i
    for i in range(n):
        a = slope(f, &p, x[i], y[i])
        c = p.first * a
        if Count is Two:
            b = slope(f, &q, x[i], z[i])
            c += q.first * b
        g[i] = <real> c
        if Order is Curvature:
            c = p.second * bend(f, &p, x[i], y[i], a) + p.square * (a * a) + p.flat
            if Count is Two:
                c += q.second * bend(f, &q, x[i], z[i], b)
            h[i] = <real> c


cdef inline void chain(const Outer *o, int which, double scale, Side *side) noexcept nogil:
    """The loss's derivatives with respect to a score."""
    side.first = o.first[which] * scale
    side.second = (o.second if which == 0 else o.first[which]) * scale
    side.square = o.square * scale if which == 0 else 0
    side.flat = o.flat * scale if which == 0 else 0


cdef inline void put_to_sleep(Side *side) noexcept nogil:
    side.first = side.second = side.square = side.flat = 0


cdef inline bint idle(const Side *side) noexcept nogil:
    return (side.first == 0) & (side.second == 0) & (side.square == 0) & (side.flat == 0)


cdef void derive(const Score *score, const Side *first, const Side *second, const Line *x, const Line *y, const Line *z,
                 Py_ssize_t n, int order, const Space *space, const Line *g, const Line *h, const real *like) noexcept nogil:
    """Write the derivatives with respect to a vector x; z and `second` are NULL for a loss of one score."""
    cdef real blocks[5][CHUNK]
    cdef const real *in_[3]
    cdef real *out[2]
    cdef Py_ssize_t i, j, size
    cdef bint none = False, two = False
    if second != NULL:
        two = True
        if idle(second):
            two = False
        elif idle(first):
            first, y, two = second, z, False
    none = idle(first) and not two
    for i from 0 <= i < n by CHUNK:
        size = min(<Py_ssize_t> CHUNK, n - i)
        out[0] = <real *> g.data + i if g.here else <real *> blocks[3]
        out[1] = <real *> blocks[4]
        if order > 1:
            out[1] = <real *> h.data + i if h.here else <real *> blocks[4]
        if none:
            for j in range(size):
                out[0][j] = 0
            if order > 1:
                for j in range(size):
                    out[1][j] = 0
        else:
            in_[0] = piece(x, i, size, <real *> blocks[0])
            in_[1] = piece(y, i, size, <real *> blocks[1])
            if not two and order < 2:
                derive_piece(score, <const One *> NULL, <const Slope *> NULL, first, first, in_[0], in_[1], in_[1], size,
                             out[0], out[1])
            elif not two:
                derive_piece(score, <const One *> NULL, <const Curvature *> NULL, first, first, in_[0], in_[1], in_[1], size,
                             out[0], out[1])
            elif Score not in Angle:
                in_[2] = piece(z, i, size, <real *> blocks[2])
                if order < 2:
                    derive_piece(score, <const Two *> NULL, <const Slope *> NULL, first, second, in_[0], in_[1], in_[2], size,
                                 out[0], out[1])
                else:
                    derive_piece(score, <const Two *> NULL, <const Curvature *> NULL, first, second, in_[0], in_[1], in_[2],
                                 size, out[0], out[1])
        if not g.here:
            put(g.op, g.data, space, space.outer, space.ndim, i, size, <const real *> out[0])
        if order > 1 and not h.here:
            put(h.op, h.data, space, space.outer, space.ndim, i, size, <const real *> out[1])


cdef double derive_all(const Score *score, const Pairing *pairing, int me, const Side *side, const Line *x, const Line *y,
                       Py_ssize_t n, const real *like) noexcept nogil:
    """The second derivative with respect to a number that is every element of x."""
    cdef double totals[TERMS]
    cdef double weight, slopes
    cdef Pairing m = pairing[0]
    if idle(side):
        return 0
    m.sides[0] = side[0]
    m.inverse = 0 if m.product == 0 else 1 / (m.score * side.unit)
    collect_all(score, <const Weights *> NULL, &m, x, y, n, <double *> totals, like)
    weight, slopes = totals[0], totals[1]
    m.middle = 0 if weight == 0 else slopes / weight
    if Score not in Closing:
        collect_all(score, <const Scatter *> NULL, &m, x, y, n, <double *> totals, like)
    return side.second * bend_of_all(score[0], &m, me, n, weight, totals[0]) + side.square * (slopes * slopes) + side.flat * n


# ---- short vectors, many at once --------------------------------------------------------------------------------------
#
# Of vectors shorter than SIDE_BY_SIDE a tile of as many rows is turned in: element i of row r lies at i * SIDE_BY_SIDE + r, so
# that the loops over rows are vectorised. The sums are those of `collect_piece`, in the same order: a result has the same bits
# whether its row is worked on in a tile or alone.

cdef void measure_tile(const Score *score, Py_ssize_t n, Py_ssize_t rows, bint gap, const real *a, const real *b,
                       Pairing *pairs, bint *odd) noexcept nogil:
    """The scores of a tile; `odd` says which rows want a unit of their own."""
    cdef Score f = score[0]
    cdef Pairing *m
    cdef Pairing plain
    cdef double total[TERMS * SIDE_BY_SIDE]
    cdef double lost[TERMS * SIDE_BY_SIDE]
    cdef double ratio[SIDE_BY_SIDE]
    cdef Py_ssize_t i, r, k
    cdef bint close = False
    plain.unit[0] = plain.unit[1] = plain.sides[0].unit = 1
    plain.ratio = 0
    plain.sides[0].shift = 0
    if Score not in Angle:
        plain.sides[0].shift = f.eps
    for r in range(TERMS * SIDE_BY_SIDE):
        total[r] = lost[r] = 0
    for i in range(n):
        for r in range(SIDE_BY_SIDE):
            collect(f, <Terms> Terms(0), &plain, a[i * SIDE_BY_SIDE + r], b[i * SIDE_BY_SIDE + r], total + r, lost + r, SIDE_BY_SIDE)
    if real is double:
        for r in range(TERMS * SIDE_BY_SIDE):
            total[r] = regained(total[r], lost[r])
    for r in range(rows):
        m = &pairs[r]
        m.unit[0] = m.unit[1] = m.sides[0].unit = 1
        m.sides[0].shift = plain.sides[0].shift
        if real is double and Score is not Taxicab:
            if Score is Euclid:
                odd[r] |= out_of_range(total[r])
            else:
                odd[r] |= out_of_range(total[SIDE_BY_SIDE + r]) or (Score in Closing and out_of_range(total[2 * SIDE_BY_SIDE + r]))
        settle(f, m, total[r], total[SIDE_BY_SIDE + r], total[2 * SIDE_BY_SIDE + r])
    if Score in Closing:
        if gap:
            for r in range(SIDE_BY_SIDE):
                ratio[r] = total[r] = lost[r] = 0
            for r in range(rows):
                ratio[r] = pairs[r].product / pairs[r].squares[1]
                close |= pairs[r].score > 0.5
        if gap and close:
            for i in range(n):
                for r in range(SIDE_BY_SIDE):
                    plain.ratio = ratio[r]
                    collect(f, <Remainder> Remainder(0), &plain, a[i * SIDE_BY_SIDE + r], b[i * SIDE_BY_SIDE + r], total + r,
                            lost + r, SIDE_BY_SIDE)
            for r in range(rows):
                if pairs[r].score > 0.5:
                    pairs[r].ratio = ratio[r]
                    pairs[r].gap = close_gap(f, &pairs[r], regained(total[r], lost[r]) if real is double else total[r])


cdef struct Sides:            # of the rows of a tile, field by field
    double cross[SIDE_BY_SIDE]
    double along[SIDE_BY_SIDE]
    double turn[SIDE_BY_SIDE]
    double bend[SIDE_BY_SIDE]
    double curve[SIDE_BY_SIDE]
    double first[SIDE_BY_SIDE]
    double second[SIDE_BY_SIDE]
    double square[SIDE_BY_SIDE]
    double flat[SIDE_BY_SIDE]
    double awake[SIDE_BY_SIDE]     # 0 where the loss does not depend on the score, or counts for nothing
    double shift


cdef void see_tile(const Score *score, Py_ssize_t rows, const Pairing *pairs, int me, const Outer *outers, int which,
                   const double *weights, Sides *to) noexcept nogil:
    """What the derivatives with respect to one vector take, of a tile; rows that are not there count as 0."""
    cdef Score f = score[0]
    cdef Side side
    cdef Py_ssize_t r
    to.shift = 0
    if Score not in Angle:
        to.shift = f.eps if me == 0 else -f.eps
    for r in range(rows):
        see(f, &pairs[r], me, &side)
        chain(&outers[r], which, weights[r], &side)
        to.cross[r] = side.cross if Score in Angle or Score is Chebyshev else 0
        to.turn[r] = side.turn if Score in Closing else 0
        to.curve[r] = side.curve if Score in Closing else 0
        to.along[r] = side.along if Score is not Taxicab else 0
        to.bend[r] = side.bend if Score in Closing or Score is Euclid else 0
        to.first[r] = side.first
        to.second[r] = side.second
        to.square[r] = side.square
        to.flat[r] = side.flat
        to.awake[r] = 0 if weights[r] == 0 or idle(&side) else 1
    for r in range(rows, SIDE_BY_SIDE):
        to.cross[r] = to.along[r] = to.turn[r] = to.bend[r] = to.curve[r] = 0
        to.first[r] = to.second[r] = to.square[r] = to.flat[r] = to.awake[r] = 0

cdef inline void gathered(const Sides *sides, Py_ssize_t r, Side *side) noexcept nogil:
    side.unit = side.other_unit = 1
    side.shift = sides.shift
    side.cross = sides.cross[r]
    side.along = sides.along[r]
    side.turn = sides.turn[r]
    side.bend = sides.bend[r]
    side.curve = sides.curve[r]


cdef void derive_tile(const Score *score, const Count *count, const Order *order, const Sides *ps, const Sides *qs, Py_ssize_t n,
                      const real *x, const real *y, const real *z, real *g, real *h) noexcept nogil:
    """derive_piece of a tile."""
    cdef Score f = score[0]
    cdef Side p, q
    cdef double a, b, c, d
    cdef Py_ssize_t i, r, at
    for i in range(n):
        for r in range(SIDE_BY_SIDE):
            at = i * SIDE_BY_SIDE + r
            gathered(ps, r, &p)
            a = slope(f, &p, x[at], y[at])
            c = ps.first[r] * a
            c = 0 if ps.awake[r] == 0 else c
            if Order is Curvature:
                d = ps.second[r] * bend(f, &p, x[at], y[at], a) + ps.square[r] * (a * a) + ps.flat[r]
                d = 0 if ps.awake[r] == 0 else d
            if Count is Two:
                gathered(qs, r, &q)
                b = slope(f, &q, x[at], z[at])
                c = c if qs.awake[r] == 0 else qs.first[r] * b if ps.awake[r] == 0 else c + qs.first[r] * b
                if Order is Curvature:
                    b = qs.second[r] * bend(f, &q, x[at], z[at], b)
                    d = d if qs.awake[r] == 0 else b if ps.awake[r] == 0 else d + b
            g[at] = <real> c
            if Order is Curvature:
                h[at] = <real> d


cdef void derive_tile_of(const Score *score, const Sides *first, const Sides *second, Py_ssize_t n, int order, const real *x,
                         const real *y, const real *z, real *g, real *h) noexcept nogil:
    """`second` is NULL for a loss of one score."""
    if second == NULL and order < 2:
        derive_tile(score, <const One *> NULL, <const Slope *> NULL, first, first, n, x, y, y, g, g)
    elif second == NULL:
        derive_tile(score, <const One *> NULL, <const Curvature *> NULL, first, first, n, x, y, y, g, h)
    elif Score not in Angle:
        if order < 2:
            derive_tile(score, <const Two *> NULL, <const Slope *> NULL, first, second, n, x, y, z, g, g)
        else:
            derive_tile(score, <const Two *> NULL, <const Curvature *> NULL, first, second, n, x, y, z, g, h)


# ---- one call --------------------------------------------------------------------------------------------------------

ctypedef void (*Measure)(const void *score, const Line *a, const Line *b, Py_ssize_t n, bint gap, Pairing *m,
                         const void *like) noexcept nogil
ctypedef void (*See)(const void *score, const Pairing *m, int me, Side *side, const void *like) noexcept nogil
ctypedef void (*Derive)(const void *score, const Side *first, const Side *second, const Line *x, const Line *y, const Line *z,
                        Py_ssize_t n, int order, const Space *space, const Line *g, const Line *h,
                        const void *like) noexcept nogil
ctypedef double (*DeriveAll)(const void *score, const Pairing *m, int me, const Side *side, const Line *x, const Line *y,
                             Py_ssize_t n, const void *like) noexcept nogil
ctypedef void (*MeasureTile)(const void *score, Py_ssize_t n, Py_ssize_t rows, bint gap, const void *a, const void *b,
                             Pairing *pairs, bint *odd) noexcept nogil
ctypedef void (*SeeTile)(const void *score, Py_ssize_t rows, const Pairing *pairs, int me, const Outer *outers, int which,
                         const double *weights, Sides *to) noexcept nogil
ctypedef void (*DeriveTile)(const void *score, const Sides *first, const Sides *second, Py_ssize_t n, int order, const void *x,
                            const void *y, const void *z, void *g, void *h) noexcept nogil
ctypedef bint (*OuterOf)(const void *loss, const double *s, double gap, double t, Outer *o) noexcept nogil
ctypedef bint (*OutsideOf)(const void *loss, double t) noexcept nogil

cdef struct ScoreEntry:
    Measure measures[2]       # of floats and of doubles
    See see
    Derive derives[2]
    DeriveAll derives_all[2]
    MeasureTile measure_tiles[2]   # NULL for scores that are worked on row by row
    SeeTile see_tile
    DeriveTile derive_tiles[2]
    int parameters
    bint angle

cdef struct LossEntry:
    OuterOf outer
    OutsideOf outside
    int parameters
    int pairs                 # scores that it takes
    bint gap                  # whether it takes 1 - s
    bint signs                # whether booleans are -1 and 1

cdef enum:
    MOST = 32                 # scores, or losses, that the lists hold

cdef ScoreEntry _scores[MOST]
cdef LossEntry _losses[MOST]
SCORES = {}      # name: number
LOSSES = {}

cdef struct Vectors:
    Space space
    Operand operands[<int> V_OPERANDS]
    const ScoreEntry *score
    const LossEntry *loss
    const double *score_parameters
    const double *loss_parameters
    Py_ssize_t length         # of the vectors
    double scale              # of gradients and second derivatives
    int order
    int *outside              # set to 1 if a target is none
    bint tiled                # whether rows are worked on in tiles
    Team team


cdef inline double load_number(const Operand *op, const char *data, const real *like) noexcept nogil:
    cdef real x
    if op.native:
        return (<const real *> data)[0]
    op.load(data, 0, op.swapped, 1, &x)
    return x


cdef inline void store_value(const Operand *op, char *data, double value, const real *like) noexcept nogil:
    cdef real stored = <real> value
    if op.data == NULL:
        return
    if op.native:
        (<real *> data)[0] = stored
    else:
        op.store(data, 0, 1, &stored)


cdef double vectors_row(const real *like, const Vectors *job, char **data, Pairing *pairs) noexcept nogil:
    """One row; returns its value."""
    cdef const Operand *op = <const Operand *> job.operands
    cdef const ScoreEntry *score = job.score
    cdef int axis = job.space.outer, pairings = job.loss.pairs, k, j, which, me, found, order, precise = 0
    cdef Py_ssize_t n = job.length
    cdef Line lines[3]
    cdef Line g, h
    cdef Side sides[2]
    cdef int others[2]
    cdef double scores[3]
    cdef double t = 0, w = 1, value
    cdef double *sum_
    cdef Outer o
    if real is double:
        precise = 1
    for k in range(3 if pairings > 1 else 2):
        lines[k] = line_of(&op[k], data[k], axis)
    if op[<int> V_T].data != NULL:
        t = load_number(&op[<int> V_T], data[<int> V_T], like)
    if op[<int> V_W].data != NULL:
        w = load_number(&op[<int> V_W], data[<int> V_W], like)
    for k in range(pairings if w != 0 else 0):      # of the first and second, first and third, second and third vector
        score.measures[precise](job.score_parameters, &lines[k // 2], &lines[1 if k == 0 else 2], n,
                                job.loss.gap and (t > 0 or op[<int> V_T].data == NULL), &pairs[k], like)
        scores[k] = pairs[k].score
    value = 0
    if w != 0:                     # else the row counts for nothing, whatever it holds
        if job.loss.outer(job.loss_parameters, <const double *> scores, pairs[0].gap, t, &o):
            job.outside[0] = 1
        value = o.value * w
    store_value(&op[<int> V_V], data[<int> V_V], value, like)
    if job.order == 0:
        return value
    w = 0 if w == 0 else w * job.scale
    for k in range(3 if pairings > 1 else 2):
        if op[<int> V_G + k].data == NULL:
            continue
        g = line_of(&op[<int> V_G + k], data[<int> V_G + k], axis)
        order = job.order
        if order > 1 and op[<int> V_H + k].added and op[<int> V_H + k].strides[axis] == 0 and n > 1:
            order = 1            # one number stands for all elements of the vector
        h = line_of(&op[<int> V_H + k], data[<int> V_H + k], axis) if order > 1 else g
        found = 0
        for j in range(3):
            if j == k:
                continue
            which = k + j - 1
            if which < pairings:
                me = 0 if k < j else 1
                if w != 0:
                    score.see(job.score_parameters, &pairs[which], me, &sides[found], like)
                    chain(&o, which, w, &sides[found])
                else:
                    put_to_sleep(&sides[found])
                others[found] = j
                found += 1
        score.derives[precise](job.score_parameters, &sides[0], &sides[1] if found > 1 else NULL, &lines[k], &lines[others[0]],
                               &lines[others[found - 1]], n, order, &job.space, &g, &h, like)
        for j in range(found if order < job.order else 0):
            sum_ = <double *> data[<int> V_H + k]
            sum_[0] += score.derives_all[precise](job.score_parameters, &pairs[k + others[j] - 1], 0 if k < others[j] else 1,
                                                  &sides[j], &lines[k], &lines[others[j]], n, like)
    return value


cdef inline void turn_in(const char *data, Py_ssize_t step, Py_ssize_t rows, Py_ssize_t n, real *tile, real *spare) noexcept nogil:
    if real is float:
        rm_turn_inf(<const real *> data, step // <Py_ssize_t> sizeof(real), rows, n, SIDE_BY_SIDE, tile, spare)
    else:
        rm_turn_in(<const real *> data, step // <Py_ssize_t> sizeof(real), rows, n, SIDE_BY_SIDE, tile, spare)

cdef inline void turn_out(char *data, Py_ssize_t step, Py_ssize_t rows, Py_ssize_t n, real *tile, real *spare) noexcept nogil:
    if real is float:
        rm_turn_outf(tile, spare, <real *> data, step // <Py_ssize_t> sizeof(real), rows, n, SIDE_BY_SIDE)
    else:
        rm_turn_out(tile, spare, <real *> data, step // <Py_ssize_t> sizeof(real), rows, n, SIDE_BY_SIDE)

cdef inline bint can_be_turned(const Operand *op, const Space *space, Py_ssize_t n, const real *like) noexcept nogil:
    """Whether its rows lie one after the other, each in one piece."""
    return op.flat and space.outer > 0 and op.strides[space.outer - 1] >= n * <Py_ssize_t> sizeof(real)


cdef void vectors_tile(const real *like, const Vectors *job, Py_ssize_t rows, char **data, double *values) noexcept nogil:
    """A tile of rows of short vectors; fills their values in."""
    cdef const Operand *op = <const Operand *> job.operands
    cdef const ScoreEntry *score = job.score
    cdef const real *vectors[3]
    cdef real *memory
    cdef real *tile
    cdef Pairing pairs[3][SIDE_BY_SIDE]
    cdef Sides sides[2]
    cdef Outer outers[SIDE_BY_SIDE]
    cdef double weights[SIDE_BY_SIDE]
    cdef bint odd[SIDE_BY_SIDE]
    cdef Py_ssize_t steps[<int> V_OPERANDS]
    cdef char *one[<int> V_OPERANDS]
    cdef double scores[3]
    cdef double t
    cdef int others[2]
    cdef int pairings = job.loss.pairs, operands = 3 if pairings > 1 else 2, k, j, which, found, output, precise = 0
    cdef Py_ssize_t n = job.length, r
    if real is double:
        precise = 1
        memory = <real *> fl_own(&job.team).doubles
    else:
        memory = <real *> fl_own(&job.team).floats
    tile = memory + 4 * <int> TILE_APART      # two for derivatives, after three for vectors and one for turning
    for k in range(<int> V_OPERANDS):
        steps[k] = op[k].strides[job.space.outer - 1]
    for k in range(operands):
        vectors[k] = memory + k * <int> TILE_APART
        turn_in(data[k], steps[k], rows, n, memory + k * <int> TILE_APART, memory + 3 * <int> TILE_APART)
    for r in range(rows):
        odd[r] = False
    for k in range(pairings):
        score.measure_tiles[precise](job.score_parameters, n, rows, job.loss.gap, vectors[k // 2], vectors[1 if k == 0 else 2],
                                     pairs[k], <bint *> odd)
    for r in range(rows):
        t = load_number(&op[<int> V_T], data[<int> V_T] + r * steps[<int> V_T], like) if op[<int> V_T].data != NULL else 0
        weights[r] = load_number(&op[<int> V_W], data[<int> V_W] + r * steps[<int> V_W], like) if op[<int> V_W].data != NULL else 1
        for k in range(pairings):
            scores[k] = pairs[k][r].score
        if job.loss.outer(job.loss_parameters, <const double *> scores, pairs[0][r].gap, t, &outers[r]) and weights[r] != 0:
            job.outside[0] = 1
        values[r] = 0 if weights[r] == 0 else outers[r].value * weights[r]
        store_value(&op[<int> V_V], data[<int> V_V] + r * steps[<int> V_V], values[r], like)
        weights[r] = 0 if weights[r] == 0 else weights[r] * job.scale
    for k in range(operands if job.order > 0 else 0):
        if op[<int> V_G + k].data == NULL:
            continue
        found = 0
        for j in range(3):
            which = k + j - 1
            if j == k or which >= pairings:
                continue
            score.see_tile(job.score_parameters, rows, pairs[which], 0 if k < j else 1, <const Outer *> outers, which,
                           <const double *> weights, &sides[found])
            others[found] = j
            found += 1
        score.derive_tiles[precise](job.score_parameters, &sides[0], &sides[1] if found > 1 else NULL, n, job.order, vectors[k],
                                    vectors[others[0]], vectors[others[found - 1]], tile, tile + <int> TILE_APART)
        for output in range(job.order):
            which = (<int> V_H if output else <int> V_G) + k
            turn_out(data[which], steps[which], rows, n, tile + output * <int> TILE_APART, memory + 3 * <int> TILE_APART)
    for r in range(rows):
        if odd[r]:
            for k in range(<int> V_OPERANDS):
                one[k] = data[k] + r * steps[k] if data[k] != NULL else NULL
            values[r] = vectors_row(like, job, <char **> one, pairs[0])


cdef double vectors_span(const real *like, const Vectors *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Rows start … stop-1; returns the sum of their values."""
    cdef const Operand *op = <const Operand *> job.operands
    cdef const Space *space = &job.space
    cdef char *data[<int> V_OPERANDS]
    cdef double values[SIDE_BY_SIDE]
    cdef Pairing pairs[3]
    cdef Py_ssize_t row = start, rows, r, length = space.shape[space.outer - 1] if space.outer > 0 else 1
    cdef Sum total = Sum(0, 0)
    cdef int k
    while row < stop:
        rows = min(stop - row, length - row % length)      # not over the end of the innermost axis
        rows = min(rows, max(<Py_ssize_t> 1, WATCHED // max(job.length, <Py_ssize_t> 1)))
        if fl_stops(<Team *> &job.team):
            break
        for k in range(<int> V_OPERANDS):
            data[k] = op[k].data + offset_of(&op[k], space, 0, space.outer, row) if op[k].data != NULL else NULL
        if job.tiled:
            rows = min(rows, <Py_ssize_t> SIDE_BY_SIDE)
            vectors_tile(like, job, rows, <char **> data, <double *> values)
            for r in range(rows):
                add(&total, values[r])
        else:
            for r in range(rows):
                add(&total, vectors_row(like, job, <char **> data, <Pairing *> pairs))
                for k in range(<int> V_OPERANDS if r + 1 < rows else 0):
                    if data[k] != NULL:
                        data[k] += op[k].strides[space.outer - 1]
        row += rows
    return result(total)


cdef int raise_outside(const real *like, const Vectors *job, tuple arrays, Py_ssize_t rows) except -1:
    """Find the first row, in C order, whose target is none: LookupError(operand, position)."""
    cdef cnp.ndarray target = arrays[<int> V_T], weight = arrays[<int> V_W]
    cdef Operand t, w
    cdef Space space
    cdef Py_ssize_t row
    cdef int axis, ndim = cnp.PyArray_NDIM(target)
    describe(&t, target, like, ndim, job.loss.signs)
    describe(&w, weight, like, ndim)
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(target, axis)
    for row in range(rows):
        if w.data == NULL or load_number(&w, w.data + offset_of(&w, &space, 0, ndim, row), like) != 0:
            if job.loss.outside(job.loss_parameters, load_number(&t, t.data + offset_of(&t, &space, 0, ndim, row), like)):
                raise LookupError(<int> V_T, row)
    raise LookupError(<int> V_T, -1)      # another thread has changed it


cdef double run_vectors(const real *like, Vectors *job, tuple arrays, int threads) except? -1:
    cdef cnp.ndarray array, x = arrays[0]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef int k, axis, outer = cnp.PyArray_NDIM(x) - 1, outside = 0
    cdef Py_ssize_t rows = 1
    cdef double total
    for k in range(<int> V_OPERANDS):
        array = arrays[k]
        check_shape(array, x, outer if V_T <= k <= V_V else outer + 1)
        describe(&op[k], array, like, outer + 1, k == V_T and job.loss.signs, k >= V_V)
    for axis in range(outer):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
        rows *= space.shape[axis]
    job.length = cnp.PyArray_DIM(x, outer)
    space.shape[outer] = job.length
    if rows == 0:
        return 0
    space.outer = merge_axes(op, <int> V_OPERANDS, space, 0, outer, 0)
    move_axis(op, <int> V_OPERANDS, space, outer, space.outer)
    space.ndim = space.outer + 1
    for k in range(<int> V_OPERANDS):
        op[k].flat = op[k].data != NULL and is_flat(&op[k], space, space.outer, space.ndim)
        if k >= V_G and op[k].data != NULL and op[k].kind == DOUBLE and shares_items(&op[k], space, 0, space.ndim):
            op[k].added = True
            op[k].flat = False
            threads = 1
    job.outside = &outside
    job.tiled = job.score.measure_tiles[0] != NULL and 0 < job.length < SIDE_BY_SIDE and rows >= FEW_ROWS
    for k in range(<int> V_OPERANDS):
        if (k < 3 or k >= V_G) and op[k].data != NULL and not can_be_turned(&op[k], space, job.length, like):
            job.tiled = False
    if real is float:
        total = run(<Span> <void *> vectors_span[float], job, rows, max(<Py_ssize_t> 1, BLOCK // max(<Py_ssize_t> 1, job.length)),
                    rows * job.length, threads, &job.team, job.tiled)
    else:
        total = run(<Span> <void *> vectors_span[double], job, rows, max(<Py_ssize_t> 1, BLOCK // max(<Py_ssize_t> 1, job.length)),
                    rows * job.length, threads, &job.team, job.tiled)
    if outside:
        raise_outside(like, job, arrays, rows)
    return total


def vectors(int score, tuple score_parameters, int loss, tuple loss_parameters, bint double_precision, int order, double scale,
            int threads, tuple arrays):
    """Run one loss of one score over the rows of two or three arrays, along their last axis.

    The arrays are (a, b, c, target, weight and value of each row, three gradients, three second derivatives), None where
    there is none; derivatives are multiplied by `scale`, and added to float64 items where an output was broadcast. Returns
    the sum of the weighted values; rows of weight 0 are left out. Raises LookupError(operand, position) for the first target
    that is none."""
    cdef Vectors job
    cdef double numbers[2][SCALARS]
    cdef int k, operands
    if not 0 <= score < len(SCORES) or not 0 <= loss < len(LOSSES) or len(arrays) != <int> V_OPERANDS or not 0 <= order <= 2:
        raise ValueError("kernel: no such score, loss, order or number of operands")
    job.score = &_scores[score]
    job.loss = &_losses[loss]
    if len(score_parameters) != job.score.parameters or len(loss_parameters) != job.loss.parameters:
        raise ValueError("kernel: not the number of parameters needed")
    operands = 3 if job.loss.pairs > 1 else 2
    if operands == 3 and job.score.angle:
        raise ValueError("kernel: no such loss of this score")
    for k in range(3):
        if (arrays[k] is None) != (k >= operands):
            raise ValueError("kernel: not the vectors for this loss")
        if arrays[<int> V_G + k] is not None and (order < 1 or k >= operands):
            raise ValueError("kernel: not the arrays for the derivatives asked for")
        if (arrays[<int> V_H + k] is not None) != (order > 1 and arrays[<int> V_G + k] is not None):
            raise ValueError("kernel: not the arrays for the derivatives asked for")
    for k in range(len(score_parameters)):
        numbers[0][k] = score_parameters[k]
    for k in range(len(loss_parameters)):
        numbers[1][k] = loss_parameters[k]
    job.score_parameters = numbers[0]
    job.loss_parameters = numbers[1]
    job.order = order
    job.scale = scale
    if (<cnp.ndarray> arrays[0]).ndim < 1:
        raise ValueError("kernel: vectors have an axis")
    if double_precision:
        return run_vectors[double](NULL, &job, arrays, threads)
    return run_vectors[float](NULL, &job, arrays, threads)


# ---- the lists -------------------------------------------------------------------------------------------------------

cdef int check_place(dict names, str name, size_t size) except -1:
    """The place of a new score or loss in its list; `size` is that of its parameters."""
    if len(names) == <int> MOST or name in names or size > <int> SCALARS * sizeof(double):
        raise AssertionError(f"kernel: too many scores or losses, or parameters of {name}, or its name is taken")
    return len(names)


cdef int enlist_score(const Score *like, str name) except -1:
    cdef ScoreEntry *entry = &_scores[check_place(SCORES, name, sizeof(Score))]
    entry.measures[0] = <Measure> <void *> measure[Score, float]
    entry.measures[1] = <Measure> <void *> measure[Score, double]
    entry.see = <See> <void *> see_side[Score, double]
    entry.derives[0] = <Derive> <void *> derive[Score, float]
    entry.derives[1] = <Derive> <void *> derive[Score, double]
    entry.derives_all[0] = <DeriveAll> <void *> derive_all[Score, float]
    entry.derives_all[1] = <DeriveAll> <void *> derive_all[Score, double]
    entry.measure_tiles[0] = entry.measure_tiles[1] = NULL
    if Score not in Ranged:
        entry.measure_tiles[0] = <MeasureTile> <void *> measure_tile[Score, float]
        entry.measure_tiles[1] = <MeasureTile> <void *> measure_tile[Score, double]
        entry.see_tile = <SeeTile> <void *> see_tile[Score]
        entry.derive_tiles[0] = <DeriveTile> <void *> derive_tile_of[Score, float]
        entry.derive_tiles[1] = <DeriveTile> <void *> derive_tile_of[Score, double]
    entry.parameters = sizeof(Score) // sizeof(double)
    entry.angle = False
    if Score in Angle:
        entry.angle = True
    SCORES[name] = len(SCORES)
    return 0


cdef bint outer_of(const Loss *loss, const double *s, double gap, double t, Outer *o) noexcept nogil:
    return outer(loss[0], s, gap, t, o)

cdef bint outside_of_loss(const Loss *loss, double t) noexcept nogil:
    return outside_of(loss[0], t)


cdef int enlist_loss(const Loss *like, str name, int pairs, bint gap, bint signs) except -1:
    cdef LossEntry *entry = &_losses[check_place(LOSSES, name, sizeof(Loss))]
    entry.outer = <OuterOf> <void *> outer_of[Loss]
    entry.outside = <OutsideOf> <void *> outside_of_loss[Loss]
    entry.parameters = sizeof(Loss) // sizeof(double)
    entry.pairs = pairs
    entry.gap = gap
    entry.signs = signs
    LOSSES[name] = len(LOSSES)
    return 0


enlist_score[Cosine](NULL, "cosine")
enlist_score[SmoothCosine](NULL, "smooth cosine")
enlist_score[Projection](NULL, "projection")
enlist_score[Taxicab](NULL, "1")
enlist_score[Euclid](NULL, "2")
enlist_score[Chebyshev](NULL, "inf")
enlist_score[Minkowski](NULL, "p")
enlist_loss[Identity](NULL, "identity", 1, False, False)
enlist_loss[Complement](NULL, "complement", 1, True, False)
enlist_loss[Embedding](NULL, "embedding", 1, True, True)
enlist_loss[Triplet](NULL, "triplet", 2, False, False)
enlist_loss[SwappedTriplet](NULL, "swapped triplet", 3, False, False)
enlist_loss[Contrastive](NULL, "contrastive", 1, False, False)
