# Risk sets of rows that are at risk from some time on to some other, and of inputs that lie as far apart as may be.
#
# A row is at risk at an interval of the times of events. A sum over those at risk at one time, found from others by taking away
# who has left, would lose digits. So the times are the leaves of a binary tree: a row is added to the O(log n) nodes that make
# up its interval, and a risk set is what the nodes above its time have. What the events are to a row is found the other way: each node sums
# its leaves, and a row adds up the nodes of its interval. Nothing is ever subtracted.
#
# The numbers of a node have a scale of its own, an input: the largest one.

from libc.math cimport INFINITY, NAN
from libc.stdint cimport int32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset
from kernels.core.numeric cimport exp_gap, real
from kernels.core.places cimport gather, scatter
from kernels.core.sums cimport BLOCK, Sum, accumulate, add, fl_stops, result
from kernels.survival.risk cimport (
    CENSORED, D, G, SINGLE, Job, Tie, all_in, find_terms, is_direction, others_in, put_second, put_tie, rate_of,
    weight_of)

cdef struct Set:                # the rows at risk at a time, or those that are at all times of a node
    double scale
    double largest              # the largest risk, and the sum of the others
    double others
    double lost
    double along                # the sum of the risks times the direction
    Py_ssize_t row              # that with the largest; -1: there is none

cdef struct Share:              # what the events of a node are to those at risk
    double scale
    double b                    # ΣW/S
    double c                    # ΣW/S², or with a direction ΣW V/S²

cdef struct Tree:
    Job *job
    bint apart                  # whether the inputs have scales of their own
    double scale                # else this one
    Py_ssize_t first            # place of the stratum's first row
    Py_ssize_t count            # of its rows
    Py_ssize_t times
    Py_ssize_t width            # leaves: a power of two
    Set *sets                   # node 1 is the root; below k are 2k and 2k + 1
    Share *shares
    double *x
    double *risks               # where all have one scale
    double *direction
    double *out
    double *second
    int32_t *events             # where the events of each time begin, and end
    int32_t *tops               # the row that is the largest of the rest at each time
    int32_t *times_of           # of the rows one after the other, the times at which they are
    int32_t *starts


cdef inline double ratio(double a, double b) noexcept nogil:
    """exp(a - b)"""
    if a == b:
        return 1
    return 1 / exp_gap(b, a) if a > b else exp_gap(a, b)

cdef inline bint stops(const Tree *tree, Py_ssize_t k) noexcept nogil:
    """Whether to stop, asked at every 256th step."""
    return k % 256 == 0 and fl_stops(&tree.job.team)

cdef inline bint both_infinite(double a, double b) noexcept nogil:
    return a == b and a == INFINITY

cdef inline double risk_of(const Tree *tree, Py_ssize_t i, double scale) noexcept nogil:
    """That of a row, in a scale."""
    if not tree.apart:
        return tree.risks[i]
    return weight_of(tree.job, tree.first + i) * ratio(tree.x[i], scale)

cdef inline double direction_of(const Tree *tree, Py_ssize_t i) noexcept nogil:
    return tree.direction[i] if is_direction(tree.job.order) else 0


# ---- sets ------------------------------------------------------------------------------------------------------------

cdef void clear(Set *s, double scale) noexcept nogil:
    memset(s, 0, sizeof(Set))
    s.scale = scale
    s.row = -1

cdef void rescale(Set *s, double scale) noexcept nogil:
    cdef double factor = ratio(s.scale, scale)
    s.scale = scale
    s.largest *= factor
    s.others *= factor
    s.lost *= factor
    s.along *= factor

cdef void store_block(const Tree *tree, Set *s, Py_ssize_t i) noexcept nogil:
    """Add a row."""
    cdef double x = tree.x[i], u
    cdef bint leads = s.row < 0
    if tree.apart:
        if x == -INFINITY:
            return
        if leads:
            s.scale = x
    u = risk_of(tree, i, s.scale)
    if tree.apart and not leads:
        if both_infinite(x, s.scale):
            u = NAN
        elif u > s.largest:
            rescale(s, x)
            u = weight_of(tree.job, tree.first + i)
            leads = True
    if leads or u > s.largest:
        if s.row >= 0:
            accumulate(s.largest, &s.others, &s.lost)
        s.largest = u
        s.row = i
    else:
        accumulate(u, &s.others, &s.lost)
    s.along += u * direction_of(tree, i)

cdef void merge(const Tree *tree, Set *into, const Set *more) noexcept nogil:
    """Add the rows of another set, none of which are in this one."""
    cdef Set other
    if more.row < 0:
        return
    other = more[0]
    if into.row < 0:
        into[0] = other
        return
    if tree.apart:
        if both_infinite(into.scale, other.scale):
            into.others = NAN
        elif other.largest * ratio(other.scale, into.scale) > into.largest:
            rescale(into, other.scale)
        else:
            rescale(&other, into.scale)
    if other.largest > into.largest:
        accumulate(into.largest, &into.others, &into.lost)
        into.largest = other.largest
        into.row = other.row
    else:
        accumulate(other.largest, &into.others, &into.lost)
    accumulate(other.others, &into.others, &into.lost)
    into.lost += other.lost
    into.along += other.along

cdef inline double others_of(const Set *s) noexcept nogil:
    return s.others + s.lost


# ---- shares ----------------------------------------------------------------------------------------------------------

cdef void join(const Tree *tree, Share *into, const Share *more) noexcept nogil:
    cdef double factor, b = more.b, c = more.c
    if tree.apart and more.scale != into.scale:
        if more.scale < into.scale:
            factor = ratio(more.scale, into.scale)
            into.scale = more.scale
            into.b *= factor
            into.c *= factor if is_direction(tree.job.order) else factor * factor
        else:
            factor = ratio(into.scale, more.scale)
            b *= factor
            c *= factor if is_direction(tree.job.order) else factor * factor
    into.b += b
    into.c += c

cdef Share nothing(const Tree *tree) noexcept nogil:
    cdef Share share
    share.scale = INFINITY if tree.apart else tree.scale
    share.b = share.c = 0
    return share

cdef Share share_of(const Tree *tree, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
    """Of the events at the times first … last."""
    cdef Share share = nothing(tree)
    cdef Py_ssize_t low = first + tree.width, high = last + tree.width + 1
    while low < high:
        if low & 1:
            join(tree, &share, &tree.shares[low])
            low += 1
        if high & 1:
            high -= 1
            join(tree, &share, &tree.shares[high])
        low //= 2
        high //= 2
    return share


# ---- one stratum -----------------------------------------------------------------------------------------------------

cdef inline Py_ssize_t first_time(const Tree *tree, Py_ssize_t i, Py_ssize_t time) noexcept nogil:
    """Of a row the latest time at which it is at risk from others' events; `time` is the latest that is not later than the row's own."""
    return time + (tree.job.kinds[tree.first + i] != CENSORED)

cdef inline Py_ssize_t last_time(const Tree *tree, Py_ssize_t i) noexcept nogil:
    return tree.times - 1 if tree.job.until == NULL else tree.job.until[tree.first + i]


cdef void add_rows(const Tree *tree) noexcept nogil:
    cdef Py_ssize_t time = 0, i, low, high, node
    for node in range(2 * tree.width):
        clear(&tree.sets[node], tree.scale)
        if stops(tree, node):
            return
    for i in range(tree.count):
        if time < tree.times and i >= tree.events[2 * time + 1]:
            time += 1
        low = first_time(tree, i, time) + tree.width
        high = last_time(tree, i) + tree.width + 1
        while low < high:
            if low & 1:
                store_block(tree, &tree.sets[low], i)
                low += 1
            if high & 1:
                high -= 1
                store_block(tree, &tree.sets[high], i)
            low //= 2
            high //= 2
        if stops(tree, i):
            return
    for node in range(2, 2 * tree.width):
        merge(tree, &tree.sets[node], &tree.sets[node // 2])
        if stops(tree, node):
            return


cdef double find_time(const Tree *tree, Py_ssize_t time, const real *like) noexcept nogil:
    """What happens at one time: the values of its events, of which the sum is returned, what they are to each other, and to those
    that are at risk."""
    cdef Job *job = tree.job
    cdef Py_ssize_t start = tree.events[2 * time], stop = tree.events[2 * time + 1], i
    cdef const Set *given = &tree.sets[tree.width + time]
    cdef Set rest = given[0], events
    cdef Tie tie
    cdef double u, along
    memset(&tie, 0, sizeof(Tie))
    clear(&events, tree.scale)
    for i in range(start, stop):
        store_block(tree, &events, i)
        tie.rate += rate_of(job, tree.first + i)
    if tree.apart and events.row < 0:
        events.scale = tree.x[start]
        events.row = start
    if tree.apart and rest.row >= 0:
        if both_infinite(rest.scale, events.scale):
            rest.others = NAN
        elif rest.scale > events.scale:
            rescale(&events, rest.scale)
        else:
            rescale(&rest, events.scale)
    add(&tie.others, others_of(&events))
    tie.largest = events.largest
    tie.x_top = tree.x[events.row]
    tie.top = events.row
    tie.along = events.along
    tie.rest.top = rest.largest
    tie.rest.others = others_of(&rest)
    tie.rest.total = rest.largest + tie.rest.others
    tie.rest.along = rest.along
    if tie.rest.total + all_in(&tie) == 0:       # all are -inf
        tie.rate = tie.rest.total = NAN
    find_terms(&tie, stop - start, events.scale, weight_of(job, tree.first + tie.top), job.efron)
    if job.order > 0:
        along = tie.rest.along * tie.terms.c1 + tie.along * tie.terms.c2
        for i in range(start, stop):
            u = risk_of(tree, i, events.scale)
            if is_direction(job.order):
                tree.out[i] = u * (tree.direction[i] * tie.terms.a - along)
                continue
            tree.out[i] = -tie.rest.total * tie.terms.b if stop - start == 1 else u * tie.terms.a - rate_of(job, tree.first + i)
            if job.order == 2 and i == tie.top:
                tree.second[i] += u * (tie.rest.total * tie.terms.c1 + others_in(&tie) * tie.terms.c2)
            elif job.order == 2:
                tree.second[i] += u * (tie.rest.total * tie.terms.c1 + (all_in(&tie) - u) * tie.terms.c2)
        tree.shares[tree.width + time].scale = events.scale
        tree.shares[tree.width + time].b = tie.terms.b
        tree.shares[tree.width + time].c = tie.terms.c0
        if is_direction(job.order):
            tree.shares[tree.width + time].c = tie.rest.along * tie.terms.c0 + tie.along * tie.terms.c1
        elif job.order == 2:
            tree.tops[time] = <int32_t> rest.row
            if rest.row >= 0:
                tree.second[rest.row] += rest.largest * (tie.rest.others * tie.terms.c0 + all_in(&tie) * tie.terms.c1)
    return put_tie(job, tree.first + start, tree.first + stop, tie.terms.value, tie.x_top, like)


cdef void sort_tops(const Tree *tree) noexcept nogil:
    """For each row the times at which it is the largest of the rest, in their order."""
    cdef Py_ssize_t time, i
    memset(tree.starts, 0, (tree.count + 2) * sizeof(int32_t))
    for time in range(tree.times):
        tree.starts[tree.tops[time] + 2] += 1
    for i in range(tree.count + 1):
        tree.starts[i + 1] += tree.starts[i]
    for time in range(tree.times):
        i = tree.tops[time] + 1
        tree.times_of[tree.starts[i]] = <int32_t> time
        tree.starts[i] += 1


cdef void add_share(const Tree *tree, Py_ssize_t i, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
    """To a row's second derivative, what it has of the events at these times, at none of which it is the largest."""
    cdef Share share
    cdef double u
    if first <= last:
        share = share_of(tree, first, last)
        u = risk_of(tree, i, share.scale)
        tree.second[i] += u * share.b - u * u * share.c


cdef void find_shares(const Tree *tree) noexcept nogil:
    """The derivatives, but for what the events of one time are to each other."""
    cdef Share share
    cdef double u
    cdef Py_ssize_t time = 0, node, i, k, first, last
    for node in range(tree.times, tree.width):
        tree.shares[tree.width + node] = nothing(tree)
    for node in range(tree.width - 1, 0, -1):
        tree.shares[node] = tree.shares[2 * node]
        join(tree, &tree.shares[node], &tree.shares[2 * node + 1])
        if stops(tree, node):
            return
    if tree.job.order == 2:
        sort_tops(tree)
    for i in range(tree.count):
        if time < tree.times and i >= tree.events[2 * time + 1]:
            time += 1
        first = first_time(tree, i, time)
        last = last_time(tree, i)
        if tree.x[i] != tree.x[i]:
            tree.out[i] = NAN
            if tree.job.order == 2:
                tree.second[i] = NAN
        elif first <= last:
            share = share_of(tree, first, last)
            u = risk_of(tree, i, share.scale)
            if is_direction(tree.job.order):
                tree.out[i] += u * (tree.direction[i] * share.b - share.c)
            else:
                tree.out[i] += u * share.b
            if tree.job.order == 2:
                for k in range(tree.starts[i], tree.starts[i + 1]):
                    add_share(tree, i, first, tree.times_of[k] - 1)
                    first = tree.times_of[k] + 1
                add_share(tree, i, first, last)
        if stops(tree, i):
            return


cdef Py_ssize_t find_times(const Tree *tree, Py_ssize_t t) noexcept nogil:
    """Where the events of each time are, if there is room for that; returns how many times there are. The ties from t on are
    those of the stratum."""
    cdef const Job *job = tree.job
    cdef Py_ssize_t i = 0, stop, times = 0
    while i < tree.count:
        stop = i + 1
        if job.kinds[tree.first + i] > SINGLE:
            stop = job.ties[2 * t + 1] - tree.first
            t += 1
        if job.kinds[tree.first + i] != CENSORED:
            if tree.events != NULL:
                tree.events[2 * times] = <int32_t> i
                tree.events[2 * times + 1] = <int32_t> stop
            times += 1
        i = stop
    return times


cdef bint prepare(Tree *tree, Py_ssize_t ties) noexcept nogil:
    """Room for a stratum; whether there is enough. The rest of the tree is known."""
    cdef Py_ssize_t n = tree.count, order = tree.job.order
    tree.events = tree.tops = tree.times_of = tree.starts = NULL
    tree.sets = NULL
    tree.shares = NULL
    tree.x = NULL
    tree.times = find_times(tree, ties)
    tree.width = 1
    while tree.width < tree.times:
        tree.width *= 2
    tree.events = <int32_t *> malloc((2 * tree.times + 1) * sizeof(int32_t))
    tree.sets = <Set *> malloc(2 * tree.width * sizeof(Set))
    tree.x = <double *> malloc((5 * n + 1) * sizeof(double))
    if tree.events == NULL or tree.sets == NULL or tree.x == NULL:
        return False
    tree.risks = tree.x + n
    tree.direction = tree.x + 2 * n
    tree.out = tree.x + 3 * n
    tree.second = tree.x + 4 * n
    if order > 0:
        tree.shares = <Share *> malloc(2 * tree.width * sizeof(Share))
        if tree.shares == NULL:
            return False
    if order == 2:
        tree.tops = <int32_t *> malloc((tree.times + 1) * sizeof(int32_t))
        tree.times_of = <int32_t *> malloc((tree.times + 1) * sizeof(int32_t))
        tree.starts = <int32_t *> malloc((n + 2) * sizeof(int32_t))
        if tree.tops == NULL or tree.times_of == NULL or tree.starts == NULL:
            return False
    find_times(tree, ties)
    return True


cdef void read_rows(Tree *tree, const real *like) noexcept nogil:
    """Inputs, and what goes with them."""
    cdef const real *x = <const real *> tree.job.x + tree.first
    cdef const int32_t *rows = tree.job.rows + tree.first
    cdef real some[BLOCK]
    cdef Py_ssize_t i, start, n
    tree.scale = -INFINITY
    for i in range(tree.count):
        tree.x[i] = x[i]
        tree.scale = tree.x[i] if tree.x[i] > tree.scale else tree.scale
        tree.out[i] = tree.second[i] = 0
    if not tree.apart:
        for i in range(tree.count):
            tree.risks[i] = weight_of(tree.job, tree.first + i) * exp_gap(tree.x[i], tree.scale)
    if is_direction(tree.job.order):
        for start from 0 <= start < tree.count by BLOCK:
            n = min(<Py_ssize_t> BLOCK, tree.count - start)
            gather(&tree.job.operands[<int> D], rows + start, n, some)
            for i in range(n):
                tree.direction[start + i] = some[i]


cdef double by_intervals(Job *job, Py_ssize_t stratum, bint apart, const real *like) noexcept nogil:
    """Values and derivatives of a stratum, whose inputs are in the order of the plan already; returns the sum of the values.
    With `apart` they may lie as far apart as they like."""
    cdef Tree tree
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t time
    tree.job = job
    tree.apart = apart
    tree.first = job.strata[stratum]
    tree.count = job.strata[stratum + 1] - tree.first
    if prepare(&tree, job.tie_strata[stratum]):
        read_rows(&tree, like)
        add_rows(&tree)
        for time in range(tree.times):
            add(&total, find_time(&tree, time, like))
            if stops(&tree, time):
                break
        if job.order > 0 and not fl_stops(&job.team):
            find_shares(&tree)
            scatter(&job.operands[<int> G], job.rows + tree.first, tree.count, <const double *> tree.out, job.scale, like)
            if job.order == 2:
                put_second(job, tree.first, tree.count, tree.second, like)
    else:
        job.starved = True
    free(tree.events)
    free(tree.sets)
    free(tree.x)
    free(tree.shares)
    free(tree.tops)
    free(tree.times_of)
    free(tree.starts)
    return result(total)
