# Tiles of short vectors. See tiles.pxd.

from kernels.core.numeric cimport real
from kernels.core.sums cimport regained
from kernels.vectors.losses cimport LossTerms, apply_loss_slope
from kernels.vectors.pieces cimport (
    SIDE_BY_SIDE, TERMS, Count, Curvature, One, Order, Remainder, Slope, Terms, Two, collect, out_of_range)
from kernels.vectors.scores cimport (
    Angle, Closing, Euclid, OnePass, Pair, Side, Taxicab, curvature, close_gap, finish_score, is_zero, prepare_side, slope)


cdef void compute_tile(const OnePass *score, Py_ssize_t n, Py_ssize_t rows, bint gap, const real *a, const real *b,
                       Pair *pairs, bint *rescaled) noexcept nogil:
    """The scores of a tile; `rescaled` says which rows want a unit of their own."""
    cdef OnePass f = score[0]
    cdef Pair *m
    cdef Pair plain
    cdef double total[TERMS * SIDE_BY_SIDE]
    cdef double lost[TERMS * SIDE_BY_SIDE]
    cdef double ratio[SIDE_BY_SIDE]
    cdef Py_ssize_t i, r, sums = 1
    cdef bint close = False
    plain.unit[0] = plain.unit[1] = plain.sides[0].unit = 1
    plain.ratio = 0
    plain.sides[0].shift = 0
    if OnePass in Angle:
        sums = TERMS
    else:
        plain.sides[0].shift = f.eps
    for r in range(sums * SIDE_BY_SIDE):
        total[r] = lost[r] = 0
    for i in range(n):
        for r in range(SIDE_BY_SIDE):
            collect(f, <Terms> Terms(0), &plain, a[i * SIDE_BY_SIDE + r], b[i * SIDE_BY_SIDE + r], total + r, lost + r, SIDE_BY_SIDE)
    if real is double:
        for r in range(sums * SIDE_BY_SIDE):
            total[r] = regained(total[r], lost[r])
    for r in range(rows):
        m = &pairs[r]
        m.unit[0] = m.unit[1] = m.sides[0].unit = 1
        m.sides[0].shift = plain.sides[0].shift
        if real is double and OnePass is not Taxicab:
            if OnePass is Euclid:
                rescaled[r] |= out_of_range(total[r])
            else:
                rescaled[r] |= out_of_range(total[SIDE_BY_SIDE + r]) or (OnePass in Closing and out_of_range(total[2 * SIDE_BY_SIDE + r]))
        finish_score(f, m, total[r], total[SIDE_BY_SIDE + r], total[2 * SIDE_BY_SIDE + r])
    if OnePass in Closing:
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


cdef void prepare_tile(const OnePass *score, Py_ssize_t rows, const Pair *pairs, int me, const LossTerms *losses, int which,
                   const double *weights, Sides *to) noexcept nogil:
    """What the derivatives with respect to one vector take, of a tile; rows that are not there count as 0."""
    cdef OnePass f = score[0]
    cdef Side side
    cdef Py_ssize_t r
    to.shift = 0
    if OnePass not in Angle:
        to.shift = f.eps if me == 0 else -f.eps
    for r in range(rows):
        prepare_side(score, &pairs[r], me, &side)
        apply_loss_slope(&losses[r], which, weights[r], &side)
        to.cross[r] = side.cross if OnePass in Angle else 0
        to.turn[r] = side.turn if OnePass in Closing else 0
        to.curve[r] = side.curve if OnePass in Closing else 0
        to.along[r] = side.along if OnePass is not Taxicab else 0
        to.curvature[r] = side.curvature if OnePass in Closing or OnePass is Euclid else 0
        to.first[r] = side.first
        to.second[r] = side.second
        to.square[r] = side.square
        to.flat[r] = side.flat
        to.active[r] = 0 if weights[r] == 0 or is_zero(&side) else 1
    for r in range(rows, SIDE_BY_SIDE):
        to.cross[r] = to.along[r] = to.turn[r] = to.curvature[r] = to.curve[r] = 0
        to.first[r] = to.second[r] = to.square[r] = to.flat[r] = to.active[r] = 0

cdef inline void gathered(const Sides *sides, Py_ssize_t r, Side *side) noexcept nogil:
    side.unit = side.other_unit = 1
    side.shift = sides.shift
    side.cross = sides.cross[r]
    side.along = sides.along[r]
    side.turn = sides.turn[r]
    side.curvature = sides.curvature[r]
    side.curve = sides.curve[r]


cdef void derive_rows(const OnePass *score, const Count *count, const Order *order, const Sides *ps, const Sides *qs, Py_ssize_t n,
                      const real *x, const real *y, const real *z, real *g, real *h) noexcept nogil:
    """derive_piece of a tile."""
    cdef OnePass f = score[0]
    cdef Side p, q
    cdef double a, b, c, d
    cdef Py_ssize_t i, r, at
    for i in range(n):
        for r in range(SIDE_BY_SIDE):
            at = i * SIDE_BY_SIDE + r
            gathered(ps, r, &p)
            a = slope(f, &p, x[at], y[at])
            c = ps.first[r] * a
            c = 0 if ps.active[r] == 0 else c
            if Order is Curvature:
                d = ps.second[r] * curvature(f, &p, x[at], y[at], a) + ps.square[r] * (a * a) + ps.flat[r]
                d = 0 if ps.active[r] == 0 else d
            if Count is Two:
                gathered(qs, r, &q)
                b = slope(f, &q, x[at], z[at])
                c = c if qs.active[r] == 0 else qs.first[r] * b if ps.active[r] == 0 else c + qs.first[r] * b
                if Order is Curvature:
                    b = qs.second[r] * curvature(f, &q, x[at], z[at], b)
                    d = d if qs.active[r] == 0 else b if ps.active[r] == 0 else d + b
            g[at] = <real> c
            if Order is Curvature:
                h[at] = <real> d


cdef void derive_tile(const OnePass *score, const Sides *first, const Sides *second, Py_ssize_t n, int order, const real *x,
                      const real *y, const real *z, real *g, real *h) noexcept nogil:
    """`second` is NULL for a loss of one score."""
    if second == NULL and order < 2:
        derive_rows(score, <const One *> NULL, <const Slope *> NULL, first, first, n, x, y, y, g, g)
    elif second == NULL:
        derive_rows(score, <const One *> NULL, <const Curvature *> NULL, first, first, n, x, y, y, g, h)
    elif OnePass not in Angle:
        if order < 2:
            derive_rows(score, <const Two *> NULL, <const Slope *> NULL, first, second, n, x, y, z, g, g)
        else:
            derive_rows(score, <const Two *> NULL, <const Curvature *> NULL, first, second, n, x, y, z, g, h)
