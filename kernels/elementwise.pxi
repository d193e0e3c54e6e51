# The loops of the elementwise losses. They know no formula by name: a formula is a row in a table of block functions.

cdef enum:
    BLOCK = 1024          # elements of a block: its buffers stay in the first-level cache
    SPANS = 1024          # a call is split into at most so many spans of blocks, whatever the number of threads
    LANES = 64            # accumulators of a sum; more than the compiler unrolls, so that it vectorises the loop over them
    FORMULAS = 256
    THREAD_GRAIN = 16384  # elements that are worth one more thread

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

ctypedef void (*BlockFunction)(const void *formula, const void *order, Py_ssize_t n, const void *x, const void *t,
                               const void *u, double scale, void *v, void *g, void *h) noexcept nogil

cdef BlockFunction _blocks[<int> FORMULAS][2][3]      # formula; float, double; order
cdef int _formulas = 0
FORMULA_NUMBERS = {}


cdef void map_block(const Formula *formula, const Order *order, Py_ssize_t n, const real *x, const real *t,
                    const real *u, double scale, real *v, real *g, real *h) noexcept nogil:
    cdef Formula f = formula[0]
    cdef real s = <real> scale, vi, gi, hi
    cdef Py_ssize_t i
    for i in range(n):
        point(f, x[i], t[i], u[i], &vi, &gi, &hi)
        v[i] = vi
        if Order is not Value:
            g[i] = gi * s
        if Order is Curvature:
            h[i] = hi * s


cdef void enlist(const Formula *formula, str name) noexcept:
    """Put a formula into the table."""
    global _formulas
    _blocks[_formulas][0][0] = <BlockFunction> <void *> map_block[Formula, Value, float]
    _blocks[_formulas][0][1] = <BlockFunction> <void *> map_block[Formula, Slope, float]
    _blocks[_formulas][0][2] = <BlockFunction> <void *> map_block[Formula, Curvature, float]
    _blocks[_formulas][1][0] = <BlockFunction> <void *> map_block[Formula, Value, double]
    _blocks[_formulas][1][1] = <BlockFunction> <void *> map_block[Formula, Slope, double]
    _blocks[_formulas][1][2] = <BlockFunction> <void *> map_block[Formula, Curvature, double]
    FORMULA_NUMBERS[name] = _formulas
    _formulas += 1

enlist_formulas()


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


cdef inline double lanes_sum(double *lanes, double *lost) noexcept nogil:
    """The sum of the lanes, in a fixed order."""
    cdef Py_ssize_t j, width = LANES // 2
    for j in range(LANES):
        lanes[j] = regained(lanes[j], lost[j])
    while width > 0:
        for j in range(width):
            lanes[j] += lanes[j + width]
        width //= 2
    return lanes[0]


cdef double block_sum(const real *v, Py_ssize_t n) noexcept nogil:
    """The sum in double, in a fixed order: lane by lane, then the lanes."""
    cdef double lanes[LANES]
    cdef double lost[LANES]
    cdef double sum = 0
    cdef Py_ssize_t i, j, whole = n - n % LANES
    if n < 16:
        for j in range(n):
            sum += v[j]
        return sum
    for j in range(LANES):
        lanes[j] = 0
        lost[j] = 0
    for i from 0 <= i < whole by LANES:
        for j in range(LANES):
            accumulate(v[i + j], &lanes[j], &lost[j])
    for j in range(n - whole):
        accumulate(v[whole + j], &lanes[j], &lost[j])
    return lanes_sum(lanes, lost)


cdef struct Sum:
    double total
    double lost

cdef inline void add(Sum *s, double x) noexcept nogil:
    accumulate(x, &s.total, &s.lost)

cdef inline double result(Sum s) noexcept nogil:
    return regained(s.total, s.lost)


# ---- one call --------------------------------------------------------------------------------------------------------

cdef struct Elementwise:
    Space space
    Operand operands[7]       # x, t, u, weight; value, gradient, second derivative
    const BlockFunction *functions
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
    cdef const Operand *op = job.operands
    cdef const Space *space = &job.space
    cdef int end = space.ndim
    cdef bint weighted = op[<int> W].data != NULL
    cdef double scale = 1 if weighted else job.scale
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t i = start, j, n
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
        job.functions[job.order](job.parameters, NULL, n, x, t, u, scale, v, g, h)
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
        if op[<int> V].data != NULL:
            put(&op[<int> V], op[<int> V].data, space, 0, end, i, n, v)
        if job.order > 0 and op[<int> G].data != NULL:
            put(&op[<int> G], op[<int> G].data, space, 0, end, i, n, g)
        if job.order > 1:
            put(&op[<int> H], op[<int> H].data, space, 0, end, i, n, h)
        if job.summed:
            add(&total, block_sum(v, n))
        i += n
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
    for k in range(len(parameters)):
        values[k] = parameters[k]
    job.functions = _blocks[formula][1 if double_precision else 0]
    job.parameters = values
    job.scale = scale
    job.order = order
    job.summed = summed
    if double_precision:
        return run_elementwise[double](NULL, &job, arrays, threads)
    return run_elementwise[float](NULL, &job, arrays, threads)
