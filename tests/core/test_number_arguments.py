"""NumPy's scalars and arrays of rank 0 where a number is asked for: every class with a config, and `fit`."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

import ranvier as rv
from ranvier.core.arguments import is_integer, is_number, plain

KINDS = {
    "scalar": lambda value: np.int64(value) if isinstance(value, int) else np.float32(value),
    "rank 0": np.array,
}
# Arguments without a default that is a number.
GIVEN = {
    "weight_decay": 0.5, "clipnorm": 1.0, "use_ema": True, "ema_overwrite_frequency": 3,
    "loss_scale_factor": 2.0, "gradient_accumulation_steps": 2, "num_classes": 3, "target_class_ids": [0],
    "l1": 0.5, "l2": 0.5,
    "threshold": 0.5, "class_id": 1, "recall": 0.5, "precision": 0.5, "specificity": 0.5, "sensitivity": 0.5,
    "ignore_class": 1, "factor": 0.5, "seed": 3, "value": 0.5, "initial_learning_rate": 0.5, "decay_steps": 4,
    "decay_rate": 0.5, "first_decay_steps": 4, "warmup_target": 0.5, "boundaries": [1, 2],
    "values": [0.5, 1.0, 2.0],
}  # fmt: skip
ROOMS = (
    *("optimizers", "optimizers.schedules", "losses", "metrics"),
    *("initializers", "regularizers", "constraints"),
)
MADE_OF_OBJECTS = {"MultiOptimizer", "OptimizerMap", "MeanMetricWrapper", "SumOverBatchSizeMetric"}


def classes():
    for room in ROOMS:
        module = rv
        for part in room.split("."):
            module = getattr(module, part)
        for name in sorted(set(dir(module))):
            cls = getattr(module, name)
            is_base = name in {"Optimizer", "Loss", "Metric", "Initializer", "Regularizer", "Constraint"}
            if inspect.isclass(cls) and cls.__name__ == name and not is_base and name not in MADE_OF_OBJECTS:
                if name not in {"LearningRateSchedule", "LossFunctionWrapper"}:
                    yield pytest.param(cls, id=f"{room}.{name}")


def number_arguments(cls):
    """The constructor's arguments that are numbers."""
    found = {}
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        default = parameter.default
        if name in GIVEN:
            found[name] = GIVEN[name]
        elif isinstance(default, (int, float)) and not isinstance(default, bool):
            found[name] = default
    if cls is rv.optimizers.LossScaleOptimizer:
        found["inner_optimizer"] = rv.optimizers.SGD(name="inner")
    return found


def converted(value, kind):
    if isinstance(value, list):
        return [converted(item, kind) for item in value]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return KINDS[kind](value) if is_number else value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", list(classes()))
def test_configs_hold_plain_numbers(cls, kind):
    given = number_arguments(cls)
    rv.utils.clear_session()
    expected = cls(**given).get_config()
    rv.utils.clear_session()
    config = cls(**{name: converted(value, kind) for name, value in given.items()}).get_config()
    rounded = json.loads(json.dumps(expected), parse_float=lambda x: pytest.approx(float(x)))
    assert json.loads(json.dumps(config)) == rounded


def net():
    rv.utils.set_random_seed(np.int64(1))
    model = rv.Sequential([rv.Input((2,)), rv.layers.Dense(1)])
    model.compile(rv.optimizers.SGD(np.array(0.5)), "mse")
    return model


X = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
Y = X[:, :1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "fitted",
    [
        {"batch_size": 4},
        {"epochs": 3, "initial_epoch": 1},
        {"validation_split": 0.25},
        {"batch_size": 2, "steps_per_epoch": 2},
        {"validation_data": (X, Y), "validation_freq": 2, "epochs": 2, "validation_batch_size": 4},
        {"validation_data": (X, Y), "validation_steps": 1, "validation_batch_size": 4},
    ],
)
def test_fit_takes_them(fitted, kind):
    expected = net().fit(X, Y, verbose=0, shuffle=False, **fitted).history
    given = {name: converted(value, kind) for name, value in fitted.items()}
    assert net().fit(X, Y, verbose=KINDS[kind](0), shuffle=False, **given).history == expected


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_and_predict_take_them(kind):
    model, four, one = net(), KINDS[kind](4), KINDS[kind](1)
    assert model.evaluate(X, Y, four, verbose=0) == model.evaluate(X, Y, 4, verbose=0)
    assert model.predict(X, four, verbose=0, steps=one).shape == (4, 1)
    np.testing.assert_array_equal(model.predict(X, four, verbose=0), model.predict(X, 4, verbose=0))


@pytest.mark.parametrize("kind", KINDS)
def test_callbacks_and_utilities_take_them(kind, tmp_path):
    def number(value):
        return KINDS[kind](value)

    rv.callbacks.ModelCheckpoint(tmp_path / "m.weights.h5", save_weights_only=True, save_freq=number(3))
    stop = rv.callbacks.EarlyStopping("loss", patience=number(0), min_delta=number(9.0))
    assert len(net().fit(X, Y, epochs=5, verbose=0, callbacks=[stop]).epoch) == 2
    assert rv.utils.to_categorical([0, 2], number(3)).shape == (2, 3)
    np.testing.assert_array_equal(rv.utils.normalize(X, number(1), number(2)), rv.utils.normalize(X, 1, 2))
    draws = [rv.random.normal((2,), seed=seed) for seed in (3, number(3))]
    np.testing.assert_array_equal(*draws)


def test_what_is_a_number():
    ones = (1, np.int8(1), np.array(1), np.uint64(1))
    assert all(map(is_integer, ones)) and all(map(is_number, ones))
    assert not any(map(is_integer, (True, np.bool_(True), 1.0, np.array([1]), "1", None)))
    assert all(map(is_number, (1.5, np.float16(1.5), np.array(1.5)))) and not is_number("1")
    assert plain({"a": [np.float32(0.5), (np.array(2),)]}) == {"a": [0.5, (2,)]}
    variable = rv.Variable(1.0)
    assert plain(variable) is variable
