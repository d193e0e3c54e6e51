# Losses of the softmax: cross entropy and what is made of the negative log-likelihood of a class.
#
# To add one: the struct of its parameters (doubles, in the order in which Python passes them), its name in `NllTransform`, its
# branch in `transform`, and its line at the end.

from libc.stdint cimport int64_t
from libc.string cimport memcpy
from kernels.classes.rows cimport (
    CHUNK, CLASS, R_D, R_F, R_G, R_H, TIMES_SOFTMAX, UPSTREAM, Rows, load_labels, load_rows, memory, put_class,
    register_rows, row_step)
from kernels.classes.softmax cimport (
    DOUBLE_ROWS, FACTOR, FIRST, LOG, LOST_A, LOST_B, LOST_V, M, PSI, REAL_ROWS, REST, S, SCALE, SECOND, SHARE, SUM_A,
    LOST_C, SUM_B, SUM_C, SUM_OF_A, SUM_V, SUMS, WHOLE_SHARE, Across, Along, Layout, View, add_line, at, blank_line, blank_rows,
    store_tile, curvature, distance, e_line, finish_values, has_no_target, mask_line, out_line, gather_target_logits, prepare_targets,
    store_line, raw_line, target_line, scale_of, prepare_tile, slope, soft_cap, softmax_gap, sum_exponentials, tau_line, within, x_line, xlogy_term)
from kernels.core.numeric cimport exp_gap, exp_parts, log, log1p_gap_unit, pow, product_error, real, vm_expm1_near, vm_sum_error, weighed
from kernels.core.sums cimport TILE, fl_own, regained


# φ, φ' and φ'' as functions of L = -log p; q = 1 - p. `gap` is m - x and `share` 1 / (1 + S), so p = exp(-gap) share.

cdef struct Plain:            # cross entropy: φ = L
    double z
    double cap

cdef struct Focal:            # q^γ L
    double gamma

cdef struct Generalized:      # (1 - p^k) / k
    double k

cdef struct Poly:             # L + ε q
    double epsilon

ctypedef fused NllTransform:
    Plain
    Focal
    Generalized
    Poly

cdef inline double z_of(NllTransform f) noexcept nogil:
    if NllTransform is Plain:
        return f.z
    else:
        return 0

cdef inline double cap_of(NllTransform f) noexcept nogil:
    if NllTransform is Plain:
        return f.cap
    else:
        return 0

cdef inline void transform(NllTransform f, double nll, double p, double q, double gap, double gap_low, double share,
                      double *v, double *d, double *d2) noexcept nogil:
    cdef double w, ratio, part, high, low, near
    if NllTransform is Focal:
        # With L / q, which goes to 1 as q goes to 0: q^(γ - 1) alone may be infinite there.
        w = pow(q, f.gamma, 0)
        ratio = nll / q if q > 0 else 1 + q
        part = p * ratio if p > 0 else p
        v[0] = w * nll
        d[0] = w * (1 + f.gamma * part)
        w = w / q
        w = 1e300 if w > 1e300 else w
        d2[0] = f.gamma * w * (p * (2 - nll) + (f.gamma - 1) * p * part) if (f.gamma > 0) & (q > 0) & (p > 0) else 0 * q
    elif NllTransform is Generalized:
        # p^k from the parts of p, which may underflow where its power does not.
        high = -f.k * gap
        low = product_error(-f.k, gap, high) - f.k * gap_low
        w = exp_parts(high, low if low == low else 0, pow(share, f.k, 0))
        near = f.k * nll
        v[0] = (-vm_expm1_near(-near if near < 0.68 else -0.68) if near < 0.68 else 1 - w) / f.k
        v[0] = nll * (1 - 0.5 * near) if near < 1e-9 else v[0]      # near may be subnormal
        d[0] = w
        d2[0] = -f.k * w
    elif NllTransform is Poly:
        # For ε near -1 nearly nothing is left of both: L - q = y²/(1 + y) - (y - log1p(y)) for y = q / p.
        ratio = q / p
        near = ratio if ratio < 1 else 1
        part = near * near / (1 + near) - log1p_gap_unit(near)
        v[0] = (1 + f.epsilon) * nll - f.epsilon * part if (f.epsilon < 0) & (ratio <= 1) else nll + f.epsilon * q
        d[0] = 1 + f.epsilon * p if f.epsilon >= 0 else (1 + f.epsilon) - f.epsilon * q
        d2[0] = -f.epsilon * p
    else:
        v[0] = nll
        d[0] = 1
        d2[0] = 0


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
                h = out_line(l, job, v, R_H, v.base_h, line, start, <real *> hs)
                for i in range(n):
                    h[i] = curvature(e[i], own[<int> FIRST * <int> TILE + at(l, i)], own[<int> SECOND * <int> TILE + at(l, i)],
                                     own[<int> S * <int> TILE + at(l, i)], own[<int> SHARE * <int> TILE + at(l, i)])
                if Layout is Across:
                    if ignored:
                        blank_line(labels, n, h)
                if v.masked:
                    mask_line(job, v, line, start, n, h, <real> 0)
                store_line(l, job, v, R_H, v.base_h, line, start, n, <const real *> h)
            g = <real *> e if v.staged else out_line(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            for i in range(n):
                g[i] = e[i] * own[<int> FIRST * <int> TILE + at(l, i)]
            if Layout is Across:
                if ignored:
                    blank_line(labels, n, g)
            if v.masked:
                mask_line(job, v, line, start, n, g, <real> 0)
            if not v.staged:
                store_line(l, job, v, R_G, v.base_g, line, start, n, <const real *> g)

cdef double class_tile(NllTransform f, const Rows *job, const View *v, real *rows, const double *wide, real *x_tile, real *e_tile) noexcept nogil:
    """What is left of a tile with class numbers; returns the sum of its values."""
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
    cdef double z = z_of(f), scale = job.scale, gap, low, nll, value, d, d2, lse, psi
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
    if NllTransform is not Plain or v.base_g != NULL:
        for r in range(v.n):
            e = exp_gap(x_y[r], m[r])
            e = 1 if x_y[r] == m[r] else e
            p_y[r] = e * share[r]
            q_y[r] = (rest[r] if e == 1 else (1 - <double> e) + rest[r]) * share[r]
    for r in range(v.n):
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
        values[r] = weighed(omega[r], value)
    if NllTransform is Plain:
        if z > 0:
            for r in range(v.n):
                lse = <double> m[r] + log[r]
                values[r] += zs[r] * lse * lse
    if ignored:
        blank_line(labels, v.n, values)
    value = finish_values(job, v, <const real *> rows, values)
    if v.base_g == NULL:
        return value
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
                put_class(job, R_G, v.base_g + r * row_step(job, R_G), labels[r], <real> values[r])
    if v.base_h != NULL:
        for r in range(v.n):
            if labels[r] >= 0:
                put_class(job, R_H, v.base_h + r * row_step(job, R_H), labels[r], <real> a[r])
    return value


# ---- target distributions --------------------------------------------------------------------------------------------

cdef inline void transform_line(NllTransform f, Layout l, Py_ssize_t n, const real *x, const real *e, const real *tau, const real *own,
                           const double *wide, real *v, real *a, real *b) noexcept nogil:
    """τ φ, a and b of the classes of a line."""
    cdef real m, s, log
    cdef double rest, share, gap, low, value, d, d2
    cdef Py_ssize_t i
    for i in range(n):
        m = own[<int> M * <int> TILE + at(l, i)]
        s = own[<int> S * <int> TILE + at(l, i)]
        log = own[<int> LOG * <int> TILE + at(l, i)]
        if NllTransform is Plain:
            v[i] = xlogy_term(tau[i], distance(x[i], m, s) + log)
            a[i] = tau[i]
            b[i] = 0
        else:
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

cdef void add_row_sums(NllTransform f, Layout l, const Rows *job, const View *v, const real *rows, const double *wide, double *sums, const int64_t *labels) noexcept nogil:
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
            if NllTransform is not Plain or job.target == TIMES_SOFTMAX:
                e = e_line(l, job, v, own, line, start, n, <real *> es)
            tau_line(l, job, v, line, start, n, labels, e, own, <real *> ts, True)
            transform_line(f, l, n, x, e, <const real *> ts, own, wide if Layout is Across else wide + line, <real *> vs, <real *> as_, <real *> bs)
            add_line(l, <const real *> vs, n, to + <int> SUM_V * <int> TILE, to + <int> LOST_V * <int> TILE)
            add_line(l, <const real *> as_, n, to + <int> SUM_A * <int> TILE, to + <int> LOST_A * <int> TILE)
            if NllTransform is not Plain:
                add_line(l, <const real *> bs, n, to + <int> SUM_B * <int> TILE, to + <int> LOST_B * <int> TILE)

cdef void write_derivatives(NllTransform f, Layout l, const Rows *job, const View *v, const real *rows, const double *wide, const int64_t *labels,
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
            transform_line(f, l, n, x, e, <const real *> ts, own, wide if Layout is Across else wide + line, <real *> vs, <real *> as_, <real *> bs)
            h = <real *> hs
            if v.base_h != NULL:
                h = out_line(l, job, v, R_H, v.base_h, line, start, <real *> hs)
                for i in range(n):
                    d = curvature(e[i], own[<int> FIRST * <int> TILE + at(l, i)],
                                  own[<int> SECOND * <int> TILE + at(l, i)] - bs[i],
                                  own[<int> S * <int> TILE + at(l, i)], own[<int> SHARE * <int> TILE + at(l, i)])
                    if NllTransform is not Plain:
                        q = softmax_gap(e[i], own[<int> S * <int> TILE + at(l, i)]) * own[<int> SHARE * <int> TILE + at(l, i)]
                        d += bs[i] * q * q
                    h[i] = d * scale_of(l, own, i, scale)
            if NllTransform is Plain:
                if v.cap:      # of the raw input, where the gradient may lie
                    x = raw_line(job, v, line, start, n, <real *> xs)
                    for i in range(n):
                        soft_cap(x[i], v.cap, &d, &d2)
                        vs[i] = d
                        bs[i] = d2
            g = <real *> e if v.staged else out_line(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            for i in range(n):
                g[i] = scale_of(l, own, i, scale) * slope(e[i], as_[i], own[<int> SUM_OF_A * <int> TILE + at(l, i)],
                                     own[<int> PSI * <int> TILE + at(l, i)], own[<int> S * <int> TILE + at(l, i)],
                                     own[<int> SHARE * <int> TILE + at(l, i)])
            if NllTransform is Plain:
                if v.cap:
                    # The chain rule: h d² + g d'', then g d.
                    if v.base_h != NULL:
                        for i in range(n):
                            h[i] = h[i] * vs[i] * vs[i] + g[i] * bs[i]
                    for i in range(n):
                        g[i] *= vs[i]
            if Layout is Across:
                if ignored:
                    blank_line(labels, n, g)
                    if v.base_h != NULL:
                        blank_line(labels, n, h)
            if v.masked:
                mask_line(job, v, line, start, n, g, <real> 0)
                if v.base_h != NULL:
                    mask_line(job, v, line, start, n, h, <real> 0)
            if v.base_h != NULL:
                store_line(l, job, v, R_H, v.base_h, line, start, n, <const real *> h)
            if not v.staged:
                store_line(l, job, v, R_G, v.base_g, line, start, n, <const real *> g)

cdef double distribution_tile(NllTransform f, const Rows *job, const View *v, real *rows, const double *wide, real *x_tile, real *e_tile) noexcept nogil:
    """What is left of a tile with target distributions; returns the sum of its values."""
    cdef int64_t labels[TILE]
    cdef double values[TILE]
    cdef const real *m = rows + <int> M * <int> TILE
    cdef const real *log = rows + <int> LOG * <int> TILE
    cdef double *sums = fl_own(&job.team).sums
    cdef double z = z_of(f), total, a, b, lse
    cdef Py_ssize_t r
    cdef int spoiled
    cdef bint ignored = prepare_targets(job, v, z == 0 and job.spread == 0, labels, rows)
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
        if NllTransform is Plain:
            lse = <double> m[r] + log[r]
            if z > 0:
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
    total = finish_values(job, v, <const real *> rows, values)
    if v.base_g == NULL:
        return total
    if job.across:
        write_derivatives(f, across, job, v, <const real *> rows, wide, labels, ignored)
        if v.staged:
            store_tile(job, v, e_tile, x_tile)
    else:
        write_derivatives(f, along, job, v, <const real *> rows, wide, labels, ignored)
        if ignored:
            blank_rows(job, v, labels, m)
    return total


# ---- products with the Hessian ---------------------------------------------------------------------------------------
#
# Of a direction d, with P = Σ p d and u = d - P,
#     (H d)_j = p_j (A u_j - Σ b u + 2 z P) + b_j u_j.
# d is taken relative to its number at the row's maximum: where that class is all but certain, its u is no difference of nearly
# equal numbers then.

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
    if v.cap:
        raw = raw_line(job, v, line, start, n, <real *> raws)
        for i in range(n):
            soft_cap(raw[i], v.cap, &d, &d2)
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

cdef void add_product_sums(NllTransform f, Layout l, const Rows *job, const View *v, const real *rows, const double *wide,
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
            transform_line(f, l, n, x, e, <const real *> room[2], own, wide if Layout is Across else wide + line, <real *> room[3], <real *> room[4], <real *> room[5])
            add_line(l, <const real *> room[4], n, to + <int> SUM_A * <int> TILE, to + <int> LOST_A * <int> TILE)
            for i in range(n):
                room[3][i] = e[i] * (d[i] - top[at(l, i)])
            add_line(l, <const real *> room[3], n, to + <int> SUM_C * <int> TILE, to + <int> LOST_C * <int> TILE)
            if NllTransform is not Plain:
                add_line(l, <const real *> room[5], n, to + <int> SUM_B * <int> TILE, to + <int> LOST_B * <int> TILE)
                for i in range(n):
                    room[5][i] *= d[i] - top[at(l, i)]
                add_line(l, <const real *> room[5], n, to + <int> SUM_V * <int> TILE, to + <int> LOST_V * <int> TILE)

cdef void write_products(NllTransform f, Layout l, const Rows *job, const View *v, const real *rows, const double *wide,
                         const real *kept, const real *turns, const int64_t *labels, bint ignored) noexcept nogil:
    cdef real room[7][CHUNK]      # x, e, τ, values, a, b, the direction
    cdef real gs[CHUNK]
    cdef const real *own
    cdef const real *x
    cdef const real *e
    cdef const real *d
    cdef const real *turn
    cdef real *g
    cdef real scale, u, slope_of_cap, bend, steepness
    cdef Py_ssize_t line, start, i, n
    for line in range(v.lines):
        own = rows if Layout is Across else rows + line
        turn = turns if Layout is Across else turns + line
        scale = own[<int> SCALE * <int> TILE]
        for start from 0 <= start < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - start)
            e = e_line(l, job, v, own, line, start, n, <real *> room[1])
            d = kept_line(l, job, v, line, start, n, kept, <real *> room[6])
            if NllTransform is not Plain or v.cap:
                x = x_line(job, v, line, start, n, <real *> room[0])
                tau_line(l, job, v, line, start, n, labels, e, own, <real *> room[2], False)
                transform_line(f, l, n, x, e, <const real *> room[2], own, wide if Layout is Across else wide + line, <real *> room[3], <real *> room[4], <real *> room[5])
            if v.cap:
                for i in range(n):      # the gradient with respect to the capped logits: e may have to give way
                    room[3][i] = slope(e[i], room[4][i], own[<int> SUM_OF_A * <int> TILE + at(l, i)], own[<int> PSI * <int> TILE + at(l, i)],
                                  own[<int> S * <int> TILE + at(l, i)], own[<int> SHARE * <int> TILE + at(l, i)])
            g = <real *> e if v.staged else out_line(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            for i in range(n):
                u = (d[i] - turn[<int> TOP * <int> TILE + at(l, i)]) - turn[<int> MEAN * <int> TILE + at(l, i)]
                g[i] = e[i] * own[<int> SHARE * <int> TILE + at(l, i)] * (
                    turn[<int> WHOLE_A * <int> TILE + at(l, i)] * u + turn[<int> REMAINDER * <int> TILE + at(l, i)])
                if NllTransform is not Plain:
                    g[i] += room[5][i] * u
            if v.cap:
                # The chain rule: both sides of the Hessian, and what the bend of the cap adds to the diagonal.
                x = raw_line(job, v, line, start, n, <real *> room[0])
                d = target_line(l, job, R_D, v.base_d, line, start, n, <real *> room[6])
                for i in range(n):
                    soft_cap(x[i], v.cap, &slope_of_cap, &bend)
                    g[i] = g[i] * slope_of_cap + room[3][i] * bend * d[i]
            for i in range(n):
                g[i] *= scale_of(l, own, i, scale)
            if Layout is Across:
                if ignored:
                    blank_line(labels, n, g)
            if v.masked:
                mask_line(job, v, line, start, n, g, <real> 0)
            if not v.staged:
                store_line(l, job, v, R_G, v.base_g, line, start, n, <const real *> g)

cdef double product_tile(NllTransform f, const Rows *job, const View *v, real *rows, const double *wide, real *x_tile, real *e_tile,
                         real *raw_tile) noexcept nogil:
    """The product of a tile's Hessian with the direction; class numbers are told as distributions."""
    cdef int64_t labels[TILE]
    cdef real turns[<int> TURNS * <int> TILE]
    cdef real *kept = raw_tile if v.staged and not v.cap else NULL
    cdef double *sums = fl_own(&job.team).sums
    cdef double z = z_of(f), a, b, mean, bent, lse
    cdef Py_ssize_t r
    cdef bint ignored = prepare_targets(job, v, z == 0 and job.spread == 0, labels, rows)
    cdef Across across
    cdef Along along
    if job.across:
        add_product_sums(f, across, job, v, <const real *> rows, wide, kept, <real *> turns, sums, labels)
    else:
        add_product_sums(f, along, job, v, <const real *> rows, wide, kept, <real *> turns, sums, labels)
    for r in range(v.n):
        a = regained(sums[<int> SUM_A * <int> TILE + r], sums[<int> LOST_A * <int> TILE + r])
        b = regained(sums[<int> SUM_B * <int> TILE + r], sums[<int> LOST_B * <int> TILE + r])
        bent = regained(sums[<int> SUM_V * <int> TILE + r], sums[<int> LOST_V * <int> TILE + r])
        mean = regained(sums[<int> SUM_C * <int> TILE + r], sums[<int> LOST_C * <int> TILE + r]) * wide[<int> WHOLE_SHARE * <int> TILE + r]
        lse = <double> rows[<int> M * <int> TILE + r] + rows[<int> LOG * <int> TILE + r]
        rows[<int> SUM_OF_A * <int> TILE + r] = <real> a
        rows[<int> PSI * <int> TILE + r] = <real> (2 * z * lse) if z > 0 else 0
        turns[<int> MEAN * <int> TILE + r] = <real> mean
        turns[<int> WHOLE_A * <int> TILE + r] = <real> (a + 2 * z * lse if z > 0 else a)
        turns[<int> REMAINDER * <int> TILE + r] = <real> ((2 * z * (mean + turns[<int> TOP * <int> TILE + r]) if z > 0 else 0)
                                                          - (bent - mean * b))
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
    return 0


# ---- losses ----------------------------------------------------------------------------------------------------------

cdef double transform_tile(const NllTransform *tag, const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real *x_tile = memory(job, 0, like)
    cdef real *e_tile = memory(job, 1, like)
    cdef real *raw_tile = memory(job, 2, like)
    cdef real rows[<int> REAL_ROWS * <int> TILE]
    cdef double wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef View v
    cdef NllTransform f = (<const NllTransform *> job.parameters)[0]
    prepare_tile(job, &v, row, n, cap_of(f), x_tile, e_tile, raw_tile)
    sum_exponentials(job, &v, <real *> rows, wide)
    if v.base_d != NULL:
        return product_tile(f, job, &v, <real *> rows, wide, x_tile, e_tile, raw_tile)
    if job.target == CLASS:
        return class_tile(f, job, &v, <real *> rows, wide, x_tile, e_tile)
    return distribution_tile(f, job, &v, <real *> rows, wide, x_tile, e_tile)

cdef double tile_of_floats(const NllTransform *tag, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    return transform_tile(tag, <const float *> NULL, job, row, n)

cdef double tile_of_doubles(const NllTransform *tag, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    return transform_tile(tag, <const double *> NULL, job, row, n)

cdef int register_loss(const NllTransform *tag, str name) except -1:
    return register_rows(name, <void *> tile_of_floats[NllTransform], <void *> tile_of_doubles[NllTransform],
                         sizeof(NllTransform) // sizeof(double), True)


register_loss[Plain](NULL, "cross_entropy")
register_loss[Focal](NULL, "softmax_focal")
register_loss[Generalized](NULL, "generalized_cross_entropy")
register_loss[Poly](NULL, "poly_cross_entropy")
