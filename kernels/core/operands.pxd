# Arrays as the loops see them: any dtype, any strides, read and written block by block through small buffers.
#
# An Operand is a strided array over a Space (a shape of merged axes). `fetch` hands out `n` consecutive elements as
# a pointer to the computation's dtype: into the array itself where it lies so in memory, else into a small buffer.

cimport numpy as cnp
from libc.stdint cimport int64_t
from kernels.core.numeric cimport real

cdef enum:
    MAXDIM = 64       # NumPy's own limit

cdef enum Kind:
    INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, SIGN, HALF, BFLOAT, FLOAT, DOUBLE, KINDS, UNKNOWN = -1

ctypedef void (*Load)(const char *source, Py_ssize_t stride, bint swapped, Py_ssize_t n, void *block) noexcept nogil
ctypedef void (*Store)(char *target, Py_ssize_t stride, Py_ssize_t n, const void *block) noexcept nogil


cdef struct Space:
    # Axes 0 … ndim-1 after merging. The first `outer` of them are the rows of a class-axis loss; elementwise: all of them.
    int ndim
    int outer
    Py_ssize_t shape[MAXDIM]

cdef struct Operand:
    char *data                    # NULL: absent
    Kind kind
    bint swapped
    bint native                   # aligned, in native order, of the computation's dtype
    bint flat                     # ... and its inner axes are one contiguous run
    bint added                    # an output of doubles, to which results are added: several may share an item
    Py_ssize_t itemsize
    Load load
    Store store
    Py_ssize_t strides[MAXDIM]


# ---- from NumPy arrays to operands ---------------------------------------------------------------------------------

cdef Kind kind_of(cnp.ndarray array) noexcept
cdef void set_bfloat16_number(int number) noexcept      # the type number that ml_dtypes got from NumPy
cdef Load label_loader(Kind kind) noexcept nogil       # reads as int64
cdef void describe_memory(Operand *op, void *data, Kind kind, const real *like) noexcept nogil
cdef int describe_array(Operand *op, cnp.ndarray array, const real *like, int ndim, bint signs, bint written) except -1
cdef int check_shape(cnp.ndarray array, cnp.ndarray like, int axes) except -1
cdef bint is_exactly(const Operand *output, const Operand *input, const Space *space) noexcept nogil
cdef int join_axes(Operand *ops, int n_ops, Space *space, int first, int last, int target) noexcept nogil
cdef int merge_axes(Operand *ops, int n_ops, Space *space, int first, int last, int target) noexcept nogil
cdef bint is_flat(const Operand *op, const Space *space, int first, int last) noexcept nogil
cdef bint shares_items(const Operand *op, const Space *space, int first, int last) noexcept nogil


cdef inline int describe(Operand *op, cnp.ndarray array, const real *like, int ndim, bint signs=False, bint written=False) except -1:
    """Everything about one array, or None, except how its axes merge. Axes that it lacks at the end get stride 0. With
    `signs` booleans are -1 and +1. What is to be `written` must be fit for that."""
    cdef int axis
    if array is not None:
        return describe_array(op, array, like, ndim, signs, written)
    op.data = NULL
    for axis in range(min(ndim, <int> MAXDIM)):
        op.strides[axis] = 0
    return 0

cdef inline void move_axis(Operand *ops, int n_ops, Space *space, int source, int target) noexcept nogil:
    cdef int k
    space.shape[target] = space.shape[source]
    for k in range(n_ops):
        if ops[k].data != NULL:
            ops[k].strides[target] = ops[k].strides[source]


cdef inline void swap_axes(Operand *ops, int n_ops, Space *space, int a, int b) noexcept nogil:
    cdef int k
    cdef Py_ssize_t t
    t = space.shape[a]; space.shape[a] = space.shape[b]; space.shape[b] = t
    for k in range(n_ops):
        if ops[k].data != NULL:
            t = ops[k].strides[a]; ops[k].strides[a] = ops[k].strides[b]; ops[k].strides[b] = t


# ---- blocks ----------------------------------------------------------------------------------------------------------

cdef void load_block(const Operand *op, Load load, const char *base, const Space *space, int first, int last,
                     Py_ssize_t start, Py_ssize_t n, char *block, Py_ssize_t cell) noexcept nogil
cdef void copy_block(const Operand *op, const char *base, const Space *space, int first, int last,
                     Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil
cdef void load_mask(const Operand *op, const char *base, const Space *space, int first, int last, Py_ssize_t start, Py_ssize_t n,
                    real *valid) noexcept nogil
cdef void store_block(const Operand *op, char *base, const Space *space, int first, int last,
              Py_ssize_t start, Py_ssize_t n, const real *block) noexcept nogil


cdef inline Py_ssize_t offset_of(const Operand *op, const Space *space, int first, int last, Py_ssize_t index) noexcept nogil:
    """Bytes from the operand's start to element `index`, counted over axes first … last-1."""
    cdef Py_ssize_t offset = 0
    cdef int axis
    for axis in range(last - 1, first, -1):
        offset += index % space.shape[axis] * op.strides[axis]
        index = index // space.shape[axis]
    if last > first:
        offset += index * op.strides[first]
    return offset

cdef inline const real *fetch(const Operand *op, const char *base, const Space *space, int first, int last,
                              Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    if op.flat:
        return <const real *> base + start
    if op.native and last - first >= 2:
        copy_block(op, base, space, first, last, start, n, block)
        return block
    load_block(op, op.load, base, space, first, last, start, n, <char *> block, sizeof(real))
    return block
