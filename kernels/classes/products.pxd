# Products of the Hessian of losses of the softmax with a vector: see products.pyx.

from kernels.classes.nll cimport Nll
from kernels.classes.rows cimport Rows
from kernels.classes.softmax cimport View
from kernels.core.numeric cimport real

cdef void product_tile(const Nll *f, const Rows *job, const View *v, real *rows, const double *wide, real *x_tile, real *e_tile,
                         real *raw_tile) noexcept nogil
