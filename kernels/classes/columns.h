/* columns.h - sorting many short rows that lie side by side, and long rows one by one.
 *
 * FL_SIDE rows are the columns of an array: number j of row r lies at j * FL_SIDE + r.  Batcher's network sorts all columns with
 * the same exchanges, each a few instructions for all of them, without branches.  A long row is cut into such columns, which are
 * then merged.  `orders`, where it is not NULL, goes along with the numbers: it says where each was.
 * Numbers that are NaN end anywhere, but no number is lost.
 */
#ifndef FUSEDLOSS_COLUMNS_H
#define FUSEDLOSS_COLUMNS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "core/rowmath.h"

enum {
    FL_SIDE = 16,     /* rows side by side: the numbers of a cache line, in float32 */
    FL_SEGMENT = 1024 /* numbers of a long row that are sorted as columns; their buffers fit the nearest cache */
};

/* The compiler must not know that the pointer is what it was: where a number stays where it is, it would store under a mask
 * rather than store all, which takes several times as long. */
#if defined(__GNUC__) || defined(__clang__)
#define FL_HIDE(pointer) __asm__("" : "+r"(pointer))
#else
#define FL_HIDE(pointer) (void)0
#endif

/* total += x; for doubles the rounding error goes to lost. */
VM_INLINE void fl_add_termf(double x, double *total, double *lost)
{
    (void)lost;
    *total += x;
}

VM_INLINE void fl_add_term(double x, double *total, double *lost) { fl_add(x, total, lost); }

#define FL_COLUMNS(S, T, I) \
    VM_INLINE void fl_exchange##S(T *a, T *b) \
    { \
        T *to_a = a, *to_b = b; \
        int r; \
        FL_HIDE(to_a); \
        FL_HIDE(to_b); \
        FL_SIMD \
        for (r = 0; r < FL_SIDE; r++) { \
            T x = a[r], y = b[r]; \
            to_a[r] = y < x ? y : x; \
            to_b[r] = y < x ? x : y; \
        } \
    } \
\
    VM_INLINE void fl_exchange_both##S(T *a, T *b, I *of_a, I *of_b) \
    { \
        T *to_a = a, *to_b = b; \
        I *to_of_a = of_a, *to_of_b = of_b; \
        int r; \
        FL_HIDE(to_a); \
        FL_HIDE(to_b); \
        FL_HIDE(to_of_a); \
        FL_HIDE(to_of_b); \
        FL_SIMD \
        for (r = 0; r < FL_SIDE; r++) { \
            T x = a[r], y = b[r]; \
            I i = of_a[r], j = of_b[r]; \
            to_a[r] = y < x ? y : x; \
            to_b[r] = y < x ? x : y; \
            to_of_a[r] = y < x ? j : i; \
            to_of_b[r] = y < x ? i : j; \
        } \
    } \
\
    /* Sort columns of n numbers: algorithm M of Knuth, The Art of Computer Programming, volume 3, section 5.2.2. */ \
    static void fl_sort_columns##S(T *keys, I *orders, ptrdiff_t n) \
    { \
        ptrdiff_t top = 1, p, q, r, d, i, j, end; \
        if (n < 2) \
            return; \
        while (top < n - top) \
            top *= 2; \
        for (p = top; p > 0; p /= 2) { \
            for (q = top, r = 0, d = p;; d = q - p, q /= 2, r = p) { \
                for (i = r; i < n - d; i += 2 * p) { \
                    end = i + p < n - d ? i + p : n - d; \
                    if (orders == NULL) \
                        for (j = i; j < end; j++) \
                            fl_exchange##S(keys + j * FL_SIDE, keys + (j + d) * FL_SIDE); \
                    else \
                        for (j = i; j < end; j++) \
                            fl_exchange_both##S(keys + j * FL_SIDE, keys + (j + d) * FL_SIDE, orders + j * FL_SIDE, \
                                                orders + (j + d) * FL_SIDE); \
                } \
                if (q == p) \
                    break; \
            } \
        } \
    } \
\
    /* Merge numbers 0 ... n-1 and n ... end-1, each sorted, from both ends, as each number waits for the one before it. */ \
    static void fl_merge_two##S(const T *keys, const I *orders, ptrdiff_t n, ptrdiff_t end, T *to, I *to_orders) \
    { \
        ptrdiff_t i = 0, j = n, k = 0, last = n - 1, end_last = end - 1, top = end - 1, from, second; \
        while (i < last && j < end_last) { \
            second = keys[j] < keys[i]; \
            from = second ? j : i; \
            to[k] = keys[from]; \
            if (orders != NULL) \
                to_orders[k] = orders[from]; \
            k++; \
            j += second; \
            i += 1 - second; \
            second = !(keys[end_last] < keys[last]); \
            from = second ? end_last : last; \
            to[top] = keys[from]; \
            if (orders != NULL) \
                to_orders[top] = orders[from]; \
            top--; \
            end_last -= second; \
            last -= 1 - second; \
        } \
        while (i <= last && j <= end_last) { \
            second = keys[j] < keys[i]; \
            from = second ? j : i; \
            to[k] = keys[from]; \
            if (orders != NULL) \
                to_orders[k] = orders[from]; \
            k++; \
            j += second; \
            i += 1 - second; \
        } \
        from = i <= last ? i : j; \
        memcpy(to + k, keys + from, (top - k + 1) * sizeof(T)); \
        if (orders != NULL) \
            memcpy(to_orders + k, orders + from, (top - k + 1) * sizeof(I)); \
    } \
\
    /* Merge each two of the runs of `length` numbers that n numbers consist of; the last one may be shorter. */ \
    static void fl_merge_runs##S(const T *keys, const I *orders, ptrdiff_t length, ptrdiff_t n, T *to, I *to_orders) \
    { \
        ptrdiff_t i, left; \
        for (i = 0; i < n; i += 2 * length) { \
            left = n - i; \
            fl_merge_two##S(keys + i, orders == NULL ? NULL : orders + i, length < left ? length : left, \
                        2 * length < left ? 2 * length : left, to + i, orders == NULL ? NULL : to_orders + i); \
        } \
    } \
\
    /* Sort n numbers of one row, a multiple of FL_SIDE. Returns whether they end in `spare`. */ \
    static int fl_sort_row##S(T *keys, I *orders, T *spare, I *spare_orders, ptrdiff_t n) \
    { \
        ptrdiff_t start, size, lines, i, length, none = orders == NULL; \
        int r, there = 1; \
        for (start = 0; start < n; start += FL_SEGMENT) { \
            T *a = keys + start, *b = spare + start, *t; \
            I *of_a = none ? NULL : orders + start, *of_b = none ? NULL : spare_orders + start, *of_t; \
            size = n - start < FL_SEGMENT ? n - start : FL_SEGMENT; \
            lines = size / FL_SIDE; \
            fl_sort_columns##S(a, of_a, lines); \
            for (r = 0; r < FL_SIDE; r++) \
                for (i = 0; i < lines; i++) \
                    b[r * lines + i] = a[i * FL_SIDE + r]; \
            for (r = 0; r < FL_SIDE && !none; r++) \
                for (i = 0; i < lines; i++) \
                    of_b[r * lines + i] = of_a[i * FL_SIDE + r]; \
            for (length = lines; length < size; length *= 2) { /* four times, as there are 16 runs: back to `spare` */ \
                fl_merge_runs##S(b, of_b, length, size, a, of_a); \
                t = a, a = b, b = t; \
                of_t = of_a, of_a = of_b, of_b = of_t; \
            } \
        } \
        for (length = FL_SEGMENT; length < n; length *= 2) { \
            if (there) \
                fl_merge_runs##S(spare, spare_orders, length, n, keys, orders); \
            else \
                fl_merge_runs##S(keys, orders, length, n, spare, spare_orders); \
            there = !there; \
        } \
        return there; \
    } \
\
    /* Add FL_SIDE gaps between neighbours among sorted numbers, or what t leaves of them on both sides, to as many sums: with \
     * c numbers below the gap and c' above, times c (c - fair) below t, and times c' (c' - fair) above it. */ \
    static void fl_add_gaps##S(const T *low, const T *high, const T *t, const double *count, const double *left, \
                               const double *unit, double fair, double *total, double *lost) \
    { \
        int r; \
        FL_SIMD \
        for (r = 0; r < FL_SIDE; r++) { \
            double x = low[r], y = high[r], z = t[r], c = count[r], rest = left[r] - c; \
            double inner = c * unit[r] * (c - fair), outer = rest * unit[r] * (rest - fair); \
            double to_x = x < z ? x : z, to_y = y < z ? y : z, from_x = x > z ? x : z, from_y = y > z ? y : z; \
            double below = (to_x == to_y) | (inner == 0) ? 0 : inner * (to_y - to_x); \
            double above = (from_x == from_y) | (outer == 0) ? 0 : outer * (from_y - from_x); \
            fl_add_term##S(rest > 0 ? below + above : 0, total + r, lost + r); \
        } \
    } \
\
    /* The same sums of whole sorted columns of n finite numbers, none of which is left out. The first gap is that from t. */ \
    static void fl_add_columns##S(const T *keys, ptrdiff_t n, const T *t, double fair, double *total, double *lost) \
    { \
        double to[FL_SIDE], from[FL_SIDE], inner, outer; \
        ptrdiff_t k; \
        int r; \
        FL_SIMD \
        for (r = 0; r < FL_SIDE; r++) { \
            double x = keys[r], z = t[r]; \
            to[r] = x < z ? x : z; \
            from[r] = x > z ? x : z; \
        } \
        for (k = 1; k < n; k++) { \
            const T *y = keys + k * FL_SIDE; \
            inner = k * (k - fair); \
            outer = (n - k) * (n - k - fair); \
            FL_SIMD \
            for (r = 0; r < FL_SIDE; r++) { \
                double x = y[r], z = t[r], low = x < z ? x : z, high = x > z ? x : z; \
                fl_add_term##S(inner * (low - to[r]) + outer * (high - from[r]), total + r, lost + r); \
                to[r] = low; \
                from[r] = high; \
            } \
        } \
    } \
\
    /* The slopes of sorted columns of n numbers: (sign(x - t) (left - fair) - (a + b - left)) rate, with a numbers below x and b \
     * not above it. */ \
    static void fl_slopes##S(const T *keys, ptrdiff_t n, const T *t, const T *left, double fair, const T *rate, T *slopes) \
    { \
        T edge[FL_SIDE], less = (T)fair; \
        ptrdiff_t k; \
        int r; \
        for (r = 0; r < FL_SIDE; r++) \
            edge[r] = slopes[r] = 0; \
        for (k = 1; k < n; k++) { \
            const T *x = keys + k * FL_SIDE, *near = x - FL_SIDE; \
            T *to = slopes + k * FL_SIDE; \
            FL_SIMD \
            for (r = 0; r < FL_SIDE; r++) { \
                edge[r] = x[r] == near[r] ? edge[r] : (T)k; \
                to[r] = edge[r]; \
            } \
        } \
        for (r = 0; r < FL_SIDE; r++) \
            edge[r] = (T)n; \
        for (k = n - 1; k >= 0; k--) { \
            const T *x = keys + k * FL_SIDE, *near = k < n - 1 ? x + FL_SIDE : x; \
            T *to = slopes + k * FL_SIDE; \
            FL_SIMD \
            for (r = 0; r < FL_SIDE; r++) { \
                T z = x[r], all = left[r], end; \
                T side = z > t[r] ? all - less : z < t[r] ? less - all : 0; \
                edge[r] = z == near[r] ? edge[r] : (T)(k + 1); \
                end = edge[r] < all ? edge[r] : all; \
                to[r] = (side - (to[r] + end - all)) * rate[r]; \
            } \
        } \
    }

FL_COLUMNS(f, float, uint32_t)
FL_COLUMNS(, double, uint64_t)

#endif
