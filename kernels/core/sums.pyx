# Sums over lanes, spans, threads. See sums.pxd.

cimport numpy as cnp
from cython.parallel cimport prange
from libc.stdlib cimport malloc
from kernels.core.numeric cimport real

cdef extern from "core/team.h" nogil:
    bint fl_join(Team *, int)
    void fl_leave(Team *)
    void fl_watch(Team *)
    bint fl_add_up(Team *, int)
    Exact *fl_merge_totals(Team *)
    int fl_outcome(const Team *) except -1


cnp.import_array()


cdef void add_to_lanes(Lanes *lanes, const real *v, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i, j, whole = n - n % LANES
    for i from 0 <= i < whole by LANES:
        for j in range(LANES):
            accumulate(v[i + j], &lanes.total[j], &lanes.lost[j])
    for j in range(n - whole):
        accumulate(v[whole + j], &lanes.total[j], &lanes.lost[j])

cdef void gather_lanes(Lanes *lanes, Sum *s) noexcept nogil:
    """Add the lanes to a sum, in a fixed order; it overwrites them."""
    cdef Py_ssize_t j, width = LANES // 2
    while width > 0:
        for j in range(width):
            accumulate(lanes.total[j + width], &lanes.total[j], &lanes.lost[j])
            lanes.lost[j] += lanes.lost[j + width]
        width //= 2
    add(s, lanes.total[0])
    s.lost += lanes.lost[0]

cdef double take_lanes(Lanes *lanes, const real *like) noexcept nogil:
    """The sum of the lanes of numbers of this dtype, in a fixed order; they are 0 then."""
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t j
    if real is double:
        gather_lanes(lanes, &total)
        clear(lanes)
        return result(total)
    for j in range(LANES // 2):          # a loop over the widths would not be vectorised
        lanes.total[j] += lanes.total[j + LANES // 2]
    for j in range(LANES // 4):
        lanes.total[j] += lanes.total[j + LANES // 4]
    for j in range(LANES // 8):
        lanes.total[j] += lanes.total[j + LANES // 8]
    for j in range(LANES // 16):
        lanes.total[j] += lanes.total[j + LANES // 16]
    total.total = (lanes.total[0] + lanes.total[1]) + (lanes.total[2] + lanes.total[3])
    for j in range(LANES):
        lanes.total[j] = 0
    return total.total


# ---- exact sums ------------------------------------------------------------------------------------------------------

cdef Exact *exact_of(object array) except? NULL:
    """The memory of an array as an exact sum; None stands for none, NULL."""
    if array is None:
        return NULL
    if (not cnp.PyArray_CheckExact(array) or cnp.PyArray_TYPE(<cnp.ndarray> array) != cnp.NPY_INT64
            or not cnp.PyArray_ISCARRAY(<cnp.ndarray> array) or cnp.PyArray_SIZE(<cnp.ndarray> array) != <int> EXACT_ITEMS):
        raise ValueError("kernel: not an exact sum")
    return <Exact *> cnp.PyArray_DATA(<cnp.ndarray> array)


def new_exact():
    """An exact sum of nothing."""
    cdef cnp.npy_intp size = EXACT_ITEMS
    cdef cnp.ndarray array = cnp.PyArray_SimpleNew(1, &size, cnp.NPY_INT64)
    clear_exact(exact_of(array))
    return array


def read_exact(array not None):
    """An exact sum as an integer, in units of 2^-1074, and the sum of what was infinite or NaN in it."""
    cdef Exact *s = exact_of(array)
    cdef Py_ssize_t k
    cdef object total = 0
    for k in range(s.high - 1, s.low - 1, -1):
        total = (total << 32) + s.limbs[k]
    return total << max(<Py_ssize_t> 0, 32 * s.low) if s.low < s.high else 0, s.special


# ---- spans -----------------------------------------------------------------------------------------------------------

cdef void *allocate(Py_ssize_t a, Py_ssize_t b, size_t size) except NULL:
    """Room for a b items, or MemoryError; to be freed."""
    cdef Py_ssize_t items = max(<Py_ssize_t> 1, many(a, b))
    cdef void *room = NULL
    if items <= PY_SSIZE_T_MAX // <Py_ssize_t> size:
        room = malloc(items * size)
    if room == NULL:
        raise MemoryError("no memory for the sums of this call")
    return room


cdef Py_ssize_t least_units(Py_ssize_t units, Py_ssize_t work) noexcept nogil:
    """How many units, of which all together are so much work, a span has at least."""
    cdef Py_ssize_t least
    if units <= PY_SSIZE_T_MAX // SPAN_GRAIN:
        least = units * SPAN_GRAIN // max(<Py_ssize_t> 1, work)
    else:
        least = units // max(<Py_ssize_t> 1, work // SPAN_GRAIN)
    return min(units, max(<Py_ssize_t> 1, least))


cdef inline double run_span(Span span, const void *job, Py_ssize_t first, Py_ssize_t count, Py_ssize_t size, Py_ssize_t k,
                            Team *team) noexcept nogil:
    """Span number k of so many elements; the first one begins with element -first."""
    if fl_stops(team):
        return 0
    return span(NULL, job, max(<Py_ssize_t> 0, k * size - first), k * size + min(size, first + count - k * size) - first)


cdef double run_spans(Span span, const void *job, Py_ssize_t first, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, int threads,
                      Team *team) noexcept nogil:
    """Cut 0 … count-1 into spans of whole units, run them on the threads, add their sums up in order. The cut does not
    depend on the threads, so the result has the same bits for every number of them. Element 0 is number `first` of the
    first unit. What the spans add up without rounding goes to the sums of their threads."""
    cdef double sums[SPANS]
    cdef Py_ssize_t units = (first + count) // unit + ((first + count) % unit != 0)
    cdef Py_ssize_t size = many(max(least_units(units, work), units // SPANS + (units % SPANS != 0)), unit)
    cdef Py_ssize_t spans = (first + count) // size + ((first + count) % size != 0)
    cdef Py_ssize_t k
    cdef Sum total = Sum(0, 0)
    if threads <= 1:
        for k in range(spans):
            sums[k] = run_span(span, job, first, count, size, k, team)
    else:
        for k in prange(spans, num_threads=threads, schedule="static"):
            sums[k] = run_span(span, job, first, count, size, k, team)
    for k in range(spans):
        add(&total, sums[k])
    return result(total)


cdef double run(Span span, const void *job, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, int threads, Team *team,
                bint remembers) except? -1:
    return run_from(span, job, 0, count, unit, work, threads, team, remembers, NULL)


cdef double run_from(Span span, const void *job, Py_ssize_t first, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, int threads,
                     Team *team, bint remembers, Exact *to) except? -1:
    """run_spans with as many threads as `work` elements are worth, without the GIL where that is worth its switch. The team
    is the job's; with `remembers` its threads have working memory. Returns the sum of what the spans return, or of what they
    have added up without rounding, which is also added to `to`, where that is not NULL."""
    cdef double total
    cdef Exact *exact
    threads = <int> max(<Py_ssize_t> 1, min(min(<Py_ssize_t> threads, <Py_ssize_t> SPANS), work // THREAD_GRAIN))
    team.size = 0
    team.watched = False
    team.stopped = False
    if not fl_add_up(team, threads):
        raise MemoryError("no memory for the sums of this call")
    if remembers and not fl_join(team, threads):
        fl_merge_totals(team)
        raise MemoryError("no working memory for the threads of this call")
    if work < 4096:
        total = run_spans(span, job, first, count, unit, work, 1, team)
    else:
        fl_watch(team)
        with nogil:
            total = run_spans(span, job, first, count, unit, work, threads, team)
    fl_leave(team)
    exact = fl_merge_totals(team)
    if to != NULL:
        merge_exactly(to, exact)
    total += rounded(exact)
    fl_outcome(team)
    return total


cdef int run_alone(Span span, const void *job, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, Team *team, bint remembers,
                   double *total) noexcept nogil:
    """The same on the calling thread, which need not be one of Python's; -1 if there is no working memory."""
    team.size = 0
    team.watched = False
    team.stopped = False
    fl_add_up(team, 1)
    if remembers and not fl_join(team, 1):
        return -1
    total[0] = run_spans(span, job, 0, count, unit, work, 1, team)
    fl_leave(team)
    total[0] += rounded(fl_merge_totals(team))
    return 0
