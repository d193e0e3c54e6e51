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

#endif
