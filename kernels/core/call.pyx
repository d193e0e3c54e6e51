# See call.pxd.

from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdlib cimport free, malloc
from fusedloss.capi cimport (
    ABI, Loss, element, elementf, map, mapf, rows, rowsf, value, value_and_grad, value_and_gradf, value_grad_hess,
    value_grad_hessf, valuef)
from kernels.core.operands cimport DOUBLE, Operand, Space, is_flat, shares_items


cdef int register_name(dict names, str name, int capacity, size_t parameters, int most) except -1:
    """The number of a new formula or loss in its table. `parameters` is the size of its struct of doubles."""
    cdef int number = len(names)
    if name in names or number == capacity or parameters > most * sizeof(double):
        raise ImportError(f"kernel: {name}: the name is taken, the table is full ({capacity}), or there are more parameters "
                          f"than {most}")
    names[name] = number
    return number


cdef int read_parameters(tuple given, int wanted, double *values) except -1:
    """A formula's struct of doubles, in the order of its fields."""
    cdef int k
    if len(given) != wanted:
        raise ValueError(f"kernel: {wanted} parameters are needed, got {len(given)}")
    for k in range(wanted):
        values[k] = given[k]
    return 0


cdef int read_hess_options(tuple given, HessOptions *hess_options) except -1:
    """A scale and a floor, or None."""
    hess_options.asked = given is not None
    if hess_options.asked:
        hess_options.scale, hess_options.floor = given
    return 0


cdef bint lay_out(Operand *ops, int n_ops, int first_output, const Space *space, int first, bint shared) noexcept nogil:
    """Find which operands are one run over the axes from `first` on. With `shared`, results are added to float64 outputs
    of which several elements are one item: whether there is such an output, which takes one thread."""
    cdef bint found = False
    cdef int k
    for k in range(n_ops):
        ops[k].flat = ops[k].data != NULL and is_flat(&ops[k], space, first, space.ndim)
        if shared and k >= first_output and ops[k].data != NULL and ops[k].kind == DOUBLE:
            ops[k].added = shares_items(&ops[k], space, 0, space.ndim)
            ops[k].flat = ops[k].flat and not ops[k].added
            found |= ops[k].added
    return found


# ---- the C interface -------------------------------------------------------------------------------------------------

cdef void release(object capsule) noexcept:
    free(PyCapsule_GetPointer(capsule, "fusedloss.loss"))


cdef object capsule_of(const Loss *loss):
    """A copy of a loss for users of fusedloss.h, with what that says of itself."""
    cdef Loss *copy = <Loss *> malloc(sizeof(Loss))
    if copy == NULL:
        raise MemoryError("no memory for a loss")
    copy[0] = loss[0]
    copy.abi = ABI
    copy.size = sizeof(Loss)
    try:
        return PyCapsule_New(copy, "fusedloss.loss", release)
    except:
        free(copy)
        raise


FUSEDLOSS_ABI = ABI


cdef object exported(void *function, const char *signature):
    return PyCapsule_New(function, signature, NULL)


def functions():
    """The functions of fusedloss.h by name, as Cython keeps them in __pyx_capi__: a capsule has the name of its signature."""
    return {
        "value": exported(<void *> value, "double (fusedloss_loss const *, double, double)"),
        "valuef": exported(<void *> valuef, "float (fusedloss_loss const *, float, float)"),
        "value_and_grad": exported(<void *> value_and_grad, "double (fusedloss_loss const *, double, double, double *)"),
        "value_and_gradf": exported(<void *> value_and_gradf, "float (fusedloss_loss const *, float, float, float *)"),
        "value_grad_hess": exported(
            <void *> value_grad_hess,
            "double (fusedloss_loss const *, double, double, double *, "
            "double *)"),
        "value_grad_hessf": exported(
            <void *> value_grad_hessf,
            "float (fusedloss_loss const *, float, float, float *, "
            "float *)"),
        "element": exported(<void *> element, "int (fusedloss_loss const *, int, double, double, double, double *)"),
        "elementf": exported(<void *> elementf, "int (fusedloss_loss const *, int, float, float, float, float *)"),
        "map": exported(
            <void *> map,
            "Py_ssize_t (fusedloss_loss const *, Py_ssize_t, double const *, double const *, double const *, "
            "double const *, double, double *, double *, double *, double *, double *, double *)"),
        "mapf": exported(
            <void *> mapf,
            "Py_ssize_t (fusedloss_loss const *, Py_ssize_t, float const *, float const *, float const *, float const *, "
            "double, double *, float *, float *, float *, float *, float *)"),
        "rows": exported(
            <void *> rows,
            "Py_ssize_t (fusedloss_loss const *, Py_ssize_t, Py_ssize_t, double const *, int64_t const *, "
            "double const *, double const *, double, double *, double *, double *, double *)"),
        "rowsf": exported(
            <void *> rowsf,
            "Py_ssize_t (fusedloss_loss const *, Py_ssize_t, Py_ssize_t, float const *, int64_t const *, float const *, "
            "float const *, double, double *, float *, float *, float *)"),
    }
