"""InputSpec: what a layer demands of the shape and dtype of its inputs, and the check itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ranvier.core import tree
from ranvier.core.keras_tensor import Shape, standardize_shape
from ranvier.core.user_code import ShortErrors


class InputSpec(ShortErrors):
    """The rank, dtype and shape that a layer's input must have. Whatever is None is not checked.

    Args:
        dtype: the expected dtype.
        shape: the expected shape; its None entries fit anything.
        ndim: the expected rank.
        max_ndim: the highest rank.
        min_ndim: the lowest rank.
        axes: axis -> the size the axis must have, or None.
        allow_last_axis_squeeze: whether a last axis of size 1 may be missing or too many.
        name: the expected key of the input when inputs come in a dict.
        optional: whether the input may be None.

    Attributes:
        hint: what to do about an input that does not fit, for the message; it begins with a space.

    Raises:
        TypeError: if `axes` is not a dict of integers.
        ValueError: if an axis lies outside the stated rank.
    """

    hint = ""

    def __init__(
        self,
        dtype: str | None = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        self.shape: Shape | None = None if shape is None else standardize_shape(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.name = name
        self.optional = optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            self.axes = {int(k): v for k, v in (axes or {}).items()}
        except (TypeError, ValueError, AttributeError):
            raise TypeError(
                f"Argument `axes` must be a dict with integer keys. Received: axes={axes!r}"
            ) from None
        rank = self.ndim if self.ndim is not None else self.max_ndim
        if self.axes and rank is not None and max(self.axes) > rank - 1:
            raise ValueError(f"Axis {max(self.axes)} is greater than the maximum allowed value: {rank - 1}")

    def __repr__(self) -> str:
        shown = {
            "dtype": self.dtype,
            "shape": self.shape,
            "ndim": self.ndim,
            "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim,
            "axes": self.axes or None,
        }
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in shown.items() if v is not None)})"

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal spec."""
        return {
            "dtype": self.dtype,
            "shape": self.shape,
            "ndim": self.ndim,
            "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim,
            "axes": self.axes,
            "optional": self.optional,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """A spec from `get_config`'s dict."""
        return cls(**config)


def _complaint(spec: InputSpec, shape: Shape, dtype: str) -> str | None:
    """What is wrong with an input of this shape and dtype, or None."""
    rank = len(shape)
    if spec.ndim is not None and not spec.allow_last_axis_squeeze and rank != spec.ndim:
        wanted = f" of shape {spec.shape}" if spec.shape is not None else ""
        return f"expected ndim={spec.ndim}{wanted}, found ndim={rank}"
    if spec.max_ndim is not None and rank > spec.max_ndim:
        return f"expected max_ndim={spec.max_ndim}, found ndim={rank}"
    if spec.min_ndim is not None and rank < spec.min_ndim:
        return f"expected min_ndim={spec.min_ndim}, found ndim={rank}"
    if spec.dtype is not None and dtype != spec.dtype:
        return f"expected dtype={spec.dtype}, found dtype={dtype}"
    for axis, size in spec.axes.items():
        if size is not None and -rank <= axis < rank and shape[axis] not in {size, None}:
            return f"expected axis {axis} of the input shape to have size {size}, found {shape[axis]}"
    if spec.shape is not None:
        wanted_dims, dims = spec.shape, shape
        if spec.allow_last_axis_squeeze:
            wanted_dims = wanted_dims[:-1] if wanted_dims and wanted_dims[-1] == 1 else wanted_dims
            dims = dims[:-1] if dims and dims[-1] == 1 else dims
        same_rank = len(wanted_dims) == len(dims)
        if not same_rank or any(
            w is not None and d is not None and w != d for w, d in zip(wanted_dims, dims, strict=True)
        ):
            return f"expected shape={spec.shape}"
    return None


def shape_hint(shape: Shape, expected: Shape | None) -> str:
    """What to do about the shape of a single sample where a batch is expected, or of samples that are to be
    flat; "" if it is neither.

    Args:
        shape: what came.
        expected: what is expected, the batch axis included; None: not known.
    """
    if expected is None:
        return ""
    wanted = expected[1:]
    if len(shape) == len(wanted) and all(
        None in (w, d) or w == d for w, d in zip(wanted, shape, strict=True)
    ):
        return " For a single sample write `x[None]`: a batch of one row."
    sizes = [size for size in shape[1:] if size is not None]
    if len(sizes) > 1 and len(sizes) == len(shape) - 1 and wanted == (math.prod(sizes),):
        return " To make each sample flat write `x.reshape(len(x), -1)`, or begin with `layers.Flatten()`."
    return ""


def _rank_hint(spec: InputSpec, shape: Shape) -> str:
    """What to do about an input of too few axes."""
    features = spec.axes.get(-1)
    if spec.min_ndim == len(shape) + 1 == 2 and shape[0] in (features, None):
        return shape_hint(shape, (None, features))
    return shape_hint(shape, spec.shape)


def assert_input_compatibility(input_spec: Any, inputs: Any, layer_name: str) -> None:
    """Checks inputs (or KerasTensors) against a layer's `input_spec`.

    Args:
        input_spec: an `InputSpec`, a nest of them, or None.
        inputs: a tensor or a nest of tensors.
        layer_name: the layer's name, for the message.

    Raises:
        ValueError: for the first input that does not fit; the message names the layer, what it expected and
            the shape that came.
    """
    if not input_spec:
        return
    specs = tree.flatten(input_spec)
    flat = (
        [inputs.get(s.name) for s in specs]
        if isinstance(inputs, dict) and specs[0].name
        else tree.flatten(inputs)
    )
    if len(flat) != len(specs):
        raise ValueError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received {len(flat)} input tensors.'
        )
    for index, (spec, x) in enumerate(zip(specs, flat, strict=True)):
        if spec is None or (x is None and spec.optional):
            continue
        if not hasattr(x, "shape"):
            no_return = " What was called before returned nothing: does its `call` end with `return`?"
            raise ValueError(
                f'Inputs to layer "{layer_name}" should be tensors. Got {x!r} of type {type(x)}.'
                f"{no_return if x is None else ''}"
            )
        shape = tuple(x.shape)
        problem = _complaint(spec, shape, str(x.dtype))
        if problem is not None:
            raise ValueError(
                f'Input {index} of layer "{layer_name}" is incompatible with the layer: {problem}. '
                f"Full shape received: {shape}.{spec.hint or _rank_hint(spec, shape)}"
            )
