# See pairs.pxd.

from libc.float cimport DBL_MAX, FLT_MAX
from libc.math cimport frexp, ldexp
from libc.string cimport memset
from kernels.core.numeric cimport exp_parts, log_parts, product_error, real, reciprocal, sum_error
from kernels.core.rowmath cimport add_row
from kernels.core.sums cimport accumulate, accumulate_wide


cdef inline real most(real like) noexcept nogil:
    return <real> FLT_MAX if real is float else <real> DBL_MAX


cdef real far_apart(real like) noexcept nogil:
    """A difference that stands for all larger ones: its inverse is still a normal number."""
    return most(like) * <real> 0.125


cdef void compare(double sigma, double sigma_low, real one, const real *scores, Py_ssize_t n, real *gaps, real *spans, real *tails,
                  real *shares) noexcept nogil:
    """Of one score and n others: how far they lie apart; sigma times that, y; exp(-y); and 1 / (1 + exp(-y)). Infinite scores
    that are equal do not lie apart. Sigma has a low part, too."""
    cdef real factor = <real> sigma, factor_low = <real> ((sigma - factor) + sigma_low), limit = far_apart(one), end = most(one)
    cdef real upper, lower, gap, low, y
    cdef Py_ssize_t j
    for j in range(n):
        upper = scores[j] if scores[j] > one else one
        lower = one if scores[j] > one else scores[j]
        gap = upper - lower
        low = sum_error(upper, -lower, gap)
        low = low if gap < limit else 0
        gap = 0 if upper == lower else gap
        gap = gap if gap < limit else limit
        y = factor * gap
        low = product_error(factor, gap, y) + (factor * low + factor_low * gap)
        low = low if y < 16384 else 0
        y = y if y < end else end
        gaps[j] = gap
        spans[j] = y
        tails[j] = exp_parts(-y, -low, <real> 1)
        shares[j] = reciprocal(1 + tails[j])


# ---- sums ------------------------------------------------------------------------------------------------------------

cdef void set_sums(Sums *sums, double *room, Py_ssize_t stride, Py_ssize_t n) noexcept nogil:
    """Sums of n items that are 0, in room for two arrays."""
    sums.total = room
    sums.lost = room + stride
    memset(sums.total, 0, n * sizeof(double))
    memset(sums.lost, 0, n * sizeof(double))


cdef void add_each(const real *terms, Py_ssize_t n, Sums sums, Py_ssize_t start) noexcept nogil:
    """Each term to the sum of its item."""
    cdef double *total = sums.total + start
    cdef double *lost = sums.lost + start
    cdef Py_ssize_t j
    for j in range(n):
        accumulate_wide(<double> terms[j], &total[j], &lost[j], terms)


cdef void add_all(const real *terms, Py_ssize_t n, double sign, Sums sums, Py_ssize_t i) noexcept nogil:
    """All terms to the sum of one item."""
    cdef double total = 0, lost = 0
    add_row(terms, n, &total, &lost)
    accumulate(sign * total, &sums.total[i], &sums.lost[i])
    sums.lost[i] += sign * lost


cdef double sum_of_sums(Sums sums, Py_ssize_t n) noexcept nogil:
    cdef double total = 0, lost = 0, ignored = 0
    add_row(<const double *> sums.total, n, &total, &lost)
    add_row(<const double *> sums.lost, n, &lost, &ignored)
    return total + lost


cdef void fill_discounts(real *high, real *low, Py_ssize_t n) noexcept nogil:
    """1 / log2(2 + i) of the place i, in two parts."""
    cdef double two_low, log_low, two = log_parts(<double> 2, &two_low), x, q, p, rest
    cdef Py_ssize_t i
    for i in range(n):
        x = log_parts(<double> (i + 2), &log_low)
        q = two / x
        p = q * x
        rest = ((two - p) - product_error(q, x, p) + (two_low - q * log_low)) / x
        high[i] = <real> q
        low[i] = <real> ((q - high[i]) + rest)


cdef double unit_of(double largest) noexcept nogil:
    """A power of two in the inverse scale of the largest gain."""
    cdef int top = 0
    frexp(largest, &top)
    return ldexp(1, -max(top, -1000))
