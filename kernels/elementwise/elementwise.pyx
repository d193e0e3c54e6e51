# One call of an elementwise loss. It knows no formula by name: a formula is an entry in a table of block functions.

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.string cimport memcpy, memset
from fusedloss.capi cimport BAD_CALL, OK, Loss
from kernels.core.numeric cimport real
from kernels.core.call cimport HessOptions, adjusted_hess, capsule_of, lay_out, read_hess_options, read_parameters, register_name
from kernels.core.operands cimport (
    DOUBLE, FLOAT, Operand, Space, check_shape, describe, describe_memory, fetch, join_axes, load_block, load_mask,
    merge_axes, store_block)
from kernels.core.sums cimport (
    BLOCK, LANES, LEAF, WATCHED, Exact, Lanes, Span, Team, add_exactly, add_to_lanes, clear, exact_of, fl_stops, fl_total, take_lanes,
    run_alone, run_from)

cnp.import_array()

cdef enum:
    MOST_FORMULAS = 128   # in the table, at most

cdef Entry _entries[<int> MOST_FORMULAS]

FORMULAS = {}      # name: number, and whether there are derivatives with respect to the third and the fourth operand


cdef Entry *register(str name, size_t parameters, int by) except NULL:
    """A new entry for a formula whose struct of parameters has this size; a struct without parameters holds one char."""
    cdef int number = register_name(FORMULAS, name, MOST_FORMULAS, parameters, PARAMETERS)
    cdef Entry *entry = &_entries[number]
    memset(entry, 0, sizeof(Entry))
    entry.parameters = parameters // sizeof(double)
    entry.by = by
    FORMULAS[name] = number, bool(by & BY_THIRD), bool(by & BY_FOURTH)
    return entry


# ---- one call --------------------------------------------------------------------------------------------------------

cdef struct Elementwise:
    Space space
    Operand operands[OPERANDS]
    const Entry *entry
    const double *parameters
    double scale              # of gradient and second derivative
    HessOptions hess_options
    int order
    bint summed
    int *outside              # set to 1 if an element is outside the formula's domain
    Py_ssize_t first          # which number element 0 has in its leaf
    Py_ssize_t head, tail     # the values before element `head` and from `tail` on are not added up, as their leaves lack others,
    void *kept                # but kept, one after the other
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


cdef inline int precision_of(const real *like) noexcept nogil:
    return 0 if real is float else 1

cdef Py_ssize_t padded(const real *x, Py_ssize_t n, real *block) noexcept nogil:
    """The n elements, and the last one again until they are a multiple of PAD; how many these are."""
    cdef Py_ssize_t j, count = (n + PAD - 1) & -PAD
    for j in range(n):
        block[j] = x[j]
    for j in range(n, count):
        block[j] = block[n - 1]
    return count

cdef void map_elements(const Elementwise *job, int sink, double scale, Py_ssize_t n, const real **inputs, Lanes *lanes,
                       real **outputs) noexcept nogil:
    """The block function of a sink over n elements of a block: 0 stores, 1 adds up, 2 stores slopes. What is left of a multiple of
    what such a function takes goes through small buffers."""
    cdef const BlockFunction *block = job.entry.blocks[precision_of(inputs[0])][job.order]
    cdef real in_[<int> INPUTS][LANES]
    cdef real out[<int> OUTPUTS][LANES]
    cdef Py_ssize_t j, count = 0, rest = n % (<Py_ssize_t> LANES if sink == 1 else <Py_ssize_t> PAD), whole = n - rest
    cdef int k, first
    if whole > 0:
        block[sink](job.parameters, NULL, NULL, whole, inputs[<int> X], inputs[<int> T], inputs[<int> U], inputs[<int> S], scale, lanes,
                    outputs[0], outputs[1], outputs[2], outputs[3], outputs[4], outputs[5], outputs[6])
    if rest == 0:
        return
    for k in range(<int> INPUTS):
        count = padded(inputs[k] + whole, rest, in_[k])
    block[2 if sink == 2 else 0](
        job.parameters, NULL, NULL, count, in_[<int> X], in_[<int> T], in_[<int> U], in_[<int> S], scale, lanes, out[0], out[1],
        out[2], out[3], out[4], out[5], out[6])
    if sink == 1:
        add_to_lanes(lanes, <const real *> out[0], rest)
    elif sink == 0:
        for j in range(rest):
            outputs[0][whole + j] = out[0][j]
    for k in range(1, <int> OUTPUTS):
        if job.order > (k - 1) % 2 and has_derivative(job.entry, <int> V + k) and (sink != 2 or k < <int> GU - <int> V):
            for j in range(rest):
                outputs[k][whole + j] = out[k][j]

cdef Py_ssize_t check_elements(const Elementwise *job, Py_ssize_t n, const real **inputs, const real *w, int *operand) noexcept nogil:
    """The first of n elements of a block that is outside of the formula's domain, -1 if there is none."""
    cdef Check check = job.entry.checks[precision_of(inputs[0])]
    cdef real in_[<int> INPUTS + 1][LANES]
    cdef Py_ssize_t found = -1, count = 0, rest = n % PAD, whole = n - rest
    cdef int k
    if whole > 0:
        found = check(job.parameters, whole, inputs[<int> X], inputs[<int> T], inputs[<int> U], inputs[<int> S], w, operand)
    if found >= 0 or rest == 0:
        return found
    for k in range(<int> INPUTS):
        count = padded(inputs[k] + whole, rest, in_[k])
    if w != NULL:
        padded(w + whole, rest, in_[<int> INPUTS])
    found = check(job.parameters, count, in_[<int> X], in_[<int> T], in_[<int> U], in_[<int> S],
                  <const real *> NULL if w == NULL else <const real *> in_[<int> INPUTS], operand)
    return found if found < 0 else whole + found


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

cdef void adjust_hess_block(const HessOptions *hess_options, double weight, Py_ssize_t n, real *h) noexcept nogil:
    cdef real scale = <real> hess_options.scale, floor = <real> (hess_options.floor * weight)
    cdef Py_ssize_t j
    for j in range(n):
        h[j] = adjusted_hess(h[j], scale, floor)


cdef void direct(const real *d, Py_ssize_t n, real *h) noexcept nogil:
    """Second derivatives times the direction."""
    cdef Py_ssize_t j
    for j in range(n):
        h[j] *= d[j]


cdef double elementwise_span(const real *like, const Elementwise *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Elements start … stop-1, block by block. Leaf by leaf the sum of the values is added to what the thread adds up."""
    cdef real inputs[<int> INPUTS + 1][BLOCK]
    cdef real outputs[<int> OUTPUTS][BLOCK]
    cdef real unused[BLOCK]
    cdef real directions[BLOCK]
    cdef const real *in_[<int> INPUTS]
    cdef real *out[<int> OUTPUTS]
    cdef const Operand *op = <const Operand *> job.operands
    cdef const Space *space = &job.space
    cdef int end = space.ndim, k, operand, sink = 0, where_to
    cdef bint weighted = op[<int> W].data != NULL or op[<int> M].data != NULL
    cdef double scale = 1 if weighted else job.scale
    cdef Lanes lanes
    cdef bint summed = job.entry.adds and job.summed and not weighted and op[<int> V].data == NULL and job.order < 2
    cdef Py_ssize_t i = start, j, n, left = LEAF - (start + job.first) % LEAF, unwatched = 0
    cdef bint keeps
    cdef bint checked = job.entry.checks[0] != NULL
    cdef const real *w
    if summed:
        sink = 1
    elif job.order == 2 and not job.summed and job.entry.blocks[precision_of(like)][2][2] != NULL:
        sink = 2
        for k in range(<int> OUTPUTS):
            if op[<int> V + k].data != NULL and k != <int> G - <int> V and k != <int> H - <int> V:
                sink = 0
    clear(&lanes)
    while i < stop:
        n = min(min(<Py_ssize_t> BLOCK, stop - i), left)
        keeps = i < job.head or i >= job.tail
        where_to = 0 if keeps and summed else sink
        for k in range(<int> INPUTS):
            in_[k] = fetch(&op[k], op[k].data, space, 0, end, i, n, <real *> inputs[k]) if op[k].data != NULL else in_[0]
        w = weights_of(op, space, end, i, n, <real *> inputs[<int> INPUTS])
        for k in range(<int> OUTPUTS):
            out[k] = output_or_buffer(&op[<int> V + k], i, <const real **> in_, <real *> outputs[k])
        if checked and check_elements(job, n, in_, w, &operand) >= 0:
            job.outside[0] = 1
            return 0
        map_elements(job, where_to, scale, n, in_, &lanes, out)
        if job.hess_options.asked:
            for k in range(2, <int> OUTPUTS, 2):
                if op[<int> V + k].data != NULL:
                    adjust_hess_block(&job.hess_options, scale, n, out[k])
        if op[<int> D].data != NULL:
            direct(fetch(&op[<int> D], op[<int> D].data, space, 0, end, i, n, <real *> directions), n, out[2])
        if weighted:
            if job.order > 0:
                weigh_both(w, job.scale, n, out[0], out[1])
            else:
                weigh(w, n, out[0])
            for k in range(2, <int> OUTPUTS):
                if op[<int> V + k].data != NULL:
                    weigh_both(w, job.scale, n, <real *> unused, out[k])
        if keeps:
            memcpy(<real *> job.kept + (i if i < job.head else job.head + i - job.tail), out[0], n * sizeof(real))
        elif job.summed and not summed:
            add_to_lanes(&lanes, <const real *> out[0], n)
        for k in range(<int> OUTPUTS):
            if op[<int> V + k].data != NULL:
                store_block(&op[<int> V + k], op[<int> V + k].data, space, 0, end, i, n, out[k])
        i += n
        left -= n
        if left == 0 or i == stop:
            left = LEAF
            if job.summed:
                add_exactly(fl_total(&job.team), take_lanes(&lanes, like))
        unwatched += n
        if unwatched >= WATCHED:
            unwatched = 0
            if fl_stops(<Team *> &job.team):
                break
    return 0


cdef inline real *output_or_buffer(const Operand *op, Py_ssize_t start, const real **inputs, real *block) noexcept nogil:
    """Where the elements from `start` on are computed: in the output itself where that can be, else in a buffer. A loop that
    read and wrote in the same place would not be vectorised."""
    cdef real *place = <real *> op.data + start
    cdef int k
    if op.data == NULL or not op.flat:
        return block
    for k in range(<int> INPUTS):
        if place == inputs[k]:
            return block
    return place


cdef int find_outside(const real *like, Elementwise *job, tuple arrays, bint certain) except -1:
    """Raise LookupError(operand, position) for the first element, in C order, that is outside the formula's domain. If it is
    `certain` that there was one, there may be none any more, as another thread has written to the array."""
    cdef real inputs[<int> INPUTS][BLOCK]
    cdef real weights[BLOCK]
    cdef const real *in_[<int> INPUTS]
    cdef cnp.ndarray array, x = arrays[0]
    cdef Operand op[<int> M + 1]
    cdef Space space
    cdef Py_ssize_t i, n, bad, unwatched = 0, count = cnp.PyArray_SIZE(x)
    cdef int k, axis, operand = X, ndim = cnp.PyArray_NDIM(x)
    for k in range(<int> M + 1):
        array = arrays[k]
        describe(&op[k], array, like, ndim, job.entry.signs and k == T)
        op[k].flat = False
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
    space.ndim = join_axes(op, <int> M + 1, &space, 0, ndim, 0)
    for i from 0 <= i < count by BLOCK:
        n = min(<Py_ssize_t> BLOCK, count - i)
        for k in range(<int> INPUTS):
            in_[k] = <const real *> inputs[0]
            if op[k].data != NULL:
                load_block(&op[k], op[k].load, op[k].data, &space, 0, space.ndim, i, n, <char *> inputs[k], sizeof(real))
                in_[k] = <const real *> inputs[k]
        bad = check_elements(
            job, n, in_, weights_of(<const Operand *> op, &space, space.ndim, i, n, <real *> weights), &operand)
        if bad >= 0:
            raise LookupError(operand, i + bad)
        unwatched += n
        if unwatched >= WATCHED:
            unwatched = 0
            PyErr_CheckSignals()
    if certain:
        raise LookupError(operand, -1)
    return 0


cdef inline bint overwrites(const Operand *op, const char *place) noexcept nogil:
    """Whether an output lies where an input lies."""
    cdef int k
    for k in range(<int> W + 1):
        if op[k].data == place:
            return True
    return False


cdef int keep_ends(const real *like, Elementwise *job, Py_ssize_t first, Py_ssize_t count, cnp.ndarray kept) except -1:
    """Element 0 is number `first` of its leaf; the values of leaves of which others are missing go to `kept`."""
    cdef Py_ssize_t ragged = (first + count) % LEAF
    cdef int number = cnp.NPY_DOUBLE
    if real is float:
        number = cnp.NPY_FLOAT
    if not 0 <= first < <Py_ssize_t> LEAF:
        raise ValueError("kernel: no such element of a leaf")
    job.first = first
    job.head = 0
    job.tail = count
    job.kept = NULL
    if kept is None:
        return 0
    if first > 0:
        job.head = min(count, LEAF - first)
    job.tail = max(job.head, count - ragged)
    if (cnp.PyArray_TYPE(kept) != number or not cnp.PyArray_ISCARRAY(kept)
            or cnp.PyArray_SIZE(kept) != job.head + count - job.tail):
        raise ValueError("kernel: not the room for the values to keep")
    job.kept = cnp.PyArray_DATA(kept)
    return 0


cdef double run_elementwise(const real *like, Elementwise *job, tuple arrays, int threads, tuple part) except? -1:
    cdef cnp.ndarray array, x = arrays[0]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef Py_ssize_t count = cnp.PyArray_SIZE(x)
    cdef int k, axis, ndim = cnp.PyArray_NDIM(x), outside = 0
    cdef bint checked, overwritten = False
    cdef double total
    cdef Exact *to = NULL
    cdef Py_ssize_t first = 0
    cdef cnp.ndarray kept = None
    checked = job.entry.checks[0] != NULL
    if part is not None:
        to = exact_of(part[0])
        first = part[1]
        kept = part[2]
    if real is float:
        keep_ends[float](like, job, first, count, kept)
    else:
        keep_ends[double](like, job, first, count, kept)
    for k in range(<int> OPERANDS):
        array = arrays[k]
        check_shape(array, x, ndim)
        describe(&op[k], array, like, ndim, job.entry.signs and k == T, k >= V)
        overwritten |= k >= V and op[k].data != NULL and overwrites(op, op[k].data)
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
    if count == 0:
        return 0
    if checked and overwritten:      # afterwards nobody could say where it was
        find_outside(like, job, arrays, False)
    if part is None:
        space.ndim = merge_axes(op, <int> OPERANDS, space, 0, ndim, 0)
    else:
        space.ndim = join_axes(op, <int> OPERANDS, space, 0, ndim, 0)      # the elements are numbered in C order
    if lay_out(op, OPERANDS, GU, space, 0, True):
        threads = 1
    job.outside = &outside
    if real is float:
        total = run_from(<Span> <void *> elementwise_span[float], job, job.first, count, LEAF, count, threads, &job.team, False, to)
    else:
        total = run_from(<Span> <void *> elementwise_span[double], job, job.first, count, LEAF, count, threads, &job.team, False, to)
    if outside:
        find_outside(like, job, arrays, True)
    return total


cdef inline bint has_derivative(const Entry *entry, int operand) noexcept nogil:
    """Whether the formula gives what goes to one of G … HS."""
    if operand >= GS:
        return entry.by & BY_FOURTH != 0
    return operand < GU or entry.by & BY_THIRD != 0


def elementwise(int formula, tuple parameters, bint double_precision, int order, double scale, bint summed, int threads,
                tuple arrays, tuple hess_options=None, tuple part=None):
    """Run one formula over arrays of one shape: (x, t, u, s, weight, mask, direction, value, gradient, hessian, gradient and
    hessian with respect to u, those with respect to s), None where there is none. With a direction, which takes order 2, the
    hessian times that is written in its place, and nothing else. An output may lie exactly where an input lies.

    Order 0 computes values, 1 gradients too, 2 second derivatives too; the latter two are multiplied by `scale`. What has
    respect to u and s is added to float64 items where that was broadcast, or left out where there is no array for it. With a `hess_options`,
    (scale, floor), second derivatives h become max(scale h, floor) before they are weighted; a floor that is NaN is none. Returns
    the sum of the weighted values (0 unless `summed`; without that and an array they may not be computed); raises LookupError(operand, position) for the first element that is outside the formula's domain.

    With `part`, (exact sum, number, room), the arrays are a part of others of which they begin with an element that has this
    number in its leaf. The sum is also added to the exact one, but the values at both ends whose leaves lack others
    are written to the room."""
    cdef Elementwise job
    cdef double values[PARAMETERS]
    cdef bint product
    cdef int k, wanted, given
    if not 0 <= formula < len(FORMULAS) or not 0 <= order <= 2 or len(arrays) != <int> OPERANDS:
        raise ValueError("kernel: no such formula, order or number of operands")
    job.entry = &_entries[formula]
    read_parameters(parameters, job.entry.parameters, values)
    product = arrays[<int> D] is not None
    if product and order != 2:
        raise ValueError("kernel: a direction takes order 2")
    for k in range(<int> G, <int> OPERANDS):
        wanted = k == H if product else order > (k - <int> G) % 2 and has_derivative(job.entry, k)
        given = (<tuple> arrays)[k] is not None
        if given > wanted or given < wanted and k < <int> GU:
            raise ValueError("kernel: not the arrays for the derivatives asked for")
    job.parameters = values
    job.scale = scale
    job.order = order
    read_hess_options(hess_options, &job.hess_options)
    job.summed = summed
    if double_precision:
        return run_elementwise[double](NULL, &job, arrays, threads, part)
    return run_elementwise[float](NULL, &job, arrays, threads, part)


def sum_of_leaf(cnp.ndarray values not None):
    """The sum of the values of a leaf, or of some that follow each other: as a call adds them up."""
    cdef Lanes lanes
    cdef Py_ssize_t count = cnp.PyArray_SIZE(values)
    if not cnp.PyArray_ISCARRAY(values) or cnp.PyArray_TYPE(values) not in (cnp.NPY_FLOAT, cnp.NPY_DOUBLE) or count > LEAF:
        raise ValueError("kernel: not the values of a leaf")
    clear(&lanes)
    if cnp.PyArray_TYPE(values) == cnp.NPY_FLOAT:
        add_to_lanes(&lanes, <const float *> cnp.PyArray_DATA(values), count)
        return take_lanes(&lanes, <const float *> NULL)
    add_to_lanes(&lanes, <const double *> cnp.PyArray_DATA(values), count)
    return take_lanes(&lanes, <const double *> NULL)


LEAF_SIZE = <int> LEAF


# ---- the C interface: a call on contiguous memory, without Python ----------------------------------------------------

cdef Py_ssize_t first_outside(const real *like, const Elementwise *job, Py_ssize_t count) noexcept nogil:
    """The first element that is outside of the formula's domain, or OK."""
    cdef real inputs[<int> INPUTS + 1][BLOCK]
    cdef const real *in_[<int> INPUTS]
    cdef const Operand *op = <const Operand *> job.operands
    cdef Py_ssize_t i, n, bad
    cdef int k, operand
    for i from 0 <= i < count by BLOCK:
        n = min(<Py_ssize_t> BLOCK, count - i)
        for k in range(<int> INPUTS):
            in_[k] = fetch(&op[k], op[k].data, &job.space, 0, 1, i, n, <real *> inputs[k]) if op[k].data != NULL else in_[0]
        bad = check_elements(job, n, in_, weights_of(op, &job.space, 1, i, n, <real *> inputs[<int> INPUTS]), &operand)
        if bad >= 0:
            return i + bad
    return OK


cdef inline void bind_operand(Operand *op, const double *number, const real *like) noexcept nogil:
    """The operand is one number."""
    describe_memory(op, <void *> number, DOUBLE, like)
    op.strides[0] = 0
    op.flat = False


cdef Py_ssize_t map_memory(const real *like, const Loss *loss, Py_ssize_t n, const void **places, double scale,
                           double *sum) noexcept nogil:
    """`places` are those of the operands, NULL where there is none. The GIL is not needed."""
    cdef Elementwise job
    cdef Operand *op = job.operands
    cdef Py_ssize_t bad
    cdef int k, outside = 0
    cdef bint checked, overwritten = False
    cdef double total = 0
    job.entry = <const Entry *> loss.entry
    if (n < 0 or places[<int> X] == NULL or places[<int> T] == NULL or (places[<int> U] == NULL) == (loss.operands == 3)
            or not job.entry.by & BY_THIRD and (places[<int> GU] != NULL or places[<int> HU] != NULL)):
        return BAD_CALL
    job.parameters = loss.parameters
    job.scale = scale
    job.hess_options.asked = False
    job.summed = sum != NULL
    job.order = 0
    for k in range(<int> G, <int> OPERANDS):
        if places[k] != NULL:
            job.order = max(job.order, 1 + (k - <int> G) % 2)
    job.outside = &outside
    job.first = 0
    job.head = 0
    job.tail = n
    job.space.ndim = 1
    job.space.outer = 1
    job.space.shape[0] = n
    for k in range(<int> OPERANDS):
        describe_memory(&op[k], <void *> places[k], FLOAT if real is float else DOUBLE, like)
        op[k].strides[0] = sizeof(real)
        op[k].flat = True
        overwritten |= k >= V and places[k] != NULL and overwrites(<const Operand *> op, <const char *> places[k])
    if loss.third_bound:
        bind_operand(&op[<int> U], &loss.third, like)
    if loss.fourth_bound:
        bind_operand(&op[<int> S], &loss.fourth, like)
    checked = job.entry.checks[0] != NULL
    if checked and overwritten:      # afterwards nobody could say where it was
        bad = first_outside(like, &job, n)
        if bad >= 0:
            return bad
    if n == 0:
        pass
    elif real is float:
        run_alone(<Span> <void *> elementwise_span[float], &job, n, LEAF, n, &job.team, False, &total)
    else:
        run_alone(<Span> <void *> elementwise_span[double], &job, n, LEAF, n, &job.team, False, &total)
    if outside:
        return first_outside(like, &job, n)
    if sum != NULL:
        sum[0] = total
    return OK


cdef Py_ssize_t map_doubles(const Loss *loss, Py_ssize_t n, const double *x, const double *t, const double *u, const double *w,
                            double scale, double *sum, double *v, double *g, double *h, double *gu, double *hu) noexcept nogil:
    cdef const void **places = [x, t, u, NULL, w, NULL, NULL, v, g, h, gu, hu, NULL, NULL]
    return map_memory(<const double *> NULL, loss, n, places, scale, sum)

cdef Py_ssize_t map_floats(const Loss *loss, Py_ssize_t n, const float *x, const float *t, const float *u, const float *w,
                           double scale, double *sum, float *v, float *g, float *h, float *gu, float *hu) noexcept nogil:
    cdef const void **places = [x, t, u, NULL, w, NULL, NULL, v, g, h, gu, hu, NULL, NULL]
    return map_memory(<const float *> NULL, loss, n, places, scale, sum)


def bound(int formula, tuple parameters, bint third, bound_third, bound_fourth, bint floats):
    """A formula and its parameters for users of fusedloss.h, as a capsule. `third` says whether it has a third operand, which
    may be bound to a number; a fourth one must be. `floats` says whether the parameters are within the range of floats."""
    cdef Loss loss
    cdef const Entry *entry
    if not 0 <= formula < len(FORMULAS):
        raise ValueError("kernel: no such formula")
    memset(&loss, 0, sizeof(Loss))
    entry = &_entries[formula]
    read_parameters(parameters, entry.parameters, <double *> loss.parameters)
    loss.third_bound = third and bound_third is not None
    loss.operands = 3 if third and not loss.third_bound else 2
    loss.gradients = 2 if entry.by & BY_THIRD else 1
    if loss.third_bound:
        loss.third = bound_third
    loss.fourth_bound = bound_fourth is not None
    if loss.fourth_bound:
        loss.fourth = bound_fourth
    loss.entry = entry
    loss.element = entry.element
    loss.map = map_doubles
    if floats:
        loss.elementf = entry.elementf
        loss.mapf = map_floats
    return capsule_of(&loss)
