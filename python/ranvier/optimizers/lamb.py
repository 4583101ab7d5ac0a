"""Lamb: Adam's direction, as long as the weights allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier.core.variable import Variable
from ranvier.optimizers.adam import moving_average
from ranvier.optimizers.optimizer import Optimizer


class Lamb(Optimizer):
    """Adam's step, scaled for every variable by the ratio of its length to the step's (You et al., 2020).

    Args:
        learning_rate: see `Optimizer`. Default 0.001.
        beta_1: how much of the average gradient one step keeps. Default 0.9.
        beta_2: how much of the average square one step keeps. Default 0.999.
        epsilon: keeps the division finite. Default 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self._momentums: list[Variable] = []
        self._velocities: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])

    def _corrections(self, dtype: str) -> tuple[Any, Any]:
        """The factors of averages that began at zero."""
        step = ops.cast(self.iterations + 1, dtype)
        of_m = 1.0 / (1.0 - ops.power(ops.convert_to_tensor(self.beta_1, dtype), step))
        of_s = 1.0 / (1.0 - ops.power(ops.convert_to_tensor(self.beta_2, dtype), step))
        return of_m, of_s

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dtype = variable.dtype
        of_m, of_s = self.shared("corrections", dtype, lambda: self._corrections(dtype))
        rate = self.shared_rate(learning_rate, dtype)
        gradient = ops.cast(gradient, dtype)
        i = self._rv_get_variable_index(variable)
        m = moving_average(self._momentums[i], gradient, self.beta_1)
        s = moving_average(self._velocities[i], ops.square(gradient), self.beta_2)
        step = m * of_m / (ops.sqrt(s * of_s) + self.epsilon)
        weight_norm = ops.sqrt(ops.sum(ops.square(variable)))
        step_norm = ops.sqrt(ops.sum(ops.square(step)))
        has_ratio = ops.logical_and(ops.greater(weight_norm, 0.0), ops.greater(step_norm, 0.0))
        ratio = ops.where(has_ratio, weight_norm / ops.where(has_ratio, step_norm, 1.0), 1.0)
        variable.assign_sub(step * (ratio * rate))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
