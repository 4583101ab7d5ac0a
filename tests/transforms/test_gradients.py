"""grad and value_and_grad: derivatives of functions."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops


def test_a_number() -> None:
    cube = lambda x: x**3  # noqa: E731
    assert [float(d(2.0)) for d in (rv.grad(cube), rv.grad(rv.grad(cube)), rv.jit(rv.grad(cube)))] == [
        12,
        12,
        12,
    ]


def test_several_arguments_in_nests() -> None:
    def fn(params, x):
        return ops.sum(params["w"] * x + params["b"])

    value, (params, x) = rv.value_and_grad(fn, argnums=(0, 1))(
        {"w": np.float32([1, 2]), "b": 1.0}, np.float32([3, 4])
    )
    assert float(value) == 13 and params["w"].tolist() == [3, 4] and params["b"] == 2 and x.tolist() == [1, 2]


def test_one_value_in_two_places_is_two_arguments() -> None:
    a = np.float32(3)
    assert [float(g) for g in rv.grad(lambda x, y: x * x * y, argnums=(0, 1))(a, a)] == [18, 9]
    outer = rv.jit(lambda x: rv.grad(lambda y: x * y)(x))  # not by the x outside
    assert float(outer(a)) == 3


def test_variables_and_aux() -> None:
    v, unused = rv.Variable(np.float32([1, 2])), rv.Variable(np.float32(1))

    def fn(x):
        y = v * x
        return ops.sum(y), {"y": y}

    for step in (rv.value_and_grad(fn, variables=[v, unused], has_aux=True),) * 2:
        (value, aux), gradients = step(np.float32([3, 4]))
        assert float(value) == 11 and aux["y"].tolist() == [3, 8]
        assert gradients[0].tolist() == [3, 4] and gradients[1] is None
    gradients, aux = rv.grad(fn, variables=[v], has_aux=True)(np.float32([3, 4]))
    assert gradients[0].tolist() == [3, 4] and type(aux["y"]) is np.ndarray


def test_unused_arguments_give_zeros() -> None:
    assert (
        rv.grad(lambda x, y: ops.sum(x), argnums=1)(np.ones(2, "float32"), np.ones(3, "float32")).tolist()
        == [0] * 3
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rv.grad(lambda x: x)(np.ones(2, "float32")), ValueError, r"shape \(2,\)"),
        (lambda: rv.grad(lambda x: x)(3), TypeError, "int32"),
        (lambda: rv.grad(lambda x: x, argnums=1)(3.0), ValueError, "argument 1: the function was given 1"),
        (lambda: rv.grad(lambda x: x, argnums=0, variables=[]), ValueError, "not both"),
        (lambda: rv.grad(lambda x: (x, x))(1.0), TypeError, "of type tuple"),
        (lambda: rv.grad(lambda x: None)(1.0), TypeError, "returned None"),
        (lambda: rv.value_and_grad(lambda x: x * x, has_aux=True)(1.0), TypeError, "must return a pair"),
    ],
)
def test_refusals(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
