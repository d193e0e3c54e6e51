# What losses over a class axis share: a call, its tiles of rows, their labels, and blocks of classes read and written.
# Each family includes this after common.pxi and enlists its losses, each a function over one tile.
#
# There are two ways through a tile. `across`: the rows lie side by side, and the loops run over them, one class after the
# other; for few classes, or where the class axis is not the innermost in memory. `along`: row by row, the loops run over
# the classes. Which one is taken, and how many rows make a tile, depends on shapes and strides alone.

cdef extern from "rowmath.h" nogil:
    float rm_maxf(const float *, Py_ssize_t, float)
    double rm_max(const double *, Py_ssize_t, double)
    void rm_sumf(const float *, Py_ssize_t, double *, double *)
    void rm_sum(const double *, Py_ssize_t, double *, double *)
    bint rm_may_be_outsidef(const float *, Py_ssize_t, float)
    bint rm_may_be_outside(const double *, Py_ssize_t, double)

cdef enum:
    CHUNK = 512           # classes that are worked on at once; buffers of so many fit stacks of 128 kB
    LONG = 1024           # rows of so many classes are worked on several at once; longer ones in pieces of so many
    FEW = 32              # classes of rows that are turned to lie side by side
    ROW_PARAMETERS = 4

cdef enum Target:
    CLASS, SMOOTHED_CLASS, DISTRIBUTION
    UPSTREAM                  # τ_j = t_j, a gradient that is carried back through log_softmax
    TIMES_SOFTMAX             # τ_j = p_j t_j, which carries gradients through softmax
    LIST                      # class numbers along the class axis, up to the first -1

ctypedef double (*TileLoss)(const void *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil

cdef struct RowLoss:
    TileLoss losses[2]        # of floats and of doubles
    int parameters
    bint across               # whether it can do with rows side by side

cdef struct Rows:
    Space space
    Operand operands[9]       # x, target, factor of each row; value, gradient, second derivative; logsumexp; mask, weights
    Load load_label
    TileLoss loss
    const double *parameters
    Target target
    Py_ssize_t classes
    double keep, spread       # τ = (keep t + spread) w: label smoothing
    const void *weight        # w, one for each class, or NULL
    double scale              # of gradient and second derivative
    int64_t ignored           # this label counts for nothing
    double most               # targets must lie between 0 and this, unless it is NaN
    int outside               # whether one does not
    bint in_place             # whether the gradient lies where the input lies
    int order
    bint summed
    bint across
    Py_ssize_t tile           # rows of a tile
    Team team

cdef enum:
    R_X, R_T, R_F, R_V, R_G, R_H, R_L
    R_M                       # of the shape of x: 0 where a class is left out of its row
    R_W                       # of the shape of x: a factor of each item of the target
    ROW_OPERANDS


# ---- where things are ------------------------------------------------------------------------------------------------

cdef inline Py_ssize_t row_step(const Rows *job, int k) noexcept nogil:
    """Bytes from one row to the next, along the innermost of the axes of rows."""
    return job.operands[k].strides[job.space.outer - 1] if job.space.outer > 0 else 0

cdef inline Py_ssize_t class_step(const Rows *job, int k) noexcept nogil:
    return job.operands[k].strides[job.space.outer] if job.space.ndim > job.space.outer else 0

cdef inline char *base_of(const Rows *job, int k, Py_ssize_t row) noexcept nogil:
    """Where a row starts in an operand; NULL where there is none."""
    cdef const Operand *op = &job.operands[k]
    return op.data + offset_of(op, &job.space, 0, job.space.outer, row) if op.data != NULL else NULL

cdef inline bint lanes_lie_flat(const Rows *job, int k) noexcept nogil:
    """Whether the rows of a tile are consecutive in memory."""
    return job.operands[k].native and row_step(job, k) == job.operands[k].itemsize and job.space.outer > 0


# ---- what has no class axis ------------------------------------------------------------------------------------------

cdef inline void load_rows(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, real *block) noexcept nogil:
    """An operand's numbers of n rows."""
    job.operands[k].load(base_of(job, k, row), row_step(job, k), job.operands[k].swapped, n, block)

cdef inline void store_rows(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, const real *block) noexcept nogil:
    if job.operands[k].data != NULL:
        job.operands[k].store(base_of(job, k, row), row_step(job, k), n, block)

cdef inline bint is_masked(const Rows *job) noexcept nogil:
    return job.operands[<int> R_M].data != NULL

cdef inline void fetch_mask(const Rows *job, const char *base, Py_ssize_t start, Py_ssize_t n, real *valid) noexcept nogil:
    load_mask(&job.operands[<int> R_M], base, &job.space, job.space.outer, job.space.ndim, start, n, valid)

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

cdef inline void load_factors(const Rows *job, Py_ssize_t row, Py_ssize_t n, real *factors) noexcept nogil:
    """The factors of n rows, 1 where there are none."""
    cdef Py_ssize_t r
    if job.operands[<int> R_F].data != NULL:
        load_rows(job, R_F, row, n, factors)
    else:
        for r in range(n):
            factors[r] = 1

cdef inline bint may_be_outside(const Rows *job, const real *t, Py_ssize_t n) noexcept nogil:
    """Whether to look closer at targets, as one may be outside of its domain; without loss of time."""
    if real is float:
        return rm_may_be_outsidef(t, n, <float> job.most)
    else:
        return rm_may_be_outside(t, n, job.most)

cdef inline void report_outside(const Rows *job) noexcept nogil:
    """A target is outside of its domain. Which one is found when the call is over."""
    (<Rows *> job).outside = 1


# ---- the classes of one row ------------------------------------------------------------------------------------------

cdef inline const real *fetch_classes(const Rows *job, int k, const char *base, Py_ssize_t start, Py_ssize_t n,
                                      real *block) noexcept nogil:
    """Classes start … start+n-1 of the row at `base`, in its array or in `block`."""
    if job.operands[k].flat:
        return <const real *> base + start
    return fetch(&job.operands[k], base, &job.space, job.space.outer, job.space.ndim, start, n, block)

cdef inline void fetch_labels(const Rows *job, const char *base, Py_ssize_t start, Py_ssize_t n, int64_t *block) noexcept nogil:
    """The same of a target that holds class numbers along the class axis."""
    load_block(&job.operands[<int> R_T], job.load_label, base, &job.space, job.space.outer, job.space.ndim, start, n,
               <char *> block, sizeof(int64_t))

cdef inline real *place(const Rows *job, int k, char *base, Py_ssize_t start, real *block) noexcept nogil:
    """Where classes from `start` on are computed: in the output where that can be, else in a buffer."""
    return <real *> base + start if job.operands[k].flat else block

cdef inline void put_classes(const Rows *job, int k, char *base, Py_ssize_t start, Py_ssize_t n, const real *block) noexcept nogil:
    if not job.operands[k].flat:
        put(&job.operands[k], base, &job.space, job.space.outer, job.space.ndim, start, n, block)

cdef inline real load_class(const Rows *job, int k, const char *base, Py_ssize_t index, const real *like) noexcept nogil:
    """One class of a row."""
    cdef const Operand *op = &job.operands[k]
    cdef real x
    if op.flat:
        return (<const real *> base)[index]
    op.load(base + offset_of(op, &job.space, job.space.outer, job.space.ndim, index), 0, op.swapped, 1, &x)
    return x

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
        out = place(job, k, base, i, <real *> block)
        for j in range(n):
            out[j] = 0
        if i <= label < i + n:
            out[label - i] = x
        put_classes(job, k, base, i, n, <const real *> out)


cdef inline void put_class(const Rows *job, int k, char *base, Py_ssize_t index, real x) noexcept nogil:
    """One class of a row of an output; nothing where there is none."""
    cdef const Operand *op = &job.operands[k]
    if base == NULL:
        return
    base += offset_of(op, &job.space, job.space.outer, job.space.ndim, index)
    if op.native:
        (<real *> base)[0] = x
    else:
        op.store(base, 0, 1, &x)


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


# ---- numbers in a row ------------------------------------------------------------------------------------------------

cdef inline real row_max(const real *x, Py_ssize_t n, real m) noexcept nogil:
    """The larger of m and the largest of x; NaN may be passed over."""
    if real is float:
        return rm_maxf(x, n, m)
    else:
        return rm_max(x, n, m)

cdef inline void add_row(const real *v, Py_ssize_t n, double *total, double *lost) noexcept nogil:
    if real is float:
        rm_sumf(v, n, total, lost)
    else:
        rm_sum(v, n, total, lost)

cdef inline double row_sum(const real *v, Py_ssize_t n) noexcept nogil:
    cdef Sum s = Sum(0, 0)
    add_row(v, n, &s.total, &s.lost)
    return result(s)


# ---- one call --------------------------------------------------------------------------------------------------------

cdef double rows_span(const void *like, const Rows *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Rows start … stop-1; returns the sum of their values. A tile does not go over the end of the innermost axis."""
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t n, length = job.space.shape[job.space.outer - 1] if job.space.outer > 0 else 1, unwatched = 0
    while start < stop:
        n = min(min(job.tile, stop - start), length - start % length)
        add(&total, job.loss(NULL, job, start, n))
        start += n
        unwatched += many(n, job.classes)
        if unwatched >= WATCHED:
            unwatched = 0
            if stops(job):
                break
    return result(total)


cdef int longest_axis(const Space *space) noexcept:
    cdef int axis, longest = 0
    for axis in range(space.outer):
        if space.shape[axis] > space.shape[longest]:
            longest = axis
    return longest


cdef bint goes_across(const Rows *job) noexcept:
    """Whether a call runs over tiles of rows side by side. That takes rows enough for a tile, and few classes or rows that
    lie so in memory."""
    if job.space.ndim > job.space.outer + 1 or job.space.outer == 0 or job.space.shape[job.space.outer - 1] < 8:
        return False
    return job.classes <= FEW or (lanes_lie_flat(job, R_X) and (job.order == 0 or lanes_lie_flat(job, R_G))
                                  and not is_masked(job))


cdef inline Py_ssize_t room(const real *like) noexcept nogil:
    """How many numbers a tile's buffers hold."""
    return ROOM * <Py_ssize_t> sizeof(double) // <Py_ssize_t> sizeof(real)


cdef inline real *memory(const Rows *job, int k, const real *like) noexcept nogil:
    """The thread's working memory: three times room for a tile."""
    if real is float:
        return fl_own(&job.team).floats + k * (room(like) + APART)
    else:
        return fl_own(&job.team).doubles + k * (room(like) + APART)

cdef inline bint stops(const Rows *job) noexcept nogil:
    """Whether to leave a row that takes long as it is."""
    return fl_stops(<Team *> &job.team)


cdef Py_ssize_t rows_of_tile(const Rows *job, const real *like) noexcept:
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


cdef double run_rows(const real *like, Rows *job, const RowLoss *loss, tuple arrays, int class_axes, int threads) except? -1:
    cdef cnp.ndarray array, x = arrays[0], weight = arrays[<int> ROW_OPERANDS]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef int k, axis, ndim = cnp.PyArray_NDIM(x), outer = ndim - class_axes
    cdef Py_ssize_t rows = 1
    cdef bint per_class
    job.loss = loss.losses[0 if real is float else 1]
    for k in range(<int> ROW_OPERANDS):
        array = arrays[k]
        per_class = k != R_F and k != R_V and k != R_L and (k != R_T or job.target >= DISTRIBUTION)
        check_shape(array, x, ndim if per_class else outer)
        describe(&op[k], array, like, ndim, False, R_V <= k <= R_L)
    if op[<int> R_T].data != NULL:
        job.load_label = _load_label[<int> op[<int> R_T].kind]
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
    space.outer = merge_axes(op, <int> ROW_OPERANDS, space, 0, outer, 0)
    space.ndim = merge_axes(op, <int> ROW_OPERANDS, space, outer, ndim, space.outer)
    if space.outer > 1 and space.shape[space.outer - 1] < 8:
        # Tiles are made of the innermost axis of rows: let that be a long one.
        axis = longest_axis(space)
        swap_axes(op, <int> ROW_OPERANDS, space, axis, space.outer - 1)
    for k in range(<int> ROW_OPERANDS):
        op[k].flat = op[k].data != NULL and is_flat(&op[k], space, space.outer, space.ndim)
    job.in_place = is_exactly(&op[<int> R_G], &op[<int> R_X], space)
    job.across = loss.across and goes_across(job)
    job.tile = rows_of_tile(job, like)
    return run(<Span> <void *> rows_span, job, rows, job.tile, many(rows, job.classes), threads, &job.team, True)


# ---- the losses ------------------------------------------------------------------------------------------------------

cdef RowLoss _row_losses[24]

ROWS = {}      # name: number


cdef int enlist_rows(str name, TileLoss narrow, TileLoss wide, int parameters, bint across) except -1:
    cdef RowLoss *loss = &_row_losses[len(ROWS)]
    if len(ROWS) == sizeof(_row_losses) // sizeof(RowLoss) or parameters > ROW_PARAMETERS:
        raise AssertionError("kernel: too many losses or parameters")
    loss.losses[0] = narrow
    loss.losses[1] = wide
    loss.parameters = parameters
    loss.across = across
    ROWS[name] = len(ROWS)
    return 0


TARGETS = {"class": <int> CLASS, "smoothed class": <int> SMOOTHED_CLASS, "distribution": <int> DISTRIBUTION,
           "upstream": <int> UPSTREAM, "times softmax": <int> TIMES_SOFTMAX, "list": <int> LIST}


def rows(int loss, tuple parameters, int target, int order, bint double_precision, double keep, double spread,
         object ignored, double scale, bint summed, int threads, int class_axes, tuple arrays, double most=NAN):
    """Run one class-axis computation; the last `class_axes` axes of x are the classes.

    The arrays are (x, target, factor of each row, value of each row, gradient, hessian, logsumexp of each row, mask, factor
    of each item of the target, weight of each class), None where there is none. `softmax` and `log_softmax` write into the
    gradient. Labels have been through scan_rows. Targets that must lie between 0 and `most` and do not raise LookupError(1, -1):
    `find_outside` finds the first. Returns the sum of the values of the rows (0 unless `summed`)."""
    cdef Rows job
    cdef double values[ROW_PARAMETERS]
    cdef double total
    cdef int k
    if not 0 <= loss < len(ROWS) or not 0 <= target <= <int> LIST or len(arrays) != <int> ROW_OPERANDS + 1:
        raise ValueError("kernel: no such loss, target or number of operands")
    if len(parameters) != _row_losses[loss].parameters:
        raise ValueError(f"kernel: {_row_losses[loss].parameters} parameters are needed, got {len(parameters)}")
    if (order > 0) != (arrays[<int> R_G] is not None) or (order > 1) != (arrays[<int> R_H] is not None):
        raise ValueError("kernel: no array for the derivatives")
    for k in range(len(parameters)):
        values[k] = parameters[k]
    job.parameters = values
    job.target = <Target> target
    job.order = order
    job.keep = keep
    job.spread = spread
    job.ignored = ignored
    job.scale = scale
    job.summed = summed
    job.most = most
    job.outside = 0
    if double_precision:
        total = run_rows[double](NULL, &job, &_row_losses[loss], arrays, class_axes, threads)
    else:
        total = run_rows[float](NULL, &job, &_row_losses[loss], arrays, class_axes, threads)
    if job.outside:
        raise LookupError(<int> R_T, -1)
    return total
