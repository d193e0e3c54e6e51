# The loops over a class axis: log-sum-exp and what is made of it.
#
# Of each row they take the maximum m and S = Σ exp(x_j - m) over all j but one maximum, so that
#     logsumexp = m + log1p(S),   p_j = E_j / (1 + S)  with  E_j = exp(x_j - m),
#     1 - p_j   = (S if E_j == 1 else (1 - E_j) + S) / (1 + S)
# keep their digits where one class is all but certain. A row of cross entropy with the target distribution τ is
#     value = Σ τ_j (m - x_j + log1p(S)),   gradient = p_j (Σ τ - τ_j) - τ_j (1 - p_j),   hessian = Σ τ p_j (1 - p_j);
# class numbers are the case where τ is zero except at one class.
#
# There are two ways through the data, with the same results up to rounding. `across`: a tile of rows at once, the loops
# run over its rows; for few classes, or where the class axis is not the innermost in memory. `along`: row by row, the
# loops run over the classes, in chunks.

include "common.pxi"

cdef enum:
    TILE = 64             # rows of a tile, at most
    FEW = 128             # classes that a tile holds in its buffers, at most
    ROOM = 4096           # rows times classes there: its buffers stay in the first-level cache
    CHUNK = 1024          # classes of a chunk

cdef enum Result:
    LOGSUMEXP, SOFTMAX, LOG_SOFTMAX, CROSS_ENTROPY, NLL

cdef enum Target:
    CLASS, SMOOTHED_CLASS, DISTRIBUTION, TIMES_SOFTMAX     # the last: τ_j = p_j t_j, which carries gradients through softmax

cdef struct Rows:
    Space space
    Operand operands[6]       # x, target, factor of each row; value, gradient, second derivative
    Load load_label
    Result what
    Target target
    Py_ssize_t classes
    double keep, spread       # τ = (keep t + spread) w: label smoothing
    const void *weight        # w, one for each class, or NULL
    double scale              # of gradient and second derivative
    int64_t ignored           # this label counts for nothing
    int order
    bint summed
    bint across

cdef enum:
    R_X, R_T, R_F, R_V, R_G, R_H


cdef void add_block(Sum *s, const real *v, Py_ssize_t n) noexcept nogil:
    cdef Lanes lanes
    cdef Py_ssize_t j
    if n < 16:
        for j in range(n):
            accumulate(v[j], &s.total, &s.lost)
        return
    clear(&lanes)
    add_to_lanes(&lanes, v, n)
    gather_lanes(&lanes, s)

cdef double block_sum(const real *v, Py_ssize_t n) noexcept nogil:
    cdef Sum s = Sum(0, 0)
    add_block(&s, v, n)
    return result(s)


cdef inline real softmax_gap(real e, real s) noexcept nogil:
    """(1 - p)(1 + S), without cancellation."""
    return s if e == 1 else (1 - e) + s

cdef inline real distance(real x, real m, real s) noexcept nogil:
    """m - x; 0 at the maximum, also when that is infinite. NaN where S is."""
    return s * 0 if x == m else m - x

cdef inline real slope(real e, real tau, real sigma, real s, real inverse) noexcept nogil:
    """The gradient of one class: p (Σ - τ) - τ (1 - p)."""
    return (e * (sigma - tau) - tau * softmax_gap(e, s)) * inverse

cdef inline real curvature(real e, real s, real first, real inverse) noexcept nogil:
    """The second derivative of one class: Σ p (1 - p), where `first` is Σ / (1 + S)."""
    cdef real p = e * inverse
    cdef real q = 1 - p if p < <real> 0.5 else softmax_gap(e, s) * inverse
    return e * first * q

cdef inline real xlogy_term(real tau, real d) noexcept nogil:
    """τ d with 0 · inf = 0; NaN stays."""
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


# ---- a chunk of one row ----------------------------------------------------------------------------------------------

cdef real chunk_max(const real *x, Py_ssize_t n, real m) noexcept nogil:
    """The larger of m and the largest of x; NaN is passed over (it shows in S)."""
    cdef real lanes[LANES]
    cdef real xi, li
    cdef Py_ssize_t i, j, width = LANES, whole = n - n % LANES
    for j in range(LANES):
        lanes[j] = m
    for i from 0 <= i < whole by LANES:
        for j in range(LANES):
            xi = x[i + j]
            li = lanes[j]
            lanes[j] = xi if xi > li else li
    for j in range(n - whole):
        xi = x[whole + j]
        li = lanes[j]
        lanes[j] = xi if xi > li else li
    while width > 1:
        width //= 2
        for j in range(width):
            xi = lanes[j + width]
            li = lanes[j]
            lanes[j] = xi if xi > li else li
    return lanes[0]


cdef void chunk_exp(real m, const real *x, real *e, Py_ssize_t n, Sum *total) noexcept nogil:
    """E of a chunk, added to the row's total (the number of maxima where they are infinite)."""
    cdef Py_ssize_t i
    if m - m != 0:
        add(total, limit_row(m, x, 1, e, 1, n))
        return
    for i in range(n):
        e[i] = exp_gap(x[i], m)
    add_block(total, <const real *> e, n)


cdef void chunk_rest(const real *e, Py_ssize_t n, Sum *total) noexcept nogil:
    """Add the E below 1 of a chunk."""
    cdef real rest[CHUNK]
    cdef Py_ssize_t i
    for i in range(n):
        rest[i] = 0 if e[i] == 1 else e[i]
    add_block(total, <const real *> rest, n)


cdef struct Stats:            # of one row
    double s                  # S; NaN where the maximum is infinite and not alone, so that the row has no limit
    double whole              # 1 + S
    double log                # log1p(S)

cdef inline bint is_confident(double total) noexcept nogil:
    """Whether S = total - 1 has lost too many digits, so that the E below 1 must be added up by themselves."""
    return total < 1 + 1e-6

cdef inline Stats stats_of(double s, bint infinite, double maxima, const real *like) noexcept nogil:
    """Where the maximum is infinite, S follows from the number of maxima, and the logsumexp is m itself."""
    cdef Stats stats
    stats.s = s
    if infinite:
        stats.s = 0 if maxima == 1 else NAN
    stats.whole = 1 + stats.s
    stats.log = maxima * 0 if infinite else log1p(<real> s)
    return stats


cdef const real *chunk_tau(const Rows *job, const char *target, int64_t label, Py_ssize_t start, Py_ssize_t n,
                           const real *e, real inverse, real *tau) noexcept nogil:
    """The target distribution of classes start … start+n-1 of one row, in `tau`."""
    cdef const real *w = <const real *> job.weight
    cdef const real *t
    cdef Py_ssize_t j
    if job.target == SMOOTHED_CLASS:
        for j in range(n):
            tau[j] = <real> job.spread
        if start <= label < start + n:
            tau[label - start] = <real> (job.keep + job.spread)
    else:
        t = fetch_classes(job, R_T, target, start, n, tau)
        if job.target == TIMES_SOFTMAX:
            for j in range(n):
                tau[j] = t[j] * (e[j] * inverse)
        else:
            for j in range(n):
                tau[j] = <real> (t[j] * job.keep + job.spread)
    if w != NULL:
        for j in range(n):
            tau[j] *= w[start + j]
    return tau


# ---- along: one row --------------------------------------------------------------------------------------------------

cdef inline Py_ssize_t row_step(const Rows *job, int k) noexcept nogil:
    """Bytes from one row to the next, along the innermost of the axes of rows."""
    return job.operands[k].strides[job.space.outer - 1] if job.space.outer > 0 else 0

cdef inline Py_ssize_t class_step(const Rows *job, int k) noexcept nogil:
    return job.operands[k].strides[job.space.outer] if job.space.ndim > job.space.outer else 0

cdef inline const real *fetch_classes(const Rows *job, int k, const char *base, Py_ssize_t start, Py_ssize_t n,
                                      real *block) noexcept nogil:
    return fetch(&job.operands[k], base, &job.space, job.space.outer, job.space.ndim, start, n, block)

cdef inline void put_classes(const Rows *job, int k, char *base, Py_ssize_t start, Py_ssize_t n, const real *block) noexcept nogil:
    put(&job.operands[k], base, &job.space, job.space.outer, job.space.ndim, start, n, block)

cdef inline char *base_of(const Rows *job, int k, Py_ssize_t row) noexcept nogil:
    """Where a row starts in an operand; NULL where there is none."""
    cdef const Operand *op = &job.operands[k]
    return op.data + offset_of(op, &job.space, 0, job.space.outer, row) if op.data != NULL else NULL

cdef inline real *place(const Rows *job, int k, char *base, Py_ssize_t start, real *block) noexcept nogil:
    """Where classes from `start` on are computed: in the output where that can be, else in a buffer."""
    return <real *> base + start if job.operands[k].flat else block


cdef inline void load_rows(const Rows *job, int k, const char *base, Load load, Py_ssize_t n, void *block) noexcept nogil:
    """What an operand without a class axis says of n rows."""
    load(base, row_step(job, k), job.operands[k].swapped, n, block)

cdef bint load_labels(const Rows *job, const char *base, Py_ssize_t n, int64_t *labels) noexcept nogil:
    """The labels of n rows, -1 for those that count for nothing; whether there are such. scan_labels has found none out of
    range, but other threads may have written to the array since, and memory safety does not rest on them."""
    cdef Py_ssize_t r
    cdef bint some = False
    job.load_label(base, row_step(job, R_T), job.operands[<int> R_T].swapped, n, labels)
    for r in range(n):
        if labels[r] == job.ignored or <uint64_t> labels[r] >= <uint64_t> job.classes:
            labels[r] = -1
            some = True
    return some

cdef inline void load_item(const Rows *job, int k, const char *base, Py_ssize_t index, real *x) noexcept nogil:
    """One class of a row."""
    cdef const Operand *op = &job.operands[k]
    op.load(base + offset_of(op, &job.space, job.space.outer, job.space.ndim, index), 0, op.swapped, 1, x)


cdef inline void fill_row(const Rows *job, int k, char *base, int64_t label, real x) noexcept nogil:
    """A row of zeros, but for x at `label` (none where that is negative)."""
    cdef real block[CHUNK]
    cdef real *out
    cdef Py_ssize_t i, j, n
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        out = place(job, k, base, i, <real *> block)
        for j in range(n):
            out[j] = 0
        if i <= label < i + n:
            out[label - i] = x
        if out == <real *> block:
            put_classes(job, k, base, i, n, <const real *> out)


cdef void blank_row(const Rows *job, char *base_v, char *base_g, char *base_h, const real *like) noexcept nogil:
    """What an ignored row gives."""
    cdef real zero = 0
    if base_v != NULL:
        job.operands[<int> R_V].store(base_v, 0, 1, &zero)
    if base_g != NULL:
        fill_row(job, R_G, base_g, -1, zero)
    if base_h != NULL:
        fill_row(job, R_H, base_h, -1, zero)


cdef double row_along(const real *like, const Rows *job, Py_ssize_t row) noexcept nogil:
    """One row, in chunks of classes; returns its value."""
    cdef real xs[CHUNK]
    cdef real es[CHUNK]
    cdef real ts[CHUNK]
    cdef real hs[CHUNK]
    cdef char *base_x = base_of(job, R_X, row)
    cdef char *base_t = base_of(job, R_T, row)
    cdef char *base_v = base_of(job, R_V, row)
    cdef char *base_g = base_of(job, R_G, row)
    cdef char *base_h = base_of(job, R_H, row)
    cdef const real *w = <const real *> job.weight
    cdef const real *x = NULL
    cdef const real *tau
    cdef real *e
    cdef real *g
    cdef real *h
    cdef Stats stats
    cdef real m = -INFINITY, s, log, inverse, sigma, first, scale = <real> job.scale, omega = 1, value = 0, x_y
    cdef Sum sum_e = Sum(0, 0), sum_t = Sum(0, 0), sum_v = Sum(0, 0), unused = Sum(0, 0)
    cdef double rest, sum_tau = 0
    cdef int64_t label = -1
    cdef Py_ssize_t i, j, n, classes = job.classes
    cdef bint in_place = base_g != NULL and job.operands[<int> R_G].flat
    cdef bint kept = in_place or classes <= CHUNK          # E is computed once
    cdef bint infinite

    if job.what == CROSS_ENTROPY and job.target <= SMOOTHED_CLASS:
        if load_labels(job, base_t, 1, &label):
            blank_row(job, base_v, base_g, base_h, <const real *> NULL)
            return 0
        load_item(job, R_X, base_x, label, &x_y)
        if job.target == CLASS and w != NULL:
            omega = w[label]

    for i from 0 <= i < classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, classes - i)
        m = chunk_max(fetch_classes(job, R_X, base_x, i, n, <real *> xs), n, m)
    for i from 0 <= i < classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, classes - i)
        x = fetch_classes(job, R_X, base_x, i, n, <real *> xs)
        e = <real *> base_g + i if in_place else <real *> es
        chunk_exp(m, x, e, n, &sum_e)
    infinite = m - m != 0
    rest = (sum_e.total - 1) + sum_e.lost
    if is_confident(1 + rest) and not infinite:
        sum_e = Sum(0, 0)
        for i from 0 <= i < classes by CHUNK:
            n = min(<Py_ssize_t> CHUNK, classes - i)
            e = <real *> base_g + i if in_place else <real *> es
            if not kept:
                chunk_exp(m, fetch_classes(job, R_X, base_x, i, n, <real *> xs), e, n, &unused)
            chunk_rest(<const real *> e, n, &sum_e)
        rest = result(sum_e)
    stats = stats_of(rest, infinite, result(sum_e), &m)
    s = <real> stats.s
    log = <real> stats.log
    inverse = <real> (1 / stats.whole)

    if job.what == LOGSUMEXP:
        value = m + log
    elif job.what == SOFTMAX and job.operands[<int> R_F].data != NULL:
        load_rows(job, R_F, base_of(job, R_F, row), job.operands[<int> R_F].load, 1, &omega)
    elif job.what == CROSS_ENTROPY and job.target == CLASS:
        value = xlogy_term(omega, distance(x_y, m, s) + log)
        sum_tau = omega
    elif job.what == CROSS_ENTROPY:
        for i from 0 <= i < classes by CHUNK:
            n = min(<Py_ssize_t> CHUNK, classes - i)
            x = fetch_classes(job, R_X, base_x, i, n, <real *> xs)
            e = <real *> base_g + i if in_place else <real *> es
            if not kept and job.target == TIMES_SOFTMAX:
                chunk_exp(m, x, e, n, &unused)
            tau = chunk_tau(job, base_t, label, i, n, e, inverse, <real *> ts)
            add_block(&sum_t, tau, n)
            if job.target != TIMES_SOFTMAX:
                for j in range(n):
                    hs[j] = xlogy_term(tau[j], distance(x[j], m, s) + log)
                add_block(&sum_v, <const real *> hs, n)
        sum_tau = result(sum_t)
        value = <real> result(sum_v)
    if base_v != NULL:
        job.operands[<int> R_V].store(base_v, 0, 1, &value)
    if base_g == NULL:
        return value

    sigma = <real> (sum_tau * job.scale)
    first = <real> (sum_tau * job.scale / stats.whole)
    for i from 0 <= i < classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, classes - i)
        g = place(job, R_G, base_g, i, <real *> xs)
        e = g if in_place else <real *> es
        if not kept or job.what == LOG_SOFTMAX:
            x = fetch_classes(job, R_X, base_x, i, n, <real *> xs)
        if not kept:
            chunk_exp(m, x, e, n, &unused)
        if base_h != NULL:
            h = place(job, R_H, base_h, i, <real *> hs)
            for j in range(n):
                h[j] = curvature(e[j], s, first, inverse)
            put_classes(job, R_H, base_h, i, n, h)
        if job.what == SOFTMAX:
            for j in range(n):
                g[j] = e[j] * inverse * omega
        elif job.what == LOG_SOFTMAX:
            for j in range(n):
                g[j] = -(distance(x[j], m, s) + log)
        elif job.target == CLASS:
            x_y = e[label - i] if i <= label < i + n else 0
            for j in range(n):
                g[j] = e[j] * first
            if i <= label < i + n:
                g[label - i] = slope(x_y, sigma, sigma, s, inverse)
        else:
            tau = chunk_tau(job, base_t, label, i, n, e, inverse, <real *> ts)
            for j in range(n):
                g[j] = slope(e[j], tau[j] * scale, sigma, s, inverse)
        put_classes(job, R_G, base_g, i, n, g)
    return value


# ---- across: a tile of rows ------------------------------------------------------------------------------------------

cdef inline bint lanes_lie_flat(const Rows *job, int k) noexcept nogil:
    """Whether the rows of a tile are consecutive in memory."""
    return job.operands[k].native and row_step(job, k) == job.operands[k].itemsize and job.space.outer > 0


cdef inline const real *load_lanes(const Rows *job, int k, const char *base, Py_ssize_t j, Py_ssize_t n, real *block) noexcept nogil:
    """Class j of n rows."""
    cdef const Operand *op = &job.operands[k]
    base += j * class_step(job, k)
    if lanes_lie_flat(job, k):
        return <const real *> base
    op.load(base, row_step(job, k), op.swapped, n, block)
    return block


cdef inline real *place_lanes(const Rows *job, int k, char *base, Py_ssize_t j, real *block) noexcept nogil:
    """Where class j of a tile's rows is computed: in the output where that can be, else in a buffer."""
    return <real *> (base + j * class_step(job, k)) if lanes_lie_flat(job, k) else block

cdef inline void store_lanes(const Rows *job, int k, char *base, Py_ssize_t j, Py_ssize_t n, const real *block) noexcept nogil:
    base += j * class_step(job, k)
    if <const real *> base != block:
        job.operands[k].store(base, row_step(job, k), n, block)


cdef void blank_lanes(const int64_t *labels, Py_ssize_t n, real *block) noexcept nogil:
    """Zeros where a row is ignored."""
    cdef Py_ssize_t r
    for r in range(n):
        block[r] = 0 if labels[r] < 0 else block[r]


cdef void lanes_tau(const Rows *job, const char *target, const int64_t *labels, Py_ssize_t j, Py_ssize_t n,
                    const real *e, const real *inverse, real *tau) noexcept nogil:
    """The target distribution of class j of n rows."""
    cdef const real *w = <const real *> job.weight
    cdef const real *t
    cdef real spread = <real> job.spread, both = <real> (job.keep + job.spread)
    cdef Py_ssize_t r
    if job.target == SMOOTHED_CLASS:
        for r in range(n):
            tau[r] = both if labels[r] == j else spread
    else:
        t = load_lanes(job, R_T, target, j, n, tau)
        if job.target == TIMES_SOFTMAX:
            for r in range(n):
                tau[r] = t[r] * (e[r] * inverse[r])
        else:
            for r in range(n):
                tau[r] = <real> (t[r] * job.keep + job.spread)
    if w != NULL:
        for r in range(n):
            tau[r] *= w[j]


cdef inline Py_ssize_t rows_of_tile(Py_ssize_t classes) noexcept nogil:
    return TILE if classes * TILE <= ROOM else TILE // 2


cdef double tile_across(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """Rows row … row+n-1, one class after the other; returns the sum of their values."""
    cdef real x_tile[ROOM]
    cdef real e_tile[ROOM]
    cdef real hs[TILE]
    cdef real ts[TILE]
    cdef real m[TILE]
    cdef real s[TILE]
    cdef real log[TILE]
    cdef real inverse[TILE]
    cdef real sigma[TILE]
    cdef real omega[TILE]
    cdef real x_y[TILE]
    cdef real e_y[TILE]
    cdef real values[TILE]
    cdef real first[TILE]
    cdef double total[TILE]
    cdef double lost[TILE]
    cdef double rest[TILE]
    cdef double again[TILE]
    cdef double wholes[TILE]
    cdef double sum_tau[TILE]
    cdef double lost_tau[TILE]
    cdef double sum_value[TILE]
    cdef int64_t labels[TILE]
    cdef Stats stats
    cdef char *base_x = base_of(job, R_X, row)
    cdef char *base_t = base_of(job, R_T, row)
    cdef char *base_v = base_of(job, R_V, row)
    cdef char *base_g = base_of(job, R_G, row)
    cdef char *base_h = base_of(job, R_H, row)
    cdef const real *w = <const real *> job.weight
    cdef const real *x
    cdef Py_ssize_t x_next                   # from one class to the next, in items
    cdef const real *xj
    cdef real *e
    cdef real *ej
    cdef Py_ssize_t e_next
    cdef real *g
    cdef real xi, mi, ei
    cdef int confident = 0
    cdef Py_ssize_t r, j, classes = job.classes, tile = rows_of_tile(classes)
    cdef real scale = <real> job.scale
    cdef bint by_label = job.what == CROSS_ENTROPY and job.target <= SMOOTHED_CLASS, any_ignored = False
    cdef real *h = place_lanes(job, R_H, base_h, 0, <real *> hs) if base_h != NULL else NULL

    # x: in place, or class by class into a tile
    if lanes_lie_flat(job, R_X):
        x = <const real *> base_x
        x_next = class_step(job, R_X) // <Py_ssize_t> sizeof(real)
    else:
        for j in range(classes):
            load_lanes(job, R_X, base_x, j, n, <real *> x_tile + j * tile)
        x = <const real *> x_tile
        x_next = tile
    # E: in the gradient's place, in a tile, or (where it is not needed again) in one buffer
    if base_g != NULL and lanes_lie_flat(job, R_G):
        e = <real *> base_g
        e_next = class_step(job, R_G) // <Py_ssize_t> sizeof(real)
    else:
        e = <real *> e_tile
        e_next = tile if classes <= FEW else 0

    for r in range(n):
        m[r] = x[r]
        total[r] = 0
        lost[r] = 0
    for j in range(1, classes):
        xj = x + j * x_next
        for r in range(n):
            xi = xj[r]
            mi = m[r]
            m[r] = xi if xi > mi else mi
    for j in range(classes):
        xj = x + j * x_next
        ej = e + j * e_next
        for r in range(n):
            ej[r] = exp_gap(xj[r], m[r])
        for r in range(n):
            accumulate(ej[r], &total[r], &lost[r])
    for r in range(n):
        rest[r] = (total[r] - 1) + lost[r]
        confident += is_confident(total[r])
    if confident:
        for r in range(n):
            again[r] = 0
            lost[r] = 0
        for j in range(classes):
            xj = x + j * x_next
            ej = e + j * e_next
            if e_next == 0:
                for r in range(n):
                    ej[r] = exp_gap(xj[r], m[r])
            for r in range(n):
                ei = ej[r]
                accumulate(0 if ei == 1 else ei, &again[r], &lost[r])
        for r in range(n):
            rest[r] = again[r] + lost[r] if is_confident(total[r]) else rest[r]
    for r in range(n):
        s[r] = <real> rest[r]
        log[r] = log1p(s[r])
        wholes[r] = 1 + rest[r]
        inverse[r] = <real> (1 / wholes[r])
    for r in range(n):
        if m[r] - m[r] != 0:
            stats = stats_of(0, True, limit_row(m[r], x + r, x_next, e + r, e_next, classes), &m[r])
            s[r] = <real> stats.s
            log[r] = <real> stats.log
            wholes[r] = stats.whole
            inverse[r] = <real> (1 / stats.whole)

    for r in range(n):
        omega[r] = 1
        values[r] = 0
        sum_tau[r] = 0
        lost_tau[r] = 0
        sum_value[r] = 0
        lost[r] = 0
    if by_label:
        any_ignored = load_labels(job, base_t, n, labels)
    if job.what == LOGSUMEXP:
        for r in range(n):
            values[r] = m[r] + log[r]
    elif job.what == SOFTMAX and job.operands[<int> R_F].data != NULL:
        load_rows(job, R_F, base_of(job, R_F, row), job.operands[<int> R_F].load, n, <real *> omega)
    elif job.what == CROSS_ENTROPY and job.target == CLASS:
        for r in range(n):
            j = labels[r] if labels[r] > 0 else 0
            x_y[r] = x[j * x_next + r]
            e_y[r] = e[j * e_next + r]
            if w != NULL:
                omega[r] = w[j]
        for r in range(n):
            sum_tau[r] = omega[r]
            values[r] = xlogy_term(omega[r], distance(x_y[r], m[r], s[r]) + log[r])
    elif job.what == CROSS_ENTROPY:
        for j in range(classes):
            xj = x + j * x_next
            lanes_tau(job, base_t, labels, j, n, e + j * e_next, <const real *> inverse, <real *> ts)
            for r in range(n):
                accumulate(ts[r], &sum_tau[r], &lost_tau[r])
                accumulate(xlogy_term(ts[r], distance(xj[r], m[r], s[r]) + log[r]), &sum_value[r], &lost[r])
        for r in range(n):
            sum_tau[r] = regained(sum_tau[r], lost_tau[r])
            values[r] = <real> regained(sum_value[r], lost[r])
    if any_ignored:
        blank_lanes(<const int64_t *> labels, n, <real *> values)
    if base_v != NULL:
        job.operands[<int> R_V].store(base_v, row_step(job, R_V), n, values)
    if base_g == NULL:
        return block_sum(<const real *> values, n) if job.summed else 0

    for r in range(n):
        sigma[r] = <real> (sum_tau[r] * job.scale)
        first[r] = <real> (sum_tau[r] * job.scale / wholes[r])
    for j in range(classes):
        g = e + j * e_next
        if base_h != NULL:
            h = place_lanes(job, R_H, base_h, j, <real *> hs)
            for r in range(n):
                h[r] = curvature(g[r], s[r], first[r], inverse[r])
            if any_ignored:
                blank_lanes(<const int64_t *> labels, n, h)
            store_lanes(job, R_H, base_h, j, n, h)
        if job.what == SOFTMAX:
            for r in range(n):
                g[r] = g[r] * inverse[r] * omega[r]
        elif job.what == LOG_SOFTMAX:
            for r in range(n):
                g[r] = -(distance(x[j * x_next + r], m[r], s[r]) + log[r])
        elif job.target == CLASS:
            for r in range(n):
                g[r] = g[r] * first[r]
        else:
            lanes_tau(job, base_t, labels, j, n, <const real *> g, <const real *> inverse, <real *> ts)
            for r in range(n):
                g[r] = slope(g[r], ts[r] * scale, sigma[r], s[r], inverse[r])
        if any_ignored:
            blank_lanes(<const int64_t *> labels, n, g)
    if job.what == CROSS_ENTROPY and job.target == CLASS:
        for r in range(n):
            e_y[r] = slope(e_y[r], sigma[r], sigma[r], s[r], inverse[r])
        for r in range(n):
            if labels[r] >= 0:
                e[labels[r] * e_next + r] = e_y[r]
    if e == <real *> e_tile:
        for j in range(classes):
            store_lanes(job, R_G, base_g, j, n, <const real *> e + j * e_next)
    return block_sum(<const real *> values, n) if job.summed else 0


# ---- one call --------------------------------------------------------------------------------------------------------

cdef double nll_rows(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """n rows of the negative log-likelihood; the input holds log-probabilities, so only the labelled one counts."""
    cdef real values[TILE]
    cdef int64_t labels[TILE]
    cdef const real *w = <const real *> job.weight
    cdef char *base_x = base_of(job, R_X, row)
    cdef char *base_v = base_of(job, R_V, row)
    cdef char *base_g = base_of(job, R_G, row)
    cdef char *base_h = base_of(job, R_H, row)
    cdef Py_ssize_t x_row = row_step(job, R_X), x_class = class_step(job, R_X)
    cdef Py_ssize_t g_row = row_step(job, R_G), h_row = row_step(job, R_H)
    cdef real x, omega
    cdef Py_ssize_t r
    load_labels(job, base_of(job, R_T, row), n, labels)
    for r in range(n):
        if labels[r] < 0:
            values[r] = 0
            continue
        if job.operands[<int> R_X].native:
            x = (<const real *> (base_x + r * x_row + labels[r] * x_class))[0]
        else:
            job.operands[<int> R_X].load(base_x + r * x_row + labels[r] * x_class, 0, job.operands[<int> R_X].swapped, 1, &x)
        omega = w[labels[r]] if w != NULL else <real> 1
        values[r] = xlogy_term(omega, -x)
    if base_v != NULL:
        job.operands[<int> R_V].store(base_v, row_step(job, R_V), n, values)
    for r in range(n):
        if base_g != NULL:
            omega = w[labels[r]] if w != NULL and labels[r] >= 0 else <real> 1
            fill_row(job, R_G, base_g + r * g_row, labels[r], <real> (-omega * job.scale))
        if base_h != NULL:
            fill_row(job, R_H, base_h + r * h_row, -1, <real> 0)
    return block_sum(<const real *> values, n) if job.summed else 0


cdef double rows_span(const real *like, const Rows *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Rows start … stop-1; returns the sum of their values. A tile does not go over the end of the innermost axis."""
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t tile = rows_of_tile(job.classes)
    cdef Py_ssize_t n, length = job.space.shape[job.space.outer - 1] if job.space.outer > 0 else 1
    while start < stop:
        if job.across or job.what == NLL:
            n = min(min(tile, stop - start), length - start % length)
            add(&total, nll_rows(like, job, start, n) if job.what == NLL else tile_across(like, job, start, n))
        else:
            n = 1
            add(&total, row_along(like, job, start))
        start += n
    return result(total)


cdef double run_rows(const real *like, Rows *job, tuple arrays, int class_axes, int threads) except? -1:
    cdef cnp.ndarray array, x = arrays[0], weight = arrays[6]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef int k, axis, ndim = cnp.PyArray_NDIM(x), outer = ndim - class_axes
    cdef Py_ssize_t rows = 1
    cdef bint per_class
    for k in range(6):
        array = arrays[k]
        per_class = k == R_X or k >= R_G or k == R_T and job.target >= DISTRIBUTION
        check_shape(array, x, ndim if per_class else outer)
        describe(&op[k], array, like, ndim)
    if op[<int> R_T].data != NULL:
        job.load_label = _load_label[<int> op[<int> R_T].kind]
    job.classes = 1
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
        if axis < outer:
            rows *= space.shape[axis]
        else:
            job.classes *= space.shape[axis]
    if weight is not None:
        if not is_vector(weight, job.classes, like):
            raise ValueError("kernel: weight is not a vector of the computation's dtype")
        job.weight = cnp.PyArray_DATA(weight)
    if rows == 0 or job.classes == 0:
        return 0
    space.outer = merge_axes(op, 6, space, 0, outer, 0)
    space.ndim = merge_axes(op, 6, space, outer, ndim, space.outer)
    if space.outer > 1 and space.shape[space.outer - 1] < 8:
        # Tiles are made of the innermost axis of rows: let that be a long one.
        axis = longest_axis(space)
        swap_axes(op, 6, space, axis, space.outer - 1)
    for k in range(6):
        op[k].flat = op[k].data != NULL and is_flat(&op[k], space, space.outer, space.ndim)
    job.across = goes_across(job)
    if real is float:
        return run(<Span> <void *> rows_span[float], job, rows, TILE, rows * job.classes, threads)
    else:
        return run(<Span> <void *> rows_span[double], job, rows, TILE, rows * job.classes, threads)


cdef int longest_axis(const Space *space) noexcept:
    cdef int axis, longest = 0
    for axis in range(space.outer):
        if space.shape[axis] > space.shape[longest]:
            longest = axis
    return longest


cdef bint is_vector(cnp.ndarray array, Py_ssize_t n, const real *like) except -1:
    """Whether an array is n aligned native numbers of the computation's dtype in a row."""
    cdef Operand op
    describe(&op, array, like, 1)
    return op.native and cnp.PyArray_NDIM(array) == 1 and cnp.PyArray_SIZE(array) == n and cnp.PyArray_IS_C_CONTIGUOUS(array)


cdef bint goes_across(const Rows *job) noexcept:
    """Whether a call runs over tiles of rows. That takes rows enough for a tile, and few classes or rows that lie side by
    side in memory."""
    if job.space.ndim > job.space.outer + 1 or job.space.outer == 0 or job.space.shape[job.space.outer - 1] < 8:
        return False
    return job.classes <= FEW or lanes_lie_flat(job, R_X) and (job.order == 0 or lanes_lie_flat(job, R_G))


COMPUTATIONS = {"logsumexp": <int> LOGSUMEXP, "softmax": <int> SOFTMAX, "log_softmax": <int> LOG_SOFTMAX,
                "cross_entropy": <int> CROSS_ENTROPY, "nll": <int> NLL}
TARGETS = {"class": <int> CLASS, "smoothed class": <int> SMOOTHED_CLASS, "distribution": <int> DISTRIBUTION,
           "times softmax": <int> TIMES_SOFTMAX}


def rows(int what, int target, int order, bint double_precision, double keep, double spread, object ignored, double scale,
         bint summed, int threads, int class_axes, tuple arrays):
    """Run one class-axis computation; the last `class_axes` axes of x are the classes.

    The arrays are (x, target, factor of each row, value of each row, gradient, hessian, weight of each class), None where
    there is none. `softmax` and `log_softmax` write into the gradient. Labels have been through scan_labels.
    Returns the sum of the values of the rows (0 unless `summed`)."""
    cdef Rows job
    if not 0 <= what <= <int> NLL or not 0 <= target <= <int> TIMES_SOFTMAX or len(arrays) != 7:
        raise ValueError("kernel: no such computation, target or number of operands")
    if (order > 0) != (arrays[4] is not None) or (order > 1) != (arrays[5] is not None):
        raise ValueError("kernel: no array for the derivatives")
    job.what = <Result> what
    job.target = <Target> target
    job.order = order
    job.keep = keep
    job.spread = spread
    job.ignored = ignored
    job.scale = scale
    job.summed = summed
    job.weight = NULL
    if double_precision:
        return run_rows[double](NULL, &job, arrays, class_axes, threads)
    return run_rows[float](NULL, &job, arrays, class_axes, threads)


def scan_labels(cnp.ndarray labels, Py_ssize_t classes, int64_t ignored, cnp.ndarray weight):
    """Look at all labels: (number not ignored, sum of their weights, number of non-zero weights, position of the first
    one outside 0 … classes-1, in C order, or -1). `weight` holds a float32 or float64 for each class, or is None."""
    cdef Space space
    cdef Operand op
    cdef int64_t block[CHUNK]
    cdef int64_t low, high, counts, wraps
    cdef Py_ssize_t i, j, n, valid = 0, nonzero = 0, bad = -1, count = cnp.PyArray_SIZE(labels)
    cdef int axis, ndim = cnp.PyArray_NDIM(labels)
    cdef const double *wide = NULL
    cdef const float *narrow = NULL
    cdef double w, total = 0
    describe(&op, labels, <const double *> NULL, ndim)
    if op.kind > UINT64:
        raise TypeError("kernel: labels must be integers")
    wraps = op.kind == UINT64 and ignored < 0      # a huge label would look like a negative one
    if weight is not None:
        if is_vector(weight, classes, <const double *> NULL):
            wide = <const double *> cnp.PyArray_DATA(weight)
        elif is_vector(weight, classes, <const float *> NULL):
            narrow = <const float *> cnp.PyArray_DATA(weight)
        else:
            raise ValueError("kernel: weight is not a vector of floats")
    space.ndim = ndim
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(labels, axis)
    if count > 0:
        space.ndim = join_axes(&op, 1, &space, 0, ndim, 0)
    with nogil:
        for i from 0 <= i < count by CHUNK:
            n = min(<Py_ssize_t> CHUNK, count - i)
            load_block(&op, _load_label[<int> op.kind], op.data, &space, 0, space.ndim, i, n, <char *> block, sizeof(int64_t))
            low = 0
            high = 0
            for j in range(n):
                counts = (block[j] != ignored) | wraps
                low += counts
                high += counts & (<uint64_t> block[j] >= <uint64_t> classes)
            valid += low
            if high:
                for j in range(n):
                    if (wraps or block[j] != ignored) and not 0 <= block[j] < classes:
                        bad = i + j
                        break
                break
            if wide != NULL or narrow != NULL:
                for j in range(n):
                    if block[j] != ignored:
                        w = wide[block[j]] if wide != NULL else narrow[block[j]]
                        total += w
                        nonzero += w != 0
    return (valid, total, nonzero, bad) if weight is not None else (valid, <double> valid, valid, bad)
