"""Gradient tapes: the same answers outside of a trace, inside one, and under jit."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops
from ranvier.core.eager_trace import EagerTrace
from ranvier.core.tensor import Tensor
from ranvier.core.trace import Trace


def both_ways(fn):
    """fn() outside of a trace, and compiled."""
    return fn(), rv.jit(fn)()


def check(fn, expected) -> None:
    for result in both_ways(fn):
        flat_result, flat = (np.ravel(rv.ops.convert_to_numpy(v)) for v in (result, expected))
        np.testing.assert_allclose(flat_result, flat, rtol=1e-6)


def test_variables_in_a_nest_and_none_where_there_is_no_path() -> None:
    w, b, unused = rv.Variable(np.float32([1, 2])), rv.Variable(np.float32(3)), rv.Variable(np.float32(4))

    def step():
        with rv.GradientTape() as tape:
            loss = ops.sum(w * w * b)
        return tape.gradient(loss, {"w": w, "rest": [b, unused]})

    for result in both_ways(step):
        np.testing.assert_array_equal(result["w"], [6, 12])
        assert float(result["rest"][0]) == 5 and result["rest"][1] is None


def test_what_the_block_computes_has_numbers_outside_of_a_trace() -> None:
    v = rv.Variable(np.float32([1, 2, 3]))
    with rv.GradientTape() as tape:
        total = ops.sum(v * v)
        assert total > 13 and not total > 14
        assert float(total) == 14 and int(total) == 14 and f"{total:.1f}" == "14.0"
        assert np.asarray(v * 2.0).tolist() == [2, 4, 6]
        assert [10, 20, 30][ops.argmax(v)] == 30
        assert "14" in repr(total)
    gradient = tape.gradient(total, v)
    assert type(gradient) is np.ndarray and gradient.tolist() == [2, 4, 6]
    assert float(total * 2.0) == 28  # after the block as well


def test_watch_gives_a_tensor_that_stands_for_an_array() -> None:
    x = np.float32([1, 2])
    with rv.GradientTape() as tape:
        t = tape.watch(x)
        y = ops.sum(t**3.0)
    assert tape.gradient(y, t).tolist() == [3, 12]
    with rv.GradientTape() as tape:
        y = ops.sum(tape.watch(x))
    with pytest.raises(ValueError, match=r"x = tape\.watch\(x\)"):
        tape.gradient(y, x)
    with rv.GradientTape() as tape, pytest.raises(TypeError, match="int32"):
        tape.watch(np.int32([1]))
    with pytest.raises(RuntimeError, match="block"):
        tape.watch(x)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_nested_tapes(order: int) -> None:
    v = rv.Variable(np.float64([1.0, 2.0]), dtype="float64")

    def derive(depth: int):
        with rv.GradientTape() as tape:
            y = ops.sum(v**4.0) if depth == 1 else ops.sum(derive(depth - 1))
        return tape.gradient(y, v)

    expected = {1: [4, 32], 2: [12, 48], 3: [24, 48]}[order]
    check(lambda: derive(order), expected)


def test_persistent_and_assigned_variables() -> None:
    v = rv.Variable(np.float32(2))

    def step():
        v.assign(np.float32(2))
        with rv.GradientTape(persistent=True) as tape:
            y = v * v
            z = y * v
        first = tape.gradient(y, v)
        v.assign_sub(first)  # the tape still means the value that the block saw
        return [first, tape.gradient(z, v), v.value]

    check(step, [4, 12, -2])
    with rv.GradientTape() as tape:
        y = v * v
    tape.gradient(y, v)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, v)


def test_several_targets_and_output_gradients() -> None:
    v = rv.Variable(np.float32([1, 2]))

    def step(starts=None):
        with rv.GradientTape() as tape:
            targets = [v * v, ops.sum(v), np.float32(3)]
        return tape.gradient(targets, v, output_gradients=starts)

    check(step, [3, 5])
    check(lambda: step([np.float32([1, 10]), np.float32(100), None]), [102, 140])
    with pytest.raises(ValueError, match="Expected 3 `output_gradients`, got 1"):
        step([None])
    with pytest.raises(ValueError, match=r"float32\(2,\).*float32\(3,\)"):
        step([np.zeros(3, "float32"), None, None])


def test_unconnected_gradients_and_watching_by_hand() -> None:
    v, w = rv.Variable(np.float32([1, 2])), rv.Variable(np.float32(1))
    with rv.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(v)
        y = ops.sum(v * w)
    assert tape.gradient(y, w) is None
    assert tape.gradient(y, w, unconnected_gradients="zero").tolist() == 0
    assert tape.gradient(y, v).tolist() == [1, 1]
    with pytest.raises(ValueError, match="'none' or 'zero'"):
        tape.gradient(y, v, unconnected_gradients="one")


def test_misuse_is_named() -> None:
    tape = rv.GradientTape()
    with pytest.raises(RuntimeError, match="nothing"):
        tape.gradient(1.0, [])
    with tape:
        pass
    with pytest.raises(ValueError, match="new tape"), tape:
        pass
    with rv.GradientTape() as tape:
        count = ops.argmax(rv.Variable(np.float32([1, 2])))
    with pytest.raises(TypeError, match="int32"):
        tape.gradient(count, rv.Variable(1.0))
    kept = []

    @rv.jit
    def step() -> object:
        with rv.GradientTape() as tape:
            loss = v * v
        kept.append((tape, loss))
        return loss

    v = rv.Variable(2.0)
    step()
    with pytest.raises(RuntimeError, match="ask it in the step"):
        kept[0][0].gradient(kept[0][1], v)


def test_eager_values_follow_writes_from_outside() -> None:
    v = rv.Variable(np.float32(1))
    bump = rv.jit(lambda: v.assign_add(1.0))
    with rv.GradientTape():
        before = v * 10.0
        with rv.core.trace.no_trace():
            bump()
        after = v * 10.0
        v.assign(v + after)
    assert (float(before), float(after), float(v)) == (10, 20, 22)


def test_equal_bits_eager_and_compiled() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(17, 33)).astype("float32")
    w = [rv.Variable(rng.normal(size=s).astype("float32")) for s in ((33, 20), (20,), (20, 7))]

    def step():
        with rv.GradientTape() as tape:
            y = ops.softmax(ops.tanh(x @ w[0] + w[1]) @ w[2])
            loss = ops.mean(ops.log(y + 0.1))
        return [loss, *tape.gradient(loss, w)]

    for eager, compiled in zip(*both_ways(step), strict=True):
        np.testing.assert_array_equal(eager, compiled)


def test_memory_is_given_back_with_the_last_tensor() -> None:
    v = rv.Variable(np.float32([1, 2]))
    gc.disable()
    try:
        with rv.GradientTape() as tape:
            y = ops.sum(v * v)
        tape.gradient(y, v)
        trace = weakref.ref(y.trace)
        del tape, y
        assert trace() is None  # without the help of the garbage collector
    finally:
        gc.enable()


def test_inside_a_trace_the_tape_opens_none() -> None:
    v = rv.Variable(np.float32(3))
    with Trace() as trace:
        with rv.GradientTape() as tape:
            y = v * v
        assert y.trace is trace
        gradient = tape.gradient(y, v)
        assert isinstance(gradient, Tensor)
        assert float(trace.compile([gradient]).run([])[0]) == 6


G, D = rv.Variable(np.float32(0.7)), rv.Variable(np.float32(0.3))
Z = np.linspace(-1, 1, 5, dtype="float32")


def adversaries(z: Any) -> Any:
    """Both players of a GAN in one step: the second meets what the first has become, as a given."""
    D.assign(0.3)
    fake = ops.sin(G * z)
    with rv.GradientTape() as tape:
        loss = ops.mean((D * fake - 1.0) ** 2)
    of_d = tape.gradient(loss, D)
    D.assign_sub(0.5 * of_d)
    with rv.GradientTape() as tape:
        loss = ops.mean((D * ops.sin(G * z)) ** 2)
    return of_d, tape.gradient(loss, G)


def adversaries_by_hand(z: Any) -> Any:
    f = np.sin(0.7 * z)
    of_d = np.mean(2 * (0.3 * f - 1) * f)
    d = 0.3 - 0.5 * of_d
    return of_d, np.mean(2 * d * d * f * np.cos(0.7 * z) * z)


def target(z: Any) -> Any:
    """A prediction from before the block is a target, though the block computes the same one again."""
    before = ops.sin(G * z)
    with rv.GradientTape() as tape:
        loss = ops.mean((ops.sin(G * z) - 0.9 * before) ** 2)
    return (tape.gradient(loss, G),)


def target_by_hand(z: Any) -> Any:
    return (np.mean(2 * 0.1 * np.sin(0.7 * z) * np.cos(0.7 * z) * z),)


def source_from_before(z: Any) -> Any:
    """What was computed before may be a source; what it was computed from gets nothing through it."""
    x = G * z
    with rv.GradientTape(persistent=True) as tape:
        loss = ops.sum(x * x)
    return tape.gradient(loss, x), tape.gradient(loss, G) is None, tape.gradient(x, x)


def source_from_before_by_hand(z: Any) -> Any:
    return 1.4 * z, True, np.ones(5)


def nested(z: Any) -> Any:
    """Of the tape around it, a value from before the inner block is not from before."""
    with rv.GradientTape() as outer:
        x = G * z
        G.assign(x[4] * 2.0)
        with rv.GradientTape() as inner:
            loss = ops.sum(x * G**2)
        by_g = inner.gradient(loss, G)  # 2 sum(x) g'
        total = ops.sum(by_g * x) + by_g
    result = outer.gradient(total, G)
    G.assign(0.7)
    return by_g, result


def nested_by_hand(z: Any) -> Any:
    # x = g z, g' = 2 g z[4]: by_g = 4 g^2 s z[4], total = by_g (g s + 1), s = sum(z)
    s = z.sum()
    return 4 * 0.49 * s * z[4], 12 * 0.49 * s * s * z[4] + 8 * 0.7 * s * z[4]


def assigned_constant(z: Any) -> Any:
    """A number in the block is not the variable that was set to the same number."""
    G.assign(2.0)
    with rv.GradientTape() as tape:
        loss = ops.sum((2.0 - z) * G)
    D.assign(2.0)
    with rv.GradientTape() as other:
        unused = ops.sum(2.0 - z)
    return tape.gradient(loss, G), other.gradient(unused, D) is None


def assigned_constant_by_hand(z: Any) -> Any:
    return np.sum(2.0 - z), True


def assigned_inside(z: Any) -> Any:
    """Of a variable that the block assigns, the value at its beginning counts."""
    before = G * 2.0
    with rv.GradientTape(persistent=True) as tape:
        loss = ops.sum(G * z)
        G.assign(3.0)
        loss = loss + G * G + before
    return tape.gradient(loss, G), tape.gradient(loss, before)


def assigned_inside_by_hand(z: Any) -> Any:
    return z.sum(), 1.0


def copied(z: Any) -> Any:
    """A copy of a variable is another variable."""
    D.assign(G)
    with rv.GradientTape(persistent=True) as tape:
        loss = ops.sum(G * z - 3.0 * D)
    return tape.gradient(loss, G), tape.gradient(loss, D)


def copied_by_hand(z: Any) -> Any:
    return z.sum(), -15.0


def in_a_loop(z: Any) -> Any:
    """A body takes what is around it as a given, as a block does."""
    x = G * z

    def body(i: Any, total: Any) -> Any:
        with rv.GradientTape() as tape:
            loss = ops.sum(x * G)
        return total + tape.gradient(loss, G)

    return (ops.fori_loop(0, 2, body, 0.0),)


def in_a_loop_by_hand(z: Any) -> Any:
    return (2 * 0.7 * z.sum(),)


@pytest.mark.parametrize(
    ("step", "by_hand"),
    [
        (adversaries, adversaries_by_hand),
        (target, target_by_hand),
        (source_from_before, source_from_before_by_hand),
        (nested, nested_by_hand),
        (assigned_constant, assigned_constant_by_hand),
        (copied, copied_by_hand),
        (assigned_inside, assigned_inside_by_hand),
        (in_a_loop, in_a_loop_by_hand),
    ],
)
def test_what_was_computed_before_the_block_is_a_constant(step: Any, by_hand: Any) -> None:
    z = Z + np.float32(0.25)

    def eagerly(z: Any) -> Any:
        with EagerTrace() as trace:
            found = step(trace.leaf(z))
            return [x.numpy() if isinstance(x, Tensor) else x for x in found]

    for run in (rv.jit(step), eagerly):
        G.assign(0.7)
        for found, expected in zip(run(z), by_hand(z), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
