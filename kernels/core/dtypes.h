/* Half-precision numbers and byte order, in plain C.
 *
 * The conversions are branch-free so that loops over them vectorise; they round to nearest even, as NumPy does.
 */
#ifndef FUSEDLOSS_DTYPES_H
#define FUSEDLOSS_DTYPES_H

#include <stdint.h>
#include <string.h>

static inline uint32_t fl_float_bits(float x) { uint32_t u; memcpy(&u, &x, sizeof u); return u; }
static inline float fl_bits_float(uint32_t u) { float x; memcpy(&x, &u, sizeof x); return x; }

/* binary16 to float: move the bits into place and scale by 2^112, which also brings subnormals to their value. */
static inline float fl_from_half(uint16_t h)
{
    uint32_t bits = (uint32_t)(h & 0x7fffu) << 13;
    uint32_t special = bits >= 0x0f800000u ? 0x7f800000u : 0u;
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    return fl_bits_float(fl_float_bits(fl_bits_float(bits) * 0x1p112f) | special | sign);
}

/* float to binary16: rebias and round the normal numbers; adding 0.5 (whose ulp is 2^-24) rounds the subnormal ones. */
static inline uint16_t fl_to_half(float x)
{
    uint32_t bits = fl_float_bits(x), magnitude = bits & 0x7fffffffu;
    uint32_t normal = (magnitude + 0xc8000fffu + ((magnitude >> 13) & 1u)) >> 13;
    uint32_t small = fl_float_bits(fl_bits_float(magnitude) + 0.5f) - 0x3f000000u;
    uint32_t half = magnitude < 0x38800000u ? small : normal;
    half = magnitude >= 0x47800000u ? 0x7c00u : half;
    half = magnitude > 0x7f800000u ? 0x7e00u : half;
    return (uint16_t)(half | (bits >> 16 & 0x8000u));
}

/* double to float, rounded to odd where inexact: rounding the result once more, to a half, is then as good as once. */
static inline float fl_odd(double x)
{
    float f = (float)x;
    uint32_t bits = fl_float_bits(f);
    double back = f;
    if (back != x && x == x && x - x == 0) {
        bits -= (back < 0 ? -back : back) > (x < 0 ? -x : x);
        bits |= 1u;
    }
    return fl_bits_float(bits);
}

static inline float fl_from_bfloat(uint16_t b) { return fl_bits_float((uint32_t)b << 16); }

static inline uint16_t fl_to_bfloat(float x)
{
    uint32_t bits = fl_float_bits(x);
    uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16 | 0x40u) : rounded);
}

/* Reverses the bytes of one item (2, 4 or 8 bytes; 1 is left alone). */
static inline void fl_swap_bytes(void *item, size_t size)
{
    unsigned char *b = (unsigned char *)item;
    for (size_t i = 0; i < size / 2; i++) {
        unsigned char t = b[i];
        b[i] = b[size - 1 - i];
        b[size - 1 - i] = t;
    }
}

#endif
