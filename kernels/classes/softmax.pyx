# The softmax of a tile of rows. See softmax.pxd.

from libc.math cimport INFINITY, NAN
from libc.stdint cimport int64_t
from libc.string cimport memcpy
from kernels.classes.rows cimport (
    CHUNK, CLASS, FEW, LONG, R_D, R_F, R_G, R_H, R_L, R_M, R_T, R_V, R_W, R_X, SMOOTHED_CLASS, TIMES_SOFTMAX, Rows,
    base_of, class_step, count_left, fetch_classes, fetch_mask, fill_row, lanes_lie_flat, load_class, load_factors,
    load_labels, mask_classes, may_be_outside, memory, store_classes, report_outside, room, row_step, store_rows)
from kernels.core.numeric cimport exp_gap, log, log1p, real, weighed
from kernels.core.operands cimport Operand, load_mask
from kernels.core.rowmath cimport fl_exp, fl_expf, fl_transpose_in, fl_transpose_inf, fl_transpose_out, fl_transpose_outf, row_max
from kernels.core.sums cimport TILE, add_values, many

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

cdef void cap_block(double cap, const real *x, real *block, Py_ssize_t n) noexcept nogil:
    cdef real unused, unused2
    cdef Py_ssize_t i
    for i in range(n):
        block[i] = soft_cap(x[i], cap, &unused, &unused2)

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
    """A piece of a line, changed, and -inf for what is left out."""
    cdef double factor = v.change.factor
    cdef Py_ssize_t i
    if v.change.cap:
        cap_block(v.change.cap, x, block, n)
    elif factor != 1:
        for i in range(n):
            block[i] = <real> (x[i] * factor)
    elif x != block:
        memcpy(block, x, n * sizeof(real))
    if v.masked:
        mask_line(job, v, line, start, n, block, <real> -INFINITY)

cdef const real *raw_line(const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line before it is changed and masked."""
    if v.raw != NULL:
        return <const real *> v.raw + line * v.raw_step + start
    return fetch_classes(job, R_X, v.base_x, start, n, block)

cdef const real *x_piece(const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line of the input that is not in memory as it is needed."""
    cdef real raw[CHUNK]
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
        fl_expf(x, m[0], e, n)
    else:
        fl_exp(x, m[0], e, n)

cdef inline void limit_lanes(const real *x, const real *m, real *e, Py_ssize_t n) noexcept nogil:
    """The exponentials of a line where the row's maximum is infinite."""
    cdef Py_ssize_t i
    for i in range(n):
        e[i] = e[i] if m[i] - m[i] == 0 else (<real> 1 if x[i] == m[i] else (x[i] - x[i] if x[i] != x[i] else <real> 0))

cdef const real *e_piece(Layout l, const Rows *job, const View *v, const real *rows, Py_ssize_t line, Py_ssize_t start,
                         Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line of exponentials that are not kept."""
    cdef real xs[CHUNK]
    cdef const real *x
    cdef const real *m = rows + <int> M * <int> TILE
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

cdef void store_line(Layout l, const Rows *job, const View *v, int k, char *base, Py_ssize_t line, Py_ssize_t start,
                          Py_ssize_t n, const real *block) noexcept nogil:
    if Layout is Across:
        if not lanes_lie_flat(job, k):
            job.operands[k].store(base + line * class_step(job, k), row_step(job, k), n, block)
    else:
        store_classes(job, k, base + line * row_step(job, k), start, n, block)

cdef void prepare_tile(const Rows *job, View *v, Py_ssize_t row, Py_ssize_t n, Change change, real *x_tile,
                       real *e_tile, real *raw_tile) noexcept nogil:
    """Fill a View in: bring the input to where the loops can read it, and find room for the exponentials. Capped scores are
    looked at as they were before, too: these go to the `raw_tile`."""
    cdef const Operand *x = &job.operands[<int> R_X]
    cdef Py_ssize_t j, classes = job.classes, step = row_step(job, R_X) // <Py_ssize_t> sizeof(real)
    cdef bint fits = many(classes, job.tile if job.across else n) <= room(x_tile)
    cdef real *copy = raw_tile if change.cap else x_tile
    cdef const real *line
    v.row = row
    v.n = n
    v.change = change
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
    v.base_d = base_of(job, R_D, row)
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
                fl_transpose_inf(<const float *> v.base_x, step, n, classes, job.tile, copy, e_tile)
            else:
                fl_transpose_in(<const double *> v.base_x, step, n, classes, job.tile, copy, e_tile)
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
    if change.cap:
        v.raw = raw_tile
        v.raw_step = v.x_step
        for j in range(v.lines):
            change_line(job, v, j, 0, v.length, <const real *> raw_tile + j * v.x_step, x_tile + j * v.x_step)
    elif changes(v):
        for j in range(v.lines):
            change_line(job, v, j, 0, v.length, <const real *> x_tile + j * v.x_step, x_tile + j * v.x_step)


# ---- m, S and what follows from them ---------------------------------------------------------------------------------

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
        if v.change.cap and job.across:
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

cdef void sum_exponentials(const Rows *job, const View *v, real *rows, double *wide) noexcept nogil:
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

cdef const real *target_line(Layout l, const Rows *job, int k, const char *base, Py_ssize_t line, Py_ssize_t start,
                                    Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line of what goes with the input item by item."""
    if Layout is Across:
        if lanes_lie_flat(job, k):
            return <const real *> (base + line * class_step(job, k))
        job.operands[k].load(base + line * class_step(job, k), row_step(job, k), job.operands[k].swapped, n, block)
        return block
    else:
        return fetch_classes(job, k, base + line * row_step(job, k), start, n, block)

cdef void blank_line(const int64_t *labels, Py_ssize_t n, real *block) noexcept nogil:
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

cdef void tau_line(Layout l, const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n,
                          const int64_t *labels, const real *e, const real *own, real *tau, bint checked) noexcept nogil:
    """A piece of a line of the target distribution; where it is read for the first time it is `checked`."""
    cdef const real *w = <const real *> job.weight
    cdef real omegas[CHUNK]
    cdef const real *t
    cdef const real *omega
    cdef real target_offset = <real> job.target_offset, both = <real> (job.target_scale + job.target_offset), target_scale, factor
    cdef Py_ssize_t i
    if job.target == SMOOTHED_CLASS:
        if v.masked and target_offset > 0:
            target_scale = <real> job.target_scale
            for i in range(n):
                tau[i] = own[<int> TARGET_OFFSET * <int> TILE + at(l, i)]
            if Layout is Across:
                for i in range(n):
                    tau[i] = target_scale + tau[i] if labels[i] == line else tau[i]
            elif start <= labels[line] < start + n:
                tau[labels[line] - start] += target_scale
        elif Layout is Across:
            for i in range(n):
                tau[i] = both if labels[i] == line else target_offset
        else:
            for i in range(n):
                tau[i] = target_offset
            if start <= labels[line] < start + n:
                tau[labels[line] - start] = both
    else:
        t = target_line(l, job, R_T, v.base_t, line, start, n, tau)
        if checked and job.most == job.most and may_be_outside(job, t, n):
            check_line(l, job, v, line, start, n, labels, t)
        if job.target == TIMES_SOFTMAX:
            for i in range(n):
                tau[i] = t[i] * (e[i] * own[<int> SHARE * <int> TILE + at(l, i)])
        elif v.masked and target_offset > 0:
            for i in range(n):
                tau[i] = <real> (t[i] * job.target_scale + own[<int> TARGET_OFFSET * <int> TILE + at(l, i)])
        elif job.target_scale == 1 and target_offset == 0:
            for i in range(n):
                tau[i] = t[i]
        else:
            for i in range(n):
                tau[i] = <real> (t[i] * job.target_scale + job.target_offset)
    if w != NULL:
        if Layout is Across:
            factor = w[line]
            for i in range(n):
                tau[i] = weighed(factor, tau[i])
        else:
            for i in range(n):
                tau[i] = weighed(w[start + i], tau[i])
        if job.target == SMOOTHED_CLASS and target_offset == 0:      # a nan of another class has no part
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
                found |= (valid[j] != 0) & ((t[j] != 0) | (job.target_offset != 0))
        elif job.target_offset != 0:
            for j in range(n):
                found |= valid[j] != 0
        elif i <= label < i + n:
            found |= valid[label - i] != 0
    return not found

cdef bint prepare_targets(const Rows *job, const View *v, bint by_class, int64_t *labels, real *rows) noexcept nogil:
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
            rows[<int> TARGET_OFFSET * <int> TILE + r] = <real> (job.target_offset * job.classes / left[r]) if left[r] > 0 else 0
            labels[r] = -1 if left[r] == 0 else labels[r]
            ignored |= left[r] == 0
    return ignored


# ---- what is left of a tile -------------------------------------------------------------------------------------------

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

cdef void finish_values(const Rows *job, const View *v, const real *rows, const double *values) noexcept nogil:
    """Store the rows' values, and logsumexps where they are wanted; add the values up where that is wanted."""
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
    if job.summed:
        add_values(&job.team, values, v.n)

cdef void store_tile(const Rows *job, const View *v, real *tile, real *spare) noexcept nogil:
    """Bring a gradient that was computed side by side to where it belongs."""
    cdef Py_ssize_t j, step = row_step(job, R_G) // <Py_ssize_t> sizeof(real)
    if (job.operands[<int> R_G].native and class_step(job, R_G) == job.operands[<int> R_G].itemsize and step >= job.classes
            and job.classes <= FEW):
        if real is float:
            fl_transpose_outf(tile, spare, <float *> v.base_g, step, v.n, job.classes, job.tile)
        else:
            fl_transpose_out(tile, spare, <double *> v.base_g, step, v.n, job.classes, job.tile)
    elif lanes_lie_flat(job, R_G):
        for j in range(job.classes):
            memcpy(v.base_g + j * class_step(job, R_G), tile + j * job.tile, v.n * sizeof(real))
    else:
        for j in range(job.classes):
            job.operands[<int> R_G].store(v.base_g + j * class_step(job, R_G), row_step(job, R_G), v.n, tile + j * job.tile)

cdef void gather_target_logits(const Rows *job, const View *v, const int64_t *labels, real *x_y) noexcept nogil:
    """The input's item of each row's own class; of the first class where the row is ignored."""
    cdef const real *x = <const real *> v.x
    cdef Py_ssize_t r, row = 1 if job.across else v.x_step, column = v.x_step if job.across else 1
    if x != NULL:
        for r in range(v.n):
            x_y[r] = x[(labels[r] if labels[r] > 0 else 0) * column + r * row]
    else:
        for r in range(v.n):
            x_y[r] = load_class(job, R_X, v.base_x + r * row_step(job, R_X), labels[r] if labels[r] > 0 else 0, x)
