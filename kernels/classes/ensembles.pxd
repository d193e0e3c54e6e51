# Ensembles of forecasts. An ensemble is a row, its members are the classes; its target, a number or a vector, is broadcast along the
# members. What scores of ensembles share.

from libc.stdint cimport int64_t
from kernels.classes.rows cimport Rows
from kernels.core.numeric cimport real
from kernels.core.sums cimport TILE

cdef struct Ensembles:        # the rows of a tile
    int64_t labels[TILE]      # -1: counts for nothing
    Py_ssize_t left[TILE]     # members that are not left out
    double pairs[TILE]        # what the sum over the pairs of members is divided by
    double rate[TILE]         # factor of the row
    double values[TILE]

cdef void load_ensembles(const Rows *job, Py_ssize_t row, Py_ssize_t n, double fair, Py_ssize_t size, Ensembles *tile,
                         const real *like) noexcept nogil
cdef void finish_ensembles(const Rows *job, Py_ssize_t row, Py_ssize_t n, const Ensembles *tile, const real *like) noexcept nogil
