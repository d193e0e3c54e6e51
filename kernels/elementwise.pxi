# The loops of the elementwise losses. They know no formula by name: a formula is a row in a table of block functions.
#
# The family that includes this file says what `Formula` and `Paired` are, what `point` does and what `enlist_formulas`
# enlists.

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

cdef enum:
    MOST_FORMULAS = 64    # formulas in the table, at most
    PARAMETERS = 4        # of a formula, at most

# The operands: x, t, u, the weight and the mask; value, gradient, second derivative; gradient and second derivative to u.
cdef enum:
    X, T, U, W, M, V, G, H, GU, HU, OPERANDS

ctypedef void (*BlockFunction)(const void *formula, const void *order, const void *sink, Py_ssize_t n, const void *x,
                               const void *t, const void *u, double scale, Lanes *lanes, void *v, void *g, void *h,
                               void *gu, void *hu) noexcept nogil
ctypedef Py_ssize_t (*Check)(const void *formula, Py_ssize_t n, const void *x, const void *t, const void *u, const void *w,
                             int *operand) noexcept nogil

cdef struct Entry:
    BlockFunction blocks[2][3][2]      # float, double; order; sink
    Check checks[2]
    int parameters
    bint paired
    bint signs

cdef Entry _entries[<int> MOST_FORMULAS]
cdef int _formulas = 0
FORMULAS = {}      # name: number, paired


cdef void map_block(const Formula *formula, const Order *order, const Sink *sink, Py_ssize_t n, const real *x,
                    const real *t, const real *u, double scale, Lanes *lanes, real *v, real *g, real *h, real *gu,
                    real *hu) noexcept nogil:
    """One formula over a block; the values go to v, or (without second derivatives) are added to the lanes."""
    cdef Formula f = formula[0]
    cdef real s = <real> scale, vi, gi, hi, gui, hui
    cdef real tail[LANES]
    cdef Py_ssize_t i, j, whole = n - n % LANES
    if Sink is Stored:
        for i in range(n):
            point(f, x[i], t[i], u[i], &vi, &gi, &hi, &gui, &hui)
            v[i] = vi
            if Order is not Value:
                g[i] = gi * s
                if Formula in Paired:
                    gu[i] = gui * s
            if Order is Curvature:
                h[i] = hi * s
                if Formula in Paired:
                    hu[i] = hui * s
    else:
        for i from 0 <= i < whole by LANES:
            for j in range(LANES):
                point(f, x[i + j], t[i + j], u[i + j], &vi, &gi, &hi, &gui, &hui)
                accumulate(vi, &lanes.total[j], &lanes.lost[j])
                if Order is not Value:
                    g[i + j] = gi * s
                    if Formula in Paired:
                        gu[i + j] = gui * s
        if whole < n:
            map_block[Formula, Order, Stored, real](formula, NULL, NULL, n - whole, x + whole, t + whole, u + whole, scale,
                                                    lanes, <real *> tail, g + whole, h + whole, gu + whole, hu + whole)
            add_to_lanes(lanes, <const real *> tail, n - whole)


cdef Py_ssize_t check_block(const Formula *formula, Py_ssize_t n, const real *x, const real *t, const real *u, const real *w,
                            int *operand) noexcept nogil:
    """The first element outside the formula's domain, and which operand it is; -1 if there is none. What has the weight 0
    is not looked at; w is NULL where there are no weights."""
    cdef Formula f = formula[0]
    cdef real v, g, h, gu, hu
    cdef int found = 0
    cdef Py_ssize_t i
    for i in range(n):
        found |= point(f, x[i], t[i], u[i], &v, &g, &h, &gu, &hu)
    if found and w != NULL:
        found = 0
        for i in range(n):
            found |= point(f, x[i], t[i], u[i], &v, &g, &h, &gu, &hu) * (w[i] != 0)
    if found:
        for i in range(n):
            found = point(f, x[i], t[i], u[i], &v, &g, &h, &gu, &hu)
            if found and (w == NULL or w[i] != 0):
                operand[0] = T if found & BAD_TARGET else X if found & BAD_INPUT else U
                return i
    return -1


cdef void enlist_order(const Formula *formula, const Order *order, int number) noexcept:
    cdef Entry *entry = &_entries[_formulas]
    entry.blocks[0][number][0] = <BlockFunction> <void *> map_block[Formula, Order, Stored, float]
    entry.blocks[1][number][0] = <BlockFunction> <void *> map_block[Formula, Order, Stored, double]
    if Order is not Curvature:      # not worth the time that compiling it takes
        entry.blocks[0][number][1] = <BlockFunction> <void *> map_block[Formula, Order, Summed, float]
        entry.blocks[1][number][1] = <BlockFunction> <void *> map_block[Formula, Order, Summed, double]


cdef int enlist(const Formula *formula, str name, Trait trait) except -1:
    """Put a formula into the table."""
    global _formulas
    cdef Entry *entry = &_entries[_formulas]
    if _formulas == <int> MOST_FORMULAS or sizeof(Formula) > <int> PARAMETERS * sizeof(double):
        raise ImportError("kernel: no room for more formulas, or for so many parameters")
    enlist_order[Formula, Value](NULL, NULL, 0)
    enlist_order[Formula, Slope](NULL, NULL, 1)
    enlist_order[Formula, Curvature](NULL, NULL, 2)
    entry.checks[0] = NULL
    entry.checks[1] = NULL
    if trait != PLAIN:
        entry.checks[0] = <Check> <void *> check_block[Formula, float]
        entry.checks[1] = <Check> <void *> check_block[Formula, double]
    entry.parameters = sizeof(Formula) // sizeof(double)      # a struct without parameters holds one char
    entry.paired = False
    if Formula in Paired:
        entry.paired = True
    entry.signs = trait == SIGNS
    FORMULAS[name] = _formulas, bool(entry.paired)
    _formulas += 1
    return 0


# ---- one call --------------------------------------------------------------------------------------------------------

cdef struct Elementwise:
    Space space
    Operand operands[OPERANDS]
    const Entry *entry
    const double *parameters
    double scale              # of gradient and second derivative
    int order
    bint summed
    int *outside              # set to 1 if an element is outside the formula's domain
    Team team


cdef inline const real *weights_of(const Operand *op, const Space *space, int end, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """The weights of a block, 0 where the mask leaves something out; NULL where there are neither. `op` are all operands."""
    cdef const real *w
    cdef real valid[BLOCK]
    cdef Py_ssize_t j
    if op[<int> M].data == NULL:
        if op[<int> W].data == NULL:
            return NULL
        return fetch(&op[<int> W], op[<int> W].data, space, 0, end, start, n, block)
    load_mask(&op[<int> M], op[<int> M].data, space, 0, end, start, n, <real *> valid)
    if op[<int> W].data == NULL:
        for j in range(n):
            block[j] = 0 if valid[j] == 0 else <real> 1
    else:
        w = fetch(&op[<int> W], op[<int> W].data, space, 0, end, start, n, block)
        for j in range(n):
            block[j] = 0 if valid[j] == 0 else w[j]
    return block


cdef void weigh(const real *w, Py_ssize_t n, real *v) noexcept nogil:
    cdef real value
    cdef Py_ssize_t j
    for j in range(n):
        value = v[j] * w[j]
        v[j] = 0 if w[j] == 0 else value

cdef void weigh_both(const real *w, double scale, Py_ssize_t n, real *v, real *g) noexcept nogil:
    """Values times weights, and derivatives times weights and scale, in one pass."""
    cdef real value, slope
    cdef Py_ssize_t j
    for j in range(n):
        value = v[j] * w[j]
        slope = g[j] * <real> (w[j] * scale)
        v[j] = 0 if w[j] == 0 else value
        g[j] = 0 if w[j] == 0 else slope


cdef double elementwise_span(const real *like, const Elementwise *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Elements start … stop-1, block by block; returns the sum of the values."""
    cdef real inputs[4][BLOCK]
    cdef real outputs[5][BLOCK]
    cdef real unused[BLOCK]
    cdef const real *in_[3]
    cdef real *out[5]
    cdef const Operand *op = <const Operand *> job.operands
    cdef const Space *space = &job.space
    cdef int end = space.ndim, k, operand, double_precision = 0
    cdef bint weighted = op[<int> W].data != NULL or op[<int> M].data != NULL
    cdef double scale = 1 if weighted else job.scale
    cdef Lanes lanes
    cdef bint summed = job.summed and not weighted and op[<int> V].data == NULL and job.order < 2
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t i = start, j, n, unwatched = 0
    cdef Check check
    cdef const real *w
    if real is double:
        double_precision = 1
    check = job.entry.checks[double_precision]
    clear(&lanes)
    while i < stop:
        n = min(<Py_ssize_t> BLOCK, stop - i)
        for k in range(3):
            in_[k] = fetch(&op[k], op[k].data, space, 0, end, i, n, <real *> inputs[k]) if op[k].data != NULL else in_[0]
        w = weights_of(op, space, end, i, n, <real *> inputs[3])
        for k in range(5):
            out[k] = destination(&op[<int> V + k], i, <const real **> in_, <real *> outputs[k])
        if check != NULL and check(job.parameters, n, in_[<int> X], in_[<int> T], in_[<int> U], w, &operand) >= 0:
            job.outside[0] = 1
            return 0
        job.entry.blocks[double_precision][job.order][summed](
            job.parameters, NULL, NULL, n, in_[<int> X], in_[<int> T], in_[<int> U], scale, &lanes,
            out[0], out[1], out[2], out[3], out[4])
        if weighted:
            if job.order > 0:
                weigh_both(w, job.scale, n, out[0], out[1])
            else:
                weigh(w, n, out[0])
            for k in range(2, 5):
                if op[<int> V + k].data != NULL:
                    weigh_both(w, job.scale, n, <real *> unused, out[k])
        if job.summed and not summed:
            add_to_lanes(&lanes, <const real *> out[0], n)
        for k in range(5):
            if op[<int> V + k].data != NULL:
                put(&op[<int> V + k], op[<int> V + k].data, space, 0, end, i, n, out[k])
        i += n
        unwatched += n
        if unwatched >= WATCHED:
            unwatched = 0
            if fl_stops(<Team *> &job.team):
                break
    gather_lanes(&lanes, &total)
    return result(total)


cdef inline real *destination(const Operand *op, Py_ssize_t start, const real **inputs, real *block) noexcept nogil:
    """Where the elements from `start` on are computed: in the output itself where that can be, else in a buffer. A loop that
    read and wrote in the same place would not be vectorised."""
    cdef real *place = <real *> op.data + start
    if op.data == NULL or not op.flat or place == inputs[0] or place == inputs[1] or place == inputs[2]:
        return block
    return place


cdef int find_outside(const real *like, Elementwise *job, tuple arrays, bint certain) except -1:
    """Raise LookupError(operand, position) for the first element, in C order, that is outside the formula's domain. If it is
    `certain` that there was one, there may be none any more, as another thread has written to the array."""
    cdef real inputs[3][BLOCK]
    cdef real weights[BLOCK]
    cdef const real *in_[3]
    cdef cnp.ndarray array, x = arrays[0]
    cdef Operand op[<int> M + 1]
    cdef Space space
    cdef Py_ssize_t i, n, bad, unwatched = 0, count = cnp.PyArray_SIZE(x)
    cdef int k, axis, operand = X, ndim = cnp.PyArray_NDIM(x)
    cdef Check check
    if real is float:
        check = job.entry.checks[0]
    else:
        check = job.entry.checks[1]
    for k in range(<int> M + 1):
        array = arrays[k]
        describe(&op[k], array, like, ndim, job.entry.signs and k == T)
        op[k].flat = False
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
    space.ndim = join_axes(op, <int> M + 1, &space, 0, ndim, 0)
    for i from 0 <= i < count by BLOCK:
        n = min(<Py_ssize_t> BLOCK, count - i)
        for k in range(3):
            in_[k] = <const real *> inputs[0]
            if op[k].data != NULL:
                load_block(&op[k], op[k].load, op[k].data, &space, 0, space.ndim, i, n, <char *> inputs[k], sizeof(real))
                in_[k] = <const real *> inputs[k]
        bad = check(job.parameters, n, in_[0], in_[1], in_[2], weights_of(<const Operand *> op, &space, space.ndim, i, n, <real *> weights),
                    &operand)
        if bad >= 0:
            raise LookupError(operand, i + bad)
        unwatched += n
        if unwatched >= WATCHED:
            unwatched = 0
            PyErr_CheckSignals()
    if certain:
        raise LookupError(operand, -1)
    return 0


cdef double run_elementwise(const real *like, Elementwise *job, tuple arrays, int threads) except? -1:
    cdef cnp.ndarray array, x = arrays[0]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef Py_ssize_t count = cnp.PyArray_SIZE(x)
    cdef int k, axis, ndim = cnp.PyArray_NDIM(x), outside = 0
    cdef bint checked, overwritten = False
    cdef double total
    checked = job.entry.checks[0] != NULL
    for k in range(<int> OPERANDS):
        array = arrays[k]
        check_shape(array, x, ndim)
        describe(&op[k], array, like, ndim, job.entry.signs and k == T, k >= V)
        overwritten |= k >= V and op[k].data != NULL and (op[k].data == op[<int> X].data or op[k].data == op[<int> U].data)
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
    if count == 0:
        return 0
    if checked and overwritten:      # afterwards nobody could say where it was
        find_outside(like, job, arrays, False)
    space.ndim = merge_axes(op, <int> OPERANDS, space, 0, ndim, 0)
    for k in range(<int> OPERANDS):
        op[k].flat = op[k].data != NULL and is_flat(&op[k], space, 0, space.ndim)
    for k in range(<int> GU, <int> OPERANDS):
        op[k].added = op[k].data != NULL and op[k].kind == DOUBLE and shares_items(&op[k], space, 0, space.ndim)
        if op[k].added:
            threads = 1
    job.outside = &outside
    if real is float:
        total = run(<Span> <void *> elementwise_span[float], job, count, BLOCK, count, threads, &job.team, False)
    else:
        total = run(<Span> <void *> elementwise_span[double], job, count, BLOCK, count, threads, &job.team, False)
    if outside:
        find_outside(like, job, arrays, True)
    return total


def elementwise(int formula, tuple parameters, bint double_precision, int order, double scale, bint summed, int threads,
                tuple arrays):
    """Run one formula over arrays of one shape: (x, t, u, weight, mask, value, gradient, hessian, gradient and hessian with
    respect to u), None where there is none. An output may lie exactly where an input lies.

    Order 0 computes values, 1 gradients too, 2 second derivatives too; the latter two are multiplied by `scale`. What has
    respect to u is added to float64 items where u was broadcast. Returns the sum of the weighted values (0 unless
    `summed`); raises LookupError(operand, position) for the first element that is outside the formula's domain."""
    cdef Elementwise job
    cdef double values[PARAMETERS]
    cdef int k
    if not 0 <= formula < _formulas or not 0 <= order <= 2 or len(arrays) != <int> OPERANDS:
        raise ValueError("kernel: no such formula, order or number of operands")
    job.entry = &_entries[formula]
    if len(parameters) != job.entry.parameters:
        raise ValueError(f"kernel: {job.entry.parameters} parameters are needed, got {len(parameters)}")
    for k in range(<int> G, <int> OPERANDS):
        if (order > (k - <int> G) % 2 and (k < <int> GU or job.entry.paired)) != ((<tuple> arrays)[k] is not None):
            raise ValueError("kernel: not the arrays for the derivatives asked for")
    for k in range(len(parameters)):
        values[k] = parameters[k]
    job.parameters = values
    job.scale = scale
    job.order = order
    job.summed = summed
    if double_precision:
        return run_elementwise[double](NULL, &job, arrays, threads)
    return run_elementwise[float](NULL, &job, arrays, threads)


enlist_formulas()
