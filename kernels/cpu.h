/* cpu.h - the x86-64 level of the CPU that runs this, and the compiler. */
#ifndef FUSEDLOSS_CPU_H
#define FUSEDLOSS_CPU_H
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#elif defined(__x86_64__)
#include <cpuid.h>
#endif

#if defined(__clang__)
#define FL_COMPILER "Clang " __clang_version__
#elif defined(__GNUC__)
#define FL_COMPILER "GCC " __VERSION__
#elif defined(_MSC_VER)
#define FL_TEXT_(x) #x
#define FL_TEXT(x) FL_TEXT_(x)
#define FL_COMPILER "MSVC " FL_TEXT(_MSC_VER)
#else
#define FL_COMPILER "unknown"
#endif

#if !defined(__x86_64__) && !defined(_M_X64)
static int fl_cpu_level(void) { return 0; }

#elif defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && !defined(FL_CPUID)
static int fl_cpu_level(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return 4;
    if (__builtin_cpu_supports("x86-64-v3")) return 3;
    if (__builtin_cpu_supports("x86-64-v2")) return 2;
    return 1;
}

#else
/* Other compilers, and clang, whose __builtin_cpu_supports knows neither the levels (before 18) nor lzcnt and
 * movbe (14): the feature bits themselves, and from XCR0 whether the system saves the wide registers. */
static void fl_cpuid(unsigned leaf, unsigned r[4])
{
#if defined(_MSC_VER) && !defined(__clang__)
    __cpuidex((int *)r, (int)leaf, 0);
#else
    __cpuid_count(leaf, 0, r[0], r[1], r[2], r[3]);
#endif
}

static unsigned fl_xcr0(void)
{
#if defined(_MSC_VER) && !defined(__clang__)
    return (unsigned)_xgetbv(0);
#else
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
#endif
}

#define FL_HAS(word, bits) (((word) & (bits)) == (bits))

static int fl_cpu_level(void)
{
    /* leaf 1 ecx: sse3 ssse3 cx16 sse4.1 sse4.2 popcnt; then fma movbe osxsave avx f16c.
     * leaf 7 ebx: bmi1 avx2 bmi2; then avx512 f dq cd bw vl. leaf 0x80000001 ecx: lahf; then lzcnt. */
    const unsigned v2 = 1u | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23;
    const unsigned v3 = 1u << 12 | 1u << 22 | 1u << 27 | 1u << 28 | 1u << 29;
    const unsigned v3_wide = 1u << 3 | 1u << 5 | 1u << 8;
    const unsigned v4_wide = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;
    unsigned top, one, seven = 0, more = 0, saved, r[4];
    fl_cpuid(0, r);
    top = r[0];
    fl_cpuid(1, r);
    one = r[2];
    if (top >= 7) {
        fl_cpuid(7, r);
        seven = r[1];
    }
    fl_cpuid(0x80000000u, r);
    if (r[0] >= 0x80000001u) {
        fl_cpuid(0x80000001u, r);
        more = r[2];
    }
    if (!FL_HAS(one, v2) || !FL_HAS(more, 1u)) return 1;
    if (!FL_HAS(one, v3) || !FL_HAS(seven, v3_wide) || !FL_HAS(more, 1u << 5)) return 2;
    saved = fl_xcr0();
    if (!FL_HAS(saved, 0x6u)) return 2;
    if (!FL_HAS(seven, v4_wide) || !FL_HAS(saved, 0xe6u)) return 3;
    return 4;
}
#endif
#endif
