"""Tracing: what is recorded, what variables see, and what a compiled program does to them."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from ranvier import ops
from ranvier.core.tensor import Tensor
from ranvier.core.trace import Trace, current_trace, no_trace
from ranvier.core.variable import Variable


def test_ops_are_recorded_inside_and_run_outside() -> None:
    assert current_trace() is None
    with Trace() as trace:
        assert current_trace() is trace
        x = trace.input((2, 3))
        assert isinstance(ops.exp(x), Tensor)
        assert isinstance(ops.exp(np.zeros(3, "float32")), np.ndarray)  # a constant is folded at once
        with no_trace():
            assert current_trace() is None
    assert current_trace() is None


def test_equal_nodes_are_made_once() -> None:
    with Trace() as trace:
        x = trace.input((2, 3))
        first = ops.exp(x)
        count = len(trace.graph)
        assert ops.exp(x).id == first.id
        assert len(trace.graph) == count


def test_a_variable_reads_as_assigned_inside_the_trace() -> None:
    v = Variable(np.float32([1, 2, 3]))
    with Trace() as trace:
        before = v.value
        v.assign_add(np.float32([10, 10, 10]))
        after = v.value
        program = trace.compile([before, after])
    assert v.numpy().tolist() == [1, 2, 3]  # nothing has run
    old, new = program.run([])
    assert (old.tolist(), new.tolist()) == ([1, 2, 3], [11, 12, 13])
    assert v.numpy().tolist() == [11, 12, 13]
    old, new = program.run([])
    assert (old.tolist(), new.tolist()) == ([11, 12, 13], [21, 22, 23])


def test_variables_swap() -> None:
    a, b = Variable(np.float32([1, 2])), Variable(np.float32([3, 4]))
    with Trace() as trace:
        old_a, old_b = a.value, b.value
        a.assign(old_b)
        b.assign(old_a)
        program = trace.compile([])
    program.run([])
    assert (a.numpy().tolist(), b.numpy().tolist()) == ([3, 4], [1, 2])


@pytest.mark.parametrize("size", [1, 3, 5000])
def test_updates_that_read_each_other(size: int) -> None:
    rng = np.random.default_rng(0)
    a0, b0 = (rng.normal(size=size).astype("float32") for _ in range(2))
    a, b = Variable(a0), Variable(b0)
    with Trace() as trace:
        old_a, old_b = a.value, b.value
        a.assign(old_a + old_b)
        b.assign(old_a * old_b)  # reads the old a, which may be overwritten already
        program = trace.compile([old_a * 2.0])
    (doubled,) = program.run([])
    np.testing.assert_array_equal(a.numpy(), a0 + b0)
    np.testing.assert_array_equal(b.numpy(), a0 * b0)
    np.testing.assert_array_equal(doubled, a0 * 2)


def test_one_value_for_two_variables_and_a_chain_of_assignments() -> None:
    a, b, c = (Variable(np.float32([i, i])) for i in range(3))
    with Trace() as trace:
        x = trace.input((2,))
        a.assign(x * 2.0)
        b.assign(a.value)
        c.assign(c.value + 1.0)
        c.assign(c.value * 10.0)
        program = trace.compile([])
    program.run([np.float32([3, 4])])
    assert [v.numpy().tolist() for v in (a, b, c)] == [[6, 8], [6, 8], [30, 30]]


def test_a_broadcast_read_of_an_overwritten_variable() -> None:
    scale = Variable(np.float32(2))
    weights = Variable(np.ones(100, "float32"))
    with Trace() as trace:
        old = scale.value
        scale.assign(old + 1.0)
        weights.assign(weights * old)
        program = trace.compile([])
    for _ in range(3):
        program.run([])
    assert float(scale.value) == 5
    assert weights.numpy().tolist() == [24.0] * 100


def test_outputs_may_be_inputs_constants_and_reshapes() -> None:
    with Trace() as trace:
        x = trace.input((2, 3))
        views = [ops.reshape(x, (3, 2)), np.float32([7, 8]), x, ops.reshape(x * 2.0, (6,))]
        program = trace.compile([x, *views])
    data = np.arange(6, dtype="float32").reshape(2, 3)
    same, reshaped, constant, again, flat = program.run([data])
    np.testing.assert_array_equal(same, data)
    np.testing.assert_array_equal(again, data)
    np.testing.assert_array_equal(reshaped, data.reshape(3, 2))
    np.testing.assert_array_equal(constant, [7, 8])
    np.testing.assert_array_equal(flat, 2 * data.ravel())


def test_gradients_of_variables_and_of_what_does_not_depend() -> None:
    v, unused = Variable(np.float32([1, 2])), Variable(np.float32([5]))
    with Trace() as trace:
        loss = ops.sum(v * v * v)
        steps = ops.sum(ops.floor(v))
        grad, missing = trace.gradients(loss, [v, unused])
        (second,) = trace.gradients(grad, [v])
        assert missing is None
        assert trace.gradients(steps, [v]) == [None]
        program = trace.compile([grad, second])
    grad, second = program.run([])
    assert (grad.tolist(), second.tolist()) == ([3, 12], [6, 12])


@pytest.mark.parametrize(
    ("function", "x", "hessian"),
    [
        (ops.prod, [0.0, 3.0], [[0, 1], [1, 0]]),
        (ops.prod, [0.0, 0.0, 2.0], [[0, 2, 0], [2, 0, 0], [0, 0, 0]]),
        (ops.prod, [1.0, 2.0, 3.0], [[0, 3, 2], [3, 0, 1], [2, 1, 0]]),
        (lambda t: ops.sum(ops.power(t, np.float64([0.0, 2.0]))), [0.0, 3.0], [[0, 0], [0, 2]]),
    ],
)
def test_second_derivatives_where_the_first_has_cases(function, x, hessian) -> None:
    with Trace() as trace:
        t = trace.input((len(x),), "float64")
        (grad,) = trace.gradients(function(t), [t])
        rows = [trace.gradients(grad[i], [t])[0] for i in range(len(x))]
        program = trace.compile(rows)
    np.testing.assert_allclose(program.run([np.float64(x)]), hessian)


def test_a_compiled_trace_takes_no_more_assignments() -> None:
    v = Variable(np.float32(1))
    with Trace() as trace:
        v.assign(v + 1.0)
        trace.compile([])
        with pytest.raises(RuntimeError, match="compiled"):
            v.assign(v + 1.0)


def test_gradient_from_a_given_start() -> None:
    with Trace() as trace:
        x = trace.input((3,), "float64")
        (grad,) = trace.gradients(ops.square(x), [x], output_gradient=np.float64([1, 10, 100]))
        program = trace.compile([grad])
    assert program.run([np.float64([1, 2, 3])])[0].tolist() == [2, 40, 600]


@pytest.mark.parametrize(
    "use", [bool, float, int, np.asarray, lambda t: [1, 2, 3][t], lambda t: 1 if t > 0 else 2]
)
def test_numbers_of_a_symbolic_tensor_are_refused_with_the_line(use) -> None:
    with Trace() as trace:
        x = trace.input(())
        with pytest.raises(TypeError, match=r"test_trace\.py:\d+: .*Use "):
            use(x)


def test_tensors_of_another_trace_are_refused() -> None:
    with Trace() as first:
        x = first.input((2,))
    with Trace() as second:
        second.input((2,))
        with pytest.raises(ValueError, match="another trace"):
            second.compile([x])


def test_errors_of_a_program_name_what_was_expected() -> None:
    with Trace() as trace:
        x = trace.input((2, 3))
        program = trace.compile([x * 2.0])
    with pytest.raises(ValueError, match=r"expected float32\(2, 3\), got float32\(3, 2\)"):
        program.run([np.zeros((3, 2), "float32")])
    with pytest.raises(ValueError, match="got float64"):
        program.run([np.zeros((2, 3))])
    with pytest.raises(TypeError, match="takes 1 inputs, got 0"):
        program.run([])


def test_a_refused_step_changes_nothing() -> None:
    v = Variable(np.zeros(2, "float32"))
    with Trace() as trace:
        logits, labels = trace.input((2, 3)), trace.input((2,), "int32")
        loss = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        v.assign(v + loss)
        program = trace.compile([])
    data = np.zeros((2, 3), "float32")
    for bad in (3, -1, 2**31 - 1):
        with pytest.raises(ValueError, match=rf"{bad} is outside \[0, 3\).*3 classes"):
            program.run([data, np.int32([0, bad])])
        assert v.numpy().tolist() == [0, 0]
    program.run([data, np.int32([0, 2])])
    assert v.numpy() == pytest.approx(np.log(3))


def test_programs_outlive_their_variables_and_traces() -> None:
    def make():
        v = Variable(np.float32([1, 2, 3]))
        with Trace() as trace:
            v.assign_add(np.float32([1, 1, 1]))
            return trace.compile([v.value])

    program = make()
    gc.collect()
    assert program.run([])[0].tolist() == [2, 3, 4]
    assert program.run([])[0].tolist() == [3, 4, 5]


def test_sizes_that_cannot_be_held_are_refused() -> None:
    huge = 2**40
    with Trace() as trace:
        x = trace.input((1,))
        wide = ops.broadcast_to(x, (huge,))
        with pytest.raises(MemoryError):
            trace.compile([wide])
        with pytest.raises(MemoryError):
            ops.broadcast_to(x, (2**40, 2**40))
    with pytest.raises(MemoryError):
        ops.zeros((2**40, 2**10))
