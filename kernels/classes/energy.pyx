# The energy score of ensembles of vectors. See ensembles.pxd.
#
# All distances are taken between a few members, side by side, and each member and the target, whose coordinates are read in
# pieces. Everything is in doubles.

from libc.math cimport INFINITY
from kernels.classes.ensembles cimport Ensembles, finish_ensembles, load_ensembles
from kernels.classes.rows cimport (
    R_G, R_H, R_T, R_X, Row, RowLoss, Rows, fetch_classes, fetch_mask, memory, output_or_buffer, own_room, register_rows, row_at,
    store_classes, stops)
from kernels.core.numeric cimport absolute, real, sqrt
from kernels.core.sums cimport APART, ROOM, TILE, Sum, accumulate_wide, add, fl_own, many, result

cdef enum:
    ABREAST = 32          # members side by side; more than the compiler unrolls
    PIECE = 128           # coordinates that are read at once
    KEPT = 256            # members whose distances fit the working memory

cdef struct Energy:
    double fair
    double members

cdef inline bint is_left(const Rows *job, const char *mask, Py_ssize_t i, const real *like) noexcept nogil:
    """Whether the member that number i of a row belongs to is not left out."""
    cdef real valid
    if mask == NULL:
        return True
    fetch_mask(job, mask, i, 1, &valid)
    return valid != 0

cdef const real *coordinates(const Rows *job, const Row *at, Py_ssize_t member, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """Some coordinates of a member; the one after the last is the target."""
    cdef const Energy *f = <const Energy *> job.parameters
    cdef Py_ssize_t members = <Py_ssize_t> f.members, size = job.classes // members
    if member == members:
        return fetch_classes(job, R_T, at.t, start, n, block)
    return fetch_classes(job, R_X, at.x, member * size + start, n, block)

cdef void load_abreast(const Rows *job, const Row *at, Py_ssize_t first, Py_ssize_t members, Py_ssize_t start, Py_ssize_t n,
                       real *tile) noexcept nogil:
    """Some coordinates of up to ABREAST members side by side."""
    cdef real block[PIECE]
    cdef const real *x
    cdef Py_ssize_t c, k
    for c in range(members):
        x = coordinates(job, at, first + c, start, n, <real *> block)
        for k in range(n):
            tile[k * ABREAST + c] = x[k]
    for c in range(members, ABREAST):
        for k in range(n):
            tile[k * ABREAST + c] = 0

cdef void add_squares(const real *tile, const real *x, Py_ssize_t n, double *squares) noexcept nogil:
    cdef double d
    cdef Py_ssize_t k, c
    for k in range(n):
        for c in range(ABREAST):
            d = <double> tile[k * ABREAST + c] - x[k]
            squares[c] += d * d

cdef double far_distance(const Rows *job, const Row *at, Py_ssize_t a, Py_ssize_t b, const real *like) noexcept nogil:
    """The distance of two vectors whose squares may overflow or underflow."""
    cdef real xs[PIECE]
    cdef real ys[PIECE]
    cdef const real *x
    cdef const real *y
    cdef double d, most = 0, total = 0
    cdef Py_ssize_t size = job.classes // <Py_ssize_t> (<const Energy *> job.parameters).members, k, start, n, turn
    for turn in range(2):
        for start from 0 <= start < size by PIECE:
            n = min(size - start, <Py_ssize_t> PIECE)
            x = coordinates(job, at, a, start, n, <real *> xs)
            y = coordinates(job, at, b, start, n, <real *> ys)
            for k in range(n):
                d = absolute(<double> x[k] - y[k])
                if turn == 0:
                    most = d if d > most or d != d else most
                else:
                    total += (d / most) * (d / most)
        if most == 0 or most - most != 0:
            return most
    return most * sqrt(total)

cdef double add_distances(const Rows *job, const Row *at, Py_ssize_t i, Py_ssize_t first, const double *there, double *squares,
                          const real *like) noexcept nogil:
    """The distances of vector i from those side by side, in the place of their squares, and their sum. A distance of 0, which has
    no gradient, and that of what is left out become infinite, so that nothing is left of what is divided by them."""
    cdef double distances[ABREAST]
    cdef double d
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t c
    for c in range(ABREAST):
        distances[c] = sqrt(squares[c])
    if real is double:
        for c in range(ABREAST):
            if not 1e-280 < squares[c] < 1e280 and there[c] != 0:
                distances[c] = far_distance(job, at, first + c, i, like)
    for c in range(ABREAST):
        d = distances[c]
        distances[c] = 0 if there[c] == 0 else d
        squares[c] = INFINITY if (there[c] == 0) | (d == 0) else d
    for c in range(ABREAST):
        accumulate_wide(distances[c], &total.total, &total.lost, like)
    return result(total)

cdef void add_directions(const real *tile, const real *x, Py_ssize_t n, const double *distances, double factor, double *g) noexcept nogil:
    cdef Py_ssize_t k, c
    for k in range(n):
        for c in range(ABREAST):
            g[k * ABREAST + c] += factor * ((<double> tile[k * ABREAST + c] - x[k]) / distances[c])

cdef void add_bends(const real *tile, const real *x, Py_ssize_t n, const double *distances, double factor, double *h) noexcept nogil:
    cdef double u
    cdef Py_ssize_t k, c
    for k in range(n):
        for c in range(ABREAST):
            u = (<double> tile[k * ABREAST + c] - x[k]) / distances[c]
            h[k * ABREAST + c] += factor * ((1 - u) * (1 + u) / distances[c])

cdef void store_abreast(const Rows *job, int k, char *base, Py_ssize_t at, Py_ssize_t step, Py_ssize_t members, Py_ssize_t n,
                        const double *sums, const double *there, double scale, const real *like) noexcept nogil:
    """Some coordinates of derivatives with respect to members, the first from number `at` of the row on, the others `step` apart."""
    cdef real block[PIECE]
    cdef real *out
    cdef Py_ssize_t c, i
    for c in range(members):
        out = output_or_buffer(job, k, base, at + c * step, <real *> block)
        for i in range(n):
            out[i] = 0 if there[c] == 0 else <real> (scale * sums[i * ABREAST + c])
        store_classes(job, k, base, at + c * step, n, <const real *> out)

cdef Py_ssize_t energy_needs(const Rows *job, Py_ssize_t itemsize) noexcept nogil:
    cdef Py_ssize_t members = <Py_ssize_t> (<const Energy *> job.parameters).members
    return 0 if members <= KEPT else many(members + 1, ABREAST * sizeof(double))

cdef void score_vectors(const Rows *job, Py_ssize_t row, Py_ssize_t r, Ensembles *ensembles, const real *like) noexcept nogil:
    """A row of a tile."""
    cdef real *tile = memory(job, 0, like)
    cdef double *distances = fl_own(&job.team).doubles + <int> ROOM + <int> APART
    cdef double *g = <double *> (fl_own(&job.team).floats + 2 * <int> ROOM + <int> APART)
    cdef double *h = g + <int> PIECE * <int> ABREAST
    cdef real block[PIECE]
    cdef double there[ABREAST]
    cdef Row at = row_at(job, row + r)
    cdef const real *x
    cdef Py_ssize_t members = <Py_ssize_t> (<const Energy *> job.parameters).members, size = job.classes // members
    cdef double of_pairs = -1 / ensembles.pairs[r], of_target = 1 / <double> ensembles.left[r], d
    cdef double scale = ensembles.rate[r] * job.scale
    cdef Sum pairs = Sum(0, 0)
    cdef Sum errors = Sum(0, 0)
    cdef Py_ssize_t first, start, n, i, c, k, group
    if members > KEPT:
        distances = <double *> own_room(job)
    for first from 0 <= first < members by ABREAST:
        if stops(job):
            return
        group = min(members - first, <Py_ssize_t> ABREAST)
        for c in range(ABREAST):
            there[c] = c < group and is_left(job, at.m, (first + c) * size, like)
        for i in range((members + 1) * ABREAST):
            distances[i] = 0
        for start from 0 <= start < size by PIECE:
            n = min(size - start, <Py_ssize_t> PIECE)
            load_abreast(job, &at, first, group, start, n, tile)
            for i in range(members + 1):
                if i == members or is_left(job, at.m, i * size, like):
                    x = coordinates(job, &at, i, start, n, <real *> block)
                    add_squares(<const real *> tile, x, n, distances + i * ABREAST)
        for i in range(members + 1):
            if i < members and not is_left(job, at.m, i * size, like):
                for c in range(ABREAST):
                    distances[i * ABREAST + c] = INFINITY
                continue
            d = add_distances(job, &at, i, first, <const double *> there, distances + i * ABREAST, like)
            add(&errors if i == members else &pairs, d)
        for start from 0 <= start < (size if job.order > 0 else 0) by PIECE:
            n = min(size - start, <Py_ssize_t> PIECE)
            if size > PIECE:
                load_abreast(job, &at, first, group, start, n, tile)
            for k in range(n * ABREAST):
                g[k] = 0
                h[k] = 0
            for i in range(members + 1):
                if i < members and not is_left(job, at.m, i * size, like):
                    continue
                x = coordinates(job, &at, i, start, n, <real *> block)
                d = of_target if i == members else of_pairs
                add_directions(<const real *> tile, x, n, distances + i * ABREAST, d, g)
                if job.order > 1:
                    add_bends(<const real *> tile, x, n, distances + i * ABREAST, d, h)
            store_abreast(job, R_G, at.g, first * size + start, size, group, n, <const double *> g, <const double *> there, scale, like)
            if job.order > 1:
                store_abreast(job, R_H, at.h, first * size + start, size, group, n, <const double *> h, <const double *> there, scale, like)
    ensembles.values[r] = result(errors) * of_target + 0.5 * (result(pairs) * of_pairs)

cdef void energy_score(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef const Energy *f = <const Energy *> job.parameters
    cdef Ensembles tile
    cdef Py_ssize_t r
    load_ensembles(job, row, n, f.fair, job.classes // <Py_ssize_t> f.members, &tile, like)
    for r in range(n):
        if tile.labels[r] >= 0:
            score_vectors(job, row, r, &tile, like)
    finish_ensembles(job, row, n, &tile, like)

cdef RowLoss *_energy = register_rows("energy_score", <void *> energy_score[float], <void *> energy_score[double],
                                      sizeof(Energy) // sizeof(double), False)
_energy.needs = energy_needs
_energy.in_order = True
