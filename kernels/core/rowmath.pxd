# Numbers in a row: maximum, sum, exponentials; and rows turned to lie side by side. The loops are in rowmath.h.

from kernels.core.numeric cimport real
from kernels.core.sums cimport Sum, result

cdef extern from "core/rowmath.h" nogil:
    float rm_maxf(const float *, Py_ssize_t, float)
    double rm_max(const double *, Py_ssize_t, double)
    void rm_sumf(const float *, Py_ssize_t, double *, double *)
    void rm_sum(const double *, Py_ssize_t, double *, double *)
    void rm_expf(const float *, float, float *, Py_ssize_t)
    void rm_exp(const double *, double, double *, Py_ssize_t)
    void rm_turn_inf(const float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, float *, float *)
    void rm_turn_in(const double *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, double *, double *)
    void rm_turn_outf(float *, float *, float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t)
    void rm_turn_out(double *, double *, double *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t)
    void rm_moments(const double *, Py_ssize_t, double, double *, double *, double *)
    void rm_sumw(const double *, Py_ssize_t, double *, double *)
    bint rm_may_be_outsidef(const float *, Py_ssize_t, float)
    bint rm_may_be_outside(const double *, Py_ssize_t, double)


cdef inline real row_max(const real *x, Py_ssize_t n, real m) noexcept nogil:
    """The larger of m and the largest of x; NaN may be passed over."""
    if real is float:
        return rm_maxf(x, n, m)
    else:
        return rm_max(x, n, m)

cdef inline void add_row(const real *v, Py_ssize_t n, double *total, double *lost) noexcept nogil:
    if real is float:
        rm_sumf(v, n, total, lost)
    else:
        rm_sum(v, n, total, lost)

cdef inline double row_sum(const real *v, Py_ssize_t n) noexcept nogil:
    cdef Sum s = Sum(0, 0)
    add_row(v, n, &s.total, &s.lost)
    return result(s)


cdef inline void transpose_in(const real *x, Py_ssize_t step, Py_ssize_t n, Py_ssize_t classes, Py_ssize_t wide, real *tile,
                              real *spare) noexcept nogil:
    """tile[j * wide + r] = x[r * step + j] for n <= wide rows of `classes` <= 32 items; what is left of the tile is 0."""
    if real is float:
        rm_turn_inf(x, step, n, classes, wide, tile, spare)
    else:
        rm_turn_in(x, step, n, classes, wide, tile, spare)

cdef inline void transpose_out(real *tile, real *spare, real *x, Py_ssize_t step, Py_ssize_t n, Py_ssize_t classes,
                               Py_ssize_t wide) noexcept nogil:
    """x[r * step + j] = tile[j * wide + r]; overwrites the tile."""
    if real is float:
        rm_turn_outf(tile, spare, x, step, n, classes, wide)
    else:
        rm_turn_out(tile, spare, x, step, n, classes, wide)

cdef inline void add_wide(const double *v, Py_ssize_t n, Sum *s, const real *like) noexcept nogil:
    """Add the sum of doubles that stand for numbers of `real`."""
    if real is float:
        rm_sumw(v, n, &s.total, &s.lost)
    else:
        rm_sum(v, n, &s.total, &s.lost)

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
