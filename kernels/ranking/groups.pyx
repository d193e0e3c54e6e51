# Spans of whole groups. See groups.pxd.

cimport numpy as cnp
from libc.math cimport NAN
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc
from kernels.core.call cimport adjusted_hess, read_hess_options, read_parameters, register_name
from kernels.core.numeric cimport real, weighed
from kernels.core.operands cimport DOUBLE, INT32, INT64, Kind, Operand, check_shape, describe, kind_of
from kernels.core.places cimport gather, scatter
from kernels.core.rowmath cimport has_nan
from kernels.core.sums cimport PY_SSIZE_T_MAX, Span, Sum, add, fl_stops, many, result, run

cnp.import_array()

cdef enum:
    MOST_LOSSES = 16

cdef struct Registered:
    GroupLoss losses[2]         # of floats and of doubles
    int parameters
    int columns
    int facts
    int spare

cdef Registered _losses[<int> MOST_LOSSES]
GROUPS = {}                     # the number of each loss


cdef int register_groups(str name, void *narrow, void *wide, int parameters, int columns, int facts, int spare) except -1:
    """Put a loss, a GroupLoss of floats and one of doubles, into the table, with the numbers of its parameters, of its plan's
    columns of numbers for rows and for groups, and of the arrays of working memory that it needs."""
    cdef Registered *loss = &_losses[register_name(GROUPS, name, MOST_LOSSES, parameters * sizeof(double), GROUP_PARAMETERS)]
    if columns > MOST_COLUMNS or facts > MOST_COLUMNS:
        raise ImportError(f"kernel: {name}: at most {<int> MOST_COLUMNS} columns")
    loss.losses[0] = <GroupLoss> narrow
    loss.losses[1] = <GroupLoss> wide
    loss.parameters = parameters
    loss.columns = columns
    loss.facts = facts
    loss.spare = spare
    return 0


cdef Py_ssize_t first_from(const Job *job, Py_ssize_t place) noexcept nogil:
    """The first group that begins at a place or after it."""
    cdef Py_ssize_t low = 0, high = job.groups, middle
    while low < high:
        middle = low + (high - low) // 2
        if job.offsets[middle] < place:
            low = middle + 1
        else:
            high = middle
    return low


cdef const real *fetch_places(const Job *job, int k, Py_ssize_t first, Py_ssize_t n, real *block) noexcept nogil:
    """An operand of the rows at places first … first+n-1: in the caller's array where it lies so."""
    cdef const Operand *op = &job.operands[k]
    cdef Py_ssize_t step = op.strides[0]
    if job.rows != NULL:
        gather(op, job.rows + first, n, block)
    elif op.native and step == <Py_ssize_t> sizeof(real):
        return <const real *> op.data + first
    else:
        op.load(op.data + first * step, step, op.swapped, n, block)
    return block


cdef void put_places(const Job *job, int k, Py_ssize_t first, Py_ssize_t n, const double *numbers, double factor,
                     real *block) noexcept nogil:
    """An output of these rows = factor numbers; 0 where the factor is."""
    cdef const Operand *op = &job.operands[k]
    cdef Py_ssize_t step = op.strides[0], i
    cdef real *out = block
    if factor != 0 and job.rows != NULL:
        scatter(op, job.rows + first, n, numbers, factor, <const real *> NULL)
        return
    if job.rows == NULL and op.native and step == <Py_ssize_t> sizeof(real):
        out = <real *> op.data + first
    if factor == 0:
        for i in range(n):
            out[i] = 0
    else:
        for i in range(n):
            out[i] = <real> (numbers[i] * factor)
    if job.rows != NULL:
        for i in range(n):
            op.store(op.data + job.rows[first + i] * step, 0, 1, &out[i])
    elif out == block:
        op.store(op.data + first * step, step, n, block)


cdef void bend(const Job *job, double *h, Py_ssize_t n) noexcept nogil:
    """The second derivatives that are asked for, before they are weighed."""
    cdef Py_ssize_t i
    for i in range(n):
        h[i] = adjusted_hess(h[i], job.hess_options.scale, job.hess_options.floor)


cdef double put_group(const real *like, Job *job, Group *group, real *blocks) noexcept nogil:
    """Value and derivatives of one group; returns the value. There are three blocks."""
    cdef Py_ssize_t first = job.offsets[group.number], n = group.size, i
    cdef double w = job.rates[group.number] if job.rates != NULL else 1, value = 0
    cdef bint spoiled
    cdef int k
    cdef real out
    if w != 0:
        group.x = fetch_places(job, X, first, n, blocks)
        spoiled = has_nan(<const real *> group.x, n)
        if job.operands[<int> E].data != NULL:
            group.extra = fetch_places(job, E, first, n, blocks + group.room)
            spoiled |= has_nan(<const real *> group.extra, n)
        for k in range(<int> MOST_COLUMNS):
            group.columns[k] = job.columns[k] + first if job.columns[k] != NULL else NULL
            group.facts[k] = job.facts[k][group.number] if job.facts[k] != NULL else 0
        group.weights = NULL
        if not spoiled:
            value = job.loss(like, job, group)
        else:
            value = NAN
            for i in range(n if job.order > 0 else 0):
                group.g[i] = NAN
            for i in range(n if job.order > 1 else 0):
                group.h[i] = NAN
        value *= w
        if job.hess_options.asked and job.order > 1:
            bend(job, group.h, n)
        if group.weights != NULL:
            for i in range(n if job.order > 0 else 0):
                group.g[i] *= group.weights[i]
            for i in range(n if job.order > 1 else 0):
                group.h[i] *= group.weights[i]
    if job.order > 0:
        put_places(job, G, first, n, group.g, weighed(w, job.scale), blocks + 2 * group.room)
    if job.order > 1:
        put_places(job, H, first, n, group.h, weighed(w, job.scale), blocks + 2 * group.room)
    if job.operands[<int> V].data != NULL:
        out = <real> value
        job.operands[<int> V].store(job.operands[<int> V].data + group.number * job.operands[<int> V].strides[0], 0, 1, &out)
    return value


cdef double group_span(const real *like, Job *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """The groups that begin at places start … stop-1; returns the sum of their values."""
    cdef Group group
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t first = first_from(job, start), last = first_from(job, stop), k, longest = 0, kept = 0
    cdef double *memory
    for k in range(first, last):
        longest = max(longest, <Py_ssize_t> (job.offsets[k + 1] - job.offsets[k]))
    group.room = (longest // APIECE + 1) * APIECE
    group.extra = NULL
    group.kept = &kept
    k = (job.spare + 2) * sizeof(double) + 3 * sizeof(real)
    memory = NULL
    if group.room <= (PY_SSIZE_T_MAX - 64) // k:
        memory = <double *> malloc(group.room * k)
    if memory == NULL:
        job.starved = True
        return 0
    group.g = memory
    group.h = memory + group.room
    group.spare = memory + 2 * group.room
    for k in range(first, last):
        group.number = k
        group.size = job.offsets[k + 1] - job.offsets[k]
        if job.starved or job.outside or fl_stops(&job.team):
            break
        if group.size > 0:
            add(&total, put_group(like, job, &group, <real *> (memory + (2 + job.spare) * group.room)))
    free(memory)
    return result(total)


# ---- one call --------------------------------------------------------------------------------------------------------

cdef const void *vector(object given, Kind kind, Py_ssize_t n) except? NULL:
    """The numbers of an array of n, side by side; of any number of them if n is negative."""
    cdef cnp.ndarray array = given
    if (kind_of(array) != kind or cnp.PyArray_NDIM(array) != 1 or (n >= 0 and cnp.PyArray_SIZE(array) != n)
            or not cnp.PyArray_ISCARRAY_RO(array)):
        raise ValueError("kernel: not a vector of so many numbers of that dtype")
    return cnp.PyArray_DATA(array)


cdef Py_ssize_t read_plan(Job *job, int loss, tuple plan, Py_ssize_t rows) except -1:
    """The arrays of a plan; returns how many rows it has."""
    cdef Registered *registered = &_losses[loss]
    cdef Py_ssize_t count = rows, k
    if not 0 <= loss < len(GROUPS) or len(plan) != 3 + registered.columns + registered.facts:
        raise ValueError("kernel: not the arrays of a plan")
    job.groups = len(plan[0]) - 1
    if job.groups < 0:
        raise ValueError("kernel: not the arrays of a plan")
    job.offsets = <const int64_t *> vector(plan[0], INT64, -1)
    job.rows = NULL
    if plan[1] is not None:
        count = len(plan[1])
        job.rows = <const int32_t *> vector(plan[1], INT32, count)
    job.rates = <const double *> vector(plan[2], DOUBLE, job.groups) if plan[2] is not None else NULL
    for k in range(<int> MOST_COLUMNS):
        job.columns[k] = job.facts[k] = NULL
    for k in range(registered.columns):
        job.columns[k] = <const double *> vector(plan[3 + k], DOUBLE, count)
    for k in range(registered.facts):
        job.facts[k] = <const double *> vector(plan[3 + registered.columns + k], DOUBLE, job.groups)
    return count


def check_plan(int loss, Py_ssize_t rows, tuple plan):
    """Raise ValueError if a plan's arrays are not what they say, for so many rows."""
    cdef Job job
    cdef Py_ssize_t count = read_plan(&job, loss, plan, rows), k
    cdef bint good = job.offsets[0] == 0 and job.offsets[job.groups] == count and count <= rows
    for k in range(job.groups if good else 0):
        good = good and 0 <= job.offsets[k] <= job.offsets[k + 1] <= count
    for k in range(count if good and job.rows != NULL else 0):
        good = good and 0 <= job.rows[k] < rows
    if not good:
        raise ValueError("plan: its arrays do not fit together")


cdef double run_groups(const real *like, Job *job, tuple arrays, Py_ssize_t count, Py_ssize_t effort, int threads) except? -1:
    cdef int k
    for k in range(<int> OPERANDS):
        describe(&job.operands[k], <cnp.ndarray> arrays[k], like, 1, False, V <= k <= H)
    return run(<Span> <void *> group_span[real], job, count, 1, many(effort, count), threads, &job.team, False)


def groups(int loss, tuple parameters, int order, bint double_precision, double scale, bint summed, Py_ssize_t effort, int threads,
           tuple arrays, tuple plan, rates=None, tuple hess_options=None):
    """Run a loss of groups. The arrays are (x, extra, value, gradient, second derivative), of one axis, None but for x where
    they are not asked for; there is a value for each group. Rows that the plan does not have, and values of groups without
    rows, are not written. A row is worth so much `effort` of an element of other losses.

    The plan has (offsets, rows or None, weights or None, columns and facts of the loss): see Job. `rates` are what the values
    are multiplied by, if not the weights. Returns the sum of the values (0 unless `summed`); LookupError if the loss does not
    accept a number of `extra`."""
    cdef Job job
    cdef cnp.ndarray x = arrays[<int> X]
    cdef Py_ssize_t count
    cdef double total
    if len(arrays) != OPERANDS or not 0 <= order <= 2 or x is None or cnp.PyArray_NDIM(x) != 1 or (order > 0) != (
            arrays[<int> G] is not None) or (order > 1) != (arrays[<int> H] is not None):
        raise ValueError("kernel: not the arrays of a loss of groups")
    for k in (<int> E, <int> G, <int> H):
        check_shape(arrays[k], x, 1)
    count = read_plan(&job, loss, plan, cnp.PyArray_SIZE(x))
    if arrays[<int> V] is not None and (arrays[<int> V].ndim != 1 or len(arrays[<int> V]) != job.groups):
        raise ValueError("kernel: not a value for each group")
    if rates is not None:
        job.rates = <const double *> vector(rates, DOUBLE, job.groups)
    if job.offsets[job.groups] != count:
        raise ValueError("kernel: the plan is not of so many rows")
    read_parameters(parameters, _losses[loss].parameters, job.parameters)
    read_hess_options(hess_options, &job.hess_options)
    job.loss = _losses[loss].losses[double_precision]
    job.spare = _losses[loss].spare
    job.order = order
    job.scale = scale
    job.summed = summed
    job.starved = job.outside = False
    if count == 0:
        return 0.0
    if double_precision:
        total = run_groups[double](NULL, &job, arrays, count, effort, threads)
    else:
        total = run_groups[float](NULL, &job, arrays, count, effort, threads)
    if job.starved:
        raise MemoryError("no memory for a group of rows")
    if job.outside:
        raise LookupError
    return total if summed else 0.0
