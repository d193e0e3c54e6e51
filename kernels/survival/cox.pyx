# Cox's partial likelihood: sums over risk sets, from the latest time to the earliest, then what each row has a share in, back.
#
# A stratum is worked on by one thread. Where its inputs do not lie too far apart, risks are doubles in the scale of the largest
# one, and both ways go block by block; the way back finds the sums of a block again from those before it. Inputs that lie further
# apart, and rows that come under observation late, are left to intervals.pyx.
#
# A second derivative is a sum of W p (1 - p), p the share of a row in a risk set. No digits of 1 - p may be lost where one row
# is nearly all of it. That one, the largest so far, is the same for all events between two records of the way there, so while
# it lasts its part is summed with the risk of the others; that of a row that has less than half is u ΣW/S - u² ΣW/S².

cimport numpy as cnp
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from kernels.core.call cimport read_hess_options
from kernels.core.numeric cimport exp_gap, log1p, real
from kernels.core.operands cimport DOUBLE, INT32, INT64, UINT8, Kind, check_shape, describe, kind_of
from kernels.core.places cimport gather, scatter
from kernels.core.sums cimport (
    BLOCK, Span, Sum, accumulate, accumulate_wide, add, allocate, fl_stops, many, result, run)
from kernels.survival.intervals cimport by_intervals
from kernels.survival.risk cimport (
    D, G, H, OPERANDS, SINGLE, V, X, Job, State, Terms, Tie, all_in, find_terms, is_direction, log_sum,
    others_in, put_second, put_tie, rate_of, sum_of, weight_of)

cnp.import_array()

cdef enum:
    FAR = 300            # inputs further apart than this are not summed in one scale

cdef struct Block:
    double risk[BLOCK]          # u
    double before[BLOCK]        # the sum of those before each row
    double top[BLOCK]           # the largest of these, and the sum of the others
    double others[BLOCK]
    double along[BLOCK]         # the sum of the risks times the direction before each row, and the direction
    double direction[BLOCK]
    double out[BLOCK]
    double second[BLOCK]
    double spare[BLOCK]
    double spare_2[BLOCK]
    int32_t place[BLOCK]        # of single events

cdef struct Way:                # what the events on the way back add up to
    double a                    # ΣW/S
    double a_lost
    double c                    # ΣW/S², or with a direction ΣW V/S²
    double c_lost
    double top                  # the row that is the largest at the last event: its risk, its part, and the sums before it was
    double part
    double a_start
    double c_start


# ---- towards earlier times -------------------------------------------------------------------------------------------

cdef void scan(const Job *job, Py_ssize_t p, Py_ssize_t n, double scale, State *s, Block *b, const real *like) noexcept nogil:
    """The risks of n rows, and sums before each."""
    cdef const real *x = <const real *> job.x + p
    cdef const double *w = job.weights + p if job.weights != NULL else NULL
    cdef double total = s.total, lost = s.lost, u, less
    cdef Py_ssize_t i
    for i in range(n):
        b.risk[i] = exp_gap(<double> x[i], scale)
    if w != NULL:
        for i in range(n):
            b.risk[i] *= w[i]
    for i in range(n):
        b.before[i] = total + lost
        accumulate_wide(b.risk[i], &total, &lost, like)
    s.total = total
    s.lost = lost
    if job.order == 2:
        for i in range(n):
            u = b.risk[i]
            b.top[i] = s.top
            b.others[i] = s.others + s.others_lost
            less = u if u <= s.top else s.top
            s.top = u if u > s.top else s.top
            accumulate(less if u == u else u, &s.others, &s.others_lost)
    elif is_direction(job.order):
        gather(&job.operands[<int> D], job.rows + p, n, <real *> b.out)
        for i in range(n):
            b.direction[i] = (<const real *> b.out)[i]
        for i in range(n):
            b.along[i] = s.along + s.along_lost
            accumulate(b.risk[i] * b.direction[i], &s.along, &s.along_lost)


cdef Py_ssize_t find_singles(const Job *job, Py_ssize_t p, Py_ssize_t n, Block *b) noexcept nogil:
    """Where in a block events are that have no others at their time."""
    cdef const uint8_t *kinds = job.kinds + p
    cdef Py_ssize_t i, count = 0
    for i in range(n):
        b.place[count] = <int32_t> i
        count += kinds[i] == SINGLE
    return count


cdef double put_singles(const Job *job, Py_ssize_t p, Py_ssize_t count, Block *b, const real *like) noexcept nogil:
    """The values of these events; returns their sum."""
    cdef double *value = b.spare
    cdef Sum total = Sum(0, 0)
    cdef double w
    cdef Py_ssize_t i
    cdef int32_t j
    for i in range(count):
        j = b.place[i]
        value[i] = b.before[j] / b.risk[j]
    if job.rates == NULL:
        for i in range(count):
            value[i] = log1p(value[i])
    else:
        for i in range(count):
            w = weight_of(job, p + b.place[i])
            value[i] = rate_of(job, p + b.place[i]) * log_sum(w, value[i] * w)
    if job.summed:
        add(&total, sum_of(value, count))
    if job.operands[<int> V].data != NULL:
        for i in range(count):
            scatter(&job.operands[<int> V], job.rows + p + b.place[i], 1, &value[i], 1.0, like)
    return result(total)


cdef void start_tie(const Job *job, Tie *tie, const Block *b, Py_ssize_t i) noexcept nogil:
    memset(tie, 0, sizeof(Tie))
    tie.top = -1
    tie.rest.total = b.before[i]
    if job.order == 2:
        tie.rest.top = b.top[i]
        tie.rest.others = b.others[i]
    elif is_direction(job.order):
        tie.rest.along = b.along[i]

cdef void add_to_tie(const Job *job, Tie *tie, const Block *b, Py_ssize_t p, Py_ssize_t start, Py_ssize_t stop,
                     const real *like) noexcept nogil:
    """The events at places start … stop-1 of a block that begins at p."""
    cdef double top = b.risk[start]
    cdef Py_ssize_t i, largest = start
    for i in range(start, stop):
        top = b.risk[i] if b.risk[i] > top else top
    while b.risk[largest] != top and largest < stop - 1:
        largest += 1
    add(&tie.others, sum_of(b.risk + start, largest - start))
    add(&tie.others, sum_of(b.risk + largest + 1, stop - largest - 1))
    if top > tie.largest or tie.top < 0:
        add(&tie.others, tie.largest)
        tie.largest = top
        tie.x_top = (<const real *> job.x)[p + largest]
        tie.top = p + largest
    else:
        add(&tie.others, top)
    for i in range(start, stop):
        tie.rate += rate_of(job, p + i)
    if is_direction(job.order):
        for i in range(start, stop):
            tie.along += b.risk[i] * b.direction[i]


cdef double find_values(Job *job, Py_ssize_t stratum, double scale, State *states, Block *b, const real *like) noexcept nogil:
    """The values of a stratum's events; returns their sum. The states before each block are kept where derivatives are to
    follow, and what is known of ties."""
    cdef Py_ssize_t p = job.strata[stratum], last = job.strata[stratum + 1], n
    cdef Py_ssize_t t = job.tie_strata[stratum], ties = job.tie_strata[stratum + 1], start, stop
    cdef Sum total = Sum(0, 0)
    cdef State s
    cdef Tie *tie
    memset(&s, 0, sizeof(State))
    while p < last and not fl_stops(&job.team):
        n = min(<Py_ssize_t> BLOCK, last - p)
        if job.order > 0:
            states[0] = s
            states += 1
        scan(job, p, n, scale, &s, b, like)
        add(&total, put_singles(job, p, find_singles(job, p, n, b), b, like))
        while t < ties and job.ties[2 * t] < p + n:
            start = job.ties[2 * t]
            stop = job.ties[2 * t + 1]
            tie = &job.tied[t]
            if start >= p:
                start_tie(job, tie, b, start - p)
            add_to_tie(job, tie, b, p, max(start - p, <Py_ssize_t> 0), min(stop - p, n), like)
            if stop > p + n:
                break
            find_terms(tie, stop - start, scale, weight_of(job, tie.top), job.efron)
            add(&total, put_tie(job, start, stop, tie.terms.value, tie.x_top, like))
            t += 1
        p += n
    return result(total)


# ---- and back --------------------------------------------------------------------------------------------------------

cdef inline void pass_event(Way *way, double top, double part, double b, double c) noexcept nogil:
    """An event, at which the largest of the rest has this risk, and this part of the second derivatives."""
    if top != way.top:
        way.top = top
        way.part = 0
        way.a_start = way.a + way.a_lost
        way.c_start = way.c + way.c_lost
    way.part += part
    accumulate(b, &way.a, &way.a_lost)
    accumulate(c, &way.c, &way.c_lost)

cdef inline double second_of(const Way *way, double u, double top) noexcept nogil:
    """The second derivative by a row's input, of later events; `top` is the largest before the row."""
    if u > top and u == way.top:
        return u * way.a_start - u * u * way.c_start + way.part
    return u * (way.a + way.a_lost) - u * u * (way.c + way.c_lost)


cdef void pass_singles(const Job *job, Py_ssize_t start, Py_ssize_t stop, Way *way, Block *b) noexcept nogil:
    """Back over the rows start … stop-1 of a block, none of them tied. The events have their W/S in `spare`."""
    cdef double u, w, top, c, a = way.a, a_lost = way.a_lost
    cdef Py_ssize_t i
    if job.order == 1:
        for i in range(stop - 1, start - 1, -1):
            b.out[i] = a + a_lost
            accumulate(b.spare[i], &a, &a_lost)
        way.a = a
        way.a_lost = a_lost
    elif job.order == 2:
        for i in range(stop - 1, start - 1, -1):
            u = b.risk[i]
            w = b.spare[i]
            b.out[i] = way.a + way.a_lost
            b.second[i] = second_of(way, u, b.top[i])
            if w != 0:
                c = w / (b.before[i] + u)
                b.second[i] += u * b.before[i] * c
                pass_event(way, b.top[i], b.top[i] * (b.others[i] + u) * c, w, c)
    else:
        for i in range(stop - 1, start - 1, -1):
            u = b.risk[i]
            w = b.spare[i]
            if w != 0:
                pass_event(way, 0, 0, w, w * (b.along[i] + u * b.direction[i]) / (b.before[i] + u))
            b.out[i] = u * (b.direction[i] * (way.a + way.a_lost) - (way.c + way.c_lost))


cdef void pass_tie(const Job *job, const Tie *tie, Py_ssize_t p, Py_ssize_t start, Py_ssize_t stop, bint begins, Way *way,
                   Block *b) noexcept nogil:
    """Back over the events start … stop-1 of a tie, which may have more in other blocks."""
    cdef const Terms *t = &tie.terms
    cdef double u, all = all_in(tie), c, a = way.a + way.a_lost
    cdef Py_ssize_t i
    if is_direction(job.order):
        c = way.c + way.c_lost + tie.rest.along * t.c1 + tie.along * t.c2
        for i in range(start, stop):
            b.out[i] = b.risk[i] * (b.direction[i] * (a + t.a) - c)
        if begins:
            pass_event(way, 0, 0, t.b, tie.rest.along * t.c0 + tie.along * t.c1)
        return
    c = a + t.a
    for i in range(start, stop):
        b.out[i] = c
        b.spare_2[i] = 1
    if job.rates != NULL:
        memcpy(&b.spare_2[start], job.rates + p + start, (stop - start) * sizeof(double))
    if job.order == 2:
        for i in range(start, stop):
            u = b.risk[i]
            b.second[i] = second_of(way, u, b.top[i])
            if p + i == tie.top:
                b.second[i] += u * (tie.rest.total * t.c1 + others_in(tie) * t.c2)
            else:
                b.second[i] += u * (tie.rest.total * t.c1 + (all - u) * t.c2)
    if begins:
        pass_event(way, tie.rest.top, tie.rest.top * (tie.rest.others * t.c0 + all * t.c1), t.b, t.c0)


cdef void find_derivatives(Job *job, Py_ssize_t stratum, double scale, State *states, Block *b, const real *like) noexcept nogil:
    """Those of a stratum's rows."""
    cdef Py_ssize_t first = job.strata[stratum], last = job.strata[stratum + 1], p, n, i, k, low, high, start
    cdef Py_ssize_t t = job.tie_strata[stratum + 1] - 1, ties = job.tie_strata[stratum], count
    cdef double part
    cdef State s
    cdef Way way
    memset(&way, 0, sizeof(Way))
    way.top = -1
    for k in range((last - first - 1) // BLOCK, -1, -1):
        if fl_stops(&job.team):
            return
        p = first + k * BLOCK
        n = min(<Py_ssize_t> BLOCK, last - p)
        s = states[k]
        scan(job, p, n, scale, &s, b, like)
        memset(b.spare, 0, n * sizeof(double))
        memset(b.spare_2, 0, n * sizeof(double))
        count = find_singles(job, p, n, b)
        for i in range(count):
            b.second[i] = rate_of(job, p + b.place[i])
        for i in range(count):
            part = b.second[i] / (b.before[b.place[i]] + b.risk[b.place[i]])
            b.spare[b.place[i]] = part
            b.spare_2[b.place[i]] = b.before[b.place[i]] * part
        high = n
        while high > 0:
            low = start = 0
            if t >= ties and job.ties[2 * t + 1] > p:
                start = max(job.ties[2 * t] - p, <Py_ssize_t> 0)
                low = min(job.ties[2 * t + 1] - p, n)
            pass_singles(job, low, high, &way, b)
            if low > start:
                pass_tie(job, &job.tied[t], p, start, low, job.ties[2 * t] >= p, &way, b)
                t -= job.ties[2 * t] >= p
            high = start
        if not is_direction(job.order):
            for i in range(n):
                b.out[i] = b.risk[i] * b.out[i] - b.spare_2[i]
        scatter(&job.operands[<int> G], job.rows + p, n, <const double *> b.out, job.scale, like)
        if job.order == 2:
            put_second(job, p, n, b.second, like)


# ---- one call --------------------------------------------------------------------------------------------------------

cdef double cox_span(const real *like, Job *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Strata start … stop-1; returns the sum of their values."""
    cdef real *x = <real *> job.x
    cdef Block *b = <Block *> malloc(sizeof(Block))      # more than a small stack has
    cdef State *states
    cdef Sum total = Sum(0, 0)
    cdef real low, high
    cdef double value
    cdef Py_ssize_t stratum, first, last, i
    if b == NULL:
        job.starved = True
        return 0
    for stratum in range(start, stop):
        first = job.strata[stratum]
        last = job.strata[stratum + 1]
        gather(&job.operands[<int> X], job.rows + first, last - first, x + first)
        high = <real> -INFINITY
        low = <real> INFINITY
        for i in range(first, last):
            high = x[i] if x[i] > high else high
            low = x[i] if x[i] < low else low
        if fl_stops(&job.team):
            break
        if job.until == NULL and high - low <= FAR - job.reach:
            states = job.states + first // BLOCK + stratum
            value = find_values(job, stratum, <double> high, states, b, like)
            if job.order > 0:
                find_derivatives(job, stratum, <double> high, states, b, like)
        else:
            value = by_intervals(job, stratum, not high - low <= FAR - job.reach, like)
        add(&total, value)
        if job.totals.data != NULL and last > first:
            low = <real> value
            job.totals.store(job.totals.data + stratum * job.totals.strides[0], 0, 1, &low)
        if job.starved:
            break
    free(b)
    return result(total)


cdef const void *vector(object given, Kind kind, Py_ssize_t n) except? NULL:
    """The numbers of an array of n, side by side; of any number of them if n is negative."""
    cdef cnp.ndarray array = given
    if (kind_of(array) != kind or cnp.PyArray_NDIM(array) != 1 or (n >= 0 and cnp.PyArray_SIZE(array) != n)
            or not cnp.PyArray_ISCARRAY_RO(array)):
        raise ValueError("kernel: not a vector of so many numbers of that dtype")
    return cnp.PyArray_DATA(array)


cdef Py_ssize_t read_plan(Job *job, tuple plan) except -1:
    """The arrays of a plan; returns how many strata it has."""
    cdef Py_ssize_t count = len(plan[0]), strata = len(plan[4]) - 1
    if len(plan) != 7 or strata < 0:
        raise ValueError("kernel: not the arrays of a plan")
    job.rows = <const int32_t *> vector(plan[0], INT32, count)
    job.kinds = <const uint8_t *> vector(plan[1], UINT8, count)
    job.weights = <const double *> vector(plan[2], DOUBLE, count) if plan[2] is not None else NULL
    job.ties = <const int32_t *> vector(plan[3], INT32, -1)
    job.strata = <const int64_t *> vector(plan[4], INT64, -1)
    job.tie_strata = <const int64_t *> vector(plan[5], INT64, strata + 1)
    job.until = <const int32_t *> vector(plan[6], INT32, count) if plan[6] is not None else NULL
    return strata


def check_plan(Py_ssize_t rows, tuple plan):
    """Raise ValueError if a plan's arrays are not what they say, for so many rows."""
    cdef Job job
    cdef Py_ssize_t strata = read_plan(&job, plan), count = len(plan[0]), ties = len(plan[3]) // 2, p, k, s, t, times
    cdef bint good = (strata >= 0 and job.strata[0] == 0 and job.strata[strata] == count and job.tie_strata[0] == 0
                      and job.tie_strata[strata] == ties and count <= rows)
    for s in range(strata if good else 0):
        good = good and 0 <= job.strata[s] <= job.strata[s + 1] <= count and 0 <= job.tie_strata[s] <= job.tie_strata[s + 1] <= ties
        if not good:
            break
        p = job.strata[s]
        for t in range(job.tie_strata[s], job.tie_strata[s + 1]):
            if not p <= job.ties[2 * t] < job.ties[2 * t + 1] <= job.strata[s + 1]:
                good = False
                break
            for k in range(p, job.ties[2 * t]):
                good = good and job.kinds[k] < 2
            p = job.ties[2 * t + 1]
            for k in range(job.ties[2 * t], p):
                good = good and job.kinds[k] == 2
        if good:
            for k in range(p, job.strata[s + 1]):
                good = good and job.kinds[k] < 2
    for p in range(count if good else 0):
        good = good and 0 <= job.rows[p] < rows
    for s in range(strata if good and job.until != NULL else 0):
        times = 0
        for p in range(job.strata[s], job.strata[s + 1]):
            times += job.kinds[p] == 1
        times += job.tie_strata[s + 1] - job.tie_strata[s]
        for p in range(job.strata[s], job.strata[s + 1]):
            good = good and -1 <= job.until[p] < times
    if not good:
        raise ValueError("plan: its arrays do not fit together")


cdef double run_cox(const real *like, Job *job, tuple arrays, cnp.ndarray totals, Py_ssize_t count, Py_ssize_t strata, int threads) except? -1:
    cdef Py_ssize_t ties = job.tie_strata[strata], k
    cdef double total
    for k in range(<int> OPERANDS):
        describe(&job.operands[k], <cnp.ndarray> arrays[k], like, 1, False, V <= k <= H)
    describe(&job.totals, totals, like, 1, False, True)
    job.x = job.states = job.tied = NULL
    try:
        job.x = allocate(count, 1, sizeof(real))
        job.tied = <Tie *> allocate(ties, 1, sizeof(Tie))
        job.states = <State *> allocate(count // BLOCK + strata + 1 if job.order > 0 else 1, 1, sizeof(State))
        total = run(<Span> <void *> cox_span[real], job, strata, 1, many(4, count), threads, &job.team, False)
    finally:
        free(job.x)
        free(job.tied)
        free(job.states)
    return total


def cox(int order, bint efron, bint double_precision, double scale, bint summed, double reach, int threads, tuple arrays, tuple plan,
        rates=None, tuple hess_options=None, cnp.ndarray totals=None):
    """Run the loss. The arrays are (x, value, gradient, second derivative, direction), of one axis, None but for x where they
    are not asked for; with the order 3 the gradient is the product of the Hessian with the direction. Rows that the plan does
    not have are not written. `rates` are what the values are multiplied by, in the order of the plan, if not the weights. `totals` gets
    the sums of the values of all strata that have rows; with it the values must be `summed`.

    The plan has (rows, kinds, weights or None, ties, strata, ties of strata, until or None): see Job; `reach` is the largest
    distance of the logarithm of a weight from 0, twice. Returns the sum of the values (0 unless `summed`)."""
    cdef Job job
    cdef cnp.ndarray x = arrays[<int> X]
    cdef Py_ssize_t strata, k
    cdef double total
    if len(arrays) != OPERANDS or not 0 <= order <= 3 or x is None or cnp.PyArray_NDIM(x) != 1:
        raise ValueError("kernel: not the arrays of Cox's loss")
    for k in range(1, <int> OPERANDS):
        check_shape(arrays[k], x, 1)
    if (order > 0) != (arrays[<int> G] is not None) or (order == 2) != (arrays[<int> H] is not None) or (order == 3) != (
            arrays[<int> D] is not None):
        raise ValueError("kernel: not the arrays of Cox's loss")
    strata = read_plan(&job, plan)
    if totals is not None and (totals.ndim != 1 or len(totals) != strata or not summed):
        raise ValueError("kernel: not a sum for each stratum")
    read_hess_options(hess_options, &job.hess_options)
    job.rates = job.weights if rates is None else <const double *> vector(rates, DOUBLE, len(plan[0]))
    job.order = order
    job.efron = efron
    job.scale = scale
    job.summed = summed
    job.reach = reach
    job.starved = False
    if strata == 0 or len(plan[0]) == 0:
        return 0.0
    if double_precision:
        total = run_cox[double](NULL, &job, arrays, totals, len(plan[0]), strata, threads)
    else:
        total = run_cox[float](NULL, &job, arrays, totals, len(plan[0]), strata, threads)
    if job.starved:
        raise MemoryError("no memory for the risk sets of a stratum")
    return total if summed else 0.0
