/* vecmath.h - exp, log, powers and their kin for loops that the compiler vectorises.
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
 * subnormal).  Floats of one argument: all of them (of the domain, where one is
 * stated).  The others: 1 to 20 million random points in each of 3 to 9
 * regions, so the maxima there are observed, not proven.
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
#define VM_NAN __builtin_nan("")

/* a b - p for p = a * b: the rounding error, exact unless it underflows. */
VM_INLINE float vm_product_errorf(float a, float b, float p)
{
#if VM_HAVE_FMA
    return VM_FMAF(a, b, -p);
#else
    return (float)((double)a * b - p);
#endif
}

/* a b - p for p = a * b: the rounding error, exact unless it underflows.
 * |a|, |b| < 2^995 (without FMA: Dekker's product of Veltkamp's halves). */
VM_INLINE double vm_product_error(double a, double b, double p)
{
#if VM_HAVE_FMA
    return VM_FMA(a, b, -p);
#else
    double s = a * 0x8000001p0;
    double t = b * 0x8000001p0;
    double a1 = s - (s - a), a2 = a - a1;
    double b1 = t - (t - b), b2 = b - b1;
    return ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
#endif
}

/* a + b - s for s = a + b: the rounding error, exactly (Knuth's TwoSum). */
VM_INLINE double vm_sum_error(double a, double b, double s)
{
    double t = s - a;
    return (a - (s - t)) + (b - t);
}

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
VM_INLINE double vm_exp_end(double r, double w)
{
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
    return VM_FMA(o, r, 0x1.0000000000007p-1);
}

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
    return VM_FMA(VM_FMA(vm_exp_end(r, r * r), r, 1.0), r, 1.0);
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
    return ((vm_exp_end(r, w) * w + c) + r1) + 1.0;
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

/* exp(x) - 1 for -0.69 <= x <= 0, as (exp(x/2) - 1) (exp(x/2) + 1).
 * max 2.2529 ULP at -0x1.0a6584af12782p-3 (FMA), 2.2622 ULP at -0x1.0e970076d436bp-3 (no FMA). */
VM_INLINE double vm_expm1_near(double x)
{
    double r = 0.5 * x;
    double y = VM_FMA(r * r, vm_exp_end(r, r * r), r);
    return y * (y + 2.0);
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

/* exp(d + e) for d <= 0, |e| tiny beside |d| or 1; e joins the reduced argument.  Errors as vm_exp_gap. */
VM_INLINE double vm_exp_sum(double d, double e)
{
    const double magic = 0x1.8p52 + (1023.0 + 128.0); /* low bits: exponent field of 2^(n+128) */
    double z = VM_FMA(d, 0x1.71547652b82fep0, magic);
    double n = z - magic;
    double r = VM_FMA(n, -VM_LN2_HI, d);
    double y;
    e = VM_FMA(n, -VM_LN2_LO, e);
    y = VM_EXPSUM(r, e) * vm_float(vm_bits(z) << 52) * 0x1p-128;
    return d < -746.0 ? 0.0 : y;
}

/* exp(a - m) for a <= m (only), as vm_exp_gapf.
 * max 0.9105 ULP at a=0x1.e3cc5663211c4p+8, m=0x1.de11b4917b7cap+9 (FMA),
 *     0.9226 ULP at a=-0x1.fdb0db5f79c95p+10, m=-0x1.f6537fb12ad72p+10 (no FMA). */
VM_INLINE double vm_exp_gap(double a, double m)
{
    double d = a - m;
    double t = d - a;
    double e = (a - (d - t)) - (m + t);
    return vm_exp_sum(d, e);
}

/* factor * exp(hi + lo), |lo| < 2^-10; for |hi| <= 174, beyond that factor * inf or factor * 0.
 * lo joins the reduced argument; the polynomial and the factor take half of the power of two each,
 * so that nothing overflows or underflows before the product does.
 * max 1.6845 ULP at 0x1.777b34p+6, 0x1.0b861ap-19, 0x1.75c102p-87 (FMA),
 *     1.6433 ULP at 0x1.eeec46p+6, 0, 0x1.6p-146 (no FMA); 0.9082 for factor 1. */
VM_INLINE float vm_exp_partsf(float hi, float lo, float factor)
{
    const float magic = 0x1.8p23f + 254.0f; /* rounds to integer; low bits: n + 2*127 */
    float z = VM_FMAF(hi, 0x1.715476p0f, magic); /* 1/ln2 */
    float n = z - magic;
    float r = VM_FMAF(n, -VM_LN2F_HI, hi);
    uint32_t b = vm_bitsf(z);
    uint32_t s1 = (b << 22) & 0xff800000u; /* 2^floor(n/2) */
    uint32_t s2 = (b << 23) - s1; /* 2^ceil(n/2) */
    lo = VM_FMAF(n, -VM_LN2F_LO, lo);
    r = (VM_EXPSUMF(r, lo) * vm_floatf(s2)) * (factor * vm_floatf(s1));
    r = hi > 174.0f ? factor * (float)VM_INF : r;
    return hi < -174.0f ? factor * 0.0f : r;
}

/* factor * exp(hi + lo), as vm_exp_partsf; |hi| <= 1416.
 * max 1.7114 ULP at 0x1.1632a9105c523p+10, 0, 0x0.02f9125a8113p-1022 (FMA),
 *     1.6860 ULP at -0x1.1e352f2801708p+7, -0x1.8bp-47, 0x1.5d711cb89c0fp+889 (no FMA);
 * 0.9160 for factor 1. */
VM_INLINE double vm_exp_parts(double hi, double lo, double factor)
{
    const double magic = 0x1.8p52 + 2046.0; /* rounds to integer; low bits: n + 2*1023 */
    double z = VM_FMA(hi, 0x1.71547652b82fep0, magic); /* 1/ln2 */
    double n = z - magic;
    double r = VM_FMA(n, -VM_LN2_HI, hi);
    uint64_t b = vm_bits(z);
    uint64_t s1 = (b << 51) & 0xfff0000000000000u; /* 2^floor(n/2) */
    uint64_t s2 = (b << 52) - s1; /* 2^ceil(n/2) */
    lo = VM_FMA(n, -VM_LN2_LO, lo);
    r = (VM_EXPSUM(r, lo) * vm_float(s2)) * (factor * vm_float(s1));
    r = hi > 1416.0 ? factor * VM_INF : r;
    return hi < -1416.0 ? factor * 0.0 : r;
}

/* k ln2 + log(1 + f/4), 1 + f/4 in [3/4, 3/2), n = 2^23 k: the common end of vm_log1pf and vm_logf.
 * log(1 + f/4) = f/4 + f^2 q(f), q minimax of degree 8, two constants shifted by 4 and 8 units so
 * that log1p(0.5 - 2^-25), the one argument where f is rounded, comes out right. */
VM_INLINE float vm_log_endf(float f, float n)
{
    float g = 0.25f * f;
    float w = f * f;
    float e = -0x1.77a142p-25f;
    float o = 0x1.b1d786p-22f;
    e = VM_FMAF(e, w, -0x1.0edc8p-19f);
    o = VM_FMAF(o, w, 0x1.289228p-17f);
    e = VM_FMAF(e, w, -0x1.54d1bap-15f);
    o = VM_FMAF(o, w, 0x1.9964aep-13f);
    e = VM_FMAF(e, w, -0x1.00009ap-10f);
    o = VM_FMAF(o, w, 0x1.5555bap-8f);
    o = VM_FMAF(e, f, o);
    o = VM_FMAF(o, f, -0x1p-5f);
#if VM_HAVE_FMA
    return VM_FMAF(n, VM_LN2F_HI * 0x1p-23f, VM_FMAF(o, w, g));
#else
    return n * (VM_LN2F_HI * 0x1p-23f) + (g + (o * w + n * 0x1.8p-43f));
#endif
}

/* k ln2 + log(1 + f/4), as vm_log_endf but n = k: with g = f/4, v = g/(2 + g), w = v^2,
 * log(1 + g) = g - v (g - w q(w)), q minimax of degree 7.
 * Without FMA, to save roundings: g - g^2/2 + v (g^2/2 + w q(w)), degree 6. */
VM_INLINE double vm_log_end(double f, double n)
{
    double g = 0.25 * f;
    double v = f / (8.0 + f);
    double w = v * v;
    double q;
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
    return VM_FMA(n, VM_LN2_HI, g + VM_FMA(v, q, n * VM_LN2_LO));
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
    return n * VM_LN2_HI + (g + ((v * q + n * VM_LN2_LO) - z));
#endif
}

/* log(1 + x); NaN below -1, -inf at -1, inf, NaN and zeros (with sign) kept.
 * 1 + x = 2^k (1 + f/4), 1 + f/4 in [3/4, 3/2): with these bounds
 * f = x 2^(2-k) + (2^(2-k) - 4) is exact as far as it matters, so 1 + x needs no
 * correction term.
 * max 0.9508 ULP at -0x1.40067ap-1 (FMA),
 *     0.9854 ULP at -0x1.1ba994p-2 (no FMA). */
VM_INLINE float vm_log1pf(float x)
{
    float u = x + 1.0f;
    uint32_t k = (vm_bitsf(u) - 0x3f400000u) & 0xff800000u; /* k << 23; 0.75f */
    float s = vm_floatf(0x40800000u - k); /* 2^(2-k) */
    float y = vm_log_endf(VM_FMAF(x, s, s - 4.0f), (float)(int32_t)k);
    y = y < x ? y : x; /* log1p(x) <= x; x = inf gives inf */
    /* u == 0: bits of -inf; u < 0 or NaN: exponent of u in the mantissa, a NaN */
    y = x > -1.0f ? y : vm_floatf(0xff800000u | (vm_bitsf(u) >> 8));
    return y;
}

/* log(1 + x); reduction and special cases as vm_log1pf.
 * max 0.9589 ULP at -0x1.009da768d4f9ap-2 (FMA),
 *     0.9850 ULP at -0x1.002fc27efa7bap-2 (no FMA). */
VM_INLINE double vm_log1p(double x)
{
    double u = x + 1.0;
    uint64_t h = vm_bits(u) + 0x0008000000000000u; /* exponent field: k + 1023 */
    double s = vm_float(0x8000000000000000u - (h & 0xfff0000000000000u)); /* 2^(2-k) */
    /* n = k, by setting the low bits of 2^52 */
    double n = vm_float((h >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double y = vm_log_end(VM_FMA(x, s, s - 4.0), n);
    y = y < x ? y : x; /* log1p(x) <= x; x = inf gives inf */
    /* u == 0: bits of -inf; u < 0 or NaN: exponent of u in the mantissa, a NaN */
    y = x > -1.0 ? y : vm_float(0xfff0000000000000u | (vm_bits(u) >> 11));
    return y;
}

/* log(x), any x; log 0 = -inf, NaN below 0.  x = 2^k m, m in [3/4, 3/2), f = 4 (m - 1) exactly.
 * max 0.9508 ULP at 0x1.7ff30cp-2 (FMA),
 *     0.9854 ULP at 0x1.722b36p-1 (no FMA). */
VM_INLINE float vm_logf(float x)
{
    int small = x < 0x1p-126f; /* subnormal numbers are scaled up first */
    float u = small ? x * 0x1p24f : x;
    uint32_t k = (vm_bitsf(u) - 0x3f400000u) & 0xff800000u; /* k << 23; 0.75f */
    float n = (float)(int32_t)k - (small ? 24.0f * 0x1p23f : 0.0f);
    float y = vm_log_endf(VM_FMAF(vm_floatf(vm_bitsf(u) - k), 4.0f, -4.0f), n);
    y = x < (float)VM_INF ? y : x; /* inf and NaN */
    y = x > 0.0f ? y : (x == 0.0f ? -(float)VM_INF : (float)VM_NAN);
    return y;
}

/* log(x), as vm_logf.
 * max 0.9512 ULP at 0x1.7fd517ab5d18bp-1 (FMA),
 *     0.9834 ULP at 0x1.762ca5e38ef53p-1 (no FMA). */
VM_INLINE double vm_log(double x)
{
    int small = x < 0x1p-1022;
    double u = small ? x * 0x1p54 : x;
    uint64_t h = vm_bits(u) + 0x0008000000000000u; /* exponent field: k + 1023 */
    double m = vm_float(vm_bits(u) - (h & 0xfff0000000000000u) + 0x3ff0000000000000u);
    double n = vm_float((h >> 52) | 0x4330000000000000u)
        - (small ? 0x1p52 + (1023.0 + 54.0) : 0x1p52 + 1023.0);
    double y = vm_log_end(VM_FMA(m, 4.0, -4.0), n);
    y = x < VM_INF ? y : x; /* inf and NaN */
    y = x > 0.0 ? y : (x == 0.0 ? -VM_INF : VM_NAN);
    return y;
}

/* log(x) = hi + lo: returns hi, stores lo; special cases as vm_log, lo is then any number.
 * x = 2^k m, m in [1/sqrt 2, sqrt 2), s = (m - 1)/(m + 1), w = s^2,
 * log m = 2 s (1 + w (1/3 + w q(w))), q minimax of degree 7; all but w q(w) in two parts.
 * |error of hi + lo| < 2^-62.9 |log x|. */
VM_INLINE double vm_log_parts(double x, double *lo)
{
    int small = x < 0x1p-1022;
    double u = small ? x * 0x1p54 : x;
    uint64_t h = vm_bits(u) + 0x00095f619980c433u; /* exponent field: k + 1023 */
    double m = vm_float(vm_bits(u) - (h & 0xfff0000000000000u) + 0x3ff0000000000000u);
    double n = vm_float((h >> 52) | 0x4330000000000000u)
        - (small ? 0x1p52 + (1023.0 + 54.0) : 0x1p52 + 1023.0);
    double f = m - 1.0;
    double d = 1.0 + m;
    double dl = m - (d - 1.0);
    double r = 1.0 / d;
    double s = f * r;
    double p = s * d;
    double sl = r * (((f - p) - vm_product_error(s, d, p)) - s * dl);
    double w = s * s;
    double wl = vm_product_error(s, s, w) + 2.0 * s * sl;
    double y = w * w;
    double o = 0x1.eaff381f085d1p-5;
    double e = 0x1.de376b8aebfdfp-5;
    double g, gl, t, tl, v, vl, a, al, b;
    o = VM_FMA(o, y, 0x1.11208ebb3e51fp-4);
    e = VM_FMA(e, y, 0x1.3b1364282dce4p-4);
    o = VM_FMA(o, y, 0x1.745d182ae592ap-4);
    e = VM_FMA(e, y, 0x1.c71c71c59512p-4);
    o = VM_FMA(o, y, 0x1.2492492492f51p-3);
    e = VM_FMA(e, y, 0x1.9999999999996p-3);
    e = w * VM_FMA(o, w, e);
    g = 0x1.5555555555555p-2 + e; /* g + gl = 1/3 + w q(w) */
    gl = ((0x1.5555555555555p-2 - g) + e) + 0x1.5555555555555p-56;
    t = w * g;
    tl = vm_product_error(w, g, t) + (w * gl + wl * g);
    s += s;
    sl += sl;
    v = s * t;
    vl = vm_product_error(s, t, v) + (s * tl + sl * t);
    a = s + v; /* a + al = log m */
    al = ((s - a) + v) + (vl + sl);
    v = n * 0x1.62e42fefa4p-1; /* ln 2, short enough for the product to be exact */
    b = v + a;
    *lo = ((v - b) + a) + (al + n * -0x1.8432a1b0e2634p-43);
    b = x < VM_INF ? b : x; /* inf and NaN */
    return x > 0.0 ? b : (x == 0.0 ? -VM_INF : VM_NAN);
}

/* For floats computed in double: a relative error of 2^-34 is enough there, and takes half the time.
 * exp(x) for x <= 700; below -200 as at -200, which a float does not tell from 0.
 * 1 + r + r^2 q(r), q minimax of degree 5.  Relative error < 2^-34. */
VM_INLINE double vm_exp_short(double x)
{
    const double magic = 0x1.8p52 + 1023.0; /* rounds to integer; low bits: exponent field of 2^n */
    double z, n, r, w, e, o;
    x = x < -200.0 ? -200.0 : x;
    z = VM_FMA(x, 0x1.71547652b82fep0, magic); /* 1/ln2 */
    n = z - magic;
    r = VM_FMA(n, -0x1.62e42fefa39efp-1, x);
    w = r * r;
    o = VM_FMA(w, 0x1.9f08560227e5bp-13, 0x1.111271435fb9cp-7);
    e = VM_FMA(w, 0x1.6d8d527c1f025p-10, 0x1.55548d73ce475p-5);
    o = VM_FMA(w, o, 0x1.555554429a114p-3);
    e = VM_FMA(w, e, 0x1.0000003a46fe1p-1);
    return VM_FMA(w, VM_FMA(r, o, e), 1.0 + r) * vm_float(vm_bits(z) << 52);
}

/* log(a / b) for positive normal numbers, also with a relative error below 2^-38 near a = b.
 * a/b = 2^k m, m in [2/3, 3/2], from the difference of the bits as a coarse logarithm;
 * log m = 2 artanh(v), v = (m - 1)/(m + 1): 2 v + v^3 q(v^2), q minimax of degree 4. */
VM_INLINE double vm_log_ratio_short(double a, double b)
{
    uint64_t h = vm_bits(a) - vm_bits(b) + 0x3ff8000000000000u; /* exponent field: k + 1023 */
    double n = vm_float((h >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double v, w, y, e, o;
    a *= vm_float(0x7fe0000000000000u - (h & 0xfff0000000000000u)); /* 2^-k; keeps NaN */
    v = (a - b) / (a + b);
    w = v * v;
    y = w * w;
    o = VM_FMA(w, 0x1.c54f43835abecp-3, 0x1.2496f4cfab0ebp-2);
    e = VM_FMA(w, 0x1.99998f12d23fbp-2, 0x1.555555592dcffp-1);
    e = VM_FMA(y, VM_FMA(y, 0x1.9c4ea4f27c81p-3, o), e);
    return VM_FMA(n, 0x1.62e42fefa39efp-1, VM_FMA(v * w, e, v + v));
}

/* x^(a + al) for x >= 0 (NaN below 0), |al| <= half an ulp of a; x^0 = 1 also for x = 0 and inf.  In
 * double.  No select looks at a alone: where a is the same for a whole loop it would become a branch.
 * max 0.5008 ULP at 0x1.50387p+1, 0x1.5fc58ap+1, 0x1.5cp-26 (FMA),
 *     0.5008 ULP at the same (no FMA). */
VM_INLINE float vm_powf(float x, float a, float al)
{
    double y = vm_log_ratio_short(x, 1.0);
    y = x > 0.0f ? y : -1e300; /* not inf, for x^0 */
    y = x < (float)VM_INF ? y : 1e300;
    y *= (double)a + al;
    y = y > 200.0 ? 200.0 : y;
    return x >= 0.0f ? (float)vm_exp_short(y) : (float)VM_NAN;
}

/* x^(a + al), as vm_powf, the logarithm in two parts.
 * max 1.2559 ULP at 0x1.69c974c28eca7p-1, 0x1.ec39e96a602e8p+10, 0x1.a4p-44 (FMA),
 *     1.2451 ULP at 0x1.6b65d2d8cf63bp-1, 0x1.d6d515cc55e78p+10, 0x1.f2p-44 (no FMA). */
VM_INLINE double vm_pow(double x, double a, double al)
{
    double l, h = vm_log_parts(x, &l);
    double p, e;
    h = h < -1e290 ? -1e290 : h; /* not inf, for x^0 */
    h = h > 1e290 ? 1e290 : h;
    p = a * h;
    e = vm_product_error(a, h, p) + VM_FMA(a, l, al * h);
    e = __builtin_fabs(p) < 0x1p20 ? e : 0.0; /* exp overflows or underflows anyway */
    return vm_exp_parts(p, e, 1.0);
}

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

/* k ln2 + 2 artanh(s + sl) = hi + lo: returns hi, stores lo; |s| <= 1/5.  Less exact than
 * vm_log_parts, absolute error < 2^-59: the polynomial, 2 s (1 + s^2 q(s^2)), q minimax of degree 7,
 * has one part and stays in lo, which is up to 0.006. */
VM_INLINE double vm_log_light_end(double s, double sl, double k, double *lo)
{
    double w = s * s;
    double y = w * w;
    double o = VM_FMA(y, 0x1.1b9dcf709eaa8p-3, 0x1.3b35fc693c30dp-3);
    double e = VM_FMA(y, 0x1.0dc7858f55845p-3, 0x1.745c49219644cp-3);
    double a, b;
    o = VM_FMA(o, y, 0x1.c71c74967e691p-3);
    e = VM_FMA(e, y, 0x1.24924921ddd26p-2);
    o = VM_FMA(o, y, 0x1.999999999c1c4p-2);
    e = VM_FMA(e, y, 0x1.555555555554fp-1);
    e = VM_FMA(s * w, VM_FMA(o, w, e), VM_FMA(k, -0x1.8432a1b0e2634p-43, sl + sl));
    a = k * 0x1.62e42fefa4p-1; /* ln 2, short enough for the product to be exact */
    s += s;
    b = a + s;
    *lo = e + ((a - b) + s);
    return b;
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

/* log of the gamma function of t + 1 for t >= 0.  t < 3/2: t (t - 1) q(t), which keeps both zeros
 * exact, q minimax of degree 12; above, Stirling's formula, (t + 1/2)(log t - 1) + (log(2 pi) + 1)/2
 * + p(1/t^2)/t, p minimax of degree 4.  In double.
 * max 0.6002 ULP at 0x1.b78c6cp+0 (FMA),
 *     0.6002 ULP at the same (no FMA). */
VM_INLINE float vm_log_factorialf(float t)
{
    double d = t;
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
    double r = 1.0f / t;
    double y = vm_log_ratio_short(d, 1.0);
    w = r * r;
    double v = w * w;
    double g = 0x1.36e6a7c7a85c8p-13;
    double h = -0x1.95969c6aecf01p-12;
    g = VM_FMA(g, v, 0x1.8ba713d954647p-11);
    h = VM_FMA(h, v, -0x1.6b99eb2be3033p-9);
    g = VM_FMA(g, v, 0x1.5555328128a9p-4);
    double b = VM_FMA(d + 0.5, y - 1.0, VM_FMA(VM_FMA(h, w, g), r, 0x1.6b3f8e4325f5ap+0));
    a = t < 1.5f ? a : b;
    return t < (float)VM_INF ? (float)a : t;
}

/* log of the gamma function of t + 1 for t >= 0, as vm_log_factorialf, with q of degree 24 in
 * t - 203/256 (where its value is close to a double), p of degree 17, and log(t) and the sum in two parts.
 * max 1.6582 ULP at 0x1.bd0814d8037fp-6 (FMA),
 *     2.6211 ULP at 0x1.fa9337ab64557p-2 (no FMA). */
VM_INLINE double vm_log_factorial(double t)
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

    uint64_t k = vm_bits(t) + 0x0008000000000000u; /* exponent field: k + 1023 */
    double m = vm_float(vm_bits(t) - (k & 0xfff0000000000000u) + 0x3ff0000000000000u);
    double n = vm_float((k >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
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
    a = t < 1.5 ? a : b;
    return t < VM_INF ? a : t;
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

/* tanh(x) for |x| <= 1 only: x + x t, t = w p(w), w = x^2, p minimax of degree 7.  At x = -0 the sum
 * in t keeps t = +0, so that the sign stays.
 * max 1.3012 ULP at 0x1.f79304p-1 (FMA),
 *     1.3666 ULP at 0x1.fce7eap-1 (no FMA). */
VM_INLINE float vm_tanh_unitf(float x)
{
    float w = x * x;
    float y = w * w;
    float e = -0x1.aed6ep-11f;
    float o = 0x1.e82b44p-14f;
    o = VM_FMAF(o, y, 0x1.8f9bccp-9f);
    e = VM_FMAF(e, y, -0x1.18de5p-7f);
    o = VM_FMAF(o, y, 0x1.64c0ap-6f);
    e = VM_FMAF(e, y, -0x1.b9f6dep-5f);
    o = VM_FMAF(o, y, 0x1.11103cp-3f);
    e = VM_FMAF(e, y, -0x1.555552p-2f);
    return VM_FMAF(x, VM_FMAF(y, o, w * e), x);
}

/* tanh(x) for |x| <= 1 only, as vm_tanh_unitf, p of degree 15.
 * max 1.2739 ULP at 0x1.f7acc4864b02ap-1 (FMA),
 *     1.4688 ULP at 0x1.fffe54e228c37p-1 (no FMA). */
VM_INLINE double vm_tanh_unit(double x)
{
    double w = x * x;
    double y = w * w;
    double e = -0x1.f296cddade19p-23;
    double o = 0x1.6c5655656f488p-26;
    o = VM_FMA(o, y, 0x1.546b0ed613cd5p-20);
    e = VM_FMA(e, y, -0x1.3ed667a35548cp-18);
    o = VM_FMA(o, y, 0x1.ded20965a8a3bp-17);
    e = VM_FMA(e, y, -0x1.3f38e82c56594p-15);
    o = VM_FMA(o, y, 0x1.9394e190632dfp-14);
    e = VM_FMA(e, y, -0x1.f4dcf51d01c85p-13);
    o = VM_FMA(o, y, 0x1.354b24af4299bp-11);
    e = VM_FMA(e, y, -0x1.7da1d5b0785cfp-10);
    o = VM_FMA(o, y, 0x1.d6d3ae750bd9bp-9);
    e = VM_FMA(e, y, -0x1.226e345664abep-7);
    o = VM_FMA(o, y, 0x1.664f4878636ebp-6);
    e = VM_FMA(e, y, -0x1.ba1ba1b9dd589p-5);
    o = VM_FMA(o, y, 0x1.1111111110b21p-3);
    e = VM_FMA(e, y, -0x1.555555555554fp-2);
    return VM_FMA(x, VM_FMA(y, o, w * e), x);
}

/* log(cosh(x)) for |x| <= 1 only: x^2/2 + x^4 q(x^2), q minimax of degree 5.
 * max 1.0437 ULP at 0x1.feddbep-1 (FMA),
 *     1.6239 ULP at 0x1.7885cp-1 (no FMA). */
VM_INLINE float vm_log_cosh_unitf(float x)
{
    float w = x * x;
    float y = w * w;
    float e = -0x1.25d03p-11f;
    float o = 0x1.7088e6p-14f;
    o = VM_FMAF(o, y, 0x1.10f5d2p-9f);
    e = VM_FMAF(e, y, -0x1.b7f9d8p-8f);
    o = VM_FMAF(o, y, 0x1.6c02bcp-6f);
    e = VM_FMAF(e, y, -0x1.555516p-4f);
    return VM_FMAF(x, 0.5f * x, y * VM_FMAF(o, w, e));
}

/* log(cosh(x)) for |x| <= 1 only, as vm_log_cosh_unitf, q of degree 13.
 * max 0.9902 ULP at 0x1.ffe994d30a9fcp-1 (FMA),
 *     1.6699 ULP at 0x1.78183c87bc3c4p-1 (no FMA). */
VM_INLINE double vm_log_cosh_unit(double x)
{
    double w = x * x;
    double y = w * w;
    double e = -0x1.3b4ef8830ad8dp-24;
    double o = 0x1.f1bfddc866781p-28;
    o = VM_FMA(o, y, 0x1.95e47e4339e77p-22);
    e = VM_FMA(e, y, -0x1.71a66e5469f81p-20);
    o = VM_FMA(o, y, 0x1.195ba83289dbdp-18);
    e = VM_FMA(e, y, -0x1.8cdf874137066p-17);
    o = VM_FMA(o, y, 0x1.127e1d0f0f7d8p-15);
    e = VM_FMA(e, y, -0x1.7d8f8e854246p-14);
    o = VM_FMA(o, y, 0x1.0d0a2f9ce2a54p-12);
    e = VM_FMA(e, y, -0x1.833d85908dc3p-11);
    o = VM_FMA(o, y, 0x1.1ea5d3058d099p-9);
    e = VM_FMA(e, y, -0x1.ba1ba1b58804p-8);
    o = VM_FMA(o, y, 0x1.6c16c16c0db6ap-6);
    e = VM_FMA(e, y, -0x1.55555555554f1p-4);
    return VM_FMA(x, 0.5 * x, y * VM_FMA(o, w, e));
}

/* z - log(1 + z) for 0 <= z <= 1 only: z^2 (1/4 + q(z - 137/256)), q minimax of degree 10.  Not by
 * vm_log1p_unitf's polynomial, which near 0 is right beside z, not beside z^2/2.  Powers of z would
 * cancel near 1; 137/256 is where q is close to a float; with 1/4 taken out most roundings weigh half.
 * max 2.0165 ULP at 0x1.6ad4bep-7 (FMA),
 *     2.6277 ULP at 0x1.0193d2p-5 (no FMA). */
VM_INLINE float vm_log1p_gap_unitf(float z)
{
    float t = z - 137.0f / 256.0f;
    float y = t * t;
    float e = 0x1.9eb45ap-10f;
    float o = -0x1.2ba8d8p-9f;
    e = VM_FMAF(e, y, 0x1.6e9944p-9f);
    o = VM_FMAF(o, y, -0x1.3ef262p-8f);
    e = VM_FMAF(e, y, 0x1.194f16p-7f);
    o = VM_FMAF(o, y, -0x1.e7015ep-7f);
    e = VM_FMAF(e, y, 0x1.acb7b8p-6f);
    o = VM_FMAF(o, y, -0x1.82c1bp-5f);
    e = VM_FMAF(e, y, 0x1.68a752p-4f);
    o = VM_FMAF(o, y, -0x1.620162p-3f);
    e = VM_FMAF(e, y, 0x1.f383acp-4f);
    return VM_FMAF(z, 0.25f * z, (z * z) * VM_FMAF(o, t, e));
}

/* z - log(1 + z) for 0 <= z <= 1 only, as vm_log1p_gap_unitf: z^2 (1/4 + q(z - 133/256)), q of degree 21.
 * max 1.8306 ULP at 0x1.00aa67a52685p-6 (FMA),
 *     2.3403 ULP at 0x1.08f58a863800cp-3 (no FMA). */
VM_INLINE double vm_log1p_gap_unit(double z)
{
    double t = z - 133.0 / 256.0;
    double y = t * t;
    double e = 0x1.223029c2b16fep-16;
    double o = -0x1.00b38d9fecca8p-16;
    o = VM_FMA(o, y, -0x1.080db8940662bp-17);
    e = VM_FMA(e, y, 0x1.61e059310b143p-16);
    o = VM_FMA(o, y, -0x1.75c8d68363d4dp-15);
    e = VM_FMA(e, y, 0x1.1816f515d5b4ep-14);
    o = VM_FMA(o, y, -0x1.b2f9e2358bc87p-14);
    e = VM_FMA(e, y, 0x1.60d8dc5ed3f97p-13);
    o = VM_FMA(o, y, -0x1.1dad919c79cfp-12);
    e = VM_FMA(e, y, 0x1.cf0b60fe5bdc3p-12);
    o = VM_FMA(o, y, -0x1.79268ef5289dep-11);
    e = VM_FMA(e, y, 0x1.34dcdc60173fp-10);
    o = VM_FMA(o, y, -0x1.fcff6242ae467p-10);
    e = VM_FMA(e, y, 0x1.a6792465d733fp-9);
    o = VM_FMA(o, y, -0x1.61bd387a836f1p-8);
    e = VM_FMA(e, y, 0x1.2b608888c7c24p-7);
    o = VM_FMA(o, y, -0x1.00cb478def498p-6);
    e = VM_FMA(e, y, 0x1.c03f57bdc1917p-6);
    o = VM_FMA(o, y, -0x1.9076f9ac599dfp-5);
    e = VM_FMA(e, y, 0x1.71e0bb67715acp-4);
    o = VM_FMA(o, y, -0x1.67b654799beap-3);
    e = VM_FMA(e, y, 0x1.feaa72279f31ep-4);
    return VM_FMA(z, 0.25 * z, (z * z) * VM_FMA(o, t, e));
}

/* ln 2 - H(s) for |x| <= 2 only, where s = 1/(1 + exp(-x)) and H is the entropy of (s, 1 - s) in nats:
 * x s - log(1 + exp(x)) + ln 2.  x^2/8 + x^4 q(x^2), q minimax of degree 7.
 * max 1.3889 ULP at 0x1.9fde72p+0 (FMA),
 *     1.9044 ULP at 0x1.996f64p+0 (no FMA). */
VM_INLINE float vm_entropy_gap_unitf(float x)
{
    float w = x * x;
    float y = w * w;
    float b = 0x1.d11e54p-32f;
    b = VM_FMAF(b, w, -0x1.955eacp-27f);
    b = VM_FMAF(b, w, 0x1.73664p-23f);
    b = VM_FMAF(b, w, -0x1.017906p-19f);
    float a = 0x1.41104p-16f;
    a = VM_FMAF(a, w, -0x1.82b6f4p-13f);
    a = VM_FMAF(a, w, 0x1.c71af2p-10f);
    a = VM_FMAF(a, w, -0x1.fffffap-7f);
    return VM_FMAF(x, 0.125f * x, VM_FMAF(y, a, y * (y * y) * b));
}

/* ln 2 - H(s) for |x| <= 2 only, as vm_entropy_gap_unitf, q of degree 15.
 * max 1.3784 ULP at 0x1.9ba7636ed910cp+0 (FMA),
 *     1.9775 ULP at 0x1.95068ec153ab4p+0 (no FMA). */
VM_INLINE double vm_entropy_gap_unit(double x)
{
    double w = x * x;
    double y = w * w;
    double v = y * y;
    double b = 0x1.5d724a9e43c6cp-60;
    b = VM_FMA(b, w, -0x1.dee053b9d902ep-55);
    b = VM_FMA(b, w, 0x1.47327195f92a4p-50);
    b = VM_FMA(b, w, -0x1.326ba4b547528p-46);
    b = VM_FMA(b, w, 0x1.cba3d6bed7f14p-43);
    b = VM_FMA(b, w, -0x1.31b836f49e1dp-39);
    b = VM_FMA(b, w, 0x1.8128b8fb8bd76p-36);
    b = VM_FMA(b, w, -0x1.dbcc37e382713p-33);
    double a = 0x1.241bb35b08d94p-29;
    a = VM_FMA(a, w, -0x1.65c7a073e2d66p-26);
    a = VM_FMA(a, w, 0x1.b53243e68181fp-23);
    a = VM_FMA(a, w, -0x1.0a3a5a89f9b98p-19);
    a = VM_FMA(a, w, 0x1.427a8e0496122p-16);
    a = VM_FMA(a, w, -0x1.82d82d8296cf6p-13);
    a = VM_FMA(a, w, 0x1.c71c71c71ba6p-10);
    a = VM_FMA(a, w, -0x1.ffffffffffff2p-7);
    return VM_FMA(x, 0.125 * x, VM_FMA(y, a, y * (v * v) * b));
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

/* The angle of the point (x, y), from -pi to pi, as atan2(y, x); 0 for (0, 0), whatever the signs of zeros.
 * |x|, |y| < 2^1022.  By one division, the tangent of the angle less a multiple of pi/4, |z| < tan(pi/8):
 * z + z^3 q(z^2), q minimax of degree 10.
 * max 1.7046 ULP at y=-0x1.f5ec16918b8bbp+11, x=0x1.154828540cd79p+13 (FMA),
 *     1.7046 ULP at y=-0x1.f5ec16918b8bbp+11, x=0x1.154828540cd79p+13 (no FMA), on 25 thousand points. */
VM_INLINE double vm_atan2(double y, double x)
{
    double a = y < 0.0 ? -y : y;
    double b = x < 0.0 ? -x : x;
    double n = a - b, d = a + b, t = 0x1.921fb54442d18p-1, tl = 0x1.1a62633145c07p-55; /* pi/4 */
    int flat = a < 0x1.a82799p-2 * b, steep = a > 0x1.3504f3p+1 * b;
    n = flat ? a : n;
    d = flat ? b : d;
    t = flat ? 0.0 : t;
    tl = flat ? 0.0 : tl;
    n = steep ? -b : n;
    d = steep ? a : d;
    t = steep ? 0x1.921fb54442d18p+0 : t;
    tl = steep ? 0x1.1a62633145c07p-54 : tl;
    d = d == 0.0 ? 1.0 : d;
    double z = n / d;
    double w = z * z;
    double v = w * w;
    double e = -0x1.29c0368203ae1p-6;
    double o = 0x1.39ec75ce02758p-5;
    e = VM_FMA(e, v, -0x1.9db1e33f0ef1dp-5);
    o = VM_FMA(o, v, 0x1.df44120043437p-5);
    e = VM_FMA(e, v, -0x1.10ef9bec112bdp-4);
    o = VM_FMA(o, v, 0x1.3b1177c68ba36p-4);
    e = VM_FMA(e, v, -0x1.745cfeab595cdp-4);
    o = VM_FMA(o, v, 0x1.c71c711f39125p-4);
    e = VM_FMA(e, v, -0x1.249249235201fp-3);
    o = VM_FMA(o, v, 0x1.9999999997699p-3);
    e = VM_FMA(e, v, -0x1.555555555554dp-2);
    double p = z * w;
    t += z + VM_FMA(p, VM_FMA(o, w, e), tl);
    double s = 0x1.921fb54442d18p+1 - (t - 0x1.1a62633145c07p-53); /* pi - t */
    t = x < 0.0 ? s : t;
    t = a + b == 0.0 ? 0.0 : t;
    return y < 0.0 ? -t : t;
}

#endif
