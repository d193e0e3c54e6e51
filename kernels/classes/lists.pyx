# Losses of the order of a list's items, and of all pairs of a sample's elements. A list is a row, its items are the classes.
# (The softmax loss of a list is in softmax_losses.pyx: cross entropy with a mask.)

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport INFINITY, NAN
from libc.string cimport memcpy, memset
from kernels.classes.rows cimport (
    CHUNK, LONG, R_G, R_H, R_M, R_T, R_X, Row, Rows, base_of, count_left, fetch_mask, fetch_run, finish_rows,
    is_masked, is_vector, load_factors, mask_run, masked_run, memory, output_or_buffer, run_or_buffer, store_classes, store_run,
    register_rows, row_at, rows_at_once, set_rows, stops)
from kernels.core.numeric cimport exp_gap, log1p_unit, product_error, real, reciprocal, weighed
from kernels.core.operands cimport Operand, Space, check_shape, describe, load_block, offset_of
from kernels.core.rowmath cimport add_wide, has_nan, fl_moments, fl_sumw
from kernels.core.sums cimport (
    APART, ROOM, TILE, Exact, Sum, accumulate, add, add_exactly, clear_exact, exact_of, fl_own, merge_exactly, regained, result, rounded)

cnp.import_array()

cdef extern from "core/vecmath/exp_log.h" nogil:
    double vm_sum_error(double, double, double)


# ---- squared differences of pairs ------------------------------------------------------------------------------------
#
# With d = x - t the mean over the pairs of (d_i - d_j)² is 2 / (C - 1) Σ (d_i - mean d)². All is in doubles. Of float32 it is
# Σ e² - (Σ e)² / C with e_i = d_i - d_0, in one pass: what cancels is at most C times as large as the result, so doubles have
# digits enough. Of float64 the mean comes first, and the rounding errors of d and of its mean are kept.

cdef struct Differences:
    double high[CHUNK]
    double low[CHUNK]
    double squares[CHUNK]

cdef struct Centre:
    double high
    double low

cdef void subtract(const Rows *job, const Row *at, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n, Differences *d,
                   const real *like) noexcept nogil:
    """A run of d."""
    cdef real xs[CHUNK]
    cdef real ts[CHUNK]
    cdef const real *x = fetch_run(job, R_X, at.x, rows, start, n, <real *> xs)
    cdef const real *t = fetch_run(job, R_T, at.t, rows, start, n, <real *> ts)
    cdef double low
    cdef Py_ssize_t j
    for j in range(rows * n):
        d.high[j] = <double> x[j] - <double> t[j]
    if real is double:
        for j in range(rows * n):
            low = vm_sum_error(x[j], -t[j], d.high[j])
            d.low[j] = low if low - low == 0 else 0

cdef inline void add_differences(const Differences *d, Py_ssize_t first, Py_ssize_t n, Sum *s, const real *like) noexcept nogil:
    cdef Sum low = Sum(0, 0)
    add_wide(d.high + first, n, s, like)
    if real is double:
        fl_sumw(d.low + first, n, &low.total, &low.lost)
        s.lost += low.total

cdef inline Centre centre_of(Sum s, double n, const real *like) noexcept nogil:
    """The mean in two parts."""
    cdef Centre c = Centre(s.total / n, 0)
    cdef double p
    if real is double:
        p = c.high * n
        c.low = (((s.total - p) - product_error(c.high, n, p)) + s.lost) / n
    return c

cdef inline double deviation(const Differences *d, Py_ssize_t j, Centre c, const real *like) noexcept nogil:
    if real is float:
        return d.high[j] - c.high
    else:
        return (d.high[j] - c.high) + (d.low[j] - c.low)

cdef inline void add_squares(Differences *d, Py_ssize_t first, Py_ssize_t n, Centre c, Sum *s, const real *like) noexcept nogil:
    cdef double e
    cdef Py_ssize_t j
    for j in range(first, first + n):
        e = deviation(d, j, c, like)
        d.squares[j] = e * e
    add_wide(d.squares + first, n, s, like)


cdef void load_valid(const Rows *job, const char *mask, Py_ssize_t start, Py_ssize_t n, real *valid) noexcept nogil:
    """Which items of a piece of a row are left, those that are not 0: all where there is no mask."""
    cdef Py_ssize_t j
    if mask != NULL:
        fetch_mask(job, mask, start, n, valid)
    else:
        for j in range(n):
            valid[j] = 1

cdef void subtract_left(const Rows *job, const Row *at, Py_ssize_t start, Py_ssize_t n, Differences *d, real *valid) noexcept nogil:
    """A piece of d, 0 for items that are left out, and which are not."""
    cdef Py_ssize_t j
    subtract(job, at, 1, start, n, d, valid)
    load_valid(job, at.m, start, n, valid)
    for j in range(n):
        d.high[j] = 0 if valid[j] == 0 else d.high[j]
        if real is double:
            d.low[j] = 0 if valid[j] == 0 else d.low[j]

cdef double limit_of_pairs(const Rows *job, const Row *at, Py_ssize_t classes, double rate, const real *like) noexcept nogil:
    """The value of a row with a sum of differences that is not finite, and its gradient; so many items are left of it."""
    cdef Differences d
    cdef real valid[CHUNK]
    cdef Sum s = Sum(0, 0)
    cdef Centre c
    cdef real gs[CHUNK]
    cdef real *out
    cdef double value, e, up, down, rest, shrink = 1e-20
    cdef Py_ssize_t i, j, n, plus = 0, minus = 0, nans = 0
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        subtract_left(job, at, i, n, &d, <real *> valid)
        for j in range(n):
            plus += d.high[j] == INFINITY
            minus += d.high[j] == -INFINITY
            nans += d.high[j] != d.high[j]
            d.high[j] *= shrink
        add_wide(<const double *> d.high, n, &s, like)
    c = Centre(result(s) / classes / shrink, 0)
    if plus + minus > 0 or nans > 0:
        # Each item's gradient is the sum of its differences from the others.
        value = 0 if classes == 1 else INFINITY
        value = NAN if nans > 0 or classes > 1 and (plus == classes or minus == classes) else value
        up = INFINITY if plus == 1 else NAN
        down = -INFINITY if minus == 1 else NAN
        rest = NAN if plus > 0 and minus > 0 else -INFINITY if plus > 0 else INFINITY
        if classes == 1 or value != value:
            up = down = rest = value
    else:
        value = 0
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        subtract_left(job, at, i, n, &d, <real *> valid)
        out = output_or_buffer(job, R_G, at.g, i, <real *> gs) if at.g != NULL else <real *> gs
        for j in range(n):
            if valid[j] == 0:
                e = 0
            elif plus + minus + nans == 0:
                e = deviation(&d, j, c, like)
                value += e * e
            elif d.high[j] == INFINITY:
                e = up
            else:
                e = down if d.high[j] == -INFINITY else rest
            out[j] = <real> weighed(rate, e)
        if at.g != NULL:
            store_classes(job, R_G, at.g, i, n, <const real *> out)
    return value


cdef double pairs_left(const Rows *job, Py_ssize_t row, double omega, Py_ssize_t left, const real *like) noexcept nogil:
    """ω times the mean over the pairs of so many items that a mask leaves of a row; writes the gradient."""
    cdef Differences d
    cdef real gs[CHUNK]
    cdef real valid[CHUNK]
    cdef Row at = row_at(job, row)
    cdef real *out
    cdef Sum first = Sum(0, 0)
    cdef Sum second = Sum(0, 0)
    cdef Centre centre
    cdef double value, pairs = max(left - 1, <Py_ssize_t> 1), rate = weighed(omega, 4 * job.scale / pairs)
    cdef bint kept = job.classes <= CHUNK
    cdef Py_ssize_t i, j, n
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        subtract_left(job, &at, i, n, &d, <real *> valid)
        add_differences(&d, 0, n, &first, like)
    if first.total - first.total != 0:
        return weighed(omega, 2 * limit_of_pairs(job, &at, left, rate, like) / pairs)
    centre = centre_of(first, max(left, <Py_ssize_t> 1), like)
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        if not kept:
            subtract_left(job, &at, i, n, &d, <real *> valid)
        out = output_or_buffer(job, R_G, at.g, i, <real *> gs) if at.g != NULL else <real *> gs
        for j in range(n):
            value = 0 if valid[j] == 0 else deviation(&d, j, centre, like)
            d.squares[j] = value * value
            out[j] = <real> weighed(rate, value)
        add_wide(<const double *> d.squares, n, &second, like)
        if at.g != NULL:
            store_classes(job, R_G, at.g, i, n, <const real *> out)
    return weighed(omega, 2 * result(second) / pairs)


cdef void pairs_of_all(const Rows *job, Py_ssize_t row, Py_ssize_t n, const real *omega, real *values) noexcept nogil:
    """The same of n rows of which nothing is left out."""
    cdef Differences d
    cdef real gs[CHUNK]
    cdef Sum first[TILE]
    cdef Sum second[TILE]
    cdef Centre centre[TILE]
    cdef double origin[TILE]
    cdef double shifted[TILE]     # Σ e
    cdef Row at
    cdef real *out
    cdef double value, rate, pairs = max(job.classes - 1, <Py_ssize_t> 1)
    cdef bint kept = job.classes <= CHUNK
    cdef Py_ssize_t r, q, i, j, m, size, group = rows_at_once(job)
    for r from 0 <= r < n by group:
        m = min(group, n - r)
        at = row_at(job, row + r)
        for q in range(m):
            first[q] = Sum(0, 0)
            second[q] = Sum(0, 0)
            if real is float:
                shifted[q] = 0
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            subtract(job, &at, m, i, size, &d, omega)
            for q in range(m):
                if real is double:
                    add_differences(&d, q * size, size, &first[q], omega)
                else:
                    origin[q] = d.high[q * size] if i == 0 else origin[q]
                    fl_moments(<const double *> d.high + q * size, size, origin[q], &first[q].total, &shifted[q],
                               &second[q].total)
        for q in range(m):
            centre[q] = centre_of(first[q], job.classes, omega)
            if real is float:
                second[q].total -= shifted[q] * (shifted[q] / job.classes)
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            if not kept:
                subtract(job, &at, m, i, size, &d, omega)
            if real is double:
                for q in range(m):
                    add_squares(&d, q * size, size, centre[q], &second[q], omega)
            if job.order == 0:
                continue
            out = run_or_buffer(job, R_G, at.g, m, i, size, <real *> gs)
            for q in range(m):
                rate = weighed(<double> omega[r + q], 4 * job.scale / pairs)
                for j in range(q * size, q * size + size):
                    out[j] = <real> weighed(rate, deviation(&d, j, centre[q], omega))
            store_run(job, R_G, at.g, m, i, size, <const real *> out)
        for q in range(m):
            value = result(second[q])
            value = 0 if value < 0 else value
            if first[q].total - first[q].total != 0:
                at = row_at(job, row + r + q)
                value = limit_of_pairs(job, &at, job.classes, weighed(<double> omega[r + q], 4 * job.scale / pairs), omega)
            values[r + q] = <real> weighed(<double> omega[r + q], 2 * value / pairs)


cdef void mean_pairwise_squared(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """ω times the mean over the pairs of ((x_i - x_j) - (t_i - t_j))²"""
    cdef real omega[TILE]
    cdef real values[TILE]
    cdef Py_ssize_t left[TILE]
    cdef real curvature
    cdef Py_ssize_t r
    load_factors(job, row, n, <real *> omega)
    if is_masked(job):
        for r in range(n):
            left[r] = count_left(job, base_of(job, R_M, row + r), like)
            values[r] = <real> pairs_left(job, row + r, omega[r], left[r], <const real *> omega)
    else:
        for r in range(n):
            left[r] = job.classes
        pairs_of_all(job, row, n, <const real *> omega, <real *> values)
    if job.order > 1:
        for r in range(n):
            curvature = <real> weighed(<double> omega[r], 4 * job.scale / left[r]) if left[r] > 1 else <real> 0
            omega[r] = values[r] if values[r] != values[r] else curvature
        set_rows(job, R_H, row, n, <const real *> omega)
    finish_rows(job, row, n, <const real *> values)


# ---- the order of pairs ----------------------------------------------------------------------------------------------
#
# Short lists stand side by side: item j of list r is at j R + r. Then pairs of items that are k apart, counted round, are R k
# apart in memory, for all lists at once; with half of the items repeated at the end each unordered pair is one of
# (i, i + R k), k = 1 … C/2. In a long list the items of one piece meet those of all pieces, and add up what is theirs.

cdef enum:
    PIECE = 512           # items, whose sums stay in the nearest caches
    WIDE = 16             # pairs are computed in multiples of so many

cdef struct Sums:         # of each item, with what was lost
    double *total
    double *lost

cdef inline void pair(real x, real t, real y, real u, real *v, real *g, real *h) noexcept nogil:
    """log(1 + exp(-z)), z the lead of the item with the larger target; the derivatives are with respect to x. Nothing where
    the targets are equal, or one is NaN."""
    cdef real low = y if x > y else x, high = x if x > y else y
    cdef real z = exp_gap(low, high), share = reciprocal(1 + z), d = x - y
    cdef real lead = d if t > u else -d, slope
    cdef bint counts = (t > u) | (t < u)
    slope = share if lead < 0 else z * share
    v[0] = (-lead if lead < 0 else <real> 0) + log1p_unit(z)
    v[0] = v[0] if counts else <real> 0
    g[0] = -slope if t > u else slope
    g[0] = g[0] if counts else <real> 0
    h[0] = z * share * share if counts else <real> 0

cdef void meet(const Rows *job, const real *x, const real *t, const real *y, const real *u, Py_ssize_t n,
               real *v, real *g, real *h) noexcept nogil:
    """The pairs of n items with n others; up to WIDE - 1 more are looked at."""
    cdef Py_ssize_t j, whole = (n + (<int> WIDE - 1)) & ~<Py_ssize_t> (<int> WIDE - 1)
    cdef real slope, curvature
    if real is double:        # called from one place, so that the compiler puts it into the loop
        for j in range(whole):
            pair(x[j], t[j], y[j], u[j], &v[j], &g[j], &h[j])
    elif job.order == 0:
        for j in range(whole):
            pair(x[j], t[j], y[j], u[j], &v[j], &slope, &curvature)
    elif job.order == 1:
        for j in range(whole):
            pair(x[j], t[j], y[j], u[j], &v[j], &g[j], &curvature)
    else:
        for j in range(whole):
            pair(x[j], t[j], y[j], u[j], &v[j], &g[j], &h[j])

cdef inline void add_to(Sums s, Py_ssize_t first, const real *v, real factor, Py_ssize_t n) noexcept nogil:
    cdef double *total = s.total + first
    cdef double *lost = s.lost + first
    cdef Py_ssize_t j
    for j in range(n):
        accumulate(factor * v[j], &total[j], &lost[j])

cdef inline void clear_sums(Sums s, Py_ssize_t n) noexcept nogil:
    memset(s.total, 0, n * sizeof(double))
    memset(s.lost, 0, n * sizeof(double))


cdef void load_items(const Rows *job, Py_ssize_t row, Py_ssize_t lists, Py_ssize_t start, Py_ssize_t n, real *x, real *t,
                     int *spoiled) noexcept nogil:
    """Items start … start+n-1 of one list, or all n of several side by side; adds to `spoiled` which of them have NaN. Items
    that are left out become x = 0 and t = NaN, which is in no pair."""
    cdef real xs[CHUNK]
    cdef real ts[CHUNK]
    cdef const real *scores
    cdef const real *targets
    cdef Row at = row_at(job, row)
    cdef Py_ssize_t i, j, r, size
    for i from 0 <= i < n by CHUNK:
        size = min(<Py_ssize_t> CHUNK, n - i)
        scores = fetch_run(job, R_X, at.x, lists, start + i, size, <real *> xs)
        targets = fetch_run(job, R_T, at.t, lists, start + i, size, <real *> ts)
        if at.m != NULL:
            scores = masked_run(job, &at, lists, start + i, size, scores, <real *> xs, <real> 0)
            targets = masked_run(job, &at, lists, start + i, size, targets, <real *> ts, <real> 0)
        if has_nan(scores, lists * size) or has_nan(targets, lists * size):
            for r in range(lists):
                spoiled[r] |= has_nan(scores + r * size, size) or has_nan(targets + r * size, size)
        if at.m != NULL:
            mask_run(job, &at, lists, start + i, size, <real *> ts, <real> NAN)
        for r in range(lists):
            for j in range(size):
                x[(i + j) * lists + r] = scores[r * size + j]
                t[(i + j) * lists + r] = targets[r * size + j]

cdef void store_items(const Rows *job, int k, Py_ssize_t row, Py_ssize_t lists, Py_ssize_t start, Py_ssize_t n, Sums s,
                      const real *omega, const int *spoiled) noexcept nogil:
    """A derivative of what load_items loads, 0 where the rate of a list is, NaN where it is spoiled."""
    cdef real block[CHUNK]
    cdef real *out
    cdef Row at = row_at(job, row)
    cdef char *base = at.g if k == R_G else at.h
    cdef double rate
    cdef Py_ssize_t i, j, r, size
    for i from 0 <= i < n by CHUNK:
        size = min(<Py_ssize_t> CHUNK, n - i)
        out = run_or_buffer(job, k, base, lists, start + i, size, <real *> block)
        for r in range(lists):
            rate = weighed(<double> omega[r], job.scale)
            rate = NAN if spoiled[r] and rate != 0 else rate
            for j in range(size):
                out[r * size + j] = <real> weighed(rate, s.total[(i + j) * lists + r] + s.lost[(i + j) * lists + r])
        if at.m != NULL:
            mask_run(job, &at, lists, start + i, size, out, <real> 0)
        store_run(job, k, base, lists, start + i, size, <const real *> out)


cdef inline Sums sums_at(double *at, Py_ssize_t n) noexcept nogil:
    return Sums(at, at + n)

cdef void short_lists(const Rows *job, Py_ssize_t row, Py_ssize_t lists, const real *omega, real *values) noexcept nogil:
    """Lists side by side, of at most LONG items together or one of so many."""
    cdef real v[PIECE]
    cdef real g[PIECE]
    cdef real h[PIECE]
    cdef double totals[TILE]
    cdef double losts[TILE]
    cdef int spoiled[TILE]
    cdef Py_ssize_t items = job.classes * lists, half = job.classes // 2 * lists, k, i, j, r, n, shift, count
    cdef Sums value = sums_at(fl_own(&job.team).sums, <int> LONG)
    cdef Sums slope = sums_at(fl_own(&job.team).doubles + (<int> ROOM + <int> APART), <int> LONG + <int> LONG // 2)
    cdef Sums curvature = sums_at(fl_own(&job.team).doubles + 2 * (<int> ROOM + <int> APART), <int> LONG + <int> LONG // 2)
    cdef real *x = memory(job, 0, omega)
    cdef real *t = x + (<int> LONG + <int> LONG // 2 + 2 * <int> WIDE)
    memset(spoiled, 0, lists * sizeof(int))
    load_items(job, row, lists, 0, job.classes, x, t, spoiled)
    memcpy(x + items, x, half * sizeof(real))
    memcpy(t + items, t, half * sizeof(real))
    memset(x + items + half, 0, <int> WIDE * sizeof(real))
    memset(t + items + half, 0, <int> WIDE * sizeof(real))
    clear_sums(value, items)
    if job.order > 0:
        clear_sums(slope, items + half)
    if job.order > 1:
        clear_sums(curvature, items + half)
    for k in range(1, job.classes // 2 + 1):
        shift = k * lists
        count = items if 2 * k < job.classes else items // 2
        for i from 0 <= i < count by PIECE:
            n = min(<Py_ssize_t> PIECE, count - i)
            meet(job, x + i, t + i, x + i + shift, t + i + shift, n, <real *> v, <real *> g, <real *> h)
            add_to(value, i, <const real *> v, <real> 1, n)
            if job.order > 0:
                add_to(slope, i, <const real *> g, <real> 1, n)
                add_to(slope, i + shift, <const real *> g, <real> -1, n)
            if job.order > 1:
                add_to(curvature, i, <const real *> h, <real> 1, n)
                add_to(curvature, i + shift, <const real *> h, <real> 1, n)
    for r in range(lists):
        totals[r] = 0
        losts[r] = 0
    for j in range(job.classes):
        for r in range(lists):
            accumulate(value.total[j * lists + r], &totals[r], &losts[r])
            losts[r] += value.lost[j * lists + r]
    for j in range(half if job.order > 0 else 0):
        accumulate(slope.total[items + j], &slope.total[j], &slope.lost[j])
        slope.lost[j] += slope.lost[items + j]
    for j in range(half if job.order > 1 else 0):
        accumulate(curvature.total[items + j], &curvature.total[j], &curvature.lost[j])
        curvature.lost[j] += curvature.lost[items + j]
    for r in range(lists):
        values[r] = <real> weighed(<double> omega[r], NAN if spoiled[r] else regained(totals[r], losts[r]))
    if job.order > 0:
        store_items(job, R_G, row, lists, 0, job.classes, slope, omega, spoiled)
    if job.order > 1:
        store_items(job, R_H, row, lists, 0, job.classes, curvature, omega, spoiled)


cdef void fill_piece(const Rows *job, Py_ssize_t row, Py_ssize_t start, real *x, real *t, int *spoiled) noexcept nogil:
    """A piece of a long list, made up to PIECE items with such as are in no pair."""
    cdef Py_ssize_t j, n = min(<Py_ssize_t> PIECE, job.classes - start)
    load_items(job, row, 1, start, n, x, t, spoiled)
    for j in range(n, <int> PIECE):
        x[j] = 0
        t[j] = NAN

cdef void long_list(const Rows *job, Py_ssize_t row, const real *omega, real *values) noexcept nogil:
    """With derivatives each pair is computed twice, so that no sums as long as the list are needed."""
    cdef real v[PIECE]
    cdef real g[PIECE]
    cdef real h[PIECE]
    cdef Sums value = sums_at(fl_own(&job.team).sums, <int> PIECE)
    cdef Sums slope = sums_at(fl_own(&job.team).doubles + (<int> ROOM + <int> APART), <int> PIECE)
    cdef Sums curvature = sums_at(fl_own(&job.team).doubles + 2 * (<int> ROOM + <int> APART), <int> PIECE)
    cdef real *x = memory(job, 0, omega)
    cdef real *t = x + <int> PIECE
    cdef real *y = t + <int> PIECE             # those that they meet, twice
    cdef real *u = y + 2 * <int> PIECE
    cdef real share
    cdef Sum total = Sum(0, 0)
    cdef int spoiled = 0
    cdef Py_ssize_t i, j, k
    values[0] = 0
    for i from 0 <= i < job.classes by PIECE:
        fill_piece(job, row, i, x, t, &spoiled)
        clear_sums(value, <int> PIECE)
        clear_sums(slope, <int> PIECE)
        clear_sums(curvature, <int> PIECE)
        for j from (0 if job.order > 0 else i) <= j < job.classes by PIECE:
            if stops(job):
                return
            fill_piece(job, row, j, y, u, &spoiled)
            memcpy(y + <int> PIECE, y, <int> PIECE * sizeof(real))
            memcpy(u + <int> PIECE, u, <int> PIECE * sizeof(real))
            share = 1 if j > i else <real> 0.5 if j == i else <real> 0
            for k in range(1 if i == j else 0, <int> PIECE):
                meet(job, x, t, y + k, u + k, <int> PIECE, <real *> v, <real *> g, <real *> h)
                if share > 0:
                    add_to(value, 0, <const real *> v, share, <int> PIECE)
                if job.order > 0:
                    add_to(slope, 0, <const real *> g, <real> 1, <int> PIECE)
                if job.order > 1:
                    add_to(curvature, 0, <const real *> h, <real> 1, <int> PIECE)
        for j in range(<int> PIECE):
            add(&total, value.total[j])
            total.lost += value.lost[j]
        j = min(<Py_ssize_t> PIECE, job.classes - i)
        if job.order > 0:      # by now all items have been looked at
            store_items(job, R_G, row, 1, i, j, slope, omega, &spoiled)
        if job.order > 1:
            store_items(job, R_H, row, 1, i, j, curvature, omega, &spoiled)
    values[0] = <real> weighed(<double> omega[0], NAN if spoiled else result(total))


cdef void pairwise_logistic(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """ω Σ log(1 + exp(-(x_i - x_j))) over the pairs with t_i > t_j"""
    cdef real omega[TILE]
    cdef real values[TILE]
    cdef Py_ssize_t r, group = max(<Py_ssize_t> 1, <Py_ssize_t> PIECE // job.classes)
    load_factors(job, row, n, <real *> omega)
    if job.classes <= LONG:
        for r from 0 <= r < n by group:
            short_lists(job, row + r, min(group, n - r), <const real *> omega + r, <real *> values + r)
    else:
        for r in range(n):
            long_list(job, row + r, <const real *> omega + r, <real *> values + r)
    finish_rows(job, row, n, <const real *> values)


register_rows("mean_pairwise_squared", <void *> mean_pairwise_squared[float], <void *> mean_pairwise_squared[double], 0, False)
register_rows("pairwise_logistic", <void *> pairwise_logistic[float], <void *> pairwise_logistic[double], 0, False)


def scan_lists_left(cnp.ndarray mask not None, cnp.ndarray factor, cnp.ndarray weight, tuple exact=None):
    """Of the rows along the last axis that have an item that is not 0: (their number, the sum of their weights, how many of
    these are not 0). The weight of a row is its factor times the mean of the weights of its items that are not 0, and counts
    as so much as the share of those whose weight is not 0. `weight` is a vector of doubles, one for each item; it and the
    factors may be None. The two sums have one rounding; without that they are added to those of `exact`."""
    cdef Space space
    cdef Operand op, of_row
    cdef Exact total, nonzero
    cdef double block[CHUNK]
    cdef const double *w = NULL
    cdef double f = 1, sum, hits
    cdef int axis, ndim = cnp.PyArray_NDIM(mask), outer = ndim - 1
    cdef Py_ssize_t i, j, n, row, left, rows = 1, count = 0, unwatched = 0, length = cnp.PyArray_DIM(mask, ndim - 1)
    describe(&op, mask, <const double *> NULL, ndim)
    check_shape(factor, mask, outer)
    describe(&of_row, factor, <const double *> NULL, ndim)
    if weight is not None:
        if not is_vector(weight, length, <const double *> NULL):
            raise ValueError("kernel: weight is not a vector of doubles")
        w = <const double *> cnp.PyArray_DATA(weight)
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(mask, axis)
        rows *= space.shape[axis] if axis < outer else 1
    space.ndim = ndim
    clear_exact(&total)
    clear_exact(&nonzero)
    with nogil:
        for row in range(rows if length > 0 else 0):
            n = 8                 # lists are filled from the front
            i = 0
            left = 0
            sum = 0
            hits = 0
            while i < length and (left == 0 or w != NULL):
                n = min(min(4 * n, <Py_ssize_t> CHUNK), length - i)
                load_block(&op, op.load, op.data + offset_of(&op, &space, 0, outer, row), &space, outer, ndim, i, n,
                           <char *> block, sizeof(double))
                for j in range(n):
                    left += block[j] != 0
                if w != NULL:
                    for j in range(n):
                        sum += w[i + j] if block[j] != 0 else 0
                        hits += (block[j] != 0) & (w[i + j] != 0)
                i += n
            if left == 0:
                continue
            count += 1
            if of_row.data != NULL:
                of_row.load(of_row.data + offset_of(&of_row, &space, 0, outer, row), 0, of_row.swapped, 1, &f)
            if w == NULL:
                sum = hits = left = 1
            add_exactly(&total, weighed(f, sum / left))
            add_exactly(&nonzero, hits / left if f != 0 else 0)
            unwatched += length
            if unwatched >= 1 << 22:
                unwatched = 0
                with gil:
                    PyErr_CheckSignals()
    if exact is not None:
        merge_exactly(exact_of(exact[0]), &total)
        merge_exactly(exact_of(exact[1]), &nonzero)
    return count, rounded(&total), rounded(&nonzero)
