# The loop over a block, for each formula of the family that includes this file at its end. It is a template: `point` must
# be compiled into the loop, and Cython has no fused type of functions.
#
# It needs: `Formula`, the fused type of the formulas; `ByThird`, `ByFourth` and `Heavy`, some of them (see formulas.pxd);
# `point(f, x, t, u, s, &v, g, h)`, which calls the formula of f; `register_formulas()`, which calls register_formula for
# each. It gives: map_block, element, check_block, register_formula.

from kernels.core.sums cimport LANES, Lanes, accumulate
from kernels.elementwise.formulas cimport BAD_FOURTH, BAD_INPUT, BAD_TARGET, DERIVATIVES, PLAIN, SIGNS, Trait
from kernels.core.orders cimport Curvature, Order, Slope, Value
from kernels.elementwise.elementwise cimport (
    BY_FOURTH, BY_THIRD, PAD, BlockFunction, Check, Element, Elementf, Entry, S, Sink, Slopes, Stored, Summed, T, U, X, register)


cdef void map_block(const Formula *formula, const Order *order, const Sink *sink, Py_ssize_t n, const real *x,
                    const real *t, const real *u, const real *s, double scale, Lanes *lanes, real *v, real *g, real *h,
                    real *gu, real *hu, real *gs, real *hs) noexcept nogil:
    """One formula over a block; the values go to v, or (without second derivatives) are added to the lanes, or (with them) are not
    computed, and nothing with respect to u and s is. n is a multiple of PAD, or of LANES where values are added."""
    cdef Formula f = formula[0]
    cdef real factor = <real> scale, vi
    cdef real gi[DERIVATIVES]
    cdef real hi[DERIVATIVES]
    cdef Py_ssize_t i, j, count = n & -PAD     # which says so to the compiler
    if Sink is Slopes:
        for i in range(count):
            point(f, x[i], t[i], u[i], s[i], &vi, <real *> gi, <real *> hi)
            g[i] = gi[0] * factor
            h[i] = hi[0] * factor
    elif Sink is Stored:
        for i in range(count):
            point(f, x[i], t[i], u[i], s[i], &vi, <real *> gi, <real *> hi)
            v[i] = vi
            if Order is not Value:
                g[i] = gi[0] * factor
                if Formula in ByThird:
                    gu[i] = gi[1] * factor
                if Formula in ByFourth:
                    gs[i] = gi[2] * factor
            if Order is Curvature:
                h[i] = hi[0] * factor
                if Formula in ByThird:
                    hu[i] = hi[1] * factor
                if Formula in ByFourth:
                    hs[i] = hi[2] * factor
    else:
        for i from 0 <= i < n by LANES:
            for j in range(LANES):
                point(f, x[i + j], t[i + j], u[i + j], s[i + j], &vi, <real *> gi, <real *> hi)
                accumulate(vi, &lanes.total[j], &lanes.lost[j])
                if Order is not Value:
                    g[i + j] = gi[0] * factor
                    if Formula in ByThird:
                        gu[i + j] = gi[1] * factor
                    if Formula in ByFourth:
                        gs[i + j] = gi[2] * factor


cdef int element(const Formula *formula, int order, real x, real t, real u, real s, real *out) noexcept nogil:
    """One element: value, derivatives, those with respect to u. Returns which operands are outside of the domain."""
    cdef Formula f = formula[0]
    cdef real g[DERIVATIVES]
    cdef real h[DERIVATIVES]
    cdef int bad
    if Formula not in Heavy:
        if order == 0:
            return point(f, x, t, u, s, &out[0], <real *> g, <real *> h)
    bad = point(f, x, t, u, s, &out[0], <real *> g, <real *> h)
    out[1] = g[0]
    out[2] = h[0]
    if Formula in ByThird:
        out[3] = g[1]
        out[4] = h[1]
    return bad


cdef Py_ssize_t check_block(const Formula *formula, Py_ssize_t n, const real *x, const real *t, const real *u, const real *s,
                            const real *w, int *operand) noexcept nogil:
    """The first element outside the formula's domain, and which operand it is; -1 if there is none. What has the weight 0
    is not looked at; w is NULL where there are no weights. n is a multiple of PAD."""
    cdef Formula f = formula[0]
    cdef real v
    cdef real g[DERIVATIVES]
    cdef real h[DERIVATIVES]
    cdef int found = 0
    cdef Py_ssize_t i, count = n & -PAD
    for i in range(count):
        found |= point(f, x[i], t[i], u[i], s[i], &v, <real *> g, <real *> h)
    if found and w != NULL:
        found = 0
        for i in range(count):
            found |= point(f, x[i], t[i], u[i], s[i], &v, <real *> g, <real *> h) * (w[i] != 0)
    if found:
        for i in range(n):
            found = point(f, x[i], t[i], u[i], s[i], &v, <real *> g, <real *> h)
            if found and (w == NULL or w[i] != 0):
                operand[0] = T if found & BAD_TARGET else X if found & BAD_INPUT else S if found & BAD_FOURTH else U
                return i
    return -1


cdef void fill_order(Entry *entry, const Formula *formula, const Order *order, int number) noexcept:
    entry.blocks[0][number][0] = <BlockFunction> <void *> map_block[Formula, Order, Stored, float]
    entry.blocks[1][number][0] = <BlockFunction> <void *> map_block[Formula, Order, Stored, double]
    if Formula not in Heavy and Order is not Curvature:      # not worth the time that compiling it takes
        entry.blocks[0][number][1] = <BlockFunction> <void *> map_block[Formula, Order, Summed, float]
        entry.blocks[1][number][1] = <BlockFunction> <void *> map_block[Formula, Order, Summed, double]
    if (Formula in ByThird or Formula in ByFourth) and Order is Curvature:
        entry.blocks[0][number][2] = <BlockFunction> <void *> map_block[Formula, Order, Slopes, float]
        entry.blocks[1][number][2] = <BlockFunction> <void *> map_block[Formula, Order, Slopes, double]


cdef int register_formula(const Formula *formula, str name, Trait trait) except -1:
    cdef int by = 0
    cdef Entry *entry
    if Formula in ByThird:
        by |= BY_THIRD
    if Formula in ByFourth:
        by |= BY_FOURTH
    entry = register(name, sizeof(Formula), by)
    fill_order[Formula, Value](entry, NULL, NULL, 0)
    fill_order[Formula, Slope](entry, NULL, NULL, 1)
    fill_order[Formula, Curvature](entry, NULL, NULL, 2)
    entry.adds = entry.blocks[0][0][1] != NULL
    entry.element = <Element> <void *> element[Formula, double]
    entry.elementf = <Elementf> <void *> element[Formula, float]
    if trait != PLAIN:
        entry.checks[0] = <Check> <void *> check_block[Formula, float]
        entry.checks[1] = <Check> <void *> check_block[Formula, double]
    entry.signs = trait == SIGNS
    return 0


register_formulas()
