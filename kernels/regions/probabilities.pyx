# Probabilities of a tile. See probabilities.pxd.

from libc.math cimport NAN
from libc.stdint cimport int32_t
from kernels.core.numeric cimport exp_gap, real
from kernels.core.sums cimport TILE, accumulate_wide
from kernels.regions.pixels cimport X, Pixels, Tile, clear_line, halts, lies_flat, line_of, load_line


cdef inline void exp_line(Tile *tile, const real *x, const real *m, real *e) noexcept nogil:
    """exp(x - m) of one class; `e` may be x."""
    cdef Py_ssize_t i
    if tile.infinite:
        for i in range(tile.n):
            e[i] = limited_exp(x[i], m[i])
    else:
        for i in range(tile.n):
            e[i] = exp_gap(x[i], m[i])


cdef void exponentiate(const Pixels *job, Tile *tile, Py_ssize_t c, real *block) noexcept nogil:
    cdef const real *x = load_line(job, X, tile.x, c, tile.n, block)
    exp_line(tile, x, line_of(&tile.m, block), block)
    if tile.blanks:
        clear_line(tile.n, line_of(&tile.w, block), block, block)


cdef void soften(const Pixels *job, Tile *tile, const real *like) noexcept nogil:
    """What is known of the softmax of each pixel of a tile, and the exponentials if they are kept."""
    cdef real block[TILE]
    cdef int32_t top[TILE]
    cdef double lost[TILE]
    cdef const real *x
    cdef const real *w = line_of(&tile.w, like)
    cdef real *m = line_of(&tile.m, like)
    cdef real *e
    cdef real xi, mi
    cdef double size
    cdef Py_ssize_t i, c, n = tile.n, unwatched = 0
    cdef int infinite = 0
    for c in range(job.classes):
        if halts(job, &unwatched, n):
            break
        e = <real *> tile.exps + c * job.tile if job.kept else <real *> block
        x = load_line(job, X, tile.x, c, n, e)
        if c == 0:
            for i in range(n):
                m[i] = x[i]
                top[i] = 0
                tile.rest[i] = 0
                lost[i] = 0
        else:
            for i in range(n):
                xi = x[i]
                mi = m[i]
                m[i] = xi if xi > mi else mi
    for i in range(n):
        infinite |= m[i] - m[i] != 0
    tile.infinite = infinite
    for c in range(job.classes):
        if halts(job, &unwatched, n):
            break
        e = <real *> tile.exps + c * job.tile if job.kept else <real *> block
        x = e
        if not job.kept or lies_flat(job, X):
            x = load_line(job, X, tile.x, c, n, e)
        exp_line(tile, x, m, e)
        for i in range(n):
            xi = e[i]
            top[i] += xi == 1
            size = 0 if xi == 1 else xi
            accumulate_wide(size, &tile.rest[i], &lost[i], m)
    for i in range(n):
        size = (tile.rest[i] + lost[i]) + (<double> top[i] - 1)
        size = NAN if (m[i] - m[i] != 0) & (top[i] != 1) else size
        tile.rest[i] = size
        tile.share[i] = 1 / (1 + size)
    if tile.blanks:
        for i in range(n):
            tile.rest[i] = 0 if w[i] == 0 else tile.rest[i]
            tile.share[i] = 0 if w[i] == 0 else tile.share[i]
        for c in range(job.classes if job.kept else <Py_ssize_t> 0):
            e = <real *> tile.exps + c * job.tile
            clear_line(n, w, e, e)
