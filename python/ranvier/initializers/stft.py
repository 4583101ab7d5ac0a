"""The initializer of kernels that take a short-time Fourier transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ranvier.core import dtypes, registry
from ranvier.core.arguments import integers
from ranvier.initializers.initializer import Initializer

# NumPy's, symmetric; all others are scipy's.
_WINDOWS: dict[str, Callable[[int], np.ndarray]] = {
    "bartlett": np.bartlett,
    "blackman": np.blackman,
    "boxcar": np.ones,
    "hamming": np.hamming,
    "hann": np.hanning,
    "ones": np.ones,
    "rectangular": np.ones,
}


class STFT(Initializer):
    """The real or imaginary parts of a Fourier transform's terms, times a window.

    For shape (frame, 1, n) element (t, 0, k) is the window at t times cos(a) or -sin(a) of
    a = 2 pi t k / (2 (n - 1)): convolved with a signal it gives the first n terms of the transform of
    length 2 (n - 1) of each frame.

    Args:
        side: "real" or "imag".
        window: "hann" (the default), "hamming", "blackman", "bartlett", "boxcar", the name of another of
            `scipy.signal.get_window` (if scipy is installed), an array of the frame's length, or None.
        scaling: "density" (the default: divide the window by the root of the sum of its squares),
            "spectrum" (by its sum), or None.
        periodic: whether the window is periodic; else it is symmetric. Default False.

    Raises:
        ValueError: for any other argument; when called, for a shape of another rank, or a window of another
            length.
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"side should be 'real' or 'imag', not {side}")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(
                f"Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received scaling={scaling}"
            )
        if isinstance(window, str):
            _named_window(window, 2, False)
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        name, shape = dtypes.standardize_dtype(dtype), integers(shape, "shape")
        if len(shape) != 3:
            raise ValueError(f"STFT: expected a shape (frame, 1, terms). Received: shape={tuple(shape)}")
        dtypes.check_size(shape, "float64")
        frame, _, terms = shape
        angles = np.outer(np.arange(frame), np.arange(terms)) * (np.pi / max(terms - 1, 1))
        values = np.cos(angles) if self.side == "real" else -np.sin(angles)
        if self.window is not None:
            values = values * self._weights(frame)[:, None]
        return values[:, None, :].astype(name)

    def _weights(self, frame: int) -> np.ndarray:
        if isinstance(self.window, str):
            window = _named_window(self.window, frame, self.periodic)
        else:
            window = np.asarray(self.window, "float64")
        if window.shape != (frame,):
            raise ValueError(
                f"The shape of `window` must be equal to [frame_length], {[frame]}. "
                f"Received: window shape={window.shape}"
            )
        if self.scaling is None:
            return window
        return window / (np.sqrt((window**2).sum()) if self.scaling == "density" else window.sum())

    def get_config(self) -> dict[str, Any]:
        return {
            "side": self.side,
            "window": registry.serialize_object(self.window),
            "periodic": self.periodic,
            "scaling": self.scaling,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> STFT:
        return cls(**{key: registry.deserialize_object(value) for key, value in config.items()})


def _named_window(name: str, size: int, periodic: bool) -> np.ndarray:
    if name in _WINDOWS:
        # One period of a periodic window is a symmetric one of one element more, without its last.
        return _WINDOWS[name](size + 1)[:-1] if periodic else _WINDOWS[name](size)
    try:
        from scipy.signal import get_window
    except ImportError:
        raise ValueError(
            f"Unknown window '{name}': without scipy there are {', '.join(sorted(_WINDOWS))}."
        ) from None
    try:
        return np.asarray(get_window(name, size, fftbins=periodic))
    except ValueError as error:
        raise ValueError(f"Invalid window name '{name}': {error}") from None
