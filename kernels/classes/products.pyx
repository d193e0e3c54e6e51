# Products of the Hessian of losses of the softmax with a vector.
#
# Of a direction d, with P = Σ p d and u = d - P,
#     (H d)_j = p_j (A u_j - Σ b u + 2 z P) + b_j u_j.
# d is taken relative to its number at the row's maximum: where that class is all but certain, its u is no difference of nearly
# equal numbers then.

from libc.stdint cimport int64_t
from libc.string cimport memcpy
from kernels.classes.nll cimport Nll, transform_line
from kernels.classes.rows cimport CHUNK, R_D, R_G, Rows
from kernels.classes.softmax cimport (
    LOG, LOST_A, LOST_B, LOST_C, LOST_V, M, PSI, S, SCALE, SHARE, SUMS, SUM_A, SUM_B, SUM_C, SUM_OF_A, SUM_V, WHOLE_SHARE,
    Across, Along, Layout, View, add_line, at, blank_rows, e_line, finish_line, has_no_target, mask_line, line_or_buffer,
    prepare_targets, raw_line, scale_of, slope, soft_cap, store_tile, target_line, tau_line, x_line)
from kernels.core.numeric cimport real
from kernels.core.sums cimport TILE, fl_own, regained


cdef enum:                    # numbers of each row, TILE of each in one array
    TOP                       # the direction at the maximum
    MEAN                      # P - TOP
    WHOLE_A                   # A
    REMAINDER                 # 2 z P - Σ b u
    TURNS

cdef void direction_line(Layout l, const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line of the direction, with respect to the logits after the soft cap; 0 for what is left out."""
    cdef real raws[CHUNK]
    cdef real d, d2
    cdef const real *raw
    cdef const real *given = target_line(l, job, R_D, v.base_d, line, start, n, block)
    cdef Py_ssize_t i
    if given != block:
        memcpy(block, given, n * sizeof(real))
    if v.change.cap:
        raw = raw_line(job, v, line, start, n, <real *> raws)
        for i in range(n):
            soft_cap(raw[i], v.change.cap, &d, &d2)
            block[i] *= d
    if v.masked:
        mask_line(job, v, line, start, n, block, <real> 0)

cdef inline const real *kept_line(Layout l, const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n,
                                  const real *kept, real *block) noexcept nogil:
    """The same, from where it is kept if it is."""
    if kept == NULL:
        direction_line(l, job, v, line, start, n, block)
    return <const real *> block if kept == NULL else kept + line * job.tile + start

cdef void find_tops(Layout l, const Rows *job, const View *v, const real *rows, real *kept, real *turns) noexcept nogil:
    """The direction at each row's maximum, and the direction itself where there is room to keep it."""
    cdef real xs[CHUNK]
    cdef real ds[CHUNK]
    cdef const real *m
    cdef const real *x
    cdef real *d
    cdef real *top
    cdef Py_ssize_t line, start, i, n
    for i in range(v.n):
        turns[<int> TOP * <int> TILE + i] = 0
    for line in range(v.lines):
        m = rows + <int> M * <int> TILE + (0 if Layout is Across else line)
        top = turns + <int> TOP * <int> TILE + (0 if Layout is Across else line)
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            x = x_line(job, v, line, start, n, <real *> xs)
            d = kept + line * job.tile if kept != NULL else <real *> ds
            direction_line(l, job, v, line, start, n, d)
            for i in range(n):
                top[at(l, i)] = d[i] if x[i] == m[at(l, i)] else top[at(l, i)]

cdef void add_product_sums(const Nll *f, Layout l, const Rows *job, const View *v, const real *rows, const double *wide,
                           real *kept, real *turns, double *sums, const int64_t *labels) noexcept nogil:
    """Σ e d, Σ a, Σ b and Σ b d of each row, d relative to that at the maximum."""
    cdef real room[7][CHUNK]      # x, e, τ, values, a, b, the direction
    cdef const real *own
    cdef const real *x
    cdef const real *e
    cdef const real *d
    cdef const real *top
    cdef double *to
    cdef Py_ssize_t line, start, i, n
    for i in range(<int> SUMS * <int> TILE):
        sums[i] = 0
    find_tops(l, job, v, rows, kept, turns)
    for line in range(v.lines):
        own = rows if Layout is Across else rows + line
        top = turns + <int> TOP * <int> TILE + (0 if Layout is Across else line)
        to = sums if Layout is Across else sums + line
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            x = x_line(job, v, line, start, n, <real *> room[0])
            e = e_line(l, job, v, own, line, start, n, <real *> room[1])
            d = kept_line(l, job, v, line, start, n, kept, <real *> room[6])
            tau_line(l, job, v, line, start, n, labels, e, own, <real *> room[2], True)
            transform_line(f, l, n, x, e, <const real *> room[2], own, wide if Layout is Across else wide + line,
                           NULL if f.plain else <real *> room[3], <real *> room[4], <real *> room[5])
            add_line(l, <const real *> room[4], n, to + <int> SUM_A * <int> TILE, to + <int> LOST_A * <int> TILE)
            for i in range(n):
                room[3][i] = e[i] * (d[i] - top[at(l, i)])
            add_line(l, <const real *> room[3], n, to + <int> SUM_C * <int> TILE, to + <int> LOST_C * <int> TILE)
            if not f.plain:
                add_line(l, <const real *> room[5], n, to + <int> SUM_B * <int> TILE, to + <int> LOST_B * <int> TILE)
                for i in range(n):
                    room[5][i] *= d[i] - top[at(l, i)]
                add_line(l, <const real *> room[5], n, to + <int> SUM_V * <int> TILE, to + <int> LOST_V * <int> TILE)

cdef inline real centered(Layout l, real d, const real *turn, Py_ssize_t i) noexcept nogil:
    """u = d - P."""
    return (d - turn[<int> TOP * <int> TILE + at(l, i)]) - turn[<int> MEAN * <int> TILE + at(l, i)]

cdef void write_products(const Nll *f, Layout l, const Rows *job, const View *v, const real *rows, const double *wide,
                         const real *kept, const real *turns, const int64_t *labels, bint ignored) noexcept nogil:
    cdef real room[7][CHUNK]      # x, e, τ, values, a, b, the direction
    cdef real gs[CHUNK]
    cdef const real *own
    cdef const real *x
    cdef const real *e
    cdef const real *d
    cdef const real *turn
    cdef real *g
    cdef real scale, slope_of_cap, curvature, steepness
    cdef Py_ssize_t line, start, i, n
    for line in range(v.lines):
        own = rows if Layout is Across else rows + line
        turn = turns if Layout is Across else turns + line
        scale = own[<int> SCALE * <int> TILE]
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            e = e_line(l, job, v, own, line, start, n, <real *> room[1])
            d = kept_line(l, job, v, line, start, n, kept, <real *> room[6])
            if not f.plain or v.change.cap:
                x = x_line(job, v, line, start, n, <real *> room[0])
                tau_line(l, job, v, line, start, n, labels, e, own, <real *> room[2], False)
                transform_line(f, l, n, x, e, <const real *> room[2], own, wide if Layout is Across else wide + line,
                               NULL if f.plain else <real *> room[3], <real *> room[4], <real *> room[5])
            if v.change.cap:
                for i in range(n):      # the gradient with respect to the capped logits: e may have to give way
                    room[3][i] = slope(e[i], room[4][i], own[<int> SUM_OF_A * <int> TILE + at(l, i)], own[<int> PSI * <int> TILE + at(l, i)],
                                  own[<int> S * <int> TILE + at(l, i)], own[<int> SHARE * <int> TILE + at(l, i)])
            g = <real *> e if v.staged else line_or_buffer(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            for i in range(n):
                u = centered(l, d[i], turn, i)
                g[i] = e[i] * own[<int> SHARE * <int> TILE + at(l, i)] * (
                    turn[<int> WHOLE_A * <int> TILE + at(l, i)] * u + turn[<int> REMAINDER * <int> TILE + at(l, i)])
            if not f.plain:
                for i in range(n):
                    g[i] += room[5][i] * centered(l, d[i], turn, i)
            if v.change.cap:
                # The chain rule: both sides of the Hessian, and what the curvature of the cap adds to the diagonal.
                x = raw_line(job, v, line, start, n, <real *> room[0])
                d = target_line(l, job, R_D, v.base_d, line, start, n, <real *> room[6])
                for i in range(n):
                    soft_cap(x[i], v.change.cap, &slope_of_cap, &curvature)
                    g[i] = g[i] * slope_of_cap + room[3][i] * curvature * d[i]
            for i in range(n):
                g[i] *= scale_of(l, own, i, scale)
            finish_line(l, job, v, R_G, v.base_g, line, start, n, labels, ignored, g, v.staged)

cdef void product_tile(const Nll *f, const Rows *job, const View *v, real *rows, const double *wide, real *x_tile, real *e_tile,
                         real *raw_tile) noexcept nogil:
    """The product of a tile's Hessian with the direction; class numbers are told as distributions."""
    cdef int64_t labels[TILE]
    cdef real turns[<int> TURNS * <int> TILE]
    cdef real *kept = raw_tile if v.staged and not v.change.cap else NULL
    cdef double *sums = fl_own(&job.team).sums
    cdef double z = f.z, a, b, mean, sum_bd, lse
    cdef Py_ssize_t r
    cdef bint ignored = prepare_targets(job, v, z == 0 and job.target_offset == 0, labels, rows)
    cdef Across across
    cdef Along along
    if job.across:
        add_product_sums(f, across, job, v, <const real *> rows, wide, kept, <real *> turns, sums, labels)
    else:
        add_product_sums(f, along, job, v, <const real *> rows, wide, kept, <real *> turns, sums, labels)
    for r in range(v.n):
        a = regained(sums[<int> SUM_A * <int> TILE + r], sums[<int> LOST_A * <int> TILE + r])
        b = regained(sums[<int> SUM_B * <int> TILE + r], sums[<int> LOST_B * <int> TILE + r])
        sum_bd = regained(sums[<int> SUM_V * <int> TILE + r], sums[<int> LOST_V * <int> TILE + r])
        mean = regained(sums[<int> SUM_C * <int> TILE + r], sums[<int> LOST_C * <int> TILE + r]) * wide[<int> WHOLE_SHARE * <int> TILE + r]
        lse = <double> rows[<int> M * <int> TILE + r] + rows[<int> LOG * <int> TILE + r]
        rows[<int> SUM_OF_A * <int> TILE + r] = <real> a
        rows[<int> PSI * <int> TILE + r] = <real> (2 * z * lse) if z > 0 else 0
        turns[<int> MEAN * <int> TILE + r] = <real> mean
        turns[<int> WHOLE_A * <int> TILE + r] = <real> (a + 2 * z * lse if z > 0 else a)
        turns[<int> REMAINDER * <int> TILE + r] = <real> ((2 * z * (mean + turns[<int> TOP * <int> TILE + r]) if z > 0 else 0)
                                                          - (sum_bd - mean * b))
        if (z == 0 and labels[r] >= 0 and (a == 0 or a != a or mean != mean or job.scale - job.scale != 0)
                and has_no_target(job, v, r, labels[r], rows)):
            labels[r] = -1
            ignored = True
    if job.across:
        write_products(f, across, job, v, <const real *> rows, wide, kept, <const real *> turns, labels, ignored)
        if v.staged:
            store_tile(job, v, e_tile, x_tile)
    else:
        write_products(f, along, job, v, <const real *> rows, wide, kept, <const real *> turns, labels, ignored)
        if ignored:
            blank_rows(job, v, labels, rows)
