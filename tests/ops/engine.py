"""How tests run operations: at once, or as a compiled program with its gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tests.ops.rows import FLOATS, Case, Row

from ranvier.core.tensor import Tensor
from ranvier.core.trace import Trace
from ranvier.ops._emit import emit


def forward(op: str, inputs: Sequence[np.ndarray], attributes: dict[str, Any]) -> np.ndarray:
    """A graph operation on arrays."""
    return emit(op, *inputs, **attributes)


def flatten(result: Any) -> list[Any]:
    """The tensors or arrays of a result, which may be a list or a tuple of them."""
    return (
        [leaf for item in result for leaf in flatten(item)] if isinstance(result, (list, tuple)) else [result]
    )


def weights_like(shape: Sequence[int], dtype: str) -> np.ndarray:
    """What a loss weighs the elements of a result with: no two alike, so that no mistake cancels."""
    size = int(np.prod(shape, dtype=int))
    return (np.cos(np.arange(size) * 0.7 + 0.3) + 1.5).reshape(shape).astype(dtype)


class Compiled:
    """A function of tensors as a program: its results and the gradients of a weighted sum of them.

    Args:
        function: of as many tensors as there are inputs; it returns a tensor or a list of them.
        inputs: arrays, for their shapes and dtypes, and to run it on.
        sources: the inputs by which the loss is differentiated.
        fuse: whether elementwise chains are fused.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        inputs: Sequence[np.ndarray],
        sources: Sequence[int] = (),
        fuse: bool = True,
    ) -> None:
        self.inputs = list(inputs)
        self.sources = list(sources)
        with Trace() as trace:
            tensors = [trace.input(x.shape, x.dtype.name) for x in inputs]
            results = flatten(function(*tensors))
            outputs = list(results)
            self.gradients_found: list[bool] = []
            if sources:
                loss = self._loss(results)
                found = trace.gradients(loss, [tensors[i] for i in sources])
                self.gradients_found = [g is not None for g in found]
                outputs += [loss, *(g for g in found if g is not None)]
            self.program = trace.compile(outputs, fuse=fuse)
        self.result_count = len(results)

    def _loss(self, results: Sequence[Any]) -> Any:
        terms = []
        for result in results:
            if isinstance(result, Tensor) and result.dtype in FLOATS:
                weighted = emit("multiply", result, weights_like(result.shape, result.dtype))
                terms.append(emit("sum", weighted, axes=list(range(len(result.shape))), keepdims=False))
        loss = terms[0]
        for term in terms[1:]:
            loss = emit("add", loss, term)
        return loss

    def run(self, inputs: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        """[results..., loss, gradients...]."""
        return self.program.run(list(self.inputs if inputs is None else inputs))

    def differences(self, source: int, step: float) -> np.ndarray:
        """The loss's derivative by an input, from central differences."""
        expected = np.zeros(self.inputs[source].size)
        for i in range(expected.size):
            ends = []
            for sign in (1, -1):
                moved = [x.copy() for x in self.inputs]
                moved[source].reshape(-1)[i] += sign * step
                ends.append(float(self.run(moved)[self.result_count]))
            expected[i] = (ends[0] - ends[1]) / (2 * step)
        return expected.reshape(self.inputs[source].shape)

    def check_gradients(self, step: float = 1e-5, tolerance: float = 1e-7) -> None:
        """Compares gradients with differences: 1e-5 leaves 1e-10 of truncation and 1e-11 of rounding."""
        assert all(self.gradients_found), "an input has no gradient"
        loss, *gradients = self.run()[self.result_count :]
        for source, gradient in zip(self.sources, gradients, strict=True):
            assert gradient.shape == self.inputs[source].shape
            expected = self.differences(source, step)
            bound = tolerance * max(1.0, abs(float(loss)))
            np.testing.assert_allclose(gradient, expected, rtol=tolerance, atol=bound)


def compiled_row(row: Row, case: Case, inputs: Sequence[np.ndarray], fuse: bool = True) -> Compiled:
    """A row of the op table as a program, with its gradients where it has any for these dtypes."""
    is_float = any(x.dtype.name in FLOATS for i, x in enumerate(inputs) if i in row.smooth)
    sources = [i for i in row.smooth if i < len(inputs)] if is_float else []
    return Compiled(lambda *tensors: emit(row.op, *tensors, **case.attributes), inputs, sources, fuse)
