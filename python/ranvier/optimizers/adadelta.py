"""Adadelta: steps scaled by the root mean square of earlier steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier.core.variable import Variable
from ranvier.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """Scales the gradient by the root of a ratio: mean squares of steps over its own (Zeiler, 2012).

    `s = rho * s + (1 - rho) * g^2`, `d = sqrt(t + epsilon) / sqrt(s + epsilon) * g`,
    `t = rho * t + (1 - rho) * d^2`, then `v -= lr * d`.

    Args:
        learning_rate: see `Optimizer`. Default 0.001; the paper's formula has 1.
        rho: how much of the averages one step keeps. Default 0.95.
        epsilon: keeps the division finite. Default 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
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
        self.epsilon = epsilon
        self._accumulated_grads: list[Variable] = []
        self._accumulated_delta_vars: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate = self.shared_rate(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        i = self._rv_get_variable_index(variable)
        squares, steps = self._accumulated_grads[i], self._accumulated_delta_vars[i]
        new_squares = squares * self.rho + ops.square(gradient) * (1.0 - self.rho)
        step = ops.sqrt(steps + self.epsilon) * gradient / ops.sqrt(new_squares + self.epsilon)
        squares.assign(new_squares)
        steps.assign(steps * self.rho + ops.square(step) * (1.0 - self.rho))
        variable.assign_sub(step * rate)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rho": self.rho,
            "epsilon": self.epsilon,
        }
