# Softmax of a tile of rows: what losses and activations made of the log-sum-exp over a class axis share.
#
# Of each row they take the maximum m and S = Σ exp(x_j - m) over all j but one maximum, so that
#     logsumexp = m + log1p(S),   p_j = E_j / (1 + S)  with  E_j = exp(x_j - m),
#     q_j = 1 - p_j = (S if E_j == 1 else (1 - E_j) + S) / (1 + S),   L_j = -log p_j = (m - x_j) + log1p(S)
# keep their digits where one class is all but certain. A loss is Σ τ_j φ(L_j) + z logsumexp² with the target distribution
# τ; class numbers are the case where τ is zero except at one class. With a_j = τ_j φ'(L_j), b_j = τ_j φ''(L_j),
# A = Σ a + 2 z logsumexp and B = Σ b + 2 z
#     gradient = p_j (A - a_j) - a_j q_j,   hessian = p_j² (B - b_j) + b_j q_j² + A p_j q_j.
# φ is written once for each loss: see softmax_losses.pyx.
#
# All loops go over lines: a class of the rows of a tile, or a piece of the classes of one row. What is known of a row
# is one number to a loop over classes, and an array to a loop over rows: `at` tells the two apart.

from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from kernels.classes.rows cimport Rows, class_step, lanes_lie_flat, row_step
from kernels.core.numeric cimport absolute, exp, real, tanh_unit
from kernels.core.rowmath cimport add_row
from kernels.core.sums cimport TILE, accumulate

# ---- numbers of a row and of a class ---------------------------------------------------------------------------------

cdef enum:                    # numbers of each row of a tile, TILE of each in one array
    M, S, LOG, SHARE          # m, S, log1p(S), 1 / (1 + S)
    FIRST, SECOND             # A / (1 + S), B
    SUM_OF_A, PSI             # the parts of A: Σ a and 2 z logsumexp
    TARGET_OFFSET                    # what label smoothing adds to each class; where classes are left out, else a number of the job
    FACTOR, SCALE             # of the row, and that times the scale
    REAL_ROWS                 # so many of the computation's dtype. In doubles, first:
    REST = 0, WHOLE_SHARE     # S, 1 / (1 + S)
    LOST_REST
    DOUBLE_ROWS               # so many; and where the target is a distribution:
    SUM_V = 0, LOST_V         # Σ τ φ, Σ a, Σ b; of `brier` other sums
    SUM_A, LOST_A, SUM_B, LOST_B, SUM_C, LOST_C, SUM_D, LOST_D
    SUMS

cdef struct Across:
    int unused

cdef struct Along:
    int unused

ctypedef fused Layout:
    Across
    Along

cdef inline Py_ssize_t at(Layout l, Py_ssize_t i) noexcept nogil:
    """Which row item i of a line belongs to, from the line's own row on."""
    if Layout is Across:
        return i
    else:
        return 0

cdef inline real factor_of(Layout l, const real *own, Py_ssize_t i, real factor) noexcept nogil:
    """The factor of an item of a line; `factor` is that of the line's first row."""
    if Layout is Across:
        return own[<int> FACTOR * <int> TILE + i]
    else:
        return factor

cdef inline real scale_of(Layout l, const real *own, Py_ssize_t i, real scale) noexcept nogil:
    """What the derivatives of an item of a line are multiplied by; `scale` is that of the line's first row."""
    if Layout is Across:
        return own[<int> SCALE * <int> TILE + i]
    else:
        return scale

cdef inline real softmax_gap(real e, real s) noexcept nogil:
    """q (1 + S), without cancellation."""
    return s if e == 1 else (1 - e) + s

cdef inline real distance(real x, real m, real s) noexcept nogil:
    """m - x; 0 at the maximum, also when that is infinite. NaN where S is."""
    return s * 0 if x == m else m - x

cdef inline real slope(real e, real a, real sum_of_a, real psi, real s, real share) noexcept nogil:
    """The gradient of one class."""
    return (e * ((sum_of_a - a) + psi) - a * softmax_gap(e, s)) * share

cdef inline real curvature(real e, real first, real second, real s, real share) noexcept nogil:
    """The second derivative of one class but for b_j: A p q + B p²."""
    cdef real p = e * share
    cdef real q = 1 - p if p < <real> 0.5 else softmax_gap(e, s) * share
    return e * first * q + second * p * p

cdef inline real within(double x, const real *like) noexcept nogil:
    """x, or a huge float: φ'' of the focal loss may be beyond them, where it is multiplied by 0."""
    if real is float:
        x = 1e38 if (x > 1e38) & (x < INFINITY) else x
    return <real> x

cdef inline real xlogy_term(real tau, real d) noexcept nogil:
    """τ d with 0 · inf = 0; NaN stays, as that of a row whose target is all 0."""
    return 0 if tau == 0 and d == d else tau * d


# ---- a tile ----------------------------------------------------------------------------------------------------------

cdef struct Change:           # what is done to the input first
    double cap                # it is capped at so much; 0: not
    double factor             # it is multiplied by that

cdef struct View:             # how a tile is seen
    Py_ssize_t row, n         # its rows
    Py_ssize_t lines, length  # classes and rows, or rows and classes
    void *x                   # the input, the steps from line to line in items; NULL: fetched piece by piece
    Py_ssize_t x_step
    void *raw                 # the same before the change and the mask, NULL where there is none or x is
    Py_ssize_t raw_step
    void *e                   # room for the exponentials; NULL: computed when they are needed
    Py_ssize_t e_step
    bint staged               # the gradient is computed in the place of the exponentials, and then brought to its array
    Change change
    bint masked
    char *base_x              # the first row in the arrays
    char *base_t
    char *base_g
    char *base_h
    char *base_m
    char *base_w
    char *base_d

cdef inline real soft_cap(real x, double cap, real *d, real *d2) noexcept nogil:
    """c tanh(x / c), and its derivatives."""
    cdef real c = <real> cap, y = x / c, a = absolute(y), z = exp(<real> -2 * a), share = <real> 1 / (<real> 1 + z), t, near
    near = 1 if y > 1 else y
    near = -1 if near < -1 else near
    t = (<real> 1 - z) * share
    t = -t if y < 0 else t
    t = tanh_unit(near) if a <= 1 else t
    d[0] = <real> 4 * z * share * share
    d2[0] = <real> -2 * t * d[0] / c
    return c * t

cdef inline bint changes(const View *v) noexcept nogil:
    """Whether the scores are not the input itself."""
    return v.change.cap != 0 or v.change.factor != 1 or v.masked

cdef const real *x_piece(const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil
cdef const real *e_piece(Layout l, const Rows *job, const View *v, const real *rows, Py_ssize_t line, Py_ssize_t start,
                         Py_ssize_t n, real *block) noexcept nogil

cdef inline const real *x_line(const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line of the input."""
    return <const real *> v.x + line * v.x_step + start if v.x != NULL else x_piece(job, v, line, start, n, block)

cdef inline const real *e_line(Layout l, const Rows *job, const View *v, const real *rows, Py_ssize_t line, Py_ssize_t start,
                               Py_ssize_t n, real *block) noexcept nogil:
    """A piece of a line of exponentials."""
    if v.e != NULL:
        return <const real *> v.e + line * v.e_step + start
    return e_piece(l, job, v, rows, line, start, n, block)

cdef inline real *line_or_buffer(Layout l, const Rows *job, const View *v, int k, char *base, Py_ssize_t line, Py_ssize_t start,
                           real *block) noexcept nogil:
    """Where a piece of a line of an output is computed: there if that can be, else in `block`."""
    if Layout is Across:
        return <real *> (base + line * class_step(job, k)) if lanes_lie_flat(job, k) else block
    else:
        return <real *> (base + line * row_step(job, k)) + start if job.operands[k].flat else block

cdef inline void add_line(Layout l, const real *v, Py_ssize_t n, double *total, double *lost) noexcept nogil:
    """Add a line to the sums of its rows."""
    cdef Py_ssize_t i
    if Layout is Across:
        for i in range(n):
            accumulate(v[i], &total[i], &lost[i])
    else:
        add_row(v, n, total, lost)

cdef void mask_line(const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, real *block, real x) noexcept nogil
cdef const real *raw_line(const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n, real *block) noexcept nogil
cdef void store_line(Layout l, const Rows *job, const View *v, int k, char *base, Py_ssize_t line, Py_ssize_t start,
                          Py_ssize_t n, const real *block) noexcept nogil
cdef void prepare_tile(const Rows *job, View *v, Py_ssize_t row, Py_ssize_t n, Change change, real *x_tile,
                       real *e_tile, real *raw_tile) noexcept nogil
cdef void sum_exponentials(const Rows *job, const View *v, real *rows, double *wide) noexcept nogil
cdef const real *target_line(Layout l, const Rows *job, int k, const char *base, Py_ssize_t line, Py_ssize_t start,
                                    Py_ssize_t n, real *block) noexcept nogil
cdef void blank_line(const int64_t *labels, Py_ssize_t n, real *block) noexcept nogil

cdef inline void finish_line(Layout l, const Rows *job, const View *v, int k, char *base, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n,
                             const int64_t *labels, bint ignored, real *block, bint staged) noexcept nogil:
    """Derivatives of a piece of a line: 0 for what is left out; stored as output k, unless they stay in the tile."""
    if Layout is Across:
        if ignored:
            blank_line(labels, n, block)
    if v.masked:
        mask_line(job, v, line, start, n, block, <real> 0)
    if not staged:
        store_line(l, job, v, k, base, line, start, n, <const real *> block)

cdef void tau_line(Layout l, const Rows *job, const View *v, Py_ssize_t line, Py_ssize_t start, Py_ssize_t n,
                          const int64_t *labels, const real *e, const real *own, real *tau, bint checked) noexcept nogil
cdef bint has_no_target(const Rows *job, const View *v, Py_ssize_t row, int64_t label, const real *like) noexcept nogil
cdef bint prepare_targets(const Rows *job, const View *v, bint by_class, int64_t *labels, real *rows) noexcept nogil
cdef void blank_rows(const Rows *job, const View *v, const int64_t *labels, const real *like) noexcept nogil
cdef void finish_values(const Rows *job, const View *v, const real *rows, const double *values) noexcept nogil
cdef void store_tile(const Rows *job, const View *v, real *tile, real *spare) noexcept nogil
cdef void gather_target_logits(const Rows *job, const View *v, const int64_t *labels, real *x_y) noexcept nogil
