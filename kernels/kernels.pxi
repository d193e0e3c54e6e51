# The kernels of one instruction-set level. _v2.pyx, _v3.pyx, _v4.pyx and _base.pyx are this file, compiled with
# different flags; Python imports exactly one of them. Everything here is C without the GIL once the arrays are described.

from libc.stdint cimport (int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t)
from libc.stdlib cimport llabs
from libc.math cimport INFINITY, NAN, fabs
from libc.string cimport memcpy
from cython.parallel cimport prange
cimport numpy as cnp

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

cdef extern from "dtypes.h" nogil:
    bint FL_OPENMP
    int omp_get_max_threads()
    float fl_from_half(uint16_t)
    float fl_from_bfloat(uint16_t)
    uint16_t fl_to_half(float)
    float fl_odd(double)
    uint16_t fl_to_bfloat(float)
    void fl_swap_bytes(void *, size_t)

cdef extern from "<math.h>" nogil:
    float fabsf(float)

cdef extern from "vecmath.h" nogil:
    float vm_expf(float)
    double vm_exp(double)
    float vm_log1pf(float)
    double vm_log1p(double)
    float vm_log1p_unitf(float)
    double vm_log1p_unit(double)
    float vm_reciprocalf(float)
    float vm_exp_gapf(float, float)
    double vm_exp_gap(double, double)

cnp.import_array()

ctypedef fused real:         # the computation's dtype
    float
    double

LEVEL = FUSEDLOSS_LEVEL.decode()
FLAGS = FUSEDLOSS_FLAGS.decode()
OPENMP = bool(FL_OPENMP)


cdef inline real exp(real x) noexcept nogil:
    if real is float:
        return vm_expf(x)
    else:
        return vm_exp(x)

cdef inline real log1p(real x) noexcept nogil:
    if real is float:
        return vm_log1pf(x)
    else:
        return vm_log1p(x)

cdef inline real log1p_unit(real z) noexcept nogil:
    """log1p(z) for 0 <= z <= 1, cheaper."""
    if real is float:
        return vm_log1p_unitf(z)
    else:
        return vm_log1p_unit(z)

cdef inline real reciprocal(real y) noexcept nogil:
    """1 / y for 1 <= y <= 2, cheaper where that can be."""
    if real is float:
        return vm_reciprocalf(y)
    else:
        return 1 / y

cdef inline real exp_gap(real a, real m) noexcept nogil:
    """exp(a - m) for a <= m, the rounding error of a - m carried."""
    if real is float:
        return vm_exp_gapf(a, m)
    else:
        return vm_exp_gap(a, m)

cdef inline real absolute(real x) noexcept nogil:
    if real is float:
        return fabsf(x)
    else:
        return fabs(x)


def max_threads():
    """Threads that OpenMP would use now (OMP_NUM_THREADS, threadpoolctl), 1 in a serial build."""
    return omp_get_max_threads()


include "operands.pxi"
include "formulas.pxi"
include "elementwise.pxi"
include "rows.pxi"
include "wrapping.pxi"
