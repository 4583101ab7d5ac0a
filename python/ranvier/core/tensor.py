"""Tensor: a value of a trace. It has a shape and a dtype, and no numbers yet."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

from ranvier.core.operators import Operators

if TYPE_CHECKING:
    from ranvier.core.trace import Trace


class Tensor(Operators):
    """A node of the graph that is being traced.

    Made by ops and by `Trace`, never by hand.

    Attributes:
        trace: the trace it belongs to.
        id: its number in the trace's graph.
        shape: a tuple of integers.
        dtype: a dtype name.
    """

    __slots__ = ("dtype", "id", "shape", "trace")

    def __init__(self, trace: Trace, node: tuple[int, str, tuple[int, ...]]) -> None:
        self.trace = trace
        self.id, self.dtype, self.shape = node

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        total = 1
        for dim in self.shape:
            total *= dim
        return total

    @property
    def producer(self) -> tuple[str, list[Tensor]] | None:
        """The operation that computes it and its inputs; None for an input, variable or constant."""
        op, inputs = self.trace.graph.producer(self.id)
        return (op, [Tensor(self.trace, node) for node in inputs]) if inputs else None

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("A scalar tensor has no length.")
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.shape:
            raise TypeError("A scalar tensor cannot be iterated.")
        return (self[i] for i in range(self.shape[0]))

    def __repr__(self) -> str:
        return f"<Tensor shape={self.shape}, dtype={self.dtype}>"

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise TypeError(
            f"{_user_line()}: {what} needs the numbers of a symbolic tensor of shape {self.shape}, which has "
            f"none while a step is traced. Use {instead}."
        )

    def __bool__(self) -> bool:
        self._refuse("`if`, `while`, `and`, `or` or `bool()`", "`ops.where`")

    def __float__(self) -> float:
        self._refuse("`float()`", "the tensor itself in ops")

    def __int__(self) -> int:
        self._refuse("`int()`", "the tensor itself in ops")

    def __index__(self) -> int:
        self._refuse("An index", "`ops.take`")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse("Conversion to a NumPy array", "functions of `ranvier.ops` in place of NumPy's")


def _user_line() -> str:
    """Where the code outside this package is, innermost: "file.py:12"."""
    for frame, line in traceback.walk_stack(sys._getframe()):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in ("ranvier", "numpy"):
            return f"{frame.f_code.co_filename}:{line}"
    return "In a traced function"
