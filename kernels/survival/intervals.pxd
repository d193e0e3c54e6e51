# Risk sets of any intervals of time, and inputs of any size: see intervals.pyx.

from kernels.core.numeric cimport real
from kernels.survival.risk cimport Job

cdef double by_intervals(Job *job, Py_ssize_t stratum, bint apart, const real *like) noexcept nogil
