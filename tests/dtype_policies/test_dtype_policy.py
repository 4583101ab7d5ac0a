from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import dtype_policies
from ranvier.dtype_policies import DTypePolicy


@pytest.fixture(autouse=True)
def restore():
    yield
    rv.config.set_dtype_policy(None)


def test_names_and_config():
    policy = DTypePolicy("float64")
    assert (policy.compute_dtype, policy.variable_dtype, policy.name) == ("float64", "float64", "float64")
    assert DTypePolicy.from_config(policy.get_config()) == policy
    config = dtype_policies.serialize(policy)
    assert config == {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": "float64"},
        "registered_name": None,
    }
    assert dtype_policies.deserialize(config) == policy


@pytest.mark.parametrize("name", ["float99", "mixed_float16", "mixed_bfloat16", "float16"])
def test_unknown_policies_are_refused(name):
    with pytest.raises(ValueError, match=name):
        dtype_policies.get(name)


@pytest.mark.parametrize("identifier", ["float64", np.float64, np.dtype("float64"), DTypePolicy("float64")])
def test_get(identifier):
    assert dtype_policies.get(identifier).name == "float64"


def test_global_policy():
    assert rv.config.dtype_policy().name == "float32"
    rv.config.set_dtype_policy("float64")
    layer = rv.layers.Dense(2)
    assert layer.dtype == "float64" and layer(np.ones((1, 3), "float32")).dtype == np.float64
