# Numbers of rows that a plan names by their places, in any order.

from libc.stdint cimport int32_t
from kernels.core.numeric cimport real
from kernels.core.operands cimport Operand

cdef void gather(const Operand *op, const int32_t *rows, Py_ssize_t n, real *out) noexcept nogil
cdef void scatter(const Operand *op, const int32_t *rows, Py_ssize_t n, const double *numbers, double scale,
                  const real *like) noexcept nogil
