# See call.pxd.

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


cdef int read_bend(tuple given, Bend *bend) except -1:
    """A scale and a floor, or None."""
    bend.asked = given is not None
    if bend.asked:
        bend.scale, bend.floor = given
    return 0


cdef bint lay_out(Operand *ops, int n_ops, int first_output, const Space *space, int first, bint shared) noexcept:
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
