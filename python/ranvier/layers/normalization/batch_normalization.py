"""BatchNormalization: features with the mean 0 and the variance 1 over the batch."""

from __future__ import annotations

from typing import Any

from ranvier import initializers, ops
from ranvier.core.dtypes import epsilon as smallest
from ranvier.core.keras_tensor import Shape
from ranvier.core.variable import Variable
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.normalization.scale_and_shift import ScaleAndShift


class BatchNormalization(ScaleAndShift):
    """`gamma * (x - mean) / sqrt(variance + epsilon) + beta` (Ioffe and Szegedy, 2015).

    While training, mean and variance are those of the batch, and moving averages of them are kept; in
    inference, and in a layer that is frozen (`trainable = False`), the moving averages are used. With a mask,
    only the samples and timesteps where it holds count in the batch's mean and variance.

    Args:
        axis: the axis of the features.
        momentum: the weight of the old value in `moving = moving * momentum + batch * (1 - momentum)`.
        epsilon: added to the variance.
        center: whether beta is added.
        scale: whether gamma is multiplied by.
        beta_initializer: the initializer of beta.
        gamma_initializer: the initializer of gamma.
        moving_mean_initializer: the initializer of the moving mean.
        moving_variance_initializer: the initializer of the moving variance.
        beta_regularizer: a regularizer of beta.
        gamma_regularizer: a regularizer of gamma.
        beta_constraint: a constraint of beta.
        gamma_constraint: a constraint of gamma.
        renorm: must be False; batch renormalization is not offered.
        renorm_clipping: must be None.
        renorm_momentum: used by `renorm` only.
        synchronized: must be False; there are no replicas to synchronize.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for an unknown name or an argument that is not offered.
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        unsupported = {"renorm": renorm, "renorm_clipping": renorm_clipping, "synchronized": synchronized}
        for name, value in unsupported.items():
            if value:
                raise ValueError(f"BatchNormalization does not support `{name}`. Received: {name}={value}")
        super().__init__(
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.renorm_momentum = renorm_momentum
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.moving_mean: Variable | None = None
        self.moving_variance: Variable | None = None

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)
        size = input_shape[self.axis]
        self._add_gamma_and_beta((size,))
        for name in ("moving_mean", "moving_variance"):
            initializer = getattr(self, f"{name}_initializer")
            weight = self.add_weight(name=name, shape=(size,), initializer=initializer, trainable=False)
            setattr(self, name, weight)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                "The mask of a BatchNormalization layer has one axis less than its inputs. Received: "
                f"inputs.shape={tuple(inputs.shape)}, mask.shape={tuple(mask.shape)}"
            )
        assert self.moving_mean is not None and self.moving_variance is not None
        mean, variance = self.moving_mean.value, self.moving_variance.value
        if training and self.trainable:
            mean, variance = self._moments(inputs, mask)
            for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        return ops.batch_normalization(
            inputs,
            mean,
            variance,
            self.axis,
            offset=self.beta,
            scale=self.gamma,
            epsilon=self.epsilon,
        )

    def _moments(self, inputs: Any, mask: Any) -> tuple[Any, Any]:
        """The mean and the variance of each feature over the batch."""
        feature = self.axis % len(inputs.shape)
        axes = [i for i in range(len(inputs.shape)) if i != feature]
        if mask is None:
            mean, variance = ops.moments(inputs, axes=axes)
            return mean, variance
        weights = ops.broadcast_to(ops.expand_dims(ops.cast(mask, inputs.dtype), -1), tuple(inputs.shape))
        count = ops.sum(weights, axes, keepdims=True) + smallest()
        mean = ops.sum(weights * inputs, axes, keepdims=True) / count
        variance = ops.sum(weights * ops.square(inputs - mean), axes, keepdims=True) / count
        return ops.squeeze(mean, axes), ops.squeeze(variance, axes)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "synchronized": False,
            "renorm": False,
            "renorm_clipping": None,
            "renorm_momentum": self.renorm_momentum,
        }
