"""Every loss function against its formula in NumPy, eagerly and traced, with gradients."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.tracing import numeric_gradient, run_traced, traced_gradient

from ranvier import losses

EPS = 1e-7
RNG = np.random.default_rng(5)
REAL = RNG.normal(size=(6, 4))
OTHER = RNG.normal(size=(6, 4)) * 2
LOGITS = RNG.normal(size=(6, 4)) * 3
PROBS = RNG.uniform(0.05, 0.95, size=(6, 4))
SOFTMAX = PROBS / PROBS.sum(-1, keepdims=True)
CLASSES = np.array([0, 3, 1, 2, 2, 0])
ONE_HOT = np.eye(4)[CLASSES]
BINARY = (REAL > 0).astype(float)


def log_softmax(x: np.ndarray) -> np.ndarray:
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def bce(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x * x).sum(-1, keepdims=True))


def huber(t: np.ndarray, p: np.ndarray, delta: float) -> np.ndarray:
    e = np.abs(t - p)
    return np.where(e <= delta, e * e / 2, delta * e - delta**2 / 2).mean(-1)


def focal(t: np.ndarray, p: np.ndarray, gamma: float = 2.0) -> np.ndarray:
    return (1 - (t * p + (1 - t) * (1 - p))) ** gamma * bce(t, p)


def kld(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    t, p = np.clip(t, EPS, 1), np.clip(p, EPS, 1)
    return (t * np.log(t / p)).sum(-1)


def smooth(t: np.ndarray, amount: float, classes: int) -> np.ndarray:
    return t * (1 - amount) + amount / classes


def overlap(t: np.ndarray, p: np.ndarray, missed: float = 0.5, wrong: float = 0.5, axis: Any = None) -> Any:
    both = (t * p).sum(axis)
    return 1 - both / (both + missed * (t * (1 - p)).sum(axis) + wrong * ((1 - t) * p).sum(axis))


def circle(
    t: np.ndarray,
    p: np.ndarray,
    refs: Any = None,
    gamma: float = 80,
    margin: float = 0.4,
    diagonal: bool = False,
) -> np.ndarray:
    labels, others = (t, p) if refs is None else refs
    distance = np.maximum(1 - p @ others.T, 0)
    same = t[:, None] == labels
    near = same if diagonal else same & ~np.eye(*same.shape, dtype=bool)
    a = np.exp(-gamma * np.maximum(margin + distance, 0) * (margin - distance))
    b = np.exp(gamma * np.maximum(1 + margin - distance, 0) * (1 - margin - distance))
    return np.log1p((a * near).sum(1) * (b * ~same).sum(1))


def ctc(t: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """By adding up the probabilities of all paths that collapse to the labels."""
    losses = []
    for labels, p in zip(t, np.exp(log_softmax(logits)), strict=True):
        total = 0.0
        for path in itertools.product(range(p.shape[1]), repeat=len(p)):
            if [i for i, _ in itertools.groupby(path) if i] == [i for i in labels if i]:
                total += np.prod(p[np.arange(len(p)), path])
        losses.append(-np.log(total))
    return np.array(losses)


FRAMES = RNG.normal(size=(3, 5, 3))
LABELS = np.array([[1, 2, 0], [2, 2, 0], [1, 0, 0]])
UNITS = 0.9 * unit(REAL)  # shorter: the distance of a vector of length 1 from itself is at a kink

Formula = Callable[[np.ndarray, np.ndarray], np.ndarray]
Row = tuple[str, dict[str, Any], np.ndarray, np.ndarray, Formula]
ROWS: list[Row] = [
    ("mean_squared_error", {}, REAL, OTHER, lambda t, p: ((t - p) ** 2).mean(-1)),
    ("mean_absolute_error", {}, REAL, OTHER, lambda t, p: np.abs(t - p).mean(-1)),
    (
        "mean_absolute_percentage_error",
        {},
        REAL,
        OTHER,
        lambda t, p: 100 * np.abs((t - p) / np.maximum(np.abs(t), EPS)).mean(-1),
    ),
    (
        "mean_squared_logarithmic_error",
        {},
        np.abs(REAL),
        PROBS,
        lambda t, p: ((np.log1p(t) - np.log1p(p)) ** 2).mean(-1),
    ),
    ("huber", {}, REAL, OTHER, lambda t, p: huber(t, p, 1.0)),
    ("huber", {"delta": 2.5}, REAL, OTHER, lambda t, p: huber(t, p, 2.5)),
    ("log_cosh", {}, REAL, OTHER, lambda t, p: np.log(np.cosh(p - t)).mean(-1)),
    ("cosine_similarity", {}, REAL, OTHER, lambda t, p: -(unit(t) * unit(p)).sum(-1)),
    ("cosine_similarity", {"axis": 0}, REAL, OTHER, lambda t, p: -(unit(t.T) * unit(p.T)).sum(-1)),
    ("hinge", {}, BINARY, REAL, lambda t, p: np.maximum(1 - (2 * t - 1) * p, 0).mean(-1)),
    ("hinge", {}, 2 * BINARY - 1, OTHER, lambda t, p: np.maximum(1 - t * p, 0).mean(-1)),
    ("squared_hinge", {}, BINARY, OTHER, lambda t, p: (np.maximum(1 - (2 * t - 1) * p, 0) ** 2).mean(-1)),
    (
        "categorical_hinge",
        {},
        ONE_HOT,
        OTHER,
        lambda t, p: np.maximum(((1 - t) * p).max(-1) - (t * p).sum(-1) + 1, 0),
    ),
    ("kl_divergence", {}, SOFTMAX[::-1], SOFTMAX, kld),
    ("kl_divergence", {}, ONE_HOT, SOFTMAX, kld),
    ("poisson", {}, np.abs(REAL), PROBS, lambda t, p: (p - t * np.log(p + EPS)).mean(-1)),
    ("binary_crossentropy", {}, BINARY, PROBS, lambda t, p: bce(t, p).mean(-1)),
    ("binary_crossentropy", {"axis": 0}, BINARY, PROBS, lambda t, p: bce(t, p).mean(0)),
    (
        "binary_crossentropy",
        {"label_smoothing": 0.2},
        BINARY,
        PROBS,
        lambda t, p: bce(smooth(t, 0.2, 2), p).mean(-1),
    ),
    (
        "binary_crossentropy",
        {"from_logits": True, "label_smoothing": 0.2},
        BINARY,
        LOGITS,
        lambda t, x: bce(smooth(t, 0.2, 2), sigmoid(x)).mean(-1),
    ),
    ("categorical_crossentropy", {}, ONE_HOT, SOFTMAX, lambda t, p: -(t * np.log(p)).sum(-1)),
    (
        "categorical_crossentropy",
        {"label_smoothing": 0.2},
        ONE_HOT,
        PROBS,
        lambda t, p: -(smooth(t, 0.2, 4) * np.log(p / p.sum(-1, keepdims=True))).sum(-1),
    ),
    (
        "categorical_crossentropy",
        {"from_logits": True},
        ONE_HOT,
        LOGITS,
        lambda t, x: -(t * log_softmax(x)).sum(-1),
    ),
    (
        "categorical_crossentropy",
        {"axis": 0},
        ONE_HOT.T,
        PROBS.T,
        lambda t, p: -(t * np.log(p / p.sum(0))).sum(0),
    ),
    (
        "sparse_categorical_crossentropy",
        {},
        CLASSES,
        PROBS,
        lambda t, p: -np.log(p / p.sum(-1, keepdims=True))[np.arange(6), t],
    ),
    (
        "sparse_categorical_crossentropy",
        {"from_logits": True},
        CLASSES,
        LOGITS,
        lambda t, x: -log_softmax(x)[np.arange(6), t],
    ),
    (
        "sparse_categorical_crossentropy",
        {"from_logits": True, "ignore_class": 2},
        CLASSES,
        LOGITS,
        lambda t, x: np.where(t == 2, 0, -log_softmax(x)[np.arange(6), t]),
    ),
    (
        "sparse_categorical_crossentropy",
        {"from_logits": True, "axis": 0},
        CLASSES,
        LOGITS.T,
        lambda t, x: -log_softmax(x.T)[np.arange(6), t],
    ),
    ("binary_focal_crossentropy", {}, BINARY, PROBS, lambda t, p: focal(t, p).mean(-1)),
    (
        "binary_focal_crossentropy",
        {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5},
        BINARY,
        PROBS,
        lambda t, p: ((t * 0.3 + (1 - t) * 0.7) * focal(t, p, 1.5)).mean(-1),
    ),
    (
        "binary_focal_crossentropy",
        {"from_logits": True, "label_smoothing": 0.1},
        BINARY,
        LOGITS,
        lambda t, x: focal(smooth(t, 0.1, 2), sigmoid(x)).mean(-1),
    ),
    (
        "categorical_focal_crossentropy",
        {},
        ONE_HOT,
        SOFTMAX,
        lambda t, p: -(0.25 * (1 - p) ** 2 * t * np.log(p)).sum(-1),
    ),
    (
        "categorical_focal_crossentropy",
        {"alpha": [0.1, 0.2, 0.3, 0.4], "gamma": 1.0, "from_logits": True, "label_smoothing": 0.1},
        ONE_HOT,
        LOGITS,
        lambda t, x: (
            -(
                np.array([0.1, 0.2, 0.3, 0.4])
                * (1 - np.exp(log_softmax(x)))
                * smooth(t, 0.1, 4)
                * log_softmax(x)
            ).sum(-1)
        ),
    ),
]
ROWS += [
    ("dice", {}, BINARY, PROBS, overlap),
    ("dice", {"axis": 1}, BINARY, PROBS, lambda t, p: overlap(t, p, axis=1)),
    ("dice", {"axis": (0, 1)}, ONE_HOT, PROBS, overlap),
    ("tversky", {}, BINARY, PROBS, overlap),
    ("dice", {}, 0 * BINARY, PROBS / 1e5, lambda t, p: 1.0),
    ("tversky", {"axis": 0}, 0 * BINARY, 0 * PROBS, lambda t, p: np.ones(p.shape[1])),
    (
        "tversky",
        {"alpha": 0.3, "beta": 0.6, "axis": 0},
        BINARY,
        PROBS,
        lambda t, p: overlap(t, p, 0.3, 0.6, 0),
    ),
    ("circle", {}, CLASSES, UNITS, circle),
    (
        "circle",
        {"gamma": 2.0, "margin": 0.25, "remove_diagonal": False},
        CLASSES,
        UNITS,
        lambda t, p: circle(t, p, gamma=2.0, margin=0.25, diagonal=True),
    ),
    (
        "circle",
        {"gamma": 2.0, "ref_labels": CLASSES[2:], "ref_embeddings": UNITS[::-1][2:]},
        CLASSES,
        UNITS,
        lambda t, p: circle(t, p, (CLASSES[2:], UNITS[::-1][2:]), gamma=2.0),
    ),
    (
        "categorical_generalized_cross_entropy",
        {"q": 0.5},
        CLASSES,
        PROBS,
        lambda t, p: 2 * (1 - np.sqrt(p[np.arange(6), t])),
    ),
    (
        "categorical_generalized_cross_entropy",
        {"q": 0.8},
        CLASSES[:, None],
        PROBS,
        lambda t, p: (1 - p[np.arange(6), t[:, 0]] ** 0.8) / 0.8,
    ),
    ("ctc", {}, LABELS, FRAMES, ctc),
]
IDS = [f"{name}-{kwargs}" for name, kwargs, *_ in ROWS]


def single(x: np.ndarray) -> np.ndarray:
    return x.astype("float32") if x.dtype == "float64" else x


def test_every_function_has_a_row() -> None:
    others = {"get", "serialize", "deserialize", "crossentropy_by_shape"}
    functions = {n for n in losses.__all__ if not isinstance(getattr(losses, n), type)} - others
    assert functions == {name for name, *_ in ROWS}


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred", "formula"), ROWS, ids=IDS)
def test_values(
    name: str, kwargs: dict[str, Any], y_true: np.ndarray, y_pred: np.ndarray, formula: Formula
) -> None:
    def fn(t: Any, p: Any) -> Any:
        return getattr(losses, name)(t, p, **kwargs)

    t, p = single(y_true), single(y_pred)
    expected = formula(t.astype("float64") if t.dtype == "float32" else t, p.astype("float64"))
    eager, traced = fn(t, p), run_traced(fn, t, p)
    assert eager.dtype == traced.dtype == np.float32
    # A logarithm times gamma: the rounding of a distance counts 80 times.
    rtol = 5e-5 if name == "circle" else 5e-6
    np.testing.assert_allclose(eager, expected, rtol=rtol, atol=2e-7)
    if name == "binary_focal_crossentropy" and kwargs.get("from_logits"):
        # The sigmoid is part of the loss: the trace computes the logarithms from its argument.
        np.testing.assert_allclose(traced, eager, rtol=1e-6)
    else:
        np.testing.assert_array_equal(traced, eager)


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred", "formula"), ROWS, ids=IDS)
def test_gradients(
    name: str, kwargs: dict[str, Any], y_true: np.ndarray, y_pred: np.ndarray, formula: Formula
) -> None:
    def fn(t: Any, p: Any) -> Any:
        return getattr(losses, name)(t, p, **kwargs)

    expected = numeric_gradient(fn, [y_true, y_pred], wrt=1)
    # A difference is known to the rounding of the largest value over the step.
    atol = 1e-8 * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(traced_gradient(fn, [y_true, y_pred], wrt=1), expected, rtol=1e-5, atol=atol)


@pytest.mark.parametrize(
    "name",
    ["mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "mean_squared_logarithmic_error"],
)
def test_a_missing_last_axis_is_added(name: str) -> None:
    fn = getattr(losses, name)
    t, p = np.float32([1, 2, 3]), np.float32([[1.5], [2.5], [1.0]])
    np.testing.assert_array_equal(fn(t, p), fn(t[:, None], p))
    np.testing.assert_array_equal(fn(p, t), fn(p, t[:, None]))


def test_integers_and_lists() -> None:
    assert losses.mean_squared_error([1, 2], [0, 4]) == 2.5
    assert losses.mean_squared_error(np.int64([1, 2]), np.float32([0, 4])) == 2.5


@pytest.mark.parametrize(
    "labels", [CLASSES, CLASSES[:, None], CLASSES.astype("float32"), CLASSES.astype("uint8")]
)
def test_sparse_labels_of_every_kind(labels: np.ndarray) -> None:
    p = single(SOFTMAX)
    expected = losses.sparse_categorical_crossentropy(CLASSES, p)
    assert expected.shape == (6,)
    np.testing.assert_array_equal(losses.sparse_categorical_crossentropy(labels, p), expected)


@pytest.mark.parametrize("bad", [4, -1])
@pytest.mark.parametrize("from_logits", [False, True])
def test_labels_out_of_range_are_refused(bad: int, from_logits: bool) -> None:
    labels = np.array([0, 3, bad, 2, 2, 0])

    def fn(t: Any, p: Any) -> Any:
        return losses.sparse_categorical_crossentropy(t, p, from_logits=from_logits)

    for run in (fn, lambda t, p: run_traced(fn, t, p)):
        with pytest.raises(ValueError, match=f"{bad}.*4"):
            run(labels, single(SOFTMAX))


@pytest.mark.parametrize("bad", [4, -1])
@pytest.mark.parametrize(
    ("fn", "labels", "y_pred"),
    [
        (lambda t, p: losses.categorical_generalized_cross_entropy(t, p, 0.5), [0, 1], np.full((2, 4), 0.25)),
        (losses.ctc, [[1, 0], [2, 3]], np.zeros((2, 3, 4))),
    ],
    ids=["generalized", "ctc"],
)
def test_labels_that_are_no_class_are_refused(fn: Any, labels: Any, y_pred: np.ndarray, bad: int) -> None:
    labels = np.array(labels)
    labels[(1,) * labels.ndim] = bad
    with pytest.raises(ValueError, match="outside"):
        fn(labels, y_pred)


def test_circle_without_pairs() -> None:
    e = single(UNITS)
    values = losses.circle(CLASSES, e)
    assert (values > 0).tolist() == [True, False, False, True, True, True]
    np.testing.assert_allclose(losses.Circle()(CLASSES, e), values.sum() / 4, rtol=1e-6)
    for labels in (np.zeros(6, int), np.arange(6)):
        assert losses.circle(labels, e).tolist() == [0] * 6
        assert np.isfinite(traced_gradient(lambda p, t=labels: losses.circle(t, p), [e])).all()


def test_an_ignored_class_may_be_out_of_range() -> None:
    labels = np.array([0, 3, -1, 2, 2, 0])
    values = losses.sparse_categorical_crossentropy(labels, single(SOFTMAX), ignore_class=-1)
    assert values[2] == 0
    assert (values[[0, 1, 3, 4, 5]] > 0).all()


@pytest.mark.parametrize(
    ("name", "t", "p"),
    [
        ("binary_crossentropy", (2,), (2, 1)),
        ("categorical_crossentropy", (2, 3), (2, 4)),
        ("sparse_categorical_crossentropy", (3,), (2, 4)),
        ("mean_squared_error", (2, 3), (2, 4)),
        ("dice", (2, 3), (2, 4)),
        ("tversky", (2, 3), (2, 4)),
        ("circle", (3,), (2, 4)),
        ("circle", (2, 2), (2, 4)),
        ("ctc", (2,), (2, 4, 3)),
        ("ctc", (2, 3), (2, 4)),
        ("ctc", (2, 3), (3, 4, 3)),
    ],
)
def test_shapes_that_do_not_fit(name: str, t: tuple[int, ...], p: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        getattr(losses, name)(np.zeros(t, "float32"), np.full(p, 0.5, "float32"))


def test_zero_vectors_have_the_cosine_zero() -> None:
    zero = np.zeros((2, 3), "float32")
    assert losses.cosine_similarity(zero, zero + 1).tolist() == [0, 0]


@pytest.mark.parametrize("name", ["categorical_crossentropy", "categorical_focal_crossentropy"])
def test_smoothing_of_no_classes(name: str) -> None:
    nothing = np.zeros((3, 0), "float32")
    values = np.asarray(getattr(losses, name)(nothing, nothing, label_smoothing=0.5))
    np.testing.assert_array_equal(values, np.zeros(3))
