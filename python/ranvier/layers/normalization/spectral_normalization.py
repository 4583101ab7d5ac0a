"""SpectralNormalization: a layer whose kernel has the spectral norm 1."""

from __future__ import annotations

from typing import Any

from ranvier import initializers, ops
from ranvier.core import arguments
from ranvier.layers.core.wrapper import Wrapper
from ranvier.layers.layer import Layer


class SpectralNormalization(Wrapper):
    """Keeps the largest singular value of a layer's kernel near 1 while it trains (Miyato et al., 2018).

    Each training call divides the kernel by an estimate of that value, which power iterations improve.

    Args:
        layer: a layer with a `kernel` or `embeddings`.
        power_iterations: the number of iterations in a call.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: if `power_iterations` is not positive, or (when it is built) the layer has no kernel.
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        power_iterations = arguments.plain(power_iterations)
        if power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. "
                f"Received: `power_iterations={power_iterations}`"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        kernel: Any = getattr(self.layer, "kernel", None)
        kernel = getattr(self.layer, "embeddings", None) if kernel is None else kernel
        if kernel is None:
            raise ValueError(f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'")
        self.kernel = kernel
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            u, kernel = self._normalized()
            self.vector_u.assign(u)
            # What is trained from here on is the divided kernel: derivatives are taken there, not before.
            straight = ops.custom_gradient(lambda _: (kernel, lambda upstream: upstream))
            self.kernel.assign(straight(self.kernel))
        return self.layer(inputs)

    def _normalized(self) -> tuple[Any, Any]:
        """The next estimate of the left singular vector, and the kernel divided by the singular value."""
        matrix = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        u = self.vector_u.value
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(matrix)), axis=-1)
            u = ops.normalize(ops.matmul(v, matrix), axis=-1)
        sigma = ops.sum(ops.matmul(v, matrix) * u)
        safe = ops.where(ops.equal(sigma, 0.0), 1.0, sigma)  # a kernel of zeros stays one
        return u, self.kernel / safe

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"power_iterations": self.power_iterations}
