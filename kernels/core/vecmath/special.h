/* special.h - functions on the unit interval, atan2: as exp_log.h, for loops that the compiler vectorises, with the
 * error bound at each and where it is met.
 */
#ifndef VECMATH_SPECIAL_H
#define VECMATH_SPECIAL_H
#include "exp_log.h"

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
