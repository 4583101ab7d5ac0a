"""Optimizers and schedules against Keras: weights and slots after 20 steps; configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.optimizers import test_schedules
from tests.optimizers.test_rules import COMMON, ROWS
from tests.parity.oracle import assert_agrees, keras

import ranvier
from ranvier.core.trace import Trace

SHAPES = {"kernel": (5, 3), "bias": (3,), "out": (3, 2)}
SHARED: list[dict[str, Any]] = [
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.1},
    {"global_clipnorm": 0.5},
    {"loss_scale_factor": 8.0},
    {"use_ema": True, "ema_momentum": 0.9},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3},
    {"gradient_accumulation_steps": 3},
    {
        "gradient_accumulation_steps": 4,
        "use_ema": True,
        "ema_overwrite_frequency": 2,
        "weight_decay": 0.1,
        "clipnorm": 0.7,
    },
    {"learning_rate": "schedule"},
    {"learning_rate": "schedule", "gradient_accumulation_steps": 3},
    {"constraint": True},
    {"exclude": ["ern", "^out$"], "weight_decay": 0.5},
]
NAMES = list(dict.fromkeys(name for name, *_ in ROWS))
CASES = [(name, kwargs) for name, kwargs, _ in ROWS]
CASES += [(name, {"learning_rate": 0.1, **kwargs}) for name, kwargs, _ in ROWS]
# Keras compiles a branch for each accumulating optimizer, which takes seconds: three stand for all.
CASES += [
    (name, extra)
    for name in NAMES
    for extra in SHARED
    if "gradient_accumulation_steps" not in extra or name in ("SGD", "Adam", "Nadam")
]


def run(module: Any, name: str, given: dict[str, Any], traced: bool = False) -> list[np.ndarray]:
    """Weights, then slots, after 20 steps; the bias has no gradient in one of them."""
    rng = np.random.default_rng(1)
    kwargs = {k: v for k, v in given.items() if k not in ("constraint", "exclude")}
    if kwargs.get("learning_rate") == "schedule":
        kwargs["learning_rate"] = module.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    variables = [module.Variable(rng.normal(size=s).astype("float32"), name=n) for n, s in SHAPES.items()]
    if "constraint" in given:
        variables[0].constraint = module.constraints.MaxNorm(1.0)
    optimizer = getattr(module.optimizers, name)(**kwargs)
    optimizer.exclude_from_weight_decay(var_names=given.get("exclude"))
    optimizer.build(variables)
    programs: dict[bool, Any] = {}
    for k in range(20):
        grads: list[Any] = [(rng.normal(size=s) * (0.1 + k % 3)).astype("float32") for s in SHAPES.values()]
        if k == 7:
            grads[1] = None
        if not traced:
            if module is keras:
                grads = [None if g is None else keras.ops.convert_to_tensor(g) for g in grads]
            optimizer.apply(grads, variables)
            continue
        if (k == 7) not in programs:
            with Trace() as trace:
                optimizer.apply([None if g is None else trace.input(g.shape) for g in grads], variables)
                programs[k == 7] = trace.compile([])
        programs[k == 7].run([g for g in grads if g is not None])
    slots = [v for v in optimizer.variables if v.name not in ("iteration", "learning_rate")]
    return [np.asarray(v) for v in (*variables, *slots)]


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize(("name", "given"), CASES)
def test_weights_after_20_steps(name: str, given: dict[str, Any]) -> None:
    theirs = run(keras, name, given)
    for traced in (False, True):
        ours = run(ranvier, name, given, traced)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_agrees(a, b)


def test_loss_scale() -> None:
    rng = np.random.default_rng(1)
    grads = [[(rng.normal(size=s) * 9).astype("float32") for s in SHAPES.values()] for _ in range(20)]
    for k in (4, 11):
        grads[k][1][0] = np.nan
    optimizers, values = [], []
    for module in (ranvier, keras):
        inner = module.optimizers.Adam(0.1, weight_decay=0.1)
        optimizers.append(
            module.optimizers.LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=3)
        )
        values.append([module.Variable(np.ones(s, "float32"), name=n) for n, s in SHAPES.items()])
        optimizers[-1].build(values[-1])
    # Keras on JAX applies it only without state.
    state, trained = [v.value for v in optimizers[1].variables], [v.value for v in values[1]]
    for step in grads:
        optimizers[0].apply(step, values[0])
        trained, state = optimizers[1].stateless_apply(
            state, [keras.ops.convert_to_tensor(g) for g in step], trained
        )
        ours = [*values[0], *optimizers[0].variables]
        assert len(ours) == len(trained) + len(state)
        for a, b in zip(ours, [*trained, *state], strict=True):
            assert_agrees(a, b)


def test_multi_optimizer() -> None:
    def run_one(module: Any) -> list[np.ndarray]:
        o = module.optimizers
        rng = np.random.default_rng(1)
        variables = [module.Variable(np.ones(s, "float32"), name=n) for n, s in SHAPES.items()]
        parts = o.OptimizerMap(
            o.SGD(0.1, momentum=0.9), {"k.*": o.Adam(0.1), "out": o.Lion(weight_decay=0.5)}
        )
        optimizer = o.MultiOptimizer(parts, loss_scale_factor=4.0)
        optimizer.build(variables)
        for _ in range(20):
            grads = [rng.normal(size=s).astype("float32") for s in SHAPES.values()]
            optimizer.apply([module.ops.convert_to_tensor(g) for g in grads], variables)
        return [np.asarray(v) for v in (*variables, *optimizer.variables)]

    for a, b in zip(run_one(ranvier), run_one(keras), strict=True):
        assert_agrees(a, b)


def test_wrappers_exchange_configs() -> None:
    o = ranvier.optimizers
    for ours in (
        o.LossScaleOptimizer(o.Adam(0.5), initial_scale=4.0, dynamic_growth_steps=3, name="x"),
        o.MultiOptimizer(o.OptimizerMap(o.SGD(0.5), {"a.*": o.Adam()}), loss_scale_factor=2.0, name="y"),
    ):
        theirs = keras.optimizers.deserialize(o.serialize(ours))
        assert o.deserialize(keras.optimizers.serialize(theirs)).get_config() == ours.get_config()


# Keras's own `deserialize` does not know Lamb.
@pytest.mark.parametrize(("name", "kwargs"), [row[:2] for row in ROWS if row[0] != "Lamb"])
def test_configs_are_exchanged(name: str, kwargs: dict[str, Any]) -> None:
    ours = getattr(ranvier.optimizers, name)(**COMMON, **kwargs)
    theirs = keras.optimizers.deserialize(ranvier.optimizers.serialize(ours))
    assert type(theirs).__name__ == name
    back = ranvier.optimizers.deserialize(keras.optimizers.serialize(theirs))
    assert back.get_config() == ours.get_config()


@pytest.mark.parametrize(("name", "config"), [row[:2] for row in test_schedules.ROWS])
def test_schedules(name: str, config: dict[str, Any]) -> None:
    ours, theirs = (getattr(m.optimizers.schedules, name)(**config) for m in (ranvier, keras))
    steps = [*range(30), 100]
    assert_agrees([ours(t) for t in steps], [theirs(t) for t in steps])
    saved = ranvier.optimizers.schedules.serialize(ours)
    again = keras.optimizers.schedules.deserialize(saved)
    assert (
        ranvier.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(again)).get_config()
        == ours.get_config()
    )
