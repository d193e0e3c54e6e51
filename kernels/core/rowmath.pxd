# Numbers in a row: maximum, sum, exponentials; and rows turned to lie side by side. The loops are in rowmath.h.

from kernels.core.numeric cimport real
from kernels.core.sums cimport Sum, result

cdef extern from "core/rowmath.h" nogil:
    float fl_maxf(const float *, Py_ssize_t, float)
    double fl_max(const double *, Py_ssize_t, double)
    void fl_sumf(const float *, Py_ssize_t, double *, double *)
    void fl_sum(const double *, Py_ssize_t, double *, double *)
    void fl_expf(const float *, float, float *, Py_ssize_t)
    void fl_exp(const double *, double, double *, Py_ssize_t)
    void fl_transpose_inf(const float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, float *, float *)
    void fl_transpose_in(const double *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, double *, double *)
    void fl_transpose_outf(float *, float *, float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t)
    void fl_transpose_out(double *, double *, double *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t)
    void fl_moments(const double *, Py_ssize_t, double, double *, double *, double *)
    void fl_sumw(const double *, Py_ssize_t, double *, double *)
    bint fl_may_be_outsidef(const float *, Py_ssize_t, float)
    bint fl_may_be_outside(const double *, Py_ssize_t, double)


cdef inline real row_max(const real *x, Py_ssize_t n, real m) noexcept nogil:
    """The larger of m and the largest of x; NaN may be passed over."""
    if real is float:
        return fl_maxf(x, n, m)
    else:
        return fl_max(x, n, m)

cdef inline void add_row(const real *v, Py_ssize_t n, double *total, double *lost) noexcept nogil:
    if real is float:
        fl_sumf(v, n, total, lost)
    else:
        fl_sum(v, n, total, lost)

cdef inline double row_sum(const real *v, Py_ssize_t n) noexcept nogil:
    cdef Sum s = Sum(0, 0)
    add_row(v, n, &s.total, &s.lost)
    return result(s)


cdef inline void transpose_in(const real *x, Py_ssize_t step, Py_ssize_t n, Py_ssize_t classes, Py_ssize_t wide, real *tile,
                              real *spare) noexcept nogil:
    """tile[j * wide + r] = x[r * step + j] for n <= wide rows of `classes` <= 32 items; what is left of the tile is 0."""
    if real is float:
        fl_transpose_inf(x, step, n, classes, wide, tile, spare)
    else:
        fl_transpose_in(x, step, n, classes, wide, tile, spare)

cdef inline void transpose_out(real *tile, real *spare, real *x, Py_ssize_t step, Py_ssize_t n, Py_ssize_t classes,
                               Py_ssize_t wide) noexcept nogil:
    """x[r * step + j] = tile[j * wide + r]; overwrites the tile."""
    if real is float:
        fl_transpose_outf(tile, spare, x, step, n, classes, wide)
    else:
        fl_transpose_out(tile, spare, x, step, n, classes, wide)

cdef inline void add_wide(const double *v, Py_ssize_t n, Sum *s, const real *like) noexcept nogil:
    """Add the sum of doubles that stand for numbers of `real`."""
    if real is float:
        fl_sumw(v, n, &s.total, &s.lost)
    else:
        fl_sum(v, n, &s.total, &s.lost)

cdef inline bint has_nan(const real *x, Py_ssize_t n) noexcept nogil:
    cdef int found = 0
    cdef Py_ssize_t j
    for j in range(n):
        found |= x[j] != x[j]
    return found != 0

cdef inline int count_equal(const real *x, Py_ssize_t n, real m) noexcept nogil:
    cdef int found = 0
    cdef Py_ssize_t j
    for j in range(n):
        found += x[j] == m
    return found

cdef inline int count_above_zero(const real *x, Py_ssize_t n) noexcept nogil:
    cdef int found = 0
    cdef Py_ssize_t j
    for j in range(n):
        found += x[j] > 0
    return found
