"""Initializers by chance: plain distributions, the variance-scaling families, and orthogonal matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ranvier import random
from ranvier.core import dtypes, registry, scope
from ranvier.core.arguments import canonical_axes, integers, number, text
from ranvier.initializers.initializer import Initializer

# The standard deviation of a standard normal variable cut off at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978
_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


class RandomInitializer(Initializer):
    """The base class of initializers that draw random numbers.

    Args:
        seed: an integer: the same shape always gets the same values, also from the same instance; None:
            such an integer is drawn from the global seed; a `SeedGenerator`: every call gives new values.

    Raises:
        ValueError: for anything else.
    """

    def __init__(self, seed: Any = None) -> None:
        if isinstance(seed, dict):
            seed = registry.deserialize_object(seed)
        self._init_seed = seed
        if seed is None:
            seed = scope.next_seed()
        is_integer = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        if not (is_integer or isinstance(seed, random.SeedGenerator)):
            raise ValueError(
                "`seed` argument should be an instance of `SeedGenerator` or an integer. "
                f"Received: seed={seed!r}"
            )
        self.seed = int(seed) if is_integer else seed

    def get_config(self) -> dict[str, Any]:
        return {"seed": registry.serialize_object(self._init_seed)}


class RandomNormal(RandomInitializer):
    """Values from a normal distribution.

    Args:
        mean: its mean. Default 0.
        stddev: its standard deviation. Default 0.05.
        seed: see `RandomInitializer`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        return random.normal(shape, self.mean, self.stddev, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomInitializer):
    """Values from a normal distribution, drawn again where they are more than two deviations off the mean.

    Args:
        mean: the mean before the truncation. Default 0.
        stddev: the standard deviation before the truncation. Default 0.05.
        seed: see `RandomInitializer`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class RandomUniform(RandomInitializer):
    """Values from a uniform distribution.

    Args:
        minval: the lower bound, included. Default -0.05.
        maxval: the upper bound, excluded. Default 0.05.
        seed: see `RandomInitializer`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        return random.uniform(shape, self.minval, self.maxval, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class VarianceScaling(RandomInitializer):
    """Values with mean 0 and a variance that suits the shape: `scale / n`.

    n is the fan-in, the fan-out or their average. For a kernel of shape (inputs, outputs) these are the
    inputs and the outputs of a unit; for (..., inputs, outputs) both are multiplied by the sizes before.

    Args:
        scale: a positive factor. Default 1.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" (with its deviation corrected for the truncation; "normal" means
            the same), "untruncated_normal" or "uniform".
        seed: see `RandomInitializer`.
        input_axes: the axes whose sizes multiply to the fan-in; given together with `output_axes`.
        output_axes: the axes whose sizes multiply to the fan-out.

    Raises:
        ValueError: for any other argument.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        if number(scale, "scale") <= 0.0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale!r}")
        if mode not in _MODES:
            raise ValueError(f"Invalid `mode` argument: {mode}. Please use one of {_MODES}")
        distribution = text(distribution, "distribution").lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in _DISTRIBUTIONS:
            raise ValueError(
                f"Invalid `distribution` argument: {distribution}. Please use one of {_DISTRIBUTIONS}"
            )
        super().__init__(seed)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)
        stddev = math.sqrt(variance)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, stddev, dtype=dtype, seed=self.seed)
        return random.truncated_normal(shape, 0.0, stddev / _TRUNCATED_STDDEV, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Family(VarianceScaling):
    """A `VarianceScaling` whose scale, mode and distribution are fixed by the class."""

    _arguments: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        scale, mode, distribution = self._arguments
        super().__init__(scale, mode, distribution, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {key: config[key] for key in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Family):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio, 2010). Arguments: see `VarianceScaling`."""

    _arguments = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Family):
    """Truncated normal, variance 2 / (fan_in + fan_out) (Glorot & Bengio, 2010). See `VarianceScaling`."""

    _arguments = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Family):
    """Uniform in +-sqrt(6 / fan_in) (He et al., 2015). Arguments: see `VarianceScaling`."""

    _arguments = (2.0, "fan_in", "uniform")


class HeNormal(_Family):
    """Truncated normal with variance 2 / fan_in (He et al., 2015). Arguments: see `VarianceScaling`."""

    _arguments = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Family):
    """Uniform in +-sqrt(3 / fan_in) (LeCun et al., 1998). Arguments: see `VarianceScaling`."""

    _arguments = (1.0, "fan_in", "uniform")


class LecunNormal(_Family):
    """Truncated normal with variance 1 / fan_in (LeCun et al., 1998). Arguments: see `VarianceScaling`."""

    _arguments = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns (the fewer), times a factor (Saxe et al., 2014).

    Shapes of higher rank are filled from a matrix of shape (product of all sizes but the last, last size).

    Args:
        gain: the factor. Default 1.
        seed: see `RandomInitializer`.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        number(gain, "gain")
        self.gain = gain

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        shape = integers(shape, "shape")
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. "
                f"Received: shape={tuple(shape)} of rank {len(shape)}."
            )
        dtype = dtypes.standardize_dtype(dtype)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        draw = np.asarray(
            random.normal((max(rows, columns), min(rows, columns)), dtype="float64", seed=self.seed)
        )
        q, r = np.linalg.qr(draw)
        # Without the signs of r's diagonal, q would not be uniformly distributed.
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        q = q if rows >= columns else q.T
        return (self.gain * q.reshape(tuple(shape))).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}


def compute_fans(
    shape: tuple[int, ...],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """The fan-in and fan-out of a weight.

    Args:
        shape: the weight's shape. Rank 0 counts as (1, 1), rank 1 has its size as both fans.
        input_axes: the axes that make the fan-in; ignored unless `output_axes` is given too.
        output_axes: the axes that make the fan-out.
    """
    shape = integers(shape, "shape")
    if input_axes is not None and output_axes is not None:
        input_axes = canonical_axes(input_axes, len(shape))
        output_axes = canonical_axes(output_axes, len(shape))
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    receptive = math.prod(shape[:-2])
    return shape[-2] * receptive, shape[-1] * receptive
