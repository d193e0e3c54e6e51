# Sums of a few or many numbers, and the terms of tied events. See risk.pxd.

from libc.string cimport memset
from kernels.core.call cimport adjusted_hess
from kernels.core.numeric cimport log, real
from kernels.core.operands cimport Operand
from kernels.core.places cimport scatter
from kernels.core.sums cimport Lanes, Sum, add, add_to_lanes, clear, gather_lanes, result
from kernels.survival.risk cimport H, Job, Terms, Tie, V, all_in, log_sum, others_in, rate_of

cdef enum:
    FEW = 96         # numbers that are added up one by one
    WIDE = 8         # sums of Efron's terms
    PIECE = 256      # values of tied events


cdef double sum_of(const double *numbers, Py_ssize_t n) noexcept nogil:
    cdef Lanes lanes
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t i
    if n < FEW:
        for i in range(n):
            add(&total, numbers[i])
    else:
        clear(&lanes)
        add_to_lanes(&lanes, numbers, n)
        gather_lanes(&lanes, &total)
    return result(total)


cdef void put_second(const Job *job, Py_ssize_t p, Py_ssize_t n, double *second, const real *like) noexcept nogil:
    """The second derivatives of n rows, as they are asked for."""
    cdef Py_ssize_t i
    if job.hess_options.asked:
        for i in range(n):
            second[i] = adjusted_hess(second[i], job.hess_options.scale, job.hess_options.floor * rate_of(job, p + i))
    scatter(&job.operands[<int> H], job.rows + p, n, <const double *> second, job.scale, like)


cdef inline void add_set(double[5][WIDE] sums, double *product, Py_ssize_t j, double share, double rest, double all,
                         double per) noexcept nogil:
    """One of Efron's sets, to the sums of a lane."""
    cdef double risks = rest + share * all, inverse = 1 / risks, part = share * inverse
    sums[0][j] += inverse
    sums[1][j] += part
    sums[2][j] += inverse * inverse
    sums[3][j] += part * inverse
    sums[4][j] += part * part
    product[j] *= risks * per


cdef void find_terms(Tie *tie, Py_ssize_t d, double scale, double w_top, bint efron) noexcept nogil:
    """The terms of d events. The sums have this scale, and w_top is the weight of the largest."""
    cdef Terms *terms = &tie.terms
    cdef double rest = tie.rest.total, all = all_in(tie), total = rest + all, unit = 1 / <double> d
    cdef double inverse, per, shift = 0, logs = 0, in_one = 1, low, high
    cdef double sums[5][WIDE]
    cdef double product[WIDE]
    cdef Py_ssize_t k, j
    if tie.largest >= 1e-130 * w_top:
        per = w_top / tie.largest
    else:
        per = 1
        shift = scale - tie.x_top
    if d == 1 or not efron:
        inverse = tie.rate / total
        terms.b = terms.a = inverse
        terms.c0 = terms.c1 = terms.c2 = inverse / total
        terms.value = log_sum(w_top, (rest + others_in(tie)) * per) if shift == 0 else shift + log(total)
        return
    memset(sums, 0, sizeof(sums))
    for j in range(WIDE):
        product[j] = 1
    for k from 0 <= k < d - d % WIDE by WIDE:       # always so many sums: the compiler makes vectors of them
        low = high = 1
        for j in range(WIDE):
            add_set(sums, product, j, (d - k - j) * unit, rest, all, per)
            low = product[j] if product[j] < low else low
            high = product[j] if product[j] > high else high
        if low < 1e-30 or high > 1e30:
            for j in range(WIDE):
                logs += log(product[j])
                product[j] = 1
    for k in range(d - d % WIDE, d):
        add_set(sums, product, k % WIDE, (d - k) * unit, rest, all, per)
    for j in range(WIDE):
        in_one *= product[j]
    if 1e-290 < in_one < 1e290:
        logs += log(in_one)
    else:
        for j in range(WIDE):
            logs += log(product[j])
    terms.value = shift + logs * unit
    unit *= tie.rate
    terms.b = sum_of(sums[0], WIDE) * unit
    terms.a = sum_of(sums[1], WIDE) * unit
    terms.c0 = sum_of(sums[2], WIDE) * unit
    terms.c1 = sum_of(sums[3], WIDE) * unit
    terms.c2 = sum_of(sums[4], WIDE) * unit


cdef double put_tie(const Job *job, Py_ssize_t start, Py_ssize_t stop, double value, double x_top, const real *like) noexcept nogil:
    """The values of tied events, of which that of the largest is given; returns their sum."""
    cdef const Operand *op = &job.operands[<int> V]
    cdef const real *x = <const real *> job.x
    cdef double values[PIECE]
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t p, n, i
    for p from start <= p < stop by PIECE:
        n = min(<Py_ssize_t> PIECE, stop - p)
        for i in range(n):
            values[i] = value + (x_top - x[p + i] if x[p + i] != x_top else 0)
        if job.rates != NULL:
            for i in range(n):
                values[i] *= job.rates[p + i]
        add(&total, sum_of(values, n))
        if op.data != NULL:
            scatter(op, job.rows + p, n, <const double *> values, 1.0, like)
    return result(total)
