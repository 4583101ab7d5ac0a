"""The one way from Python to the core's operations."""

from __future__ import annotations

from typing import Any

from ranvier import _core
from ranvier.core import unknown_size
from ranvier.core.dtypes import as_array
from ranvier.core.stateless_scope import current_stateless_scope
from ranvier.core.tensor import Tensor
from ranvier.core.trace import current_trace, trace_of
from ranvier.core.variable import Variable


def emit(op: str, *inputs: Any, **attributes: Any) -> Any:
    """Adds an operation to the trace of its inputs, or runs it at once when none of them is symbolic.

    Args:
        op: a name of the core's list (`_core.op_names()`).
        *inputs: Tensors, Variables, arrays or numbers, of the dtypes that the operation demands.
        **attributes: its attributes: bool, int, float, a dtype name, or a sequence of ints.

    Returns:
        A Tensor, or an ndarray.
    """
    if current_stateless_scope() is not None:
        inputs = tuple(x.value if isinstance(x, Variable) else x for x in inputs)
    trace = None
    for x in inputs:
        if isinstance(x, (Tensor, Variable)):
            trace = current_trace()
            if trace is None and isinstance(x, Tensor):
                trace = trace_of(x)
            if trace is not None:
                break
    if trace is None:
        if unknown_size.stand_ins:
            attributes = unknown_size.plain(attributes)
        arrays = [x._array if isinstance(x, Variable) else as_array(x) for x in inputs]
        return _core.eager(op, arrays, attributes)
    return trace.emit(op, inputs, attributes)
