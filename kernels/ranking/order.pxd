# Items in falling order of their scores; of equal ones the first comes first.

from libc.stdint cimport int32_t, uint64_t
from kernels.core.numeric cimport real

cdef enum:
    FEW = 256      # scores whose places are counted, rather than sorted

cdef struct Place:
    uint64_t key
    int32_t item

cdef void find_order(const real *scores, Py_ssize_t n, int32_t *order, Place *room) noexcept nogil
