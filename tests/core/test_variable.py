"""Variables outside of traces: values, assignment, operators."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier.core import scope
from ranvier.core.variable import Variable


def test_value_and_numpy_are_copies() -> None:
    v = Variable(np.float32([1, 2]))
    for copy in (v.value, v.numpy(), np.asarray(v)):
        copy[0] = 9
    assert v.numpy().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1.5, None, "float32"),
        ([1, 2], None, "int32"),
        ([1.5, 2], None, "float32"),
        (True, None, "bool"),
        (np.float64([1.5]), None, "float64"),
        (np.int64(3), None, "int64"),
        (np.float64([1.5]), "float32", "float32"),
        (True, "bool", "bool"),
    ],
)
def test_dtype(value, dtype, expected: str) -> None:
    assert Variable(value, dtype=dtype).dtype == expected


def test_from_an_initializer() -> None:
    threes = lambda shape, dtype=None: np.full(shape, 3, dtype)  # noqa: E731
    v = Variable(threes, shape=(2, 3), dtype="float64", name="kernel")
    assert (v.shape, v.dtype, v.name, v.path) == ((2, 3), "float64", "kernel", "kernel")
    assert (v.ndim, v.size, v.nbytes) == (2, 6, 48)
    assert (v.numpy() == 3).all()


def test_paths_follow_the_scopes() -> None:
    with scope.name_scope("dense"), scope.name_scope("inner"):
        assert Variable(1.0, name="bias").path == "dense/inner/bias"


def test_assign_checks_the_shape_and_keeps_the_value() -> None:
    v = Variable(np.float32([1, 2]))
    for bad in (np.zeros(3), np.zeros((2, 1)), 1.0):
        with pytest.raises(ValueError, match=r"variable.shape=\(2,\)"):
            v.assign(bad)
    assert v.numpy().tolist() == [1, 2]
    v.assign([5, 6])
    v.assign_add([1, 1])
    v.assign_sub(np.float64([0.5, 0.5]))
    assert (v.numpy().tolist(), v.dtype) == ([5.5, 6.5], "float32")


def test_operators() -> None:
    v = Variable(np.float32([1, 2, 4]))
    np.testing.assert_array_equal(v + 1, [2, 3, 5])
    np.testing.assert_array_equal(1 - v, [0, -1, -3])
    np.testing.assert_array_equal(np.float32([2, 2, 2]) * v, [2, 4, 8])
    np.testing.assert_array_equal(v / 2.0, [0.5, 1, 2])
    np.testing.assert_array_equal(v**2, [1, 4, 16])
    np.testing.assert_array_equal(-v, [-1, -2, -4])
    np.testing.assert_array_equal(v > 1, [False, True, True])
    np.testing.assert_array_equal(v == 2, [False, True, False])
    np.testing.assert_array_equal(v[1:], [2, 4])
    assert {v: 1}[v] == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"initializer": 1.0, "name": "a/b"}, "without '/'"),
        ({"initializer": lambda shape, dtype=None: 0.0}, "`shape` argument is required"),
        ({"initializer": np.zeros(2), "shape": (3,)}, "expected shape"),
        ({"initializer": lambda *_, **__: np.zeros(2), "shape": (3,)}, r"shape \(2,\), expected \(3,\)"),
        ({"initializer": 1.0, "aggregation": "median"}, "aggregation=median"),
        ({"initializer": 1.0, "synchronization": "never"}, "synchronization=never"),
        ({"initializer": None}, "got None"),
        ({"initializer": "nope", "shape": (2,)}, "nope"),
        ({"initializer": "zeros"}, "`shape` argument is required"),
        ({"initializer": np.zeros(2), "dtype": "float16x"}, "float16x"),
    ],
)
def test_refusals(arguments, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        Variable(**arguments)


def test_arguments_that_are_not_offered_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="`layout`"):
        Variable(1.0, layout="any")
    with pytest.raises(TypeError, match="colour"):
        Variable(1.0, colour="red")


def test_an_initializer_by_name() -> None:
    assert Variable("ones", shape=(2,)).numpy().tolist() == [1, 1]


def test_assign_returns_the_new_value_in_the_dtype() -> None:
    v = Variable([1, 2])
    assert (v.assign([3.7, -4.2]).dtype, v.numpy().tolist()) == (np.int32, [3, -4])
    assert v.assign_add([0.5, 3e9]).tolist() == v.numpy().tolist()
    # As a step has it: what does not fit becomes the nearest limit.
    assert v.numpy().tolist() == [3, 2**31 - 1]


def test_plus_is_the_value_and_not_the_variable() -> None:
    v = Variable([1.0, 2.0])
    before = +v
    v.assign([5, 5])
    assert before.tolist() == [1, 2]


def test_bits_of_integers_are_inverted() -> None:
    assert (~Variable([1, -1])).tolist() == [-2, 0]
    assert round(Variable([1.26]), 1).tolist() == [np.float32(1.3)]


def test_what_a_variable_is_cannot_be_set() -> None:
    v = Variable([1.0])
    for name in ("name", "path", "shape", "dtype"):
        with pytest.raises(AttributeError):
            setattr(v, name, getattr(v, name))
    for name in ("regularizer", "constraint"):
        with pytest.raises(ValueError, match=name):
            setattr(v, name, 3)
        setattr(v, name, abs)
        setattr(v, name, None)
    with pytest.raises(TypeError, match="overwrite_with_gradient"):
        v.overwrite_with_gradient = 1
    assert (Variable(1.0, aggregation=None).aggregation, v.synchronization) == ("none", "auto")


def test_a_list_of_tensors_is_assigned() -> None:
    v = Variable([1.0, 2.0])
    rv.jit(lambda x: v.assign([x, x * 2]))(np.float32(3))
    assert v.numpy().tolist() == [3, 6]
