# Short vectors, many at once.
#
# Of vectors shorter than SIDE_BY_SIDE a tile of as many rows is transposed: element i of row r lies at i * SIDE_BY_SIDE + r,
# so that the loops over rows are vectorised. The sums are those of `collect_piece`, in the same order: a result has the same
# bits whether its row is worked on in a tile or alone.

from kernels.core.numeric cimport real
from kernels.vectors.losses cimport LossTerms
from kernels.vectors.pieces cimport SIDE_BY_SIDE
from kernels.vectors.scores cimport OnePass, Pair


cdef struct Sides:            # of the rows of a tile, field by field
    double cross[SIDE_BY_SIDE]
    double along[SIDE_BY_SIDE]
    double turn[SIDE_BY_SIDE]
    double curvature[SIDE_BY_SIDE]
    double curve[SIDE_BY_SIDE]
    double first[SIDE_BY_SIDE]
    double second[SIDE_BY_SIDE]
    double square[SIDE_BY_SIDE]
    double flat[SIDE_BY_SIDE]
    double active[SIDE_BY_SIDE]    # 0 where the loss does not depend on the score, or counts for nothing
    double shift


cdef void compute_tile(const OnePass *score, Py_ssize_t n, Py_ssize_t rows, bint gap, const real *a, const real *b,
                       Pair *pairs, bint *rescaled) noexcept nogil
cdef void prepare_tile(const OnePass *score, Py_ssize_t rows, const Pair *pairs, int me, const LossTerms *losses, int which,
                       const double *weights, Sides *to) noexcept nogil
cdef void derive_tile(const OnePass *score, const Sides *first, const Sides *second, Py_ssize_t n, int order, const real *x,
                      const real *y, const real *z, real *g, real *h) noexcept nogil
