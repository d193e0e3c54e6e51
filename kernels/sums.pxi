# Sums that lose nothing, and work cut into spans for the threads.

cdef enum:
    BLOCK = 1024          # elements of a block: its buffers stay in the first-level cache
    SPAN_GRAIN = 8192     # a call is split into at most SPANS spans of blocks, whatever the number of threads, and each has at
                          # least so many elements: its sum costs as much as some hundreds of them
    LANES = 64            # accumulators of a sum; more than the compiler unrolls, so that it vectorises the loop over them
    THREAD_GRAIN = 16384  # elements that are worth one more thread
    WATCHED = 65536       # elements that a span works on between two looks for signals



cdef inline void accumulate(real x, double *total, double *lost) noexcept nogil:
    """total += x. For float64 the rounding error goes to `lost`; a float32 leaves none worth keeping."""
    cdef double t, z
    if real is float:
        total[0] += x
    else:
        t = total[0] + x
        z = t - total[0]
        lost[0] += (total[0] - (t - z)) + (x - z)
        total[0] = t

cdef inline real weighed(real w, real x) noexcept nogil:
    """w x; what has no weight counts for nothing, whatever it is."""
    return 0 if w == 0 else w * x

cdef inline double regained(double total, double lost) noexcept nogil:
    """A sum with what was lost; inf and nan as they are."""
    return total + lost if total - total == 0 else total


cdef struct Sum:
    double total
    double lost

cdef inline void add(Sum *s, double x) noexcept nogil:
    accumulate(x, &s.total, &s.lost)

cdef inline double result(Sum s) noexcept nogil:
    return regained(s.total, s.lost)


cdef struct Lanes:            # element i of a block is added to lane i modulo their number
    double total[LANES]
    double lost[LANES]

cdef inline void clear(Lanes *lanes) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(LANES):
        lanes.total[j] = 0
        lanes.lost[j] = 0

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

ctypedef double (*Span)(const void *like, const void *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil

cdef inline Py_ssize_t many(Py_ssize_t a, Py_ssize_t b) noexcept nogil:
    """a b, or where that is too large the largest number there is."""
    return PY_SSIZE_T_MAX if b > 0 and a > PY_SSIZE_T_MAX // b else a * b


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


cdef int check_shape(cnp.ndarray array, cnp.ndarray like, int axes) except -1:
    """The callers made the shapes equal; memory safety does not rest on that."""
    cdef int axis
    if array is not None:
        if cnp.PyArray_NDIM(array) != axes:
            raise ValueError("kernel: operands of different shapes")
        for axis in range(axes):
            if cnp.PyArray_DIM(array, axis) != cnp.PyArray_DIM(like, axis):
                raise ValueError("kernel: operands of different shapes")
    return 0
