"""Sizes that no memory can hold are refused as such, wherever they come in."""

from __future__ import annotations

import pytest

import ranvier as rv
from ranvier.core.dtypes import check_size

CASES = {
    "Dense, 2^63": lambda: rv.layers.Dense(2**63).build((None, 2)),
    "Dense, 2^62": lambda: rv.layers.Dense(2**62).build((None, 2)),
    "Dense, 10^13": lambda: rv.layers.Dense(10**13).build((None, 2)),
    "Input, 2^63": lambda: rv.Sequential([rv.Input((2**63,)), rv.layers.Dense(2)]),
    "Variable": lambda: rv.Variable(rv.initializers.Zeros(), shape=(2**63,)),
    "ones": lambda: rv.ops.ones((2**31, 2**31)),
    "ones, one axis": lambda: rv.ops.ones(2**63),
    "full of a tensor": lambda: rv.ops.full((2**31, 2**31), [1.0]),
    "eye": lambda: rv.ops.eye(2**33),
    "tri": lambda: rv.ops.tri(2**33),
    "arange": lambda: rv.ops.arange(2**62),
    "linspace": lambda: rv.ops.linspace(0, 1, 2**62),
    "broadcast_to": lambda: rv.ops.broadcast_to(1.0, (2**63,)),
    "one_hot": lambda: rv.ops.one_hot([0], 2**63),
    "tile": lambda: rv.ops.tile([1.0], 2**63),
    "to_categorical, 10^14": lambda: rv.utils.to_categorical([0], 10**14),
    "to_categorical, 2^63": lambda: rv.utils.to_categorical([0], 2**63),
    "uniform": lambda: rv.random.uniform((2**63, 2)),
    "normal": lambda: rv.random.normal((2**31, 2**31)),
    "glorot_uniform": lambda: rv.initializers.GlorotUniform()((2**31, 2**31)),
    "zeros": lambda: rv.initializers.Zeros()((2**63, 2)),
    "constant": lambda: rv.initializers.Constant(1)((2**63, 2)),
    "identity": lambda: rv.initializers.Identity()((2**31, 2**31)),
}


@pytest.mark.parametrize("make", CASES.values(), ids=CASES.keys())
def test_a_memory_error_that_names_the_size(make):
    with pytest.raises(MemoryError, match=r"shape|bytes"):
        make()


def test_the_limit():
    check_size((2**63 - 1,))
    check_size((2**60 - 1,), "float64")
    check_size((-1, 3))
    with pytest.raises(MemoryError, match=r"\(1, 9223372036854775808\)"):
        check_size((1, 2**63))
    with pytest.raises(MemoryError):
        check_size((2**60,), "float64")


def test_many_classes_cost_rows_not_squares():
    assert rv.utils.to_categorical([[0], [99_999]], 100_000).shape == (2, 100_000)
