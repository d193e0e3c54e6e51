# Sparsemax: the projection of the scores onto the probabilities, many of which are 0.
#
# With d_j = x_j - max x, p_j = max(0, d_j - τ) and Σ p_j = 1, Newton's steps lead from τ = -1 upwards. Each ends at the exact
# threshold of a support that holds the true one, so the supports shrink; where one does not, the step left is the rounding
# error of τ, and kept beside it. All this is in doubles, which are precise enough for floats without the errors of sums.

from libc.math cimport INFINITY, NAN
from libc.stdint cimport int64_t
from kernels.classes.rows cimport (
    CHUNK, R_G, R_H, R_X, Labelled, Row, Rows, fetch_left, fetch_run, finish_labelled, load_class, load_labelled,
    masked_run, output_or_buffer, run_or_buffer, store_classes, store_run, register_rows, row_at, rows_at_once)
from kernels.core.numeric cimport over_zero, real, weighed
from kernels.core.rowmath cimport count_equal, has_nan, row_max
from kernels.core.sums cimport LANES, TILE, Sum, accumulate_wide, regained, result

cdef enum:
    SHORT = 32            # classes of rows that are worked on side by side, at most
    SIDES = 64            # such rows, at most


cdef inline real below_top(real x, real m) noexcept nogil:
    """x - m; 0 at the maximum, also when that is infinite."""
    return 0 if x == m else x - m

cdef inline double share_of(double d, double tau, double low) noexcept nogil:
    cdef double p = (d - tau) - low
    return p if p > 0 else 0

cdef inline real sparsemax_value(double u, double squares, double d_y, double tau, double low,
                                 const real *like) noexcept nogil:
    """((1 - p_y)² + Σ_{j ≠ y} p_j²) / 2 + max(0, τ - x_y), with u = 1 - p_y = Σ_{j ≠ y} p_j"""
    return <real> (0.5 * (u * u + squares) + over_zero(low - (d_y - tau)))


cdef inline Py_ssize_t infinite_maxima(real top, Py_ssize_t count, Py_ssize_t classes, Py_ssize_t left) noexcept nogil:
    """How many of the scores that are `top`, infinite, are not those of classes left out."""
    return count - (classes - left) if top < 0 else count


# ---- rows of few classes, side by side ---------------------------------------------------------------------------------

cdef struct Thresholds:
    double tau[SIDES]
    double low[SIDES]
    double sum[SIDES]
    double lost[SIDES]
    double support[SIDES]

cdef inline void find_thresholds(const double *d, Py_ssize_t n, Py_ssize_t classes, Thresholds *at, const real *like) noexcept nogil:
    cdef double before[SIDES]
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
                accumulate_wide(p, &at.sum[r], &at.lost[r], like)
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

cdef inline void sparsemax_of_few(const Rows *job, Py_ssize_t row, Py_ssize_t n, const int64_t *y, const double *omega,
                                  const Py_ssize_t *left, real *values) noexcept nogil:
    """n rows of at most SHORT classes, which fit in one chunk."""
    cdef real xs[CHUNK]
    cdef real gs[CHUNK]
    cdef real hs[CHUNK]
    cdef double d[CHUNK]
    cdef double ps[CHUNK]
    cdef double squares[SIDES]
    cdef real top[SIDES]
    cdef Thresholds at
    cdef Row base = row_at(job, row)
    cdef Py_ssize_t r, j, classes = job.classes
    cdef const real *x = fetch_run(job, R_X, base.x, n, 0, classes, <real *> xs)
    cdef real *g = run_or_buffer(job, R_G, base.g, n, 0, classes, <real *> gs)
    cdef real *h = run_or_buffer(job, R_H, base.h, n, 0, classes, <real *> hs)
    cdef real curvature
    cdef double p, other, rate
    if base.m != NULL:
        x = masked_run(job, &base, n, 0, classes, x, <real *> xs, <real> -INFINITY)
    for r in range(n):
        top[r] = row_max(x + r * classes, classes, <real> -INFINITY)
    for j in range(classes):
        for r in range(n):
            d[j * n + r] = below_top(<double> x[r * classes + j], <double> top[r])
    for r in range(n if base.m != NULL else 0):
        if top[r] == -INFINITY:      # what is left out is -inf, too
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
            accumulate_wide(other, &at.sum[r], &at.lost[r], x)
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
            curvature = <real> (rate * (at.support[r] - 1) / at.support[r])
            for j in range(classes):
                h[r * classes + j] = curvature if ps[j * n + r] > 0 else <real> 0
    store_run(job, R_G, base.g, n, 0, classes, <const real *> g)
    store_run(job, R_H, base.h, n, 0, classes, <const real *> h)


# ---- a row of many classes ---------------------------------------------------------------------------------------------

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

cdef void peaks_of(const Rows *job, const Row *at, Py_ssize_t start, double low, real m, Peaks *peaks) noexcept nogil:
    """The peaks of one chunk."""
    cdef real xs[CHUNK]
    cdef Py_ssize_t n = min(<Py_ssize_t> CHUNK, job.classes - start)
    peaks.count = 0
    add_peaks(peaks, fetch_left(job, at, start, n, <real *> xs), start, n, m, <real> low)

cdef struct Simplex:
    double tau, low
    Sum sum                   # Σ p_j
    Sum squares
    Py_ssize_t support        # how many p_j are above 0

cdef inline void sum_over_support(const Rows *job, const Row *at, real m, int64_t label, Simplex *s, Peaks *peaks) noexcept nogil:
    """Sums, without those of the label, and support for a threshold."""
    cdef Sum sum = Sum(0, 0), squares = Sum(0, 0)
    cdef double p, tau = s.tau, low = s.low
    cdef Py_ssize_t i, j, support = 0
    for i from 0 <= i < (1 if peaks.all else job.classes) by CHUNK:
        if not peaks.all:
            peaks_of(job, at, i, tau, m, peaks)
        for j in range(peaks.count):
            p = share_of(peaks.d[j], tau, low)
            support += p > 0
            p = 0 if peaks.index[j] == label else p
            accumulate_wide(p, &sum.total, &sum.lost, &m)
            accumulate_wide(p * p, &squares.total, &squares.lost, &m)
    s.sum = sum
    s.squares = squares
    s.support = support

cdef inline void find_threshold(const Rows *job, const Row *at, real m, Simplex *s, Peaks *peaks) noexcept nogil:
    cdef Py_ssize_t before = job.classes + 1
    cdef double step
    s.tau = -1
    s.low = 0
    while True:
        sum_over_support(job, at, m, -1, s, peaks)
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
    cdef real x_y = load_class(job, R_X, at.x, label, <const real *> NULL), m = -INFINITY, curvature
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
    sum_over_support(job, at, m, label, &s, &peaks)
    u = result(s.sum)
    if at.g != NULL:
        curvature = <real> (rate * (s.support - 1) / s.support)
        j = 0
        for i from 0 <= i < job.classes by CHUNK:
            n = min(<Py_ssize_t> CHUNK, job.classes - i)
            if not peaks.all:      # before the gradient is written, which may lie where the scores do
                peaks_of(job, at, i, s.tau, m, &peaks)
                j = 0
            g = output_or_buffer(job, R_G, at.g, i, <real *> gs)
            h = output_or_buffer(job, R_H, at.h, i, <real *> hs) if at.h != NULL else <real *> hs
            for k in range(n):
                g[k] = 0
            if at.h != NULL:
                for k in range(n):
                    h[k] = 0
            while j < peaks.count and peaks.index[j] < i + n:
                p = share_of(peaks.d[j], s.tau, s.low)
                g[peaks.index[j] - i] = <real> (rate * p)
                h[peaks.index[j] - i] = curvature if p > 0 else <real> 0
                j += 1
            if i <= label < i + n:
                g[label - i] = <real> (0 - rate * u)
            store_classes(job, R_G, at.g, i, n, <const real *> g)
            if at.h != NULL:
                store_classes(job, R_H, at.h, i, n, <const real *> h)
    return sparsemax_value(u, result(s.squares), below_top(<double> x_y, <double> m), s.tau, s.low, &m)


cdef void sparsemax(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real values[TILE]
    cdef Labelled tile
    cdef Row at
    cdef Py_ssize_t r, group = min(rows_at_once(job) // 16 * 16, <Py_ssize_t> SIDES)      # whole vectors
    load_labelled(job, row, n, &tile, <const real *> values)
    if job.classes <= SHORT:
        for r from 0 <= r < n by group:
            sparsemax_of_few(job, row + r, min(group, n - r), tile.y + r, tile.omega + r, tile.left + r, <real *> values + r)
    else:
        for r in range(n):
            at = row_at(job, row + r)
            values[r] = sparsemax_of_many(job, &at, tile.y[r], tile.omega[r], tile.left[r], <const real *> values)
    for r in range(n):
        values[r] = <real> weighed(tile.omega[r], <double> values[r])
    finish_labelled(job, row, n, &tile, <real *> values)


register_rows("sparsemax", <void *> sparsemax[float], <void *> sparsemax[double], 0, False)
