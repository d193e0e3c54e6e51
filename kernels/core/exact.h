/* exact.h - sums of doubles without rounding, so that neither the order nor the grouping of what is added matters.
 *
 * A sum is a fixed-point number with all the bits that a double may have, in limbs of 32 bits that are held in 64, so that
 * additions need not carry. It is rounded once, when it is read.
 */
#ifndef FUSEDLOSS_EXACT_H
#define FUSEDLOSS_EXACT_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "compiler.h"

#if defined(__GNUC__) || defined(__clang__)
#define FL_EXACT_SIMD _Pragma("omp simd")
#define FL_EXACT_MAX _Pragma("omp simd reduction(max : most)")
#else
#define FL_EXACT_SIMD
#define FL_EXACT_MAX
#endif

enum {
    FL_LIMBS = 68,             /* 2098 bits of doubles, and what 2^60 of them may carry */
    FL_EXACT_CARRY = 1 << 30,  /* additions before limbs must be carried */
    FL_EXACT_RUN = 1024,       /* numbers that are added at once, at most, */
    FL_EXACT_LANES = 16,       /* to so many sums */
    FL_EXACT_ITEMS = FL_LIMBS + 5
};

/* The sum of limbs[k] 2^(32 k - 1074), or `special` where that is not 0. All of it is 8 bytes wide: it is also an array of
 * FL_EXACT_ITEMS integers. */
typedef struct {
    int64_t limbs[FL_LIMBS];
    int64_t low, high; /* other limbs than low ... high-1 are 0 */
    int64_t adds;      /* since the last carry */
    double special;    /* the sum of what is infinite or NaN */
    double last;       /* what was added last: the sum, if that is all */
} fl_exact;

static inline void fl_exact_clear(fl_exact *s)
{
    memset(s, 0, sizeof(fl_exact));
    s->low = FL_LIMBS;
}

/* Bring all limbs but the highest into 0 ... 2^32-1. */
static void fl_exact_carry(fl_exact *s)
{
    int64_t k = s->low, limb;
    for (; k < FL_LIMBS - 1; k++) {
        limb = s->limbs[k];
        if (k >= s->high - 1 && limb >= INT32_MIN && limb <= INT32_MAX)
            break;
        s->limbs[k] = limb & 0xffffffff;
        s->limbs[k + 1] += limb >> 32;
    }
    if (s->low < s->high)
        s->high = k + 1;
    s->adds = 2;
}

/* What a number adds to three limbs; the lowest of them, or -1 for what is infinite or NaN, -2 for 0. */
static inline int64_t fl_exact_split(double x, int64_t *parts)
{
    uint64_t bits, above;
    int64_t sign, exponent;
    int shift;
    memcpy(&bits, &x, sizeof(bits));
    sign = -(int64_t)(bits >> 63);
    exponent = (int64_t)(bits >> 52 & 2047);
    bits &= ((uint64_t)1 << 52) - 1;
    if (exponent == 2047)
        return -1;
    if (exponent > 0) {
        bits |= (uint64_t)1 << 52;
        exponent--;
    }
    if (bits == 0)
        return -2;
    shift = (int)(exponent & 31);
    above = bits >> (32 - shift);
    parts[0] = ((int64_t)(bits << shift & 0xffffffff) ^ sign) - sign;
    parts[1] = ((int64_t)(above & 0xffffffff) ^ sign) - sign;
    parts[2] = ((int64_t)(above >> 32) ^ sign) - sign;
    return exponent >> 5;
}

static inline void fl_exact_add(fl_exact *s, double x)
{
    int64_t parts[3], k = fl_exact_split(x, parts);
    if (k < 0) {
        s->special += k == -1 ? x : 0;
        return;
    }
    if (s->adds >= FL_EXACT_CARRY)
        fl_exact_carry(s);
    s->limbs[k] += parts[0];
    s->limbs[k + 1] += parts[1];
    s->limbs[k + 2] += parts[2];
    s->low = k < s->low ? k : s->low;
    s->high = k + 3 > s->high ? k + 3 : s->high;
    s->last = x;
    s->adds++;
}

/* 1.5 times a power of two: next to it there are all multiples of 2^-52 of that power. */
static inline double fl_exact_grid(int64_t exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52 | (uint64_t)1 << 51;
    double grid;
    memcpy(&grid, &bits, sizeof(grid));
    return grid;
}

static void fl_exact_merge(fl_exact *s, const fl_exact *other)
{
    int64_t k;
    s->special += other->special;
    if (other->low >= other->high)
        return;
    if (s->adds + other->adds >= FL_EXACT_CARRY)
        fl_exact_carry(s);
    for (k = other->low; k < other->high; k++)
        s->limbs[k] += other->limbs[k];
    s->low = other->low < s->low ? other->low : s->low;
    s->high = other->high > s->high ? other->high : s->high;
    s->last = other->last;
    s->adds += other->adds;
}

/* The nearest double; of two, the even one. The limbs are carried. */
static double fl_exact_round(fl_exact *s)
{
    uint64_t limb, next, after, bits, rest = 0;
    int64_t k, top;
    int negative, shift = 0;
    if (s->special != 0)
        return s->special;
    if (s->low >= s->high)
        return 0;
    if (s->adds == 1)
        return s->last;
    fl_exact_carry(s);
    negative = s->limbs[s->high - 1] < 0;
    if (negative)
        for (k = s->low; k < s->high; k++)
            s->limbs[k] = -s->limbs[k];
    if (negative)
        fl_exact_carry(s);
    for (top = s->high - 1; top >= s->low && s->limbs[top] == 0; top--)
        ;
    if (top < s->low)
        return 0;
    /* The highest 64 bits from the first that is not 0; the last of them also stands for all that follow. */
    limb = (uint64_t)s->limbs[top];
    next = top > 0 ? (uint64_t)s->limbs[top - 1] : 0;
    after = top > 1 ? (uint64_t)s->limbs[top - 2] : 0;
    while ((limb << shift & 0x80000000u) == 0)
        shift++;
    bits = (limb << 32 | next) << shift | after >> (32 - shift);
    rest = after << shift & 0xffffffff;
    for (k = top - 3; k >= s->low; k--)
        rest |= (uint64_t)s->limbs[k];
    bits |= rest != 0;
    if (negative)
        for (k = s->low; k < s->high; k++)
            s->limbs[k] = -s->limbs[k];
    return ldexp(negative ? -(double)bits : (double)bits, (int)(32 * (top - 1) - 1074 - shift));
}

/* The sum of the multiples of a grid that n numbers are next to, and that of what they have beyond it on a fine grid, which
 * may be none, 0. Both are exact. Returns whether something is left of any number. */
#define FL_EXACT_ADDS(T, S) \
    static int fl_exact_cut##S(const T *v, ptrdiff_t n, double grid, double fine, double *high, double *low) \
    { \
        double sums[FL_EXACT_LANES], lows[FL_EXACT_LANES], part, rest; \
        uint64_t left[FL_EXACT_LANES], bits; \
        ptrdiff_t i; \
        int j; \
        for (j = 0; j < FL_EXACT_LANES; j++) { \
            sums[j] = lows[j] = 0; \
            left[j] = 0; \
        } \
        if (fine == 0) \
            for (i = 0; i < n; i += FL_EXACT_LANES) { \
                FL_EXACT_SIMD \
                for (j = 0; j < FL_EXACT_LANES; j++) { \
                    part = ((double)v[i + j] + grid) - grid; \
                    rest = (double)v[i + j] - part; \
                    sums[j] += part; \
                    memcpy(&bits, &rest, sizeof(bits)); \
                    left[j] |= bits; \
                } \
            } \
        else \
            for (i = 0; i < n; i += FL_EXACT_LANES) { \
                FL_EXACT_SIMD \
                for (j = 0; j < FL_EXACT_LANES; j++) { \
                    part = ((double)v[i + j] + grid) - grid; \
                    rest = (double)v[i + j] - part; \
                    sums[j] += part; \
                    part = (rest + fine) - fine; \
                    rest -= part; \
                    lows[j] += part; \
                    memcpy(&bits, &rest, sizeof(bits)); \
                    left[j] |= bits; \
                } \
            } \
        for (j = 1; j < FL_EXACT_LANES; j++) { \
            sums[0] += sums[j]; \
            lows[0] += lows[j]; \
            left[0] |= left[j]; \
        } \
        *high = sums[0]; \
        *low = lows[0]; \
        return left[0] != 0; \
    } \
\
    /* Add n numbers. They are cut at the bits of one or two grids, chosen by the largest of them; where more is needed, one \
     * number is added after the other. */ \
    static void fl_exact_adds##S(fl_exact *s, const T *v, ptrdiff_t n) \
    { \
        double high, low, wide; \
        T most, large; \
        ptrdiff_t i, size; \
        uint64_t bits; \
        int64_t exponent; \
        for (; n > 0; n -= size, v += size) { \
            size = n < FL_EXACT_RUN ? n - n % FL_EXACT_LANES : FL_EXACT_RUN; \
            most = 0; \
            FL_EXACT_MAX \
            for (i = 0; i < size; i++) { \
                large = v[i] < 0 ? -v[i] : v[i]; \
                most = large > most ? large : most; \
            } \
            wide = most; \
            memcpy(&bits, &wide, sizeof(bits)); \
            exponent = (int64_t)(bits >> 52) - 1023; \
            if (size > 0 && exponent > -900 && exponent < 980 \
                && ((sizeof(T) == sizeof(float) && !fl_exact_cut##S(v, size, fl_exact_grid(exponent + 11), 0, &high, &low)) \
                    || !fl_exact_cut##S(v, size, fl_exact_grid(exponent + 11), fl_exact_grid(exponent - 31), &high, &low))) { \
                fl_exact_add(s, high); \
                fl_exact_add(s, low); \
            } else { \
                size = size > 0 ? size : n; \
                for (i = 0; i < size; i++) \
                    fl_exact_add(s, (double)v[i]); \
            } \
        } \
    }

FL_EXACT_ADDS(float, f)
FL_EXACT_ADDS(double, )
#endif
