"""Sequence losses (CTC)."""

from __future__ import annotations

from typing import Any

from fusedloss._calls.sequences import alignment_loss
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import first_order
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = ["CTCLoss", "CTCWithLogitsLoss", "ctc_loss", "ctc_loss_with_logits"]


@first_order
def ctc_loss(
    request: Request,
    log_probs: ArrayLike,
    targets: ArrayLike,
    input_lengths: ArrayLike,
    target_lengths: ArrayLike,
    *,
    blank: int = 0,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    zero_infinity: bool = False,
) -> Any:
    r"""Connectionist temporal classification: -log of the probability of a sequence of labels.

    An alignment π has a class for each of the T steps; it stands for the labels y that are left
    when what is repeated is written once and then blanks are left out. With the log-probabilities
    x, the sum goes over the set A(y) of all alignments of y:

    .. math:: - w \log \sum_{\pi \in A(y)} \exp \sum_t x_{t \pi_t}

    Derivatives with respect to x: :math:`- w \gamma_{tk}`, where :math:`\gamma_{tk}` is the share,
    by their probabilities, of the alignments that are in class k at step t. There are no second
    derivatives.

    Labels that no alignment has, as there are too few steps or all alignments have the probability
    0, have the value inf, or 0 with `zero_infinity`, and the gradient 0.

    Parameters
    ----------
    log_probs : array_like
        Log-probabilities x, of shape (T, N, C) for N sequences of T steps with C classes each, or
        (T, C) for one sequence; as from `log_softmax`. Not checked.
    <labels of sequences>
    <reduction of sequences>

    <returns sequences>

    <raises sequences>

    Notes
    -----
    torch: ``ctc_loss``, whose gradient is that of `ctc_loss_with_logits`, not that with respect to
    the log-probabilities.

    <notes on sequences>

    References
    ----------
    A. Graves, S. Fernández, F. Gomez and J. Schmidhuber, Connectionist Temporal Classification:
    Labelling Unsegmented Sequence Data with Recurrent Neural Networks, ICML 2006.

    Examples
    --------
    >>> import fusedloss as fl
    >>> logits = [[0.0, 1.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    >>> log_probs = fl.log_softmax(logits, axis=-1)
    >>> value, grad = fl.ctc_loss.value_and_grad(log_probs, [1, 2], 3, 2)
    >>> value.round(4)
    np.float64(0.5137)
    >>> grad.round(4)
    array([[-0.0182, -0.4818,  0.    ],
           [-0.3649, -0.0676, -0.0676],
           [-0.0182,  0.    , -0.4818]])
    """
    return alignment_loss(
        request,
        "log_probs",
        log_probs,
        targets,
        input_lengths,
        target_lengths,
        logits=False,
        blank=blank,
        sample_weight=sample_weight,
        reduction=reduction,
        zero_infinity=zero_infinity,
    )


@first_order
def ctc_loss_with_logits(
    request: Request,
    input: ArrayLike,
    targets: ArrayLike,
    input_lengths: ArrayLike,
    target_lengths: ArrayLike,
    *,
    blank: int = 0,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    zero_infinity: bool = False,
) -> Any:
    r"""Connectionist temporal classification of logits: `ctc_loss` of their `log_softmax`.

    With the softmax p over the classes of each step, the sum goes over all alignments π of the
    labels y (see `ctc_loss`):

    .. math:: - w \log \sum_{\pi \in A(y)} \exp \sum_t \log p_{t \pi_t}

    Derivatives with respect to x: :math:`w (p_{tk} - \gamma_{tk})`, where :math:`\gamma_{tk}` is
    the share, by their probabilities, of the alignments that are in class k at step t. There are no
    second derivatives.

    Labels that no alignment has, as there are too few steps or all alignments have the probability
    0, have the value inf, or 0 with `zero_infinity`, and the gradient 0. The softmax is computed in
    the same pass; its logarithms need no array.

    Parameters
    ----------
    input : array_like
        Logits x, of shape (T, N, C) for N sequences of T steps with C classes each, or (T, C) for
        one sequence.
    <labels of sequences>
    <reduction of sequences>

    <returns sequences>

    <raises sequences>

    Notes
    -----
    torch: ``ctc_loss`` of ``log_softmax``; optax: ``ctc_loss``, with the sequences first and masks
    of the padding.

    <notes on sequences>

    References
    ----------
    A. Graves, S. Fernández, F. Gomez and J. Schmidhuber, Connectionist Temporal Classification:
    Labelling Unsegmented Sequence Data with Recurrent Neural Networks, ICML 2006.

    Examples
    --------
    >>> import fusedloss as fl
    >>> logits = [[0.0, 1.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    >>> value, grad = fl.ctc_loss_with_logits.value_and_grad(logits, [1, 2], 3, 2)
    >>> value.round(4)
    np.float64(0.5137)
    >>> grad.round(4)
    array([[ 0.0878, -0.1938,  0.106 ],
           [ 0.0286, -0.0143, -0.0143],
           [ 0.0878,  0.106 , -0.1938]])
    """
    return alignment_loss(
        request,
        "input",
        input,
        targets,
        input_lengths,
        target_lengths,
        logits=True,
        blank=blank,
        sample_weight=sample_weight,
        reduction=reduction,
        zero_infinity=zero_infinity,
    )


class CTCLoss(Criterion, loss=ctc_loss):
    """`ctc_loss` with its options bound."""


class CTCWithLogitsLoss(Criterion, loss=ctc_loss_with_logits):
    """`ctc_loss_with_logits` with its options bound."""
