"""Dtype names, promotion, and what arrays become on the way in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops
from ranvier.core import dtypes

# The upper half of the table of promotion, as JAX and Keras have it (with 64-bit types kept).
PROMOTION = {
    ("bool", "bool"): "bool",
    ("bool", "int8"): "int8",
    ("bool", "float32"): "float32",
    ("bool", int): "int32",
    ("bool", float): "float32",
    ("uint8", "int8"): "int16",
    ("uint8", "uint16"): "uint16",
    ("uint8", "int32"): "int32",
    ("uint16", "int8"): "int32",
    ("uint32", "int32"): "int64",
    ("uint32", "int64"): "int64",
    ("uint8", int): "uint8",
    ("uint8", float): "float32",
    ("int32", "int64"): "int64",
    ("int32", int): "int32",
    ("int64", float): "float32",
    ("int64", "float32"): "float32",
    ("int8", "float64"): "float64",
    ("float32", "float64"): "float64",
    ("float32", int): "float32",
    ("float32", float): "float32",
    ("float64", float): "float64",
    (int, float): "float32",
    (int, int): "int32",
}


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    kept = (dtypes.floatx(), dtypes.epsilon(), dtypes.image_data_format())
    yield
    dtypes.set_floatx(kept[0])
    dtypes.set_epsilon(kept[1])
    dtypes.set_image_data_format(kept[2])


@pytest.mark.parametrize(("pair", "expected"), PROMOTION.items())
def test_promotion_is_symmetric(pair: tuple[Any, Any], expected: str) -> None:
    assert dtypes.result_type(*pair) == expected
    assert dtypes.result_type(*reversed(pair)) == expected


PAIRS = list(itertools.combinations_with_replacement(dtypes.ALL_DTYPES, 2))
WITH_NUMBERS = [(dtype, number) for dtype in dtypes.ALL_DTYPES for number in (3, 2.5)]
PROMOTING = {
    "add": ops.add,
    "multiply": ops.multiply,
    "maximum": ops.maximum,
    "where": lambda x, y: ops.where(np.ones((2, 2), bool), x, y),
    "mod": ops.mod,
    "matmul": ops.matmul,
    "einsum": lambda x, y: ops.einsum("ij,jk->ik", x, y),
}
JOINING = {
    "concatenate": lambda x, y: ops.concatenate([x, y]),
    "stack": lambda x, y: ops.stack([x, y]),
    "append": ops.append,
    "bitwise_or": ops.bitwise_or,
}


def _joined(*kinds: Any) -> str:
    """What they promote to, from NumPy's table: it differs for floats beside integers, and in being weak."""
    names = [kind for kind in kinds if isinstance(kind, str)]
    floats = [name for name in names if "float" in name]
    if floats or float in kinds:
        return max(floats, default="float32")
    integers = [name for name in names if "int" in name]
    return np.result_type(*integers).name if integers else "int32" if int in kinds else "bool"


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_pair_of_dtypes_in_every_function_that_promotes(pair: tuple[str, str]) -> None:
    expected = _joined(*pair)
    assert dtypes.result_type(*pair) == dtypes.result_type(*pair[::-1]) == expected
    for name, call in (PROMOTING | JOINING).items():
        if (name == "mod" and expected == "bool") or (name == "bitwise_or" and "float" in expected):
            continue
        narrow = name in ("matmul", "einsum") and expected in ("int8", "uint8", "int16", "uint16")
        for first, second in (pair, pair[::-1]):
            x, y = np.ones((2, 2), first), np.ones((2, 2), second)
            eager = call(x, y)
            spec = call(rv.KerasTensor((None, 2), first), rv.KerasTensor((None, 2), second))
            traced = rv.jit(call)(x, y) if name in ("add", "concatenate") else eager
            assert str(eager.dtype) == spec.dtype == str(traced.dtype), name
            assert str(eager.dtype) == expected or narrow, name


@pytest.mark.parametrize(("dtype", "number"), WITH_NUMBERS)
def test_python_numbers_decide_the_kind_and_not_the_width(dtype: str, number: float) -> None:
    expected = _joined(dtype, type(number))
    for name in ("add", "multiply", "maximum", "where"):
        for call in (PROMOTING[name], lambda y, x, name=name: PROMOTING[name](x, y)):
            assert str(call(np.ones((2, 2), dtype), number).dtype) == expected, name
            assert call(rv.KerasTensor((None, 2), dtype), number).dtype == expected, name


def test_promotion_follows_floatx() -> None:
    assert dtypes.result_type() == "float32"
    dtypes.set_floatx("float64")
    assert dtypes.result_type("int32", float) == "float64"
    assert dtypes.result_type("float32", float) == "float32"
    assert dtypes.as_array([1.5]).dtype == np.float64


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (None, "float32"),
        (float, "float32"),
        (int, "int32"),
        (bool, "bool"),
        ("int", "int32"),
        (np.float64, "float64"),
        (np.dtype(">f4"), "float32"),
        ("torch.int64", "int64"),
    ],
)
def test_standardize_dtype(dtype: Any, name: str) -> None:
    assert dtypes.standardize_dtype(dtype) == name


@pytest.mark.parametrize("dtype", ["float", "float16", "complex64", str, "<f4", 3])
def test_unknown_dtypes_are_refused(dtype: Any) -> None:
    with pytest.raises(ValueError, match="Invalid dtype"):
        dtypes.standardize_dtype(dtype)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int32"),
        (2**40, "int64"),
        (1.0, "float32"),
        (True, "bool"),
        ([1, 2.5], "float32"),
        ([[1], [2]], "int32"),
        ([], "float32"),
        (np.float64(1), "float64"),
        (np.arange(3), "int64"),
        ([np.float64(1)], "float64"),
        (np.zeros(2, np.float16), "float32"),
        (np.zeros(2, ">f8"), "float64"),
        (np.zeros(2, np.uint64), "int64"),
        (np.zeros((4, 4))[::2, ::-1], "float64"),
    ],
)
def test_as_array(value: Any, dtype: str) -> None:
    array = dtypes.as_array(value)
    assert array.dtype == np.dtype(dtype)  # native byte order included
    assert array.flags.c_contiguous
    np.testing.assert_array_equal(array, value)


@pytest.mark.parametrize(
    "value", ["a", ["a", 1], np.array([None]), 1j, np.array(["2020-01-01"], "datetime64[D]")]
)
def test_what_is_not_numbers_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot become a tensor"):
        dtypes.as_array(value)


def test_ragged_is_refused() -> None:
    with pytest.raises(ValueError, match="inhomogeneous"):
        dtypes.as_array([[1], [1, 2]])


def test_settings() -> None:
    dtypes.set_epsilon(1e-3)
    assert dtypes.epsilon() == 1e-3
    dtypes.set_image_data_format("channels_first")
    assert dtypes.standardize_data_format(None) == "channels_first"
    with pytest.raises(ValueError, match="data_format"):
        dtypes.set_image_data_format("nchw")
    with pytest.raises(ValueError, match="floatx"):
        dtypes.set_floatx("int32")


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32"])
def test_storage_types_compute_and_come_back(dtype: str) -> None:
    x = np.array([1, 2, 100], dtype)
    assert ops.add(x, x).dtype == np.dtype(dtype)
    np.testing.assert_array_equal(ops.add(x, 5), x + 5)
    np.testing.assert_array_equal(ops.maximum(x, 2), np.maximum(x, 2))
    np.testing.assert_array_equal(ops.sum(x), 103)
    assert ops.mean(x).dtype == np.float32
    assert ops.stack([x, x]).dtype == np.dtype(dtype)


def test_python_numbers_are_weak_and_numpy_scalars_too() -> None:
    x = np.ones(2, "float32")
    assert ops.multiply(x, 2.5).dtype == np.float32
    assert ops.multiply(x, np.float64(2.5)).dtype == np.float32
    assert ops.multiply(x, np.sqrt(2.0)).dtype == np.float32
    assert ops.multiply(x, np.array(2.5)).dtype == np.float64
    assert ops.multiply(np.ones(2, "int32"), 2.5).dtype == np.float32


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(300, "uint8"), (-1, "uint32"), ([1, 2**31], "int32"), (np.int64(2**40), "int32"), (2**63, None)],
)
def test_integers_that_do_not_fit_are_refused(value: Any, dtype: str | None) -> None:
    with pytest.raises(OverflowError, match=r"do not fit u?int\d"):
        dtypes.as_array(value, dtype)
    assert dtypes.as_array(np.int64([2**40]), "int32").tolist() == [0]  # an array's low bits are kept


def test_an_integer_beside_a_narrow_tensor_keeps_its_value_or_is_refused() -> None:
    x = np.int32([1])
    for call in (ops.add, ops.less, ops.maximum):
        with pytest.raises(OverflowError, match="do not fit int32"):
            call(x, 2**40)
    with pytest.raises(OverflowError, match="do not fit int64"):
        ops.add(np.uint64([2**63]), 0)
    assert ops.add(x.astype("int64"), 2**40).tolist() == [2**40 + 1]
