# Scores of forecasts: crps_ensemble; and ranked_probability, of probabilities of ordered classes. See ensembles.pxd.

from libc.math cimport INFINITY, NAN, frexp, ldexp
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy
from kernels.classes.rows cimport (
    CHUNK, DISTRIBUTION, R_G, R_H, R_M, R_T, R_X, Labelled, Row, Rows, base_of, class_step, count_left, fetch_classes, fetch_mask,
    fetch_run, finish_labelled, finish_rows, is_masked, lanes_lie_flat, load_factors, load_labelled, load_labels, load_rows,
    mask_classes, memory, output_or_buffer, own_room, register_rows, report_outside, row_at, row_step, set_rows, store_classes)
from kernels.core.numeric cimport absolute, real, weighed
from kernels.core.rowmath cimport has_nan, transpose_in
from kernels.core.sums cimport APART, PY_SSIZE_T_MAX, ROOM, TILE, Sum, accumulate_wide, add, fl_own, many, regained, result

cdef extern from "classes/columns.h" nogil:
    enum:
        SIDE "FL_SIDE"
    void fl_sort_columnsf(float *, uint32_t *, Py_ssize_t)
    void fl_sort_columns(double *, uint64_t *, Py_ssize_t)
    int fl_sort_rowf(float *, uint32_t *, float *, uint32_t *, Py_ssize_t)
    int fl_sort_row(double *, uint64_t *, double *, uint64_t *, Py_ssize_t)
    void fl_add_gapsf(const float *, const float *, const float *, const double *, const double *, const double *, double, double *,
                      double *)
    void fl_add_gaps(const double *, const double *, const double *, const double *, const double *, const double *, double, double *,
                     double *)
    void fl_add_columnsf(const float *, Py_ssize_t, const float *, double, double *, double *)
    void fl_add_columns(const double *, Py_ssize_t, const double *, double, double *, double *)
    void fl_slopesf(const float *, Py_ssize_t, const float *, const float *, double, const float *, float *)
    void fl_slopes(const double *, Py_ssize_t, const double *, const double *, double, const double *, double *)

cdef enum:
    SHORT = 256           # members that are sorted side by side: so many of SIDE rows fit the working memory


# ---- what both share -------------------------------------------------------------------------------------------------

cdef void load_ensembles(const Rows *job, Py_ssize_t row, Py_ssize_t n, double fair, Py_ssize_t size, Ensembles *tile, const real *like) noexcept nogil:
    """What is known of n rows before they are looked at; a member is so many numbers."""
    cdef real factors[TILE]
    cdef Row at = row_at(job, row)
    cdef Py_ssize_t r
    load_labels(job, row, n, False, tile.labels, like)
    load_factors(job, row, n, <real *> factors)
    for r in range(n):
        tile.left[r] = job.classes // size
        if at.m != NULL:
            tile.left[r] = count_left(job, at.m + r * row_step(job, R_M), like) // size
            tile.labels[r] = -1 if tile.left[r] == 0 else tile.labels[r]
        tile.pairs[r] = tile.left[r] * (tile.left[r] - fair)
        tile.rate[r] = factors[r]

cdef void finish_ensembles(const Rows *job, Py_ssize_t row, Py_ssize_t n, const Ensembles *tile, const real *like) noexcept nogil:
    """Store the values, and the gradients of rows that count for nothing or whose value is NaN; the sum of the values, where it
    is wanted."""
    cdef real values[TILE]
    cdef Py_ssize_t r
    for r in range(n):
        values[r] = 0 if tile.labels[r] < 0 else <real> (tile.rate[r] * tile.values[r])
        if job.order > 0 and (tile.labels[r] < 0 or values[r] != values[r]):
            set_rows(job, R_G, row + r, 1, <const real *> values + r)
        if job.order > 1 and tile.labels[r] < 0:
            set_rows(job, R_H, row + r, 1, <const real *> values + r)
    finish_rows(job, row, n, <const real *> values)


# ---- crps_ensemble ---------------------------------------------------------------------------------------------------
#
# The integral of (F - 1[t <= z])² over z, F the ensemble's distribution function. Between two neighbours among the sorted members
# and the target it is constant: with k members on the side away from the target such a gap counts (k/n)², or fair
# k (k - 1) / (n (n - 1)). No term is negative, so nothing cancels, and members that are all equal have exactly |x - t|.
# With a members below x_i and b not above it
#     gradient = (sign(x_i - t) (n - fair) - (a + b - n)) / (n (n - fair)),
# whole numbers until it is divided.

cdef struct Crps:
    double fair               # 1: over pairs of different members; 0: over all pairs

cdef inline Py_ssize_t order_at(const void *orders, Py_ssize_t k, const real *like) noexcept nogil:
    if real is float:
        return (<const uint32_t *> orders)[k]
    else:
        return <Py_ssize_t> (<const uint64_t *> orders)[k]

cdef inline void set_order(void *orders, Py_ssize_t k, Py_ssize_t order, const real *like) noexcept nogil:
    if real is float:
        (<uint32_t *> orders)[k] = <uint32_t> order
    else:
        (<uint64_t *> orders)[k] = order

cdef inline double gap(real low, real high) noexcept nogil:
    """high - low; 0 of equal infinities."""
    return <double> 0 if low == high else <double> high - low

cdef inline void add_lanes(const real *low, const real *high, const real *t, const double *count, const double *left, const double *unit,
                           double fair, double *total, double *lost) noexcept nogil:
    if real is float:
        fl_add_gapsf(low, high, t, count, left, unit, fair, total, lost)
    else:
        fl_add_gaps(low, high, t, count, left, unit, fair, total, lost)

cdef inline double unit_of(double pairs, real first, real last, real t) noexcept nogil:
    """A power of two that weights are multiplied by: below 1 where their terms may overflow."""
    cdef int exponent
    if real is float:
        return 1
    else:
        if max(max(absolute(first), absolute(last)), absolute(t)) < 1e280:
            return 1
        frexp(pairs, &exponent)
        return ldexp(1, -exponent)

cdef inline double outside(real first, real last, real t) noexcept nogil:
    """How far the target is from all members."""
    return gap(t, first) if t < first else gap(last, t) if t > last else <double> 0

cdef void add_columns(const real *keys, Py_ssize_t length, const double *left, const double *pairs, const real *target, double fair,
                      bint plain, double *values) noexcept nogil:
    """The values of SIDE sorted rows side by side; members that are left out are at the end. `plain` says that there are none, and
    that all numbers are finite."""
    cdef double total[<int> SIDE]
    cdef double lost[<int> SIDE]
    cdef double unit[<int> SIDE]
    cdef double count[<int> SIDE]
    cdef real last
    cdef Py_ssize_t k, r, wide = SIDE
    for r in range(wide):
        last = keys[max(<Py_ssize_t> left[r] - 1, <Py_ssize_t> 0) * wide + r]
        unit[r] = unit_of(pairs[r], keys[r], last, target[r])
        total[r] = weighed(pairs[r] * unit[r], outside(keys[r], last, target[r]))
        lost[r] = 0
        plain &= unit[r] == 1
    if plain:
        if real is float:
            fl_add_columnsf(keys, length, target, fair, total, lost)
        else:
            fl_add_columns(keys, length, target, fair, total, lost)
    for k in range(1, 1 if plain else length):
        for r in range(wide):
            count[r] = k
        add_lanes(keys + (k - 1) * wide, keys + k * wide, target, count, left, unit, fair, total, lost)
    for r in range(wide):
        values[r] = regained(total[r], lost[r]) / (pairs[r] * unit[r])

cdef double add_row_of_gaps(const real *keys, Py_ssize_t length, double members, double pairs, real target, double fair) noexcept nogil:
    """The value of a sorted row, whose length is a multiple of SIDE. The number after the last may be read."""
    cdef double total[<int> SIDE]
    cdef double lost[<int> SIDE]
    cdef double unit[<int> SIDE]
    cdef double count[<int> SIDE]
    cdef double left[<int> SIDE]
    cdef real t[<int> SIDE]
    cdef real last = keys[max(<Py_ssize_t> members - 1, <Py_ssize_t> 0)]
    cdef Sum sum = Sum(0, 0)
    cdef Py_ssize_t k, r, wide = SIDE
    for r in range(wide):
        t[r] = target
        left[r] = members
        unit[r] = unit_of(pairs, keys[0], last, target)
        total[r] = 0
        lost[r] = 0
    total[0] = weighed(pairs * unit[0], outside(keys[0], last, target))
    for k from 1 <= k < length by SIDE:
        for r in range(wide):
            count[r] = k + r
        add_lanes(keys + k - 1, keys + k, <const real *> t, count, left, unit, fair, total, lost)
    for r in range(wide):
        add(&sum, total[r])
        sum.lost += lost[r]
    return result(sum) / (pairs * unit[0])

cdef void write_slopes(const real *keys, const void *orders, Py_ssize_t length, double left, double fair, real t, double rate,
                       Py_ssize_t members, real *g) noexcept nogil:
    """The gradient of a sorted row."""
    cdef Py_ssize_t k = 0, end, j, i
    cdef double side
    cdef real slope
    while k < length:
        end = k + 1
        while end < length and keys[end] == keys[k]:
            end += 1
        side = <double> (keys[k] > t) - <double> (keys[k] < t)
        slope = <real> ((side * (left - fair) - (<double> k + min(<double> end, left) - left)) * rate)
        for j in range(k, end):
            i = order_at(orders, j, keys)
            if i < members:
                g[i] = slope
        k = end

cdef inline void finish_slopes(const Rows *job, const Row *at, real *g) noexcept nogil:
    """Bring a row of the gradient to where it belongs."""
    if at.m != NULL:
        mask_classes(job, at.m, 0, job.classes, g, <real> 0)
    store_classes(job, R_G, at.g, 0, job.classes, <const real *> g)

cdef void load_columns(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, real *keys, real *block) noexcept nogil:
    """Up to SIDE rows side by side, infinite where something is left out. The columns that are left over are 0."""
    cdef real spare[32 * <int> SIDE]
    cdef Row at = row_at(job, row)
    cdef const char *base = base_of(job, k, row)
    cdef const real *x
    cdef Py_ssize_t j, r, members = job.classes, wide = SIDE
    if lanes_lie_flat(job, k) and at.m == NULL:
        for j in range(members):
            memcpy(keys + j * wide, base + j * class_step(job, k), n * sizeof(real))
            for r in range(n, wide):
                keys[j * wide + r] = 0
        return
    x = fetch_run(job, k, base, n, 0, members, block)
    if at.m != NULL:
        if x != block:
            memcpy(block, x, n * members * sizeof(real))
        for r in range(n):
            mask_classes(job, at.m + r * row_step(job, R_M), 0, members, block + r * members, <real> INFINITY)
        x = block
    for j from 0 <= j < members by 32:
        transpose_in(x + j, members, n, min(members - j, <Py_ssize_t> 32), wide, keys + j * wide, spare)

cdef bint find_nan(const real *keys, Py_ssize_t length, real *spoiled) noexcept nogil:
    """Which columns hold NaN: those of which the number is not 0. Whether all numbers are finite."""
    cdef Py_ssize_t j, r, wide = SIDE
    cdef real gone = 0
    for r in range(wide):
        spoiled[r] = 0
    for j in range(length):
        for r in range(wide):
            spoiled[r] += keys[j * wide + r] - keys[j * wide + r]
    for r in range(wide):
        gone += spoiled[r]
        spoiled[r] = 0
    if gone == 0:
        return True
    for j in range(length):
        for r in range(wide):
            spoiled[r] = <real> 1 if keys[j * wide + r] != keys[j * wide + r] else spoiled[r]
    return False

cdef void score_columns(const Rows *job, Py_ssize_t row, Py_ssize_t start, Py_ssize_t n, double fair, Ensembles *tile, const real *targets) noexcept nogil:
    """Rows start … start + n - 1 of a tile, side by side."""
    cdef real *keys = memory(job, 0, targets)
    cdef void *orders = <void *> memory(job, 1, targets)
    cdef real *slopes = memory(job, 2, targets)
    cdef real spoiled[<int> SIDE]
    cdef real t[<int> SIDE]
    cdef double pairs[<int> SIDE]
    cdef real rate[<int> SIDE]
    cdef real members_left[<int> SIDE]
    cdef double values[<int> SIDE]
    cdef double left[<int> SIDE]
    cdef Row at
    cdef real *g
    cdef Py_ssize_t j, r, members = job.classes, wide = SIDE
    cdef bint plain
    load_columns(job, R_X, row + start, n, keys, slopes)
    plain = find_nan(<const real *> keys, members, spoiled) and not is_masked(job)
    for r in range(wide):
        j = start + min(r, n - 1)
        t[r] = targets[j]
        left[r] = tile.left[j]
        members_left[r] = <real> left[r]
        pairs[r] = tile.pairs[j]
        rate[r] = <real> (tile.rate[j] * job.scale / tile.pairs[j])
        plain &= t[r] - t[r] == 0
    if job.order > 0:
        for j in range(members):
            for r in range(wide):
                set_order(orders, j * wide + r, j, targets)
    if real is float:
        fl_sort_columnsf(keys, <uint32_t *> orders if job.order > 0 else NULL, members)
    else:
        fl_sort_columns(keys, <uint64_t *> orders if job.order > 0 else NULL, members)
    add_columns(<const real *> keys, members, left, pairs, <const real *> t, fair, plain, values)
    for r in range(n):
        tile.values[start + r] = NAN if (spoiled[r] != 0) | (t[r] != t[r]) else values[r]
    if job.order == 0:
        return
    if real is float:
        fl_slopesf(keys, members, t, members_left, fair, rate, slopes)
    else:
        fl_slopes(keys, members, t, members_left, fair, rate, slopes)
    for r in range(n):
        at = row_at(job, row + start + r)
        g = output_or_buffer(job, R_G, at.g, 0, keys)
        for j in range(members):
            g[order_at(orders, j * wide + r, targets)] = slopes[j * wide + r]
        finish_slopes(job, &at, g)

cdef Py_ssize_t padded(Py_ssize_t members) noexcept nogil:
    """The length of a long row when it is sorted: whole columns."""
    return members + <int> SIDE - 1 - (members + <int> SIDE - 1) % <int> SIDE

cdef Py_ssize_t crps_needs(const Rows *job, Py_ssize_t itemsize) noexcept nogil:
    if job.classes <= SHORT:
        return 0
    if job.classes > 0x7fffffff and itemsize == sizeof(float):      # positions have as many bits as the numbers
        return PY_SSIZE_T_MAX
    return many(padded(job.classes) + <int> SIDE, (4 if job.order > 0 else 2) * itemsize)

cdef void score_row(const Rows *job, Py_ssize_t row, Py_ssize_t r, double fair, Ensembles *tile, const real *targets) noexcept nogil:
    """A long row of a tile by itself."""
    cdef Py_ssize_t j, members = job.classes, length = padded(members), step = length + <int> SIDE
    cdef real *keys = <real *> own_room(job)
    cdef real *spare = keys + step
    cdef real *g
    cdef void *orders = <void *> (spare + step) if job.order > 0 else NULL
    cdef void *spare_orders = <void *> (spare + 2 * step) if job.order > 0 else NULL
    cdef Row at = row_at(job, row + r)
    cdef const real *x = fetch_classes(job, R_X, at.x, 0, members, keys)
    cdef bint there, spoiled
    if x != keys:
        memcpy(keys, x, members * sizeof(real))
    if at.m != NULL:
        mask_classes(job, at.m, 0, members, keys, <real> INFINITY)
    spoiled = has_nan(<const real *> keys, members)
    for j in range(members, length):
        keys[j] = INFINITY
    if job.order > 0:
        for j in range(length):
            set_order(orders, j, j, targets)
    if real is float:
        there = fl_sort_rowf(keys, <uint32_t *> orders, spare, <uint32_t *> spare_orders, length)
    else:
        there = fl_sort_row(keys, <uint64_t *> orders, spare, <uint64_t *> spare_orders, length)
    if there:
        g = keys; keys = spare; spare = g
        orders = spare_orders
    tile.values[r] = add_row_of_gaps(<const real *> keys, length, tile.left[r], tile.pairs[r], targets[r], fair)
    if spoiled or targets[r] != targets[r]:
        tile.values[r] = NAN
    if job.order > 0:
        g = output_or_buffer(job, R_G, at.g, 0, spare)
        write_slopes(<const real *> keys, orders, length, tile.left[r], fair, targets[r], tile.rate[r] * job.scale / tile.pairs[r],
                     members, g)
        finish_slopes(job, &at, g)

cdef void crps_ensemble(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real targets[TILE]
    cdef Ensembles tile
    cdef double fair = (<const Crps *> job.parameters).fair
    cdef real zero[1]
    cdef Py_ssize_t r
    load_ensembles(job, row, n, fair, 1, &tile, like)
    load_rows(job, R_T, row, n, <real *> targets)
    if job.classes <= SHORT:
        for r from 0 <= r < n by SIDE:
            score_columns(job, row, r, min(<Py_ssize_t> SIDE, n - r), fair, &tile, <const real *> targets)
    else:
        for r in range(n):
            score_row(job, row, r, fair, &tile, <const real *> targets)
    zero[0] = 0
    if job.order > 1:
        for r in range(n):
            set_rows(job, R_H, row + r, 1, <const real *> zero)
    finish_ensembles(job, row, n, &tile, like)

register_rows("crps_ensemble", <void *> crps_ensemble[float], <void *> crps_ensemble[double],
              sizeof(Crps) // sizeof(double), False).needs = crps_needs


# ---- ranked_probability ----------------------------------------------------------------------------------------------
#
# Σ D_k² with D_k = Σ_{i <= k} (p_i - t_i): the gradient is 2 Σ_{k >= j} D_k, the second derivative 2 (C - j). A class that is left
# out has no term.

cdef inline bint is_outside(real t, double most) noexcept nogil:
    """Of a target; there is no domain where `most` is NaN."""
    return (most == most) & ((t < 0) | (t > <real> most))

cdef void rank_columns(const Rows *job, Py_ssize_t row, Py_ssize_t start, Py_ssize_t n, const Labelled *tile, real *values) noexcept nogil:
    """Rows start … start + n - 1 of a tile, side by side."""
    cdef real *p = memory(job, 0, values)
    cdef real *t = memory(job, 1, values)
    cdef double *d = fl_own(&job.team).doubles + 2 * (<int> ROOM + <int> APART)
    cdef double total[<int> SIDE]
    cdef double lost[<int> SIDE]
    cdef double squares[<int> SIDE]
    cdef double squares_lost[<int> SIDE]
    cdef double scale[<int> SIDE]
    cdef Row at
    cdef real *out
    cdef Py_ssize_t k, r, classes = job.classes, wide = SIDE
    cdef int outside = 0
    load_columns(job, R_X, row + start, n, p, memory(job, 2, values))
    if job.target == DISTRIBUTION:
        load_columns(job, R_T, row + start, n, t, memory(job, 2, values))
        for k in range(classes):
            for r in range(n):
                outside |= is_outside(t[k * wide + r], job.most) & (tile.labels[start + r] >= 0)
        if outside:
            report_outside(job)
    else:
        for k in range(classes * wide):
            t[k] = 0
        for r in range(n):
            t[tile.y[start + r] * wide + r] = 1
    for r in range(wide):
        total[r] = lost[r] = squares[r] = squares_lost[r] = 0
    for k in range(classes):
        for r in range(wide):
            accumulate_wide(p[k * wide + r], total + r, lost + r, values)
            accumulate_wide(-<double> t[k * wide + r], total + r, lost + r, values)
            d[k * wide + r] = regained(total[r], lost[r])
            accumulate_wide(d[k * wide + r] * d[k * wide + r], squares + r, squares_lost + r, values)
    for r in range(n):
        values[start + r] = <real> weighed(tile.omega[start + r], regained(squares[r], squares_lost[r]))
    if job.order == 0:
        return
    for r in range(wide):
        total[r] = lost[r] = 0
        scale[r] = 2 * job.scale * tile.omega[start + min(r, n - 1)]
    for k in range(classes - 1, -1, -1):
        for r in range(wide):
            accumulate_wide(d[k * wide + r], total + r, lost + r, values)
            p[k * wide + r] = <real> (scale[r] * regained(total[r], lost[r]))
    for r in range(n):
        at = row_at(job, row + start + r)
        out = output_or_buffer(job, R_G, at.g, 0, t)
        for k in range(classes):
            out[k] = p[k * wide + r]
        store_classes(job, R_G, at.g, 0, classes, <const real *> out)
        if job.order > 1:
            out = output_or_buffer(job, R_H, at.h, 0, t)
            for k in range(classes):
                out[k] = <real> (scale[r] * (classes - k))
            store_classes(job, R_H, at.h, 0, classes, <const real *> out)

cdef Py_ssize_t ranks_need(const Rows *job, Py_ssize_t itemsize) noexcept nogil:
    return 0 if job.classes <= SHORT and not is_masked(job) else many(job.classes, sizeof(double))

cdef void rank_row(const Rows *job, Py_ssize_t row, Py_ssize_t r, const Labelled *tile, real *values) noexcept nogil:
    """A long row of a tile, or one with a mask, piece by piece."""
    cdef real ps[CHUNK]
    cdef real ts[CHUNK]
    cdef real valid[CHUNK]
    cdef Row at = row_at(job, row + r)
    cdef const real *p
    cdef const real *t
    cdef real *g
    cdef real *h
    cdef double *d = <double *> own_room(job)
    cdef Sum total = Sum(0, 0)
    cdef Sum squares = Sum(0, 0)
    cdef double scale = 2 * job.scale * tile.omega[r]
    cdef Py_ssize_t i, j, n, count = 0
    for j in range(CHUNK):
        valid[j] = 1
    for i from 0 <= i < job.classes by CHUNK:
        n = min(job.classes - i, <Py_ssize_t> CHUNK)
        p = fetch_classes(job, R_X, at.x, i, n, <real *> ps)
        t = <const real *> ts
        if at.m != NULL:
            fetch_mask(job, at.m, i, n, <real *> valid)
        if job.target == DISTRIBUTION:
            t = fetch_classes(job, R_T, at.t, i, n, <real *> ts)
            for j in range(n):
                if valid[j] != 0 and tile.labels[r] >= 0 and is_outside(t[j], job.most):
                    report_outside(job)
        else:
            for j in range(n):
                ts[j] = i + j == tile.y[r]
        for j in range(n):
            d[i + j] = 0
            if valid[j] != 0:
                add(&total, p[j])
                add(&total, -<double> t[j])
                d[i + j] = result(total)
                add(&squares, d[i + j] * d[i + j])
    values[r] = <real> weighed(tile.omega[r], result(squares))
    total = Sum(0, 0)
    for i from (job.classes - 1) // CHUNK * CHUNK >= i >= 0 by CHUNK:
        if job.order == 0:
            break
        n = min(job.classes - i, <Py_ssize_t> CHUNK)
        if at.m != NULL:
            fetch_mask(job, at.m, i, n, <real *> valid)
        g = output_or_buffer(job, R_G, at.g, i, <real *> ps)
        h = output_or_buffer(job, R_H, at.h, i, <real *> ts) if job.order > 1 else <real *> ts
        for j in range(n - 1, -1, -1):
            count += valid[j] != 0
            add(&total, d[i + j])
            g[j] = <real> (scale * result(total)) if valid[j] != 0 else <real> 0
            h[j] = <real> (scale * count) if valid[j] != 0 else <real> 0
        store_classes(job, R_G, at.g, i, n, <const real *> g)
        if job.order > 1:
            store_classes(job, R_H, at.h, i, n, <const real *> h)

cdef void ranked_probability(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real values[TILE]
    cdef Labelled tile
    cdef Py_ssize_t r
    load_labelled(job, row, n, &tile, like)
    if job.classes <= SHORT and not is_masked(job):
        for r from 0 <= r < n by SIDE:
            rank_columns(job, row, r, min(<Py_ssize_t> SIDE, n - r), &tile, <real *> values)
    else:
        for r in range(n):
            rank_row(job, row, r, &tile, <real *> values)
    finish_labelled(job, row, n, &tile, <real *> values)

register_rows("ranked_probability", <void *> ranked_probability[float], <void *> ranked_probability[double], 0,
              False).needs = ranks_need
