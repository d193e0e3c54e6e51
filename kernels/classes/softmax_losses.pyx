# Losses of the softmax: cross entropy and what is made of the negative log-likelihood of a class.

from libc.stdint cimport int64_t
from kernels.classes.nll cimport Focal, Generalized, Nll, NllTransform, Plain, Poly, cap_of, transform, transform_line, z_of
from kernels.classes.products cimport product_tile
from kernels.classes.rows cimport (
    CHUNK, CLASS, R_D, R_F, R_G, R_H, TIMES_SOFTMAX, UPSTREAM, Rows, load_labels, load_rows, memory, store_class,
    register_product, register_rows, row_step)
from kernels.classes.softmax cimport (
    DOUBLE_ROWS, FACTOR, FIRST, LOG, LOST_A, LOST_B, LOST_V, M, PSI, REAL_ROWS, REST, S, SCALE, SECOND, SHARE, SUMS,
    SUM_A, SUM_B, SUM_OF_A, SUM_V, WHOLE_SHARE, Across, Along, Change, Layout, View, add_line, at, blank_line, blank_rows,
    curvature, distance, e_line, finish_line, finish_values, gather_target_logits, has_no_target, line_or_buffer, prepare_targets,
    prepare_tile, raw_line, scale_of, slope, soft_cap, softmax_gap, store_tile, sum_exponentials,
    tau_line, within, x_line, xlogy_term)
from kernels.core.numeric cimport exp_gap, log, real, vm_sum_error, weighed
from kernels.core.sums cimport TILE, fl_own, regained


# ---- what depends on φ: of the classes of a line, of the rows of a tile, of a tile -------------------------------------

cdef void transform_classes(const NllTransform *parameters, Layout l, Py_ssize_t n, const real *x, const real *e, const real *tau,
                            const real *own, const double *wide, real *v, real *a, real *b) noexcept nogil:
    """τ φ, a and b of the classes of a line; of cross entropy, whose b is 0, no b, and τ φ where v is not NULL."""
    cdef NllTransform f = parameters[0]
    cdef real m, s, log
    cdef double rest, share, gap, low, value, d, d2
    cdef Py_ssize_t i
    if NllTransform is Plain:
        if v != NULL:
            for i in range(n):
                v[i] = xlogy_term(tau[i], distance(x[i], own[<int> M * <int> TILE + at(l, i)], own[<int> S * <int> TILE + at(l, i)])
                                  + own[<int> LOG * <int> TILE + at(l, i)])
        for i in range(n):
            a[i] = tau[i]
    else:
        for i in range(n):
            m = own[<int> M * <int> TILE + at(l, i)]
            s = own[<int> S * <int> TILE + at(l, i)]
            log = own[<int> LOG * <int> TILE + at(l, i)]
            rest = wide[<int> REST * <int> TILE + at(l, i)]
            share = wide[<int> WHOLE_SHARE * <int> TILE + at(l, i)]
            gap = s * 0 if x[i] == m else <double> m - x[i]
            if NllTransform is Generalized:
                low = vm_sum_error(m, -x[i], gap)
                low = low if gap - gap == 0 else 0
            else:
                low = 0
            transform(f, gap + log, e[i] * share, (rest if e[i] == 1 else (1 - <double> e[i]) + rest) * share,
                      gap, low, share, &value, &d, &d2)
            v[i] = 0 if (tau[i] == 0) & (value == value) else <real> (tau[i] * value)
            a[i] = <real> (tau[i] * d)
            b[i] = within(tau[i] * d2, x)

cdef void transform_labels(const NllTransform *parameters, Py_ssize_t n, const real *x_y, const real *rows, const double *wide,
                           const double *p_y, const double *q_y, const double *omega, double *v, double *a, double *b) noexcept nogil:
    """The same of each row's own class, in doubles; ω is its weight."""
    cdef NllTransform f = parameters[0]
    cdef const real *m = rows + <int> M * <int> TILE
    cdef const real *log = rows + <int> LOG * <int> TILE
    cdef const double *rest = wide + <int> REST * <int> TILE
    cdef const double *share = wide + <int> WHOLE_SHARE * <int> TILE
    cdef double gap, low, nll, value, d, d2
    cdef Py_ssize_t r
    for r in range(n):
        gap = rest[r] * 0 if x_y[r] == m[r] else <double> m[r] - x_y[r]
        nll = gap + log[r]
        if NllTransform is Plain:
            value = nll
            a[r] = omega[r]
            b[r] = 0
        else:
            low = 0
            if NllTransform is Generalized:
                low = vm_sum_error(m[r], -x_y[r], gap)
                low = low if gap - gap == 0 else 0
            transform(f, nll, p_y[r], q_y[r], gap, low, share[r], &value, &d, &d2)
            a[r] = omega[r] * d
            b[r] = omega[r] * d2
        v[r] = weighed(omega[r], value)

cdef void nll_tile(const NllTransform *tag, const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef NllTransform f = (<const NllTransform *> job.parameters)[0]
    cdef Nll nll
    nll.plain = NllTransform is Plain
    nll.z = z_of(f)
    nll.cap = cap_of(f)
    nll.parameters = job.parameters
    nll.across = <void *> transform_classes[NllTransform, Across, real]
    nll.along = <void *> transform_classes[NllTransform, Along, real]
    nll.labels = <void *> transform_labels[NllTransform, real]
    tile_of(&nll, like, job, row, n)

cdef void tile_of_floats(const NllTransform *tag, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    nll_tile(tag, <const float *> NULL, job, row, n)

cdef void tile_of_doubles(const NllTransform *tag, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    nll_tile(tag, <const double *> NULL, job, row, n)

cdef int register_loss(const NllTransform *tag, str name) except -1:
    cdef void *narrow = <void *> tile_of_floats[NllTransform]
    cdef void *wide = <void *> tile_of_doubles[NllTransform]
    register_rows(name, narrow, wide, sizeof(NllTransform) // sizeof(double), True)
    return register_product(name, narrow, wide)


# ---- class numbers ---------------------------------------------------------------------------------------------------

cdef void write_class_derivatives(Layout l, const Rows *job, const View *v, const real *rows, const int64_t *labels, bint ignored) noexcept nogil:
    """Derivatives of all classes as if they were not the row's own: p A and p (A q + B p)."""
    cdef real es[CHUNK]
    cdef real gs[CHUNK]
    cdef real hs[CHUNK]
    cdef const real *own
    cdef const real *e
    cdef real *g
    cdef real *h
    cdef Py_ssize_t line, start, i, n
    for line in range(v.lines):
        own = rows if Layout is Across else rows + line
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            e = e_line(l, job, v, own, line, start, n, <real *> es)
            if v.base_h != NULL:
                h = line_or_buffer(l, job, v, R_H, v.base_h, line, start, <real *> hs)
                for i in range(n):
                    h[i] = curvature(e[i], own[<int> FIRST * <int> TILE + at(l, i)], own[<int> SECOND * <int> TILE + at(l, i)],
                                     own[<int> S * <int> TILE + at(l, i)], own[<int> SHARE * <int> TILE + at(l, i)])
                finish_line(l, job, v, R_H, v.base_h, line, start, n, labels, ignored, h, False)
            g = <real *> e if v.staged else line_or_buffer(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            for i in range(n):
                g[i] = e[i] * own[<int> FIRST * <int> TILE + at(l, i)]
            finish_line(l, job, v, R_G, v.base_g, line, start, n, labels, ignored, g, v.staged)

cdef void class_tile(const Nll *f, const Rows *job, const View *v, real *rows, const double *wide, real *x_tile, real *e_tile) noexcept nogil:
    """What is left of a tile with class numbers."""
    cdef int64_t labels[TILE]
    cdef double values[TILE]
    cdef double p_y[TILE]
    cdef double q_y[TILE]
    cdef double a[TILE]
    cdef double b[TILE]
    cdef real x_y[TILE]
    cdef double omega[TILE]
    cdef double zs[TILE]      # z times the factor of the row
    cdef real factor[TILE]
    cdef const real *w = <const real *> job.weight
    cdef const real *m = rows + <int> M * <int> TILE
    cdef const real *s = rows + <int> S * <int> TILE
    cdef const real *log = rows + <int> LOG * <int> TILE
    cdef const double *rest = wide + <int> REST * <int> TILE
    cdef const double *share = wide + <int> WHOLE_SHARE * <int> TILE
    cdef real *first = rows + <int> FIRST * <int> TILE
    cdef real *second = rows + <int> SECOND * <int> TILE
    cdef double z = f.z, scale = job.scale, lse, psi
    cdef real e
    cdef Py_ssize_t r
    cdef int64_t none = 0
    cdef bint ignored = load_labels(job, v.row, v.n, False, labels, m)
    cdef Across across
    cdef Along along
    gather_target_logits(job, v, labels, x_y)
    for r in range(v.n):
        omega[r] = 1
        zs[r] = z
    if w != NULL:
        for r in range(v.n):
            omega[r] = w[labels[r] if labels[r] > 0 else 0]
        if z == 0:
            for r in range(v.n):
                labels[r] = -1 if omega[r] == 0 else labels[r]
                none |= labels[r]
            ignored |= none < 0
    if job.operands[<int> R_F].data != NULL:
        load_rows(job, R_F, v.row, v.n, <real *> factor)
        for r in range(v.n):
            omega[r] *= factor[r]
            zs[r] *= factor[r]
    if not f.plain or v.base_g != NULL:
        for r in range(v.n):
            e = exp_gap(x_y[r], m[r])
            e = 1 if x_y[r] == m[r] else e
            p_y[r] = e * share[r]
            q_y[r] = (rest[r] if e == 1 else (1 - <double> e) + rest[r]) * share[r]
    (<void (*)(const void *, Py_ssize_t, const real *, const real *, const double *, const double *, const double *, const double *,
               double *, double *, double *) noexcept nogil> f.labels)(
        f.parameters, v.n, x_y, rows, wide, p_y, q_y, omega, values, a, b)
    if z > 0:
        for r in range(v.n):
            lse = <double> m[r] + log[r]
            values[r] += zs[r] * lse * lse
    if ignored:
        blank_line(labels, v.n, values)
    finish_values(job, v, <const real *> rows, values)
    if v.base_g == NULL:
        return
    for r in range(v.n):
        psi = 2 * zs[r] * (<double> m[r] + log[r]) if z > 0 else 0
        first[r] = <real> ((a[r] + psi) * scale * share[r])
        second[r] = within((b[r] + 2 * zs[r]) * scale, m)
        # The row's own class from here on.
        values[r] = (psi * p_y[r] - a[r] * q_y[r]) * scale
        a[r] = ((2 * zs[r] * p_y[r] + (a[r] + psi) * q_y[r]) * p_y[r] + b[r] * q_y[r] * q_y[r]) * scale
    if job.across:
        write_class_derivatives(across, job, v, <const real *> rows, labels, ignored)
    else:
        write_class_derivatives(along, job, v, <const real *> rows, labels, ignored)
        if ignored:
            blank_rows(job, v, labels, m)
    if v.staged:
        for r in range(v.n):
            if labels[r] >= 0:
                e_tile[labels[r] * v.e_step + r] = <real> values[r]
        store_tile(job, v, e_tile, x_tile)
    else:
        for r in range(v.n):
            if labels[r] >= 0:
                store_class(job, R_G, v.base_g + r * row_step(job, R_G), labels[r], <real> values[r])
    if v.base_h != NULL:
        for r in range(v.n):
            if labels[r] >= 0:
                store_class(job, R_H, v.base_h + r * row_step(job, R_H), labels[r], <real> a[r])


# ---- target distributions --------------------------------------------------------------------------------------------

cdef void add_row_sums(const Nll *f, Layout l, const Rows *job, const View *v, const real *rows, const double *wide, double *sums, const int64_t *labels) noexcept nogil:
    """Σ τ φ, Σ a and Σ b of each row."""
    cdef real xs[CHUNK]
    cdef real es[CHUNK]
    cdef real ts[CHUNK]
    cdef real vs[CHUNK]
    cdef real as_[CHUNK]
    cdef real bs[CHUNK]
    cdef const real *own
    cdef const real *x
    cdef const real *e
    cdef double *to
    cdef Py_ssize_t line, start, r, n
    for r in range(<int> SUMS * <int> TILE):
        sums[r] = 0
    for line in range(v.lines):
        own = rows if Layout is Across else rows + line
        to = sums if Layout is Across else sums + line
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            x = x_line(job, v, line, start, n, <real *> xs)
            e = <const real *> es
            if not f.plain or job.target == TIMES_SOFTMAX:
                e = e_line(l, job, v, own, line, start, n, <real *> es)
            tau_line(l, job, v, line, start, n, labels, e, own, <real *> ts, True)
            transform_line(f, l, n, x, e, <const real *> ts, own, wide if Layout is Across else wide + line, <real *> vs, <real *> as_, <real *> bs)
            add_line(l, <const real *> vs, n, to + <int> SUM_V * <int> TILE, to + <int> LOST_V * <int> TILE)
            add_line(l, <const real *> as_, n, to + <int> SUM_A * <int> TILE, to + <int> LOST_A * <int> TILE)
            if not f.plain:
                add_line(l, <const real *> bs, n, to + <int> SUM_B * <int> TILE, to + <int> LOST_B * <int> TILE)

cdef inline real curvature_of_others(Layout l, real e, real b, const real *own, Py_ssize_t i) noexcept nogil:
    """The second derivative of a class but for its b q²."""
    return curvature(e, own[<int> FIRST * <int> TILE + at(l, i)], own[<int> SECOND * <int> TILE + at(l, i)] - b,
                     own[<int> S * <int> TILE + at(l, i)], own[<int> SHARE * <int> TILE + at(l, i)])

cdef void write_derivatives(const Nll *f, Layout l, const Rows *job, const View *v, const real *rows, const double *wide, const int64_t *labels,
                bint ignored) noexcept nogil:
    """The derivatives of all classes."""
    cdef real xs[CHUNK]
    cdef real es[CHUNK]
    cdef real ts[CHUNK]
    cdef real vs[CHUNK]
    cdef real as_[CHUNK]
    cdef real bs[CHUNK]
    cdef real gs[CHUNK]
    cdef real hs[CHUNK]
    cdef const real *own
    cdef const real *x
    cdef const real *e
    cdef real *g
    cdef real *h
    cdef real q, d, d2, scale
    cdef Py_ssize_t line, start, i, n
    for line in range(v.lines):
        own = rows if Layout is Across else rows + line
        scale = own[<int> SCALE * <int> TILE]
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            x = x_line(job, v, line, start, n, <real *> xs)
            e = e_line(l, job, v, own, line, start, n, <real *> es)
            tau_line(l, job, v, line, start, n, labels, e, own, <real *> ts, False)
            transform_line(f, l, n, x, e, <const real *> ts, own, wide if Layout is Across else wide + line,
                           NULL if f.plain else <real *> vs, <real *> as_, <real *> bs)
            h = <real *> hs
            if v.base_h != NULL:
                h = line_or_buffer(l, job, v, R_H, v.base_h, line, start, <real *> hs)
                if f.plain:
                    for i in range(n):
                        h[i] = curvature_of_others(l, e[i], <real> 0, own, i) * scale_of(l, own, i, scale)
                else:
                    for i in range(n):
                        q = softmax_gap(e[i], own[<int> S * <int> TILE + at(l, i)]) * own[<int> SHARE * <int> TILE + at(l, i)]
                        h[i] = (curvature_of_others(l, e[i], bs[i], own, i) + bs[i] * q * q) * scale_of(l, own, i, scale)
            if v.change.cap:      # of the raw input, where the gradient may lie
                x = raw_line(job, v, line, start, n, <real *> xs)
                for i in range(n):
                    soft_cap(x[i], v.change.cap, &d, &d2)
                    vs[i] = d
                    bs[i] = d2
            g = <real *> e if v.staged else line_or_buffer(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            for i in range(n):
                g[i] = scale_of(l, own, i, scale) * slope(e[i], as_[i], own[<int> SUM_OF_A * <int> TILE + at(l, i)],
                                     own[<int> PSI * <int> TILE + at(l, i)], own[<int> S * <int> TILE + at(l, i)],
                                     own[<int> SHARE * <int> TILE + at(l, i)])
            if v.change.cap:
                # The chain rule: h d² + g d'', then g d.
                if v.base_h != NULL:
                    for i in range(n):
                        h[i] = h[i] * vs[i] * vs[i] + g[i] * bs[i]
                for i in range(n):
                    g[i] *= vs[i]
            if v.base_h != NULL:
                finish_line(l, job, v, R_H, v.base_h, line, start, n, labels, ignored, h, False)
            finish_line(l, job, v, R_G, v.base_g, line, start, n, labels, ignored, g, v.staged)

cdef void distribution_tile(const Nll *f, const Rows *job, const View *v, real *rows, const double *wide, real *x_tile, real *e_tile) noexcept nogil:
    """What is left of a tile with target distributions."""
    cdef int64_t labels[TILE]
    cdef double values[TILE]
    cdef const real *m = rows + <int> M * <int> TILE
    cdef const real *log = rows + <int> LOG * <int> TILE
    cdef double *sums = fl_own(&job.team).sums
    cdef double z = f.z, a, b, lse
    cdef Py_ssize_t r
    cdef int spoiled
    cdef bint ignored = prepare_targets(job, v, z == 0 and job.target_offset == 0, labels, rows)
    cdef bint by_weights = z == 0 and (job.weight != NULL or v.base_w != NULL or job.target >= UPSTREAM)
    cdef Across across
    cdef Along along
    if job.across:
        add_row_sums(f, across, job, v, <const real *> rows, wide, sums, labels)
    else:
        add_row_sums(f, along, job, v, <const real *> rows, wide, sums, labels)
    for r in range(v.n):
        values[r] = regained(sums[<int> SUM_V * <int> TILE + r], sums[<int> LOST_V * <int> TILE + r])
        a = regained(sums[<int> SUM_A * <int> TILE + r], sums[<int> LOST_A * <int> TILE + r])
        b = regained(sums[<int> SUM_B * <int> TILE + r], sums[<int> LOST_B * <int> TILE + r])
        rows[<int> SUM_OF_A * <int> TILE + r] = <real> a
        rows[<int> PSI * <int> TILE + r] = 0
        if z > 0:
            lse = <double> m[r] + log[r]
            values[r] += z * lse * lse
            rows[<int> PSI * <int> TILE + r] = <real> (2 * z * lse)
            a += 2 * z * lse
            b += 2 * z
        rows[<int> FIRST * <int> TILE + r] = <real> (a * wide[<int> WHOLE_SHARE * <int> TILE + r])
        rows[<int> SECOND * <int> TILE + r] = <real> b
    if job.operands[<int> R_F].data != NULL:
        for r in range(v.n):
            values[r] *= rows[<int> FACTOR * <int> TILE + r]
    if by_weights:
        spoiled = job.scale - job.scale != 0      # a mean over nothing
        for r in range(v.n):
            spoiled |= values[r] != values[r]
        for r in range(v.n if spoiled else 0):
            if (values[r] == 0 or values[r] != values[r]) and labels[r] >= 0 and has_no_target(job, v, r, labels[r], m):
                labels[r] = -1
                ignored = True
    if ignored:
        blank_line(labels, v.n, values)
    finish_values(job, v, <const real *> rows, values)
    if v.base_g == NULL:
        return
    if job.across:
        write_derivatives(f, across, job, v, <const real *> rows, wide, labels, ignored)
        if v.staged:
            store_tile(job, v, e_tile, x_tile)
    else:
        write_derivatives(f, along, job, v, <const real *> rows, wide, labels, ignored)
        if ignored:
            blank_rows(job, v, labels, m)


# ---- losses ----------------------------------------------------------------------------------------------------------

cdef void tile_of(const Nll *f, const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """Values and derivatives of a tile, or the product of its Hessian with a direction."""
    cdef real *x_tile = memory(job, 0, like)
    cdef real *e_tile = memory(job, 1, like)
    cdef real *raw_tile = memory(job, 2, like)
    cdef real rows[<int> REAL_ROWS * <int> TILE]
    cdef double wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef View v
    prepare_tile(job, &v, row, n, Change(f.cap, 1), x_tile, e_tile, raw_tile)
    sum_exponentials(job, &v, <real *> rows, wide)
    if job.operands[<int> R_D].data != NULL:
        product_tile(f, job, &v, <real *> rows, wide, x_tile, e_tile, raw_tile)
    elif job.target == CLASS:
        class_tile(f, job, &v, <real *> rows, wide, x_tile, e_tile)
    else:
        distribution_tile(f, job, &v, <real *> rows, wide, x_tile, e_tile)


register_loss[Plain](NULL, "cross_entropy")
register_loss[Focal](NULL, "softmax_focal")
register_loss[Generalized](NULL, "generalized_cross_entropy")
register_loss[Poly](NULL, "poly_cross_entropy")
