include "common.pxi"
