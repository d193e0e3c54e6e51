"""Record what scoringrules, properscoring and torch say of ensembles, categories and softmaxes.

    PYTHONPATH=. python tests/peers/record_ensembles.py    writes tests/data/ensembles_parity.json

Needs scoringrules, properscoring or torch; what is recorded of those that are not installed stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "ensembles_parity.json"
Case = dict[str, Any]


def ensembles(rng: np.random.Generator) -> Iterator[tuple[str, Any, Any]]:
    """Without ties, and with ties among the members and with the target."""
    for members in (1, 2, 5, 51):
        x, t = rng.normal(size=(2, members)).astype(np.float32), rng.normal(size=2)
        yield f"{members} members", x.astype(np.float64), t
    yield "ties", rng.integers(0, 4, (6, 9)).astype(float), np.array([0.0, 1, 2, 3, 1.5, -1])
    yield "all equal", np.full((2, 5), 1.1), np.array([1.1, 3.0])


def case(package: str, name: str, loss: str, value: Any, grad: Any = None, **call: Any) -> Case:
    return {
        "package": package,
        "name": name,
        "loss": loss,
        "call": {k: np.asarray(v).tolist() for k, v in call.items()},
        "value": np.asarray(value).tolist(),
        "grad": None if grad is None else np.asarray(grad).tolist(),
    }


def of_scoringrules() -> list[Case]:
    import scoringrules as sr

    rng, cases = np.random.default_rng(0), []
    for name, x, t in ensembles(rng):
        for fair in (False, True):
            if fair and x.shape[1] == 1:
                continue  # a quotient of zeros, which some of its backends warn of
            value = sr.crps_ensemble(t, x, estimator="fair" if fair else "nrg", backend="numpy")
            arrays = {"input": x, "target": t, "fair": fair}
            cases.append(case("scoringrules", name, "crps_ensemble", value, **arrays))
    for members, size in ((2, 3), (9, 1), (20, 5)):
        x, t = rng.normal(size=(3, members, size)), rng.normal(size=(3, size))
        for fair in (False, True):
            value = sr.es_ensemble(t, x, estimator="fair" if fair else "nrg", backend="numpy")
            arrays = {"input": x, "target": t, "fair": fair}
            cases.append(
                case("scoringrules", f"{members} of {size}", "energy_score", value, **arrays)
            )
    p = rng.dirichlet(np.ones(5), 6)
    y = rng.integers(0, 5, 6)
    value = sr.rps_score(y + 1, p, backend="numpy")  # it counts from 1
    cases.append(
        case("scoringrules", "categories", "ranked_probability_score", value, input=p, target=y)
    )
    return cases


def of_torch() -> list[Case]:
    """scoringrules' formulas differentiated by torch, and the usual lines for distillation."""
    import scoringrules as sr
    import torch
    from torch.nn import functional

    torch.set_default_dtype(torch.float64)
    rng, cases = np.random.default_rng(1), []
    for name, x, t in ensembles(rng):
        for fair in (False, True):
            if fair and x.shape[1] == 1:
                continue
            leaf = torch.tensor(x, requires_grad=True)
            value = sr.crps_ensemble(
                torch.tensor(t), leaf, estimator="fair" if fair else "nrg", backend="torch"
            )
            value.sum().backward()
            cases.append(
                case(
                    "scoringrules with torch",
                    name,
                    "crps_ensemble",
                    value.detach(),
                    leaf.grad,
                    input=x,
                    target=t,
                    fair=fair,
                )
            )
    for members, size in ((2, 3), (20, 5)):
        x, t = rng.normal(size=(3, members, size)), rng.normal(size=(3, size))
        leaf = torch.tensor(x, requires_grad=True)
        near = torch.linalg.norm(leaf - torch.tensor(t)[:, None], dim=-1).mean(-1)
        i, j = np.triu_indices(members, 1)
        apart = torch.linalg.norm(leaf[:, i] - leaf[:, j], dim=-1).sum(-1)
        value = near - apart / members**2
        value.sum().backward()
        arrays = {"input": x, "target": t}
        name = f"{members} of {size}"
        cases.append(case("torch", name, "energy_score", value.detach(), leaf.grad, **arrays))
    for temperature in (1.0, 2.0, 3.7):
        for reverse in (False, True):
            x, z = rng.normal(scale=3, size=(2, 6, 5))
            leaf, teacher = torch.tensor(x, requires_grad=True), torch.tensor(z)
            a = functional.log_softmax(leaf / temperature, 1)
            b = functional.log_softmax(teacher / temperature, 1)
            if reverse:
                a, b = b, a
            value = functional.kl_div(a, b, reduction="none", log_target=True).sum(1)
            value = value * temperature**2
            value.sum().backward()
            cases.append(
                case(
                    "torch",
                    f"temperature {temperature}, reverse {reverse}",
                    "distillation_loss",
                    value.detach(),
                    leaf.grad,
                    input=x,
                    teacher_logits=z,
                    temperature=temperature,
                    reverse=reverse,
                )
            )
    return cases


def of_properscoring() -> list[Case]:
    import properscoring as ps

    rng, cases = np.random.default_rng(2), []
    for name, x, t in ensembles(rng):
        value = ps.crps_ensemble(t, x)
        cases.append(case("properscoring", name, "crps_ensemble", value, input=x, target=t))
    return cases


PACKAGES = {
    "scoringrules": of_scoringrules,
    "torch": of_torch,
    "properscoring": of_properscoring,
}


def main() -> None:
    record = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    for name, make in PACKAGES.items():
        if find_spec(name):
            record[name] = {"version": version(name), "cases": make()}
    parts = []
    for name in sorted(record):
        lines = ",\n".join(json.dumps(c) for c in record[name]["cases"])
        parts.append(
            f'"{name}": {{"version": "{record[name]["version"]}", "cases": [\n{lines}\n]}}'
        )
    DATA.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
