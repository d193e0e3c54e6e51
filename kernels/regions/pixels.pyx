# Operands of losses between regions, and their tiles. See pixels.pxd.

cimport numpy as cnp
from libc.stdint cimport int32_t, int64_t, uint64_t
from kernels.core.numeric cimport real
from kernels.core.operands cimport (
    UINT64, Operand, Space, describe, join_axes, label_loader, load_block, load_mask, merge_axes, swap_axes)
from kernels.core.sums cimport BLOCK, ROOM, WATCHED, Span, Team, fl_own, fl_stops, run

cnp.import_array()


# ---- from NumPy arrays to operands -----------------------------------------------------------------------------------

cdef int longest_axis(const Space *space) noexcept:
    cdef int axis, longest = 0
    for axis in range(space.ndim):
        if space.shape[axis] > space.shape[longest]:
            longest = axis
    return longest


cdef int spread_axes(Operand *op, cnp.ndarray array, cnp.ndarray like, int class_axis, bint lacks) except -1:
    """Give an operand a stride for each axis of `like`: 0 for that of the classes where it `lacks` one."""
    cdef int axis, own = 0
    if cnp.PyArray_NDIM(array) != cnp.PyArray_NDIM(like) - (lacks and class_axis >= 0):
        raise ValueError("kernel: operands of different shapes")
    for axis in range(cnp.PyArray_NDIM(like)):
        if lacks and axis == class_axis:
            op.strides[axis] = 0
            continue
        if cnp.PyArray_DIM(array, own) != cnp.PyArray_DIM(like, axis):
            raise ValueError("kernel: operands of different shapes")
        op.strides[axis] = cnp.PyArray_STRIDE(array, own)
        own += 1
    return 0


cdef int describe_pixels(const real *like, Pixels *job, tuple arrays, cnp.ndarray weight, object ignored, int image_axis,
                         int class_axis, bint in_order) except -1:
    """Images, classes and pixels of the operands: an axis each, or -1 where there is but one, and the other axes merged;
    with `in_order` pixels are counted in C order whatever lies how in memory. `weight` is that of the classes. What a
    target holds, and the activation, are in the job."""
    cdef cnp.ndarray array, x = arrays[<int> X]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef int k, axis, count = 0, ndim = cnp.PyArray_NDIM(x)
    if not -1 <= image_axis < ndim or not -1 <= class_axis < ndim or image_axis == class_axis >= 0:
        raise ValueError("kernel: no such axes")
    job.images = cnp.PyArray_DIM(x, image_axis) if image_axis >= 0 else 1
    job.classes = cnp.PyArray_DIM(x, class_axis) if class_axis >= 0 else 1
    job.count = 0 if cnp.PyArray_SIZE(x) == 0 else cnp.PyArray_SIZE(x) // job.images // job.classes
    job.weight = NULL
    if weight is not None:
        if (cnp.PyArray_TYPE(weight) != cnp.NPY_DOUBLE or not cnp.PyArray_ISCARRAY_RO(weight)
                or cnp.PyArray_NDIM(weight) != 1 or cnp.PyArray_DIM(weight, 0) != job.classes):
            raise ValueError("kernel: weight is not a vector of doubles")
        job.weight = <const double *> cnp.PyArray_DATA(weight)
    for k in range(<int> OPERANDS):
        array = arrays[k]
        describe(&op[k], array, like, ndim, False, k >= G)
        if array is None:
            continue
        spread_axes(&op[k], array, x, class_axis, k == W or k == M or (k == T and job.holds == LABELS))
        job.image_step[k] = op[k].strides[image_axis] if image_axis >= 0 else 0
        job.class_step[k] = op[k].strides[class_axis] if class_axis >= 0 else 0
    job.ignores = ignored is not None
    job.ignored = ignored if job.ignores else -1
    if job.holds == LABELS:
        if op[<int> T].kind > UINT64:
            raise TypeError("kernel: labels must be integers")
        job.load_label = label_loader(op[<int> T].kind)
        if op[<int> T].kind == UINT64 and job.ignored < 0:      # a huge number would look like a negative one
            job.ignores = False
    job.counted = job.ignores or op[<int> W].data != NULL or op[<int> M].data != NULL
    job.tile = TILE
    if job.activation == SOFTMAX:      # all exponentials of a tile are kept if there is room for those of LINE pixels
        job.tile = min(job.tile, 3 * ROOM * <Py_ssize_t> (sizeof(double) // sizeof(real)) // max(job.classes, 1) // LINE * LINE)
    job.outside = 0
    job.kept = job.tile > 0
    job.tile = job.tile if job.kept else TILE
    space.ndim = 0
    if job.count == 0:
        return 0
    for axis in range(ndim):
        if axis != image_axis and axis != class_axis:
            space.shape[count] = cnp.PyArray_DIM(x, axis)
            for k in range(<int> OPERANDS):
                if op[k].data != NULL:
                    op[k].strides[count] = op[k].strides[axis]
            count += 1
    if in_order:
        space.ndim = join_axes(op, <int> OPERANDS, space, 0, count, 0)
        return 0
    space.ndim = merge_axes(op, <int> OPERANDS, space, 0, count, 0)
    if space.ndim > 1 and space.shape[space.ndim - 1] < LINE:
        # Tiles are made of the innermost axis: let that be a long one.
        swap_axes(op, <int> OPERANDS, space, longest_axis(space), space.ndim - 1)
    return 0


cdef int check_classes(const Pixels *job) except -1:
    """Class numbers, and how many classes share a maximum, are counted in 32 bits."""
    if job.classes > 0x7FFFFFFF:
        raise ValueError("input: at most 2**31 - 1 classes are accepted")
    return 0


# ---- what is outside its domain --------------------------------------------------------------------------------------

cdef struct Search:           # over the elements in C order
    Space space
    Operand operands[<int> G + 1]      # the last is the weights of classes
    const Pixels *job
    bint bounded              # whether the input must lie from 0 to 1
    bint labelled             # whether class numbers must be in their range
    int operand               # of the first element that was found
    Py_ssize_t position       # ... or -1
    Team team


cdef inline const double *load_doubles(const Search *job, int k, Py_ssize_t start, Py_ssize_t n, double *block) noexcept nogil:
    cdef const Operand *op = &job.operands[k]
    load_block(op, op.load, op.data, &job.space, 0, job.space.ndim, start, n, <char *> block, sizeof(double))
    return block


cdef double search_span(const void *like, Search *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Look for the first element that is outside its domain. What counts for nothing is not looked at."""
    cdef double numbers[BLOCK]
    cdef double valid[BLOCK]
    cdef int64_t labels[BLOCK]
    cdef int64_t in_input[BLOCK]
    cdef int64_t in_target[BLOCK]
    cdef const double *x
    cdef const Operand *op = <const Operand *> job.operands
    cdef int64_t ignored = job.job.ignored, found
    cdef bint ignores = job.job.ignores
    cdef Holds holds = job.job.holds
    cdef Py_ssize_t j, n, unwatched = 0
    cdef int k
    while start < stop and job.position < 0:
        n = min(<Py_ssize_t> BLOCK, stop - start)
        for j in range(n):
            valid[j] = 1
            in_input[j] = 0
            in_target[j] = 0
        if holds == LABELS:
            load_block(&op[<int> T], job.job.load_label, op[<int> T].data, &job.space, 0, job.space.ndim, start, n,
                       <char *> labels, sizeof(int64_t))
            if ignores:
                for j in range(n):
                    valid[j] = labels[j] != ignored
            if job.labelled:
                for j in range(n):
                    in_target[j] = <uint64_t> labels[j] >= <uint64_t> job.job.classes
        else:
            x = load_doubles(job, T, start, n, numbers)
            if ignores:
                for j in range(n):
                    valid[j] = x[j] != ignored
            if holds == BITS:
                for j in range(n):
                    in_target[j] = (x[j] < 0) | (x[j] > 1) | ((x[j] != 0) & (x[j] < 1))
            else:
                for j in range(n):
                    in_target[j] = (x[j] < 0) | (x[j] > 1)
        if job.bounded:
            x = load_doubles(job, X, start, n, numbers)
            for j in range(n):
                in_input[j] = (x[j] < 0) | (x[j] > 1)
        found = 0
        for j in range(n):
            found |= in_input[j] | in_target[j]
        if found:
            for k in range(<int> W, <int> G + 1):
                if op[k].data != NULL:
                    x = load_doubles(job, k, start, n, numbers)
                    for j in range(n):
                        valid[j] = 0 if x[j] == 0 else valid[j]
            for j in range(n):
                if valid[j] != 0 and in_input[j] | in_target[j]:
                    job.operand = T if in_target[j] else X
                    job.position = start + j
                    return 0
        start += n
        unwatched += n
        if unwatched >= WATCHED:
            unwatched = 0
            if fl_stops(&job.team):
                return 0
    return 0


cdef int search(const Pixels *pixels, tuple arrays, cnp.ndarray weight, int class_axis, bint by_pixel, bint bounded) except -1:
    """Raise LookupError(operand, position) for the first element outside its domain; `by_pixel` in arrays without the axis of
    the classes."""
    cdef cnp.ndarray array, like = arrays[<int> T] if by_pixel else arrays[<int> X]
    cdef Search job
    cdef Operand *op = job.operands
    cdef Py_ssize_t count = cnp.PyArray_SIZE(like)
    cdef int k, axis, ndim = cnp.PyArray_NDIM(like)
    for k in range(<int> G):
        array = None if by_pixel and k == X else arrays[k]
        describe(&op[k], array, <const double *> NULL, ndim)
        if array is not None:
            spread_axes(&op[k], array, like, -1 if by_pixel else class_axis,
                        not by_pixel and (k == W or k == M or (k == T and pixels.holds == LABELS)))
    array = None if by_pixel else weight
    describe(&op[<int> G], array, <const double *> NULL, ndim)
    for axis in range(ndim):
        op[<int> G].strides[axis] = sizeof(double) if axis == class_axis else 0
        job.space.shape[axis] = cnp.PyArray_DIM(like, axis)
    job.space.ndim = join_axes(op, <int> G + 1, &job.space, 0, ndim, 0) if count > 0 else 0
    job.job = pixels
    job.bounded = bounded
    job.labelled = by_pixel
    job.position = -1
    if count > 0:
        run(<Span> <void *> search_span, &job, count, BLOCK, count, 1, &job.team, False)
    if job.position >= 0:
        raise LookupError(job.operand, job.position)
    return 0


cdef int find_outside(const Pixels *job, tuple arrays, cnp.ndarray weight, int class_axis) except -1:
    """Raise LookupError(operand, position) for the first element, in C order, that is outside its domain. Class numbers come
    before probabilities."""
    cdef bint bounded = job.activation == IDENTITY
    if job.holds == LABELS:
        search(job, arrays, weight, class_axis, True, False)
    if job.holds != LABELS or bounded:
        search(job, arrays, weight, class_axis, False, bounded)
    return 0


# ---- a tile ----------------------------------------------------------------------------------------------------------

cdef void place_tile(const Pixels *job, Tile *tile, Py_ssize_t image, Py_ssize_t i, Py_ssize_t end) noexcept nogil:
    """The tile that begins at pixel i. It does not go over the end of the innermost axis."""
    cdef Py_ssize_t length = job.space.shape[job.space.ndim - 1] if job.space.ndim > 0 else 1
    tile.n = min(min(job.tile, end - i), length - i % length)
    tile.image = image
    tile.pixel = i


cdef void open_tile(const Pixels *job, Tile *tile, const real *like) noexcept nogil:
    """Class numbers, where the target holds such, and weights, where not all pixels count alike."""
    cdef const Operand *op = <const Operand *> job.operands
    cdef real valid[TILE]
    cdef int64_t block[TILE]
    cdef real *w = line_of(&tile.w, like)
    cdef int32_t *labels = tile.labels
    cdef int64_t ignored = job.ignored, bad = 0, none
    cdef Py_ssize_t i, n = tile.n
    cdef int blanks = 0
    tile.x = place_of(job, X, tile.image, tile.pixel)
    tile.t = place_of(job, T, tile.image, tile.pixel)
    if real is float:
        tile.exps = fl_own(&job.team).floats
    else:
        tile.exps = fl_own(&job.team).doubles
    if job.counted:
        for i in range(n):
            w[i] = 1
        if op[<int> W].data != NULL:
            op[<int> W].load(place_of(job, W, tile.image, tile.pixel), pixel_step(job, W), op[<int> W].swapped, n, w)
        if op[<int> M].data != NULL:
            load_mask(&op[<int> M], op[<int> M].data + tile.image * job.image_step[<int> M], &job.space, 0, job.space.ndim,
                      tile.pixel, n, <real *> valid)
            for i in range(n):
                w[i] = 0 if valid[i] == 0 else w[i]
    if job.holds == LABELS:
        job.load_label(tile.t, pixel_step(job, T), op[<int> T].swapped, n, block)
        if job.ignores:
            for i in range(n):
                w[i] = 0 if block[i] == ignored else w[i]
        for i in range(n):
            none = <uint64_t> block[i] >= <uint64_t> job.classes
            bad |= none
            labels[i] = <int32_t> (-1 if none else block[i])
        if bad and not job.counted:
            report_outside(job)
        elif bad:
            for i in range(n):
                if labels[i] < 0 and w[i] != 0:
                    report_outside(job)
    if job.counted:
        for i in range(n):
            blanks |= w[i] == 0
    tile.blanks = blanks


cdef void clear_line(Py_ssize_t n, const real *w, const real *line, real *block) noexcept nogil:
    """A line with 0 where a pixel counts for nothing. The block may be the line."""
    cdef Py_ssize_t i
    for i in range(n):
        block[i] = 0 if w[i] == 0 else line[i]


cdef const real *target_line(const Pixels *job, Tile *tile, Py_ssize_t c, real *block, real *weights, const real **counts) noexcept nogil:
    """The target of one class, 0 where it counts for nothing, and the weights of its pixels; NULL if all of them count
    alike. Both may be in a block."""
    cdef const real *w = line_of(&tile.w, block)
    cdef const real *t
    cdef real ignored = <real> job.ignored
    cdef Py_ssize_t i
    cdef int32_t own = <int32_t> c
    counts[0] = w if job.counted else NULL
    if leaves_class(job, c):
        counts[0] = weights
        for i in range(tile.n):
            weights[i] = 0
            block[i] = 0
        return block
    if job.holds == LABELS:
        for i in range(tile.n):
            block[i] = 1 if tile.labels[i] == own else 0
        return block
    t = load_line(job, T, tile.t, c, tile.n, block)
    if job.ignores:
        counts[0] = weights
        for i in range(tile.n):
            weights[i] = 0 if t[i] == ignored else w[i]
    if tile.blanks or job.ignores:
        clear_line(tile.n, counts[0], t, block)
        return block
    return t
