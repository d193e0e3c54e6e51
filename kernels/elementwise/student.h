/* student.h - 2 F - 1 of Student's t distribution, of df degrees of freedom that are the same for a whole loop: all that
 * depends on them alone is computed before it.  In double.
 */
#ifndef FUSEDLOSS_STUDENT_H
#define FUSEDLOSS_STUDENT_H
#include "core/vecmath/normal.h"

/* The hypergeometric function F(a, 1; b; x), 0 <= x <= 1/4, a/b <= 3/2: its first 29 terms. */
#define STUDENT_TERM(k) y = VM_FMA(x * ((a + (k)) / (b + (k))), y, 1.0);
#define STUDENT_TERMS(k) STUDENT_TERM((k) + 3) STUDENT_TERM((k) + 2) STUDENT_TERM((k) + 1) STUDENT_TERM(k)
VM_INLINE double student_series(double a, double b, double x)
{
    double y = 1.0;
    STUDENT_TERMS(24) STUDENT_TERMS(20) STUDENT_TERMS(16) STUDENT_TERMS(12)
    STUDENT_TERMS(8) STUDENT_TERMS(4) STUDENT_TERMS(0)
    return y;
}

/* 2 F - 1 at r = q sqrt(df), q >= 0, for df < 21; l = log(1 + q^2), beta = 1/B(1/2, base/2).
 * With x = q/sqrt(1 + q^2) and u = 1 - x^2: for base = df - 2 m in [1, 3) a series in x^2, or of 2 - 2 F in (1 - x)/2, which is
 * up to 1/4, too; then m steps up by 2, which are terms of the same sign: a polynomial of u, with `rise` u times its derivative
 * for what the rounding of u left out. */
#define STUDENT_STEP(k) \
    t = u * ((b + ((k) + 0.5)) / (b + ((k) + 1.0)) * (double)(m > (k) + 1)); \
    rise = t * (rise + y); \
    y = VM_FMA(t, y, 1.0);
#define STUDENT_STEPS(k) STUDENT_STEP((k) + 3) STUDENT_STEP((k) + 2) STUDENT_STEP((k) + 1) STUDENT_STEP(k)
VM_INLINE double student_few(double q, double l, double df, double beta)
{
    int m = (int)(0.5 * (df - 1.0));
    double b = 0.5 * df - (double)m, first = beta / b, y = 1.0;
    double i = q > 1.0 ? 1.0 / q : q;
    double w = i * i;
    double one = 1.0 + w;
    double root = sqrt(1.0 / one);
    double x = q > 1.0 ? root : i * root;
    double u = (q > 1.0 ? w : 1.0) / one;
    double lost = vm_product_error(u, one, 1.0) + u * ((w - (one - 1.0)) + vm_product_error(i, i, w));
    double near, far, p, t, rise = 0.0;
    STUDENT_STEPS(4) STUDENT_STEPS(0)
    y = VM_FMA(-rise, q > 1.0 ? 0.0 : lost, y) * (first * (double)(m > 0));
    near = VM_FMA(2.0 * beta, student_series(b + 0.5, 1.5, x > 0.5 ? 0.25 : x * x), y);
    far = student_series(b + b, b + 1.0, x > 0.5 ? VM_FMA(-0.5, x, 0.5) : 0.25);
    p = vm_exp(-b * l);
    return x > 0.5 ? 1.0 - p * VM_FMA(first, far, -(x * y)) : x * (p * near);
}

/* 2 F - 1 at sqrt(df) sqrt(exp(l) - 1), for df >= 21; beta = 1/B(1/2, df/2).
 * It is 2 beta times the integral over w from 0 to sqrt(l) of exp(-df w^2/2) g(w^2), g(s) = sqrt(s/(1 - exp(-s))): of a
 * polynomial, which g is to 5e-17 up to s = 3.375, that is of the normal distribution and exp(-df l/2) sqrt(l) times a polynomial of l. */
#define STUDENT_DOWN(j, q, c) ((2.0 * (j) + 1.0) * (q) - (c)) / df; y = VM_FMA(y, s, q)
VM_INLINE double student_many(double l, double df, double beta)
{
    double s = l > 3.375 ? 3.375 : l;
    double w = sqrt(l);
    double z = w * sqrt(df);
    double t = z > 40.0 ? 40.0 : z;
    double e = vm_exp(-0.5 * (t * t));
    double q = 0.0, y = 0.0;
    q = STUDENT_DOWN(17, q, -0x1.153ebf95c89dcp-50);
    q = STUDENT_DOWN(16, q, 0x1.69f472a44e560p-47);
    q = STUDENT_DOWN(15, q, 0x1.ed082f900e536p-43);
    q = STUDENT_DOWN(14, q, -0x1.6cf9b50f0c4c5p-38);
    q = STUDENT_DOWN(13, q, 0x1.67aa62e94a8b4p-35);
    q = STUDENT_DOWN(12, q, -0x1.bf837adc6c57ep-34);
    q = STUDENT_DOWN(11, q, -0x1.6e6dd89fded06p-32);
    q = STUDENT_DOWN(10, q, -0x1.8ce32ae2fcc45p-34);
    q = STUDENT_DOWN(9, q, 0x1.b4bc59d3d4ea7p-26);
    q = STUDENT_DOWN(8, q, -0x1.5c219e013e711p-26);
    q = STUDENT_DOWN(7, q, -0x1.29ded2f93ee4ap-20);
    q = STUDENT_DOWN(6, q, 0x1.565a520782a80p-20);
    q = STUDENT_DOWN(5, q, 0x1.b05b36f64fb61p-15);
    q = STUDENT_DOWN(4, q, -0x1.99999fb4ae733p-14);
    q = STUDENT_DOWN(3, q, -0x1.5555554dfae9ep-9);
    q = STUDENT_DOWN(2, q, 0x1.5555555530059p-7);
    q = STUDENT_DOWN(1, q, 0x1.0000000000096p-2);
    y *= e * (sqrt(s) * (beta + beta));
    return z < 0.875 ? VM_FMA(z + z, vm_normal_middle(t), y) : 1.0 - VM_FMA(e + e, vm_mills_ratio(t), -y);
}
#endif
