/* focal.h - the focusing factor of the sigmoid focal loss, with the exponential in two parts that it needs to keep its digits. */
#ifndef FUSEDLOSS_FOCAL_H
#define FUSEDLOSS_FOCAL_H
#include "core/vecmath/exp_log.h"

/* (p t + q (1 - t)) m^gamma, m = t s(-x) + (1 - t) s(x), s(x) = 1/(1 + exp(-x)): the focusing factor
 * of the focal loss, with its weight of the classes.  Errors are those of m^gamma (p = q = 1); other
 * weights add nothing to floats and up to 2 ULP to doubles (1 for t = 0 or 1).
 * 0 <= t <= 1, gamma >= 0; 1 for gamma = 0, also where m = 0.  With z = exp(-|x|), m is
 * (a + b z)/(1 + z), and a = 0 is a case of its own: log m = -|x| - log(1 + z) does not underflow.
 * In double.
 * max 0.5034 ULP at 0x1.cce558p+1, 0x1.fffffap-1, 0x1.029cf4p+2 (FMA),
 *     0.5034 ULP at the same (no FMA). */
VM_INLINE float vm_focusf(float x, float t, double gamma, double p, double q)
{
    double u = (double)x < 0.0 ? -(double)x : (double)x;
    double z, a, n, y;
    u = u > 1e300 ? 1e300 : u; /* not inf, for gamma = 0 */
    z = vm_exp_short(-u);
    a = x < 0.0f ? (double)t : 1.0 - (double)t;
    n = a == 0.0 ? 1.0 : a + (1.0 - a) * z;
    y = vm_log_ratio_short(n, 1.0 + z) - (a == 0.0 ? u : 0.0);
    return (float)(VM_FMA(p, (double)t, q * (1.0 - (double)t)) * vm_exp_short(gamma * y));
}

/* (p t + q (1 - t)) m^2, m as in vm_focusf.
 * max 0.5016 ULP at -0x1.0519dcp+4, 0x1.559c46p-52 (FMA),
 *     0.5016 ULP at the same (no FMA). */
VM_INLINE float vm_focus2f(float x, float t, double p, double q)
{
    double z = vm_exp_short(x < 0.0f ? (double)x : -(double)x);
    double a = x < 0.0f ? (double)t : 1.0 - (double)t;
    double m = (a + (1.0 - a) * z) / (1.0 + z);
    return (float)(VM_FMA(p, (double)t, q * (1.0 - (double)t)) * (m * m));
}

/* exp(x) = hi + lo for -708 <= x <= 0: returns hi, stores lo; relative error < 2^-56 (2^-53 near
 * -708, where lo underflows).
 * 1 + r + r^2/2 + r^3 q(r), q minimax of degree 9; 1 + r + r^2/2 in two parts. */
VM_INLINE double vm_exp_two(double x, double *lo)
{
    const double magic = 0x1.8p52 + 1023.0; /* rounds to integer; low bits: exponent field of 2^n */
    double z = VM_FMA(x, 0x1.71547652b82fep0, magic); /* 1/ln2 */
    double n = z - magic;
    double c = VM_FMA(n, -VM_LN2_HI, x);
    double d = n * -VM_LN2_LO;
    double r = c + d;
    double rl = (c - r) + d;
    double w = r * r;
    double o = 0x1.1fdadd34901c9p-29;
    double e = 0x1.af6e58be545c9p-26;
    double p, q, s, h;
    o = VM_FMA(o, w, 0x1.27e54b66692fdp-22);
    e = VM_FMA(e, w, 0x1.71ddf0382352ap-19);
    o = VM_FMA(o, w, 0x1.a01a010bbc0f3p-16);
    e = VM_FMA(e, w, 0x1.a01a01b2b5826p-13);
    o = VM_FMA(o, w, 0x1.6c16c16c4d9a9p-10);
    e = VM_FMA(e, w, 0x1.111111110f0abp-7);
    o = VM_FMA(o, w, 0x1.5555555555498p-5);
    e = VM_FMA(e, w, 0x1.555555555555ap-3);
    p = 0.5 * w;
    s = 1.0 + r;
    h = s + p;
    q = VM_FMA(w * r, VM_FMA(o, r, e), ((s - h) + p) + (((1.0 - s) + r) + VM_FMA(r, rl, rl)));
    s = h + q;
    q += h - s;
    h = vm_float(vm_bits(z) << 52);
    *lo = q * h;
    return s * h;
}

/* m of vm_focusf in two parts: m = (n + nl)/(d + dl), 1 <= d <= 2; returns n.  exp(-|x|) as at
 * |x| = 708 from there on, so that n is a normal number. */
VM_INLINE double vm_focus_parts(double x, double t, double *nl, double *d, double *dl)
{
    double zl, z;
    double c = 1.0 - t;
    double cl = (1.0 - c) - t;
    double a = x < 0.0 ? t : c;
    double b = x < 0.0 ? c : t;
    double p, n, u = x < 0.0 ? x : -x;
    u = u < -708.0 ? -708.0 : u;
    z = vm_exp_two(u, &zl);
    p = b * z;
    n = a + p;
    cl *= x < 0.0 ? z : 1.0;
    *nl = vm_sum_error(a, p, n) + (vm_product_error(b, z, p) + VM_FMA(b, zl, cl));
    *d = 1.0 + z;
    *dl = ((1.0 - *d) + z) + zl;
    return n;
}

/* (pos t + neg (1 - t)) m^gamma, as vm_focusf, with m and its logarithm in two parts.  gamma from 0 to about 50.
 * max 0.9771 ULP at 0x1.fe9ee349514ep+2, 0x1.459a04c80b5aep-1, 0x1.1d7022df28624p+2 (FMA),
 *     0.9966 ULP at 0x1.0569b101110e2p+3, 0x1.030b9caa0634ap-2, 0x1.b964882a1473fp+1 (no FMA),
 * for gamma <= 5; 3.9 for gamma <= 50. */
VM_INLINE double vm_focus(double x, double t, double gamma, double pos, double neg)
{
    double d, dl, nl, n = vm_focus_parts(x, t, &nl, &d, &dl);
    double u = x < 0.0 ? -x : x;
    int hard = (x < 0.0 ? t : 1.0 - t) == 0.0;
    uint64_t h;
    double k, f, g, gl, r, s, p, sl, y, yl;
    u = u > 1e280 ? 1e280 : u; /* not inf, for gamma = 0 */
    n = hard ? 1.0 : n;
    nl = hard ? 0.0 : nl;
    h = vm_bits(n) - vm_bits(d) + 0x3ff8000000000000u; /* as in vm_log_ratio_short */
    k = vm_float((h >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    f = vm_float(0x7fe0000000000000u - (h & 0xfff0000000000000u)); /* 2^-k */
    n *= f;
    nl *= f;
    f = n - d;
    g = n + d;
    gl = vm_sum_error(n, d, g) + (nl + dl);
    r = 1.0 / g;
    s = f * r;
    p = s * g;
    sl = r * ((((f - p) - vm_product_error(s, g, p)) + (nl - dl)) - s * gl);
    y = vm_log_light_end(s, sl, k, &yl); /* log(n/d) */
    u = hard ? -u : 0.0;
    s = u + y;
    yl += vm_sum_error(u, y, s);
    y = s + yl; /* yl was no rounding error yet */
    yl += s - y;
    p = gamma * y;
    p = vm_exp_sum(p, VM_FMA(gamma, yl, vm_product_error(gamma, y, p)));
    return VM_FMA(pos, t, neg * (1.0 - t)) * p;
}

/* (pos t + neg (1 - t)) m^2, m as in vm_focusf.
 * max 0.9580 ULP at -0x1.620659f8be485p+8, 0x1.37e37f03721cap-613 (FMA),
 *     1.1265 ULP at -0x1.61b04bc1516dp+8, 0x1.91aad309bafffp-570 (no FMA). */
VM_INLINE double vm_focus2(double x, double t, double pos, double neg)
{
    double d, dl, nl, n = vm_focus_parts(x, t, &nl, &d, &dl);
    double r = 1.0 / d;
    double m = n * r;
    double p = m * d;
    double ml = r * ((((n - p) - vm_product_error(m, d, p)) + nl) - m * dl);
    return VM_FMA(pos, t, neg * (1.0 - t)) * VM_FMA(m, m, 2.0 * m * ml);
}
#endif
