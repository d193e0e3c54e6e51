/* A module in C: the mean of a loss over two buffers of doubles, without the GIL. */
#include <fusedloss.h>

static PyObject *mean(PyObject *self, PyObject *args)
{
    const char *name;
    PyObject *options, *result = NULL;
    Py_buffer x, t;
    fusedloss_loss loss;
    double sum;
    ptrdiff_t n, outcome;
    (void)self;
    if (!PyArg_ParseTuple(args, "sO!y*y*", &name, &PyDict_Type, &options, &x, &t))
        return NULL;
    n = x.len / (ptrdiff_t)sizeof(double);
    if (x.len != t.len || x.len % (ptrdiff_t)sizeof(double) != 0 || n == 0) {
        PyErr_SetString(PyExc_ValueError, "two buffers of doubles of the same length are needed");
    } else if (fusedloss_bind_name(&loss, name, options) == 0) {
        Py_BEGIN_ALLOW_THREADS
        outcome = fusedloss_map(&loss, n, x.buf, t.buf, NULL, NULL, 1.0, &sum, NULL, NULL, NULL, NULL, NULL);
        Py_END_ALLOW_THREADS
        if (outcome == FUSEDLOSS_OK)
            result = PyFloat_FromDouble(sum / (double)n);
        else if (outcome == FUSEDLOSS_BAD_CALL)
            PyErr_Format(PyExc_TypeError, "%s is not a loss of two operands", name);
        else
            PyErr_Format(PyExc_ValueError, "element %zd is not accepted by %s", (Py_ssize_t)outcome, name);
    }
    PyBuffer_Release(&x);
    PyBuffer_Release(&t);
    return result;
}

static PyMethodDef methods[] = {
    {"mean", mean, METH_VARARGS, "mean(name, options, x, t): the mean of a loss over two buffers of doubles"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "robust_c", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_robust_c(void) { return PyModule_Create(&module); }
