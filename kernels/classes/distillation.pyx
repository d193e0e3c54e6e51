# The divergence of a student's softmax from a teacher's.

from libc.stdint cimport int64_t
from kernels.classes.rows cimport CHUNK, R_G, R_H, R_T, R_X, Rows, memory, register_rows
from kernels.classes.softmax cimport (
    DOUBLE_ROWS, FACTOR, LOST_V, M, REAL_ROWS, REST, S, SHARE, SUM_V, WHOLE_SHARE, Across, Along, Change, Layout, View, add_line,
    at, blank_rows, e_line, factor_of, finish_line, finish_values, line_or_buffer, prepare_targets, prepare_tile, store_tile,
    sum_exponentials, x_line)
from kernels.core.numeric cimport exp_bow, real, vm_expm1_near, vm_log1p, weighed
from kernels.core.sums cimport TILE, fl_own, regained

# Σ a log(a / b), of a the teacher's probabilities and b the student's, or the other way about. With d = log(a / b), as the
# probabilities of both add up to 1, it is Σ a (exp(-d) - 1 + d): no term is negative, and where a and b are close the digits
# are kept. log p = (x - m) - log1p(S) of each, so a shift of all the d that rounding makes is without effect, too.
# With respect to the scores of b, gradient b (1 - a) - a (1 - b), hessian b (1 - b); with respect to those of a, with the
# divergence K, gradient a (d - K), hessian a ((d - K) (1 - 2a) + 1 - a).

cdef struct Distillation:
    double inverse            # of the temperature
    double factor             # of the value
    double reverse            # whether the input is a

cdef inline double divergence(double a, double b, double d, const real *like) noexcept nogil:
    """a (exp(-d) - 1 + d), with b = a exp(-d)."""
    cdef double near = -d if d > 0 else d, e, rise, small, least = -0.34
    small = near if near > -0.34 else -0.34
    if real is float:
        e = exp_bow(<float> (small if d > 0 else -small))
    else:
        e = exp_bow(small if d > 0 else -small)
        small = near if near > -0.68 else -0.68
        rise = vm_expm1_near(small)
        rise = (rise if d > 0 else -rise / (1 + rise)) + d
        e = rise if near <= -0.34 else e
        least = -0.68
    e = a * e if near > least else (b - a) + a * d
    return b if a == 0 else e

cdef struct Chance:           # of a class
    double p
    double q                  # 1 - p
    double cost               # -log p

cdef inline Chance chance_of(Layout l, const real *own, const double *known, const double *logs, Py_ssize_t i, real x, real e) noexcept nogil:
    cdef Chance c
    cdef double rest = known[<int> REST * <int> TILE + at(l, i)], share = known[<int> WHOLE_SHARE * <int> TILE + at(l, i)]
    cdef real m = own[<int> M * <int> TILE + at(l, i)]
    c.p = e * share
    c.q = (rest if e == 1 else (1 - <double> e) + rest) * share
    c.cost = (rest * 0 if x == m else <double> m - x) + logs[at(l, i)]
    return c

cdef void add_divergences(Layout l, const Rows *job, const View *v, const real *rows, const double *wide, const double *logs,
                          const Rows *twin, const View *u, const real *twin_rows, const double *twin_wide, const double *twin_logs,
                          double *sums) noexcept nogil:
    """The sum of each row."""
    cdef real xs[CHUNK]
    cdef real es[CHUNK]
    cdef real ys[CHUNK]
    cdef real fs[CHUNK]
    cdef double parts[CHUNK]
    cdef const real *x
    cdef const real *e
    cdef const real *y
    cdef const real *f
    cdef const real *own
    cdef const real *twin_own
    cdef Chance mine, other
    cdef Py_ssize_t line, row, start, i, n
    cdef bint reverse = (<const Distillation *> job.parameters).reverse != 0
    for i in range(2 * <int> TILE):
        sums[i] = 0
    for line in range(v.lines):
        row = 0 if Layout is Across else line
        own = rows + row
        twin_own = twin_rows + row
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            x = x_line(job, v, line, start, n, <real *> xs)
            e = e_line(l, job, v, own, line, start, n, <real *> es)
            y = x_line(twin, u, line, start, n, <real *> ys)
            f = e_line(l, twin, u, twin_own, line, start, n, <real *> fs)
            if reverse:
                for i in range(n):
                    mine = chance_of(l, own, wide + row, logs + row, i, x[i], e[i])
                    other = chance_of(l, twin_own, twin_wide + row, twin_logs + row, i, y[i], f[i])
                    parts[i] = divergence(mine.p, other.p, other.cost - mine.cost, x)
            else:
                for i in range(n):
                    mine = chance_of(l, own, wide + row, logs + row, i, x[i], e[i])
                    other = chance_of(l, twin_own, twin_wide + row, twin_logs + row, i, y[i], f[i])
                    parts[i] = divergence(other.p, mine.p, mine.cost - other.cost, x)
            add_line(l, <const double *> parts, n, sums + <int> SUM_V * <int> TILE + row, sums + <int> LOST_V * <int> TILE + row)

cdef void write_divergence_derivatives(Layout l, const Rows *job, const View *v, const real *rows, const double *wide, const double *logs,
                                       const Rows *twin, const View *u, const real *twin_rows, const double *twin_wide,
                                       const double *twin_logs, const double *sums, const int64_t *labels, bint ignored) noexcept nogil:
    cdef real xs[CHUNK]
    cdef real es[CHUNK]
    cdef real ys[CHUNK]
    cdef real fs[CHUNK]
    cdef real gs[CHUNK]
    cdef real hs[CHUNK]
    cdef const real *x
    cdef const real *e
    cdef const real *y
    cdef const real *f
    cdef const real *own
    cdef const real *twin_own
    cdef real *g
    cdef real *h
    cdef Chance mine, other
    cdef const Distillation *loss = <const Distillation *> job.parameters
    cdef double first = job.scale * loss.factor * loss.inverse, second = first * loss.inverse, rate, d
    cdef real factor
    cdef bint reverse = loss.reverse != 0
    cdef Py_ssize_t line, row, start, i, n
    for line in range(v.lines):
        row = 0 if Layout is Across else line
        own = rows + row
        twin_own = twin_rows + row
        factor = own[<int> FACTOR * <int> TILE]
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            x = x_line(job, v, line, start, n, <real *> xs)
            e = e_line(l, job, v, own, line, start, n, <real *> es)
            y = x_line(twin, u, line, start, n, <real *> ys)
            f = e_line(l, twin, u, twin_own, line, start, n, <real *> fs)
            if reverse:
                for i in range(n):
                    rate = factor_of(l, own, i, factor)
                    mine = chance_of(l, own, wide + row, logs + row, i, x[i], e[i])
                    other = chance_of(l, twin_own, twin_wide + row, twin_logs + row, i, y[i], f[i])
                    d = (other.cost - mine.cost) - sums[<int> SUM_V * <int> TILE + row + at(l, i)]
                    gs[i] = <real> (first * rate * weighed(mine.p, d))
                    hs[i] = <real> (second * rate * (weighed(mine.p, d) * (mine.q - mine.p) + mine.p * mine.q))
            else:
                for i in range(n):
                    rate = factor_of(l, own, i, factor)
                    mine = chance_of(l, own, wide + row, logs + row, i, x[i], e[i])
                    other = chance_of(l, twin_own, twin_wide + row, twin_logs + row, i, y[i], f[i])
                    gs[i] = <real> (first * rate * (mine.p * other.q - other.p * mine.q))
                    hs[i] = <real> (second * rate * (mine.p * mine.q))
            g = <real *> e if v.staged else line_or_buffer(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            h = line_or_buffer(l, job, v, R_H, v.base_h, line, start, <real *> hs) if v.base_h != NULL else <real *> hs
            for i in range(n):
                g[i] = gs[i]
            for i in range(n):
                h[i] = hs[i]
            if v.base_h != NULL:
                finish_line(l, job, v, R_H, v.base_h, line, start, n, labels, ignored, h, False)
            finish_line(l, job, v, R_G, v.base_g, line, start, n, labels, ignored, g, v.staged)

cdef void distillation(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real *x_tile = memory(job, 0, like)
    cdef real *e_tile = memory(job, 1, like)
    cdef real *y_tile = memory(job, 2, like)
    cdef real *f_tile                               # numbers of the other dtype have no use for their memory
    cdef real rows[<int> REAL_ROWS * <int> TILE]
    cdef real twin_rows[(<int> SHARE + 1) * <int> TILE]
    cdef double wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef double twin_wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef double logs[TILE]
    cdef double twin_logs[TILE]
    cdef double values[TILE]
    cdef double *sums = fl_own(&job.team).sums
    cdef int64_t labels[TILE]
    cdef const Distillation *loss = <const Distillation *> job.parameters
    cdef bint ignored
    cdef View v, u
    cdef Rows twin = job[0]
    cdef Across across
    cdef Along along
    cdef Py_ssize_t r
    if real is float:
        f_tile = <real *> fl_own(&job.team).doubles
    else:
        f_tile = <real *> fl_own(&job.team).floats
    twin.operands[<int> R_X] = job.operands[<int> R_T]
    twin.operands[<int> R_G].data = NULL
    twin.operands[<int> R_H].data = NULL
    twin.in_place = False
    prepare_tile(job, &v, row, n, Change(0, loss.inverse), x_tile, e_tile, <real *> NULL)
    prepare_tile(&twin, &u, row, n, Change(0, loss.inverse), y_tile, f_tile, <real *> NULL)
    sum_exponentials(job, &v, <real *> rows, wide)
    sum_exponentials(&twin, &u, <real *> twin_rows, twin_wide)
    ignored = prepare_targets(job, &v, True, labels, <real *> rows)
    for r in range(n):
        logs[r] = vm_log1p(wide[<int> REST * <int> TILE + r])
        twin_logs[r] = vm_log1p(twin_wide[<int> REST * <int> TILE + r])
    if job.across:
        add_divergences(across, job, &v, <const real *> rows, wide, logs, &twin, &u, <const real *> twin_rows, twin_wide, twin_logs, sums)
    else:
        add_divergences(along, job, &v, <const real *> rows, wide, logs, &twin, &u, <const real *> twin_rows, twin_wide, twin_logs, sums)
    for r in range(n):
        sums[<int> SUM_V * <int> TILE + r] = regained(sums[<int> SUM_V * <int> TILE + r], sums[<int> LOST_V * <int> TILE + r])
        values[r] = loss.factor * sums[<int> SUM_V * <int> TILE + r] * rows[<int> FACTOR * <int> TILE + r]
        if ignored and labels[r] < 0:
            values[r] = 0
    finish_values(job, &v, <const real *> rows, values)
    if v.base_g == NULL:
        return
    if job.across:
        write_divergence_derivatives(across, job, &v, <const real *> rows, wide, logs, &twin, &u, <const real *> twin_rows, twin_wide,
                                     twin_logs, sums, labels, ignored)
        if v.staged:
            store_tile(job, &v, e_tile, x_tile)
    else:
        write_divergence_derivatives(along, job, &v, <const real *> rows, wide, logs, &twin, &u, <const real *> twin_rows, twin_wide,
                                     twin_logs, sums, labels, ignored)
        if ignored:
            blank_rows(job, &v, labels, like)

register_rows("distillation", <void *> distillation[float], <void *> distillation[double],
              sizeof(Distillation) // sizeof(double), True).of_scores = True
