# Operands: loaders and writers of every dtype, axes merged, blocks read and written. See operands.pxd.

cimport numpy as cnp
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport llabs
from libc.string cimport memcpy
from kernels.core.numeric cimport real

cdef extern from "core/dtypes.h" nogil:
    float fl_from_half(uint16_t)
    float fl_from_bfloat(uint16_t)
    uint16_t fl_to_half(float)
    float fl_odd(double)
    uint16_t fl_to_bfloat(float)
    void fl_swap_bytes(void *, size_t)

cnp.import_array()

cdef enum:
    MASKED = 256      # numbers of a mask that are looked at at once

cdef struct Half:
    uint16_t bits

cdef struct Bfloat:
    uint16_t bits

cdef struct Sign:            # a boolean that is read as -1 or +1
    uint8_t bits

ctypedef fused Raw:          # every dtype that can be read
    int8_t
    int16_t
    int32_t
    int64_t
    uint8_t
    uint16_t
    uint32_t
    uint64_t
    Sign
    Half
    Bfloat
    float
    double

ctypedef fused Written:      # ... and written
    Half
    Bfloat
    float
    double

ctypedef fused Cell:         # what a block holds: numbers, or class labels
    float
    double
    int64_t

cdef Load _load_float[<int> KINDS]
cdef Load _load_double[<int> KINDS]
cdef Load _load_label[<int> KINDS]
cdef Store _store_float[<int> KINDS]
cdef Store _store_double[<int> KINDS]


cdef inline Cell converted(Raw x, const Cell *like) noexcept nogil:
    if Raw is Half:
        return <Cell> fl_from_half(x.bits)
    elif Raw is Bfloat:
        return <Cell> fl_from_bfloat(x.bits)
    elif Raw is Sign:
        return <Cell> (1 if x.bits else -1)
    else:
        return <Cell> x


cdef void load_strided(const char *source, Py_ssize_t stride, bint swapped, Py_ssize_t n, Cell *block, const Raw *like) noexcept nogil:
    """block[:n] = the strided items at source. memcpy, because items need not be aligned."""
    cdef Py_ssize_t i
    cdef Raw x
    if swapped:
        for i in range(n):
            memcpy(&x, source + i * stride, sizeof(Raw))
            fl_swap_bytes(&x, sizeof(Raw))
            block[i] = converted(x, <const Cell *> block)
    elif stride == <Py_ssize_t> sizeof(Raw):
        for i in range(n):
            memcpy(&x, source + i * <Py_ssize_t> sizeof(Raw), sizeof(Raw))
            block[i] = converted(x, <const Cell *> block)
    elif stride == 0:
        memcpy(&x, source, sizeof(Raw))
        for i in range(n):
            block[i] = converted(x, <const Cell *> block)
    else:
        for i in range(n):
            memcpy(&x, source + i * stride, sizeof(Raw))
            block[i] = converted(x, <const Cell *> block)


cdef inline float narrowed(real x) noexcept nogil:
    """As a float that can be rounded to half precision."""
    if real is float:
        return x
    else:
        return fl_odd(x)


cdef void store_strided(char *target, Py_ssize_t stride, Py_ssize_t n, const real *block, const Written *like) noexcept nogil:
    """The strided items at target = block[:n]."""
    cdef Py_ssize_t i
    cdef Written x
    for i in range(n):
        if Written is Half:
            x.bits = fl_to_half(narrowed(block[i]))
        elif Written is Bfloat:
            x.bits = fl_to_bfloat(narrowed(block[i]))
        else:
            x = <Written> block[i]
        memcpy(target + i * stride, &x, sizeof(Written))


cdef void register_dtype(const Raw *raw, Kind kind) noexcept:
    _load_float[<int> kind] = <Load> <void *> load_strided[float, Raw]
    _load_double[<int> kind] = <Load> <void *> load_strided[double, Raw]
    _load_label[<int> kind] = <Load> <void *> load_strided[int64_t, Raw]
    if Raw is Half or Raw is Bfloat or Raw is float or Raw is double:
        _store_float[<int> kind] = <Store> <void *> store_strided[float, Raw]
        _store_double[<int> kind] = <Store> <void *> store_strided[double, Raw]


register_dtype[int8_t](NULL, INT8)
register_dtype[int16_t](NULL, INT16)
register_dtype[int32_t](NULL, INT32)
register_dtype[int64_t](NULL, INT64)
register_dtype[uint8_t](NULL, UINT8)
register_dtype[uint16_t](NULL, UINT16)
register_dtype[uint32_t](NULL, UINT32)
register_dtype[uint64_t](NULL, UINT64)
register_dtype[Sign](NULL, SIGN)
register_dtype[Half](NULL, HALF)
register_dtype[Bfloat](NULL, BFLOAT)
register_dtype[float](NULL, FLOAT)
register_dtype[double](NULL, DOUBLE)


# ---- from NumPy arrays to operands ---------------------------------------------------------------------------------

cdef int _bfloat16_number = -1      # the type number that ml_dtypes got from NumPy, once one has been seen


cdef void set_bfloat16_number(int number) noexcept:
    global _bfloat16_number
    _bfloat16_number = number


cdef Kind kind_of(cnp.ndarray array) noexcept:
    cdef int number = cnp.PyArray_TYPE(array)
    cdef Py_ssize_t size = cnp.PyArray_ITEMSIZE(array)
    if number == cnp.NPY_FLOAT:
        return FLOAT
    if number == cnp.NPY_DOUBLE:
        return DOUBLE
    if number == cnp.NPY_BOOL:
        return UINT8
    if cnp.PyTypeNum_ISSIGNED(number):
        return INT8 if size == 1 else INT16 if size == 2 else INT32 if size == 4 else INT64
    if cnp.PyTypeNum_ISUNSIGNED(number):
        return UINT8 if size == 1 else UINT16 if size == 2 else UINT32 if size == 4 else UINT64
    if number == cnp.NPY_FLOAT16:
        return HALF
    if number == _bfloat16_number:
        return BFLOAT
    return UNKNOWN


cdef void describe_memory(Operand *op, void *data, Kind kind, const real *like) noexcept nogil:
    """Everything but the strides about aligned items in native order; NULL stands for no operand."""
    op.data = <char *> data
    op.kind = kind
    op.swapped = False
    op.added = False
    if real is float:
        op.native = kind == FLOAT
        op.load = _load_float[<int> kind]
        op.store = _store_float[<int> kind]
    else:
        op.native = kind == DOUBLE
        op.load = _load_double[<int> kind]
        op.store = _store_double[<int> kind]
    op.itemsize = 4 if kind == FLOAT else 8


cdef int describe_array(Operand *op, cnp.ndarray array, const real *like, int ndim, bint signs, bint written) except -1:
    cdef int axis
    if ndim > <int> MAXDIM:
        raise ValueError(f"kernel: at most {<int> MAXDIM} axes")
    op.data = cnp.PyArray_BYTES(array)
    op.kind = SIGN if signs and cnp.PyArray_TYPE(array) == cnp.NPY_BOOL else kind_of(array)
    if op.kind == UNKNOWN:
        raise TypeError(f"dtype {array.dtype} cannot be used here")
    describe_memory(op, op.data, op.kind, like)
    op.swapped = cnp.PyArray_ISBYTESWAPPED(array)
    op.itemsize = cnp.PyArray_ITEMSIZE(array)
    op.native = op.native and not op.swapped and cnp.PyArray_ISALIGNED(array)
    if written and (op.store == NULL or op.swapped or not cnp.PyArray_ISWRITEABLE(array)):
        raise ValueError("kernel: an output that cannot be written to")
    for axis in range(cnp.PyArray_NDIM(array)):
        op.strides[axis] = cnp.PyArray_STRIDES(array)[axis]
    for axis in range(cnp.PyArray_NDIM(array), ndim):
        op.strides[axis] = 0
    return 0


cdef bint is_exactly(const Operand *output, const Operand *input, const Space *space) noexcept nogil:
    """Whether an output lies where the input lies, item by item."""
    cdef int axis
    if output.data == NULL or output.data != input.data or output.kind != input.kind:
        return False
    for axis in range(space.ndim):
        if output.strides[axis] != input.strides[axis]:
            return False
    return True


cdef bint steps_over(const Operand *ops, int n_ops, const Space *space, int outer, int inner) noexcept nogil:
    """Whether one step on axis `outer` is as far as the whole of axis `inner`, in every operand."""
    cdef int k
    for k in range(n_ops):
        if ops[k].data != NULL and ops[k].strides[outer] != ops[k].strides[inner] * space.shape[inner]:
            return False
    return True


cdef int join_axes(Operand *ops, int n_ops, Space *space, int first, int last, int target) noexcept nogil:
    """merge_axes without the change of order."""
    cdef int axis, end = target
    for axis in range(first, last):
        if space.shape[axis] == 1:
            continue
        if end > target and steps_over(ops, n_ops, space, end - 1, axis):
            space.shape[axis] *= space.shape[end - 1]
            end -= 1
        move_axis(ops, n_ops, space, axis, end)
        end += 1
    return end


cdef int merge_axes(Operand *ops, int n_ops, Space *space, int first, int last, int target) noexcept nogil:
    """Bring axes first … last-1 into the memory order of ops[0], drop those of length 1, merge neighbours where every
    operand allows it, and put them at `target` on. Returns the end. The order depends on shapes and strides alone."""
    cdef int axis, other
    for axis in range(first + 1, last):
        other = axis
        while other > first and llabs(ops[0].strides[other - 1]) < llabs(ops[0].strides[other]):
            swap_axes(ops, n_ops, space, other - 1, other)
            other -= 1
    return join_axes(ops, n_ops, space, first, last, target)


cdef bint is_flat(const Operand *op, const Space *space, int first, int last) noexcept nogil:
    """Whether axes first … last-1 are one contiguous run of the computation's dtype."""
    cdef Py_ssize_t step = op.itemsize
    cdef int axis
    if not op.native:
        return False
    for axis in range(last - 1, first - 1, -1):
        if op.strides[axis] != step:
            return False
        step *= space.shape[axis]
    return True


cdef bint shares_items(const Operand *op, const Space *space, int first, int last) noexcept nogil:
    """Whether elements of an output were broadcast from one item."""
    cdef int axis
    for axis in range(first, last):
        if op.strides[axis] == 0 and space.shape[axis] > 1:
            return True
    return False


cdef Load label_loader(Kind kind) noexcept nogil:
    return _load_label[<int> kind]


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


# ---- blocks ----------------------------------------------------------------------------------------------------------

cdef void load_block(const Operand *op, Load load, const char *base, const Space *space, int first, int last,
                     Py_ssize_t start, Py_ssize_t n, char *block, Py_ssize_t cell) noexcept nogil:
    """block[:n] = elements start … start+n-1 over axes first … last-1, run by run along the last of them."""
    cdef Py_ssize_t run, length, done = 0
    if last == first:
        load(base, 0, op.swapped, n, block)
        return
    length = space.shape[last - 1]
    while done < n:
        run = min(n - done, length - (start + done) % length)
        load(base + offset_of(op, space, first, last, start + done), op.strides[last - 1], op.swapped, run, block + done * cell)
        done += run


cdef void copy_block(const Operand *op, const char *base, const Space *space, int first, int last,
                     Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """load_block for the computation's own dtype, with little to do for each run: rows may be short."""
    cdef Py_ssize_t length = space.shape[last - 1], step = op.strides[last - 1]
    cdef Py_ssize_t row_step = op.strides[last - 2], rows = space.shape[last - 2]
    cdef Py_ssize_t place = start % length, row = start // length % rows, run, j, done = 0
    cdef const char *source = base + offset_of(op, space, first, last, start)
    while done < n:
        run = min(n - done, length - place)
        for j in range(run):
            block[done + j] = (<const real *> (source + j * step))[0]
        done += run
        row += 1
        if row < rows:
            source += row_step - place * step
        elif done < n:
            row = 0
            source = base + offset_of(op, space, first, last, start + done)
        place = 0


cdef void load_mask(const Operand *op, const char *base, const Space *space, int first, int last, Py_ssize_t start, Py_ssize_t n,
                    real *valid) noexcept nogil:
    """A block of a mask, 0 where it leaves something out. No number but 0 becomes 0, so doubles are not narrowed."""
    cdef double block[MASKED]
    cdef Py_ssize_t i, j, size
    if real is float:
        if op.kind == DOUBLE:
            for i from 0 <= i < n by MASKED:
                size = min(<Py_ssize_t> MASKED, n - i)
                load_block(op, _load_double[<int> op.kind], base, space, first, last, start + i, size, <char *> block,
                           sizeof(double))
                for j in range(size):
                    valid[i + j] = 1 if block[j] != 0 else 0
            return
    load_block(op, op.load, base, space, first, last, start, n, <char *> valid, sizeof(real))


cdef void add_run(char *target, Py_ssize_t stride, Py_ssize_t n, const real *block) noexcept nogil:
    """The strided doubles at target += block[:n]."""
    cdef Py_ssize_t j
    cdef double total = 0
    if stride == 0:
        for j in range(n):
            total += block[j]
        (<double *> target)[0] += total
    else:
        for j in range(n):
            (<double *> (target + j * stride))[0] += block[j]


cdef void store_block(const Operand *op, char *base, const Space *space, int first, int last,
              Py_ssize_t start, Py_ssize_t n, const real *block) noexcept nogil:
    """Elements start … start+n-1 over axes first … last-1 = block[:n]; nothing to do where the block lies in the array."""
    cdef Py_ssize_t run, length, done = 0
    if op.flat and <const real *> base + start == block:
        return
    if last == first:
        op.store(base, 0, n, block)
        return
    length = space.shape[last - 1]
    while done < n:
        run = min(n - done, length - (start + done) % length)
        if op.added:
            add_run(base + offset_of(op, space, first, last, start + done), op.strides[last - 1], run, block + done)
        else:
            op.store(base + offset_of(op, space, first, last, start + done), op.strides[last - 1], run, block + done)
        done += run
