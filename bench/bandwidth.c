/* How fast this machine reads INPUTS arrays and writes OUTPUTS others of the same size, with next to nothing to compute:
 * as in the STREAM benchmark, but with the arrays of a loss. bench/bandwidth.py compiles it for each pair of counts.
 * A few bytes at the end are left out: those that are no whole word, or, if nothing is written, no whole set of lanes. */

#include <stddef.h>
#include <stdint.h>

#define LANES 32 /* sums that are on their way at once: additions do not wait for each other */

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

/* The sum of all words read, where nothing is written: so that no read can be left out. */
uint64_t pass_over(char *const *in, char *const *out, size_t bytes)
{
    char *from[INPUTS + 1], *to[OUTPUTS + 1];
    size_t words = bytes / sizeof(word), i, at;
    uint64_t lanes[LANES] = {0}, sum = 0;
    int k;
    for (k = 0; k < INPUTS; k++)
        from[k] = in[k];
    for (k = 0; k < OUTPUTS; k++)
        to[k] = out[k];
    if (OUTPUTS) { /* of all that was read at this place */
#pragma GCC ivdep
        for (i = 0; i < words; i++) {
            uint64_t all = 0;
            for (k = 0; k < INPUTS; k++)
                all += ((const word *)from[k])[i];
            for (k = 0; k < OUTPUTS; k++)
                ((word *)to[k])[i] = all;
        }
    } else {
        for (i = 0; i + LANES <= words; i += LANES)
            for (at = 0; at < LANES; at++)
                for (k = 0; k < INPUTS; k++)
                    lanes[at] += ((const word *)from[k])[i + at];
        for (at = 0; at < LANES; at++)
            sum += lanes[at];
    }
    return sum;
}
