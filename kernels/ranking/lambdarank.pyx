# LambdaRank: the logistic loss of pairs of items, each weighted by how much exchanging the two would change NDCG.
#
# The plan has for each row its gain, the number of the row in its group that comes at this place of the best order, and the
# weight of its derivatives; for each group whether these are not all 1. Items are taken in the order of their scores. Gains and discounts have a high and a low part, so that their differences keep their
# digits; gains are scaled by a power of two, so that no sum of them overflows.

from libc.math cimport INFINITY
from libc.stdint cimport int32_t
from libc.string cimport memset
from kernels.core.numeric cimport absolute, log1p, log1p_unit, real
from kernels.core.sums cimport Sum, add, fl_stops, result
from kernels.ranking.groups cimport V, Group, Job, register_groups
from kernels.ranking.order cimport Place, find_order
from kernels.ranking.pairs cimport (
    PIECE, Sums, add_all, add_each, compare, far_apart, fill_discounts, padded, set_sums, sum_of_sums, unit_of)

cdef struct Lambdarank:
    double sigma
    double truncation             # pairs have an item of the first so many places; 0: of any
    double of_pairs               # whether all pairs weigh the same
    double normed                 # whether a group's derivatives grow with the logarithm of their sum only
    double by_gap                 # whether a pair is divided by 0.01 and the difference of its scores

cdef enum:
    SCORES = 8, GAINS, GAINS_LOW, DISCOUNTS, DISCOUNTS_LOW, ORDER, ARRAYS     # working memory, after four Sums

cdef struct Query:                # the items of a group that count, in falling order of their scores
    void *scores                  # numbers of the computation's dtype, as are the next four
    void *gains
    void *gains_low
    void *discounts
    void *discounts_low
    int32_t *order                # their rows
    bint of_pairs
    double sigma
    double near                   # a pair is divided by near + far times the difference of its scores
    double far
    Py_ssize_t count
    Py_ssize_t depth              # places whose items are paired with all after them
    bint pushes                   # which sums are wanted
    bint bends
    bint costs
    bint own_costs                # of both items of a pair, not of the lower one alone
    Sums slope                    # sums for each item, to be multiplied by sigma and more
    Sums push                     # of the sizes of slopes
    Sums bend
    Sums cost


cdef void pair_up(Query *q, Py_ssize_t i, Py_ssize_t start, Py_ssize_t n, Py_ssize_t wide, const real *like) noexcept nogil:
    """Pair item i with n <= PIECE items from `start` on. With `wide` the loops go on to so many, which counts for nothing."""
    cdef real gaps[PIECE]
    cdef real spans[PIECE]
    cdef real tails[PIECE]
    cdef real shares[PIECE]
    cdef real changes[PIECE]      # negative where the lower item should be above
    cdef real terms[PIECE]
    cdef const real *g = <const real *> q.gains
    cdef const real *g_low = <const real *> q.gains_low
    cdef const real *d = <const real *> q.discounts
    cdef const real *d_low = <const real *> q.discounts_low
    cdef real g_one = g[i], g_one_low = g_low[i], d_one = 1 if q.of_pairs else d[i], d_one_low = d_low[i]
    cdef real near = <real> q.near, far = <real> q.far, u
    cdef real brink = far_apart(near) if q.far != 0 else <real> INFINITY
    cdef Py_ssize_t j
    compare(q.sigma, 0, (<const real *> q.scores)[i], <const real *> q.scores + start, wide, <real *> gaps, <real *> spans,
            <real *> tails, <real *> shares)
    g += start
    g_low += start
    d += start
    d_low += start
    for j in range(wide):
        u = (g_one - g[j]) + (g_one_low - g_low[j])
        u = u if u < 1 else 1                          # where gains are places in an order
        u = u if u > -1 else -1
        u = u * ((d_one - d[j]) + (d_one_low - d_low[j])) / (near + far * gaps[j])
        changes[j] = u
        u = u if gaps[j] < brink else 0
        terms[j] = u * (tails[j] if u > 0 else 1) * shares[j]
    add_each(<const real *> terms, n, q.slope, start)
    add_all(<const real *> terms, n, -1, q.slope, i)
    if q.pushes:
        for j in range(wide):
            terms[j] = absolute(terms[j])
        add_each(<const real *> terms, n, q.push, start)
    if q.bends:
        for j in range(wide):
            terms[j] = absolute(changes[j]) * tails[j] * (shares[j] * shares[j])
        add_each(<const real *> terms, n, q.bend, start)
        add_all(<const real *> terms, n, 1, q.bend, i)
    if q.costs:
        for j in range(wide):
            terms[j] = absolute(changes[j]) * (log1p_unit(tails[j]) + (spans[j] if changes[j] < 0 else 0))
        add_each(<const real *> terms, n, q.cost, start)
        if q.own_costs:
            add_all(<const real *> terms, n, 1, q.cost, i)


cdef void pair_all(Job *job, Query *q, const real *like) noexcept nogil:
    cdef Py_ssize_t first, i, start, stop
    for first from 0 <= first < q.count by PIECE:
        stop = min(first + PIECE, q.count)
        for i in range(min(q.depth, stop - 1)):
            start = max(first, i + 1)
            pair_up(q, i, start, stop - start, padded(stop - start) if stop == q.count else stop - start, like)
            if i % 64 == 63 and fl_stops(&job.team):
                return


cdef bint is_infinite(const Query *q, const real *like) noexcept nogil:
    """Whether the loss of a pair is, which its difference of scores was too large to say."""
    cdef const real *x = <const real *> q.scores
    cdef const real *g = <const real *> q.gains
    cdef real limit = far_apart(x[0])
    cdef Py_ssize_t i, j
    for i in range(q.depth):
        if not x[i] - x[q.count - 1] >= limit:
            break
        for j in range(i + 1, q.count):
            if g[j] > g[i] and x[i] - x[j] >= limit:
                return True
    return False


cdef double ideal_gain(const Group *group, Py_ssize_t depth, double scale, const real *discounts, const real *discounts_low) noexcept nogil:
    """The best DCG that there can be, of so many places, times the scale."""
    cdef double gain
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t place
    for place in range(min(depth, group.size)):
        gain = group.columns[0][<Py_ssize_t> group.columns[1][place]] * scale
        add(&total, gain * discounts[place])
        add(&total, gain * discounts_low[place])
    return result(total)


cdef void rank_relevances(const Group *group, real *ranks) noexcept nogil:
    """Of each row how many other relevances are larger than its own, negative: they stand for gains that all lie as far apart."""
    cdef double gain, before = INFINITY
    cdef Py_ssize_t place, row, level = 1
    for place in range(group.size):
        row = <Py_ssize_t> group.columns[1][place]
        gain = group.columns[0][row]
        level -= gain < before
        ranks[row] = <real> level
        before = gain


cdef void take_items(const Group *group, Query *q, bint of_pairs, double *unit, const real *like) noexcept nogil:
    """Put the items in order, with what pairs need of them. `unit` is what sums are to be multiplied by."""
    cdef const real *x = <const real *> group.x
    cdef const double *gains = group.columns[0]
    cdef real *scores = <real *> q.scores
    cdef real *high = <real *> q.gains
    cdef real *low = <real *> q.gains_low
    cdef real *discounts = <real *> q.discounts
    cdef real *discounts_low = <real *> q.discounts_low
    cdef real *ranks = <real *> group.g            # which nobody has written to yet
    cdef Py_ssize_t n = group.size, i
    cdef double gain, scale
    if group.kept[0] < n:
        if of_pairs:
            memset(discounts, 0, n * sizeof(real))
            memset(discounts_low, 0, n * sizeof(real))
        else:
            fill_discounts(discounts, discounts_low, n)
        group.kept[0] = n
    find_order(x, n, q.order, <Place *> group.spare)
    for i in range(n):
        scores[i] = x[q.order[i]]
    unit[0] = 1
    if of_pairs:
        rank_relevances(group, ranks)
        for i in range(n):
            high[i] = ranks[q.order[i]]
            low[i] = 0
        return
    scale = unit_of(gains[<Py_ssize_t> group.columns[1][0]])
    unit[0] = 1 / ideal_gain(group, q.depth, scale, <const real *> discounts, <const real *> discounts_low)
    for i in range(n):
        gain = gains[q.order[i]] * scale
        high[i] = <real> gain
        low[i] = <real> (gain - high[i])


cdef void weigh_costs(const Group *group, Query *q) noexcept nogil:
    """Each pair's value by the mean of the weights of its two rows."""
    cdef double share
    cdef Py_ssize_t i
    for i in range(q.count):
        share = 0.5 * group.weights[q.order[i]]
        q.cost.total[i] *= share
        q.cost.lost[i] *= share


cdef void put_derivatives(const Job *job, const Group *group, const Query *q, double unit) noexcept nogil:
    cdef double factor = unit * q.sigma
    cdef Py_ssize_t i, row
    for i in range(q.count):
        row = q.order[i]
        group.g[row] = (q.slope.total[i] + q.slope.lost[i]) * factor
        if job.order > 1:
            group.h[row] = (q.bend.total[i] + q.bend.lost[i]) * (factor * q.sigma)


cdef double lambdarank(const real *like, Job *job, Group *group) noexcept nogil:
    """Value and derivatives of a group; see lambdarank_loss."""
    cdef const Lambdarank *options = <const Lambdarank *> job.parameters
    cdef Py_ssize_t n = group.size, room = group.room
    cdef double *spare = group.spare
    cdef double unit, total, value = 0
    cdef Query q
    group.weights = group.columns[2] if group.facts[0] != 0 else NULL
    if group.columns[0][<Py_ssize_t> group.columns[1][0]] == group.columns[0][<Py_ssize_t> group.columns[1][n - 1]]:
        memset(group.g, 0, n * sizeof(double))                   # no pairs
        memset(group.h, 0, n * sizeof(double))
        return 0
    q.scores = spare + SCORES * room
    q.gains = spare + GAINS * room
    q.gains_low = spare + GAINS_LOW * room
    q.discounts = spare + DISCOUNTS * room
    q.discounts_low = spare + DISCOUNTS_LOW * room
    q.order = <int32_t *> (spare + ORDER * room)
    q.count = n
    q.depth = n if options.truncation == 0 else <Py_ssize_t> min(options.truncation, <double> n)
    q.of_pairs = options.of_pairs != 0
    take_items(group, &q, q.of_pairs, &unit, like)
    q.sigma = options.sigma
    q.far = options.by_gap != 0 and (<const real *> q.scores)[0] != (<const real *> q.scores)[n - 1]
    q.near = 0.01 if q.far != 0 else 1
    q.pushes = options.normed != 0
    q.bends = job.order > 1
    q.costs = job.summed or job.operands[<int> V].data != NULL
    q.own_costs = group.weights != NULL
    set_sums(&q.slope, spare, room, n)
    set_sums(&q.push, spare + 2 * room, room, n)
    set_sums(&q.bend, spare + 4 * room, room, n)
    set_sums(&q.cost, spare + 6 * room, room, n)
    pair_all(job, &q, like)
    if q.pushes:
        total = 2 * q.sigma * unit * sum_of_sums(q.push, n)
        unit *= 1.4426950408889634 * (log1p(total) / total if total > 0 else 1)
    if q.costs:
        if q.own_costs:
            weigh_costs(group, &q)
        value = unit * sum_of_sums(q.cost, n)
        if q.far == 0 and is_infinite(&q, like):
            value = INFINITY
    if job.order > 0:
        put_derivatives(job, group, &q, unit)
    return value


register_groups("lambdarank", <void *> lambdarank[float], <void *> lambdarank[double], 5, 3, 1, ARRAYS)
