# The softmax of a group's scores; see softmaxes.pyx.

from kernels.core.numeric cimport real

cdef const double *widened(const real *x, Py_ssize_t n, double *wide) noexcept nogil
cdef double fill(int order, Py_ssize_t n, double number, double *g, double *h) noexcept nogil
cdef double cross_entropy(int order, Py_ssize_t n, const double *x, const double *target, int newton_terms, double *p, double *term,
                          double *g, double *h) noexcept nogil
