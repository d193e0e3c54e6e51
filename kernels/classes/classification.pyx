# Losses and activations that are made of the log-sum-exp over a class axis.
#
# Of each row they take the maximum m and S = Σ exp(x_j - m) over all j but one maximum, so that
#     logsumexp = m + log1p(S),   p_j = E_j / (1 + S)  with  E_j = exp(x_j - m),
#     q_j = 1 - p_j = (S if E_j == 1 else (1 - E_j) + S) / (1 + S),   L_j = -log p_j = (m - x_j) + log1p(S)
# keep their digits where one class is all but certain. A loss is Σ τ_j φ(L_j) + z logsumexp² with the target distribution
# τ; class numbers are the case where τ is zero except at one class. With a_j = τ_j φ'(L_j), b_j = τ_j φ''(L_j),
# A = Σ a + 2 z logsumexp and B = Σ b + 2 z
#     gradient = p_j (A - a_j) - a_j q_j,   hessian = p_j² (B - b_j) + b_j q_j² + A p_j q_j.
# φ is written once for each loss, as a `link`.
#
# All loops go over lines: a class of the rows of a tile, or a piece of the classes of one row. What is known of a row
# (`Row`) is one number to a loop over classes, and an array to a loop over rows: `at` tells the two apart.

include "common.pxi"
include "rows.pxi"

cdef extern from "rowmath.h" nogil:
    void rm_expf(const float *, float, float *, Py_ssize_t)
    void rm_exp(const double *, double, double *, Py_ssize_t)
    void rm_turn_inf(const float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, float *, float *)
    void rm_turn_in(const double *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, double *, double *)
    void rm_turn_outf(float *, float *, float *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t)
    void rm_turn_out(double *, double *, double *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t)

cdef extern from "vecmath.h" nogil:
    double vm_sum_error(double, double, double)
    double vm_expm1_near(double)


# ---- the links -------------------------------------------------------------------------------------------------------
#
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

ctypedef fused Link:
    Plain
    Focal
    Generalized
    Poly


cdef inline double z_of(Link f) noexcept nogil:
    if Link is Plain:
        return f.z
    else:
        return 0

cdef inline double cap_of(Link f) noexcept nogil:
    if Link is Plain:
        return f.cap
    else:
        return 0


cdef inline void link(Link f, double nll, double p, double q, double gap, double gap_low, double share,
                      double *v, double *d, double *d2) noexcept nogil:
    cdef double w, ratio, part, high, low, near
    if Link is Focal:
        # With L / q, which goes to 1 as q goes to 0: q^(γ - 1) alone may be infinite there.
        w = pow(q, f.gamma, 0)
        ratio = nll / q if q > 0 else 1 + q
        part = p * ratio if p > 0 else p
        v[0] = w * nll
        d[0] = w * (1 + f.gamma * part)
        w = w / q
        w = 1e300 if w > 1e300 else w
        d2[0] = f.gamma * w * (p * (2 - nll) + (f.gamma - 1) * p * part) if (f.gamma > 0) & (q > 0) & (p > 0) else 0 * q
    elif Link is Generalized:
        # p^k from the parts of p, which may underflow where its power does not.
        high = -f.k * gap
        low = product_error(-f.k, gap, high) - f.k * gap_low
        w = exp_parts(high, low if low == low else 0, pow(share, f.k, 0))
        near = f.k * nll
        v[0] = (-vm_expm1_near(-near if near < 0.68 else -0.68) if near < 0.68 else 1 - w) / f.k
        v[0] = nll * (1 - 0.5 * near) if near < 1e-9 else v[0]      # near may be subnormal
        d[0] = w
        d2[0] = -f.k * w
    elif Link is Poly:
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


# ---- numbers of a row and of a class ---------------------------------------------------------------------------------

cdef enum Row:                # numbers of each row of a tile, TILE of each in one array
    M, S, LOG, SHARE          # m, S, log1p(S), 1 / (1 + S)
    FIRST, SECOND             # A / (1 + S), B
    SUM_OF_A, PSI             # the parts of A: Σ a and 2 z logsumexp
    SPREAD                    # what label smoothing adds to each class; where classes are left out, else a number of the job
    FACTOR, SCALE             # of the row, and that times the scale
    REAL_ROWS                 # so many of the computation's dtype. In doubles, first:
    REST = 0, WHOLE_SHARE     # S, 1 / (1 + S)
    LOST_REST
    DOUBLE_ROWS               # so many; and where the target is a distribution:
    SUM_V = 0, LOST_V         # Σ τ φ, Σ a, Σ b; of `brier` other sums
    SUM_A, LOST_A, SUM_B, LOST_B, SUM_C, LOST_C, SUM_D, LOST_D
    SUMS

cdef struct Across:
    int unused

cdef struct Along:
    int unused

ctypedef fused Layout:
    Across
    Along

cdef inline Py_ssize_t at(Layout l, Py_ssize_t i) noexcept nogil:
    """Which row item i of a line belongs to, from the line's own row on."""
    if Layout is Across:
        return i
    else:
        return 0


cdef inline real factor_of(Layout l, const real *own, Py_ssize_t i, real factor) noexcept nogil:
    """The factor of an item of a line; `factor` is that of the line's first row."""
    if Layout is Across:
        return own[<int> FACTOR * <int> TILE + i]
    else:
        return factor

cdef inline real scale_of(Layout l, const real *own, Py_ssize_t i, real scale) noexcept nogil:
    """What the derivatives of an item of a line are multiplied by; `scale` is that of the line's first row."""
    if Layout is Across:
        return own[<int> SCALE * <int> TILE + i]
    else:
        return scale

cdef inline real softmax_gap(real e, real s) noexcept nogil:
    """q (1 + S), without cancellation."""
    return s if e == 1 else (1 - e) + s

cdef inline real distance(real x, real m, real s) noexcept nogil:
    """m - x; 0 at the maximum, also when that is infinite. NaN where S is."""
    return s * 0 if x == m else m - x

cdef inline real slope(real e, real a, real sum_of_a, real psi, real s, real share) noexcept nogil:
    """The gradient of one class."""
    return (e * ((sum_of_a - a) + psi) - a * softmax_gap(e, s)) * share

cdef inline real curvature(real e, real first, real second, real s, real share) noexcept nogil:
    """The second derivative of one class but for b_j: A p q + B p²."""
    cdef real p = e * share
    cdef real q = 1 - p if p < <real> 0.5 else softmax_gap(e, s) * share
    return e * first * q + second * p * p

cdef inline real within(double x, const real *like) noexcept nogil:
    """x, or a huge float: φ'' of the focal loss may be beyond them, where it is multiplied by 0."""
    if real is float:
        x = 1e38 if (x > 1e38) & (x < INFINITY) else x
    return <real> x

cdef inline real xlogy_term(real tau, real d) noexcept nogil:
    """τ d with 0 · inf = 0; NaN stays, as that of a row whose target is all 0."""
    return 0 if tau == 0 and d == d else tau * d


cdef double limit_row(real m, const real *x, Py_ssize_t step, real *e, Py_ssize_t e_step, Py_ssize_t n) noexcept nogil:
    """E of a row whose maximum is infinite, and the number of its maxima. The limit exists where that is 1."""
    cdef double maxima = 0
    cdef Py_ssize_t j
    for j in range(n):
        if x[j * step] == m:
            e[j * e_step] = 1
            maxima += 1
        else:
            e[j * e_step] = x[j * step] - x[j * step] if x[j * step] != x[j * step] else <real> 0
            maxima += e[j * e_step]      # NaN stays NaN
    return maxima


# ---- a tile ----------------------------------------------------------------------------------------------------------

cdef struct View:             # how a tile is seen
    Py_ssize_t row, n         # its rows
    Py_ssize_t lines, length  # classes and rows, or rows and classes
    void *x                   # the input, the steps from line to line in items; NULL: fetched piece by piece
    Py_ssize_t x_step
    void *raw                 # the same before the soft cap and the mask, NULL where there is none or x is
    Py_ssize_t raw_step
    void *e                   # room for the exponentials; NULL: computed when they are needed
    Py_ssize_t e_step
    bint staged               # the gradient is computed in the place of the exponentials, and then brought to its array
    double cap
    bint masked
    char *base_x              # the first row in the arrays
    char *base_t
    char *base_g
    char *base_h
    char *base_m
    char *base_w


cdef inline real soft_cap(real x, double cap, real *d, real *d2) noexcept nogil:
    """c tanh(x / c), and its derivatives."""
    cdef real c = <real> cap, y = x / c, a = absolute(y), z = exp(<real> -2 * a), share = <real> 1 / (<real> 1 + z), t, near
    near = 1 if y > 1 else y
    near = -1 if near < -1 else near
    t = (<real> 1 - z) * share
    t = -t if y < 0 else t
    t = tanh_unit(near) if a <= 1 else t
    d[0] = <real> 4 * z * share * share
    d2[0] = <real> -2 * t * d[0] / c
    return c * t

cdef void cap_block(double cap, const real *x, real *block, Py_ssize_t n) noexcept nogil:
    cdef real unused, unused2
    cdef Py_ssize_t i
    for i in range(n):
        block[i] = soft_cap(x[i], cap, &unused, &unused2)


cdef inline bint changes(const View *v) noexcept nogil:
    """Whether the scores are not the input itself."""
    return v.cap != 0 or v.masked

cdef void mask_line(const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, real *block, real x) noexcept nogil:
    """x for what is left out of a piece of a line."""
    cdef real valid[TILE]
    cdef Py_ssize_t i
    if job.across:
        load_mask(&job.operands[<int> R_M], v.base_m + line * class_step(job, R_M), &job.space, job.space.outer - 1,
                  job.space.outer, 0, n, <real *> valid)
        for i in range(n):
            block[i] = block[i] if valid[i] != 0 else x
    else:
        mask_classes(job, v.base_m + line * row_step(job, R_M), start, n, block, x)

cdef Py_ssize_t drop_masked(const Rows *job, const View *v, Py_ssize_t row, real *e, Py_ssize_t step, const real *like) noexcept nogil:
    """How many classes are left out of a row; with their exponentials set to 0, where these are kept."""
    cdef real valid[CHUNK]
    cdef Py_ssize_t i, j, n, count = 0
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        fetch_mask(job, v.base_m + row * row_step(job, R_M), i, n, <real *> valid)
        for j in range(n):
            count += valid[j] == 0
        if e != NULL:
            for j in range(n):
                e[(i + j) * step] = e[(i + j) * step] if valid[j] != 0 else <real> 0
    return count

cdef void count_classes(const Rows *job, const View *v, Py_ssize_t *left, const real *like) noexcept nogil:
    """How many classes each row of a tile has that are not left out."""
    cdef real valid[TILE]
    cdef Py_ssize_t r, line
    if not job.across:
        for r in range(v.n):
            left[r] = count_left(job, v.base_m + r * row_step(job, R_M), like)
        return
    for r in range(v.n):
        left[r] = 0
    for line in range(v.lines):
        load_mask(&job.operands[<int> R_M], v.base_m + line * class_step(job, R_M), &job.space, job.space.outer - 1,
                  job.space.outer, 0, v.n, <real *> valid)
        for r in range(v.n):
            left[r] += valid[r] != 0

cdef void change_line(const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, const real *x, real *block) noexcept nogil:
    """A piece of a line with the soft cap, and -inf for what is left out."""
    if v.cap:
        cap_block(v.cap, x, block, n)
    elif x != block:
        memcpy(block, x, n * sizeof(real))
    if v.masked:
        mask_line(job, v, line, start, n, block, <real> -INFINITY)

cdef inline const real *raw_line(const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line before the soft cap and the mask."""
    if v.raw != NULL:
        return <const real *> v.raw + line * v.raw_step + start
    return fetch_classes(job, R_X, v.base_x, start, n, block)

cdef inline const real *x_line(const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line of the input."""
    cdef real raw[CHUNK]
    if v.x != NULL:
        return <const real *> v.x + line * v.x_step + start
    if not changes(v):
        return fetch_classes(job, R_X, v.base_x, start, n, block)
    change_line(job, v, line, start, n, raw_line(job, v, line, start, n, <real *> raw), block)
    return block

cdef inline void exp_line(Layout l, const real *x, const real *m, real *e, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    if Layout is Across:
        for i in range(n):
            e[i] = exp_gap(x[i], m[i])
    elif real is float:
        rm_expf(x, m[0], e, n)
    else:
        rm_exp(x, m[0], e, n)

cdef inline const real *e_line(Layout l, const Rows *job, const View *v, const real *rows, Py_ssize_t line, Py_ssize_t start,
                               Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line of exponentials."""
    cdef real xs[CHUNK]
    cdef const real *x
    cdef const real *m = rows + <int> M * <int> TILE
    if v.e != NULL:
        return <const real *> v.e + line * v.e_step + start
    x = x_line(job, v, line, start, n, <real *> xs)
    if Layout is Along:
        if m[0] - m[0] != 0:
            limit_row(m[0], x, 1, block, 1, n)
            if v.masked and m[0] < 0:
                mask_line(job, v, line, start, n, block, <real> 0)
            return block
    exp_line(l, x, m, block, n)
    if Layout is Across:
        limit_lanes(x, m, block, n)
    return block

cdef inline void limit_lanes(const real *x, const real *m, real *e, Py_ssize_t n) noexcept nogil:
    """The exponentials of a line where the row's maximum is infinite."""
    cdef Py_ssize_t i
    for i in range(n):
        e[i] = e[i] if m[i] - m[i] == 0 else (<real> 1 if x[i] == m[i] else (x[i] - x[i] if x[i] != x[i] else <real> 0))


cdef inline real *out_line(Layout l, const Rows *job, const View *v, int k, char *base, Py_ssize_t line, Py_ssize_t start,
                           real *block) noexcept nogil:
    """Where a piece of a line of an output is computed: there if that can be, else in `block`."""
    if Layout is Across:
        return <real *> (base + line * class_step(job, k)) if lanes_lie_flat(job, k) else block
    else:
        return <real *> (base + line * row_step(job, k)) + start if job.operands[k].flat else block

cdef inline void put_line(Layout l, const Rows *job, const View *v, int k, char *base, Py_ssize_t line, Py_ssize_t start,
                          Py_ssize_t n, const real *block) noexcept nogil:
    if Layout is Across:
        if not lanes_lie_flat(job, k):
            job.operands[k].store(base + line * class_step(job, k), row_step(job, k), n, block)
    else:
        put_classes(job, k, base + line * row_step(job, k), start, n, block)

cdef void see(const Rows *job, View *v, Py_ssize_t row, Py_ssize_t n, double cap, real *x_tile, real *e_tile, real *raw_tile) noexcept nogil:
    """Fill a View in: bring the input to where the loops can read it, and find room for the exponentials."""
    cdef const Operand *x = &job.operands[<int> R_X]
    cdef Py_ssize_t j, classes = job.classes, step = row_step(job, R_X) // <Py_ssize_t> sizeof(real)
    cdef bint fits = many(classes, job.tile if job.across else n) <= room(x_tile)
    cdef real *copy = raw_tile if cap else x_tile
    cdef const real *line
    v.row = row
    v.n = n
    v.cap = cap
    v.staged = job.across and fits
    v.x = NULL
    v.raw = NULL
    v.e = NULL
    v.base_x = base_of(job, R_X, row)
    v.base_t = base_of(job, R_T, row)
    v.base_g = base_of(job, R_G, row)
    v.base_h = base_of(job, R_H, row)
    v.base_m = base_of(job, R_M, row)
    v.base_w = base_of(job, R_W, row)
    v.masked = v.base_m != NULL
    if job.across:
        v.lines = classes
        v.length = n
        v.x_step = job.tile
        v.e_step = job.tile
        if not fits:
            v.x_step = class_step(job, R_X) // <Py_ssize_t> sizeof(real)
            v.raw_step = v.x_step
            if changes(v):
                v.raw = v.base_x
            else:
                v.x = v.base_x
            if v.base_g != NULL and not job.in_place:
                v.e = v.base_g
                v.e_step = class_step(job, R_G) // <Py_ssize_t> sizeof(real)
            return
        if x.native and class_step(job, R_X) == x.itemsize and step >= classes and classes <= FEW:
            if real is float:
                rm_turn_inf(<const float *> v.base_x, step, n, classes, job.tile, copy, e_tile)
            else:
                rm_turn_in(<const double *> v.base_x, step, n, classes, job.tile, copy, e_tile)
        else:
            for j in range(classes):
                if lanes_lie_flat(job, R_X):
                    memcpy(copy + j * job.tile, v.base_x + j * class_step(job, R_X), n * sizeof(real))
                    continue
                x.load(v.base_x + j * class_step(job, R_X), row_step(job, R_X), x.swapped, n, copy + j * job.tile)
    else:
        v.lines = n
        v.length = classes
        v.x_step = step
        v.e_step = classes
        if job.operands[<int> R_G].flat and v.base_g != NULL and not job.in_place:
            v.e = v.base_g
            v.e_step = row_step(job, R_G) // <Py_ssize_t> sizeof(real)
        elif fits:
            v.e = e_tile
        if x.flat and not changes(v):
            v.x = v.base_x
            return
        if not fits:
            return
        v.x_step = classes
        for j in range(n):
            line = fetch_classes(job, R_X, v.base_x + j * row_step(job, R_X), 0, classes, copy + j * classes)
            if line != copy + j * classes:
                memcpy(copy + j * classes, line, classes * sizeof(real))
    v.x = x_tile
    if v.e == NULL:
        v.e = e_tile
    if cap:
        v.raw = raw_tile
        v.raw_step = v.x_step
        for j in range(v.lines):
            change_line(job, v, j, 0, v.length, <const real *> raw_tile + j * v.x_step, x_tile + j * v.x_step)
    elif v.masked:
        for j in range(v.lines):
            change_line(job, v, j, 0, v.length, <const real *> x_tile + j * v.x_step, x_tile + j * v.x_step)


# ---- m, S and what follows from them ---------------------------------------------------------------------------------

cdef inline void add_line(Layout l, const real *v, Py_ssize_t n, double *total, double *lost) noexcept nogil:
    """Add a line to the sums of its rows."""
    cdef Py_ssize_t i
    if Layout is Across:
        for i in range(n):
            accumulate(v[i], &total[i], &lost[i])
    else:
        add_row(v, n, total, lost)


cdef inline bint is_confident(double total) noexcept nogil:
    """Whether S = total - 1 has lost too many digits, so that the E below 1 must be added up by themselves."""
    return total < 1 + 1e-6


cdef void sum_rest(Layout l, const Rows *job, const View *v, const real *rows, double *rest, double *lost, Py_ssize_t line) noexcept nogil:
    """Add up the E below 1: of all rows, or of row `line`."""
    cdef real es[CHUNK]
    cdef real below[CHUNK]
    cdef const real *e
    cdef Py_ssize_t i, j, n
    if Layout is Across:
        for j in range(v.lines):
            e = e_line(l, job, v, rows, j, 0, v.length, <real *> es)
            for i in range(v.length):
                below[i] = 0 if e[i] == 1 else e[i]
            add_line(l, <const real *> below, v.length, rest, lost)
    else:
        for j from 0 <= j < v.length by CHUNK:
            n = min(<Py_ssize_t> CHUNK, v.length - j)
            e = e_line(l, job, v, rows, line, j, n, <real *> es)
            for i in range(n):
                below[i] = 0 if e[i] == 1 else e[i]
            add_line(l, <const real *> below, n, rest, lost)


cdef void sum_across(Across l, const Rows *job, const View *v, real *rows, double *wide) noexcept nogil:
    """m and the sum of E of each row of a tile."""
    cdef real xs[TILE]
    cdef real block[TILE]
    cdef real *m = rows + <int> M * <int> TILE
    cdef double *total = wide + <int> REST * <int> TILE
    cdef double *lost = wide + <int> LOST_REST * <int> TILE
    cdef real *e = <real *> v.e
    cdef real *to
    cdef const real *line = x_line(job, v, 0, 0, v.length, <real *> xs)
    cdef real xi, mi
    cdef Py_ssize_t i, j, n = v.length
    for i in range(n):
        m[i] = line[i]
        total[i] = 0
        lost[i] = 0
    for j in range(1, v.lines):
        line = x_line(job, v, j, 0, n, <real *> xs)
        for i in range(n):
            xi = line[i]
            mi = m[i]
            m[i] = xi if xi > mi else mi
    for j in range(v.lines):
        to = e + j * v.e_step if e != NULL else <real *> block
        exp_line(l, x_line(job, v, j, 0, n, <real *> xs), <const real *> m, to, n)
        add_line(l, <const real *> to, n, total, lost)


cdef void sum_along(Along l, const Rows *job, const View *v, real *rows, double *wide) noexcept nogil:
    """m and the sum of E of each row of a tile, short rows whose exponentials have room. What was just written is read
    three loops later: sooner it would have to wait."""
    cdef const real *x = <const real *> v.x
    cdef real *m = rows + <int> M * <int> TILE
    cdef double *total = wide + <int> REST * <int> TILE
    cdef double *lost = wide + <int> LOST_REST * <int> TILE
    cdef real *e = <real *> v.e
    cdef Py_ssize_t r
    for r in range(v.n):
        m[r] = row_max(x + r * v.x_step, v.length, <real> -INFINITY)
        total[r] = 0
        lost[r] = 0
    for r in range(v.n):
        exp_line(l, x + r * v.x_step, <const real *> m + r, e + r * v.e_step, v.length)
    for r in range(v.n):
        add_line(l, <const real *> e + r * v.e_step, v.length, total + r, lost + r)


cdef void sum_long(Along l, const Rows *job, const View *v, real *rows, double *wide) noexcept nogil:
    """m and the sum of E of one long row. It is read once, in pieces; those before the last one that raised the maximum
    are computed again."""
    cdef real *xs = memory(job, 0, rows)
    cdef real *es = memory(job, 1, rows)
    cdef real *m = rows + <int> M * <int> TILE
    cdef double *total = wide + <int> REST * <int> TILE
    cdef double *lost = wide + <int> LOST_REST * <int> TILE
    cdef const real *x
    cdef real *e
    cdef real top
    cdef Py_ssize_t i, n, again = 0, step = CHUNK if changes(v) else LONG
    m[0] = -INFINITY
    total[0] = 0
    lost[0] = 0
    for i from 0 <= i < v.length by step:
        n = min(step, v.length - i)
        x = x_line(job, v, 0, i, n, xs)
        top = row_max(x, n, m[0])
        if top > m[0]:
            m[0] = top
            total[0] = 0
            lost[0] = 0
            again = i
        e = <real *> v.e + i if v.e != NULL else es
        exp_line(l, x, <const real *> m, e, n)
        add_line(l, <const real *> e, n, total, lost)
    for i from 0 <= i < again by step:
        x = x_line(job, v, 0, i, step, xs)
        e = <real *> v.e + i if v.e != NULL else es
        exp_line(l, x, <const real *> m, e, step)
        add_line(l, <const real *> e, step, total, lost)


cdef void find_limits(const Rows *job, const View *v, real *rows, double *wide) noexcept nogil:
    """Where the maximum is infinite, S follows from the number of maxima, and the logsumexp is m itself."""
    cdef real xs[CHUNK]
    cdef real es[CHUNK]
    cdef const real *m = rows + <int> M * <int> TILE
    cdef const real *x
    cdef real *e
    cdef double maxima
    cdef Py_ssize_t r, i, n
    for r in range(v.n):
        if m[r] - m[r] == 0:
            continue
        maxima = 0
        if v.cap and job.across:
            maxima = NAN      # no capped logit is infinite
        elif job.across:
            e = <real *> v.e + r if v.e != NULL else <real *> es
            maxima = limit_row(m[r], <const real *> v.x + r, v.x_step, e, v.e_step if v.e != NULL else 0, v.lines)
        else:
            for i from 0 <= i < v.length by CHUNK:
                n = min(<Py_ssize_t> CHUNK, v.length - i)
                x = x_line(job, v, r, i, n, <real *> xs)
                e = <real *> v.e + r * v.e_step + i if v.e != NULL else <real *> es
                maxima += limit_row(m[r], x, 1, e, 1, n)
        if v.masked and m[r] < 0:      # what is left out is -inf, too
            e = NULL if v.e == NULL else <real *> v.e + (r if job.across else r * v.e_step)
            maxima -= drop_masked(job, v, r, e, v.e_step if job.across else 1, m)
            maxima = 1 if maxima == 0 else maxima  # nothing in the row, and nothing to divide
        wide[<int> REST * <int> TILE + r] = 0 if maxima == 1 else NAN
        rows[<int> S * <int> TILE + r] = 0 if maxima == 1 else <real> NAN
        rows[<int> LOG * <int> TILE + r] = <real> (maxima * 0)
        rows[<int> SHARE * <int> TILE + r] = 1 if maxima == 1 else <real> NAN
        wide[<int> WHOLE_SHARE * <int> TILE + r] = 1 if maxima == 1 else NAN


cdef void sum_up(const Rows *job, const View *v, real *rows, double *wide) noexcept nogil:
    """m, S, log1p(S) and 1 / (1 + S) of a tile's rows, and the exponentials."""
    cdef Across across
    cdef Along along
    cdef real *m = rows + <int> M * <int> TILE
    cdef real *s = rows + <int> S * <int> TILE
    cdef real *log = rows + <int> LOG * <int> TILE
    cdef real *share = rows + <int> SHARE * <int> TILE
    cdef double *rest = wide + <int> REST * <int> TILE
    cdef double *whole_share = wide + <int> WHOLE_SHARE * <int> TILE
    cdef double *lost = wide + <int> LOST_REST * <int> TILE
    cdef double again[TILE]
    cdef double again_lost[TILE]
    cdef Py_ssize_t r, confident = 0, infinite = 0
    if job.across:
        sum_across(across, job, v, rows, wide)
    elif v.length <= LONG and v.x != NULL and v.e != NULL:
        sum_along(along, job, v, rows, wide)
    else:
        sum_long(along, job, v, rows, wide)
    for r in range(v.n):
        rest[r] = (rest[r] - 1) + lost[r]
        confident += is_confident(1 + rest[r])
        infinite += m[r] - m[r] != 0
    if confident:
        for r in range(v.n):
            again[r] = 0
            again_lost[r] = 0
        if job.across:
            sum_rest(across, job, v, <const real *> rows, again, again_lost, 0)
        for r in range(v.n):
            if is_confident(1 + rest[r]):
                if not job.across:
                    sum_rest(along, job, v, <const real *> rows, again + r, again_lost + r, r)
                rest[r] = again[r] + again_lost[r]
    for r in range(v.n):
        whole_share[r] = 1 / (1 + rest[r])
        share[r] = <real> whole_share[r]
        s[r] = <real> rest[r]
    for r in range(v.n):
        log[r] = log1p(s[r])
    if infinite:
        find_limits(job, v, rows, wide)


# ---- targets ---------------------------------------------------------------------------------------------------------

cdef inline const real *target_line(Layout l, const Rows *job, int k, const char *base, Py_ssize_t line, Py_ssize_t start,
                                    Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line of what goes with the input item by item."""
    if Layout is Across:
        if lanes_lie_flat(job, k):
            return <const real *> (base + line * class_step(job, k))
        job.operands[k].load(base + line * class_step(job, k), row_step(job, k), job.operands[k].swapped, n, block)
        return block
    else:
        return fetch_classes(job, k, base + line * row_step(job, k), start, n, block)

cdef inline void blank_line(const int64_t *labels, Py_ssize_t n, real *block) noexcept nogil:
    """Zeros where a row counts for nothing."""
    cdef Py_ssize_t i
    for i in range(n):
        block[i] = 0 if labels[i] < 0 else block[i]

cdef void check_line(Layout l, const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n,
                     const int64_t *labels, const real *t) noexcept nogil:
    """Report a piece of a line of targets if one is outside of its domain that counts for something."""
    cdef real block[CHUNK]
    cdef real omegas[CHUNK]
    cdef const real *w = <const real *> job.weight
    cdef const real *omega
    cdef real most = <real> job.most
    cdef int outside = 0
    cdef Py_ssize_t i
    for i in range(n):
        block[i] = t[i]
    if Layout is Across:
        blank_line(labels, n, <real *> block)
    elif labels[line] < 0:
        return
    if w != NULL:
        if Layout is Across:
            if w[line] == 0:
                return
        else:
            for i in range(n):
                block[i] = 0 if w[start + i] == 0 else block[i]
    if v.base_w != NULL:
        omega = target_line(l, job, R_W, v.base_w, line, start, n, <real *> omegas)
        for i in range(n):
            block[i] = 0 if omega[i] == 0 else block[i]
    if v.masked:
        mask_line(job, v, line, start, n, <real *> block, <real> 0)
    for i in range(n):
        outside |= (block[i] < 0) | (block[i] > most)
    if outside:
        report_outside(job)

cdef inline void tau_line(Layout l, const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n,
                          const int64_t *labels, const real *e, const real *own, real *tau, bint checked) noexcept nogil:
    """A piece of a line of the target distribution; where it is read for the first time it is `checked`."""
    cdef const real *w = <const real *> job.weight
    cdef real omegas[CHUNK]
    cdef const real *t
    cdef const real *omega
    cdef real spread = <real> job.spread, both = <real> (job.keep + job.spread), keep, factor
    cdef Py_ssize_t i
    if job.target == SMOOTHED_CLASS:
        if v.masked and spread > 0:
            keep = <real> job.keep
            for i in range(n):
                tau[i] = own[<int> SPREAD * <int> TILE + at(l, i)]
            if Layout is Across:
                for i in range(n):
                    tau[i] = keep + tau[i] if labels[i] == line else tau[i]
            elif start <= labels[line] < start + n:
                tau[labels[line] - start] += keep
        elif Layout is Across:
            for i in range(n):
                tau[i] = both if labels[i] == line else spread
        else:
            for i in range(n):
                tau[i] = spread
            if start <= labels[line] < start + n:
                tau[labels[line] - start] = both
    else:
        t = target_line(l, job, R_T, v.base_t, line, start, n, tau)
        if checked and job.most == job.most and may_be_outside(job, t, n):
            check_line(l, job, v, line, start, n, labels, t)
        if job.target == TIMES_SOFTMAX:
            for i in range(n):
                tau[i] = t[i] * (e[i] * own[<int> SHARE * <int> TILE + at(l, i)])
        elif v.masked and spread > 0:
            for i in range(n):
                tau[i] = <real> (t[i] * job.keep + own[<int> SPREAD * <int> TILE + at(l, i)])
        elif job.keep == 1 and spread == 0:
            for i in range(n):
                tau[i] = t[i]
        else:
            for i in range(n):
                tau[i] = <real> (t[i] * job.keep + job.spread)
    if w != NULL:
        if Layout is Across:
            factor = w[line]
            for i in range(n):
                tau[i] = weighed(factor, tau[i])
        else:
            for i in range(n):
                tau[i] = weighed(w[start + i], tau[i])
        if job.target == SMOOTHED_CLASS and spread == 0:      # a nan of another class has no part
            if Layout is Across:
                for i in range(n):
                    tau[i] = tau[i] if labels[i] == line else <real> 0
            else:
                for i in range(n):
                    tau[i] = tau[i] if start + i == labels[line] else <real> 0
    if v.base_w != NULL:
        omega = target_line(l, job, R_W, v.base_w, line, start, n, <real *> omegas)
        for i in range(n):
            tau[i] = weighed(omega[i], tau[i])
    if v.masked:
        mask_line(job, v, line, start, n, tau, <real> 0)


cdef bint has_no_target(const Rows *job, const View *v, Py_ssize_t row, int64_t label, const real *like) noexcept nogil:
    """Whether the weights leave nothing of a row's target; or a gradient that is carried back is 0."""
    cdef real block[CHUNK]
    cdef real valid[CHUNK]
    cdef const real *w = <const real *> job.weight
    cdef const real *t
    cdef int found = 0
    cdef Py_ssize_t i, j, n
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        for j in range(n):
            valid[j] = 1
        if v.masked:
            fetch_mask(job, v.base_m + row * row_step(job, R_M), i, n, <real *> valid)
        if w != NULL:
            for j in range(n):
                valid[j] = 0 if w[i + j] == 0 else valid[j]
        if v.base_w != NULL:
            t = fetch_classes(job, R_W, v.base_w + row * row_step(job, R_W), i, n, <real *> block)
            for j in range(n):
                valid[j] = 0 if t[j] == 0 else valid[j]
        if job.target != SMOOTHED_CLASS:
            t = fetch_classes(job, R_T, v.base_t + row * row_step(job, R_T), i, n, <real *> block)
            for j in range(n):
                found |= (valid[j] != 0) & ((t[j] != 0) | (job.spread != 0))
        elif job.spread != 0:
            for j in range(n):
                found |= valid[j] != 0
        elif i <= label < i + n:
            found |= valid[label - i] != 0
    return not found


cdef bint prepare(const Rows *job, const View *v, bint by_class, int64_t *labels, real *rows) noexcept nogil:
    """Labels, -1 for rows that count for nothing, and whether there are such; factors of the rows; and where classes are left
    out what label smoothing adds to each of the others."""
    cdef Py_ssize_t left[TILE]
    cdef real *factor = rows + <int> FACTOR * <int> TILE
    cdef Py_ssize_t r
    cdef bint ignored = load_labels(job, v.row, v.n, by_class, labels, factor)
    load_factors(job, v.row, v.n, factor)
    if job.operands[<int> R_F].data != NULL:
        for r in range(v.n):
            rows[<int> SCALE * <int> TILE + r] = <real> (job.scale * factor[r])
    else:
        for r in range(v.n):
            rows[<int> SCALE * <int> TILE + r] = <real> job.scale
    if v.masked and job.target != CLASS:
        count_classes(job, v, left, factor)
        for r in range(v.n):
            rows[<int> SPREAD * <int> TILE + r] = <real> (job.spread * job.classes / left[r]) if left[r] > 0 else 0
            labels[r] = -1 if left[r] == 0 else labels[r]
            ignored |= left[r] == 0
    return ignored


cdef void blank_rows(const Rows *job, const View *v, const int64_t *labels, const real *like) noexcept nogil:
    """Zeros in the outputs of rows that count for nothing."""
    cdef real zero = 0
    cdef Py_ssize_t r
    for r in range(v.n):
        if labels[r] < 0:
            if v.base_g != NULL:
                fill_row(job, R_G, v.base_g + r * row_step(job, R_G), -1, zero)
            if v.base_h != NULL:
                fill_row(job, R_H, v.base_h + r * row_step(job, R_H), -1, zero)


cdef double finish_values(const Rows *job, const View *v, const real *rows, const double *values) noexcept nogil:
    """Store the rows' values, and logsumexps where they are wanted; returns the sum."""
    cdef real block[TILE]
    cdef Py_ssize_t r
    if job.operands[<int> R_L].data != NULL:
        for r in range(v.n):
            block[r] = rows[<int> M * <int> TILE + r] + rows[<int> LOG * <int> TILE + r]
        store_rows(job, R_L, v.row, v.n, <const real *> block)
    if job.operands[<int> R_V].data != NULL:
        for r in range(v.n):
            block[r] = <real> values[r]
        store_rows(job, R_V, v.row, v.n, <const real *> block)
    if not job.summed:
        return 0
    return row_sum(values, v.n)


# ---- class numbers ---------------------------------------------------------------------------------------------------

cdef void sweep_class(Layout l, const Rows *job, const View *v, const real *rows, const int64_t *labels, bint ignored) noexcept nogil:
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
                put_line(l, job, v, R_H, v.base_h, line, start, n, <const real *> h)
            g = <real *> e if v.staged else out_line(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            for i in range(n):
                g[i] = e[i] * own[<int> FIRST * <int> TILE + at(l, i)]
            if Layout is Across:
                if ignored:
                    blank_line(labels, n, g)
            if v.masked:
                mask_line(job, v, line, start, n, g, <real> 0)
            if not v.staged:
                put_line(l, job, v, R_G, v.base_g, line, start, n, <const real *> g)


cdef void bring_out(const Rows *job, const View *v, real *tile, real *spare) noexcept nogil:
    """Bring a gradient that was computed side by side to where it belongs."""
    cdef Py_ssize_t j, step = row_step(job, R_G) // <Py_ssize_t> sizeof(real)
    if (job.operands[<int> R_G].native and class_step(job, R_G) == job.operands[<int> R_G].itemsize and step >= job.classes
            and job.classes <= FEW):
        if real is float:
            rm_turn_outf(tile, spare, <float *> v.base_g, step, v.n, job.classes, job.tile)
        else:
            rm_turn_out(tile, spare, <double *> v.base_g, step, v.n, job.classes, job.tile)
    elif lanes_lie_flat(job, R_G):
        for j in range(job.classes):
            memcpy(v.base_g + j * class_step(job, R_G), tile + j * job.tile, v.n * sizeof(real))
    else:
        for j in range(job.classes):
            job.operands[<int> R_G].store(v.base_g + j * class_step(job, R_G), row_step(job, R_G), v.n, tile + j * job.tile)


cdef inline void pick(const Rows *job, const View *v, const int64_t *labels, real *x_y) noexcept nogil:
    """The input's item of each row's own class; of the first class where the row is ignored."""
    cdef const real *x = <const real *> v.x
    cdef Py_ssize_t r, row = 1 if job.across else v.x_step, column = v.x_step if job.across else 1
    if x != NULL:
        for r in range(v.n):
            x_y[r] = x[(labels[r] if labels[r] > 0 else 0) * column + r * row]
    else:
        for r in range(v.n):
            x_y[r] = load_class(job, R_X, v.base_x + r * row_step(job, R_X), labels[r] if labels[r] > 0 else 0, x)


cdef double class_tile(Link f, const Rows *job, const View *v, real *rows, const double *wide, real *x_tile, real *e_tile) noexcept nogil:
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
    pick(job, v, labels, x_y)
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
    if Link is not Plain or v.base_g != NULL:
        for r in range(v.n):
            e = exp_gap(x_y[r], m[r])
            e = 1 if x_y[r] == m[r] else e
            p_y[r] = e * share[r]
            q_y[r] = (rest[r] if e == 1 else (1 - <double> e) + rest[r]) * share[r]
    for r in range(v.n):
        gap = rest[r] * 0 if x_y[r] == m[r] else <double> m[r] - x_y[r]
        nll = gap + log[r]
        if Link is Plain:
            value = nll
            a[r] = omega[r]
            b[r] = 0
        else:
            low = 0
            if Link is Generalized:
                low = vm_sum_error(m[r], -x_y[r], gap)
                low = low if gap - gap == 0 else 0
            link(f, nll, p_y[r], q_y[r], gap, low, share[r], &value, &d, &d2)
            a[r] = omega[r] * d
            b[r] = omega[r] * d2
        values[r] = weighed(omega[r], value)
    if Link is Plain:
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
        sweep_class(across, job, v, <const real *> rows, labels, ignored)
    else:
        sweep_class(along, job, v, <const real *> rows, labels, ignored)
        if ignored:
            blank_rows(job, v, labels, m)
    if v.staged:
        for r in range(v.n):
            if labels[r] >= 0:
                e_tile[labels[r] * v.e_step + r] = <real> values[r]
        bring_out(job, v, e_tile, x_tile)
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

cdef inline void link_line(Link f, Layout l, Py_ssize_t n, const real *x, const real *e, const real *tau, const real *own,
                           const double *wide, real *v, real *a, real *b) noexcept nogil:
    """τ φ, a and b of the classes of a line."""
    cdef real m, s, log
    cdef double rest, share, gap, low, value, d, d2
    cdef Py_ssize_t i
    for i in range(n):
        m = own[<int> M * <int> TILE + at(l, i)]
        s = own[<int> S * <int> TILE + at(l, i)]
        log = own[<int> LOG * <int> TILE + at(l, i)]
        if Link is Plain:
            v[i] = xlogy_term(tau[i], distance(x[i], m, s) + log)
            a[i] = tau[i]
            b[i] = 0
        else:
            rest = wide[<int> REST * <int> TILE + at(l, i)]
            share = wide[<int> WHOLE_SHARE * <int> TILE + at(l, i)]
            gap = s * 0 if x[i] == m else <double> m - x[i]
            if Link is Generalized:
                low = vm_sum_error(m, -x[i], gap)
                low = low if gap - gap == 0 else 0
            else:
                low = 0
            link(f, gap + log, e[i] * share, (rest if e[i] == 1 else (1 - <double> e[i]) + rest) * share,
                 gap, low, share, &value, &d, &d2)
            v[i] = 0 if (tau[i] == 0) & (value == value) else <real> (tau[i] * value)
            a[i] = <real> (tau[i] * d)
            b[i] = within(tau[i] * d2, x)


cdef void fold(Link f, Layout l, const Rows *job, const View *v, const real *rows, const double *wide, double *sums, const int64_t *labels) noexcept nogil:
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
            if Link is not Plain or job.target == TIMES_SOFTMAX:
                e = e_line(l, job, v, own, line, start, n, <real *> es)
            tau_line(l, job, v, line, start, n, labels, e, own, <real *> ts, True)
            link_line(f, l, n, x, e, <const real *> ts, own, wide if Layout is Across else wide + line, <real *> vs, <real *> as_, <real *> bs)
            add_line(l, <const real *> vs, n, to + <int> SUM_V * <int> TILE, to + <int> LOST_V * <int> TILE)
            add_line(l, <const real *> as_, n, to + <int> SUM_A * <int> TILE, to + <int> LOST_A * <int> TILE)
            if Link is not Plain:
                add_line(l, <const real *> bs, n, to + <int> SUM_B * <int> TILE, to + <int> LOST_B * <int> TILE)


cdef void sweep(Link f, Layout l, const Rows *job, const View *v, const real *rows, const double *wide, const int64_t *labels,
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
            link_line(f, l, n, x, e, <const real *> ts, own, wide if Layout is Across else wide + line, <real *> vs, <real *> as_, <real *> bs)
            h = <real *> hs
            if v.base_h != NULL:
                h = out_line(l, job, v, R_H, v.base_h, line, start, <real *> hs)
                for i in range(n):
                    d = curvature(e[i], own[<int> FIRST * <int> TILE + at(l, i)],
                                  own[<int> SECOND * <int> TILE + at(l, i)] - bs[i],
                                  own[<int> S * <int> TILE + at(l, i)], own[<int> SHARE * <int> TILE + at(l, i)])
                    if Link is not Plain:
                        q = softmax_gap(e[i], own[<int> S * <int> TILE + at(l, i)]) * own[<int> SHARE * <int> TILE + at(l, i)]
                        d += bs[i] * q * q
                    h[i] = d * scale_of(l, own, i, scale)
            if Link is Plain:
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
            if Link is Plain:
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
                put_line(l, job, v, R_H, v.base_h, line, start, n, <const real *> h)
            if not v.staged:
                put_line(l, job, v, R_G, v.base_g, line, start, n, <const real *> g)


cdef double distribution_tile(Link f, const Rows *job, const View *v, real *rows, const double *wide, real *x_tile, real *e_tile) noexcept nogil:
    """What is left of a tile with target distributions; returns the sum of its values."""
    cdef int64_t labels[TILE]
    cdef double values[TILE]
    cdef const real *m = rows + <int> M * <int> TILE
    cdef const real *log = rows + <int> LOG * <int> TILE
    cdef double *sums = fl_own(&job.team).sums
    cdef double z = z_of(f), total, a, b, lse
    cdef Py_ssize_t r
    cdef int spoiled
    cdef bint ignored = prepare(job, v, z == 0 and job.spread == 0, labels, rows)
    cdef bint by_weights = z == 0 and (job.weight != NULL or v.base_w != NULL or job.target >= UPSTREAM)
    cdef Across across
    cdef Along along
    if job.across:
        fold(f, across, job, v, <const real *> rows, wide, sums, labels)
    else:
        fold(f, along, job, v, <const real *> rows, wide, sums, labels)
    for r in range(v.n):
        values[r] = regained(sums[<int> SUM_V * <int> TILE + r], sums[<int> LOST_V * <int> TILE + r])
        a = regained(sums[<int> SUM_A * <int> TILE + r], sums[<int> LOST_A * <int> TILE + r])
        b = regained(sums[<int> SUM_B * <int> TILE + r], sums[<int> LOST_B * <int> TILE + r])
        rows[<int> SUM_OF_A * <int> TILE + r] = <real> a
        rows[<int> PSI * <int> TILE + r] = 0
        if Link is Plain:
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
        sweep(f, across, job, v, <const real *> rows, wide, labels, ignored)
        if v.staged:
            bring_out(job, v, e_tile, x_tile)
    else:
        sweep(f, along, job, v, <const real *> rows, wide, labels, ignored)
        if ignored:
            blank_rows(job, v, labels, m)
    return total


# ---- losses ----------------------------------------------------------------------------------------------------------

cdef inline void read(Link *f, const double *parameters) noexcept nogil:
    if Link is Plain:
        f.z = parameters[0]
        f.cap = parameters[1]
    elif Link is Focal:
        f.gamma = parameters[0]
    elif Link is Generalized:
        f.k = parameters[0]
    else:
        f.epsilon = parameters[0]


cdef double link_tile(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n, const Link *tag) noexcept nogil:
    cdef real *x_tile = memory(job, 0, like)
    cdef real *e_tile = memory(job, 1, like)
    cdef real *raw_tile = memory(job, 2, like)
    cdef real rows[<int> REAL_ROWS * <int> TILE]
    cdef double wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef View v
    cdef Link f
    read(&f, job.parameters)
    see(job, &v, row, n, cap_of(f), x_tile, e_tile, raw_tile)
    sum_up(job, &v, <real *> rows, wide)
    if job.target == CLASS:
        return class_tile(f, job, &v, <real *> rows, wide, x_tile, e_tile)
    return distribution_tile(f, job, &v, <real *> rows, wide, x_tile, e_tile)

cdef double cross_entropy(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    return link_tile(like, job, row, n, <const Plain *> NULL)

cdef double softmax_focal(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    return link_tile(like, job, row, n, <const Focal *> NULL)

cdef double generalized_cross_entropy(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    return link_tile(like, job, row, n, <const Generalized *> NULL)

cdef double poly_cross_entropy(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    return link_tile(like, job, row, n, <const Poly *> NULL)


# Brier: Σ r² with r = p - t. With the sums over all j but k
#     r_k - Σ p r = q_k r_k - Σ p_j r_j =: u,   gradient = 2 p u,   hessian = 2 p (q u + p (q (q - r) + Σ p_j (p_j + r_j))).
# The sums of the maximum are kept apart, so that it can leave itself out where it is all but certain.

cdef inline void brier_terms(double e, double t, double rest, double share, double *p, double *q, double *r) noexcept nogil:
    p[0] = e * share
    q[0] = (rest if e == 1 else (1 - e) + rest) * share
    r[0] = p[0] * (1 - t) - t * q[0]


cdef void brier_fold(Layout l, const Rows *job, const View *v, const real *rows, const double *wide, double *sums, const int64_t *labels) noexcept nogil:
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


cdef void brier_sweep(Layout l, const Rows *job, const View *v, const real *rows, const double *wide, const double *sums, const int64_t *labels,
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
            g = <real *> e if v.staged else out_line(l, job, v, R_G, v.base_g, line, start, <real *> gs)
            h = out_line(l, job, v, R_H, v.base_h, line, start, <real *> hs) if v.base_h != NULL else <real *> hs
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
            if Layout is Across:
                if ignored:
                    blank_line(labels, n, g)
                    blank_line(labels, n, h)
            if v.masked:
                mask_line(job, v, line, start, n, g, <real> 0)
                mask_line(job, v, line, start, n, h, <real> 0)
            if v.base_h != NULL:
                put_line(l, job, v, R_H, v.base_h, line, start, n, <const real *> h)
            if not v.staged:
                put_line(l, job, v, R_G, v.base_g, line, start, n, <const real *> g)


cdef double brier(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real *x_tile = memory(job, 0, like)
    cdef real *e_tile = memory(job, 1, like)
    cdef real rows[<int> REAL_ROWS * <int> TILE]
    cdef double wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef double *sums = fl_own(&job.team).sums
    cdef double values[TILE]
    cdef int64_t labels[TILE]
    cdef double total
    cdef bint ignored
    cdef View v
    cdef Across across
    cdef Along along
    cdef Py_ssize_t r, k
    see(job, &v, row, n, 0, x_tile, e_tile, <real *> NULL)
    sum_up(job, &v, <real *> rows, wide)
    ignored = prepare(job, &v, True, labels, <real *> rows)
    if job.across:
        brier_fold(across, job, &v, <const real *> rows, wide, sums, labels)
    else:
        brier_fold(along, job, &v, <const real *> rows, wide, sums, labels)
    for k from 0 <= k < <int> SUMS by 2:
        for r in range(n):
            sums[k * TILE + r] = regained(sums[k * TILE + r], sums[(k + 1) * TILE + r])
    for r in range(n):
        values[r] = sums[<int> SUM_V * <int> TILE + r] * rows[<int> FACTOR * <int> TILE + r]
        if ignored and labels[r] < 0:
            values[r] = 0
    total = finish_values(job, &v, <const real *> rows, values)
    if v.base_g == NULL:
        return total
    if job.across:
        brier_sweep(across, job, &v, <const real *> rows, wide, sums, labels, ignored)
        if v.staged:
            bring_out(job, &v, e_tile, x_tile)
    else:
        brier_sweep(along, job, &v, <const real *> rows, wide, sums, labels, ignored)
        if ignored:
            blank_rows(job, &v, labels, like)
    return total


cdef double nll(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """The input holds log-probabilities, so only the labelled one counts."""
    cdef double values[TILE]
    cdef int64_t labels[TILE]
    cdef const real *w = <const real *> job.weight
    cdef real x_y[TILE]
    cdef real factors[TILE]
    cdef double omega
    cdef char *base
    cdef View v
    cdef Py_ssize_t r
    cdef int k
    v.row = row
    v.n = n
    v.base_x = base_of(job, R_X, row)
    v.base_g = base_of(job, R_G, row)
    v.base_h = base_of(job, R_H, row)
    load_labels(job, row, n, True, labels, like)
    load_factors(job, row, n, <real *> factors)
    for r in range(n):
        x_y[r] = load_class(job, R_X, v.base_x + r * row_step(job, R_X), labels[r] if labels[r] > 0 else 0, like)
    for k in range(<int> R_G, <int> R_H + 1):
        base = v.base_g if k == R_G else v.base_h
        if base != NULL and job.operands[k].flat and row_step(job, k) == job.classes * <Py_ssize_t> sizeof(real):
            memset(base, 0, n * job.classes * sizeof(real))
        elif base != NULL:
            for r in range(n):
                fill_row(job, k, base + r * row_step(job, k), -1, <real> 0)
    for r in range(n):
        values[r] = 0
        if labels[r] >= 0:
            omega = <double> w[labels[r]] * factors[r] if w != NULL else <double> factors[r]
            values[r] = weighed(omega, <double> -x_y[r])
            if v.base_g != NULL:
                put_class(job, R_G, v.base_g + r * row_step(job, R_G), labels[r], <real> (-omega * job.scale))
    return finish_values(job, &v, like, values)


# ---- activations -----------------------------------------------------------------------------------------------------

cdef double logsumexp(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real *x_tile = memory(job, 0, like)
    cdef real *e_tile = memory(job, 1, like)
    cdef real rows[<int> REAL_ROWS * <int> TILE]
    cdef double wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef double unused[TILE]
    cdef View v
    see(job, &v, row, n, 0, x_tile, e_tile, <real *> NULL)
    sum_up(job, &v, <real *> rows, wide)
    finish_values(job, &v, <const real *> rows, unused)
    return 0


cdef void normalise(Layout l, const Rows *job, const View *v, const real *rows, bint logarithm) noexcept nogil:
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
                g = out_line(l, job, v, R_G, v.base_g, line, start, <real *> gs)
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
                g = out_line(l, job, v, R_G, v.base_g, line, start, <real *> gs)
                if g != <real *> gs:
                    memcpy(g, gs, n * sizeof(real))
            if not v.staged:
                put_line(l, job, v, R_G, v.base_g, line, start, n, <const real *> g)


cdef inline double normalised(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n, bint logarithm) noexcept nogil:
    cdef real *x_tile = memory(job, 0, like)
    cdef real *e_tile = memory(job, 1, like)
    cdef real rows[<int> REAL_ROWS * <int> TILE]
    cdef double wide[<int> DOUBLE_ROWS * <int> TILE]
    cdef View v
    cdef Across across
    cdef Along along
    see(job, &v, row, n, 0, x_tile, e_tile, <real *> NULL)
    sum_up(job, &v, <real *> rows, wide)
    load_factors(job, row, n, <real *> rows + <int> FIRST * <int> TILE)
    if job.across:
        normalise(across, job, &v, <const real *> rows, logarithm)
        if v.staged:
            bring_out(job, &v, e_tile, x_tile)
    else:
        normalise(along, job, &v, <const real *> rows, logarithm)
    return 0

cdef double softmax(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    return normalised(like, job, row, n, False)

cdef double log_softmax(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    return normalised(like, job, row, n, True)


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

cdef double signed_logsumexp(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
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
    return 0

cdef double signed_softmax(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
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
            g = place(job, R_G, base, i, <real *> gs)
            for j in range(size):
                e = 1 if xs[j] == m else exp_gap(xs[j], m)
                e = 0 if (bs[j] == 0) | (share == 0) else e
                gs[j] = <real> (weighed(<double> bs[j], <double> e) * share)
            if g != <real *> gs:
                memcpy(g, gs, size * sizeof(real))
            put_classes(job, R_G, base, i, size, <const real *> g)
    return 0


enlist_rows("cross_entropy", <TileLoss> <void *> cross_entropy[float], <TileLoss> <void *> cross_entropy[double], 2, True)
enlist_rows("softmax_focal", <TileLoss> <void *> softmax_focal[float], <TileLoss> <void *> softmax_focal[double], 1, True)
enlist_rows("generalized_cross_entropy", <TileLoss> <void *> generalized_cross_entropy[float],
            <TileLoss> <void *> generalized_cross_entropy[double], 1, True)
enlist_rows("poly_cross_entropy", <TileLoss> <void *> poly_cross_entropy[float],
            <TileLoss> <void *> poly_cross_entropy[double], 1, True)
enlist_rows("brier", <TileLoss> <void *> brier[float], <TileLoss> <void *> brier[double], 0, True)
enlist_rows("nll", <TileLoss> <void *> nll[float], <TileLoss> <void *> nll[double], 0, True)
enlist_rows("logsumexp", <TileLoss> <void *> logsumexp[float], <TileLoss> <void *> logsumexp[double], 0, True)
enlist_rows("softmax", <TileLoss> <void *> softmax[float], <TileLoss> <void *> softmax[double], 0, True)
enlist_rows("log_softmax", <TileLoss> <void *> log_softmax[float], <TileLoss> <void *> log_softmax[double], 0, True)
enlist_rows("signed_logsumexp", <TileLoss> <void *> signed_logsumexp[float], <TileLoss> <void *> signed_logsumexp[double], 1, False)
enlist_rows("signed_softmax", <TileLoss> <void *> signed_softmax[float], <TileLoss> <void *> signed_softmax[double], 0, False)


def scan_rows(cnp.ndarray labels not None, Py_ssize_t classes, int64_t ignored, cnp.ndarray weight, cnp.ndarray factor,
              cnp.ndarray mask, bint some_ignored=True):
    """Look at all labels: (number of rows that count, sum of their class weights, sum of these times the factor of the row,
    how many of these products are not 0, position of the first bad label in C order, or -1).

    `weight` holds a float32 or float64 for each class, `factor` a number for each row, and `mask`, of the labels' shape and
    an axis of classes, 0 for what is left out; any is None where there is none. A row counts if its label is not ignored and
    something is left of it. A label is bad that is outside of 0 … classes-1, or that of a class left out, unless the factor of
    the row is 0; then it counts as a row, but has no class weight."""
    cdef Space space, whole
    cdef Operand op[2]
    cdef Operand left
    cdef const double *wide = NULL
    cdef const float *narrow = NULL
    cdef int64_t block[CHUNK]
    cdef double factors[CHUNK]
    cdef double valid
    cdef int64_t low, high, counts, every
    cdef Py_ssize_t i, j, n, rows = 0, nonzero = 0, bad = -1, count = cnp.PyArray_SIZE(labels), unwatched = 0
    cdef int axis, ndim = cnp.PyArray_NDIM(labels)
    cdef double w, total = 0, products = 0
    cdef bint weighted = weight is not None or factor is not None
    cdef bint fine
    if weight is not None:
        if is_vector(weight, classes, <const double *> NULL):
            wide = <const double *> cnp.PyArray_DATA(weight)
        elif is_vector(weight, classes, <const float *> NULL):
            narrow = <const float *> cnp.PyArray_DATA(weight)
        else:
            raise ValueError("kernel: weight is not a vector of floats")
    check_shape(factor, labels, ndim)
    describe(&op[0], labels, <const double *> NULL, ndim)
    describe(&op[1], factor, <const double *> NULL, ndim)
    describe(&left, mask, <const double *> NULL, ndim + 1)
    if op[0].kind > UINT64:
        raise TypeError("kernel: labels must be integers")
    if mask is not None and (cnp.PyArray_NDIM(mask) != ndim + 1 or cnp.PyArray_DIM(mask, ndim) != classes):
        raise ValueError("kernel: operands of different shapes")
    # Whether no label is ignored. A huge label would look like a negative one.
    every = op[0].kind == UINT64 and ignored < 0 or not some_ignored
    space.ndim = ndim
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(labels, axis)
        whole.shape[axis] = space.shape[axis]
        if mask is not None and cnp.PyArray_DIM(mask, axis) != space.shape[axis]:
            raise ValueError("kernel: operands of different shapes")
    whole.shape[ndim] = classes
    if count > 0:
        space.ndim = join_axes(op, 2, &space, 0, ndim, 0)
    with nogil:
        for i from 0 <= i < count by CHUNK:
            n = min(<Py_ssize_t> CHUNK, count - i)
            load_block(&op[0], _load_label[<int> op[0].kind], op[0].data, &space, 0, space.ndim, i, n, <char *> block,
                       sizeof(int64_t))
            low = 0
            high = 0
            for j in range(n):
                counts = (block[j] != ignored) | every
                low += counts
                high += counts & (<uint64_t> block[j] >= <uint64_t> classes)
            rows += low
            if op[1].data != NULL:
                load_block(&op[1], op[1].load, op[1].data, &space, 0, space.ndim, i, n, <char *> factors, sizeof(double))
            if high or left.data != NULL:
                for j in range(n):
                    if not every and block[j] == ignored:
                        continue
                    fine = 0 <= block[j] < classes
                    if fine and left.data != NULL:
                        left.load(left.data + offset_of(&left, &whole, 0, ndim, i + j) + block[j] * left.strides[ndim], 0,
                                  left.swapped, 1, &valid)
                        fine = valid != 0
                    if fine:
                        continue
                    if left.data != NULL and is_empty(&left, &whole, ndim, i + j):
                        rows -= 1
                        block[j] = -1
                    elif op[1].data != NULL and factors[j] == 0:
                        block[j] = classes
                    else:
                        bad = i + j
                        break
                if bad >= 0:
                    break
            if weighted:
                for j in range(n):
                    if block[j] == classes and weight is None:
                        total += 1
                    if (every or block[j] != ignored) and 0 <= block[j] < classes:
                        w = wide[block[j]] if wide != NULL else narrow[block[j]] if narrow != NULL else 1
                        total += w
                        if op[1].data != NULL:
                            w = 0 if factors[j] == 0 or w == 0 else w * factors[j]
                        products += w
                        nonzero += w != 0
            unwatched += n
            if unwatched >= 1 << 22:
                unwatched = 0
                with gil:
                    PyErr_CheckSignals()
    if not weighted:
        return rows, <double> rows, <double> rows, rows, bad
    return rows, total, products, nonzero, bad


def find_outside(cnp.ndarray targets not None, double most, tuple others):
    """The position in C order of the first target that is not from 0 to `most` and counts for something; -1 if there is none.
    NaN counts as inside. A target counts for nothing where one of the other operands, of its shape, is 0."""
    cdef Space space
    cdef Operand op[8]
    cdef double t[CHUNK]
    cdef double w[CHUNK]
    cdef Py_ssize_t i, j, n, found = -1, count = cnp.PyArray_SIZE(targets)
    cdef int axis, k, size = 0, ndim = cnp.PyArray_NDIM(targets)
    cdef cnp.ndarray array
    describe(&op[0], targets, <const double *> NULL, ndim)
    for array in others:
        if array is not None:
            if size == 7:
                raise ValueError("kernel: too many operands")
            size += 1
            check_shape(array, targets, ndim)
            describe(&op[size], array, <const double *> NULL, ndim)
    space.ndim = ndim
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(targets, axis)
    with nogil:
        for i from 0 <= i < count by CHUNK:
            n = min(<Py_ssize_t> CHUNK, count - i)
            load_block(&op[0], op[0].load, op[0].data, &space, 0, ndim, i, n, <char *> t, sizeof(double))
            for k in range(1, size + 1):
                load_block(&op[k], op[k].load, op[k].data, &space, 0, ndim, i, n, <char *> w, sizeof(double))
                for j in range(n):
                    t[j] = 0 if w[j] == 0 else t[j]
            for j in range(n):
                if t[j] < 0 or t[j] > most:
                    found = i + j
                    break
            if found >= 0:
                break
    return found
