"""What the running CPU can do, and which compiler built the kernels. Built without -march: it must run everywhere."""

cdef extern from "cpu.h":
    int fl_cpu_level() noexcept nogil
    const char *FL_COMPILER


def level():
    """The x86-64 level of the running CPU: 2, 3, 4, or 1 below v2; 0 on another kind of CPU."""
    return fl_cpu_level()


def compiler():
    """The compiler that built this module, such as "GCC 12.2.0"."""
    return FL_COMPILER.decode("ascii", "replace").strip()
