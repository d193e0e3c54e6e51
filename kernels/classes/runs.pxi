# Rows that are worked on along their classes, several at once where they are short, in chunks where they are long. Families
# that do so include this after rows.pxi.

cdef enum:
    STEP = 16             # numbers that are written at once where one is spread

cdef struct Row:          # where a row lies
    const char *x
    const char *t
    const char *m
    char *g
    char *h

cdef inline Row row_at(const Rows *job, Py_ssize_t row) noexcept nogil:
    return Row(base_of(job, R_X, row), base_of(job, R_T, row), base_of(job, R_M, row), base_of(job, R_G, row), base_of(job, R_H, row))


cdef inline bint has_nan(const real *x, Py_ssize_t n) noexcept nogil:
    cdef int found = 0
    cdef Py_ssize_t j
    for j in range(n):
        found |= x[j] != x[j]
    return found != 0

cdef void set_row(const Rows *job, int k, const Row *at, real x) noexcept nogil:
    """A row of one number, but for 0 where a class is left out; nothing where there is no such output."""
    cdef real block[CHUNK]
    cdef real *out
    cdef char *base = at.g if k == R_G else at.h
    cdef Py_ssize_t i, j, n
    if base == NULL:
        return
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        out = place(job, k, base, i, <real *> block)
        for j in range(n):
            out[j] = x
        if at.m != NULL:
            mask_classes(job, at.m, i, n, out, <real> 0)
        put_classes(job, k, base, i, n, <const real *> out)


# ---- several rows at once --------------------------------------------------------------------------------------------
#
# A run is n classes, from `start` on, of one row; or all n classes of several rows, one row after the other.

cdef inline Py_ssize_t rows_at_once(const Rows *job) noexcept nogil:
    return max(<Py_ssize_t> 1, <Py_ssize_t> CHUNK // job.classes)

cdef inline bint are_one_run(const Rows *job, int k, Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    return rows == 1 or job.operands[k].flat and row_step(job, k) == n * job.operands[k].itemsize

cdef inline const real *fetch_run(const Rows *job, int k, const char *base, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                                  real *block) noexcept nogil:
    cdef const real *x
    cdef Py_ssize_t r, j
    if are_one_run(job, k, rows, n):
        return fetch_classes(job, k, base, start, n, block)
    for r in range(rows):
        x = fetch_classes(job, k, base + r * row_step(job, k), 0, n, block + r * n)
        if x != block + r * n:
            for j in range(n):
                block[r * n + j] = x[j]
    return block

cdef inline real *place_run(const Rows *job, int k, char *base, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                            real *block) noexcept nogil:
    return place(job, k, base, start, block) if base != NULL and are_one_run(job, k, rows, n) else block

cdef inline void put_run(const Rows *job, int k, char *base, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                         const real *block) noexcept nogil:
    cdef real *out
    cdef Py_ssize_t r, j
    if base == NULL or job.operands[k].flat and are_one_run(job, k, rows, n):
        return
    for r in range(rows):
        if job.operands[k].flat:
            out = <real *> (base + r * row_step(job, k))
            for j in range(n):
                out[j] = block[r * n + j]
        else:
            put_classes(job, k, base + r * row_step(job, k), start, n, block + r * n)

cdef void mask_run(const Rows *job, const Row *at, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n, real *block, real x) noexcept nogil:
    """x for what is left out of a run. Not inline, as few calls have a mask."""
    cdef Py_ssize_t r
    for r in range(rows):
        mask_classes(job, at.m + r * row_step(job, R_M), start, n, block + r * n, x)

cdef inline void spread(const real *v, Py_ssize_t rows, Py_ssize_t n, real *block) noexcept nogil:
    """A number of each row for all of its classes. STEP - 1 numbers too many may be written."""
    cdef Py_ssize_t r, i, j
    cdef real x
    for r in range(rows):
        x = v[r]
        for i from 0 <= i < n by STEP:
            for j in range(STEP):
                block[r * n + i + j] = x
