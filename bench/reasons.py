"""Why others are faster where they are: what is known, by loss and peer. The report prints it."""

from __future__ import annotations

import re
from typing import Final

_VECTORS: Final = (
    "cosine_embedding_loss|cosine_distance|cosine_similarity|triplet_margin_loss|contrastive_loss|"
    "triplet_margin_with_distance_loss|normalize|pairwise_distance"
)
_OF_A_BATCH: Final = "info_nce_loss|supervised_contrastive_loss|circle_loss"
#: Patterns of the loss and of who is faster, and the reason. The first that fits is printed.
REASONS: Final[list[tuple[str, str, str]]] = [
    (
        "poisson_nll_loss|gamma_nll_loss|tweedie_loss",
        "scikit-learn",
        "one element: a Cython call without checks of arguments, and without a mean",
    ),
    (
        "cross_entropy",
        "numba|scikit-learn",
        "few rows: shapes, dtypes, options and labels are checked before and after",
    ),
    (
        "gaussian_nll_loss",
        "numba",
        "one element: two gradients, with the shapes that each is summed to, are set up in Python",
    ),
    (
        _VECTORS,
        ".*",
        "squares and products are summed in float64, so that they neither overflow nor cancel, and "
        "each row has roots and divisions of its own: 10 to 60 ns before its elements count; NumPy "
        "and torch sum in the dtype of the input",
    ),
    (
        _OF_A_BATCH,
        ".*",
        "of small batches checks, and products of matrices in chunks, take longer than the one "
        "product of the twin; of large ones most of the time is NumPy's products, which all have",
    ),
    (
        "brier_loss",
        ".*",
        "probabilities and their sums in float64 with the rounding errors kept, as 1 - p cancels: "
        "ahead for few classes, behind for a thousand",
    ),
    (
        "ranking_softmax_loss|mean_pairwise_squared_error",
        ".*",
        "sums over the list in float64, for float64 with the rounding errors kept",
    ),
    (
        "nll_loss",
        ".*",
        "reads one number of a row and writes a row of zeros: memory, and the check of each label",
    ),
    (
        "pseudo_huber_loss",
        ".*",
        "two divisions and a root of full precision; compilers with fastmath share or approximate "
        "them, and numba's loop has no care for squares that overflow",
    ),
    (
        "tweedie_loss",
        ".*",
        "the exponents (1 - p) x and (2 - p) x are carried in two parts, as a rounded product "
        "would cost digits for large x",
    ),
    (
        "js_div|kl_div|log_cosh_loss|msle_loss",
        ".*",
        "logarithms to less than one unit in the last place, and for float64 sums that keep their "
        "rounding errors",
    ),
    (
        "softmax|log_softmax|logsumexp|.*cross_entropy.*|softmax_focal_loss",
        ".*",
        "exponentials that carry the rounding error of x - max, and sums in float64: see the "
        "errors of softmax below",
    ),
    (
        "cauchy_loss|fair_loss|sigmoid|logsigmoid",
        ".*",
        "exp and log1p that are right to the last places in the tails, too, where others flush "
        "to 0 or have lost digits",
    ),
    (
        "multi_margin_loss",
        ".*",
        "sums over the classes in float64, in lanes that do not depend on the CPU",
    ),
    (
        "lovasz_hinge_loss|lovasz_softmax_loss",
        ".*",
        "in float64 the errors are sorted by NumPy's argsort, as by the others",
    ),
    (
        ".*",
        "numba",
        "few operations for an element: the domain is checked (targets of classes), nan "
        "is kept, and the values are added up in float64 in lanes that do not depend on the CPU; "
        "fastmath spares all that",
    ),
    (
        ".*",
        "jax.jit|torch.compile",
        "few operations for an element: the domain is checked, and the values are added "
        "up in float64 in lanes that do not depend on the CPU",
    ),
]


def reason(loss: str, who: str) -> str:
    for losses, names, words in REASONS:
        if re.fullmatch(losses, loss) and re.fullmatch(names, who):
            return words
    return "not yet found out"
