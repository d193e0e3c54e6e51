/* normal.h - log(1 - exp(x)), and the logarithm of the normal distribution function with its slope: as exp_log.h, for
 * loops that the compiler vectorises, with the error bound at each and where it is met.
 */
#ifndef VECMATH_NORMAL_H
#define VECMATH_NORMAL_H
#include "exp_log.h"

/* log(1 - exp(x)) for x <= 0; NaN above 0.  x = n ln2 + r, |r| <= ln2/2; for n = 0 the logarithm of
 * 1 - exp(r) = -(r + r^2 q(r)), below that of 1 less a number.
 * max 2.3331 ULP at -0x1.d7a942p-2 (FMA),
 *     2.2601 ULP at -0x1.de9c24p-2 (no FMA). */
VM_INLINE float vm_log1mexpf(float x)
{
    const float magic = 0x1.8p23f + 254.0f; /* rounds to integer; low bits: n + 2*127 */
    float u = -104.0f > x ? -104.0f : x; /* exp gives 0 here; NaN passes */
    float z = VM_FMAF(u, 0x1.715476p0f, magic); /* 1/ln2 */
    float n = z - magic;
    uint32_t b = vm_bitsf(z);
    uint32_t s1 = (b << 22) & 0xff800000u; /* 2^floor(n/2) */
    uint32_t s2 = (b << 23) - s1; /* 2^ceil(n/2) */
    float r = VM_FMAF(n, -VM_LN2F_HI, u);
    float c = n * -VM_LN2F_LO;
    float y;
#if VM_HAVE_FMA
    r += c;
    y = 0x1.6a884cp-10f; /* as vm_exp_polyf */
    y = VM_FMAF(y, r, 0x1.124368p-7f);
    y = VM_FMAF(y, r, 0x1.555938p-5f);
    y = VM_FMAF(y, r, 0x1.555484p-3f);
    y = VM_FMAF(y, r, 0x1.fffffap-2f);
    y = VM_FMAF(y, r * r, r);
#else
    float w, e, o;
    w = (r + c) * (r + c);
    o = VM_FMAF(0x1.124368p-7f, w, 0x1.555484p-3f);
    e = VM_FMAF(0x1.6a884cp-10f, w, 0x1.555938p-5f);
    o = VM_FMAF(e, r + c, o);
    e = VM_FMAF(o, r + c, 0x1.fffffap-2f);
    y = (e * w + c) + r;
#endif
    c = (1.0f + y) * vm_floatf(s1) * vm_floatf(s2);
    c = n == 0.0f ? y : c;
    y = vm_log_of_sumf(n == 0.0f ? 0.0f : 1.0f, -1.0f, c);
    return x <= 0.0f ? y : (float)VM_NAN;
}

/* log(1 - exp(x)) for x <= 0, as vm_log1mexpf.
 * max 2.4401 ULP at -0x1.dd6f57019d1ddp-2 (FMA),
 *     2.2728 ULP at -0x1.dfdf0db23a13bp-2 (no FMA). */
VM_INLINE double vm_log1mexp(double x)
{
    const double magic = 0x1.8p52 + 2046.0; /* rounds to integer; low bits: n + 2*1023 */
    double u = -746.0 > x ? -746.0 : x; /* exp gives 0 here; NaN passes */
    double z = VM_FMA(u, 0x1.71547652b82fep0, magic); /* 1/ln2 */
    double n = z - magic;
    uint64_t b = vm_bits(z);
    uint64_t s1 = (b << 51) & 0xfff0000000000000u; /* 2^floor(n/2) */
    uint64_t s2 = (b << 52) - s1; /* 2^ceil(n/2) */
    double r = VM_FMA(n, -VM_LN2_HI, u);
    double l = n * -VM_LN2_LO;
    double a = r + l;
    double y = (VM_FMA(vm_exp_end(a, a * a), a * a, l)) + r;
    double c = (1.0 + y) * vm_float(s1) * vm_float(s2);
    c = n == 0.0 ? y : c;
    y = vm_log_of_sum(n == 0.0 ? 0.0 : 1.0, -1.0, c);
    return x <= 0.0 ? y : VM_NAN;
}

/* The normal distribution function at -t is exp(-t^2/2) m(t), t >= 0: m(t) = g(q)/(t + 4), where
 * q = (t - 4)/(t + 4) is in [-1, 1] and g is minimax of degree 11. */
VM_INLINE float vm_mills_ratiof(float t)
{
    float d = t + 4.0f;
    float v = 1.0f / d;
    float p = v * d;
    float l = v * (((1.0f - p) - vm_product_errorf(v, d, p)) - v * (t - (d - 4.0f))); /* 1/(t + 4) - v */
    l = t > 0x1p20f ? 0.0f : l;
    float q = VM_FMAF(-8.0f, l, VM_FMAF(-8.0f, v, 1.0f));
    float w = q * q;
    float e = -0x1.5ae472p-20f;
    float o = 0x1.57069cp-16f;
    e = VM_FMAF(e, w, 0x1.161fc2p-13f);
    o = VM_FMAF(o, w, -0x1.c03894p-13f);
    e = VM_FMAF(e, w, -0x1.c803bep-9f);
    o = VM_FMAF(o, w, 0x1.a8c748p-10f);
    e = VM_FMAF(e, w, 0x1.eec462p-5f);
    o = VM_FMAF(o, w, -0x1.edf39ap-8f);
    float g = VM_FMAF(o, q, e);
    g = VM_FMAF(g, q, -0x1.7dff6p-3f);
    g = VM_FMAF(g, q, 0x1.8c6dcp-2f);
    g = VM_FMAF(g, q, -0x1.373e3ap-1f);
    g = VM_FMAF(g, q, 0x1.82b4bcp-1f);
    return VM_FMAF(g, v, g * l);
}

/* As vm_mills_ratiof, g of degree 24. */
VM_INLINE double vm_mills_ratio(double t)
{
    double d = t + 4.0;
    double v = 1.0 / d;
    double p = v * d;
    double l = v * (((1.0 - p) - vm_product_error(v, d, p)) - v * (t - (d - 4.0))); /* 1/(t + 4) - v */
    l = t > 0x1p50 ? 0.0 : l;
    double q = VM_FMA(-8.0, l, VM_FMA(-8.0, v, 1.0));
    double w = q * q;
    double e = 0x1.9acabe6a0d5ap-32;
    double o = -0x1.1e822300edf26p-33;
    e = VM_FMA(e, w, -0x1.0dfa6d8402da1p-28);
    o = VM_FMA(o, w, -0x1.227c1116e0d3p-31);
    e = VM_FMA(e, w, 0x1.78f98da3fdadep-26);
    o = VM_FMA(o, w, 0x1.300e2cf7da94ep-26);
    e = VM_FMA(e, w, -0x1.786472cc6065ap-24);
    o = VM_FMA(o, w, -0x1.56aa936d2f67ap-23);
    e = VM_FMA(e, w, 0x1.25560409670eep-22);
    o = VM_FMA(o, w, 0x1.130a06f90d008p-20);
    e = VM_FMA(e, w, -0x1.526279815ad1ap-21);
    o = VM_FMA(o, w, -0x1.8d62ab9adc79ep-18);
    e = VM_FMA(e, w, 0x1.80dabf404e5d1p-21);
    o = VM_FMA(o, w, 0x1.26d1775fc5c36p-15);
    e = VM_FMA(e, w, -0x1.00209d3f5d784p-19);
    o = VM_FMA(o, w, -0x1.e4a42ffd0ec5ep-13);
    e = VM_FMA(e, w, 0x1.17a4af8f0e169p-13);
    o = VM_FMA(o, w, 0x1.ab825fe86db6dp-10);
    e = VM_FMA(e, w, -0x1.c81719d74aa2p-9);
    double g = VM_FMA(o, q, e);
    g = VM_FMA(g, q, -0x1.ee2761052348bp-8);
    g = VM_FMA(g, q, 0x1.eec4cc3e4eb99p-5);
    g = VM_FMA(g, q, -0x1.7dff2bff68124p-3);
    g = VM_FMA(g, q, 0x1.8c6dbf2cfc2a5p-2);
    g = VM_FMA(g, q, -0x1.373e3a893c28cp-1);
    g = VM_FMA(g, q, 0x1.82b4bb8c94dcep-1);
    return VM_FMA(g, v, g * l);
}

/* exp(-t^2/2) for t >= 0, the rounding error of t^2 carried. */
VM_INLINE float vm_normal_tailf(float t)
{
    float h = t * t;
    return vm_exp_sumf(-0.5f * h, -0.5f * vm_product_errorf(t, t, h));
}

VM_INLINE double vm_normal_tail(double t)
{
    double h = t * t;
    return vm_exp_sum(-0.5 * h, -0.5 * vm_product_error(t, t, h));
}

/* q(x^2) where 1/2 + x q(x^2) is the normal distribution function of 0 <= x <= 1, q minimax of degree 5. */
VM_INLINE float vm_normal_middlef(float x)
{
    float w = x * x;
    float q = -0x1.00d6e6p-17f;
    q = VM_FMAF(q, w, 0x1.dbffacp-14f);
    q = VM_FMAF(q, w, -0x1.36fd4ap-10f);
    q = VM_FMAF(q, w, 0x1.46ce4ep-7f);
    q = VM_FMAF(q, w, -0x1.105832p-4f);
    q = VM_FMAF(q, w, 0x1.988454p-2f);
    return q;
}

/* As vm_normal_middlef, q of degree 10. */
VM_INLINE double vm_normal_middle(double x)
{
    double w = x * x;
    double y = w * w;
    double e = 0x1.1e87d89f3fe9ap-38;
    double o = -0x1.e68f42a02caedp-34;
    e = VM_FMA(e, y, 0x1.380a267bc7f2ep-29);
    o = VM_FMA(o, y, -0x1.621cb3cef5201p-25);
    e = VM_FMA(e, y, 0x1.6589f0b4133c7p-21);
    o = VM_FMA(o, y, -0x1.3ce8f9b543f02p-17);
    e = VM_FMA(e, y, 0x1.e42b0d4ae51dp-14);
    o = VM_FMA(o, y, -0x1.37403f6b929e3p-10);
    e = VM_FMA(e, y, 0x1.46d0429768ffdp-7);
    o = VM_FMA(o, y, -0x1.1058377e2cedfp-4);
    e = VM_FMA(e, y, 0x1.9884533d43651p-2);
    return VM_FMA(o, w, e);
}

/* The logarithm of the normal distribution function: below 0 log m(|x|) - x^2/2, up to 7/8 as above, from
 * there log(1 - exp(-x^2/2) m(x)).
 * max 3.0371 ULP at 0x1.e6f8acp+0 (FMA),
 *     3.6459 ULP at 0x1.e0e8b4p-1 (no FMA). */
VM_INLINE float vm_log_ndtrf(float x)
{
    float t = fabsf(x);
    float m = vm_mills_ratiof(t);
    float base = x < 0.875f ? 0.5f : 1.0f;
    float b = x < 0.875f ? x : -vm_normal_tailf(t);
    float c = x < 0.875f ? vm_normal_middlef(x) : m;
    base = x < 0.0f ? 0.0f : base;
    b = x < 0.0f ? 1.0f : b;
    float y = vm_log_of_sumf(base, b, x < 0.0f ? m : c);
    return VM_FMAF(x < 0.0f ? -0.5f * t : 0.0f, x < 0.0f ? t : 0.0f, y);
}

/* As vm_log_ndtrf.
 * max 3.7455 ULP at 0x1.906de281d3bb6p-1 (FMA),
 *     4.4613 ULP at 0x1.abaf17907887p-1 (no FMA). */
VM_INLINE double vm_log_ndtr(double x)
{
    double t = fabs(x);
    double m = vm_mills_ratio(t);
    double base = x < 0.875 ? 0.5 : 1.0;
    double b = x < 0.875 ? x : -vm_normal_tail(t);
    double c = x < 0.875 ? vm_normal_middle(x) : m;
    base = x < 0.0 ? 0.0 : base;
    b = x < 0.0 ? 1.0 : b;
    double y = vm_log_of_sum(base, b, x < 0.0 ? m : c);
    return VM_FMA(x < 0.0 ? -0.5 * t : 0.0, x < 0.0 ? t : 0.0, y);
}

/* The slope of the function above, the density over the distribution function; -x where that is it, rounded.
 * max 2.6992 ULP at -0x1.2187f4p-2 (FMA),
 *     3.0318 ULP at -0x1.bf58c4p+3 (no FMA). */
VM_INLINE float vm_log_ndtr_slopef(float x)
{
    float t = fabsf(x);
    float m = vm_mills_ratiof(t);
    float p = vm_normal_tailf(t);
    float c = x < 0.875f ? VM_FMAF(x, vm_normal_middlef(x), 0.5f) : VM_FMAF(-p, m, 1.0f);
    float y = 0x1.988454p-2f * (x < 0.0f ? 1.0f : p) / (x < 0.0f ? m : c); /* 1/sqrt(2 pi) */
    return x < -0x1p13f ? t : y;
}

/* As vm_log_ndtr_slopef.
 * max 3.0076 ULP at -0x1.f8ab616ecbdap+19 (FMA),
 *     3.8780 ULP at -0x1.ee09675bce788p+3 (no FMA). */
VM_INLINE double vm_log_ndtr_slope(double x)
{
    double t = fabs(x);
    double m = vm_mills_ratio(t);
    double p = vm_normal_tail(t);
    double c = x < 0.875 ? VM_FMA(x, vm_normal_middle(x), 0.5) : VM_FMA(-p, m, 1.0);
    double y = 0x1.9884533d43651p-2 * (x < 0.0 ? 1.0 : p) / (x < 0.0 ? m : c); /* 1/sqrt(2 pi) */
    return x < -0x1p27 ? t : y;
}
#endif
