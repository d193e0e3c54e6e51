# One call of a loss of vectors: cosines and distances of pairs or triplets, and what is made of them.
#
# Scores (of two vectors) and losses (of up to three scores) are written independently; any pair can be combined in a call.
# For each row, first its scores are computed, then the loss gives its value and its derivatives with respect to the scores,
# and a second pass over the vectors, which are in cache then, writes those with respect to the vectors. Short vectors go
# through these steps in tiles of several rows.

cimport numpy as cnp
from libc.string cimport memset
from kernels.core.call cimport lay_out, read_parameters, register_name
from kernels.core.numeric cimport real
from kernels.core.operands cimport Operand, Space, check_shape, describe, merge_axes, move_axis, offset_of
from kernels.core.rowmath cimport transpose_in, transpose_out
from kernels.core.sums cimport (
    BLOCK, WATCHED, Exact, Span, Team, add_exactly, add_values, exact_of, fl_own, fl_stops, fl_total, run_from)
from kernels.vectors.losses cimport (
    Complement, Contrastive, Embedding, Identity, Loss, LossTerms, SwappedTriplet, Triplet, apply_loss_slope, evaluate_loss,
    is_invalid)
from kernels.vectors.pieces cimport SIDE_BY_SIDE, Line, compute_score, derive, derive_all, line_of
from kernels.vectors.scores cimport (
    Angle, Chebyshev, Cosine, Euclid, Minkowski, OnePass, Pair, Projection, Score, Side, SmoothCosine, Taxicab, prepare_side,
    set_zero)
from kernels.vectors.tiles cimport Sides, compute_tile, derive_tile, prepare_tile

cnp.import_array()

cdef enum:
    MOST = 32             # scores, or losses, in the tables
    PARAMETERS = 4        # of a score or a loss, at most
    MIN_TILE_ROWS = 4     # fewer are not worth a tile
    TILE_APART = SIDE_BY_SIDE * SIDE_BY_SIDE + 16

# The operands: three vectors, target and weight of each row; value of each row, gradients and second derivatives.
cdef enum:
    A, B, C, T, W, V, G, H = 9, OPERANDS = 12


# ---- scores and losses by name ---------------------------------------------------------------------------------------

ctypedef void (*ComputeScore)(const void *score, const Line *a, const Line *b, Py_ssize_t n, bint gap, Pair *m,
                              const void *like) noexcept nogil
ctypedef void (*PrepareSide)(const void *score, const Pair *m, int me, Side *side) noexcept nogil
ctypedef void (*Derive)(const void *score, const Side *first, const Side *second, const Line *x, const Line *y, const Line *z,
                        Py_ssize_t n, int order, const Space *space, const Line *g, const Line *h,
                        const void *like) noexcept nogil
ctypedef double (*DeriveAll)(const void *score, const Pair *m, int me, const Side *side, const Line *x, const Line *y,
                             Py_ssize_t n, const void *like) noexcept nogil
ctypedef void (*ComputeTile)(const void *score, Py_ssize_t n, Py_ssize_t rows, bint gap, const void *a, const void *b,
                             Pair *pairs, bint *rescaled) noexcept nogil
ctypedef void (*PrepareTile)(const void *score, Py_ssize_t rows, const Pair *pairs, int me, const LossTerms *losses, int which,
                             const double *weights, Sides *to) noexcept nogil
ctypedef void (*DeriveTile)(const void *score, const Sides *first, const Sides *second, Py_ssize_t n, int order, const void *x,
                            const void *y, const void *z, void *g, void *h) noexcept nogil
ctypedef bint (*EvaluateRows)(const void *loss, Py_ssize_t rows, const Pair *pairs, Py_ssize_t apart, const double *targets,
                              const double *weights, LossTerms *losses) noexcept nogil
ctypedef bint (*IsInvalid)(const void *loss, double t) noexcept nogil

cdef struct ScoreEntry:       # functions in pairs are for floats and for doubles
    ComputeScore compute[2]
    PrepareSide prepare
    Derive derive[2]
    DeriveAll derive_all[2]
    ComputeTile compute_tile[2]   # NULL for scores that are worked on row by row
    PrepareTile prepare_tile
    DeriveTile derive_tile[2]
    int parameters
    bint angle

cdef struct LossEntry:
    EvaluateRows evaluate
    IsInvalid is_invalid
    int parameters
    int pairs                 # scores that it takes
    bint gap                  # whether it takes 1 - s
    bint signs                # whether booleans are -1 and 1

cdef ScoreEntry _scores[MOST]
cdef LossEntry _losses[MOST]
SCORES = {}      # name: number
LOSSES = {}


cdef int register_score(const Score *like, str name) except -1:
    cdef ScoreEntry *entry = &_scores[register_name(SCORES, name, MOST, sizeof(Score), PARAMETERS)]
    memset(entry, 0, sizeof(ScoreEntry))
    entry.compute[0] = <ComputeScore> <void *> compute_score[Score, float]
    entry.compute[1] = <ComputeScore> <void *> compute_score[Score, double]
    entry.prepare = <PrepareSide> <void *> prepare_side[Score]
    entry.derive[0] = <Derive> <void *> derive[Score, float]
    entry.derive[1] = <Derive> <void *> derive[Score, double]
    entry.derive_all[0] = <DeriveAll> <void *> derive_all[Score, float]
    entry.derive_all[1] = <DeriveAll> <void *> derive_all[Score, double]
    if Score in OnePass:
        entry.compute_tile[0] = <ComputeTile> <void *> compute_tile[Score, float]
        entry.compute_tile[1] = <ComputeTile> <void *> compute_tile[Score, double]
        entry.prepare_tile = <PrepareTile> <void *> prepare_tile[Score]
        entry.derive_tile[0] = <DeriveTile> <void *> derive_tile[Score, float]
        entry.derive_tile[1] = <DeriveTile> <void *> derive_tile[Score, double]
    entry.parameters = sizeof(Score) // sizeof(double)
    if Score in Angle:
        entry.angle = True
    return 0


cdef bint evaluate_rows(const Loss *loss, Py_ssize_t rows, const Pair *pairs, Py_ssize_t apart, const double *targets,
                        const double *weights, LossTerms *losses) noexcept nogil:
    """The losses of some rows. The scores of the first pair of vectors are pairs[0], pairs[1], …, those of the second
    pairs[apart] and so on. Returns whether a target that counts is invalid."""
    cdef bint found = False
    cdef Py_ssize_t r
    for r in range(rows):
        evaluate_loss(loss, &pairs[r], &pairs[apart + r], &pairs[2 * apart + r], targets[r], &losses[r])
        found |= is_invalid(loss, targets[r]) & (weights[r] != 0)
    return found


cdef int register_loss(const Loss *like, str name, int pairs, bint gap, bint signs) except -1:
    cdef LossEntry *entry = &_losses[register_name(LOSSES, name, MOST, sizeof(Loss), PARAMETERS)]
    entry.evaluate = <EvaluateRows> <void *> evaluate_rows[Loss]
    entry.is_invalid = <IsInvalid> <void *> is_invalid[Loss]
    entry.parameters = sizeof(Loss) // sizeof(double)
    entry.pairs = pairs
    entry.gap = gap
    entry.signs = signs
    return 0


# ---- rows and tiles --------------------------------------------------------------------------------------------------

cdef struct Vectors:
    Space space
    Operand operands[OPERANDS]
    const ScoreEntry *score
    const LossEntry *loss
    const double *score_parameters
    const double *loss_parameters
    Py_ssize_t length         # of the vectors
    double scale              # of gradients and second derivatives
    int order
    int *outside              # set to 1 if a target is invalid
    bint tiled                # whether rows are worked on in tiles
    Team team


cdef void load_column(const Operand *op, const char *data, Py_ssize_t step, Py_ssize_t n, double *numbers,
                      const real *like) noexcept nogil:
    """Targets or weights of at most SIDE_BY_SIDE rows."""
    cdef real block[SIDE_BY_SIDE]
    cdef Py_ssize_t r
    op.load(data, step, op.swapped, n, block)
    for r in range(n):
        numbers[r] = block[r]

cdef inline void load_numbers(const Operand *op, const char *data, Py_ssize_t step, Py_ssize_t n, double missing,
                              double *numbers, const real *like) noexcept nogil:
    cdef Py_ssize_t r
    if op.data != NULL:
        load_column(op, data, step, n, numbers, like)
    else:
        for r in range(n):
            numbers[r] = missing

cdef void store_numbers(const Operand *op, char *data, Py_ssize_t step, Py_ssize_t n, const double *numbers,
                        const real *like) noexcept nogil:
    cdef real block[SIDE_BY_SIDE]
    cdef Py_ssize_t r
    for r in range(n):
        block[r] = <real> numbers[r]
    op.store(data, step, n, block)


cdef double run_row(const real *like, const Vectors *job, char **data, Pair *pairs) noexcept nogil:
    """One row; returns its value."""
    cdef const Operand *op = <const Operand *> job.operands
    cdef const ScoreEntry *score = job.score
    cdef int axis = job.space.outer, scores_taken = job.loss.pairs, k, j, which, found, order, precise = 0
    cdef Py_ssize_t n = job.length
    cdef Line lines[3]
    cdef Line g, h
    cdef Side sides[2]
    cdef int others[2]
    cdef double t, w, value = 0
    cdef double *sum_
    cdef LossTerms o
    if real is double:
        precise = 1
    for k in range(3 if scores_taken > 1 else 2):
        lines[k] = line_of(&op[k], data[k], axis)
    load_numbers(&op[<int> T], data[<int> T], 0, 1, 0, &t, like)
    load_numbers(&op[<int> W], data[<int> W], 0, 1, 1, &w, like)
    if w != 0:                     # else the row counts for nothing, whatever it holds
        for k in range(scores_taken):      # of the first and second, first and third, second and third vector
            score.compute[precise](job.score_parameters, &lines[k // 2], &lines[1 if k == 0 else 2], n,
                                   job.loss.gap and (t > 0 or op[<int> T].data == NULL), &pairs[k], like)
        if job.loss.evaluate(job.loss_parameters, 1, pairs, 1, &t, &w, &o):
            job.outside[0] = 1
        value = o.value * w
    if op[<int> V].data != NULL:
        store_numbers(&op[<int> V], data[<int> V], 0, 1, &value, like)
    if job.order == 0:
        return value
    w = 0 if w == 0 else w * job.scale
    for k in range(3 if scores_taken > 1 else 2):
        if op[<int> G + k].data == NULL:
            continue
        g = line_of(&op[<int> G + k], data[<int> G + k], axis)
        order = job.order
        if order > 1 and op[<int> H + k].added and op[<int> H + k].strides[axis] == 0 and n > 1:
            order = 1            # one number stands for all elements of the vector
        h = line_of(&op[<int> H + k], data[<int> H + k], axis) if order > 1 else g
        found = 0
        for j in range(3):
            which = k + j - 1
            if j == k or which >= scores_taken:
                continue
            if w != 0:
                score.prepare(job.score_parameters, &pairs[which], 0 if k < j else 1, &sides[found])
                apply_loss_slope(&o, which, w, &sides[found])
            else:
                set_zero(&sides[found])
            others[found] = j
            found += 1
        score.derive[precise](job.score_parameters, &sides[0], &sides[1] if found > 1 else NULL, &lines[k], &lines[others[0]],
                              &lines[others[found - 1]], n, order, &job.space, &g, &h, like)
        for j in range(found if order < job.order else 0):
            sum_ = <double *> data[<int> H + k]
            sum_[0] += score.derive_all[precise](job.score_parameters, &pairs[k + others[j] - 1], 0 if k < others[j] else 1,
                                                 &sides[j], &lines[k], &lines[others[j]], n, like)
    return value


cdef bint can_be_transposed(const Operand *op, const Space *space, Py_ssize_t n, const real *like) noexcept nogil:
    """Whether its rows lie one after the other, each in one piece."""
    return op.flat and space.outer > 0 and op.strides[space.outer - 1] >= n * <Py_ssize_t> sizeof(real)


cdef void run_tile(const real *like, const Vectors *job, Py_ssize_t rows, char **data, double *values) noexcept nogil:
    """A tile of rows of short vectors; fills their values in."""
    cdef const Operand *op = <const Operand *> job.operands
    cdef const ScoreEntry *score = job.score
    cdef real *memory         # of six tiles: three vectors, one for transposing, first and second derivatives
    cdef const real *tiles[3]
    cdef Pair pairs[3][SIDE_BY_SIDE]
    cdef Sides sides[2]
    cdef LossTerms losses[SIDE_BY_SIDE]
    cdef double targets[SIDE_BY_SIDE]
    cdef double weights[SIDE_BY_SIDE]
    cdef bint rescaled[SIDE_BY_SIDE]
    cdef Py_ssize_t steps[OPERANDS]
    cdef char *one[OPERANDS]
    cdef int others[2]
    cdef int scores_taken = job.loss.pairs, vectors = 3 if scores_taken > 1 else 2
    cdef int k, j, which, found, output, precise = 0
    cdef Py_ssize_t n = job.length, item = sizeof(real), r
    if real is double:
        precise = 1
        memory = fl_own(&job.team).doubles
    else:
        memory = fl_own(&job.team).floats
    for k in range(<int> OPERANDS):
        steps[k] = op[k].strides[job.space.outer - 1]
    for k in range(vectors):
        tiles[k] = memory + k * <int> TILE_APART
        transpose_in(<const real *> data[k], steps[k] // item, rows, n, SIDE_BY_SIDE, memory + k * <int> TILE_APART,
                     memory + 3 * <int> TILE_APART)
    for r in range(rows):
        rescaled[r] = False
    for k in range(scores_taken):
        score.compute_tile[precise](job.score_parameters, n, rows, job.loss.gap, tiles[k // 2], tiles[1 if k == 0 else 2],
                                    pairs[k], <bint *> rescaled)
    load_numbers(&op[<int> T], data[<int> T], steps[<int> T], rows, 0, <double *> targets, like)
    load_numbers(&op[<int> W], data[<int> W], steps[<int> W], rows, 1, <double *> weights, like)
    if job.loss.evaluate(job.loss_parameters, rows, pairs[0], SIDE_BY_SIDE, <const double *> targets, <const double *> weights,
                         <LossTerms *> losses):
        job.outside[0] = 1
    for r in range(rows):
        values[r] = 0 if weights[r] == 0 else losses[r].value * weights[r]
        weights[r] = 0 if weights[r] == 0 else weights[r] * job.scale
    if op[<int> V].data != NULL:
        store_numbers(&op[<int> V], data[<int> V], steps[<int> V], rows, values, like)
    for k in range(vectors if job.order > 0 else 0):
        if op[<int> G + k].data == NULL:
            continue
        found = 0
        for j in range(3):
            which = k + j - 1
            if j == k or which >= scores_taken:
                continue
            score.prepare_tile(job.score_parameters, rows, pairs[which], 0 if k < j else 1, <const LossTerms *> losses, which,
                               <const double *> weights, &sides[found])
            others[found] = j
            found += 1
        score.derive_tile[precise](job.score_parameters, &sides[0], &sides[1] if found > 1 else NULL, n, job.order, tiles[k],
                                   tiles[others[0]], tiles[others[found - 1]], memory + 4 * <int> TILE_APART,
                                   memory + 5 * <int> TILE_APART)
        for output in range(job.order):
            which = (<int> H if output else <int> G) + k
            transpose_out(memory + (4 + output) * <int> TILE_APART, memory + 3 * <int> TILE_APART, <real *> data[which],
                          steps[which] // item, rows, n, SIDE_BY_SIDE)
    for r in range(rows):
        if rescaled[r]:
            for k in range(<int> OPERANDS):
                one[k] = data[k] + r * steps[k] if data[k] != NULL else NULL
            values[r] = run_row(like, job, <char **> one, pairs[0])


cdef double vectors_span(const real *like, const Vectors *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Rows start … stop-1, whose values are added to what the thread adds up."""
    cdef const Operand *op = <const Operand *> job.operands
    cdef const Space *space = &job.space
    cdef char *data[OPERANDS]
    cdef double values[SIDE_BY_SIDE]
    cdef Pair pairs[3]
    cdef Py_ssize_t row = start, rows, r, length = space.shape[space.outer - 1] if space.outer > 0 else 1
    cdef int k
    while row < stop:
        rows = min(stop - row, length - row % length)      # not over the end of the innermost axis
        rows = min(rows, max(<Py_ssize_t> 1, WATCHED // max(job.length, <Py_ssize_t> 1)))
        if fl_stops(<Team *> &job.team):
            break
        for k in range(<int> OPERANDS):
            data[k] = op[k].data + offset_of(&op[k], space, 0, space.outer, row) if op[k].data != NULL else NULL
        if job.tiled:
            rows = min(rows, <Py_ssize_t> SIDE_BY_SIDE)
            run_tile(like, job, rows, <char **> data, <double *> values)
            add_values(&job.team, <const double *> values, rows)
        else:
            for r in range(rows):
                add_exactly(fl_total(&job.team), run_row(like, job, <char **> data, <Pair *> pairs))
                for k in range(<int> OPERANDS if r + 1 < rows else 0):
                    if data[k] != NULL:
                        data[k] += op[k].strides[space.outer - 1]
        row += rows
    return 0


# ---- one call --------------------------------------------------------------------------------------------------------

cdef int raise_outside(const real *like, const Vectors *job, tuple arrays, Py_ssize_t rows) except -1:
    """Find the first row, in C order, whose target is invalid: LookupError(operand, position)."""
    cdef cnp.ndarray target = arrays[<int> T], weight = arrays[<int> W]
    cdef Operand t, w
    cdef Space space
    cdef Py_ssize_t row
    cdef double number, counted
    cdef int axis, ndim = cnp.PyArray_NDIM(target)
    describe(&t, target, like, ndim, job.loss.signs)
    describe(&w, weight, like, ndim)
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(target, axis)
    for row in range(rows):
        load_numbers(&t, t.data + offset_of(&t, &space, 0, ndim, row), 0, 1, 0, &number, like)
        load_numbers(&w, w.data + offset_of(&w, &space, 0, ndim, row), 0, 1, 1, &counted, like)
        if counted != 0 and job.loss.is_invalid(job.loss_parameters, number):
            raise LookupError(<int> T, row)
    raise LookupError(<int> T, -1)      # another thread has changed it


cdef double run_vectors(const real *like, Vectors *job, tuple arrays, int threads, Exact *to) except? -1:
    cdef cnp.ndarray array, x = arrays[<int> A]
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef int k, axis, outer = cnp.PyArray_NDIM(x) - 1, outside = 0
    cdef Py_ssize_t rows = 1, unit
    cdef double total
    for k in range(<int> OPERANDS):
        array = arrays[k]
        check_shape(array, x, outer if T <= k <= V else outer + 1)
        describe(&op[k], array, like, outer + 1, k == T and job.loss.signs, k >= V)
    for axis in range(outer):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
        rows *= space.shape[axis]
    job.length = cnp.PyArray_DIM(x, outer)
    space.shape[outer] = job.length
    if rows == 0:
        return 0
    space.outer = merge_axes(op, OPERANDS, space, 0, outer, 0)
    move_axis(op, OPERANDS, space, outer, space.outer)
    space.ndim = space.outer + 1
    if lay_out(op, OPERANDS, G, space, space.outer, True):
        threads = 1
    job.outside = &outside
    job.tiled = job.score.compute_tile[0] != NULL and 0 < job.length < SIDE_BY_SIDE and rows >= MIN_TILE_ROWS
    for k in range(<int> OPERANDS):
        if (k <= C or k >= G) and op[k].data != NULL and not can_be_transposed(&op[k], space, job.length, like):
            job.tiled = False
    unit = max(<Py_ssize_t> 1, BLOCK // max(<Py_ssize_t> 1, job.length))
    if real is float:
        total = run_from(<Span> <void *> vectors_span[float], job, 0, rows, unit, rows * job.length, threads, &job.team, job.tiled, to)
    else:
        total = run_from(<Span> <void *> vectors_span[double], job, 0, rows, unit, rows * job.length, threads, &job.team, job.tiled, to)
    if outside:
        raise_outside(like, job, arrays, rows)
    return total


def vectors(int score, tuple score_parameters, int loss, tuple loss_parameters, bint double_precision, int order, double scale,
            int threads, tuple arrays, exact=None):
    """Run one loss of one score over the rows of two or three arrays, along their last axis.

    The arrays are (a, b, c, target, weight and value of each row, three gradients, three second derivatives), None where
    there is none; derivatives are multiplied by `scale`, and added to float64 items where an output was broadcast. Returns
    the sum of the weighted values, which is also added to `exact`; rows of weight 0 are left out. Raises LookupError(operand, position) for the first invalid
    target."""
    cdef Vectors job
    cdef double score_values[PARAMETERS]
    cdef double loss_values[PARAMETERS]
    cdef int k, operands
    if not 0 <= score < len(SCORES) or not 0 <= loss < len(LOSSES) or len(arrays) != <int> OPERANDS or not 0 <= order <= 2:
        raise ValueError("kernel: no such score, loss, order or number of operands")
    job.score = &_scores[score]
    job.loss = &_losses[loss]
    read_parameters(score_parameters, job.score.parameters, score_values)
    read_parameters(loss_parameters, job.loss.parameters, loss_values)
    operands = 3 if job.loss.pairs > 1 else 2
    if operands == 3 and job.score.angle:
        raise ValueError("kernel: no such loss of this score")
    for k in range(3):
        if (arrays[k] is None) != (k >= operands):
            raise ValueError("kernel: not the vectors for this loss")
        if arrays[<int> G + k] is not None and (order < 1 or k >= operands):
            raise ValueError("kernel: not the arrays for the derivatives asked for")
        if (arrays[<int> H + k] is not None) != (order > 1 and arrays[<int> G + k] is not None):
            raise ValueError("kernel: not the arrays for the derivatives asked for")
    job.score_parameters = score_values
    job.loss_parameters = loss_values
    job.order = order
    job.scale = scale
    if (<cnp.ndarray> arrays[<int> A]).ndim < 1:
        raise ValueError("kernel: vectors have an axis")
    if double_precision:
        return run_vectors[double](NULL, &job, arrays, threads, exact_of(exact))
    return run_vectors[float](NULL, &job, arrays, threads, exact_of(exact))


register_score[Cosine](NULL, "cosine")
register_score[SmoothCosine](NULL, "smooth cosine")
register_score[Projection](NULL, "projection")
register_score[Taxicab](NULL, "1")
register_score[Euclid](NULL, "2")
register_score[Chebyshev](NULL, "inf")
register_score[Minkowski](NULL, "p")
register_loss[Identity](NULL, "identity", 1, False, False)
register_loss[Complement](NULL, "complement", 1, True, False)
register_loss[Embedding](NULL, "embedding", 1, True, True)
register_loss[Triplet](NULL, "triplet", 2, False, False)
register_loss[SwappedTriplet](NULL, "swapped triplet", 3, False, False)
register_loss[Contrastive](NULL, "contrastive", 1, False, False)
