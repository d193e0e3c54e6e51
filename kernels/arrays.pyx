# What the Python wrappers ask at every call, and what must therefore not take long.

include "common.pxi"

LEVEL = FUSEDLOSS_LEVEL.decode()
FLAGS = FUSEDLOSS_FLAGS.decode()
OPENMP = bool(FL_OPENMP)
SMALL = <int> THREAD_GRAIN       # up to this size no call is split over threads


def max_threads():
    """Threads that OpenMP would use now (OMP_NUM_THREADS, threadpoolctl), 1 in a serial build."""
    return omp_get_max_threads()


cdef cnp.dtype _float32 = cnp.PyArray_DescrFromType(cnp.NPY_FLOAT)
cdef cnp.dtype _float64 = cnp.PyArray_DescrFromType(cnp.NPY_DOUBLE)


def scalar(double value, bint double_precision):
    """A NumPy scalar of the computation's dtype."""
    cdef float single = <float> value
    if double_precision:
        return PyArray_Scalar(&value, _float64, None)
    return PyArray_Scalar(&single, _float32, None)


def asks(value):
    """What the dtype of an array asks of the computation: 2 for float64, 1 for a narrower float, 0 for integers and
    booleans; -1 for anything but a plain array of a dtype that the kernels can read."""
    cdef Kind kind
    if not cnp.PyArray_CheckExact(value):
        return -1
    kind = kind_of(<cnp.ndarray> value)
    return -1 if kind == UNKNOWN else 2 if kind == DOUBLE else 1 if kind >= HALF else 0


cdef inline bint extent(cnp.ndarray array, char **low, char **high) noexcept:
    """The bytes from the first to behind the last of an array; False for an empty one."""
    cdef int axis
    cdef Py_ssize_t step
    low[0] = cnp.PyArray_BYTES(array)
    high[0] = low[0] + cnp.PyArray_ITEMSIZE(array)
    for axis in range(cnp.PyArray_NDIM(array)):
        if cnp.PyArray_DIM(array, axis) == 0:
            return False
        step = cnp.PyArray_STRIDE(array, axis) * (cnp.PyArray_DIM(array, axis) - 1)
        if step < 0:
            low[0] += step
        else:
            high[0] += step
    return True


def is_plain_output(buffer, tuple shape, tuple inputs):
    """Whether a buffer is beyond doubt fit to be written to: a contiguous array of a native floating dtype and this
    shape, whose extent in memory no input enters. Otherwise the wrappers look closer."""
    cdef char *low
    cdef char *high
    cdef char *other_low
    cdef char *other_high
    cdef Py_ssize_t axis
    if not cnp.PyArray_CheckExact(buffer) or not cnp.PyArray_ISCARRAY(<cnp.ndarray> buffer):
        return False
    if kind_of(<cnp.ndarray> buffer) < HALF or cnp.PyArray_NDIM(<cnp.ndarray> buffer) != len(shape):
        return False
    for axis in range(len(shape)):
        if cnp.PyArray_DIM(<cnp.ndarray> buffer, axis) != <Py_ssize_t> shape[axis]:
            return False
    if extent(buffer, &low, &high):
        for other in inputs:
            if other is not None and extent(other, &other_low, &other_high) and low < other_high and other_low < high:
                return False
    return True


def scan_weights(cnp.ndarray weights):
    """The sum of an array, and how many of its items are not zero."""
    cdef Space space
    cdef Operand op
    cdef Lanes lanes
    cdef Sum total = Sum(0, 0)
    cdef double values[BLOCK]
    cdef const double *v
    cdef Py_ssize_t i, j, n, nonzero = 0, count = cnp.PyArray_SIZE(weights)
    cdef int axis, ndim = cnp.PyArray_NDIM(weights)
    describe(&op, weights, <const double *> NULL, ndim)
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(weights, axis)
    space.ndim = merge_axes(&op, 1, &space, 0, ndim, 0) if count > 0 else 0
    op.flat = is_flat(&op, &space, 0, space.ndim)
    with nogil:
        for i from 0 <= i < count by BLOCK:
            n = min(<Py_ssize_t> BLOCK, count - i)
            v = fetch(&op, op.data, &space, 0, space.ndim, i, n, <double *> values)
            clear(&lanes)
            add_to_lanes(&lanes, v, n)
            gather_lanes(&lanes, &total)
            for j in range(n):
                nonzero += v[j] != 0
    return result(total), nonzero
