"""Quantizer: the base class of what turns floating-point tensors into integers."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T", bound="Quantizer")


class Quantizer:
    """The base class of quantizers. Subclasses override `__call__` and, to be saved, `get_config`.

    Args:
        output_dtype: the dtype of what it returns, "int8" by default.

    Example:
        ```python
        class Halves(rv.Quantizer):
            def __call__(self, x):
                return rv.ops.cast(rv.ops.round(2.0 * x), self.output_dtype)
        ```
    """

    def __init__(self, output_dtype: str = "int8") -> None:
        self.output_dtype = output_dtype

    def __call__(self, x: Any) -> Any:
        """The quantized tensor; of the base class, `x` as it is.

        Args:
            x: a tensor.
        """
        return x

    @classmethod
    def from_config(cls: type[T], config: dict[str, Any]) -> T:
        """A new quantizer from the arguments of its constructor.

        Args:
            config: what `get_config` returned.
        """
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values.

        Raises:
            NotImplementedError: unless a subclass overrides it.
        """
        raise NotImplementedError(f"{self} does not implement get_config()")
