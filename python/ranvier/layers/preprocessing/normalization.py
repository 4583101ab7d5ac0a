"""Normalization: features with mean 0 and variance 1, by numbers that are given or taken from data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core import arguments, dtypes
from ranvier.core.keras_tensor import Shape
from ranvier.core.user_code import short_traceback
from ranvier.layers.preprocessing.from_lists import FromLists


class Normalization(FromLists):
    """`(x - mean) / sqrt(variance)`, with a mean and a variance for each feature.

    Args:
        axis: the axis or axes of the features, each of which has its own mean; None: one mean for all.
        mean: the mean, which broadcasts to the features; None: `adapt` takes it from data.
        variance: the variance, likewise; given if and only if the mean is.
        invert: whether the layer does the opposite: `x * sqrt(variance) + mean`.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: if only one of mean and variance is given, or (when it is called) if neither is there.

    Example:
        >>> layer = rv.layers.Normalization()
        >>> layer.adapt(x_train)
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        axis = arguments.plain_sequence(axis)
        self.axis = () if axis is None else tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Received: mean={mean!r} and variance={variance}"
            )
        if mean is not None and np.shape(mean) != np.shape(variance):
            raise ValueError(
                "When setting values directly, `mean` and `variance` must have the same shape. "
                f"Received: mean={mean!r} and variance={variance}"
            )
        self.input_mean, self.input_variance = arguments.plain(mean), arguments.plain(variance)
        self.invert = invert
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        rank = len(input_shape)
        for axis in self.axis:
            if not -rank <= axis < rank:
                raise ValueError(
                    f"All `axis` values must be in [-{rank}, {rank}). Received: axis={self.axis}"
                )
        kept = sorted(axis % rank for axis in self.axis)
        sizes = tuple(input_shape[axis] for axis in kept)
        if None in sizes:
            raise ValueError(
                f"All `axis` values to be kept must have a known shape. Received: axis={self.axis}, "
                f"input_shape={tuple(input_shape)}"
            )
        self._kept: list[int] = kept
        self._beside = tuple((input_shape[i] or 1) if i in kept else 1 for i in range(rank))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(name="mean", shape=sizes, initializer="zeros", trainable=False)
            self.adapt_variance = self.add_weight(
                name="variance", shape=sizes, initializer="ones", trainable=False
            )
            self.add_weight(name="count", shape=(), initializer="zeros", dtype="int32", trainable=False)

    @short_traceback
    def adapt(self, data: Any) -> None:
        """Takes mean and variance from data.

        Args:
            data: an array, or an iterable of batches.

        Raises:
            ValueError: if mean and variance were given.
        """
        if self.input_mean is not None:
            raise ValueError("Cannot `adapt` a Normalization layer that was given `mean` and `variance`.")
        is_array = hasattr(data, "__array__") or isinstance(data, (list, tuple))
        array = np.asarray(data if is_array else np.concatenate([np.asarray(batch) for batch in data]))
        array = array.astype("float64")
        if not self.built:
            self.build((None, *array.shape[1:]))
        axes = tuple(i for i in range(array.ndim) if i not in self._kept)
        self.adapt_mean.assign(array.mean(axes).astype(self.variable_dtype))
        self.adapt_variance.assign(array.var(axes).astype(self.variable_dtype))

    @property
    def mean(self) -> Any:
        """The mean, in a shape that broadcasts to inputs.

        Raises:
            AttributeError: before the layer is built.
        """
        return self._statistic("mean", self.input_mean)

    @property
    def variance(self) -> Any:
        """The variance, in a shape that broadcasts to inputs.

        Raises:
            AttributeError: before the layer is built.
        """
        return self._statistic("variance", self.input_variance)

    def _statistic(self, name: str, given: Any) -> Any:
        if not self.built:
            raise AttributeError(
                f"Layer '{self.name}' has no `{name}` before it is built: call it or `adapt`."
            )
        if given is None:
            return ops.reshape(self.adapt_mean if name == "mean" else self.adapt_variance, self._beside)
        return np.broadcast_to(np.asarray(given, self.compute_dtype), self._beside)

    def call(self, inputs: Any) -> Any:
        deviation = ops.maximum(ops.sqrt(self.variance), dtypes.epsilon())
        x = ops.cast(inputs, self.compute_dtype)
        return x * deviation + self.mean if self.invert else (x - self.mean) / deviation

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        given = (
            None if v is None else np.asarray(v).tolist() for v in (self.input_mean, self.input_variance)
        )
        mean, variance = given
        return super().get_config() | {
            "axis": self.axis,
            "invert": self.invert,
            "mean": mean,
            "variance": variance,
        }
