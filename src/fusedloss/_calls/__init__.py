"""One module for each compiled entry: from the arguments of a call to the kernel and back."""
