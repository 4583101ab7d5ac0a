"""What a contestant must do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ranvier._bench.tasks import Task


class Product(NamedTuple):
    """A matrix product, ready to be repeated."""

    run: Callable[[int], None]  # computes it the given number of times
    result: Callable[[], np.ndarray]


class Contestant(ABC):
    """One library and the code that gets the best out of it.

    Attributes:
        substitute: the optimizer that it has in place of one that it does not have; or "".
    """

    substitute = ""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of what takes part, for the record."""

    @abstractmethod
    def prepare(self, task: Task) -> None:
        """Builds the task's network with the task's initial weights."""

    @abstractmethod
    def reset(self) -> None:
        """Back to the task's initial weights and a fresh optimizer. Not timed."""

    @abstractmethod
    def fit(self, epochs: int) -> None:
        """Trains, as `Task` says what an epoch is. All work is done when it returns."""

    @abstractmethod
    def loss(self) -> float:
        """The mean loss of the training rows with the weights of now. Not timed."""

    @abstractmethod
    def predict(self, x: np.ndarray) -> np.ndarray:
        """The network's outputs for some rows, NumPy in and NumPy out."""

    def calls(self, task: Task) -> dict[str, Callable[[], Any]]:
        """Calls of the Keras workflow whose fixed cost is measured, by their names in measure.py; here none.

        Args:
            task: the network and its data.
        """
        return {}

    def product(self, a: np.ndarray, b: np.ndarray, transpose_a: bool, transpose_b: bool) -> Product | None:
        """The product of two matrices, either of them transposed without a copy; None if not offered.

        Args:
            a: (m, k), or (k, m) if `transpose_a`.
            b: (k, n), or (n, k) if `transpose_b`.
            transpose_a: whether `a` is to be read transposed.
            transpose_b: whether `b` is.
        """
        return None
