# Blocks of rows times a vector, either way, and sums of vectors in any order: what a linear objective of one output needs. The
# sums are made in an order of their own, which depends on the shapes alone, where that of BLAS may depend on its threads.

cimport numpy as cnp
from cython.parallel cimport prange
from kernels.core.numeric cimport real

cdef extern from "linear/window.h" nogil:
    enum:
        WINDOW_ITEMS "FL_WINDOW_ITEMS"
    ctypedef struct Window "fl_window":
        pass
    void add_to_window "fl_window_add"(Window *, double)
    void merge_windows "fl_window_merge"(Window *, const Window *)
    double round_window "fl_window_round"(const Window *)

cnp.import_array()

cdef enum:
    WIDE = 16             # sums of a row
    ROWS = 4              # that are worked on at once
    COLUMNS = 256         # that a thread works on at once


# ---- products --------------------------------------------------------------------------------------------------------

cdef inline real folded(real *sums) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(WIDE // 2):           # a loop over the widths would not be vectorised
        sums[j] += sums[j + WIDE // 2]
    for j in range(WIDE // 4):
        sums[j] += sums[j + WIDE // 4]
    return (sums[0] + sums[1]) + (sums[2] + sums[3])


cdef void multiply_four(const real *x, Py_ssize_t step, const real *w, Py_ssize_t n, double intercept, Py_ssize_t rows,
                        real *out) noexcept nogil:
    """The products of up to four rows; those of fewer are computed in the same way."""
    cdef real sums[ROWS][WIDE]
    cdef const real *b = x + (step if rows > 1 else 0)
    cdef const real *c = x + (2 * step if rows > 2 else 0)
    cdef const real *d = x + (3 * step if rows > 3 else 0)
    cdef Py_ssize_t i, j, r, whole = n - n % WIDE
    for r in range(ROWS):
        for j in range(WIDE):
            sums[r][j] = 0
    for i from 0 <= i < whole by WIDE:
        for j in range(WIDE):
            sums[0][j] += x[i + j] * w[i + j]
            sums[1][j] += b[i + j] * w[i + j]
            sums[2][j] += c[i + j] * w[i + j]
            sums[3][j] += d[i + j] * w[i + j]
    for j in range(n - whole):
        sums[0][j] += x[whole + j] * w[whole + j]
        sums[1][j] += b[whole + j] * w[whole + j]
        sums[2][j] += c[whole + j] * w[whole + j]
        sums[3][j] += d[whole + j] * w[whole + j]
    for r in range(rows):
        out[r] = <real> (folded(sums[r]) + intercept)


cdef void add_weighted(const real *x, Py_ssize_t step, const real *s, Py_ssize_t rows, Py_ssize_t columns, double *out) noexcept nogil:
    """out += the rows x[r * step : r * step + columns] times s[r]."""
    cdef const real *row
    cdef real a, b, c, d
    cdef Py_ssize_t r, j, whole = rows - rows % ROWS
    for r from 0 <= r < whole by ROWS:
        row = x + r * step
        a = s[r]
        b = s[r + 1]
        c = s[r + 2]
        d = s[r + 3]
        for j in range(columns):
            out[j] += (a * row[j] + b * row[step + j]) + (c * row[2 * step + j] + d * row[3 * step + j])
    for r in range(whole, rows):
        row = x + r * step
        a = s[r]
        for j in range(columns):
            out[j] += a * row[j]


cdef int check_rows(cnp.ndarray x, cnp.ndarray vector, Py_ssize_t size) except -1:
    """A matrix of rows in one piece each, and a vector of its dtype."""
    cdef int number = cnp.PyArray_TYPE(x)
    if (number != cnp.NPY_FLOAT and number != cnp.NPY_DOUBLE or cnp.PyArray_NDIM(x) != 2 or not cnp.PyArray_ISALIGNED(x)
            or cnp.PyArray_ISBYTESWAPPED(x) or cnp.PyArray_DIM(x, 1) > 1 and cnp.PyArray_STRIDE(x, 1) != cnp.PyArray_ITEMSIZE(x)
            or cnp.PyArray_STRIDE(x, 0) % cnp.PyArray_ITEMSIZE(x) != 0):
        raise ValueError("kernel: not a matrix of rows")
    if (cnp.PyArray_TYPE(vector) != number or not cnp.PyArray_ISCARRAY_RO(vector) or cnp.PyArray_NDIM(vector) != 1
            or cnp.PyArray_SIZE(vector) != size):
        raise ValueError("kernel: not a vector for this matrix")
    return 0


cdef int multiply(const real *like, cnp.ndarray x, cnp.ndarray w, cnp.ndarray out, double intercept, int threads) except -1:
    cdef const real *rows = <const real *> cnp.PyArray_DATA(x)
    cdef const real *weights = <const real *> cnp.PyArray_DATA(w)
    cdef real *to = <real *> cnp.PyArray_DATA(out)
    cdef Py_ssize_t r, count = cnp.PyArray_DIM(x, 0), columns = cnp.PyArray_DIM(x, 1)
    cdef Py_ssize_t step = cnp.PyArray_STRIDE(x, 0) // <Py_ssize_t> sizeof(real)
    with nogil:
        if threads > 1:
            for r in prange(0, count, ROWS, num_threads=threads, schedule="static"):
                multiply_four(rows + r * step, step, weights, columns, intercept, min(<Py_ssize_t> ROWS, count - r), to + r)
        else:
            for r from 0 <= r < count by ROWS:
                multiply_four(rows + r * step, step, weights, columns, intercept, min(<Py_ssize_t> ROWS, count - r), to + r)
    return 0


def multiply_rows(cnp.ndarray x not None, cnp.ndarray w not None, double intercept, cnp.ndarray out not None, int threads):
    """out = x w + intercept."""
    check_rows(x, w, cnp.PyArray_DIM(x, 1))
    check_rows(x, out, cnp.PyArray_DIM(x, 0))
    if not cnp.PyArray_ISWRITEABLE(out):
        raise ValueError("kernel: an output that cannot be written to")
    if cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT:
        multiply[float](NULL, x, w, out, intercept, threads)
    else:
        multiply[double](NULL, x, w, out, intercept, threads)


cdef int add_up(const real *like, cnp.ndarray x, cnp.ndarray s, double *to, int threads) except -1:
    cdef const real *rows = <const real *> cnp.PyArray_DATA(x)
    cdef const real *factors = <const real *> cnp.PyArray_DATA(s)
    cdef Py_ssize_t j, k, count = cnp.PyArray_DIM(x, 0), columns = cnp.PyArray_DIM(x, 1)
    cdef Py_ssize_t step = cnp.PyArray_STRIDE(x, 0) // <Py_ssize_t> sizeof(real)
    cdef Py_ssize_t share = min(<Py_ssize_t> COLUMNS, columns // max(1, threads) + 1)
    with nogil:
        for j in range(columns):
            to[j] = 0
        if threads > 1:
            for k in prange((columns + share - 1) // share, num_threads=threads, schedule="static"):
                add_weighted(rows + k * share, step, factors, count, min(share, columns - k * share), to + k * share)
        else:
            for k from 0 <= k < columns by COLUMNS:
                add_weighted(rows + k, step, factors, count, min(<Py_ssize_t> COLUMNS, columns - k), to + k)
    return 0


def add_rows(cnp.ndarray x not None, cnp.ndarray s not None, cnp.ndarray out not None, int threads):
    """out = x^T s, in float64."""
    check_rows(x, s, cnp.PyArray_DIM(x, 0))
    if (cnp.PyArray_TYPE(out) != cnp.NPY_DOUBLE or not cnp.PyArray_ISCARRAY(out)
            or cnp.PyArray_SIZE(out) != cnp.PyArray_DIM(x, 1)):
        raise ValueError("kernel: not a vector for this matrix")
    if cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT:
        add_up[float](NULL, x, s, <double *> cnp.PyArray_DATA(out), threads)
    else:
        add_up[double](NULL, x, s, <double *> cnp.PyArray_DATA(out), threads)


# ---- sums in any order -----------------------------------------------------------------------------------------------

cdef Window *windows_of(cnp.ndarray array, Py_ssize_t count) except NULL:
    if (cnp.PyArray_TYPE(array) != cnp.NPY_INT64 or not cnp.PyArray_ISCARRAY(array) or cnp.PyArray_NDIM(array) != 2
            or cnp.PyArray_DIM(array, 1) != <int> WINDOW_ITEMS or count >= 0 and cnp.PyArray_DIM(array, 0) != count):
        raise ValueError("kernel: not sums of a vector")
    return <Window *> cnp.PyArray_DATA(array)


def add_vector(cnp.ndarray sums not None, cnp.ndarray vector not None):
    """Add a vector of float64 to sums: an array of int64 of shape (n, ITEMS), 0 in the beginning."""
    cdef Py_ssize_t j, count = cnp.PyArray_SIZE(vector)
    cdef Window *windows = windows_of(sums, count)
    cdef const double *v = <const double *> cnp.PyArray_DATA(vector)
    if cnp.PyArray_TYPE(vector) != cnp.NPY_DOUBLE or not cnp.PyArray_ISCARRAY_RO(vector):
        raise ValueError("kernel: not a vector of float64")
    with nogil:
        for j in range(count):
            add_to_window(&windows[j], v[j])


def merge_vectors(cnp.ndarray sums not None, cnp.ndarray others not None):
    """Add other sums to sums."""
    cdef Py_ssize_t j, count = cnp.PyArray_DIM(sums, 0)
    cdef Window *windows = windows_of(sums, -1)
    cdef const Window *more = windows_of(others, count)
    with nogil:
        for j in range(count):
            merge_windows(&windows[j], &more[j])


def round_vector(cnp.ndarray sums not None):
    """The sums, each with one rounding."""
    cdef Window *windows = windows_of(sums, -1)
    cdef cnp.npy_intp count = cnp.PyArray_DIM(sums, 0)
    cdef cnp.ndarray result = cnp.PyArray_SimpleNew(1, &count, cnp.NPY_DOUBLE)
    cdef double *to = <double *> cnp.PyArray_DATA(result)
    cdef Py_ssize_t j
    with nogil:
        for j in range(count):
            to[j] = round_window(&windows[j])
    return result


ITEMS = <int> WINDOW_ITEMS
