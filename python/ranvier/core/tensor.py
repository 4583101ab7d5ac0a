"""Tensor: a value of a trace. It has a shape and a dtype; numbers only where steps run eagerly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np

from ranvier.core.operators import BitwiseOperators
from ranvier.core.unknown_size import marked
from ranvier.core.user_code import user_line

if TYPE_CHECKING:
    from ranvier.core.trace import Trace

Node: TypeAlias = tuple[int, str, tuple[int, ...]]  # id, dtype, shape


class NoNumbersError(TypeError):
    """Python wanted the numbers of a tensor that has none."""


class Tensor(BitwiseOperators):
    """A node of the graph that is being traced.

    Made by ops and by `Trace`, never by hand.

    Attributes:
        trace: the trace it belongs to.
        id: its number in the trace's graph.
        shape: a tuple of integers.
        dtype: a dtype name.
        born: the trace's clock when it was made.
    """

    __slots__ = ("_keras_mask", "born", "dtype", "id", "shape", "trace")

    def __init__(self, trace: Trace, node: Node) -> None:
        self.trace = trace
        self.born = trace.clock
        self.id, self.dtype, self.shape = node
        if trace.stand_in is not None:
            self.shape = marked(self.shape, trace.stand_in)

    @property
    def node(self) -> Node:
        """What the core calls it: its id, dtype and shape."""
        return self.id, self.dtype, self.shape

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
        op, nodes = self.trace.graph.producer(self.id)
        inputs = [Tensor(self.trace, node) for node in nodes]
        for tensor in inputs:
            tensor.born = self.born
        return (op, inputs) if inputs else None

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"{user_line()}: A scalar tensor has no length.")
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.shape:
            raise TypeError(f"{user_line()}: A scalar tensor cannot be iterated.")
        return (self[i] for i in range(self.shape[0]))

    def __repr__(self) -> str:
        number = None if self.trace.stand_in is not None else self.trace.number(self)
        value = "" if number is None else f", value={number}"
        return f"<Tensor shape={self.shape}, dtype={self.dtype}{value}>"

    def _number(self, what: str, instead: str) -> np.ndarray:
        number = self.trace.number(self)
        if number is None:
            self._refuse(what, instead)
        return number

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise NoNumbersError(
            f"{user_line()}: {what} needs the numbers of a symbolic tensor of shape {self.shape}, which has "
            f"none while a step is traced. Use {instead}; or, to look at the numbers, `run_eagerly=True` in "
            "`compile()`."
        )

    def numpy(self) -> np.ndarray:
        """Its value, as a new array.

        Raises:
            TypeError: while a step is traced: there is none yet.
        """
        return self._number("`numpy()`", "functions of `ranvier.ops` in place of NumPy's").copy()

    def item(self) -> Any:
        """Its value as a Python number.

        Raises:
            TypeError: while a step is traced: there is none yet.
            ValueError: if it has more than one element.
        """
        return self._number("`item()`", "the tensor itself in ops").item()

    def __bool__(self) -> bool:
        instead = "`ops.where` or `ops.cond` for an `if`, `ops.while_loop` for a loop"
        return bool(self._number("`if`, `while`, `and`, `or` or `bool()`", instead))

    def __float__(self) -> float:
        return float(self._number("`float()`", "the tensor itself in ops"))

    def __int__(self) -> int:
        return int(self._number("`int()`", "the tensor itself in ops"))

    def __index__(self) -> int:
        return self._number(
            "An index, a size or a `range`", "`ops.take`, `ops.slice` or `ops.fori_loop`"
        ).__index__()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        number = self._number("Conversion to a NumPy array", "functions of `ranvier.ops` in place of NumPy's")
        if copy is False and dtype is not None and number.dtype != dtype:
            raise ValueError(f"A tensor of dtype {self.dtype} cannot become {dtype} without a copy.")
        array = number if dtype is None else number.astype(dtype, copy=False)
        return array.copy() if copy is not False else array

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)
