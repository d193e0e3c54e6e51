# The Brier score of a softmax.

from libc.stdint cimport int64_t
from kernels.classes.rows cimport CHUNK, R_G, R_H, Rows, memory, register_rows
from kernels.classes.softmax cimport (
    DOUBLE_ROWS, FACTOR, LOST_V, REAL_ROWS, REST, SUM_A, SUM_B, SUM_C, SUM_D, SUM_V, SUMS, WHOLE_SHARE, Across, Along, Change,
    Layout, View, add_line, at, blank_rows, store_tile, e_line, factor_of, finish_line, finish_values,
    line_or_buffer, prepare_targets, prepare_tile, sum_exponentials, tau_line)
from kernels.core.numeric cimport real
from kernels.core.sums cimport TILE, fl_own, regained

# Brier: Σ r² with r = p - t. With the sums over all j but k
#     r_k - Σ p r = q_k r_k - Σ p_j r_j =: u,   gradient = 2 p u,   hessian = 2 p (q u + p (q (q - r) + Σ p_j (p_j + r_j))).
# The sums of the maximum are kept apart, so that it can leave itself out where it is all but certain.

cdef inline void brier_terms(double e, double t, double rest, double share, double *p, double *q, double *r) noexcept nogil:
    p[0] = e * share
    q[0] = (rest if e == 1 else (1 - e) + rest) * share
    r[0] = p[0] * (1 - t) - t * q[0]

cdef void add_brier_sums(Layout l, const Rows *job, const View *v, const real *rows, const double *wide, double *sums, const int64_t *labels) noexcept nogil:
    cdef real es[CHUNK]
    cdef real ts[CHUNK]
    cdef double parts[5][CHUNK]
    cdef const real *own
    cdef const real *e
    cdef double *to
    cdef const double *known
    cdef double p, q, d
    cdef Py_ssize_t line, start, i, k, n
    for i in range(<int> SUMS * <int> TILE):
        sums[i] = 0
    for line in range(v.lines):
        own = rows if Layout is Across else rows + line
        to = sums if Layout is Across else sums + line
        known = wide if Layout is Across else wide + line
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            e = e_line(l, job, v, own, line, start, n, <real *> es)
            tau_line(l, job, v, line, start, n, labels, e, own, <real *> ts, True)
            for i in range(n):
                brier_terms(e[i], ts[i], known[<int> REST * <int> TILE + at(l, i)], known[<int> WHOLE_SHARE * <int> TILE + at(l, i)],
                            &p, &q, &d)
                parts[0][i] = d * d
                parts[1][i] = 0 if e[i] == 1 else p * d
                parts[2][i] = 0 if e[i] == 1 else p * (p + d)
                parts[3][i] = p * d if e[i] == 1 else 0
                parts[4][i] = p * (p + d) if e[i] == 1 else 0
            for k in range(5):
                add_line(l, <const double *> parts[k], n, to + (<int> SUM_V + 2 * k) * <int> TILE,
                         to + (<int> LOST_V + 2 * k) * <int> TILE)

cdef void write_brier_derivatives(Layout l, const Rows *job, const View *v, const real *rows, const double *wide, const double *sums, const int64_t *labels,
                      bint ignored) noexcept nogil:
    cdef real es[CHUNK]
    cdef real ts[CHUNK]
    cdef real gs[CHUNK]
    cdef real hs[CHUNK]
    cdef const real *own
    cdef const double *to
    cdef const double *known
    cdef const real *e
    cdef real *g
    cdef real *h
    cdef double p, q, d, u, others, squares, scale, twice = 2 * job.scale
    cdef real factor
    cdef Py_ssize_t line, start, i, n
    for line in range(v.lines):
        own = rows if Layout is Across else rows + line
        factor = own[<int> FACTOR * <int> TILE]
        to = sums if Layout is Across else sums + line
        known = wide if Layout is Across else wide + line
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            e = e_line(l, job, v, own, line, start, n, <real *> es)
            tau_line(l, job, v, line, start, n, labels, e, own, <real *> ts, False)
            g = <real *> e if v.staged else line_or_buffer(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            h = line_or_buffer(l, job, v, R_H, v.base_h, line, start, <real *> hs) if v.base_h != NULL else <real *> hs
            for i in range(n):
                brier_terms(e[i], ts[i], known[<int> REST * <int> TILE + at(l, i)], known[<int> WHOLE_SHARE * <int> TILE + at(l, i)],
                            &p, &q, &d)
                others = to[<int> SUM_C * <int> TILE + at(l, i)] - p * d + to[<int> SUM_A * <int> TILE + at(l, i)]
                squares = to[<int> SUM_D * <int> TILE + at(l, i)] - p * (p + d) + to[<int> SUM_B * <int> TILE + at(l, i)]
                u = q * d - others
                scale = twice * factor_of(l, own, i, factor)
                gs[i] = <real> (scale * p * u)
                hs[i] = <real> (scale * p * (q * u + p * (q * (q - d) + squares)))
            for i in range(n):
                g[i] = gs[i]
            for i in range(n):
                h[i] = hs[i]
            if v.base_h != NULL:
                finish_line(l, job, v, R_H, v.base_h, line, start, n, labels, ignored, h, False)
            finish_line(l, job, v, R_G, v.base_g, line, start, n, labels, ignored, g, v.staged)

cdef void brier(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real *x_tile = memory(job, 0, like)
    cdef real *e_tile = memory(job, 1, like)
    cdef real rows[<int> REAL_ROWS * <int> TILE]
    cdef double wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef double *sums = fl_own(&job.team).sums
    cdef double values[TILE]
    cdef int64_t labels[TILE]
    cdef bint ignored
    cdef View v
    cdef Across across
    cdef Along along
    cdef Py_ssize_t r, k
    prepare_tile(job, &v, row, n, Change(0, 1), x_tile, e_tile, <real *> NULL)
    sum_exponentials(job, &v, <real *> rows, wide)
    ignored = prepare_targets(job, &v, True, labels, <real *> rows)
    if job.across:
        add_brier_sums(across, job, &v, <const real *> rows, wide, sums, labels)
    else:
        add_brier_sums(along, job, &v, <const real *> rows, wide, sums, labels)
    for k from 0 <= k < <int> SUMS by 2:
        for r in range(n):
            sums[k * TILE + r] = regained(sums[k * TILE + r], sums[(k + 1) * TILE + r])
    for r in range(n):
        values[r] = sums[<int> SUM_V * <int> TILE + r] * rows[<int> FACTOR * <int> TILE + r]
        if ignored and labels[r] < 0:
            values[r] = 0
    finish_values(job, &v, <const real *> rows, values)
    if v.base_g == NULL:
        return
    if job.across:
        write_brier_derivatives(across, job, &v, <const real *> rows, wide, sums, labels, ignored)
        if v.staged:
            store_tile(job, &v, e_tile, x_tile)
    else:
        write_brier_derivatives(along, job, &v, <const real *> rows, wide, sums, labels, ignored)
        if ignored:
            blank_rows(job, &v, labels, like)

register_rows("brier", <void *> brier[float], <void *> brier[double], 0, True)
