# fusedloss for Cython: `from fusedloss.capi cimport Loss, bind, value_and_grad`. What is compiled needs the folder
# fusedloss.get_include() among its include_dirs. fusedloss.h says what each function does.
#
#     cdef Loss huber = bind("huber_loss", dict(delta=1.5))
#     with nogil:
#         total += value_and_grad(&huber, x[i], t[i], &grad[i])

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset

cdef extern from "fusedloss.h" nogil:
    const int ABI "FUSEDLOSS_ABI"
    const Py_ssize_t OK "FUSEDLOSS_OK"
    const Py_ssize_t BAD_CALL "FUSEDLOSS_BAD_CALL"
    const Py_ssize_t NO_MEMORY "FUSEDLOSS_NO_MEMORY"
    const int BAD_INPUT "FUSEDLOSS_BAD_INPUT"
    const int BAD_TARGET "FUSEDLOSS_BAD_TARGET"
    const int BAD_THIRD "FUSEDLOSS_BAD_THIRD"
    const int BAD_FOURTH "FUSEDLOSS_BAD_FOURTH"

    ctypedef struct Loss "fusedloss_loss":
        int32_t operands
        int32_t gradients
        # The library's own, from here on.
        int32_t abi
        int32_t size
        double third
        double fourth
        const double *parameters
        double label_smoothing
        int64_t ignore_index
        int32_t third_bound
        int32_t fourth_bound
        int32_t by_distribution
        const void *entry
        int (*element)(const double *, int, double, double, double, double, double *) noexcept
        int (*elementf)(const double *, int, float, float, float, float, float *) noexcept
        Py_ssize_t (*map)(const Loss *, Py_ssize_t, const double *, const double *, const double *, const double *, double,
                          double *, double *, double *, double *, double *, double *) noexcept
        Py_ssize_t (*mapf)(const Loss *, Py_ssize_t, const float *, const float *, const float *, const float *, double,
                           double *, float *, float *, float *, float *, float *) noexcept
        Py_ssize_t (*rows)(const Loss *, Py_ssize_t, Py_ssize_t, const double *, const int64_t *, const double *,
                           const double *, double, double *, double *, double *, double *) noexcept
        Py_ssize_t (*rowsf)(const Loss *, Py_ssize_t, Py_ssize_t, const float *, const int64_t *, const float *,
                            const float *, double, double *, float *, float *, float *) noexcept

    double value "fusedloss_value"(const Loss *loss, double input, double target) noexcept
    float valuef "fusedloss_valuef"(const Loss *loss, float input, float target) noexcept
    double value_and_grad "fusedloss_value_and_grad"(const Loss *loss, double input, double target, double *grad) noexcept
    float value_and_gradf "fusedloss_value_and_gradf"(const Loss *loss, float input, float target, float *grad) noexcept
    double value_grad_hess "fusedloss_value_grad_hess"(const Loss *loss, double input, double target, double *grad,
                                                       double *hess) noexcept
    float value_grad_hessf "fusedloss_value_grad_hessf"(const Loss *loss, float input, float target, float *grad,
                                                        float *hess) noexcept
    int element "fusedloss_element"(const Loss *loss, int order, double input, double target, double third, double *out) noexcept
    int elementf "fusedloss_elementf"(const Loss *loss, int order, float input, float target, float third, float *out) noexcept

    Py_ssize_t map "fusedloss_map"(const Loss *loss, Py_ssize_t n, const double *input, const double *target, const double *third,
                                   const double *weight, double scale, double *sum, double *value, double *grad, double *hess,
                                   double *third_grad, double *third_hess) noexcept
    Py_ssize_t mapf "fusedloss_mapf"(const Loss *loss, Py_ssize_t n, const float *input, const float *target, const float *third,
                                     const float *weight, double scale, double *sum, float *value, float *grad, float *hess,
                                     float *third_grad, float *third_hess) noexcept
    Py_ssize_t rows "fusedloss_rows"(const Loss *loss, Py_ssize_t rows, Py_ssize_t classes, const double *input,
                                     const int64_t *labels, const double *class_weight, const double *row_weight, double scale,
                                     double *sum, double *value, double *grad, double *hess) noexcept
    Py_ssize_t rowsf "fusedloss_rowsf"(const Loss *loss, Py_ssize_t rows, Py_ssize_t classes, const float *input,
                                       const int64_t *labels, const float *class_weight, const float *row_weight, double scale,
                                       double *sum, float *value, float *grad, float *hess) noexcept

cdef extern from "fusedloss.h":
    int take "fusedloss_take"(Loss *loss, object bound) except -1
    int bind_into "fusedloss_bind"(Loss *loss, object which, object options) except -1


cdef inline Loss bind(object which, dict options=None) except *:
    """fusedloss.capi.bind(which, **options): a loss, its name or a criterion."""
    cdef Loss loss
    memset(&loss, 0, sizeof(Loss))      # or compilers would warn
    bind_into(&loss, which, {} if options is None else options)
    return loss
