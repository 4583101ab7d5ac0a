"""Loss objects: reduction, sample weights, masks, configs and names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.tracing import run_traced

from ranvier import losses
from ranvier.core import scope
from ranvier.losses.loss import reduce_weighted_values, squeeze_or_expand_to_same_rank

T = np.float32([[0, 1], [2, 3], [4, 5]])
P = np.float32([[0.5, 0.5], [1, 2], [8, 1]])
VALUES = np.array([0.25, 1.0, 16.0])  # the mean squared errors

WEIGHTS = [None, 2.0, np.float32([1, 0, 2]), np.float32([[1], [0], [2]])]


def expected_loss(reduction: str | None, weight: Any) -> Any:
    w = np.ones(3) if weight is None else np.broadcast_to(np.ravel(weight), 3)
    weighted = VALUES * w
    if reduction in ("sum_over_batch_size", "mean"):
        return weighted.sum() / 3
    if reduction == "mean_with_sample_weight":
        # Keras divides by the sum of the weights as they were given: a single number counts once.
        return weighted.sum() / (3 if weight is None else np.sum(weight))
    return weighted.sum() if reduction == "sum" else weighted


@pytest.mark.parametrize(
    "reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]
)
@pytest.mark.parametrize("weight", WEIGHTS, ids=["none", "number", "vector", "column"])
def test_reductions(reduction: str | None, weight: Any) -> None:
    loss = losses.MeanSquaredError(reduction=reduction)
    value = loss(T, P, sample_weight=weight)
    assert value.dtype == np.float32
    np.testing.assert_allclose(np.ravel(value), np.ravel(expected_loss(reduction, weight)), rtol=1e-6)
    traced = run_traced(lambda t, p: loss(t, p, sample_weight=weight), T, P)
    np.testing.assert_array_equal(traced, value)


def test_weights_of_further_axes() -> None:
    rng = np.random.default_rng(0)
    t, p = rng.normal(size=(2, 3, 4)).astype("float32"), rng.normal(size=(2, 3, 4)).astype("float32")
    values = ((t - p) ** 2).mean(-1)
    for weight in (np.float32([[1], [2]]), np.float32([[1, 2, 3], [0, 1, 0]])):
        expected = (values * weight).mean()
        np.testing.assert_allclose(losses.MeanSquaredError()(t, p, weight), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="shape|broadcast"):
        losses.MeanSquaredError()(t, p, np.float32([1, 2]))


MASK = np.array([True, False, True])
MASKED = [
    ("sum_over_batch_size", None, 2.0),  # (1 + 3) / 2: masked values do not count
    ("mean", None, 2.0),
    ("sum", None, 4.0),
    ("mean_with_sample_weight", None, 2.0),
    ("none", None, [1.0, 0.0, 3.0]),
    ("sum_over_batch_size", [1.0, 0.5, 2.0], 3.5),
    ("sum", [1.0, 0.5, 2.0], 7.0),
    ("mean_with_sample_weight", [1.0, 0.5, 2.0], 7.0 / 3.0),
    ("none", [1.0, 0.5, 2.0], [1.0, 0.0, 6.0]),
]


@pytest.mark.parametrize(("reduction", "weight", "expected"), MASKED)
def test_masks(reduction: str, weight: Any, expected: Any) -> None:
    values = np.float32([1, 2, 3])
    result = reduce_weighted_values(values, weight, MASK, reduction)
    np.testing.assert_allclose(result, expected, rtol=1e-6)
    nothing = reduce_weighted_values(values, weight, np.zeros(3, bool), reduction)
    assert not np.any(nothing)


def test_an_ignored_class_does_not_count_in_the_mean() -> None:
    labels, p = np.array([1, 2]), np.float32([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])
    loss = losses.SparseCategoricalCrossentropy(ignore_class=1)
    np.testing.assert_allclose(loss(labels, p), -np.log(0.4), rtol=1e-6)
    np.testing.assert_allclose(loss(labels[:, None], p, [1.0, 3.0]), -3 * np.log(0.4), rtol=1e-6)


def test_the_mask_of_a_prediction_counts() -> None:
    class Masked(np.ndarray):
        """An array with a mask, as a layer leaves it on its output."""

    p = P.view(Masked)
    p._keras_mask = MASK  # type: ignore[attr-defined]
    np.testing.assert_allclose(losses.MeanSquaredError()(T, p), (0.25 + 16) / 2, rtol=1e-6)
    both = losses.MeanSquaredError()(T, p, sample_weight=[0.0, 1.0, 1.0])
    np.testing.assert_allclose(both, 16 / 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("a", "b", "expanded", "squeezed"),
    [
        ((3, 1), (3,), ((3, 1), (3, 1)), ((3,), (3,))),
        ((3,), (3, 1), ((3, 1), (3, 1)), ((3,), (3,))),
        ((3, 2, 1), (3, 2), ((3, 2), (3, 2)), ((3, 2), (3, 2))),
        ((3, 2), (3,), ((3, 2), (3,)), ((3, 2), (3,))),
        ((1,), (), ((), ()), ((), ())),
        ((3, 1), (3, 2), ((3, 1), (3, 2)), ((3, 1), (3, 2))),
        ((3, 1, 1), (3,), ((3, 1, 1), (3,)), ((3, 1, 1), (3,))),
    ],
)
def test_ranks(a: Any, b: Any, expanded: Any, squeezed: Any) -> None:
    x, y = np.zeros(a), np.zeros(b)
    assert tuple(v.shape for v in squeeze_or_expand_to_same_rank(x, y)) == expanded
    assert tuple(v.shape for v in squeeze_or_expand_to_same_rank(x, y, expand_rank_1=False)) == squeezed


def test_a_subclass_sees_floats() -> None:
    class Seen(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            assert y_true.dtype == y_pred.dtype == np.float32
            return y_true - y_pred

    scope.reset_uids()
    assert Seen()(np.array([3, 4]), np.array([1, 1])) == 2.5
    assert Seen().name == "seen_1"
    with pytest.raises(NotImplementedError):
        losses.Loss()(1.0, 2.0)


def test_dtype() -> None:
    value = losses.MeanSquaredError(dtype="float64")(T, P)
    assert value.dtype == np.float64
    assert losses.MeanSquaredError(dtype="float64").dtype == "float64"


def test_wrapped_functions() -> None:
    def scaled(y_true: Any, y_pred: Any, by: float = 1.0) -> Any:
        return by * losses.mean_squared_error(y_true, y_pred)

    loss = losses.LossFunctionWrapper(scaled, reduction="sum", name="scaled", by=2.0)
    np.testing.assert_allclose(loss(T, P), 2 * VALUES.sum())
    config = loss.get_config()
    assert config["by"] == 2.0
    again = losses.deserialize(losses.serialize(loss), custom_objects={"scaled": scaled})
    np.testing.assert_array_equal(again(T, P), loss(T, P))


BASE = {"reduction": "sum"}
CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("MeanSquaredError", {"name": "mean_squared_error"}),
    ("MeanAbsoluteError", {"name": "mean_absolute_error"}),
    ("MeanAbsolutePercentageError", {"name": "mean_absolute_percentage_error"}),
    ("MeanSquaredLogarithmicError", {"name": "mean_squared_logarithmic_error"}),
    ("Huber", {"name": "huber_loss", "delta": 2.0}),
    ("LogCosh", {"name": "log_cosh"}),
    ("CosineSimilarity", {"name": "cosine_similarity", "axis": 0}),
    ("Hinge", {"name": "hinge"}),
    ("SquaredHinge", {"name": "squared_hinge"}),
    ("CategoricalHinge", {"name": "categorical_hinge"}),
    ("KLDivergence", {"name": "kl_divergence"}),
    ("Poisson", {"name": "poisson"}),
    (
        "BinaryCrossentropy",
        {"name": "binary_crossentropy", "from_logits": True, "label_smoothing": 0.1, "axis": 0},
    ),
    (
        "CategoricalCrossentropy",
        {"name": "categorical_crossentropy", "from_logits": True, "label_smoothing": 0.1, "axis": 1},
    ),
    (
        "SparseCategoricalCrossentropy",
        {"name": "sparse_categorical_crossentropy", "from_logits": True, "ignore_class": 1, "axis": 1},
    ),
    (
        "BinaryFocalCrossentropy",
        {
            "name": "binary_focal_crossentropy",
            "apply_class_balancing": True,
            "alpha": 0.5,
            "gamma": 1.0,
            "from_logits": True,
            "label_smoothing": 0.1,
            "axis": 0,
        },
    ),
    ("CTC", {"name": "ctc"}),
    (
        "CategoricalGeneralizedCrossEntropy",
        {"name": "categorical_generalized_cross_entropy", "q": 0.25},
    ),
    ("Circle", {"name": "circle", "gamma": 2.0, "margin": 0.25, "remove_diagonal": False}),
    ("Dice", {"name": "dice", "axis": 1}),
    ("Tversky", {"name": "tversky", "alpha": 0.25, "beta": 0.75, "axis": None}),
    (
        "CategoricalFocalCrossentropy",
        {
            "name": "categorical_focal_crossentropy",
            "alpha": 0.5,
            "gamma": 1.0,
            "from_logits": True,
            "label_smoothing": 0.1,
            "axis": 1,
        },
    ),
]


@pytest.mark.parametrize(("name", "config"), CONFIGS)
def test_configs(name: str, config: dict[str, Any]) -> None:
    cls = getattr(losses, name)
    assert cls().name == config["name"]
    assert cls().get_config().keys() == {*config, "reduction"}
    loss = cls(**config, reduction="sum")
    assert loss.get_config() == {**config, "reduction": "sum"}
    saved = losses.serialize(loss)
    assert (saved["module"], saved["class_name"]) == ("keras.losses", name)
    again = losses.deserialize(saved)
    assert type(again) is cls
    assert again.get_config() == loss.get_config()


def test_every_class_has_a_config_row() -> None:
    classes = {n for n in losses.__all__ if isinstance(getattr(losses, n), type)}
    assert classes - {"Loss", "LossFunctionWrapper"} == {name for name, _ in CONFIGS}


def test_get() -> None:
    assert losses.get(None) is None
    for short, name in (
        ("bce", "binary_crossentropy"),
        ("kld", "kl_divergence"),
        ("mae", "mean_absolute_error"),
        ("mape", "mean_absolute_percentage_error"),
        ("mse", "mean_squared_error"),
        ("msle", "mean_squared_logarithmic_error"),
    ):
        assert losses.get(short) is losses.get(short.upper()) is losses.get(name) is getattr(losses, name)
    assert isinstance(losses.get("Huber"), losses.Huber)
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    assert losses.get({"class_name": "Huber", "config": {"delta": 3.0}}).get_config()["delta"] == 3.0
    assert losses.deserialize("mse") is losses.mean_squared_error
    assert losses.get(max) is max
    assert losses.deserialize(losses.serialize(losses.mean_squared_error)) is losses.mean_squared_error


def test_unknown_names_list_near_ones() -> None:
    with pytest.raises(ValueError, match="Did you mean:.*sparse_categorical_crossentropy"):
        losses.get("sparse_crossentropy")
    with pytest.raises(ValueError, match="loss identifier"):
        losses.get(3)


@pytest.mark.parametrize("q", [0, 1.0, 1.5])
def test_the_exponent_lies_between_0_and_1(q: float) -> None:
    with pytest.raises(ValueError, match=rf"interval \(0, 1\).*q={q}"):
        losses.CategoricalGeneralizedCrossEntropy(q)


@pytest.mark.parametrize("reduction", ["auto", "average", 1])
def test_unknown_reductions(reduction: Any) -> None:
    with pytest.raises(ValueError, match="reduction"):
        losses.MeanSquaredError(reduction=reduction)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "cls"),
    [
        ((4, 1), (4, 1), "BinaryCrossentropy"),
        ((4,), (4, 1), "BinaryCrossentropy"),
        ((4,), (4, 3), "SparseCategoricalCrossentropy"),
        ((4, 1), (4, 3), "SparseCategoricalCrossentropy"),
        ((4, 3), (4, 3), "CategoricalCrossentropy"),
        ((4, 2), (4, 2), "CategoricalCrossentropy"),
    ],
)
def test_crossentropy_by_shape(y_true: Any, y_pred: Any, cls: str) -> None:
    assert type(losses.crossentropy_by_shape(y_true, y_pred)).__name__ == cls


def test_weights_that_do_not_fit() -> None:
    for shape in ((2,), (2, 1), (3, 3, 2)):
        with pytest.raises(ValueError, match=r"`sample_weight` of shape .* does not fit .* shape \(3,"):
            losses.MeanSquaredError()(T, P, sample_weight=np.ones(shape))


@pytest.mark.parametrize("from_logits", [False, True])
def test_one_class_only(from_logits: bool) -> None:
    with pytest.warns(SyntaxWarning, match=r"num_classes > 1, but is \(3, 1\)"):
        loss = losses.CategoricalCrossentropy(from_logits=from_logits)(T[:, :1], P[:, :1])
    np.testing.assert_allclose(loss, 0, atol=1e-6)


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "CategoricalCrossentropy", "Hinge"])
def test_boolean_targets(name: str) -> None:
    loss = getattr(losses, name)()
    assert loss(T > 1, P / 10) == loss((T > 1).astype("float32"), P / 10)
