# Probabilities p and q = 1 - p of a tile's pixels. q is as accurate as p, so that nothing is lost where a segmentation is
# nearly perfect.

from kernels.core.numeric cimport absolute, exp, exp_gap, real
from kernels.regions.pixels cimport Pixels, Tile

cdef struct Identity:
    char none
cdef struct Sigmoid:
    char none
ctypedef fused Pointwise:    # activations of one class
    Identity
    Sigmoid


cdef inline void probability(Pointwise activation, real x, real *p, real *q, real *slope) noexcept nogil:
    """p, q and the derivative of p by x."""
    cdef real e, both
    if Pointwise is Sigmoid:
        e = exp(-absolute(x))
        both = <real> 1 / (<real> 1 + e)
        p[0] = both if x > 0 else e * both
        q[0] = e * both if x > 0 else both
        slope[0] = p[0] * q[0]
    else:
        p[0] = x
        q[0] = <real> 1 - x
        slope[0] = 1

# Of a softmax, with e = exp(x - m), p = e / (1 + S) and q = rest(e, S) / (1 + S).

cdef inline real limited_exp(real x, real m) noexcept nogil:
    """exp(x - m), where m may be infinite: 1 at a maximum, else 0; NaN stays."""
    cdef real e = exp_gap(x, m)
    return e if m - m == 0 else (<real> 1 if x == m else (x - x if x != x else <real> 0))

cdef inline real others(real e, real rest) noexcept nogil:
    """1 + S - e: the exponentials of all other classes, rounded once. `rest` is S."""
    return rest if e == 1 else <real> ((<double> 1 - e) + rest)


cdef void soften(const Pixels *job, Tile *tile, const real *like) noexcept nogil
cdef void exponentiate(const Pixels *job, Tile *tile, Py_ssize_t c, real *block) noexcept nogil

cdef inline const real *exponentials(const Pixels *job, Tile *tile, Py_ssize_t c, real *block) noexcept nogil:
    """exp(x - m) of one class: as kept, or once more; 0 where a pixel counts for nothing."""
    if job.kept:
        return <const real *> tile.exps + c * job.tile
    exponentiate(job, tile, c, block)
    return block


# p and q of one class, in float64.

cdef inline void softmax_line(Tile *tile, const real *e, double *p, double *q) noexcept nogil:
    cdef Py_ssize_t i
    cdef double ei
    for i in range(tile.n):
        ei = e[i]
        p[i] = ei * tile.share[i]
        q[i] = others(ei, tile.rest[i]) * tile.share[i]

cdef inline void sigmoid_line(Py_ssize_t n, const real *x, double *p, double *q) noexcept nogil:
    """The exponential is in the computation's dtype."""
    cdef Py_ssize_t i
    cdef real own
    cdef double z, share
    for i in range(n):
        own = x[i]
        z = exp(-absolute(own))
        share = 1 / (1 + z)
        p[i] = share if own > 0 else z * share
        q[i] = z * share if own > 0 else share

cdef inline void identity_line(Py_ssize_t n, const real *x, double *p, double *q) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        p[i] = x[i]
        q[i] = 1 - <double> x[i]
