# What the elementwise call and the families of formulas agree on: operands, block functions, the table of formulas.

from kernels.core.sums cimport Lanes

# Where the values go: each into the block v, or all into a sum; or nowhere, and of the derivatives those with respect to x alone are
# stored, so that the compiler drops what only the others need.
cdef struct Stored:
    char none
cdef struct Summed:
    char none
cdef struct Slopes:
    char none
ctypedef fused Sink:
    Stored
    Summed
    Slopes

cdef enum:
    PARAMETERS = 4        # of a formula, at most
    PAD = 16              # block functions get a multiple of so many elements, or of LANES where they add up: loops need no tail

# The operands: x, t, u, s, the weight, the mask and the direction; value; first and second derivatives with respect to x, u and s.
cdef enum:
    X, T, U, S, W, M, D, V, G, H, GU, HU, GS, HS, OPERANDS
    INPUTS = S + 1
    OUTPUTS = OPERANDS - V

# What a formula has derivatives with respect to, besides x.
cdef enum:
    BY_THIRD = 1
    BY_FOURTH = 2

ctypedef void (*BlockFunction)(const void *formula, const void *order, const void *sink, Py_ssize_t n, const void *x,
                               const void *t, const void *u, const void *s, double scale, Lanes *lanes, void *v,
                               void *g, void *h, void *gu, void *hu, void *gs, void *hs) noexcept nogil
ctypedef Py_ssize_t (*Check)(const void *formula, Py_ssize_t n, const void *x, const void *t, const void *u, const void *s,
                             const void *w, int *operand) noexcept nogil
# One element, for users of the C interface (capi.pxd).
ctypedef int (*Element)(const double *formula, int order, double x, double t, double u, double s, double *out) noexcept nogil
ctypedef int (*Elementf)(const double *formula, int order, float x, float t, float u, float s, float *out) noexcept nogil

cdef struct Entry:
    BlockFunction blocks[2][3][3]      # float, double; order; sink
    Check checks[2]
    Element element
    Elementf elementf
    int parameters
    int by                             # BY_THIRD, BY_FOURTH, both or 0
    bint adds                          # whether blocks can be added up without storing
    bint signs

cdef Entry *register(str name, size_t parameters, int by) except NULL
