/* stirling.h - what Stirling's formula leaves of log gamma, with two derivatives, and of artanh what follows its first term:
 * as exp_log.h, for loops that the compiler vectorises, with the error at each.
 *
 * The likelihood of a count is a product of gamma functions, and its logarithm a difference of large numbers.  Written in
 * these remainders, which are small and smooth, it is a sum of small ones.
 */
#ifndef VECMATH_STIRLING_H
#define VECMATH_STIRLING_H
#include "exp_log.h"

/* x times the remainder of log gamma, x^2 times that of digamma, x^3 times that of trigamma (in double the absolute error
 * counts, as it is a small part of what it is added to), in w = 1/x^2 for x >= 1/2: ratios of polynomials, close to minimax.
 * Relative errors 2^-26.6, 2^-24, 2^-20.6 (float); 2^-54, 2^-53.9, 2^-48.7 (double). */
VM_INLINE float vm_stirling_partf(float w)
{
    float w2 = w * w;
    float p = 0x1.41f294p-12f;
    float a = 0x1.2d166ap-6f;
    p = VM_FMAF(p, w2, 0x1.0e7902p-3f);
    a = VM_FMAF(a, w2, 0x1.c1292ep-3f);
    p = VM_FMAF(p, w2, 0x1.555556p-4f);
    float q = 0x1.a6bd98p-8f;
    float b = 0x1.07c2b6p-2f;
    q = VM_FMAF(q, w2, 0x1.aa04a6p+0f);
    b = VM_FMAF(b, w2, 0x1.55232p+1f);
    q = VM_FMAF(q, w2, 0x1p+0f);
    p = VM_FMAF(a, w, p);
    q = VM_FMAF(b, w, q);
    return p / q;
}

VM_INLINE float vm_stirling_slope_partf(float w)
{
    float w2 = w * w;
    float p = 0x1.00c74ep-11f;
    float a = 0x1.d471d6p-6f;
    p = VM_FMAF(p, w2, 0x1.716b88p-3f);
    a = VM_FMAF(a, w2, 0x1.06e9ap-2f);
    p = VM_FMAF(p, w2, 0x1.555554p-4f);
    float q = 0x1.1ad9ccp-6f;
    float b = 0x1.ef29dap-2f;
    q = VM_FMAF(q, w2, 0x1.37b4ep+1f);
    b = VM_FMAF(b, w2, 0x1.972b02p+1f);
    q = VM_FMAF(q, w2, 0x1p+0f);
    p = VM_FMAF(a, w, p);
    q = VM_FMAF(b, w, q);
    return p / q;
}

VM_INLINE float vm_stirling_bend_partf(float w)
{
    float w2 = w * w;
    float p = -0x1.6ab5dcp-13f;
    float a = 0x1.335116p-5f;
    p = VM_FMAF(p, w2, 0x1.0f96eap-3f);
    a = VM_FMAF(a, w2, 0x1.933ae8p-4f);
    p = VM_FMAF(p, w2, 0x1.111106p-6f);
    float q = 0x1.456252p+0f;
    float b = 0x1.f91204p+2f;
    q = VM_FMAF(q, w2, 0x1.9fccf6p+3f);
    b = VM_FMAF(b, w2, 0x1.b6f8f8p+2f);
    q = VM_FMAF(q, w2, 0x1p+0f);
    p = VM_FMAF(a, w, p);
    q = VM_FMAF(b, w, q);
    return p / q;
}

VM_INLINE double vm_stirling_part(double w)
{
    double w2 = w * w;
    double p = 0x1.02242b08317f6p-6;
    double a = 0x1.0010c8bad2764p-14;
    a = VM_FMA(a, w2, 0x1.458e20eb367a8p-1);
    p = VM_FMA(p, w2, 0x1.11a9af8e6d857p+3);
    a = VM_FMA(a, w2, 0x1.8e58a14524604p+5);
    p = VM_FMA(p, w2, 0x1.1cf910da436f6p+7);
    a = VM_FMA(a, w2, 0x1.ac8cfc2b2eb49p+7);
    p = VM_FMA(p, w2, 0x1.5d6a57ceacecdp+7);
    a = VM_FMA(a, w2, 0x1.359a1d0843ea1p+6);
    p = VM_FMA(p, w2, 0x1.20ce08aabdc6dp+4);
    a = VM_FMA(a, w2, 0x1.02c6209d9108dp+1);
    p = VM_FMA(p, w2, 0x1.5555555555555p-4);
    double q = 0x1.1d3cdeac8d858p-2;
    double b = 0x1.d8c34d1e26eep-10;
    b = VM_FMA(b, w2, 0x1.2cab8b096043p+3);
    q = VM_FMA(q, w2, 0x1.ce9fee5cfe4bcp+6);
    b = VM_FMA(b, w2, 0x1.408799bf3eaa8p+9);
    q = VM_FMA(q, w2, 0x1.bd98720cad0cbp+10);
    b = VM_FMA(b, w2, 0x1.49529bb997564p+11);
    q = VM_FMA(q, w2, 0x1.09b8f291be7dfp+11);
    b = VM_FMA(b, w2, 0x1.d3ea0f37d80abp+9);
    q = VM_FMA(q, w2, 0x1.b2cec822948afp+7);
    b = VM_FMA(b, w2, 0x1.84b1b974e2152p+4);
    q = VM_FMA(q, w2, 0x1p+0);
    p = VM_FMA(a, w, p);
    q = VM_FMA(b, w, q);
    return p / q;
}

VM_INLINE double vm_stirling_slope_part(double w)
{
    double w2 = w * w;
    double p = 0x1.e9364f66557bap-14;
    double a = 0x1.33f4741e4bb2fp-5;
    p = VM_FMA(p, w2, 0x1.b9513af09726fp+0);
    a = VM_FMA(a, w2, 0x1.a1cda3d8d3236p+4);
    p = VM_FMA(p, w2, 0x1.58b493bf50813p+7);
    a = VM_FMA(a, w2, 0x1.1bad83208790dp+9);
    p = VM_FMA(p, w2, 0x1.f5be5eadfd10ep+9);
    a = VM_FMA(a, w2, 0x1.f07ec7283f5a2p+9);
    p = VM_FMA(p, w2, 0x1.174a410579e6ap+9);
    a = VM_FMA(a, w2, 0x1.62a094c7695a8p+7);
    p = VM_FMA(p, w2, 0x1.e92d039b62ad5p+4);
    a = VM_FMA(a, w2, 0x1.4ce0a30bf8b88p+1);
    p = VM_FMA(p, w2, 0x1.5555555555555p-4);
    double q = 0x1.fad580a90816bp-8;
    double b = 0x1.0b7ab955542ecp+0;
    q = VM_FMA(q, w2, 0x1.10f575398d86fp+5);
    b = VM_FMA(b, w2, 0x1.acf21188f3e79p+8);
    q = VM_FMA(q, w2, 0x1.3bcb4c94fee38p+11);
    b = VM_FMA(b, w2, 0x1.e34e8428ad498p+12);
    q = VM_FMA(q, w2, 0x1.97b3eff3db927p+13);
    b = VM_FMA(b, w2, 0x1.8738b957b0a9fp+13);
    q = VM_FMA(q, w2, 0x1.af7267b11fd24p+12);
    b = VM_FMA(b, w2, 0x1.0e6a37af4e8c7p+11);
    q = VM_FMA(q, w2, 0x1.71f7093b5d37fp+8);
    b = VM_FMA(b, w2, 0x1.f4ea8e2b8eacbp+4);
    q = VM_FMA(q, w2, 0x1p+0);
    p = VM_FMA(a, w, p);
    q = VM_FMA(b, w, q);
    return p / q;
}

VM_INLINE double vm_stirling_bend_part(double w)
{
    double w2 = w * w;
    double p = -0x1.244f995149dc9p-12;
    double a = 0x1.562404b37f80bp-3;
    p = VM_FMA(p, w2, 0x1.03658936c07f2p+4);
    a = VM_FMA(a, w2, 0x1.8a6e00aed168ap+7);
    p = VM_FMA(p, w2, 0x1.c5cf8dc1bfd97p+9);
    a = VM_FMA(a, w2, 0x1.f3aeffeb9ecd7p+10);
    p = VM_FMA(p, w2, 0x1.23406a056a7fap+11);
    a = VM_FMA(a, w2, 0x1.7a15f95c8e8f5p+10);
    p = VM_FMA(p, w2, 0x1.1733ee30e3c1fp+9);
    a = VM_FMA(a, w2, 0x1.d393051282b18p+6);
    p = VM_FMA(p, w2, 0x1.acad5661d947bp+3);
    a = VM_FMA(a, w2, 0x1.87c87aed3594p-1);
    p = VM_FMA(p, w2, 0x1.1111111111107p-6);
    double q = 0x1.1811b8f3d54b2p+3;
    double b = 0x1.272114a66f2fep+9;
    q = VM_FMA(q, w2, 0x1.0207f8e8275f4p+13);
    b = VM_FMA(b, w2, 0x1.7587178c40c9bp+15);
    q = VM_FMA(q, w2, 0x1.1177c4db46bb9p+17);
    b = VM_FMA(b, w2, 0x1.bba0ba71f645p+17);
    q = VM_FMA(q, w2, 0x1.a1c5a53cf56e8p+17);
    b = VM_FMA(b, w2, 0x1.d2f2d08763702p+16);
    q = VM_FMA(q, w2, 0x1.36c01f88eb63fp+15);
    b = VM_FMA(b, w2, 0x1.e49871e666449p+12);
    q = VM_FMA(q, w2, 0x1.a773816293bbep+9);
    b = VM_FMA(b, w2, 0x1.76ea6d260095fp+5);
    q = VM_FMA(q, w2, 0x1p+0);
    p = VM_FMA(a, w, p);
    q = VM_FMA(b, w, q);
    return p / q;
}

/* (artanh(s)/s - 1)/s^2 for w = s^2 <= 1/9: minimax of degree 4 (float) and 11 (double). */
VM_INLINE float vm_artanh_tailf(float w)
{
    float w2 = w * w;
    float e = 0x1.dba26p-4f;
    float o = 0x1.bc8cf8p-4f;
    e = VM_FMAF(e, w2, 0x1.24c926p-3f);
    o = VM_FMAF(o, w2, 0x1.9998d4p-3f);
    e = VM_FMAF(e, w2, 0x1.555556p-2f);
    return VM_FMAF(o, w, e);
}

VM_INLINE double vm_artanh_tail(double w)
{
    double w2 = w * w;
    double e = 0x1.0371f75936f6fp-5;
    double o = 0x1.37efaea22dc4bp-4;
    o = VM_FMA(o, w2, 0x1.9739afdde011p-5);
    e = VM_FMA(e, w2, 0x1.ad46f379b316dp-5);
    o = VM_FMA(o, w2, 0x1.e2046677f3c39p-5);
    e = VM_FMA(e, w2, 0x1.11103f2bddc9fp-4);
    o = VM_FMA(o, w2, 0x1.3b13b7c41e111p-4);
    e = VM_FMA(e, w2, 0x1.745d1724e5b21p-4);
    o = VM_FMA(o, w2, 0x1.c71c71c77e0f7p-4);
    e = VM_FMA(e, w2, 0x1.2492492491fe8p-3);
    o = VM_FMA(o, w2, 0x1.999999999999cp-3);
    e = VM_FMA(e, w2, 0x1.5555555555555p-2);
    return VM_FMA(o, w, e);
}

/* Below 1/2 the remainders come from those at x + 1, and log((x + 1)/x), for which a finite number stands at 0;
 * r = 1/(x + 1). */
VM_INLINE float vm_stirling_stepf(float x, float r)
{
    return -vm_logf(x == 0.0f ? 0x1p-126f : x * r);
}

/* ε(x) = log Γ(x + 1) - (x + 1/2) log x + x - log(2 pi)/2 for x > 0; below 1/2 errors are in ULP of 1, or of log(x)/2
 * where that is larger.
 * max 3.3300 ULP at 1.3201302f (FMA),
 *     3.3300 ULP at 1.3201302f (no FMA). */
VM_INLINE float vm_stirling_errorf(float x)
{
    int low = x < 0.5f;
    float y = low ? x + 1 : x, r = 1 / y, e = r * vm_stirling_partf(r * r);
    float below = e + ((x + 0.5f) * vm_stirling_stepf(x, r) - 1);
    return low ? below : e;
}

/* -x ε'(x) = x (log x - digamma(x)) - 1/2 for x > 0: 1/2 at 0, and 1/(12 x) far out; below 1/2 errors are in ULP of 1.
 * max 3.3320 ULP at 0x1.57779ap+1 (FMA),
 *     3.3970 ULP at 0x1.6a9590p+1 (no FMA). */
VM_INLINE float vm_stirling_slopef(float x)
{
    int low = x < 0.5f;
    float y = low ? x + 1 : x, r = 1 / y, e = r * vm_stirling_slope_partf(r * r);
    float below = (x + 0.5f) * r + x * (e * r - vm_stirling_stepf(x, r));
    return low ? below : e;
}

/* -(x^2 ε'(x))', the derivative of x vm_stirling_slope(x), for x > 0: 1/2 at 0, and 1/(60 x^3) far out.  Errors are in ULP
 * of 1: from 1/2 on 0.1, which is up to 15 of itself.
 * max 2.7000 ULP at 0x1.606e0cp-2 (FMA),
 *     2.7000 ULP at 0x1.606e0cp-2 (no FMA). */
VM_INLINE float vm_stirling_bendf(float x)
{
    int low = x < 0.5f;
    float y = low ? x + 1 : x, r = 1 / y, w = r * r, a = x * r;
    float e = r * w * vm_stirling_bend_partf(w);
    float below = w * (2 * a * vm_stirling_slope_partf(w) + x * (x + 2) + 0.5f) + (a - 2 * x * vm_stirling_stepf(x, r)) + a * a * e;
    return low ? below : e;
}

/* Below 1/2 the remainders come from those at x + 1, and log((x + 1)/x), for which a finite number stands at 0;
 * r = 1/(x + 1). */
VM_INLINE double vm_stirling_step(double x, double r)
{
    return -vm_log(x == 0.0 ? 0x1p-1022 : x * r);
}

/* ε(x) = log Γ(x + 1) - (x + 1/2) log x + x - log(2 pi)/2 for x > 0; below 1/2 errors are in ULP of 1, or of log(x)/2
 * where that is larger.
 * max 4.0130 ULP at 0x1.66491767b57adp+1 (FMA),
 *     4.0130 ULP at 0x1.719612f93ac72p+0 (no FMA). */
VM_INLINE double vm_stirling_error(double x)
{
    int low = x < 0.5;
    double y = low ? x + 1 : x, r = 1 / y, e = r * vm_stirling_part(r * r);
    double below = e + ((x + 0.5) * vm_stirling_step(x, r) - 1);
    return low ? below : e;
}

/* -x ε'(x) = x (log x - digamma(x)) - 1/2 for x > 0: 1/2 at 0, and 1/(12 x) far out; below 1/2 errors are in ULP of 1.
 * max 3.6200 ULP at 1.44558779 (FMA),
 *     4.2200 ULP at 0x1.56a6a259adc87p+0 (no FMA). */
VM_INLINE double vm_stirling_slope(double x)
{
    int low = x < 0.5;
    double y = low ? x + 1 : x, r = 1 / y, e = r * vm_stirling_slope_part(r * r);
    double below = (x + 0.5) * r + x * (e * r - vm_stirling_step(x, r));
    return low ? below : e;
}

/* -(x^2 ε'(x))', the derivative of x vm_stirling_slope(x), for x > 0: 1/2 at 0, and 1/(60 x^3) far out.  Errors are in ULP
 * of 1: from 1/2 on 0.1, which is up to 23 of itself.
 * max 2.9170 ULP at 0x1.d9628d983c8b2p-2 (FMA),
 *     2.9170 ULP at 0x1.d9628d983c8b2p-2 (no FMA). */
VM_INLINE double vm_stirling_bend(double x)
{
    int low = x < 0.5;
    double y = low ? x + 1 : x, r = 1 / y, w = r * r, a = x * r;
    double e = r * w * vm_stirling_bend_part(w);
    double below = w * (2 * a * vm_stirling_slope_part(w) + x * (x + 2) + 0.5) + (a - 2 * x * vm_stirling_step(x, r)) + a * a * e;
    return low ? below : e;
}

#endif
