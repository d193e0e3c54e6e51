/* The speed of light: how fast this machine reads some arrays and writes others, with next to nothing to compute.
 *
 * Arrays of one size are walked through together, as by a loss that reads its inputs and writes its gradients. The compiler
 * vectorises the loops for the machine at hand (bench/light.py). */

#include <stddef.h>
#include <stdint.h>

#define LANES 32 /* sums that are on their way at once: additions do not wait for each other */
#define MOST 4   /* arrays to read, and arrays to write */

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

static inline __attribute__((always_inline)) uint64_t walk(int inputs, char *const *in, int outputs, char *const *out,
                                                           size_t bytes)
{
    size_t words = bytes / sizeof(word), i, at;
    uint64_t lanes[LANES] = {0}, sum = 0;
    int k;
    if (outputs) { /* of all that was read at this place */
#pragma GCC ivdep
        for (i = 0; i < words; i++) {
            uint64_t all = 0;
            for (k = 0; k < inputs; k++)
                all += ((const word *)in[k])[i];
            for (k = 0; k < outputs; k++)
                ((word *)out[k])[i] = all;
        }
    } else {
        for (i = 0; i + LANES <= words; i += LANES)
            for (at = 0; at < LANES; at++)
                for (k = 0; k < inputs; k++)
                    lanes[at] += ((const word *)in[k])[i + at];
        words = i;
        for (at = 0; at < LANES; at++)
            sum += lanes[at];
    }
    for (i = words * sizeof(word); i < bytes; i++) {
        for (k = 0; k < inputs; k++)
            sum += (unsigned char)in[k][i];
        for (k = 0; k < outputs; k++)
            out[k][i] = (char)sum;
    }
    return sum;
}

/* The sum of all words read, where nothing is written: so that no read can be left out. */
uint64_t light(int inputs, char *const *in, int outputs, char *const *out, size_t bytes)
{
    char *from[MOST], *to[MOST];
    int k;
    for (k = 0; k < inputs; k++)
        from[k] = in[k];
    for (k = 0; k < outputs; k++)
        to[k] = out[k];
    switch (inputs * (MOST + 1) + outputs) {
#define OF(inputs, outputs) \
    case inputs * (MOST + 1) + outputs: \
        return walk(inputs, from, outputs, to, bytes);
#define OF_ANY(inputs) OF(inputs, 0) OF(inputs, 1) OF(inputs, 2) OF(inputs, 3) OF(inputs, 4)
        OF_ANY(0) OF_ANY(1) OF_ANY(2) OF_ANY(3) OF_ANY(4)
    }
    return 0;
}
