# Sums over lanes, spans, threads. See sums.pxd.

from cython.parallel cimport prange
from libc.stdlib cimport malloc
from kernels.core.numeric cimport real

cdef extern from "core/team.h" nogil:
    bint fl_join(Team *, int)
    void fl_leave(Team *)
    void fl_watch(Team *)
    int fl_outcome(const Team *) except -1


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


cdef double run_spans(Span span, const void *job, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, int threads, Team *team) noexcept nogil:
    """Cut 0 … count-1 into spans of whole units, run them on the threads, add their sums up in order. The cut does not
    depend on the threads, so the result has the same bits for every number of them."""
    cdef double sums[SPANS]
    cdef Py_ssize_t units = count // unit + (count % unit != 0)
    cdef Py_ssize_t size = many(max(least_units(units, work), units // SPANS + (units % SPANS != 0)), unit)
    cdef Py_ssize_t spans = count // size + (count % size != 0)
    cdef Py_ssize_t k
    cdef Sum total = Sum(0, 0)
    if threads <= 1:
        for k in range(spans):
            sums[k] = 0 if fl_stops(team) else span(NULL, job, k * size, k * size + min(size, count - k * size))
    else:
        for k in prange(spans, num_threads=threads, schedule="static"):
            sums[k] = 0 if fl_stops(team) else span(NULL, job, k * size, k * size + min(size, count - k * size))
    for k in range(spans):
        add(&total, sums[k])
    return result(total)


cdef double run(Span span, const void *job, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, int threads, Team *team,
                bint remembers) except? -1:
    """run_spans with as many threads as `work` elements are worth, without the GIL where that is worth its switch. The team
    is the job's; with `remembers` its threads have working memory."""
    cdef double total
    threads = <int> max(<Py_ssize_t> 1, min(min(<Py_ssize_t> threads, <Py_ssize_t> SPANS), work // THREAD_GRAIN))
    team.size = 0
    team.watched = False
    team.stopped = False
    if remembers and not fl_join(team, threads):
        raise MemoryError("no working memory for the threads of this call")
    if work < 4096:
        total = run_spans(span, job, count, unit, work, 1, team)
    else:
        fl_watch(team)
        with nogil:
            total = run_spans(span, job, count, unit, work, threads, team)
    fl_leave(team)
    fl_outcome(team)
    return total


cdef int run_alone(Span span, const void *job, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, Team *team, bint remembers,
                   double *total) noexcept nogil:
    """The same on the calling thread, which need not be one of Python's; -1 if there is no working memory."""
    team.size = 0
    team.watched = False
    team.stopped = False
    if remembers and not fl_join(team, 1):
        return -1
    total[0] = run_spans(span, job, count, unit, work, 1, team)
    fl_leave(team)
    return 0
