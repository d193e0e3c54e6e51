# Connectionist temporal classification: the probability of a sequence of labels, summed over all its alignments with the steps.
#
# A sequence is worked on by one thread: forwards through the steps, whose states are kept, then back. What the steps share is
# in lattice.h. With `logits` the softmax of a step is computed on the way forwards, and its gradient, softmax less share, is
# written there but for the few classes that have a share; these are written on the way back.

cimport numpy as cnp
from libc.math cimport INFINITY, NAN
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset
from kernels.core.numeric cimport log1p, real, weighed
from kernels.core.operands cimport DOUBLE, INT64, Kind, Operand, check_shape, describe, kind_of
from kernels.core.rowmath cimport count_equal, fl_exp, fl_expf, row_max, row_sum
from kernels.core.sums cimport PY_SSIZE_T_MAX, Span, Sum, Team, add, fl_stops, many, result, run

cnp.import_array()

cdef extern from "sequences/lattice.h" nogil:
    double NOTHING "FL_NOTHING"
    double BARRED "FL_BARRED"
    ctypedef struct States "fl_states":
        double *am
        double *ak
        double *bm
        double *bk
    ctypedef struct Wide "fl_wide":
        double m
        double k
    double fl_scaled(double, double)
    double fl_short_sum(const float *, Py_ssize_t)
    Py_ssize_t fl_whole(Py_ssize_t)
    void fl_split(const double *, const double *, double *, double *, Py_ssize_t)
    void fl_step(const States *, const double *, const double *, const States *, Py_ssize_t)
    void fl_emit(const States *, const double *, const double *, Wide, Py_ssize_t)
    void fl_emit_backwards(const States *, const double *, const double *, Wide, Py_ssize_t)
    void fl_rescale(const States *, Py_ssize_t)
    void fl_start(const States *, Py_ssize_t)
    Wide fl_all_states(const States *, Py_ssize_t)
    double fl_minus_log(Wide)
    void fl_centre(double *, double *, double, double, Py_ssize_t)
    double fl_shares(const States *, const States *, double *, double *, Py_ssize_t)

cdef enum:
    RESCALED = 32        # steps between two looks at the size of numbers
    SHORT = 256          # classes

cdef enum:
    X, G, V, OPERANDS    # scores and their gradient, (steps, sequences, classes); the value of each sequence

cdef struct Sequences:
    Operand operands[<int> OPERANDS]
    Py_ssize_t classes
    Py_ssize_t steps                # of the array; a sequence may have fewer
    const int64_t *labels
    const int64_t *starts           # where those of each sequence begin
    const int64_t *lengths
    const int64_t *durations        # steps of each sequence
    const double *factors           # of each sequence, or NULL
    int64_t blank
    double scale                    # of the gradient
    int order
    bint logits
    bint zero_infinity
    bint summed
    int starved                     # whether there was no memory
    Team team


# ---- the working memory of a sequence ----------------------------------------------------------------------------------

cdef struct Lattice:
    Py_ssize_t n                    # labels and one more: so many states of each kind
    Py_ssize_t wide                 # room for these
    Py_ssize_t steps
    Py_ssize_t kept                 # steps whose states and probabilities are kept: all, or a few in turn
    int64_t *labels
    double *open                    # see fl_step
    double *bar
    double *open_back               # with the labels the other way round
    double *bar_back
    double *share
    double *spare
    double *states                  # of each step that is kept, and the one before the first
    double *back                    # of two steps
    double *probabilities           # of the labels and the blank at each step that is kept
    int64_t *same                   # of each label the first that is the same
    void *scores                    # room for a step's scores, if they are not read from their array,
    void *row                       # and for a row of the gradient
    void *block
    Py_ssize_t size                 # of it, in doubles

cdef inline Py_ssize_t padded(Py_ssize_t n) noexcept nogil:
    return (n + 7) & ~<Py_ssize_t> 7

cdef inline double *take(double **room, Py_ssize_t n) noexcept nogil:
    """So many doubles, a multiple of eight, of what is left."""
    cdef double *taken = room[0]
    room[0] += n
    return taken

cdef bint prepare(const Sequences *job, Lattice *at, Py_ssize_t sequence) noexcept nogil:
    """The memory for a sequence, and what depends on its labels alone; whether there is enough."""
    cdef Py_ssize_t length = <Py_ssize_t> job.lengths[sequence], j, i
    cdef const int64_t *given = job.labels + job.starts[sequence]
    cdef double *room
    cdef Py_ssize_t size
    at.n = length + 1
    at.wide = padded(at.n) + 8
    at.steps = <Py_ssize_t> job.durations[sequence]
    at.kept = at.steps if job.order > 0 else 1
    size = many(at.kept + 1, 6 * at.wide + 8)
    if size > PY_SSIZE_T_MAX // 16 - 32 * at.wide - 2 * job.classes:
        return False
    size += 16 * at.wide + 2 * padded(job.classes) + 8
    if size > at.size:
        free(at.block)
        at.block = malloc(size * sizeof(double))
        at.size = size if at.block != NULL else 0
        if at.block == NULL:
            return False
    room = <double *> ((<size_t> at.block + 63) & ~<size_t> 63)
    at.scores = take(&room, padded(job.classes))
    at.row = take(&room, padded(job.classes))
    at.labels = <int64_t *> take(&room, at.wide)
    at.same = <int64_t *> take(&room, at.wide)
    at.open = take(&room, at.wide)
    at.bar = take(&room, at.wide)
    at.open_back = take(&room, at.wide)
    at.bar_back = take(&room, at.wide)
    at.share = take(&room, at.wide)
    at.spare = take(&room, at.wide)
    at.back = take(&room, 8 * at.wide)
    at.states = take(&room, 4 * (at.kept + 1) * at.wide)
    at.probabilities = take(&room, at.kept * (2 * at.wide + 8))
    for j in range(length):      # find_bad has seen them, but other threads may have written to them since
        at.labels[j] = given[j] if <uint64_t> given[j] < <uint64_t> job.classes else job.blank
    for j in range(fl_whole(at.n)):
        at.open[j] = at.open_back[j] = 0
    for j in range(1, length):
        at.open[j] = at.labels[j] != at.labels[j - 1]
        at.open_back[length - j] = at.open[j]
    for j in range(fl_whole(at.n)):
        at.bar[j] = 0 if at.open[j] != 0 else BARRED
        at.bar_back[j] = 0 if at.open_back[j] != 0 else BARRED
    for j in range(length if job.order > 0 else 0):
        i = 0
        while at.labels[i] != at.labels[j]:
            i += 1
        at.same[j] = i
    return True

cdef inline bint keeps(const Lattice *at) noexcept nogil:
    return at.kept == at.steps

cdef inline States states_at(double *memory, Py_ssize_t wide) noexcept nogil:
    return States(memory + 8, memory + wide + 8, memory + 2 * wide, memory + 3 * wide)

cdef inline States states_of(const Lattice *at, Py_ssize_t step) noexcept nogil:
    """Those after a step; -1: before the first."""
    return states_at(at.states + 4 * (step + 1 if keeps(at) else (step + 1) & 1) * at.wide, at.wide)

cdef inline double *probabilities_of(const Lattice *at, Py_ssize_t step) noexcept nogil:
    """Of a step the labels' m, with a 0 before and after them, and their k `wide` further on; the blank is at -4 and -3."""
    return at.probabilities + (step if keeps(at) else 0) * (2 * at.wide + 8) + 8

cdef inline Wide blank_of(const double *p) noexcept nogil:
    return Wide((p - 4)[0], (p - 3)[0])


# ---- one step --------------------------------------------------------------------------------------------------------

cdef struct Softmax:
    double top              # the largest score
    double rest             # Σ exp(x - top) over all others
    double excess           # log(1 + rest)

cdef inline const real *fetch_row(const Operand *op, const char *base, Py_ssize_t n, real *block) noexcept nogil:
    if op.flat:
        return <const real *> base
    op.load(base, op.strides[2], op.swapped, n, block)
    return block

cdef inline const char *base_of(const Operand *op, Py_ssize_t step, Py_ssize_t sequence) noexcept nogil:
    return op.data + step * op.strides[0] + sequence * op.strides[1]

cdef Softmax softmax_of(const real *x, real *e, Py_ssize_t n) noexcept nogil:
    """e = exp(x - top). Of one score that is inf the limit; nan where all are -inf or several are inf."""
    cdef Softmax s
    cdef real top = row_max(x, n, <real> -INFINITY)
    cdef Py_ssize_t j
    if top - top == 0:
        if real is float:
            fl_expf(x, top, e, n)
        else:
            fl_exp(x, top, e, n)
    else:
        for j in range(n):
            e[j] = x[j] if x[j] != x[j] else 1 if x[j] == top else 0
        if top < 0 or count_equal(x, n, top) > 1:
            e[0] = NAN
    j = 0
    while j < n - 1 and x[j] != top:
        j += 1
    s.top = top
    if e[j] == 1:
        e[j] = 0
        if real is float:
            s.rest = fl_short_sum(e, n) if n < <int> SHORT else row_sum(<const real *> e, n)
        else:
            s.rest = row_sum(<const real *> e, n)
        e[j] = 1
    else:
        s.rest = NAN
    s.excess = log1p(<double> s.rest)
    return s

cdef void load_scores(const Sequences *job, const Lattice *at, const char *base, double *x, const real *like) noexcept nogil:
    """Of one step the scores of the blank and of the labels."""
    cdef const Operand *op = &job.operands[<int> X]
    cdef Py_ssize_t j
    cdef real one
    cdef Py_ssize_t step = op.strides[2]
    if op.native:
        x[0] = (<const real *> (base + job.blank * step))[0]
        for j in range(at.n - 1):
            x[j + 1] = (<const real *> (base + at.labels[j] * step))[0]
    else:
        op.load(base + job.blank * step, 0, op.swapped, 1, &one)
        x[0] = one
        for j in range(at.n - 1):
            op.load(base + at.labels[j] * step, 0, op.swapped, 1, &one)
            x[j + 1] = one

cdef void store_row(const Sequences *job, char *base, real *row) noexcept nogil:
    if not job.operands[<int> G].flat:
        job.operands[<int> G].store(base, job.operands[<int> G].strides[2], job.classes, row)

cdef inline void store_one(const Sequences *job, char *base, int64_t label, real x) noexcept nogil:
    cdef const Operand *op = &job.operands[<int> G]
    if op.flat:
        (<real *> base)[label] = x
    else:
        op.store(base + label * op.strides[2], 0, 1, &x)

cdef void fill_steps(const Sequences *job, const Lattice *at, Py_ssize_t sequence, Py_ssize_t start, Py_ssize_t stop,
                     real x) noexcept nogil:
    """The gradient of some steps = x"""
    cdef real *row
    cdef char *base
    cdef Py_ssize_t step, j
    for step in range(start, stop):
        base = <char *> base_of(&job.operands[<int> G], step, sequence)
        row = <real *> base if job.operands[<int> G].flat else <real *> at.row
        if x == 0:
            memset(row, 0, job.classes * sizeof(real))
        else:
            for j in range(job.classes):
                row[j] = x
        store_row(job, base, row)
        if fl_stops(<Team *> &job.team):
            return

cdef void weigh_step(const Sequences *job, const Lattice *at, Py_ssize_t sequence, Py_ssize_t step, double rate,
                     const real *like) noexcept nogil:
    """The probabilities of a step's labels; with `logits` also the gradient but for that of these."""
    cdef const char *base = base_of(&job.operands[<int> X], step, sequence)
    cdef char *out = NULL
    cdef double *p = probabilities_of(at, step)
    cdef double *x = at.spare
    cdef double *low = at.share
    cdef const real *scores
    cdef real *e = <real *> at.row
    cdef real factor
    cdef Softmax s
    cdef Py_ssize_t j
    if job.logits:
        scores = fetch_row(&job.operands[<int> X], base, job.classes, <real *> at.scores)
        if job.order > 0:
            out = <char *> base_of(&job.operands[<int> G], step, sequence)
            e = <real *> out if job.operands[<int> G].flat else e
        s = softmax_of(scores, e, job.classes)
        x[0] = scores[job.blank]
        for j in range(at.n - 1):
            x[j + 1] = scores[at.labels[j]]
        fl_centre(x, low, s.top, s.excess, at.n)
        if job.order > 0:
            factor = <real> (rate / (1 + s.rest))
            for j in range(job.classes):
                e[j] *= factor
            store_row(job, out, e)
    else:
        load_scores(job, at, base, x, like)
        memset(low, 0, at.n * sizeof(double))
    for j in range(at.n, fl_whole(at.n)):
        x[j] = low[j] = 0
    fl_split(x, low, p - 1, p + at.wide - 1, fl_whole(at.n))
    (p - 4)[0] = (p - 1)[0]
    (p - 3)[0] = p[at.wide - 1]
    (p - 1)[0] = 0
    p[at.wide - 1] = NOTHING
    for j in range(at.n - 1, fl_whole(at.n)):
        p[j] = 0
        p[at.wide + j] = NOTHING


# ---- one sequence ----------------------------------------------------------------------------------------------------

cdef Wide forwards(const Sequences *job, const Lattice *at, Py_ssize_t sequence, double rate, const real *like) noexcept nogil:
    """The probability of all alignments; that, and the states, of no use where the call is stopped."""
    cdef States before, after = states_of(at, -1)
    cdef const double *p
    cdef Py_ssize_t step
    fl_start(&after, at.n)
    for step in range(at.steps):
        if fl_stops(<Team *> &job.team):
            break
        weigh_step(job, at, sequence, step, rate, like)
        p = probabilities_of(at, step)
        before = after
        after = states_of(at, step)
        fl_step(&before, at.open, at.bar, &after, at.n)
        fl_emit(&after, p, p + at.wide, blank_of(p), at.n)
        if step % RESCALED == RESCALED - 1:
            fl_rescale(&after, at.n)
    return fl_all_states(&after, at.n)

cdef void backwards(const Sequences *job, const Lattice *at, Py_ssize_t sequence, double rate,
                    const real *like) noexcept nogil:
    """The gradient with respect to the scores of the blank and the labels, and where these are log-probabilities, to all."""
    cdef States state, after = states_at(at.back, at.wide), back = states_at(at.back + 4 * at.wide, at.wide)
    cdef double *share = at.share
    cdef const double *p
    cdef char *base
    cdef double own, blank
    cdef Wide of_blank
    cdef Py_ssize_t step, j
    fl_start(&after, at.n)
    for step in range(at.steps - 1, -1, -1):
        if fl_stops(<Team *> &job.team):
            break
        p = probabilities_of(at, step)
        of_blank = blank_of(p)
        state = states_of(at, step)
        base = <char *> base_of(&job.operands[<int> G], step, sequence)
        fl_step(&after, at.open_back, at.bar_back, &back, at.n)
        blank = fl_shares(&state, &back, share, at.spare, at.n)
        if not job.logits:
            fill_steps(job, at, sequence, step, step + 1, <real> 0)
        for j in range(at.n - 1):
            if at.same[j] != j:
                share[at.same[j]] += share[j]
        for j in range(at.n - 1):
            if at.same[j] == j:
                own = fl_scaled(p[j], p[at.wide + j]) if job.logits else 0
                store_one(job, base, at.labels[j], <real> (rate * (own - share[j])))
        own = fl_scaled(of_blank.m, of_blank.k) if job.logits else 0
        store_one(job, base, job.blank, <real> (rate * (own - blank)))
        fl_emit_backwards(&back, p, p + at.wide, of_blank, at.n)
        if step % RESCALED == 0:
            fl_rescale(&back, at.n)
        state = after
        after = back
        back = state

cdef double sequence_loss(const Sequences *job, const Lattice *at, Py_ssize_t sequence, const real *like) noexcept nogil:
    """The value of one sequence, weighed; and its gradient, where that is wanted."""
    cdef double factor = job.factors[sequence] if job.factors != NULL else 1
    cdef double rate = weighed(factor, job.scale), value = INFINITY
    cdef Py_ssize_t j, needed = at.n - 1, counted = at.steps if factor != 0 else 0
    cdef Wide all = Wide(0, NOTHING)
    for j in range(1, at.n - 1):
        needed += at.open[j] == 0        # a blank between two that are the same
    if job.order > 0:
        fill_steps(job, at, sequence, counted, job.steps, <real> 0)
    if factor == 0:
        return 0
    if at.steps >= needed:
        all = forwards(job, at, sequence, rate, like)
        value = fl_minus_log(all)
    if job.order > 0:
        if value - value == 0:
            backwards(job, at, sequence, rate, like)
        else:
            fill_steps(job, at, sequence, 0, at.steps, <real> (0 if value == INFINITY else NAN))
    if value == INFINITY and job.zero_infinity:
        value = 0
    return factor * value


# ---- one call --------------------------------------------------------------------------------------------------------

cdef double sequences_span(const real *like, Sequences *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Sequences start … stop-1; returns the sum of their values."""
    cdef const Operand *op = &job.operands[<int> V]
    cdef Lattice at
    cdef Sum total = Sum(0, 0)
    cdef Py_ssize_t sequence
    cdef real value
    at.block = NULL
    at.size = 0
    for sequence in range(start, stop):
        if not prepare(job, &at, sequence):
            job.starved = 1
            break
        value = <real> sequence_loss(job, &at, sequence, like)
        if op.data != NULL:
            op.store(op.data + sequence * op.strides[0], 0, 1, &value)
        if job.summed:
            add(&total, value)
        if fl_stops(&job.team):
            break
    free(at.block)
    return result(total)


cdef const void *vector(cnp.ndarray array, Kind kind, Py_ssize_t n) except? NULL:
    """The numbers of an array of n, side by side."""
    if (kind_of(array) != kind or cnp.PyArray_NDIM(array) != 1 or cnp.PyArray_SIZE(array) != n
            or not cnp.PyArray_ISCARRAY_RO(array)):
        raise ValueError("kernel: not a vector of so many numbers of that dtype")
    return cnp.PyArray_DATA(array)


def find_bad(cnp.ndarray labels not None, cnp.ndarray starts not None, cnp.ndarray lengths not None, Py_ssize_t classes,
             int64_t blank):
    """The first label that is no class, or the blank, as (sequence, place); None if there is none. A sequence's labels begin
    at its start."""
    cdef Py_ssize_t size = cnp.PyArray_SIZE(labels), count = cnp.PyArray_SIZE(starts), sequence, j
    cdef const int64_t *label = <const int64_t *> vector(labels, INT64, size)
    cdef const int64_t *start = <const int64_t *> vector(starts, INT64, count)
    cdef const int64_t *length = <const int64_t *> vector(lengths, INT64, count)
    for sequence in range(count):
        if start[sequence] < 0 or not 0 <= length[sequence] <= size - start[sequence]:
            raise ValueError("kernel: labels that are not there")
        for j in range(length[sequence]):
            if <uint64_t> label[start[sequence] + j] >= <uint64_t> classes or label[start[sequence] + j] == blank:
                return sequence, j
    return None


cdef double run_sequences(const real *like, Sequences *job, tuple arrays, Py_ssize_t count, int threads) except? -1:
    cdef cnp.ndarray x = arrays[<int> X], array
    cdef Operand *op = job.operands
    cdef Py_ssize_t labels = 0, k
    for k in range(<int> OPERANDS):
        array = arrays[k]
        describe(&op[k], array, like, 1 if k == V else 3, False, k >= G)
        if k != V and array is not None:
            op[k].flat = op[k].native and (op[k].strides[2] == op[k].itemsize or job.classes == 1)
    for k in range(count):
        labels += job.lengths[k]
    return run(<Span> <void *> sequences_span[real], job, count, 1, many(job.steps, many(count, job.classes) + 8 * labels), threads,
               &job.team, False)


def sequences(bint logits, int64_t blank, int order, bint double_precision, double scale, bint summed, bint zero_infinity,
              int threads, tuple arrays):
    """Run one loss over sequences. The arrays are (x, gradient, value, labels, starts, lengths, steps, factors).

    x and its gradient, None of order 0, have the shape (steps, sequences, classes); value and factors, which may be None, have
    a number for each sequence. All others are vectors of 64-bit integers: labels one after the other, and for each sequence
    where they begin and how many there are, and how many steps. Returns the sum of the values (0 unless `summed`)."""
    cdef Sequences job
    cdef cnp.ndarray x = arrays[<int> X], g = arrays[<int> G], v = arrays[<int> V], factors = arrays[7]
    cdef Py_ssize_t count, k, size
    cdef double total
    if len(arrays) != 8 or not 0 <= order <= 1 or (order > 0) != (g is not None) or x is None or cnp.PyArray_NDIM(x) != 3:
        raise ValueError("kernel: not the arrays of a loss of sequences")
    check_shape(g, x, 3)
    job.steps = cnp.PyArray_DIM(x, 0)
    count = cnp.PyArray_DIM(x, 1)
    job.classes = cnp.PyArray_DIM(x, 2)
    if v is not None and (cnp.PyArray_NDIM(v) != 1 or cnp.PyArray_SIZE(v) != count):
        raise ValueError("kernel: not a value for each sequence")
    if not 0 <= blank < job.classes:
        raise ValueError("kernel: no such blank")
    size = cnp.PyArray_SIZE(arrays[3])
    job.labels = <const int64_t *> vector(arrays[3], INT64, size)
    job.starts = <const int64_t *> vector(arrays[4], INT64, count)
    job.lengths = <const int64_t *> vector(arrays[5], INT64, count)
    job.durations = <const int64_t *> vector(arrays[6], INT64, count)
    for k in range(count):
        if (not 0 <= job.starts[k] <= size or not 0 <= job.lengths[k] <= size - job.starts[k]
                or not 0 <= job.durations[k] <= job.steps):
            raise ValueError("kernel: labels or steps that are not there")
    job.factors = <const double *> vector(factors, DOUBLE, count) if factors is not None else NULL
    job.blank = blank
    job.scale = scale
    job.order = order
    job.logits = logits
    job.zero_infinity = zero_infinity
    job.summed = summed
    job.starved = 0
    if count == 0:
        return 0.0
    if double_precision:
        total = run_sequences[double](NULL, &job, arrays, count, threads)
    else:
        total = run_sequences[float](NULL, &job, arrays, count, threads)
    if job.starved:
        raise MemoryError("no memory for the alignments of a sequence")
    return total
