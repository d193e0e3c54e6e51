/* intervals.h - what probabilities of intervals are made of: as exp_log.h, for loops that the compiler vectorises, with
 * the error bound at each and where it is met.
 */
#ifndef VECMATH_INTERVALS_H
#define VECMATH_INTERVALS_H
#include "exp_log.h"

/* phi(z)/(1 - Phi(z)) - z for z >= 0, phi and Phi the normal density and distribution function: how far the mean of what
 * lies beyond z lies from z.  1/z - 2/z^3 + ... for large z, where the difference itself would have no digits.
 * g(t)/(z + 3), where t = (z - 3)/(z + 3) is in [-1, 1] and g is minimax of degree 13.
 * max 3.5495 ULP at 0x1.397e84p+0 (FMA), 4.0209 ULP at 0x1.2a4c24p+0 (no FMA), on 3 million points. */
VM_INLINE float vm_hazard_gapf(float z)
{
    float r = 1.0f / (z + 3.0f);
    float t = VM_FMAF(-6.0f, r, 1.0f);
    float w = t * t;
    float e = -0x1.0065aap-12f;
    float o = 0x1.3b785ap-14f;
    o = VM_FMAF(o, w, -0x1.c3120ep-14f);
    e = VM_FMAF(e, w, 0x1.ad6b22p-10f);
    o = VM_FMAF(o, w, -0x1.44e07ep-10f);
    e = VM_FMAF(e, w, -0x1.8ea0b6p-8f);
    o = VM_FMAF(o, w, 0x1.fe9bacp-8f);
    e = VM_FMAF(e, w, 0x1.2c26aep-6f);
    o = VM_FMAF(o, w, -0x1.a0f35ep-6f);
    e = VM_FMAF(e, w, -0x1.bf6b32p-5f);
    e = VM_FMAF(e, w, 0x1.7c4f1p-3f);
    float g = VM_FMAF(o, t, e);
    g = VM_FMAF(g, t, 0x1.1936d4p-6f);
    g = VM_FMAF(g, t, -0x1.aede2ap-1f);
    g = VM_FMAF(g, t, 0x1.b2d6ecp+0f);
    return g * r;
}

/* phi(z)/(1 - Phi(z)) - z for z >= 0, as vm_hazard_gapf with 3.5 and g of degree 27.
 * max 2.8813 ULP at 0x1.4ae1675378aa6p+0 (FMA), 4.0791 ULP at 0x1.286f73b98352ep+0 (no FMA), on 6000 points. */
VM_INLINE double vm_hazard_gap(double z)
{
    double r = 1.0 / (z + 3.5);
    double t = VM_FMA(-7.0, r, 1.0);
    double w = t * t;
    double e = -0x1.1889d55e007d9p-28;
    double o = 0x1.63f76c808120dp-27;
    o = VM_FMA(o, w, -0x1.3533844ee415cp-23);
    e = VM_FMA(e, w, 0x1.73e0f43334519p-26);
    o = VM_FMA(o, w, 0x1.26e2c4aba76ddp-20);
    e = VM_FMA(e, w, 0x1.2899b91fc4d6bp-27);
    o = VM_FMA(o, w, -0x1.99b7873567403p-18);
    e = VM_FMA(e, w, -0x1.da7ddaf63d1dp-22);
    o = VM_FMA(o, w, 0x1.ce4cc30d4a467p-16);
    e = VM_FMA(e, w, 0x1.01d1279de1577p-19);
    o = VM_FMA(o, w, -0x1.c1f7ceb2688ffp-14);
    e = VM_FMA(e, w, -0x1.db388c0db0929p-19);
    o = VM_FMA(o, w, 0x1.8a9230c559f4p-12);
    e = VM_FMA(e, w, -0x1.24f1cc1e165eep-18);
    o = VM_FMA(o, w, -0x1.42de093937c3ep-10);
    e = VM_FMA(e, w, 0x1.d2048c6828f3fp-15);
    o = VM_FMA(o, w, 0x1.faf61aacff09ap-9);
    e = VM_FMA(e, w, -0x1.ac9e0c7133d7ep-13);
    o = VM_FMA(o, w, -0x1.84b712ed896abp-7);
    e = VM_FMA(e, w, 0x1.1d63b39ad1471p-12);
    o = VM_FMA(o, w, 0x1.23886e5397d55p-5);
    e = VM_FMA(e, w, 0x1.0a0f870aec47fp-9);
    o = VM_FMA(o, w, -0x1.9cd58a0092a48p-4);
    e = VM_FMA(e, w, -0x1.6b6613b928346p-6);
    e = VM_FMA(e, w, 0x1.3ace3d5a9d9fcp-3);
    double g = VM_FMA(o, t, e);
    g = VM_FMA(g, t, 0x1.af81837b864fdp-3);
    g = VM_FMA(g, t, -0x1.07aca9e6aa4bp+0);
    g = VM_FMA(g, t, 0x1.c27e3edb727fbp+0);
    return g * r;
}

/* x/(exp(x) - 1) + x/2 - 1 for 0 <= x <= 2 only: x^2 q(x^2), q minimax of degree 4.
 * max 2.5821 ULP at 0x1.329fdp-1 (FMA), 2.6086 ULP at 0x1.bbe4dcp-2 (no FMA). */
VM_INLINE float vm_bernoulli_gapf(float x)
{
    float w = x * x;
    float q = 0x1.191f78p-26f;
    q = VM_FMAF(q, w, -0x1.b3ce92p-21f);
    q = VM_FMAF(q, w, 0x1.1539f2p-15f);
    q = VM_FMAF(q, w, -0x1.6c1612p-10f);
    q = VM_FMAF(q, w, 0x1.555556p-4f);
    return w * q;
}

/* x/(exp(x) - 1) + x/2 - 1 for 0 <= x <= 2 only, as vm_bernoulli_gapf, q of degree 10.
 * max 2.2067 ULP at 0x1.b9c42a209deb0p-3 (FMA), 2.3082 ULP at 0x1.b6fee46c39838p+0 (no FMA), on 20 thousand points. */
VM_INLINE double vm_bernoulli_gap(double x)
{
    double w = x * x;
    double q = 0x1.db4899abdd5f3p-59;
    q = VM_FMA(q, w, -0x1.c86e8cfbfbe0ap-53);
    q = VM_FMA(q, w, 0x1.31c35d899a388p-47);
    q = VM_FMA(q, w, -0x1.7d4858302166dp-42);
    q = VM_FMA(q, w, 0x1.d6d51be1390c9p-37);
    q = VM_FMA(q, w, -0x1.22803c8561c4ap-31);
    q = VM_FMA(q, w, 0x1.66a8f1e06c773p-26);
    q = VM_FMA(q, w, -0x1.bbd7792fd9f0bp-21);
    q = VM_FMA(q, w, 0x1.1566abc00dd03p-15);
    q = VM_FMA(q, w, -0x1.6c16c16c16beap-10);
    q = VM_FMA(q, w, 0x1.5555555555555p-4);
    return w * q;
}

/* Of the density exp(-m u - u^2/2) on the interval of width 2h around 0, from y = m h in [0, 1] and b = h^2 <= 1/4: the
 * density's mean, and by `mean` the mean of -u/h.  By the series of Hermite polynomials n_k = He_k(m) h^k, with
 * n_k+1 = y n_k - k b n_k-1, of which the mean of the density has n_k/(k + 1)! for even k, and that of the density times
 * -u/h has n_k/(k! (k + 2)) for odd k.
 * max 0.7501 and 2.5074 ULP (FMA), 0.7778 and 3.0121 ULP (no FMA), on 20 thousand points. */
VM_INLINE float vm_narrowf(float y, float b, float *mean)
{
    float p = y, n = VM_FMAF(y, y, -b), next;
    float even = n * 0x1.555556p-3f, odd = 0.0f;
    next = y * n - (2.0f * b) * p; p = n; n = next;
    odd = VM_FMAF(n, 0x1.111112p-5f, odd);
    next = y * n - (3.0f * b) * p; p = n; n = next;
    even = VM_FMAF(n, 0x1.111112p-7f, even);
    next = y * n - (4.0f * b) * p; p = n; n = next;
    odd = VM_FMAF(n, 0x1.381382p-10f, odd);
    next = y * n - (5.0f * b) * p; p = n; n = next;
    even = VM_FMAF(n, 0x1.a01a02p-13f, even);
    next = y * n - (6.0f * b) * p; p = n; n = next;
    odd = VM_FMAF(n, 0x1.71de3ap-16f, odd);
    next = y * n - (7.0f * b) * p; p = n; n = next;
    even = VM_FMAF(n, 0x1.71de3ap-19f, even);
    next = y * n - (8.0f * b) * p; p = n; n = next;
    odd = VM_FMAF(n, 0x1.0cfeb6p-22f, odd);
    next = y * n - (9.0f * b) * p; p = n; n = next;
    even = VM_FMAF(n, 0x1.ae6456p-26f, even);
    even += 1.0f;
    *mean = VM_FMAF(y, 0x1.555556p-2f, odd) / even;
    return even;
}

/* As vm_narrowf.
 * max 0.8294 and 2.7051 ULP (FMA), 0.7560 and 3.1138 ULP (no FMA), on 12 thousand points. */
VM_INLINE double vm_narrow(double y, double b, double *mean)
{
    double p = y, n = VM_FMA(y, y, -b), next;
    double even = n * 0x1.5555555555555p-3, odd = 0.0;
    next = y * n - (2.0 * b) * p; p = n; n = next;
    odd = VM_FMA(n, 0x1.1111111111111p-5, odd);
    next = y * n - (3.0 * b) * p; p = n; n = next;
    even = VM_FMA(n, 0x1.1111111111111p-7, even);
    next = y * n - (4.0 * b) * p; p = n; n = next;
    odd = VM_FMA(n, 0x1.3813813813814p-10, odd);
    next = y * n - (5.0 * b) * p; p = n; n = next;
    even = VM_FMA(n, 0x1.a01a01a01a01ap-13, even);
    next = y * n - (6.0 * b) * p; p = n; n = next;
    odd = VM_FMA(n, 0x1.71de3a556c734p-16, odd);
    next = y * n - (7.0 * b) * p; p = n; n = next;
    even = VM_FMA(n, 0x1.71de3a556c734p-19, even);
    next = y * n - (8.0 * b) * p; p = n; n = next;
    odd = VM_FMA(n, 0x1.0cfeb60f94b0ep-22, odd);
    next = y * n - (9.0 * b) * p; p = n; n = next;
    even = VM_FMA(n, 0x1.ae64567f544e4p-26, even);
    next = y * n - (10.0 * b) * p; p = n; n = next;
    odd = VM_FMA(n, 0x1.08db48ebe51c7p-29, odd);
    next = y * n - (11.0 * b) * p; p = n; n = next;
    even = VM_FMA(n, 0x1.6124613a86d09p-33, even);
    next = y * n - (12.0 * b) * p; p = n; n = next;
    odd = VM_FMA(n, 0x1.78af56a4d411bp-37, odd);
    next = y * n - (13.0 * b) * p; p = n; n = next;
    even = VM_FMA(n, 0x1.ae7f3e733b81fp-41, even);
    next = y * n - (14.0 * b) * p; p = n; n = next;
    odd = VM_FMA(n, 0x1.952c77030ad4ap-45, odd);
    next = y * n - (15.0 * b) * p; p = n; n = next;
    even = VM_FMA(n, 0x1.952c77030ad4ap-49, even);
    next = y * n - (16.0 * b) * p; p = n; n = next;
    odd = VM_FMA(n, 0x1.5532eaf516982p-53, odd);
    next = y * n - (17.0 * b) * p; p = n; n = next;
    even = VM_FMA(n, 0x1.2f49b46814157p-57, even);
    next = y * n - (18.0 * b) * p; p = n; n = next;
    odd = VM_FMA(n, 0x1.ce272b49432cep-62, odd);
    even += 1.0;
    *mean = VM_FMA(y, 0x1.5555555555555p-2, odd) / even;
    return even;
}
#endif
