"""Every metric against its formula in NumPy over several batches, eagerly and traced; configs and names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.losses.test_values import bce, huber, kld, log_softmax, unit
from tests.metrics import counting

from ranvier import metrics
from ranvier.core.masks import set_mask
from ranvier.core.trace import Trace

RNG = np.random.default_rng(2)
REAL = RNG.normal(size=(10, 4)).astype("float32")
OTHER = RNG.normal(size=(10, 4)).astype("float32")
PROBS = RNG.uniform(0.05, 0.95, size=(10, 4)).astype("float32")
CLASSES = RNG.integers(0, 4, 10)
ONE_HOT = np.eye(4, dtype="float32")[CLASSES]
BINARY = (REAL > 0).astype("float32")
DIGITS = RNG.integers(0, 3, (10, 4)).astype("float32")
EACH = np.arange(200) / 199
WEIGHTS = np.float32([1, 0, 2, 0.5, 1, 3, 0.1, 0, 1, 1])


def normal(p: np.ndarray) -> np.ndarray:
    return p / p.sum(-1, keepdims=True)


def top(labels: np.ndarray, p: np.ndarray, k: int) -> np.ndarray:
    rank = (p > np.take_along_axis(p, labels[:, None], -1)).sum(-1)
    return rank < k


def r2(t: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    w = w[:, None]
    mean = (t * w).sum(0) / w.sum()
    return 1 - ((t - p) ** 2 * w).sum(0) / ((t - mean) ** 2 * w).sum(0)


def r2_adjusted(t: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
    mean = (t * w[:, None]).sum(0) / w.sum()
    deviation = ((t - mean) ** 2 * w[:, None]).sum(0)
    score = (r2(t, p, w) * deviation).sum() / deviation.sum()
    return 1 - (1 - score) * (t.size - 1) / (t.size - 3)


def averaged(values: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """The weighted mean over samples of one value per sample (or of a row of them, averaged)."""

    def formula(t: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
        v = values(t, p)
        v = v if v.ndim == 1 else v.mean(-1)
        return (v * w).sum() / w.sum()

    return formula


# Class, arguments, targets, predictions, formula of these and the weights.
Row = tuple[str, dict[str, Any], np.ndarray, np.ndarray, Callable[..., Any]]
ROWS: list[Row] = [
    ("MeanSquaredError", {}, REAL, OTHER, averaged(lambda t, p: (t - p) ** 2)),
    ("MeanAbsoluteError", {}, REAL, OTHER, averaged(lambda t, p: np.abs(t - p))),
    ("MeanAbsolutePercentageError", {}, REAL, OTHER, averaged(lambda t, p: 100 * np.abs((t - p) / t))),
    (
        "MeanSquaredLogarithmicError",
        {},
        PROBS[::-1],
        PROBS,
        averaged(lambda t, p: (np.log1p(t) - np.log1p(p)) ** 2),
    ),
    ("LogCoshError", {}, REAL, OTHER, averaged(lambda t, p: np.log(np.cosh(t - p)))),
    ("CosineSimilarity", {}, REAL, OTHER, averaged(lambda t, p: (unit(t) * unit(p)).sum(-1))),
    (
        "RootMeanSquaredError",
        {},
        REAL,
        OTHER,
        lambda t, p, w: np.sqrt(averaged(lambda t, p: (t - p) ** 2)(t, p, w)),
    ),
    ("R2Score", {}, REAL, OTHER, lambda t, p, w: r2(t, p, w).mean()),
    ("R2Score", {"class_aggregation": None}, REAL, OTHER, r2),
    (
        "R2Score",
        {"class_aggregation": "variance_weighted_average", "num_regressors": 2},
        REAL,
        OTHER,
        r2_adjusted,
    ),
    ("Accuracy", {}, DIGITS, DIGITS[::-1].copy(), averaged(lambda t, p: t == p)),
    ("Accuracy", {}, CLASSES, CLASSES % 3, averaged(lambda t, p: t == p)),
    ("BinaryAccuracy", {"threshold": 1.5}, BINARY, 2 * REAL, averaged(lambda t, p: t == (p > 1.5))),
    ("BinaryAccuracy", {}, BINARY, PROBS, averaged(lambda t, p: t == (p > 0.5))),
    ("BinaryAccuracy", {"threshold": 0.3}, BINARY, PROBS, averaged(lambda t, p: t == (p > 0.3))),
    ("CategoricalAccuracy", {}, ONE_HOT, PROBS, averaged(lambda t, p: t.argmax(-1) == p.argmax(-1))),
    ("SparseCategoricalAccuracy", {}, CLASSES, PROBS, averaged(lambda t, p: t == p.argmax(-1))),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT, PROBS, averaged(lambda t, p: top(t.argmax(-1), p, 2))),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, CLASSES, PROBS, averaged(lambda t, p: top(t, p, 3))),
    ("BinaryCrossentropy", {}, BINARY, PROBS, averaged(bce)),
    (
        "BinaryCrossentropy",
        {"from_logits": True, "label_smoothing": 0.1},
        BINARY,
        OTHER,
        averaged(lambda t, p: bce(0.9 * t + 0.05, 1 / (1 + np.exp(-p)))),
    ),
    (
        "CategoricalCrossentropy",
        {},
        ONE_HOT,
        PROBS,
        averaged(lambda t, p: -(t * np.log(normal(p))).sum(-1)),
    ),
    (
        "CategoricalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.1},
        ONE_HOT,
        OTHER,
        averaged(lambda t, p: -((0.9 * t + 0.025) * log_softmax(p)).sum(-1)),
    ),
    (
        "SparseCategoricalCrossentropy",
        {},
        CLASSES,
        PROBS,
        averaged(lambda t, p: -np.log(normal(p))[np.arange(len(t)), t]),
    ),
    ("KLDivergence", {}, normal(PROBS[::-1]), normal(PROBS), averaged(kld)),
    ("Poisson", {}, BINARY, PROBS, averaged(lambda t, p: p - t * np.log(p + 1e-7))),
    ("Hinge", {}, 2 * BINARY - 1, OTHER, averaged(lambda t, p: np.maximum(1 - t * p, 0))),
    ("SquaredHinge", {}, 2 * BINARY - 1, OTHER, averaged(lambda t, p: np.maximum(1 - t * p, 0) ** 2)),
    (
        "CategoricalHinge",
        {},
        ONE_HOT,
        OTHER,
        averaged(lambda t, p: np.maximum(((1 - t) * p).max(-1) - (t * p).sum(-1) + 1, 0)),
    ),
    (
        "MeanMetricWrapper",
        {"fn": metrics.huber, "delta": 0.7},
        REAL,
        OTHER,
        averaged(lambda t, p: huber(t, p, 0.7)),
    ),
]
EVEN = np.arange(0, 11) / 10
UNEVEN = [0.9, 0.05, 0.31, 0.32, 0.64]
MANY = [float(x) for x in np.random.default_rng(3).permutation(np.linspace(0.02, 0.97, 23) ** 1.5)]
LABELS = [0.5, 2.0, 1.0, 0.25]
FLOAT = {"dtype": "float32"}
ROWS += [
    (name, kwargs, BINARY, PROBS, counting.number(cell, kwargs.get("thresholds") or [0.5]))
    for cell, name in enumerate(["TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"])
    for kwargs in ({}, {"thresholds": 0.3}, {"thresholds": UNEVEN}, {"thresholds": MANY})
]
ROWS += [
    (name, kwargs, BINARY, PROBS, counting.share(other, **{"thresholds": [0.5], **kwargs}))
    for name, other in (("Precision", 1), ("Recall", 3))
    for kwargs in (
        {},
        {"thresholds": UNEVEN},
        {"thresholds": MANY},
        {"thresholds": [0.0, 0.5, 1.0]},
        {"thresholds": [0.5], "top_k": 2},
        {"class_id": 1},
        {"class_id": 3, "thresholds": [0.2, 0.8]},
    )
]
ROWS += [
    ("Precision", {"top_k": 2}, BINARY, PROBS, counting.share(1, [-0.5], top_k=2)),
    ("Recall", {"top_k": 1, "class_id": 2}, BINARY, PROBS, counting.share(3, [-0.5], top_k=1, class_id=2)),
    ("PrecisionAtRecall", {"recall": 0.6}, BINARY, PROBS, counting.best("precision", "recall", 0.6, EACH)),
    (
        "PrecisionAtRecall",
        {"recall": 0.3, "num_thresholds": 11, "class_id": 2},
        BINARY,
        PROBS,
        counting.best("precision", "recall", 0.3, EVEN, 2),
    ),
    (
        "PrecisionAtRecall",
        {"recall": 0.5, "num_thresholds": 1},
        BINARY,
        PROBS,
        counting.best("precision", "recall", 0.5, [0.5]),
    ),
    ("RecallAtPrecision", {"precision": 0.6}, BINARY, PROBS, counting.best("recall", "precision", 0.6, EACH)),
    ("RecallAtPrecision", {"precision": 1.0}, BINARY, PROBS, counting.best("recall", "precision", 1.0, EACH)),
    (
        "SensitivityAtSpecificity",
        {"specificity": 0.6},
        BINARY,
        PROBS,
        counting.best("recall", "specificity", 0.6, EACH),
    ),
    (
        "SpecificityAtSensitivity",
        {"sensitivity": 0.7, "num_thresholds": 11},
        BINARY,
        PROBS,
        counting.best("specificity", "recall", 0.7, EVEN),
    ),
]
AUCS: list[tuple[dict[str, Any], np.ndarray, Any]] = [
    ({}, PROBS, counting.auc(EACH[1:-1])),
    ({"from_logits": True, "num_thresholds": 11}, REAL, counting.auc(EVEN[1:-1], logits=True)),
    ({"thresholds": UNEVEN}, PROBS, counting.auc(UNEVEN)),
    ({"thresholds": MANY, "curve": "PR"}, PROBS, counting.auc(MANY, "PR")),
    ({"thresholds": UNEVEN, "label_weights": LABELS}, PROBS, counting.auc(UNEVEN, label_weights=LABELS)),
    ({"multi_label": True}, PROBS, counting.auc(EACH[1:-1], by_label=True)),
]
AUCS += [
    (
        {"num_thresholds": 11, "curve": curve, "summation_method": how},
        PROBS,
        counting.auc(EVEN[1:-1], curve, how),
    )
    for curve in ("ROC", "PR", "PRGAIN")
    for how in ("interpolation", "minoring", "majoring")
]
AUCS += [
    (
        {"thresholds": UNEVEN, "curve": curve, "multi_label": True, "num_labels": 4, "label_weights": LABELS},
        PROBS,
        counting.auc(UNEVEN, curve, by_label=True, label_weights=LABELS),
    )
    for curve in ("ROC", "PR")
]
ROWS += [("AUC", kwargs, BINARY, p, formula) for kwargs, p, formula in AUCS]
ROWS += [
    ("FBetaScore", kwargs, ONE_HOT, PROBS, counting.f_score(**kwargs))
    for kwargs in (
        {},
        {"average": "micro", "beta": 2.0},
        {"average": "macro", "beta": 0.5, "threshold": 0.4},
        {"average": "weighted", "beta": 2.0},
    )
]
ROWS += [
    ("F1Score", kwargs, BINARY, PROBS, counting.f_score(**kwargs))
    for kwargs in ({"threshold": 0.5}, {"average": "weighted"}, {"average": "micro", "threshold": 0.3})
]
GUESSES = RNG.integers(0, 4, 10)
ROWS += [
    (
        "IoU",
        {"num_classes": 4, "target_class_ids": [0, 2], **FLOAT},
        CLASSES,
        GUESSES,
        counting.iou([0, 2]),
    ),
    (
        "IoU",
        {"num_classes": 4, "target_class_ids": [1, 3], "sparse_y_pred": False, "ignore_class": 2, **FLOAT},
        CLASSES,
        PROBS,
        counting.iou([1, 3], pred_axis=-1, ignore_class=2),
    ),
    ("MeanIoU", {"num_classes": 6, **FLOAT}, CLASSES, GUESSES, counting.iou(range(6))),
    (
        "MeanIoU",
        {"num_classes": 4, "sparse_y_true": False, "axis": 1, **FLOAT},
        ONE_HOT,
        GUESSES,
        counting.iou(range(4), true_axis=1),
    ),
    (
        "OneHotIoU",
        {"num_classes": 4, "target_class_ids": [3], **FLOAT},
        ONE_HOT,
        PROBS,
        counting.iou([3], true_axis=-1, pred_axis=-1),
    ),
    (
        "OneHotMeanIoU",
        {"num_classes": 4, "sparse_y_pred": True, **FLOAT},
        ONE_HOT,
        GUESSES,
        counting.iou(range(4), true_axis=-1),
    ),
    ("BinaryIoU", FLOAT, BINARY[:, 0], PROBS[:, 0], counting.iou([0, 1], threshold=0.5)),
    (
        "BinaryIoU",
        {"target_class_ids": [1], "threshold": 0.3, **FLOAT},
        BINARY[:, 1],
        PROBS[:, 1],
        counting.iou([1], threshold=0.3),
    ),
    ("PearsonCorrelation", {}, REAL, OTHER, averaged(lambda t, p: counting.pearson(t, p, -1))),
    ("ConcordanceCorrelation", {}, REAL, OTHER, averaged(lambda t, p: counting.concordance(t, p, -1))),
]
IDS = [f"{name}-{ {k: v for k, v in kwargs.items() if k != 'fn'} }" for name, kwargs, *_ in ROWS]


def as_double(x: np.ndarray) -> np.ndarray:
    return x.astype("float64") if x.dtype.kind == "f" else x


def traced_update(metric: metrics.Metric, arrays: list[np.ndarray]) -> Callable[..., np.ndarray]:
    """A program that counts a batch in and returns the result."""
    with Trace() as trace:
        metric.update_state(*(trace.input(a.shape, a.dtype.name) for a in arrays))
        program = trace.compile([metric.result()])
    return lambda *batch: program.run(list(batch))[0]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred", "formula"), ROWS, ids=IDS)
def test_values(
    name: str, kwargs: dict[str, Any], y_true: np.ndarray, y_pred: np.ndarray, formula: Any, weighted: bool
) -> None:
    eager, traced = (getattr(metrics, name)(**kwargs) for _ in range(2))
    given = [y_true, y_pred, WEIGHTS] if weighted else [y_true, y_pred]
    weights = WEIGHTS if weighted else np.ones(10)
    run = None
    for start in (0, 5):
        batch = [a[start : start + 5] for a in given]
        result = eager(*batch)
        run = run or traced_update(traced, batch)
        np.testing.assert_array_equal(run(*batch), result)
        expected = formula(
            *(as_double(a[: start + 5]) for a in (y_true, y_pred)), as_double(weights[: start + 5])
        )
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-7)
    for metric in (eager, traced):
        metric.reset_state()
        assert all(not v.numpy().any() for v in metric.variables)
        metric.update_state(*given)
        np.testing.assert_allclose(
            metric.result(), formula(as_double(y_true), as_double(y_pred), weights), rtol=1e-5
        )


def test_every_class_has_a_row() -> None:
    classes = {n for n in metrics.__all__ if isinstance(getattr(metrics, n), type)}
    assert classes - {"Metric", "Mean", "Sum"} == {name for name, *_ in ROWS}


# Values, weights, mean, sum.
MEANS: list[tuple[Any, Any, float, float]] = [
    ([1.0, 2.0, 3.0], None, 2.0, 6.0),
    ([1.0, 2.0, 3.0], [1.0, 1.0, 0.0], 1.5, 3.0),
    ([[1.0, 2.0], [3.0, 4.0]], None, 2.5, 10.0),
    ([[1.0, 2.0], [3.0, 4.0]], [1.0, 0.0], 1.5, 3.0),
    ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [1.0, 1.0]], 8 / 3, 8.0),
    (5.0, None, 5.0, 5.0),
    (5.0, 2.0, 5.0, 10.0),
    ([1.0, 2.0], 3.0, 1.5, 9.0),
    ([], None, 0.0, 0.0),
]


@pytest.mark.parametrize(("values", "weights", "mean", "total"), MEANS)
def test_mean_and_sum(values: Any, weights: Any, mean: float, total: float) -> None:
    values = np.float32(values)
    np.testing.assert_allclose(metrics.Mean()(values, sample_weight=weights), mean, rtol=1e-6)
    np.testing.assert_allclose(metrics.Sum()(values, sample_weight=weights), total, rtol=1e-6)


def test_state() -> None:
    mean = metrics.Mean(name="average")
    assert mean.result() == 0
    assert mean([1, 2, 3]) == 2
    assert mean([8.0]) == 3.5
    assert [(v.path, v.dtype, v.trainable) for v in mean.variables] == [
        ("average/total", "float32", False),
        ("average/count", "float32", False),
    ]
    mean.reset_state()
    assert mean.result() == 0
    assert repr(mean) == "<Mean name=average>"


def test_own_metrics() -> None:
    class Largest(metrics.Metric):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = metrics.Sum()
            self.largest = self.add_weight(name="largest")
            self.seen = self.add_variable((2,), "ones", dtype="int32", name="seen")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.largest.assign(np.maximum(self.largest.value, np.max(y_pred)))
            self.inner.update_state(y_pred)

        def result(self) -> Any:
            return self.largest.value

    metric = Largest(name="largest")
    assert metric([0.0], [3.0]) == 3
    assert [v.path for v in metric.variables] == ["largest/largest", "largest/seen", "sum/total"]
    assert metric.seen.dtype == "int32"
    metric.reset_state()
    assert [v.numpy().tolist() for v in metric.variables] == [0, [0, 0], 0]
    with pytest.raises(NotImplementedError):
        metrics.Metric().result()
    with pytest.raises(NotImplementedError):
        metrics.Metric().update_state(1)


def test_shapes_of_sparse_accuracy() -> None:
    p = np.float32([[[0.1, 0.9], [0.8, 0.2]], [[0.6, 0.4], [0.3, 0.7]]])
    labels = np.array([[1, 0], [1, 1]])
    for given in (labels, labels[..., None], labels.astype("float32")):
        values = metrics.sparse_categorical_accuracy(given, p)
        assert values.tolist() == [[1, 1], [0, 1]]
    assert metrics.SparseCategoricalAccuracy()(labels, p, sample_weight=[1.0, 0.0]) == 1


def test_top_k_counts_ties_in_and_takes_sorted_classes() -> None:
    p = np.float32([[1, 1, 1, 0], [1, 1, 2, 0], [2, 2, 1, 1]])
    assert metrics.sparse_top_k_categorical_accuracy([0, 1, 2], p, k=2).tolist() == [1, 1, 0]
    best = np.array([[2, 0, 1, 3], [2, 0, 1, 3], [0, 1, 2, 3]])
    found = metrics.sparse_top_k_categorical_accuracy(np.array([0, 1, 2]), best, k=2, from_sorted_ids=True)
    assert found.tolist() == [1, 0, 0]


def test_an_ignored_class() -> None:
    labels, p = np.array([1, 2]), np.float32([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=1)
    np.testing.assert_allclose(metric(labels, p), -np.log(0.4) / 2, rtol=1e-6)
    metric.reset_state()
    np.testing.assert_allclose(metric(labels, p, sample_weight=[1.0, 3.0]), -np.log(0.4), rtol=1e-6)


def test_masks_of_predictions() -> None:
    mask = np.array([True, False, True])
    p = np.float32([[1, 1], [2, 2], [3, 3]])
    set_mask(p, mask)
    assert metrics.MeanSquaredError()(np.zeros((3, 2)), p) == 5
    assert metrics.MeanSquaredError()(np.zeros((3, 2)), p, sample_weight=[1.0, 2.0, 3.0]) == 7
    p = np.float32([[0.5, 0.5], [0.1, 0.9], [0.9, 0.1]])
    set_mask(p, mask)
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=0)
    np.testing.assert_allclose(metric(np.array([0, 1, 1]), p), -np.log(0.1), rtol=1e-6)


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="2D"):
        metrics.R2Score()([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="broadcast|shape"):
        metrics.MeanSquaredError()(REAL, OTHER, sample_weight=np.ones((10, 4)))


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("R2Score", {"class_aggregation": "mean"}),
        ("R2Score", {"num_regressors": -1}),
        ("AUC", {"num_thresholds": 1}),
        ("AUC", {"thresholds": [0.5, 2.0]}),
        ("AUC", {"curve": "X"}),
        ("AUC", {"summation_method": "MINORING"}),
        ("AUC", {"num_labels": 3}),
        ("Precision", {"thresholds": 2.0}),
        ("Recall", {"thresholds": []}),
        ("TruePositives", {"thresholds": [None, 0.5]}),
        ("PrecisionAtRecall", {"recall": 1.5}),
        ("RecallAtPrecision", {"num_thresholds": 0, "precision": 0.5}),
        ("SensitivityAtSpecificity", {"specificity": -1}),
        ("SpecificityAtSensitivity", {"sensitivity": 2}),
        ("FBetaScore", {"average": "mean"}),
        ("FBetaScore", {"beta": 1}),
        ("FBetaScore", {"beta": 0.0}),
        ("F1Score", {"threshold": 1}),
        ("F1Score", {"threshold": 1.5}),
        ("IoU", {"target_class_ids": [3], "num_classes": 3}),
        ("IoU", {"target_class_ids": [], "num_classes": 3}),
        ("BinaryIoU", {"target_class_ids": [2]}),
    ],
)
def test_bad_arguments(name: str, kwargs: dict[str, Any]) -> None:
    words = next(iter(kwargs)).rstrip("s").replace("_", "[ _]").removesuffix("[ _]id")
    with pytest.raises(ValueError, match=f"(?i){words}"):
        getattr(metrics, name)(**kwargs)


# Class, arguments, shapes of targets, predictions and weights, words of the refusal.
MISFITS: list[tuple[str, dict[str, Any], Any, Any, Any, str]] = [
    ("Precision", {}, (4, 3), (4, 2), None, r"same shape.*\(4, 3\).*\(4, 2\)"),
    ("AUC", {}, (4,), (3,), None, "same shape"),
    ("Recall", {}, (4, 3), (4, 3), (3,), "sample_weight"),
    ("Precision", {"top_k": 4}, (4, 3), (4, 3), None, "top_k"),
    ("Precision", {"class_id": 3}, (4, 3), (4, 3), None, "class_id"),
    ("Recall", {"class_id": 0}, (4,), (4,), None, "2D"),
    ("AUC", {"multi_label": True}, (4,), (4,), None, "rank 2"),
    ("AUC", {"multi_label": True, "num_labels": 2}, (4, 3), (4, 3), None, "2 labels"),
    ("AUC", {"label_weights": [1.0, 2.0]}, (4, 3), (4, 3), None, "label_weights"),
    ("F1Score", {}, (4,), (4,), None, "2D"),
    ("FBetaScore", {}, (4, 3), (4, 2), None, "2D"),
    ("MeanIoU", {"num_classes": 2}, (4,), (3,), None, "4 targets and 3 predictions"),
    ("MeanIoU", {"num_classes": 2}, (4,), (4,), (3,), "sample_weight"),
    ("PearsonCorrelation", {}, (4, 3), (4, 2), None, "shape"),
]


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred", "weights", "match"), MISFITS)
def test_misfits(
    name: str, kwargs: dict[str, Any], y_true: Any, y_pred: Any, weights: Any, match: str
) -> None:
    weights = None if weights is None else np.ones(weights)
    with pytest.raises(ValueError, match=match):
        getattr(metrics, name)(**kwargs)(np.ones(y_true), np.ones(y_pred), weights)


@pytest.mark.parametrize("name", ["AUC", "F1Score", "R2Score"])
def test_nothing_seen_yet(name: str) -> None:
    metric = getattr(metrics, name)(**({"multi_label": True} if name == "AUC" else {}))
    metric.reset_state()
    assert metric.result() == 0


def test_counted_integers_lose_fractions() -> None:
    metric = metrics.MeanIoU(2)
    metric.update_state([0, 0, 1, 1], [0, 1, 0, 1], sample_weight=[1.7, 1.0, 1.2, 1.0])
    assert metric.total_cm.numpy().tolist() == [[1, 1], [1, 1]]
    metric.update_state([7, 0, -1], [0, 9, 1])  # out of range
    assert metric.total_cm.numpy().sum() == 4


@pytest.mark.parametrize("name", ["TruePositives", "Precision", "Accuracy", "AUC", "R2Score"])
def test_integer_metrics_count_probabilities(name: str) -> None:
    y_true, y_pred = np.float32([[0], [1], [1], [0]]), np.float32([[0.2], [0.9], [0.4], [0.6]])
    if name == "Accuracy":
        y_pred = np.round(y_pred)
    counted, as_float = (getattr(metrics, name)(dtype=d)(y_true, y_pred) for d in ("int32", "float32"))
    assert counted == as_float


@pytest.mark.parametrize("name", ["FBetaScore", "F1Score", "R2Score"])
def test_stateless_first_batch(name: str) -> None:
    """The first batch tells the shapes of the variables; its function needs no values of them."""
    metric, other = (getattr(metrics, name)() for _ in range(2))
    values = metric.stateless_update_state(metric.variables, BINARY, PROBS)
    assert not any(v.numpy().any() for v in metric.variables)
    np.testing.assert_array_equal(metric.stateless_result(values), other(BINARY, PROBS))


def test_equal_predictions_of_top_k_go_to_the_first() -> None:
    assert metrics.Precision(top_k=1)([[0, 1, 1]], [[0.2, 0.4, 0.4]]) == 1
    assert metrics.Precision(top_k=1)([[0, 0, 1]], [[0.2, 0.4, 0.4]]) == 0


def test_predictions_outside_the_unit_interval_count_at_its_ends() -> None:
    assert metrics.AUC()([0, 1, 0, 1], [-3.0, 1.5, np.nan, 1e20]) == 1
    assert metrics.AUC()([1, 0, 1, 0], [-3.0, 1.5, -np.inf, np.inf]) == 0


def test_a_threshold_itself_is_negative() -> None:
    p, many = np.float32([0.25, 0.5, 0.75]), [0.5, *np.linspace(0.1, 0.9, 30)]
    for thresholds in ([0.5], many):
        counts = np.atleast_1d(metrics.TruePositives(thresholds)([1, 1, 1], p))
        assert counts[0] == 1


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "float32"])
def test_class_numbers_of_narrow_dtypes(dtype: str) -> None:
    labels = np.array([0, 1, 1, 0])
    p = np.eye(300, dtype="float32")[[0, 1, 257, 256]]
    for name in ("sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy"):
        kwargs = {} if name == "sparse_categorical_accuracy" else {"k": 1}
        assert getattr(metrics, name)(labels.astype(dtype), p, **kwargs).tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryAccuracy", "CategoricalAccuracy", "Poisson"])
def test_boolean_targets(name: str) -> None:
    metric = getattr(metrics, name)
    assert metric()(BINARY.astype(bool), PROBS) == metric()(BINARY, PROBS)
