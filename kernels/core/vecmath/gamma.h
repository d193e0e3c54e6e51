/* gamma.h - the log of the gamma function and its derivatives: as exp_log.h, for loops that the compiler vectorises,
 * with the error bound at each and where it is met.
 *
 * Where a function has the argument `narrow`, a constant, the result is for floats: computed in double
 * with shorter polynomials, whose relative errors are below 2^-36.
 */
#ifndef VECMATH_GAMMA_H
#define VECMATH_GAMMA_H
#include "exp_log.h"

/* The log of the gamma function of d + 1 for d >= 0, or where `low` is set, and d < 1, of that of d.
 * d < 3/2: d (d - 1) q(d), which keeps both zeros exact, q minimax of degree 12; above, Stirling's
 * formula, (d + 1/2)(log d - 1) + (log(2 pi) + 1)/2 + p(1/d^2)/d, p minimax of degree 4. */
VM_INLINE double vm_log_factorial_narrow(double d, int low)
{
    double x = d - 0.75;
    double w = x * x;
    double e = 0x1.418a8e2f0cadfp-14;
    double o = -0x1.1fce936e30facp-13;
    e = VM_FMA(e, w, 0x1.ef00f063625efp-14);
    o = VM_FMA(o, w, -0x1.f101040ad3079p-13);
    e = VM_FMA(e, w, 0x1.2434731b74e2bp-11);
    o = VM_FMA(o, w, -0x1.1a5801f1d2221p-10);
    e = VM_FMA(e, w, 0x1.125506e796237p-9);
    o = VM_FMA(o, w, -0x1.14c8ce4ff70acp-8);
    e = VM_FMA(e, w, 0x1.1f9796e5d9d4ap-7);
    o = VM_FMA(o, w, -0x1.382eefc34d5d7p-6);
    e = VM_FMA(e, w, 0x1.6cb6205b38899p-5);
    o = VM_FMA(o, w, -0x1.e9658515825c6p-4);
    e = VM_FMA(e, w, 0x1.ccf151e180264p-2);
    double a = d * (d - 1.0) * VM_FMA(o, x, e);
    double r = 1.0f / (float)d;
    double y = vm_log_ratio_short(d, 1.0);
    w = r * r;
    double v = w * w;
    double g = 0x1.36e6a7c7a85c8p-13;
    double h = -0x1.95969c6aecf01p-12;
    g = VM_FMA(g, v, 0x1.8ba713d954647p-11);
    h = VM_FMA(h, v, -0x1.6b99eb2be3033p-9);
    g = VM_FMA(g, v, 0x1.5555328128a9p-4);
    double b = VM_FMA(d + 0.5, y - 1.0, VM_FMA(VM_FMA(h, w, g), r, 0x1.6b3f8e4325f5ap+0));
    a = low ? (d == 0.0 ? VM_INF : a - y) : a;
    a = d < 1.5 ? a : b;
    return d < VM_INF ? a : d;
}

/* log(t!), the log of the gamma function of t + 1, for t >= 0.
 * max 0.6002 ULP at 0x1.b78c6cp+0 (FMA),
 *     0.6002 ULP at the same (no FMA). */
VM_INLINE float vm_log_factorialf(float t)
{
    return (float)vm_log_factorial_narrow(t, 0);
}

/* The log of the gamma function of x >= 0.
 * max 0.5836 ULP at 0x1.4a4872p+1 (FMA),
 *     0.5836 ULP at 0x1.4a4872p+1 (no FMA). */
VM_INLINE float vm_log_gammaf(float x)
{
    return (float)vm_log_factorial_narrow(x < 1.0f ? (double)x : x - 1.0, x < 1.0f);
}

/* As vm_log_factorial_narrow, with q of degree 24 in t - 203/256 (where its value is close to a double),
 * p of degree 17, and log(t) and the sum in two parts. */
VM_INLINE double vm_log_factorial_wide(double t, int low)
{
    double x = t - 203.0 / 256.0;
    double w = x * x;
    double e = 0x1.893661c00591ap-24;
    double o = -0x1.11c783f9d4047p-24;
    e = VM_FMA(e, w, -0x1.3631c1bf6c7afp-23);
    o = VM_FMA(o, w, -0x1.e7c05a7aacef5p-25);
    e = VM_FMA(e, w, 0x1.d2e087d78f069p-22);
    o = VM_FMA(o, w, -0x1.95513930c2345p-22);
    e = VM_FMA(e, w, 0x1.0036b0ffa7f42p-21);
    o = VM_FMA(o, w, -0x1.4c511cd2aadd6p-20);
    e = VM_FMA(e, w, 0x1.47c11468a5a37p-19);
    o = VM_FMA(o, w, -0x1.2b704194ffa96p-18);
    e = VM_FMA(e, w, 0x1.1bbe4ab7c57cp-17);
    o = VM_FMA(o, w, -0x1.0fbcd6eefb778p-16);
    e = VM_FMA(e, w, 0x1.048e61650301cp-15);
    o = VM_FMA(o, w, -0x1.f60d4b5967f68p-15);
    e = VM_FMA(e, w, 0x1.e6ba7b5a86fbep-14);
    o = VM_FMA(o, w, -0x1.db5a199f14a2ap-13);
    e = VM_FMA(e, w, 0x1.d47665e0daf33p-12);
    o = VM_FMA(o, w, -0x1.d3027f36c5213p-11);
    e = VM_FMA(e, w, 0x1.d89fd7be58399p-10);
    o = VM_FMA(o, w, -0x1.e836103d9fc9fp-9);
    e = VM_FMA(e, w, 0x1.03a4183fb22c3p-7);
    o = VM_FMA(o, w, -0x1.20b115a1c1e85p-6);
    e = VM_FMA(e, w, 0x1.595c40e63a6c3p-5);
    o = VM_FMA(o, w, -0x1.da25842eb2b59p-4);
#if VM_HAVE_FMA
    double a = VM_FMA(t, t, -t);
#else
    double a = t * (t - 1.0);
#endif
    a = VM_FMA(a, 0x1.c7c4a3789f452p-2, (a * x) * VM_FMA(e, x, o));

    int small = low && t < 0x1p-1022;
    double c = small ? t * 0x1p54 : t;
    uint64_t k = vm_bits(c) + 0x0008000000000000u; /* exponent field: k + 1023 */
    double m = vm_float(vm_bits(c) - (k & 0xfff0000000000000u) + 0x3ff0000000000000u);
    double n = vm_float((k >> 52) | 0x4330000000000000u) - (small ? 0x1p52 + (1023.0 + 54.0) : 0x1p52 + 1023.0);
    double f = m - 1.0;
    double d = m + 1.0;
    double r = 1.0 / d;
    double s = f * r;
    double p = s * d;
    double sl = r * (((f - p) - vm_product_error(s, d, p)) - s * (m - (d - 1.0)));
    double yl, y = vm_log_light_end(s, sl, n, &yl); /* log t */

    double z = 1.0 / t;
    w = z * z;
    double v = w * w;
    double g = 0x1.92e66c450ea7ep+1;
    double h = -0x1.6cd9d4ca4261cp-1;
    h = VM_FMA(h, v, -0x1.9d58e17772912p+2);
    g = VM_FMA(g, v, 0x1.05e438a836996p+3);
    h = VM_FMA(h, v, -0x1.cc05addba21b9p+2);
    g = VM_FMA(g, v, 0x1.2a494a914b518p+2);
    h = VM_FMA(h, v, -0x1.29b9aff6d6f25p+1);
    g = VM_FMA(g, v, 0x1.d8e17df81e664p-1);
    h = VM_FMA(h, v, -0x1.35204a01b2c38p-2);
    g = VM_FMA(g, v, 0x1.5bfd10a43bf06p-4);
    h = VM_FMA(h, v, -0x1.69c3f5b599956p-6);
    g = VM_FMA(g, v, 0x1.8399194a4c9ffp-8);
    h = VM_FMA(h, v, -0x1.efdc1127c9527p-10);
    g = VM_FMA(g, v, 0x1.b8ca8cc271046p-11);
    h = VM_FMA(h, v, -0x1.380fe04f88f0dp-11);
    g = VM_FMA(g, v, 0x1.a019f205d42f5p-11);
    h = VM_FMA(h, v, -0x1.6c16c163257c4p-9);
    g = VM_FMA(g, v, 0x1.5555555555181p-4);
    double u = y - 1.0;
    double ul = (y - (u + 1.0)) + yl;
    double q = t + 0.5;
    double ql = 0.5 - (q - t);
    double b, bl;
    p = q * u;
    b = p + 0x1.6b3f8e4325f5ap+0; /* (log(2 pi) + 1)/2 */
    bl = vm_product_error(q, u, p) + vm_sum_error(p, 0x1.6b3f8e4325f5ap+0, b);
    bl = t < 0x1p900 ? bl : 0.0; /* NaN where p overflows */
    b += bl + VM_FMA(q, ul, VM_FMA(VM_FMA(h, w, g), z, VM_FMA(ql, u, 0x1.4d252f2400510p-54)));
    a = low ? (t == 0.0 ? VM_INF : (a - yl) - y) : a;
    a = t < 1.5 ? a : b;
    return t < VM_INF ? a : t;
}

/* log(t!), as vm_log_factorialf.
 * max 1.6582 ULP at 0x1.bd0814d8037fp-6 (FMA),
 *     2.6211 ULP at 0x1.fa9337ab64557p-2 (no FMA). */
VM_INLINE double vm_log_factorial(double t)
{
    return vm_log_factorial_wide(t, 0);
}

/* The log of the gamma function of x >= 0, as vm_log_gammaf.
 * max 1.4711 ULP at 0x1.d7a594d543132p-1 (FMA),
 *     2.2553 ULP at 0x1.0093bf96debc8p+1 (no FMA). */
VM_INLINE double vm_log_gamma(double x)
{
    return vm_log_factorial_wide(x < 1.0 ? x : x - 1.0, x < 1.0);
}

/* Below, h = x - 1/2, for x < 3 after a shift x + 3, so that h >= 5/2, and q = 1/(h^2 + 5/4):
 *   digamma = log h + q P(q), trigamma = (1 + q K(q))/h.
 * Without the 1/2 the series would have twice as many terms, without the 5/4 half as many again.  P is minimax of
 * degree 11 (narrow: 6), K of 12 (7). */

/* digamma(x) for x >= 0.  x < 3: from the zero x0 on, (x - x0) times a sum of positive terms.
 * D is the divided difference of q P(q) between x0 and x. */
VM_INLINE double vm_digamma_of(double x, int narrow)
{
    const double zero = 0x1.762d86356be3fp+0;
    int low = x < 3.0;
    double h = x + (low ? 2.5 : -0.5);
    double delta = (x - zero) - 0x1.b86a722197829p-54;
    double q = 1.0 / VM_FMA(h, h, 1.25);
    double w = q * q;
    double e, o, y, c;
    if (narrow) {
        e = 0x1.948ca33229636p-3;
        o = 0x1.de211a60e6b6fp-5;
        e = VM_FMA(e, w, 0x1.3413ba7973d33p-4);
        o = VM_FMA(o, w, 0x1.f897140c857fap-5);
        e = VM_FMA(e, w, 0x1.bd63e6139d415p-5);
        o = VM_FMA(o, w, 0x1.8937394bd3defp-5);
        e = VM_FMA(e, w, 0x1.6c8a177126da1p-5);
        y = vm_log_ratio_short(h, low ? 0x1.fb16c31ab5f2p+1 : 1.0);
        c = 0x1.58381760faf41p-9; /* q P(q) at x0 */
    } else {
        e = 0x1.72bcc2b5f651p+0;
        o = -0x1.7f696b00fc2b9p-1;
        e = VM_FMA(e, w, 0x1.5e9e8021ff2aep-2);
        o = VM_FMA(o, w, -0x1.ec1e48c3aeae1p-2);
        e = VM_FMA(e, w, 0x1.be0eedfd4dc9bp-4);
        o = VM_FMA(o, w, 0x1.124024fadd013p-4);
        e = VM_FMA(e, w, 0x1.28e72f52ba262p-4);
        o = VM_FMA(o, w, 0x1.4d1f662fb481dp-4);
        e = VM_FMA(e, w, 0x1.bd59c46b9db4ap-5);
        o = VM_FMA(o, w, 0x1.f9f09b0f2817fp-5);
        e = VM_FMA(e, w, 0x1.6c8a1756f35fdp-5);
        o = VM_FMA(o, w, 0x1.8937584ec9f9dp-5);
        y = vm_log_of_sum(low ? 1.0 : 0.0, low ? delta : h, low ? 0x1.027ab4ff7fbfdp-2 : 1.0);
        c = 0x1.583817483d5dfp-9;
    }
    e = VM_FMA(o, q, e);
    c = VM_FMA(q - 0x1.e375ba64058f3p-5, e, c);
    double f = -0x1.e375ba64058f3p-5 * (0x1.fb16c31ab5f2p+1 + h) * q * e; /* (q - q0) D / (x - x0) */
    /* the shift: the sum of 1/((x0 + k)(x + k)) */
    double g = VM_FMA(VM_FMA(0x1.6118a4c3220cap+0, x, 0x1.93b15cb802acap+1), x, 0x1.5e4b1810ad60ep+0);
    g /= VM_FMA(x + 3.0, x, 2.0) * x;
    y += low ? delta * (f + g) : c;
    return x < VM_INF ? y : x;
}

/* max 0.5001 ULP at 0x1.d2d61p+1 (FMA),
 *     0.5001 ULP at 0x1.d2d61p+1 (no FMA). */
VM_INLINE float vm_digammaf(float x) { return (float)vm_digamma_of(x, 1); }

/* max 3.5039 ULP at 0x1.9cb5745e8c8f6p-1 (FMA),
 *     3.6584 ULP at 0x1.3ccbf9d16c5cep+0 (no FMA). */
VM_INLINE double vm_digamma(double x) { return vm_digamma_of(x, 0); }

/* trigamma(x) for x >= 0. */
VM_INLINE double vm_trigamma_of(double x, int narrow)
{
    int low = x < 3.0;
    double h = x + (low ? 2.5 : -0.5);
    double q = 1.0 / VM_FMA(h, h, 1.25);
    double w = q * q;
    double e, o, y, a, b, r;
    if (narrow) {
        e = -0x1.01f324ac5fcc7p-3;
        o = -0x1.ad32b6bf27983p-3;
        e = VM_FMA(e, w, -0x1.998f19b6bc2cfp-4);
        o = VM_FMA(o, w, -0x1.42a653c66d21fp-4);
        e = VM_FMA(e, w, -0x1.492156743629ap-4);
        o = VM_FMA(o, w, -0x1.45e89a9960f4dp-4);
        e = VM_FMA(e, w, -0x1.5555553f49a4p-4);
        o = VM_FMA(o, w, -0x1.3333406a456dp-4);
    } else {
        e = -0x1.3188b853413c3p+7;
        o = 0x1.50885d44af4a7p+7;
        e = VM_FMA(e, w, -0x1.5d16fba055c78p+6);
        o = VM_FMA(o, w, 0x1.c3fed0673a9f6p+4);
        e = VM_FMA(e, w, -0x1.ba1152d3b0cep+2);
        o = VM_FMA(o, w, 0x1.31c970b8b8461p+0);
        e = VM_FMA(e, w, -0x1.68a9cb18b1cffp-2);
        o = VM_FMA(o, w, -0x1.adefc2b5c5bd8p-5);
        e = VM_FMA(e, w, -0x1.a1fbacd4a0cb5p-4);
        o = VM_FMA(o, w, -0x1.457cc4877006cp-4);
        e = VM_FMA(e, w, -0x1.492491157593bp-4);
        o = VM_FMA(o, w, -0x1.33333335152b6p-4);
        e = VM_FMA(e, w, -0x1.55555555541a6p-4);
    }
    y = 1.0 / h;
    y = VM_FMA(y, q * VM_FMA(o, q, e), y);
    r = 1.0 / x; /* the shift: the sum of 1/(x + k)^2 */
    a = (x + 1.0) * (x + 1.0);
    b = (x + 2.0) * (x + 2.0);
    b = VM_FMA(r, r, y + (a + b) / (a * b));
    return low ? b : y;
}

/* max 0.5000 ULP at 0x1.70b848p+0 (FMA),
 *     0.5000 ULP at 0x1.70b848p+0 (no FMA). */
VM_INLINE float vm_trigammaf(float x) { return (float)vm_trigamma_of(x, 1); }

/* max 2.4976 ULP at 0x1.73f4337dab835p+0 (FMA),
 *     2.6103 ULP at 0x1.7506278bb5fbbp+0 (no FMA). */
VM_INLINE double vm_trigamma(double x) { return vm_trigamma_of(x, 0); }
#endif
