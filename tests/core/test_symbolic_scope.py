"""SymbolicScope: open while shapes are inferred, and nowhere else."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

import ranvier as rv
from ranvier.core.symbolic_scope import in_symbolic_scope


def test_it_nests_and_belongs_to_a_thread() -> None:
    assert not in_symbolic_scope()
    seen: list[bool] = []
    with rv.SymbolicScope() as outer:
        assert in_symbolic_scope() and outer.original_scope is None
        with rv.SymbolicScope() as inner:
            assert inner.original_scope is outer
        assert in_symbolic_scope()
        thread = threading.Thread(target=lambda: seen.append(in_symbolic_scope()))
        thread.start()
        thread.join()
    assert not in_symbolic_scope() and seen == [False]


def test_shape_inference_is_symbolic_and_training_is_not() -> None:
    seen: list[bool] = []

    class Asks(rv.Layer):
        def call(self, x: Any) -> Any:
            seen.append(in_symbolic_scope())
            return x

    inputs = rv.Input((3,))
    model = rv.Model(inputs, Asks()(inputs))
    assert seen and all(seen)
    seen.clear()
    model.predict(np.ones((2, 3)), verbose=0)
    assert seen and not any(seen)
