/* threads.h - whether threads can be started, found out by starting them. */
#ifndef FUSEDLOSS_THREADS_H
#define FUSEDLOSS_THREADS_H

#if defined(_OPENMP) && !defined(_WIN32)
#include <pthread.h>

typedef struct {
    pthread_mutex_t gate; /* held until all are started */
} fl_start;

static void *fl_wait_at_gate(void *start)
{
    pthread_mutex_lock(&((fl_start *)start)->gate);
    pthread_mutex_unlock(&((fl_start *)start)->gate);
    return NULL;
}

/* How many of so many threads, 128 at most, could be started at once; they have ended again. */
static int fl_start_threads(int threads)
{
    pthread_t started[128];
    fl_start start;
    int n = 0, k, wanted = threads < 128 ? threads : 128;
    if (pthread_mutex_init(&start.gate, NULL) != 0)
        return 0;
    pthread_mutex_lock(&start.gate);
    while (n < wanted && pthread_create(&started[n], NULL, fl_wait_at_gate, &start) == 0)
        n++;
    pthread_mutex_unlock(&start.gate);
    for (k = 0; k < n; k++)
        pthread_join(started[k], NULL);
    pthread_mutex_destroy(&start.gate);
    return n == wanted ? threads : n;
}
#else
static int fl_start_threads(int threads) { return threads; }
#endif

#endif
