# What the Python wrappers ask at every call, and what must therefore not take long.

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from kernels.core.operands cimport (
    DOUBLE, HALF, UNKNOWN, Kind, Operand, Space, check_shape, describe, fetch, is_flat, kind_of, load_mask,
    merge_axes, set_bfloat16_number)
from kernels.core.sums cimport BLOCK, THREAD_GRAIN, Exact, clear_exact, exact_of, fl_exact_adds, merge_exactly, rounded

cdef extern from *:
    """
    #ifndef FUSEDLOSS_LEVEL
    #define FUSEDLOSS_LEVEL "base"
    #endif
    #ifndef FUSEDLOSS_FLAGS
    #define FUSEDLOSS_FLAGS ""
    #endif
    """
    const char *FUSEDLOSS_LEVEL
    const char *FUSEDLOSS_FLAGS

cdef extern from "numpy/arrayobject.h":
    object PyArray_Scalar(void *data, cnp.dtype descr, object base)

cdef extern from "core/team.h" nogil:
    bint FL_OPENMP
    int omp_get_max_threads()

cdef extern from "core/threads.h" nogil:
    int fl_start_threads(int)

cnp.import_array()

cdef enum:
    LOOKED_OVER = 1 << 24    # items between two looks for signals

LEVEL = FUSEDLOSS_LEVEL.decode()
FLAGS = FUSEDLOSS_FLAGS.decode()
OPENMP = bool(FL_OPENMP)
SMALL = <int> THREAD_GRAIN       # up to this size no call is split over threads


def set_bfloat16(int number):
    """Tell the loops the dtype number of ml_dtypes' bfloat16."""
    set_bfloat16_number(number)


def max_threads():
    """Threads that OpenMP would use now (OMP_NUM_THREADS, threadpoolctl), 1 in a serial build."""
    return omp_get_max_threads()


def can_start(int threads):
    """Whether so many threads can run at once beside this one. libgomp ends the process where they cannot."""
    cdef int started
    with nogil:
        started = fl_start_threads(threads)
    return started == threads


cdef cnp.dtype _float32 = cnp.PyArray_DescrFromType(cnp.NPY_FLOAT)
cdef cnp.dtype _float64 = cnp.PyArray_DescrFromType(cnp.NPY_DOUBLE)


def scalar(double value, bint double_precision):
    """A NumPy scalar of the computation's dtype."""
    cdef float single = <float> value
    if double_precision:
        return PyArray_Scalar(&value, _float64, None)
    return PyArray_Scalar(&single, _float32, None)


def precision(value):
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


cdef bint lies_on(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether two arrays are the same items of the same dtype in the same memory."""
    cdef int axis
    if (cnp.PyArray_DATA(a) != cnp.PyArray_DATA(b) or kind_of(a) != kind_of(b) or cnp.PyArray_NDIM(a) != cnp.PyArray_NDIM(b)
            or cnp.PyArray_ISBYTESWAPPED(a) != cnp.PyArray_ISBYTESWAPPED(b)):
        return False
    for axis in range(cnp.PyArray_NDIM(a)):
        if cnp.PyArray_DIM(a, axis) != cnp.PyArray_DIM(b, axis):
            return False
        if cnp.PyArray_DIM(a, axis) > 1 and cnp.PyArray_STRIDE(a, axis) != cnp.PyArray_STRIDE(b, axis):
            return False
    return True


def are_same_memory(cnp.ndarray a not None, cnp.ndarray b not None):
    """Whether two arrays are the same items of the same dtype in the same memory."""
    return lies_on(a, b)


def is_plain_output(buffer, tuple shape, tuple inputs, replaced):
    """Whether a buffer is beyond doubt fit to be written to: a contiguous array of a native floating dtype and this
    shape, whose extent in memory no input enters. Otherwise the wrappers look closer. It may lie exactly on the array
    `replaced`, which is one of the inputs or None."""
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
            if other is None:
                continue
            if other is replaced and lies_on(buffer, other):
                replaced = None      # no other input must lie there
            elif extent(other, &other_low, &other_high) and low < other_high and other_low < high:
                return False
    return True


def store_scalar(cnp.ndarray out not None, double value, bint double_precision):
    """Write a number of the computation's dtype to an array without dimensions."""
    cdef Operand op
    if cnp.PyArray_NDIM(out) != 0:
        raise ValueError("kernel: an array without dimensions is needed")
    describe(&op, out, <const double *> NULL, 0, False, True)
    if not double_precision:
        value = <float> value
    op.store(op.data, 0, 1, &value)


def scan_weights(cnp.ndarray weights not None, cnp.ndarray mask=None, exact=None):
    """The sum of an array, and how many of its items are not zero; of those alone that a mask of the same shape does not
    leave out. The sum has one rounding; without that it is added to `exact`."""
    cdef Space space
    cdef Operand op[2]
    cdef Exact total
    cdef Exact *to = exact_of(exact)
    cdef double values[BLOCK]
    cdef double valid[BLOCK]
    cdef const double *v
    cdef Py_ssize_t i, j, n, unwatched = 0, nonzero = 0, count = cnp.PyArray_SIZE(weights)
    cdef int axis, ndim = cnp.PyArray_NDIM(weights)
    check_shape(mask, weights, ndim)
    describe(&op[0], weights, <const double *> NULL, ndim)
    describe(&op[1], mask, <const double *> NULL, ndim)
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(weights, axis)
    space.ndim = merge_axes(op, 2, &space, 0, ndim, 0) if count > 0 else 0
    op[0].flat = is_flat(&op[0], &space, 0, space.ndim)
    clear_exact(&total)
    with nogil:
        for i from 0 <= i < count by BLOCK:
            n = min(<Py_ssize_t> BLOCK, count - i)
            v = fetch(&op[0], op[0].data, &space, 0, space.ndim, i, n, <double *> values)
            if mask is not None:
                load_mask(&op[1], op[1].data, &space, 0, space.ndim, i, n, <double *> valid)
                for j in range(n):
                    values[j] = 0 if valid[j] == 0 else v[j]
                v = values
            fl_exact_adds(&total, v, n)
            for j in range(n):
                nonzero += v[j] != 0
            unwatched += n
            if unwatched >= LOOKED_OVER:
                unwatched = 0
                with gil:
                    PyErr_CheckSignals()
    if to != NULL:
        merge_exactly(to, &total)
    return rounded(&total), nonzero
