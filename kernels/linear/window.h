/* window.h - sums of vectors whose order does not matter, in a few numbers for each component.
 *
 * As in core/exact.h a sum is held in limbs of 32 bits, but only the highest ones that any of the terms has reached. What a
 * term adds to a limb does not depend on the others, and limbs are not carried before the sum is read; so what is left
 * out below them does not depend on the order either. It is less than 2^-85 of the largest term. 2^31 terms may be added.
 */
#ifndef FUSEDLOSS_WINDOW_H
#define FUSEDLOSS_WINDOW_H
#include "core/exact.h"

enum { FL_WINDOW = 4, FL_WINDOW_ITEMS = FL_WINDOW + 2 };

/* All 0 for a sum of nothing. */
typedef struct {
    int64_t limbs[FL_WINDOW]; /* from the highest one, which is number `top` - 1 */
    int64_t top;
    double special; /* the sum of what is infinite or NaN */
} fl_window;

static inline void fl_window_raise(fl_window *w, int64_t top)
{
    int64_t k, by = top - w->top;
    if (by <= 0)
        return;
    for (k = FL_WINDOW - 1; k >= 0; k--)
        w->limbs[k] = k >= by ? w->limbs[k - by] : 0;
    w->top = top;
}

static inline void fl_window_add(fl_window *w, double x)
{
    int64_t parts[3], k, place;
    int64_t lowest = fl_exact_split(x, parts);
    if (lowest < 0) {
        w->special += lowest == -1 ? x : 0;
        return;
    }
    fl_window_raise(w, lowest + 3);
    for (k = 0; k < 3; k++) {
        place = w->top - 1 - (lowest + k);
        if (place < FL_WINDOW)
            w->limbs[place] += parts[k];
    }
}

static inline void fl_window_merge(fl_window *w, const fl_window *other)
{
    int64_t k, place;
    w->special += other->special;
    fl_window_raise(w, other->top);
    for (k = 0; k < FL_WINDOW && other->top > 0; k++) {
        place = w->top - other->top + k;
        if (place < FL_WINDOW)
            w->limbs[place] += other->limbs[k];
    }
}

static inline double fl_window_round(const fl_window *w)
{
    fl_exact s;
    int64_t k;
    fl_exact_clear(&s);
    s.special = w->special;
    for (k = 0; k < FL_WINDOW && k < w->top; k++)
        s.limbs[w->top - 1 - k] = w->limbs[k];
    s.low = w->top > FL_WINDOW ? w->top - FL_WINDOW : 0;
    s.high = w->top;
    return fl_exact_round(&s);
}
#endif
