# Images, classes and pixels of a call, and tiles of them: all classes of a few pixels that lie side by side. Loops run over
# the pixels, a line of one class after the other.
#
# A pixel enters a loss with its weight. What has the weight 0 is left out: its numbers are read as 0, and its derivatives
# are 0. So is what a mask leaves out, what is ignored, and a class of the weight 0.

cimport numpy as cnp
from libc.stdint cimport int32_t, int64_t
from kernels.core.numeric cimport real
from kernels.core.operands cimport Load, Operand, Space, offset_of
from kernels.core.sums cimport TILE, WATCHED, Team, fl_stops

cdef enum:
    LINE = 32             # the fewest pixels of a tile whose exponentials are kept, and accumulators of a line's sums

# Input, target, weights of the pixels and the mask of those that count; gradient and second derivative.
cdef enum:
    X, T, W, M, G, H, OPERANDS

cdef enum Holds:              # what a target holds
    LABELS, NUMBERS, BITS     # class numbers, from 0 to 1, or 0 and 1

cdef enum:                    # how p follows from the input
    IDENTITY, SIGMOID, SOFTMAX
    HINGE                     # the input is a signed distance, not a probability's

cdef struct Alike:
    char none
cdef struct Weighed:
    char none
ctypedef fused Weighing:      # whether pixels have weights
    Alike
    Weighed

cdef struct Pixels:
    Space space               # the axes of the pixels
    Operand operands[OPERANDS]
    Py_ssize_t image_step[OPERANDS]
    Py_ssize_t class_step[OPERANDS]
    Load load_label
    Holds holds
    int activation
    bint ignores
    int64_t ignored           # this class number, or number, counts for nothing
    bint counted              # whether pixels may count for nothing, or for more than others
    const double *weight      # of each class, or NULL
    int outside               # whether an element is outside its domain
    Py_ssize_t images, classes, count
    Py_ssize_t tile           # pixels of a tile
    bint kept                 # whether a tile's exponentials are
    Team team

cdef extern from *:
    """
    typedef union FL_ALIGNED {
        float floats[FL_TILE];
        double doubles[FL_TILE];
    } fl_line;
    """
    ctypedef union Line "fl_line":      # numbers of the computation's dtype
        float floats[TILE]
        double doubles[TILE]

cdef struct Tile:
    Line w                    # weights, if not all pixels count alike
    int32_t labels[TILE]      # class numbers, or -1
    # Of a softmax: the largest logit m, S = Σ exp(x_j - m) over all classes but one maximum, and 1 / (1 + S).
    Line m
    double rest[TILE]
    double share[TILE]
    bint infinite             # whether some m is
    void *exps                # exp(x - m) of all classes, if they are kept
    Py_ssize_t n              # pixels
    Py_ssize_t image
    Py_ssize_t pixel          # the first
    char *x                   # where its first class lies
    char *t
    bint blanks               # whether some pixels count for nothing

cdef inline real *line_of(Line *line, const real *like) noexcept nogil:
    if real is float:
        return line.floats
    else:
        return line.doubles


cdef inline char *place_of(const Pixels *job, int k, Py_ssize_t image, Py_ssize_t pixel) noexcept nogil:
    """Where a pixel's first class lies in an operand; NULL where there is none."""
    cdef const Operand *op = &job.operands[k]
    if op.data == NULL:
        return NULL
    return op.data + image * job.image_step[k] + offset_of(op, &job.space, 0, job.space.ndim, pixel)

cdef inline Py_ssize_t pixel_step(const Pixels *job, int k) noexcept nogil:
    return job.operands[k].strides[job.space.ndim - 1] if job.space.ndim > 0 else 0

cdef inline bint lies_flat(const Pixels *job, int k) noexcept nogil:
    """Whether the pixels of a tile are consecutive in memory."""
    return job.operands[k].native and pixel_step(job, k) == job.operands[k].itemsize

cdef inline const real *load_line(const Pixels *job, int k, const char *base, Py_ssize_t c, Py_ssize_t n, real *block) noexcept nogil:
    """One class of n pixels, in its array or in `block`."""
    base += c * job.class_step[k]
    if lies_flat(job, k):
        return <const real *> base
    job.operands[k].load(base, pixel_step(job, k), job.operands[k].swapped, n, block)
    return block

cdef inline real *line_or_buffer(const Pixels *job, int k, char *base, Py_ssize_t c, real *block) noexcept nogil:
    """Where a line of an output is computed: there if that can be, else in `block`."""
    return <real *> (base + c * job.class_step[k]) if lies_flat(job, k) else block

cdef inline void store_line(const Pixels *job, int k, char *base, Py_ssize_t c, Py_ssize_t n, const real *block) noexcept nogil:
    """A line from a block; no-op if it was computed in its place."""
    if not lies_flat(job, k):
        job.operands[k].store(base + c * job.class_step[k], pixel_step(job, k), n, block)

cdef inline bint halts(const Pixels *job, Py_ssize_t *unwatched, Py_ssize_t n) noexcept nogil:
    """Whether to stop, after n more numbers."""
    unwatched[0] += n
    if unwatched[0] < WATCHED:
        return False
    unwatched[0] = 0
    return fl_stops(<Team *> &job.team)

cdef inline void report_outside(const Pixels *job) noexcept nogil:
    """An element is outside its domain. Which one is found when the pass is over."""
    (<Pixels *> job).outside = 1

cdef inline bint leaves_class(const Pixels *job, Py_ssize_t c) noexcept nogil:
    """Whether a class counts for nothing."""
    return job.weight != NULL and job.weight[c] == 0


cdef int describe_pixels(const real *like, Pixels *job, tuple arrays, cnp.ndarray weight, object ignored, int image_axis,
                         int class_axis, bint in_order) except -1
cdef int check_classes(const Pixels *job) except -1
cdef int find_outside(const Pixels *job, tuple arrays, cnp.ndarray weight, int class_axis) except -1
cdef void place_tile(const Pixels *job, Tile *tile, Py_ssize_t image, Py_ssize_t i, Py_ssize_t end) noexcept nogil
cdef void open_tile(const Pixels *job, Tile *tile, const real *like) noexcept nogil
cdef void clear_line(Py_ssize_t n, const real *w, const real *line, real *block) noexcept nogil
cdef const real *target_line(const Pixels *job, Tile *tile, Py_ssize_t c, real *block, real *weights, const real **counts) noexcept nogil
