# Losses between pairs of boxes. A block of pairs is turned so that each of their eight coordinates lies in a row of its own;
# the loops run over the pairs. All is computed in float64, whatever the dtypes: areas and their squares then neither overflow
# nor lose the digits of small differences, and it takes less time than reading and writing the boxes.
#
# A pair of boxes along one axis is the part that they share and what each has beyond it. From these the areas follow as sums
# without a minus, so that 1 - IoU of nearly the same boxes, and the empty part of their hull, keep all digits.

cimport numpy as cnp
from libc.math cimport fabs
from kernels.core.call cimport lay_out, register_name
from kernels.core.numeric cimport vm_atan2, weighed
from kernels.core.operands cimport (
    DOUBLE, FLOAT, Operand, Space, check_shape, describe, fetch, load_block, load_mask, merge_axes, store_block)
from kernels.core.orders cimport Curvature, Order, Slope, Value
from kernels.core.sums cimport WATCHED, Span, Team, add_values, exact_of, fl_stops, many, run_from

cnp.import_array()

cdef enum:
    PAIRS = 128           # of a block, which then stays in the first-level cache

cdef extern from *:
    """
    #define FOUR_OVER_PI_SQUARED 0.405284734569351085776
    """
    const double FOUR_OVER_PI_SQUARED

# The losses: which penalty is added to 1 - IoU.
cdef struct Giou:            # the share of the hull that is empty
    char none
cdef struct Diou:            # the squared distance of the centres, by that of the hull's corners
    char none
cdef struct Ciou:            # ... and the difference of the aspect ratios
    char none
ctypedef fused Loss:
    Giou
    Diou
    Ciou

cdef enum:
    LOW_X, LOW_Y, HIGH_X, HIGH_Y, ENDS      # as they stand in a box

cdef struct Block:
    double ends[2][<int> ENDS][PAIRS]       # of both boxes
    double factor[PAIRS]                    # of the derivatives
    double value[PAIRS]
    double grads[2][<int> ENDS][PAIRS]
    double hesses[2][<int> ENDS][PAIRS]

cdef struct Side:            # a pair of boxes along one axis
    double own[2]            # their lengths
    double over              # the length of the part they share; less than 0: the gap between them
    double rest[2]           # own - over
    double shared            # `over` where they overlap along both axes, else 0
    double left[2]           # own - shared
    double hull              # the length of both together
    double low, high         # how far box 0 sets the lower and the higher end of `over`: 0, 1/2 or 1
    double apart             # from the centre of box 1 to that of box 0

cdef struct Pair:            # what the derivatives of a pair share. Inverses of 0 are 0.
    double iou
    double gap               # 1 - IoU
    double by_union          # 1 / union
    double penalty           # empty part of the hull / hull, or squared distance / squared diagonal
    double by                # 1 / hull, or 1 / squared diagonal
    double twist             # difference of the angles: derivative of its part in the loss, ...
    double untwist           # ... second derivative, ...
    double turn[2]           # ... and 1 / squared diagonal of each box


cdef inline double part_of(double x, double whole, double default) noexcept nogil:
    """x / whole, or the default where whole is 0."""
    cdef double y = x / (1 if whole == 0 else whole)
    return default if whole == 0 else y

cdef inline double share(double a, double b) noexcept nogil:
    """Of a in max(a, b), as torch's gradient has it."""
    return <double> 0.5 if a == b else <double> (a > b)

cdef inline void measure(double low0, double high0, double low1, double high1, Side *side) noexcept nogil:
    cdef double low = low0 if low0 > low1 else low1, high = high0 if high0 < high1 else high1
    side.own[0] = high0 - low0
    side.own[1] = high1 - low1
    side.over = high - low
    side.rest[0] = (low - low0) + (high0 - high)
    side.rest[1] = (low - low1) + (high1 - high)
    side.hull = (high1 if high0 < high1 else high0) - (low1 if low0 > low1 else low0)
    side.low = share(low0, low1)
    side.high = share(high1, high0)
    side.apart = 0.5 * ((low0 - low1) + (high0 - high1))

cdef inline void overlap(Side *side, const Side *other) noexcept nogil:
    cdef double shared = side.over if other.over > 0 else 0
    side.shared = shared if shared > 0 else 0
    side.left[0] = side.rest[0] if side.shared > 0 else side.own[0]
    side.left[1] = side.rest[1] if side.shared > 0 else side.own[1]


cdef inline double empty_part(const Side *x, const Side *y) noexcept nogil:
    """The area of the hull less that of the union. With gaps, which are negative lengths that are shared,
    rest₁ᵪ rest₀ᵧ + rest₀ᵪ rest₁ᵧ - overᵪ overᵧ; that holds for all boxes, and no term of this sum cancels."""
    cdef double gap_x = -x.over if x.over < 0 else 0, gap_y = -y.over if y.over < 0 else 0
    cdef double over_x = x.over if x.over > 0 else 0, rest = x.own[0] if x.over < 0 else x.rest[0]
    return (x.rest[1] * y.rest[0] + rest * y.rest[1]) + (gap_x * y.own[1] + over_x * gap_y)


cdef inline double angle_between(const Side *x, const Side *y) noexcept nogil:
    """atan(width / height) of box 1, less that of box 0. As with an arctangent, a box upside down is the same box."""
    cdef double w0 = -x.own[0] if y.own[0] < 0 else x.own[0], h0 = fabs(y.own[0])
    cdef double w1 = -x.own[1] if y.own[1] < 0 else x.own[1], h1 = fabs(y.own[1])
    return vm_atan2(w1 * h0 - w0 * h1, h1 * h0 + w1 * w0)


cdef inline double evaluate(const Loss *loss, Side *x, Side *y, double eps, Pair *pair) noexcept nogil:
    """The loss of a pair."""
    cdef double outside, inside, whole, angle, ratio, alpha
    overlap(x, y)
    overlap(y, x)
    inside = x.shared * y.shared
    outside = (x.left[0] * y.own[0] + x.left[1] * y.own[1]) + x.shared * (y.left[0] + y.left[1])
    whole = (outside + inside) + eps
    pair.gap = part_of(outside + eps, whole, 1)
    pair.by_union = part_of(1, whole, 0)
    pair.iou = part_of(inside, whole, 0)
    if Loss is Giou:
        whole = x.hull * y.hull + eps
        pair.penalty = part_of(empty_part(x, y), whole, 0)
    else:
        whole = (x.hull * x.hull + y.hull * y.hull) + eps
        pair.penalty = part_of(x.apart * x.apart + y.apart * y.apart, whole, 0)
    pair.by = part_of(1, whole, 0)
    if Loss is Ciou:
        angle = angle_between(x, y)
        ratio = FOUR_OVER_PI_SQUARED * (angle * angle)
        alpha = part_of(ratio, pair.gap + ratio + eps, 0)
        pair.untwist = 2 * FOUR_OVER_PI_SQUARED * alpha
        pair.twist = pair.untwist * angle
        pair.turn[0] = part_of(1, x.own[0] * x.own[0] + y.own[0] * y.own[0], 0)
        pair.turn[1] = part_of(1, x.own[1] * x.own[1] + y.own[1] * y.own[1], 0)
        return (pair.gap + pair.penalty) + alpha * ratio
    else:
        return pair.gap + pair.penalty


cdef inline void differentiate(const Loss *loss, const Pair *pair, const Side *along, const Side *across, int box, double sign,
                               double own_share, double turn, double curvature, double *grad, double *hess) noexcept nogil:
    """With respect to one end of a box, the higher for sign 1, the lower for -1, which has this share in the end of what is
    shared. Both areas, and what is shared, are linear in it. `turn` and `curvature` are the derivatives of the angle."""
    cdef double outer = 1 - own_share, slope, stretch
    # Of what is shared: -1 where this end sets it, IoU where it does not; at a tie the mean of both.
    cdef double weight = -0.5 * pair.gap if own_share == 0.5 else pair.iou * outer - own_share
    slope = sign * pair.by_union * (pair.iou * across.left[box] + across.shared * weight)
    grad[0] = slope
    hess[0] = -2 * pair.by_union * (sign * (across.left[box] + outer * across.shared)) * slope
    if Loss is Giou:
        slope = sign * pair.by * (outer * (across.rest[1 - box] - pair.penalty * across.hull) - own_share * across.left[box])
        grad[0] += slope
        hess[0] -= 2 * pair.by * (sign * outer * across.hull) * slope
    else:
        stretch = 2 * sign * outer * along.hull
        slope = pair.by * ((-along.apart if box else along.apart) - pair.penalty * stretch)
        grad[0] += slope
        hess[0] += pair.by * (0.5 - 2 * (outer * outer) * pair.penalty - 2 * stretch * slope)
    if Loss is Ciou:
        grad[0] += sign * pair.twist * turn
        hess[0] += pair.untwist * (turn * turn) + pair.twist * curvature


cdef inline void both_ends(const Loss *loss, const Order *order, const Pair *pair, const Side *along, const Side *across,
                           int box, int axis, Block *block, Py_ssize_t i) noexcept nogil:
    """The derivatives with respect to both ends of a box along one axis."""
    cdef double turn = 0, curvature = 0, g, h
    if Loss is Ciou:
        # Of the angle between, which grows with the width of box 1 and with the height of box 0.
        turn = across.own[box] * pair.turn[box]
        curvature = 2 * turn * (along.own[box] * pair.turn[box])
        if (axis == 0) == (box == 0):
            turn = -turn
        else:
            curvature = -curvature
    differentiate(loss, pair, along, across, box, -1, 1 - along.low if box else along.low, turn, curvature, &g, &h)
    block.grads[box][axis][i] = weighed(block.factor[i], g)
    if Order is Curvature:
        block.hesses[box][axis][i] = weighed(block.factor[i], h)
    differentiate(loss, pair, along, across, box, 1, 1 - along.high if box else along.high, turn, curvature, &g, &h)
    block.grads[box][axis + 2][i] = weighed(block.factor[i], g)
    if Order is Curvature:
        block.hesses[box][axis + 2][i] = weighed(block.factor[i], h)


cdef void map_block(const Loss *loss, const Order *order, Block *block, Py_ssize_t n, double eps) noexcept nogil:
    """The losses and derivatives of n pairs."""
    cdef Side x, y
    cdef Pair pair
    cdef Py_ssize_t i
    for i in range(n):
        measure(block.ends[0][<int> LOW_X][i], block.ends[0][<int> HIGH_X][i], block.ends[1][<int> LOW_X][i],
                block.ends[1][<int> HIGH_X][i], &x)
        measure(block.ends[0][<int> LOW_Y][i], block.ends[0][<int> HIGH_Y][i], block.ends[1][<int> LOW_Y][i],
                block.ends[1][<int> HIGH_Y][i], &y)
        block.value[i] = evaluate(loss, &x, &y, eps, &pair)
        if Order is not Value:
            both_ends(loss, order, &pair, &x, &y, 0, 0, block, i)
            both_ends(loss, order, &pair, &y, &x, 0, 1, block, i)
            both_ends(loss, order, &pair, &x, &y, 1, 0, block, i)
            both_ends(loss, order, &pair, &y, &x, 1, 1, block, i)


# ---- boxes in memory -------------------------------------------------------------------------------------------------

ctypedef fused Packed:       # what lies as four native numbers a box, box after box, is turned by a loop of its own
    float
    double


cdef void transpose_in(const Packed *boxes, Py_ssize_t n, double ends[<int> ENDS][PAIRS]) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        ends[<int> LOW_X][i] = boxes[4 * i]
        ends[<int> LOW_Y][i] = boxes[4 * i + 1]
        ends[<int> HIGH_X][i] = boxes[4 * i + 2]
        ends[<int> HIGH_Y][i] = boxes[4 * i + 3]


cdef void transpose_out(Packed *boxes, Py_ssize_t n, const double ends[<int> ENDS][PAIRS]) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        boxes[4 * i] = <Packed> ends[<int> LOW_X][i]
        boxes[4 * i + 1] = <Packed> ends[<int> LOW_Y][i]
        boxes[4 * i + 2] = <Packed> ends[<int> HIGH_X][i]
        boxes[4 * i + 3] = <Packed> ends[<int> HIGH_Y][i]


# ---- one call --------------------------------------------------------------------------------------------------------

# The operands: two arrays of boxes; weight, mask and value of each pair; gradients and second derivatives of the boxes.
cdef enum:
    B0, B1, W, M, V, G0, G1, H0, H1, OPERANDS

ctypedef void (*BlockFunction)(const void *loss, const void *order, Block *block, Py_ssize_t n, double eps) noexcept nogil

cdef struct Boxes:
    Space space
    Operand operands[<int> OPERANDS]
    Py_ssize_t steps[<int> OPERANDS]        # from one end of a box to the next
    bint packed[<int> OPERANDS]
    BlockFunction function
    double eps
    double scale             # of the derivatives
    bint summed
    Team team


cdef void load_boxes(const Boxes *job, int k, Py_ssize_t start, Py_ssize_t n, double ends[<int> ENDS][PAIRS]) noexcept nogil:
    cdef const Operand *op = &job.operands[k]
    cdef int end
    if job.packed[k] and op.kind == FLOAT:
        transpose_in(<const float *> op.data + 4 * start, n, ends)
    elif job.packed[k]:
        transpose_in(<const double *> op.data + 4 * start, n, ends)
    else:
        for end in range(<int> ENDS):
            load_block(op, op.load, op.data + end * job.steps[k], &job.space, 0, job.space.ndim, start, n, <char *> ends[end],
                       sizeof(double))


cdef void store_boxes(const Boxes *job, int k, Py_ssize_t start, Py_ssize_t n, double ends[<int> ENDS][PAIRS]) noexcept nogil:
    """No-op if the output was not requested."""
    cdef const Operand *op = &job.operands[k]
    cdef int end
    if op.data == NULL:
        return
    if job.packed[k] and op.kind == FLOAT:
        transpose_out(<float *> op.data + 4 * start, n, ends)
    elif job.packed[k]:
        transpose_out(<double *> op.data + 4 * start, n, ends)
    else:
        for end in range(<int> ENDS):
            store_block(op, op.data + end * job.steps[k], &job.space, 0, job.space.ndim, start, n, <const double *> ends[end])


cdef double boxes_span(const void *like, const Boxes *job, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Pairs start … stop-1, block by block; their values are added to what the thread adds up."""
    cdef Block block
    cdef double weight[PAIRS]
    cdef double valid[PAIRS]
    cdef const double *w
    cdef const Operand *op = <const Operand *> job.operands
    cdef bint weighted = op[<int> W].data != NULL or op[<int> M].data != NULL
    cdef Py_ssize_t i, n, unwatched = 0
    for i in range(PAIRS):
        block.factor[i] = job.scale
    while start < stop:
        n = min(<Py_ssize_t> PAIRS, stop - start)
        load_boxes(job, B0, start, n, block.ends[0])
        load_boxes(job, B1, start, n, block.ends[1])
        if weighted:
            w = weight
            for i in range(n):
                weight[i] = 1
            if op[<int> W].data != NULL:
                w = fetch(&op[<int> W], op[<int> W].data, &job.space, 0, job.space.ndim, start, n, <double *> weight)
            for i in range(n):
                block.factor[i] = w[i]
            if op[<int> M].data != NULL:
                load_mask(&op[<int> M], op[<int> M].data, &job.space, 0, job.space.ndim, start, n, <double *> valid)
                for i in range(n):
                    block.factor[i] = 0 if valid[i] == 0 else block.factor[i]
            for i in range(n):
                weight[i] = block.factor[i]
                block.factor[i] = weighed(weight[i], job.scale)
        job.function(NULL, NULL, &block, n, job.eps)
        if weighted:
            for i in range(n):
                block.value[i] = weighed(weight[i], block.value[i])
        if job.summed:
            add_values(&job.team, <const double *> block.value, n)
        if op[<int> V].data != NULL:
            store_block(&op[<int> V], op[<int> V].data, &job.space, 0, job.space.ndim, start, n, <const double *> block.value)
        store_boxes(job, G0, start, n, block.grads[0])
        store_boxes(job, G1, start, n, block.grads[1])
        store_boxes(job, H0, start, n, block.hesses[0])
        store_boxes(job, H1, start, n, block.hesses[1])
        start += n
        unwatched += n
        if unwatched >= WATCHED:
            unwatched = 0
            if fl_stops(<Team *> &job.team):
                break
    return 0


cdef enum:
    MOST_LOSSES = 8

cdef BlockFunction _functions[<int> MOST_LOSSES][3]         # loss, order
LOSSES = {}      # name: number


cdef int register_loss(const Loss *loss, str name) except -1:
    cdef int number = register_name(LOSSES, name, MOST_LOSSES, 0, 0)
    _functions[number][0] = <BlockFunction> <void *> map_block[Loss, Value]
    _functions[number][1] = <BlockFunction> <void *> map_block[Loss, Slope]
    _functions[number][2] = <BlockFunction> <void *> map_block[Loss, Curvature]
    return 0


register_loss[Giou](NULL, "giou")
register_loss[Diou](NULL, "diou")
register_loss[Ciou](NULL, "ciou")


def boxes(int loss, double eps, int order, double scale, bint summed, int threads, tuple arrays, exact=None):
    """Run one loss over arrays (boxes, boxes, weight, mask, value, their gradients, their hessians), None where there is none.
    Those of boxes have these along their last axis; weight, mask and value lack that.

    Order 0 computes values, 1 gradients too, 2 second derivatives too; the latter two are multiplied by `scale`, and added to
    float64 items where boxes were broadcast. Returns the sum of the weighted values (0 unless `summed`), which is also added to
    `exact`."""
    cdef Boxes job
    cdef cnp.ndarray array, x
    cdef Operand *op = job.operands
    cdef Space *space = &job.space
    cdef Py_ssize_t count = 1
    cdef int k, axis, outer
    if not 0 <= loss < len(LOSSES) or not 0 <= order <= 2 or len(arrays) != <int> OPERANDS:
        raise ValueError("kernel: no such loss, order or number of operands")
    for k in range(<int> G0, <int> OPERANDS):
        if (order > (k - <int> G0) // 2) != ((<tuple> arrays)[k] is not None):
            raise ValueError("kernel: not the arrays for the derivatives asked for")
    x = arrays[<int> B0]
    outer = cnp.PyArray_NDIM(x) - 1
    if outer < 0 or cnp.PyArray_DIM(x, outer) != <int> ENDS or arrays[<int> B1] is None:
        raise ValueError("kernel: not two arrays of boxes")
    for k in range(<int> OPERANDS):
        array = arrays[k]
        check_shape(array, x, outer if W <= k <= V else outer + 1)
        describe(&op[k], array, <const double *> NULL, outer + 1, False, k >= V)
    for axis in range(outer):
        space.shape[axis] = cnp.PyArray_DIM(x, axis)
        count *= space.shape[axis]
    if count == 0:
        return 0.0
    for k in range(<int> OPERANDS):
        job.steps[k] = op[k].strides[outer] if op[k].data != NULL else 0
    space.ndim = merge_axes(op, <int> OPERANDS, space, 0, outer, 0)
    if lay_out(op, OPERANDS, G0, space, 0, True):
        threads = 1
    for k in range(<int> OPERANDS):
        array = arrays[k]
        job.packed[k] = (op[k].data != NULL and (op[k].kind == FLOAT or op[k].kind == DOUBLE) and not op[k].swapped
                         and cnp.PyArray_ISALIGNED(array) and job.steps[k] == op[k].itemsize
                         and space.ndim == 1 and op[k].strides[0] == <int> ENDS * op[k].itemsize)
    job.function = _functions[loss][order]
    job.eps = eps
    job.scale = scale
    job.summed = summed
    return run_from(<Span> <void *> boxes_span, &job, 0, count, PAIRS, many(count, 2 * <int> ENDS), threads, &job.team, False,
                    exact_of(exact))
