# The activations over a class axis, and what carries gradients back through them.

from libc.math cimport INFINITY, NAN
from libc.string cimport memcpy
from kernels.classes.rows cimport (
    CHUNK, R_G, R_L, R_M, R_V, R_W, R_X, Rows, base_of, fetch_classes, is_masked, load_factors,
    mask_classes, memory, output_or_buffer, store_classes, register_rows, store_rows)
from kernels.classes.softmax cimport (
    DOUBLE_ROWS, FIRST, LOG, M, REAL_ROWS, S, SHARE, Across, Along, Change, Layout, View, at, store_tile, distance, e_line,
    finish_values, mask_line, line_or_buffer, store_line, prepare_tile, sum_exponentials, x_line)
from kernels.core.numeric cimport exp_gap, fabs, log, real, vm_log, vm_log1p, weighed
from kernels.core.rowmath cimport add_row, row_max
from kernels.core.sums cimport TILE, Sum, result

cdef void logsumexp(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real *x_tile = memory(job, 0, like)
    cdef real *e_tile = memory(job, 1, like)
    cdef real rows[<int> REAL_ROWS * <int> TILE]
    cdef double wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef double unused[TILE]
    cdef View v
    prepare_tile(job, &v, row, n, Change(0, 1), x_tile, e_tile, <real *> NULL)
    sum_exponentials(job, &v, <real *> rows, wide)
    finish_values(job, &v, <const real *> rows, unused)

cdef void write_softmax(Layout l, const Rows *job, const View *v, const real *rows, bint logarithm) noexcept nogil:
    """p, times a factor for each row, or log p."""
    cdef real xs[CHUNK]
    cdef real es[CHUNK]
    cdef real gs[CHUNK]
    cdef const real *own
    cdef const real *x
    cdef const real *e
    cdef real *g
    cdef Py_ssize_t line, start, i, n
    for line in range(v.lines):
        own = rows if Layout is Across else rows + line
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            if v.staged:
                g = <real *> v.e + line * v.e_step
            elif job.in_place:      # what is read and written at the same place would not be vectorised
                g = <real *> gs
            else:
                g = line_or_buffer(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            if logarithm:
                x = x_line(job, v, line, start, n, <real *> xs)
                for i in range(n):
                    g[i] = -(distance(x[i], own[<int> M * <int> TILE + at(l, i)], own[<int> S * <int> TILE + at(l, i)])
                             + own[<int> LOG * <int> TILE + at(l, i)])
            else:
                e = e_line(l, job, v, own, line, start, n, <real *> es)
                for i in range(n):
                    g[i] = weighed(own[<int> FIRST * <int> TILE + at(l, i)], e[i] * own[<int> SHARE * <int> TILE + at(l, i)])
            if v.masked:
                mask_line(job, v, line, start, n, g, <real> -INFINITY if logarithm else <real> 0)
            if job.in_place and not v.staged:
                g = line_or_buffer(l, job, v, R_G, v.base_g, line, start, <real *> gs)
                if g != <real *> gs:
                    memcpy(g, gs, n * sizeof(real))
            if not v.staged:
                store_line(l, job, v, R_G, v.base_g, line, start, n, <const real *> g)

cdef inline void softmax_tile(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n, bint logarithm) noexcept nogil:
    cdef real *x_tile = memory(job, 0, like)
    cdef real *e_tile = memory(job, 1, like)
    cdef real rows[<int> REAL_ROWS * <int> TILE]
    cdef double wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef View v
    cdef Across across
    cdef Along along
    prepare_tile(job, &v, row, n, Change(0, 1), x_tile, e_tile, <real *> NULL)
    sum_exponentials(job, &v, <real *> rows, wide)
    load_factors(job, row, n, <real *> rows + <int> FIRST * <int> TILE)
    if job.across:
        write_softmax(across, job, &v, <const real *> rows, logarithm)
        if v.staged:
            store_tile(job, &v, e_tile, x_tile)
    else:
        write_softmax(along, job, &v, <const real *> rows, logarithm)

cdef void softmax(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    softmax_tile(like, job, row, n, False)

cdef void log_softmax(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    softmax_tile(like, job, row, n, True)

# ---- logsumexp of signed terms ---------------------------------------------------------------------------------------
#
# Σ b exp(x) = exp(m) (P + R) with the maximum m of the x whose b is not 0, P the sum of the b where x is m, and R that of the
# other terms over exp(m). Its logarithm is m + log |P| + log1p(R / P) where R is the smaller part.

cdef struct Terms:
    double top                # m
    double at_top             # P
    double total              # P + R
    double ratio              # R / P

cdef void load_terms(const Rows *job, Py_ssize_t row, Py_ssize_t start, Py_ssize_t n, real *x, real *b) noexcept nogil:
    """A piece of a row: x = -inf and b = 0 where nothing counts."""
    cdef real block[CHUNK]
    cdef const real *p = fetch_classes(job, R_X, base_of(job, R_X, row), start, n, <real *> block)
    cdef Py_ssize_t j
    for j in range(n):
        x[j] = p[j]
    p = fetch_classes(job, R_W, base_of(job, R_W, row), start, n, <real *> block)
    for j in range(n):
        b[j] = p[j]
    if is_masked(job):
        mask_classes(job, base_of(job, R_M, row), start, n, b, <real> 0)
    for j in range(n):
        x[j] = -INFINITY if b[j] == 0 else x[j]

cdef Terms terms_of(const Rows *job, Py_ssize_t row, const real *like) noexcept nogil:
    cdef real xs[CHUNK]
    cdef real bs[CHUNK]
    cdef real m = -INFINITY, spoiled = 0
    cdef Sum first = Sum(0, 0)
    cdef Sum rest = Sum(0, 0)
    cdef Terms terms
    cdef Py_ssize_t i, j, n
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        load_terms(job, row, i, n, <real *> xs, <real *> bs)
        m = row_max(<const real *> xs, n, m)
        for j in range(n):
            spoiled = xs[j] if xs[j] != xs[j] else spoiled
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        load_terms(job, row, i, n, <real *> xs, <real *> bs)
        for j in range(n):      # one of the two becomes 0
            spoiled = bs[j] if bs[j] != bs[j] else spoiled
            xs[j] = 0 if xs[j] == m else bs[j] * exp_gap(xs[j], m)
        add_row(<const real *> xs, n, &rest.total, &rest.lost)
        load_terms(job, row, i, n, <real *> xs, <real *> bs)
        for j in range(n):
            bs[j] = bs[j] if xs[j] == m else <real> 0
        add_row(<const real *> bs, n, &first.total, &first.lost)
    if m - m != 0:
        rest = Sum(0, 0)
        first = first if m > 0 else Sum(0, 0)
    terms.top = m
    terms.at_top = result(first) if spoiled == spoiled else NAN
    terms.total = (first.total + rest.total) + (first.lost + rest.lost) if m - m == 0 else terms.at_top
    terms.total = terms.total if spoiled == spoiled else NAN
    terms.ratio = result(rest) / terms.at_top if terms.at_top != 0 else INFINITY
    return terms

cdef void signed_logsumexp(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """log |Σ b exp(x)|, and the sum's sign; without the parameter NaN for a negative sum."""
    cdef real values[TILE]
    cdef real signs[TILE]
    cdef Terms terms
    cdef double log
    cdef Py_ssize_t r
    for r in range(n):
        terms = terms_of(job, row + r, like)
        if fabs(terms.ratio) < 0.5 and terms.top < INFINITY:
            log = vm_log(fabs(terms.at_top)) + vm_log1p(terms.ratio)
        else:
            log = vm_log(fabs(terms.total))
        log = -INFINITY if terms.top == -INFINITY and terms.total == 0 else terms.top + log
        if terms.top == INFINITY and terms.total == 0 or terms.total < 0 and job.parameters[0] == 0:
            log = NAN
        values[r] = <real> log
        signs[r] = <real> ((terms.total > 0) - (terms.total < 0) + 0 * (log - log if log != log else 0))
    store_rows(job, R_L, row, n, <const real *> values)
    store_rows(job, R_V, row, n, <const real *> signs)

cdef void signed_softmax(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """b exp(x) / Σ b exp(x) times a factor for each row."""
    cdef real xs[CHUNK]
    cdef real bs[CHUNK]
    cdef real gs[CHUNK]
    cdef real factors[TILE]
    cdef real m, e
    cdef real *g
    cdef char *base
    cdef Terms terms
    cdef double share
    cdef Py_ssize_t r, i, j, size
    load_factors(job, row, n, <real *> factors)
    for r in range(n):
        terms = terms_of(job, row + r, like)
        m = <real> terms.top
        share = 0 if factors[r] == 0 else factors[r] / terms.total
        base = base_of(job, R_G, row + r)
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            load_terms(job, row + r, i, size, <real *> xs, <real *> bs)
            g = output_or_buffer(job, R_G, base, i, <real *> gs)
            for j in range(size):
                e = 1 if xs[j] == m else exp_gap(xs[j], m)
                e = 0 if (bs[j] == 0) | (share == 0) else e
                gs[j] = <real> (weighed(<double> bs[j], <double> e) * share)
            if g != <real *> gs:
                memcpy(g, gs, size * sizeof(real))
            store_classes(job, R_G, base, i, size, <const real *> g)

register_rows("logsumexp", <void *> logsumexp[float], <void *> logsumexp[double], 0, True)
register_rows("softmax", <void *> softmax[float], <void *> softmax[double], 0, True)
register_rows("log_softmax", <void *> log_softmax[float], <void *> log_softmax[double], 0, True)
register_rows("signed_logsumexp", <void *> signed_logsumexp[float], <void *> signed_logsumexp[double], 1, False)
register_rows("signed_softmax", <void *> signed_softmax[float], <void *> signed_softmax[double], 0, False)
