#ifndef VECMATH_H
#define VECMATH_H
#include <stdint.h>
#include <string.h>

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
#define VM_HAVE_FMA 1
#define VM_FMAF(a, b, c) __builtin_fmaf((a), (b), (c))
#define VM_FMA(a, b, c) __builtin_fma((a), (b), (c))
#else
#define VM_HAVE_FMA 0
#define VM_FMAF(a, b, c) ((a) * (b) + (c))
#define VM_FMA(a, b, c) ((a) * (b) + (c))
#endif

static inline uint32_t vm_bitsf(float x) { uint32_t u; memcpy(&u, &x, sizeof u); return u; }
static inline float vm_floatf(uint32_t u) { float x; memcpy(&x, &u, sizeof x); return x; }
static inline uint64_t vm_bits(double x) { uint64_t u; memcpy(&u, &x, sizeof u); return u; }
static inline double vm_float(uint64_t u) { double x; memcpy(&x, &u, sizeof x); return x; }

#define VM_INFF __builtin_inff()
#define VM_NANF __builtin_nanf("")
#define VM_INF __builtin_inf()
#define VM_NAN __builtin_nan("")

#if VM_HAVE_FMA
#define VM_LN2F_HI 0x1.62e43p-1f
#define VM_LN2F_LO -0x1.05c61p-29f
#define VM_LN2_HI 0x1.62e42fefa39efp-1
#define VM_LN2_LO 0x1.abc9e3b39803fp-56
#define VM_LN2_LOG_LO VM_LN2_LO
#else
#define VM_LN2F_HI 0x1.62e4p-1f
#define VM_LN2F_LO 0x1.7f7d1cp-20f
#define VM_LN2_HI 0x1.62e42fefa4p-1
#define VM_LN2_LO -0x1.8432a1b0e2634p-43
#define VM_LN2_LOG_LO -0x3086p-56
#endif

#if VM_HAVE_FMA
static inline float vm_exp_polyf(float r)
{
    float q = 0x1.6a884cp-10f;
    q = VM_FMAF(q, r, 0x1.124368p-7f);
    q = VM_FMAF(q, r, 0x1.555938p-5f);
    q = VM_FMAF(q, r, 0x1.555484p-3f);
    q = VM_FMAF(q, r, 0x1.fffffap-2f);
    q = VM_FMAF(q, r, 1.0f);
    return VM_FMAF(q, r, 1.0f);
}

static inline double vm_exp_poly(double r)
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
#define VM_POLYF(r1,n,lo) vm_exp_polyf(VM_FMAF(n,lo,r1))
#define VM_POLY(r1,n,lo) vm_exp_poly(VM_FMA(n,lo,r1))
#define VM_POLYCF(r1,c) vm_exp_polyf((r1)+(c))
#define VM_POLYC(r1,c) vm_exp_poly((r1)+(c))
#else
static inline float vm_exp_polyf(float r1, float c)
{
    float r = r1 + c;
    float w = r * r;
    float o = VM_FMAF(0x1.124368p-7f, w, 0x1.555484p-3f);
    float e = VM_FMAF(0x1.6a884cp-10f, w, 0x1.555938p-5f);
    o = VM_FMAF(e, r, o);
    e = VM_FMAF(o, r, 0x1.fffffap-2f);
    return ((e * w + c) + r1) + 1.0f;
}

static inline double vm_exp_poly(double r1, double c)
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
#define VM_POLYF(r1,n,lo) vm_exp_polyf(r1,(n)*(lo))
#define VM_POLY(r1,n,lo) vm_exp_poly(r1,(n)*(lo))
#define VM_POLYCF vm_exp_polyf
#define VM_POLYC vm_exp_poly
#endif
static inline float vm_expf(float x)
{
    const float magic = 0x1.8p23f + 254.0f;
    float z, n, r;
    uint32_t b, s1, s2;
    x = -104.0f > x ? -104.0f : x;
    b = vm_bitsf(VM_FMAF(x, 0x1.715476p0f, magic));
    b = b < 0x4b40017eu ? b : 0x4b40017eu;
    z = vm_floatf(b);
    n = z - magic;
    r = VM_FMAF(n, -VM_LN2F_HI, x);
    s1 = (b << 22) & 0xff800000u;
    s2 = (b << 23) - s1;
    return VM_POLYF(r, n, -VM_LN2F_LO) * vm_floatf(s1) * vm_floatf(s2);
}

static inline double vm_exp(double x)
{
    const double magic = 0x1.8p52 + 2046.0;
    double z, n, r;
    uint64_t b, s1, s2;
    x = -746.0 > x ? -746.0 : x;
    z = VM_FMA(x, 0x1.71547652b82fep0, magic);
    n = z - magic;
    r = VM_FMA(n, -VM_LN2_HI, x);
    b = vm_bits(z);
    s1 = (b << 51) & 0xfff0000000000000u;
    s2 = (b << 52) - s1;
    r= VM_POLY(r, n, -VM_LN2_LO) * vm_float(s1) * vm_float(s2);
    return x > 710.0 ? VM_INF : r;
}

static inline float vm_exp_gapf(float a, float m)
{
    const float magic = 0x1.8p23f + (127.0f + 64.0f);
    float d = a - m;
    float t = d - a;
    float e = (a - (d - t)) - (m + t);
    float z = VM_FMAF(d, 0x1.715476p0f, magic);
    float n = z - magic;
    float r = VM_FMAF(n, -VM_LN2F_HI, d);
    e = VM_FMAF(n, -VM_LN2F_LO, e);
    float y = VM_POLYCF(r, e) * vm_floatf(vm_bitsf(z) << 23) * 0x1p-64f;
    return d < -104.0f ? 0.0f : y;
}

static inline double vm_exp_gap(double a, double m)
{
    const double magic = 0x1.8p52 + (1023.0 + 128.0);
    double d = a - m;
    double t = d - a;
    double e = (a - (d - t)) - (m + t);
    double z = VM_FMA(d, 0x1.71547652b82fep0, magic);
    double n = z - magic;
    double r = VM_FMA(n, -VM_LN2_HI, d);
    e = VM_FMA(n, -VM_LN2_LO, e);
    double y = VM_POLYC(r, e) * vm_float(vm_bits(z) << 52) * 0x1p-128;
    return d < -746.0 ? 0.0 : y;
}

static inline float vm_log1pf(float x)
{
    float u = x + 1.0f;
    uint32_t k = (vm_bitsf(u) - 0x3f400000u) & 0xff800000u;
    float s = vm_floatf(0x40800000u - k);
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
    e = VM_FMAF(e, w, -0x1.00008ap-10f);
    o = VM_FMAF(o, w, 0x1.5555b2p-8f);
    o = VM_FMAF(e, f, o);
    o = VM_FMAF(o, f, -0x1p-5f);
#if VM_HAVE_FMA
    y = VM_FMAF(n, VM_LN2F_HI * 0x1p-23f, VM_FMAF(o, w, g));
#else
    y = n * (VM_LN2F_HI * 0x1p-23f) + (g + (o * w + n * (VM_LN2F_LO * 0x1p-23f)));
#endif
    y = y < x ? y : x;
    y = x > -1.0f ? y : vm_floatf(0xff800000u | (vm_bitsf(u) >> 8));
    return y;
}

static inline double vm_log1p(double x)
{
    double u = x + 1.0;
    uint64_t h = vm_bits(u) + 0x0008000000000000u;
    double s = vm_float(0x8000000000000000u - (h & 0xfff0000000000000u));
    double f = VM_FMA(x, s, s - 4.0);
    double n = vm_float((h >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double g = 0.25 * f;
    double v = f / (8.0 + f);
    double w = v * v;
    double q, y;
#if VM_HAVE_FMA
    q = 0x1.3b596bd152e17p-3;
    q = VM_FMA(q, w, 0x1.383e3a742880fp-3);
    q = VM_FMA(q, w, 0x1.7475f28eb4042p-3);
    q = VM_FMA(q, w, 0x1.c71bfa9116b16p-3);
    q = VM_FMA(q, w, 0x1.249249bd1a7e9p-2);
    q = VM_FMA(q, w, 0x1.99999998e0c26p-2);
    q = VM_FMA(q, w, 0x1.55555555557b3p-1);
#else
    q = 0x1.1c3413493e62bp-3;
    q = VM_FMA(q, w, 0x1.0dafeaf4688a8p-3);
    q = VM_FMA(q, w, 0x1.3b377b7d5832ep-3);
    q = VM_FMA(q, w, 0x1.745c3c995bc57p-3);
    q = VM_FMA(q, w, 0x1.c71c74cfe6293p-3);
    q = VM_FMA(q, w, 0x1.2492492197cbcp-2);
    q = VM_FMA(q, w, 0x1.999999999c6d3p-2);
    q = VM_FMA(q, w, 0x1.555555555554ep-1);
#endif
    q = VM_FMA(q, w, -g);
    y = VM_FMA(n, VM_LN2_HI, g + VM_FMA(v, q, n * VM_LN2_LOG_LO));
    y = y < x ? y : x;
    y = x > -1.0 ? y : vm_float(0xfff0000000000000u | (vm_bits(u) >> 11));
    return y;
}
#endif
