# cython: language_level=3, boundscheck=False, wraparound=False
"""Uses of losses in loops of one's own."""

from fusedloss.capi cimport OK, Loss, bind, map, rowsf, value_and_grad
from libc.math cimport fabs
from libc.stdint cimport int64_t


def location(const double[::1] x not None, which, **options):
    """The number m with the least sum of losses between m and the numbers in x, for a convex loss: the mean for squares, the
    median for absolute errors, between them for Huber's."""
    cdef Loss loss = bind(which, options)
    cdef double low, high, m, slope, grad
    cdef Py_ssize_t i
    if x.shape[0] == 0:
        raise ValueError("x: at least one number is needed")
    low = high = x[0]
    with nogil:
        for i in range(x.shape[0]):
            low = min(low, x[i])
            high = max(high, x[i])
        # The slope of the sum grows with m, and goes through 0 between the least and the greatest number.
        while high - low > 1e-12 * max(1.0, fabs(low)):
            m = 0.5 * (low + high)
            slope = 0
            for i in range(x.shape[0]):
                value_and_grad(&loss, m, x[i], &grad)
                slope += grad
            if slope > 0:
                high = m
            else:
                low = m
    return 0.5 * (low + high)


def total(const double[::1] x not None, const double[::1] t not None, double[::1] grad not None, which, **options):
    """The sum of the losses; the gradient is written to `grad`."""
    cdef Loss loss = bind(which, options)
    cdef double value = 0
    cdef Py_ssize_t position, n = x.shape[0]
    if t.shape[0] != n or grad.shape[0] != n:
        raise ValueError("x, t, grad: the same length is needed")
    if n == 0:
        return 0.0
    with nogil:
        position = map(&loss, n, &x[0], &t[0], NULL, NULL, 1.0, &value, NULL, &grad[0], NULL, NULL, NULL)
    if position != OK:
        raise ValueError(f"t: the number at {position} is not accepted")
    return value


def total_of_rows(const float[:, ::1] x not None, const int64_t[::1] labels not None, float[:, ::1] grad not None, which,
                  **options):
    """The same for a loss of class numbers."""
    cdef Loss loss = bind(which, options)
    cdef double value = 0
    cdef Py_ssize_t position
    if labels.shape[0] != x.shape[0] or grad.shape[0] != x.shape[0] or grad.shape[1] != x.shape[1]:
        raise ValueError("x, labels, grad: shapes (n, classes), (n,) and (n, classes) are needed")
    if x.shape[0] == 0 or x.shape[1] == 0:
        return 0.0
    with nogil:
        position = rowsf(&loss, x.shape[0], x.shape[1], &x[0, 0], &labels[0], NULL, NULL, 1.0, &value, NULL, &grad[0, 0], NULL)
    if position != OK:
        raise ValueError(f"labels: the one at {position} is not accepted")
    return value
