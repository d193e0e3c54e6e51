/* compiler.h - what the compiler is told about functions and pointers. setup.py puts it before all that Cython generates. */
#ifndef FUSEDLOSS_COMPILER_H
#define FUSEDLOSS_COMPILER_H

#if defined(FL_CHECKED) /* a build for the sanitizers: what is inlined everywhere becomes several times longer */
#define FL_INLINE inline
#define FL_NOINLINE
#elif defined(_MSC_VER)
#define FL_INLINE __forceinline
#define FL_NOINLINE __declspec(noinline)
#else
#define FL_INLINE inline __attribute__((always_inline))
#define FL_NOINLINE __attribute__((noinline))
#endif

#define FL_RESTRICT __restrict

/* A struct or union that begins at a cache line, so that no vector crosses two. */
#if defined(_MSC_VER)
#define FL_ALIGNED __declspec(align(64))
#else
#define FL_ALIGNED __attribute__((aligned(64)))
#endif

#endif
