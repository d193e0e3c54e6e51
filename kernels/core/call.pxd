# What every compiled entry does: a table of formulas or losses by name, parameters read, operands laid out.

from fusedloss.capi cimport Loss
from kernels.core.operands cimport Operand, Space

cdef int register_name(dict names, str name, int capacity, size_t parameters, int most) except -1
cdef int read_parameters(tuple given, int wanted, double *values) except -1
cdef bint lay_out(Operand *ops, int n_ops, int first_output, const Space *space, int first, bint shared) noexcept nogil
cdef object capsule_of(const Loss *loss)
