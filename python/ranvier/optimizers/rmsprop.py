"""RMSprop: gradients over the root of their mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier.core.variable import Variable
from ranvier.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """Divides the gradient by the root of a moving average of its square (Tieleman & Hinton, 2012).

    `s = rho * s + (1 - rho) * g^2`, then `v -= lr * g / sqrt(s + epsilon)`. With `centered` the square of the
    average gradient is taken from s under the root. With momentum the steps add up: `m = momentum * m +
    step` and `v -= m`.

    Args:
        learning_rate: see `Optimizer`. Default 0.001.
        rho: how much of the averages one step keeps. Default 0.9.
        momentum: Default 0.
        epsilon: keeps the division finite. Default 1e-7.
        centered: whether to use the variance of the gradient instead of its mean square.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        self._velocities: list[Variable] = []
        self._momentums: list[Variable] = []
        self._average_gradients: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate = self.shared_rate(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        i = self._rv_get_variable_index(variable)
        velocity = self._velocities[i] * self.rho + ops.square(gradient) * (1.0 - self.rho)
        self._velocities[i].assign(velocity)
        if self.centered:
            average = self._average_gradients[i] * self.rho + gradient * (1.0 - self.rho)
            self._average_gradients[i].assign(average)
            velocity = velocity - ops.square(average)
        step = gradient * rate * ops.rsqrt(velocity + self.epsilon)
        if self.momentum > 0:
            step = self._momentums[i] * self.momentum + step
            self._momentums[i].assign(step)
        variable.assign_sub(step)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
