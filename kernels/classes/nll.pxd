# What losses are made of the negative log-likelihood of a class: of their values and gradients, and of products with the Hessian.
#
# To add one: the struct of its parameters (doubles, in the order in which Python passes them), its name in `NllTransform`, its
# branch in `transform`, and its line at the end of softmax_losses.pyx.

from kernels.classes.softmax cimport Across, Layout
from kernels.core.numeric cimport exp_parts, log1p_gap_unit, pow, product_error, real, vm_expm1_near


# φ, φ' and φ'' as functions of L = -log p; q = 1 - p. `gap` is m - x and `share` 1 / (1 + S), so p = exp(-gap) share.

cdef struct Plain:            # cross entropy: φ = L
    double z
    double cap

cdef struct Focal:            # q^γ L
    double gamma

cdef struct Generalized:      # (1 - p^k) / k
    double k

cdef struct Poly:             # L + ε q
    double epsilon

ctypedef fused NllTransform:
    Plain
    Focal
    Generalized
    Poly

cdef struct Nll:              # one of them, as all that is the same for them knows it
    bint plain                # whether φ is L itself
    double z
    double cap
    const double *parameters
    void *across              # its `transform_line` for each layout, and its `transform_labels`
    void *along
    void *labels

cdef inline double z_of(NllTransform f) noexcept nogil:
    if NllTransform is Plain:
        return f.z
    else:
        return 0

cdef inline double cap_of(NllTransform f) noexcept nogil:
    if NllTransform is Plain:
        return f.cap
    else:
        return 0

cdef inline void transform(NllTransform f, double nll, double p, double q, double gap, double gap_low, double share,
                      double *v, double *d, double *d2) noexcept nogil:
    cdef double w, ratio, part, high, low, near
    if NllTransform is Focal:
        # With L / q, which goes to 1 as q goes to 0: q^(γ - 1) alone may be infinite there.
        w = pow(q, f.gamma, 0)
        ratio = nll / q if q > 0 else 1 + q
        part = p * ratio if p > 0 else p
        v[0] = w * nll
        d[0] = w * (1 + f.gamma * part)
        w = w / q
        w = 1e300 if w > 1e300 else w
        d2[0] = f.gamma * w * (p * (2 - nll) + (f.gamma - 1) * p * part) if (f.gamma > 0) & (q > 0) & (p > 0) else 0 * q
    elif NllTransform is Generalized:
        # p^k from the parts of p, which may underflow where its power does not.
        high = -f.k * gap
        low = product_error(-f.k, gap, high) - f.k * gap_low
        w = exp_parts(high, low if low == low else 0, pow(share, f.k, 0))
        near = f.k * nll
        v[0] = (-vm_expm1_near(-near if near < 0.68 else -0.68) if near < 0.68 else 1 - w) / f.k
        v[0] = nll * (1 - 0.5 * near) if near < 1e-9 else v[0]      # near may be subnormal
        d[0] = w
        d2[0] = -f.k * w
    elif NllTransform is Poly:
        # For ε near -1 nearly nothing is left of both: L - q = y²/(1 + y) - (y - log1p(y)) for y = q / p.
        ratio = q / p
        near = ratio if ratio < 1 else 1
        part = near * near / (1 + near) - log1p_gap_unit(near)
        v[0] = (1 + f.epsilon) * nll - f.epsilon * part if (f.epsilon < 0) & (ratio <= 1) else nll + f.epsilon * q
        d[0] = 1 + f.epsilon * p if f.epsilon >= 0 else (1 + f.epsilon) - f.epsilon * q
        d2[0] = -f.epsilon * p
    else:
        v[0] = nll
        d[0] = 1
        d2[0] = 0

cdef inline void transform_line(const Nll *f, Layout l, Py_ssize_t n, const real *x, const real *e, const real *tau, const real *own,
                                const double *wide, real *v, real *a, real *b) noexcept nogil:
    """τ φ, a and b of the classes of a line: see `transform_classes`."""
    (<void (*)(const void *, Layout, Py_ssize_t, const real *, const real *, const real *, const real *, const double *,
               real *, real *, real *) noexcept nogil> (f.across if Layout is Across else f.along))(
        f.parameters, l, n, x, e, tau, own, wide, v, a, b)
