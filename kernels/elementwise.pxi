# The loops of the elementwise losses. They know no formula by name: a formula is a row in a table of block functions.

cdef enum:
    BLOCK = 1024          # elements of a block: its buffers stay in the first-level cache
    SPANS = 128           # a call is split into at most so many spans of blocks, whatever the number of threads
    FLUSH = 8             # blocks that share one set of accumulators
    LANES = 64            # accumulators of a sum; more than the compiler unrolls, so that it vectorises the loop over them
    FORMULAS = 256        # room in the table
    THREAD_GRAIN = 16384  # elements that are worth one more thread

# ---- sums ------------------------------------------------------------------------------------------------------------

cdef inline void accumulate(real x, double *total, double *lost) noexcept nogil:
    """total += x. For float64 the rounding error goes to `lost`; a float32 leaves none worth keeping."""
    cdef double t, z
    if real is float:
        total[0] += x
    else:
        t = total[0] + x
        z = t - total[0]
        lost[0] += (total[0] - (t - z)) + (x - z)
        total[0] = t

cdef inline double regained(double total, double lost) noexcept nogil:
    """A sum with what was lost; inf and nan as they are."""
    return total + lost if total - total == 0 else total


cdef struct Sum:
    double total
    double lost

cdef inline void add(Sum *s, double x) noexcept nogil:
    accumulate(x, &s.total, &s.lost)

cdef inline double result(Sum s) noexcept nogil:
    return regained(s.total, s.lost)


cdef struct Lanes:            # element i of a block is added to lane i modulo their number
    double total[LANES]
    double lost[LANES]

cdef inline void clear(Lanes *lanes) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(LANES):
        lanes.total[j] = 0
        lanes.lost[j] = 0

cdef void add_to_lanes(Lanes *lanes, const real *v, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i, j, whole = n - n % LANES
    for i from 0 <= i < whole by LANES:
        for j in range(LANES):
            accumulate(v[i + j], &lanes.total[j], &lanes.lost[j])
    for j in range(n - whole):
        accumulate(v[whole + j], &lanes.total[j], &lanes.lost[j])

cdef void gather_lanes(Lanes *lanes, Sum *s) noexcept nogil:
    """Add the lanes to a sum, in a fixed order; it overwrites them."""
    cdef Py_ssize_t j, width = LANES // 2
    while width > 0:
        for j in range(width):
            accumulate(lanes.total[j + width], &lanes.total[j], &lanes.lost[j])
            lanes.lost[j] += lanes.lost[j + width]
        width //= 2
    add(s, lanes.total[0])
    s.lost += lanes.lost[0]

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


# ---- formulas over blocks --------------------------------------------------------------------------------------------

# What a block function writes: the value; and the gradient; and the second derivative.
cdef struct Value:
    char none
cdef struct Slope:
    char none
cdef struct Curvature:
    char none
ctypedef fused Order:
    Value
    Slope
    Curvature

# Where the values go: each into the block v, or all into a sum.
cdef struct Stored:
    char none
cdef struct Summed:
    char none
ctypedef fused Sink:
    Stored
    Summed

ctypedef void (*BlockFunction)(const void *formula, const void *order, const void *sink, Py_ssize_t n, const void *x,
                               const void *t, const void *u, double scale, Lanes *lanes, void *v, void *g,
                               void *h) noexcept nogil

cdef BlockFunction _blocks[<int> FORMULAS][2][3][2]      # formula; float, double; order; sink
cdef int _formulas = 0
FORMULA_NUMBERS = {}
SMALL = <int> THREAD_GRAIN       # up to this size no call is split over threads


cdef void map_block(const Formula *formula, const Order *order, const Sink *sink, Py_ssize_t n, const real *x,
                    const real *t, const real *u, double scale, Lanes *lanes, real *v, real *g, real *h) noexcept nogil:
    """One formula over a block; the values go to v, or are added to the lanes."""
    cdef Formula f = formula[0]
    cdef real s = <real> scale, vi, gi, hi
    cdef real tail[LANES]
    cdef Py_ssize_t i, j, whole = n - n % LANES
    if Sink is Stored:
        for i in range(n):
            point(f, x[i], t[i], u[i], &vi, &gi, &hi)
            v[i] = vi
            if Order is not Value:
                g[i] = gi * s
            if Order is Curvature:
                h[i] = hi * s
    else:
        for i from 0 <= i < whole by LANES:
            for j in range(LANES):
                point(f, x[i + j], t[i + j], u[i + j], &vi, &gi, &hi)
                accumulate(vi, &lanes.total[j], &lanes.lost[j])
                if Order is not Value:
                    g[i + j] = gi * s
                if Order is Curvature:
                    h[i + j] = hi * s
        if whole < n:
            map_block[Formula, Order, Stored, real](formula, NULL, NULL, n - whole, x + whole, t + whole, u + whole, scale,
                                                    lanes, <real *> tail, g + whole, h + whole)
            add_to_lanes(lanes, <const real *> tail, n - whole)


cdef void enlist_order(const Formula *formula, const Order *order, int number) noexcept:
    _blocks[_formulas][0][number][0] = <BlockFunction> <void *> map_block[Formula, Order, Stored, float]
    _blocks[_formulas][0][number][1] = <BlockFunction> <void *> map_block[Formula, Order, Summed, float]
    _blocks[_formulas][1][number][0] = <BlockFunction> <void *> map_block[Formula, Order, Stored, double]
    _blocks[_formulas][1][number][1] = <BlockFunction> <void *> map_block[Formula, Order, Summed, double]


cdef void enlist(const Formula *formula, str name) noexcept:
    """Put a formula into the table."""
    global _formulas
    enlist_order[Formula, Value](NULL, NULL, 0)
    enlist_order[Formula, Slope](NULL, NULL, 1)
    enlist_order[Formula, Curvature](NULL, NULL, 2)
    FORMULA_NUMBERS[name] = _formulas
    _formulas += 1

enlist_formulas()


# ---- one call --------------------------------------------------------------------------------------------------------

cdef struct Elementwise:
    Space space
    Operand operands[7]       # x, t, u, weight; value, gradient, second derivative
    const BlockFunction (*functions)[2]         # by order and sink
    const double *parameters
    double scale              # of gradient and second derivative
    int order
    bint summed

cdef enum:
    X, T, U, W, V, G, H


cdef double elementwise_span(const real *like, const Elementwise *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Elements start … stop-1, block by block; returns the sum of the values."""
    cdef real xs[BLOCK]
    cdef real ts[BLOCK]
    cdef real us[BLOCK]
    cdef real ws[BLOCK]
    cdef real vs[BLOCK]
    cdef real gs[BLOCK]
    cdef real hs[BLOCK]
    cdef const real *x
    cdef const real *t
    cdef const real *u
    cdef const real *w
    cdef real *v
    cdef real *g = gs
    cdef real *h = hs
    cdef const Operand *op = <const Operand *> job.operands
    cdef const Space *space = &job.space
    cdef int end = space.ndim
    cdef bint weighted = op[<int> W].data != NULL
    cdef double scale = 1 if weighted else job.scale
    cdef Lanes lanes
    cdef bint summed = job.summed and not weighted and op[<int> V].data == NULL
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t i = start, j, n
    clear(&lanes)
    while i < stop:
        n = min(<Py_ssize_t> BLOCK, stop - i)
        x = fetch(&op[<int> X], op[<int> X].data, space, 0, end, i, n, <real *> xs)
        t = fetch(&op[<int> T], op[<int> T].data, space, 0, end, i, n, <real *> ts) if op[<int> T].data != NULL else x
        u = fetch(&op[<int> U], op[<int> U].data, space, 0, end, i, n, <real *> us) if op[<int> U].data != NULL else x
        v = destination(&op[<int> V], i, <real *> vs)
        if job.order > 0:
            g = destination(&op[<int> G], i, <real *> gs)
        if job.order > 1:
            h = destination(&op[<int> H], i, <real *> hs)
        job.functions[job.order][summed](job.parameters, NULL, NULL, n, x, t, u, scale, &lanes, v, g, h)
        if weighted:
            w = fetch(&op[<int> W], op[<int> W].data, space, 0, end, i, n, <real *> ws)
            for j in range(n):
                v[j] *= w[j]
            if job.order > 0:
                for j in range(n):
                    g[j] *= <real> (w[j] * job.scale)
            if job.order > 1:
                for j in range(n):
                    h[j] *= <real> (w[j] * job.scale)
        if job.summed and not summed:
            add_to_lanes(&lanes, <const real *> v, n)
        if job.summed and (i // BLOCK) % FLUSH == FLUSH - 1:
            gather_lanes(&lanes, &total)
            clear(&lanes)
        if op[<int> V].data != NULL:
            put(&op[<int> V], op[<int> V].data, space, 0, end, i, n, v)
        if job.order > 0:
            put(&op[<int> G], op[<int> G].data, space, 0, end, i, n, g)
        if job.order > 1:
            put(&op[<int> H], op[<int> H].data, space, 0, end, i, n, h)
        i += n
    gather_lanes(&lanes, &total)
    return result(total)


cdef inline real *destination(const Operand *op, Py_ssize_t start, real *block) noexcept nogil:
    """Where the elements from `start` on are computed: in the output itself where that can be, else in a buffer."""
    return <real *> op.data + start if op.data != NULL and op.flat else block


ctypedef double (*Span)(const void *like, const void *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil

cdef double run_spans(Span span, const void *job, Py_ssize_t count, Py_ssize_t unit, int threads) noexcept nogil:
    """Cut 0 … count-1 into spans of whole units, run them on the threads, add their sums up in order. The cut depends
    on `count` and `unit` alone, so the result has the same bits for every number of threads."""
    cdef double sums[SPANS]
    cdef Py_ssize_t units = (count + unit - 1) // unit
    cdef Py_ssize_t size = (units + SPANS - 1) // SPANS * unit
    cdef Py_ssize_t spans = (count + size - 1) // size
    cdef Py_ssize_t k
    cdef Sum total = Sum(0, 0)
    if threads > spans:
        threads = <int> spans
    if threads <= 1:
        for k in range(spans):
            sums[k] = span(NULL, job, k * size, min(count, (k + 1) * size))
    else:
        for k in prange(spans, num_threads=threads, schedule="static"):
            sums[k] = span(NULL, job, k * size, min(count, (k + 1) * size))
    for k in range(spans):
        add(&total, sums[k])
    return result(total)


cdef double run(Span span, const void *job, Py_ssize_t count, Py_ssize_t unit, Py_ssize_t work, int threads):
    """run_spans with as many threads as `work` elements are worth, without the GIL where that is worth its switch."""
    threads = <int> min(<Py_ssize_t> threads, work // THREAD_GRAIN)
    if work < 4096:
        return run_spans(span, job, count, unit, 1)
    with nogil:
        return run_spans(span, job, count, unit, threads)


cdef int check_shape(cnp.ndarray array, cnp.ndarray like, int axes) except -1:
    """The callers made the shapes equal; memory safety does not rest on that."""
    cdef int axis
    if array is not None:
        if cnp.PyArray_NDIM(array) != axes:
            raise ValueError("kernel: operands of different shapes")
        for axis in range(axes):
            if cnp.PyArray_DIM(array, axis) != cnp.PyArray_DIM(like, axis):
                raise ValueError("kernel: operands of different shapes")
    return 0


cdef double run_elementwise(const real *like, Elementwise *job, tuple arrays, int threads) except? -1:
    cdef cnp.ndarray array, x = arrays[0]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef Py_ssize_t count = cnp.PyArray_SIZE(x)
    cdef int k, axis, ndim = cnp.PyArray_NDIM(x)
    for k in range(7):
        array = arrays[k]
        check_shape(array, x, ndim)
        describe(&op[k], array, like, ndim)
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
    if count == 0:
        return 0
    space.ndim = merge_axes(op, 7, space, 0, ndim, 0)
    for k in range(7):
        op[k].flat = op[k].data != NULL and is_flat(&op[k], space, 0, space.ndim)
    if real is float:
        return run(<Span> <void *> elementwise_span[float], job, count, BLOCK, count, threads)
    else:
        return run(<Span> <void *> elementwise_span[double], job, count, BLOCK, count, threads)


def elementwise(int formula, tuple parameters, bint double_precision, int order, double scale, bint summed, int threads,
                tuple arrays):
    """Run one formula over arrays of one shape: (x, t, u, weight, value, gradient, hessian), None where there is none.

    Order 0 computes values, 1 gradients too, 2 second derivatives too; the latter two are multiplied by `scale`.
    Returns the sum of the weighted values (0 unless `summed`)."""
    cdef Elementwise job
    cdef double values[8]
    cdef int k
    if not 0 <= formula < _formulas or not 0 <= order <= 2 or len(arrays) != 7 or len(parameters) > 8:
        raise ValueError("kernel: no such formula, order or number of operands")
    if order > 0 and (<tuple> arrays)[5] is None or order > 1 and (<tuple> arrays)[6] is None:
        raise ValueError("kernel: no array for the derivatives")
    for k in range(8):
        values[k] = parameters[k] if k < len(parameters) else 0.0
    job.functions = _blocks[formula][1 if double_precision else 0]
    job.parameters = values
    job.scale = scale
    job.order = order
    job.summed = summed
    if double_precision:
        return run_elementwise[double](NULL, &job, arrays, threads)
    return run_elementwise[float](NULL, &job, arrays, threads)
