"""Random calls of every loss and activation, compared with what must hold: ``make fuzz``.

    python -m tests.fuzz --seconds 60 --seed 1            until something is wrong, or time is up
    python -m tests.fuzz --seed 1 --call 123              that call once more

Every row of the registry takes part, so a new loss does. The truth is MPFR's, the same numbers
lying plainly in the dtype of the computation, and NumPy's sums. Choices and numbers are drawn
apart, so that a smaller call can be tried with the same choices.
"""
