/* fusedloss.h - losses for C, without Python and without the GIL once they are bound.
 *
 *     fusedloss_loss huber;
 *     if (fusedloss_bind_name(&huber, "huber_loss", NULL) < 0)    // NULL, or a dict of options
 *         return NULL;                                             // an exception is set
 *     value = fusedloss_value_and_grad(&huber, x, t, &grad);       // one element
 *     where = fusedloss_map(&huber, n, x, t, NULL, NULL, 1.0, &sum, NULL, grad, NULL, NULL, NULL);
 *
 * The functions that end in f are for floats. A bound loss is a value: it may be copied, holds nothing that must be freed, and
 * may be used by any number of threads at once. Options are checked where it is bound, by the Python function of that name.
 */
#ifndef FUSEDLOSS_H
#define FUSEDLOSS_H

#include <Python.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* Changes when what is compiled against another number can no longer be used: then fusedloss_bind raises ImportError.
 * Whatever only comes at the end of fusedloss_loss leaves it as it is. */
#define FUSEDLOSS_ABI 1

/* What fusedloss_map and fusedloss_rows return; else the position of the first element that is outside of the loss's domain,
 * or of the first row whose label is out of range. Then the contents of all outputs are unspecified. */
#define FUSEDLOSS_OK (-1)
#define FUSEDLOSS_BAD_CALL (-2)  /* of a loss of another kind or number of operands; a NULL that is needed; or a float call
                                  * of a loss whose parameters have no float or that computes in double */
#define FUSEDLOSS_NO_MEMORY (-3) /* fusedloss_rows only */

/* What fusedloss_element returns: 0, or which operands are outside of the domain. */
#define FUSEDLOSS_BAD_INPUT 1
#define FUSEDLOSS_BAD_TARGET 2
#define FUSEDLOSS_BAD_THIRD 4
#define FUSEDLOSS_BAD_FOURTH 8

typedef struct fusedloss_loss fusedloss_loss;

struct fusedloss_loss {
    int32_t abi;           /* FUSEDLOSS_ABI of the library */
    int32_t size;          /* of this struct in it */
    int32_t operands;      /* 2: input and target; 3: one more */
    int32_t gradients;     /* 1, or 2: also with respect to the third operand */
    double third;          /* a third operand that is bound; 0 where there is none */
    double fourth;         /* a fourth operand, which is always bound */
    double parameters[4];  /* the library's own, as what follows: call the functions below */
    double label_smoothing;
    int64_t ignore_index;
    int32_t third_bound, fourth_bound, by_distribution;
    const void *entry;
    int (*element)(const double *, int, double, double, double, double, double *);
    int (*elementf)(const double *, int, float, float, float, float, float *);
    ptrdiff_t (*map)(const fusedloss_loss *, ptrdiff_t, const double *, const double *, const double *, const double *,
                     double, double *, double *, double *, double *, double *, double *);
    ptrdiff_t (*mapf)(const fusedloss_loss *, ptrdiff_t, const float *, const float *, const float *, const float *, double,
                      double *, float *, float *, float *, float *, float *);
    ptrdiff_t (*rows)(const fusedloss_loss *, ptrdiff_t, ptrdiff_t, const double *, const int64_t *, const double *,
                      const double *, double, double *, double *, double *, double *);
    ptrdiff_t (*rowsf)(const fusedloss_loss *, ptrdiff_t, ptrdiff_t, const float *, const int64_t *, const float *,
                       const float *, double, double *, float *, float *, float *);
};

/* ---- one element -------------------------------------------------------------------------------------------------------
 *
 * NaN, in value and derivatives, where an operand is outside of the domain, and for a loss that is not elementwise or needs a
 * third operand that is not bound. */

#define FUSEDLOSS_ELEMENTS(real, f, nan)                                                                                      \
    /* out[0]: the value; with order 1 also out[1]: the first derivative with respect to the input; with order 2 also out[2]: \
     * the second one; out[3] and out[4]: those with respect to the third operand. There must be room for five. */            \
    static inline int fusedloss_element##f(const fusedloss_loss *loss, int order, real input, real target, real third,        \
                                           real *out)                                                                         \
    {                                                                                                                         \
        int k, bad = FUSEDLOSS_BAD_INPUT;                                                                                     \
        if (loss->element##f != NULL)                                                                                         \
            bad = loss->element##f(loss->parameters, order, input, target, third, (real)loss->fourth, out);                   \
        for (k = 0; bad != 0 && k < 5; k++)                                                                                   \
            out[k] = nan;                                                                                                     \
        return bad;                                                                                                           \
    }                                                                                                                         \
    static inline real fusedloss_third##f(const fusedloss_loss *loss)                                                         \
    {                                                                                                                         \
        return loss->operands == 3 ? nan : (real)loss->third;                                                                 \
    }                                                                                                                         \
    static inline real fusedloss_value##f(const fusedloss_loss *loss, real input, real target)                                \
    {                                                                                                                         \
        real out[5];                                                                                                          \
        fusedloss_element##f(loss, 0, input, target, fusedloss_third##f(loss), out);                                          \
        return out[0];                                                                                                        \
    }                                                                                                                         \
    static inline real fusedloss_value_and_grad##f(const fusedloss_loss *loss, real input, real target, real *grad)           \
    {                                                                                                                         \
        real out[5];                                                                                                          \
        fusedloss_element##f(loss, 1, input, target, fusedloss_third##f(loss), out);                                          \
        *grad = out[1];                                                                                                       \
        return out[0];                                                                                                        \
    }                                                                                                                         \
    static inline real fusedloss_value_grad_hess##f(const fusedloss_loss *loss, real input, real target, real *grad,          \
                                                    real *hess)                                                               \
    {                                                                                                                         \
        real out[5];                                                                                                          \
        fusedloss_element##f(loss, 2, input, target, fusedloss_third##f(loss), out);                                          \
        *grad = out[1];                                                                                                       \
        *hess = out[2];                                                                                                       \
        return out[0];                                                                                                        \
    }

FUSEDLOSS_ELEMENTS(double, , (double)NAN)
FUSEDLOSS_ELEMENTS(float, f, (float)NAN)

/* ---- arrays ------------------------------------------------------------------------------------------------------------
 *
 * Contiguous and aligned; results have the bits of the Python call. One thread: a caller that has several cuts its arrays. */

#define FUSEDLOSS_ARRAYS(real, f)                                                                                             \
    /* n elements. `third` is NULL unless the loss has three operands, `weight` where there are no weights. What is wanted is \
     * what is not NULL: the sum of the weighted values, or these; the derivatives with respect to the input, times weight    \
     * and `scale` (1, or 1/n for a mean); those with respect to the third operand. An output may lie where an input lies. */ \
    static inline ptrdiff_t fusedloss_map##f(const fusedloss_loss *loss, ptrdiff_t n, const real *input, const real *target,  \
                                             const real *third, const real *weight, double scale, double *sum, real *value,   \
                                             real *grad, real *hess, real *third_grad, real *third_hess)                      \
    {                                                                                                                         \
        if (loss->map##f == NULL)                                                                                             \
            return FUSEDLOSS_BAD_CALL;                                                                                        \
        return loss->map##f(loss, n, input, target, third, weight, scale, sum, value, grad, hess, third_grad, third_hess);    \
    }                                                                                                                         \
    /* Rows of classes, and a label for each row. A weight for each class and one for each row, or NULL; `value` has a number \
     * for each row, `grad` and `hess` have the shape of the input; `hess` needs `grad`. */                                   \
    static inline ptrdiff_t fusedloss_rows##f(const fusedloss_loss *loss, ptrdiff_t rows, ptrdiff_t classes,                  \
                                              const real *input, const int64_t *labels, const real *class_weight,             \
                                              const real *row_weight, double scale, double *sum, real *value, real *grad,     \
                                              real *hess)                                                                     \
    {                                                                                                                         \
        if (loss->rows##f == NULL)                                                                                            \
            return FUSEDLOSS_BAD_CALL;                                                                                        \
        return loss->rows##f(loss, rows, classes, input, labels, class_weight, row_weight, scale, sum, value, grad, hess);    \
    }

FUSEDLOSS_ARRAYS(double, )
FUSEDLOSS_ARRAYS(float, f)

/* ---- binding, with the GIL ---------------------------------------------------------------------------------------------
 *
 * 0, or -1 with an exception set: ImportError where the installed fusedloss does not fit to this header. */

/* A copy of what fusedloss.capi.bind has returned. */
static inline int fusedloss_take(fusedloss_loss *loss, PyObject *bound)
{
    const fusedloss_loss *found = NULL;
    PyObject *capsule = PyObject_GetAttrString(bound, "capsule");
    if (capsule == NULL)
        return -1;
    found = (const fusedloss_loss *)PyCapsule_GetPointer(capsule, "fusedloss.loss");
    if (found == NULL) {
        Py_DECREF(capsule);
        return -1;
    }
    if (found->abi != FUSEDLOSS_ABI || found->size < (int32_t)sizeof(fusedloss_loss)) {
        PyErr_Format(PyExc_ImportError,
                     "this module was compiled with a fusedloss whose C ABI is %d (%d bytes), and the one installed has %d "
                     "(%d bytes): %s",
                     FUSEDLOSS_ABI, (int)sizeof(fusedloss_loss), (int)found->abi, (int)found->size,
                     found->abi >= FUSEDLOSS_ABI && found->abi != FUSEDLOSS_ABI ? "compile the module again"
                                                                                : "install a newer fusedloss");
        Py_DECREF(capsule);
        return -1;
    }
    *loss = *found;
    Py_DECREF(capsule);
    return 0;
}

/* fusedloss.capi.bind(which, **options): a loss, its name or a criterion; options, a dict, may be NULL. */
static inline int fusedloss_bind(fusedloss_loss *loss, PyObject *which, PyObject *options)
{
    int outcome = -1;
    PyObject *module = PyImport_ImportModule("fusedloss.capi"), *bind = NULL, *arguments = NULL, *bound = NULL;
    if (module != NULL)
        bind = PyObject_GetAttrString(module, "bind");
    if (bind != NULL)
        arguments = PyTuple_Pack(1, which);
    if (arguments != NULL)
        bound = PyObject_Call(bind, arguments, options);
    if (bound != NULL)
        outcome = fusedloss_take(loss, bound);
    Py_XDECREF(bound);
    Py_XDECREF(arguments);
    Py_XDECREF(bind);
    Py_XDECREF(module);
    return outcome;
}

/* The same of the loss of this name. */
static inline int fusedloss_bind_name(fusedloss_loss *loss, const char *name, PyObject *options)
{
    int outcome;
    PyObject *which = PyUnicode_FromString(name);
    if (which == NULL)
        return -1;
    outcome = fusedloss_bind(loss, which, options);
    Py_DECREF(which);
    return outcome;
}

#endif
