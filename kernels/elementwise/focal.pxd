# The factor by which focal losses leave what is easy out of account.

from kernels.core.numeric cimport real

cdef extern from "elementwise/focal.h" nogil:
    float vm_focusf(float, float, double, double, double)
    double vm_focus(double, double, double, double, double)
    float vm_focus2f(float, float, double, double)
    double vm_focus2(double, double, double, double)

cdef inline real focus(real x, real t, double gamma, double p, double q) noexcept nogil:
    """(p t + q (1 - t)) (σ(-x) t + σ(x) (1 - t))^γ"""
    if real is float:
        return vm_focusf(x, t, gamma, p, q)
    else:
        return vm_focus(x, t, gamma, p, q)

cdef inline real focus2(real x, real t, double p, double q) noexcept nogil:
    """focus for γ = 2"""
    if real is float:
        return vm_focus2f(x, t, p, q)
    else:
        return vm_focus2(x, t, p, q)
