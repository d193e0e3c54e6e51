/* rowmath.h - loops over the classes of one row, and rows turned to lie side by side.
 *
 * Plain C for what the compiler must be told: that a maximum may be taken in any order, that a loop
 * over a few lanes is to become one instruction, that the last, incomplete vector of a row may
 * overlap the one before it.  Sums have fixed lanes, so that their bits do not depend on the level.
 * Included once for each dtype: see the end.
 */
#ifndef ROWMATH_H
#define ROWMATH_H
#include <float.h>
#include <stddef.h>
#include <string.h>
#include "compiler.h"
#include "vecmath/exp_log.h"
#include "team.h"

#if defined(__GNUC__) || defined(__clang__) /* clang-cl is clang, but not __GNUC__ */
#define FL_SIMD _Pragma("omp simd")
#define FL_MAX _Pragma("omp simd reduction(max : m)")
#else
#define FL_SIMD
#define FL_MAX
#endif

/* clang starts such a maximum at the least finite number: what is less is looked at once more. */
#if defined(__clang__)
#define FL_PASSED_OVER(T, m) ((m) == -(T)(sizeof(T) == sizeof(float) ? FLT_MAX : DBL_MAX))
#else
#define FL_PASSED_OVER(T, m) 0
#endif

/* Elements of a vector. */
#if defined(__AVX512F__)
#define FL_WIDTH(T) (64 / (int)sizeof(T))
#elif defined(__AVX__)
#define FL_WIDTH(T) (32 / (int)sizeof(T))
#else
#define FL_WIDTH(T) (16 / (int)sizeof(T))
#endif
/* total += x; for doubles the rounding error goes to lost. */
VM_INLINE void fl_addf(float x, double *total, double *lost)
{
    (void)lost;
    *total += x;
}

VM_INLINE void fl_add(double x, double *total, double *lost)
{
    double t = *total + x;
    *lost += vm_sum_error(*total, x, t);
    *total = t;
}

/* Two lanes become one. */
VM_INLINE void fl_mergef(const double *from, const double *from_lost, double *total, double *lost)
{
    (void)from_lost;
    (void)lost;
    *total += *from;
}

VM_INLINE void fl_merge(const double *from, const double *from_lost, double *total, double *lost)
{
    fl_add(*from, total, lost);
    *lost += *from_lost;
}

#define FL_SUM(T, S, LANES) \
    /* n >= LANES */ \
    static void fl_sum_##LANES##S(const T *v, ptrdiff_t n, double *total, double *lost) \
    { \
        double t[LANES], l[LANES]; \
        ptrdiff_t i, whole = n - n % LANES; \
        int j, width; \
        for (j = 0; j < LANES; j++) \
            t[j] = l[j] = 0; \
        for (i = 0; i < whole; i += LANES) { \
            FL_SIMD \
            for (j = 0; j < LANES; j++) \
                fl_add##S(v[i + j], &t[j], &l[j]); \
        } \
        if (whole < n) { \
            FL_SIMD \
            for (j = 0; j < LANES; j++) /* the end, with what was added already as 0 */ \
                fl_add##S(j < LANES - (int)(n - whole) ? 0 : v[n - LANES + j], &t[j], &l[j]); \
        } \
        for (width = LANES / 2; width > 0; width /= 2) \
            for (j = 0; j < width; j++) \
                fl_merge##S(&t[j + width], &l[j + width], &t[j], &l[j]); \
        fl_add(t[0], total, lost); \
        *lost += l[0]; \
    }

#define FL_DEFINE(T, S) \
    FL_SUM(T, S, 16) \
    FL_SUM(T, S, 64) \
\
    /* total + lost += the sum of v[:n] */ \
    static inline void fl_sum##S(const T *v, ptrdiff_t n, double *total, double *lost) \
    { \
        ptrdiff_t i; \
        if (n < 16) \
            for (i = 0; i < n; i++) \
                fl_add##S(v[i], total, lost); \
        else if (n < 256) \
            fl_sum_16##S(v, n, total, lost); \
        else \
            fl_sum_64##S(v, n, total, lost); \
    } \
\
    VM_INLINE T fl_max_of##S(const T *x, ptrdiff_t n, T m) \
    { \
        ptrdiff_t i; \
        T least = m; \
        FL_MAX \
        for (i = 0; i < n; i++) \
            m = x[i] > m ? x[i] : m; \
        if (FL_PASSED_OVER(T, m)) \
            for (i = 0, m = least; i < n; i++) \
                m = x[i] > m ? x[i] : m; \
        return m; \
    } \
\
    static FL_NOINLINE T fl_max_of_some##S(const T *x, ptrdiff_t n, T m) { return fl_max_of##S(x, n, m); } \
\
    /* the larger of m and the largest of x[:n]; NaN may be passed over */ \
    static inline T fl_max##S(const T *x, ptrdiff_t n, T m) \
    { \
        ptrdiff_t whole = n - n % FL_WIDTH(T); \
        if (whole > 0) { \
            m = fl_max_of_some##S(x, whole, m); \
            return whole < n ? fl_max_of##S(x + n - FL_WIDTH(T), FL_WIDTH(T), m) : m; \
        } \
        return fl_max_of_some##S(x, n, m); \
    } \
\
    static FL_NOINLINE void fl_exp_of##S(const T *__restrict x, T m, T *__restrict e, ptrdiff_t n) \
    { \
        ptrdiff_t i; \
        for (i = 0; i < n; i++) \
            e[i] = vm_exp_gap##S(x[i], m); \
    } \
\
    /* e[:n] = exp(x[:n] - m), the rounding errors of the differences carried; e is not x */ \
    static inline void fl_exp##S(const T *x, T m, T *e, ptrdiff_t n) \
    { \
        ptrdiff_t whole = n - n % FL_WIDTH(T); \
        if (whole > 0) { \
            fl_exp_of##S(x, m, e, whole); \
            if (whole < n) \
                fl_exp_of##S(x + n - FL_WIDTH(T), m, e + n - FL_WIDTH(T), FL_WIDTH(T)); \
            return; \
        } \
        fl_exp_of##S(x, m, e, n); \
    } \
\
    /* A row or column of bits of the index becomes the other in perfect shuffles: from (row, class) \
     * to (class, row) the lowest bit goes to the top once for each bit of the class, and back. */ \
    static void fl_unshuffle##S(const T *from, T *to, ptrdiff_t half) \
    { \
        ptrdiff_t i; \
        for (i = 0; i < half; i++) { \
            to[i] = from[2 * i]; \
            to[half + i] = from[2 * i + 1]; \
        } \
    } \
\
    static void fl_unshuffle_two##S(const T *from, T *to, ptrdiff_t quarter) \
    { \
        ptrdiff_t i; \
        for (i = 0; i < quarter; i++) { \
            to[i] = from[4 * i]; \
            to[quarter + i] = from[4 * i + 1]; \
            to[2 * quarter + i] = from[4 * i + 2]; \
            to[3 * quarter + i] = from[4 * i + 3]; \
        } \
    } \
\
    static void fl_shuffle_two##S(const T *from, T *to, ptrdiff_t quarter) \
    { \
        ptrdiff_t i; \
        for (i = 0; i < quarter; i++) { \
            to[4 * i] = from[i]; \
            to[4 * i + 1] = from[quarter + i]; \
            to[4 * i + 2] = from[2 * quarter + i]; \
            to[4 * i + 3] = from[3 * quarter + i]; \
        } \
    } \
\
    static void fl_shuffle##S(const T *from, T *to, ptrdiff_t half) \
    { \
        ptrdiff_t i; \
        for (i = 0; i < half; i++) { \
            to[2 * i] = from[i]; \
            to[2 * i + 1] = from[half + i]; \
        } \
    } \
\
    /* Copies of `padded` items that begin `from_step` and `to_step` apart; of the last one `size`. */ \
    VM_INLINE void fl_copy_rows##S(const T *from, ptrdiff_t from_step, T *to, ptrdiff_t to_step, ptrdiff_t n, \
                                   ptrdiff_t size, ptrdiff_t padded) \
    { \
        ptrdiff_t r; \
        for (r = 0; r < n - 1; r++) \
            memcpy(to + r * to_step, from + r * from_step, padded * sizeof(T)); \
        memcpy(to + r * to_step, from + r * from_step, size * sizeof(T)); \
    } \
\
    VM_INLINE void fl_copy_few##S(const T *from, ptrdiff_t from_step, T *to, ptrdiff_t to_step, ptrdiff_t n, \
                                  ptrdiff_t size, int bits) \
    { \
        switch (bits) { \
        case 0: fl_copy_rows##S(from, from_step, to, to_step, n, size, 1); break; \
        case 1: fl_copy_rows##S(from, from_step, to, to_step, n, size, 2); break; \
        case 2: fl_copy_rows##S(from, from_step, to, to_step, n, size, 4); break; \
        case 3: fl_copy_rows##S(from, from_step, to, to_step, n, size, 8); break; \
        case 4: fl_copy_rows##S(from, from_step, to, to_step, n, size, 16); break; \
        default: fl_copy_rows##S(from, from_step, to, to_step, n, size, 32); \
        } \
    } \
\
    /* tile[j * wide + r] = x[r * step + j] for n <= wide rows of `classes` <= 32 items, step >= classes; `wide` is a \
     * multiple of 4. A row is read together with the beginning of the next. `spare` is as large as `tile`: 32 * wide. */ \
    static void fl_transpose_in##S(const T *x, ptrdiff_t step, ptrdiff_t n, ptrdiff_t classes, ptrdiff_t wide, T *tile, T *spare) \
    { \
        int bits = 0, k; \
        T *from, *to, *t; \
        while (((ptrdiff_t)1 << bits) < classes) \
            bits++; \
        from = (bits + 1) / 2 % 2 ? spare : tile; \
        to = from == tile ? spare : tile; \
        fl_copy_few##S(x, step, from, (ptrdiff_t)1 << bits, n, classes, bits); \
        if (n < wide) \
            memset(from + ((n - 1) << bits) + classes, 0, (((wide - n + 1) << bits) - classes) * sizeof(T)); \
        for (k = 0; k < bits; k += 2) { \
            if (k + 1 < bits) \
                fl_unshuffle_two##S(from, to, wide / 4 << bits); \
            else \
                fl_unshuffle##S(from, to, wide / 2 << bits); \
            t = from, from = to, to = t; \
        } \
    } \
\
    /* x[r * step + j] = tile[j * wide + r]; overwrites the tile. Where step == classes a row is written together \
     * with the beginning of the next, which is then written over. */ \
    static void fl_transpose_out##S(T *tile, T *spare, T *x, ptrdiff_t step, ptrdiff_t n, ptrdiff_t classes, ptrdiff_t wide) \
    { \
        int bits = 0, k; \
        ptrdiff_t r, j; \
        T *from = tile, *to = spare, *t; \
        while (((ptrdiff_t)1 << bits) < classes) \
            bits++; \
        for (k = 0; k < bits; k += 2) { \
            if (k + 1 < bits) \
                fl_shuffle_two##S(from, to, wide / 4 << bits); \
            else \
                fl_shuffle##S(from, to, wide / 2 << bits); \
            t = from, from = to, to = t; \
        } \
        if (step == classes) \
            fl_copy_few##S(from, (ptrdiff_t)1 << bits, x, step, n, classes, bits); \
        else \
            for (r = 0; r < n; r++) \
                for (j = 0; j < classes; j++) \
                    x[r * step + j] = from[(r << bits) + j]; \
    }

/* Sums of doubles that stand for floats. */
VM_INLINE void fl_addw(double x, double *total, double *lost)
{
    (void)lost;
    *total += x;
}
#define fl_mergew fl_mergef
FL_SUM(double, w, 16)

static inline void fl_sumw(const double *v, ptrdiff_t n, double *total, double *lost)
{
    ptrdiff_t i;
    if (n < 16)
        for (i = 0; i < n; i++)
            *total += v[i];
    else
        fl_sum_16w(v, n, total, lost);
}

/* Written out, as the compiler makes much of a loop over the widths. */
#define FL_FOLD(WIDTH) \
    FL_SIMD \
    for (j = 0; j < WIDTH; j++) { \
        a[j] += a[j + WIDTH]; \
        b[j] += b[j + WIDTH]; \
        c[j] += c[j + WIDTH]; \
    }

/* The sum of v[:n], that of v[:n] - origin, and that of its squares. */
static inline void fl_moments(const double *v, ptrdiff_t n, double origin, double *plain, double *first, double *second)
{
    double a[16], b[16], c[16];
    ptrdiff_t i, whole = n - n % 16;
    int j;
    if (n < 16) {
        for (i = 0; i < n; i++) {
            double e = v[i] - origin;
            *plain += v[i];
            *first += e;
            *second += e * e;
        }
        return;
    }
    for (j = 0; j < 16; j++)
        a[j] = b[j] = c[j] = 0;
    for (i = 0; i < whole; i += 16) {
        FL_SIMD
        for (j = 0; j < 16; j++) {
            double e = v[i + j] - origin;
            a[j] += v[i + j];
            b[j] += e;
            c[j] += e * e;
        }
    }
    for (j = 0; j < (int)(n - whole); j++) {
        double e = v[whole + j] - origin;
        a[j] += v[whole + j];
        b[j] += e;
        c[j] += e * e;
    }
    FL_FOLD(8)
    FL_FOLD(4)
    FL_FOLD(2)
    FL_FOLD(1)
    *plain += a[0];
    *first += b[0];
    *second += c[0];
}

FL_DEFINE(float, f)
FL_DEFINE(double, )

/* Whether one of t[:n] may lie outside of 0 to `most`: floats in the order of their bits, in which a sign, -0 too, and NaN
 * come last. */
static inline int fl_may_be_outsidef(const float *t, ptrdiff_t n, float most)
{
    uint32_t limit, bits, largest = 0;
    ptrdiff_t i;
    memcpy(&limit, &most, sizeof(limit));
    for (i = 0; i < n; i++) {
        memcpy(&bits, t + i, sizeof(bits));
        largest = bits > largest ? bits : largest;
    }
    return largest > limit;
}

static inline int fl_may_be_outside(const double *t, ptrdiff_t n, double most)
{
    int64_t found = 0;
    ptrdiff_t i;
    for (i = 0; i < n; i++)
        found |= (t[i] < 0) | (t[i] > most);
    return found != 0;
}
#endif
