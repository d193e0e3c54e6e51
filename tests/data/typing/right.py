"""What type checkers must accept, with the types that they must find; Python runs it, too."""

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import fusedloss as fl

Array = npt.NDArray[Any]
Number = np.floating[Any]

x: npt.NDArray[np.float32] = np.zeros((3, 4), np.float32)
t = np.ones((3, 4))
labels = [0, 1, 2]
row = np.empty(3)
buffer = np.empty((3, 4))

# ---- values ------------------------------------------------------------------------------------

assert_type(fl.huber_loss(x, t), Number)
assert_type(fl.huber_loss(x, t, delta=1.5, weight=t, reduction="sum"), Number)
assert_type(fl.huber_loss(x, t, reduction="none"), Array)
assert_type(fl.huber_loss(x, t, out=np.empty(())), Array)
assert_type(fl.huber_loss(x, t, reduction="none", out=buffer, where=t), Array)
assert_type(fl.huber_loss(x, t, return_divisor=True), tuple[Any, float])
assert_type(fl.mse_loss(x.tolist(), 1.0), Number)
assert_type(
    fl.cross_entropy(x, labels, [1, 2, 3, 4], ignore_index=-1, label_smoothing=0.1, axis=1), Number
)
assert_type(fl.cross_entropy(x, labels, return_lse=True), tuple[Number, Array])
assert_type(fl.cross_entropy(x, labels, return_lse=True, reduction="none"), tuple[Array, Array])
assert_type(
    fl.cross_entropy(x, labels, return_lse=True, return_divisor=True), tuple[Any, Array, float]
)

# ---- gradients ---------------------------------------------------------------------------------

value, grad = fl.huber_loss.value_and_grad(x, t, delta=1.5, grad_out=buffer)
assert_type(value, Number)
assert_type(grad, Array)
assert_type(fl.mse_loss.value_grad_hess(x, 1.0, out=None), tuple[Number, Array, Array])
assert_type(
    fl.mse_loss.value_grad_hess(x, 1.0, hess_out=buffer, reduction="none", return_divisor=True),
    tuple[Any, Array, Array, float],
)
assert_type(fl.cross_entropy.value_and_grad(x, labels, axis=-1), tuple[Number, Array])
lse = fl.cross_entropy.value_grad_hess(x, labels, return_lse=True)
assert_type(lse, tuple[Number, Array, Array, Array])
pair = fl.gaussian_nll_loss.value_and_grad(x, t, t, grad_out=(buffer, None))
assert_type(pair, tuple[Number, tuple[Array, Array]])
three = fl.triplet_margin_loss.value_and_grad(x, t, t + 1)
assert_type(three[1], tuple[Array, Array, Array])
assert_type(fl.kl_div.value_and_grad(x, t), tuple[Number, Array])
both = fl.kl_div.value_and_grad(x, t, target_grad=True)
assert_type(both, tuple[Number, tuple[Array, ...]])
several = fl.info_nce_loss.value_and_grad(x, t)
assert_type(several[1], tuple[Array, ...])

# ---- criteria ----------------------------------------------------------------------------------

criterion = fl.CrossEntropyLoss(weight=[1, 2, 3, 4], ignore_index=-1)
assert_type(criterion.ignore_index, int)
assert_type(criterion.label_smoothing, float)
mean = criterion(x, labels, weight=[1, 1, 1, 1], out=np.empty(()))
params: dict[str, object] = criterion.set_params(reduction="sum").get_params()
same: bool = criterion == fl.CrossEntropyLoss([1.0, 2.0, 3.0, 4.0])
called: str = criterion.__name__
huber = fl.HuberLoss(delta=2.0)
huber.delta = 3.0
assert_type(huber.delta, float)
assert_type(huber.value_and_grad(x, t, grad_out=buffer), tuple[Any, Array])
assert_type(huber.value_grad_hess(x, t, weight=t), tuple[Any, Array, Array])
assert_type(huber.value_and_grad(x, t, return_divisor=True), tuple[Any, Array, float])
assert_type(fl.GaussianNLLLoss().value_and_grad(x, t, t), tuple[Any, tuple[Array, Array]])
assert_type(fl.HuberLoss.loss(x, t, delta=1.0), Number)
any_loss: fl.Loss[...] = fl.huber_loss
any_criterion: fl.Criterion = huber

# ---- the rest ----------------------------------------------------------------------------------

assert_type(fl.softmax(x, axis=1, out=x), Array)
assert_type(fl.softmax.vjp(x, t, axis=1, grad_out=x), Array)
s = fl.logsumexp(x, axis=(0, 1), keepdims=True)
assert_type(fl.cosine_similarity.vjp(x, t, row), tuple[Array, Array])
fl.set_num_threads(2)
fl.set_num_threads(None)
assert_type(fl.get_num_threads(), int)
assert_type(fl.get_include(), str)
assert_type(fl.capi.bind(fl.huber_loss, delta=1.5).address, int)
assert fl.__version__

# What the checkers believe is so.
assert isinstance(value, np.floating) and isinstance(grad, np.ndarray)
assert [len(r) for r in (lse, pair, pair[1], three[1], both[1], several[1])] == [4, 2, 2, 3, 2, 2]
