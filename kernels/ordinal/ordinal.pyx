# Losses of a score and the thresholds between grades. Those of an interval look at the two thresholds around the grade of the
# target, others at all thresholds.
#
# All scores share the thresholds, so the derivatives with respect to these are sums over the scores. Parts, which threads work
# on, are of fixed scores, and each has sums of its own for every grade; the sums of the parts are added in order.

cimport numpy as cnp
from libc.math cimport INFINITY, expm1
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset
from kernels.core.call cimport lay_out
from kernels.core.cdf cimport BY_LOWER, BY_SHIFT, BY_UPPER, ENDS, Extreme, Normal, interval
from kernels.core.numeric cimport absolute, exp_gap, log1mexp, real, weighed
from kernels.core.operands cimport (
    UINT64, Load, Operand, Space, check_shape, describe, fetch, label_loader, load_block, load_mask, merge_axes, store_block)
from kernels.core.orders cimport Curvature, Order, Slope, Value
from kernels.core.rowmath cimport add_row
from kernels.core.sums cimport (
    SPANS, SPAN_GRAIN, WATCHED, Exact, Span, Sum, Team, accumulate_wide, add, add_values, allocate, exact_of, fl_stops, many, regained,
    result, run_from)
from kernels.elementwise.logistic cimport bce_of_difference

cnp.import_array()

cdef enum:
    PIECE = 256           # scores that are worked on at once
    PAD = 16              # of intervals a multiple of so many, so that their loop needs no tail
    SIDE_BY_SIDE = 4      # sums of a grade, as each addition waits for the one before it;
    FEW = 64              # where there are no more grades than these
    LEAST = 64            # scores of a part for each grade: the sums take little memory beside the operands

cdef enum Loss:
    LOGIT, PROBIT, CLOGLOG, IMMEDIATE, ALL, LOSSES

cdef enum:
    X, T, W, M, V, G, H, OPERANDS       # of the shape of the input
    P = OPERANDS, PG, PH, ARRAYS        # of the thresholds

cdef struct Ends:             # derivatives with respect to both thresholds of a grade
    double low, high
    double low_lost, high_lost

cdef struct Ordinal:          # one call
    Space space
    Operand operands[<int> OPERANDS]
    Load load_label
    Loss loss
    Py_ssize_t count
    Py_ssize_t grades
    const void *ends          # -inf, the thresholds, inf
    const void *own           # what the thresholds alone add to values, slopes and curvatures of each grade; or NULL
    int64_t ignored
    double scale
    int order
    bint summed
    Py_ssize_t part           # scores of a part
    Py_ssize_t lanes          # sums of a grade
    Ends *sums                # of each part, order of the derivative, grade and lane
    Team team


# ---- formulas of an interval -----------------------------------------------------------------------------------------
#
# Value, derivatives g and h with respect to the score x, and both with respect to the thresholds low and high around its grade.
# The lowest grade has none below, the highest none above: these are infinite, and hold also for an infinite score.

cdef struct Sides:            # the logistic loss of both thresholds
    char none

ctypedef fused Interval:
    Sides
    Normal
    Extreme

cdef inline int side(real a, real b, bint open, real *v, real *g, real *h) noexcept nogil:
    """log(1 + exp(a - b)), and 0 where a side is open."""
    bce_of_difference(a, b, <real> 0, <real> 1, v, g, h)
    v[0] = 0 if open else v[0]
    g[0] = 0 if open else g[0]
    h[0] = 0 if open else h[0]
    return 0

cdef inline real less(real end, real x, real *error) noexcept nogil:
    """end - x, and by how much the rounded difference is too small; an infinite end stays."""
    cdef real d = end - x, t = d - end, size = absolute(d), e = (end - (d - t)) - (x + t)
    error[0] = 0 if size == INFINITY else e
    return end if (absolute(end) == INFINITY) & (x == x) else d

cdef inline int interval_of(Interval f, real x, real low, real high, real *v, real *g, real *h, real *gl, real *hl, real *gh,
                            real *hh) noexcept nogil:
    """-log(F(high - x) - F(low - x)); of the logistic function F less what the thresholds alone add, see `own_terms`."""
    cdef real v_low, v_high, g_low, g_high, h_low, h_high, vi, gi, hi, a, b, w, e, e_a, e_b, both, one, by_low, by_high
    cdef real slopes[<int> ENDS]
    cdef real bends[<int> ENDS]
    cdef bint apart, certain, left, right, none
    cdef real up = 1
    if Interval is Sides:
        side(low, x, (low == -INFINITY) & (x == x), &v_low, &g_low, hl)
        side(x, high, (high == INFINITY) & (x == x), &v_high, &g_high, hh)
        v[0] = v_low + v_high
        g[0] = g_high - g_low
        h[0] = hl[0] + hh[0]
        gl[0] = g_low
        gh[0] = -g_high
    else:
        a = less(low, x, &e_a)
        b = less(high, x, &e_b)
        w = high - low
        interval(<const Interval *> NULL, a, b, w, &vi, <real *> slopes, <real *> bends)
        g_low = slopes[<int> BY_LOWER]
        g_high = slopes[<int> BY_UPPER]
        gi = slopes[<int> BY_SHIFT]
        h_low = bends[<int> BY_LOWER]
        h_high = bends[<int> BY_UPPER]
        hi = bends[<int> BY_SHIFT]
        # What the rounding of both ends has cost: the ends one by one where each has a tail of its own, else the end at which
        # the probability is.
        apart = (a < 0) & (b > 0) & (w > 1)
        e = <real> 0.5 * (e_a + e_b)
        e = e_b if b < 0 else e
        e = e_a if a > 0 else e
        both = weighed(e_a, g_low) + weighed(e_b, g_high)
        one = weighed(e, gi)
        vi += both if apart else one
        both = weighed(e_a, h_low) + weighed(e_b, h_high)
        one = weighed(e, hi)
        gi += both if apart else one
        # In a narrow interval differences of these have no digits.
        e = <real> 0.5 * e if (w > <real> 0.0625) | (g_low * w > 2) else <real> 0
        by_low = weighed(e_a, h_low)
        by_high = weighed(e_b, h_high)
        one = weighed(e, hi + (h_low - h_high))
        both = weighed(e, hi + (h_high - h_low))
        g_low += by_low if apart else one
        g_high += by_high if apart else both
        # What formulas of a and b have no number for: infinite scores, and an interval of no width.
        certain = (a == -INFINITY) & (b == INFINITY)
        left = b == -INFINITY
        right = a == INFINITY
        none = w == 0
        if Interval is Normal:
            up = INFINITY
        vi = INFINITY if left | right | none else vi
        gi = -up if left else gi
        gi = INFINITY if right else gi
        g_low = INFINITY if right | none else g_low
        g_high = -INFINITY if none else g_high
        h_low = INFINITY if none else h_low
        h_high = INFINITY if none else h_high
        g_high = -up if left else g_high
        v[0] = 0 if certain else vi
        g[0] = 0 if certain else -gi
        h[0] = 0 if certain else hi
        gl[0] = 0 if certain | left else g_low
        hl[0] = 0 if certain | left else h_low
        gh[0] = 0 if certain | right else g_high
        hh[0] = 0 if certain | right else h_high
    return 0


cdef void own_terms(Py_ssize_t grades, const real *ends, real *own) noexcept nogil:
    """As F(b) - F(a) = F(b) F(-a) (1 - exp(a - b)) for the logistic function: -log(1 - exp(-w)) of the width w of each grade,
    and its first and second derivative, the first without its sign. Of w alone, so a table; F(b) and F(-a) are `Sides`."""
    cdef double low, high, e, rest, w
    cdef Py_ssize_t k
    for k in range(grades):
        low = ends[k]
        high = ends[k + 1]
        w = 0 if low == high else high - low
        e = 1 if low == high else exp_gap(low, high)
        rest = -expm1(-w)
        own[k] = <real> -log1mexp(-w)
        own[grades + k] = <real> (e / rest)
        own[2 * grades + k] = <real> (e / rest / rest)


# ---- blocks ----------------------------------------------------------------------------------------------------------

cdef struct Piece:            # of floats or doubles: what is computed of the scores of a block
    double v[PIECE]
    double g[PIECE]
    double h[PIECE]
    double gl[PIECE]          # with respect to the thresholds below and above
    double hl[PIECE]
    double gh[PIECE]
    double hh[PIECE]


cdef void map_interval(Interval f, const Order *order, const Ordinal *job, const int64_t *y, Py_ssize_t n, const real *x,
                       Piece *piece) noexcept nogil:
    cdef real scores[PIECE]
    cdef real low[PIECE]
    cdef real high[PIECE]
    cdef real terms[3][PIECE]
    cdef const real *ends = <const real *> job.ends
    cdef const real *own = <const real *> job.own
    cdef Py_ssize_t j, k, grades = job.grades, count = (n + PAD - 1) & -PAD
    cdef real *v = <real *> piece.v
    cdef real *g = <real *> piece.g
    cdef real *h = <real *> piece.h
    cdef real *gl = <real *> piece.gl
    cdef real *hl = <real *> piece.hl
    cdef real *gh = <real *> piece.gh
    cdef real *hh = <real *> piece.hh
    cdef real vj, gj, hj, glj, hlj, ghj, hhj
    for j in range(count):           # the last score again until the loop over them needs no tail
        k = min(j, n - 1)
        scores[j] = x[k]
        low[j] = ends[y[k]]
        high[j] = ends[y[k] + 1]
        if Interval is Sides:
            terms[0][j] = 0 if own == NULL else own[y[k]]
            if Order is not Value:
                terms[1][j] = 0 if own == NULL else own[grades + y[k]]
            if Order is Curvature:
                terms[2][j] = 0 if own == NULL else own[2 * grades + y[k]]
    for j in range(count):
        interval_of(f, scores[j], low[j], high[j], &vj, &gj, &hj, &glj, &hlj, &ghj, &hhj)
        if Interval is Sides:
            vj += terms[0][j]
            if Order is not Value:
                glj += terms[1][j]
                ghj -= terms[1][j]
            if Order is Curvature:
                hlj += terms[2][j]
                hhj += terms[2][j]
        v[j] = vj
        if Order is not Value:
            g[j] = gj
            gl[j] = glj
            gh[j] = ghj
        if Order is Curvature:
            h[j] = hj
            hl[j] = hlj
            hh[j] = hhj


cdef void map_all(const Order *order, const Ordinal *job, const int64_t *y, Py_ssize_t n, const real *x, const real *w,
                  Piece *piece, Ends *sums) noexcept nogil:
    """The logistic loss of each threshold, on whose right side the score ought to be. `w` are the weights, 0 for what does not
    count: by them the derivatives with respect to the thresholds are multiplied, which go to the sums at once."""
    cdef double totals[3][PIECE]
    cdef double lost[3][PIECE]
    cdef real gs[PIECE]
    cdef real hs[PIECE]
    cdef const real *ends = <const real *> job.ends
    cdef real vj, gj, hj, t
    cdef Py_ssize_t j, k, orders = 1
    cdef Ends *cell
    if Order is Slope:
        orders = 2
    elif Order is Curvature:
        orders = 3
    for k in range(orders):
        for j in range(n):
            totals[k][j] = 0
            lost[k][j] = 0
    for k in range(job.grades - 1):
        for j in range(n):
            t = 1 if y[j] > k else <real> 0
            bce_of_difference(x[j], ends[k + 1], t, 1 - t, &vj, &gj, &hj)
            accumulate_wide(vj, &totals[0][j], &lost[0][j], x)
            if Order is not Value:
                accumulate_wide(gj, &totals[1][j], &lost[1][j], x)
                gs[j] = -gj
            if Order is Curvature:
                accumulate_wide(hj, &totals[2][j], &lost[2][j], x)
                hs[j] = hj
        if Order is not Value:
            if w != NULL:
                weigh(w, <real> 1, n, <real *> gs)
            cell = sums + k * job.lanes
            add_row(<const real *> gs, n, &cell.high, &cell.high_lost)
        if Order is Curvature:
            if w != NULL:
                weigh(w, <real> 1, n, <real *> hs)
            cell = sums + (job.grades + k) * job.lanes
            add_row(<const real *> hs, n, &cell.high, &cell.high_lost)
    for j in range(n):
        (<real *> piece.v)[j] = <real> regained(totals[0][j], lost[0][j])
        if Order is not Value:
            (<real *> piece.g)[j] = <real> regained(totals[1][j], lost[1][j])
        if Order is Curvature:
            (<real *> piece.h)[j] = <real> regained(totals[2][j], lost[2][j])


cdef void weigh(const real *w, real scale, Py_ssize_t n, real *line) noexcept nogil:
    """Numbers times weights and scale; without weights times the scale."""
    cdef real factor
    cdef Py_ssize_t j
    if w == NULL:
        for j in range(n):
            line[j] *= scale
        return
    for j in range(n):
        factor = weighed(w[j], scale)              # 0 where nothing counts, and the scale is infinite
        line[j] = weighed(factor, line[j])


cdef void scatter(const int64_t *y, Py_ssize_t n, Py_ssize_t lanes, const real *low, const real *high, Ends *sums) noexcept nogil:
    """Add the derivatives with respect to the thresholds of each score to those of its grade."""
    cdef Ends *cell
    cdef Py_ssize_t j
    for j in range(n):
        cell = sums + y[j] * lanes + (j & (lanes - 1))
        accumulate_wide(low[j], &cell.low, &cell.low_lost, low)
        accumulate_wide(high[j], &cell.high, &cell.high_lost, low)


cdef const real *weights_of(const Ordinal *job, Py_ssize_t start, Py_ssize_t n, int64_t *y, real *block) noexcept nogil:
    """The grades of a block, and the weights of its scores: 0 for what counts for nothing, whose grade is 0; NULL where all
    count alike. Grades that are out of range were found before, but other threads may have written to the array since."""
    cdef const Space *space = &job.space
    cdef const Operand *op = <const Operand *> job.operands
    cdef real valid[PIECE]
    cdef const real *w = NULL
    cdef int64_t none = 0
    cdef Py_ssize_t j
    load_block(&op[<int> T], job.load_label, op[<int> T].data, space, 0, space.ndim, start, n, <char *> y, sizeof(int64_t))
    for j in range(n):
        y[j] = -1 if (y[j] == job.ignored) | (<uint64_t> y[j] >= <uint64_t> job.grades) else y[j]
        none |= y[j]
    if op[<int> W].data != NULL:
        w = fetch(&op[<int> W], op[<int> W].data, space, 0, space.ndim, start, n, block)
    if none >= 0 and op[<int> M].data == NULL:
        return w
    for j in range(n):
        block[j] = 1 if w == NULL else w[j]
    if op[<int> M].data != NULL:
        load_mask(&op[<int> M], op[<int> M].data, space, 0, space.ndim, start, n, <real *> valid)
        for j in range(n):
            block[j] = 0 if valid[j] == 0 else block[j]
    for j in range(n):
        block[j] = 0 if y[j] < 0 else block[j]
        y[j] = 0 if y[j] < 0 else y[j]
    return block


cdef void put_line(const Ordinal *job, int k, Py_ssize_t start, Py_ssize_t n, const real *line) noexcept nogil:
    if job.operands[k].data != NULL:
        store_block(&job.operands[k], job.operands[k].data, &job.space, 0, job.space.ndim, start, n, line)


cdef void work_on(const Order *order, const real *like, const Ordinal *job, Py_ssize_t part) noexcept nogil:
    """The scores of a part, block by block; the values are added to what the thread adds up."""
    cdef int64_t y[PIECE]
    cdef real xs[PIECE]
    cdef real ws[PIECE]
    cdef Piece piece
    cdef Sides sides
    cdef Normal normal
    cdef Extreme extreme
    cdef const Operand *op = <const Operand *> job.operands
    cdef const Space *space = &job.space
    cdef const real *x
    cdef const real *w
    cdef real scale = <real> job.scale
    cdef Ends *sums = job.sums + part * 2 * job.grades * job.lanes
    cdef Py_ssize_t n, i = part * job.part, end = i + min(job.part, job.count - i), unwatched = 0
    memset(sums, 0, 2 * job.grades * job.lanes * sizeof(Ends))
    while i < end:
        n = min(<Py_ssize_t> PIECE, end - i)
        x = fetch(&op[<int> X], op[<int> X].data, space, 0, space.ndim, i, n, <real *> xs)
        w = weights_of(job, i, n, y, <real *> ws)
        if job.loss == ALL:
            map_all(order, job, y, n, x, w, &piece, sums)
        else:
            if job.loss == PROBIT:
                map_interval(normal, order, job, y, n, x, &piece)
            elif job.loss == CLOGLOG:
                map_interval(extreme, order, job, y, n, x, &piece)
            else:
                map_interval(sides, order, job, y, n, x, &piece)
            if Order is not Value:
                if w != NULL:
                    weigh(w, <real> 1, n, <real *> piece.gl)
                    weigh(w, <real> 1, n, <real *> piece.gh)
                scatter(y, n, job.lanes, <const real *> piece.gl, <const real *> piece.gh, sums)
            if Order is Curvature:
                if w != NULL:
                    weigh(w, <real> 1, n, <real *> piece.hl)
                    weigh(w, <real> 1, n, <real *> piece.hh)
                scatter(y, n, job.lanes, <const real *> piece.hl, <const real *> piece.hh, sums + job.grades * job.lanes)
        if w != NULL:
            weigh(w, <real> 1, n, <real *> piece.v)
        put_line(job, V, i, n, <const real *> piece.v)
        if job.summed:
            add_values(&job.team, <const real *> piece.v, n)
        if Order is not Value:
            weigh(w, scale, n, <real *> piece.g)
            put_line(job, G, i, n, <const real *> piece.g)
        if Order is Curvature:
            weigh(w, scale, n, <real *> piece.h)
            put_line(job, H, i, n, <const real *> piece.h)
        i += n
        unwatched += many(n, job.grades if job.loss == ALL else 1)
        if unwatched >= WATCHED:
            unwatched = 0
            if fl_stops(<Team *> &job.team):
                break


cdef double ordinal_span(const real *like, const Ordinal *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    cdef Py_ssize_t part
    for part in range(start, stop):
        if job.order == 0:
            work_on(<const Value *> NULL, like, job, part)
        elif job.order == 1:
            work_on(<const Slope *> NULL, like, job, part)
        else:
            work_on(<const Curvature *> NULL, like, job, part)
    return 0


# ---- one call --------------------------------------------------------------------------------------------------------

cdef void add_threshold(const Ordinal *job, Py_ssize_t parts, int order, Py_ssize_t k, double *total) noexcept nogil:
    """The derivative with respect to threshold k, which is above grade k and below the next, of all parts."""
    cdef const Ends *cell
    cdef Sum s = Sum(0, 0)
    cdef Py_ssize_t part, lane
    for part in range(parts):
        for lane in range(job.lanes):
            cell = job.sums + ((part * 2 + order) * job.grades + k) * job.lanes + lane
            add(&s, cell.high)
            add(&s, cell[job.lanes].low)
            s.lost += cell.high_lost + cell[job.lanes].low_lost
    total[0] = result(s)


cdef void store_thresholds(const real *like, const Ordinal *job, Py_ssize_t parts, int order, const Operand *output) noexcept nogil:
    cdef Py_ssize_t k
    cdef double total
    cdef real x
    if output.data == NULL:
        return
    for k in range(job.grades - 1):
        add_threshold(job, parts, order, k, &total)
        x = <real> weighed(total, job.scale)       # 0 where nothing counts
        output.store(output.data + k * output.strides[0], 0, 1, &x)


cdef int check_order(const real *ends, Py_ssize_t grades) except -1:
    """Raise LookupError(position) for the first threshold that lies below the one before it."""
    cdef Py_ssize_t k
    for k in range(1, grades - 1):
        if ends[k + 1] < ends[k]:
            raise LookupError(k)
    return 0


cdef double run_ordinal(const real *like, Ordinal *job, tuple arrays, int threads, Exact *to) except? -1:
    cdef cnp.ndarray array, x = arrays[0], thresholds = arrays[<int> P]
    cdef Operand of_thresholds[3]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef Span span
    cdef Py_ssize_t parts, work
    cdef double total = 0
    cdef int k, axis, ndim = cnp.PyArray_NDIM(x)
    cdef real *ends = NULL
    for k in range(<int> OPERANDS):
        array = arrays[k]
        check_shape(array, x, ndim)
        describe(&op[k], array, like, ndim, False, k >= V)
    for k in range(3):
        array = arrays[<int> P + k]
        check_shape(array, thresholds, 1)
        describe(&of_thresholds[k], array, like, 1, False, k > 0)
    if op[<int> T].kind > UINT64:
        raise TypeError("kernel: grades must be integers")
    job.load_label = label_loader(op[<int> T].kind)
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
    job.count = cnp.PyArray_SIZE(x)
    job.grades = cnp.PyArray_SIZE(thresholds) + 1
    if job.count > 0:
        space.ndim = merge_axes(op, <int> OPERANDS, space, 0, ndim, 0)
        lay_out(op, OPERANDS, V, space, 0, False)
    job.lanes = SIDE_BY_SIDE if job.grades <= FEW else 1
    work = many(job.count, job.grades if job.loss == ALL else 2)
    parts = min(<Py_ssize_t> SPANS, job.count // max(<Py_ssize_t> SPAN_GRAIN, many(job.grades, LEAST)))
    parts = max(<Py_ssize_t> 1, parts)
    job.part = job.count // parts + (job.count % parts != 0)
    job.part = max(<Py_ssize_t> 1, job.part + PIECE - 1 - (job.part + PIECE - 1) % PIECE)
    parts = max(<Py_ssize_t> 1, job.count // job.part + (job.count % job.part != 0))
    job.sums = NULL
    if real is float:
        span = <Span> <void *> ordinal_span[float]
    else:
        span = <Span> <void *> ordinal_span[double]
    try:
        ends = <real *> allocate(job.grades + 1, 4, sizeof(real))
        of_thresholds[0].load(of_thresholds[0].data, of_thresholds[0].strides[0], of_thresholds[0].swapped, job.grades - 1,
                              ends + 1)
        ends[0] = -INFINITY
        ends[job.grades] = INFINITY
        job.ends = ends
        job.own = NULL
        if job.loss <= CLOGLOG:
            check_order(<const real *> ends, job.grades)
        if job.loss == LOGIT:
            own_terms(job.grades, <const real *> ends, ends + job.grades + 1)
            job.own = ends + job.grades + 1
        job.sums = <Ends *> allocate(many(parts, 2 * job.lanes), job.grades, sizeof(Ends))
        if job.count == 0:
            memset(job.sums, 0, 2 * job.grades * job.lanes * sizeof(Ends))
        else:
            total = run_from(span, job, 0, parts, 1, work, threads, &job.team, False, to)
        for k in range(2):
            store_thresholds(like, job, parts, k, &of_thresholds[k + 1])
    finally:
        free(ends)
        free(job.sums)
    return total


NAMES = {"logit": <int> LOGIT, "probit": <int> PROBIT, "cloglog": <int> CLOGLOG, "immediate": <int> IMMEDIATE, "all": <int> ALL}


def ordinal(int loss, int order, bint double_precision, object ignored, double scale, bint summed, int threads, tuple arrays,
            exact=None):
    """Compare scores with thresholds. The arrays are (x, grades, weight, mask, value, gradient, hessian) of one shape, and
    (thresholds, gradient, hessian) of one axis, None where there is none. Grades have been looked at; those that are out of
    range count for nothing. Returns the sum of the weighted values (0 unless `summed`), which is also added to `exact`; raises LookupError(position) for the
    first threshold that lies below the one before it, where the loss needs their order, before anything is written."""
    cdef Ordinal job
    if not 0 <= loss < <int> LOSSES or len(arrays) != <int> ARRAYS or not 0 <= order <= 2:
        raise ValueError("kernel: no such loss, order or number of operands")
    if arrays[<int> T] is None or arrays[<int> P] is None or cnp.PyArray_NDIM(<cnp.ndarray> arrays[<int> P]) != 1:
        raise ValueError("kernel: grades and thresholds of one axis are needed")
    if ((order > 0) != (arrays[<int> G] is not None) or (order > 1) != (arrays[<int> H] is not None)
            or (order > 0) != (arrays[<int> PG] is not None) or (order > 1) != (arrays[<int> PH] is not None)):
        raise ValueError("kernel: not the arrays for the derivatives asked for")
    job.loss = <Loss> loss
    job.order = order
    job.ignored = ignored
    job.scale = scale
    job.summed = summed
    if double_precision:
        return run_ordinal(<const double *> NULL, &job, arrays, threads, exact_of(exact))
    return run_ordinal(<const float *> NULL, &job, arrays, threads, exact_of(exact))
