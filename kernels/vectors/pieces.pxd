# Passes over two or three vectors, piece by piece. The loops over elements are compiled for each score.

from kernels.core.numeric cimport fabs, real
from kernels.core.operands cimport Operand, Space
from kernels.core.sums cimport accumulate_wide
from kernels.vectors.scores cimport Angle, Pair, Score, Side, difference, remainder, terms

cdef enum:
    SIDE_BY_SIDE = 32     # accumulators of each sum; more than the compiler unrolls, so that it vectorises the loop over them;
                          # of shorter vectors so many are worked on side by side
    TERMS = 3             # sums that a score takes, at most

cdef extern from *:
    """
    #define LEAST_SQUARE 0x1p-400     /* squares of norms from here on ... */
    #define LARGEST_SQUARE 0x1p400    /* ... to here can be multiplied by each other */
    """
    const double LEAST_SQUARE
    const double LARGEST_SQUARE


cdef struct Line:             # a vector
    char *data
    const Operand *op
    Py_ssize_t step
    bint here                 # whether it can be worked on where it lies

cdef inline Line line_of(const Operand *op, char *data, int axis) noexcept nogil:
    return Line(data, op, op.strides[axis], op.flat)


cdef void compute_score(const Score *score, const Line *a, const Line *b, Py_ssize_t n, bint gap, Pair *m,
                        const real *like) noexcept nogil
cdef void derive(const Score *score, const Side *first, const Side *second, const Line *x, const Line *y, const Line *z,
                 Py_ssize_t n, int order, const Space *space, const Line *g, const Line *h, const real *like) noexcept nogil
cdef double derive_all(const Score *score, const Pair *pair, int me, const Side *side, const Line *x, const Line *y,
                       Py_ssize_t n, const real *like) noexcept nogil


# What is written: derivatives of a loss of one score or of two; first ones, or second ones too.
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


# What is summed.
cdef struct Terms:
    char none
cdef struct Largest:          # |u|, or |a| and |b|: their largest
    char none
cdef struct Remainder:
    char none
ctypedef fused Stage:
    Terms
    Largest
    Remainder


cdef inline bint out_of_range(double square) noexcept nogil:
    return not LEAST_SQUARE < square < LARGEST_SQUARE


cdef inline void collect(Score f, Stage stage, const Pair *m, real x, real y, double *total, double *lost, Py_ssize_t step) noexcept nogil:
    """Add what one element gives to up to three sums, that lie `step` apart."""
    cdef double p = 0, q = 0, r = 0
    cdef const real *like = NULL
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
        else:
            terms(f, m, x, y, &p, &q, &r)
        accumulate_wide(p, total, lost, like)
        if Stage is Terms and Score in Angle:
            accumulate_wide(q, total + step, lost + step, like)
            accumulate_wide(r, total + 2 * step, lost + 2 * step, like)
