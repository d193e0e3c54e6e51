# Losses that compare regions: overlaps of a predicted with a true mask, and the Lovász extension of the Jaccard index.
#
# The overlaps first. p is the predicted probability of a pixel, q = 1 - p, t the target. Of each image and class they take
#     I = Σ p t,   FP = Σ p (1 - t),   FN = Σ q t
# in one pass over the data (q as accurate as p, so that nothing is lost where a segmentation is nearly perfect), make the
# value and the derivatives by p of these sums, and carry the latter back to the input in a second pass, in which p is
# computed again. What a loss makes of the sums is one formula, `fraction`; how a pixel enters them is said by `Terms`.
#
# Both passes go over tiles: all classes of a few pixels that lie side by side. Loops run over the pixels, a line of one
# class after the other. Parts, which threads work on, are of one image each and have sums of their own, added in order.

include "common.pxi"

from libc.math cimport pow as c_pow
from libc.stdlib cimport free

cdef enum:
    LINE = 32             # accumulators of a line's sums, and the fewest pixels of a tile that is kept
    PART = 32768          # numbers that are worth a part of their own

cdef enum:
    X, T, G, H, OPERANDS

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

cdef inline real bend(Terms f, real g, real c, real at_zero, real power) noexcept nogil:
    """The second derivative by p of a pixel, from the first and the denominator's."""
    cdef real h = g * (power * g - <real> 2 * c)
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


cdef double joint_value(const Overlap *job, Py_ssize_t image, const double *weight, double scale) noexcept nogil:
    """The value of an image whose classes are added up before they are compared, each with a weight. A class without
    target has the largest weight of the others."""
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
        if weight != NULL:
            w *= weight[c]
        d[c].power = w
        for k in range(3):
            add(&parts[k], w * own[3 * c + k].total)
    for k in range(3):
        totals[k] = result(parts[k])
    v = fraction(&job.formula, False, totals, scale, &all)
    for c in range(job.classes):
        w = d[c].power
        d[c] = Slopes(all.at_one * w, all.at_zero * w, all.d_one * w, all.d_zero * w, 0)
    return v


cdef double finish_values(const real *like, Overlap *job, const Operand *value, const double *weight, double scale) noexcept nogil:
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
                v = joint_value(job, image, weight, scale)
            else:
                w = weight[c] if weight != NULL else 1
                for k in range(3):
                    sums[k] = own[3 * c + k].total
                v = w * fraction(&job.formula, job.squared, sums, w * scale, job.slopes + image * job.classes + c)
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


cdef void add_terms(Terms f, const double *p, const double *q, const real *t, Py_ssize_t n, Sum *sums) noexcept nogil:
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
            collect(t, x[0], &total[0][j], &lost[0][j])
            collect(t, x[1], &total[1][j], &lost[1][j])
            if Terms is not Squared:
                collect(t, x[2], &total[2][j], &lost[2][j])
    for j in range(n - whole):
        terms(f, p[whole + j], q[whole + j], t[whole + j], &x[0], &x[1], &x[2])
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
    char *x                   # where they lie
    char *t
    double rest[TILE]         # S = Σ exp(x_j - m) over all classes but one maximum
    double share[TILE]        # 1 / (1 + S)
    bint infinite             # whether some m is
    bint blanks               # whether some pixels count for nothing

# Of each pixel m, and its class number or -1, are kept beside it, in arrays of the computation's dtype.


cdef void load_labels(const Overlap *job, Tile *tile, real *labels) noexcept nogil:
    """The class numbers of a tile, -1 where a pixel counts for nothing. scan_labels has found none out of range, but other
    threads may have written to the array since."""
    cdef int64_t block[TILE]
    cdef Py_ssize_t i
    cdef int64_t none = 0
    job.load_label(tile.t, pixel_step(job, T), job.operands[<int> T].swapped, tile.n, block)
    for i in range(tile.n):
        block[i] = -1 if (block[i] == job.ignored) | (<uint64_t> block[i] >= <uint64_t> job.classes) else block[i]
        none |= block[i]
        labels[i] = <real> block[i]
    tile.blanks = none < 0


cdef inline const real *target_line(const Overlap *job, const Tile *tile, const real *labels, Py_ssize_t c, real *block) noexcept nogil:
    """The target of one class."""
    cdef real own = <real> c
    cdef Py_ssize_t i
    if not job.labelled:
        return load_line(job, T, tile.t, c, tile.n, block)
    for i in range(tile.n):
        block[i] = 1 if labels[i] == own else 0
    return block


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

cdef inline const real *exponentials(const Overlap *job, const Tile *tile, const real *m, const real *labels, const real *kept,
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
            block[i] = 0 if labels[i] < 0 else block[i]
    return block


cdef void soften(const Overlap *job, Tile *tile, real *m, const real *labels, real *kept) noexcept nogil:
    """What is known of the softmax of each pixel of a tile, and the exponentials if they are kept."""
    cdef real block[TILE]
    cdef real top[TILE]
    cdef double lost[TILE]
    cdef const real *x
    cdef real *e
    cdef real xi, mi
    cdef double size
    cdef Py_ssize_t i, c, n = tile.n
    cdef int infinite = 0
    for c in range(job.classes):
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
            top[i] += 1 if xi == 1 else <real> 0
            size = 0 if xi == 1 else xi
            collect(m, size, &tile.rest[i], &lost[i])
    for i in range(n):
        size = (tile.rest[i] + lost[i]) + (<double> top[i] - 1)
        size = NAN if (m[i] - m[i] != 0) & (top[i] != 1) else size
        tile.rest[i] = size
        tile.share[i] = 1 / (1 + size)
    if tile.blanks:
        for i in range(n):
            tile.rest[i] = 0 if labels[i] < 0 else tile.rest[i]
            tile.share[i] = 0 if labels[i] < 0 else tile.share[i]
        if job.kept:
            for c in range(job.classes):
                e = kept + c * job.tile
                for i in range(n):
                    e[i] = 0 if labels[i] < 0 else e[i]


cdef inline real *memory(const Overlap *job, const real *like) noexcept nogil:
    """The thread's working memory, room for a tile's exponentials."""
    if real is float:
        return fl_own(&job.team).floats
    else:
        return fl_own(&job.team).doubles

cdef inline Py_ssize_t room(const real *like) noexcept nogil:
    """How many numbers that holds."""
    return 3 * ROOM * <Py_ssize_t> sizeof(double) // <Py_ssize_t> sizeof(real)


cdef inline void blank(const Overlap *job, const Tile *tile, const real *labels, const real *t, double *p, double *q, real *still) noexcept nogil:
    """p = q = t = 0 where a pixel counts for nothing; the new t are in `still`."""
    cdef real ignored = <real> job.ignored, own
    cdef bint none
    cdef Py_ssize_t i
    for i in range(tile.n):
        own = t[i]
        none = labels[i] < 0 if job.labelled else own == ignored
        p[i] = 0 if none else p[i]
        q[i] = 0 if none else q[i]
        still[i] = 0 if none else own


cdef void sum_tile(Terms f, Activation a, const Overlap *job, Tile *tile, Sum *sums, const real *like) noexcept nogil:
    """Add a tile to the sums of its part."""
    cdef real *kept = memory(job, like)
    cdef real m[TILE]
    cdef real labels[TILE]
    cdef real xs[TILE]
    cdef real ts[TILE]
    cdef double p[TILE]
    cdef double q[TILE]
    cdef const real *x
    cdef const real *t
    cdef double xi, z, share
    cdef real own
    cdef Py_ssize_t i, c, n = tile.n
    tile.blanks = False
    if job.labelled:
        load_labels(job, tile, <real *> labels)
    if Activation is Softmax:
        soften(job, tile, <real *> m, <const real *> labels, kept)
    for c in range(job.classes):
        t = target_line(job, tile, <const real *> labels, c, <real *> ts)
        if Activation is Softmax:
            x = exponentials(job, tile, <const real *> m, <const real *> labels, <const real *> kept, c, <real *> xs)
            for i in range(n):
                xi = x[i]
                p[i] = xi * tile.share[i]
                q[i] = (tile.rest[i] if xi == 1 else (1 - xi) + tile.rest[i]) * tile.share[i]
        elif Activation is Sigmoid:
            x = load_line(job, X, tile.x, c, n, <real *> xs)
            for i in range(n):
                own = x[i]
                z = exp(-absolute(own))
                share = 1 / (1 + z)
                p[i] = share if own > 0 else z * share
                q[i] = z * share if own > 0 else share
        else:
            x = load_line(job, X, tile.x, c, n, <real *> xs)
            for i in range(n):
                p[i] = x[i]
                q[i] = 1 - <double> x[i]
        if Activation is not Softmax:
            if tile.blanks or job.ignores and not job.labelled:
                blank(job, tile, <const real *> labels, t, p, q, <real *> ts)
                t = ts
        add_terms(f, p, q, t, n, sums + 3 * c)


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


cdef void slope_tile(Terms f, Activation a, const Overlap *job, Tile *tile, const Slopes *slopes, char *base_g, char *base_h,
                     const real *like, const exact *likewise) noexcept nogil:
    """The first derivatives of a tile, or where they have a place the second."""
    cdef real *kept = memory(job, like)
    cdef real m[TILE]
    cdef real labels[TILE]
    cdef real xs[TILE]
    cdef real ts[TILE]
    cdef real gs[TILE]
    cdef real hs[TILE]
    cdef exact share[TILE]
    cdef exact rest[TILE]
    # Σ p G over the classes below the maximum and over those at it; and the same of what second derivatives need.
    cdef double low[TILE]
    cdef double low_lost[TILE]
    cdef exact high[TILE]
    cdef double low2[TILE]
    cdef double low2_lost[TILE]
    cdef exact high2[TILE]
    cdef const real *x
    cdef const real *t
    cdef real *g
    cdef real *h
    cdef real xi
    cdef exact at_one, at_zero, d_one, d_zero, power, e, ti, pi, qi, gi, ci, ki, first, own, both, top
    cdef bint joint = job.joint != APIECE, bent = base_h != NULL
    cdef Few s
    cdef Py_ssize_t i, c, n = tile.n
    tile.blanks = False
    if job.labelled:
        load_labels(job, tile, <real *> labels)
    if Activation is Softmax:
        soften(job, tile, <real *> m, <const real *> labels, kept)
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
            s = narrowed_slopes(&slopes[c])
            at_one = few(&s, 0, likewise); at_zero = few(&s, 1, likewise)
            t = target_line(job, tile, <const real *> labels, c, <real *> ts)
            x = exponentials(job, tile, <const real *> m, <const real *> labels, <const real *> kept, c, <real *> xs)
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
                    ki = ci if joint else bend(f, gi, ci, at_zero, power) * pi
                    high2[i] += ki if e == 1 else <exact> 0
                    collect(like, 0 if e == 1 else <double> e * <double> ki, &low2[i], &low2_lost[i])
        for i in range(n):
            low[i] = (low[i] + low_lost[i]) * tile.share[i]
            low2[i] = (low2[i] + low2_lost[i]) * tile.share[i]
    for c in range(job.classes):
        s = narrowed_slopes(&slopes[c])
        at_one = few(&s, 0, likewise); at_zero = few(&s, 1, likewise)
        d_one = few(&s, 2, likewise); d_zero = few(&s, 3, likewise); power = few(&s, 4, likewise)
        t = target_line(job, tile, <const real *> labels, c, <real *> ts)
        g = line_place(job, G, base_g, c, <real *> gs) if not bent else <real *> gs
        h = line_place(job, H, base_h, c, <real *> hs) if bent else <real *> hs
        if Activation is Softmax:
            x = exponentials(job, tile, <const real *> m, <const real *> labels, <const real *> kept, c, <real *> xs)
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
                    first = pi * (own - (<exact> low[i] + share[i] * top))
                    ci = whole_slope(f, pi, qi, ti, d_one, d_zero)
                    # Of a joint value what the denominator does; else what the classes' own second derivatives do.
                    top = high2[i] - (ci if e == 1 else <exact> 0)
                    own = ci * qi if e == 1 else ci
                    both = <exact> -2 * first * (pi * (own - (<exact> low2[i] + share[i] * top)))
                    ki = bend(f, gi, ci, at_zero, power)
                    top = high2[i] - (ki * pi if e == 1 else <exact> 0)
                    own = 0 if e == 1 else pi * (ki * pi)
                    own = pi * pi * (ki * qi * qi + ((<exact> low2[i] - own) + share[i] * top))
                    h[i] = <real> ((both if joint else own) + (qi - pi) * first)
        else:
            x = load_line(job, X, tile.x, c, n, <real *> xs)
            for i in range(n):
                xi = x[i]
                ti = t[i]
                if Activation is Sigmoid:
                    e = exp(-absolute(xi))
                    both = <exact> 1 / (<exact> 1 + e)
                    pi = both if xi > 0 else e * both
                    qi = e * both if xi > 0 else both
                    top = pi * qi
                else:
                    pi = xi
                    qi = <exact> 1 - pi
                    top = 1
                gi = slope(f, pi, qi, ti, at_one, at_zero)
                gs[i] = <real> (gi * top)
                ki = bend(f, gi, whole_slope(f, pi, qi, ti, d_one, d_zero), at_zero, power)
                if Activation is Sigmoid:
                    hs[i] = <real> (top * (top * ki + (qi - pi) * gi))
                else:
                    hs[i] = <real> ki
            if g != gs:
                memcpy(g, gs, n * sizeof(real))
            if h != hs:
                memcpy(h, hs, n * sizeof(real))
        if tile.blanks or job.ignores and not job.labelled:
            blank_line(job, tile, <const real *> labels, t, g)
            blank_line(job, tile, <const real *> labels, t, h)
        if bent:
            put_line(job, H, base_h, c, n, <const real *> h)
        else:
            put_line(job, G, base_g, c, n, <const real *> g)


cdef inline void blank_line(const Overlap *job, const Tile *tile, const real *labels, const real *t, real *line) noexcept nogil:
    """0 where a pixel counts for nothing."""
    cdef real ignored = <real> job.ignored
    cdef bint none
    cdef Py_ssize_t i
    for i in range(tile.n):
        none = labels[i] < 0 if job.labelled else t[i] == ignored
        line[i] = 0 if none else line[i]


# ---- parts -----------------------------------------------------------------------------------------------------------

cdef double work_on(Terms f, Activation a, const real *like, const Overlap *job, Py_ssize_t start, Py_ssize_t stop, bint sloped) noexcept nogil:
    """Parts start … stop-1: their sums, or the derivatives of their pixels. A tile does not go over the end of the
    innermost axis."""
    cdef Py_ssize_t part, image, i, end, k, length = job.space.shape[job.space.ndim - 1] if job.space.ndim > 0 else 1
    cdef Sum *sums
    cdef Tile tile
    for part in range(start, stop):
        image = part // job.parts
        i = part % job.parts * job.part
        end = min(job.pixels, i + job.part)
        sums = job.sums + part * job.classes * 3
        if not sloped:
            for k in range(job.classes * 3):
                sums[k] = Sum(0, 0)
        while i < end:
            tile.n = min(min(job.tile, end - i), length - i % length)
            tile.x = place_of(job, X, image, i)
            tile.t = place_of(job, T, image, i)
            if sloped:
                slope_tile(f, a, job, &tile, job.slopes + image * job.classes, place_of(job, G, image, i), NULL, like, like)
                if job.order > 1:
                    slope_tile(f, a, job, &tile, job.slopes + image * job.classes, NULL, place_of(job, H, image, i), like,
                               <const double *> NULL)
            else:
                sum_tile(f, a, job, &tile, sums, like)
            i += tile.n
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


cdef int describe_pixels(const real *like, Overlap *job, tuple arrays, bint in_order=False) except -1:
    """Images, classes and pixels of the operands: their first axis, their second, and the others merged; with `in_order`
    pixels are counted in C order whatever lies how in memory."""
    cdef cnp.ndarray array, x = arrays[0]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef int k, axis, ndim = cnp.PyArray_NDIM(x)
    job.images = cnp.PyArray_DIM(x, 0)
    job.classes = cnp.PyArray_DIM(x, 1)
    job.pixels = 1
    for axis in range(2, ndim):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
        job.pixels *= space.shape[axis]
    for k in range(<int> OPERANDS):
        array = arrays[k]
        if array is None:
            op[k].data = NULL
            continue
        for axis in range(ndim):
            if cnp.PyArray_NDIM(array) != ndim or (cnp.PyArray_DIM(array, axis) != cnp.PyArray_DIM(x, axis)
                                                  and not (k == T and axis == 1 and job.labelled)):
                raise ValueError("kernel: operands of different shapes")
        describe(&op[k], array, like, ndim, False, k >= G)
        job.image_step[k] = op[k].strides[0]
        job.class_step[k] = op[k].strides[1]
    job.load_label = _load_label[<int> op[<int> T].kind]
    if job.images * job.classes * job.pixels == 0:
        space.ndim = 0
        job.pixels = 0
        return 0
    if in_order:
        space.ndim = join_axes(op, <int> OPERANDS, space, 2, ndim, 0)
        return 0
    space.ndim = merge_axes(op, <int> OPERANDS, space, 2, ndim, 0)
    if space.ndim > 1 and space.shape[space.ndim - 1] < LINE:
        # Tiles are made of the innermost axis: let that be a long one.
        swap_axes(op, <int> OPERANDS, space, longest_axis(space), space.ndim - 1)
    return 0


cdef double run_overlap(const real *like, Overlap *job, int activation, cnp.ndarray value, cnp.ndarray weight, double scale,
                        int threads, tuple arrays) except? -1:
    cdef Operand op
    cdef Pass one = Pass(job, activation, False)
    cdef const double *w = NULL
    cdef Py_ssize_t count
    cdef double total
    describe_pixels(like, job, arrays)
    describe(&op, value, like, 2, False, True)
    if value is not None and (cnp.PyArray_NDIM(value) != 2 or cnp.PyArray_DIM(value, 0) != job.images
                              or cnp.PyArray_DIM(value, 1) != (job.classes if job.joint == APIECE else 1)):
        raise ValueError("kernel: values of another shape")
    if weight is not None:
        if (cnp.PyArray_TYPE(weight) != cnp.NPY_DOUBLE or not cnp.PyArray_ISCARRAY_RO(weight)
                or cnp.PyArray_NDIM(weight) != 1 or cnp.PyArray_DIM(weight, 0) != job.classes):
            raise ValueError("kernel: weight is not a vector of doubles")
        w = <const double *> cnp.PyArray_DATA(weight)
    if job.images == 0 or job.classes == 0:
        return 0
    job.tile = min(<Py_ssize_t> TILE, room(like) // job.classes // LINE * LINE) if activation == SOFTMAX else TILE
    job.kept = job.tile > 0
    job.tile = job.tile if job.kept else TILE
    count = max(1024, PART // job.classes)
    job.parts = max(<Py_ssize_t> 1, min(<Py_ssize_t> SPANS // job.images, job.pixels // count))
    job.part = ((job.pixels + job.parts - 1) // job.parts + job.tile - 1) // job.tile * job.tile
    job.parts = max(<Py_ssize_t> 1, (job.pixels + job.part - 1) // job.part if job.part > 0 else 0)
    count = job.images * job.parts
    job.sums = NULL
    job.slopes = NULL
    try:
        job.sums = <Sum *> allocate(count, job.classes, 3 * sizeof(Sum))
        job.slopes = <Slopes *> allocate(job.images, job.classes, sizeof(Slopes))
        if real is float:
            run(<Span> <void *> overlap_span[float], &one, count, 1, many(many(count, job.part), job.classes), threads, &job.team, True)
            total = finish_values(like, job, &op, w, scale)
            if job.order > 0 and job.pixels > 0:
                one.sloped = True
                run(<Span> <void *> overlap_span[float], &one, count, 1, many(many(count, job.part), job.classes), threads, &job.team, True)
        else:
            run(<Span> <void *> overlap_span[double], &one, count, 1, many(many(count, job.part), job.classes), threads, &job.team, True)
            total = finish_values(like, job, &op, w, scale)
            if job.order > 0 and job.pixels > 0:
                one.sloped = True
                run(<Span> <void *> overlap_span[double], &one, count, 1, many(many(count, job.part), job.classes), threads, &job.team, True)
    finally:
        free(job.sums)
        free(job.slopes)
    return total


ACTIVATIONS = {"identity": <int> IDENTITY, "sigmoid": <int> SIGMOID, "softmax": <int> SOFTMAX}
JOINT = {None: <int> APIECE, "square": <int> SQUARE, "simple": <int> SIMPLE, "uniform": <int> UNIFORM}


def overlap(tuple parameters, bint squared, int joint, int activation, bint labelled, object ignored, int order,
            bint double_precision, double scale, int threads, cnp.ndarray value, cnp.ndarray weight, tuple arrays):
    """Compare regions. The arrays are (x, target, gradient, hessian), None where there is none; their axes are those of
    images, of classes (of length 1 where the target holds class numbers), and of pixels. The value has those of images and
    classes, the latter of length 1 for a joint value; the weight holds a float64 for each class. `parameters` are those of
    Fraction; `ignored` is a class number or a number of the target, or None. Returns the sum of the values."""
    cdef Overlap job
    if len(arrays) != <int> OPERANDS or cnp.PyArray_NDIM(arrays[0]) < 2 or not 0 <= activation <= SOFTMAX:
        raise ValueError("kernel: no such activation or number of operands")
    if (order > 0) != (arrays[<int> G] is not None) or (order > 1) != (arrays[<int> H] is not None):
        raise ValueError("kernel: no array for the derivatives")
    (job.formula.kappa, job.formula.alpha, job.formula.beta, job.formula.smooth_nr, job.formula.smooth_dr,
     job.formula.gamma) = parameters
    job.squared = squared
    job.joint = <Joint> joint
    job.labelled = labelled
    job.ignores = ignored is not None
    job.ignored = ignored if job.ignores else -1
    job.order = order
    if double_precision:
        return run_overlap[double](NULL, &job, activation, value, weight, scale, threads, arrays)
    return run_overlap[float](NULL, &job, activation, value, weight, scale, threads, arrays)


# ---- Lovász ----------------------------------------------------------------------------------------------------------
#
# Of one class of an image: errors e in descending order, and Σ e Δ, where Δ is by how much the Jaccard loss of the first
# pixels in this order grows with the next one. With I pixels of the class not yet passed and U pixels in the union,
#     Δ = 1 / U for a pixel of the class, else I / (U (U + 1)),
# which loses nothing. Errors below 0 count as 0. An error that is 0 has no derivative, and neither has a pixel of another
# class once I is 0, so the walk ends there.
#
# A float error is sorted as one number with its pixel, by radix; doubles need the order as indices.

cdef enum:
    OWN = 1               # a pixel of the class
    OUT = 2               # one that counts for nothing

cdef struct Errors:           # one pass
    const Overlap *job
    int kind                  # IDENTITY, SOFTMAX or HINGE
    Py_ssize_t c
    void *m                   # of each pixel: its largest logit, and S
    double *rest
    uint64_t *keys            # of floats
    uint64_t *spare           # as many
    double *errors            # of doubles, with a minus
    uint8_t *marks
    void *slopes              # of each pixel of a class
    double scale

cdef enum:
    HINGE = 3

cdef inline uint64_t key_of(float error, Py_ssize_t pixel, bint own) noexcept nogil:
    """Small for large errors, nan first; in the order of pixels where they are equal."""
    cdef uint32_t bits
    memcpy(&bits, &error, sizeof(float))
    bits = <uint32_t> 0x7FFFFFFF - (bits & <uint32_t> 0x7FFFFFFF)
    return <uint64_t> bits << 32 | <uint64_t> pixel << 1 | own

cdef inline float error_of(uint64_t key) noexcept nogil:
    cdef uint32_t bits = <uint32_t> 0x7FFFFFFF - <uint32_t> (key >> 32)
    cdef float error
    memcpy(&error, &bits, sizeof(float))
    return error


cdef void sort_keys(Errors *one, Py_ssize_t n) noexcept nogil:
    """Sort by the upper half, and leave what is equal in its order."""
    cdef Py_ssize_t counts[3][2048]
    cdef uint64_t *keys
    cdef uint64_t key
    cdef Py_ssize_t i, j, total, count
    cdef int k
    memset(counts, 0, sizeof(counts))
    for i in range(n):
        key = one.keys[i] >> 32
        counts[0][key & 2047] += 1
        counts[1][key >> 11 & 2047] += 1
        counts[2][key >> 22] += 1
    for k in range(3):
        total = 0
        for j in range(2048):
            count = counts[k][j]
            counts[k][j] = total
            total += count
        for i in range(n):
            key = one.keys[i]
            j = <Py_ssize_t> (key >> (32 + 11 * k) & 2047)
            one.spare[counts[k][j]] = key
            counts[k][j] += 1
        keys = one.keys
        one.keys = one.spare
        one.spare = keys


cdef void place_tile(const Overlap *job, Tile *tile, Py_ssize_t i, Py_ssize_t end) noexcept nogil:
    """The tile that begins at pixel i."""
    cdef Py_ssize_t length = job.space.shape[job.space.ndim - 1] if job.space.ndim > 0 else 1
    tile.n = min(min(job.tile, end - i), length - i % length)
    tile.x = place_of(job, X, 0, i)
    tile.t = place_of(job, T, 0, i)
    tile.blanks = False


cdef double soften_span(const real *like, const Errors *one, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """m and S of pixels."""
    cdef real labels[TILE]
    cdef Tile tile
    while start < stop:
        place_tile(one.job, &tile, start, stop)
        load_labels(one.job, &tile, <real *> labels)
        soften(one.job, &tile, <real *> one.m + start, <const real *> labels, memory(one.job, like))
        memcpy(one.rest + start, tile.rest, tile.n * sizeof(double))
        start += tile.n
    return 0


cdef double errors_span(const real *like, const Errors *one, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Errors of pixels; returns how many are of the class."""
    cdef const Overlap *job = one.job
    cdef const real *m = <const real *> one.m
    cdef real labels[TILE]
    cdef real xs[TILE]
    cdef real ts[TILE]
    cdef const real *x
    cdef const real *t
    cdef real e, error, share, rest, ignored = <real> job.ignored
    cdef bint own, out
    cdef Tile tile
    cdef Py_ssize_t i
    cdef double count = 0
    while start < stop:
        place_tile(job, &tile, start, stop)
        x = load_line(job, X, tile.x, one.c, tile.n, <real *> xs)
        if job.labelled:
            load_labels(job, &tile, <real *> labels)
        t = target_line(job, &tile, <const real *> labels, one.c, <real *> ts)
        for i in range(tile.n):
            own = t[i] != 0
            out = labels[i] < 0 if job.labelled else job.ignores and t[i] == ignored
            if one.kind == HINGE:
                error = (<real> 1 - x[i] if own else <real> 1 + x[i]) + (t[i] - t[i])
                error = 0 if error <= 0 else error
            elif one.kind == IDENTITY:
                error = <real> 1 - x[i] if own else x[i]
                error = absolute(error)
            else:
                rest = <real> one.rest[start + i]
                share = <real> (1 / (1 + one.rest[start + i]))
                e = exp_gap(x[i], m[start + i])
                if m[start + i] - m[start + i] != 0:
                    e = 1 if x[i] == m[start + i] else (x[i] - x[i] if x[i] != x[i] else <real> 0)
                error = ((rest if e == 1 else (1 - e) + rest) if own else e) * share
            count += own and not out
            if real is float:
                one.keys[start + i] = <uint64_t> -1 if out else key_of(error, start + i, own)
            else:
                one.errors[start + i] = INFINITY if out else -error if error == error else -INFINITY
                one.marks[start + i] = (<uint8_t> own) | (<uint8_t> OUT if out else <uint8_t> 0)
                if error != error:
                    one.marks[start + i] |= 4
        start += tile.n
    return count


cdef double walk(const real *like, const Errors *one, Py_ssize_t pixels, double count, const Py_ssize_t *order) noexcept nogil:
    """The value, and its derivatives by what the errors are made of, put where the pixels are."""
    cdef real *slopes = <real *> one.slopes
    cdef double left = count, union_ = count, delta, error
    cdef Sum total = Sum(0, 0)
    cdef bint own
    cdef Py_ssize_t i, k
    for i in range(pixels if slopes != NULL else <Py_ssize_t> 0):
        slopes[i] = 0
    for i in range(pixels):
        if real is float:
            if one.keys[i] == <uint64_t> -1:
                break
            error = error_of(one.keys[i])
            own = one.keys[i] & 1
            k = <Py_ssize_t> (<uint32_t> one.keys[i] >> 1)
        else:
            k = order[i]
            if one.marks[k] & OUT:
                break
            own = one.marks[k] & OWN
            error = -one.errors[k] if one.marks[k] < 4 else NAN
        if error == 0 or (left == 0 and i > 0 and error == error):
            break
        if union_ == 0:
            delta = 1
            union_ = 1
        elif own:
            delta = 1 / union_
            left -= 1
        else:
            delta = left / (union_ * (union_ + 1))
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
    cdef Py_ssize_t i
    while start < stop:
        place_tile(job, &tile, start, stop)
        for i in range(start, start + tile.n):
            slopes[i] *= factor
        base = place_of(job, G, 0, start) + one.c * job.class_step[<int> G]
        job.operands[<int> G].store(base, pixel_step(job, G), tile.n, slopes + start)
        start += tile.n
    return 0


cdef double carry_span(const real *like, const Errors *one, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """From derivatives by p to those by x, in their place, times the scale: p_j (G_j q_j - Σ_{c ≠ j} p_c G_c)."""
    cdef const Overlap *job = one.job
    cdef real *kept = memory(job, like)
    cdef real m[TILE]
    cdef real labels[TILE]
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
    cdef Py_ssize_t i, c, n
    while start < stop:
        place_tile(job, &tile, start, stop)
        n = tile.n
        base_g = place_of(job, G, 0, start)
        base_h = place_of(job, H, 0, start)
        if soft:
            load_labels(job, &tile, <real *> labels)
            soften(job, &tile, <real *> m, <const real *> labels, kept)
            for i in range(n):
                rest[i] = <real> tile.rest[i]
                share[i] = <real> tile.share[i]
                high[i] = 0
                low[i] = 0
            for c in range(job.classes):
                x = exponentials(job, &tile, <const real *> m, <const real *> labels, <const real *> kept, c, <real *> xs)
                job.operands[<int> G].load(base_g + c * job.class_step[<int> G], pixel_step(job, G), False, n, gs)
                for i in range(n):
                    high[i] += gs[i] if x[i] == 1 else <real> 0
                    low[i] += 0 if x[i] == 1 else <double> x[i] * <double> gs[i]
            for i in range(n):
                low[i] *= tile.share[i]
        for c in range(job.classes):
            job.operands[<int> G].load(base_g + c * job.class_step[<int> G], pixel_step(job, G), False, n, gs)
            if soft:
                x = exponentials(job, &tile, <const real *> m, <const real *> labels, <const real *> kept, c, <real *> xs)
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


cdef class Lovasz:
    """What the classes of images are compared with, one after the other, from 0 on."""
    cdef Overlap job
    cdef Errors one
    cdef tuple arrays
    cdef object keys, spare, errors, marks, m, rest, slopes
    cdef bint wide, softmax
    cdef Py_ssize_t pixels
    cdef int threads

    def __init__(self, Py_ssize_t pixels, object dtype, bint softmax, bint sloped):
        import numpy
        self.pixels = pixels
        self.wide = dtype == numpy.float64
        self.softmax = softmax
        if not self.wide and pixels >= 1 << 31:
            raise ValueError("input: at most 2**31 pixels can be sorted in float32; pass float64")
        self.keys = None if self.wide else numpy.empty(pixels, numpy.uint64)
        self.spare = None if self.wide else numpy.empty(pixels, numpy.uint64)
        self.errors = numpy.empty(pixels) if self.wide else None
        self.marks = numpy.empty(pixels, numpy.uint8) if self.wide else None
        self.m = numpy.empty(pixels, dtype) if softmax else None
        self.rest = numpy.empty(pixels) if softmax else None
        self.slopes = numpy.empty(pixels, dtype) if sloped else None
        self.one.keys = NULL
        self.one.spare = NULL
        self.one.errors = NULL
        self.one.marks = NULL
        self.one.m = NULL
        self.one.rest = NULL
        self.one.slopes = NULL
        if self.wide:
            self.one.errors = <double *> cnp.PyArray_DATA(self.errors)
            self.one.marks = <uint8_t *> cnp.PyArray_DATA(self.marks)
        else:
            self.one.keys = <uint64_t *> cnp.PyArray_DATA(self.keys)
            self.one.spare = <uint64_t *> cnp.PyArray_DATA(self.spare)
        if softmax:
            self.one.m = cnp.PyArray_DATA(self.m)
            self.one.rest = <double *> cnp.PyArray_DATA(self.rest)
        if sloped:
            self.one.slopes = cnp.PyArray_DATA(self.slopes)

    cdef double over(self, int what):
        """One pass over the pixels."""
        self.one.job = &self.job
        return run(_lovasz[what][1 if self.wide else 0], &self.one, self.pixels, 1024,
                   many(self.pixels, self.job.classes if what in (<int> SOFTEN, <int> CARRY) else 1), self.threads,
                   &self.job.team, True)

    def start(self, tuple arrays, bint hinge, object ignored, int threads):
        """Take up an image: (input, target, array for the derivatives by p, second derivatives), the last two or None."""
        cdef Overlap *job = &self.job
        if len(arrays) != <int> OPERANDS or cnp.PyArray_NDIM(arrays[0]) < 2:
            raise ValueError("kernel: not so many operands")
        self.arrays = arrays
        self.threads = threads
        job.labelled = not hinge
        job.ignores = ignored is not None
        job.ignored = ignored if job.ignores else -1
        self.one.kind = HINGE if hinge else SOFTMAX if self.softmax else IDENTITY
        if self.wide:
            describe_pixels(<const double *> NULL, job, arrays, True)
            job.tile = room(<const double *> NULL)
        else:
            describe_pixels(<const float *> NULL, job, arrays, True)
            job.tile = room(<const float *> NULL)
        if job.pixels != self.pixels:
            raise ValueError("kernel: not so many pixels")
        job.tile = min(<Py_ssize_t> TILE, job.tile // max(job.classes, <Py_ssize_t> 1) // LINE * LINE)
        job.kept = job.tile > 0
        job.tile = job.tile if job.kept else TILE

    def compare(self, Py_ssize_t c, double weight, bint everything):
        """The value of one class, times its weight, and whether it has pixels; the derivatives by p, likewise, are
        put into their array."""
        cdef double count, value = 0
        cdef object order = None
        cdef const Py_ssize_t *places = NULL
        if self.pixels == 0:
            return 0.0, False
        if not 0 <= c < self.job.classes:
            raise ValueError("kernel: no such class")
        if self.softmax and c == 0:
            self.over(SOFTEN)
        self.one.c = c
        self.one.scale = weight
        count = self.over(ERRORS)
        if count > 0 or everything or self.one.kind == HINGE:
            if self.wide:
                order = self.errors.argsort(kind="stable")
                places = <const Py_ssize_t *> cnp.PyArray_DATA(order)
            with nogil:
                if self.wide:
                    value = walk(<const double *> NULL, &self.one, self.pixels, count, places)
                else:
                    sort_keys(&self.one, self.pixels)
                    value = walk(<const float *> NULL, &self.one, self.pixels, count, places)
        elif self.slopes is not None:
            self.slopes.fill(0)
        if self.slopes is not None and self.arrays[<int> G] is not None:
            self.over(PUT)
        return weight * value, count > 0

    def carry_back(self, double scale, int threads):
        """Make the derivatives by p those by the input, times the scale."""
        self.one.scale = scale
        if self.pixels > 0:
            self.over(CARRY)
