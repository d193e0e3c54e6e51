# ApproxNDCG: the place of an item is 1 and the sum over the others of the logistic function of how far they score above it.
#
# One pass over the pairs finds places, the other derivatives. With f(r) = 1 / log2(1 + r), the discount of the place r, and
# c = gain f'(r), the gradient is a sum over pairs of (c_j - c_i) p (1 - p).

from libc.string cimport memset
from kernels.core.numeric cimport log, log1p, product_error, real
from kernels.core.sums cimport Sum, add, fl_stops, result
from kernels.ranking.groups cimport Group, Job, register_groups
from kernels.ranking.pairs cimport PIECE, Sums, add_all, add_each, compare, set_sums, unit_of

cdef extern from *:
    """
    #define FL_LOG_2 0.69314718055994530942
    """
    const double LOG_2 "FL_LOG_2"

cdef enum:
    FIRST = 8, SECOND, GAIN, ARRAYS     # working memory, after four Sums

cdef struct Places:
    Sums place                    # of the others above each item
    Sums slope                    # of (c_j - c_i) q, q = p (1 - p)
    Sums bend                     # of what second derivatives have of pairs
    Sums density                  # of q
    double *first                 # c, and gain f'' of each item
    double *second
    double *gain                  # in units of a power of two
    double sharpness              # by which differences of scores are multiplied, in two parts: 1 / temperature
    double sharpness_low


cdef void find_places(Job *job, const Group *group, Places *s, const real *like) noexcept nogil:
    cdef const real *x = <const real *> group.x
    cdef real gaps[PIECE]
    cdef real spans[PIECE]
    cdef real tails[PIECE]
    cdef real shares[PIECE]
    cdef real above[PIECE]        # how much item i is above the other, and the other above it
    cdef real below[PIECE]
    cdef Py_ssize_t i, j, start, n, wide
    for i in range(group.size - 1):
        for start from i + 1 <= start < group.size by PIECE:
            n = min(<Py_ssize_t> PIECE, group.size - start)
            compare(s.sharpness, s.sharpness_low, x[i], x + start, n, <real *> gaps, <real *> spans, <real *> tails, <real *> shares)
            for j in range(n):
                above[j] = shares[j] if x[i] > x[start + j] else shares[j] * tails[j]
                below[j] = shares[j] * tails[j] if x[i] > x[start + j] else shares[j]
            add_each(<const real *> above, n, s.place, start)
            add_all(<const real *> below, n, 1, s.place, i)
        if i % 64 == 63 and fl_stops(&job.team):
            return


cdef void add_pairs(const Group *group, Places *s, Py_ssize_t i, Py_ssize_t start, Py_ssize_t n, bint bends, const real *like) noexcept nogil:
    """What the pairs of item i and n others give the derivatives."""
    cdef const real *x = <const real *> group.x
    cdef real gaps[PIECE]
    cdef real spans[PIECE]
    cdef real tails[PIECE]
    cdef real shares[PIECE]
    cdef double q[PIECE]
    cdef double own[PIECE]
    cdef double other[PIECE]
    cdef const double *first = s.first + start
    cdef const double *second = s.second + start
    cdef double one = s.first[i], one_second = s.second[i], turn
    cdef Py_ssize_t j
    compare(s.sharpness, s.sharpness_low, x[i], x + start, n, <real *> gaps, <real *> spans, <real *> tails, <real *> shares)
    for j in range(n):
        q[j] = <double> tails[j] * (<double> shares[j] * shares[j])
        own[j] = (first[j] - one) * q[j]
    add_each(<const double *> own, n, s.slope, start)
    add_all(<const double *> own, n, -1, s.slope, i)
    if not bends:
        return
    add_each(<const double *> q, n, s.density, start)
    add_all(<const double *> q, n, 1, s.density, i)
    for j in range(n):
        turn = (1 - <double> tails[j]) * shares[j]
        turn = own[j] * (-turn if x[i] > x[start + j] else turn)
        own[j] = second[j] * (q[j] * q[j]) + turn
        other[j] = one_second * (q[j] * q[j]) + turn
    add_each(<const double *> other, n, s.bend, start)
    add_all(<const double *> own, n, 1, s.bend, i)


cdef double ideal_gain(const Group *group, const double *gain) noexcept nogil:
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t place
    for place in range(group.size):
        add(&total, gain[<Py_ssize_t> group.columns[1][place]] * LOG_2 / log(<double> (place + 2)))
    return result(total)


cdef double approx_ndcg(const real *like, Job *job, const Group *group) noexcept nogil:
    """Value and derivatives of a group; see approx_ndcg_loss."""
    cdef Py_ssize_t n = group.size, room = group.room, i, start
    cdef double most = group.columns[0][<Py_ssize_t> group.columns[1][0]], r, depth, by_depth, unit, density, scale
    cdef Sum total = Sum(0, 0)
    cdef Places s
    memset(group.g, 0, n * sizeof(double))
    memset(group.h, 0, n * sizeof(double))
    if most == 0:                                    # nothing to gain
        return 0
    s.sharpness = 1 / job.parameters[0]
    r = job.parameters[0] * s.sharpness
    s.sharpness_low = ((1 - r) - product_error(job.parameters[0], s.sharpness, r)) * s.sharpness
    set_sums(&s.place, group.spare, room, n)
    set_sums(&s.slope, group.spare + 2 * room, room, n)
    set_sums(&s.bend, group.spare + 4 * room, room, n)
    set_sums(&s.density, group.spare + 6 * room, room, n)
    s.first = group.spare + FIRST * room
    s.second = group.spare + SECOND * room
    s.gain = group.spare + GAIN * room
    scale = unit_of(most)
    for i in range(n):
        s.gain[i] = group.columns[0][i] * scale
    unit = 1 / ideal_gain(group, s.gain)
    find_places(job, group, &s, like)
    for i in range(n):
        r = s.place.total[i] + s.place.lost[i]       # one less than the place
        depth = log1p(1 + r)
        by_depth = 1 / ((2 + r) * depth)
        add(&total, s.gain[i] * LOG_2 / depth)
        s.first[i] = -s.gain[i] * LOG_2 * by_depth / depth
        s.second[i] = s.gain[i] * LOG_2 * (depth + 2) * (by_depth * by_depth) / depth
    if job.order > 0 and n > 1:
        for i in range(n - 1):
            for start from i + 1 <= start < n by PIECE:
                add_pairs(group, &s, i, start, min(<Py_ssize_t> PIECE, n - start), job.order > 1, like)
            if i % 64 == 63 and fl_stops(&job.team):
                break
        for i in range(n):
            group.g[i] = (s.slope.total[i] + s.slope.lost[i]) * (unit * s.sharpness)
            if job.order > 1:
                density = s.density.total[i] + s.density.lost[i]
                group.h[i] = -((s.bend.total[i] + s.bend.lost[i]) + s.second[i] * (density * density)) * (
                    unit * s.sharpness * s.sharpness)
    return -unit * result(total)


register_groups("approx_ndcg", <void *> approx_ndcg[float], <void *> approx_ndcg[double], 1, 2, 0, ARRAYS)
