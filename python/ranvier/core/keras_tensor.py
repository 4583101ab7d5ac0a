"""KerasTensor: a placeholder for a shape and a dtype, from which models are made before there are data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ranvier.core.arguments import shown
from ranvier.core.dtypes import standardize_dtype
from ranvier.core.operators import Operators, function
from ranvier.core.scope import given_name
from ranvier.core.user_code import short_traceback, user_line

Shape = tuple[int | None, ...]

_PASS_IT = "Pass it to layers, models and functions of `ranvier.ops`, and look at what a model predicts."


def standardize_shape(shape: Any) -> Shape:
    """A shape as a tuple of non-negative integers, with None where a dimension is not known.

    Raises:
        ValueError: if `shape` is None, not a sequence, or has an entry that is not a dimension.
    """
    if shape is None:
        raise ValueError("Undefined shapes are not supported.")
    if isinstance(shape, str) or not isinstance(shape, Iterable) or getattr(shape, "ndim", 1) != 1:
        raise ValueError(f"Cannot convert '{shown(shape)}' to a shape.")
    dims: list[int | None] = []
    for dim in shape:
        if dim is None:
            dims.append(None)
            continue
        if isinstance(dim, (bool, np.ndarray)) or not hasattr(dim, "__index__"):
            raise ValueError(
                f"Cannot convert '{tuple(shape)}' to a shape. Found invalid dimension '{dim}' of type "
                f"'{type(dim)}'. Dimensions are integers, or None where they are not known."
            )
        if dim < 0:
            raise ValueError(
                f"Cannot convert '{tuple(shape)}' to a shape. Negative dimensions are not allowed."
            )
        dims.append(int(dim))
    return tuple(dims)


class KerasHistory(NamedTuple):
    """Where a KerasTensor came from.

    Attributes:
        operation: the layer that made it.
        node_index: which call of the layer that was.
        tensor_index: which of the call's outputs it is.
    """

    operation: Any
    node_index: int
    tensor_index: int


class KerasTensor(Operators):
    """A symbolic tensor: a shape, a dtype and a name, without values.

    Layers, functions of `ranvier.ops` and Python's operators take it and return KerasTensors again, which
    know how they came about: `Model(inputs, outputs)` is made from them.

    Args:
        shape: the shape; None stands for a dimension that is not known yet (the batch, usually).
        dtype: the dtype.
        sparse: must be False; sparse tensors are not offered.
        ragged: must be False; ragged tensors are not offered.
        record_history: whether calls of layers on it are to be recorded for a functional model.
        name: a name; None: one is made up.

    Raises:
        ValueError: for `sparse=True`, `ragged=True`, an unknown dtype or an invalid shape.
    """

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
    ) -> None:
        for argument, value in (("sparse", sparse), ("ragged", ragged)):
            if value:
                raise ValueError(f"Argument `{argument}=True` is not supported: tensors are dense here.")
        self.shape = standardize_shape(shape)
        self.dtype = standardize_dtype(dtype)
        self.sparse = False
        self.ragged = False
        self.record_history = record_history
        self.name = given_name(name, type(self))
        self._keras_history: KerasHistory | None = None
        self._keras_mask: Any = None

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = Operators.__hash__

    def __invert__(self) -> Any:
        return function("logical_not")(self)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def _refuse(self, what: str, instead: str, error: type[Exception] = ValueError) -> NoReturn:
        raise error(
            f"{user_line()}: A KerasTensor is symbolic: it stands for a shape and a dtype and has no value. "
            f"{what} {instead}"
        )

    @short_traceback
    def numpy(self) -> NoReturn:
        """Refused: there is no value."""
        self._refuse("It has no `numpy()`.", _PASS_IT)

    @short_traceback
    def item(self) -> NoReturn:
        """Refused: there is no value."""
        self._refuse("It has no `item()`.", _PASS_IT)

    @short_traceback
    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        self._refuse("It cannot become a NumPy array.", _PASS_IT)

    @short_traceback
    def __bool__(self) -> NoReturn:
        self._refuse(
            "It cannot be used as a boolean.",
            "Use `ops.where`, or `ops.cond` in the `call` of a layer.",
            TypeError,
        )

    @short_traceback
    def __float__(self) -> NoReturn:
        self._refuse("It cannot be converted to a float.", _PASS_IT)

    @short_traceback
    def __int__(self) -> NoReturn:
        self._refuse("It cannot be converted to an int.", _PASS_IT)

    @short_traceback
    def __index__(self) -> NoReturn:
        instead = "Use `ops.take`, or numbers from its `shape`."
        self._refuse("It cannot be an index or a size.", instead, TypeError)

    @short_traceback
    def __len__(self) -> NoReturn:
        self._refuse("It has no length.", "See its `shape`.", TypeError)

    @short_traceback
    def __iter__(self) -> NoReturn:
        self._refuse(
            "It cannot be iterated.",
            "Use `ops.unstack` along an axis of known size, `ops.map`, or `layers.TimeDistributed`.",
            NotImplementedError,
        )


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a KerasTensor."""
    return isinstance(x, KerasTensor)
