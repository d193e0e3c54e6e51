/* exp_log.h - exp, log, powers and their kin for loops that the compiler vectorises.
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
#ifndef VECMATH_EXP_LOG_H
#define VECMATH_EXP_LOG_H
#include <math.h>
#include <stdint.h>
#include <string.h>

/* A call in a loop keeps it from being vectorised, so inlining is not left to the compiler's taste. */
#if defined(__GNUC__)
#define VM_INLINE static inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define VM_INLINE static __forceinline
#else
#define VM_INLINE static inline
#endif

/* MSVC has no macro for FMA, but compiles fma() to it where AVX2 is. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__) || (defined(_MSC_VER) && (defined(__AVX2__) || defined(_M_ARM64)))
#define VM_HAVE_FMA 1
#if defined(__GNUC__) || defined(__clang__)
#define VM_FMAF(a, b, c) __builtin_fmaf((a), (b), (c))
#define VM_FMA(a, b, c) __builtin_fma((a), (b), (c))
#else
#define VM_FMAF(a, b, c) fmaf((a), (b), (c))
#define VM_FMA(a, b, c) fma((a), (b), (c))
#endif
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

#define VM_INF ((double)INFINITY)
#define VM_NAN ((double)NAN)

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

/* exp(r) - 1 - r for |r| <= ln2/2 only: r^2 times Taylor's polynomial of degree 6.
 * max 2.6430 ULP at 0x1.55a504p-4 (FMA),
 *     2.7168 ULP at -0x1.0245f2p-2 (no FMA), on 60 thousand points. */
VM_INLINE float vm_exp_bowf(float r)
{
    float w = r * r;
    float e = 0x1.a01a02p-16f;
    float o = 0x1.a01a02p-13f;
    e = VM_FMAF(e, w, 0x1.6c16c2p-10f);
    o = VM_FMAF(o, w, 0x1.111112p-7f);
    e = VM_FMAF(e, w, 0x1.555556p-5f);
    o = VM_FMAF(o, w, 0x1.555556p-3f);
    e = VM_FMAF(e, w, 0x1.000000p-1f);
    return w * VM_FMAF(o, r, e);
}

/* exp(r) - 1 - r for |r| <= ln2/2 only, as vm_exp_bowf, of degree 13.
 * max 2.5673 ULP at 0x1.5bdf1270c3b04p-3 (FMA),
 *     2.7967 ULP at -0x1.0ab15065f4e96p-2 (no FMA), on 60 thousand points. */
VM_INLINE double vm_exp_bow(double r)
{
    double w = r * r;
    double e = 0x1.93974a8c07c9dp-37;
    double o = 0x1.ae7f3e733b81fp-41;
    e = VM_FMA(e, w, 0x1.1eed8eff8d898p-29);
    o = VM_FMA(o, w, 0x1.6124613a86d09p-33);
    e = VM_FMA(e, w, 0x1.27e4fb7789f5cp-22);
    o = VM_FMA(o, w, 0x1.ae64567f544e4p-26);
    e = VM_FMA(e, w, 0x1.a01a01a01a01ap-16);
    o = VM_FMA(o, w, 0x1.71de3a556c734p-19);
    e = VM_FMA(e, w, 0x1.6c16c16c16c17p-10);
    o = VM_FMA(o, w, 0x1.a01a01a01a01ap-13);
    e = VM_FMA(e, w, 0x1.5555555555555p-5);
    o = VM_FMA(o, w, 0x1.1111111111111p-7);
    e = VM_FMA(e, w, 0x1.0000000000000p-1);
    o = VM_FMA(o, w, 0x1.5555555555555p-3);
    return w * VM_FMA(o, r, e);
}

/* exp(d + e) for d <= 0, |e| tiny beside |d| or 1; e joins the reduced argument.  Errors as vm_exp_gapf. */
VM_INLINE float vm_exp_sumf(float d, float e)
{
    const float magic = 0x1.8p23f + (127.0f + 64.0f); /* low bits: exponent field of 2^(n+64) */
    float z = VM_FMAF(d, 0x1.715476p0f, magic);
    float n = z - magic;
    float r = VM_FMAF(n, -VM_LN2F_HI, d);
    e = VM_FMAF(n, -VM_LN2F_LO, e);
    float y = VM_EXPSUMF(r, e) * vm_floatf(vm_bitsf(z) << 23) * 0x1p-64f;
    return d < -104.0f ? 0.0f : y;
}

/* exp(a - m) for a <= m (only).  d + e = a - m exactly (Knuth TwoDiff), and e
 * joins the reduced argument.  0 for a = -inf or far gaps, 1 for a == m finite,
 * NaN if a or m is NaN or a == m is infinite.
 * max 0.8975 ULP at a=-0x1.5ee77ap+6, m=0x1.e941cap-19 (FMA),
 *     0.8861 ULP at a=-0x1.c7f50cp+5, m=-0x1.34339ep+4 (no FMA). */
VM_INLINE float vm_exp_gapf(float a, float m)
{
    float d = a - m;
    float t = d - a;
    float e = (a - (d - t)) - (m + t);
    return vm_exp_sumf(d, e);
}

/* exp(d + e), as vm_exp_sumf.  Errors as vm_exp_gap. */
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

/* log(base + b c) for a base of 0, 1/2 or 1; the sum is not below 0, and not tiny but for a base of 0.
 * As vm_log or vm_log1p. */
VM_INLINE float vm_log_of_sumf(float base, float b, float c)
{
    float u = VM_FMAF(b, c, base);
    int small = u < 0x1p-64f; /* the base is 0 there; the power of two below stays finite */
    c = small ? c * 0x1p80f : c;
    u = small ? u * 0x1p80f : u;
    uint32_t k = (vm_bitsf(u) - 0x3f400000u) & 0xff800000u; /* k << 23; 0.75f */
    float s = vm_floatf(0x40800000u - k); /* 2^(2-k) */
    float n = (float)(int32_t)k - (small ? 80.0f * 0x1p23f : 0.0f);
    float y = vm_log_endf(VM_FMAF(b * s, c, base * s - 4.0f), n);
    return u == 0.0f ? -(float)VM_INF : y;
}

/* log(base + b c), as vm_log_of_sumf. */
VM_INLINE double vm_log_of_sum(double base, double b, double c)
{
    double u = VM_FMA(b, c, base);
    int small = u < 0x1p-500;
    c = small ? c * 0x1p600 : c;
    u = small ? u * 0x1p600 : u;
    uint64_t h = vm_bits(u) + 0x0008000000000000u; /* exponent field: k + 1023 */
    double s = vm_float(0x8000000000000000u - (h & 0xfff0000000000000u)); /* 2^(2-k) */
    double n = vm_float((h >> 52) | 0x4330000000000000u)
        - (small ? 0x1p52 + (1023.0 + 600.0) : 0x1p52 + 1023.0);
    double y = vm_log_end(VM_FMA(b * s, c, VM_FMA(base, s, -4.0)), n);
    return u == 0.0 ? -VM_INF : y;
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

/* log(x) = hi + lo for x > 0, as vm_log_parts, by the logarithm that is short: |error of hi + lo| < 2^-38 |log x|. */
VM_INLINE float vm_log_partsf(float x, float *lo)
{
    double y = vm_log_ratio_short(x, 1.0);
    y = x < (float)VM_INF ? y : x;
    *lo = (float)(y - (float)y);
    return (float)y;
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
    e = fabs(p) < 0x1p20 ? e : 0.0; /* exp overflows or underflows anyway */
    return vm_exp_parts(p, e, 1.0);
}
#endif
