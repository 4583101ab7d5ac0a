"""Ops in functional models: operands and settings are Keras's, or configs would not travel."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest
from tests.parity.oracle import keras

from ranvier.ops import _symbolic

NAMESPACES = {
    n: importlib.import_module(f"keras.src.ops.{n}") for n in ("numpy", "nn", "math", "linalg", "core")
}
# What Keras's operations do not have as classes, or under other modules: aliases and what makes no model.
PAIRS = [
    (function, getattr(NAMESPACES[space], name))
    for (space, name), function in _symbolic._functions.items()
    if isinstance(getattr(NAMESPACES[space], name, None), type)
]


def test_most_ops_are_operations_of_keras() -> None:
    assert len(PAIRS) > 0.85 * len(_symbolic._functions) and keras.Operation


@pytest.mark.parametrize(("function", "theirs"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_operands_and_settings(function: Any, theirs: Any) -> None:
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.values()
    operands = [p.name for p in parameters if p.kind in plain and p.name in _symbolic.operands_of(function)]
    settings = {p.name for p in parameters if p.kind in plain} - set(operands)
    of_call = [
        p.name for p in list(inspect.signature(theirs.call).parameters.values())[1:] if p.kind in plain
    ]
    of_class = set(list(inspect.signature(theirs.__init__).parameters)[1:]) - {"name", "args", "kwargs"}
    assert settings <= of_class
    assert operands == of_call
