# Labels looked at before a call, targets looked at after one that has failed, and the loss of log-probabilities.

cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset
from cpython.exc cimport PyErr_CheckSignals
from kernels.classes.rows cimport (
    CHUNK, CLASS, R_G, R_H, R_X, Rows, base_of, fill_row, is_empty, is_vector, load_class, load_factors,
    load_labels, store_class, register_rows, row_step)
from kernels.classes.softmax cimport View, finish_values
from kernels.core.numeric cimport real, weighed
from kernels.core.operands cimport (
    DOUBLE, FLOAT, INT8, UINT64, Kind, Operand, Space, check_shape, describe, join_axes, kind_of, label_loader, load_block,
    offset_of)
from kernels.core.sums cimport THREAD_GRAIN, TILE, Exact, clear_exact, exact_of, fl_exact_adds, many, merge_exactly, rounded

cdef extern from "numpy/arrayobject.h":
    object PyArray_NewLikeArray(cnp.ndarray prototype, cnp.NPY_ORDER order, void *dtype, int subok)

cnp.import_array()

cdef void nll(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """The input holds log-probabilities, so only the labelled one counts."""
    cdef double values[TILE]
    cdef int64_t labels[TILE]
    cdef const real *w = <const real *> job.weight
    cdef real x_y[TILE]
    cdef real factors[TILE]
    cdef double omega
    cdef char *base
    cdef View v
    cdef Py_ssize_t r
    cdef int k
    v.row = row
    v.n = n
    v.base_x = base_of(job, R_X, row)
    v.base_g = base_of(job, R_G, row)
    v.base_h = base_of(job, R_H, row)
    load_labels(job, row, n, True, labels, like)
    load_factors(job, row, n, <real *> factors)
    for r in range(n):
        x_y[r] = load_class(job, R_X, v.base_x + r * row_step(job, R_X), labels[r] if labels[r] > 0 else 0, like)
    for k in range(<int> R_G, <int> R_H + 1):
        base = v.base_g if k == R_G else v.base_h
        if base != NULL and job.operands[k].flat and row_step(job, k) == job.classes * <Py_ssize_t> sizeof(real):
            memset(base, 0, n * job.classes * sizeof(real))
        elif base != NULL:
            for r in range(n):
                fill_row(job, k, base + r * row_step(job, k), -1, <real> 0)
    for r in range(n):
        values[r] = 0
        if labels[r] >= 0:
            omega = <double> w[labels[r]] * factors[r] if w != NULL else <double> factors[r]
            values[r] = weighed(omega, <double> -x_y[r])
            if v.base_g != NULL:
                store_class(job, R_G, v.base_g + r * row_step(job, R_G), labels[r], <real> (-omega * job.scale))
    finish_values(job, &v, like, values)

register_rows("nll", <void *> nll[float], <void *> nll[double], 0, True)


def scan_rows(cnp.ndarray labels not None, Py_ssize_t classes, int64_t ignored, cnp.ndarray weight, cnp.ndarray factor,
              cnp.ndarray mask, bint some_ignored=True, tuple exact=None):
    """Look at all labels: (number of rows that count, sum of their class weights, sum of these times the factor of the row,
    how many of these products are not 0, position of the first bad label in C order, or -1).

    `weight` holds a float32 or float64 for each class, `factor` a number for each row, and `mask`, of the labels' shape and
    an axis of classes, 0 for what is left out; any is None where there is none. A row counts if its label is not ignored and
    something is left of it. A label is bad that is outside of 0 … classes-1, or that of a class left out, unless the factor of
    the row is 0; then it counts as a row, but has no class weight. Both sums have one rounding; without that they are added to
    the two of `exact`."""
    cdef Space space, whole
    cdef Operand op[2]
    cdef Operand left
    cdef const double *wide = NULL
    cdef const float *narrow = NULL
    cdef int64_t block[CHUNK]
    cdef double factors[CHUNK]
    cdef double valid
    cdef int64_t low, high, counts, every
    cdef Py_ssize_t i, j, n, rows = 0, nonzero = 0, bad = -1, count = cnp.PyArray_SIZE(labels), unwatched = 0
    cdef int axis, ndim = cnp.PyArray_NDIM(labels)
    cdef double w
    cdef double of_classes[CHUNK]
    cdef double of_rows[CHUNK]
    cdef Exact total, products
    cdef bint weighted = weight is not None or factor is not None or exact is not None
    cdef bint fine
    if weight is not None:
        if is_vector(weight, classes, <const double *> NULL):
            wide = <const double *> cnp.PyArray_DATA(weight)
        elif is_vector(weight, classes, <const float *> NULL):
            narrow = <const float *> cnp.PyArray_DATA(weight)
        else:
            raise ValueError("kernel: weight is not a vector of floats")
    check_shape(factor, labels, ndim)
    describe(&op[0], labels, <const double *> NULL, ndim)
    describe(&op[1], factor, <const double *> NULL, ndim)
    describe(&left, mask, <const double *> NULL, ndim + 1)
    if op[0].kind > UINT64:
        raise TypeError("kernel: labels must be integers")
    if mask is not None and (cnp.PyArray_NDIM(mask) != ndim + 1 or cnp.PyArray_DIM(mask, ndim) != classes):
        raise ValueError("kernel: operands of different shapes")
    # Whether no label is ignored. A huge label would look like a negative one.
    every = op[0].kind == UINT64 and ignored < 0 or not some_ignored
    space.ndim = ndim
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(labels, axis)
        whole.shape[axis] = space.shape[axis]
        if mask is not None and cnp.PyArray_DIM(mask, axis) != space.shape[axis]:
            raise ValueError("kernel: operands of different shapes")
    whole.shape[ndim] = classes
    if count > 0:
        space.ndim = join_axes(op, 2, &space, 0, ndim, 0)
    clear_exact(&total)
    clear_exact(&products)
    with nogil:
        for i from 0 <= i < count by CHUNK:
            n = min(<Py_ssize_t> CHUNK, count - i)
            load_block(&op[0], label_loader(op[0].kind), op[0].data, &space, 0, space.ndim, i, n, <char *> block,
                       sizeof(int64_t))
            low = 0
            high = 0
            for j in range(n):
                counts = (block[j] != ignored) | every
                low += counts
                high += counts & (<uint64_t> block[j] >= <uint64_t> classes)
            rows += low
            if op[1].data != NULL:
                load_block(&op[1], op[1].load, op[1].data, &space, 0, space.ndim, i, n, <char *> factors, sizeof(double))
            if high or left.data != NULL:
                for j in range(n):
                    if not every and block[j] == ignored:
                        continue
                    fine = 0 <= block[j] < classes
                    if fine and left.data != NULL:
                        left.load(left.data + offset_of(&left, &whole, 0, ndim, i + j) + block[j] * left.strides[ndim], 0,
                                  left.swapped, 1, &valid)
                        fine = valid != 0
                    if fine:
                        continue
                    if left.data != NULL and is_empty(&left, &whole, ndim, i + j):
                        rows -= 1
                        block[j] = -1
                    elif op[1].data != NULL and factors[j] == 0:
                        block[j] = classes
                    else:
                        bad = i + j
                        break
                if bad >= 0:
                    break
            if weighted:
                for j in range(n):
                    of_classes[j] = 1 if block[j] == classes and weight is None else 0
                    of_rows[j] = 0
                    if (every or block[j] != ignored) and 0 <= block[j] < classes:
                        w = wide[block[j]] if wide != NULL else narrow[block[j]] if narrow != NULL else 1
                        of_classes[j] += w
                        if op[1].data != NULL:
                            w = 0 if factors[j] == 0 or w == 0 else w * factors[j]
                        of_rows[j] = w
                        nonzero += w != 0
                fl_exact_adds(&total, of_classes, n)
                fl_exact_adds(&products, of_rows, n)
            unwatched += n
            if unwatched >= 1 << 22:
                unwatched = 0
                with gil:
                    PyErr_CheckSignals()
    if not weighted:
        return rows, <double> rows, <double> rows, rows, bad
    if exact is not None:
        merge_exactly(exact_of(exact[0]), &total)
        merge_exactly(exact_of(exact[1]), &products)
    return rows, rounded(&total), rounded(&products), nonzero, bad


def mean_of_rows(run, int loss, tuple parameters, int64_t ignored, bint in_double, x, t, bint with_gradient):
    """(mean, gradient or None, whether that is float64) of a small matrix of floats and a label for each row, by the entry
    `run` of rows.pyx; None for anything else, and where the wrappers have an error to raise."""
    cdef Kind kind
    cdef Py_ssize_t classes
    cdef double divisor
    cdef object gradient = None
    if not cnp.PyArray_CheckExact(x) or not cnp.PyArray_CheckExact(t):
        return None
    if cnp.PyArray_NDIM(<cnp.ndarray> x) != 2 or cnp.PyArray_NDIM(<cnp.ndarray> t) != 1:
        return None
    kind = kind_of(<cnp.ndarray> x)
    classes = cnp.PyArray_DIM(<cnp.ndarray> x, 1)
    if kind != FLOAT and kind != DOUBLE or cnp.PyArray_ISBYTESWAPPED(<cnp.ndarray> x) or not INT8 <= kind_of(<cnp.ndarray> t) <= UINT64:
        return None
    if cnp.PyArray_DIM(<cnp.ndarray> x, 0) != cnp.PyArray_DIM(<cnp.ndarray> t, 0) or classes == 0:
        return None
    if cnp.PyArray_SIZE(<cnp.ndarray> x) > THREAD_GRAIN:
        return None      # which threads may share
    counts = scan_rows(t, classes, ignored, None, None, None, True)
    divisor = counts[0]
    if divisor == 0 or counts[4] >= 0:
        return None
    if with_gradient:
        gradient = PyArray_NewLikeArray(<cnp.ndarray> x, cnp.NPY_KEEPORDER, NULL, 0)
    total = run(loss, parameters, <int> CLASS, <int> with_gradient, kind == DOUBLE or in_double, 1.0, 0.0, ignored,
                1.0 / divisor if with_gradient else 1.0, True, 1, 1,
                (x, t, None, None, gradient, None, None, None, None, None, None))
    return total / divisor, gradient, kind == DOUBLE


def find_outside(cnp.ndarray targets not None, double most, tuple others):
    """The position in C order of the first target that is not from 0 to `most` and counts for something; -1 if there is none.
    NaN counts as inside. A target counts for nothing where one of the other operands, of its shape, is 0."""
    cdef Space space
    cdef Operand op[8]
    cdef double t[CHUNK]
    cdef double w[CHUNK]
    cdef Py_ssize_t i, j, n, found = -1, count = cnp.PyArray_SIZE(targets)
    cdef int axis, k, size = 0, ndim = cnp.PyArray_NDIM(targets)
    cdef cnp.ndarray array
    describe(&op[0], targets, <const double *> NULL, ndim)
    for array in others:
        if array is not None:
            if size == 7:
                raise ValueError("kernel: too many operands")
            size += 1
            check_shape(array, targets, ndim)
            describe(&op[size], array, <const double *> NULL, ndim)
    space.ndim = ndim
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(targets, axis)
    with nogil:
        for i from 0 <= i < count by CHUNK:
            n = min(<Py_ssize_t> CHUNK, count - i)
            load_block(&op[0], op[0].load, op[0].data, &space, 0, ndim, i, n, <char *> t, sizeof(double))
            for k in range(1, size + 1):
                load_block(&op[k], op[k].load, op[k].data, &space, 0, ndim, i, n, <char *> w, sizeof(double))
                for j in range(n):
                    t[j] = 0 if w[j] == 0 else t[j]
            for j in range(n):
                if t[j] < 0 or t[j] > most:
                    found = i + j
                    break
            if found >= 0:
                break
    return found
