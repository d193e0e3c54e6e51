# One call of a loss over a class axis, and blocks of classes read and written. See rows.pxd.

cimport numpy as cnp
from libc.math cimport NAN
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from fusedloss.capi cimport BAD_CALL, NO_MEMORY, OK, Loss
from kernels.core.call cimport adjusted_hess, capsule_of, lay_out, read_hess_options, read_parameters, register_name
from kernels.core.numeric cimport real
from kernels.core.operands cimport (
    DOUBLE, FLOAT, INT64, Operand, Space, check_shape, describe, describe_memory, is_exactly, join_axes, label_loader,
    load_block, merge_axes, offset_of, swap_axes)
from kernels.core.rowmath cimport add_row
from kernels.core.sums cimport (
    SPANS, TILE, WATCHED, Exact, Span, accumulate, add_values, allocate, exact_of, many, run_alone, run_from)

cnp.import_array()


# ---- what has no class axis ------------------------------------------------------------------------------------------

cdef bint load_labels(const Rows *job, Py_ssize_t row, Py_ssize_t n, bint by_class, int64_t *labels, const real *like) noexcept nogil:
    """The labels of n rows, 0 where the target is of another kind; -1 for rows that count for nothing, and whether there are
    such. Nothing counts that is ignored, has the weight 0, `by_class` also as the weight of its class, or names a class that
    is left out: so do rows of which nothing is left. scan_rows has found no other, and no label out of range, but other
    threads may have written to the array since, and memory safety does not rest on them."""
    cdef real factors[TILE]
    cdef real valid
    cdef const real *w = <const real *> job.weight
    cdef Py_ssize_t r
    cdef int64_t none = 0
    if job.target <= SMOOTHED_CLASS:
        job.load_label(base_of(job, R_T, row), row_step(job, R_T), job.operands[<int> R_T].swapped, n, labels)
        for r in range(n):
            labels[r] = -1 if (labels[r] == job.ignored) | (<uint64_t> labels[r] >= <uint64_t> job.classes) else labels[r]
        if w != NULL and by_class:
            for r in range(n):
                labels[r] = -1 if w[labels[r] if labels[r] > 0 else 0] == 0 else labels[r]
        if is_masked(job):
            for r in range(n):
                if labels[r] >= 0:
                    fetch_mask(job, base_of(job, R_M, row) + r * row_step(job, R_M), labels[r], 1, &valid)
                    labels[r] = -1 if valid == 0 else labels[r]
    else:
        memset(labels, 0, n * sizeof(int64_t))
        if job.operands[<int> R_F].data == NULL:
            return False
    if job.operands[<int> R_F].data != NULL:
        load_rows(job, R_F, row, n, <real *> factors)
        for r in range(n):
            labels[r] = -1 if factors[r] == 0 else labels[r]
    for r in range(n):
        none |= labels[r]
    return none < 0

cdef void load_factors(const Rows *job, Py_ssize_t row, Py_ssize_t n, real *factors) noexcept nogil:
    """The factors of n rows, 1 where there are none."""
    cdef Py_ssize_t r
    if job.operands[<int> R_F].data != NULL:
        load_rows(job, R_F, row, n, factors)
    else:
        for r in range(n):
            factors[r] = 1


cdef void finish_rows(const Rows *job, Py_ssize_t row, Py_ssize_t n, const real *values) noexcept nogil:
    """Store the values of n rows, and add them up where that is wanted."""
    store_rows(job, R_V, row, n, values)
    if job.summed:
        add_values(&job.team, values, n)


# ---- the classes of one row ------------------------------------------------------------------------------------------

cdef void mask_classes(const Rows *job, const char *base, Py_ssize_t start, Py_ssize_t n, real *block, real x) noexcept nogil:
    """x for those of the classes in a block that are left out."""
    cdef real valid[CHUNK]
    cdef Py_ssize_t i, j, size
    for i from 0 <= i < n by CHUNK:
        size = min(<Py_ssize_t> CHUNK, n - i)
        fetch_mask(job, base, start + i, size, <real *> valid)
        for j in range(size):
            block[i + j] = block[i + j] if valid[j] != 0 else x

cdef Py_ssize_t count_left(const Rows *job, const char *base, const real *like) noexcept nogil:
    """How many classes of a row are not left out; `base` is where the row starts in the mask."""
    cdef real valid[CHUNK]
    cdef Py_ssize_t i, j, n, count = 0
    if base == NULL:
        return job.classes
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        fetch_mask(job, base, i, n, <real *> valid)
        for j in range(n):
            count += valid[j] != 0
    return count

cdef void fill_row(const Rows *job, int k, char *base, int64_t label, real x) noexcept nogil:
    """A row of zeros, but for x at `label` (none where that is negative); nothing where there is no such output."""
    cdef real block[CHUNK]
    cdef real *out
    cdef Py_ssize_t i, j, n
    if base == NULL:
        return
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        out = output_or_buffer(job, k, base, i, <real *> block)
        for j in range(n):
            out[j] = 0
        if i <= label < i + n:
            out[label - i] = x
        store_classes(job, k, base, i, n, <const real *> out)

cdef bint is_empty(const Operand *mask, const Space *space, int outer, Py_ssize_t row) noexcept nogil:
    """Whether all classes of a row are left out."""
    cdef double valid[CHUNK]
    cdef const char *base = mask.data + offset_of(mask, space, 0, outer, row)
    cdef Py_ssize_t i, j, n, classes = space.shape[outer]
    for i from 0 <= i < classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, classes - i)
        mask.load(base + i * mask.strides[outer], mask.strides[outer], mask.swapped, n, valid)
        for j in range(n):
            if valid[j] != 0:
                return False
    return True


# ---- rows along their classes ------------------------------------------------------------------------------------------

cdef void set_rows(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, const real *x) noexcept nogil:
    """Rows of one number each, but for 0 where a class is left out; nothing where there is no such output."""
    cdef real block[CHUNK]
    cdef real *out
    cdef Row at
    cdef char *base
    cdef Py_ssize_t r, q, i, j, m, size, group = rows_at_once(job)
    if job.operands[k].data == NULL:
        return
    for r from 0 <= r < n by group:
        m = min(group, n - r)
        at = row_at(job, row + r)
        base = at.g if k == R_G else at.h
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            out = run_or_buffer(job, k, base, m, i, size, <real *> block)
            for q in range(m):
                for j in range(size):
                    out[q * size + j] = x[r + q]
            if at.m != NULL:
                mask_run(job, &at, m, i, size, out, <real> 0)
            store_run(job, k, base, m, i, size, <const real *> out)

cdef const real *fetch_run(const Rows *job, int k, const char *base, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                                  real *block) noexcept nogil:
    cdef const real *x
    cdef Py_ssize_t r, j
    if are_one_run(job, k, rows, n):
        return fetch_classes(job, k, base, start, n, block)
    for r in range(rows):
        x = fetch_classes(job, k, base + r * row_step(job, k), 0, n, block + r * n)
        if x != block + r * n:
            for j in range(n):
                block[r * n + j] = x[j]
    return block

cdef void store_run(const Rows *job, int k, char *base, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                         const real *block) noexcept nogil:
    cdef real *out
    cdef Py_ssize_t r, j
    if base == NULL or job.operands[k].flat and are_one_run(job, k, rows, n):
        return
    for r in range(rows):
        if job.operands[k].flat:
            out = <real *> (base + r * row_step(job, k))
            for j in range(n):
                out[j] = block[r * n + j]
        else:
            store_classes(job, k, base + r * row_step(job, k), start, n, block + r * n)

cdef void add_run(const real *v, Py_ssize_t rows, Py_ssize_t n, Sum *sums) noexcept nogil:
    """Add each row of a run to a sum; four short rows at a time, as each addition waits for the one before it."""
    cdef Sum four[4]
    cdef Py_ssize_t r = 0, j, k
    while n < 16 and r + 4 <= rows:
        for k in range(4):
            four[k] = sums[r + k]
        for j in range(n):
            for k in range(4):
                accumulate(v[(r + k) * n + j], &four[k].total, &four[k].lost)
        for k in range(4):
            sums[r + k] = four[k]
        r += 4
    while r < rows:
        add_row(v + r * n, n, &sums[r].total, &sums[r].lost)
        r += 1

cdef void mask_run(const Rows *job, const Row *at, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n, real *block, real x) noexcept nogil:
    """x for what is left out of a run."""
    cdef const Operand *mask = &job.operands[<int> R_M]
    cdef real valid[CHUNK]
    cdef Py_ssize_t r, step = class_step(job, R_M)
    if (rows > 1 and job.space.ndim == job.space.outer + 1 and row_step(job, R_M) == n * step
            and mask.itemsize <= <Py_ssize_t> sizeof(real)):
        mask.load(at.m, step, mask.swapped, rows * n, valid)      # the rows follow each other, and no number becomes 0
        for r in range(rows * n):
            block[r] = block[r] if valid[r] != 0 else x
        return
    for r in range(rows):
        mask_classes(job, at.m + r * row_step(job, R_M), start, n, block + r * n, x)

cdef const real *masked_run(const Rows *job, const Row *at, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n, const real *x,
                            real *block, real value) noexcept nogil:
    """A run, with a value for what is left out, in `block`, where it may be already."""
    if x != block:
        memcpy(block, x, rows * n * sizeof(real))
    mask_run(job, at, rows, start, n, block, value)
    return block


# ---- losses of one class for each row ----------------------------------------------------------------------------------

cdef void load_own(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, const int64_t *labels, real *x) noexcept nogil:
    """The number of each row's own class; that of class 0 where the label is negative."""
    cdef const char *base = base_of(job, k, row)
    cdef Py_ssize_t r, step = row_step(job, k)
    if job.operands[k].flat:
        for r in range(n):
            x[r] = (<const real *> (base + r * step))[labels[r] if labels[r] > 0 else 0]
    else:
        for r in range(n):
            x[r] = load_class(job, k, base + r * step, labels[r] if labels[r] > 0 else 0, x)

cdef void store_own(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, const int64_t *labels, const real *x) noexcept nogil:
    """The same of an output; nothing where the label is negative."""
    cdef char *base = base_of(job, k, row)
    cdef Py_ssize_t r, step = row_step(job, k)
    if job.operands[k].flat:
        for r in range(n):
            if labels[r] >= 0:
                (<real *> (base + r * step))[labels[r]] = x[r]
    else:
        for r in range(n):
            if labels[r] >= 0:
                store_class(job, k, base + r * step, labels[r], x[r])

cdef void load_labelled(const Rows *job, Py_ssize_t row, Py_ssize_t n, Labelled *tile, const real *like) noexcept nogil:
    """Labels and weights of n rows."""
    cdef const real *w = <const real *> job.weight
    cdef real factors[TILE]
    cdef const char *mask = base_of(job, R_M, row)
    cdef Py_ssize_t r
    load_labels(job, row, n, True, tile.labels, like)
    load_factors(job, row, n, <real *> factors)
    for r in range(n):
        tile.y[r] = tile.labels[r] if tile.labels[r] > 0 else 0
        tile.omega[r] = factors[r]
        tile.left[r] = job.classes
    if w != NULL:
        for r in range(n):
            tile.omega[r] *= w[tile.y[r]]
    if mask != NULL:
        for r in range(n):
            tile.left[r] = max(<Py_ssize_t> 1, count_left(job, mask + r * row_step(job, R_M), like))

cdef void finish_labelled(const Rows *job, Py_ssize_t row, Py_ssize_t n, const Labelled *tile, real *values) noexcept nogil:
    """Store the values, and the derivatives of rows that count for nothing or whose value is NaN; add the values up where
    that is wanted."""
    cdef Py_ssize_t r
    for r in range(n):
        values[r] = 0 if tile.labels[r] < 0 else values[r]
        if job.order > 0 and (tile.labels[r] < 0 or values[r] != values[r]):
            set_rows(job, R_G, row + r, 1, <const real *> values + r)
            set_rows(job, R_H, row + r, 1, <const real *> values + r)
    finish_rows(job, row, n, <const real *> values)


# ---- second derivatives with a scale and a floor -----------------------------------------------------------------------

cdef bint load_floors(const Rows *job, Py_ssize_t row, Py_ssize_t n, real *floors) noexcept nogil:
    """The floor of n rows, times their weights; NaN, which is none, where a row counts for nothing. Whether they are one
    number."""
    cdef const real *w = <const real *> job.weight
    cdef int64_t labels[TILE]
    cdef Py_ssize_t r
    cdef bint by_class = job.target == CLASS and w != NULL
    cdef bint ignored = load_labels(job, row, n, by_class, labels, <const real *> floors)
    load_factors(job, row, n, floors)
    for r in range(n):
        if labels[r] < 0:
            floors[r] = <real> NAN
        else:
            floors[r] = <real> (job.hess_options.floor * job.scale * (<double> floors[r] * w[labels[r]] if by_class else floors[r]))
    return not ignored and not by_class and job.operands[<int> R_F].data == NULL

cdef void adjust_hess_across(const Rows *job, Py_ssize_t row, Py_ssize_t n, const real *floors) noexcept nogil:
    """Rows that follow each other in memory, one class after the other."""
    cdef const Operand *op = &job.operands[<int> R_H]
    cdef char *base = base_of(job, R_H, row)
    cdef real scale = <real> job.hess_options.scale
    cdef real block[TILE]
    cdef real *h
    cdef Py_ssize_t k, r
    for k in range(job.classes):
        h = <real *> base if op.native else <real *> block
        if not op.native:
            op.load(base, op.itemsize, False, n, block)
        for r in range(n):
            h[r] = adjusted_hess(h[r], scale, floors[r])
        if not op.native:
            op.store(base, op.itemsize, n, block)
        base += class_step(job, R_H)

cdef void adjust_hess_tile(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """max(scale h, floor) of the second derivatives of a tile, which are written; what is left out stays 0."""
    cdef real floors[TILE]
    cdef real block[CHUNK]
    cdef real wide[<int> CHUNK + <int> STEP]
    cdef real scale = <real> job.hess_options.scale
    cdef real *h
    cdef real floor
    cdef Row at
    cdef Py_ssize_t r, i, j, m, size, group = rows_at_once(job)
    cdef bint alike = load_floors(job, row, n, <real *> floors)
    floor = floors[0]
    if (n > 1 and row_step(job, R_H) == job.operands[<int> R_H].itemsize and job.space.ndim == job.space.outer + 1
            and not is_masked(job)):
        adjust_hess_across(job, row, n, <const real *> floors)
        return
    for r from 0 <= r < n by group:
        m = min(group, n - r)
        at = row_at(job, row + r)
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            h = <real *> fetch_run(job, R_H, at.h, m, i, size, <real *> block)
            if alike:
                for j in range(m * size):
                    h[j] = adjusted_hess(h[j], scale, floor)
            else:
                broadcast_rows(<const real *> floors + r, m, size, <real *> wide)
                for j in range(m * size):
                    h[j] = adjusted_hess(h[j], scale, wide[j])
            if at.m != NULL:
                mask_run(job, &at, m, i, size, h, <real> 0)
            store_run(job, R_H, at.h, m, i, size, <const real *> h)


# ---- one call --------------------------------------------------------------------------------------------------------

cdef double rows_span(const void *like, const Rows *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Rows start … stop-1. A tile does not go over the end of the innermost axis."""
    cdef Py_ssize_t n, length = job.space.shape[job.space.outer - 1] if job.space.outer > 0 else 1, unwatched = 0
    while start < stop:
        n = min(min(job.tile, stop - start), length - start % length)
        job.loss(NULL, job, start, n)
        if job.hess_options.asked and job.adjust_hess_tile != NULL:
            job.adjust_hess_tile(NULL, job, start, n)
        start += n
        unwatched += many(n, job.classes)
        if unwatched >= WATCHED:
            unwatched = 0
            if stops(job):
                break
    return 0


cdef int longest_axis(const Space *space) noexcept nogil:
    cdef int axis, longest = 0
    for axis in range(space.outer):
        if space.shape[axis] > space.shape[longest]:
            longest = axis
    return longest


cdef bint goes_across(const Rows *job) noexcept nogil:
    """Whether a call runs over tiles of rows side by side. That takes rows enough for a tile, and few classes or rows that
    lie so in memory."""
    if job.space.ndim > job.space.outer + 1 or job.space.outer == 0 or job.space.shape[job.space.outer - 1] < 8:
        return False
    return job.classes <= FEW or (lanes_lie_flat(job, R_X) and (job.order == 0 or lanes_lie_flat(job, R_G))
                                  and (not job.of_scores or lanes_lie_flat(job, R_T)) and not is_masked(job))


cdef Py_ssize_t rows_of_tile(const Rows *job, const real *like) noexcept nogil:
    cdef Py_ssize_t rows
    if job.across:
        rows = TILE if many(job.classes, <int> TILE) <= room(like) else TILE // 2
        return min(rows, (job.space.shape[job.space.outer - 1] + 15) // 16 * 16)
    return max(<Py_ssize_t> 1, min(<Py_ssize_t> TILE // 2, room(like) // job.classes)) if job.classes <= LONG else 1


cdef bint is_vector(cnp.ndarray array, Py_ssize_t n, const real *like) except -1:
    """Whether an array is n aligned native numbers of the computation's dtype in a row."""
    cdef Operand op
    describe(&op, array, like, 1)
    return op.native and cnp.PyArray_NDIM(array) == 1 and cnp.PyArray_SIZE(array) == n and cnp.PyArray_IS_C_CONTIGUOUS(array)


cdef void plan_rows(const real *like, Rows *job, const RowLoss *loss, int outer, int ndim) noexcept nogil:
    """In which order a call goes through its operands; the first `outer` of their axes are the rows."""
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    space.outer = merge_axes(op, <int> ROW_OPERANDS, space, 0, outer, 0)
    if loss.in_order:
        space.ndim = join_axes(op, <int> ROW_OPERANDS, space, outer, ndim, space.outer)
    else:
        space.ndim = merge_axes(op, <int> ROW_OPERANDS, space, outer, ndim, space.outer)
    if space.outer > 1 and space.shape[space.outer - 1] < 8:
        # Tiles are made of the innermost axis of rows: let that be a long one.
        swap_axes(op, <int> ROW_OPERANDS, space, longest_axis(space), space.outer - 1)
    lay_out(op, ROW_OPERANDS, R_V, space, space.outer, False)
    job.in_place = is_exactly(&op[<int> R_G], &op[<int> R_X], space)
    job.of_scores = loss.of_scores
    job.across = loss.across and goes_across(job)
    job.tile = rows_of_tile(job, like)
    job.rooms = NULL
    job.room_size = 0
    if loss.needs != NULL:
        job.room_size = many(loss.needs(job, sizeof(real)) // 64 + 1, 64)      # threads do not share cache lines


cdef double run_rows(const real *like, Rows *job, const RowLoss *loss, tuple arrays, int class_axes, int threads, Exact *to) except? -1:
    cdef cnp.ndarray array, x = arrays[0], weight = arrays[<int> ROW_OPERANDS]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef int k, axis, ndim = cnp.PyArray_NDIM(x), outer = ndim - class_axes
    cdef Py_ssize_t rows = 1, work
    cdef bint per_class
    job.loss = loss.losses[0 if real is float else 1]
    if arrays[<int> R_D] is not None:
        job.loss = loss.products[0 if real is float else 1]
        if job.loss == NULL:
            raise ValueError("kernel: this loss has no products of its Hessian")
    job.adjust_hess_tile = NULL if loss.bends else <AdjustHess> <void *> adjust_hess_tile[real]
    for k in range(<int> ROW_OPERANDS):
        array = arrays[k]
        per_class = k != R_F and k != R_V and k != R_L and (k != R_T or job.target >= DISTRIBUTION)
        check_shape(array, x, ndim if per_class else outer)
        describe(&op[k], array, like, ndim, False, R_V <= k <= R_L)
    if op[<int> R_T].data != NULL:
        job.load_label = label_loader(op[<int> R_T].kind)
    job.classes = 1
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
        if axis < outer:
            rows *= space.shape[axis]
        else:
            job.classes *= space.shape[axis]
    job.weight = NULL
    if weight is not None:
        if not is_vector(weight, job.classes, like):
            raise ValueError("kernel: weight is not a vector of the computation's dtype")
        job.weight = cnp.PyArray_DATA(weight)
    if rows == 0 or job.classes == 0:
        return 0
    plan_rows(like, job, loss, outer, ndim)
    work = many(rows, job.classes)
    if job.room_size == 0:
        return run_from(<Span> <void *> rows_span, job, 0, rows, job.tile, work, threads, &job.team, True, to)
    job.rooms = <char *> allocate(job.room_size, min(max(threads, 1), <int> SPANS), 1)
    try:
        return run_from(<Span> <void *> rows_span, job, 0, rows, job.tile, work, threads, &job.team, True, to)
    finally:
        free(job.rooms)


# ---- the table and the entry ------------------------------------------------------------------------------------------------------

cdef enum:
    MOST_LOSSES = 64      # in the table, at most

cdef RowLoss _row_losses[<int> MOST_LOSSES]

ROWS = {}      # name: number


cdef RowLoss *register_rows(str name, void *narrow, void *wide, int parameters, bint across, bint bends=False) except NULL:
    """Put a loss, a TileLoss of floats and one of doubles, into the table; `across`: whether it can do with rows side by side;
    `bends`: whether it does itself what is asked of second derivatives. What else there is to say can be set in what is returned."""
    cdef RowLoss *loss = &_row_losses[register_name(ROWS, name, MOST_LOSSES, parameters * sizeof(double), ROW_PARAMETERS)]
    loss.losses[0] = <TileLoss> narrow
    loss.losses[1] = <TileLoss> wide
    loss.parameters = parameters
    loss.across = across
    loss.bends = bends
    return loss

cdef int register_product(str name, void *narrow, void *wide) except -1:
    """Put the product of a loss's Hessian with a direction, likewise, to the loss."""
    cdef RowLoss *loss = &_row_losses[<int> ROWS[name]]
    loss.products[0] = <TileLoss> narrow
    loss.products[1] = <TileLoss> wide
    return 0


TARGETS = {"class": <int> CLASS, "smoothed class": <int> SMOOTHED_CLASS, "distribution": <int> DISTRIBUTION,
           "upstream": <int> UPSTREAM, "times softmax": <int> TIMES_SOFTMAX, "list": <int> LIST}


def rows(int loss, tuple parameters, int target, int order, bint double_precision, double target_scale, double target_offset,
         object ignored, double scale, bint summed, int threads, int class_axes, tuple arrays, double most=NAN, tuple hess_options=None,
         exact=None):
    """Run one class-axis computation; the last `class_axes` axes of x are the classes.

    The arrays are (x, target, factor of each row, value of each row, gradient, hessian, logsumexp of each row, mask, factor
    of each item of the target, direction, weight of each class), None where there is none. With a direction the hessian times
    that is written in the gradient's place, by losses of the softmax. `softmax` and `log_softmax` write into the
    gradient. Labels have been through scan_rows. Targets that must lie between 0 and `most` and do not raise LookupError(1, -1):
    `find_outside` finds the first. With a `hess_options`, (scale, floor), second derivatives h become max(scale h, floor), the floor
    times the weight of the row, and of its class where the target is class numbers; a floor that is NaN is none. Returns the sum of the values of the rows (0 unless `summed`), which is also added to `exact`."""
    cdef Rows job
    cdef double values[ROW_PARAMETERS]
    cdef double total
    if not 0 <= loss < len(ROWS) or not 0 <= target <= <int> LIST or len(arrays) != <int> ROW_OPERANDS + 1:
        raise ValueError("kernel: no such loss, target or number of operands")
    if (order > 0) != (arrays[<int> R_G] is not None) or (order > 1) != (arrays[<int> R_H] is not None):
        raise ValueError("kernel: no array for the derivatives")
    if target <= <int> SMOOTHED_CLASS and arrays[<int> R_T] is None:
        raise ValueError("kernel: labels are needed")
    read_parameters(parameters, _row_losses[loss].parameters, values)
    job.parameters = values
    job.target = <Target> target
    job.order = order
    read_hess_options(hess_options if order > 1 else None, &job.hess_options)
    job.target_scale = target_scale
    job.target_offset = target_offset
    job.ignored = ignored
    job.scale = scale
    job.summed = summed
    job.most = most
    job.outside = 0
    if double_precision:
        total = run_rows[double](NULL, &job, &_row_losses[loss], arrays, class_axes, threads, exact_of(exact))
    else:
        total = run_rows[float](NULL, &job, &_row_losses[loss], arrays, class_axes, threads, exact_of(exact))
    if job.outside:
        raise LookupError(<int> R_T, -1)
    return total


# ---- the C interface: a call on contiguous memory, without Python ----------------------------------------------------

cdef Py_ssize_t first_bad_label(const real *like, const int64_t *labels, const real *factors, Py_ssize_t rows,
                                Py_ssize_t classes, int64_t ignored) noexcept nogil:
    """The first row whose label is out of range, is not ignored and has a weight; or OK."""
    cdef Py_ssize_t r
    for r in range(rows):
        if <uint64_t> labels[r] >= <uint64_t> classes and labels[r] != ignored and (factors == NULL or factors[r] != 0):
            return r
    return OK


cdef Py_ssize_t rows_memory(const real *like, const Loss *loss, Py_ssize_t rows, Py_ssize_t classes, const void **places,
                            const real *weight, double scale, double *sum) noexcept nogil:
    """`places` are those of the operands, NULL where there is none. The GIL is not needed."""
    cdef Rows job
    cdef Operand *op = job.operands
    cdef const RowLoss *row_loss = <const RowLoss *> loss.entry
    cdef Py_ssize_t bad
    cdef int k
    cdef double total = 0
    if (rows < 0 or classes < 1 or places[<int> R_X] == NULL or places[<int> R_T] == NULL
            or places[<int> R_H] != NULL and places[<int> R_G] == NULL):
        return BAD_CALL
    bad = first_bad_label(like, <const int64_t *> places[<int> R_T], <const real *> places[<int> R_F], rows, classes,
                          loss.ignore_index)
    if bad >= 0:
        return bad
    for k in range(<int> ROW_OPERANDS):
        describe_memory(&op[k], <void *> places[k], INT64 if k == R_T else FLOAT if real is float else DOUBLE, like)
        op[k].strides[0] = op[k].itemsize
        op[k].strides[1] = 0
        if k == R_X or k == R_G or k == R_H:
            op[k].strides[0] = classes * <Py_ssize_t> sizeof(real)
            op[k].strides[1] = sizeof(real)
    job.loss = row_loss.losses[0 if real is float else 1]
    job.hess_options.asked = False
    job.load_label = label_loader(INT64)
    job.parameters = loss.parameters
    job.target = SMOOTHED_CLASS if loss.by_distribution or loss.label_smoothing != 0 else CLASS
    job.target_scale = 1 - loss.label_smoothing
    job.target_offset = loss.label_smoothing / classes
    job.ignored = loss.ignore_index
    job.classes = classes
    job.weight = weight
    job.scale = scale
    job.summed = sum != NULL
    job.most = NAN
    job.outside = 0
    job.order = 2 if places[<int> R_H] != NULL else 1 if places[<int> R_G] != NULL else 0
    job.space.shape[0] = rows
    job.space.shape[1] = classes
    if rows > 0:
        plan_rows(like, &job, row_loss, 1, 2)
        if job.room_size > 0:
            job.rooms = <char *> malloc(job.room_size)
            if job.rooms == NULL:
                return NO_MEMORY
        bad = run_alone(<Span> <void *> rows_span, &job, rows, job.tile, many(rows, classes), &job.team, True, &total)
        free(job.rooms)
        if bad < 0:
            return NO_MEMORY
    if sum != NULL:
        sum[0] = total
    return OK


cdef Py_ssize_t rows_of_doubles(const Loss *loss, Py_ssize_t rows, Py_ssize_t classes, const double *x, const int64_t *labels,
                                const double *weight, const double *factors, double scale, double *sum, double *v, double *g,
                                double *h) noexcept nogil:
    cdef const void **places = [x, labels, factors, v, g, h, NULL, NULL, NULL, NULL]
    return rows_memory(<const double *> NULL, loss, rows, classes, places, weight, scale, sum)

cdef Py_ssize_t rows_of_floats(const Loss *loss, Py_ssize_t rows, Py_ssize_t classes, const float *x, const int64_t *labels,
                               const float *weight, const float *factors, double scale, double *sum, float *v, float *g,
                               float *h) noexcept nogil:
    cdef const void **places = [x, labels, factors, v, g, h, NULL, NULL, NULL, NULL]
    return rows_memory(<const float *> NULL, loss, rows, classes, places, weight, scale, sum)


def bound(int loss, tuple parameters, double label_smoothing, object ignored, bint by_distribution, bint floats):
    """A loss of class numbers and its parameters for users of fusedloss.h, as a capsule; `floats` says whether it can be
    computed in float32."""
    cdef Loss found
    cdef const RowLoss *entry
    if not 0 <= loss < len(ROWS):
        raise ValueError("kernel: no such loss")
    memset(&found, 0, sizeof(Loss))
    entry = &_row_losses[loss]
    read_parameters(parameters, entry.parameters, <double *> found.parameters)
    found.operands = 2
    found.gradients = 1
    found.label_smoothing = label_smoothing
    found.ignore_index = ignored
    found.by_distribution = by_distribution
    found.entry = entry
    found.rows = rows_of_doubles
    if floats:
        found.rowsf = rows_of_floats
    return capsule_of(&found)
