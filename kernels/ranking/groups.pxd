# The call of all losses of groups of consecutive rows: spans of whole groups, and what a loss's function sees of a group.
#
# A plan has the rows that count, group by group, in the order that the loss wants; a group may be empty. A loss is a function
# of one group. It may lie in working memory, which grows with the longest group only, or in the caller's arrays.

from libc.stdint cimport int32_t, int64_t
from kernels.core.call cimport HessOptions
from kernels.core.operands cimport Operand
from kernels.core.sums cimport Team

cdef enum:
    MOST_COLUMNS = 4            # numbers of a plan for each row, and for each group
    GROUP_PARAMETERS = 8
    APIECE = 16                 # the length of working memory is a multiple of so many numbers, past the last one

cdef enum:
    X, E, V, G, H, OPERANDS     # input, what else there is for each row; value of each group; gradient, second derivative

cdef struct Group:
    Py_ssize_t size             # rows, at least one
    Py_ssize_t number           # which group it is
    Py_ssize_t room             # the length of each array of working memory
    const void *x               # its input: numbers of the computation's dtype, none of them NaN
    const void *extra           # what else each row has in this call; NULL: nothing
    const double *columns[MOST_COLUMNS]     # what the plan has for each of its rows
    double facts[MOST_COLUMNS]              # ... and for the group
    double *g                   # the function writes the derivatives that job.order asks for
    double *h
    const double *weights       # a loss may put them there: those of the rows, by which derivatives are multiplied at last
    double *spare               # as many arrays as the loss is registered with
    Py_ssize_t *kept            # 0 at the first group of a span: for the loss to say what its working memory still holds

ctypedef double (*GroupLoss)(const void *like, Job *job, Group *group) noexcept nogil

cdef struct Job:
    Operand operands[<int> OPERANDS]
    const int64_t *offsets      # where each group begins, and where the last one ends
    const int32_t *rows         # the row at each place; NULL: the place itself
    const double *rates         # of the groups, by which their values are multiplied; NULL: all 1
    const double *columns[MOST_COLUMNS]
    const double *facts[MOST_COLUMNS]
    double parameters[GROUP_PARAMETERS]
    GroupLoss loss
    HessOptions hess_options
    Py_ssize_t groups
    int spare
    int order
    double scale                # of derivatives
    bint summed
    bint starved                # there was no memory
    bint outside                # `extra` has numbers that the loss does not accept
    Team team

cdef int register_groups(str name, void *narrow, void *wide, int parameters, int columns, int facts, int spare) except -1
