# What is at risk when events happen: the rows of a call, its risk sets, and what a set of tied events makes of its risk set.
#
# Rows lie in the order of a plan: stratum by stratum, the latest time first; of one time those without an event first. So the
# rows at risk with an event are those before it, and itself. Rows without weight are not there.

from libc.stdint cimport int32_t, int64_t, uint8_t
from kernels.core.numeric cimport log, log1p, real
from kernels.core.call cimport HessOptions
from kernels.core.operands cimport Operand
from kernels.core.sums cimport Sum, Team, result

cdef enum:
    X, V, G, H, D, OPERANDS     # input, value, gradient, second derivative, direction: a number for each row

cdef enum:
    CENSORED, SINGLE, TIED      # what a row is: without event, with one of its own, with one of several at that time

cdef struct State:              # of the rows up to a place
    double total                # the sum of their risks u = w exp(x - scale)
    double lost
    double top                  # the largest of them, and the sum of the others
    double others
    double others_lost
    double along                # the sum of u times the direction
    double along_lost

# With the risk set's rest R and the events' risks E, of d events of the rate W: the sets S_k = R + θ_k E that Efron's method
# has for them, θ_k = 1 - k/d, and k from 0 to d-1. Breslow's has θ_k = 1.
cdef struct Terms:
    double value                # the mean of log S_k, less the input of the largest event
    double b                    # W times the means of 1 / S_k,
    double a                    # of θ_k / S_k,
    double c0                   # of 1 / S_k²,
    double c1                   # of θ_k / S_k²,
    double c2                   # of θ_k² / S_k²

cdef struct Tie:                # several events at one time
    State rest                  # of those at risk without them
    double largest              # the largest of their own risks, and the sum of the others
    Sum others
    double along
    double rate
    double x_top                # the input of the largest, and where it is
    Py_ssize_t top
    Terms terms

cdef struct Job:
    Operand operands[<int> OPERANDS]
    Operand totals              # the sum of the values of each stratum
    const int32_t *rows         # the row at each place
    const uint8_t *kinds
    const double *weights       # NULL: all 1
    const double *rates         # of the events, by which their values are multiplied: mostly the same
    const int32_t *ties         # from where to where each goes
    const int64_t *strata       # where each begins, and where the last ends
    const int64_t *tie_strata   # the same for ties
    const int32_t *until        # the last time of events, counted from the latest, at which each row is at risk; NULL: all
    void *x                     # the input in this order
    State *states               # before each block
    Tie *tied
    double reach                # of the logarithms of weights
    double scale                # of derivatives
    int order
    HessOptions hess_options
    bint efron
    bint summed
    bint starved
    Team team

cdef inline double log_sum(double w, double r) noexcept nogil:
    """log(w + r), of which no digits are lost near w = 1"""
    if w + r > 0.5:
        return log1p((w - 1) + r) if w > 0.25 else log1p(w + (r - 1))
    return log(w + r)

cdef inline double others_in(const Tie *tie) noexcept nogil:
    """The risks of the events but the largest."""
    return result(tie.others)

cdef inline double all_in(const Tie *tie) noexcept nogil:
    return tie.largest + result(tie.others)

cdef inline double weight_of(const Job *job, Py_ssize_t p) noexcept nogil:
    return 1 if job.weights == NULL else job.weights[p]

cdef inline double rate_of(const Job *job, Py_ssize_t p) noexcept nogil:
    return 1 if job.rates == NULL else job.rates[p]

cdef inline bint is_direction(int order) noexcept nogil:
    """Whether the call is for the product of the Hessian with a vector."""
    return order == 3

cdef double sum_of(const double *numbers, Py_ssize_t n) noexcept nogil
cdef void put_second(const Job *job, Py_ssize_t p, Py_ssize_t n, double *second, const real *like) noexcept nogil
cdef void find_terms(Tie *tie, Py_ssize_t d, double scale, double w_top, bint efron) noexcept nogil
cdef double put_tie(const Job *job, Py_ssize_t start, Py_ssize_t stop, double value, double x_top, const real *like) noexcept nogil
