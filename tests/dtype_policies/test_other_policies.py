"""Maps of policies, and quantized policies, which are data only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import dtype_policies
from ranvier.dtype_policies import DTypePolicy, DTypePolicyMap

# Class, mode, arguments besides, config.
QUANTIZED: list[tuple[str, str, dict[str, Any]]] = [
    ("QuantizedDTypePolicy", "int8", {}),
    ("QuantizedDTypePolicy", "int4", {}),
    ("QuantizedFloat8DTypePolicy", "float8", {"amax_history_length": 1024}),
    ("GPTQDTypePolicy", "gptq/4/128", {}),
    ("AWQDTypePolicy", "awq/4/-1", {}),
    ("Int4DTypePolicy", "int4/64", {}),
]


@pytest.mark.parametrize(("cls", "mode", "more"), QUANTIZED)
def test_quantized(cls: str, mode: str, more: dict[str, Any]) -> None:
    policy = getattr(dtype_policies, cls)(mode, "float64", **more)
    assert policy.name == f"{mode}_from_float64"
    assert policy.get_config() == {"mode": mode, "source_name": "float64", **more}
    assert (policy.compute_dtype, policy.variable_dtype) == ("float64", "float64")
    assert policy.quantization_mode == mode.split("/")[0]
    assert repr(policy) == f'<{cls} "{policy.name}">'
    saved = dtype_policies.serialize(policy)
    assert (saved["module"], saved["class_name"]) == ("keras.dtype_policies", cls)
    for again in (dtype_policies.deserialize(saved), dtype_policies.get(policy.name)):
        assert type(again) is type(policy)
        assert again == policy
        assert again.get_config() == policy.get_config()
    assert getattr(dtype_policies, cls)(mode).name == f"{mode}_from_float32"
    for use in (policy, policy.name, DTypePolicyMap(policy_map={"x": policy})):
        with pytest.raises(ValueError, match=f"Layer 'mine' cannot compute.*{mode}_from_float64"):
            rv.layers.Dense(2, name="mine", dtype=use)


@pytest.mark.parametrize(
    ("cls", "mode", "match"),
    [
        ("QuantizedDTypePolicy", "int3", "Invalid quantization mode"),
        ("GPTQDTypePolicy", "gptq", "gptq/<weight_bits>/<group_size>"),
        ("GPTQDTypePolicy", "gptq/9/128", "weight_bits.*got 9"),
        ("GPTQDTypePolicy", "gptq/4/-2", "group_size.*got -2"),
        ("AWQDTypePolicy", "awq/8/128", "weight_bits.*got 8"),
        ("AWQDTypePolicy", "gptq/4/128", "Expected format 'awq/"),
        ("Int4DTypePolicy", "int4", "int4/<block_size>"),
        ("Int4DTypePolicy", "int4/0", "block_size.*got 0"),
    ],
)
def test_bad_modes(cls: str, mode: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        getattr(dtype_policies, cls)(mode)


def test_older_names() -> None:
    old = rv.mixed_precision
    old.set_global_policy("float64")
    try:
        assert old.global_policy() == old.Policy("float64") == rv.config.dtype_policy()
    finally:
        old.set_global_policy(None)
    assert old.LossScaleOptimizer is rv.optimizers.LossScaleOptimizer
    with pytest.raises(ValueError, match="half precision is not offered"):
        old.set_global_policy("mixed_float16")


@pytest.mark.parametrize("name", ["int8_from_foo", "foo_from_float32", "int8_from_mixed_bfloat16"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(ValueError, match=name.removeprefix("int8_from_")):
        dtype_policies.get(name)


def test_maps() -> None:
    single, double = DTypePolicy("float32"), DTypePolicy("float64")
    policies = DTypePolicyMap("float64", {"a/b": single, "c/.*": "float32", "c/d": double})
    expected = {"a/b": single, "a": double, "a/b/c": double, "c/x": single, "c/d": double, "z/a/b": double}
    assert {path: policies[path] for path in expected} == expected
    assert (list(policies), len(policies)) == (["a/b", "c/.*", "c/d"], 3)
    assert (policies.default_policy, policies.compute_dtype) == (double, "float64")
    assert DTypePolicyMap().default_policy == rv.config.dtype_policy()
    with pytest.raises(ValueError, match="a/b already exist"):
        policies["a/b"] = double
    del policies["c/d"]
    assert policies["c/d"] == single
    assert repr(policies).endswith("mapping=[('a/b', 'float32'), ('c/.*', 'float32')]>")
    policies[".*/x"] = double
    with pytest.raises(ValueError, match="'c/x' matches multiple"):
        policies["c/x"]
    saved = dtype_policies.serialize(policies)
    assert (saved["module"], saved["class_name"]) == ("keras.dtype_policies", "DTypePolicyMap")
    assert dtype_policies.deserialize(saved) == policies
    with pytest.raises(TypeError, match="must be a dict"):
        DTypePolicyMap(policy_map=[1])  # type: ignore[arg-type]


def test_layers_take_their_policy_from_a_map() -> None:
    policies = DTypePolicyMap("float32", {"double": "float64"})
    double, other = (rv.layers.Dense(2, name=name, dtype=policies) for name in ("double", "other"))
    x = np.ones((1, 3), "float32")
    assert (double(x).dtype, other(x).dtype) == (np.float64, np.float32)
    assert (double.kernel.dtype, other.kernel.dtype) == ("float64", "float32")
    again = rv.layers.Dense.from_config(double.get_config())
    assert again(x).dtype == np.float64
