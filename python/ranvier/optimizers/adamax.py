"""Adamax: Adam with the largest gradient in place of the mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier.core.variable import Variable
from ranvier.optimizers.adam import moving_average
from ranvier.optimizers.optimizer import Optimizer


class Adamax(Optimizer):
    """Steps by a moving average of the gradient over a decaying maximum of its size (Kingma & Ba, 2015).

    `m += (1 - beta_1) * (g - m)`, `u = max(beta_2 * u, |g|)`, then
    `v -= lr / (1 - beta_1^t) * m / (u + epsilon)`, t being the number of the step.

    Args:
        learning_rate: see `Optimizer`. Default 0.001.
        beta_1: how much of m one step keeps. Default 0.9.
        beta_2: how much of u one step keeps. Default 0.999.
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
        self._norms: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums, self._norms = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def _corrected_rate(self, learning_rate: Any, dtype: str) -> Any:
        """The learning rate with the correction for an average that began at zero."""
        step = ops.cast(self.iterations + 1, dtype)
        correction = 1.0 - ops.power(ops.convert_to_tensor(self.beta_1, dtype), step)
        return self.shared_rate(learning_rate, dtype) / correction

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dtype = variable.dtype
        rate = self.shared("corrected_rate", dtype, lambda: self._corrected_rate(learning_rate, dtype))
        gradient = ops.cast(gradient, dtype)
        i = self._rv_get_variable_index(variable)
        m = moving_average(self._momentums[i], gradient, self.beta_1)
        u = ops.maximum(self._norms[i] * self.beta_2, ops.abs(gradient))
        self._norms[i].assign(u)
        variable.assign_sub(m * rate / (u + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
