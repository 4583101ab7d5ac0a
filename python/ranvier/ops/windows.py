"""Window functions of signal processing. They are constants, float32 arrays, inside a trace as outside."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ranvier.core.tensor import Tensor


def _window(name: str, x: Any, shape: Callable[[int], np.ndarray]) -> np.ndarray:
    if isinstance(x, Tensor):
        raise ValueError(
            f"{name}: the length must be known when the graph is built, because it is the result's shape; "
            "it cannot be a tensor."
        )
    given = np.asarray(x)
    if given.ndim or given.dtype.kind not in "biuf" or not 0 <= given < math.inf:
        raise ValueError(f"{name}: expected a length, a number of at least 0. Received: {x}")
    return shape(int(given)).astype("float32")


def bartlett(x: Any) -> np.ndarray:
    """The triangular window: 1 - |2 n / (x - 1) - 1| for n in [0, x).

    Args:
        x: the length; of a float the fraction is dropped.

    Raises:
        ValueError: if the length is a tensor of a graph, or no number of at least 0.
    """
    return _window("bartlett", x, np.bartlett)


def blackman(x: Any) -> np.ndarray:
    """The Blackman window: 0.42 - 0.5 cos(2 pi n / (x - 1)) + 0.08 cos(4 pi n / (x - 1)) for n in [0, x).

    Args:
        x: the length; of a float the fraction is dropped.

    Raises:
        ValueError: if the length is a tensor of a graph, or no number of at least 0.
    """
    return _window("blackman", x, np.blackman)


def hamming(x: Any) -> np.ndarray:
    """The Hamming window: 0.54 - 0.46 cos(2 pi n / (x - 1)) for n in [0, x).

    Args:
        x: the length; of a float the fraction is dropped.

    Raises:
        ValueError: if the length is a tensor of a graph, or no number of at least 0.
    """
    return _window("hamming", x, np.hamming)


def hanning(x: Any) -> np.ndarray:
    """The Hann window: 0.5 - 0.5 cos(2 pi n / (x - 1)) for n in [0, x).

    Args:
        x: the length; of a float the fraction is dropped.

    Raises:
        ValueError: if the length is a tensor of a graph, or no number of at least 0.
    """
    return _window("hanning", x, np.hanning)


def kaiser(x: Any, beta: float) -> np.ndarray:
    """The Kaiser window: I0(beta sqrt(1 - (2 n / (x - 1) - 1)^2)) / I0(beta) for n in [0, x).

    Args:
        x: the length; of a float the fraction is dropped.
        beta: how narrow it is: 0 is a rectangle.

    Raises:
        ValueError: if the length is a tensor of a graph, or no number of at least 0.
    """
    return _window("kaiser", x, lambda length: np.kaiser(length, float(beta)))
