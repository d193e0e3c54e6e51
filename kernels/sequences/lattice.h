/* lattice.h - sums of probabilities over the alignments of one sequence, whatever their size.
 *
 * A number is m 2^k: m is a double of moderate size, k a whole number, kept as a double.  So no product over thousands of
 * steps underflows, none needs a logarithm, and a step costs some additions, multiplications and shifts, which vectorise.
 * Zero is m = 0 with an exponent below all others, so that it never decides how far the others are shifted.
 *
 * There are n = L + 1 states of blanks, b[0] … b[L], and L of labels, a[0] … a[L-1], which are in order b[0] a[0] b[1] …;
 * a[L] is always 0, which makes the two arrays equally long, and a[-1] is a 0 that may be read. What follows up to a whole
 * vector is 0 as well, so that loops may run over that.
 */
#ifndef FUSEDLOSS_LATTICE_H
#define FUSEDLOSS_LATTICE_H
#include <stddef.h>
#include "../core/compiler.h"
#include "../core/vecmath/exp_log.h"

#define FL_NOTHING -1e306  /* the exponent of zero */
#define FL_BARRED -1e305   /* added to that of a state from which there is no way */
#define FL_DEEPEST -1e301  /* the least exponent of a probability that is not 0 */
#define FL_MAGIC 0x1.8p52  /* added to a whole number, it has this in its last bits */
#define FL_LANES 8

typedef struct {
    double *am, *ak; /* of labels */
    double *bm, *bk; /* of blanks */
} fl_states;

typedef struct {
    double m, k;
} fl_wide;

/* 2^d for a whole number d from -1022 to 1023. */
VM_INLINE double fl_power(double d) { return vm_float(vm_bits(d + (FL_MAGIC + 1023)) << 52); }

/* The same for d <= 0, but that it is at least 2^-1000: what is so far away is none of a double's digits. */
VM_INLINE double fl_shrink(double d) { return fl_power(d < -1000 ? -1000 : d); }

/* m 2^d, also where that is subnormal. */
VM_INLINE double fl_scaled(double m, double d)
{
    double low = d < -2000 ? -2000 : d, in = low > 2000 ? 2000 : low;
    double half = (0.5 * in + FL_MAGIC) - FL_MAGIC;
    return m * fl_power(half) * fl_power(in - half);
}

/* So many that no vector is cut. */
VM_INLINE ptrdiff_t fl_whole(ptrdiff_t n) { return (n + 3) & ~(ptrdiff_t)3; }

VM_INLINE double fl_larger(double a, double b) { return a > b ? a : b; }

/* The sum of a row that is too short for the many lanes of others. */
static double fl_short_sum(const float *x, ptrdiff_t n)
{
    double sums[FL_LANES] = {0};
    ptrdiff_t i, j, whole = n - n % FL_LANES;
    for (i = 0; i < whole; i += FL_LANES)
        for (j = 0; j < FL_LANES; j++)
            sums[j] += x[i + j];
    for (j = whole; j < n; j++)
        sums[j - whole] += x[j];
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

/* x[:n] - top - excess, with what is lost by rounding in `low`. */
static FL_NOINLINE void fl_centre(double *FL_RESTRICT x, double *FL_RESTRICT low, double top, double excess, ptrdiff_t n)
{
    ptrdiff_t j;
    for (j = 0; j < n; j++) {
        double gap = x[j] == top ? 0 : x[j] - top; /* also of infinite ones */
        double logarithm = gap - excess;
        double lost = vm_sum_error(x[j], -top, gap) + vm_sum_error(gap, -excess, logarithm);
        x[j] = logarithm;
        low[j] = lost - lost == 0 ? lost : 0;
    }
}

/* exp(x[:n] + low[:n]), low tiny, as m 2^k; 0 for -inf, nan for nan and inf. */
static FL_NOINLINE void fl_split(const double *FL_RESTRICT x, const double *FL_RESTRICT low, double *FL_RESTRICT m,
                                 double *FL_RESTRICT k, ptrdiff_t n)
{
    ptrdiff_t j;
    for (j = 0; j < n; j++) {
        double y = x[j] * 0x1.71547652b82fep0;
        double whole = (y + FL_MAGIC) - FL_MAGIC;
        double r = VM_FMA(-whole, VM_LN2_HI, x[j]) + VM_FMA(-whole, VM_LN2_LO, low[j]);
        int far = (y < -0x1p50) | (y > 0x1p50), none = x[j] == -VM_INF;
        double e = vm_exp(far ? x[j] - x[j] : r);
        whole = far ? y : whole;
        whole = whole < FL_DEEPEST ? FL_DEEPEST : whole;
        whole = whole > -FL_DEEPEST ? -FL_DEEPEST : whole;
        whole = x[j] - x[j] == 0 ? whole : 0;
        m[j] = none ? 0 : e;
        k[j] = none ? FL_NOTHING : whole;
    }
}

/* One step along the alignments: each state gets what was in it, in the one before it, and, a label that differs from
 * the label before it, in that. `open` is 1 for these labels, and `bar` FL_BARRED for the others. */
static FL_NOINLINE void fl_step(const fl_states *from, const double *FL_RESTRICT open, const double *FL_RESTRICT bar,
                                const fl_states *to, ptrdiff_t n)
{
    const double *FL_RESTRICT am = from->am, *FL_RESTRICT ak = from->ak;
    const double *FL_RESTRICT bm = from->bm, *FL_RESTRICT bk = from->bk;
    double *FL_RESTRICT cm = to->am, *FL_RESTRICT ck = to->ak, *FL_RESTRICT dm = to->bm, *FL_RESTRICT dk = to->bk;
    ptrdiff_t j, whole = fl_whole(n);
    for (j = 0; j < whole; j++) {
        double m = am[j - 1], k = ak[j - 1], over = k + bar[j];
        double top = fl_larger(fl_larger(ak[j], bk[j]), over), blank = fl_larger(bk[j], k);
        cm[j] = (am[j] * fl_shrink(ak[j] - top) + bm[j] * fl_shrink(bk[j] - top)) + m * open[j] * fl_shrink(over - top);
        ck[j] = top;
        dm[j] = bm[j] * fl_shrink(bk[j] - blank) + m * fl_shrink(k - blank);
        dk[j] = blank;
    }
    cm[-1] = 0;
    ck[-1] = FL_NOTHING;
}

/* Multiply the states by the probabilities of their classes. */
static FL_NOINLINE void fl_emit(const fl_states *s, const double *FL_RESTRICT m, const double *FL_RESTRICT k,
                                fl_wide blank, ptrdiff_t n)
{
    double *FL_RESTRICT am = s->am, *FL_RESTRICT ak = s->ak, *FL_RESTRICT bm = s->bm, *FL_RESTRICT bk = s->bk;
    ptrdiff_t j, whole = fl_whole(n);
    for (j = 0; j < whole; j++) {
        am[j] *= m[j];
        ak[j] += k[j];
        bm[j] *= blank.m;
        bk[j] += blank.k;
    }
}

/* The same where the states lie from the last label to the first. */
static FL_NOINLINE void fl_emit_backwards(const fl_states *s, const double *FL_RESTRICT m, const double *FL_RESTRICT k,
                                          fl_wide blank, ptrdiff_t n)
{
    double *FL_RESTRICT am = s->am, *FL_RESTRICT ak = s->ak, *FL_RESTRICT bm = s->bm, *FL_RESTRICT bk = s->bk;
    ptrdiff_t j;
    for (j = 0; j < n; j++) {
        am[j] *= m[n - 2 - j];
        ak[j] += k[n - 2 - j];
        bm[j] *= blank.m;
        bk[j] += blank.k;
    }
}

/* Bring each m to 1 … 2, once in some steps: a step multiplies it by 0.7 at least and by 5 at most. */
static FL_NOINLINE void fl_rescale_of(double *FL_RESTRICT m, double *FL_RESTRICT k, ptrdiff_t n)
{
    ptrdiff_t j, whole = fl_whole(n);
    for (j = 0; j < whole; j++) {
        double e = vm_float(vm_bits(m[j]) >> 52 | vm_bits(0x1p52)) - (0x1p52 + 1023);
        k[j] = m[j] == 0 ? FL_NOTHING : k[j] + e;
        m[j] = fl_scaled(m[j], -e);
    }
}

static void fl_rescale(const fl_states *s, ptrdiff_t n)
{
    fl_rescale_of(s->am, s->ak, n);
    fl_rescale_of(s->bm, s->bk, n);
}

/* Before the first step, or with the labels the other way round after the last one: in the first blank. */
static void fl_start(const fl_states *s, ptrdiff_t n)
{
    ptrdiff_t j;
    for (j = -1; j < fl_whole(n); j++) {
        s->am[j] = 0;
        s->ak[j] = FL_NOTHING;
        if (j >= 0) {
            s->bm[j] = 0;
            s->bk[j] = FL_NOTHING;
        }
    }
    s->bm[0] = 1;
    s->bk[0] = 0;
}

/* The probability of all alignments, m in 0.7 … 1.4: what is in the last blank and the last label after the last step. */
static fl_wide fl_all_states(const fl_states *s, ptrdiff_t n)
{
    double a = s->am[n - 2], k = s->ak[n - 2], b = s->bm[n - 1], l = s->bk[n - 1], e;
    fl_wide p;
    p.k = fl_larger(k, l);
    p.m = a * fl_shrink(k - p.k) + b * fl_shrink(l - p.k);
    if (p.m > 0 && p.m - p.m == 0) {
        e = vm_float(vm_bits(p.m) >> 52 | vm_bits(0x1p52)) - (0x1p52 + 1023);
        p.m = fl_scaled(p.m, -e);
        p.k += e;
        if (p.m > 0x1.6a09e667f3bcdp0) {
            p.m *= 0.5;
            p.k += 1;
        }
    }
    return p;
}

/* -log(m 2^k) */
static double fl_minus_log(fl_wide p)
{
    double whole = p.k * VM_LN2_HI, low = p.k * VM_LN2_LO;
    if (p.m == 0)
        return VM_INF;
    if (p.k > -0x1p52)
        low += vm_product_error(p.k, VM_LN2_HI, whole);
    return 0.0 - (whole + (low + vm_log(p.m)));
}

/* Of one step the shares of all alignments that are in each label, into `share`, and, returned, in blanks. `back` has the
 * probabilities of what follows, with the labels the other way round. `spare` has room for n. */
static FL_NOINLINE double fl_shares(const fl_states *s, const fl_states *back, double *FL_RESTRICT share,
                                    double *FL_RESTRICT spare, ptrdiff_t n)
{
    const double *FL_RESTRICT am = s->am, *FL_RESTRICT ak = s->ak, *FL_RESTRICT bm = s->bm, *FL_RESTRICT bk = s->bk;
    const double *FL_RESTRICT cm = back->am, *FL_RESTRICT ck = back->ak;
    const double *FL_RESTRICT dm = back->bm, *FL_RESTRICT dk = back->bk;
    double labels[FL_LANES] = {0}, blanks[FL_LANES] = {0}, tops[FL_LANES], top, total, blank;
    ptrdiff_t i, j, whole = n - n % FL_LANES;
    for (j = 0; j < n; j++) {
        share[j] = ak[j] + ck[n - 2 - j];
        spare[j] = bk[j] + dk[n - 1 - j];
    }
    for (j = 0; j < FL_LANES; j++)
        tops[j] = 4 * FL_NOTHING;
    for (i = 0; i < whole; i += FL_LANES)
        for (j = 0; j < FL_LANES; j++)
            tops[j] = fl_larger(tops[j], fl_larger(share[i + j], spare[i + j]));
    for (j = whole; j < n; j++)
        tops[j - whole] = fl_larger(tops[j - whole], fl_larger(share[j], spare[j]));
    top = tops[0];
    for (j = 1; j < FL_LANES; j++)
        top = fl_larger(top, tops[j]);
    for (j = 0; j < n; j++) {
        share[j] = fl_scaled(am[j] * cm[n - 2 - j], share[j] - top);
        spare[j] = fl_scaled(bm[j] * dm[n - 1 - j], spare[j] - top);
    }
    for (i = 0; i < whole; i += FL_LANES)
        for (j = 0; j < FL_LANES; j++) {
            labels[j] += share[i + j];
            blanks[j] += spare[i + j];
        }
    for (j = whole; j < n; j++) {
        labels[j - whole] += share[j];
        blanks[j - whole] += spare[j];
    }
    total = blank = 0;
    for (j = 0; j < FL_LANES; j++) {
        total += labels[j];
        blank += blanks[j];
    }
    total = 1 / (total + blank);
    for (j = 0; j < n; j++)
        share[j] *= total;
    return blank * total;
}

#endif
