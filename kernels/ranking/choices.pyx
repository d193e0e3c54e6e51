# Conditional logit: which of a group's rows are chosen, given how many are.
#
# Each row is put to a coin of its own: s = σ(x - λ), with the λ for which as many rows come up as are chosen, on the average.
# Whatever λ is, the chances given that K of n come up are those of the loss; with this one the chance of K is never small, and
# all sums are sums of chances, which neither overflow nor cancel. They go through the rows, with a chance for each number of
# rows so far. Those of sets that differ from the chosen one are kept apart from its own, so that a value near 0 has its digits.
#
# For derivatives the sums go back, too. Those of the way there are kept at about √n rows, and found again between these.

from libc.math cimport INFINITY, NAN
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memcpy, memset
from kernels.core.numeric cimport absolute, exp_parts, log, log1p, real, sum_error
from kernels.core.rowmath cimport row_sum
from kernels.core.sums cimport PY_SSIZE_T_MAX, Sum, add, fl_stops, result
from kernels.ranking.groups cimport Group, Job, register_groups
from kernels.ranking.softmaxes cimport cross_entropy, fill, widened

cdef enum:
    WIDE = 8             # sums of a dot product
    APART = 80           # where the rows that may be chosen lead by so much, λ lies between
    STEPS = 60           # of the search for λ; it takes about five

cdef struct Coins:
    Py_ssize_t n
    Py_ssize_t chosen          # K
    const double *s            # the chance of each row, and of the contrary
    const double *r
    const double *is_chosen

cdef struct Front:             # where the way through the rows has come to
    double *chances            # of sets that differ from the chosen one, by their number of rows; and one place before them
    double *next               # room for those one row further
    double path                # the chance of the chosen one
    Py_ssize_t count           # its number of rows
    Py_ssize_t row


cdef int rising(const void *a, const void *b) noexcept nogil:
    cdef double x = (<const double *> a)[0], y = (<const double *> b)[0]
    return (x > y) - (x < y)


cdef void toss(Py_ssize_t n, const double *x, double base, double shift, double *s, double *r) noexcept nogil:
    """s = σ(x - base - shift), r = 1 - s. What rounding takes from the differences is carried."""
    cdef double d, low, e, more
    cdef Py_ssize_t i
    for i in range(n):
        e = x[i] - base
        d = e - shift
        low = sum_error(x[i], -base, e) + sum_error(e, -shift, d)
        low = low if low == low else 0       # of infinite ones
        e = exp_parts(-d if d > 0 else d, -low if d > 0 else low, <double> 1)
        more = 1 / (1 + e)
        s[i] = more if d > 0 else e * more
        r[i] = e * more if d > 0 else more


cdef bint settle(Py_ssize_t n, Py_ssize_t chosen, double *x, double *sorted, double *s, double *r) noexcept nogil:
    """The chances of the rows, whose distances from λ replace x; False if so many can be chosen of infinite inputs in several
    ways. What is sorted may lie where a result does."""
    cdef double low, high, shift = 0, base, above, mean, slope, width
    cdef Py_ssize_t i, j, k = n - chosen    # the first of those that lead
    memcpy(sorted, x, n * sizeof(double))
    qsort(sorted, n, sizeof(double), rising)
    above = sorted[k]
    base = sorted[k - 1]
    if above == base and above - above != 0:
        return False
    if above - base > APART:                # also where one is infinite
        low = base if base > -INFINITY else above - 2 * APART if above < INFINITY else 0
        high = above if above < INFINITY else base + 2 * APART if base > -INFINITY else 0
        base = 0.5 * low + 0.5 * high
        toss(n, x, base, shift, s, r)
    else:
        width = log(<double> n)
        low = (base - above) - width
        high = width
        shift = 0.5 * (base - above)
        base = above
        for i in range(STEPS):
            toss(n, x, base, shift, s, r)
            mean = row_sum(<const double *> s, n) - chosen
            if -0.25 < mean < 0.25 or i == STEPS - 1:
                break
            if mean > 0:
                low = shift
            else:
                high = shift
            slope = 0
            for j in range(n):
                slope += s[j] * r[j]
            shift += mean / slope
            if not low < shift < high:
                shift = 0.5 * (low + high)
    for i in range(n):
        x[i] = absolute((x[i] - base) - shift)
    return True


cdef void advance(const Coins *coins, Front *front) noexcept nogil:
    """One row further. Numbers from which K cannot be reached any more are left out."""
    cdef Py_ssize_t i = front.row, k, low = max(<Py_ssize_t> 0, coins.chosen - (coins.n - i - 1)), high = min(i + 1, coins.chosen), other
    cdef double s = coins.s[i], r = coins.r[i]
    cdef const double *from_ = front.chances
    cdef double *to = front.next
    for k in range(low, high + 1):
        to[k] = r * from_[k] + s * from_[k - 1]
    if coins.is_chosen[i] != 0:
        other = front.count
        if other >= low:
            to[other] += r * front.path
        front.path *= s
        front.count += 1
    else:
        other = front.count + 1
        if other <= high:
            to[other] += s * front.path
        front.path *= r
    front.next = front.chances
    front.chances = to
    front.row += 1


cdef double dot(const double *a, const double *b, Py_ssize_t n) noexcept nogil:
    cdef double sums[WIDE]
    cdef Py_ssize_t i, j, whole = n - n % WIDE
    for j in range(WIDE):
        sums[j] = 0
    for i from 0 <= i < whole by WIDE:
        for j in range(WIDE):
            sums[j] += a[i + j] * b[i + j]
    for j in range(n - whole):
        sums[j] += a[whole + j] * b[whole + j]
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))


cdef double value_of(const Coins *coins, const Front *end, const double *distance) noexcept nogil:
    """-log of the chance of the chosen set, given K."""
    cdef double others = end.chances[coins.chosen], chance
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t i
    if end.path > 1e-250:
        return log1p(others / end.path)
    for i in range(coins.n):
        chance = coins.s[i] if coins.is_chosen[i] != 0 else coins.r[i]
        if chance > 1e-290:
            add(&total, -log(chance))
        else:
            add(&total, distance[i])
    add(&total, log(others + end.path))
    return result(total)


cdef void put_derivatives(const Coins *coins, Py_ssize_t i, const double *before, const double *after, int order, double *g,
                          double *h) noexcept nogil:
    """Those of one row: what comes before it by the number of rows, and after it by the number that is lacking."""
    cdef Py_ssize_t low = max(<Py_ssize_t> 0, coins.chosen - (coins.n - i)), count = min(i, coins.chosen) + 1 - low
    cdef double p = coins.s[i] * dot(before + low, after + low + 1, count)
    cdef double q = coins.r[i] * dot(before + low, after + low, count)
    cdef double over = 1 / (p + q)
    g[i] = -q * over if coins.is_chosen[i] != 0 else p * over
    if order > 1:
        h[i] = p * over * (q * over)


cdef double *back(const Coins *coins, Py_ssize_t i, double *after, double *one, double *other) noexcept nogil:
    """The chances of the number that is lacking, with one more row; it returns where these are, in one of two places."""
    cdef double *to = other if after == one else one
    cdef double s = coins.s[i], r = coins.r[i]
    cdef Py_ssize_t k
    for k in range(max(<Py_ssize_t> 0, coins.chosen - (coins.n - i)), coins.chosen + 1):
        to[k] = r * after[k] + s * after[k + 1]
    return to


cdef double walk(Job *job, const Coins *coins, const double *distance, double *g, double *h) noexcept nogil:
    """There and, for derivatives, back."""
    cdef Py_ssize_t n = coins.n, wide = coins.chosen + 3, each = 1, blocks, start, i, k, size
    cdef double value
    cdef Front front
    cdef double *memory
    cdef double *after
    cdef double *kept                       # before each block
    cdef double *rows                       # before each row of a block
    cdef double *paths
    cdef Py_ssize_t *counts
    if job.order == 0:
        each = n
    while each * each < n:
        each += 1
    blocks = (n + each - 1) // each
    size = 4 + (blocks + each if job.order > 0 else 1)
    memory = NULL
    if size <= PY_SSIZE_T_MAX // <Py_ssize_t> sizeof(double) // wide - 1:
        memory = <double *> malloc((size * wide + 2 * blocks) * sizeof(double))
    if memory == NULL:
        job.starved = True
        return 0
    memset(memory, 0, 4 * wide * sizeof(double))
    front.chances = memory + 1
    front.next = memory + wide + 1
    after = memory + 2 * wide + 1
    kept = memory + 4 * wide + 1
    rows = kept + blocks * wide
    paths = memory + size * wide
    counts = <Py_ssize_t *> (paths + blocks)
    front.path = 1
    front.count = front.row = 0
    for start from 0 <= start < n by each:
        if job.order > 0:
            memcpy(kept + start // each * wide - 1, front.chances - 1, wide * sizeof(double))
            paths[start // each] = front.path
            counts[start // each] = front.count
        for i in range(start, min(start + each, n)):
            if fl_stops(&job.team):
                break
            advance(coins, &front)
    value = value_of(coins, &front, distance)
    if job.order > 0:
        after[coins.chosen] = 1
    for k in range(blocks - 1, -1 if job.order > 0 else blocks - 1, -1):
        start = k * each
        memset(memory, 0, 2 * wide * sizeof(double))
        front.chances = memory + 1
        front.next = memory + wide + 1
        memcpy(front.chances - 1, kept + k * wide - 1, wide * sizeof(double))
        front.path = paths[k]
        front.count = counts[k]
        front.row = start
        for i in range(start, min(start + each, n)):
            memcpy(rows + (i - start) * wide - 1, front.chances - 1, wide * sizeof(double))
            rows[(i - start) * wide + front.count] += front.path
            if i + 1 < min(start + each, n):
                advance(coins, &front)
        for i in range(min(start + each, n) - 1, start - 1, -1):
            if fl_stops(&job.team):
                break
            put_derivatives(coins, i, rows + (i - start) * wide, after, job.order, g, h)
            after = back(coins, i, after, memory + 2 * wide + 1, memory + 3 * wide + 1)
    free(memory)
    return value


cdef double conditional_logit(const real *like, Job *job, const Group *group) noexcept nogil:
    """-log of the chance of the chosen rows among all sets of as many."""
    cdef Py_ssize_t n = group.size, room = group.room, i, chosen = 0
    cdef double *copy = group.spare
    cdef double *is_chosen = copy + room
    cdef double *s = is_chosen + room
    cdef double *r = s + room
    cdef const double *x = widened(<const real *> group.x, n, copy)
    cdef const double *given = group.columns[0]
    cdef double value
    cdef bint turned
    cdef Coins coins
    for i in range(n):
        chosen += given[i] != 0
    if chosen == 0 or chosen == n:
        return fill(job.order, n, 0, group.g, group.h)
    turned = chosen > n - chosen             # then it is those that are not chosen that are chosen by -x
    for i in range(n):
        copy[i] = -x[i] if turned else x[i]
        is_chosen[i] = (given[i] != 0) != turned
    chosen = n - chosen if turned else chosen
    if chosen == 1:
        value = cross_entropy(job.order, n, <const double *> copy, <const double *> is_chosen, 0, s, r, group.g, group.h)
    elif settle(n, chosen, copy, r, s, r):
        coins = Coins(n, chosen, s, r, is_chosen)
        value = walk(job, &coins, <const double *> copy, group.g, group.h)
    else:
        return fill(job.order, n, NAN, group.g, group.h)
    for i in range(n if turned and job.order > 0 else 0):
        group.g[i] = -group.g[i]
    return value


register_groups("conditional_logit", <void *> conditional_logit[float], <void *> conditional_logit[double], 0, 1, 0, 4)
