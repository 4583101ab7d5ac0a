"""Every metric against its formula in NumPy over several batches, eagerly and traced; configs and names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.losses.test_values import bce, huber, kld, log_softmax, unit

from ranvier import metrics
from ranvier.core.trace import Trace

RNG = np.random.default_rng(2)
REAL = RNG.normal(size=(10, 4)).astype("float32")
OTHER = RNG.normal(size=(10, 4)).astype("float32")
PROBS = RNG.uniform(0.05, 0.95, size=(10, 4)).astype("float32")
CLASSES = RNG.integers(0, 4, 10)
ONE_HOT = np.eye(4, dtype="float32")[CLASSES]
BINARY = (REAL > 0).astype("float32")
DIGITS = RNG.integers(0, 3, (10, 4)).astype("float32")
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


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="2D"):
        metrics.R2Score()([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="broadcast|shape"):
        metrics.MeanSquaredError()(REAL, OTHER, sample_weight=np.ones((10, 4)))


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("BinaryAccuracy", {"threshold": 2.0}),
        ("R2Score", {"class_aggregation": "mean"}),
        ("R2Score", {"num_regressors": -1}),
    ],
)
def test_bad_arguments(name: str, kwargs: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        getattr(metrics, name)(**kwargs)


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
