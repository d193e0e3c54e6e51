# What losses over a class axis share: a call, its tiles of rows, their labels, and blocks of classes read and written.
# Each family cimports this and registers its losses, each a function over one tile.
#
# There are two ways through a tile. `across`: the rows lie side by side, and the loops run over them, one class after the
# other; for few classes, or where the class axis is not the innermost in memory. `along`: row by row, the loops run over
# the classes. Which one is taken, and how many rows make a tile, depends on shapes and strides alone.
#
# A row of few classes is worked on together with others: a run is n classes, from `start` on, of one row; or all n classes of
# several rows, one row after the other.

cimport numpy as cnp
from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from kernels.core.call cimport HessOptions
from kernels.core.numeric cimport real
from kernels.core.operands cimport Load, Operand, Space, fetch, load_block, load_mask, offset_of, store_block
from kernels.core.rowmath cimport fl_may_be_outside, fl_may_be_outsidef
from kernels.core.sums cimport APART, ROOM, TILE, Sum, Team, fl_own, fl_stops, result

cdef enum:
    CHUNK = 512           # classes that are worked on at once; buffers of so many fit stacks of 128 kB
    LONG = 1024           # rows of so many classes are worked on several at once; longer ones in pieces of so many
    FEW = 32              # classes of rows that are turned to lie side by side
    ROW_PARAMETERS = 4

cdef enum Target:
    CLASS, SMOOTHED_CLASS, DISTRIBUTION
    UPSTREAM                  # τ_j = t_j, a gradient that is carried back through log_softmax
    TIMES_SOFTMAX             # τ_j = p_j t_j, which carries gradients through softmax
    LIST                      # class numbers along the class axis, up to the first -1

ctypedef void (*TileLoss)(const void *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil
ctypedef void (*AdjustHess)(const void *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil

ctypedef Py_ssize_t (*Needs)(const Rows *job, Py_ssize_t itemsize) noexcept nogil

cdef struct RowLoss:
    TileLoss losses[2]        # of floats and of doubles
    TileLoss products[2]      # of their Hessians and a direction; NULL where there is none
    int parameters
    bint across               # whether it can do with rows side by side
    bint bends                # whether it does itself what is asked of second derivatives
    bint in_order             # whether the axes of a row are gone through in the order in which they are given
    bint of_scores            # whether the target is scores too, that are read as the input is
    Needs needs               # how many bytes of its own each thread needs besides its working memory; NULL: none

cdef struct Rows:
    Space space
    Operand operands[10]      # x, target, factor of each row; value, gradient, second derivative; logsumexp; mask, weights, direction
    Load load_label
    TileLoss loss
    const double *parameters
    Target target
    Py_ssize_t classes
    double target_scale, target_offset       # τ = (target_scale t + target_offset) w: label smoothing
    const void *weight        # w, one for each class, or NULL
    double scale              # of gradient and second derivative
    HessOptions hess_options
    AdjustHess adjust_hess_tile        # NULL: none
    int64_t ignored           # this label counts for nothing
    double most               # targets must lie between 0 and this, unless it is NaN
    int outside               # whether one does not
    bint in_place             # whether the gradient lies where the input lies
    int order
    bint summed
    bint across
    bint of_scores
    Py_ssize_t tile           # rows of a tile
    char *rooms               # what each thread has of its own; so many bytes
    Py_ssize_t room_size
    Team team

cdef enum:
    R_X, R_T, R_F, R_V, R_G, R_H, R_L
    R_M                       # of the shape of x: 0 where a class is left out of its row
    R_W                       # of the shape of x: a factor of each item of the target
    R_D                       # of the shape of x: what the Hessian is multiplied by; the product takes the gradient's place
    ROW_OPERANDS


# ---- where things are ------------------------------------------------------------------------------------------------

cdef inline Py_ssize_t row_step(const Rows *job, int k) noexcept nogil:
    """Bytes from one row to the next, along the innermost of the axes of rows."""
    return job.operands[k].strides[job.space.outer - 1] if job.space.outer > 0 else 0

cdef inline Py_ssize_t class_step(const Rows *job, int k) noexcept nogil:
    return job.operands[k].strides[job.space.outer] if job.space.ndim > job.space.outer else 0

cdef inline char *base_of(const Rows *job, int k, Py_ssize_t row) noexcept nogil:
    """Where a row starts in an operand; NULL where there is none."""
    cdef const Operand *op = &job.operands[k]
    return op.data + offset_of(op, &job.space, 0, job.space.outer, row) if op.data != NULL else NULL

cdef inline bint lanes_lie_flat(const Rows *job, int k) noexcept nogil:
    """Whether the rows of a tile are consecutive in memory."""
    return job.operands[k].native and row_step(job, k) == job.operands[k].itemsize and job.space.outer > 0


# ---- what has no class axis ------------------------------------------------------------------------------------------

cdef inline void load_rows(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, real *block) noexcept nogil:
    """An operand's numbers of n rows."""
    job.operands[k].load(base_of(job, k, row), row_step(job, k), job.operands[k].swapped, n, block)

cdef inline void store_rows(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, const real *block) noexcept nogil:
    if job.operands[k].data != NULL:
        job.operands[k].store(base_of(job, k, row), row_step(job, k), n, block)

cdef inline bint is_masked(const Rows *job) noexcept nogil:
    return job.operands[<int> R_M].data != NULL

cdef inline void fetch_mask(const Rows *job, const char *base, Py_ssize_t start, Py_ssize_t n, real *valid) noexcept nogil:
    load_mask(&job.operands[<int> R_M], base, &job.space, job.space.outer, job.space.ndim, start, n, valid)

cdef void finish_rows(const Rows *job, Py_ssize_t row, Py_ssize_t n, const real *values) noexcept nogil
cdef bint load_labels(const Rows *job, Py_ssize_t row, Py_ssize_t n, bint by_class, int64_t *labels, const real *like) noexcept nogil
cdef void load_factors(const Rows *job, Py_ssize_t row, Py_ssize_t n, real *factors) noexcept nogil

cdef inline bint may_be_outside(const Rows *job, const real *t, Py_ssize_t n) noexcept nogil:
    """Whether to look closer at targets, as one may be outside of its domain; without loss of time."""
    if real is float:
        return fl_may_be_outsidef(t, n, <float> job.most)
    else:
        return fl_may_be_outside(t, n, job.most)

cdef inline void report_outside(const Rows *job) noexcept nogil:
    """A target is outside of its domain. Which one is found when the call is over."""
    (<Rows *> job).outside = 1


# ---- the classes of one row ------------------------------------------------------------------------------------------

cdef inline const real *fetch_classes(const Rows *job, int k, const char *base, Py_ssize_t start, Py_ssize_t n,
                                      real *block) noexcept nogil:
    """Classes start … start+n-1 of the row at `base`, in its array or in `block`."""
    if job.operands[k].flat:
        return <const real *> base + start
    return fetch(&job.operands[k], base, &job.space, job.space.outer, job.space.ndim, start, n, block)

cdef inline void fetch_labels(const Rows *job, const char *base, Py_ssize_t start, Py_ssize_t n, int64_t *block) noexcept nogil:
    """The same of a target that holds class numbers along the class axis."""
    load_block(&job.operands[<int> R_T], job.load_label, base, &job.space, job.space.outer, job.space.ndim, start, n,
               <char *> block, sizeof(int64_t))

cdef inline real *output_or_buffer(const Rows *job, int k, char *base, Py_ssize_t start, real *block) noexcept nogil:
    """Where classes from `start` on are computed: in the output where that can be, else in a buffer."""
    return <real *> base + start if job.operands[k].flat else block

cdef inline void store_classes(const Rows *job, int k, char *base, Py_ssize_t start, Py_ssize_t n, const real *block) noexcept nogil:
    if not job.operands[k].flat:
        store_block(&job.operands[k], base, &job.space, job.space.outer, job.space.ndim, start, n, block)

cdef inline real load_class(const Rows *job, int k, const char *base, Py_ssize_t index, const real *like) noexcept nogil:
    """One class of a row."""
    cdef const Operand *op = &job.operands[k]
    cdef real x
    if op.flat:
        return (<const real *> base)[index]
    op.load(base + offset_of(op, &job.space, job.space.outer, job.space.ndim, index), 0, op.swapped, 1, &x)
    return x

cdef inline void store_class(const Rows *job, int k, char *base, Py_ssize_t index, real x) noexcept nogil:
    """One class of a row of an output; nothing where there is none."""
    cdef const Operand *op = &job.operands[k]
    if base == NULL:
        return
    base += offset_of(op, &job.space, job.space.outer, job.space.ndim, index)
    if op.native:
        (<real *> base)[0] = x
    else:
        op.store(base, 0, 1, &x)

cdef void mask_classes(const Rows *job, const char *base, Py_ssize_t start, Py_ssize_t n, real *block, real x) noexcept nogil
cdef Py_ssize_t count_left(const Rows *job, const char *base, const real *like) noexcept nogil
cdef void fill_row(const Rows *job, int k, char *base, int64_t label, real x) noexcept nogil
cdef bint is_empty(const Operand *mask, const Space *space, int outer, Py_ssize_t row) noexcept nogil


# ---- rows along their classes ------------------------------------------------------------------------------------------

cdef enum:
    STEP = 16             # numbers that are written at once where one is spread

cdef struct Row:          # where a row lies
    const char *x
    const char *t
    const char *m
    char *g
    char *h

cdef inline Row row_at(const Rows *job, Py_ssize_t row) noexcept nogil:
    return Row(base_of(job, R_X, row), base_of(job, R_T, row), base_of(job, R_M, row), base_of(job, R_G, row), base_of(job, R_H, row))

cdef void set_rows(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, const real *x) noexcept nogil

cdef inline Py_ssize_t rows_at_once(const Rows *job) noexcept nogil:
    """How many rows fit into a chunk; if that can be, so many that a loop over all their classes is of whole vectors."""
    cdef Py_ssize_t rows = CHUNK // job.classes, step = 16 // min(<Py_ssize_t> 16, job.classes & -job.classes)
    return rows - rows % step if rows > step else max(<Py_ssize_t> 1, rows)

cdef inline bint are_one_run(const Rows *job, int k, Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    return rows == 1 or job.operands[k].flat and row_step(job, k) == n * job.operands[k].itemsize

cdef inline real *run_or_buffer(const Rows *job, int k, char *base, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                            real *block) noexcept nogil:
    return output_or_buffer(job, k, base, start, block) if base != NULL and are_one_run(job, k, rows, n) else block

cdef const real *fetch_run(const Rows *job, int k, const char *base, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                                  real *block) noexcept nogil
cdef void store_run(const Rows *job, int k, char *base, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                         const real *block) noexcept nogil
cdef void add_run(const real *v, Py_ssize_t rows, Py_ssize_t n, Sum *sums) noexcept nogil
cdef void mask_run(const Rows *job, const Row *at, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n, real *block, real x) noexcept nogil
cdef const real *masked_run(const Rows *job, const Row *at, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n, const real *x,
                            real *block, real value) noexcept nogil

cdef inline const real *fetch_left(const Rows *job, const Row *at, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """Classes of a row, -inf for those left out."""
    cdef const real *x = fetch_classes(job, R_X, at.x, start, n, block)
    return x if at.m == NULL else masked_run(job, at, 1, start, n, x, block, <real> -INFINITY)

cdef inline void broadcast_rows(const real *v, Py_ssize_t rows, Py_ssize_t n, real *block) noexcept nogil:
    """A number of each row for all of its classes. STEP - 1 numbers too many may be written."""
    cdef Py_ssize_t r, i, j
    cdef real x
    for r in range(rows):
        x = v[r]
        for i from 0 <= i < n by STEP:
            for j in range(STEP):
                block[r * n + i + j] = x


# ---- losses of one class for each row ----------------------------------------------------------------------------------

cdef struct Labelled:         # the rows of a tile
    int64_t labels[TILE]      # -1: ignored
    int64_t y[TILE]           # a class, also where the row is ignored
    double omega[TILE]        # weight of the class times factor of the row
    Py_ssize_t left[TILE]     # classes that are not left out; at least 1

cdef void load_own(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, const int64_t *labels, real *x) noexcept nogil
cdef void store_own(const Rows *job, int k, Py_ssize_t row, Py_ssize_t n, const int64_t *labels, const real *x) noexcept nogil
cdef void load_labelled(const Rows *job, Py_ssize_t row, Py_ssize_t n, Labelled *tile, const real *like) noexcept nogil
cdef void finish_labelled(const Rows *job, Py_ssize_t row, Py_ssize_t n, const Labelled *tile, real *values) noexcept nogil


# ---- one call --------------------------------------------------------------------------------------------------------

cdef inline Py_ssize_t room(const real *like) noexcept nogil:
    """How many numbers a tile's buffers hold."""
    return ROOM * <Py_ssize_t> sizeof(double) // <Py_ssize_t> sizeof(real)


cdef inline real *memory(const Rows *job, int k, const real *like) noexcept nogil:
    """The thread's working memory: three times room for a tile."""
    if real is float:
        return fl_own(&job.team).floats + k * (room(like) + APART)
    else:
        return fl_own(&job.team).doubles + k * (room(like) + APART)

cdef inline bint stops(const Rows *job) noexcept nogil:
    """Whether to leave a row that takes long as it is."""
    return fl_stops(<Team *> &job.team)

cdef extern from "core/team.h" nogil:
    int omp_get_thread_num()

cdef inline void *own_room(const Rows *job) noexcept nogil:
    """What the thread has of its own, of the size that the loss needs."""
    return job.rooms + min(omp_get_thread_num(), max(job.team.size, 1) - 1) * job.room_size

cdef bint is_vector(cnp.ndarray array, Py_ssize_t n, const real *like) except -1
cdef RowLoss *register_rows(str name, void *narrow, void *wide, int parameters, bint across, bint bends=*) except NULL
cdef int register_product(str name, void *narrow, void *wide) except -1
