"""Losses and metrics that users write: what they may return, and what is said of anything else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ranvier
from ranvier import losses, metrics, ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype("float32")
Y = RNG.normal(size=(20, 3)).astype("float32")


def fit(loss: Any = "mse", weights: Any = None, **compiled: Any) -> dict[str, list[Any]]:
    model = ranvier.Sequential([ranvier.Input((4,)), ranvier.layers.Dense(3)])
    model.compile("sgd", loss, **compiled)
    return model.fit(X, Y, sample_weight=weights, batch_size=8, verbose=0).history


def squares(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


class OwnLoss(losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return squares(y_true, y_pred)


class OwnMetric(metrics.Metric):
    """The mean of the squares; `give` makes the result of it."""

    def __init__(self, give: Any = lambda x: x, **kwargs: Any) -> None:
        super().__init__(name="own", **kwargs)
        self.total = self.add_weight(name="total")
        self.give = give

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.total.assign_add(ops.mean(squares(y_true, y_pred)))

    def result(self) -> Any:
        return self.give(ops.convert_to_tensor(self.total))


@pytest.mark.parametrize(
    "loss", [squares, OwnLoss(), lambda t, p: ops.mean(squares(t, p)), losses.MeanSquaredError]
)
def test_losses(loss: Any) -> None:
    ranvier.utils.set_random_seed(0)
    expected = fit()["loss"]
    ranvier.utils.set_random_seed(0)
    np.testing.assert_allclose(fit(loss)["loss"], expected, rtol=1e-6)


def test_metrics() -> None:
    history = fit(metrics=[squares, OwnMetric(), metrics.MeanMetricWrapper(squares, name="wrapped")])
    np.testing.assert_allclose(history["squares"], history["loss"], rtol=1e-6)
    np.testing.assert_allclose(history["wrapped"], history["loss"], rtol=1e-6)
    assert history["own"][0] > 0
    history = fit(metrics=[OwnMetric(lambda x: {"once": x, "twice": 2 * x})])
    np.testing.assert_allclose(history["twice"][0], 2 * history["once"][0])
    assert fit(metrics=[OwnMetric(lambda x: 1.5)])["own"] == [1.5]
    assert fit(metrics=[OwnMetric(lambda x: [x, 2 * x])])["own"][0].shape == (2,)


@pytest.mark.parametrize(
    "loss", [lambda t, p: ops.sqrt(-1.0 - squares(t, p)), lambda t, p: squares(t, p) / 0.0]
)
def test_a_loss_that_is_not_finite_is_reported(loss: Any) -> None:
    assert not np.isfinite(fit(loss)["loss"]).any()


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"loss": lambda t, p: None}, TypeError, "What loss 'lambda' returns must be numbers.*None"),
        ({"loss": lambda t, p: "a"}, TypeError, "What loss 'lambda' returns must be numbers.*'a'"),
        ({"metrics": [lambda t, p: None]}, TypeError, "What metric 'lambda' averages must be numbers.*None"),
        ({"metrics": [OwnMetric(lambda x: None)]}, TypeError, "result of metric 'own' must be numbers.*None"),
        (
            {"metrics": [OwnMetric(lambda x: "abc")]},
            TypeError,
            "result of metric 'own' must be numbers.*'abc'",
        ),
        (
            {"loss": lambda t, p: ops.mean(p, axis=0), "weights": np.ones(20)},
            ValueError,
            r"`sample_weight` of shape \(8,\).*shape \(3,\)",
        ),
        (
            {"weighted_metrics": [lambda t, p: ops.mean(p, axis=0)], "weights": np.ones(20)},
            ValueError,
            r"`sample_weight` of shape \(8,\).*shape \(3,\)",
        ),
        ({"loss": OwnLoss(reduction="none")}, ValueError, "must be a scalar"),
        ({"loss": "mean_sqared_error"}, ValueError, "Did you mean: mean_squared_error"),
        ({"metrics": ["presision"]}, ValueError, "Did you mean: precision"),
    ],
)
def test_refusals(given: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        fit(**given)


def test_a_forgotten_constructor_is_named() -> None:
    class Forgetful(OwnMetric):
        def __init__(self) -> None:
            self.give = abs

    class ForgetfulLoss(OwnLoss):
        def __init__(self) -> None:
            self.scale = 1.0

    with pytest.raises(RuntimeError, match=r"Forgetful must call `super\(\).__init__\(\)`"):
        fit(metrics=[Forgetful()])
    with pytest.raises(RuntimeError, match=r"ForgetfulLoss must call `super\(\).__init__\(\)`"):
        fit(ForgetfulLoss())
    with pytest.raises(AttributeError, match="'OwnLoss' object has no attribute 'nothing'"):
        _ = OwnLoss().nothing  # type: ignore[attr-defined]
