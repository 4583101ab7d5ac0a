"""Gradient tapes: the same answers outside of a trace, inside one, and under jit."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops
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
