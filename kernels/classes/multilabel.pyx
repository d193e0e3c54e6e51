# Losses of several classes of a row at once: the margins between those in a list and the others, and the logistic loss of
# each class, whose derivatives touch no other class: they alone are not NaN where the value of their row is.

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport NAN
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy
from kernels.classes.rows cimport (
    CHUNK, R_F, R_G, R_H, R_M, R_T, R_W, R_X, STEP, Row, Rows, add_run, base_of, count_left, fetch_labels, fetch_left, fetch_mask,
    fetch_run, finish_rows, is_empty, is_masked, is_vector, load_factors, mask_run, may_be_outside, output_or_buffer, run_or_buffer,
    store_classes, store_run, register_rows, report_outside, row_at, row_step, rows_at_once, set_rows, broadcast_rows, stops)
from kernels.core.call cimport HessOptions, adjusted_hess
from kernels.core.numeric cimport over_zero, real, weighed
from kernels.core.operands cimport UINT64, Load, Operand, Space, check_shape, describe, label_loader, offset_of
from kernels.core.rowmath cimport count_above_zero, has_nan, row_sum
from kernels.core.sums cimport TILE, Exact, Sum, add, add_exactly, clear_exact, exact_of, merge_exactly, result, rounded
from kernels.elementwise.logistic cimport bce_with_logits

cnp.import_array()

cdef enum:
    LABELS = 16           # of a list, that are read at once
    LISTS = 1 << 18       # that are looked through between two looks for signals


# ---- multilabel_margin -----------------------------------------------------------------------------------------------

cdef struct Listed:           # the classes of a chunk that are in a row's list
    int count                 # of different ones
    int index[CHUNK]

cdef inline void find_listed(const Rows *job, const Row *at, Py_ssize_t start, Py_ssize_t n, Listed *listed,
                             real *times) noexcept nogil:
    """Those among classes start … start+n-1, and how often each class is listed, 1 for those left out; the latter is written
    only if a class is listed or classes are left out.
    What is no class is passed over: scan_lists has found none, but other threads may have written to the array since."""
    cdef int64_t labels[LABELS]
    cdef real valid[CHUNK]
    cdef uint64_t c
    cdef Py_ssize_t i, j, k, size
    listed.count = 0
    if at.m != NULL:
        fetch_mask(job, at.m, start, n, <real *> valid)
        for k in range(n):
            times[k] = 0 if valid[k] != 0 else <real> 1
    for i from 0 <= i < job.classes by LABELS:
        size = min(<Py_ssize_t> LABELS, job.classes - i)
        fetch_labels(job, at.t, i, size, labels)
        for j in range(size):
            if labels[j] == -1:
                return
            c = <uint64_t> labels[j] - <uint64_t> start
            if c >= <uint64_t> n or at.m != NULL and valid[c] == 0:
                continue
            if listed.count == 0 and at.m == NULL:
                for k in range(n):
                    times[k] = 0
            if times[c] == 0:
                listed.index[listed.count] = <int> c
                listed.count += 1
            times[c] += 1

cdef inline void add_pairs(const Listed *listed, const real *x, const real *times, const real *others, const real *not_these,
                           Py_ssize_t n, Sum *total, double *below, real *above) noexcept nogil:
    """Pairs of the listed classes of one chunk with those of another that are not: `not_these` are above 0, unless it is
    NULL. To the total the sum of max(0, (1 - x_y) + x_j); from `below` the number of active pairs of each listed class, to
    `above` that of each of the others; each of them where it is not NULL."""
    cdef real zs[CHUNK]
    cdef real k, z, count
    cdef Py_ssize_t i, j
    for i in range(listed.count):
        k = <real> 1 - x[listed.index[i]]
        count = times[listed.index[i]]
        if not_these == NULL:
            for j in range(n):
                zs[j] = over_zero(k + others[j])
        else:
            for j in range(n):
                z = over_zero(k + others[j])
                zs[j] = 0 if not_these[j] > 0 else z
        if total != NULL:
            add(total, count * row_sum(<const real *> zs, n))
        if below != NULL:
            below[listed.index[i]] -= count * count_above_zero(<const real *> zs, n)
        if above != NULL:
            for j in range(n):
                z = zs[j]
                above[j] += count if z > 0 else <real> 0

cdef real multilabel_margin_row(const Rows *job, const Row *at, double omega, const real *like) noexcept nogil:
    """ω / C Σ_{y in the list} Σ_{j not in it} max(0, (1 - x_y) + x_j), C the number of classes that are not left out"""
    cdef real xs[CHUNK]
    cdef real os[CHUNK]
    cdef real times[CHUNK]
    cdef real not_these[CHUNK]
    cdef real gs[CHUNK]
    cdef real active[CHUNK]
    cdef double passive[CHUNK]
    cdef real *above = <real *> active if at.g != NULL else NULL      # pairs that raise the score of a class, less
    cdef double *below = passive if at.g != NULL else NULL
    cdef Listed listed, others
    cdef const real *x
    cdef const real *o
    cdef real *out
    cdef Sum total = Sum(0, 0)
    cdef bint spoiled = False
    cdef Py_ssize_t left = job.classes if at.m == NULL else max(<Py_ssize_t> 1, count_left(job, at.m, like))
    cdef double rate = <real> (job.scale / left)
    cdef Py_ssize_t i, j, k, n, m
    rate = weighed(omega, rate)
    for i from 0 <= i < job.classes by CHUNK:
        n = min(<Py_ssize_t> CHUNK, job.classes - i)
        x = fetch_left(job, at, i, n, <real *> xs)
        spoiled |= has_nan(x, n)
        find_listed(job, at, i, n, &listed, <real *> times)
        if at.g != NULL:
            for j in range(n):
                above[j] = 0
                below[j] = 0
        add_pairs(&listed, x, <const real *> times, x, <const real *> times, n, &total, below, above)
        for k from 0 <= k < job.classes by CHUNK:
            if k == i:
                continue
            m = min(<Py_ssize_t> CHUNK, job.classes - k)
            find_listed(job, at, k, m, &others, <real *> not_these)
            if listed.count > 0 or others.count > 0 and at.g != NULL:
                if stops(job):
                    return 0
                o = fetch_left(job, at, k, m, <real *> os)
                add_pairs(&listed, x, <const real *> times, o,
                          <const real *> not_these if others.count > 0 or at.m != NULL else NULL, m, &total, below, NULL)
                if at.g != NULL:
                    add_pairs(&others, o, <const real *> not_these, x,
                              <const real *> times if listed.count > 0 or at.m != NULL else NULL, n, NULL, NULL, above)
        if at.g != NULL:
            out = output_or_buffer(job, R_G, at.g, i, <real *> gs)
            for j in range(n):
                out[j] = <real> weighed(above[j] + below[j], rate)      # a mean over nothing has an infinite rate
            store_classes(job, R_G, at.g, i, n, <const real *> out)
    return NAN if spoiled else <real> weighed(omega, result(total) / left)

cdef void multilabel_margin(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real values[TILE]
    cdef real factors[TILE]
    cdef Row at
    cdef Py_ssize_t r
    load_factors(job, row, n, <real *> factors)
    for r in range(n):
        at = row_at(job, row + r)
        values[r] = 0
        if factors[r] != 0:
            values[r] = multilabel_margin_row(job, &at, factors[r], <const real *> NULL)
        if factors[r] == 0 or values[r] != values[r]:
            set_rows(job, R_G, row + r, 1, <const real *> values + r)
        factors[r] = values[r] if values[r] != values[r] else <real> 0
    set_rows(job, R_H, row, n, <const real *> factors)
    finish_rows(job, row, n, <const real *> values)


def scan_lists(cnp.ndarray lists not None, cnp.ndarray mask, cnp.ndarray factor):
    """The position in C order of the first listed number that is no class, or -1. The lists lie along the last axis, each up
    to its first -1. A class that the mask leaves out is none, unless nothing is left of its row. Rows whose factor is 0 are
    not looked at; mask and factor may be None."""
    cdef Space space
    cdef Operand op, left, factors
    cdef Load load
    cdef double valid
    cdef int64_t labels[LABELS]
    cdef Py_ssize_t row, i, j, n, found = -1, rows = 1, classes
    cdef int axis, ndim = cnp.PyArray_NDIM(lists)
    cdef const char *base
    cdef bint wraps
    check_shape(mask, lists, ndim)
    describe(&op, lists, <const double *> NULL, ndim)
    describe(&left, mask, <const double *> NULL, ndim)
    if op.kind > UINT64 or ndim == 0:
        raise TypeError("kernel: lists must hold integers")
    check_shape(factor, lists, ndim - 1)
    describe(&factors, factor, <const double *> NULL, ndim)
    load = label_loader(op.kind)
    wraps = op.kind == UINT64       # a huge number would look like a negative one
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(lists, axis)
        rows *= space.shape[axis] if axis < ndim - 1 else 1
    classes = space.shape[ndim - 1]
    with nogil:
        for row in range(rows):
            if row % LISTS == LISTS - 1:
                with gil:
                    PyErr_CheckSignals()
            if factors.data != NULL:
                factors.load(factors.data + offset_of(&factors, &space, 0, ndim - 1, row), 0, factors.swapped, 1, &valid)
                if valid == 0:
                    continue
            base = op.data + offset_of(&op, &space, 0, ndim - 1, row)
            for i from 0 <= i < classes by LABELS:
                n = min(<Py_ssize_t> LABELS, classes - i)
                load(base + i * op.strides[ndim - 1], op.strides[ndim - 1], op.swapped, n, labels)
                j = 0
                while j < n and 0 <= labels[j] < classes:
                    if left.data != NULL:
                        left.load(left.data + offset_of(&left, &space, 0, ndim - 1, row) + labels[j] * left.strides[ndim - 1], 0,
                                  left.swapped, 1, &valid)
                        if valid == 0:
                            break
                    j += 1
                if j < n:
                    if (wraps or labels[j] != -1) and not (left.data != NULL and is_empty(&left, &space, ndim - 1, row)):
                        found = row * classes + i + j
                    break
            if found >= 0:
                break
    return found


# ---- multilabel_soft_margin ------------------------------------------------------------------------------------------

cdef struct Weights:          # of the classes, or of all items
    const void *numbers       # of a run, from its first class on; NULL where there are none
    Py_ssize_t step           # from one row to the next: 0 where these are the same for all

cdef inline Weights weights_of(const Rows *job, bint items, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                               real *block) noexcept nogil:
    """Those of a run."""
    if items and job.operands[<int> R_W].data != NULL:
        return Weights(fetch_run(job, R_W, base_of(job, R_W, row), rows, start, n, block), n)
    if job.weight != NULL:
        return Weights(<const real *> job.weight + start, 0)
    return Weights(NULL, 0)

cdef void check_run(const Rows *job, const Row *at, Weights weights, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n,
                    const real *t, const real *factors) noexcept nogil:
    """Report a run of targets if one is outside of its domain that counts for something."""
    cdef real block[CHUNK]
    cdef real most = <real> job.most
    cdef int outside = 0
    cdef Py_ssize_t r, j
    for r in range(rows):
        for j in range(n):
            block[r * n + j] = 0 if factors[r] == 0 else t[r * n + j]
    if weights.numbers != NULL:
        drop(weights, rows, n, False, <real *> block)
    if at.m != NULL:
        mask_run(job, at, rows, start, n, <real *> block, <real> 0)
    for j in range(rows * n):
        outside |= (block[j] < 0) | (block[j] > most)
    if outside:
        report_outside(job)

cdef void load_rates(const Rows *job, Weights weights, Py_ssize_t rows, Py_ssize_t n, const double *scales,
                     real *block) noexcept nogil:
    """What the derivatives of each class are multiplied by, rounded once."""
    cdef const real *w = <const real *> weights.numbers
    cdef Py_ssize_t r, j
    cdef real once = <real> scales[0]
    if w == NULL and not is_masked(job) and job.operands[<int> R_F].data == NULL:
        for j in range(rows * n):
            block[j] = once
        return
    for r in range(rows):
        if w == NULL:
            once = <real> scales[r]
            for j in range(n):
                block[r * n + j] = once
        else:
            for j in range(n):
                block[r * n + j] = <real> (w[j] * scales[r])
            w += weights.step

cdef void drop(Weights weights, Py_ssize_t rows, Py_ssize_t n, bint multiplied, real *block) noexcept nogil:
    """0 where the weight of an item is 0, and else the number, or that times the weight."""
    cdef const real *w = <const real *> weights.numbers
    cdef Py_ssize_t r, j
    for r in range(rows):
        if multiplied:
            for j in range(n):
                block[r * n + j] = weighed(w[j], block[r * n + j])
        else:
            for j in range(n):
                block[r * n + j] = 0 if w[j] == 0 else block[r * n + j]
        w += weights.step

cdef struct Bits:             # the targets of a tile of rows, where one number says them all
    Py_ssize_t first[TILE]    # the bits from this one on are 1
    Py_ssize_t last[TILE]     # up to this one; the others are 0
    Py_ssize_t length[TILE]   # so many of a row take part

cdef inline Py_ssize_t within(Py_ssize_t place, Py_ssize_t start, Py_ssize_t n) noexcept nogil:
    """A place in a row, from the start of a run of n on."""
    return min(max(place - start, <Py_ssize_t> 0), n)

cdef void spread_bits(const Bits *bits, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t start, Py_ssize_t n, const real *columns,
                      real *block, real *parts) noexcept nogil:
    """The bits of a run, and 1 for what takes part, else 0."""
    cdef real numbers[3][TILE]
    cdef real first[<int> CHUNK + <int> STEP]
    cdef real last[<int> CHUNK + <int> STEP]
    cdef real length[<int> CHUNK + <int> STEP]
    cdef real c
    cdef Py_ssize_t r
    for r in range(rows):
        numbers[0][r] = within(bits.first[row + r], start, n)
        numbers[1][r] = within(bits.last[row + r], start, n)
        numbers[2][r] = within(bits.length[row + r], start, n)
    broadcast_rows(<const real *> numbers[0], rows, n, <real *> first)
    broadcast_rows(<const real *> numbers[1], rows, n, <real *> last)
    broadcast_rows(<const real *> numbers[2], rows, n, <real *> length)
    for r in range(rows * n):
        c = columns[r]
        block[r] = 1 if (c >= first[r]) & (c < last[r]) else <real> 0
        parts[r] = 1 if c < length[r] else <real> 0

cdef void keep_parts(const real *parts, Py_ssize_t n, real *block) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(n):
        block[j] = 0 if parts[j] == 0 else block[j]

cdef void bend_run(const HessOptions *curvature, const real *rates, Py_ssize_t n, real *h) noexcept nogil:
    cdef real scale = <real> curvature.scale, floor = <real> curvature.floor
    cdef Py_ssize_t j
    for j in range(n):
        h[j] = adjusted_hess(h[j], scale, floor * rates[j])

cdef void logistic_rows(const Rows *job, Py_ssize_t row, Py_ssize_t n, const Bits *bits, real *factors) noexcept nogil:
    """ω / C Σ w_c (t_c log(1 + exp(-x_c)) + (1 - t_c) log(1 + exp(x_c))), over several rows at once where they are short; C is
    the number of classes that are not left out. With `bits` instead of targets the sum itself, over what takes part. `factors`
    are the ω of the rows."""
    cdef real xs[CHUNK]
    cdef real ts[CHUNK]
    cdef real vs[CHUNK]
    cdef real gs[CHUNK]
    cdef real hs[CHUNK]
    cdef real fs[CHUNK]
    cdef real ws[CHUNK]
    cdef real parts[CHUNK]
    cdef real columns[CHUNK]
    cdef real values[TILE]
    cdef double scales[TILE]
    cdef double left[TILE]
    cdef Sum sums[TILE]
    cdef Weights w
    cdef const real *x
    cdef const real *t
    cdef real *g
    cdef real *h
    cdef Row at = row_at(job, row)
    cdef bint prefixes = bits != NULL, special = prefixes or at.m != NULL or job.operands[<int> R_F].data != NULL
    cdef double classes = 1 if prefixes else job.classes, whole = job.scale / classes
    cdef real v, d, dd
    cdef Py_ssize_t r, i, j, m, size, group = rows_at_once(job)
    for r in range(n):
        left[r] = classes
        scales[r] = whole
        sums[r] = Sum(0, 0)
    if special:
        for r in range(n):
            if at.m != NULL and not prefixes:
                left[r] = max(<Py_ssize_t> 1, count_left(job, at.m + r * row_step(job, R_M), <const real *> NULL))
            if at.m != NULL or job.operands[<int> R_F].data != NULL:
                scales[r] = weighed(<double> factors[r], job.scale / left[r])
    if prefixes:
        size = min(<Py_ssize_t> CHUNK, job.classes)
        for r in range(min(group, n)):
            for j in range(size):
                columns[r * size + j] = j
    for r from 0 <= r < n by group:
        m = min(group, n - r)
        at = row_at(job, row + r)
        for i from 0 <= i < job.classes by CHUNK:
            size = min(<Py_ssize_t> CHUNK, job.classes - i)
            x = fetch_run(job, R_X, at.x, m, i, size, <real *> xs)
            w = weights_of(job, not prefixes, row + r, m, i, size, <real *> ws)
            if prefixes:
                spread_bits(bits, r, m, i, size, <const real *> columns, <real *> ts, <real *> parts)
                t = <const real *> ts
            else:
                t = fetch_run(job, R_T, at.t, m, i, size, <real *> ts)
                if job.most == job.most and may_be_outside(job, t, m * size):
                    check_run(job, &at, w, m, i, size, t, <const real *> factors + r)
            # What is read and written at the same place would not be vectorised.
            g = <real *> gs if job.in_place else run_or_buffer(job, R_G, at.g, m, i, size, <real *> gs)
            h = run_or_buffer(job, R_H, at.h, m, i, size, <real *> hs)
            if job.order > 0:
                load_rates(job, w, m, size, scales + r, <real *> fs)
            if job.order == 0:
                for j in range(m * size):
                    bce_with_logits(x[j], t[j], 1 - t[j], <real> 1, &v, &d, &dd)
                    vs[j] = v
            elif job.order == 1:
                for j in range(m * size):
                    bce_with_logits(x[j], t[j], 1 - t[j], <real> 1, &v, &d, &dd)
                    vs[j] = v
                    g[j] = d * fs[j]
            else:
                for j in range(m * size):
                    bce_with_logits(x[j], t[j], 1 - t[j], <real> 1, &v, &d, &dd)
                    vs[j] = v
                    g[j] = d * fs[j]
                    h[j] = dd * fs[j]
            if w.numbers != NULL:
                drop(w, m, size, True, <real *> vs)
                if job.order > 0:
                    drop(w, m, size, False, g)
                if job.order > 1:
                    drop(w, m, size, False, h)
            if prefixes:
                keep_parts(<const real *> parts, m * size, <real *> vs)
                if job.order > 0:
                    keep_parts(<const real *> parts, m * size, g)
                if job.order > 1:
                    if job.hess_options.asked:
                        bend_run(&job.hess_options, <const real *> fs, m * size, h)
                    keep_parts(<const real *> parts, m * size, h)
            if at.m != NULL:
                mask_run(job, &at, m, i, size, <real *> vs, <real> 0)
                if job.order > 0:
                    mask_run(job, &at, m, i, size, g, <real> 0)
                if job.order > 1:
                    mask_run(job, &at, m, i, size, h, <real> 0)
            if job.in_place:
                g = run_or_buffer(job, R_G, at.g, m, i, size, <real *> gs)
                if g != <real *> gs:
                    memcpy(g, gs, m * size * sizeof(real))
            store_run(job, R_G, at.g, m, i, size, g)
            store_run(job, R_H, at.h, m, i, size, h)
            add_run(<const real *> vs, m, size, &sums[r])
    for r in range(n):
        values[r] = <real> (result(sums[r]) / left[r])
    if special:
        for r in range(n):
            values[r] = <real> weighed(<double> factors[r], result(sums[r]) / left[r])
    for r in range(n if special and job.order > 0 else 0):
        if factors[r] == 0:
            set_rows(job, R_G, row + r, 1, <const real *> values + r)
            set_rows(job, R_H, row + r, 1, <const real *> values + r)
    finish_rows(job, row, n, <const real *> values)

cdef void multilabel_soft_margin(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    cdef real factors[TILE]
    load_factors(job, row, n, <real *> factors)
    logistic_rows(job, row, n, NULL, <real *> factors)


# ---- bits that are known from one number -----------------------------------------------------------------------------

cdef enum Prefix:
    LEVELS                    # grade y: y bits 1, then 0
    CONDITIONS                # ... up to the first 0
    HAZARDS                   # step y: y bits 0, and one more, which is the event; what follows takes no part

cdef inline Py_ssize_t most_of(Prefix prefix, Py_ssize_t classes) noexcept nogil:
    """What the target of a row may be at most."""
    return classes - 1 if prefix == HAZARDS else classes

cdef inline Py_ssize_t length_of(Prefix prefix, Py_ssize_t y, Py_ssize_t classes) noexcept nogil:
    """How many bits of a row take part."""
    return classes if prefix == LEVELS else min(y + 1, classes)

cdef void prefix_bits(const real *like, const Rows *job, Py_ssize_t row, Py_ssize_t n) noexcept nogil:
    """The logistic loss of bits that a number says for each row: see Prefix, which is the parameter. The third operand of items
    has the same number for all of a row: whether the event was seen."""
    cdef real factors[TILE]
    cdef real events[TILE]
    cdef int64_t y[TILE]
    cdef Bits bits
    cdef Prefix prefix = <Prefix> <int> job.parameters[0]
    cdef const Operand *event = &job.operands[<int> R_W]
    cdef int64_t most = most_of(prefix, job.classes)
    cdef Py_ssize_t r
    load_factors(job, row, n, <real *> factors)
    job.load_label(base_of(job, R_T, row), row_step(job, R_T), job.operands[<int> R_T].swapped, n, y)
    for r in range(n):
        events[r] = 1
    if event.data != NULL:
        event.load(base_of(job, R_W, row), row_step(job, R_W), event.swapped, n, <real *> events)
    for r in range(n):
        # Those out of range were found before, but other threads may have written to the array since.
        if y[r] == job.ignored or <uint64_t> y[r] > <uint64_t> most:
            factors[r] = 0
            y[r] = 0
        bits.first[r] = y[r] if prefix == HAZARDS else 0
        bits.last[r] = y[r] + (events[r] != 0) if prefix == HAZARDS else y[r]
        bits.length[r] = length_of(prefix, y[r], job.classes)
    logistic_rows(job, row, n, &bits, <real *> factors)


def scan_prefixes(cnp.ndarray target not None, cnp.ndarray event, int prefix, Py_ssize_t classes, int64_t ignored,
                  cnp.ndarray weight, cnp.ndarray factor, cnp.ndarray mask, tuple exact=None):
    """Look at all targets: (number of rows that count; sum of their factors; how many of these are not 0; the same three of the
    bits that take part, a bit with its weight; position of the first bad target in C order, or -1; that of the first event
    that is neither 0 nor 1, or -1).

    `weight` holds a float64 for each bit, `factor` a number for each row, and `mask`, of the targets' shape and an axis of bits, 0
    for what is left out; any is None where there is none. A row does not count if its target is ignored, or nothing is left
    of it; what its factor 0 makes nothing of may be bad. The sums of the factors and of the weighted bits have one rounding; without
    that they are added to the two of `exact`."""
    cdef Space space
    cdef Operand op[4]
    cdef double valid, w, f, happened
    cdef Exact factors, weights_of_bits
    cdef Py_ssize_t row, j, length, left, found, rows = 0, counted = 0, counted_bits = 0, bad = -1, bad_event = -1, count = cnp.PyArray_SIZE(target), bits = 0
    cdef int64_t y
    cdef int axis, ndim = cnp.PyArray_NDIM(target)
    cdef bint every
    cdef Load load
    cdef const double *weights = NULL
    check_shape(event, target, ndim)
    check_shape(factor, target, ndim)
    describe(&op[0], target, <const double *> NULL, ndim)
    describe(&op[1], event, <const double *> NULL, ndim)
    describe(&op[2], factor, <const double *> NULL, ndim)
    describe(&op[3], mask, <const double *> NULL, ndim + 1)
    if op[0].kind > UINT64 or not 0 <= prefix <= HAZARDS:
        raise TypeError("kernel: no such kind of target")
    if mask is not None and (cnp.PyArray_NDIM(mask) != ndim + 1 or cnp.PyArray_DIM(mask, ndim) != classes):
        raise ValueError("kernel: operands of different shapes")
    if weight is not None:
        if not is_vector(weight, classes, <const double *> NULL):
            raise ValueError("kernel: weight is not a vector of doubles")
        weights = <const double *> cnp.PyArray_DATA(weight)
    load = label_loader(op[0].kind)
    every = op[0].kind == UINT64 and ignored < 0        # a huge number would look like a negative one
    for axis in range(ndim):
        space.shape[axis] = cnp.PyArray_DIM(target, axis)
        if mask is not None and cnp.PyArray_DIM(mask, axis) != space.shape[axis]:
            raise ValueError("kernel: operands of different shapes")
    space.shape[ndim] = classes
    clear_exact(&factors)
    clear_exact(&weights_of_bits)
    with nogil:
        for row in range(count):
            if row % LISTS == LISTS - 1:
                with gil:
                    PyErr_CheckSignals()
            load(op[0].data + offset_of(&op[0], &space, 0, ndim, row), 0, op[0].swapped, 1, &y)
            if y == ignored and not every or op[3].data != NULL and is_empty(&op[3], &space, ndim, row):
                continue
            rows += 1
            f = 1
            if op[2].data != NULL:
                op[2].load(op[2].data + offset_of(&op[2], &space, 0, ndim, row), 0, op[2].swapped, 1, &f)
            happened = 1
            if op[1].data != NULL:
                op[1].load(op[1].data + offset_of(&op[1], &space, 0, ndim, row), 0, op[1].swapped, 1, &happened)
            if f == 0 and not 0 <= y <= most_of(<Prefix> prefix, classes):
                continue
            if not 0 <= y <= most_of(<Prefix> prefix, classes):
                bad = row
                break
            if f != 0 and happened != 0 and happened != 1:
                bad_event = row
                break
            length = length_of(<Prefix> prefix, y, classes)
            left = length
            found = length
            w = length
            if op[3].data != NULL or weights != NULL:
                left = 0
                found = 0
                w = 0
                for j in range(length):
                    valid = 1
                    if op[3].data != NULL:
                        op[3].load(op[3].data + offset_of(&op[3], &space, 0, ndim, row) + j * op[3].strides[ndim], 0, op[3].swapped,
                                   1, &valid)
                    if valid != 0:
                        left += 1
                        found += weights == NULL or weights[j] != 0
                        w += 1 if weights == NULL else weights[j]
            bits += left
            add_exactly(&factors, f)
            if f != 0:
                counted += 1
                add_exactly(&weights_of_bits, f * w)
                counted_bits += found
    if exact is not None:
        merge_exactly(exact_of(exact[0]), &factors)
        merge_exactly(exact_of(exact[1]), &weights_of_bits)
    return (rows, rounded(&factors), <double> counted, bits, rounded(&weights_of_bits), <double> counted_bits, bad,
            bad_event)


PREFIXES = {"levels": <int> LEVELS, "conditions": <int> CONDITIONS, "hazards": <int> HAZARDS}

register_rows("multilabel_margin", <void *> multilabel_margin[float], <void *> multilabel_margin[double], 0, False)
register_rows("multilabel_soft_margin", <void *> multilabel_soft_margin[float], <void *> multilabel_soft_margin[double], 0, False)
register_rows("prefix_bits", <void *> prefix_bits[float], <void *> prefix_bits[double], 1, False, True)
