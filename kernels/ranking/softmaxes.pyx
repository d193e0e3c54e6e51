# Cross entropies of the softmax of a group's scores and a distribution over its rows.

from libc.math cimport INFINITY, NAN
from kernels.core.numeric cimport exp_gap, log1p, real, weighed
from kernels.core.rowmath cimport count_equal, row_max, row_sum
from kernels.ranking.groups cimport Group, Job, register_groups


cdef const double *widened(const real *x, Py_ssize_t n, double *wide) noexcept nogil:
    """Numbers as doubles."""
    cdef Py_ssize_t i
    if real is double:
        return x
    else:
        for i in range(n):
            wide[i] = x[i]
        return wide


cdef double fill(int order, Py_ssize_t n, double number, double *g, double *h) noexcept nogil:
    """All derivatives are this number, which it returns."""
    cdef Py_ssize_t i
    for i in range(n if order > 0 else 0):
        g[i] = number
    for i in range(n if order > 1 else 0):
        h[i] = number
    return number


cdef inline double sum_but(const double *x, Py_ssize_t n, Py_ssize_t top) noexcept nogil:
    """The sum of all numbers but one."""
    return row_sum(x, top) + row_sum(x + top + 1, n - top - 1)


cdef void add_newton_term(Py_ssize_t n, Py_ssize_t top, double rest, const double *p, double *term, double *g) noexcept nogil:
    """Add the next term of the Neumann series of D H⁻¹ g, H the Hessian and D its diagonal, from the one before, in `term`."""
    cdef double others, total
    cdef Py_ssize_t i
    for i in range(n):
        term[i] /= 1 - p[i] if i != top else rest
    if rest == 0:                  # the others have no share of which anything could come
        term[top] = 0
    others = sum_but(<const double *> term, n, top)
    total = others + term[top]
    for i in range(n):
        term[i] = p[i] * (total - term[i] if i != top else others)
        g[i] += term[i]


cdef double cross_entropy(int order, Py_ssize_t n, const double *x, const double *target, int newton_terms, double *p, double *term,
                          double *g, double *h) noexcept nogil:
    """-Σ q log p for the softmax p of x and the distribution q that the targets are multiples of; 0 if they are all 0. p may lie
    where x lies."""
    cdef double m = row_max(x, n, <double> -INFINITY), rest, over, aims, other_aims, value = 0, factor
    cdef Py_ssize_t i, top = 0
    while x[top] != m:
        top += 1
    other_aims = sum_but(target, n, top)
    aims = other_aims + target[top]
    if n == 1 or aims == 0:
        return fill(order, n, 0, g, h)
    if m == -INFINITY or (m == INFINITY and count_equal(x, n, m) > 1):
        return fill(order, n, NAN, g, h)
    for i in range(n):
        term[i] = weighed(target[i], m - x[i] if x[i] != m else 0)
    value = row_sum(<const double *> term, n) / aims
    for i in range(n):
        p[i] = exp_gap(x[i], m) if x[i] != m else 1
    rest = sum_but(<const double *> p, n, top)
    value += log1p(rest)
    if order == 0:
        return value
    over = 1 / (1 + rest)
    factor = 1 / aims
    rest *= over
    for i in range(n):
        p[i] *= over
        g[i] = p[i] - target[i] * factor
    if target[top] > other_aims:
        g[top] = other_aims * factor - rest
    if order > 1:
        for i in range(n):
            h[i] = p[i] * (1 - p[i])
        h[top] = p[top] * rest
    if newton_terms > 0:
        for i in range(n):
            term[i] = g[i]
    for i in range(newton_terms):
        add_newton_term(n, top, rest, p, term, g)
    return value


# ---- XE-NDCG ---------------------------------------------------------------------------------------------------------
#
# The plan has 2^(t - t_max) for each row, and 2^-t_max for each group, so that nothing overflows.

cdef double xe_ndcg(const real *like, Job *job, const Group *group) noexcept nogil:
    """The cross entropy with the targets 2^t - noise; see xe_ndcg_loss."""
    cdef Py_ssize_t n = group.size, i
    cdef double *p = group.spare
    cdef double *term = p + group.room
    cdef double *target = term + group.room
    cdef const double *x = widened(<const real *> group.x, n, p)
    cdef const real *noise = <const real *> group.extra
    cdef bint outside = False
    for i in range(n):
        target[i] = group.columns[0][i]
    for i in range(n if noise != NULL else 0):
        outside |= (noise[i] < 0) | (noise[i] > 1)
        target[i] -= noise[i] * group.facts[0]
    if outside:
        job.outside = True
        return 0
    return cross_entropy(job.order, n, x, target, <int> job.parameters[0], p, term, group.g, group.h)


register_groups("xe_ndcg", <void *> xe_ndcg[float], <void *> xe_ndcg[double], 1, 1, 1, 3)
