"""BatchNormalization: features with the mean 0 and the variance 1 over the batch."""

from __future__ import annotations

from typing import Any

from ranvier import initializers, ops
from ranvier.core import arguments
from ranvier.core.arguments import number
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
        renorm: whether to renormalize (Ioffe, 2017): in training the values that the batch's statistics gave
            are corrected, `x * r + d`, towards those that the moving ones would give, without a derivative.
        renorm_clipping: limits of the correction: "rmin" and "rmax" of r, "dmax" of d's size; None: none.
        renorm_momentum: how much of the moving statistics that r and d refer to one step keeps.
        synchronized: must be False; there are no replicas to synchronize.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for an unknown name, an argument that is not offered, and limits that are none.
    """

    moving_stddev: Variable
    renorm_mean: Variable
    renorm_stddev: Variable

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
        if synchronized:
            raise ValueError(
                "BatchNormalization does not support `synchronized`: there is one replica. "
                f"Received: synchronized={synchronized}"
            )
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
        self.renorm = renorm
        self.renorm_clipping = _limits(renorm_clipping) if renorm else renorm_clipping
        self.renorm_momentum = arguments.plain(renorm_momentum)
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
        if self.renorm:
            self._add_renorm_statistics(size)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def _add_renorm_statistics(self, size: int | None) -> None:
        """The statistics that the correction refers to, and the standard deviation for inference."""

        def deviation(shape: Any, dtype: Any = None) -> Any:
            return ops.sqrt(_another(self.moving_variance_initializer)(shape, dtype=dtype))

        mean = _another(self.moving_mean_initializer)
        first = {"moving_stddev": deviation, "renorm_mean": mean, "renorm_stddev": deviation}
        for name, initializer in first.items():
            weight = self.add_weight(name=name, shape=(size,), initializer=initializer, trainable=False)
            setattr(self, name, weight)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                "The mask of a BatchNormalization layer has one axis less than its inputs. Received: "
                f"inputs.shape={tuple(inputs.shape)}, mask.shape={tuple(mask.shape)}"
            )
        assert self.moving_mean is not None and self.moving_variance is not None
        mean, variance = self.moving_mean.value, self.moving_variance.value
        gamma, beta = self.gamma, self.beta
        if training and self.trainable:
            mean, variance = self._moments(inputs, mask)
            if self.renorm:
                gamma, beta = self._renormalized(mean, variance)
            else:
                _move(self.moving_mean, mean, self.momentum)
                _move(self.moving_variance, variance, self.momentum)
        return ops.batch_normalization(
            inputs,
            mean,
            variance,
            self.axis,
            offset=beta,
            scale=gamma,
            epsilon=self.epsilon,
        )

    def _renormalized(self, mean: Any, variance: Any) -> tuple[Any, Any]:
        """The factor and the term of a batch with the correction in them: `(x r + d) gamma + beta`."""
        assert self.moving_mean is not None and self.moving_variance is not None
        deviation = ops.sqrt(variance + self.epsilon)
        reference = ops.maximum(self.renorm_stddev, self.epsilon**0.5)  # it may begin with 0
        limits = self.renorm_clipping or {}
        r, d = deviation / reference, (mean - self.renorm_mean) / reference
        if limits.get("rmin") is not None:
            r = ops.maximum(r, limits["rmin"])
        if limits.get("rmax") is not None:
            r = ops.minimum(r, limits["rmax"])
        if limits.get("dmax") is not None:
            d = ops.clip(d, -limits["dmax"], limits["dmax"])
        r, d = ops.stop_gradient(r), ops.stop_gradient(d)
        _move(self.renorm_mean, mean, self.renorm_momentum)
        _move(self.renorm_stddev, deviation, self.renorm_momentum)
        _move(self.moving_mean, mean, self.momentum)
        _move(self.moving_stddev, deviation, self.momentum)
        self.moving_variance.assign(ops.relu(ops.square(self.moving_stddev.value) - self.epsilon))
        if self.gamma is not None:
            r, d = r * self.gamma, d * self.gamma
        return r, d if self.beta is None else d + self.beta

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
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }


def _move(moving: Any, value: Any, momentum: float) -> None:
    moving.assign(moving * momentum + value * (1.0 - momentum))


def _another(initializer: Any) -> Any:
    """An initializer of the same values: one that draws gives the same numbers each time it is called."""
    return initializer.clone() if hasattr(initializer, "clone") else initializer


def _limits(clipping: dict[str, float] | None) -> dict[str, float]:
    """The limits of renormalization, checked."""
    known = {"rmin", "rmax", "dmax"}
    if clipping is not None and (not isinstance(clipping, dict) or clipping.keys() - known):
        raise ValueError(
            "`renorm_clipping` is a dict that may hold 'rmin', 'rmax' and 'dmax'. "
            f"Received: renorm_clipping={clipping}"
        )
    limits = {
        key: None if value is None else number(value, f"renorm_clipping['{key}']")
        for key, value in (clipping or {}).items()
    }
    least, most, distance = (limits.get(key) for key in ("rmin", "rmax", "dmax"))
    if least is not None and most is not None and most < least:
        raise ValueError(
            f"'rmax' of `renorm_clipping` must not be less than 'rmin'. Received: {most} and {least}"
        )
    if distance is not None and distance < 0:
        raise ValueError(f"'dmax' of `renorm_clipping` must not be negative. Received: {distance}")
    return limits
