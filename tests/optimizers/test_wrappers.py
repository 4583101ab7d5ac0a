"""Optimizers made of others: a dynamic loss scale, and several optimizers in one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ranvier
from ranvier import optimizers
from ranvier.core import scope
from ranvier.core.trace import Trace
from ranvier.core.variable import Variable
from ranvier.optimizers import LossScaleOptimizer, MultiOptimizer, OptimizerMap


def variables() -> list[Variable]:
    rng = np.random.default_rng(0)
    return [Variable(rng.normal(size=shape).astype("float32"), name=n) for n, shape in SHAPES.items()]


SHAPES = {"kernel": (4, 3), "bias": (3,), "out": (3, 2)}


def gradients(steps: int) -> list[list[np.ndarray]]:
    rng = np.random.default_rng(1)
    return [[rng.normal(size=s).astype("float32") for s in SHAPES.values()] for _ in range(steps)]


def run(optimizer: optimizers.Optimizer, grads: list[list[np.ndarray]], traced: bool) -> list[np.ndarray]:
    """The variables after the steps."""
    state = variables()
    optimizer.build(state)
    if not traced:
        for step in grads:
            optimizer.apply(step, state)
    else:
        with Trace() as trace:
            optimizer.apply([trace.input(v.shape) for v in state], state)
            program = trace.compile([])
        for step in grads:
            program.run(step)
    return [v.numpy() for v in state]


@pytest.mark.parametrize("traced", [False, True])
def test_a_finite_step_is_the_inner_optimizers(traced: bool) -> None:
    grads = gradients(5)
    optimizer = LossScaleOptimizer(optimizers.Adam(0.1), initial_scale=4.0, dynamic_growth_steps=100)
    found = run(optimizer, [[4 * g for g in step] for step in grads], traced)
    for a, b in zip(found, run(optimizers.Adam(0.1), grads, traced), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(optimizer.iterations) == int(optimizer.inner_optimizer.iterations) == 5
    assert optimizer.scale_loss(3.0) == 12.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of the step that is taken back
@pytest.mark.parametrize("traced", [False, True])
def test_the_scale_moves(traced: bool) -> None:
    finite, infinite = gradients(2)
    infinite = [g.copy() for g in infinite]
    infinite[1][0] = np.inf
    optimizer = LossScaleOptimizer(optimizers.Adam(0.1), initial_scale=8.0, dynamic_growth_steps=2)
    state = variables()
    optimizer.build(state)
    program = None
    if traced:
        with Trace() as trace:
            optimizer.apply([trace.input(v.shape) for v in state], state)
            program = trace.compile([])
    scales, iterations = [], []
    for step in (finite, finite, infinite, infinite, finite, infinite, finite, finite):
        before = [v.numpy() for v in (*state, *optimizer.inner_optimizer.variables)]
        if program is None:
            optimizer.apply(step, state)
        else:
            program.run(step)
        if step is infinite:
            for v, old in zip((*state, *optimizer.inner_optimizer.variables), before, strict=True):
                np.testing.assert_array_equal(v.numpy(), old)
        scales.append(float(optimizer.dynamic_scale))
        iterations.append(int(optimizer.iterations))
    assert scales == [8, 16, 8, 4, 4, 2, 2, 4]
    assert iterations == [1, 2, 2, 2, 3, 3, 4, 5]


def test_what_a_loss_scale_optimizer_hands_on() -> None:
    scope.reset_uids()
    inner = optimizers.SGD(0.5, momentum=0.9, loss_scale_factor=2.0, use_ema=True, weight_decay=0.5)
    optimizer = LossScaleOptimizer(inner, initial_scale=4.0)
    assert inner.loss_scale_factor is None
    assert optimizer.scale_loss(1.0) == 4.0
    state = [Variable(np.ones(2, "float32"), name="v")]
    optimizer.exclude_from_weight_decay(var_names=["v"])
    optimizer.build(state)
    assert [v.path for v in optimizer.variables] == [
        "loss_scale_optimizer/iteration",
        "loss_scale_optimizer/learning_rate",
        "loss_scale_optimizer/step_counter",
        "loss_scale_optimizer/dynamic_scale",
        "sgd/iteration",
        "sgd/learning_rate",
        "sgd/v_average",
        "sgd/v_momentum",
    ]
    optimizer.learning_rate = 0.25
    assert float(optimizer.learning_rate) == float(inner.learning_rate) == 0.25
    optimizer.apply_gradients([(np.float32([4, 0]), state[0])])
    assert state[0].numpy().tolist() == [0.75, 1.0]
    state[0].assign([5.0, 5.0])
    optimizer.finalize_variable_values(state)
    assert state[0].numpy().tolist() == [0.75, 1.0]
    saved: dict[str, Any] = {}
    optimizer.save_own_variables(saved)
    other = LossScaleOptimizer(optimizers.SGD(0.5, momentum=0.9, use_ema=True))
    other.build(state)
    other.load_own_variables(saved)
    for a, b in zip(other.variables, optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_configs() -> None:
    for optimizer in (
        LossScaleOptimizer(optimizers.Adam(0.5), initial_scale=4.0, dynamic_growth_steps=3, name="x"),
        MultiOptimizer(
            OptimizerMap(optimizers.SGD(0.5), {"a.*": optimizers.Adam()}), loss_scale_factor=2.0, name="y"
        ),
    ):
        saved = optimizers.serialize(optimizer)
        assert (saved["module"], saved["class_name"]) == ("keras.optimizers", type(optimizer).__name__)
        again = optimizers.deserialize(saved)
        assert type(again) is type(optimizer)
        assert again.get_config() == optimizer.get_config()


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"clipnorm": 1.0}, "does not support `clipnorm`. Instead, set `clipnorm` on the `inner_optimizer`"),
        ({"loss_scale_factor": 1.0}, "Instead, set `loss_scale_factor`"),
        ({"learning_rate": 1.0}, "does not support arguments: `learning_rate`"),
    ],
)
def test_arguments_of_the_inner_optimizer(kwargs: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        LossScaleOptimizer(optimizers.SGD(), **kwargs)
    with pytest.raises(TypeError, match="inner_optimizer"):
        LossScaleOptimizer("sgd")  # type: ignore[arg-type]


def parts() -> tuple[OptimizerMap, dict[str, optimizers.Optimizer]]:
    by_name: dict[str, optimizers.Optimizer] = {
        "bias": optimizers.SGD(0.5),
        "kernel": optimizers.Adam(0.1),
        "out": optimizers.Lion(0.1, weight_decay=0.5, loss_scale_factor=7.0),
    }
    return OptimizerMap(by_name["bias"], {"k.*": by_name["kernel"], "out": by_name["out"]}), by_name


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("by_function", [False, True])
def test_each_variable_takes_its_optimizer(traced: bool, by_function: bool) -> None:
    grads = gradients(4)
    optimizer_map, by_name = parts()
    optimizer = MultiOptimizer(
        (lambda v: by_name[v.name]) if by_function else optimizer_map, loss_scale_factor=2.0
    )
    found = run(optimizer, [[2 * g for g in step] for step in grads], traced)
    assert int(optimizer.iterations) == 4
    assert all(o.loss_scale_factor == 2.0 for o in optimizer.optimizers)
    assert optimizer.scale_loss(3.0) == 6.0
    _, alone = parts()
    for i, (name, value) in enumerate(zip(SHAPES, found, strict=True)):
        own = variables()[i]
        alone[name].loss_scale_factor = None
        for step in grads:
            alone[name].apply([step[i]], [own])
        np.testing.assert_array_equal(value, own.numpy())


def test_what_a_multi_optimizer_hands_on() -> None:
    scope.reset_uids()
    optimizer = MultiOptimizer(
        OptimizerMap(optimizers.SGD(0.5, use_ema=True, weight_decay=1.0), {"k": optimizers.Lion(0.5)})
    )
    optimizer.exclude_from_weight_decay(var_names=["v"])
    state = [Variable(np.ones(2, "float32"), name=name) for name in ("v", "k")]
    optimizer.build(state)
    assert [v.path for v in optimizer.variables] == [
        "multi_optimizer/iteration",
        "multi_optimizer/learning_rate",
        "lion/iteration",
        "lion/learning_rate",
        "lion/k_momentum",
        "sgd/iteration",
        "sgd/learning_rate",
        "sgd/v_average",
    ]
    for message in ("accessed", "set"):
        with pytest.raises(AttributeError, match=f"cannot be {message}.*sub-optimizers"):
            _ = optimizer.learning_rate if message == "accessed" else setattr(optimizer, "learning_rate", 1.0)
    optimizer.apply([np.float32([1, 0])] * 2)
    assert [v.numpy().tolist() for v in state] == [[0.5, 1], [0.5, 1]]
    state[0].assign([9.0, 9.0])
    optimizer.finalize_variable_values(state)
    assert state[0].numpy().tolist() == [0.5, 1]
    stranger = Variable(np.ones(2), name="z")
    for call in (
        lambda: optimizer.finalize_variable_values([stranger]),
        lambda: optimizer.apply([np.ones(2)], [stranger]),
    ):
        with pytest.raises(ValueError, match="Unknown variable"):
            call()
    with pytest.raises(ValueError, match="one gradient per variable"):
        optimizer.apply([np.ones(2)])


def test_maps() -> None:
    names = {"k": "k", "kernel": "exact", "enc/.*": "enc", ".*bias": "bias"}
    found = OptimizerMap(optimizers.SGD(name="d"), {key: optimizers.SGD(name=n) for key, n in names.items()})
    for path, name in (
        ("k", "k"),
        ("kernel", "exact"),
        ("kern", "d"),
        ("dense/kernel", "d"),
        ("enc/kernel", "enc"),
        ("a/enc/x", "d"),
        ("x/bias", "bias"),
    ):
        assert found[path].name == name
    with pytest.raises(ValueError, match="Multiple optimizers assigned to variable enc/bias"):
        found["enc/bias"]
    assert (list(found), len(found)) == (list(names), 4)
    with pytest.raises(ValueError, match="'k' already exists"):
        found["k"] = optimizers.SGD()
    del found["k"]
    assert "k" not in found
    for key, value, match in ((3, optimizers.SGD(), "key must be a string"), ("c", 3, "Optimizer instance")):
        with pytest.raises(ValueError, match=match):
            found[key] = value  # type: ignore[index]
    with pytest.raises(TypeError, match="default_optimizer"):
        OptimizerMap("sgd")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="dictionary"):
        OptimizerMap(optimizers.SGD(), [1])  # type: ignore[arg-type]
    for bad in (3, optimizers.SGD(), optimizers.SGD):
        with pytest.raises(TypeError, match="optimizer_map"):
            MultiOptimizer(bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not an Optimizer"):
        MultiOptimizer(lambda v: 3).build(variables())  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("kind", ["scaled", "several", "Muon", "Adafactor", "ScheduleFreeAdamW"])
def test_stateless(kind: str) -> None:
    optimizer: Any = {
        "scaled": lambda: LossScaleOptimizer(optimizers.Adam(0.1), initial_scale=4.0, dynamic_growth_steps=2),
        "several": lambda: MultiOptimizer(parts()[0]),
    }.get(kind, lambda: getattr(optimizers, kind)(0.1))()
    state = variables()
    optimizer.build(state)
    trained, own = [v.numpy() for v in state], [v.numpy() for v in optimizer.variables]
    for step in gradients(3):
        trained, own = optimizer.stateless_apply(own, step, trained)
    for v, first in zip(state, variables(), strict=True):
        np.testing.assert_array_equal(v.numpy(), first.numpy())
    for step in gradients(3):
        optimizer.apply(step, state)
    for a, b in zip([*trained, *own], [*state, *optimizer.variables], strict=True):
        np.testing.assert_array_equal(a, b.numpy())


@pytest.mark.parametrize("kind", ["scaled", "several"])
def test_in_fit(kind: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 4)).astype("float32"), rng.normal(size=(40, 1)).astype("float32")

    def fitted(optimizer: Any) -> list[np.ndarray]:
        model = ranvier.Sequential([ranvier.Input((4,)), ranvier.layers.Dense(1, kernel_initializer="ones")])
        model.compile(optimizer, "mse")
        model.fit(x, y, epochs=2, batch_size=16, shuffle=False, verbose=0)
        return model.get_weights()

    wrapped = {
        "scaled": lambda: LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=1024.0),
        "several": lambda: MultiOptimizer(OptimizerMap(optimizers.SGD(0.1), {".*bias": optimizers.SGD(0.1)})),
    }
    for a, b in zip(fitted(wrapped[kind]()), fitted(optimizers.SGD(0.1)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_dynamic_scaling_is_the_only_one():
    inner = optimizers.SGD()
    assert optimizers.LossScaleOptimizer(inner, dynamic=True).inner_optimizer is inner
    with pytest.raises(ValueError, match="`dynamic=False`.*`loss_scale_factor`"):
        optimizers.LossScaleOptimizer(inner, dynamic=False)
