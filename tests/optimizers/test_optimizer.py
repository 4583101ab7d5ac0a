"""What all optimizers share: learning rate, clipping, decay, averages, accumulation, constraints, errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import constraints, ops, optimizers
from ranvier.core.trace import Trace
from ranvier.core.variable import Variable
from ranvier.optimizers import schedules

G = np.float32([3, -4])


def variable(name: str = "v") -> Variable:
    return Variable(np.float32([1, 2]), name=name)


def after(optimizer: optimizers.Optimizer, *grads: Any, v: Variable | None = None) -> list[float]:
    """The variable after a step for each gradient."""
    v = variable() if v is None else v
    for g in grads:
        optimizer.apply([np.float32(g)], [v])
    return v.numpy().tolist()


def close(value: Any, expected: Any) -> None:
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_learning_rate() -> None:
    optimizer = optimizers.SGD(0.5)
    assert optimizer.learning_rate.path.endswith("/learning_rate")
    assert float(optimizer.learning_rate) == 0.5
    v = variable()
    with Trace() as trace:
        optimizer.apply([trace.input((2,))], [v])
        program = trace.compile([])
    program.run([G])
    assert v.numpy().tolist() == [-0.5, 4]
    optimizer.learning_rate = 0.25  # the program reads the variable: nothing is traced again
    program.run([G])
    assert v.numpy().tolist() == [-1.25, 5]
    optimizer.learning_rate.assign(0.0)
    program.run([G])
    assert v.numpy().tolist() == [-1.25, 5]


def test_schedules_are_part_of_the_graph() -> None:
    optimizer = optimizers.SGD(schedules.ExponentialDecay(0.5, 1, 0.5))
    assert [v.name for v in optimizer.variables] == ["iteration"]
    v = variable()
    with Trace() as trace:
        optimizer.apply([trace.input((2,))], [v])
        program = trace.compile([])
    for _ in range(3):
        program.run([np.float32([1, 1])])
    assert v.numpy().tolist() == [1 - 0.875, 2 - 0.875]
    assert float(optimizer.learning_rate) == 0.0625
    with pytest.raises(TypeError, match="not settable"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = schedules.InverseTimeDecay(1.0, 1, 1.0)
    assert float(optimizer.learning_rate) == 0.25
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    assert isinstance(again.get_config()["learning_rate"], dict)


def test_a_schedule_replaces_the_variable() -> None:
    optimizer = optimizers.SGD(0.5, momentum=0.9)
    optimizer.build([variable()])
    optimizer.learning_rate = schedules.ExponentialDecay(0.25, 1, 0.5)
    assert [v.name for v in optimizer.variables] == ["iteration", "v_momentum"]
    assert float(optimizer.learning_rate) == 0.25


@pytest.mark.parametrize("how", ["fit", "jit", "jit of a loop"])
def test_programs_follow_when_a_schedule_comes_or_changes(how: str) -> None:
    layer = rv.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = rv.Sequential([layer])
    model.build((None, 1))
    model.compile(optimizers.SGD(0.5), loss=lambda y, p: -p)  # the gradient is -1
    optimizer, one = model.optimizer, np.ones((1, 1), "float32")
    kernel = layer.kernel

    def update() -> None:
        optimizer.apply([ops.negative(ops.ones((1, 1)))], [kernel])

    @rv.jit
    def step() -> None:
        update() if how == "jit" else ops.fori_loop(0, 1, lambda i, x: (update(), x)[1], 0.0)

    def weight_after() -> float:
        model.fit(one, one, verbose=0) if how == "fit" else step()
        return float(kernel.numpy().item())

    assert [weight_after(), weight_after()] == [0.5, 1.0]
    optimizer.learning_rate = schedules.PiecewiseConstantDecay([2], [9.0, 0.25])
    assert int(optimizer.iterations) == 2 and weight_after() == 10.0  # the value at the border is the first
    optimizer.learning_rate = schedules.PiecewiseConstantDecay([2], [9.0, 0.25])
    assert weight_after() == 10.25
    optimizer.learning_rate = lambda: 2.0
    assert [weight_after(), weight_after()] == [12.25, 14.25]


def test_functions_as_learning_rate() -> None:
    rates = iter([0.5, 0.25])
    assert after(optimizers.SGD(lambda: next(rates)), [1, 1], [1, 1]) == [0.25, 1.25]
    optimizer = optimizers.SGD(lambda: 0.5)
    optimizer.learning_rate = 0.25
    assert [v.name for v in optimizer.variables] == ["iteration", "learning_rate"]


@pytest.mark.parametrize("bad", ["fast", -0.1, None, True, [0.1]])
def test_bad_learning_rates(bad: Any) -> None:
    with pytest.raises(ValueError, match="learning_rate"):
        optimizers.SGD(bad)


def test_clipping() -> None:
    close(after(optimizers.SGD(1.0, clipnorm=2.5), G), [1 - 1.5, 2 + 2])
    close(after(optimizers.SGD(1.0, clipnorm=10.0), G), [-2, 6])
    close(after(optimizers.SGD(1.0, clipvalue=1.0), G), [0, 3])
    close(after(optimizers.SGD(1.0, clipnorm=1.0), [0, 0]), [1, 2])
    a, b = variable("a"), variable("b")
    optimizers.SGD(1.0, global_clipnorm=6.5).apply([G, np.float32([12, 0])], [a, b])  # 13 long together
    close(a.numpy(), [1 - 1.5, 2 + 2])
    close(b.numpy(), [1 - 6, 2])


def test_one_infinite_gradient_spoils_all_under_a_global_norm() -> None:
    a, b = variable("a"), variable("b")
    optimizers.SGD(1.0, global_clipnorm=1.0).apply([np.float32([np.inf, 0]), G], [a, b])
    assert np.isnan(a.numpy()).all()
    assert np.isnan(b.numpy()).all()


def test_weight_decay() -> None:
    close(after(optimizers.SGD(0.5, weight_decay=0.1), [0, 0]), [0.95, 1.9])
    a, b, c = variable("kernel"), variable("bias"), variable("gamma")
    optimizer = optimizers.SGD(0.5, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_list=[c], var_names=["^bia"])
    optimizer.apply([np.zeros(2, "float32")] * 3, [a, b, c])
    close(a.numpy(), [0.95, 1.9])
    close([b.numpy(), c.numpy()], [[1, 2], [1, 2]])
    with pytest.raises(ValueError, match="weight_decay"):
        optimizers.AdamW(weight_decay=None)  # type: ignore[arg-type]


def test_moving_averages() -> None:
    v = variable()
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    assert after(optimizer, [1, 1], [1, 1], [1, 1], v=v) == [-2, -1]
    # The first step sets the average: 0, then (0 - 1) / 2, then (-0.5 - 2) / 2.
    optimizer.finalize_variable_values([v])
    close(v.numpy(), [-1.25, -0.25])
    overwritten = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)
    close(after(overwritten, [1, 1], [1, 1]), [-0.5, 0.5])
    close(after(overwritten := optimizers.SGD(1.0), [1, 1]), [0, 1])
    overwritten.finalize_variable_values([v])  # without averages nothing happens


def test_gradient_accumulation() -> None:
    for name, kwargs in (("SGD", {"momentum": 0.5}), ("Adam", {}), ("Nadam", {})):
        cls = getattr(optimizers, name)
        v, w = variable(), variable()
        accumulating = cls(0.5, gradient_accumulation_steps=2, weight_decay=0.1, **kwargs)
        plain = cls(0.5, weight_decay=0.1, **kwargs)
        for k in range(3):
            accumulating.apply([np.float32([1, 2]) * k], [v])
            np.testing.assert_array_equal(v.numpy(), w.numpy())  # nothing yet
            accumulating.apply([np.float32([3, -4])], [v])
            plain.apply([(np.float32([1, 2]) * k + np.float32([3, -4])) / 2], [w])
            np.testing.assert_array_equal(v.numpy(), w.numpy())
        assert int(accumulating.iterations) == int(plain.iterations) == 3


def test_loss_scale() -> None:
    optimizer = optimizers.SGD(1.0, loss_scale_factor=4.0)
    assert optimizer.scale_loss(2.0) == 8
    assert optimizers.SGD().scale_loss(2.0) == 2
    assert after(optimizer, [4, 8]) == [0, 0]


def test_constraints_come_after_the_update() -> None:
    v = variable()
    v.constraint = constraints.NonNeg()
    assert after(optimizers.SGD(1.0), [3, 1], v=v) == [0, 1]


def test_apply_gradients() -> None:
    v = variable()
    optimizer = optimizers.SGD(1.0)
    assert int(optimizer.apply_gradients([(G, v)])) == 1
    assert v.numpy().tolist() == [-2, 6]
    optimizer.apply([G])  # the variables it was built for
    assert v.numpy().tolist() == [-5, 10]
    optimizer.apply([])
    assert int(optimizer.iterations) == 2


def test_missing_gradients() -> None:
    a, b = variable("a"), variable("b")
    optimizer = optimizers.SGD(1.0)
    with pytest.warns(UserWarning, match=r"\['a'\]"):
        optimizer.apply([None, G], [a, b])
    assert (a.numpy().tolist(), b.numpy().tolist()) == ([1, 2], [-2, 6])
    with pytest.raises(ValueError, match="No gradients provided for any variable: a, b"):
        optimizer.apply([None, None], [a, b])


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    v, w = variable("v"), variable("w")
    optimizer = optimizers.SGD(1.0)
    with pytest.raises(ValueError, match="already be built"):
        optimizer.apply([G])
    optimizer.build([v])
    with pytest.raises(ValueError, match="Unknown variable.*path=w"):
        optimizer.apply([G], [w])
    with pytest.raises(ValueError, match="one gradient per variable"):
        optimizer.apply([G, G])
    with pytest.raises(ValueError, match=r"of variable v has shape \(3,\).* shape \(2,\)"):
        optimizer.apply([np.zeros(3, "float32")])
    assert v.numpy().tolist() == [1, 2]
    assert int(optimizer.iterations) == 0


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"lr": 0.1}, "`lr` is now `learning_rate`"),
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of"),
        ({"clipvalue": 1.0, "global_clipnorm": 1.0}, "Only one of"),
        ({"use_ema": True, "ema_momentum": 2.0}, "ema_momentum"),
        ({"use_ema": True, "ema_overwrite_frequency": -1}, "ema_overwrite_frequency"),
        ({"gradient_accumulation_steps": 1}, "gradient_accumulation_steps"),
        ({"momentum": 1.5}, "momentum"),
    ],
)
def test_bad_arguments(kwargs: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        optimizers.SGD(**kwargs)


def test_the_old_decay_is_ignored_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="decay"):
        optimizers.SGD(decay=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizers.SGD()


def test_no_steps_are_as_none() -> None:
    without = optimizers.SGD(use_ema=True, ema_overwrite_frequency=0, gradient_accumulation_steps=0)
    assert after(without, G) == after(optimizers.SGD(use_ema=True), G)


def test_own_optimizers() -> None:
    class Heavy(optimizers.Optimizer):
        def build(self, variables: Any) -> None:
            super().build(variables)
            self.speeds = self.add_optimizer_variables(variables, "speed")

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            speed = self.speeds[self._get_variable_index(variable)]
            self.assign(speed, speed * 0.5 + gradient)
            self.assign_sub(variable, speed * learning_rate)

    optimizer = Heavy(0.5)
    assert after(optimizer, [1, 1], [1, 1]) == [1 - 1.25, 2 - 1.25]
    assert optimizer.variables[-1].name == "v_speed"
    with pytest.raises(NotImplementedError):
        after(optimizers.Optimizer(0.1), G)


def test_weights() -> None:
    source, target = optimizers.Adam(0.5), optimizers.Adam(0.1)
    after(source, G)
    target.build([variable()])
    weights = [v.numpy() for v in source.variables]
    target.set_weights(weights)
    assert [v.numpy().tolist() for v in target.variables] == [w.tolist() for w in weights]
    store: dict[str, Any] = {}
    source.save_own_variables(store)
    assert list(store) == ["0", "1", "2", "3"]
    target.load_own_variables(store)
    before = [v.numpy().tolist() for v in target.variables]
    for bad in (weights[:-1], [*weights[:-1], np.zeros(3)]):
        with pytest.raises(ValueError, match="weights|shape"):
            target.set_weights([w * 2 for w in bad])
    with pytest.warns(UserWarning, match="Skipping variable loading for optimizer"):
        target.load_own_variables({"0": np.ones(())})
    assert [v.numpy().tolist() for v in target.variables] == before


@pytest.mark.parametrize("call", [1, 3, 4])
def test_build_is_whole_or_undone(call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer, calls = optimizers.Adam(use_ema=True, amsgrad=True), 0  # an average, and three slots
    before, make = optimizer.variables, optimizers.Optimizer.add_variable_from_reference

    def interrupted(*args: Any, **kwargs: Any) -> Variable:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return make(*args, **kwargs)

    monkeypatch.setattr(optimizers.Optimizer, "add_variable_from_reference", interrupted)
    v = variable()
    with pytest.raises(KeyboardInterrupt):
        optimizer.build([v])
    assert not optimizer.built and optimizer.variables == before
    expected = after(optimizers.Adam(use_ema=True, amsgrad=True), G)
    assert after(optimizer, G, v=v) == expected
    assert len(optimizer.variables) == len(before) + 4


def test_get() -> None:
    assert optimizers.get(None) is None
    for identifier in ("adam", "Adam", "ADAM", optimizers.Adam, {"class_name": "adam", "config": {}}):
        assert type(optimizers.get(identifier)) is optimizers.Adam
    optimizer = optimizers.SGD()
    assert optimizers.get(optimizer) is optimizer
    assert isinstance(optimizers.get("rmsprop"), optimizers.RMSprop)
    assert (
        optimizers.deserialize({"class_name": "SGD", "config": {"learning_rate": 0.5}}).learning_rate == 0.5
    )
    with pytest.raises(ValueError, match="Did you mean:.*adam"):
        optimizers.get("adamm")
    for bad in (3, print):
        with pytest.raises(ValueError, match="optimizer identifier"):
            optimizers.get(bad)
