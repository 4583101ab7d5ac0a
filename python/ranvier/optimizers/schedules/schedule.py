"""The base of learning-rate schedules."""

from __future__ import annotations

from typing import Any, TypeVar

from ranvier.core.plain_arguments import PlainArguments
from ranvier.core.shown import Shown

T = TypeVar("T", bound="LearningRateSchedule")


class LearningRateSchedule(PlainArguments, Shown):
    """A function from the number of the step, counted from 0, to the learning rate.

    A subclass implements `__call__` with `ops`, so that the training graph can compute it at every step, and
    `get_config` to be saved with a model.
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate, a rank-0 value.

        Args:
            step: the number of the step, an integer of rank 0.
        """
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `get_config()` to be serialized."
        )

    @classmethod
    def from_config(cls: type[T], config: dict[str, Any]) -> T:
        """The schedule with these constructor arguments."""
        return cls(**config)
