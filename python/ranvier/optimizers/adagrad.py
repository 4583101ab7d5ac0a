"""Adagrad: gradients over the root of the sum of their squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import initializers, ops
from ranvier.core.variable import Variable
from ranvier.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """Divides the gradient by the root of the sum of its squares so far (Duchi et al., 2011).

    `a += g^2`, then `v -= lr * g / sqrt(a + epsilon)`.

    Args:
        learning_rate: see `Optimizer`. Default 0.001.
        initial_accumulator_value: the first value of a. Default 0.1.
        epsilon: keeps the division finite. Default 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon
        self._accumulators_of_squares: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        first = initializers.Constant(self.initial_accumulator_value)
        self._accumulators_of_squares = self.add_optimizer_variables(variables, "accumulator", first)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate = self.shared_rate(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        slot = self._accumulators_of_squares[self._rv_get_variable_index(variable)]
        total = slot + ops.square(gradient)
        slot.assign(total)
        variable.assign_sub(gradient * rate / ops.sqrt(total + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }
