"""Class indices as indicator vectors."""

from __future__ import annotations

from typing import Any

from ranvier.core import dtypes
from ranvier.core.arguments import integer
from ranvier.ops._common import Value, canonical_axis, cast_to, move_from_last, operand
from ranvier.ops._emit import emit
from ranvier.ops.reductions import max


def class_indices(x: Any) -> Value:
    """Class indices as int32 or int64; floats lose their fraction."""
    value = operand(x)
    return value if value.dtype in ("int32", "int64") else cast_to(value, "int32")


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Value:
    """Indicator vectors: 1 at the index, 0 elsewhere.

    Args:
        x: integers of any shape. An index outside [0, num_classes) gives zeros only.
        num_classes: the length of a vector.
        axis: where the new axis stands in the result.
        dtype: the dtype; None: `floatx()`.
        sparse: must be False; sparse tensors are not offered.

    Returns:
        A tensor with one axis more than x.

    Raises:
        ValueError: for `sparse=True`, or an axis out of range.
        MemoryError: if it does not fit into memory.
    """
    if sparse:
        raise ValueError("Unsupported value `sparse=True`: sparse tensors are not offered.")
    index, count = class_indices(x), integer(num_classes, "num_classes")
    name = dtypes.standardize_dtype(dtype)
    dtypes.check_size((*index.shape, count), name)
    rows = emit("one_hot", index, num_classes=count, dtype=dtypes.compute_dtype(name))
    return cast_to(move_from_last(rows, canonical_axis(axis, rows.ndim)), name)


def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Value:
    """Indicator vectors of sets: 1 at every index of a row, 0 elsewhere.

    Args:
        inputs: integers, [n] or [batch, n, ...]; those outside [0, num_classes) are left out.
        num_classes: the length of a vector.
        axis: where the class axis stands when the set's axis (1, of a vector 0) is still there.
        dtype: the dtype; None: `floatx()`.
        sparse: must be False; sparse tensors are not offered.
        **kwargs: `num_tokens`, the older name of `num_classes`.

    Raises:
        ValueError: if `num_classes` is missing, or for `sparse=True`.
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if num_classes is None or kwargs:
        raise ValueError(
            f"multi_hot: expected `num_classes`. Received: num_classes={num_classes!r}, {kwargs}"
        )
    value = class_indices(inputs)
    vectors = one_hot(value, num_classes, axis, dtype, sparse)
    return max(vectors, 1 if value.ndim > 1 else 0)
