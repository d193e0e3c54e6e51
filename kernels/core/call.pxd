# What every compiled entry does: a table of formulas or losses by name, parameters read, operands laid out.

from fusedloss.capi cimport Loss
from kernels.core.numeric cimport absolute, real, sign_of
from kernels.core.operands cimport Operand, Space

cdef struct HessOptions:             # what becomes of second derivatives: the larger of scale h and floor
    bint asked
    double scale
    double floor              # NaN: none

cdef int register_name(dict names, str name, int capacity, size_t parameters, int most) except -1
cdef int read_parameters(tuple given, int wanted, double *values) except -1
cdef int read_hess_options(tuple given, HessOptions *hess_options) except -1
cdef bint lay_out(Operand *ops, int n_ops, int first_output, const Space *space, int first, bint shared) noexcept nogil
cdef object capsule_of(const Loss *loss)


cdef inline real adjusted_hess(real h, real scale, real floor) noexcept nogil:
    """The larger of h times a scale and a floor, both by their size and with the sign of the floor: that of the weight, which
    h has too. NaN stays NaN."""
    cdef real sign = sign_of(floor), least = absolute(floor)
    h *= scale * sign
    h = least if h < least else h
    return h * sign
