/* vecmath.h - exp, log1p and exp(a - m) for loops that the compiler vectorises.
 *
 * Build with -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off.
 * Never with -ffast-math (or -fassociative-math, -ffinite-math-only): it would
 * fold away the magic-number rounding, the error terms and the NaN handling.
 * -fno-trapping-math is needed for the selects to be if-converted, and
 * -ffp-contract=off keeps results the same on every target that has FMA.
 * Assumes round to nearest, no flush-to-zero, IEEE float and double evaluated
 * in their own precision (FLT_EVAL_METHOD 0), two's complement.
 *
 * There are selects (?:) instead of branches because a branch in the loop body
 * stops vectorisation; every lane computes the main path and the special cases
 * replace its result.  The lanes of special arguments compute garbage first;
 * this is harmless, all integer arithmetic is unsigned.
 *
 * Errors are measured against an unrounded reference, in units in the last
 * place of the result (of the smallest subnormal where the result is
 * subnormal).  expf and log1pf: all 2^32 arguments.  The others: 20 million
 * random points in each of 6 to 8 regions, so the maxima there are
 * observed, not proven.
 */
#ifndef VECMATH_H
#define VECMATH_H
#include <stdint.h>
#include <string.h>

/* A call in a loop keeps it from being vectorised, so inlining is not left to the compiler's taste. */
#if defined(__GNUC__)
#define VM_INLINE static inline __attribute__((always_inline))
#else
#define VM_INLINE static inline
#endif

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
#define VM_HAVE_FMA 1
#define VM_FMAF(a, b, c) __builtin_fmaf((a), (b), (c))
#define VM_FMA(a, b, c) __builtin_fma((a), (b), (c))
#else
#define VM_HAVE_FMA 0
#define VM_FMAF(a, b, c) ((a) * (b) + (c))
#define VM_FMA(a, b, c) ((a) * (b) + (c))
#endif

/* Bit casts. */
static inline uint32_t vm_bitsf(float x) { uint32_t u; memcpy(&u, &x, sizeof u); return u; }

VM_INLINE float vm_floatf(uint32_t u) { float x; memcpy(&x, &u, sizeof x); return x; }

static inline uint64_t vm_bits(double x) { uint64_t u; memcpy(&u, &x, sizeof u); return u; }

VM_INLINE double vm_float(uint64_t u) { double x; memcpy(&x, &u, sizeof x); return x; }

#define VM_INF __builtin_inf()

/* ln 2 = HI + LO.  Without FMA, HI is short so that n * HI is exact. */
#if VM_HAVE_FMA
#define VM_LN2F_HI 0x1.62e43p-1f
#define VM_LN2F_LO -0x1.05c61p-29f
#define VM_LN2_HI 0x1.62e42fefa39efp-1
#define VM_LN2_LO 0x1.abc9e3b39803fp-56
#else
#define VM_LN2F_HI 0x1.62e4p-1f
#define VM_LN2F_LO 0x1.7f7d1cp-20f
#define VM_LN2_HI 0x1.62e42fefa4p-1
#define VM_LN2_LO -0x1.8432a1b0e2634p-43
#endif

/* exp on [-ln2/2, ln2/2]: 1 + r + r^2 q(r), q minimax of degree 4 (float) and
 * 9 (double), constants from the highest power down.  Without FMA the argument
 * comes as r1 + c, |c| tiny, and c is added late to save a rounding.
 * VM_EXPRED(r1, n, k): exp(r1 + n k);  VM_EXPSUM(r1, c): exp(r1 + c). */
#if VM_HAVE_FMA
VM_INLINE float vm_exp_polyf(float r)
{
    float q = 0x1.6a884cp-10f;
    q = VM_FMAF(q, r, 0x1.124368p-7f);
    q = VM_FMAF(q, r, 0x1.555938p-5f);
    q = VM_FMAF(q, r, 0x1.555484p-3f);
    q = VM_FMAF(q, r, 0x1.fffffap-2f);
    q = VM_FMAF(q, r, 1.0f);
    return VM_FMAF(q, r, 1.0f);
}

VM_INLINE double vm_exp_poly(double r)
{
    double w = r * r;
    double o = 0x1.acfcdb7885162p-26;
    double e = 0x1.28aaf3db01722p-22;
    o = VM_FMA(o, w, 0x1.71df7e392060bp-19);
    e = VM_FMA(e, w, 0x1.a0199d4092f83p-16);
    o = VM_FMA(o, w, 0x1.a01a00fef7494p-13);
    e = VM_FMA(e, w, 0x1.6c16c182b6317p-10);
    o = VM_FMA(o, w, 0x1.111111113099bp-7);
    e = VM_FMA(e, w, 0x1.5555555551120p-5);
    o = VM_FMA(o, w, 0x1.55555555554d2p-3);
    o = VM_FMA(e, r, o);
    e = VM_FMA(o, r, 0x1.0000000000007p-1);
    e = VM_FMA(e, r, 1.0);
    return VM_FMA(e, r, 1.0);
}
#define VM_EXPREDF(r1, n, k) vm_exp_polyf(VM_FMAF((n), (k), (r1)))
#define VM_EXPRED(r1, n, k) vm_exp_poly(VM_FMA((n), (k), (r1)))
#define VM_EXPSUMF(r1, c) vm_exp_polyf((r1) + (c))
#define VM_EXPSUM(r1, c) vm_exp_poly((r1) + (c))
#else
VM_INLINE float vm_exp_polyf(float r1, float c)
{
    float r = r1 + c;
    float w = r * r;
    float o = VM_FMAF(0x1.124368p-7f, w, 0x1.555484p-3f);
    float e = VM_FMAF(0x1.6a884cp-10f, w, 0x1.555938p-5f);
    o = VM_FMAF(e, r, o);
    e = VM_FMAF(o, r, 0x1.fffffap-2f);
    return ((e * w + c) + r1) + 1.0f;
}

VM_INLINE double vm_exp_poly(double r1, double c)
{
    double r = r1 + c;
    double w = r * r;
    double o = 0x1.acfcdb7885162p-26;
    double e = 0x1.28aaf3db01722p-22;
    o = VM_FMA(o, w, 0x1.71df7e392060bp-19);
    e = VM_FMA(e, w, 0x1.a0199d4092f83p-16);
    o = VM_FMA(o, w, 0x1.a01a00fef7494p-13);
    e = VM_FMA(e, w, 0x1.6c16c182b6317p-10);
    o = VM_FMA(o, w, 0x1.111111113099bp-7);
    e = VM_FMA(e, w, 0x1.5555555551120p-5);
    o = VM_FMA(o, w, 0x1.55555555554d2p-3);
    o = VM_FMA(e, r, o);
    e = VM_FMA(o, r, 0x1.0000000000007p-1);
    return ((e * w + c) + r1) + 1.0;
}
#define VM_EXPREDF(r1, n, k) vm_exp_polyf((r1), (n) * (k))
#define VM_EXPRED(r1, n, k) vm_exp_poly((r1), (n) * (k))
#define VM_EXPSUMF vm_exp_polyf
#define VM_EXPSUM vm_exp_poly
#endif

/* exp(x), whole range: inf on overflow, gradual underflow to 0, NaN kept.
 * x = n ln2 + r, n by magic-number rounding; scaled by 2^(n/2) twice.
 * max 0.8913 ULP at -0x1.765026p+2 (FMA),
 *     0.8903 ULP at 0x1.2067a6p+2 (no FMA). */
VM_INLINE float vm_expf(float x)
{
    const float magic = 0x1.8p23f + 254.0f; /* rounds to integer; low bits: n + 2*127 */
    float z, n, r;
    uint32_t b, s1, s2;
    x = -104.0f > x ? -104.0f : x; /* exp gives 0 here; NaN passes */
    b = vm_bitsf(VM_FMAF(x, 0x1.715476p0f, magic)); /* 1/ln2 */
    b = b < 0x4b40017eu ? b : 0x4b40017eu; /* n <= 128; r then overflows by itself */
    z = vm_floatf(b);
    n = z - magic;
    r = VM_FMAF(n, -VM_LN2F_HI, x);
    s1 = (b << 22) & 0xff800000u; /* 2^floor(n/2) */
    s2 = (b << 23) - s1; /* 2^ceil(n/2) */
    return VM_EXPREDF(r, n, -VM_LN2F_LO) * vm_floatf(s1) * vm_floatf(s2);
}

/* exp(x), as vm_expf.
 * max 0.9508 ULP at -0x1.9dcf112f4ecc6p+7 (FMA),
 *     0.9528 ULP at 0x1.0fb6b4e775921p+4 (no FMA). */
VM_INLINE double vm_exp(double x)
{
    const double magic = 0x1.8p52 + 2046.0; /* rounds to integer; low bits: n + 2*1023 */
    double z, n, r;
    uint64_t b, s1, s2;
    x = -746.0 > x ? -746.0 : x; /* exp gives 0 here; NaN passes */
    z = VM_FMA(x, 0x1.71547652b82fep0, magic); /* 1/ln2 */
    n = z - magic;
    r = VM_FMA(n, -VM_LN2_HI, x);
    b = vm_bits(z);
    s1 = (b << 51) & 0xfff0000000000000u; /* 2^floor(n/2) */
    s2 = (b << 52) - s1; /* 2^ceil(n/2) */
    r = VM_EXPRED(r, n, -VM_LN2_LO) * vm_float(s1) * vm_float(s2);
    return x > 710.0 ? VM_INF : r;
}

/* exp(a - m) for a <= m (only).  d + e = a - m exactly (Knuth TwoDiff), and e
 * joins the reduced argument.  0 for a = -inf or far gaps, 1 for a == m finite,
 * NaN if a or m is NaN or a == m is infinite.
 * max 0.8975 ULP at a=-0x1.5ee77ap+6, m=0x1.e941cap-19 (FMA),
 *     0.8861 ULP at a=-0x1.c7f50cp+5, m=-0x1.34339ep+4 (no FMA). */
VM_INLINE float vm_exp_gapf(float a, float m)
{
    const float magic = 0x1.8p23f + (127.0f + 64.0f); /* low bits: exponent field of 2^(n+64) */
    float d = a - m;
    float t = d - a;
    float e = (a - (d - t)) - (m + t);
    float z = VM_FMAF(d, 0x1.715476p0f, magic);
    float n = z - magic;
    float r = VM_FMAF(n, -VM_LN2F_HI, d);
    e = VM_FMAF(n, -VM_LN2F_LO, e);
    float y = VM_EXPSUMF(r, e) * vm_floatf(vm_bitsf(z) << 23) * 0x1p-64f;
    return d < -104.0f ? 0.0f : y;
}

/* exp(a - m) for a <= m (only), as vm_exp_gapf.
 * max 0.9105 ULP at a=0x1.e3cc5663211c4p+8, m=0x1.de11b4917b7cap+9 (FMA),
 *     0.9226 ULP at a=-0x1.fdb0db5f79c95p+10, m=-0x1.f6537fb12ad72p+10 (no FMA). */
VM_INLINE double vm_exp_gap(double a, double m)
{
    const double magic = 0x1.8p52 + (1023.0 + 128.0); /* low bits: exponent field of 2^(n+128) */
    double d = a - m;
    double t = d - a;
    double e = (a - (d - t)) - (m + t);
    double z = VM_FMA(d, 0x1.71547652b82fep0, magic);
    double n = z - magic;
    double r = VM_FMA(n, -VM_LN2_HI, d);
    e = VM_FMA(n, -VM_LN2_LO, e);
    double y = VM_EXPSUM(r, e) * vm_float(vm_bits(z) << 52) * 0x1p-128;
    return d < -746.0 ? 0.0 : y;
}

/* log(1 + x); NaN below -1, -inf at -1, inf, NaN and zeros (with sign) kept.
 * 1 + x = 2^k (1 + f/4), 1 + f/4 in [3/4, 3/2): with these bounds
 * f = x 2^(2-k) + (2^(2-k) - 4) is exact as far as it matters, so 1 + x needs no
 * correction term.  log(1 + f/4) = f/4 + f^2 q(f), q minimax of degree 8, two
 * constants shifted by 4 and 8 units so that x = 0.5 - 2^-25, the one argument
 * where f is rounded, comes out right.
 * max 0.9508 ULP at -0x1.40067ap-1 (FMA),
 *     0.9854 ULP at -0x1.1ba994p-2 (no FMA). */
VM_INLINE float vm_log1pf(float x)
{
    float u = x + 1.0f;
    uint32_t k = (vm_bitsf(u) - 0x3f400000u) & 0xff800000u; /* k << 23; 0.75f */
    float s = vm_floatf(0x40800000u - k); /* 2^(2-k) */
    float f = VM_FMAF(x, s, s - 4.0f);
    float n = (float)(int32_t)k;
    float g = 0.25f * f;
    float w = f * f;
    float e = -0x1.77a142p-25f;
    float o = 0x1.b1d786p-22f;
    float y;
    e = VM_FMAF(e, w, -0x1.0edc8p-19f);
    o = VM_FMAF(o, w, 0x1.289228p-17f);
    e = VM_FMAF(e, w, -0x1.54d1bap-15f);
    o = VM_FMAF(o, w, 0x1.9964aep-13f);
    e = VM_FMAF(e, w, -0x1.00009ap-10f);
    o = VM_FMAF(o, w, 0x1.5555bap-8f);
    o = VM_FMAF(e, f, o);
    o = VM_FMAF(o, f, -0x1p-5f);
#if VM_HAVE_FMA
    y = VM_FMAF(n, VM_LN2F_HI * 0x1p-23f, VM_FMAF(o, w, g));
#else
    y = n * (VM_LN2F_HI * 0x1p-23f) + (g + (o * w + n * 0x1.8p-43f));
#endif
    y = y < x ? y : x; /* log1p(x) <= x; x = inf gives inf */
    /* u == 0: bits of -inf; u < 0 or NaN: exponent of u in the mantissa, a NaN */
    y = x > -1.0f ? y : vm_floatf(0xff800000u | (vm_bitsf(u) >> 8));
    return y;
}

/* log(1 + x); reduction and special cases as vm_log1pf, then with g = f/4,
 * v = g/(2 + g), w = v^2: log(1 + g) = g - v (g - w q(w)), q minimax of degree 7.
 * Without FMA, to save roundings: g - g^2/2 + v (g^2/2 + w q(w)), degree 6.
 * max 0.9589 ULP at -0x1.009da768d4f9ap-2 (FMA),
 *     0.9850 ULP at -0x1.002fc27efa7bap-2 (no FMA). */
VM_INLINE double vm_log1p(double x)
{
    double u = x + 1.0;
    uint64_t h = vm_bits(u) + 0x0008000000000000u; /* exponent field: k + 1023 */
    double s = vm_float(0x8000000000000000u - (h & 0xfff0000000000000u)); /* 2^(2-k) */
    double f = VM_FMA(x, s, s - 4.0);
    /* n = k, by setting the low bits of 2^52 */
    double n = vm_float((h >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double g = 0.25 * f;
    double v = f / (8.0 + f);
    double w = v * v;
    double q, y;
#if VM_HAVE_FMA
    q = 0x1.1c3413493e62bp-3;
    q = VM_FMA(q, w, 0x1.0dafeaf4688a8p-3);
    q = VM_FMA(q, w, 0x1.3b377b7d5832ep-3);
    q = VM_FMA(q, w, 0x1.745c3c995bc57p-3);
    q = VM_FMA(q, w, 0x1.c71c74cfe6293p-3);
    q = VM_FMA(q, w, 0x1.2492492197cbcp-2);
    q = VM_FMA(q, w, 0x1.999999999c6d3p-2);
    q = VM_FMA(q, w, 0x1.555555555554ep-1);
    q = VM_FMA(q, w, -g);
    y = VM_FMA(n, VM_LN2_HI, g + VM_FMA(v, q, n * VM_LN2_LO));
#else
    double z;
    q = 0x1.3b596bd152e17p-3;
    q = VM_FMA(q, w, 0x1.383e3a742880fp-3);
    q = VM_FMA(q, w, 0x1.7475f28eb4042p-3);
    q = VM_FMA(q, w, 0x1.c71bfa9116b16p-3);
    q = VM_FMA(q, w, 0x1.249249bd1a7e9p-2);
    q = VM_FMA(q, w, 0x1.99999998e0c26p-2);
    q = VM_FMA(q, w, 0x1.55555555557b3p-1);
    z = 0.5 * (g * g);
    q = q * w + z;
    y = n * VM_LN2_HI + (g + ((v * q + n * VM_LN2_LO) - z));
#endif
    y = y < x ? y : x; /* log1p(x) <= x; x = inf gives inf */
    /* u == 0: bits of -inf; u < 0 or NaN: exponent of u in the mantissa, a NaN */
    y = x > -1.0 ? y : vm_float(0xfff0000000000000u | (vm_bits(u) >> 11));
    return y;
}
/* log(1 + z) for 0 <= z <= 1 only, as exp(-|x|) is: z + z^2 q(z), q minimax of degree 8 in two halves.
 * max 1.7671 ULP at 0x1.f2359ep-1 (FMA), 2.2355 ULP at 0x1.fe23e6p-1 (no FMA). */
VM_INLINE float vm_log1p_unitf(float z)
{
    float w = z * z;
    float y = w * w;
    float b = -0x1.b2f56ep-9f;
    b = VM_FMAF(b, z, 0x1.4b0826p-6f);
    b = VM_FMAF(b, z, -0x1.d86314p-5f);
    b = VM_FMAF(b, z, 0x1.b579bap-4f);
    b = VM_FMAF(b, z, -0x1.3a7a7ep-3f);
    float a = 0x1.935c9ep-3f;
    a = VM_FMAF(a, z, -0x1.ff26ep-3f);
    a = VM_FMAF(a, z, 0x1.554dfp-2f);
    a = VM_FMAF(a, z, -0x1.ffffd2p-2f);
    return VM_FMAF(w, VM_FMAF(b, y, a), z);
}

/* log(1 + z) for 0 <= z <= 1 only: z + z^2 q(z), q minimax of degree 19 in two halves, whose
 * chains of operations run side by side.  max 1.7729 ULP at 0x1.fc65af3ba406p-1 (FMA),
 * 2.1846 ULP at 0x1.fcfdd86b74dep-1 (no FMA), on 30 million points. */
VM_INLINE double vm_log1p_unit(double z)
{
    double w = z * z;
    double w4 = w * w, y = w4 * w4 * w;
    double b = 0x1.a8f5d8758e137p-16;
    b = VM_FMA(b, z, -0x1.31ee21e0d812p-12);
    b = VM_FMA(b, z, 0x1.a24f42778a7d7p-10);
    b = VM_FMA(b, z, -0x1.6b451c9cc07a1p-8);
    b = VM_FMA(b, z, 0x1.c575a9ab02bd1p-7);
    b = VM_FMA(b, z, -0x1.b62bac7043165p-6);
    b = VM_FMA(b, z, 0x1.5a8564ec7f68ep-5);
    b = VM_FMA(b, z, -0x1.d70e1c72045b3p-5);
    b = VM_FMA(b, z, 0x1.202ce0552fc15p-4);
    b = VM_FMA(b, z, -0x1.4b019273bb092p-4);
    double a = 0x1.712dbc5c0015cp-4;
    a = VM_FMA(a, z, -0x1.98d284786a96cp-4);
    a = VM_FMA(a, z, 0x1.c6f6a3c97ef7cp-4);
    a = VM_FMA(a, z, -0x1.fffa8afe15588p-4);
    a = VM_FMA(a, z, 0x1.2491fecb8055dp-3);
    a = VM_FMA(a, z, -0x1.55554fbd0091p-3);
    a = VM_FMA(a, z, 0x1.99999951e38bp-3);
    a = VM_FMA(a, z, -0x1.fffffffdd3ae3p-3);
    a = VM_FMA(a, z, 0x1.5555555551026p-2);
    a = VM_FMA(a, z, -0x1.fffffffffff9fp-2);
    return VM_FMA(w, VM_FMA(b, y, a), z);
}

/* 1 / y for 1 <= y <= 2 only.  With FMA a Chebyshev polynomial (relative error 1/99) and two Newton
 * steps take less time than the division; in double they take more.
 * max 0.6720 ULP at 0x1.000d1ep+0 (FMA), correctly rounded without. */
VM_INLINE float vm_reciprocalf(float y)
{
#if VM_HAVE_FMA
    float r = VM_FMAF(VM_FMAF(y, 32.0f / 99.0f, -144.0f / 99.0f), y, 210.0f / 99.0f);
    r = VM_FMAF(r, VM_FMAF(-y, r, 1.0f), r);
    return VM_FMAF(r, VM_FMAF(-y, r, 1.0f), r);
#else
    return 1.0f / y;
#endif
}

#endif
