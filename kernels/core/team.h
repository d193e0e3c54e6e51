/* team.h - what a call and its threads share: working memory, and the question whether to go on. Include after Python.h. */
#ifndef FUSEDLOSS_TEAM_H
#define FUSEDLOSS_TEAM_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include "exact.h"

#ifdef _OPENMP
#include <omp.h>
#define FL_OPENMP 1
#else
#define FL_OPENMP 0
static inline int omp_get_max_threads(void) { return 1; }
static inline int omp_get_thread_num(void) { return 0; }
#endif

enum {
    FL_SPANS = 128, /* a call is cut into so many spans at most, so no more threads have work */
    FL_TILE = 256,  /* rows of a tile, at most */
    FL_ROOM = 4096, /* doubles, or twice as many floats, in a tile's buffers: they stay in the nearest caches */
    FL_SUMS = 10,   /* sums of a row */
    FL_APART = 144  /* between buffers: the same place in two of them is not the same place in a page */
};

/* Working memory of a thread. It is not on the stack, as stacks may be as small as 128 kB; nor thread-local, as a
 * process that has no memory for that is ended by the C library. */
typedef struct fl_work {
    float floats[3 * (2 * FL_ROOM + FL_APART)];
    double doubles[3 * (FL_ROOM + FL_APART)];
    double sums[FL_SUMS * FL_TILE];
    void *block; /* what was allocated */
    struct fl_work *next;
} fl_work;

typedef struct {
    fl_work *works[FL_SPANS]; /* one for each thread, if the call wants them */
    int size;                 /* so many */
    int watched;              /* whether the calling thread looks for signals */
    volatile int stopped;     /* whether a signal handler has raised an exception */
    unsigned asked;           /* how often it was asked */
    int64_t last;             /* when it looked, in milliseconds; 0: not yet */
    fl_exact *totals;         /* what each thread has added up: `total`, where there is one thread */
    int adders;               /* so many */
    fl_exact total;
} fl_team;

/* Working memory that no call uses. It is taken as a whole, so that no two calls take the same. */
static fl_work *fl_pool = NULL;

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#define FL_EXCHANGE(place, value) _InterlockedExchangePointer((void *volatile *)(place), (value))
#else
#define FL_EXCHANGE(place, value) __atomic_exchange_n((place), (value), __ATOMIC_ACQ_REL)
#endif

static void fl_give_back(fl_work *works)
{
    fl_work *last;
    while (works != NULL) {
        works = (fl_work *)FL_EXCHANGE(&fl_pool, works); /* what another call has given back meanwhile */
        if (works == NULL)
            return;
        for (last = works; last->next != NULL; last = last->next)
            ;
        last->next = (fl_work *)FL_EXCHANGE(&fl_pool, NULL);
    }
}

static void fl_leave(fl_team *team)
{
    int k;
    for (k = 0; k < team->size; k++)
        team->works[k]->next = k + 1 < team->size ? team->works[k + 1] : NULL;
    if (team->size > 0)
        fl_give_back(team->works[0]);
    team->size = 0;
}

/* Take working memory for so many threads; whether there is enough. */
static int fl_join(fl_team *team, int threads)
{
    fl_work *pool = (fl_work *)FL_EXCHANGE(&fl_pool, NULL), *work;
    void *block;
    for (team->size = 0; team->size < threads; team->size++) {
        if (pool != NULL) {
            work = pool;
            pool = work->next;
        } else {
            block = malloc(sizeof(fl_work) + 64);
            if (block == NULL) {
                fl_leave(team);
                return 0;
            }
            work = (fl_work *)(((uintptr_t)block + 63) & ~(uintptr_t)63);
            work->block = block;
        }
        team->works[team->size] = work;
    }
    fl_give_back(pool);
    return 1;
}

/* The memory of the thread that asks. */
static inline fl_work *fl_own(const fl_team *team)
{
    int k = omp_get_thread_num();
    return team->works[k < team->size ? k : 0];
}

/* Make a sum for each thread; whether there is memory for them. */
static int fl_add_up(fl_team *team, int threads)
{
    int k;
    team->totals = threads > 1 ? (fl_exact *)malloc(threads * sizeof(fl_exact)) : &team->total;
    team->adders = team->totals != NULL ? threads : 0;
    for (k = 0; k < team->adders; k++)
        fl_exact_clear(&team->totals[k]);
    return team->totals != NULL;
}

/* The sum of the thread that asks. */
static inline fl_exact *fl_total(const fl_team *team)
{
    int k = team->adders > 1 ? omp_get_thread_num() : 0;
    return team->totals + (k < team->adders ? k : 0);
}

/* All sums together; nothing is left of the single ones. */
static fl_exact *fl_merge_totals(fl_team *team)
{
    int k;
    if (team->totals != &team->total) {
        fl_exact_clear(&team->total);
        for (k = 0; k < team->adders; k++)
            fl_exact_merge(&team->total, &team->totals[k]);
        free(team->totals);
    }
    return &team->total;
}

static int64_t fl_milliseconds(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether to stop. The calling thread lets Python's signal handlers run, some times a second; an exception that one of them
 * raises is set when this says so. Call it without the GIL, once in some microseconds: it looks at the clock at every eighth
 * call, so that calls which are soon over do not. */
static int fl_stops(fl_team *team)
{
    if (team->watched && !team->stopped && omp_get_thread_num() == 0 && ++team->asked % 8 == 0) {
        int64_t now = fl_milliseconds();
        if (team->last == 0) {
            team->last = now;
        } else if (now - team->last >= 50 || now < team->last) {
            PyGILState_STATE state = PyGILState_Ensure();
            team->stopped = PyErr_CheckSignals() != 0;
            PyGILState_Release(state);
            team->last = fl_milliseconds();
        }
    }
    return team->stopped;
}

static void fl_watch(fl_team *team)
{
    team->watched = 1;
    team->asked = 0;
    team->last = 0;
}

/* -1 with an exception set if the call was stopped. */
static int fl_outcome(const fl_team *team) { return team->stopped ? -1 : 0; }

#endif
