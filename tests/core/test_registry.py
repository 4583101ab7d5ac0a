"""Registered objects, configs in Keras 3's format, and lookup with suggestions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ranvier.core import registry


class Point:
    def __init__(self, x: Any) -> None:
        self.x = x

    def get_config(self) -> dict[str, Any]:
        return {"x": self.x}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Point:
        return cls(**config)


class Plain:
    pass


def double(x: Any) -> Any:
    return 2 * x


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    kept = dict(registry.get_custom_objects())
    yield
    for key in set(registry.get_custom_objects()) - set(kept):
        registry._names.pop(registry.get_custom_objects().pop(key), None)


def test_a_registered_class_makes_the_round_trip() -> None:
    registry.register_serializable("Geometry")(Point)
    config = registry.serialize_object(Point((1, 2)))
    assert config == {
        "module": None,
        "class_name": "Point",
        "config": {"x": (1, 2)},
        "registered_name": "Geometry>Point",
    }
    assert registry.get_registered_name(Point) == "Geometry>Point"
    assert registry.get_registered_object("Geometry>Point") is Point
    assert registry.deserialize_object(config).x == (1, 2)


def test_a_registered_function_makes_the_round_trip() -> None:
    registry.register_serializable("Geometry", "twice")(double)
    config = registry.serialize_object(double)
    assert config["class_name"] == "function" and config["config"] == "Geometry>twice"
    assert registry.deserialize_object(config) is double


def test_custom_objects_by_argument_and_by_scope() -> None:
    config = registry.serialize_object(Point(3))
    with pytest.raises(TypeError, match="Could not locate class 'Point'"):
        registry.deserialize_object(config)
    assert registry.deserialize_object(config, custom_objects={"Point": Point}).x == 3
    with registry.custom_object_scope({"Point": Point}):
        assert registry.deserialize_object(config).x == 3
    with pytest.raises(TypeError, match="Point"):
        registry.deserialize_object(config)


def test_a_bare_name_in_a_table() -> None:
    table = {"point": Point, "double": double}
    assert registry.deserialize_object("double", module_objects=table) is double
    assert registry.deserialize_object("other", module_objects=table) == "other"
    config = {"class_name": "point", "config": {"x": 1}}
    assert registry.deserialize_object(config, module_objects=table).x == 1


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 2.5, "text", [1, [2, "a"]], {"a": {"b": 1}}, b"bytes", slice(1, None, 2), ...],
)
def test_values_make_the_round_trip(value: Any) -> None:
    assert registry.deserialize_object(registry.serialize_object(value)) == value


def test_arrays_and_numpy_numbers() -> None:
    array = np.array([[1.5, 2.0]], "float32")
    back = registry.deserialize_object(registry.serialize_object(array))
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype
    assert type(registry.serialize_object(np.float32(0.5))) is float
    assert type(registry.serialize_object(np.float64(0.5))) is float
    assert type(registry.serialize_object(np.int64(3))) is int


def test_nested_objects() -> None:
    registry.register_serializable("Geometry")(Point)
    inner = registry.serialize_object(Point(Point(1)))["config"]["x"]
    assert inner["class_name"] == "Point"


def test_what_cannot_be_described_is_refused() -> None:
    with pytest.raises(TypeError, match="get_config"):
        registry.serialize_object(Plain())
    with pytest.raises(TypeError, match="get_config"):
        registry.serialize_object(Point)
    with pytest.raises(ValueError, match="lambda"):
        registry.serialize_object(lambda x: x)
    with pytest.raises(ValueError, match="get_config"):
        registry.register_serializable()(Plain)


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": None},
        {"module": "builtins", "class_name": "eval", "config": {}, "registered_name": None},
        {"module": "ranvier.core.registry", "class_name": "np", "config": {}, "registered_name": None},
        {"module": "keras.layers.core", "class_name": "__builtins__", "config": {}, "registered_name": None},
    ],
)
def test_a_config_cannot_reach_other_code(config: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="Could not locate"):
        registry.deserialize_object(config)


def test_a_lambda_in_a_config_is_refused() -> None:
    with pytest.raises(ValueError, match="lambda"):
        registry.deserialize_object({"class_name": "__lambda__", "config": {"value": "x"}})


def test_a_class_without_from_config_is_refused() -> None:
    with pytest.raises(TypeError, match="from_config"):
        registry.deserialize_object({"class_name": "Plain", "config": {}}, custom_objects={"Plain": Plain})
    with pytest.raises(TypeError, match="to be a dict"):
        registry.deserialize_object({"class_name": "Point", "config": 3}, custom_objects={"Point": Point})


def test_lookup_lists_near_names() -> None:
    table = {"mean_squared_error": 1, "mse": 2, "hinge": 3}
    assert registry.lookup("loss", "mse", table) == 2
    with pytest.raises(ValueError, match=r"loss identifier: msee.*Did you mean: mse"):
        registry.lookup("loss", "msee", table)
    with pytest.raises(ValueError, match=r"Known names: hinge, mean_squared_error, mse"):
        registry.lookup("loss", "zzzzzz", table)
    with pytest.raises(ValueError, match="identifier: 3"):
        registry.lookup("loss", 3, table)


def test_lookup_sees_custom_objects_first() -> None:
    with registry.custom_object_scope({"mse": 7}):
        assert registry.lookup("loss", "mse", {"mse": 2}) == 7


def test_no_custom_objects():
    with registry.custom_object_scope(None):
        assert registry.get_registered_object("nothing of this name") is None
