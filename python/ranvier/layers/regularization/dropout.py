"""Dropout: sets random inputs to zero while training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier import random as random_ops
from ranvier.core import arguments
from ranvier.layers.layer import Layer
from ranvier.random import SeedGenerator


class Dropout(Layer):
    """While training, sets inputs to zero with probability `rate` and divides the others by `1 - rate`.

    In inference it returns its inputs. (Srivastava et al., 2014.)

    Args:
        rate: the share of inputs to drop, from 0 to 1.
        noise_shape: the shape of the mask, which is broadcast over the inputs; None entries take the input's
            size. None: the inputs' shape.
        seed: an integer that fixes the sequence of masks; None: drawn from the global seed.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for a rate outside [0, 1] or a noise shape that is not a sequence of dimensions.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        rate = arguments.share(rate, "rate")
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = arguments.plain(seed)
        self.noise_shape = self._check_noise_shape(noise_shape)
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True
        self._rv_build_at_init()

    @staticmethod
    def _check_noise_shape(noise_shape: Sequence[int | None] | None) -> tuple[int | None, ...] | None:
        noise_shape = arguments.plain(noise_shape)
        if noise_shape is None:
            return None
        if not isinstance(noise_shape, (list, tuple)) or not all(
            dim is None or (arguments.is_integer(dim) and dim > 0) for dim in noise_shape
        ):
            raise ValueError(
                "Argument `noise_shape` must be a tuple or list of positive integers and None. "
                f"Received: noise_shape={noise_shape!r}"
            )
        return tuple(noise_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        inputs = ops.convert_to_tensor(inputs)
        if self.rate == 1:
            return ops.zeros_like(inputs)
        return random_ops.dropout(
            inputs, self.rate, noise_shape=self._mask_shape(inputs), seed=self.seed_generator
        )

    def _mask_shape(self, inputs: Any) -> tuple[int, ...]:
        """The shape of the draw."""
        shape = tuple(inputs.shape)
        if self.noise_shape is None:
            return shape
        if len(self.noise_shape) != len(shape):
            raise ValueError(
                f"`noise_shape` {self.noise_shape} has another rank than the inputs, of shape {shape}."
            )
        return tuple(s if d is None else d for d, s in zip(self.noise_shape, shape, strict=True))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
