"""The base class of initializers."""

from __future__ import annotations

from typing import Any, TypeVar

from ranvier.core.plain_arguments import PlainArguments
from ranvier.core.shown import Shown

T = TypeVar("T", bound="Initializer")


class Initializer(PlainArguments, Shown):
    """A callable that makes the first value of a variable.

    A subclass implements `__call__` and, to be saved with a model, `get_config`.
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """The value.

        Args:
            shape: its shape.
            dtype: its dtype; None: `floatx()`.

        Returns:
            An array.
        """
        raise NotImplementedError("Initializer subclasses must implement the `__call__()` method.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        return {}

    @classmethod
    def from_config(cls: type[T], config: dict[str, Any]) -> T:
        """The initializer with these constructor arguments."""
        return cls(**config)

    def clone(self: T) -> T:
        """A new initializer with the same arguments; without a seed it draws other values."""
        return self.from_config(self.get_config())
