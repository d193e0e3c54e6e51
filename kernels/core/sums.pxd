# Compensated and exact sums, and the partition of a call's work among threads.

from kernels.core.numeric cimport real

cdef extern from *:
    const Py_ssize_t PY_SSIZE_T_MAX

cdef extern from "core/exact.h" nogil:
    enum:
        EXACT_ITEMS "FL_EXACT_ITEMS"
    ctypedef struct Exact "fl_exact":      # a sum without rounding; also an array of EXACT_ITEMS integers
        long long limbs[1]
        Py_ssize_t low, high
        double special
    void clear_exact "fl_exact_clear"(Exact *)
    void add_exactly "fl_exact_add"(Exact *, double)
    void merge_exactly "fl_exact_merge"(Exact *, const Exact *)
    double rounded "fl_exact_round"(Exact *)
    void fl_exact_addsf(Exact *, const float *, Py_ssize_t)
    void fl_exact_adds(Exact *, const double *, Py_ssize_t)

cdef extern from "core/team.h" nogil:
    enum:
        SPANS "FL_SPANS"
        TILE "FL_TILE"
        ROOM "FL_ROOM"
        APART "FL_APART"
    ctypedef struct Work "fl_work":
        float *floats
        double *doubles
        double *sums
    ctypedef struct Team "fl_team":
        int size
        bint watched
        bint stopped
    Work *fl_own(const Team *)
    Exact *fl_total(const Team *)
    bint fl_stops(Team *)

cdef enum:
    BLOCK = 1024          # elements of a block: its buffers stay in the first-level cache
    LEAF = 4096           # elements of which the lanes make one number, which is added up without rounding
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

cdef inline void accumulate_wide(double x, double *total, double *lost, const real *like) noexcept nogil:
    """total += x; the rounding error goes to `lost` where the computation is in float64."""
    if real is float:
        total[0] += x
    else:
        accumulate(x, total, lost)

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

cdef inline void add_values(const Team *team, const real *v, Py_ssize_t n) noexcept nogil:
    """Add up n numbers without rounding, so that their order does not matter: for what is more work than an element."""
    if real is float:
        fl_exact_addsf(fl_total(team), v, n)
    else:
        fl_exact_adds(fl_total(team), v, n)


cdef inline void clear(Lanes *lanes) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(LANES):
        lanes.total[j] = 0
        lanes.lost[j] = 0

cdef void add_to_lanes(Lanes *lanes, const real *v, Py_ssize_t n) noexcept nogil
cdef void gather_lanes(Lanes *lanes, Sum *s) noexcept nogil
cdef double take_lanes(Lanes *lanes, const real *like) noexcept nogil


# ---- spans -----------------------------------------------------------------------------------------------------------

ctypedef double (*Span)(const void *like, const void *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil

cdef inline Py_ssize_t many(Py_ssize_t a, Py_ssize_t b) noexcept nogil:
    """a b, or where that is too large the largest number there is."""
    return PY_SSIZE_T_MAX if b > 0 and a > PY_SSIZE_T_MAX // b else a * b

cdef void *allocate(Py_ssize_t a, Py_ssize_t b, size_t size) except NULL
cdef int run_alone(Span span, const void *job, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, Team *team, bint remembers,
                   double *total) noexcept nogil
cdef double run(Span span, const void *job, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, int threads, Team *team,
                bint remembers) except? -1
cdef double run_from(Span span, const void *job, Py_ssize_t first, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, int threads,
                     Team *team, bint remembers, Exact *to) except? -1
cdef Exact *exact_of(object array) except? NULL
