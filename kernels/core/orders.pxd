# What a block function writes: the value; and the gradient; and the second derivative.
cdef struct Value:
    char none
cdef struct Slope:
    char none
cdef struct Curvature:
    char none
ctypedef fused Order:
    Value
    Slope
    Curvature
