# Losses of the overlap of regions: one pass over the data takes the sums I, FP and FN of each image and class (see
# formulas.pxd), the value and the derivatives by p are made of these, and a second pass, in which p is computed again,
# carries the latter back to the input.
#
# Parts, which threads work on, are of one image each and have sums of their own, added in order.

cimport numpy as cnp
from libc.math cimport INFINITY
from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset
from kernels.core.call cimport read_parameters
from kernels.core.numeric cimport real, weighed
from kernels.core.operands cimport Operand, describe
from kernels.core.sums cimport SPANS, TILE, Span, Sum, accumulate_wide, add, allocate, many, result, run
from kernels.regions.formulas cimport Fraction, Linear, Slopes, Squared, Terms, pixel_curvature, fraction, slope, terms
from kernels.regions.pixels cimport (
    G, H, IDENTITY, LABELS, LINE, NUMBERS, OPERANDS, SIGMOID, SOFTMAX, T, W, X, Alike, Line, Pixels, Tile, Weighed, Weighing,
    check_classes, clear_line, describe_pixels, find_outside, halts, line_of, line_or_buffer, load_line, open_tile, place_of,
    place_tile, report_outside, store_line, target_line)
from kernels.regions.probabilities cimport (
    Identity, Pointwise, Sigmoid, exponentials, identity_line, others, probability, sigmoid_line, soften, softmax_line)

cnp.import_array()

cdef enum:
    PART = 32768          # numbers that are worth a part of their own

ctypedef fused exact:         # what derivatives are computed in: doubles where second ones are wanted
    float
    double

cdef enum Joint:              # whether the classes of an image are one value, and by which weights
    APIECE, SQUARE, SIMPLE, UNIFORM

cdef struct Overlap:          # one call
    Pixels pixels
    Fraction formula
    Joint joint
    bint squared
    int order
    bint sloped               # whether this is the second pass
    Py_ssize_t parts          # of an image
    Py_ssize_t part           # pixels of a part
    Sum *sums                 # I, FP and FN of each part and class
    Slopes *slopes            # of each image and class


# ---- values ----------------------------------------------------------------------------------------------------------

cdef double class_weight(Joint joint, double volume) noexcept nogil:
    """Of a class whose target has this volume; 0 for none, until `joint_value` knows the others."""
    if joint == UNIFORM:
        return 1
    if volume == 0:
        return 0
    return 1 / volume if joint == SIMPLE else 1 / (volume * volume)


cdef double joint_value(const Overlap *job, Py_ssize_t image, double scale) noexcept nogil:
    """The value of an image whose classes are added up before they are compared, each with a weight. A class without
    target has the largest weight of the others. The sums of a class whose own weight is 0 are 0."""
    cdef Py_ssize_t classes = job.pixels.classes
    cdef const Sum *own = job.sums + image * job.parts * classes * 3
    cdef Slopes *d = job.slopes + image * classes
    cdef Slopes all
    cdef Sum parts[3]
    cdef double totals[3]
    cdef double w, v, largest = 0
    cdef Py_ssize_t c, k
    for k in range(3):
        parts[k] = Sum(0, 0)
    for c in range(classes):
        w = class_weight(job.joint, own[3 * c].total + own[3 * c + 2].total)
        largest = w if w > largest else largest
    for c in range(classes):
        w = class_weight(job.joint, own[3 * c].total + own[3 * c + 2].total)
        w = largest if w == 0 else w
        if job.pixels.weight != NULL:
            w = weighed(job.pixels.weight[c], w)
        d[c].power = w
        for k in range(3):
            add(&parts[k], weighed(w, own[3 * c + k].total))
    for k in range(3):
        totals[k] = result(parts[k])
    v = fraction(&job.formula, False, totals, scale, &all)
    for c in range(classes):
        w = d[c].power
        d[c] = Slopes(weighed(w, all.at_one), weighed(w, all.at_zero), weighed(w, all.d_one), weighed(w, all.d_zero), 0)
    return v


cdef double finish_values(const real *like, Overlap *job, const Operand *value, double scale) noexcept nogil:
    """Values and their derivatives from the sums of the parts; returns the sum of the values."""
    cdef Py_ssize_t image, part, c, k, classes = job.pixels.classes, each = classes * 3
    cdef Sum *own
    cdef Slopes *d
    cdef Sum total = Sum(0, 0)
    cdef double sums[3]
    cdef double v, w
    cdef real narrow
    for image in range(job.pixels.images):
        own = job.sums + image * job.parts * each
        for k in range(each):
            for part in range(1, job.parts):
                add(&own[k], own[part * each + k].total)
                own[k].lost += own[part * each + k].lost
            own[k].total = result(own[k])
        for c in range(classes if job.joint == APIECE else <Py_ssize_t> 1):
            if job.joint != APIECE:
                v = joint_value(job, image, scale)
            else:
                w = job.pixels.weight[c] if job.pixels.weight != NULL else 1
                d = job.slopes + image * classes + c
                for k in range(3):
                    sums[k] = own[3 * c + k].total
                v = weighed(w, fraction(&job.formula, job.squared, sums, w * scale, d))
                if w == 0:
                    d[0] = Slopes(0, 0, 0, 0, 0)
            add(&total, v)
            if value.data != NULL:
                narrow = <real> v
                value.store(value.data + image * value.strides[0] + c * value.strides[1], 0, 1, &narrow)
    return result(total)


# ---- sums of a tile --------------------------------------------------------------------------------------------------

cdef bint strays(const real *x, const real *t, Py_ssize_t n) noexcept nogil:
    """Whether some number of x or t is not from 0 to 1. nan is not looked at."""
    cdef uint32_t a, b, most = 0
    cdef int64_t wide = 0
    cdef Py_ssize_t i
    if real is float:
        # As whole numbers those from 0 to 1 are the smallest of all floats.
        for i in range(n):
            memcpy(&a, &x[i], sizeof(float))
            memcpy(&b, &t[i], sizeof(float))
            a = a if a > b else b
            most = a if a > most else most
        if most <= <uint32_t> 0x3F800000:
            return False
    for i in range(n):
        wide |= (x[i] < 0) | (x[i] > 1) | (t[i] < 0) | (t[i] > 1)
    return wide != 0


cdef inline void add_pixel(Terms f, Weighing weighing, double p, double q, real t, const real *w, double *total, double *lost,
                           Py_ssize_t j) noexcept nogil:
    """Add a pixel to lane j of I, FP and FN."""
    cdef double hit, over, missed
    terms(f, p, q, t, &hit, &over, &missed)
    if Weighing is Weighed:
        hit *= w[0]
        over *= w[0]
        missed *= w[0]
    accumulate_wide(hit, &total[j], &lost[j], w)
    accumulate_wide(over, &total[LINE + j], &lost[LINE + j], w)
    if Terms is not Squared:
        accumulate_wide(missed, &total[2 * LINE + j], &lost[2 * LINE + j], w)

cdef void add_terms(Terms f, Weighing weighing, const double *p, const double *q, const real *t, const real *w, Py_ssize_t n,
                    Sum *sums) noexcept nogil:
    """Add n pixels to I, FP and FN, in fixed lanes."""
    cdef double total[3 * LINE]
    cdef double lost[3 * LINE]
    cdef Py_ssize_t i, j, k, width, whole = n - n % LINE
    cdef Py_ssize_t count = 3
    if Terms is Squared:
        count = 2
    for j in range(count * LINE):
        total[j] = 0
        lost[j] = 0
    for i from 0 <= i < whole by LINE:
        for j in range(LINE):
            add_pixel(f, weighing, p[i + j], q[i + j], t[i + j], &w[i + j], total, lost, j)
    for j in range(n - whole):
        add_pixel(f, weighing, p[whole + j], q[whole + j], t[whole + j], &w[whole + j], total, lost, j)
    for k in range(count):
        width = LINE // 2
        while width > 0:
            for j in range(k * LINE, k * LINE + width):
                accumulate_wide(total[j + width], &total[j], &lost[j], t)
                lost[j] += lost[j + width]
            width //= 2
        add(&sums[k], total[k * LINE])
        sums[k].lost += lost[k * LINE]


cdef void sum_tile(Terms f, const Overlap *job, Tile *tile, Sum *sums, const real *like) noexcept nogil:
    """Add a tile to the sums of its part."""
    cdef real ws[TILE]
    cdef real xs[TILE]
    cdef real ts[TILE]
    cdef double p[TILE]
    cdef double q[TILE]
    cdef const real *x
    cdef const real *t
    cdef const real *counts
    cdef Alike alike
    cdef Weighed pixel_weights
    cdef const Pixels *pixels = &job.pixels
    cdef bint cleared
    cdef Py_ssize_t c, n = tile.n, unwatched = 0
    for c in range(pixels.classes):
        if halts(pixels, &unwatched, n):
            break
        t = target_line(pixels, tile, c, <real *> ts, <real *> ws, &counts)
        cleared = counts != NULL and (tile.blanks or counts == <const real *> ws)
        if pixels.activation == SOFTMAX:
            x = exponentials(pixels, tile, c, <real *> xs)
            softmax_line(tile, x, p, q)
        else:
            x = load_line(pixels, X, tile.x, c, n, <real *> xs)
            if cleared:
                clear_line(n, counts, x, <real *> xs)
                x = xs
            if pixels.activation == SIGMOID:
                sigmoid_line(n, x, p, q)
            else:
                identity_line(n, x, p, q)
        if pixels.activation == IDENTITY:
            if strays(x, t, n):
                report_outside(pixels)
        elif pixels.holds != LABELS and strays(t, t, n):
            report_outside(pixels)
        if cleared or pixels.operands[<int> W].data != NULL:
            add_terms(f, pixel_weights, p, q, t, counts, n, sums + 3 * c)
        else:
            add_terms(f, alike, p, q, t, counts, n, sums + 3 * c)


# ---- derivatives of a tile -------------------------------------------------------------------------------------------

cdef inline exact narrow(double x, const exact *like) noexcept nogil:
    """x, or a huge float: what is beyond them meets 0."""
    if exact is float:
        x = 1e38 if (x > 1e38) & (x < INFINITY) else x
        x = -1e38 if (x < -1e38) & (x > -INFINITY) else x
    return <exact> x


cdef struct Mixed:            # what the classes of a pixel share
    Line share                # 1 / (1 + S) and S, in what is computed in
    Line rest
    double by[TILE]           # weights, for second derivatives
    # Σ p G over the classes below the maximum and over those at it; and the same of what second derivatives need.
    double low[TILE]
    double low_lost[TILE]
    Line high
    double low2[TILE]
    double low2_lost[TILE]
    Line high2


cdef void begin_sums(Mixed *mixed, const Tile *tile, const exact *like) noexcept nogil:
    cdef exact *share = line_of(&mixed.share, like)
    cdef exact *rest = line_of(&mixed.rest, like)
    cdef Py_ssize_t i
    for i in range(tile.n):
        share[i] = <exact> tile.share[i]
        rest[i] = <exact> tile.rest[i]
    memset(mixed.low, 0, tile.n * sizeof(double))
    memset(mixed.low_lost, 0, tile.n * sizeof(double))
    memset(&mixed.high, 0, tile.n * sizeof(exact))


cdef void add_slopes(Terms f, Mixed *mixed, Py_ssize_t n, const real *x, const real *t, const Slopes *d, const exact *like) noexcept nogil:
    """Add p G of one class."""
    cdef const exact *share = line_of(&mixed.share, like)
    cdef const exact *rest = line_of(&mixed.rest, like)
    cdef exact *high = line_of(&mixed.high, like)
    cdef exact at_one = narrow(d.at_one, like), at_zero = narrow(d.at_zero, like), e, g
    cdef Py_ssize_t i
    for i in range(n):
        e = x[i]
        g = slope(f, e * share[i], others(e, rest[i]) * share[i], <exact> t[i], at_one, at_zero)
        high[i] += g if e == 1 else <exact> 0
        accumulate_wide(0 if e == 1 else <double> e * <double> g, &mixed.low[i], &mixed.low_lost[i], x)


cdef void add_curvatures(Terms f, bint joint, Mixed *mixed, Py_ssize_t n, const real *x, const real *t, const Slopes *d) noexcept nogil:
    """Add what the second derivatives need: p times that by p, or for a joint value the denominator's slope."""
    cdef const double *share = mixed.share.doubles
    cdef const double *rest = mixed.rest.doubles
    cdef double *high = mixed.high2.doubles
    cdef double e, p, q, ti, g, c, k
    cdef Py_ssize_t i
    for i in range(n):
        e = x[i]
        ti = t[i]
        p = e * share[i]
        q = others(e, rest[i]) * share[i]
        c = slope(f, p, q, ti, d.d_one, d.d_zero)
        g = slope(f, p, q, ti, d.at_one, d.at_zero)
        k = c if joint else pixel_curvature(f, g, c, d.at_zero, d.power, mixed.by[i]) * p
        high[i] += k if e == 1 else <double> 0
        accumulate_wide(0 if e == 1 else e * k, &mixed.low2[i], &mixed.low2_lost[i], x)


cdef void end_sums(const Tile *tile, double *low, const double *lost) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(tile.n):
        low[i] = (low[i] + lost[i]) * tile.share[i]


cdef void softmax_gradient(Terms f, Mixed *mixed, Py_ssize_t n, const real *x, const real *t, const Slopes *d, real *out) noexcept nogil:
    """p_c (G_c - Σ p G) of one class."""
    cdef const real *share = line_of(&mixed.share, x)
    cdef const real *rest = line_of(&mixed.rest, x)
    cdef const real *high = line_of(&mixed.high, x)
    cdef real at_one = narrow(d.at_one, x), at_zero = narrow(d.at_zero, x), e, p, q, g, top, own
    cdef Py_ssize_t i
    for i in range(n):
        e = x[i]
        p = e * share[i]
        q = others(e, rest[i]) * share[i]
        g = slope(f, p, q, t[i], at_one, at_zero)
        top = high[i] - (g if e == 1 else <real> 0)
        own = g * q if e == 1 else g
        out[i] = p * (own - (<real> mixed.low[i] + share[i] * top))


cdef void softmax_curvature(Terms f, bint joint, Mixed *mixed, Py_ssize_t n, const real *x, const real *t, const Slopes *d,
                            real *out) noexcept nogil:
    cdef const double *share = mixed.share.doubles
    cdef const double *rest = mixed.rest.doubles
    cdef const double *high = mixed.high.doubles
    cdef const double *high2 = mixed.high2.doubles
    cdef double e, ti, p, q, g, c, k, first, own, both, top, w
    cdef Py_ssize_t i
    for i in range(n):
        e = x[i]
        ti = t[i]
        p = e * share[i]
        q = others(e, rest[i]) * share[i]
        g = slope(f, p, q, ti, d.at_one, d.at_zero)
        top = high[i] - (g if e == 1 else <double> 0)
        own = g * q if e == 1 else g
        w = mixed.by[i]
        first = p * (own - (mixed.low[i] + share[i] * top))
        c = slope(f, p, q, ti, d.d_one, d.d_zero)
        # Of a joint value what the denominator does; else what the classes' own second derivatives do.
        top = high2[i] - (c if e == 1 else <double> 0)
        own = c * q if e == 1 else c
        both = <double> -2 * w * first * (p * (own - (mixed.low2[i] + share[i] * top)))
        k = pixel_curvature(f, g, c, d.at_zero, d.power, w)
        top = high2[i] - (k * p if e == 1 else <double> 0)
        own = 0 if e == 1 else p * (k * p)
        own = p * p * (k * q * q + ((mixed.low2[i] - own) + share[i] * top))
        out[i] = <real> ((both if joint else own) + (q - p) * first)


cdef void gradient(Terms f, Pointwise activation, Py_ssize_t n, const real *x, const real *t, const Slopes *d, real *out) noexcept nogil:
    cdef real at_one = narrow(d.at_one, x), at_zero = narrow(d.at_zero, x), p, q, by_x
    cdef Py_ssize_t i
    for i in range(n):
        probability(activation, x[i], &p, &q, &by_x)
        out[i] = slope(f, p, q, t[i], at_one, at_zero) * by_x


cdef void curvature(Terms f, Pointwise activation, Mixed *mixed, Py_ssize_t n, const real *x, const real *t, const Slopes *d,
                    real *out) noexcept nogil:
    cdef double p, q, by_x, ti, g, k
    cdef Py_ssize_t i
    for i in range(n):
        ti = t[i]
        probability(activation, <double> x[i], &p, &q, &by_x)
        g = slope(f, p, q, ti, d.at_one, d.at_zero)
        k = pixel_curvature(f, g, slope(f, p, q, ti, d.d_one, d.d_zero), d.at_zero, d.power, mixed.by[i])
        if Pointwise is Sigmoid:
            out[i] = <real> (by_x * (by_x * k + (q - p) * g))
        else:
            out[i] = <real> k


cdef void copy_weights(Mixed *mixed, Py_ssize_t n, const real *w) noexcept nogil:
    """`w` is NULL where pixels have no weights."""
    cdef Py_ssize_t i
    for i in range(n):
        mixed.by[i] = 1
    if w != NULL:
        for i in range(n):
            mixed.by[i] = w[i]


cdef void weigh_line(Py_ssize_t n, const real *w, real *line) noexcept nogil:
    """Derivatives times the weights."""
    cdef Py_ssize_t i
    for i in range(n):
        line[i] = weighed(w[i], line[i])


cdef void derive_tile(Terms f, const Overlap *job, Tile *tile, const Slopes *slopes, int output, const real *like) noexcept nogil:
    """The first derivatives of a tile (`output` is G) or the second (H)."""
    cdef real ws[TILE]
    cdef real xs[TILE]
    cdef real ts[TILE]
    cdef real block[TILE]
    cdef Mixed mixed
    cdef const real *x
    cdef const real *t
    cdef const real *counts
    cdef const real *w = line_of(&tile.w, like)
    cdef real *out
    cdef Identity identity
    cdef Sigmoid sigmoid
    cdef const Pixels *pixels = &job.pixels
    cdef char *base = place_of(pixels, output, tile.image, tile.pixel)
    cdef bint is_hess = output == H, joint = job.joint != APIECE, weighted = pixels.operands[<int> W].data != NULL
    cdef Py_ssize_t c, n = tile.n, unwatched = 0
    if pixels.activation == SOFTMAX:
        if is_hess:
            begin_sums(&mixed, tile, <const double *> NULL)
            memset(mixed.low2, 0, n * sizeof(double))
            memset(mixed.low2_lost, 0, n * sizeof(double))
            memset(&mixed.high2, 0, n * sizeof(double))
            copy_weights(&mixed, n, w if weighted else NULL)
        else:
            begin_sums(&mixed, tile, like)
        for c in range(pixels.classes):
            if halts(pixels, &unwatched, n):
                break
            t = target_line(pixels, tile, c, <real *> ts, <real *> ws, &counts)
            x = exponentials(pixels, tile, c, <real *> xs)
            if is_hess:
                add_slopes(f, &mixed, n, x, t, &slopes[c], <const double *> NULL)
                add_curvatures(f, joint, &mixed, n, x, t, &slopes[c])
            else:
                add_slopes(f, &mixed, n, x, t, &slopes[c], like)
        end_sums(tile, mixed.low, mixed.low_lost)
        if is_hess:
            end_sums(tile, mixed.low2, mixed.low2_lost)
    for c in range(pixels.classes):
        if halts(pixels, &unwatched, n):
            break
        t = target_line(pixels, tile, c, <real *> ts, <real *> ws, &counts)
        out = line_or_buffer(pixels, output, base, c, <real *> block)
        if pixels.activation == SOFTMAX:
            x = exponentials(pixels, tile, c, <real *> xs)
            if is_hess:
                softmax_curvature(f, joint, &mixed, n, x, t, &slopes[c], out)
            else:
                softmax_gradient(f, &mixed, n, x, t, &slopes[c], out)
            counts = w      # a class that counts for nothing still has a slope
        else:
            x = load_line(pixels, X, tile.x, c, n, <real *> xs)
            if is_hess:
                copy_weights(&mixed, n, counts if weighted else NULL)
            if is_hess and pixels.activation == SIGMOID:
                curvature(f, sigmoid, &mixed, n, x, t, &slopes[c], out)
            elif is_hess:
                curvature(f, identity, &mixed, n, x, t, &slopes[c], out)
            elif pixels.activation == SIGMOID:
                gradient(f, sigmoid, n, x, t, &slopes[c], out)
            else:
                gradient(f, identity, n, x, t, &slopes[c], out)
        if tile.blanks or weighted or counts == <const real *> ws:
            weigh_line(n, counts, out)
        store_line(pixels, output, base, c, n, out)


# ---- parts -----------------------------------------------------------------------------------------------------------

cdef double work_on(Terms f, const real *like, const Overlap *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Parts start … stop-1: their sums, or the derivatives of their pixels."""
    cdef const Pixels *pixels = &job.pixels
    cdef Py_ssize_t part, image, i, end, k, unwatched = 0
    cdef Sum *sums
    cdef const Slopes *slopes
    cdef Tile tile
    for part in range(start, stop):
        image = part // job.parts
        i = part % job.parts * job.part
        end = i + min(job.part, pixels.count - i)
        sums = job.sums + part * pixels.classes * 3
        slopes = job.slopes + image * pixels.classes
        if not job.sloped:
            for k in range(pixels.classes * 3):
                sums[k] = Sum(0, 0)
        while i < end:
            place_tile(pixels, &tile, image, i, end)
            open_tile(pixels, &tile, like)
            if pixels.activation == SOFTMAX:
                soften(pixels, &tile, like)
            if not job.sloped:
                sum_tile(f, job, &tile, sums, like)
            else:
                derive_tile(f, job, &tile, slopes, G, like)
                if job.order > 1:
                    derive_tile(f, job, &tile, slopes, H, like)
            i += tile.n
            if halts(pixels, &unwatched, tile.n * pixels.classes):
                return 0
    return 0


cdef double overlap_span(const real *like, const Overlap *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    cdef Linear linear
    cdef Squared squared
    if job.squared:
        return work_on(squared, like, job, start, stop)
    return work_on(linear, like, job, start, stop)


# ---- one call --------------------------------------------------------------------------------------------------------

cdef double run_overlap(const real *like, Overlap *job, cnp.ndarray value, cnp.ndarray weight, object ignored, double scale,
                        int threads, tuple arrays, int image_axis, int class_axis) except? -1:
    cdef Operand op
    cdef Pixels *pixels = &job.pixels
    cdef Span span
    cdef Py_ssize_t count, work
    cdef double total
    describe_pixels(like, pixels, arrays, weight, ignored, image_axis, class_axis, False)
    describe(&op, value, like, 2, False, True)
    if value is not None and (cnp.PyArray_NDIM(value) != 2 or cnp.PyArray_DIM(value, 0) != pixels.images
                              or cnp.PyArray_DIM(value, 1) != (pixels.classes if job.joint == APIECE else 1)):
        raise ValueError("kernel: values of another shape")
    if pixels.images == 0 or pixels.classes == 0:
        return 0
    count = max(1024, PART // pixels.classes)
    job.parts = max(<Py_ssize_t> 1, min(<Py_ssize_t> SPANS // pixels.images, pixels.count // count))
    job.part = pixels.count // job.parts + (pixels.count % job.parts != 0)
    job.part = many(job.part // pixels.tile + (job.part % pixels.tile != 0), pixels.tile)
    job.parts = max(<Py_ssize_t> 1, pixels.count // job.part + (pixels.count % job.part != 0) if job.part > 0 else 0)
    count = pixels.images * job.parts
    work = many(many(count, job.part), pixels.classes)
    job.sums = NULL
    job.slopes = NULL
    job.sloped = False
    if real is float:
        span = <Span> <void *> overlap_span[float]
    else:
        span = <Span> <void *> overlap_span[double]
    try:
        job.sums = <Sum *> allocate(count, pixels.classes, 3 * sizeof(Sum))
        job.slopes = <Slopes *> allocate(pixels.images, pixels.classes, sizeof(Slopes))
        check_classes(pixels)
        run(span, job, count, 1, work, threads, &pixels.team, True)
        if pixels.outside:
            find_outside(pixels, arrays, weight, class_axis)
            raise LookupError(<int> T, -1)      # another thread has changed it since
        total = finish_values(like, job, &op, scale)
        if job.order > 0 and pixels.count > 0:
            job.sloped = True
            run(span, job, count, 1, work, threads, &pixels.team, True)
    finally:
        free(job.sums)
        free(job.slopes)
    return total


ACTIVATIONS = {"identity": <int> IDENTITY, "sigmoid": <int> SIGMOID, "softmax": <int> SOFTMAX}
JOINT = {None: <int> APIECE, "square": <int> SQUARE, "simple": <int> SIMPLE, "uniform": <int> UNIFORM}


def overlap(tuple parameters, bint squared, int joint, int activation, bint labelled, object ignored, int order,
            bint double_precision, double scale, int threads, cnp.ndarray value, cnp.ndarray weight, tuple arrays,
            int image_axis, int class_axis):
    """Compare regions. The arrays are (x, target, weights of the pixels, mask, gradient, hessian), None where there is none.
    Weights and mask have x's axes but for that of the classes, and so has a target of class numbers. The axes of the images
    and of the classes are -1 where there is but one. The value has axes of images and classes, the latter of length 1 for a
    joint value; `weight` holds a float64 for each class. `parameters` are those of Fraction; `ignored` is a class number or
    a number of the target, or None. Returns the sum of the values; raises LookupError(operand, position), with the position
    in C order, for the first element that is outside its domain, before anything is written."""
    cdef Overlap job
    if len(arrays) != <int> OPERANDS or arrays[<int> T] is None or not 0 <= activation <= SOFTMAX or not 0 <= joint <= UNIFORM:
        raise ValueError("kernel: no such activation, joint value or number of operands")
    if (order > 0) != (arrays[<int> G] is not None) or (order > 1) != (arrays[<int> H] is not None):
        raise ValueError("kernel: no array for the derivatives")
    read_parameters(parameters, sizeof(Fraction) // sizeof(double), <double *> &job.formula)
    job.squared = squared
    job.joint = <Joint> joint
    job.order = order
    job.pixels.activation = activation
    job.pixels.holds = LABELS if labelled else NUMBERS
    if double_precision:
        return run_overlap(<const double *> NULL, &job, value, weight, ignored, scale, threads, arrays, image_axis, class_axis)
    return run_overlap(<const float *> NULL, &job, value, weight, ignored, scale, threads, arrays, image_axis, class_axis)
