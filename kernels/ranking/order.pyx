# Few scores are compared with each other, which a vector does at once; many are sorted by radix. See order.pxd.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from kernels.core.numeric cimport real

cdef enum:
    DIGIT = 11            # bits that are sorted by in one go
    DIGITS = 6            # of a double; half as many of a float
    VALUES = 2048         # of a digit


cdef inline uint64_t key_of(real score) noexcept nogil:
    """A number that is small for a large score, the same for 0 and -0."""
    cdef uint32_t bits
    cdef uint64_t wide
    score = score + 0
    if real is float:
        memcpy(&bits, &score, sizeof(float))
        return bits if bits >> 31 else <uint32_t> 0x7FFFFFFF - bits
    else:
        memcpy(&wide, &score, sizeof(double))
        return wide if wide >> 63 else <uint64_t> 0x7FFFFFFFFFFFFFFF - wide


cdef void count_places(const real *scores, Py_ssize_t n, int32_t *order) noexcept nogil:
    cdef real score
    cdef int32_t narrow       # of the size of the numbers that are compared
    cdef int64_t wide
    cdef Py_ssize_t i, j
    for i in range(n):
        score = scores[i]
        if real is float:
            narrow = 0
            for j in range(i):
                narrow += scores[j] >= score
            for j in range(i + 1, n):
                narrow += scores[j] > score
            order[narrow] = <int32_t> i
        else:
            wide = 0
            for j in range(i):
                wide += scores[j] >= score
            for j in range(i + 1, n):
                wide += scores[j] > score
            order[wide] = <int32_t> i


cdef void find_order(const real *scores, Py_ssize_t n, int32_t *order, Place *room) noexcept nogil:
    """The items in this order. Scores are not nan; above FEW of them need room for 2 n places."""
    cdef Py_ssize_t counts[VALUES]
    cdef Place *places = room
    cdef Place *spare = room + n
    cdef Py_ssize_t i, at, total, count
    cdef int digit, shift, digits = DIGITS
    if n <= FEW:
        count_places(scores, n, order)
        return
    if real is float:
        digits = DIGITS // 2
    for i in range(n):
        places[i].key = key_of(scores[i])
        places[i].item = <int32_t> i
    for digit in range(digits):
        shift = DIGIT * digit
        memset(counts, 0, sizeof(counts))
        for i in range(n):
            counts[places[i].key >> shift & (VALUES - 1)] += 1
        if counts[places[0].key >> shift & (VALUES - 1)] == n:      # nothing to do
            continue
        total = 0
        for i in range(VALUES):
            count = counts[i]
            counts[i] = total
            total += count
        for i in range(n):
            at = places[i].key >> shift & (VALUES - 1)
            spare[counts[at]] = places[i]
            counts[at] += 1
        places, spare = spare, places
    for i in range(n):
        order[i] = places[i].item
