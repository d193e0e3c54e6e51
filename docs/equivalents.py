"""The same loss under other names: the rows of docs/equivalents.md.

Each row has a call of theirs and the call here that gives its number, both of the same arrays.
tests/peers/record_equivalents.py makes the calls of theirs, and tests/test_equivalents.py compares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    """`theirs` is code, or with a `record` of tests/data/others.json a name; without `here` the
    loss is not here, for the reason given."""

    library: str
    theirs: str
    here: str
    remark: str = ""
    record: str = ""

    @property
    def exists(self) -> bool:
        """Whether all that the call names is there."""
        import fusedloss

        return all(hasattr(fusedloss, name) for name in re.findall(r"\bfl\.(\w+)", self.here))


ROWS: list[Row] = []


def add(library: str, *rows: tuple[str, ...]) -> None:
    ROWS.extend(Row(library, *row) for row in rows)


def arrays() -> dict[str, Any]:
    """The arrays that the calls name."""
    scores = np.array([[0.5, -1.25, 2.0], [1.5, 0.125, -0.75], [0.0, 0.75, 0.25], [-2.0, 1.0, 2.5]])
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    classes = np.array([2, 0, 0, 1])
    q = np.array([[0.5, 0.25, 0.25], [0.125, 0.625, 0.25]])
    p = np.array([[0.25, 0.25, 0.5], [0.5, 0.375, 0.125]])
    a = np.array([[1.0, 0.5, -0.25], [0.0, 2.0, 1.0], [-1.0, 0.25, 0.5], [0.5, 0.5, -1.5]])
    labels = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    x = np.array([[0.5, -1.25, 3.0], [2.0, 0.125, -0.75]])
    images = np.stack([scores.T.reshape(3, 2, 2), scores[::-1].T.reshape(3, 2, 2) / 2])
    regions = np.stack([classes, classes[::-1]]).reshape(2, 2, 2)
    return {
        "input": x,
        "target": np.array([[0.0, -1.0, 0.5], [2.0, 1.0, -3.0]]),
        "weight": np.array([[1.0, 0.0, 2.0], [0.5, 3.0, 0.0]]),
        "labels": labels,
        "signs": 2 * labels - 1,
        "probabilities": np.array([[0.75, 0.125, 0.5], [0.9, 0.0625, 0.25]]),
        "rates": np.array([[0.5, 1.25, 3.0], [2.0, 0.125, 0.75]]),
        "counts": np.array([[0.0, 1.0, 2.5], [2.0, 0.5, 7.0]]),
        "amounts": np.array([[0.5, 1.5, 3.0], [2.5, 1.0, 7.5]]),
        "events": np.array([[0.0, 1.0, 4.0], [2.0, 0.0, 7.0]]),
        "trials": np.array([[3.0, 2.0, 4.0], [5.0, 1.0, 9.0]]),
        "p": p,
        "q": q,
        "log_p": np.log(p),
        "log_q": np.log(q),
        "scores": scores,
        "shares": shares,
        "classes": classes,
        "one_hot": np.eye(3)[classes],
        "mixed": np.array([[0.5, 0.25, 0.25], [0.125, 0.625, 0.25], [0, 1, 0], [0.75, 0, 0.25]]),
        "class_weight": np.array([0.5, 2.0, 1.25]),
        "lists": np.array([[2, -1, 0], [1, 0, -1], [-1, 2, 2], [0, 2, 1]]),
        "relevance": np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 0.0], [3.0, 1.0, 0.0], [0.0, 1.0, 2.0]]),
        "a": a,
        "b": a[::-1] * 0.75 + 0.25,
        "c": np.roll(a, 1, axis=0) - 0.125,
        "alike": np.array([1.0, -1.0, -1.0, 1.0]),
        "groups": np.array([0, 1, 0, 1]),
        "unit": a / np.linalg.norm(a, axis=1, keepdims=True),
        "other_unit": a[::-1] / np.linalg.norm(a[::-1], axis=1, keepdims=True),
        "risk": np.array([0.5, -1.25, 2.0, 0.25]),
        "times": np.array([4.0, 2.0, 5.0, 2.0]),
        "seen": np.array([True, True, False, True]),
        "uppers": np.array([4.0, 3.5, np.inf, 2.0]),
        "grades": np.array([3, 0, 1, 2]),
        "thresholds": np.array([-1.5, -0.25, 0.5]),
        "reached": np.arange(3) < np.array([[3], [0], [1], [2]]),
        "bit_weight": np.array([0.5, 2.0, 1.25]),
        "boxes1": np.array([[0.0, 0.0, 2.0, 1.0], [1.0, 1.0, 3.0, 4.0]]),
        "boxes2": np.array([[0.5, 0.25, 2.0, 2.0], [4.0, 5.0, 6.0, 7.0]]),
        "images": images,
        "masks": np.eye(3)[regions].transpose(0, 3, 1, 2),
        "regions": regions,
        "steps": np.stack([scores, scores[::-1] * 0.5, np.roll(scores, 1, axis=0)], axis=1),
        "labels_of_steps": np.array([[1, 2], [2, 2], [1, 0]]),
        "label_counts": np.array([2, 2, 1]),
        "step_counts": np.array([4, 4, 3]),
    }


# ---- torch ---------------------------------------------------------------------------------------

add(
    "torch.nn.functional",
    ("F.l1_loss(input, target)", "fl.l1_loss(input, target)"),
    (
        "F.mse_loss(input, target, weight=weight)",
        "fl.mse_loss(input, target, weight=weight)",
        "the mean divides by the sum of the weights",
    ),
    (
        "F.huber_loss(input, target, delta=1.5, weight=weight)",
        "fl.huber_loss(input, target, delta=1.5, weight=weight)",
        "the mean divides by the number of elements",
    ),
    ("F.smooth_l1_loss(input, target, beta=0.5)", "fl.smooth_l1_loss(input, target, beta=0.5)"),
    (
        "F.binary_cross_entropy(probabilities, labels)",
        "fl.binary_cross_entropy(probabilities, labels)",
    ),
    (
        "F.binary_cross_entropy_with_logits(input, labels, weight, pos_weight=rates)",
        "fl.binary_cross_entropy_with_logits(input, labels, weight=weight, pos_weight=rates)",
    ),
    (
        "F.cross_entropy(scores, classes, class_weight, label_smoothing=0.1)",
        "fl.cross_entropy(scores, classes, class_weight, label_smoothing=0.1)",
    ),
    ("F.cross_entropy(scores, mixed)", "fl.cross_entropy(scores, mixed)"),
    (
        "F.nll_loss(F.log_softmax(scores, 1), classes, ignore_index=1)",
        "fl.nll_loss(fl.log_softmax(scores), classes, ignore_index=1)",
    ),
    ("F.kl_div(log_p, q, reduction='batchmean')", "fl.kl_div(log_p, q, reduction='batchmean')"),
    ("F.kl_div(log_p, log_q, log_target=True)", "fl.kl_div(log_p, log_q, log_target=True)"),
    (
        "F.poisson_nll_loss(input, counts, full=True)",
        "fl.poisson_nll_loss(input, counts, full=True)",
    ),
    (
        "F.gaussian_nll_loss(input, target, amounts)",
        "fl.gaussian_nll_loss(input, target, amounts)",
    ),
    (
        "F.hinge_embedding_loss(input, signs, margin=0.5)",
        "fl.hinge_embedding_loss(input, signs, margin=0.5)",
    ),
    (
        "F.ctc_loss(steps.log_softmax(-1), labels_of_steps, step_counts, label_counts)",
        "fl.ctc_loss_with_logits(steps, labels_of_steps, step_counts, label_counts)",
        "the gradients are equal, too; log-probabilities of any kind are for `fl.ctc_loss`",
    ),
    (
        "F.margin_ranking_loss(input, target, signs, margin=0.5)",
        "fl.margin_ranking_loss(input, target, signs, margin=0.5)",
    ),
    ("F.soft_margin_loss(input, signs)", "fl.soft_margin_loss(input, signs)"),
    (
        "F.multi_margin_loss(scores, classes, p=2, weight=class_weight)",
        "fl.multi_margin_loss(scores, classes, class_weight, p=2)",
    ),
    ("F.multilabel_margin_loss(scores, lists)", "fl.multilabel_margin_loss(scores, lists)"),
    (
        "F.multilabel_soft_margin_loss(input, labels)",
        "fl.multilabel_soft_margin_loss(input, labels)",
    ),
    (
        "F.cosine_embedding_loss(a, b, alike, margin=0.25)",
        "fl.cosine_embedding_loss(a, b, alike, margin=0.25)",
    ),
    ("F.cosine_similarity(a, b)", "fl.cosine_similarity(a, b)", "no loss, but often used as one"),
    ("F.pairwise_distance(a, b)", "fl.pairwise_distance(a, b)", "the same"),
    ("F.normalize(a)", "fl.normalize(a)", "the same"),
    (
        "F.triplet_margin_loss(a, b, c, margin=0.5, swap=True)",
        "fl.triplet_margin_loss(a, b, c, margin=0.5, swap=True)",
    ),
    (
        "F.triplet_margin_with_distance_loss(a, b, c)",
        "fl.triplet_margin_with_distance_loss(a, b, c)",
    ),
    (
        "F.cross_entropy(F.normalize(a) @ F.normalize(b).T / 0.07, torch.arange(4))",
        "fl.info_nce_loss(a, b)",
        "not there under a name",
    ),
    (
        "F.linear_cross_entropy(a, scores, classes)",
        "fl.linear_cross_entropy(a, scores, classes)",
        "whatever its `options`, logits are held for some rows at a time",
    ),
    ("nn.AdaptiveLogSoftmaxWithLoss", "", "a layer with weights of its own"),
)
add(
    "torch.distributions",
    (
        "-D.StudentT(4.0, input, rates).log_prob(target)",
        "fl.student_t_nll_loss(input, target, rates, df=4.0, reduction='none')",
        "infinite there, with gradient 0, where the square of the residual is beyond all numbers",
    ),
    *(
        (
            f"-D.{theirs}(input, rates).log_prob(target)",
            f"fl.{name}_nll_loss(input, target, rates, reduction='none')",
        )
        for theirs, name in (("Laplace", "laplace"), ("Gumbel", "gumbel"))
    ),
    (
        "-D.LogNormal(input, rates).log_prob(amounts)",
        "fl.log_normal_nll_loss(input, amounts, rates, reduction='none')",
    ),
    (
        "-D.Weibull(input.exp(), rates).log_prob(amounts)",
        "fl.weibull_nll_loss(input, amounts, rates, reduction='none')",
        "the logarithm of the scale here",
    ),
    (
        "-D.Gamma(rates, rates / input.exp()).log_prob(amounts)",
        "fl.gamma_shape_nll_loss(input, amounts, rates, reduction='none')",
        "the logarithm of the mean, shape / rate, here",
    ),
    (
        "-D.NegativeBinomial(1 / rates, logits=input + rates.log()).log_prob(events)",
        "fl.negative_binomial_nll_loss(input, events, rates, reduction='none')",
        "the logarithm of the mean and the dispersion, 1 / total_count, here",
    ),
    (
        "-D.Binomial(trials, logits=input).log_prob(events)",
        "fl.binomial_nll_loss(input, events, trials, reduction='none')",
    ),
    (
        "-D.Beta(rates * input.sigmoid(), rates * (-input).sigmoid()).log_prob(probabilities)",
        "fl.beta_nll_loss(input, probabilities, rates, reduction='none')",
        "the logit of the mean and the precision, the sum of the concentrations, here",
    ),
)
add(
    "scoringrules",
    *(
        (
            f"sr.crps_{name}(target, input, rates)",
            f"fl.crps_{name}(input, target, rates, reduction='none')",
        )
        for name in ("normal", "logistic", "laplace")
    ),
    (
        "sr.crps_t(target, 4.0, input, rates)",
        "fl.crps_student_t(input, target, rates, df=4.0, reduction='none')",
    ),
    (
        "sr.interval_score(target, input, input + rates, 0.1)",
        "fl.interval_score(input, input + rates, target, alpha=0.1, reduction='none')",
    ),
    (
        "sr.quantile_score(target, input, 0.75)",
        "fl.quantile_loss(input, target, q=0.75, reduction='none')",
    ),
)
add(
    "properscoring",
    (
        "ps.crps_gaussian(target, input, rates)",
        "fl.crps_normal(input, target, rates, reduction='none')",
    ),
)
add(
    "scipy.stats",
    (
        "-stats.nbinom.logpmf(events, 1 / rates, 1 / (1 + rates * np.exp(input)))",
        "fl.negative_binomial_nll_loss(input, events, rates, reduction='none')",
        "the logarithm of the mean and the dispersion, 1 / n, here",
    ),
    (
        "-stats.binom.logpmf(events, trials, 1 / (1 + np.exp(-input)))",
        "fl.binomial_nll_loss(input, events, trials, reduction='none')",
        "the logit of p here",
    ),
    (
        "-stats.beta.logpdf(probabilities, rates / (1 + np.exp(-input)), "
        "rates / (1 + np.exp(input)))",
        "fl.beta_nll_loss(input, probabilities, rates, reduction='none')",
        "the logit of the mean and the precision, a + b, here",
    ),
    (
        "-stats.betabinom.logpmf(events, trials, 1 / (1 + np.exp(-input)) / rates, "
        "1 / (1 + np.exp(input)) / rates)",
        "fl.beta_binomial_nll_loss(input, events, trials, rates, reduction='none')",
        "the logit of the mean and the dispersion, 1 / (a + b), here",
    ),
    *(
        (
            f"-stats.{theirs}.logpdf({operands})",
            f"fl.{name}_nll_loss(input, {target}, rates, {more}reduction='none')",
            *remark,
        )
        for theirs, operands, name, target, more, *remark in (
            ("t", "target, 4.0, input, rates", "student_t", "target", "df=4.0, "),
            ("laplace", "target, input, rates", "laplace", "target", ""),
            ("logistic", "target, input, rates", "logistic", "target", ""),
            (
                "gumbel_r",
                "target, input, rates",
                "gumbel",
                "target",
                "",
                "`gumbel_l`: change the signs of input and target",
            ),
            ("lognorm", "amounts, rates, scale=np.exp(input)", "log_normal", "amounts", ""),
            ("weibull_min", "amounts, rates, scale=np.exp(input)", "weibull", "amounts", ""),
            ("gamma", "amounts, rates, scale=np.exp(input) / rates", "gamma_shape", "amounts", ""),
        )
    ),
    *(
        (
            f"-stats.{theirs}, scale=np.exp(risk))",
            f"fl.aft_loss(risk, {bounds}, 0.8, {more}reduction='none')",
            remark,
        )
        for theirs, bounds, more, remark in (
            ("lognorm.logsf(times, 0.8", "times, np.inf", "", "censored on the right"),
            (
                "fisk.logsf(times, 1 / 0.8",
                "times, np.inf",
                "distribution='logistic', ",
                "censored on the right",
            ),
            (
                "weibull_min.logcdf(times, 1 / 0.8",
                "0, times",
                "distribution='extreme', ",
                "censored on the left",
            ),
        )
    ),
)
add(
    "statsmodels",
    *(
        (
            f"-PHReg(times, np.eye(4), seen, ties='{ties}').loglike(risk)",
            f"fl.cox_ph_loss(risk, times, seen, ties='{ties}', reduction='sum')",
            "`risk` is `exog @ params`",
        )
        for ties in ("efron", "breslow")
    ),
    *(
        (
            f"-OrderedModel(grades, risk[:, None], distr='{link}').loglike("
            "np.append([1, thresholds[0]], np.log(np.diff(thresholds))))",
            f"fl.ordinal_loss(risk, thresholds, grades, link='{link}', reduction='sum')",
            "adds 1e-20 to each probability",
        )
        for link in ("logit", "probit")
    ),
    *(
        (
            f"-sm.{theirs}(events.ravel(), input.ravel()).loglikeobs({params})",
            f"fl.{name}_nll_loss(input.ravel(), events.ravel(), {more}, reduction='none')",
            remark,
        )
        for theirs, name, params, more, remark in (
            ("Poisson", "poisson", "[1.0]", "full='exact'", ""),
            (
                "NegativeBinomial",
                "negative_binomial",
                "[1.0, np.log(0.75)]",
                "0.75",
                "the parameters are the coefficients, and last the dispersion: its logarithm "
                "before `fit`, itself in what `fit` gives",
            ),
            (
                "ZeroInflatedPoisson",
                "zero_inflated_poisson",
                "[-0.5, 1.0]",
                "-0.5",
                "the parameters are the logit of an additional zero, then the coefficients",
            ),
            (
                "ZeroInflatedNegativeBinomialP",
                "zero_inflated_negative_binomial",
                "[-0.5, 1.0, 0.75]",
                "0.75, -0.5",
                "the parameters are the logit, the coefficients, and the dispersion last",
            ),
        )
    ),
    (
        "-BetaModel(probabilities.ravel(), input.ravel()).loglikeobs([1.0, np.log(4.0)])",
        "fl.beta_nll_loss(input.ravel(), probabilities.ravel(), 4.0, reduction='none')",
        "the parameters are the coefficients, and the logarithm of the precision last",
    ),
)
add(
    "scikit-survival",
    *(
        (
            f"CoxPHOptimizer(np.eye(4), seen, times, np.zeros(4), '{ties}').nlog_likelihood(risk)",
            f"fl.cox_ph_loss(risk, times, seen, ties='{ties}', reduction='batchmean')",
            "what `CoxPHSurvivalAnalysis` minimizes",
        )
        for ties in ("efron", "breslow")
    ),
)
add(
    "lifelines",
    (
        "CoxPHFitter, LogNormalAFTFitter, LogLogisticAFTFitter, WeibullAFTFitter",
        "",
        "they have no call for given parameters; at those of a fit `log_likelihood_` is minus the "
        "sum of `fl.cox_ph_loss` or `fl.aft_loss`, see survival.md",
    ),
)
add(
    "mord",
    *(
        (
            f"obj_margin(np.append(1, thresholds), risk[:, None], grades, 0, 4, {near}, np.eye(3), "
            "np.ones(4))",
            f"fl.{loss}(risk, thresholds, grades, reduction='sum')",
            f"what `{model}` minimizes, without its penalty; its thresholds are sums of parameters",
        )
        for near, loss, model in (
            ("np.ones((4, 3))", "all_threshold_loss", "LogisticAT"),
            ("np.eye(4, 3) + np.eye(4, 3, -1)", "immediate_threshold_loss", "LogisticIT"),
        )
    ),
)
add(
    "torchvision.ops",
    (
        "ops.sigmoid_focal_loss(input, labels)",
        "fl.sigmoid_focal_loss(input, labels, reduction='none')",
        'the default there is "none"',
    ),
    *(
        (f"ops.{name}(boxes1, boxes2)", f"fl.{name}(boxes1, boxes2, reduction='none')")
        for name in (
            "generalized_box_iou_loss",
            "distance_box_iou_loss",
            "complete_box_iou_loss",
        )
    ),
)

add(
    "coral-pytorch",
    (
        "coral_loss(scores, reached.double(), bit_weight)",
        "fl.coral_loss(scores, grades, weight=bit_weight)",
        "the bits `reached`, one for each threshold; here the grades",
    ),
    (
        "corn_loss(scores, grades, 4)",
        "fl.corn_loss(scores, grades)",
        "the mean is over the logits that take part",
    ),
)

# ---- TensorFlow ----------------------------------------------------------------------------------

BY_NONZERO = "reduction='sum_by_nonzero_weights'"
add(
    "tf.losses (v1)",
    (
        "losses.absolute_difference(target, input, weight)",
        f"fl.l1_loss(input, target, weight=weight, {BY_NONZERO})",
    ),
    (
        "losses.cosine_distance(other_unit, unit, axis=1)",
        f"fl.cosine_distance(unit, other_unit, {BY_NONZERO})",
        "there the vectors must have length 1",
    ),
    (
        "losses.hinge_loss(labels, input)",
        f"fl.hinge_loss(input, signs, {BY_NONZERO})",
        "labels 0 and 1; here -1 and 1, or booleans",
    ),
    (
        "losses.huber_loss(target, input, delta=1.5)",
        f"fl.huber_loss(input, target, delta=1.5, {BY_NONZERO})",
    ),
    (
        "losses.log_loss(labels, probabilities, epsilon=0.0)",
        f"fl.binary_cross_entropy(probabilities, labels, log_clamp=None, {BY_NONZERO})",
        "adds ε = 1e-7 within the logarithms by default",
    ),
    (
        "losses.mean_pairwise_squared_error(target, input, np.ones((2, 1)))",
        "fl.mean_pairwise_squared_error(input, target, reduction='sum')",
        "with a single weight, its default, it counts the elements of the batch for each row",
    ),
    (
        "losses.mean_squared_error(target, input)",
        f"fl.mse_loss(input, target, {BY_NONZERO})",
    ),
    (
        "losses.sigmoid_cross_entropy(labels, input)",
        f"fl.binary_cross_entropy_with_logits(input, labels, {BY_NONZERO})",
        "label smoothing ε: labels (1 - ε) + ε / 2",
    ),
    (
        "losses.softmax_cross_entropy(one_hot, scores, label_smoothing=0.1)",
        f"fl.cross_entropy(scores, one_hot, label_smoothing=0.1, {BY_NONZERO})",
        "or class numbers",
    ),
    (
        "losses.sparse_softmax_cross_entropy(classes, scores)",
        f"fl.cross_entropy(scores, classes, {BY_NONZERO})",
        "weights of rows; here of classes",
    ),
    (
        "losses.compute_weighted_loss",
        "",
        "what `weight=` and `reduction=` do: SUM, NONE, MEAN (`'weighted_mean'`), "
        "SUM_OVER_BATCH_SIZE (`'mean'`), SUM_BY_NONZERO_WEIGHTS",
    ),
)
add(
    "tf.nn",
    (
        "nn.log_poisson_loss(counts, input, compute_full_loss=True)",
        "fl.poisson_nll_loss(input, counts, full=True, reduction='none')",
    ),
    (
        "nn.sigmoid_cross_entropy_with_logits(labels, input)",
        "fl.binary_cross_entropy_with_logits(input, labels, reduction='none')",
    ),
    (
        "nn.weighted_cross_entropy_with_logits(labels, input, rates)",
        "fl.binary_cross_entropy_with_logits(input, labels, pos_weight=rates, reduction='none')",
    ),
    (
        "nn.softmax_cross_entropy_with_logits(mixed, scores)",
        "fl.cross_entropy(scores, mixed, axis=-1, reduction='none')",
        "the classes are on the last axis",
    ),
    (
        "nn.sparse_softmax_cross_entropy_with_logits(classes, scores)",
        "fl.cross_entropy(scores, classes, axis=-1, reduction='none')",
        "the same",
    ),
    ("nn.l2_loss(input)", "0.5 * fl.mse_loss(input, 0 * input, reduction='sum')"),
    ("nn.ctc_loss", "", "not compared; `fl.ctc_loss_with_logits` is the same sum"),
    ("nn.nce_loss", "", "draws classes at random, and has the weights of a layer"),
    ("nn.sampled_softmax_loss", "", "the same"),
    ("nn.compute_average_loss", "", "a sum divided by a batch size over replicas"),
)

# ---- Keras ---------------------------------------------------------------------------------------

add(
    "Keras",
    ("losses.MeanSquaredError()(target, input)", "fl.mse_loss(input, target)"),
    ("losses.MeanAbsoluteError()(target, input)", "fl.l1_loss(input, target)"),
    (
        "losses.MeanAbsolutePercentageError()(target, input)",
        "100 * fl.mape_loss(input, target, eps=1e-7)",
    ),
    (
        "losses.MeanSquaredLogarithmicError()(counts, rates)",
        "fl.msle_loss(rates, counts)",
        "raises both to 1e-7",
    ),
    (
        "losses.CosineSimilarity()(b, a)",
        "fl.cosine_distance(a, b) - 1",
        "the cosine with a minus",
    ),
    ("losses.Huber(delta=1.5)(target, input)", "fl.huber_loss(input, target, delta=1.5)"),
    ("losses.LogCosh()(target, input)", "fl.log_cosh_loss(input, target)"),
    (
        "losses.Hinge()(labels, input)",
        "fl.hinge_loss(input, signs)",
        "takes 0 and 1 for -1 and 1, if there are no others",
    ),
    ("losses.SquaredHinge()(labels, input)", "fl.squared_hinge_loss(input, signs)", "the same"),
    (
        "losses.CategoricalHinge()(one_hot, scores + 3)",
        "fl.categorical_hinge_loss(scores + 3, classes)",
        "counts a 0 among the wrong scores",
    ),
    (
        "losses.KLDivergence()(q, p)",
        "fl.kl_div(np.log(p), q, reduction='batchmean')",
        "of probabilities, clipped at 1e-7",
    ),
    (
        "losses.Poisson()(counts, rates)",
        "fl.poisson_nll_loss(rates, counts, log_input=False, eps=1e-7)",
    ),
    (
        "losses.BinaryCrossentropy()(labels, probabilities)",
        "fl.binary_cross_entropy(probabilities, labels)",
        "clipped at 1e-7; here the logarithm at -100",
    ),
    (
        "losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)(labels, input)",
        "fl.binary_cross_entropy_with_logits(input, 0.9 * labels + 0.05)",
    ),
    (
        "losses.BinaryFocalCrossentropy(from_logits=True)(labels, input)",
        "fl.sigmoid_focal_loss(input, labels, alpha=None)",
        "`apply_class_balancing=True` is `alpha=0.25`",
    ),
    (
        "losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(mixed, scores)",
        "fl.cross_entropy(scores, mixed, label_smoothing=0.1, axis=-1)",
    ),
    (
        "losses.CategoricalCrossentropy()(one_hot, shares)",
        "fl.nll_loss(np.log(shares), classes)",
        "of probabilities, clipped at 1e-7",
    ),
    (
        "losses.CategoricalFocalCrossentropy(from_logits=True)(one_hot, scores)",
        "fl.softmax_focal_loss(scores, classes, alpha=0.25, axis=-1)",
        "clipped at 1e-7",
    ),
    (
        "losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)(classes, scores)",
        "fl.cross_entropy(scores, classes, ignore_index=1, axis=-1)",
    ),
    (
        "losses.CategoricalGeneralizedCrossEntropy(q=0.7)(classes, shares)",
        "fl.generalized_cross_entropy_loss(scores, classes, q=0.7, axis=-1)",
        "of probabilities; here of scores",
    ),
    (
        "losses.Dice()(labels, probabilities)",
        "fl.dice_loss(probabilities, labels, mode='binary', from_logits=False, per_image=False, "
        "smooth_nr=0.0, smooth_dr=1e-7)",
        "one region of the whole batch",
    ),
    (
        "losses.Tversky(alpha=0.3, beta=0.7)(labels, probabilities)",
        "fl.tversky_loss(probabilities, labels, alpha=0.7, beta=0.3, mode='binary', "
        "from_logits=False, per_image=False, smooth_nr=0.0, smooth_dr=1e-7)",
        "its alpha is of what is missed, against its documentation",
    ),
    (
        "losses.Circle()(groups, unit)",
        "fl.circle_loss(unit, groups)",
        "vectors of length 1; other vectors are made so here",
    ),
    ("losses.CTC", "", "not compared; `fl.ctc_loss_with_logits` is the same sum, steps first"),
)

# ---- optax ---------------------------------------------------------------------------------------

NONE = "reduction='none'"
add(
    "optax",
    ("optax.losses.squared_error(input, target)", f"fl.mse_loss(input, target, {NONE})"),
    ("optax.losses.l2_loss(input, target)", f"0.5 * fl.mse_loss(input, target, {NONE})"),
    (
        "optax.losses.huber_loss(input, target, delta=1.5)",
        f"fl.huber_loss(input, target, delta=1.5, {NONE})",
    ),
    ("optax.losses.log_cosh(input, target)", f"fl.log_cosh_loss(input, target, {NONE})"),
    (
        "optax.losses.cosine_similarity(a, b)",
        "fl.cosine_similarity(a, b, axis=-1)",
        "`epsilon=0` there, 1e-8 here",
    ),
    ("optax.losses.cosine_distance(a, b)", f"fl.cosine_distance(a, b, {NONE})", "the same"),
    (
        "optax.losses.sigmoid_binary_cross_entropy(input, labels)",
        f"fl.binary_cross_entropy_with_logits(input, labels, {NONE})",
    ),
    (
        "optax.losses.sigmoid_focal_loss(input, labels)",
        f"fl.sigmoid_focal_loss(input, labels, alpha=None, {NONE})",
    ),
    (
        "optax.losses.softmax_cross_entropy(scores, mixed)",
        f"fl.cross_entropy(scores, mixed, axis=-1, {NONE})",
    ),
    (
        "optax.losses.safe_softmax_cross_entropy(scores, mixed)",
        f"fl.cross_entropy(scores, mixed, axis=-1, {NONE})",
        "a logit of -inf of probability 0 counts for nothing here, too",
    ),
    (
        "optax.losses.softmax_cross_entropy_with_integer_labels(scores, classes)",
        f"fl.cross_entropy(scores, classes, axis=-1, {NONE})",
    ),
    (
        "optax.losses.softmax_cross_entropy(scores, optax.losses.smooth_labels(one_hot, 0.1))",
        f"fl.cross_entropy(scores, classes, label_smoothing=0.1, axis=-1, {NONE})",
    ),
    (
        "optax.losses.poly_loss_cross_entropy(scores, mixed)",
        f"fl.poly_cross_entropy_loss(scores, mixed, epsilon=2.0, axis=-1, {NONE})",
    ),
    ("optax.losses.hinge_loss(input, signs)", f"fl.hinge_loss(input, signs, {NONE})"),
    (
        "optax.losses.perceptron_loss(input, signs)",
        f"fl.hinge_loss(input, signs, margin=0, {NONE})",
    ),
    (
        "optax.losses.multiclass_hinge_loss(scores, classes)",
        f"fl.categorical_hinge_loss(scores, classes, {NONE})",
        "half the slope at the kink there",
    ),
    (
        "optax.losses.multiclass_perceptron_loss(scores, classes)",
        f"fl.categorical_hinge_loss(scores, classes, margin=0, {NONE})",
        "the same",
    ),
    (
        "optax.losses.sparsemax_loss(input, labels)",
        f"fl.sparsemax_loss(np.stack([0 * input, input], -1), labels.astype(int), axis=-1, {NONE})",
        "two classes",
    ),
    (
        "optax.losses.multiclass_sparsemax_loss(scores, classes)",
        f"fl.sparsemax_loss(scores, classes, {NONE})",
    ),
    ("optax.losses.kl_divergence(log_p, q)", f"fl.kl_div(log_p, q, {NONE}).sum(-1)"),
    (
        "optax.losses.kl_divergence_with_log_targets(log_p, log_q)",
        f"fl.kl_div(log_p, log_q, log_target=True, {NONE}).sum(-1)",
    ),
    (
        "optax.losses.generalized_kl_divergence(log_p, 2 * q)",
        f"(fl.kl_div(log_p, 2 * q, {NONE}) + p - 2 * q).sum(-1)",
    ),
    (
        "optax.losses.convex_kl_divergence(log_p, 2 * q)",
        f"(fl.kl_div(log_p, 2 * q, {NONE}) + p - 2 * q).sum(-1)",
    ),
    (
        "optax.losses.ntxent(a, groups)",
        "fl.supervised_contrastive_loss(a, groups)",
        "for labels that occur twice each; where one occurs more often, it leaves the other "
        "positives out of a positive's sum",
    ),
    (
        "optax.losses.triplet_margin_loss(a, b, c, eps=0.0)",
        f"fl.triplet_margin_loss(a, b, c, eps=0.0, {NONE})",
        "adds ε = 1e-6 within the root; here to the differences",
    ),
    (
        "optax.losses.ranking_softmax_loss(scores, relevance)",
        "fl.ranking_softmax_loss(scores, relevance)",
    ),
    (
        "optax.losses.ctc_loss(np.moveaxis(steps, 0, 1), "
        "1.0 * (np.arange(4) >= step_counts[:, None]), "
        "labels_of_steps, 1.0 * (np.arange(2) >= label_counts[:, None]))",
        f"fl.ctc_loss_with_logits(steps, labels_of_steps, step_counts, label_counts, {NONE})",
        "sequences first, masks of the padding; about 1e5 where no alignment has the labels",
    ),
    (
        "optax.losses.dice_loss(np.moveaxis(images, 1, -1), np.moveaxis(masks, 1, -1)).mean()",
        "fl.dice_loss(images, regions, smooth_nr=2.0, smooth_dr=2.0)",
        "smooth counts twice; probabilities: `apply_softmax=False`, here `from_logits=False`",
    ),
    (
        "optax.losses.binary_dice_loss(images[:, :1], masks[:, :1]).mean()",
        "fl.dice_loss(images[:, :1], masks[:, :1], mode='binary', smooth_nr=2.0, smooth_dr=2.0)",
        "the same",
    ),
    (
        "optax.losses.multiclass_generalized_dice_loss",
        "",
        "weights of the classes from the whole batch by 1 / volume²; `fl.generalized_dice_loss` "
        "has MONAI's",
    ),
    ("optax.losses.make_fenchel_young_loss", "", "makes a loss of any function of scores"),
    (
        "optax.losses.ctc_loss_with_forward_probs",
        "",
        "`fl.ctc_loss_with_logits` has the value, but not the sums over the beginnings",
    ),
    ("optax.losses.smooth_labels", "", "the option `label_smoothing`"),
)

# ---- scikit-learn --------------------------------------------------------------------------------

add(
    "scikit-learn",
    *(
        (name, here, remark, f"sklearn._loss.loss.{record or name}")
        for name, here, remark, record in (
            ("HalfSquaredError()", "0.5 * fl.mse_loss(input, target)", "", ""),
            ("AbsoluteError()", "fl.l1_loss(input, target)", "slope -1 at the kink, here 0", ""),
            (
                "PinballLoss(quantile=0.75)",
                "fl.quantile_loss(input, target, q=0.75)",
                "slope of the lower side at the kink, here 0",
                "",
            ),
            (
                "HuberLoss(delta=1.5)",
                "fl.huber_loss(input, target, delta=1.5)",
                "its δ may come from a quantile of the residuals",
                "",
            ),
            ("HalfPoissonLoss()", "fl.poisson_nll_loss(input, target)", "", ""),
            ("HalfGammaLoss()", "fl.gamma_nll_loss(input, target)", "", ""),
            ("HalfTweedieLoss(power=1.5)", "fl.tweedie_loss(input, target, power=1.5)", "", ""),
            (
                "HalfBinomialLoss()",
                "fl.binary_cross_entropy_with_logits(input, target)",
                "",
                "",
            ),
            (
                "HalfMultinomialLoss(n_classes=3)",
                "fl.cross_entropy(input, target)",
                "",
                "",
            ),
            (
                "ExponentialLoss()",
                "fl.exponential_loss(input, target)",
                "labels 0 and 1; here -1 and 1, or booleans",
                "",
            ),
        )
    ),
    (
        "HalfTweedieLossIdentity(power=1.5)",
        "",
        "`fl.tweedie_loss(input, target, power=1.5, log_input=False)` is the same but for a number "
        "for each target; `fl.tweedie_loss(target, target, …)` is that number",
    ),
    *(
        (name, here, remark, f"sklearn.linear_model._sgd_fast.{record}")
        for name, here, remark, record in (
            (
                "SGDClassifier(loss='hinge')",
                "fl.hinge_loss(input, target)",
                "slope -1 at the kink, here 0",
                "Hinge(1.0,)",
            ),
            (
                "SGDClassifier(loss='perceptron')",
                "fl.hinge_loss(input, target, margin=0)",
                "the same",
                "Hinge(0.0,)",
            ),
            (
                "SGDClassifier(loss='squared_hinge')",
                "fl.squared_hinge_loss(input, target)",
                "",
                "SquaredHinge()",
            ),
            (
                "SGDClassifier(loss='modified_huber')",
                "fl.modified_huber_loss(input, target)",
                "",
                "ModifiedHuber()",
            ),
            (
                "SGDRegressor(loss='epsilon_insensitive')",
                "fl.epsilon_insensitive_loss(input, target, epsilon=0.5)",
                "",
                "EpsilonInsensitive(0.5,)",
            ),
            (
                "SGDRegressor(loss='squared_epsilon_insensitive')",
                "fl.squared_epsilon_insensitive_loss(input, target, epsilon=0.5)",
                "",
                "SquaredEpsilonInsensitive(0.5,)",
            ),
        )
    ),
    (
        "SGDClassifier(loss='log_loss')",
        "fl.binary_cross_entropy_with_logits(input, target)",
        "labels 0 and 1",
        "sklearn._loss.loss.HalfBinomialLoss()",
    ),
    (
        "SGDRegressor(loss='squared_error')",
        "0.5 * fl.mse_loss(input, target)",
        "",
        "sklearn._loss.loss.HalfSquaredError()",
    ),
    (
        "SGDRegressor(loss='huber')",
        "fl.huber_loss(input, target, delta=1.5)",
        "δ is `epsilon`",
        "sklearn._loss.loss.HuberLoss(delta=1.5)",
    ),
)

# ---- the boosters --------------------------------------------------------------------------------

XGBOOST = (
    ("reg:squarederror", "0.5 * fl.mse_loss(input, target)", "", ""),
    ("reg:squaredlogerror", "0.5 * fl.msle_loss(input, target)", "curvature at least 1e-6", ""),
    (
        "reg:pseudohubererror, huber_slope=1.5",
        "fl.pseudo_huber_loss(input, target, delta=1.5)",
        "",
        "",
    ),
    (
        "reg:absoluteerror",
        "fl.l1_loss(input, target)",
        "leaves are refitted as medians",
        "metric mae",
    ),
    (
        "reg:quantileerror, quantile_alpha=0.75",
        "fl.quantile_loss(input, target, q=0.75)",
        "curvature 1, here 0",
        "",
    ),
    (
        "reg:expectileerror, expectile_alpha=0.75",
        "0.5 * fl.expectile_loss(input, target, q=0.75)",
        "",
        "3.3 reg:expectileerror, expectile_alpha=0.75: hand-evaluated from its source",
    ),
    ("reg:gamma", "fl.gamma_nll_loss(input, target)", "", ""),
    (
        "reg:tweedie, tweedie_variance_power=1.3",
        "fl.tweedie_loss(input, target, power=1.3)",
        "",
        "",
    ),
    (
        "count:poisson",
        "fl.poisson_nll_loss(input, target)",
        "curvature times e^max_delta_step, up to version 3.2",
        "",
    ),
    ("binary:logistic", "fl.binary_cross_entropy_with_logits(input, target)", "", ""),
    (
        "reg:logistic",
        "fl.binary_cross_entropy_with_logits(input, target)",
        "targets from 0 to 1",
        "binary:logistic",
    ),
    (
        "binary:logitraw",
        "fl.binary_cross_entropy_with_logits(input, target)",
        "predicts the logits",
        "binary:logistic",
    ),
    (
        "binary:hinge",
        "fl.hinge_loss(input, target)",
        "labels 0 and 1; here -1 and 1, or booleans; curvature 1, here 0",
        "",
    ),
)
add("XGBoost", *((n, h, r, f"xgboost {record or n}") for n, h, r, record in XGBOOST))
LIGHTGBM = (
    ("regression", "0.5 * fl.mse_loss(input, target)", "", ""),
    ("regression_l1", "fl.l1_loss(input, target)", "curvature 1, here 0", "metric l1"),
    (
        "huber, alpha=1.5",
        "fl.huber_loss(input, target, delta=1.5)",
        "curvature 1 everywhere",
        "",
    ),
    ("fair, fair_c=1.5", "fl.fair_loss(input, target, c=1.5)", "", ""),
    ("poisson", "fl.poisson_nll_loss(input, target)", "curvature times e^0.7", ""),
    (
        "quantile, alpha=0.75",
        "fl.quantile_loss(input, target, q=0.75)",
        "curvature 1, here 0",
        "metric quantile",
    ),
    ("mape", "fl.mape_loss(input, target, eps=1.0)", "curvature 1 / max(1, t)", "metric mape"),
    ("gamma", "fl.gamma_nll_loss(input, target)", "", ""),
    (
        "tweedie, tweedie_variance_power=1.3",
        "fl.tweedie_loss(input, target, power=1.3)",
        "",
        "",
    ),
    ("binary", "fl.binary_cross_entropy_with_logits(input, target)", "`sigmoid` = 1", ""),
    (
        "cross_entropy",
        "fl.binary_cross_entropy_with_logits(input, target)",
        "targets from 0 to 1",
        "",
    ),
)
add("LightGBM", *((n, h, r, f"lightgbm {record or n}") for n, h, r, record in LIGHTGBM))

MULTICLASS = "curvature {}, here p (1 - p)"
add(
    "XGBoost",
    *(
        (name, "fl.cross_entropy(scores, classes)", MULTICLASS.format("2 p (1 - p)"))
        for name in ("multi:softprob", "multi:softmax")
    ),
    (
        "rank:pairwise",
        "",
        '`fl.lambdarank_loss(..., weighting="pairwise", truncation=32)`; curvature 2 h',
    ),
    ("rank:ndcg", "", "`fl.lambdarank_loss(..., truncation=32)`; curvature 2 h"),
    ("rank:map", "", "weights of pairs by mean average precision"),
    (
        "survival:cox",
        "fl.cox_ph_loss(risk, times, seen, ties='breslow')",
        "labels of censored rows are negative; at ties its derivatives are not those of this value",
    ),
    *(
        (
            f"survival:aft, aft_loss_distribution={distribution}, aft_loss_distribution_scale=0.8",
            f"fl.aft_loss(risk, times, uppers, 0.8, distribution='{distribution}')",
            "derivatives are cut at 15; `Booster.eval` takes the scale 1",
        )
        for distribution in ("normal", "logistic", "extreme")
    ),
)
add(
    "LightGBM",
    (
        "multiclass",
        "fl.cross_entropy(scores, classes)",
        MULTICLASS.format("K / (K - 1) p (1 - p)"),
    ),
    (
        "multiclassova",
        "3 * fl.binary_cross_entropy_with_logits(scores, one_hot)",
        "the sum over K = 3 classes; `sigmoid` = 1",
    ),
    ("cross_entropy_lambda", "", "another parametrization of weighted cross entropy"),
    (
        "rank_xendcg",
        "",
        "`fl.xe_ndcg_loss` with `newton_terms=2` and its random numbers as `noise`",
    ),
    ("lambdarank", "", "`fl.lambdarank_loss(...)`; a logistic function of five digits"),
)


def section(library: str) -> str:
    """The table of a library: what is there now."""
    lines = ["| theirs | here | remark |", "| --- | --- | --- |"]
    for row in ROWS:
        if row.library == library and row.exists:
            other = "see the remark" if "`fl." in row.remark else "not here"
            here = f"`{row.here}`" if row.here else other
            cells = (f"`{row.theirs}`", here, row.remark)
            lines.append("|" + "".join(f" {cell} |" if cell else " |" for cell in cells))
    return "\n".join(lines)


def page() -> str:
    libraries = dict.fromkeys(row.library for row in ROWS)
    return "\n\n".join(f"## {library}\n\n{section(library)}" for library in libraries)
