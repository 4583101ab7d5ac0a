"""How tests run an operation: at once, or as a compiled program with its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tests.ops.rows import Case, Row

from ranvier import _core
from ranvier.core.trace import Trace
from ranvier.ops._emit import emit


def forward(op: str, inputs: Sequence[np.ndarray], attributes: dict[str, Any]) -> np.ndarray:
    """The operation on arrays."""
    return emit(op, *inputs, **attributes)


def weights_like(shape: Sequence[int], dtype: str) -> np.ndarray:
    """What a loss weighs the elements of a result with: no two alike, so that no mistake cancels."""
    size = int(np.prod(shape, dtype=int))
    return (np.cos(np.arange(size) * 0.7 + 0.3) + 1.5).reshape(shape).astype(dtype)


class Loss:
    """sum(weights * op(inputs)) and its gradients, compiled."""

    def __init__(self, row: Row, case: Case, inputs: Sequence[np.ndarray], fuse: bool = True) -> None:
        self.inputs = list(inputs)
        with Trace() as trace:
            tensors = [trace.input(x.shape, x.dtype.name) for x in inputs]
            result = emit(row.op, *tensors, **case.attributes)
            weights = weights_like(result.shape, result.dtype)
            axes = list(range(len(result.shape)))
            loss = emit("sum", emit("multiply", result, weights), axes=axes, keepdims=False)
            self.sources = [i for i in row.smooth if i < len(inputs)]
            found = trace.gradients(loss, [tensors[i] for i in self.sources])
            self.gradients_found = [g is not None for g in found]
            gradients = [g for g in found if g is not None]
            self.program = trace.compile([result, loss, *gradients], fuse=fuse)

    def run(self, inputs: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        """[result, loss, gradients...]."""
        return self.program.run(list(self.inputs if inputs is None else inputs))


def threads(count: int) -> None:
    """Sets the number of threads of programs that are made from now on."""
    _core.set_num_threads(count)
