# Rows gathered and scattered. See places.pxd.

from libc.stdint cimport int32_t
from kernels.core.numeric cimport real
from kernels.core.operands cimport Operand


cdef void gather(const Operand *op, const int32_t *rows, Py_ssize_t n, real *out) noexcept nogil:
    """The numbers of some rows."""
    cdef const char *data = op.data
    cdef Py_ssize_t step = op.strides[0], i
    if op.native and step == <Py_ssize_t> sizeof(real):
        for i in range(n):
            out[i] = (<const real *> data)[rows[i]]
    elif op.native:
        for i in range(n):
            out[i] = (<const real *> (data + rows[i] * step))[0]
    else:
        for i in range(n):
            op.load(data + rows[i] * step, 0, op.swapped, 1, &out[i])


cdef void scatter(const Operand *op, const int32_t *rows, Py_ssize_t n, const double *numbers, double scale,
                  const real *like) noexcept nogil:
    """Those of some rows = scale numbers"""
    cdef char *data = op.data
    cdef Py_ssize_t step = op.strides[0], i
    cdef real x
    if op.native and step == <Py_ssize_t> sizeof(real):
        for i in range(n):
            (<real *> data)[rows[i]] = <real> (numbers[i] * scale)
    else:
        for i in range(n):
            x = <real> (numbers[i] * scale)
            op.store(data + rows[i] * step, 0, 1, &x)
