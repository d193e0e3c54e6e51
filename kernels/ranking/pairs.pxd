# Pairs of a group's items by the difference of their scores, and sums of what they give each of their items.

from kernels.core.numeric cimport real

cdef enum:
    PIECE = 256      # items that one is paired with at once
    PAD = 8          # loops over items go on to a multiple of this, so that none ends in single steps

cdef struct Sums:                 # of each item: what was added up, and what was lost
    double *total
    double *lost

cdef inline Py_ssize_t padded(Py_ssize_t n) noexcept nogil:
    return (n + PAD - 1) // PAD * PAD

cdef void compare(double sigma, double sigma_low, real one, const real *scores, Py_ssize_t n, real *gaps, real *spans, real *tails,
                  real *shares) noexcept nogil
cdef void set_sums(Sums *sums, double *room, Py_ssize_t stride, Py_ssize_t n) noexcept nogil
cdef void add_each(const real *terms, Py_ssize_t n, Sums sums, Py_ssize_t start) noexcept nogil
cdef void add_all(const real *terms, Py_ssize_t n, double sign, Sums sums, Py_ssize_t i) noexcept nogil
cdef double sum_of_sums(Sums sums, Py_ssize_t n) noexcept nogil
cdef void fill_discounts(real *high, real *low, Py_ssize_t n) noexcept nogil
cdef real far_apart(real like) noexcept nogil
cdef double unit_of(double largest) noexcept nogil
