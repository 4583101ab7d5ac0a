"""Discretization: numbers as the bins that they fall into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import KerasTensor, Shape
from ranvier.layers.preprocessing.category_encoding import CategoryEncoding
from ranvier.layers.preprocessing.from_lists import FromLists

_MODES = ("int", "one_hot", "multi_hot", "count")


class Discretization(FromLists):
    """Turns each number into that of its bin: 0 below the first boundary, and one more from each boundary on.

    Args:
        bin_boundaries: the boundaries, increasing.
        num_bins: how many bins `adapt` makes, with equally many of its data in each.
        epsilon: how far `adapt`'s boundaries may be off, as a share of the data; they are exact here.
        output_mode: "int": the bins' numbers; "one_hot", "multi_hot", "count": as in `CategoryEncoding`.
        sparse: must be False; sparse tensors are not offered.
        dtype: the layer's dtype.
        name: the layer's name.

    Raises:
        ValueError: if not exactly one of `bin_boundaries` and `num_bins` is given, for an unknown mode, for
            `sparse=True`, and (when it is called) before `adapt`.
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(
                "Exactly one of `num_bins` and `bin_boundaries` must be set. "
                f"Received: num_bins={num_bins!r}, bin_boundaries={bin_boundaries!r}"
            )
        num_bins = arguments.plain(num_bins)
        if num_bins is not None and num_bins < 1:
            raise ValueError(f"`num_bins` must be at least 1. Received: num_bins={num_bins!r}")
        if output_mode not in _MODES:
            raise ValueError(
                f"Unknown value for `output_mode`. Allowed values are: {_MODES}. "
                f"Received: output_mode={output_mode!r}"
            )
        if sparse:
            raise ValueError("Argument `sparse=True` is not supported: tensors are dense here.")
        self.bin_boundaries = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        self.num_bins = num_bins
        self.epsilon = arguments.plain(epsilon)
        self.output_mode = output_mode

    def adapt(self, data: Any) -> None:
        """Chooses boundaries that share the data out equally.

        Args:
            data: an array, or an iterable of batches.

        Raises:
            ValueError: if boundaries were given.
        """
        if self.num_bins is None:
            raise ValueError("Cannot adapt a Discretization layer that was given `bin_boundaries`.")
        is_array = hasattr(data, "__array__") or isinstance(data, (list, tuple))
        parts = [data] if is_array else list(data)
        values = np.concatenate([np.asarray(part, "float64").reshape(-1) for part in parts])
        shares = np.arange(1, self.num_bins) / self.num_bins
        self.bin_boundaries = [float(q) for q in np.quantile(values, shares)]

    def _boundaries(self) -> np.ndarray:
        if self.bin_boundaries is None:
            raise ValueError(
                f"Layer '{self.name}' has no boundaries yet: call `adapt(data)`, or give `bin_boundaries`."
            )
        return np.asarray(self.bin_boundaries, self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        boundaries = self._boundaries()
        x = ops.expand_dims(ops.cast(inputs, self.compute_dtype), -1)
        bins = ops.sum(ops.cast(ops.greater_equal(x, boundaries), "int32"), axis=-1)
        return bins if self.output_mode == "int" else self._encoding()(bins)

    def _encoding(self) -> CategoryEncoding:
        return CategoryEncoding(len(self._boundaries()) + 1, self.output_mode, dtype=self.dtype_policy)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The inputs' shape, or that of their encoding."""
        if self.output_mode == "int":
            return input_shape
        return self._encoding().compute_output_shape(input_shape)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> KerasTensor:
        dtype = "int32" if self.output_mode == "int" else self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": False,
            "name": self.name,
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Discretization:
        """The layer that `get_config` described; one that was adapted keeps its boundaries.

        Args:
            config: the config.
        """
        config = dict(config)
        boundaries = config.get("bin_boundaries")
        if boundaries is not None and config.get("num_bins") is not None:
            del config["bin_boundaries"]
            layer = cls(**config)
            layer.bin_boundaries = list(boundaries)
            return layer
        return cls(**config)
