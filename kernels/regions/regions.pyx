# Losses that compare regions: overlaps of a predicted with a true mask, and the Lovász extension of the Jaccard index.
#
# The overlaps first. p is the predicted probability of a pixel, q = 1 - p, t the target. Of each image and class they take
#     I = Σ p t,   FP = Σ p (1 - t),   FN = Σ q t
# in one pass over the data (q as accurate as p, so that nothing is lost where a segmentation is nearly perfect), make the
# value and the derivatives by p of these sums, and carry the latter back to the input in a second pass, in which p is
# computed again. What a loss makes of the sums is one formula, `fraction`; how a pixel enters them is said by `Terms`.
# A pixel enters them with its weight. What has the weight 0 is taken out: its numbers are read as 0, and its derivatives
# are 0.
# So is what a mask leaves out, what is ignored, and a class of the weight 0.
#
# Both passes go over tiles: all classes of a few pixels that lie side by side. Loops run over the pixels, a line of one
# class after the other. Parts, which threads work on, are of one image each and have sums of their own, added in order.

include "common.pxi"

from libc.math cimport pow as c_pow
from libc.stdlib cimport free

cdef enum:
    LINE = 32             # accumulators of a line's sums, and the fewest pixels of a tile that is kept
    PART = 32768          # numbers that are worth a part of their own
    LOOKED_OVER = 1 << 24 # items between two looks for signals

# Input, target, weights of the pixels and the mask of those that count; gradient and second derivative.
cdef enum:
    X, T, W, M, G, H, OPERANDS

cdef enum Holds:              # what a target holds
    LABELS, NUMBERS, BITS     # class numbers, from 0 to 1, or 0 and 1

# How a pixel enters the sums.
cdef struct Linear:
    char none
cdef struct Squared:      # (p - t)² in the place of p (1 - t) and q t
    char none
ctypedef fused Terms:
    Linear
    Squared

# How p follows from the input.
cdef struct Identity:
    char none
cdef struct Sigmoid:
    char none
cdef struct Softmax:
    char none
ctypedef fused exact:        # what derivatives are computed in: doubles where second ones are wanted
    float
    double

ctypedef fused Activation:
    Identity
    Sigmoid
    Softmax

cdef enum:
    IDENTITY, SIGMOID, SOFTMAX

cdef enum Joint:              # whether the classes of an image are one value, and by which weights
    APIECE, SQUARE, SIMPLE, UNIFORM

cdef struct Fraction:         # the parameters
    double kappa, alpha, beta
    double smooth_nr, smooth_dr
    double gamma

cdef struct Slopes:           # derivatives by p of one image and class
    double at_one, at_zero    # the first at targets 1 and 0 (of Squared, parts of them)
    double d_one, d_zero      # the denominator's, divided by the denominator
    double power              # (γ - 1) / (γ v)

cdef struct Overlap:          # one call
    Space space               # the axes of the pixels
    Operand operands[OPERANDS]
    Py_ssize_t image_step[OPERANDS]
    Py_ssize_t class_step[OPERANDS]
    Load load_label
    Fraction formula
    Joint joint
    bint squared
    bint labelled             # the target holds class numbers
    bint ignores
    int64_t ignored           # this class number, or number, counts for nothing
    bint counted              # whether pixels may count for nothing, or for more than others
    const double *weight      # of each class, or NULL
    bint bounded              # whether the input must lie from 0 to 1
    int *outside              # set to 1 if an element is out of its domain
    int order
    Py_ssize_t images, classes, pixels
    Py_ssize_t tile           # pixels of a tile
    bint kept                 # whether a tile's exponentials are
    Py_ssize_t parts          # of an image
    Py_ssize_t part           # pixels of a part
    Sum *sums                 # I, FP and FN of each part and class
    Slopes *slopes            # of each image and class
    Team team


# ---- the formulas ----------------------------------------------------------------------------------------------------

cdef inline double fraction(const Fraction *f, bint squared, const double *sums, double factor, Slopes *d) noexcept nogil:
    """v = r^γ with r = (E + dr - nr) / (κ I + E + dr) and E = α FP + β FN: 1 - r is the share of the region that is right.
    The derivatives are multiplied by `factor`. Where nothing is compared with nothing, 0/0, all is 0."""
    cdef double errors = f.alpha * sums[1] + f.beta * sums[2]
    cdef double whole = f.kappa * sums[0] + errors + f.smooth_dr
    cdef double wrong, right, v, slope = factor
    if whole == 0:
        d[0] = Slopes(0, 0, 0, 0, 0)
        return 0
    wrong = (errors + (f.smooth_dr - f.smooth_nr)) / whole
    right = (f.kappa * sums[0] + f.smooth_nr) / whole
    v = wrong
    d.power = 0
    if f.gamma != 1:
        # With γ < 1 the slope goes to infinity as r goes to 0; but p q, which it meets, goes there faster.
        v = c_pow(wrong, f.gamma)
        slope = factor * f.gamma * (v / wrong) if wrong != 0 else 0
        d.power = (f.gamma - 1) / (f.gamma * v * factor) if v != 0 and factor != 0 else 0
    if squared:
        d.at_one = -f.kappa * wrong / whole * slope
        d.at_zero = right / whole * slope
        d.d_one = f.kappa / whole
        d.d_zero = 1 / whole
    else:
        d.at_one = -(f.kappa * wrong + f.beta * right) / whole * slope
        d.at_zero = f.alpha * right / whole * slope
        d.d_one = (f.kappa - f.beta) / whole
        d.d_zero = f.alpha / whole
    return v


cdef inline void terms(Terms f, double p, double q, double t, double *hit, double *over, double *missed) noexcept nogil:
    """What a pixel adds to I, FP and FN."""
    cdef double u = 1 - t
    hit[0] = p * t
    if Terms is Squared:
        over[0] = (p * u - q * t) * (p * u - q * t)
        missed[0] = 0
    else:
        over[0] = p * u
        missed[0] = q * t

cdef inline real slope(Terms f, real p, real q, real t, real at_one, real at_zero) noexcept nogil:
    """The first derivative by p of a pixel."""
    cdef real u = <real> 1 - t
    if Terms is Squared:
        return at_one * t + <real> 2 * at_zero * (p * u - q * t)
    else:
        return at_one * t + at_zero * u

cdef inline real whole_slope(Terms f, real p, real q, real t, real d_one, real d_zero) noexcept nogil:
    """That of the denominator, divided by the denominator."""
    cdef real u = <real> 1 - t
    if Terms is Squared:
        return d_one * t + <real> 2 * d_zero * (p * u - q * t)
    else:
        return d_one * t + d_zero * u

cdef inline real bend(Terms f, real g, real c, real at_zero, real power, real w) noexcept nogil:
    """The second derivative by p of a pixel of the weight w, divided by w, from the first ones without it: its own and the
    denominator's."""
    cdef real h = w * (g * (power * g - <real> 2 * c))
    if Terms is Squared:
        return h + <real> 2 * at_zero
    else:
        return h


cdef inline double class_weight(Joint joint, double volume) noexcept nogil:
    """Of a class whose target has this volume; 0 for none, until `joint_value` knows the others."""
    if joint == UNIFORM:
        return 1
    if volume == 0:
        return 0
    return 1 / volume if joint == SIMPLE else 1 / (volume * volume)


cdef double joint_value(const Overlap *job, Py_ssize_t image, double scale) noexcept nogil:
    """The value of an image whose classes are added up before they are compared, each with a weight. A class without
    target has the largest weight of the others. The sums of a class whose own weight is 0 are 0."""
    cdef const Sum *own = job.sums + image * job.parts * job.classes * 3
    cdef Slopes *d = job.slopes + image * job.classes
    cdef Slopes all
    cdef Sum parts[3]
    cdef double totals[3]
    cdef double w, v, largest = 0
    cdef Py_ssize_t c, k
    for k in range(3):
        parts[k] = Sum(0, 0)
    for c in range(job.classes):
        w = class_weight(job.joint, own[3 * c].total + own[3 * c + 2].total)
        largest = w if w > largest else largest
    for c in range(job.classes):
        w = class_weight(job.joint, own[3 * c].total + own[3 * c + 2].total)
        w = largest if w == 0 else w
        if job.weight != NULL:
            w = weighed(job.weight[c], w)
        d[c].power = w
        for k in range(3):
            add(&parts[k], weighed(w, own[3 * c + k].total))
    for k in range(3):
        totals[k] = result(parts[k])
    v = fraction(&job.formula, False, totals, scale, &all)
    for c in range(job.classes):
        w = d[c].power
        d[c] = Slopes(weighed(w, all.at_one), weighed(w, all.at_zero), weighed(w, all.d_one), weighed(w, all.d_zero), 0)
    return v


cdef double finish_values(const real *like, Overlap *job, const Operand *value, double scale) noexcept nogil:
    """Values and their derivatives from the sums of the parts; returns the sum of the values."""
    cdef Py_ssize_t image, part, c, k, each = job.classes * 3
    cdef Sum *own
    cdef Sum total = Sum(0, 0)
    cdef double sums[3]
    cdef double v, w
    cdef real narrow
    for image in range(job.images):
        own = job.sums + image * job.parts * each
        for k in range(each):
            for part in range(1, job.parts):
                add(&own[k], own[part * each + k].total)
                own[k].lost += own[part * each + k].lost
            own[k].total = result(own[k])
        for c in range(job.classes if job.joint == APIECE else <Py_ssize_t> 1):
            if job.joint != APIECE:
                v = joint_value(job, image, scale)
            else:
                w = job.weight[c] if job.weight != NULL else 1
                for k in range(3):
                    sums[k] = own[3 * c + k].total
                v = weighed(w, fraction(&job.formula, job.squared, sums, w * scale, job.slopes + image * job.classes + c))
                if w == 0:
                    job.slopes[image * job.classes + c] = Slopes(0, 0, 0, 0, 0)
            add(&total, v)
            if value.data != NULL:
                narrow = <real> v
                value.store(value.data + image * value.strides[0] + c * value.strides[1], 0, 1, &narrow)
    return result(total)


# ---- lines -----------------------------------------------------------------------------------------------------------

cdef inline char *place_of(const Overlap *job, int k, Py_ssize_t image, Py_ssize_t pixel) noexcept nogil:
    """Where a pixel's first class lies in an operand; NULL where there is none."""
    cdef const Operand *op = &job.operands[k]
    if op.data == NULL:
        return NULL
    return op.data + image * job.image_step[k] + offset_of(op, &job.space, 0, job.space.ndim, pixel)

cdef inline Py_ssize_t pixel_step(const Overlap *job, int k) noexcept nogil:
    return job.operands[k].strides[job.space.ndim - 1] if job.space.ndim > 0 else 0

cdef inline bint lies_flat(const Overlap *job, int k) noexcept nogil:
    """Whether the pixels of a tile are consecutive in memory."""
    return job.operands[k].native and pixel_step(job, k) == job.operands[k].itemsize

cdef inline const real *load_line(const Overlap *job, int k, const char *base, Py_ssize_t c, Py_ssize_t n, real *block) noexcept nogil:
    """One class of n pixels, in its array or in `block`."""
    base += c * job.class_step[k]
    if lies_flat(job, k):
        return <const real *> base
    job.operands[k].load(base, pixel_step(job, k), job.operands[k].swapped, n, block)
    return block

cdef inline real *line_place(const Overlap *job, int k, char *base, Py_ssize_t c, real *block) noexcept nogil:
    """Where a line of an output is computed: there if that can be, else in `block`."""
    return <real *> (base + c * job.class_step[k]) if lies_flat(job, k) else block

cdef inline void put_line(const Overlap *job, int k, char *base, Py_ssize_t c, Py_ssize_t n, const real *block) noexcept nogil:
    if not lies_flat(job, k):
        job.operands[k].store(base + c * job.class_step[k], pixel_step(job, k), n, block)


cdef inline void collect(const real *like, double x, double *total, double *lost) noexcept nogil:
    """total += x; where the computation is in float64 the rounding error goes to `lost`."""
    if real is float:
        total[0] += x
    else:
        accumulate(x, total, lost)


cdef struct Alike:
    char none
cdef struct Weighted:
    char none
ctypedef fused Weighing:      # whether pixels have weights
    Alike
    Weighted

cdef void add_terms(Terms f, Weighing weighing, const double *p, const double *q, const real *t, const real *w, Py_ssize_t n,
                    Sum *sums) noexcept nogil:
    """Add n pixels to I, FP and FN, in fixed lanes."""
    cdef double total[3][LINE]
    cdef double lost[3][LINE]
    cdef double x[3]
    cdef Py_ssize_t i, j, width, whole = n - n % LINE
    cdef int k, count = 3
    if Terms is Squared:
        count = 2
    for k in range(count):
        for j in range(LINE):
            total[k][j] = 0
            lost[k][j] = 0
    for i from 0 <= i < whole by LINE:
        for j in range(LINE):
            terms(f, p[i + j], q[i + j], t[i + j], &x[0], &x[1], &x[2])
            if Weighing is Weighted:
                x[0] *= w[i + j]
                x[1] *= w[i + j]
                x[2] *= w[i + j]
            collect(t, x[0], &total[0][j], &lost[0][j])
            collect(t, x[1], &total[1][j], &lost[1][j])
            if Terms is not Squared:
                collect(t, x[2], &total[2][j], &lost[2][j])
    for j in range(n - whole):
        terms(f, p[whole + j], q[whole + j], t[whole + j], &x[0], &x[1], &x[2])
        if Weighing is Weighted:
            x[0] *= w[whole + j]
            x[1] *= w[whole + j]
            x[2] *= w[whole + j]
        collect(t, x[0], &total[0][j], &lost[0][j])
        collect(t, x[1], &total[1][j], &lost[1][j])
        if Terms is not Squared:
            collect(t, x[2], &total[2][j], &lost[2][j])
    for k in range(count):
        width = LINE // 2
        while width > 0:
            for j in range(width):
                collect(t, total[k][j + width], &total[k][j], &lost[k][j])
                lost[k][j] += lost[k][j + width]
            width //= 2
        add(&sums[k], total[k][0])
        sums[k].lost += lost[k][0]


# ---- a tile ----------------------------------------------------------------------------------------------------------

cdef struct Tile:
    Py_ssize_t n              # pixels
    Py_ssize_t image
    Py_ssize_t pixel          # the first
    char *x                   # where they lie
    char *t
    double rest[TILE]         # S = Σ exp(x_j - m) over all classes but one maximum
    double share[TILE]        # 1 / (1 + S)
    bint infinite             # whether some m is
    bint blanks               # whether some pixels count for nothing

# Of each pixel m, its weight w, and its class number or -1, are kept beside it.


cdef inline bint halts(const Overlap *job, Py_ssize_t *unwatched, Py_ssize_t n) noexcept nogil:
    """Whether to stop, after n more numbers."""
    unwatched[0] += n
    if unwatched[0] < WATCHED:
        return False
    unwatched[0] = 0
    return fl_stops(<Team *> &job.team)


cdef void place_tile(const Overlap *job, Tile *tile, Py_ssize_t image, Py_ssize_t i, Py_ssize_t end) noexcept nogil:
    """The tile that begins at pixel i. It does not go over the end of the innermost axis."""
    cdef Py_ssize_t length = job.space.shape[job.space.ndim - 1] if job.space.ndim > 0 else 1
    tile.n = min(min(job.tile, end - i), length - i % length)
    tile.image = image
    tile.pixel = i
    tile.x = place_of(job, X, image, i)
    tile.t = place_of(job, T, image, i)


cdef void open_tile(const Overlap *job, Tile *tile, int32_t *labels, real *w) noexcept nogil:
    """Class numbers, where the target holds such, and weights, where not all pixels count alike."""
    cdef const Operand *op = <const Operand *> job.operands
    cdef real valid[TILE]
    cdef int64_t block[TILE]
    cdef int64_t ignored = job.ignored, bad = 0, none
    cdef Py_ssize_t i, n = tile.n
    cdef int blanks = 0
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
    if job.labelled:
        job.load_label(tile.t, pixel_step(job, T), op[<int> T].swapped, n, block)
        if job.ignores:
            for i in range(n):
                w[i] = 0 if block[i] == ignored else w[i]
        for i in range(n):
            none = <uint64_t> block[i] >= <uint64_t> job.classes
            bad |= none
            labels[i] = <int32_t> (-1 if none else block[i])
        if bad and not job.counted:
            job.outside[0] = 1
        elif bad:
            for i in range(n):
                if labels[i] < 0 and w[i] != 0:
                    job.outside[0] = 1
    if job.counted:
        for i in range(n):
            blanks |= w[i] == 0
    tile.blanks = blanks


cdef inline void clear_line(Py_ssize_t n, const real *w, const real *line, real *block) noexcept nogil:
    """A line with 0 where a pixel counts for nothing. The block may be the line."""
    cdef Py_ssize_t i
    for i in range(n):
        block[i] = 0 if w[i] == 0 else line[i]


cdef inline bint leaves_class(const Overlap *job, Py_ssize_t c) noexcept nogil:
    """Whether a class counts for nothing."""
    return job.weight != NULL and job.weight[c] == 0

cdef inline const real *target_line(const Overlap *job, const Tile *tile, const int32_t *labels, const real *w, Py_ssize_t c,
                                    real *block, real *weights, const real **counts) noexcept nogil:
    """The target of one class, 0 where it counts for nothing, and the weights of its pixels; NULL if all of them count
    alike. Both may be in a block."""
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
    if job.labelled:
        for i in range(tile.n):
            block[i] = 1 if labels[i] == own else 0
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


cdef inline bint strays(const real *x, const real *t, Py_ssize_t n) noexcept nogil:
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


cdef inline void exp_line(const Tile *tile, const real *x, const real *m, real *e) noexcept nogil:
    """exp(x - m) of one class."""
    cdef Py_ssize_t i
    for i in range(tile.n):
        e[i] = exp_gap(x[i], m[i])

cdef inline void limit_line(const Tile *tile, const real *x, const real *m, real *e) noexcept nogil:
    """The same where m is infinite: 1 at a maximum, else 0; NaN stays. `e` may be x."""
    cdef Py_ssize_t i
    cdef real xi, y
    for i in range(tile.n):
        xi = x[i]
        y = exp_gap(xi, m[i])
        e[i] = y if m[i] - m[i] == 0 else (<real> 1 if xi == m[i] else (xi - xi if xi != xi else <real> 0))

cdef inline const real *exponentials(const Overlap *job, const Tile *tile, const real *m, const real *w, const real *kept,
                                     Py_ssize_t c, real *block) noexcept nogil:
    """exp(x - m) of one class: as kept, or once more; 0 where a pixel counts for nothing."""
    cdef const real *x
    cdef Py_ssize_t i
    if job.kept:
        return kept + c * job.tile
    x = load_line(job, X, tile.x, c, tile.n, block)
    if tile.infinite:
        limit_line(tile, x, m, block)
    else:
        exp_line(tile, x, m, block)
    if tile.blanks:
        for i in range(tile.n):
            block[i] = 0 if w[i] == 0 else block[i]
    return block


cdef void soften(const Overlap *job, Tile *tile, real *m, const real *w, real *kept) noexcept nogil:
    """What is known of the softmax of each pixel of a tile, and the exponentials if they are kept."""
    cdef real block[TILE]
    cdef int32_t top[TILE]
    cdef double lost[TILE]
    cdef const real *x
    cdef real *e
    cdef real xi, mi
    cdef double size
    cdef Py_ssize_t i, c, n = tile.n, unwatched = 0
    cdef int infinite = 0
    for c in range(job.classes):
        if halts(job, &unwatched, n):
            break
        e = kept + c * job.tile if job.kept else <real *> block
        x = load_line(job, X, tile.x, c, n, e)
        if c == 0:
            for i in range(n):
                m[i] = x[i]
                top[i] = 0
                tile.rest[i] = 0
                lost[i] = 0
        else:
            for i in range(n):
                xi = x[i]
                mi = m[i]
                m[i] = xi if xi > mi else mi
    for i in range(n):
        infinite |= m[i] - m[i] != 0
    tile.infinite = infinite
    for c in range(job.classes):
        if halts(job, &unwatched, n):
            break
        e = kept + c * job.tile if job.kept else <real *> block
        x = e
        if not job.kept or lies_flat(job, X):
            x = load_line(job, X, tile.x, c, n, e)
        if infinite:
            limit_line(tile, x, m, e)
        else:
            exp_line(tile, x, m, e)
        for i in range(n):
            xi = e[i]
            top[i] += xi == 1
            size = 0 if xi == 1 else xi
            collect(m, size, &tile.rest[i], &lost[i])
    for i in range(n):
        size = (tile.rest[i] + lost[i]) + (<double> top[i] - 1)
        size = NAN if (m[i] - m[i] != 0) & (top[i] != 1) else size
        tile.rest[i] = size
        tile.share[i] = 1 / (1 + size)
    if tile.blanks:
        for i in range(n):
            tile.rest[i] = 0 if w[i] == 0 else tile.rest[i]
            tile.share[i] = 0 if w[i] == 0 else tile.share[i]
        if job.kept:
            for c in range(job.classes):
                e = kept + c * job.tile
                for i in range(n):
                    e[i] = 0 if w[i] == 0 else e[i]


cdef inline real *memory(const Overlap *job, const real *like) noexcept nogil:
    """The thread's working memory, room for a tile's exponentials."""
    if real is float:
        return fl_own(&job.team).floats
    else:
        return fl_own(&job.team).doubles

cdef inline Py_ssize_t room(const real *like) noexcept nogil:
    """How many numbers that holds."""
    return 3 * ROOM * <Py_ssize_t> sizeof(double) // <Py_ssize_t> sizeof(real)


cdef inline void weigh_line(Py_ssize_t n, const real *w, real *line) noexcept nogil:
    """Derivatives times the weights."""
    cdef Py_ssize_t i
    for i in range(n):
        line[i] = weighed(w[i], line[i])


cdef void sum_tile(Terms f, Activation a, const Overlap *job, Tile *tile, Sum *sums, const real *like) noexcept nogil:
    """Add a tile to the sums of its part."""
    cdef real *kept = memory(job, like)
    cdef real m[TILE]
    cdef int32_t labels[TILE]
    cdef real w[TILE]
    cdef real ws[TILE]
    cdef real xs[TILE]
    cdef real ts[TILE]
    cdef double p[TILE]
    cdef double q[TILE]
    cdef const real *x
    cdef const real *t
    cdef const real *counts
    cdef Alike alike
    cdef Weighted weighted
    cdef bint cleared, weighed_ = job.operands[<int> W].data != NULL
    cdef double xi, z, share
    cdef real own
    cdef Py_ssize_t i, c, n = tile.n, unwatched = 0
    open_tile(job, tile, labels, <real *> w)
    if Activation is Softmax:
        soften(job, tile, <real *> m, <const real *> w, kept)
    for c in range(job.classes):
        if halts(job, &unwatched, n):
            break
        t = target_line(job, tile, labels, <const real *> w, c, <real *> ts, <real *> ws, &counts)
        cleared = counts != NULL and (tile.blanks or counts == <const real *> ws)
        if Activation is not Softmax:
            x = load_line(job, X, tile.x, c, n, <real *> xs)
            if cleared:
                clear_line(n, counts, x, <real *> xs)
                x = xs
        if Activation is Softmax:
            x = exponentials(job, tile, <const real *> m, <const real *> w, <const real *> kept, c, <real *> xs)
            for i in range(n):
                xi = x[i]
                p[i] = xi * tile.share[i]
                q[i] = (tile.rest[i] if xi == 1 else (1 - xi) + tile.rest[i]) * tile.share[i]
        elif Activation is Sigmoid:
            for i in range(n):
                own = x[i]
                z = exp(-absolute(own))
                share = 1 / (1 + z)
                p[i] = share if own > 0 else z * share
                q[i] = z * share if own > 0 else share
        else:
            for i in range(n):
                p[i] = x[i]
                q[i] = 1 - <double> x[i]
        if Activation is Identity:
            if strays(x, t, n):
                job.outside[0] = 1
        elif not job.labelled and strays(t, t, n):
            job.outside[0] = 1
        if cleared or weighed_:
            add_terms(f, weighted, p, q, t, counts, n, sums + 3 * c)
        else:
            add_terms(f, alike, p, q, t, counts, n, sums + 3 * c)


cdef inline real narrow(double x, const real *like) noexcept nogil:
    """x, or a huge float: what is beyond them meets 0."""
    if real is float:
        x = 1e38 if (x > 1e38) & (x < INFINITY) else x
        x = -1e38 if (x < -1e38) & (x > -INFINITY) else x
    return <real> x

cdef struct Few:              # the slopes, in the computation's dtype
    float f[5]
    double d[5]

cdef inline real few(const Few *s, int k, const real *like) noexcept nogil:
    if real is float:
        return s.f[k]
    else:
        return s.d[k]

cdef inline Few narrowed_slopes(const Slopes *s) noexcept nogil:
    cdef Few few
    cdef const double *from_ = <const double *> s
    cdef int k
    for k in range(5):
        few.f[k] = narrow(from_[k], <const float *> NULL)
        few.d[k] = from_[k]
    return few


cdef inline void split(Activation a, exact x, exact *p, exact *q, exact *slope) noexcept nogil:
    """p, q and the derivative of p by x."""
    cdef exact e, both
    if Activation is Sigmoid:
        e = exp(-absolute(x))
        both = <exact> 1 / (<exact> 1 + e)
        p[0] = both if x > 0 else e * both
        q[0] = e * both if x > 0 else both
        slope[0] = p[0] * q[0]
    else:
        p[0] = x
        q[0] = <exact> 1 - x
        slope[0] = 1


cdef void slope_tile(Terms f, Activation a, const Overlap *job, Tile *tile, const Slopes *slopes, char *base_g, char *base_h,
                     const real *like, const exact *likewise) noexcept nogil:
    """The first derivatives of a tile, or where they have a place the second."""
    cdef real *kept = memory(job, like)
    cdef real m[TILE]
    cdef int32_t labels[TILE]
    cdef real w[TILE]
    cdef real ws[TILE]
    cdef real xs[TILE]
    cdef real ts[TILE]
    cdef real gs[TILE]
    cdef real hs[TILE]
    cdef exact share[TILE]
    cdef exact rest[TILE]
    cdef exact by[TILE]       # weights, for second derivatives
    # Σ p G over the classes below the maximum and over those at it; and the same of what second derivatives need.
    cdef double low[TILE]
    cdef double low_lost[TILE]
    cdef exact high[TILE]
    cdef double low2[TILE]
    cdef double low2_lost[TILE]
    cdef exact high2[TILE]
    cdef const real *x
    cdef const real *t
    cdef const real *counts
    cdef real *g
    cdef real *h
    cdef real xi
    cdef exact at_one, at_zero, d_one, d_zero, power, e, ti, pi, qi, gi, ci, ki, first, own, both, top, wi
    cdef bint joint = job.joint != APIECE, bent = base_h != NULL, weighed_ = job.operands[<int> W].data != NULL
    cdef Few s
    cdef Py_ssize_t i, c, n = tile.n, unwatched = 0
    open_tile(job, tile, labels, <real *> w)
    if bent:
        for i in range(n):
            by[i] = <exact> 1
        if weighed_:
            for i in range(n):
                by[i] = w[i]
    if Activation is Softmax:
        soften(job, tile, <real *> m, <const real *> w, kept)
        for i in range(n):
            share[i] = <exact> tile.share[i]
            rest[i] = <exact> tile.rest[i]
            low[i] = 0
            low_lost[i] = 0
            high[i] = 0
            low2[i] = 0
            low2_lost[i] = 0
            high2[i] = 0
        for c in range(job.classes):
            if halts(job, &unwatched, n):
                break
            s = narrowed_slopes(&slopes[c])
            at_one = few(&s, 0, likewise); at_zero = few(&s, 1, likewise)
            t = target_line(job, tile, labels, <const real *> w, c, <real *> ts, <real *> ws, &counts)
            x = exponentials(job, tile, <const real *> m, <const real *> w, <const real *> kept, c, <real *> xs)
            for i in range(n):
                e = x[i]
                ti = t[i]
                pi = e * share[i]
                qi = (rest[i] if e == 1 else (1 - e) + rest[i]) * share[i]
                gi = slope(f, pi, qi, ti, at_one, at_zero)
                high[i] += gi if e == 1 else <exact> 0
                collect(like, 0 if e == 1 else <double> e * <double> gi, &low[i], &low_lost[i])
            if bent:
                d_one = few(&s, 2, likewise); d_zero = few(&s, 3, likewise); power = few(&s, 4, likewise)
                for i in range(n):
                    e = x[i]
                    ti = t[i]
                    pi = e * share[i]
                    qi = (rest[i] if e == 1 else (1 - e) + rest[i]) * share[i]
                    ci = whole_slope(f, pi, qi, ti, d_one, d_zero)
                    gi = slope(f, pi, qi, ti, at_one, at_zero)
                    ki = ci if joint else bend(f, gi, ci, at_zero, power, by[i]) * pi
                    high2[i] += ki if e == 1 else <exact> 0
                    collect(like, 0 if e == 1 else <double> e * <double> ki, &low2[i], &low2_lost[i])
        for i in range(n):
            low[i] = (low[i] + low_lost[i]) * tile.share[i]
            low2[i] = (low2[i] + low2_lost[i]) * tile.share[i]
    for c in range(job.classes):
        if halts(job, &unwatched, n):
            break
        s = narrowed_slopes(&slopes[c])
        at_one = few(&s, 0, likewise); at_zero = few(&s, 1, likewise)
        d_one = few(&s, 2, likewise); d_zero = few(&s, 3, likewise); power = few(&s, 4, likewise)
        t = target_line(job, tile, labels, <const real *> w, c, <real *> ts, <real *> ws, &counts)
        g = line_place(job, G, base_g, c, <real *> gs) if not bent else <real *> gs
        h = line_place(job, H, base_h, c, <real *> hs) if bent else <real *> hs
        if Activation is Softmax:
            x = exponentials(job, tile, <const real *> m, <const real *> w, <const real *> kept, c, <real *> xs)
            for i in range(n if not bent else <Py_ssize_t> 0):
                e = x[i]
                ti = t[i]
                pi = e * share[i]
                qi = (rest[i] if e == 1 else (1 - e) + rest[i]) * share[i]
                gi = slope(f, pi, qi, ti, at_one, at_zero)
                top = high[i] - (gi if e == 1 else <exact> 0)
                own = gi * qi if e == 1 else gi
                g[i] = <real> (pi * (own - (<exact> low[i] + share[i] * top)))
            if bent:
                for i in range(n):
                    e = x[i]
                    ti = t[i]
                    pi = e * share[i]
                    qi = (rest[i] if e == 1 else (1 - e) + rest[i]) * share[i]
                    gi = slope(f, pi, qi, ti, at_one, at_zero)
                    top = high[i] - (gi if e == 1 else <exact> 0)
                    own = gi * qi if e == 1 else gi
                    wi = by[i]
                    first = pi * (own - (<exact> low[i] + share[i] * top))
                    ci = whole_slope(f, pi, qi, ti, d_one, d_zero)
                    # Of a joint value what the denominator does; else what the classes' own second derivatives do.
                    top = high2[i] - (ci if e == 1 else <exact> 0)
                    own = ci * qi if e == 1 else ci
                    both = <exact> -2 * wi * first * (pi * (own - (<exact> low2[i] + share[i] * top)))
                    ki = bend(f, gi, ci, at_zero, power, wi)
                    top = high2[i] - (ki * pi if e == 1 else <exact> 0)
                    own = 0 if e == 1 else pi * (ki * pi)
                    own = pi * pi * (ki * qi * qi + ((<exact> low2[i] - own) + share[i] * top))
                    h[i] = <real> ((both if joint else own) + (qi - pi) * first)
        else:
            x = load_line(job, X, tile.x, c, n, <real *> xs)
            if bent and weighed_:
                for i in range(n):
                    by[i] = counts[i]
            for i in range(n if not bent else <Py_ssize_t> 0):
                ti = t[i]
                split(a, <exact> x[i], &pi, &qi, &top)
                gs[i] = <real> (slope(f, pi, qi, ti, at_one, at_zero) * top)
            for i in range(n if bent else <Py_ssize_t> 0):
                ti = t[i]
                split(a, <exact> x[i], &pi, &qi, &top)
                gi = slope(f, pi, qi, ti, at_one, at_zero)
                ki = bend(f, gi, whole_slope(f, pi, qi, ti, d_one, d_zero), at_zero, power, by[i])
                hs[i] = <real> (top * (top * ki + (qi - pi) * gi) if Activation is Sigmoid else ki)
            if not bent and g != gs:
                memcpy(g, gs, n * sizeof(real))
            if bent and h != hs:
                memcpy(h, hs, n * sizeof(real))
        if Activation is Softmax:      # a class that counts for nothing still has a slope
            counts = w
        if tile.blanks or weighed_ or (counts == <const real *> ws and Activation is not Softmax):
            weigh_line(n, counts, h if bent else g)
        if bent:
            put_line(job, H, base_h, c, n, <const real *> h)
        else:
            put_line(job, G, base_g, c, n, <const real *> g)


# ---- parts -----------------------------------------------------------------------------------------------------------

cdef double work_on(Terms f, Activation a, const real *like, const Overlap *job, Py_ssize_t start, Py_ssize_t stop, bint sloped) noexcept nogil:
    """Parts start … stop-1: their sums, or the derivatives of their pixels."""
    cdef Py_ssize_t part, image, i, end, k, unwatched = 0
    cdef Sum *sums
    cdef Tile tile
    for part in range(start, stop):
        image = part // job.parts
        i = part % job.parts * job.part
        end = i + min(job.part, job.pixels - i)
        sums = job.sums + part * job.classes * 3
        if not sloped:
            for k in range(job.classes * 3):
                sums[k] = Sum(0, 0)
        while i < end:
            place_tile(job, &tile, image, i, end)
            if sloped:
                slope_tile(f, a, job, &tile, job.slopes + image * job.classes, place_of(job, G, image, i), NULL, like, like)
                if job.order > 1:
                    slope_tile(f, a, job, &tile, job.slopes + image * job.classes, NULL, place_of(job, H, image, i), like,
                               <const double *> NULL)
            else:
                sum_tile(f, a, job, &tile, sums, like)
            i += tile.n
            if halts(job, &unwatched, tile.n * job.classes):
                return 0
    return 0


cdef struct Pass:
    const Overlap *job
    int activation
    bint sloped

cdef double overlap_span(const real *like, const Pass *one, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    cdef Linear linear
    cdef Squared squared
    cdef Identity identity
    cdef Sigmoid sigmoid
    cdef Softmax softmax
    if one.job.squared:
        if one.activation == SOFTMAX:
            return work_on(squared, softmax, like, one.job, start, stop, one.sloped)
        elif one.activation == SIGMOID:
            return work_on(squared, sigmoid, like, one.job, start, stop, one.sloped)
        return work_on(squared, identity, like, one.job, start, stop, one.sloped)
    if one.activation == SOFTMAX:
        return work_on(linear, softmax, like, one.job, start, stop, one.sloped)
    elif one.activation == SIGMOID:
        return work_on(linear, sigmoid, like, one.job, start, stop, one.sloped)
    return work_on(linear, identity, like, one.job, start, stop, one.sloped)


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


cdef int describe_pixels(const real *like, Overlap *job, tuple arrays, int image_axis, int class_axis, bint in_order=False) except -1:
    """Images, classes and pixels of the operands: an axis each, or -1 where there is but one, and the other axes merged;
    with `in_order` pixels are counted in C order whatever lies how in memory."""
    cdef cnp.ndarray array, x = arrays[0]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef int k, axis, count = 0, ndim = cnp.PyArray_NDIM(x)
    if not -1 <= image_axis < ndim or not -1 <= class_axis < ndim or image_axis == class_axis >= 0:
        raise ValueError("kernel: no such axes")
    job.images = cnp.PyArray_DIM(x, image_axis) if image_axis >= 0 else 1
    job.classes = cnp.PyArray_DIM(x, class_axis) if class_axis >= 0 else 1
    job.pixels = 0 if cnp.PyArray_SIZE(x) == 0 else cnp.PyArray_SIZE(x) // job.images // job.classes
    for k in range(<int> OPERANDS):
        array = arrays[k]
        describe(&op[k], array, like, ndim, False, k >= G)
        if array is None:
            continue
        spread_axes(&op[k], array, x, class_axis, k == W or k == M or (k == T and job.labelled))
        job.image_step[k] = op[k].strides[image_axis] if image_axis >= 0 else 0
        job.class_step[k] = op[k].strides[class_axis] if class_axis >= 0 else 0
    if job.labelled:
        if op[<int> T].kind > UINT64:
            raise TypeError("kernel: labels must be integers")
        job.load_label = _load_label[<int> op[<int> T].kind]
        if op[<int> T].kind == UINT64 and job.ignored < 0:      # a huge number would look like a negative one
            job.ignores = False
    job.counted = job.ignores or op[<int> W].data != NULL or op[<int> M].data != NULL
    space.ndim = 0
    if job.pixels == 0:
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


cdef int check_classes(const Overlap *job) except -1:
    """Class numbers, and how many classes share a maximum, are counted in 32 bits."""
    if job.classes > 0x7FFFFFFF:
        raise ValueError("input: at most 2**31 - 1 classes are accepted")
    return 0


HOLDS = {"labels": <int> LABELS, "numbers": <int> NUMBERS, "bits": <int> BITS}


cdef const double *class_weights(cnp.ndarray weight, Py_ssize_t classes) except? NULL:
    if weight is None:
        return NULL
    if (cnp.PyArray_TYPE(weight) != cnp.NPY_DOUBLE or not cnp.PyArray_ISCARRAY_RO(weight)
            or cnp.PyArray_NDIM(weight) != 1 or cnp.PyArray_DIM(weight, 0) != classes):
        raise ValueError("kernel: weight is not a vector of doubles")
    return <const double *> cnp.PyArray_DATA(weight)


# What a pass over the elements in C order finds.
cdef struct Element:
    int operand
    Py_ssize_t position


cdef Element first_outside(const Operand *op, const Space *space, Py_ssize_t count, Holds holds, bint bounded, bint ignores,
                           int64_t ignored, int64_t classes) except *:
    """The first element that is out of its domain: of the input if that is `bounded`, or of the target; at position -1 if
    there is none. What counts for nothing is not looked at. A target of numbers in the place of class numbers is these."""
    cdef double x[BLOCK]
    cdef double w[BLOCK]
    cdef double other[BLOCK]
    cdef int64_t labels[BLOCK]
    cdef Py_ssize_t i, j, n, unwatched = 0
    cdef int64_t bad
    cdef int k
    cdef bint mixed = ignores or op[<int> W].data != NULL or op[<int> M].data != NULL or op[<int> G].data != NULL
    for j in range(<int> BLOCK):
        w[j] = 1
    with nogil:
        for i from 0 <= i < count by BLOCK:
            n = min(<Py_ssize_t> BLOCK, count - i)
            for j in range(n if mixed else <Py_ssize_t> 0):
                w[j] = 1
            for k in range(<int> W, <int> G + 1):      # the last is the weights of classes
                if op[k].data == NULL:
                    continue
                load_block(&op[k], op[k].load, op[k].data, space, 0, space.ndim, i, n, <char *> other, sizeof(double))
                for j in range(n):
                    w[j] = 0 if other[j] == 0 else w[j]
            if holds == LABELS:
                load_block(&op[<int> T], _load_label[<int> op[<int> T].kind], op[<int> T].data, space, 0, space.ndim, i, n,
                           <char *> labels, sizeof(int64_t))
                if ignores:
                    for j in range(n):
                        w[j] = 0 if labels[j] == ignored else w[j]
            else:
                load_block(&op[<int> T], op[<int> T].load, op[<int> T].data, space, 0, space.ndim, i, n, <char *> other, sizeof(double))
                if ignores:
                    for j in range(n):
                        w[j] = 0 if other[j] == ignored else w[j]
            bad = 0
            if holds == LABELS and not bounded:
                for j in range(n):
                    bad |= <uint64_t> labels[j] >= <uint64_t> classes
                if bad:
                    for j in range(n):
                        if <uint64_t> labels[j] >= <uint64_t> classes and w[j] != 0:
                            with gil:
                                return Element(T, i + j)
            elif holds == BITS:
                for j in range(n):
                    bad |= (other[j] < 0) | (other[j] > 1) | ((other[j] != 0) & (other[j] < 1))
                if bad:
                    for j in range(n):
                        if (other[j] < 0 or other[j] > 1 or 0 < other[j] < 1) and w[j] != 0:
                            with gil:
                                return Element(T, i + j)
            elif holds == NUMBERS:
                for j in range(n):
                    bad |= (other[j] < 0) | (other[j] > 1)
            if bounded:
                load_block(&op[<int> X], op[<int> X].load, op[<int> X].data, space, 0, space.ndim, i, n, <char *> x, sizeof(double))
                for j in range(n):
                    bad |= (x[j] < 0) | (x[j] > 1)
            if bad:
                for j in range(n):
                    if w[j] == 0:
                        continue
                    if holds == NUMBERS and (other[j] < 0 or other[j] > 1):
                        with gil:
                            return Element(T, i + j)
                    if bounded and (x[j] < 0 or x[j] > 1):
                        with gil:
                            return Element(X, i + j)
            unwatched += n
            if unwatched >= LOOKED_OVER:
                unwatched = 0
                with gil:
                    PyErr_CheckSignals()
    return Element(T, -1)


cdef int look_at(tuple arrays, cnp.ndarray weight, int class_axis, Holds holds, bint by_pixel, bint bounded, bint ignores,
                 int64_t ignored) except -1:
    """look_over; `by_pixel` in arrays that lack the axis of the classes."""
    cdef cnp.ndarray array, x = arrays[<int> X], like = arrays[<int> T] if by_pixel else x
    cdef Operand op[<int> G + 1]
    cdef Space space
    cdef Element found
    cdef int k, axis, ndim = cnp.PyArray_NDIM(like)
    cdef Py_ssize_t classes = cnp.PyArray_DIM(x, class_axis) if class_axis >= 0 else 1
    for k in range(<int> G):
        array = None if by_pixel and k == X else arrays[k]
        describe(&op[k], array, <const double *> NULL, ndim)
        if array is not None:
            spread_axes(&op[k], array, like, -1 if by_pixel else class_axis,
                        not by_pixel and (k == W or k == M or (k == T and holds == LABELS)))
    array = None if by_pixel else weight
    describe(&op[<int> G], array, <const double *> NULL, ndim)
    for axis in range(ndim):
        op[<int> G].strides[axis] = sizeof(double) if axis == class_axis else 0
        space.shape[axis] = cnp.PyArray_DIM(like, axis)
    ignores = ignores and not (holds == LABELS and op[<int> T].kind == UINT64 and ignored < 0)
    space.ndim = join_axes(op, <int> G + 1, &space, 0, ndim, 0) if cnp.PyArray_SIZE(like) > 0 else 0
    found = first_outside(op, &space, cnp.PyArray_SIZE(like), holds, bounded, ignores, ignored, classes)
    if found.position >= 0:
        raise LookupError(found.operand, found.position)
    return 0


cdef int look_over(tuple arrays, cnp.ndarray weight, int class_axis, Holds holds, bint bounded, bint ignores, int64_t ignored) except -1:
    """Raise LookupError(operand, position) for the first element, in C order, that is out of its domain. Class numbers come
    before probabilities."""
    if holds == LABELS:
        look_at(arrays, weight, class_axis, holds, True, False, ignores, ignored)
    if holds != LABELS or bounded:
        look_at(arrays, weight, class_axis, holds, False, bounded, ignores, ignored)
    return 0


def check_domains(tuple arrays, cnp.ndarray weight, int class_axis, int holds, bint bounded, object ignored):
    """Raise LookupError(operand, position) for the first element, in C order, that is out of its domain. The arrays are (x,
    target, weights of the pixels, mask), as for `overlap`."""
    if len(arrays) != <int> G or arrays[<int> X] is None or arrays[<int> T] is None or not -1 <= class_axis < cnp.PyArray_NDIM(arrays[0]):
        raise ValueError("kernel: not so many operands")
    class_weights(weight, cnp.PyArray_DIM(arrays[0], class_axis) if class_axis >= 0 else 1)
    look_over(arrays, weight, class_axis, <Holds> holds, bounded, ignored is not None, -1 if ignored is None else ignored)


cdef double run_overlap(const real *like, Overlap *job, int activation, cnp.ndarray value, cnp.ndarray weight, double scale,
                        int threads, tuple arrays, int image_axis, int class_axis) except? -1:
    cdef Operand op
    cdef Pass one = Pass(job, activation, False)
    cdef Span span
    cdef Py_ssize_t count, work
    cdef double total
    cdef int outside = 0
    describe_pixels(like, job, arrays, image_axis, class_axis)
    describe(&op, value, like, 2, False, True)
    if value is not None and (cnp.PyArray_NDIM(value) != 2 or cnp.PyArray_DIM(value, 0) != job.images
                              or cnp.PyArray_DIM(value, 1) != (job.classes if job.joint == APIECE else 1)):
        raise ValueError("kernel: values of another shape")
    if job.images == 0 or job.classes == 0:
        return 0
    job.bounded = activation == IDENTITY
    job.outside = &outside
    job.tile = min(<Py_ssize_t> TILE, room(like) // job.classes // LINE * LINE) if activation == SOFTMAX else TILE
    job.kept = job.tile > 0
    job.tile = job.tile if job.kept else TILE
    count = max(1024, PART // job.classes)
    job.parts = max(<Py_ssize_t> 1, min(<Py_ssize_t> SPANS // job.images, job.pixels // count))
    job.part = job.pixels // job.parts + (job.pixels % job.parts != 0)
    job.part = many(job.part // job.tile + (job.part % job.tile != 0), job.tile)
    job.parts = max(<Py_ssize_t> 1, job.pixels // job.part + (job.pixels % job.part != 0) if job.part > 0 else 0)
    count = job.images * job.parts
    work = many(many(count, job.part), job.classes)
    job.sums = NULL
    job.slopes = NULL
    if real is float:
        span = <Span> <void *> overlap_span[float]
    else:
        span = <Span> <void *> overlap_span[double]
    try:
        job.sums = <Sum *> allocate(count, job.classes, 3 * sizeof(Sum))
        job.slopes = <Slopes *> allocate(job.images, job.classes, sizeof(Slopes))
        check_classes(job)
        run(span, &one, count, 1, work, threads, &job.team, True)
        if outside:
            look_over(arrays, weight, class_axis, LABELS if job.labelled else NUMBERS, job.bounded, job.ignores, job.ignored)
            raise LookupError(<int> T, -1)      # another thread has changed it since
        total = finish_values(like, job, &op, scale)
        if job.order > 0 and job.pixels > 0:
            one.sloped = True
            run(span, &one, count, 1, work, threads, &job.team, True)
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
    in C order, for the first element that is out of its domain, before anything is written."""
    cdef Overlap job
    cdef cnp.ndarray x = arrays[0]
    if len(arrays) != <int> OPERANDS or arrays[1] is None or not 0 <= activation <= SOFTMAX:
        raise ValueError("kernel: no such activation or number of operands")
    if (order > 0) != (arrays[<int> G] is not None) or (order > 1) != (arrays[<int> H] is not None):
        raise ValueError("kernel: no array for the derivatives")
    (job.formula.kappa, job.formula.alpha, job.formula.beta, job.formula.smooth_nr, job.formula.smooth_dr,
     job.formula.gamma) = parameters
    job.weight = class_weights(weight, cnp.PyArray_DIM(x, class_axis) if class_axis >= 0 else 1)
    job.squared = squared
    job.joint = <Joint> joint
    job.labelled = labelled
    job.ignores = ignored is not None
    job.ignored = ignored if job.ignores else -1
    job.order = order
    if double_precision:
        return run_overlap(<const double *> NULL, &job, activation, value, weight, scale, threads, arrays, image_axis, class_axis)
    return run_overlap(<const float *> NULL, &job, activation, value, weight, scale, threads, arrays, image_axis, class_axis)


# ---- Lovász ----------------------------------------------------------------------------------------------------------
#
# Of one class of an image: errors e in descending order, and Σ e Δ, where Δ is by how much the Jaccard loss of the first
# pixels in this order grows with the next one. With I the weight of the pixels of the class not yet passed, U that of the
# union, and w that of the next pixel,
#     Δ = w / U for a pixel of the class, else I w / (U (U + w)),
# which loses nothing; without weights w is 1. Errors below 0 count as 0. An error that is 0 has no derivative, and neither has
# a pixel of another class once all of the class are passed, so the walk ends there.
#
# Errors are sorted by radix: a float as one number with its pixel, a double as a number with another beside it.

cdef enum:
    DIGIT = 11            # bits that are sorted by in one go
    DIGITS = 6            # of a double; half as many of a float
    VALUES = 2048         # of a digit
    GONE = -1             # the key of a pixel that counts for nothing: the last

cdef struct Errors:           # one pass
    const Overlap *job
    int kind                  # IDENTITY, SOFTMAX or HINGE
    Py_ssize_t image
    Py_ssize_t c
    void *m                   # of each pixel: its largest logit, and S
    double *rest
    uint64_t *keys            # small for large errors
    uint64_t *tags            # the pixels of doubles
    uint64_t *spare           # as many
    uint64_t *spare_tags
    void *weights             # of each pixel, if they have such
    void *slopes              # of each pixel of a class
    double scale
    Py_ssize_t counts[DIGITS][VALUES]

cdef enum:
    HINGE = 3

cdef inline uint64_t tag_of(Py_ssize_t pixel, bint own) noexcept nogil:
    """A pixel, and whether it is of the class."""
    return <uint64_t> pixel << 1 | own

cdef inline void put_key(Errors *one, real error, Py_ssize_t pixel, bint own, bint out) noexcept nogil:
    """The key is small for large errors, nan first; a float's has the tag in its lower half."""
    cdef uint32_t bits
    cdef uint64_t wide
    if real is float:
        memcpy(&bits, &error, sizeof(float))
        bits = <uint32_t> 0x7FFFFFFF - (bits & <uint32_t> 0x7FFFFFFF)
        one.keys[pixel] = <uint64_t> GONE if out else <uint64_t> bits << 32 | tag_of(pixel, own)
    else:
        memcpy(&wide, &error, sizeof(double))
        wide = <uint64_t> 0x7FFFFFFFFFFFFFFF - (wide & <uint64_t> 0x7FFFFFFFFFFFFFFF)
        one.keys[pixel] = <uint64_t> GONE if out else wide
        one.tags[pixel] = tag_of(pixel, own)

cdef inline real error_of(uint64_t key, const real *like) noexcept nogil:
    cdef uint32_t bits = <uint32_t> 0x7FFFFFFF - <uint32_t> (key >> 32)
    cdef uint64_t wide = <uint64_t> 0x7FFFFFFFFFFFFFFF - key
    cdef real error
    if real is float:
        memcpy(&error, &bits, sizeof(float))
    else:
        memcpy(&error, &wide, sizeof(double))
    return error


cdef void swap_columns(uint64_t **a, uint64_t **b) noexcept nogil:
    cdef uint64_t *t = a[0]
    a[0] = b[0]
    b[0] = t

cdef bint sort_keys(Errors *one, Py_ssize_t n, const real *like) noexcept nogil:
    """Sort by the errors, and leave what is equal in its order; False if the call is stopped."""
    cdef const Overlap *job = one.job
    cdef Py_ssize_t *counts
    cdef uint64_t *keys
    cdef uint64_t key
    cdef Py_ssize_t i, j, end, total, count, unwatched = 0
    cdef int k, shift, first = 0, digits = DIGITS
    if real is float:
        first = 32
        digits = DIGITS // 2
    memset(one.counts, 0, sizeof(one.counts))
    for i from 0 <= i < n by WATCHED:
        end = i + min(<Py_ssize_t> WATCHED, n - i)
        for j in range(i, end):
            key = one.keys[j] >> first
            for k in range(DIGITS // 2):
                one.counts[k][key >> (DIGIT * k) & (VALUES - 1)] += 1
            if real is double:
                for k in range(DIGITS // 2, DIGITS):
                    one.counts[k][key >> (DIGIT * k) & (VALUES - 1)] += 1
        if halts(job, &unwatched, WATCHED):
            return False
    for k in range(digits):
        counts = one.counts[k]
        shift = first + DIGIT * k
        if n == 0 or counts[one.keys[0] >> shift & (VALUES - 1)] == n:      # nothing to do
            continue
        total = 0
        for j in range(VALUES):
            count = counts[j]
            counts[j] = total
            total += count
        keys = one.keys
        for i from 0 <= i < n by WATCHED:
            end = i + min(<Py_ssize_t> WATCHED, n - i)
            for j in range(i, end):
                key = keys[j]
                total = counts[key >> shift & (VALUES - 1)]
                counts[key >> shift & (VALUES - 1)] = total + 1
                one.spare[total] = key
                if real is double:
                    one.spare_tags[total] = one.tags[j]
            if halts(job, &unwatched, WATCHED):
                return False
        swap_columns(&one.keys, &one.spare)
        swap_columns(&one.tags, &one.spare_tags)
    return True


cdef double soften_span(const real *like, const Errors *one, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """m and S of pixels."""
    cdef int32_t labels[TILE]
    cdef real w[TILE]
    cdef Tile tile
    cdef Py_ssize_t unwatched = 0
    while start < stop and not halts(one.job, &unwatched, TILE * one.job.classes):
        place_tile(one.job, &tile, one.image, start, stop)
        open_tile(one.job, &tile, labels, <real *> w)
        soften(one.job, &tile, <real *> one.m + start, <const real *> w, memory(one.job, like))
        memcpy(one.rest + start, tile.rest, tile.n * sizeof(double))
        start += tile.n
    return 0


cdef double errors_span(const real *like, Errors *one, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Errors of pixels; returns how many are of the class."""
    cdef const Overlap *job = one.job
    cdef const real *m = <const real *> one.m
    cdef real *weights = <real *> one.weights
    cdef int32_t labels[TILE]
    cdef real w[TILE]
    cdef real ws[TILE]
    cdef real xs[TILE]
    cdef real ts[TILE]
    cdef const real *x
    cdef const real *t
    cdef const real *counts
    cdef real es[TILE]
    cdef real e, share, rest, top
    cdef bint own
    cdef Tile tile
    cdef Py_ssize_t i, found, unwatched = 0
    cdef double count = 0
    while start < stop and not halts(job, &unwatched, TILE):
        place_tile(job, &tile, one.image, start, stop)
        x = load_line(job, X, tile.x, one.c, tile.n, <real *> xs)
        open_tile(job, &tile, labels, <real *> w)
        t = target_line(job, &tile, labels, <const real *> w, one.c, <real *> ts, <real *> ws, &counts)
        if one.kind == HINGE:
            for i in range(tile.n):
                e = (<real> 1 - x[i] if t[i] != 0 else <real> 1 + x[i]) + (t[i] - t[i])
                es[i] = 0 if e <= 0 else e
        elif one.kind == IDENTITY:
            for i in range(tile.n):
                es[i] = absolute(<real> 1 - x[i] if t[i] != 0 else x[i])
        else:
            for i in range(tile.n):
                rest = <real> one.rest[start + i]
                share = <real> (1 / (1 + one.rest[start + i]))
                top = m[start + i]
                e = exp_gap(x[i], top)
                e = e if top - top == 0 else (<real> 1 if x[i] == top else (x[i] - x[i] if x[i] != x[i] else <real> 0))
                es[i] = ((rest if e == 1 else (1 - e) + rest) if t[i] != 0 else e) * share
        found = 0
        if counts == NULL:
            for i in range(tile.n):
                own = t[i] != 0
                put_key(one, es[i], start + i, own, False)
                found += own
        else:
            for i in range(tile.n):
                own = t[i] != 0 and counts[i] != 0
                put_key(one, es[i], start + i, own, counts[i] == 0)
                found += own
        count += found
        if weights != NULL:
            memcpy(weights + start, counts, tile.n * sizeof(real))
        start += tile.n
    return count


cdef Sum class_size(const real *like, const Errors *one, Py_ssize_t pixels) noexcept nogil:
    """The weight of all pixels of the class, before they are sorted."""
    cdef const real *weights = <const real *> one.weights
    cdef Sum total = Sum(0, 0)
    cdef uint64_t tag
    cdef Py_ssize_t i, unwatched = 0
    for i in range(pixels):
        if real is float:
            tag = one.keys[i]
        else:
            tag = one.tags[i]
        if one.keys[i] != <uint64_t> GONE and tag & 1:
            add(&total, weights[i])
        if i % WATCHED == 0 and halts(one.job, &unwatched, WATCHED):
            break
    return total


cdef double walk(const real *like, Weighing weighing, const Errors *one, Py_ssize_t pixels, double count, Sum size) noexcept nogil:
    """The value, and its derivatives by what the errors are made of, put where the pixels are. `count` pixels are of the
    class, and of the weight `size`."""
    cdef const real *weights = <const real *> one.weights
    cdef real *slopes = <real *> one.slopes
    cdef double left, union_ = count, delta, error, w = 1
    cdef Sum total = Sum(0, 0), union_size = size
    cdef uint64_t key, tag
    cdef bint own
    cdef Py_ssize_t i, k, unwatched = 0
    if slopes != NULL:
        memset(slopes, 0, pixels * sizeof(real))
    for i in range(pixels):
        key = one.keys[i]
        if key == <uint64_t> GONE or i & (WATCHED - 1) == 0 and halts(one.job, &unwatched, WATCHED):
            break
        if real is float:
            tag = <uint32_t> key
        else:
            tag = one.tags[i]
        error = error_of(key, like)
        own = tag & 1
        k = <Py_ssize_t> (tag >> 1)
        if error == 0 or (count == 0 and i > 0 and error == error):
            break
        if Weighing is Weighted:
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
            if Weighing is Weighted:
                add(&size, -w)
        elif Weighing is Weighted:
            add(&union_size, w)
        else:
            union_ += 1
        add(&total, error * delta)
        if slopes != NULL:
            slopes[k] = <real> ((-delta if own else delta) if error == error else NAN)
    return result(total)


cdef double put_span(const real *like, const Errors *one, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Bring the derivatives of a class to their array, times a factor."""
    cdef const Overlap *job = one.job
    cdef real *slopes = <real *> one.slopes
    cdef real factor = <real> one.scale
    cdef Tile tile
    cdef char *base
    cdef Py_ssize_t i, unwatched = 0
    while start < stop and not halts(job, &unwatched, TILE):
        place_tile(job, &tile, one.image, start, stop)
        for i in range(start, start + tile.n):
            slopes[i] *= factor
        base = place_of(job, G, one.image, start) + one.c * job.class_step[<int> G]
        job.operands[<int> G].store(base, pixel_step(job, G), tile.n, slopes + start)
        start += tile.n
    return 0


cdef double carry_span(const real *like, const Errors *one, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """From derivatives by p to those by x, in their place, times the scale: p_j (G_j q_j - Σ_{c ≠ j} p_c G_c)."""
    cdef const Overlap *job = one.job
    cdef real *kept = memory(job, like)
    cdef real m[TILE]
    cdef int32_t labels[TILE]
    cdef real w[TILE]
    cdef real xs[TILE]
    cdef real gs[TILE]
    cdef real hs[TILE]
    cdef real rest[TILE]
    cdef real share[TILE]
    cdef real high[TILE]
    cdef double low[TILE]
    cdef const real *x
    cdef real scale = <real> one.scale, e, p, q, g, top
    cdef bint soft = one.kind == SOFTMAX
    cdef char *base_g
    cdef char *base_h
    cdef Tile tile
    cdef Py_ssize_t i, c, n, unwatched = 0
    while start < stop and not halts(job, &unwatched, TILE * job.classes):
        place_tile(job, &tile, one.image, start, stop)
        n = tile.n
        base_g = place_of(job, G, one.image, start)
        base_h = place_of(job, H, one.image, start)
        if soft:
            open_tile(job, &tile, labels, <real *> w)
            soften(job, &tile, <real *> m, <const real *> w, kept)
            for i in range(n):
                rest[i] = <real> tile.rest[i]
                share[i] = <real> tile.share[i]
                high[i] = 0
                low[i] = 0
            for c in range(job.classes):
                x = exponentials(job, &tile, <const real *> m, <const real *> w, <const real *> kept, c, <real *> xs)
                job.operands[<int> G].load(base_g + c * job.class_step[<int> G], pixel_step(job, G), False, n, gs)
                for i in range(n):
                    high[i] += gs[i] if x[i] == 1 else <real> 0
                    low[i] += 0 if x[i] == 1 else <double> x[i] * <double> gs[i]
            for i in range(n):
                low[i] *= tile.share[i]
        for c in range(job.classes):
            job.operands[<int> G].load(base_g + c * job.class_step[<int> G], pixel_step(job, G), False, n, gs)
            if soft:
                x = exponentials(job, &tile, <const real *> m, <const real *> w, <const real *> kept, c, <real *> xs)
                for i in range(n):
                    e = x[i]
                    g = gs[i]
                    p = e * share[i]
                    q = (rest[i] if e == 1 else (<real> 1 - e) + rest[i]) * share[i]
                    top = high[i] - (g if e == 1 else <real> 0)
                    g = scale * (p * ((g * q if e == 1 else g) - (<real> low[i] + share[i] * top)))
                    gs[i] = g
                    hs[i] = (q - p) * g
            else:
                for i in range(n):
                    gs[i] *= scale
                    hs[i] = 0
            job.operands[<int> G].store(base_g + c * job.class_step[<int> G], pixel_step(job, G), n, <const real *> gs)
            if base_h != NULL:
                job.operands[<int> H].store(base_h + c * job.class_step[<int> H], pixel_step(job, H), n, <const real *> hs)
        start += n
    return 0


ctypedef double (*ErrorsSpan)(const void *like, const Errors *one, Py_ssize_t start, Py_ssize_t stop) noexcept nogil

cdef enum:
    SOFTEN, ERRORS, PUT, CARRY

cdef Span _lovasz[4][2]

cdef void enlist_lovasz(const real *like, int k) noexcept:
    _lovasz[<int> SOFTEN][k] = <Span> <void *> soften_span[real]
    _lovasz[<int> ERRORS][k] = <Span> <void *> errors_span[real]
    _lovasz[<int> PUT][k] = <Span> <void *> put_span[real]
    _lovasz[<int> CARRY][k] = <Span> <void *> carry_span[real]

enlist_lovasz[float](NULL, 0)
enlist_lovasz[double](NULL, 1)


cdef object room_for(Py_ssize_t items, object dtype):
    """An array whose size is not looked at elsewhere."""
    import numpy
    if items > PY_SSIZE_T_MAX // 8:
        raise MemoryError(f"no memory for {items} pixels")
    return numpy.empty(items, dtype)


cdef class Lovasz:
    """What the classes of images are compared with, one after the other, from 0 on. The arrays are (x, target, weights of the
    pixels, mask, array for the derivatives by p or None, second derivatives or None), as for `overlap`. What is out of its
    domain has been found by `check_domains`."""
    cdef Overlap job
    cdef Errors one
    cdef tuple arrays
    cdef list kept
    cdef bint wide, softmax
    cdef int threads
    cdef int outside

    def __cinit__(self):
        memset(&self.one, 0, sizeof(Errors))

    def __init__(self, tuple arrays, int image_axis, int class_axis, bint hinge, bint softmax, object ignored,
                 bint double_precision, int threads):
        cdef Overlap *job = &self.job
        cdef Py_ssize_t pixels
        cdef object dtype = "f8" if double_precision else "f4"
        if len(arrays) != <int> OPERANDS or arrays[1] is None or softmax and hinge:
            raise ValueError("kernel: not so many operands")
        self.arrays = arrays
        self.threads = threads
        self.wide = double_precision
        self.softmax = softmax
        self.outside = 0
        job.weight = NULL
        job.labelled = not hinge
        job.ignores = ignored is not None
        job.ignored = ignored if job.ignores else -1
        job.outside = &self.outside
        job.bounded = False
        if self.wide:
            describe_pixels(<const double *> NULL, job, arrays, image_axis, class_axis, True)
            job.tile = room(<const double *> NULL)
        else:
            describe_pixels(<const float *> NULL, job, arrays, image_axis, class_axis, True)
            job.tile = room(<const float *> NULL)
        check_classes(job)
        pixels = job.pixels
        if not self.wide and pixels >= 1 << 31:
            raise ValueError("input: at most 2**31 pixels can be sorted in float32; pass float64")
        job.tile = min(<Py_ssize_t> TILE, job.tile // max(job.classes, <Py_ssize_t> 1) // LINE * LINE)
        job.kept = job.tile > 0
        job.tile = job.tile if job.kept else TILE
        self.kept = []
        self.one.job = job
        self.one.kind = HINGE if hinge else SOFTMAX if softmax else IDENTITY
        self.one.keys = <uint64_t *> self.allot(pixels, "u8")
        self.one.spare = <uint64_t *> self.allot(pixels, "u8")
        if self.wide:
            self.one.tags = <uint64_t *> self.allot(pixels, "u8")
            self.one.spare_tags = <uint64_t *> self.allot(pixels, "u8")
        if softmax:
            self.one.m = self.allot(pixels, dtype)
            self.one.rest = <double *> self.allot(pixels, "f8")
        if arrays[<int> W] is not None:
            self.one.weights = self.allot(pixels, dtype)
        if arrays[<int> G] is not None:
            self.one.slopes = self.allot(pixels, dtype)

    cdef void *allot(self, Py_ssize_t pixels, object dtype) except? NULL:
        """Memory of this object."""
        self.kept.append(room_for(pixels, dtype))
        return cnp.PyArray_DATA(self.kept[len(self.kept) - 1])

    cdef double over(self, int what) except? -1:
        """One pass over the pixels."""
        cdef Py_ssize_t pixels = self.job.pixels
        return run(_lovasz[what][1 if self.wide else 0], &self.one, pixels, 1024,
                   many(pixels, self.job.classes if what in (<int> SOFTEN, <int> CARRY) else 1), self.threads,
                   &self.job.team, True)

    cdef int turn_to(self, Py_ssize_t image) except -1:
        if not 0 <= image < self.job.images:
            raise ValueError("kernel: no such image")
        self.one.image = image
        return 0

    cdef double walk_on(self, const real *like, double count) except? -1:
        """Sort the errors, and add them up."""
        cdef Py_ssize_t pixels = self.job.pixels
        cdef Sum size = Sum(0, 0)
        cdef Alike alike
        cdef Weighted weighted
        cdef double value = 0
        self.job.team.stopped = False
        fl_watch(&self.job.team)
        with nogil:
            if self.one.weights != NULL:
                size = class_size(like, &self.one, pixels)
                if sort_keys(&self.one, pixels, like):
                    value = walk(like, weighted, &self.one, pixels, count, size)
            elif sort_keys(&self.one, pixels, like):
                value = walk(like, alike, &self.one, pixels, count, size)
        fl_outcome(&self.job.team)
        return value

    def compare(self, Py_ssize_t image, Py_ssize_t c, double weight, bint everything):
        """The value of one class, times its weight, and whether it has pixels; the derivatives by p, likewise, are
        put into their array."""
        cdef double count, value = 0
        self.turn_to(image)
        if not 0 <= c < self.job.classes:
            raise ValueError("kernel: no such class")
        if self.softmax and c == 0:
            self.over(SOFTEN)
        self.one.c = c
        self.one.scale = weight
        count = self.over(ERRORS)
        if weight != 0 and (count > 0 or everything or self.one.kind == HINGE):
            if self.wide:
                value = self.walk_on(<const double *> NULL, count)
            else:
                value = self.walk_on(<const float *> NULL, count)
        elif self.one.slopes != NULL:
            memset(self.one.slopes, 0, self.job.pixels * (sizeof(double) if self.wide else sizeof(float)))
        if self.one.slopes != NULL:
            self.over(PUT)
        return weight * value, count > 0

    def carry_back(self, Py_ssize_t image, double scale):
        """Make the derivatives by p those by the input, times the scale."""
        self.turn_to(image)
        self.one.scale = scale
        self.over(CARRY)
