"""Several outputs: the names of results, what the numbers mean, and refusals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.training.outputs_table import ALL, DICT, IDS, LIST, NEST, Y1, Y2, W, X, functional, subclassed

import ranvier as rv

# Of outputs without a loss.
pytestmark = pytest.mark.filterwarnings("ignore:Gradients do not exist:UserWarning")


@pytest.mark.parametrize(("make", "row"), ALL, ids=IDS)
def test_every_way_trains_and_reports_the_same(make, row):
    kind, y, compiled, fitted = row
    model = make(rv, kind)
    model.compile("sgd", **compiled)
    history = model.fit(X, y, epochs=2, batch_size=4, verbose=0, **fitted).history
    named = model.evaluate(X, y, verbose=0, return_dict=True)
    assert set(named) == {name for name in history if not name.startswith("val_")}
    results = np.atleast_1d(model.evaluate(X, y, verbose=0))
    assert results[0] == named["loss"] and set(results) == set(named.values())
    assert np.isfinite(results).all() and history["loss"][1] < history["loss"][0]


def test_the_numbers():
    model = functional(rv, "dict")
    model.compile(
        "sgd",
        loss={"p": "mse", "q": "mae"},
        loss_weights={"p": 2.0, "q": 3.0},
        metrics={"q": ["mse"]},
        weighted_metrics={"q": ["mse"]},
    )
    p, q = (X @ w + b for w, b in (model.get_weights()[:2], model.get_weights()[2:]))
    logs = model.evaluate(X, DICT, verbose=0, sample_weight={"p": W, "q": W}, return_dict=True)
    p_loss = (W * ((p - Y1) ** 2)[:, 0]).mean()
    q_loss = (W * np.abs(q - Y2).mean(1)).mean()
    squares = ((q - Y2) ** 2).mean(1)
    expected = {
        "loss": 2 * p_loss + 3 * q_loss,
        "p_loss": p_loss,
        "q_loss": q_loss,
        "q_mse": squares.mean(),
        "q_weighted_mse": (W * squares).sum() / W.sum(),
    }
    assert logs == pytest.approx(expected, rel=1e-5) and list(logs) == sorted(expected)


def test_names_of_outputs_and_losses():
    for kind, make, y, names in (
        ("list", functional, LIST, {"loss", "a_loss", "b_loss"}),
        ("list", subclassed, LIST, {"loss", "mse_loss"}),
        ("dict", subclassed, DICT, {"loss", "p_loss", "q_loss"}),
        ("nest", functional, {"p": LIST, "q": Y2}, {"loss", "p/a_loss", "p/b_loss", "q_loss"}),
    ):
        model = make(rv, kind)
        model.compile("sgd", "mse")
        assert set(model.fit(X, y, verbose=0).history) == names


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("y", [Y2, [Y2]], ids=["array", "list"])
def test_targets_of_the_one_output_that_has_a_loss(position: int, y: object) -> None:
    """As a language model that also returns its states."""
    inputs = rv.Input(X.shape[1:])
    outputs = [rv.layers.Dense(Y2.shape[1], name="a")(inputs), rv.layers.Dense(3, name="b")(inputs)]
    model = rv.Model(inputs, outputs if position == 0 else outputs[::-1])
    only = [None, None]
    only[position] = "mse"
    for metrics in (None, [[entry] if entry else None for entry in only]):
        model.compile("sgd", loss=only, metrics=metrics)
        history = model.fit(X, y, epochs=2, verbose=0).history
        assert set(history) == ({"loss", "a_mse"} if metrics else {"loss"})
        a = model.predict(X, verbose=0)[position]
        assert model.evaluate(X, y, verbose=0, return_dict=True)["loss"] == pytest.approx(
            ((a - Y2) ** 2).mean()
        )
    model.compile("sgd", loss=["mse", "mse"])
    with pytest.raises(ValueError, match="2 outputs"):
        model.fit(X, y, verbose=0)


def test_class_numbers_are_checked_for_the_output_that_takes_them():
    x = rv.Input((4,))
    a, b = rv.layers.Dense(1, name="a")(x), rv.layers.Dense(3, activation="softmax", name="b")(x)
    model = rv.Model(x, {"real": a, "class": b})
    model.compile("sgd", {"real": "mse", "class": "sparse_categorical_crossentropy"})
    classes = np.arange(10) % 3
    model.fit(X, {"real": Y1, "class": classes}, verbose=0)
    with pytest.raises(ValueError, match="row 2"):
        model.fit(X, {"real": Y1, "class": np.where(classes == 2, 0.5, classes)}, verbose=0)
    # Alone, and targets in a list: by the outputs' sorted keys.
    for loss in ({"class": "sparse_categorical_crossentropy"}, ["sparse_categorical_crossentropy", None]):
        model.compile("sgd", loss)
        model.fit(X, [classes, Y1], verbose=0)
        with pytest.raises(ValueError, match="row 0"):
            model.fit(X, [Y1, classes], verbose=0)


def test_predictions_keep_the_structure():
    model = functional(rv, "nest")
    whole, batch = model.predict(X, batch_size=3, verbose=0), model.predict_on_batch(X)
    for result in (whole, batch):
        assert set(result) == {"p", "q"} and [v.shape for v in result["p"]] == [(10, 1), (10, 2)]
        np.testing.assert_array_equal(result["q"], result["p"][1])


def test_overridden_hooks_see_what_was_given():
    seen = []

    class Own(rv.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            seen.append((set(y), set(y_pred)))
            return super().compute_loss(x, y, y_pred, sample_weight, training) * 2.0

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "more": rv.ops.sum(y_pred["q"])}

    x = rv.Input((4,))
    model = Own(x, {"p": rv.layers.Dense(1)(x), "q": rv.layers.Dense(2)(x)})
    model.compile("sgd", "mse")
    logs = model.train_on_batch(X, DICT, return_dict=True)
    assert seen and all(pair == ({"p", "q"}, {"p", "q"}) for pair in seen)
    assert logs["loss"] == pytest.approx(2 * (logs["p_loss"] + logs["q_loss"]), rel=1e-6) and "more" in logs


@pytest.mark.parametrize(
    ("kind", "y", "compiled", "fitted", "error", "match"),
    [
        ("list", LIST, {"loss": {"a": "mse"}}, {}, ValueError, r"\['a', 'b'\]"),
        ("list", LIST, {"loss": {"a": "mse", "zz": "mae"}}, {}, ValueError, "zz"),
        ("list", LIST, {"loss": ["mse"] * 3}, {}, KeyError, "2"),
        ("list", [Y1], {"loss": "mse"}, {}, ValueError, "2 outputs"),
        ("list", Y1, {"loss": "mse"}, {}, ValueError, "2 outputs"),
        ("list", {"a": Y1, "other": Y2}, {"loss": "mse"}, {}, ValueError, "other"),
        ("dict", {"p": Y1}, {"loss": "mse"}, {}, ValueError, "Output 'q' has a loss, but there is no target"),
        (
            "list",
            [Y1, None],
            {"loss": "mse"},
            {},
            ValueError,
            "Output 'b' has a loss, but there is no target",
        ),
        ("dict", DICT | {"r": Y1}, {"loss": "mse"}, {}, ValueError, r"\['p', 'q', 'r'\]; .* \['p', 'q'\]"),
        ("list", [Y1, Y2, Y2], {"loss": "mse"}, {}, ValueError, "`y` holds 3 items, .* 2 outputs"),
        ("dict", [Y1, Y2, Y2], {"loss": "mse"}, {}, ValueError, "`y` holds 3 items, .* 2 outputs"),
        ("dict", DICT, {"loss": ["mse"]}, {}, ValueError, r"`loss` holds 1 items, .* \['p', 'q'\]"),
        ("dict", DICT, {"loss": ["mse"] * 3}, {}, ValueError, r"`loss` holds 3 items, .* \['p', 'q'\]"),
        ("list", LIST, {"loss": "mse"}, {"sample_weight": [W]}, ValueError, "one `sample_weight` array per"),
        ("list", LIST, {"loss": "mse"}, {"sample_weight": [W] * 3}, ValueError, "one `sample_weight` array"),
        ("nest", NEST, {"loss": "mse", "metrics": {"p": "mae"}}, {}, ValueError, "Invalid `metrics`"),
        ("dict", DICT, {"loss": {"a": "mse", "b": "mae"}}, {}, KeyError, "a"),
        ("list", LIST, {"loss": "mse", "metrics": ["mae"]}, {}, ValueError, "metrics.*'a', 'b'"),
        ("list", LIST, {"loss": "mse", "metrics": {"zz": "mae"}}, {}, ValueError, "zz"),
        ("dict", DICT, {"loss": "mse", "weighted_metrics": {"p": "mae", "zz": "mae"}}, {}, ValueError, "zz"),
        ("list", LIST, {"loss": "mse", "loss_weights": [1.0, 2.0]}, {}, ValueError, "1 losses and 2"),
        ("list", LIST, {"loss": ["mse", "mae"], "loss_weights": ["a", 2.0]}, {}, ValueError, "loss_weights"),
        ("list", LIST, {"loss": "mse"}, {"sample_weight": {"a": W}}, ValueError, "sample_weight"),
        ("dict", DICT, {"loss": "mse"}, {"sample_weight": {"p": W}}, ValueError, "sample_weight"),
        ("list", LIST, {"loss": "mse"}, {"class_weight": {0: 1.0}}, ValueError, "class_weight"),
        ("list", [Y2, Y2], {"loss": ["sparse_categorical_crossentropy", "mse"]}, {}, ValueError, "'a'"),
    ],
)
def test_refusals(kind, y, compiled, fitted, error, match):
    model = functional(rv, kind)
    with pytest.raises(error, match=match):
        model.compile("sgd", **compiled)
        model.fit(X, y, verbose=0, **fitted)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.array, bool])
def test_weights_of_losses_may_be_any_numbers(kind):
    plain, numpy = functional(rv, "dict"), functional(rv, "dict")
    numpy.set_weights(plain.get_weights())
    for model, as_given in ((plain, float), (numpy, kind)):
        weights = {"p": as_given(1), "q": as_given(0)}
        model.compile("sgd", loss={"p": "mse", "q": "mae"}, loss_weights=weights)
    assert numpy.evaluate(X, DICT, verbose=0) == plain.evaluate(X, DICT, verbose=0)


@pytest.mark.parametrize("weights", [{"p": 1.0, "r": 2.0}, {"q": 1.0, "other": 2.0}])
def test_weights_for_other_keys(weights):
    model = functional(rv, "dict")
    with pytest.raises(KeyError, match="loss_weights.*'p', 'q'"):
        model.compile("sgd", loss={"p": "mse", "q": "mae"}, loss_weights=weights)


class Two(NamedTuple):
    u: Any
    v: Any


def own(y, y_pred):
    assert not isinstance(y_pred, (list, tuple, dict))
    return rv.ops.mean(rv.ops.abs(y - y_pred))


@pytest.mark.parametrize(
    ("output", "names"),
    [
        (lambda u, v: (u, v), ("u_loss", "v_loss")),
        (lambda u, v: [u, v], ("u_loss", "v_loss")),
        (Two, ("u_loss", "v_loss")),
        (lambda u, v: {"p": {"q": u}, "r": v}, ("p/q_loss", "r_loss")),
        (lambda u, v: [[u], v], ("0/u_loss", "v_loss")),
        (lambda u, v: {"p": (u, v)}, ("p/u_loss", "p/v_loss")),
    ],
)
@pytest.mark.parametrize("losses", [(own, "mse"), (own, own), (None, own)])
def test_losses_in_the_structure_of_the_outputs(output, names, losses):
    x = rv.Input((3,))
    model = rv.Model(x, output(*(rv.layers.Dense(1, name=name)(x) for name in "uv")))
    model.compile("sgd", loss=output(*losses))
    inputs, targets = np.ones((4, 3), "float32"), np.zeros((4, 1), "float32")
    logs = model.evaluate(inputs, output(targets, targets), return_dict=True, verbose=0)
    several = [name for name, loss in zip(names, losses, strict=True) if loss is not None]
    assert set(logs) == {"loss", *(several if len(several) > 1 else ())}
    u, v = (inputs[:1] @ kernel for kernel in model.get_weights()[::2])
    values = [{own: abs(z), "mse": z**2, None: 0 * z}[k] for z, k in zip((u, v), losses, strict=True)]
    np.testing.assert_allclose(logs["loss"], float(np.sum(values)), rtol=1e-5)


def test_names_of_functions_are_in_snake_case():
    def OfMyOwn(y, y_pred):
        return rv.ops.mean(rv.ops.abs(y - y_pred))

    model = subclassed(rv, "list")
    model.compile("sgd", loss=[OfMyOwn, lambda y, y_pred: rv.ops.mean(y_pred)])
    assert set(model.fit(X, LIST, verbose=0).history) == {"loss", "of_my_own_loss", "lambda_loss"}
