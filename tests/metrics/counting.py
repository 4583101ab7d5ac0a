"""The metrics that count decisions, in NumPy: from the comparison of all predictions with all thresholds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Formula = Callable[[np.ndarray, np.ndarray, np.ndarray], Any]


def ratio(a: Any, b: Any) -> np.ndarray:
    """a / b, 0 where b is 0."""
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(a.shape, b.shape)), where=b != 0)


def cells(t: np.ndarray, p: np.ndarray, w: np.ndarray, thresholds: Any) -> tuple[np.ndarray, ...]:
    """tp, fp, tn, fn for each threshold and label: (thresholds, labels)."""
    w = np.broadcast_to(w.reshape(w.shape + (1,) * (t.ndim - w.ndim)), t.shape)
    above = p[None] > np.asarray(thresholds, "float64").reshape(-1, *(1,) * p.ndim)
    sides = ((above, t), (above, 1 - t), (~above, 1 - t), (~above, t))
    return tuple((side * (labels * w)).sum(axis=1) for side, labels in sides)


def pooled(t: np.ndarray, p: np.ndarray, w: np.ndarray, thresholds: Any) -> tuple[np.ndarray, ...]:
    """The same for all labels together: (thresholds,)."""
    return tuple(cell.sum(-1) if cell.ndim > 1 else cell for cell in cells(t, p, w, thresholds))


def one_or_all(x: np.ndarray) -> Any:
    return x[0] if len(x) == 1 else x


def number(cell: int, thresholds: Any = (0.5,)) -> Formula:
    return lambda t, p, w: one_or_all(pooled(t, p, w, thresholds)[cell])


def share(
    other: int, thresholds: Any = (0.5,), top_k: int | None = None, class_id: int | None = None
) -> Formula:
    """tp / (tp + another cell)."""

    def formula(t: np.ndarray, p: np.ndarray, w: np.ndarray) -> Any:
        if top_k is not None:
            p = np.where((p[..., None, :] > p[..., None]).sum(-1) < top_k, p, -1)
        if class_id is not None:
            t, p = t[..., class_id], p[..., class_id]
        found = pooled(t, p, w, thresholds)
        return one_or_all(ratio(found[0], found[0] + found[other]))

    return formula


def best(wanted: str, given: str, at_least: float, thresholds: Any, class_id: int | None = None) -> Formula:
    """The largest of one rate where another is large enough."""

    def formula(t: np.ndarray, p: np.ndarray, w: np.ndarray) -> Any:
        if class_id is not None:
            t, p = t[..., class_id], p[..., class_id]
        tp, fp, tn, fn = pooled(t, p, w, thresholds)
        rates = {
            "precision": ratio(tp, tp + fp),
            "recall": ratio(tp, tp + fn),
            "specificity": ratio(tn, tn + fp),
        }
        return max([v for v, g in zip(rates[wanted], rates[given], strict=True) if g >= at_least], default=0)

    return formula


def area(x: np.ndarray, y: np.ndarray, how: str = "interpolation") -> np.ndarray:
    low, high = np.minimum(y[:-1], y[1:]), np.maximum(y[:-1], y[1:])
    heights = {"interpolation": (low + high) / 2, "minoring": low, "majoring": high}[how]
    return ((x[:-1] - x[1:]) * heights).sum(0)


def pr_area(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
    """The integral of the precision tp / p over the recall, tp being linear in p between two points."""
    total = np.zeros(tp.shape[1:])
    for (a, b), (pa, pb) in zip(zip(tp[1:], tp[:-1], strict=True), _pairs(tp + fp), strict=True):
        slope = ratio(b - a, pb - pa)
        points = np.linspace(0, 1, 20001)[:, None] * (pb - pa) + pa
        precision = ratio(a + slope * (points - pa), points)
        total = total + np.trapezoid(precision, points, axis=0) * slope
    return ratio(total, tp[0] + fn[0])


def _pairs(x: np.ndarray) -> Any:
    return zip(x[1:], x[:-1], strict=True)


def auc(
    thresholds: Any,
    curve: str = "ROC",
    how: str = "interpolation",
    by_label: bool = False,
    label_weights: Any = None,
    logits: bool = False,
) -> Formula:
    limits = np.concatenate([[-1e-7], np.sort(thresholds), [1 + 1e-7]])

    def formula(t: np.ndarray, p: np.ndarray, w: np.ndarray) -> Any:
        p = 1 / (1 + np.exp(-p)) if logits else p
        labels = np.ones(t.shape[-1]) if label_weights is None else np.asarray(label_weights)
        if not by_label:
            w = w[:, None] * labels
        tp, fp, tn, fn = cells(t, p, w, limits)
        if not by_label:
            tp, fp, tn, fn = (cell.sum(-1, keepdims=True) for cell in (tp, fp, tn, fn))
        recall, precision = ratio(tp, tp + fn), ratio(tp, tp + fp)
        odds = ratio(tp + fn, fp + tn)
        if curve == "PR" and how == "interpolation":
            areas = pr_area(tp, fp, fn)
        elif curve == "PRGAIN":
            gain = np.where(tp > 0, np.maximum(1 - odds * ratio(fn, tp), 0), 0)
            areas = area(gain, 1 - odds * ratio(fp, tp), how)
        else:
            areas = area(*((recall, precision) if curve == "PR" else (ratio(fp, fp + tn), recall)), how)
        return (areas * labels).sum() / labels.sum() if by_label else areas[0]

    return formula


def f_score(average: str | None = None, beta: float = 1.0, threshold: float | None = None) -> Formula:
    def formula(t: np.ndarray, p: np.ndarray, w: np.ndarray) -> Any:
        chosen = p == p.max(-1, keepdims=True) if threshold is None else p > threshold
        w = w[:, None]
        axis = None if average == "micro" else 0
        tp, fp, fn = ((w * x).sum(axis) for x in (chosen * t, chosen * (1 - t), ~chosen * t))
        score = ratio((1 + beta**2) * tp, (1 + beta**2) * tp + beta**2 * fn + fp)
        if average == "weighted":
            counts = (w * t).sum(0)
            return (score * counts).sum() / counts.sum()
        return score if average is None else score.mean()

    return formula


def iou(targets: Any, true_axis: int | None = None, pred_axis: int | None = None, **how: Any) -> Formula:
    def formula(t: np.ndarray, p: np.ndarray, w: np.ndarray) -> Any:
        p = p >= how["threshold"] if "threshold" in how else p
        t = t if true_axis is None else t.argmax(true_axis)
        p = p if pred_axis is None else p.argmax(pred_axis)
        w = np.broadcast_to(w.reshape(w.shape + (1,) * (t.ndim - w.ndim)), t.shape)
        w = w * (t != how.get("ignore_class", np.inf))
        unions = [(w * ((t == c) | (p == c))).sum() for c in targets]
        both = [(w * ((t == c) & (p == c))).sum() for c in targets]
        return np.mean([b / u for b, u in zip(both, unions, strict=True) if u > 0] or [0.0])

    return formula


def pearson(t: np.ndarray, p: np.ndarray, axis: int) -> np.ndarray:
    t, p = np.moveaxis(t, axis, -1), np.moveaxis(p, axis, -1)
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(t, p, strict=True)])


def concordance(t: np.ndarray, p: np.ndarray, axis: int) -> np.ndarray:
    shift = t.mean(axis) - p.mean(axis)
    covariance = ((t - t.mean(axis, keepdims=True)) * (p - p.mean(axis, keepdims=True))).mean(axis)
    return 2 * covariance / (t.var(axis) + p.var(axis) + shift**2)
