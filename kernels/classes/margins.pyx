# Margins between a class and the others: multi_margin, categorical_hinge.
#
# Rows are worked on along their classes, several at once where they are short, in chunks where they are long; nothing is as
# long as a row. Where the value of a row is NaN so are all its derivatives.

from libc.math cimport INFINITY, NAN
from libc.stdint cimport int64_t
from libc.string cimport memset
from kernels.classes.rows cimport (
    CHUNK, R_G, R_H, R_X, STEP, Labelled, Row, Rows, add_run, fetch_run, finish_labelled, load_labelled, load_own,
    mask_run, run_or_buffer, store_run, register_rows, row_at, rows_at_once, set_rows, broadcast_rows, store_own)
from kernels.core.numeric cimport over_zero, real, weighed
from kernels.core.rowmath cimport count_above_zero, count_equal, has_nan, row_max
from kernels.core.sums cimport LANES, TILE, Lanes, Sum, accumulate_wide, clear, gather_lanes, result

# ---- multi_margin ----------------------------------------------------------------------------------------------------

cdef struct MultiMargin:
    double p, margin

cdef inline void add_square(real x, double *total, double *lost) noexcept nogil:
    accumulate_wide(<double> x * <double> x, total, lost, &x)      # that of a float is exact, and cannot overflow

cdef inline void add_squares(const real *v, Py_ssize_t n, Sum *s) noexcept nogil:
    cdef Lanes lanes
    cdef Py_ssize_t i, j
    if n < 16:
        for j in range(n):
            add_square(v[j], &s.total, &s.lost)
        return
    clear(&lanes)
    for i from 0 <= i <= n - LANES by LANES:
        for j in range(LANES):
            add_square(v[i + j], &lanes.total[j], &lanes.lost[j])
    for j in range(n % LANES):
        add_square(v[n - n % LANES + j], &lanes.total[j], &lanes.lost[j])
    gather_lanes(&lanes, s)

cdef void multi_margin(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """ω / C Σ_{j ≠ y} max(0, (margin - x_y) + x_j)^p; C is the number of classes that are not left out."""
    cdef real xs[CHUNK]
    cdef real gs[CHUNK]
    cdef real zs[<int> CHUNK + <int> STEP]
    cdef real cs[<int> CHUNK + <int> STEP]
    cdef double scale[TILE]
    cdef real k[TILE]
    cdef real slope[TILE]
    cdef real own[TILE]           # x_y, and derivatives with respect to it
    cdef real values[TILE]
    cdef Sum first[TILE]
    cdef Sum second[TILE]
    cdef const Sum *sums = first
    cdef Py_ssize_t active[TILE]
    cdef Labelled tile
    cdef Row at = row_at(job, row)
    cdef const real *x
    cdef real *out
    cdef const MultiMargin *loss = <const MultiMargin *> job.parameters
    cdef bint squared = loss.p == 2, counted = job.order > (1 if squared else 0)
    cdef double whole = job.scale / job.classes * (2 if squared else 1)
    cdef real c
    cdef Py_ssize_t r, q, i, j, m, size, group = rows_at_once(job)
    load_labelled(job, row, n, &tile, <const real *> k)
    load_own(job, R_X, row, n, tile.labels, <real *> own)
    for r in range(n):
        k[r] = <real> loss.margin - own[r]
        scale[r] = whole
        values[r] = own[r] if own[r] != own[r] else <real> 0
        first[r] = Sum(0, 0)
        second[r] = Sum(0, 0)
        active[r] = 0
    if at.m != NULL:
        for r in range(n):
            scale[r] = job.scale / tile.left[r] * (2 if squared else 1)
    for r in range(n):
        slope[r] = <real> (tile.omega[r] * scale[r])
    for r from 0 <= r < n by group:
        m = min(group, n - r)
        at = row_at(job, row + r)
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            x = fetch_run(job, R_X, at.x, m, i, size, <real *> xs)
            broadcast_rows(<const real *> k + r, m, size, <real *> zs)
            for j in range(m * size):
                zs[j] = over_zero(zs[j] + x[j])
            if at.m != NULL:
                mask_run(job, &at, m, i, size, <real *> zs, <real> 0)
            for q in range(m):
                if i <= tile.y[r + q] < i + size:
                    zs[q * size + tile.y[r + q] - i] = 0
            if squared:
                for q in range(m):
                    add_squares(<const real *> zs + q * size, size, &second[r + q])
            if not squared or job.order > 0:
                add_run(<const real *> zs, m, size, &first[r])
            if counted:
                for q in range(m):
                    active[r + q] += count_above_zero(<const real *> zs + q * size, size)
            if job.order == 0:
                continue
            broadcast_rows(<const real *> slope + r, m, size, <real *> cs)
            out = run_or_buffer(job, R_G, at.g, m, i, size, <real *> gs)
            if squared:
                for j in range(m * size):
                    out[j] = cs[j] * zs[j]
            else:
                for j in range(m * size):
                    c = cs[j]
                    out[j] = c if zs[j] > 0 else <real> 0
            store_run(job, R_G, at.g, m, i, size, <const real *> out)
            if job.order > 1:
                out = run_or_buffer(job, R_H, at.h, m, i, size, <real *> gs)
                if squared:
                    for j in range(m * size):
                        c = cs[j]
                        out[j] = c if zs[j] > 0 else <real> 0
                else:
                    memset(out, 0, m * size * sizeof(real))
                store_run(job, R_H, at.h, m, i, size, <const real *> out)
    if job.order > 0:
        for r in range(n):
            own[r] = <real> (0 - scale[r] * tile.omega[r] * (result(first[r]) if squared else <double> active[r]))
        store_own(job, R_G, row, n, tile.labels, <const real *> own)
    if job.order > 1:
        for r in range(n):
            own[r] = <real> (scale[r] * tile.omega[r] * active[r]) if squared else <real> 0
        store_own(job, R_H, row, n, tile.labels, <const real *> own)
    if squared:
        sums = second
    for r in range(n):
        values[r] = <real> weighed(tile.omega[r], result(sums[r]) / tile.left[r] + values[r])
    finish_labelled(job, row, n, &tile, <real *> values)


# ---- categorical_hinge -----------------------------------------------------------------------------------------------

cdef struct CategoricalHinge:
    double margin

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

cdef void categorical_hinge(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """ω max(0, margin + (m - x_y)), m the largest of the other scores; those that tie for it share its gradient."""
    cdef real xs[CHUNK]
    cdef real gs[CHUNK]
    cdef real ms[<int> CHUNK + <int> STEP]
    cdef real cs[<int> CHUNK + <int> STEP]
    cdef real x_y[TILE]
    cdef real top[TILE]
    cdef real share[TILE]
    cdef real values[TILE]
    cdef Py_ssize_t ties[TILE]
    cdef Labelled tile
    cdef Row at = row_at(job, row)
    cdef real *out
    cdef real c, margin = <real> (<const CategoricalHinge *> job.parameters).margin
    cdef bint kept = job.classes <= CHUNK
    cdef Py_ssize_t r, q, i, j, m, size, group = rows_at_once(job)
    load_labelled(job, row, n, &tile, <const real *> x_y)
    load_own(job, R_X, row, n, tile.labels, <real *> x_y)
    for r in range(n):
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
            c = margin + (top[r + q] - x_y[r + q]) if tile.left[r + q] > 1 else <real> 0
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
            broadcast_rows(<const real *> top + r, m, size, <real *> ms)
            broadcast_rows(<const real *> share + r, m, size, <real *> cs)
            out = run_or_buffer(job, R_G, at.g, m, i, size, <real *> gs)
            for j in range(m * size):
                c = cs[j]
                out[j] = c if xs[j] == ms[j] else <real> 0
            store_run(job, R_G, at.g, m, i, size, <const real *> out)
    if job.order > 0:
        for r in range(n):
            share[r] = <real> (-tile.omega[r] * job.scale) if values[r] > 0 else <real> 0
        store_own(job, R_G, row, n, tile.labels, <const real *> share)
    if job.order > 1:
        memset(share, 0, n * sizeof(real))
        set_rows(job, R_H, row, n, <const real *> share)
    for r in range(n):
        values[r] = <real> weighed(tile.omega[r], <double> values[r])
    finish_labelled(job, row, n, &tile, <real *> values)


register_rows("multi_margin", <void *> multi_margin[float], <void *> multi_margin[double], sizeof(MultiMargin) // sizeof(double), False)
register_rows("categorical_hinge", <void *> categorical_hinge[float], <void *> categorical_hinge[double],
              sizeof(CategoricalHinge) // sizeof(double), False)
