"""What every call needs: kernels, operands, outputs, reductions, and the objects users meet."""
