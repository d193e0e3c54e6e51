"""Written by docs/stubs.py (make stubs), from the signatures in the modules."""
# mypy: disable-error-code="override, overload-overlap"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportOverlappingOverload=false

from typing import Any, ClassVar, Literal, NoReturn, TypeAlias, TypedDict, Unpack, overload

import numpy as np

from fusedloss._core.types import Array, ArrayLike, Reduction
from fusedloss import activations as activations
from fusedloss import binary as binary
from fusedloss import boxes as boxes
from fusedloss import capi as capi
from fusedloss import classification as classification
from fusedloss import contrastive as contrastive
from fusedloss import distributions as distributions
from fusedloss import margins as margins
from fusedloss import ranking as ranking
from fusedloss import regions as regions
from fusedloss import regression as regression
from fusedloss import similarity as similarity
from fusedloss._core.config import get_include as get_include
from fusedloss._core.config import show_config as show_config
from fusedloss._core.criterion import Criterion as Criterion
from fusedloss._core.loss import Activation as Activation
from fusedloss._core.loss import Loss as Loss
from fusedloss._core.threads import get_num_threads as get_num_threads
from fusedloss._core.threads import set_num_threads as set_num_threads
from fusedloss.activations import log_softmax as log_softmax
from fusedloss.activations import logsigmoid as logsigmoid
from fusedloss.activations import logsumexp as logsumexp
from fusedloss.activations import sigmoid as sigmoid
from fusedloss.activations import softmax as softmax
from fusedloss.similarity import cosine_similarity as cosine_similarity
from fusedloss.similarity import normalize as normalize
from fusedloss.similarity import pairwise_distance as pairwise_distance

__version__: str
__all__: list[str]

_Number: TypeAlias = np.floating[Any]
_Out: TypeAlias = Array | None
_Summary: TypeAlias = Literal["mean", "sum", "batchmean", "weighted_mean", "sum_by_nonzero_weights"]
_No: TypeAlias = Literal[False]
_Yes: TypeAlias = Literal[True]

class _AsymmetricLossOptions(TypedDict, total=False):
    gamma_neg: float
    gamma_pos: float
    clip: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _AsymmetricLoss(Loss[...]):  # asymmetric_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_AsymmetricLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_AsymmetricLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_AsymmetricLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_AsymmetricLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_AsymmetricLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_AsymmetricLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_AsymmetricLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_AsymmetricLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_AsymmetricLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_AsymmetricLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_AsymmetricLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_AsymmetricLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _BinaryCrossEntropyOptions(TypedDict, total=False):
    log_clamp: float | None
    where: ArrayLike | None

class _BinaryCrossEntropy(Loss[...]):  # binary_cross_entropy
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_BinaryCrossEntropyOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_BinaryCrossEntropyOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_BinaryCrossEntropyOptions]) -> tuple[Any, Array, Array, float]: ...

class _BinaryCrossEntropyWithLogitsOptions(TypedDict, total=False):
    pos_weight: ArrayLike | None
    where: ArrayLike | None

class _BinaryCrossEntropyWithLogits(Loss[...]):  # binary_cross_entropy_with_logits
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_BinaryCrossEntropyWithLogitsOptions]) -> tuple[Any, Array, Array, float]: ...

class _BrierLossOptions(TypedDict, total=False):
    ignore_index: int
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _BrierLoss(Loss[...]):  # brier_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_BrierLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BrierLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_BrierLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_BrierLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BrierLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BrierLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BrierLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_BrierLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BrierLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BrierLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_BrierLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_BrierLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _CategoricalHingeLossOptions(TypedDict, total=False):
    margin: float
    ignore_index: int
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _CategoricalHingeLoss(Loss[...]):  # categorical_hinge_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_CategoricalHingeLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CategoricalHingeLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_CategoricalHingeLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CategoricalHingeLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CategoricalHingeLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CategoricalHingeLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CategoricalHingeLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CategoricalHingeLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CategoricalHingeLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CategoricalHingeLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CategoricalHingeLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CategoricalHingeLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _CauchyLossOptions(TypedDict, total=False):
    c: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _CauchyLoss(Loss[...]):  # cauchy_loss, fair_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_CauchyLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CauchyLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_CauchyLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CauchyLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CauchyLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CauchyLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CauchyLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CauchyLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CauchyLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CauchyLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CauchyLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CauchyLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _CircleLossOptions(TypedDict, total=False):
    gamma: float
    margin: float
    normalize: bool
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _CircleLoss(Loss[...]):  # circle_loss
    @overload
    def __call__(self, embeddings: ArrayLike, labels: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_CircleLossOptions]) -> _Number: ...
    @overload
    def __call__(self, embeddings: ArrayLike, labels: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CircleLossOptions]) -> Array: ...
    @overload
    def __call__(self, embeddings: ArrayLike, labels: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_CircleLossOptions]) -> Array: ...
    @overload
    def __call__(self, embeddings: ArrayLike, labels: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CircleLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, embeddings: ArrayLike, labels: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CircleLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, embeddings: ArrayLike, labels: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CircleLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, embeddings: ArrayLike, labels: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CircleLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, embeddings: ArrayLike, labels: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CircleLossOptions]) -> tuple[Any, Array, float]: ...
    def value_grad_hess(self, *args: Any, **kwargs: Any) -> NoReturn: ...

class _CompleteBoxIouLossOptions(TypedDict, total=False):
    eps: float
    axis: int
    weight: ArrayLike | None
    where: ArrayLike | None

class _CompleteBoxIouLoss(Loss[...]):  # complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss
    @overload
    def __call__(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_CompleteBoxIouLossOptions]) -> _Number: ...
    @overload
    def __call__(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CompleteBoxIouLossOptions]) -> Array: ...
    @overload
    def __call__(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_CompleteBoxIouLossOptions]) -> Array: ...
    @overload
    def __call__(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CompleteBoxIouLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CompleteBoxIouLossOptions]) -> tuple[_Number, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CompleteBoxIouLossOptions]) -> tuple[Array, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CompleteBoxIouLossOptions]) -> tuple[Array, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_CompleteBoxIouLossOptions]) -> tuple[Any, tuple[Array, Array], float]: ...
    @overload
    def value_grad_hess(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CompleteBoxIouLossOptions]) -> tuple[_Number, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CompleteBoxIouLossOptions]) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CompleteBoxIouLossOptions]) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, boxes1: ArrayLike, boxes2: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_CompleteBoxIouLossOptions]) -> tuple[Any, tuple[Array, Array], tuple[Array, Array], float]: ...

class _ContrastiveLossOptions(TypedDict, total=False):
    margin: float
    axis: int
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _ContrastiveLoss(Loss[...]):  # contrastive_loss
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_ContrastiveLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ContrastiveLossOptions]) -> Array: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_ContrastiveLossOptions]) -> Array: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_ContrastiveLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_ContrastiveLossOptions]) -> tuple[_Number, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_ContrastiveLossOptions]) -> tuple[Array, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_ContrastiveLossOptions]) -> tuple[Array, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_ContrastiveLossOptions]) -> tuple[Any, tuple[Array, Array], float]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_ContrastiveLossOptions]) -> tuple[_Number, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_ContrastiveLossOptions]) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_ContrastiveLossOptions]) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_ContrastiveLossOptions]) -> tuple[Any, tuple[Array, Array], tuple[Array, Array], float]: ...

class _CosineDistanceOptions(TypedDict, total=False):
    axis: int
    eps: float
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _CosineDistance(Loss[...]):  # cosine_distance
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_CosineDistanceOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CosineDistanceOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_CosineDistanceOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CosineDistanceOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CosineDistanceOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CosineDistanceOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CosineDistanceOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CosineDistanceOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CosineDistanceOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CosineDistanceOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CosineDistanceOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CosineDistanceOptions]) -> tuple[Any, Array, Array, float]: ...

class _CosineEmbeddingLossOptions(TypedDict, total=False):
    margin: float
    axis: int
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _CosineEmbeddingLoss(Loss[...]):  # cosine_embedding_loss
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_CosineEmbeddingLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CosineEmbeddingLossOptions]) -> Array: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_CosineEmbeddingLossOptions]) -> Array: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CosineEmbeddingLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CosineEmbeddingLossOptions]) -> tuple[_Number, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CosineEmbeddingLossOptions]) -> tuple[Array, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CosineEmbeddingLossOptions]) -> tuple[Array, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_CosineEmbeddingLossOptions]) -> tuple[Any, tuple[Array, Array], float]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CosineEmbeddingLossOptions]) -> tuple[_Number, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CosineEmbeddingLossOptions]) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_CosineEmbeddingLossOptions]) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_CosineEmbeddingLossOptions]) -> tuple[Any, tuple[Array, Array], tuple[Array, Array], float]: ...

class _CrossEntropyOptions(TypedDict, total=False):
    ignore_index: int
    label_smoothing: float
    z_loss: float
    softcap: float | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _CrossEntropy(Loss[...]):  # cross_entropy
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _No = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _Yes, out: None = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[_Number, Array]: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], return_lse: _No = ..., out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], return_lse: _Yes, out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[Array, Array]: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _No = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _Yes, out: Array, return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[Array, Array]: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., return_lse: _No = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CrossEntropyOptions]) -> tuple[Any, float]: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., return_lse: _Yes, out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CrossEntropyOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _No = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _Yes, out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], return_lse: _No = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], return_lse: _Yes, out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _No = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _Yes, out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., return_lse: _No = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CrossEntropyOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., return_lse: _Yes, out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CrossEntropyOptions]) -> tuple[Any, Array, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _No = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _Yes, out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[_Number, Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], return_lse: _No = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], return_lse: _Yes, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[Array, Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _No = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., return_lse: _Yes, out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_CrossEntropyOptions]) -> tuple[Array, Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., return_lse: _No = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CrossEntropyOptions]) -> tuple[Any, Array, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., return_lse: _Yes, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_CrossEntropyOptions]) -> tuple[Any, Array, Array, Array, float]: ...

class _DiceLossOptions(TypedDict, total=False):
    mode: Literal["multiclass", "multilabel", "binary"]
    from_logits: bool
    smooth_nr: float
    smooth_dr: float
    squared: bool
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _DiceLoss(Loss[...]):  # dice_loss, jaccard_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_DiceLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_DiceLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_DiceLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_DiceLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_DiceLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_DiceLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_DiceLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_DiceLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_DiceLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_DiceLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_DiceLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_DiceLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _EpsilonInsensitiveLossOptions(TypedDict, total=False):
    epsilon: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _EpsilonInsensitiveLoss(Loss[...]):  # epsilon_insensitive_loss, squared_epsilon_insensitive_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_EpsilonInsensitiveLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_EpsilonInsensitiveLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_EpsilonInsensitiveLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_EpsilonInsensitiveLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_EpsilonInsensitiveLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_EpsilonInsensitiveLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_EpsilonInsensitiveLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_EpsilonInsensitiveLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_EpsilonInsensitiveLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_EpsilonInsensitiveLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_EpsilonInsensitiveLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_EpsilonInsensitiveLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _ExpectileLossOptions(TypedDict, total=False):
    q: ArrayLike
    weight: ArrayLike | None
    where: ArrayLike | None

class _ExpectileLoss(Loss[...]):  # expectile_loss, quantile_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_ExpectileLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExpectileLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_ExpectileLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_ExpectileLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExpectileLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExpectileLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExpectileLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_ExpectileLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExpectileLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExpectileLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExpectileLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_ExpectileLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _ExponentialLossOptions(TypedDict, total=False):
    weight: ArrayLike | None
    where: ArrayLike | None

class _ExponentialLoss(Loss[...]):  # exponential_loss, l1_loss, log_cosh_loss, modified_huber_loss, mse_loss, msle_loss, soft_margin_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_ExponentialLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExponentialLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_ExponentialLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_ExponentialLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExponentialLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExponentialLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExponentialLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_ExponentialLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExponentialLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExponentialLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_ExponentialLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_ExponentialLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _FocalTverskyLossOptions(TypedDict, total=False):
    alpha: float
    beta: float
    gamma: float
    mode: Literal["multiclass", "multilabel", "binary"]
    from_logits: bool
    smooth_nr: float
    smooth_dr: float
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _FocalTverskyLoss(Loss[...]):  # focal_tversky_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_FocalTverskyLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_FocalTverskyLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_FocalTverskyLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_FocalTverskyLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_FocalTverskyLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_FocalTverskyLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_FocalTverskyLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_FocalTverskyLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_FocalTverskyLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_FocalTverskyLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_FocalTverskyLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_FocalTverskyLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _GammaNllLossOptions(TypedDict, total=False):
    log_input: bool
    weight: ArrayLike | None
    where: ArrayLike | None

class _GammaNllLoss(Loss[...]):  # gamma_nll_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_GammaNllLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GammaNllLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_GammaNllLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_GammaNllLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GammaNllLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GammaNllLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GammaNllLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_GammaNllLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GammaNllLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GammaNllLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GammaNllLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_GammaNllLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _GaussianNllLossOptions(TypedDict, total=False):
    full: bool
    eps: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _GaussianNllLoss(Loss[...]):  # gaussian_nll_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_GaussianNllLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GaussianNllLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_GaussianNllLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_GaussianNllLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_GaussianNllLossOptions]) -> tuple[_Number, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_GaussianNllLossOptions]) -> tuple[Array, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_GaussianNllLossOptions]) -> tuple[Array, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_GaussianNllLossOptions]) -> tuple[Any, tuple[Array, Array], float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_GaussianNllLossOptions]) -> tuple[_Number, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_GaussianNllLossOptions]) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_GaussianNllLossOptions]) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_GaussianNllLossOptions]) -> tuple[Any, tuple[Array, Array], tuple[Array, Array], float]: ...

class _GeneralizedCrossEntropyLossOptions(TypedDict, total=False):
    q: float
    ignore_index: int
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _GeneralizedCrossEntropyLoss(Loss[...]):  # generalized_cross_entropy_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_GeneralizedCrossEntropyLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _GeneralizedDiceLossOptions(TypedDict, total=False):
    w_type: Literal["square", "simple", "uniform"]
    mode: Literal["multiclass", "multilabel", "binary"]
    from_logits: bool
    smooth_nr: float
    smooth_dr: float
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _GeneralizedDiceLoss(Loss[...]):  # generalized_dice_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedDiceLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedDiceLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_GeneralizedDiceLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_GeneralizedDiceLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedDiceLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedDiceLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedDiceLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_GeneralizedDiceLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedDiceLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedDiceLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_GeneralizedDiceLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_GeneralizedDiceLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _HingeEmbeddingLossOptions(TypedDict, total=False):
    margin: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _HingeEmbeddingLoss(Loss[...]):  # hinge_embedding_loss, hinge_loss, squared_hinge_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_HingeEmbeddingLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HingeEmbeddingLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_HingeEmbeddingLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_HingeEmbeddingLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HingeEmbeddingLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HingeEmbeddingLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HingeEmbeddingLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_HingeEmbeddingLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HingeEmbeddingLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HingeEmbeddingLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HingeEmbeddingLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_HingeEmbeddingLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _HuberLossOptions(TypedDict, total=False):
    delta: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _HuberLoss(Loss[...]):  # huber_loss, pseudo_huber_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_HuberLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HuberLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_HuberLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_HuberLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HuberLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HuberLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HuberLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_HuberLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HuberLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HuberLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_HuberLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_HuberLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _InfoNceLossOptions(TypedDict, total=False):
    normalize: bool
    negatives_where: ArrayLike | None
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _InfoNceLoss(Loss[...]):  # info_nce_loss
    @overload
    def __call__(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: _Summary = ..., temperature_grad: _No = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> _Number: ...
    @overload
    def __call__(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: _Summary = ..., temperature_grad: _Yes, out: None = ..., return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> _Number: ...
    @overload
    def __call__(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: Literal["none"], temperature_grad: _No = ..., out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> Array: ...
    @overload
    def __call__(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: Literal["none"], temperature_grad: _Yes, out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> Array: ...
    @overload
    def __call__(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: _Summary = ..., temperature_grad: _No = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> Array: ...
    @overload
    def __call__(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: _Summary = ..., temperature_grad: _Yes, out: Array, return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> Array: ...
    @overload
    def __call__(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: Reduction = ..., temperature_grad: _No = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_InfoNceLossOptions]) -> tuple[Any, float]: ...
    @overload
    def __call__(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: Reduction = ..., temperature_grad: _Yes, out: _Out = ..., return_divisor: _Yes, **options: Unpack[_InfoNceLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: _Summary = ..., temperature_grad: _No = ..., out: None = ..., grad_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> tuple[_Number, tuple[Array, ...]]: ...
    @overload
    def value_and_grad(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: _Summary = ..., temperature_grad: _Yes, out: None = ..., grad_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> tuple[_Number, tuple[Array, ...]]: ...
    @overload
    def value_and_grad(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: Literal["none"], temperature_grad: _No = ..., out: _Out = ..., grad_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> tuple[Array, tuple[Array, ...]]: ...
    @overload
    def value_and_grad(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: Literal["none"], temperature_grad: _Yes, out: _Out = ..., grad_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> tuple[Array, tuple[Array, ...]]: ...
    @overload
    def value_and_grad(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: _Summary = ..., temperature_grad: _No = ..., out: Array, grad_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> tuple[Array, tuple[Array, ...]]: ...
    @overload
    def value_and_grad(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: _Summary = ..., temperature_grad: _Yes, out: Array, grad_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_InfoNceLossOptions]) -> tuple[Array, tuple[Array, ...]]: ...
    @overload
    def value_and_grad(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: Reduction = ..., temperature_grad: _No = ..., out: _Out = ..., grad_out: tuple[_Out, ...] | None = ..., return_divisor: _Yes, **options: Unpack[_InfoNceLossOptions]) -> tuple[Any, tuple[Array, ...], float]: ...
    @overload
    def value_and_grad(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = ..., temperature: float = ..., *, reduction: Reduction = ..., temperature_grad: _Yes, out: _Out = ..., grad_out: tuple[_Out, ...] | None = ..., return_divisor: _Yes, **options: Unpack[_InfoNceLossOptions]) -> tuple[Any, tuple[Array, ...], float]: ...
    def value_grad_hess(self, *args: Any, **kwargs: Any) -> NoReturn: ...

class _JsDivOptions(TypedDict, total=False):
    beta: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _JsDiv(Loss[...]):  # js_div
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_JsDivOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_JsDivOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_JsDivOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_JsDivOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_JsDivOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_JsDivOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_JsDivOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_JsDivOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_JsDivOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_JsDivOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_JsDivOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_JsDivOptions]) -> tuple[Any, Array, Array, float]: ...

class _KlDivOptions(TypedDict, total=False):
    log_target: bool
    weight: ArrayLike | None
    where: ArrayLike | None

class _KlDiv(Loss[...]):  # kl_div
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _No = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _Yes, out: None = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], target_grad: _No = ..., out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], target_grad: _Yes, out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _No = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _Yes, out: Array, return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., target_grad: _No = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_KlDivOptions]) -> tuple[Any, float]: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., target_grad: _Yes, out: _Out = ..., return_divisor: _Yes, **options: Unpack[_KlDivOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _No = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _Yes, out: None = ..., grad_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[_Number, tuple[Array, ...]]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], target_grad: _No = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], target_grad: _Yes, out: _Out = ..., grad_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[Array, tuple[Array, ...]]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _No = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _Yes, out: Array, grad_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[Array, tuple[Array, ...]]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., target_grad: _No = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_KlDivOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., target_grad: _Yes, out: _Out = ..., grad_out: tuple[_Out, ...] | None = ..., return_divisor: _Yes, **options: Unpack[_KlDivOptions]) -> tuple[Any, tuple[Array, ...], float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _No = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _Yes, out: None = ..., grad_out: tuple[_Out, ...] | None = ..., hess_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[_Number, tuple[Array, ...], tuple[Array, ...]]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], target_grad: _No = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], target_grad: _Yes, out: _Out = ..., grad_out: tuple[_Out, ...] | None = ..., hess_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[Array, tuple[Array, ...], tuple[Array, ...]]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _No = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., target_grad: _Yes, out: Array, grad_out: tuple[_Out, ...] | None = ..., hess_out: tuple[_Out, ...] | None = ..., return_divisor: _No = ..., **options: Unpack[_KlDivOptions]) -> tuple[Array, tuple[Array, ...], tuple[Array, ...]]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., target_grad: _No = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_KlDivOptions]) -> tuple[Any, Array, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., target_grad: _Yes, out: _Out = ..., grad_out: tuple[_Out, ...] | None = ..., hess_out: tuple[_Out, ...] | None = ..., return_divisor: _Yes, **options: Unpack[_KlDivOptions]) -> tuple[Any, tuple[Array, ...], tuple[Array, ...], float]: ...

class _LovaszHingeLossOptions(TypedDict, total=False):
    per_image: bool
    ignore_index: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _LovaszHingeLoss(Loss[...]):  # lovasz_hinge_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_LovaszHingeLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszHingeLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_LovaszHingeLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_LovaszHingeLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszHingeLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszHingeLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszHingeLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_LovaszHingeLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszHingeLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszHingeLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszHingeLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_LovaszHingeLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _LovaszSoftmaxLossOptions(TypedDict, total=False):
    from_logits: bool
    classes: Literal["present", "all"]
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _LovaszSoftmaxLoss(Loss[...]):  # lovasz_softmax_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_LovaszSoftmaxLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszSoftmaxLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_LovaszSoftmaxLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_LovaszSoftmaxLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszSoftmaxLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszSoftmaxLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszSoftmaxLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_LovaszSoftmaxLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszSoftmaxLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszSoftmaxLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_LovaszSoftmaxLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_LovaszSoftmaxLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _MapeLossOptions(TypedDict, total=False):
    eps: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _MapeLoss(Loss[...]):  # mape_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_MapeLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MapeLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_MapeLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MapeLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MapeLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MapeLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MapeLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MapeLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MapeLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MapeLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MapeLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MapeLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _MarginRankingLossOptions(TypedDict, total=False):
    margin: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _MarginRankingLoss(Loss[...]):  # margin_ranking_loss
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_MarginRankingLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MarginRankingLossOptions]) -> Array: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_MarginRankingLossOptions]) -> Array: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MarginRankingLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_MarginRankingLossOptions]) -> tuple[_Number, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_MarginRankingLossOptions]) -> tuple[Array, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_MarginRankingLossOptions]) -> tuple[Array, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_MarginRankingLossOptions]) -> tuple[Any, tuple[Array, Array], float]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_MarginRankingLossOptions]) -> tuple[_Number, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_MarginRankingLossOptions]) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_MarginRankingLossOptions]) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_MarginRankingLossOptions]) -> tuple[Any, tuple[Array, Array], tuple[Array, Array], float]: ...

class _MeanPairwiseSquaredErrorOptions(TypedDict, total=False):
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _MeanPairwiseSquaredError(Loss[...]):  # mean_pairwise_squared_error
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MeanPairwiseSquaredErrorOptions]) -> tuple[Any, Array, Array, float]: ...

class _MultiMarginLossOptions(TypedDict, total=False):
    p: Literal[1, 2]
    margin: float
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _MultiMarginLoss(Loss[...]):  # multi_margin_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_MultiMarginLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultiMarginLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_MultiMarginLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MultiMarginLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultiMarginLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultiMarginLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultiMarginLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MultiMarginLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultiMarginLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultiMarginLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultiMarginLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MultiMarginLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _MultilabelMarginLossOptions(TypedDict, total=False):
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _MultilabelMarginLoss(Loss[...]):  # multilabel_margin_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelMarginLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelMarginLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_MultilabelMarginLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MultilabelMarginLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelMarginLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelMarginLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelMarginLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MultilabelMarginLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelMarginLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelMarginLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelMarginLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MultilabelMarginLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _MultilabelSoftMarginLossOptions(TypedDict, total=False):
    axis: int
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _MultilabelSoftMarginLoss(Loss[...]):  # multilabel_soft_margin_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelSoftMarginLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelSoftMarginLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_MultilabelSoftMarginLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MultilabelSoftMarginLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelSoftMarginLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelSoftMarginLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelSoftMarginLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MultilabelSoftMarginLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelSoftMarginLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelSoftMarginLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_MultilabelSoftMarginLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_MultilabelSoftMarginLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _NllLossOptions(TypedDict, total=False):
    ignore_index: int
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _NllLoss(Loss[...]):  # nll_loss, sparsemax_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_NllLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_NllLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_NllLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_NllLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_NllLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_NllLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_NllLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_NllLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_NllLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_NllLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_NllLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_NllLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _PairwiseLogisticLossOptions(TypedDict, total=False):
    where: ArrayLike | None
    weight: ArrayLike | None
    axis: int
    sample_weight: ArrayLike | None

class _PairwiseLogisticLoss(Loss[...]):  # pairwise_logistic_loss, ranking_softmax_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_PairwiseLogisticLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PairwiseLogisticLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_PairwiseLogisticLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_PairwiseLogisticLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PairwiseLogisticLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PairwiseLogisticLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PairwiseLogisticLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_PairwiseLogisticLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PairwiseLogisticLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PairwiseLogisticLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PairwiseLogisticLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_PairwiseLogisticLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _PoissonNllLossOptions(TypedDict, total=False):
    log_input: bool
    full: bool | Literal["exact"]
    eps: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _PoissonNllLoss(Loss[...]):  # poisson_nll_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_PoissonNllLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PoissonNllLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_PoissonNllLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_PoissonNllLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PoissonNllLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PoissonNllLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PoissonNllLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_PoissonNllLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PoissonNllLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PoissonNllLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PoissonNllLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_PoissonNllLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _PolyCrossEntropyLossOptions(TypedDict, total=False):
    epsilon: float
    ignore_index: int
    label_smoothing: float
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _PolyCrossEntropyLoss(Loss[...]):  # poly_cross_entropy_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_PolyCrossEntropyLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PolyCrossEntropyLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_PolyCrossEntropyLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_PolyCrossEntropyLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PolyCrossEntropyLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PolyCrossEntropyLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PolyCrossEntropyLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_PolyCrossEntropyLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PolyCrossEntropyLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PolyCrossEntropyLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_PolyCrossEntropyLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_PolyCrossEntropyLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _SigmoidFocalLossOptions(TypedDict, total=False):
    alpha: float | None
    gamma: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _SigmoidFocalLoss(Loss[...]):  # sigmoid_focal_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_SigmoidFocalLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SigmoidFocalLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_SigmoidFocalLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SigmoidFocalLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SigmoidFocalLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SigmoidFocalLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SigmoidFocalLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SigmoidFocalLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SigmoidFocalLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SigmoidFocalLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SigmoidFocalLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SigmoidFocalLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _SmoothL1LossOptions(TypedDict, total=False):
    beta: float
    weight: ArrayLike | None
    where: ArrayLike | None

class _SmoothL1Loss(Loss[...]):  # smooth_l1_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_SmoothL1LossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SmoothL1LossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_SmoothL1LossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SmoothL1LossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SmoothL1LossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SmoothL1LossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SmoothL1LossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SmoothL1LossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SmoothL1LossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SmoothL1LossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SmoothL1LossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SmoothL1LossOptions]) -> tuple[Any, Array, Array, float]: ...

class _SoftmaxFocalLossOptions(TypedDict, total=False):
    gamma: float
    alpha: float | ArrayLike | None
    ignore_index: int
    label_smoothing: float
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _SoftmaxFocalLoss(Loss[...]):  # softmax_focal_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_SoftmaxFocalLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SoftmaxFocalLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_SoftmaxFocalLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SoftmaxFocalLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SoftmaxFocalLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SoftmaxFocalLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SoftmaxFocalLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SoftmaxFocalLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SoftmaxFocalLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SoftmaxFocalLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SoftmaxFocalLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SoftmaxFocalLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _SupervisedContrastiveLossOptions(TypedDict, total=False):
    normalize: bool
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _SupervisedContrastiveLoss(Loss[...]):  # supervised_contrastive_loss
    @overload
    def __call__(self, embeddings: ArrayLike, labels: ArrayLike, temperature: float = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_SupervisedContrastiveLossOptions]) -> _Number: ...
    @overload
    def __call__(self, embeddings: ArrayLike, labels: ArrayLike, temperature: float = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SupervisedContrastiveLossOptions]) -> Array: ...
    @overload
    def __call__(self, embeddings: ArrayLike, labels: ArrayLike, temperature: float = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_SupervisedContrastiveLossOptions]) -> Array: ...
    @overload
    def __call__(self, embeddings: ArrayLike, labels: ArrayLike, temperature: float = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SupervisedContrastiveLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, embeddings: ArrayLike, labels: ArrayLike, temperature: float = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SupervisedContrastiveLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, embeddings: ArrayLike, labels: ArrayLike, temperature: float = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SupervisedContrastiveLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, embeddings: ArrayLike, labels: ArrayLike, temperature: float = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_SupervisedContrastiveLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, embeddings: ArrayLike, labels: ArrayLike, temperature: float = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_SupervisedContrastiveLossOptions]) -> tuple[Any, Array, float]: ...
    def value_grad_hess(self, *args: Any, **kwargs: Any) -> NoReturn: ...

class _TripletMarginLossOptions(TypedDict, total=False):
    margin: float
    p: float
    eps: float
    swap: bool
    axis: int
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _TripletMarginLoss(Loss[...]):  # triplet_margin_loss
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginLossOptions]) -> _Number: ...
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginLossOptions]) -> Array: ...
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_TripletMarginLossOptions]) -> Array: ...
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_TripletMarginLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginLossOptions]) -> tuple[_Number, tuple[Array, Array, Array]]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginLossOptions]) -> tuple[Array, tuple[Array, Array, Array]]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginLossOptions]) -> tuple[Array, tuple[Array, Array, Array]]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_TripletMarginLossOptions]) -> tuple[Any, tuple[Array, Array, Array], float]: ...
    @overload
    def value_grad_hess(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., hess_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginLossOptions]) -> tuple[_Number, tuple[Array, Array, Array], tuple[Array, Array, Array]]: ...
    @overload
    def value_grad_hess(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., hess_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginLossOptions]) -> tuple[Array, tuple[Array, Array, Array], tuple[Array, Array, Array]]: ...
    @overload
    def value_grad_hess(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out, _Out] | None = ..., hess_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginLossOptions]) -> tuple[Array, tuple[Array, Array, Array], tuple[Array, Array, Array]]: ...
    @overload
    def value_grad_hess(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., hess_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_TripletMarginLossOptions]) -> tuple[Any, tuple[Array, Array, Array], tuple[Array, Array, Array], float]: ...

class _TripletMarginWithDistanceLossOptions(TypedDict, total=False):
    distance_function: Any
    margin: float
    swap: bool
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _TripletMarginWithDistanceLoss(Loss[...]):  # triplet_margin_with_distance_loss
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginWithDistanceLossOptions]) -> _Number: ...
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginWithDistanceLossOptions]) -> Array: ...
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_TripletMarginWithDistanceLossOptions]) -> Array: ...
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_TripletMarginWithDistanceLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginWithDistanceLossOptions]) -> tuple[_Number, tuple[Array, Array, Array]]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginWithDistanceLossOptions]) -> tuple[Array, tuple[Array, Array, Array]]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., **options: Unpack[_TripletMarginWithDistanceLossOptions]) -> tuple[Array, tuple[Array, Array, Array]]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _Yes, **options: Unpack[_TripletMarginWithDistanceLossOptions]) -> tuple[Any, tuple[Array, Array, Array], float]: ...
    def value_grad_hess(self, *args: Any, **kwargs: Any) -> NoReturn: ...

class _TverskyLossOptions(TypedDict, total=False):
    alpha: float
    beta: float
    mode: Literal["multiclass", "multilabel", "binary"]
    from_logits: bool
    smooth_nr: float
    smooth_dr: float
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None

class _TverskyLoss(Loss[...]):  # tversky_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_TverskyLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TverskyLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_TverskyLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_TverskyLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TverskyLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TverskyLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TverskyLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_TverskyLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TverskyLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TverskyLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TverskyLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = ..., *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_TverskyLossOptions]) -> tuple[Any, Array, Array, float]: ...

class _TweedieLossOptions(TypedDict, total=False):
    power: float
    log_input: bool
    weight: ArrayLike | None
    where: ArrayLike | None

class _TweedieLoss(Loss[...]):  # tweedie_loss
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., return_divisor: _No = ..., **options: Unpack[_TweedieLossOptions]) -> _Number: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TweedieLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, return_divisor: _No = ..., **options: Unpack[_TweedieLossOptions]) -> Array: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., return_divisor: _Yes, **options: Unpack[_TweedieLossOptions]) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TweedieLossOptions]) -> tuple[_Number, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TweedieLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TweedieLossOptions]) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_TweedieLossOptions]) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: None = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TweedieLossOptions]) -> tuple[_Number, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Literal["none"], out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TweedieLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: _Summary = ..., out: Array, grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., **options: Unpack[_TweedieLossOptions]) -> tuple[Array, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, reduction: Reduction = ..., out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, **options: Unpack[_TweedieLossOptions]) -> tuple[Any, Array, Array, float]: ...

asymmetric_loss: _AsymmetricLoss
binary_cross_entropy: _BinaryCrossEntropy
binary_cross_entropy_with_logits: _BinaryCrossEntropyWithLogits
brier_loss: _BrierLoss
categorical_hinge_loss: _CategoricalHingeLoss
cauchy_loss: _CauchyLoss
circle_loss: _CircleLoss
complete_box_iou_loss: _CompleteBoxIouLoss
contrastive_loss: _ContrastiveLoss
cosine_distance: _CosineDistance
cosine_embedding_loss: _CosineEmbeddingLoss
cross_entropy: _CrossEntropy
dice_loss: _DiceLoss
distance_box_iou_loss: _CompleteBoxIouLoss
epsilon_insensitive_loss: _EpsilonInsensitiveLoss
expectile_loss: _ExpectileLoss
exponential_loss: _ExponentialLoss
fair_loss: _CauchyLoss
focal_tversky_loss: _FocalTverskyLoss
gamma_nll_loss: _GammaNllLoss
gaussian_nll_loss: _GaussianNllLoss
generalized_box_iou_loss: _CompleteBoxIouLoss
generalized_cross_entropy_loss: _GeneralizedCrossEntropyLoss
generalized_dice_loss: _GeneralizedDiceLoss
hinge_embedding_loss: _HingeEmbeddingLoss
hinge_loss: _HingeEmbeddingLoss
huber_loss: _HuberLoss
info_nce_loss: _InfoNceLoss
jaccard_loss: _DiceLoss
js_div: _JsDiv
kl_div: _KlDiv
l1_loss: _ExponentialLoss
log_cosh_loss: _ExponentialLoss
lovasz_hinge_loss: _LovaszHingeLoss
lovasz_softmax_loss: _LovaszSoftmaxLoss
mape_loss: _MapeLoss
margin_ranking_loss: _MarginRankingLoss
mean_pairwise_squared_error: _MeanPairwiseSquaredError
modified_huber_loss: _ExponentialLoss
mse_loss: _ExponentialLoss
msle_loss: _ExponentialLoss
multi_margin_loss: _MultiMarginLoss
multilabel_margin_loss: _MultilabelMarginLoss
multilabel_soft_margin_loss: _MultilabelSoftMarginLoss
nll_loss: _NllLoss
pairwise_logistic_loss: _PairwiseLogisticLoss
poisson_nll_loss: _PoissonNllLoss
poly_cross_entropy_loss: _PolyCrossEntropyLoss
pseudo_huber_loss: _HuberLoss
quantile_loss: _ExpectileLoss
ranking_softmax_loss: _PairwiseLogisticLoss
sigmoid_focal_loss: _SigmoidFocalLoss
smooth_l1_loss: _SmoothL1Loss
soft_margin_loss: _ExponentialLoss
softmax_focal_loss: _SoftmaxFocalLoss
sparsemax_loss: _NllLoss
squared_epsilon_insensitive_loss: _EpsilonInsensitiveLoss
squared_hinge_loss: _HingeEmbeddingLoss
supervised_contrastive_loss: _SupervisedContrastiveLoss
triplet_margin_loss: _TripletMarginLoss
triplet_margin_with_distance_loss: _TripletMarginWithDistanceLoss
tversky_loss: _TverskyLoss
tweedie_loss: _TweedieLoss

class _Calls1(Criterion):
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array, float]: ...

class AsymmetricLoss(_Calls1):
    loss: ClassVar[_AsymmetricLoss]
    gamma_neg: float
    gamma_pos: float
    clip: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, gamma_neg: float = 4.0, gamma_pos: float = 1.0, clip: float = 0.05, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class BCELoss(_Calls1):
    loss: ClassVar[_BinaryCrossEntropy]
    weight: ArrayLike | None
    log_clamp: float | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, log_clamp: float | None = -100.0, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls2(Criterion):
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., pos_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., pos_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., pos_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., pos_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., pos_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., pos_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array, float]: ...

class BCEWithLogitsLoss(_Calls2):
    loss: ClassVar[_BinaryCrossEntropyWithLogits]
    weight: ArrayLike | None
    pos_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, pos_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls3(Criterion):
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array, float]: ...

class BrierLoss(_Calls3):
    loss: ClassVar[_BrierLoss]
    ignore_index: int
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, ignore_index: int = -100, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls4(Criterion):
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array, float]: ...

class CategoricalHingeLoss(_Calls4):
    loss: ClassVar[_CategoricalHingeLoss]
    weight: ArrayLike | None
    margin: float
    ignore_index: int
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, margin: float = 1.0, ignore_index: int = -100, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class CauchyLoss(_Calls1):
    loss: ClassVar[_CauchyLoss]
    c: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, c: float = 1.0, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls5(Criterion):
    @overload
    def __call__(self, embeddings: ArrayLike, labels: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, embeddings: ArrayLike, labels: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, embeddings: ArrayLike, labels: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(self, embeddings: ArrayLike, labels: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, float]: ...
    def value_grad_hess(self, *args: Any, **kwargs: Any) -> NoReturn: ...

class CircleLoss(_Calls5):
    loss: ClassVar[_CircleLoss]
    gamma: float
    margin: float
    normalize: bool
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, gamma: float = 80.0, margin: float = 0.4, normalize: bool = True, weight: ArrayLike | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls6(Criterion):
    @overload
    def __call__(self, boxes1: ArrayLike, boxes2: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, boxes1: ArrayLike, boxes2: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, boxes1: ArrayLike, boxes2: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, boxes1: ArrayLike, boxes2: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], float]: ...
    @overload
    def value_grad_hess(self, boxes1: ArrayLike, boxes2: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, boxes1: ArrayLike, boxes2: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], tuple[Array, Array], float]: ...

class CompleteBoxIoULoss(_Calls6):
    loss: ClassVar[_CompleteBoxIouLoss]
    eps: float
    axis: int
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, eps: float = 1e-07, axis: int = -1, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls7(Criterion):
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], float]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], tuple[Array, Array], float]: ...

class ContrastiveLoss(_Calls7):
    loss: ClassVar[_ContrastiveLoss]
    margin: float
    axis: int
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, margin: float = 1.0, axis: int = -1, weight: ArrayLike | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class CosineDistanceLoss(_Calls4):
    loss: ClassVar[_CosineDistance]
    axis: int
    eps: float
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, axis: int = -1, eps: float = 1e-08, weight: ArrayLike | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class CosineEmbeddingLoss(_Calls7):
    loss: ClassVar[_CosineEmbeddingLoss]
    margin: float
    axis: int
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, margin: float = 0.0, axis: int = -1, weight: ArrayLike | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls8(Criterion):
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...

class CrossEntropyLoss(_Calls8):
    loss: ClassVar[_CrossEntropy]
    weight: ArrayLike | None
    ignore_index: int
    label_smoothing: float
    z_loss: float
    softcap: float | None
    return_lse: bool
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, ignore_index: int = -100, label_smoothing: float = 0.0, z_loss: float = 0.0, softcap: float | None = None, return_lse: bool = False, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class DiceLoss(_Calls4):
    loss: ClassVar[_DiceLoss]
    weight: ArrayLike | None
    mode: Literal["multiclass", "multilabel", "binary"]
    from_logits: bool
    smooth_nr: float
    smooth_dr: float
    squared: bool
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, mode: Literal["multiclass", "multilabel", "binary"] = "multiclass", from_logits: bool = True, smooth_nr: float = 1e-05, smooth_dr: float = 1e-05, squared: bool = False, per_image: bool = True, ignore_index: int | None = None, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class DistanceBoxIoULoss(_Calls6):
    loss: ClassVar[_CompleteBoxIouLoss]
    eps: float
    axis: int
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, eps: float = 1e-07, axis: int = -1, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class EpsilonInsensitiveLoss(_Calls1):
    loss: ClassVar[_EpsilonInsensitiveLoss]
    epsilon: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, epsilon: float = 0.1, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls9(Criterion):
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., q: ArrayLike = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, q: ArrayLike = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., q: ArrayLike = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, q: ArrayLike = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., q: ArrayLike = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, q: ArrayLike = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array, float]: ...

class ExpectileLoss(_Calls9):
    loss: ClassVar[_ExpectileLoss]
    q: ArrayLike
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, q: ArrayLike = 0.5, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class ExponentialLoss(_Calls1):
    loss: ClassVar[_ExponentialLoss]
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class FairLoss(_Calls1):
    loss: ClassVar[_CauchyLoss]
    c: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, c: float = 1.0, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class FocalTverskyLoss(_Calls4):
    loss: ClassVar[_FocalTverskyLoss]
    weight: ArrayLike | None
    alpha: float
    beta: float
    gamma: float
    mode: Literal["multiclass", "multilabel", "binary"]
    from_logits: bool
    smooth_nr: float
    smooth_dr: float
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, alpha: float = 0.5, beta: float = 0.5, gamma: float = 0.75, mode: Literal["multiclass", "multilabel", "binary"] = "multiclass", from_logits: bool = True, smooth_nr: float = 1e-05, smooth_dr: float = 1e-05, per_image: bool = True, ignore_index: int | None = None, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class GammaNLLLoss(_Calls1):
    loss: ClassVar[_GammaNllLoss]
    log_input: bool
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, log_input: bool = True, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls10(Criterion):
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, var: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], tuple[Array, Array], float]: ...

class GaussianNLLLoss(_Calls10):
    loss: ClassVar[_GaussianNllLoss]
    full: bool
    eps: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, full: bool = False, eps: float = 1e-06, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class GeneralizedBoxIoULoss(_Calls6):
    loss: ClassVar[_CompleteBoxIouLoss]
    eps: float
    axis: int
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, eps: float = 1e-07, axis: int = -1, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class GeneralizedCrossEntropyLoss(_Calls4):
    loss: ClassVar[_GeneralizedCrossEntropyLoss]
    weight: ArrayLike | None
    q: float
    ignore_index: int
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, q: float = 0.5, ignore_index: int = -100, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class GeneralizedDiceLoss(_Calls4):
    loss: ClassVar[_GeneralizedDiceLoss]
    weight: ArrayLike | None
    w_type: Literal["square", "simple", "uniform"]
    mode: Literal["multiclass", "multilabel", "binary"]
    from_logits: bool
    smooth_nr: float
    smooth_dr: float
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, w_type: Literal["square", "simple", "uniform"] = "square", mode: Literal["multiclass", "multilabel", "binary"] = "multiclass", from_logits: bool = True, smooth_nr: float = 1e-05, smooth_dr: float = 1e-05, per_image: bool = True, ignore_index: int | None = None, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class HingeEmbeddingLoss(_Calls1):
    loss: ClassVar[_HingeEmbeddingLoss]
    margin: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, margin: float = 1.0, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class HingeLoss(_Calls1):
    loss: ClassVar[_HingeEmbeddingLoss]
    margin: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, margin: float = 1.0, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class HuberLoss(_Calls1):
    loss: ClassVar[_HuberLoss]
    delta: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, delta: float = 1.0, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls11(Criterion):
    @overload
    def __call__(self, query: ArrayLike, positive: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., negatives: ArrayLike | None = ..., negatives_where: ArrayLike | None = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, query: ArrayLike, positive: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, negatives: ArrayLike | None = ..., negatives_where: ArrayLike | None = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, query: ArrayLike, positive: ArrayLike, *, out: _Out = ..., grad_out: Any | None = ..., return_divisor: _No = ..., negatives: ArrayLike | None = ..., negatives_where: ArrayLike | None = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Any]: ...
    @overload
    def value_and_grad(self, query: ArrayLike, positive: ArrayLike, *, out: _Out = ..., grad_out: Any | None = ..., return_divisor: _Yes, negatives: ArrayLike | None = ..., negatives_where: ArrayLike | None = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Any, float]: ...
    def value_grad_hess(self, *args: Any, **kwargs: Any) -> NoReturn: ...

class InfoNCELoss(_Calls11):
    loss: ClassVar[_InfoNceLoss]
    negatives: ArrayLike | None
    temperature: float
    normalize: bool
    negatives_where: ArrayLike | None
    temperature_grad: bool
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, negatives: ArrayLike | None = None, temperature: float = 0.07, *, normalize: bool = True, negatives_where: ArrayLike | None = None, temperature_grad: bool = False, weight: ArrayLike | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class JSDivLoss(_Calls1):
    loss: ClassVar[_JsDiv]
    beta: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, beta: float = 0.5, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class JaccardLoss(_Calls4):
    loss: ClassVar[_DiceLoss]
    weight: ArrayLike | None
    mode: Literal["multiclass", "multilabel", "binary"]
    from_logits: bool
    smooth_nr: float
    smooth_dr: float
    squared: bool
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, mode: Literal["multiclass", "multilabel", "binary"] = "multiclass", from_logits: bool = True, smooth_nr: float = 1e-05, smooth_dr: float = 1e-05, squared: bool = False, per_image: bool = True, ignore_index: int | None = None, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls12(Criterion):
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: Any | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Any]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: Any | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Any, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: Any | None = ..., hess_out: Any | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Any, Any]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: Any | None = ..., hess_out: Any | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Any, Any, float]: ...

class KLDivLoss(_Calls12):
    loss: ClassVar[_KlDiv]
    log_target: bool
    target_grad: bool
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, log_target: bool = False, target_grad: bool = False, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class L1Loss(_Calls1):
    loss: ClassVar[_ExponentialLoss]
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class LogCoshLoss(_Calls1):
    loss: ClassVar[_ExponentialLoss]
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class LovaszHingeLoss(_Calls3):
    loss: ClassVar[_LovaszHingeLoss]
    per_image: bool
    ignore_index: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, per_image: bool = False, ignore_index: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class LovaszSoftmaxLoss(_Calls4):
    loss: ClassVar[_LovaszSoftmaxLoss]
    weight: ArrayLike | None
    from_logits: bool
    classes: Literal["present", "all"]
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, from_logits: bool = True, classes: Literal["present", "all"] = "present", per_image: bool = False, ignore_index: int | None = None, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class MAPELoss(_Calls1):
    loss: ClassVar[_MapeLoss]
    eps: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, eps: float = 2.220446049250313e-16, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class MSELoss(_Calls1):
    loss: ClassVar[_ExponentialLoss]
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class MSLELoss(_Calls1):
    loss: ClassVar[_ExponentialLoss]
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls13(Criterion):
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array]]: ...
    @overload
    def value_and_grad(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], float]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], tuple[Array, Array]]: ...
    @overload
    def value_grad_hess(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out] | None = ..., hess_out: tuple[_Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array], tuple[Array, Array], float]: ...

class MarginRankingLoss(_Calls13):
    loss: ClassVar[_MarginRankingLoss]
    margin: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, margin: float = 0.0, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class MeanPairwiseSquaredError(_Calls4):
    loss: ClassVar[_MeanPairwiseSquaredError]
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, weight: ArrayLike | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class ModifiedHuberLoss(_Calls1):
    loss: ClassVar[_ExponentialLoss]
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class MultiLabelMarginLoss(_Calls3):
    loss: ClassVar[_MultilabelMarginLoss]
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class MultiLabelSoftMarginLoss(_Calls4):
    loss: ClassVar[_MultilabelSoftMarginLoss]
    weight: ArrayLike | None
    axis: int
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, axis: int = -1, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class MultiMarginLoss(_Calls4):
    loss: ClassVar[_MultiMarginLoss]
    weight: ArrayLike | None
    p: Literal[1, 2]
    margin: float
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, p: Literal[1, 2] = 1, margin: float = 1.0, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class NLLLoss(_Calls4):
    loss: ClassVar[_NllLoss]
    weight: ArrayLike | None
    ignore_index: int
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, ignore_index: int = -100, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls14(Criterion):
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., where: ArrayLike | None = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, where: ArrayLike | None = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., where: ArrayLike | None = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ...) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, where: ArrayLike | None = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ...) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., where: ArrayLike | None = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ...) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, where: ArrayLike | None = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ...) -> tuple[Any, Array, Array, float]: ...

class PairwiseLogisticLoss(_Calls14):
    loss: ClassVar[_PairwiseLogisticLoss]
    where: ArrayLike | None
    weight: ArrayLike | None
    axis: int
    sample_weight: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, where: ArrayLike | None = None, weight: ArrayLike | None = None, axis: int = -1, sample_weight: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class PoissonNLLLoss(_Calls1):
    loss: ClassVar[_PoissonNllLoss]
    log_input: bool
    full: bool | Literal["exact"]
    eps: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, log_input: bool = True, full: bool | Literal["exact"] = False, eps: float = 1e-08, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class PolyCrossEntropyLoss(_Calls4):
    loss: ClassVar[_PolyCrossEntropyLoss]
    weight: ArrayLike | None
    epsilon: float
    ignore_index: int
    label_smoothing: float
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, epsilon: float = 1.0, ignore_index: int = -100, label_smoothing: float = 0.0, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class PseudoHuberLoss(_Calls1):
    loss: ClassVar[_HuberLoss]
    delta: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, delta: float = 1.0, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class QuantileLoss(_Calls9):
    loss: ClassVar[_ExpectileLoss]
    q: ArrayLike
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, q: ArrayLike = 0.5, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class RankingSoftmaxLoss(_Calls14):
    loss: ClassVar[_PairwiseLogisticLoss]
    where: ArrayLike | None
    weight: ArrayLike | None
    axis: int
    sample_weight: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, where: ArrayLike | None = None, weight: ArrayLike | None = None, axis: int = -1, sample_weight: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class SigmoidFocalLoss(_Calls1):
    loss: ClassVar[_SigmoidFocalLoss]
    alpha: float | None
    gamma: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, alpha: float | None = 0.25, gamma: float = 2.0, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class SmoothL1Loss(_Calls1):
    loss: ClassVar[_SmoothL1Loss]
    beta: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, beta: float = 1.0, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class SoftMarginLoss(_Calls1):
    loss: ClassVar[_ExponentialLoss]
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls15(Criterion):
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., alpha: float | ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, alpha: float | ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _No = ..., alpha: float | ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., return_divisor: _Yes, alpha: float | ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, float]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _No = ..., alpha: float | ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(self, input: ArrayLike, target: ArrayLike, *, out: _Out = ..., grad_out: _Out = ..., hess_out: _Out = ..., return_divisor: _Yes, alpha: float | ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, Array, Array, float]: ...

class SoftmaxFocalLoss(_Calls15):
    loss: ClassVar[_SoftmaxFocalLoss]
    gamma: float
    alpha: float | ArrayLike | None
    ignore_index: int
    label_smoothing: float
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, gamma: float = 2.0, alpha: float | ArrayLike | None = None, ignore_index: int = -100, label_smoothing: float = 0.0, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class SparsemaxLoss(_Calls4):
    loss: ClassVar[_NllLoss]
    weight: ArrayLike | None
    ignore_index: int
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, ignore_index: int = -100, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class SquaredEpsilonInsensitiveLoss(_Calls1):
    loss: ClassVar[_EpsilonInsensitiveLoss]
    epsilon: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, epsilon: float = 0.1, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class SquaredHingeLoss(_Calls1):
    loss: ClassVar[_HingeEmbeddingLoss]
    margin: float
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, margin: float = 1.0, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class SupervisedContrastiveLoss(_Calls5):
    loss: ClassVar[_SupervisedContrastiveLoss]
    temperature: float
    normalize: bool
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, temperature: float = 0.07, *, normalize: bool = True, weight: ArrayLike | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls16(Criterion):
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array, Array]]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array, Array], float]: ...
    @overload
    def value_grad_hess(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., hess_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array, Array], tuple[Array, Array, Array]]: ...
    @overload
    def value_grad_hess(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., hess_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array, Array], tuple[Array, Array, Array], float]: ...

class TripletMarginLoss(_Calls16):
    loss: ClassVar[_TripletMarginLoss]
    margin: float
    p: float
    eps: float
    swap: bool
    axis: int
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, margin: float = 1.0, p: float = 2.0, eps: float = 1e-06, swap: bool = False, axis: int = -1, weight: ArrayLike | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class _Calls17(Criterion):
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, out: _Out = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> Any: ...
    @overload
    def __call__(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, out: _Out = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, float]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _No = ..., weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array, Array]]: ...
    @overload
    def value_and_grad(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, out: _Out = ..., grad_out: tuple[_Out, _Out, _Out] | None = ..., return_divisor: _Yes, weight: ArrayLike | None = ..., sample_weight: ArrayLike | None = ..., where: ArrayLike | None = ...) -> tuple[Any, tuple[Array, Array, Array], float]: ...
    def value_grad_hess(self, *args: Any, **kwargs: Any) -> NoReturn: ...

class TripletMarginWithDistanceLoss(_Calls17):
    loss: ClassVar[_TripletMarginWithDistanceLoss]
    distance_function: Any
    margin: float
    swap: bool
    weight: ArrayLike | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, distance_function: Any = None, margin: float = 1.0, swap: bool = False, weight: ArrayLike | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class TverskyLoss(_Calls4):
    loss: ClassVar[_TverskyLoss]
    weight: ArrayLike | None
    alpha: float
    beta: float
    mode: Literal["multiclass", "multilabel", "binary"]
    from_logits: bool
    smooth_nr: float
    smooth_dr: float
    per_image: bool
    ignore_index: int | None
    axis: int | None
    sample_weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, weight: ArrayLike | None = None, *, alpha: float = 0.5, beta: float = 0.5, mode: Literal["multiclass", "multilabel", "binary"] = "multiclass", from_logits: bool = True, smooth_nr: float = 1e-05, smooth_dr: float = 1e-05, per_image: bool = True, ignore_index: int | None = None, axis: int | None = None, sample_weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...

class TweedieLoss(_Calls1):
    loss: ClassVar[_TweedieLoss]
    power: float
    log_input: bool
    weight: ArrayLike | None
    where: ArrayLike | None
    reduction: Reduction
    def __init__(self, *, power: float = 1.5, log_input: bool = True, weight: ArrayLike | None = None, where: ArrayLike | None = None, reduction: Reduction = "mean") -> None: ...
