# Losses over a class axis that compare scores with each other: margins between a class and the others, sparsemax; and the
# logistic loss of several classes at once.
#
# Rows are worked on along their classes, several at once where they are short, in chunks where they are long; nothing is as
# long as a row. Where the value of a row is NaN so are all its derivatives, but for those of multilabel_soft_margin, whose
# classes do not touch each other.

include "common.pxi"
include "rows.pxi"
include "runs.pxi"
include "logistic.pxi"

cdef enum:
    LABELS = 16           # of a list, that are read at once
    LISTS = 1 << 18       # that are looked through between two looks for signals
    SHORT = 32            # classes of rows that sparsemax works on side by side, at most

cdef inline real over_zero(real x) noexcept nogil:
    """max(0, x); NaN stays."""
    return 0 if x <= 0 else x

cdef inline int count_equal(const real *x, Py_ssize_t n, real m) noexcept nogil:
    cdef int found = 0
    cdef Py_ssize_t j
    for j in range(n):
        found += x[j] == m
    return found

cdef inline int count_above_zero(const real *x, Py_ssize_t n) noexcept nogil:
    cdef int found = 0
    cdef Py_ssize_t j
    for j in range(n):
        found += x[j] > 0
    return found

cdef inline void add_square(real x, double *total, double *lost) noexcept nogil:
    if real is float:
        total[0] += <double> x * <double> x      # exact, and cannot overflow
    else:
        accumulate(x * x, total, lost)

cdef inline void add_squares(Sum *s, const real *v, Py_ssize_t n) noexcept nogil:
    cdef Lanes lanes
    cdef Py_ssize_t i, j, whole = n - n % LANES
    if n < 16:
        for j in range(n):
            add_square(v[j], &s.total, &s.lost)
        return
    clear(&lanes)
    for i from 0 <= i < whole by LANES:
        for j in range(LANES):
            add_square(v[i + j], &lanes.total[j], &lanes.lost[j])
    for j in range(n - whole):
        add_square(v[whole + j], &lanes.total[j], &lanes.lost[j])
    gather_lanes(&lanes, s)


# ---- losses of one class for each row --------------------------------------------------------------------------------

cdef struct Tile:
    int64_t labels[TILE]      # -1: ignored
    int64_t y[TILE]           # a class, also where the row is ignored
    double omega[TILE]        # weight of the class times factor of the row
    Py_ssize_t left[TILE]     # classes that are not left out; at least 1

cdef void load_tile(const Rows *job, Py_ssize_t row, Py_ssize_t n, Tile *tile, const real *like) noexcept nogil:
    """Labels and weights of n rows."""
    cdef const real *w = <const real *> job.weight
    cdef real factors[TILE]
    cdef Row at = row_at(job, row)
    cdef Py_ssize_t r
    load_labels(job, row, n, True, tile.labels, like)
    load_factors(job, row, n, <real *> factors)
    for r in range(n):
        tile.y[r] = tile.labels[r] if tile.labels[r] > 0 else 0
        tile.omega[r] = factors[r]
        tile.left[r] = job.classes
    if w != NULL:
        for r in range(n):
            tile.omega[r] *= w[tile.y[r]]
    if at.m != NULL:
        for r in range(n):
            tile.left[r] = max(<Py_ssize_t> 1, count_left(job, at.m + r * row_step(job, R_M), like))

cdef double finish_tile(const Rows *job, Py_ssize_t row, Py_ssize_t n, const Tile *tile, real *values) noexcept nogil:
    """Put away the values; and the derivatives of rows that count for nothing, or whose value is NaN."""
    cdef Row at
    cdef Py_ssize_t r
    for r in range(n):
        values[r] = 0 if tile.labels[r] < 0 else values[r]
        if job.order > 0 and (tile.labels[r] < 0 or values[r] != values[r]):
            at = row_at(job, row + r)
            set_row(job, R_G, &at, values[r])
            set_row(job, R_H, &at, values[r])
    store_rows(job, R_V, row, n, <const real *> values)
    return row_sum(<const real *> values, n) if job.summed else 0


cdef double multi_margin(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """ω / C Σ_{j ≠ y} max(0, (margin - x_y) + x_j)^p; the parameters are p and the margin, C is the number of classes that are
    not left out."""
    cdef real xs[CHUNK]
    cdef real gs[CHUNK]
    cdef real zs[<int> CHUNK + <int> STEP]
    cdef real cs[<int> CHUNK + <int> STEP]
    cdef double scale[TILE]
    cdef real k[TILE]
    cdef real slope[TILE]
    cdef real values[TILE]
    cdef Sum first[TILE]
    cdef Sum second[TILE]
    cdef Py_ssize_t active[TILE]
    cdef Tile tile
    cdef Row at = row_at(job, row)
    cdef const real *x
    cdef real *out
    cdef bint squared = job.parameters[0] == 2, counted = job.order > (1 if squared else 0)
    cdef double whole = job.scale / job.classes * (2 if squared else 1)
    cdef real x_y, c
    cdef Py_ssize_t r, q, i, j, m, size, group = rows_at_once(job)
    load_tile(job, row, n, &tile, <const real *> k)
    for r in range(n):
        x_y = load_class(job, R_X, at.x + r * row_step(job, R_X), tile.y[r], <const real *> NULL)
        k[r] = <real> job.parameters[1] - x_y
        scale[r] = whole
        if at.m != NULL:
            scale[r] = job.scale / tile.left[r] * (2 if squared else 1)
        slope[r] = <real> (tile.omega[r] * scale[r])
        values[r] = x_y if x_y != x_y else <real> 0
        first[r] = Sum(0, 0)
        second[r] = Sum(0, 0)
        active[r] = 0
    for r from 0 <= r < n by group:
        m = min(group, n - r)
        at = row_at(job, row + r)
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            x = fetch_run(job, R_X, at.x, m, i, size, <real *> xs)
            spread(<const real *> k + r, m, size, <real *> zs)
            for j in range(m * size):
                zs[j] = over_zero(zs[j] + x[j])
            if at.m != NULL:
                mask_run(job, &at, m, i, size, <real *> zs, <real> 0)
            for q in range(m):
                if i <= tile.y[r + q] < i + size:
                    zs[q * size + tile.y[r + q] - i] = 0
            if squared:
                for q in range(m):
                    add_squares(&second[r + q], <const real *> zs + q * size, size)
            if not squared or job.order > 0:
                for q in range(m):
                    add_row(<const real *> zs + q * size, size, &first[r + q].total, &first[r + q].lost)
            if counted:
                for q in range(m):
                    active[r + q] += count_above_zero(<const real *> zs + q * size, size)
            if job.order == 0:
                continue
            spread(<const real *> slope + r, m, size, <real *> cs)
            out = place_run(job, R_G, at.g, m, i, size, <real *> gs)
            if squared:
                for j in range(m * size):
                    out[j] = cs[j] * zs[j]
            else:
                for j in range(m * size):
                    c = cs[j]
                    out[j] = c if zs[j] > 0 else <real> 0
            put_run(job, R_G, at.g, m, i, size, <const real *> out)
            if job.order > 1:
                out = place_run(job, R_H, at.h, m, i, size, <real *> gs)
                for j in range(m * size):
                    c = cs[j] if squared else <real> 0
                    out[j] = c if zs[j] > 0 else <real> 0
                put_run(job, R_H, at.h, m, i, size, <const real *> out)
    at = row_at(job, row)
    for r in range(n):
        if job.order > 0:
            put_class(job, R_G, at.g + r * row_step(job, R_G), tile.y[r],
                      <real> (0 - scale[r] * tile.omega[r] * (result(first[r]) if squared else <double> active[r])))
        if job.order > 1:
            put_class(job, R_H, at.h + r * row_step(job, R_H), tile.y[r],
                      <real> (scale[r] * tile.omega[r] * active[r]) if squared else <real> 0)
        values[r] = <real> weighed(tile.omega[r], result(second[r] if squared else first[r]) / tile.left[r] + values[r])
    return finish_tile(job, row, n, &tile, <real *> values)


cdef bint load_others(const Rows *job, const Row *at, const int64_t *y, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                      real *block) noexcept nogil:
    """A run of scores with -inf for the classes y and those left out; whether there are NaN among them, y included."""
    cdef const real *x = fetch_run(job, R_X, at.x, rows, start, n, block)
    cdef int spoiled = 0
    cdef Py_ssize_t r, j
    if x != block:
        for j in range(rows * n):
            block[j] = x[j]
    if at.m != NULL:
        mask_run(job, at, rows, start, n, block, <real> -INFINITY)
    for j in range(rows * n):
        spoiled |= block[j] != block[j]
    for r in range(rows):
        if start <= y[r] < start + n:
            block[r * n + y[r] - start] = -INFINITY
    return spoiled != 0

cdef double categorical_hinge(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """ω max(0, margin + (m - x_y)), m the largest of the other scores; those that tie for it share its gradient. The
    parameter is the margin."""
    cdef real xs[CHUNK]
    cdef real gs[CHUNK]
    cdef real ms[<int> CHUNK + <int> STEP]
    cdef real cs[<int> CHUNK + <int> STEP]
    cdef real x_y[TILE]
    cdef real top[TILE]
    cdef real share[TILE]
    cdef real values[TILE]
    cdef Py_ssize_t ties[TILE]
    cdef Tile tile
    cdef Row at = row_at(job, row)
    cdef real *out
    cdef real c
    cdef bint kept = job.classes <= CHUNK
    cdef Py_ssize_t r, q, i, j, m, size, group = rows_at_once(job)
    load_tile(job, row, n, &tile, <const real *> x_y)
    for r in range(n):
        x_y[r] = load_class(job, R_X, at.x + r * row_step(job, R_X), tile.y[r], <const real *> NULL)
        top[r] = -INFINITY
        values[r] = 0
        ties[r] = 0
    for r from 0 <= r < n by group:
        m = min(group, n - r)
        at = row_at(job, row + r)
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            if load_others(job, &at, tile.y + r, m, i, size, <real *> xs):
                for q in range(m):
                    if x_y[r + q] != x_y[r + q] or has_nan(<const real *> xs + q * size, size):
                        values[r + q] = NAN
            for q in range(m):
                top[r + q] = row_max(<const real *> xs + q * size, size, top[r + q])
        for q in range(m):
            c = <real> job.parameters[0] + (top[r + q] - x_y[r + q]) if tile.left[r + q] > 1 else <real> 0
            values[r + q] += over_zero(c)
        if job.order == 0:
            continue
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            if not kept:
                load_others(job, &at, tile.y + r, m, i, size, <real *> xs)
            for q in range(m):
                ties[r + q] += count_equal(<const real *> xs + q * size, size, top[r + q])
        for q in range(m):
            c = <real> (tile.omega[r + q] * job.scale / max(ties[r + q], <Py_ssize_t> 1))
            share[r + q] = c if values[r + q] > 0 else <real> 0
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            if not kept:
                load_others(job, &at, tile.y + r, m, i, size, <real *> xs)
            spread(<const real *> top + r, m, size, <real *> ms)
            spread(<const real *> share + r, m, size, <real *> cs)
            out = place_run(job, R_G, at.g, m, i, size, <real *> gs)
            for j in range(m * size):
                c = cs[j]
                out[j] = c if xs[j] == ms[j] else <real> 0
            put_run(job, R_G, at.g, m, i, size, <const real *> out)
    for r in range(n):
        if job.order > 0:
            put_class(job, R_G, base_of(job, R_G, row + r), tile.y[r],
                      <real> (-tile.omega[r] * job.scale) if values[r] > 0 else <real> 0)
        if job.order > 1:
            at = row_at(job, row + r)
            set_row(job, R_H, &at, <real> 0)
        values[r] = <real> weighed(tile.omega[r], <double> values[r])
    return finish_tile(job, row, n, &tile, <real *> values)


# ---- sparsemax -------------------------------------------------------------------------------------------------------
#
# With d_j = x_j - max x, p_j = max(0, d_j - τ) and Σ p_j = 1, Newton's steps lead from τ = -1 upwards. Each ends at the exact
# threshold of a support that holds the true one, so the supports shrink; where one does not, the step left is the rounding
# error of τ, and kept beside it. All this is in doubles, which are precise enough for floats without the errors of sums.

cdef inline real below_top(real x, real m) noexcept nogil:
    """x - m; 0 at the maximum, also when that is infinite."""
    return 0 if x == m else x - m

cdef inline double share_of(double d, double tau, double low) noexcept nogil:
    cdef double p = (d - tau) - low
    return p if p > 0 else 0

cdef inline void add_share(double p, double *total, double *lost, const real *like) noexcept nogil:
    if real is float:
        total[0] += p
    else:
        accumulate(p, total, lost)

cdef inline real sparsemax_value(double u, double squares, double d_y, double tau, double low,
                                 const real *like) noexcept nogil:
    """((1 - p_y)² + Σ_{j ≠ y} p_j²) / 2 + max(0, τ - x_y), with u = 1 - p_y = Σ_{j ≠ y} p_j"""
    return <real> (0.5 * (u * u + squares) + over_zero(low - (d_y - tau)))


cdef inline Py_ssize_t infinite_maxima(real top, Py_ssize_t count, Py_ssize_t classes, Py_ssize_t left) noexcept nogil:
    """How many of the scores that are `top`, infinite, are not those of classes left out."""
    return count - (classes - left) if top < 0 else count


# Rows of few classes, side by side.

cdef struct Thresholds:
    double tau[TILE]
    double low[TILE]
    double sum[TILE]
    double lost[TILE]
    double support[TILE]

cdef void find_thresholds(const double *d, Py_ssize_t n, Py_ssize_t classes, Thresholds *at, const real *like) noexcept nogil:
    cdef double before[TILE]
    cdef double p, step
    cdef int moving = 1, grows
    cdef Py_ssize_t r, j
    for r in range(n):
        at.tau[r] = -1
        at.low[r] = 0
        before[r] = classes + 1
    while moving:
        for r in range(n):
            at.sum[r] = 0
            at.lost[r] = 0
            at.support[r] = 0
        for j in range(classes):
            for r in range(n):
                p = share_of(d[j * n + r], at.tau[r], 0)
                add_share(p, &at.sum[r], &at.lost[r], like)
                at.support[r] += 1 if p > 0 else <double> 0
        moving = 0
        for r in range(n):
            step = ((at.sum[r] - 1) + at.lost[r]) / at.support[r]
            p = at.tau[r] + step
            grows = (at.support[r] < before[r]) & (p > at.tau[r])
            moving |= grows
            before[r] = at.support[r]
            at.low[r] = 0 if grows else step
            at.tau[r] = p if grows else at.tau[r]

cdef void sparsemax_of_few(const Rows *job, Py_ssize_t row, Py_ssize_t n, const int64_t *y, const double *omega,
                           const Py_ssize_t *left, real *values) noexcept nogil:
    """n rows of at most SHORT classes, which fit in one chunk."""
    cdef real xs[CHUNK]
    cdef real gs[CHUNK]
    cdef real hs[CHUNK]
    cdef double d[CHUNK]
    cdef double ps[CHUNK]
    cdef double squares[TILE]
    cdef real top[TILE]
    cdef Thresholds at
    cdef Row base = row_at(job, row)
    cdef Py_ssize_t r, j, classes = job.classes
    cdef const real *x = fetch_run(job, R_X, base.x, n, 0, classes, <real *> xs)
    cdef real *g = place_run(job, R_G, base.g, n, 0, classes, <real *> gs)
    cdef real *h = place_run(job, R_H, base.h, n, 0, classes, <real *> hs)
    cdef real bend
    cdef double p, other, rate
    if base.m != NULL:
        if x != <real *> xs:
            memcpy(xs, x, n * classes * sizeof(real))
            x = xs
        mask_run(job, &base, n, 0, classes, <real *> xs, <real> -INFINITY)
    for r in range(n):
        top[r] = row_max(x + r * classes, classes, <real> -INFINITY)
        for j in range(classes):
            d[j * n + r] = below_top(<double> x[r * classes + j], <double> top[r])
        if base.m != NULL and top[r] == -INFINITY:      # what is left out is -inf, too
            for j in range(classes):
                d[j * n + r] = 0 if j == y[r] else -INFINITY
    find_thresholds(d, n, classes, &at, x)
    for r in range(n):
        at.sum[r] = 0
        at.lost[r] = 0
        at.support[r] = 0
        squares[r] = 0
    for j in range(classes):
        for r in range(n):
            p = share_of(d[j * n + r], at.tau[r], at.low[r])
            ps[j * n + r] = p
            at.support[r] += 1 if p > 0 else <double> 0
            other = 0 if y[r] == j else p
            add_share(other, &at.sum[r], &at.lost[r], x)
            squares[r] += other * other       # of few terms, all positive
    for r in range(n):
        at.sum[r] = regained(at.sum[r], at.lost[r])
        values[r] = sparsemax_value(at.sum[r], squares[r], d[y[r] * n + r], at.tau[r], at.low[r], x)
    if has_nan(x, n * classes):
        for r in range(n):
            if has_nan(x + r * classes, classes):
                values[r] = NAN
    for r in range(n):
        if top[r] - top[r] != 0 and infinite_maxima(top[r], count_equal(x + r * classes, classes, top[r]), classes, left[r]) != 1:
            values[r] = NAN
    if base.g == NULL:
        return
    for r in range(n):
        rate = omega[r] * job.scale
        for j in range(classes):
            g[r * classes + j] = <real> (rate * ps[j * n + r])
        g[r * classes + y[r]] = <real> (0 - rate * at.sum[r])
        if base.h != NULL:
            bend = <real> (rate * (at.support[r] - 1) / at.support[r])
            for j in range(classes):
                h[r * classes + j] = bend if ps[j * n + r] > 0 else <real> 0
    put_run(job, R_G, base.g, n, 0, classes, <const real *> g)
    put_run(job, R_H, base.h, n, 0, classes, <const real *> h)


# A row of many classes.

cdef struct Peaks:            # classes that may have a probability above 0
    double d[CHUNK]
    Py_ssize_t index[CHUNK]
    Py_ssize_t count
    bint all                  # whether those of the whole row are in here; else those of one chunk at a time

cdef bint add_peaks(Peaks *peaks, const real *x, Py_ssize_t start, Py_ssize_t n, real m, real low) noexcept nogil:
    """Append the scores of a chunk that are not below m + low; False where there is no room for more."""
    cdef Py_ssize_t i, j, size, count = peaks.count
    cdef int near
    for i from 0 <= i < n by LANES:
        size = min(<Py_ssize_t> LANES, n - i)
        near = 0
        for j in range(i, i + size):
            near += below_top(x[j], m) >= low
        if near == 0:
            continue
        if count + size > CHUNK:
            return False
        for j in range(i, i + size):
            peaks.d[count] = below_top(<double> x[j], <double> m)
            peaks.index[count] = start + j
            count += below_top(x[j], m) >= low
    peaks.count = count
    return True

cdef const real *fetch_left(const Rows *job, const Row *at, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """Classes of a row, -inf for those left out."""
    cdef const real *x = fetch_classes(job, R_X, at.x, start, n, block)
    if at.m == NULL:
        return x
    if x != block:
        memcpy(block, x, n * sizeof(real))
    mask_classes(job, at.m, start, n, block, <real> -INFINITY)
    return block

cdef void peaks_of(const Rows *job, const Row *at, Py_ssize_t start, double low, real m, Peaks *peaks) noexcept nogil:
    """The peaks of one chunk, unless those of the whole row are there."""
    cdef real xs[CHUNK]
    cdef Py_ssize_t n = min(<Py_ssize_t> CHUNK, job.classes - start)
    if not peaks.all:
        peaks.count = 0
        add_peaks(peaks, fetch_left(job, at, start, n, <real *> xs), start, n, m, <real> low)

cdef struct Simplex:
    double tau, low
    Sum sum                   # Σ p_j
    Sum squares
    Py_ssize_t support        # how many p_j are above 0

cdef void measure(const Rows *job, const Row *at, real m, int64_t label, Simplex *s, Peaks *peaks) noexcept nogil:
    """Sums, without those of the label, and support for a threshold."""
    cdef double p
    cdef Py_ssize_t i, j
    s.sum = Sum(0, 0)
    s.squares = Sum(0, 0)
    s.support = 0
    for i from 0 <= i < (1 if peaks.all else job.classes) by CHUNK:
        peaks_of(job, at, i, s.tau, m, peaks)
        for j in range(peaks.count):
            p = share_of(peaks.d[j], s.tau, s.low)
            s.support += p > 0
            p = 0 if peaks.index[j] == label else p
            add_share(p, &s.sum.total, &s.sum.lost, &m)
            add_share(p * p, &s.squares.total, &s.squares.lost, &m)

cdef void find_threshold(const Rows *job, const Row *at, real m, Simplex *s, Peaks *peaks) noexcept nogil:
    cdef Py_ssize_t before = job.classes + 1
    cdef double step
    s.tau = -1
    s.low = 0
    while True:
        measure(job, at, m, -1, s, peaks)
        if s.support == 0:      # another thread has changed the scores
            return
        step = ((s.sum.total - 1) + s.sum.lost) / s.support
        if s.support >= before or not s.tau + step > s.tau:
            s.low = step
            return
        before = s.support
        s.tau += step

cdef real sparsemax_of_many(const Rows *job, const Row *at, int64_t label, double omega, Py_ssize_t left, const real *like) noexcept nogil:
    """The value of one row; its derivatives, times ω."""
    cdef real xs[CHUNK]
    cdef real gs[CHUNK]
    cdef real hs[CHUNK]
    cdef Peaks peaks
    cdef Simplex s
    cdef const real *x
    cdef real *g
    cdef real *h
    cdef real x_y = load_class(job, R_X, at.x, label, <const real *> NULL), m = -INFINITY, bend
    cdef double rate = omega * job.scale, u, p
    cdef bint spoiled = False
    cdef Py_ssize_t i, j, k, n, ties = 0
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        x = fetch_left(job, at, i, n, <real *> xs)
        spoiled |= has_nan(x, n)
        m = row_max(x, n, m)
    peaks.count = 0
    peaks.all = True
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        x = fetch_left(job, at, i, n, <real *> xs)
        if m - m != 0:
            ties += count_equal(x, n, m)
        peaks.all = peaks.all and add_peaks(&peaks, x, i, n, m, <real> -1)
    if spoiled or m - m != 0 and infinite_maxima(m, ties, job.classes, left) != 1:
        return NAN
    if at.m != NULL and m < 0 and m - m != 0:      # the label alone is left
        peaks.count = 1
        peaks.index[0] = label
        peaks.d[0] = 0
    find_threshold(job, at, m, &s, &peaks)
    measure(job, at, m, label, &s, &peaks)
    u = result(s.sum)
    if at.g != NULL:
        bend = <real> (rate * (s.support - 1) / s.support)
        j = 0
        for i from 0 <= i < job.classes by CHUNK:
            n = min(<Py_ssize_t> CHUNK, job.classes - i)
            if not peaks.all:      # before the gradient is written, which may lie where the scores do
                peaks_of(job, at, i, s.tau, m, &peaks)
                j = 0
            g = place(job, R_G, at.g, i, <real *> gs)
            h = place(job, R_H, at.h, i, <real *> hs) if at.h != NULL else <real *> hs
            for k in range(n):
                g[k] = 0
            if at.h != NULL:
                for k in range(n):
                    h[k] = 0
            while j < peaks.count and peaks.index[j] < i + n:
                p = share_of(peaks.d[j], s.tau, s.low)
                g[peaks.index[j] - i] = <real> (rate * p)
                h[peaks.index[j] - i] = bend if p > 0 else <real> 0
                j += 1
            if i <= label < i + n:
                g[label - i] = <real> (0 - rate * u)
            put_classes(job, R_G, at.g, i, n, <const real *> g)
            if at.h != NULL:
                put_classes(job, R_H, at.h, i, n, <const real *> h)
    return sparsemax_value(u, result(s.squares), below_top(<double> x_y, <double> m), s.tau, s.low, &m)


cdef double sparsemax(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real values[TILE]
    cdef Tile tile
    cdef Row at
    cdef Py_ssize_t r, group = min(rows_at_once(job) // 16 * 16, <Py_ssize_t> 64)      # whole vectors
    load_tile(job, row, n, &tile, <const real *> values)
    if job.classes <= SHORT:
        for r from 0 <= r < n by group:
            sparsemax_of_few(job, row + r, min(group, n - r), tile.y + r, tile.omega + r, tile.left + r, <real *> values + r)
    else:
        for r in range(n):
            at = row_at(job, row + r)
            values[r] = sparsemax_of_many(job, &at, tile.y[r], tile.omega[r], tile.left[r], <const real *> values)
    for r in range(n):
        values[r] = <real> weighed(tile.omega[r], <double> values[r])
    return finish_tile(job, row, n, &tile, <real *> values)


# ---- multilabel_margin -----------------------------------------------------------------------------------------------

cdef struct Listed:           # the classes of a chunk that are in a row's list
    int count                 # of different ones
    int index[CHUNK]

cdef void find_listed(const Rows *job, const Row *at, Py_ssize_t start, Py_ssize_t n, Listed *listed,
                      real *times) noexcept nogil:
    """Those among classes start … start+n-1, and how often each class is listed, 1 for those left out; the latter is written
    only if a class is listed or classes are left out.
    What is no class is passed over: scan_lists has found none, but other threads may have written to the array since."""
    cdef int64_t labels[LABELS]
    cdef real valid[CHUNK]
    cdef uint64_t c
    cdef Py_ssize_t i, j, k, size
    listed.count = 0
    if at.m != NULL:
        fetch_mask(job, at.m, start, n, <real *> valid)
        for k in range(n):
            times[k] = 0 if valid[k] != 0 else <real> 1
    for i from 0 <= i < job.classes by LABELS:
        size = min(<Py_ssize_t> LABELS, job.classes - i)
        fetch_labels(job, at.t, i, size, labels)
        for j in range(size):
            if labels[j] == -1:
                return
            c = <uint64_t> labels[j] - <uint64_t> start
            if c >= <uint64_t> n or at.m != NULL and valid[c] == 0:
                continue
            if listed.count == 0 and at.m == NULL:
                for k in range(n):
                    times[k] = 0
            if times[c] == 0:
                listed.index[listed.count] = <int> c
                listed.count += 1
            times[c] += 1

cdef void add_pairs(const Listed *listed, const real *x, const real *times, const real *others, const real *not_these,
                    Py_ssize_t n, Sum *total, double *below, real *above) noexcept nogil:
    """Pairs of the listed classes of one chunk with those of another that are not: `not_these` are above 0, unless it is
    NULL. To the total the sum of max(0, (1 - x_y) + x_j); from `below` the number of active pairs of each listed class, to
    `above` that of each of the others; each of them where it is not NULL."""
    cdef real zs[CHUNK]
    cdef real k, z, count
    cdef Py_ssize_t i, j
    for i in range(listed.count):
        k = <real> 1 - x[listed.index[i]]
        count = times[listed.index[i]]
        if not_these == NULL:
            for j in range(n):
                zs[j] = over_zero(k + others[j])
        else:
            for j in range(n):
                z = over_zero(k + others[j])
                zs[j] = 0 if not_these[j] > 0 else z
        if total != NULL:
            add(total, count * row_sum(<const real *> zs, n))
        if below != NULL:
            below[listed.index[i]] -= count * count_above_zero(<const real *> zs, n)
        if above != NULL:
            for j in range(n):
                z = zs[j]
                above[j] += count if z > 0 else <real> 0

cdef real multilabel_margin_row(const Rows *job, const Row *at, double omega, const real *like) noexcept nogil:
    """ω / C Σ_{y in the list} Σ_{j not in it} max(0, (1 - x_y) + x_j), C the number of classes that are not left out"""
    cdef real xs[CHUNK]
    cdef real os[CHUNK]
    cdef real times[CHUNK]
    cdef real not_these[CHUNK]
    cdef real gs[CHUNK]
    cdef real active[CHUNK]
    cdef double passive[CHUNK]
    cdef real *above = <real *> active if at.g != NULL else NULL      # pairs that raise the score of a class, less
    cdef double *below = passive if at.g != NULL else NULL
    cdef Listed listed, others
    cdef const real *x
    cdef const real *o
    cdef real *out
    cdef Sum total = Sum(0, 0)
    cdef bint spoiled = False
    cdef Py_ssize_t left = max(<Py_ssize_t> 1, count_left(job, at.m, like))
    cdef double rate = <real> (job.scale / left)
    cdef Py_ssize_t i, j, k, n, m
    rate = weighed(omega, rate)
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        x = fetch_left(job, at, i, n, <real *> xs)
        spoiled |= has_nan(x, n)
        find_listed(job, at, i, n, &listed, <real *> times)
        if at.g != NULL:
            for j in range(n):
                above[j] = 0
                below[j] = 0
        add_pairs(&listed, x, <const real *> times, x, <const real *> times, n, &total, below, above)
        for k from 0 <= k < job.classes by CHUNK:
            if k == i:
                continue
            m = min(<Py_ssize_t> CHUNK, job.classes - k)
            find_listed(job, at, k, m, &others, <real *> not_these)
            if listed.count > 0 or others.count > 0 and at.g != NULL:
                if stops(job):
                    return 0
                o = fetch_left(job, at, k, m, <real *> os)
                add_pairs(&listed, x, <const real *> times, o,
                          <const real *> not_these if others.count > 0 or at.m != NULL else NULL, m, &total, below, NULL)
                if at.g != NULL:
                    add_pairs(&others, o, <const real *> not_these, x,
                              <const real *> times if listed.count > 0 or at.m != NULL else NULL, n, NULL, NULL, above)
        if at.g != NULL:
            out = place(job, R_G, at.g, i, <real *> gs)
            for j in range(n):
                out[j] = <real> weighed(above[j] + below[j], rate)      # a mean over nothing has an infinite rate
            put_classes(job, R_G, at.g, i, n, <const real *> out)
    set_row(job, R_H, at, <real> 0)
    return NAN if spoiled else <real> weighed(omega, result(total) / left)

cdef double multilabel_margin(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real values[TILE]
    cdef real factors[TILE]
    cdef Row at
    cdef Py_ssize_t r
    load_factors(job, row, n, <real *> factors)
    for r in range(n):
        at = row_at(job, row + r)
        values[r] = 0
        if factors[r] != 0:
            values[r] = multilabel_margin_row(job, &at, factors[r], <const real *> NULL)
        if factors[r] == 0 or values[r] != values[r]:
            set_row(job, R_G, &at, values[r])
            set_row(job, R_H, &at, values[r])
    store_rows(job, R_V, row, n, <const real *> values)
    return row_sum(<const real *> values, n) if job.summed else 0


def scan_lists(cnp.ndarray lists not None, cnp.ndarray mask, cnp.ndarray factor):
    """The position in C order of the first listed number that is no class, or -1. The lists lie along the last axis, each up
    to its first -1. A class that the mask leaves out is none, unless nothing is left of its row. Rows whose factor is 0 are
    not looked at; mask and factor may be None."""
    cdef Space space
    cdef Operand op, left, factors
    cdef double valid
    cdef int64_t labels[LABELS]
    cdef Py_ssize_t row, i, j, n, found = -1, rows = 1, classes
    cdef int axis, ndim = cnp.PyArray_NDIM(lists)
    cdef const char *base
    cdef bint wraps
    check_shape(mask, lists, ndim)
    describe(&op, lists, <const double *> NULL, ndim)
    describe(&left, mask, <const double *> NULL, ndim)
    if op.kind > UINT64 or ndim == 0:
        raise TypeError("kernel: lists must hold integers")
    check_shape(factor, lists, ndim - 1)
    describe(&factors, factor, <const double *> NULL, ndim)
    wraps = op.kind == UINT64       # a huge number would look like a negative one
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(lists, axis)
        rows *= space.shape[axis] if axis < ndim - 1 else 1
    classes = space.shape[ndim - 1]
    with nogil:
        for row in range(rows):
            if row % LISTS == LISTS - 1:
                with gil:
                    PyErr_CheckSignals()
            if factors.data != NULL:
                factors.load(factors.data + offset_of(&factors, &space, 0, ndim - 1, row), 0, factors.swapped, 1, &valid)
                if valid == 0:
                    continue
            base = op.data + offset_of(&op, &space, 0, ndim - 1, row)
            for i from 0 <= i < classes by LABELS:
                n = min(<Py_ssize_t> LABELS, classes - i)
                _load_label[<int> op.kind](base + i * op.strides[ndim - 1], op.strides[ndim - 1], op.swapped, n, labels)
                j = 0
                while j < n and 0 <= labels[j] < classes:
                    if left.data != NULL:
                        left.load(left.data + offset_of(&left, &space, 0, ndim - 1, row) + labels[j] * left.strides[ndim - 1], 0,
                                  left.swapped, 1, &valid)
                        if valid == 0:
                            break
                    j += 1
                if j < n:
                    if (wraps or labels[j] != -1) and not (left.data != NULL and is_empty(&left, &space, ndim - 1, row)):
                        found = row * classes + i + j
                    break
            if found >= 0:
                break
    return found


# ---- multilabel_soft_margin ------------------------------------------------------------------------------------------

cdef void check_run(const Rows *job, const Row *at, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                    const real *t, const real *factors) noexcept nogil:
    """Report a run of targets if one is outside of its domain that counts for something."""
    cdef real block[CHUNK]
    cdef const real *w = <const real *> job.weight
    cdef real most = <real> job.most
    cdef int outside = 0
    cdef Py_ssize_t r, j
    for r in range(rows):
        for j in range(n):
            block[r * n + j] = 0 if factors[r] == 0 else t[r * n + j]
        if w != NULL:
            for j in range(n):
                block[r * n + j] = 0 if w[start + j] == 0 else block[r * n + j]
    if at.m != NULL:
        mask_run(job, at, rows, start, n, <real *> block, <real> 0)
    for j in range(rows * n):
        outside |= (block[j] < 0) | (block[j] > most)
    if outside:
        report_outside(job)

cdef inline void load_rates(const Rows *job, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n, const double *scales,
                            real *block) noexcept nogil:
    """What the derivatives of each class are multiplied by, rounded once."""
    cdef const real *w = <const real *> job.weight
    cdef Py_ssize_t r, j
    cdef real once = <real> scales[0]
    if w == NULL and not is_masked(job) and job.operands[<int> R_F].data == NULL:
        for j in range(rows * n):
            block[j] = once
        return
    for r in range(rows):
        if w == NULL:
            once = <real> scales[r]
            for j in range(n):
                block[r * n + j] = once
        else:
            for j in range(n):
                block[r * n + j] = <real> (w[start + j] * scales[r])

cdef inline void drop(const real *w, Py_ssize_t rows, Py_ssize_t n, bint multiplied, real *block) noexcept nogil:
    """0 where the weight of a class is 0, and else the number, or that times the weight."""
    cdef Py_ssize_t r, j
    for r in range(rows):
        if multiplied:
            for j in range(n):
                block[r * n + j] = weighed(w[j], block[r * n + j])
        else:
            for j in range(n):
                block[r * n + j] = 0 if w[j] == 0 else block[r * n + j]

cdef double multilabel_soft_margin(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """ω / C Σ w_c (t_c log(1 + exp(-x_c)) + (1 - t_c) log(1 + exp(x_c))), over several rows at once where they are short; C is
    the number of classes that are not left out."""
    cdef real xs[CHUNK]
    cdef real ts[CHUNK]
    cdef real vs[CHUNK]
    cdef real gs[CHUNK]
    cdef real hs[CHUNK]
    cdef real fs[CHUNK]
    cdef real values[TILE]
    cdef real factors[TILE]
    cdef double scales[TILE]
    cdef double left[TILE]
    cdef double sums[TILE]
    cdef const real *w = <const real *> job.weight
    cdef const real *x
    cdef const real *t
    cdef real *g
    cdef real *h
    cdef Row at = row_at(job, row)
    cdef Sum total = Sum(0, 0)
    cdef double whole = job.scale / job.classes
    cdef bint special = at.m != NULL or job.operands[<int> R_F].data != NULL
    cdef real v, d, dd
    cdef Py_ssize_t r, i, j, m, size, group = rows_at_once(job)
    load_factors(job, row, n, <real *> factors)
    for r in range(n):
        left[r] = job.classes
        scales[r] = whole
    if special:
        for r in range(n):
            left[r] = max(<Py_ssize_t> 1, count_left(job, at.m + r * row_step(job, R_M), like)) if at.m != NULL else job.classes
            scales[r] = weighed(<double> factors[r], job.scale / left[r])
    for r from 0 <= r < n by group:
        m = min(group, n - r)
        at = row_at(job, row + r)
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            x = fetch_run(job, R_X, at.x, m, i, size, <real *> xs)
            t = fetch_run(job, R_T, at.t, m, i, size, <real *> ts)
            if job.most == job.most and may_be_outside(job, t, m * size):
                check_run(job, &at, row + r, m, i, size, t, <const real *> factors + r)
            # What is read and written at the same place would not be vectorised.
            g = <real *> gs if job.in_place else place_run(job, R_G, at.g, m, i, size, <real *> gs)
            h = place_run(job, R_H, at.h, m, i, size, <real *> hs)
            if job.order > 0:
                load_rates(job, m, i, size, scales + r, <real *> fs)
            if job.order == 0:
                for j in range(m * size):
                    bce_with_logits(x[j], t[j], 1 - t[j], <real> 1, &v, &d, &dd)
                    vs[j] = v
            elif job.order == 1:
                for j in range(m * size):
                    bce_with_logits(x[j], t[j], 1 - t[j], <real> 1, &v, &d, &dd)
                    vs[j] = v
                    g[j] = d * fs[j]
            else:
                for j in range(m * size):
                    bce_with_logits(x[j], t[j], 1 - t[j], <real> 1, &v, &d, &dd)
                    vs[j] = v
                    g[j] = d * fs[j]
                    h[j] = dd * fs[j]
            if w != NULL:
                drop(w + i, m, size, True, <real *> vs)
                if job.order > 0:
                    drop(w + i, m, size, False, g)
                if job.order > 1:
                    drop(w + i, m, size, False, h)
            if at.m != NULL:
                mask_run(job, &at, m, i, size, <real *> vs, <real> 0)
                if job.order > 0:
                    mask_run(job, &at, m, i, size, g, <real> 0)
                if job.order > 1:
                    mask_run(job, &at, m, i, size, h, <real> 0)
            if job.in_place:
                g = place_run(job, R_G, at.g, m, i, size, <real *> gs)
                if g != <real *> gs:
                    memcpy(g, gs, m * size * sizeof(real))
            put_run(job, R_G, at.g, m, i, size, g)
            put_run(job, R_H, at.h, m, i, size, h)
            for j in range(m):
                if i == 0:
                    total = Sum(0, 0)
                add_row(<const real *> vs + j * size, size, &total.total, &total.lost)
                sums[r + j] = result(total)
    for r in range(n):
        values[r] = <real> (sums[r] / left[r])
    if special:
        for r in range(n):
            values[r] = <real> weighed(<double> factors[r], sums[r] / left[r])
    for r in range(n if special and job.order > 0 else 0):
        if factors[r] == 0:
            at = row_at(job, row + r)
            set_row(job, R_G, &at, <real> 0)
            set_row(job, R_H, &at, <real> 0)
    store_rows(job, R_V, row, n, <const real *> values)
    return row_sum(<const real *> values, n) if job.summed else 0


# ---- the list --------------------------------------------------------------------------------------------------------

enlist_rows("multi_margin", <TileLoss> <void *> multi_margin[float], <TileLoss> <void *> multi_margin[double], 2, False)
enlist_rows("multilabel_margin", <TileLoss> <void *> multilabel_margin[float],
            <TileLoss> <void *> multilabel_margin[double], 0, False)
enlist_rows("multilabel_soft_margin", <TileLoss> <void *> multilabel_soft_margin[float],
            <TileLoss> <void *> multilabel_soft_margin[double], 0, False)
enlist_rows("categorical_hinge", <TileLoss> <void *> categorical_hinge[float],
            <TileLoss> <void *> categorical_hinge[double], 1, False)
enlist_rows("sparsemax", <TileLoss> <void *> sparsemax[float], <TileLoss> <void *> sparsemax[double], 0, False)
