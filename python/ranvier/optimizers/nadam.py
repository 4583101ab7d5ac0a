"""Nadam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.variable import Variable
from ranvier.optimizers.optimizer import Optimizer


def _complement(beta: float, dtype: str) -> float:
    """1 - beta as computed in `dtype`: its rounding error cancels against that of the bias correction."""
    number = np.dtype(dtype).type
    return float(number(1) - number(beta))


class Nadam(Optimizer):
    """Adam with Nesterov's momentum (Dozat, 2016).

    The momentum of step t is `beta_1 * (1 - 0.96^t / 2)`; the averages are Adam's.

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
        self._u_product = self.add_variable((), "ones", dtypes.floatx(), name="u_product")

    def begin_step(self, learning_rate: Any) -> None:
        step = ops.cast(self.iterations + 1, self._u_product.dtype)
        self._u_product.assign(self._u_product * self._momentum_at(step))

    def _momentum_at(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * ops.power(ops.convert_to_tensor(0.96, step.dtype), step))

    def _factors(self, learning_rate: Any, dtype: str) -> tuple[Any, Any, Any]:
        """The factors of m, of g and of s in the update."""
        step = ops.cast(self.iterations + 1, dtype)
        now, following = self._momentum_at(step), self._momentum_at(step + 1.0)
        product = ops.cast(self._u_product, dtype)
        rate = self.shared_rate(learning_rate, dtype)
        of_m = rate * following / (1.0 - product * following)
        of_g = rate * (1.0 - now) / (1.0 - product)
        of_s = 1.0 / (1.0 - ops.power(ops.convert_to_tensor(self.beta_2, dtype), step))
        return of_m, of_g, of_s

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dtype = variable.dtype
        of_m, of_g, of_s = self.shared("factors", dtype, lambda: self._factors(learning_rate, dtype))
        gradient = ops.cast(gradient, dtype)
        i = self._rv_get_variable_index(variable)
        momentum, velocity = self._momentums[i], self._velocities[i]
        m = momentum * self.beta_1 + gradient * _complement(self.beta_1, dtype)
        s = velocity * self.beta_2 + ops.square(gradient) * _complement(self.beta_2, dtype)
        momentum.assign(m)
        velocity.assign(s)
        variable.assign_sub((m * of_m + gradient * of_g) / (ops.sqrt(s * of_s) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
