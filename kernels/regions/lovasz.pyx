# The Lovász extension of the Jaccard index, one class of an image after the other: the pixels' errors e in descending order,
# and Σ e Δ, where Δ is by how much the Jaccard loss of the first pixels in this order grows with the next one. With I the
# weight of the pixels of the class not yet passed, U that of the union, and w that of the next pixel,
#     Δ = w / U for a pixel of the class, else I w / (U (U + w)),
# which loses nothing; without weights w is 1. Errors below 0 count as 0. An error that is 0 has no derivative, and neither has
# a pixel of another class once all of the class are passed, so the walk ends there.
#
# Errors are sorted by radix: a float as one number with its pixel, a double as a number with another beside it.

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport NAN
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, memset
from kernels.core.numeric cimport absolute, real
from kernels.core.sums cimport PY_SSIZE_T_MAX, TILE, WATCHED, Span, Sum, add, many, result, run
from kernels.regions.pixels cimport (
    BITS, G, H, HINGE, IDENTITY, LABELS, OPERANDS, SOFTMAX, T, W, X, Alike, Pixels, Tile, Weighed, Weighing, check_classes,
    describe_pixels, find_outside, halts, line_of, load_line, open_tile, pixel_step, place_of, place_tile, target_line)
from kernels.regions.probabilities cimport exponentials, limited_exp, others, soften

cnp.import_array()

cdef enum:
    DIGIT = 11            # bits that are sorted by in one go
    DIGITS = 6            # of a double; half as many of a float
    VALUES = 2048         # of a digit
    GONE = -1             # the key of a pixel that counts for nothing: the last
    UNIT = 1024           # pixels: a pass is split into spans of whole units

cdef struct Lovasz:           # one call, at one class of one image
    Pixels pixels
    Py_ssize_t image
    Py_ssize_t c
    double scale
    double count              # pixels of the class
    uint64_t *keys            # of each pixel, small for large errors
    uint64_t *tags            # the pixels of doubles
    uint64_t *spare           # as many
    uint64_t *spare_tags
    double *rest              # of each pixel: S of its softmax, its largest logit, its weight, its derivative by p
    void *m
    void *weights
    void *slopes
    Py_ssize_t *counts        # of the values of each digit


# ---- errors ----------------------------------------------------------------------------------------------------------

cdef inline uint64_t tag_of(Py_ssize_t pixel, bint own) noexcept nogil:
    """A pixel, and whether it is of the class."""
    return <uint64_t> pixel << 1 | own

cdef inline void store_key(Lovasz *job, real error, Py_ssize_t pixel, bint own, bint out) noexcept nogil:
    """The key is small for large errors, nan first; a float's has the tag in its lower half."""
    cdef uint32_t bits
    cdef uint64_t wide
    if real is float:
        memcpy(&bits, &error, sizeof(float))
        bits = <uint32_t> 0x7FFFFFFF - (bits & <uint32_t> 0x7FFFFFFF)
        job.keys[pixel] = <uint64_t> GONE if out else <uint64_t> bits << 32 | tag_of(pixel, own)
    else:
        memcpy(&wide, &error, sizeof(double))
        wide = <uint64_t> 0x7FFFFFFFFFFFFFFF - (wide & <uint64_t> 0x7FFFFFFFFFFFFFFF)
        job.keys[pixel] = <uint64_t> GONE if out else wide
        job.tags[pixel] = tag_of(pixel, own)

cdef inline uint64_t tag_at(const Lovasz *job, Py_ssize_t i, const real *like) noexcept nogil:
    """The tag that belongs to key i."""
    if real is float:
        return <uint32_t> job.keys[i]
    else:
        return job.tags[i]

cdef inline real error_of(uint64_t key, const real *like) noexcept nogil:
    cdef uint32_t bits = <uint32_t> 0x7FFFFFFF - <uint32_t> (key >> 32)
    cdef uint64_t wide = <uint64_t> 0x7FFFFFFFFFFFFFFF - key
    cdef real error
    if real is float:
        memcpy(&error, &bits, sizeof(float))
    else:
        memcpy(&error, &wide, sizeof(double))
    return error


cdef double soften_span(const real *like, const Lovasz *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """m and S of pixels."""
    cdef const Pixels *pixels = &job.pixels
    cdef Tile tile
    cdef Py_ssize_t unwatched = 0
    while start < stop and not halts(pixels, &unwatched, TILE * pixels.classes):
        place_tile(pixels, &tile, job.image, start, stop)
        open_tile(pixels, &tile, like)
        soften(pixels, &tile, like)
        memcpy(<real *> job.m + start, line_of(&tile.m, like), tile.n * sizeof(real))
        memcpy(job.rest + start, tile.rest, tile.n * sizeof(double))
        start += tile.n
    return 0


cdef void error_line(const Lovasz *job, Py_ssize_t start, Py_ssize_t n, const real *x, const real *t, real *errors) noexcept nogil:
    cdef const real *m = <const real *> job.m + start
    cdef const double *rest = job.rest + start
    cdef real e, share
    cdef Py_ssize_t i
    if job.pixels.activation == HINGE:
        for i in range(n):
            e = (<real> 1 - x[i] if t[i] != 0 else <real> 1 + x[i]) + (t[i] - t[i])
            errors[i] = 0 if e <= 0 else e
    elif job.pixels.activation == IDENTITY:
        for i in range(n):
            errors[i] = absolute(<real> 1 - x[i] if t[i] != 0 else x[i])
    else:
        for i in range(n):
            share = <real> (1 / (1 + rest[i]))
            e = limited_exp(x[i], m[i])
            errors[i] = (others(e, <real> rest[i]) if t[i] != 0 else e) * share


cdef double errors_span(const real *like, Lovasz *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Errors of pixels; returns how many are of the class. Derivatives are 0 until the walk has come to a pixel."""
    cdef const Pixels *pixels = &job.pixels
    cdef real *weights = <real *> job.weights
    cdef real *slopes = <real *> job.slopes
    cdef real ws[TILE]
    cdef real xs[TILE]
    cdef real ts[TILE]
    cdef real es[TILE]
    cdef const real *x
    cdef const real *t
    cdef const real *counts
    cdef bint own
    cdef Tile tile
    cdef Py_ssize_t i, found, unwatched = 0
    cdef double count = 0
    while start < stop and not halts(pixels, &unwatched, TILE):
        place_tile(pixels, &tile, job.image, start, stop)
        open_tile(pixels, &tile, like)
        x = load_line(pixels, X, tile.x, job.c, tile.n, <real *> xs)
        t = target_line(pixels, &tile, job.c, <real *> ts, <real *> ws, &counts)
        error_line(job, start, tile.n, x, t, <real *> es)
        found = 0
        if counts == NULL:
            for i in range(tile.n):
                own = t[i] != 0
                store_key(job, es[i], start + i, own, False)
                found += own
        else:
            for i in range(tile.n):
                own = t[i] != 0 and counts[i] != 0
                store_key(job, es[i], start + i, own, counts[i] == 0)
                found += own
        count += found
        if weights != NULL:
            memcpy(weights + start, counts, tile.n * sizeof(real))
        if slopes != NULL:
            memset(slopes + start, 0, tile.n * sizeof(real))
        start += tile.n
    return count


# ---- sorting ---------------------------------------------------------------------------------------------------------

cdef bint sort_keys(Lovasz *job, const real *like) noexcept nogil:
    """Sort by the errors, and leave what is equal in its order; False if the call is stopped."""
    cdef Py_ssize_t *counts = job.counts
    cdef uint64_t *keys = job.keys
    cdef uint64_t *tags = job.tags
    cdef uint64_t *spare = job.spare
    cdef uint64_t *spare_tags = job.spare_tags
    cdef uint64_t key
    cdef Py_ssize_t i, j, end, total, count, n = job.pixels.count, unwatched = 0
    cdef int k, shift, first = 0, digits = DIGITS
    if real is float:
        first = 32
        digits = DIGITS // 2
    memset(counts, 0, DIGITS * VALUES * sizeof(Py_ssize_t))
    for i from 0 <= i < n by WATCHED:
        end = i + min(<Py_ssize_t> WATCHED, n - i)
        for j in range(i, end):
            key = keys[j] >> first
            for k in range(DIGITS // 2):
                counts[k * VALUES + (key >> (DIGIT * k) & (VALUES - 1))] += 1
            if real is double:
                for k in range(DIGITS // 2, DIGITS):
                    counts[k * VALUES + (key >> (DIGIT * k) & (VALUES - 1))] += 1
        if halts(&job.pixels, &unwatched, WATCHED):
            return False
    for k in range(digits):
        counts = job.counts + k * VALUES
        shift = first + DIGIT * k
        if n == 0 or counts[keys[0] >> shift & (VALUES - 1)] == n:      # nothing to do
            continue
        total = 0
        for j in range(VALUES):
            count = counts[j]
            counts[j] = total
            total += count
        for i from 0 <= i < n by WATCHED:
            end = i + min(<Py_ssize_t> WATCHED, n - i)
            for j in range(i, end):
                key = keys[j]
                total = counts[key >> shift & (VALUES - 1)]
                counts[key >> shift & (VALUES - 1)] = total + 1
                spare[total] = key
                if real is double:
                    spare_tags[total] = tags[j]
            if halts(&job.pixels, &unwatched, WATCHED):
                return False
        keys, spare = spare, keys
        tags, spare_tags = spare_tags, tags
    job.keys = keys
    job.tags = tags
    job.spare = spare
    job.spare_tags = spare_tags
    return True


# ---- the walk --------------------------------------------------------------------------------------------------------

cdef Sum class_size(const real *like, const Lovasz *job) noexcept nogil:
    """The weight of all pixels of the class, before they are sorted."""
    cdef const real *weights = <const real *> job.weights
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t i, unwatched = 0
    for i in range(job.pixels.count):
        if job.keys[i] != <uint64_t> GONE and tag_at(job, i, like) & 1:
            add(&total, weights[i])
        if i % WATCHED == 0 and halts(&job.pixels, &unwatched, WATCHED):
            break
    return total


cdef double walk(const real *like, Weighing weighing, const Lovasz *job, Sum size) noexcept nogil:
    """The value, and its derivatives by what the errors are made of, put where the pixels are. The pixels of the class are
    of the weight `size`."""
    cdef const real *weights = <const real *> job.weights
    cdef real *slopes = <real *> job.slopes
    cdef double left, count = job.count, union_ = count, delta, error, w = 1
    cdef Sum total = Sum(0, 0), union_size = size
    cdef uint64_t key, tag
    cdef bint own
    cdef Py_ssize_t i, k, unwatched = 0
    for i in range(job.pixels.count):
        key = job.keys[i]
        if key == <uint64_t> GONE or i & (WATCHED - 1) == 0 and halts(&job.pixels, &unwatched, WATCHED):
            break
        tag = tag_at(job, i, like)
        error = error_of(key, like)
        own = tag & 1
        k = <Py_ssize_t> (tag >> 1)
        if error == 0 or (count == 0 and i > 0 and error == error):
            break
        if Weighing is Weighed:
            w = weights[k]
            union_ = result(union_size)
            left = result(size)
        else:
            left = count
        if union_ == 0:
            delta = 1
        elif own:
            delta = w / union_
        else:
            delta = left * w / (union_ * (union_ + w))
        if own:
            count -= 1
            if Weighing is Weighed:
                add(&size, -w)
        elif Weighing is Weighed:
            add(&union_size, w)
        else:
            union_ += 1
        add(&total, error * delta)
        if slopes != NULL:
            slopes[k] = <real> ((-delta if own else delta) if error == error else NAN)
    return result(total)


cdef double walk_span(const real *like, Lovasz *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """All pixels at once: their errors sorted and added up."""
    cdef Alike alike
    cdef Weighed weighed
    cdef Sum size = Sum(0, 0)
    if job.weights != NULL:
        size = class_size(like, job)
    if not sort_keys(job, like):
        return 0
    if job.weights != NULL:
        return walk(like, weighed, job, size)
    return walk(like, alike, job, size)


cdef double store_span(const real *like, const Lovasz *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Bring the derivatives of a class to their array, times the scale."""
    cdef const Pixels *pixels = &job.pixels
    cdef real *slopes = <real *> job.slopes
    cdef real scale = <real> job.scale
    cdef Tile tile
    cdef char *base
    cdef Py_ssize_t i, unwatched = 0
    while start < stop and not halts(pixels, &unwatched, TILE):
        place_tile(pixels, &tile, job.image, start, stop)
        for i in range(start, start + tile.n):
            slopes[i] *= scale
        base = place_of(pixels, G, job.image, start) + job.c * pixels.class_step[<int> G]
        pixels.operands[<int> G].store(base, pixel_step(pixels, G), tile.n, slopes + start)
        start += tile.n
    return 0


# ---- from p to x -----------------------------------------------------------------------------------------------------

cdef double carry_span(const real *like, const Lovasz *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """From derivatives by p to those by x, in their place, times the scale: p_j (G_j q_j - Σ_{c ≠ j} p_c G_c)."""
    cdef const Pixels *pixels = &job.pixels
    cdef real xs[TILE]
    cdef real gs[TILE]
    cdef real hs[TILE]
    cdef real rest[TILE]
    cdef real share[TILE]
    cdef real high[TILE]
    cdef double low[TILE]
    cdef const real *x
    cdef real scale = <real> job.scale, e, p, q, g, top
    cdef bint soft = pixels.activation == SOFTMAX
    cdef char *base_g
    cdef char *base_h
    cdef Tile tile
    cdef Py_ssize_t i, c, n, step = pixel_step(pixels, G), unwatched = 0
    while start < stop and not halts(pixels, &unwatched, TILE * pixels.classes):
        place_tile(pixels, &tile, job.image, start, stop)
        n = tile.n
        base_g = place_of(pixels, G, job.image, start)
        base_h = place_of(pixels, H, job.image, start)
        if soft:
            open_tile(pixels, &tile, like)
            soften(pixels, &tile, like)
            for i in range(n):
                rest[i] = <real> tile.rest[i]
                share[i] = <real> tile.share[i]
                high[i] = 0
                low[i] = 0
            for c in range(pixels.classes):
                x = exponentials(pixels, &tile, c, <real *> xs)
                pixels.operands[<int> G].load(base_g + c * pixels.class_step[<int> G], step, False, n, gs)
                for i in range(n):
                    high[i] += gs[i] if x[i] == 1 else <real> 0
                    low[i] += 0 if x[i] == 1 else <double> x[i] * <double> gs[i]
            for i in range(n):
                low[i] *= tile.share[i]
        for c in range(pixels.classes):
            pixels.operands[<int> G].load(base_g + c * pixels.class_step[<int> G], step, False, n, gs)
            if soft:
                x = exponentials(pixels, &tile, c, <real *> xs)
                for i in range(n):
                    e = x[i]
                    g = gs[i]
                    p = e * share[i]
                    q = others(e, rest[i]) * share[i]
                    top = high[i] - (g if e == 1 else <real> 0)
                    g = scale * (p * ((g * q if e == 1 else g) - (<real> low[i] + share[i] * top)))
                    gs[i] = g
                    hs[i] = (q - p) * g
            else:
                for i in range(n):
                    gs[i] *= scale
                    hs[i] = 0
            pixels.operands[<int> G].store(base_g + c * pixels.class_step[<int> G], step, n, <const real *> gs)
            if base_h != NULL:
                pixels.operands[<int> H].store(base_h + c * pixels.class_step[<int> H], pixel_step(pixels, H), n, <const real *> hs)
        start += n
    return 0


# ---- one call --------------------------------------------------------------------------------------------------------

cdef int describe_call(const real *like, Lovasz *job, tuple arrays, cnp.ndarray weight, object ignored, int image_axis,
                       int class_axis, bint hinge, bint softmax) except -1:
    if len(arrays) != <int> OPERANDS or arrays[<int> T] is None or hinge and softmax:
        raise ValueError("kernel: no such loss or number of operands")
    job.pixels.activation = HINGE if hinge else SOFTMAX if softmax else IDENTITY
    job.pixels.holds = BITS if hinge else LABELS
    describe_pixels(like, &job.pixels, arrays, weight, ignored, image_axis, class_axis, True)
    return check_classes(&job.pixels)


cdef void *table(const Pixels *job, cnp.ndarray array, int number) except NULL:
    """The data of an array of images and classes."""
    if (cnp.PyArray_TYPE(array) != number or not cnp.PyArray_ISCARRAY(array) or cnp.PyArray_NDIM(array) != 2
            or cnp.PyArray_DIM(array, 0) != job.images or cnp.PyArray_DIM(array, 1) != job.classes):
        raise ValueError("kernel: not a table of images and classes")
    return cnp.PyArray_DATA(array)


cdef void *cut(char **memory, Py_ssize_t size) noexcept:
    """The next piece of some memory."""
    memory[0] += size
    return memory[0] - size


cdef cnp.ndarray make_room(const real *like, Lovasz *job):
    """Memory for the pixels of one class. It is an array, because NumPy asks for large pages: sorting jumps about in it."""
    cdef bint soft = job.pixels.activation == SOFTMAX, wide = sizeof(real) == sizeof(double)
    cdef bint weighted = job.pixels.operands[<int> W].data != NULL, sloped = job.pixels.operands[<int> G].data != NULL
    cdef Py_ssize_t n = job.pixels.count, counts = DIGITS * VALUES * sizeof(Py_ssize_t)
    cdef Py_ssize_t each = (2 + 2 * wide + soft) * sizeof(uint64_t) + (soft + weighted + sloped) * sizeof(real)
    cdef cnp.npy_intp size
    cdef cnp.ndarray room
    cdef char *memory
    if n > (PY_SSIZE_T_MAX - counts) // each:
        raise MemoryError(f"no memory for {n} pixels")
    size = n * each + counts
    room = cnp.PyArray_EMPTY(1, &size, cnp.NPY_UINT8, 0)
    memory = cnp.PyArray_BYTES(room)
    job.counts = <Py_ssize_t *> cut(&memory, counts)
    job.keys = <uint64_t *> cut(&memory, n * sizeof(uint64_t))
    job.spare = <uint64_t *> cut(&memory, n * sizeof(uint64_t))
    job.tags = <uint64_t *> cut(&memory, n * sizeof(uint64_t)) if wide else NULL
    job.spare_tags = <uint64_t *> cut(&memory, n * sizeof(uint64_t)) if wide else NULL
    job.rest = <double *> cut(&memory, n * sizeof(double)) if soft else NULL
    job.m = cut(&memory, n * sizeof(real)) if soft else NULL
    job.weights = cut(&memory, n * sizeof(real)) if weighted else NULL
    job.slopes = cut(&memory, n * sizeof(real)) if sloped else NULL
    return room


cdef double run_pixels(Lovasz *job, void *span, Py_ssize_t classes, int threads) except? -1:
    """A pass over the pixels of an image, which reads so many classes."""
    cdef Py_ssize_t pixels = job.pixels.count
    if pixels == 0:
        return 0
    return run(<Span> span, job, pixels, UNIT, many(pixels, classes), threads, &job.pixels.team, True)


cdef int run_lovasz(const real *like, Lovasz *job, tuple arrays, cnp.ndarray weight, object ignored, bint hinge, bint softmax,
                    bint everything, double scale, int threads, cnp.ndarray values, cnp.ndarray counted, int image_axis,
                    int class_axis) except -1:
    cdef Pixels *pixels = &job.pixels
    cdef const double *weights
    cdef cnp.ndarray room
    cdef double *value
    cdef cnp.npy_bool *counts
    describe_call(like, job, arrays, weight, ignored, image_axis, class_axis, hinge, softmax)
    if real is float and pixels.count >= 1 << 31:
        raise ValueError("input: at most 2**31 pixels can be sorted in float32; pass float64")
    value = <double *> table(pixels, values, cnp.NPY_DOUBLE)
    counts = <cnp.npy_bool *> table(pixels, counted, cnp.NPY_BOOL)
    room = make_room(like, job)
    find_outside(pixels, arrays, weight, class_axis)
    weights = pixels.weight
    pixels.weight = NULL          # a class of the weight 0 may have pixels
    for job.image in range(pixels.images):
        if softmax:
            run_pixels(job, <void *> soften_span[real], pixels.classes, threads)
        for job.c in range(pixels.classes):
            with nogil:           # let other threads of Python run, as a pass over a few pixels does not
                pass
            PyErr_CheckSignals()
            job.scale = (weights[job.c] if weights != NULL else 1) * scale
            job.count = run_pixels(job, <void *> errors_span[real], 1, threads)
            value[0] = 0
            counts[0] = everything or job.count > 0
            if job.scale != 0 and counts[0]:
                value[0] = job.scale * run(<Span> <void *> walk_span[real], job, 1, 1, pixels.count, 1, &pixels.team, False)
            if job.slopes != NULL:
                run_pixels(job, <void *> store_span[real], 1, threads)
            value += 1
            counts += 1
    return 0


def lovasz(bint hinge, bint softmax, object ignored, bint everything, bint double_precision, double scale, int threads,
           cnp.ndarray values not None, cnp.ndarray counted not None, cnp.ndarray weight, tuple arrays, int image_axis,
           int class_axis):
    """The value of each image and class, times the weight of the class and the scale; and whether it is counted: all of
    them with `everything`, else those that have pixels. The arrays are as for `overlap`, but the gradient, of the computation's
    dtype, receives derivatives by p times weight and scale, and the second derivatives nothing: see `carry_back`. Raises
    LookupError(operand, position), with the position in C order, for the first element that is outside its domain, before
    anything is written."""
    cdef Lovasz job
    if double_precision:
        run_lovasz(<const double *> NULL, &job, arrays, weight, ignored, hinge, softmax, everything, scale, threads, values,
                   counted, image_axis, class_axis)
    else:
        run_lovasz(<const float *> NULL, &job, arrays, weight, ignored, hinge, softmax, everything, scale, threads, values,
                   counted, image_axis, class_axis)


cdef int run_carry_back(const real *like, Lovasz *job, tuple arrays, object ignored, bint hinge, bint softmax, int threads,
                        int image_axis, int class_axis) except -1:
    describe_call[real](like, job, arrays, None, ignored, image_axis, class_axis, hinge, softmax)
    for job.image in range(job.pixels.images):
        with nogil:
            pass
        PyErr_CheckSignals()
        run_pixels(job, <void *> carry_span[real], job.pixels.classes, threads)
    return 0


def carry_back(bint hinge, bint softmax, object ignored, bint double_precision, double scale, int threads, tuple arrays,
               int image_axis, int class_axis):
    """Make the derivatives by p those by the input, times the scale, and compute the second ones."""
    cdef Lovasz job
    if arrays[<int> G] is None:
        raise ValueError("kernel: no array for the derivatives")
    job.scale = scale
    if double_precision:
        run_carry_back(<const double *> NULL, &job, arrays, ignored, hinge, softmax, threads, image_axis, class_axis)
    else:
        run_carry_back(<const float *> NULL, &job, arrays, ignored, hinge, softmax, threads, image_axis, class_axis)
