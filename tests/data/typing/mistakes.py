"""Type checkers report an ignore that nothing needs: each of these must be an error to them."""

import numpy as np

import fusedloss as fl

x = np.zeros((3, 4))
labels = [0, 1, 2]

# ---- plain calls -------------------------------------------------------------------------------

fl.huber_loss(x, x, deltas=1.5)  # type: ignore
fl.huber_loss(x)  # type: ignore
fl.huber_loss(x, x, delta="1")  # type: ignore
fl.mse_loss(x, x, x)  # type: ignore
fl.mse_loss(x, x, reduction="average")  # type: ignore
fl.mse_loss(x, x, grad_out=x)  # type: ignore
fl.cross_entropy(x, labels, ignored=3)  # type: ignore
fl.hubber_loss(x, x)  # type: ignore
fl.dice_loss(x, labels, mode="multi")  # type: ignore

# ---- calls with buffers, and more results ------------------------------------------------------

fl.huber_loss(x, x, deltas=1.5, out=x)  # type: ignore
fl.huber_loss(x, out=x)  # type: ignore
fl.mse_loss(x, x, reduction="average", out=x)  # type: ignore
fl.mse_loss(x, x, reduction="average", return_divisor=True)  # type: ignore
fl.mse_loss(x, x, return_divisors=True)  # type: ignore
fl.mse_loss(x, x, out=[0.0])  # type: ignore

# ---- methods -----------------------------------------------------------------------------------

fl.huber_loss.value_and_grad(x, x, deltas=1.5)  # type: ignore
fl.huber_loss.value_and_grad(x)  # type: ignore
fl.huber_loss.value_and_grad(x, grad_out=x)  # type: ignore
fl.huber_loss.value_and_grad(x, x, delt=1.5, grad_out=x)  # type: ignore
fl.huber_loss.value_and_grad(x, x, reduction="average", grad_out=x)  # type: ignore
fl.huber_loss.value_grad_hess(x, x, reduction="average")  # type: ignore
fl.huber_loss.value_and_grad(x, x, hess_out=x)  # type: ignore
fl.gaussian_nll_loss.value_and_grad(x, x, x, grad_out=x)  # type: ignore
_, _, _ = fl.mse_loss.value_and_grad(x, x)  # type: ignore
_, _ = fl.cross_entropy.value_and_grad(x, labels, return_lse=True)  # type: ignore
_, _ = fl.mse_loss.value_and_grad(x, x, return_divisor=True)  # type: ignore

# ---- criteria ----------------------------------------------------------------------------------

fl.HuberLoss(deltas=1.5)  # type: ignore
fl.HuberLoss(reduction="average")  # type: ignore
fl.HuberLoss(delta="1")  # type: ignore
fl.HuberLoss(1.5)  # type: ignore
fl.HuberLoss().deltas = 1.5  # type: ignore
fl.HuberLoss().reduction = "average"  # type: ignore
fl.HuberLoss()(x)  # type: ignore
fl.HuberLoss()(x, x, delta=1.5)  # type: ignore
fl.HuberLoss().value_and_grad(x, x, gradout=x)  # type: ignore
fl.GaussianNLLLoss()(x, x)  # type: ignore
fl.CrossEntropyLoss(ignored_index=3)  # type: ignore

# ---- the rest ----------------------------------------------------------------------------------

fl.softmax(x, dim=1)  # type: ignore
fl.softmax.vjp(x)  # type: ignore
fl.set_num_threads("2")  # type: ignore
fl.get_include("x")  # type: ignore
reduction: fl.Reduction = "mean"  # type: ignore
