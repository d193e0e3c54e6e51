# Passes over two or three vectors. See pieces.pxd.

from libc.math cimport frexp, ldexp
from kernels.core.numeric cimport real
from kernels.core.operands cimport Space, store_block
from kernels.core.sums cimport accumulate_wide, regained
from kernels.vectors.scores cimport (
    Angle, Chebyshev, Closing, Cosine, Euclid, Minkowski, OnePass, Pair, Score, Side, SmoothCosine, Taxicab, curvature, curvature_of_all,
    close_gap, finish_score, is_zero, slope, weigh)

cdef enum:
    CHUNK = 512           # elements of a vector that are worked on at once
    GREATEST_UNIT = 1000  # units are 2^-1000 to 2^1000


cdef inline const real *piece(const Line *line, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    if line.here:
        return <const real *> line.data + start
    line.op.load(line.data + start * line.step, line.step, line.op.swapped, n, block)
    return block


cdef inline real *output_or_buffer(const Line *line, Py_ssize_t start, real *block) noexcept nogil:
    return <real *> line.data + start if line.here else block


cdef inline void gather(double *totals, double *losts, double *total, double *lost, const real *like) noexcept nogil:
    """Add up the accumulators of one sum, in a fixed order; it overwrites them."""
    cdef Py_ssize_t j, width = SIDE_BY_SIDE // 2, least = 1
    if real is float:
        least = 8
    while width >= least:
        for j in range(width):
            accumulate_wide(totals[j + width], &totals[j], &losts[j], like)
            if real is double:
                losts[j] += losts[j + width]
        width //= 2
    if real is float:      # in the same order, without the stores that short halves would wait for
        total[0] += (((totals[0] + totals[4]) + (totals[2] + totals[6])) + ((totals[1] + totals[5]) + (totals[3] + totals[7])))
    else:
        accumulate_wide(totals[0], total, lost, like)
        lost[0] += losts[0]


cdef inline void collect_piece(const Score *score, const Stage *stage, const Pair *pair, const real *x, const real *y,
                        Py_ssize_t n, double *totals, double *losts) noexcept nogil:
    """Add up a piece of two vectors, or find the largest there."""
    cdef Score f = score[0]
    cdef Stage which
    cdef Pair m = pair[0]
    cdef double total[TERMS * SIDE_BY_SIDE]
    cdef double lost[TERMS * SIDE_BY_SIDE]
    cdef Py_ssize_t i, j, k, width, sums = 1, whole = n - n % SIDE_BY_SIDE
    if Score in Angle and Stage is not Remainder:
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
        if Stage is Largest:
            width = SIDE_BY_SIDE // 2
            while width > 0:
                for j in range(k * SIDE_BY_SIDE, k * SIDE_BY_SIDE + width):
                    total[j] = total[j + width] if total[j + width] > total[j] else total[j]
                width //= 2
            totals[k] = total[k * SIDE_BY_SIDE] if total[k * SIDE_BY_SIDE] > totals[k] else totals[k]
        else:
            gather(total + k * SIDE_BY_SIDE, lost + k * SIDE_BY_SIDE, &totals[k], &losts[k], x)


cdef void collect_all(const Score *score, const Stage *stage, const Pair *m, const Line *a, const Line *b, Py_ssize_t n,
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
    frexp(largest, &exponent)
    return ldexp(1, max(-<int> GREATEST_UNIT, min(<int> GREATEST_UNIT, 1 - exponent)))


cdef void find_units(const Score *score, Pair *m, const Line *a, const Line *b, Py_ssize_t n, const real *like) noexcept nogil:
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


cdef void compute_score(const Score *score, const Line *a, const Line *b, Py_ssize_t n, bint gap, Pair *m,
                  const real *like) noexcept nogil:
    """The score of two vectors, and 1 - it where that is asked for."""
    cdef double totals[TERMS]
    m.unit[0] = m.unit[1] = 1
    m.sides[0].unit = 1
    if Score not in Angle:
        m.sides[0].shift = score.eps
    if Score not in OnePass:
        find_units(score, m, a, b, n, like)
    collect_all(score, <const Terms *> NULL, m, a, b, n, <double *> totals, like)
    if real is double and Score in OnePass and Score is not Taxicab:
        if out_of_range(totals[0] if Score is Euclid else totals[1]) or (Score in Closing and out_of_range(totals[2])):
            find_units(score, m, a, b, n, like)
            collect_all(score, <const Terms *> NULL, m, a, b, n, <double *> totals, like)
    finish_score(score[0], m, totals[0], totals[1], totals[2])
    if Score in Closing:
        if gap and m.score > 0.5:
            m.ratio = m.product / m.squares[1]
            collect_all(score, <const Remainder *> NULL, m, a, b, n, <double *> totals, like)
            m.gap = close_gap(score[0], m, totals[0])


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
            c = p.second * curvature(f, &p, x[i], y[i], a) + p.square * (a * a) + p.flat
            if Count is Two:
                c += q.second * curvature(f, &q, x[i], z[i], b)
            h[i] = <real> c


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
        if is_zero(second):
            two = False
        elif is_zero(first):
            first, y, two = second, z, False
    none = is_zero(first) and not two
    for i from 0 <= i < n by CHUNK:
        size = min(<Py_ssize_t> CHUNK, n - i)
        out[0] = output_or_buffer(g, i, <real *> blocks[3])
        out[1] = output_or_buffer(h, i, <real *> blocks[4]) if order > 1 else <real *> blocks[4]
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
            store_block(g.op, g.data, space, space.outer, space.ndim, i, size, <const real *> out[0])
        if order > 1 and not h.here:
            store_block(h.op, h.data, space, space.outer, space.ndim, i, size, <const real *> out[1])


cdef void weigh_piece(const Score *score, const Pair *pair, const real *x, const real *y, Py_ssize_t n, double *v,
                      double *w) noexcept nogil:
    cdef Score f = score[0]
    cdef Pair m = pair[0]
    cdef Py_ssize_t i
    for i in range(n):
        weigh(f, &m, x[i], y[i], &v[i], &w[i])


cdef void add_piece(const double *v, Py_ssize_t n, double *total, double *lost, const real *like) noexcept nogil:
    """Add up numbers as collect_piece does."""
    cdef double totals[SIDE_BY_SIDE]
    cdef double losts[SIDE_BY_SIDE]
    cdef Py_ssize_t i, j
    if n < SIDE_BY_SIDE:
        for i in range(n):
            accumulate_wide(v[i], total, lost, like)
        return
    for j in range(SIDE_BY_SIDE):
        totals[j] = losts[j] = 0
    for i from 0 <= i < n by SIDE_BY_SIDE:
        for j in range(min(<Py_ssize_t> SIDE_BY_SIDE, n - i)):
            accumulate_wide(v[i + j], &totals[j], &losts[j], like)
    gather(<double *> totals, <double *> losts, total, lost, like)


cdef void sum_weights(const Score *score, const Pair *m, const Line *a, const Line *b, Py_ssize_t n, bint scatter,
                      double *totals, const real *like) noexcept nogil:
    """The sums of weights and slopes; with `scatter`, that of weighted squares of deviations from the middle."""
    cdef real blocks[2][CHUNK]
    cdef double v[CHUNK]
    cdef double w[CHUNK]
    cdef double losts[2]
    cdef Py_ssize_t i, j, size
    totals[0] = totals[1] = losts[0] = losts[1] = 0
    for i from 0 <= i < n by CHUNK:
        size = min(<Py_ssize_t> CHUNK, n - i)
        weigh_piece(score, m, piece(a, i, size, <real *> blocks[0]), piece(b, i, size, <real *> blocks[1]), size,
                    <double *> v, <double *> w)
        for j in range(size):
            if scatter:
                w[j] = w[j] * (v[j] - m.middle) * (v[j] - m.middle)
            else:
                v[j] = v[j] * w[j]
        add_piece(<const double *> w, size, &totals[0], &losts[0], like)
        if not scatter:
            add_piece(<const double *> v, size, &totals[1], &losts[1], like)
    if real is double:
        totals[0] = regained(totals[0], losts[0])
        totals[1] = regained(totals[1], losts[1])


cdef double derive_all(const Score *score, const Pair *pair, int me, const Side *side, const Line *x, const Line *y,
                       Py_ssize_t n, const real *like) noexcept nogil:
    """The second derivative with respect to a number that is every element of x."""
    cdef double totals[2]
    cdef double weight, slopes
    cdef Pair m = pair[0]
    if is_zero(side):
        return 0
    m.sides[0] = side[0]
    m.inverse = 0 if m.product == 0 else 1 / (m.score * side.unit)
    sum_weights(score, &m, x, y, n, False, totals, like)
    weight, slopes = totals[0], totals[1]
    m.middle = 0 if weight == 0 else slopes / weight
    if Score not in Closing:
        sum_weights(score, &m, x, y, n, True, totals, like)
    return side.second * curvature_of_all(score[0], &m, me, n, weight, totals[0]) + side.square * (slopes * slopes) + side.flat * n
