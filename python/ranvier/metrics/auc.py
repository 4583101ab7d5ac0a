"""The area under the curve that a threshold draws: ROC, precision over recall, or the gains of these."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core import dtypes, registry
from ranvier.core.variable import Variable
from ranvier.metrics import confusion
from ranvier.metrics.metric import Metric

_CURVES = ("PR", "ROC", "PRGAIN")
_SUMMATIONS = ("interpolation", "majoring", "minoring")


class AUC(Metric):
    """The area under a curve, by Riemann sums over thresholds.

    Targets are 0 or 1; predictions of the same shape lie in [0, 1].

    Args:
        num_thresholds: how many thresholds from 0 to 1 are tried, at least 2. Default 200.
        curve: "ROC" (sensitivity over false positive rate), "PR" (precision over recall), or "PRGAIN"
            (precision gain over recall gain; Flach & Kull, 2015), in any case.
        summation_method: the height between two thresholds: "interpolation" (the mean; for "PR" the true
            positives are interpolated instead of the precision, Davis & Goadrich, 2006), "minoring" (the
            smaller) or "majoring" (the larger).
        name: see `Metric`.
        dtype: see `Metric`.
        thresholds: numbers between 0 and 1 to use instead; 0 and 1 are added.
        multi_label: whether the last of two axes holds labels, each with an area of its own; the result is
            their mean.
        num_labels: the number of labels; None: known at the first batch.
        label_weights: weights of the labels: in the mean, or without `multi_label` in the counts.
        from_logits: whether predictions are logits, of which the sigmoid is taken.

    Raises:
        ValueError: for any other argument; when called, if shapes do not fit.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        if not isinstance(curve, str) or curve.upper() not in _CURVES:
            raise ValueError(f'Invalid AUC curve value: "{curve}". Expected values are {list(_CURVES)}')
        if summation_method not in _SUMMATIONS:
            raise ValueError(
                f'Invalid AUC summation method value: "{summation_method}". Expected values are '
                f"{list(_SUMMATIONS)}"
            )
        if num_labels is not None and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        super().__init__(dtype, name)
        self._given_thresholds = None if thresholds is None else sorted(float(t) for t in thresholds)
        if self._given_thresholds is None:
            confusion.check_number(num_thresholds, 2)
            inner = [i / (num_thresholds - 1) for i in range(1, num_thresholds - 1)]
        else:
            inner = confusion.check_thresholds(self._given_thresholds, 0.5)
        # So that predictions of 0 pass the first and predictions of 1 do not pass the last.
        self.thresholds = [-dtypes.epsilon(), *inner, 1.0 + dtypes.epsilon()]
        self.num_thresholds = len(self.thresholds)
        self.curve = curve.upper()
        self.summation_method = summation_method
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else [float(w) for w in label_weights]
        self._from_logits = from_logits
        self._counts: list[Variable] = []
        if not multi_label:
            self._build(None)
        elif num_labels:
            self._build(num_labels)

    def _build(self, labels: int | None) -> None:
        shape = (self.num_thresholds,) if labels is None else (self.num_thresholds, labels)
        self._counts = [self.add_variable(shape, "zeros", name=cell) for cell in confusion.CELLS]
        self.true_positives, self.false_positives, self.true_negatives, self.false_negatives = self._counts

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch in.

        Args:
            y_true: targets, 0 or 1.
            y_pred: predictions of the same shape: (batch, labels) with `multi_label`.
            sample_weight: None, a number, or weights for the first axes of the targets.
        """
        y_pred = ops.convert_to_tensor(y_pred, dtype=self._rv_float_dtype)
        if self.multi_label:
            self._check_labels(tuple(y_pred.shape))
        weights = self.label_weights
        if weights is not None and (not y_pred.shape or y_pred.shape[-1] != len(weights)):
            raise ValueError(
                f"`label_weights` has {len(weights)} weights, which do not fit predictions of shape "
                f"{tuple(y_pred.shape)}."
            )
        counts = confusion.count(
            y_true,
            ops.sigmoid(y_pred) if self._from_logits else y_pred,
            self.thresholds,
            dtype=self._rv_float_dtype,
            sample_weight=sample_weight,
            label_weights=None if self.multi_label else weights,
            by_label=self.multi_label,
        )
        for variable, value in zip(self._counts, counts, strict=True):
            variable.assign_add(value)

    def _check_labels(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2:
            raise ValueError(
                f"`y_pred` must have rank 2 when `multi_label=True`. Found rank {len(shape)}. "
                f"Full shape received for `y_pred`: {shape}"
            )
        if not self._counts:
            self._build(shape[1])
        if self._counts[0].shape[1] != shape[1]:
            raise ValueError(f"Expected {self._counts[0].shape[1]} labels, got predictions of shape {shape}.")

    def result(self) -> Any:
        if not self._counts:
            return ops.cast(0.0, self._rv_float_dtype)
        tp, fp, tn, fn = (ops.convert_to_tensor(v) for v in self._counts)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated_pr_areas(tp, fp, fn)
        else:
            x, y = self._curve(tp, fp, tn, fn)
            left, right = y[:-1], y[1:]
            if self.summation_method == "interpolation":
                heights = (left + right) / 2.0
            else:
                heights = (ops.minimum if self.summation_method == "minoring" else ops.maximum)(left, right)
            areas = ops.sum((x[:-1] - x[1:]) * heights, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = np.asarray(self.label_weights, self._rv_float_dtype)
        return ops.divide_no_nan(ops.sum(areas * weights), ops.sum(weights))

    def _curve(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        """The points' coordinates."""
        recall = ops.divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            return ops.divide_no_nan(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, ops.divide_no_nan(tp, tp + fp)
        # Gains are 1 for the perfect classifier and 0 for the one that always says yes; below that those of
        # recall stay at 0, as in Keras.
        odds = ops.divide_no_nan(tp + fn, fp + tn)
        gain = ops.where(ops.greater(tp, 0.0), 1.0 - odds * ops.divide_no_nan(fn, tp), 0.0)
        return ops.maximum(gain, 0.0), 1.0 - odds * ops.divide_no_nan(fp, tp)

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self._from_logits,
        }
        if self._given_thresholds is not None:
            config["thresholds"] = self._given_thresholds
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AUC:
        # Keras writes the weights as a tensor.
        return cls(**{**config, "label_weights": registry.deserialize_object(config.get("label_weights"))})


def _interpolated_pr_areas(tp: Any, fp: Any, fn: Any) -> Any:
    """Areas under precision over recall, true positives being linear in all positives between thresholds.

    Between two thresholds tp = a + s p with the slope s = dtp / dp, so that the integral of the precision
    tp / p over dtp = s dp is s (dp s + a log(p1 / p2)), divided by all that are positive.
    """
    p = tp + fp
    d_tp, d_p = tp[:-1] - tp[1:], p[:-1] - p[1:]
    slope = ops.divide_no_nan(d_tp, ops.maximum(d_p, 0.0))
    start = tp[1:] - slope * p[1:]
    both = ops.logical_and(ops.greater(p[:-1], 0.0), ops.greater(p[1:], 0.0))
    ratio = ops.where(both, ops.divide_no_nan(p[:-1], ops.maximum(p[1:], 0.0)), 1.0)
    areas = slope * (d_tp + start * ops.log(ratio))
    return ops.sum(ops.divide_no_nan(areas, ops.maximum(tp[1:] + fn[1:], 0.0)), axis=0)
