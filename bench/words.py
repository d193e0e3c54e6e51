"""What the report says around its tables."""

from __future__ import annotations

from typing import Final


def _prose(text: str) -> str:
    """Lines of this file made one: Markdown breaks them where they end."""
    return " ".join(text.split())


INTRODUCTION: Final = _prose("""
    Made by `make bench-report` from what `make bench` and `make bench-peers` measured. How it is
    measured, what the columns are and what the noise is:
    <a href="../../bench/README.md">bench/README.md</a>. Every number here is one machine's; ratios
    are of interleaved runs on the same arrays.
""")

README: Final = _prose("""
    Value and gradient (activations: the result) of each function in its usual shape (0.1 to 13
    million numbers), float32, one thread, interleaved on the same arrays. fusedloss writes
    gradients into memory that it is given; NumPy, torch and jax allocate them, which above 32 MB
    costs new pages and makes up much of their time. The report has both ways, and the shapes in
    which others lead, among them most losses of short vectors.
""")

GLANCE: Final = _prose("""
    Value and gradient (activations: the result), float32, of each function in its usual shape.
    fusedloss writes into given memory, NumPy, torch and jax allocate (see *Fresh and given
    memory*); least and most may be ratios that are marked `?` below:
""")

PEERS: Final = _prose("""
    *Times as long as fusedloss*: above 1 fusedloss is faster; **bold** where it is slower. `c`:
    composed of torch's operations, as torch has no such loss; `?`: not to be trusted, as two
    halves of the race disagree by more than 20 %, or the CPU was taken away. *light*: what part of
    the speed of a loop is reached that only reads the same inputs and writes the same gradients.
    torch eager runs forward and backward; torch.compile and jax.jit are compiled before; numba
    compiles a plain loop over the elements (`fastmath`, which assumes that there is no nan).
""")

LOSING: Final = _prose("""
    Every question that was asked in which a peer or NumPy took less time, by the reason, as far as
    it is known; with the worst ratio.
""")

LIGHT: Final = _prose("""
    Losses that do little with an element are paced by memory. A loop that only adds up the inputs,
    or writes their sum to each gradient, compiled for this machine, says what to expect; *light*
    is what part of its speed is reached. It is a plain loop, no proven limit: above 100 % it was
    itself not the best there is, or, as for `nll_loss`, it reads more than the loss has to. A
    million float32 lie in the last-level cache of most servers. Rows above 40 %:
""")

NUMPY: Final = _prose("""
    Value, and value with gradient, in float32 and float64: NumPy's time by ours; first of value and
    gradient (or the result) in float32 by shape, then over all dtypes, shapes and results.
""")

OUTPUTS: Final = _prose("""
    The kernels write gradients where they are told (`grad_out=`); asked for new arrays (*fused,
    fresh*) they pay what allocation costs. Others allocate. What is freed above 32 MB the allocator
    returns to the system, and new pages may cost more than the loss: the second half of the table
    is with an allocator that keeps everything (`--keep-memory`), as the best that others can have.
    numba, numexpr and scikit-learn write into given memory throughout.
""")

THREADS: Final = _prose("""
    How many times faster each is with more threads than with one, and torch's time by ours with as
    many threads for both. Below 32768 elements the kernels use one thread.
""")

ACCURACY: Final = _prose("""
    Each result beside mpmath's for the same (rounded) inputs, in units in the last place of the
    result, or of the larger terms where it is by nature a difference of them: 99th percentile /
    largest. 0.5 is the best there is. *Wrong* are results without a right digit: nan, infinite, or
    off by more than a thousandth, where the true number is finite; they are not in the other two.
    *Tails* are the numbers where digits are lost, if anywhere: 0, ±tiny, ±17, ±40, ±100, ±1e30,
    subnormals, kinks, confident and hopeless rows; *typical* ones are as in practice.
    `python -m bench.accuracy --inputs DIR` writes them all, inputs.csv has a SHA-256 of each, and
    accuracy.csv all errors.
    At a kink the derivative that torch has there counts as the true one, such as 0 for |x| at 0:
    those who have made another choice are counted as wrong there, though theirs is as good.
    torch.compile was asked for losses of single elements alone.
""")

MEMORY: Final = _prose("""
    By how much the process grows, at most, in a call for value and gradient in float32, each in a
    process of its own (Linux's high-water mark). `fused`, numba, numexpr and scikit-learn write
    gradients into memory that they are given, which is not counted; for the others the gradients
    are part of it.
""")

PACKAGES: Final = _prose("""
    Time of `import` in a new process, more than a Python that imports nothing, the best of five
    (NumPy's is part of all); and bytes on disk without *.pyc, and with all that is required.
""")

NOISE: Final = _prose("""
    Each race counts as two, of its odd and of its even turns: by how much their ratios differ, and
    for what part of a race there was no CPU for this process.
""")
