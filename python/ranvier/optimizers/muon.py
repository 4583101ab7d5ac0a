"""Muon: orthogonal steps for matrices, AdamW for the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from ranvier import ops
from ranvier.core.variable import Variable
from ranvier.optimizers.adam import corrected_rate, moving_average
from ranvier.optimizers.optimizer import Optimizer


class Muon(Optimizer):
    """Steps by an orthogonal matrix near the momentum (Jordan et al., 2024; Liu et al., 2025).

    The momentum `m = momentum * m + g` (or with `nesterov` `g + momentum * m`) is divided by its norm and
    brought near the orthogonal factor of its polar decomposition by `ns_steps` of Newton and Schulz's
    iteration, `x = a x + (b (x x') + c (x x')^2) x`. The step is that times
    `lr * rms_rate * sqrt(max(rows, columns))`, or without `rms_rate` times lr. Variables that are not
    matrices, those of embeddings, and those of excluded layers take Adam's step.

    Args:
        learning_rate: see `Optimizer`. Default 0.001.
        adam_beta_1: Adam's beta_1. Default 0.9.
        adam_beta_2: Adam's beta_2. Default 0.999.
        adam_weight_decay: the weight decay of variables that take Adam's step. Default 0.004.
        epsilon: Adam's epsilon. Default 1e-7.
        weight_decay: the weight decay of the others. Default 0.004.
        exclude_layers: regular expressions that are searched for in the variables' paths: those take Adam's
            step.
        exclude_embeddings: whether variables with "embedding" in their path take Adam's step.
        muon_a, muon_b, muon_c: the coefficients of the iteration. Default 3.4445, -4.775, 2.0315.
        adam_lr_ratio: Adam's learning rate over this one. Default 1.
        momentum: Default 0.95.
        ns_steps: the number of iterations. Default 5.
        nesterov: whether to look ahead by one step of the momentum. Default True.
        rms_rate: see above. Default 0.2.
        clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
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
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or ())
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate
        self._momentums: list[Variable] = []
        self._velocities: dict[int, Variable] = {}

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        for i, variable in enumerate(variables):
            self._momentums.append(self.add_variable_from_reference(variable, "momentum"))
            if self._takes_adam(variable):
                self._velocities[i] = self.add_variable_from_reference(variable, "velocity")

    def _takes_adam(self, variable: Any) -> bool:
        if len(variable.shape) != 2:
            return True
        if self.exclude_embeddings and "embedding" in variable.path.lower():
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def _rv_decay_weights(self, variables: list[Any], learning_rate: Any) -> None:
        for variable in variables:
            adam = self._rv_get_variable_index(variable) in self._velocities
            decay = self.adam_weight_decay if adam else self.weight_decay
            if decay is not None and self._rv_use_weight_decay(variable):
                rate = self.shared_rate(learning_rate, variable.dtype)
                key = "adam_decay" if adam else "decay"
                factor = self.shared(key, variable.dtype, partial(ops.multiply, rate, decay))
                variable.assign_sub(variable * factor)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        gradient = ops.cast(gradient, variable.dtype)
        rate = self.shared_rate(learning_rate, variable.dtype)
        i = self._rv_get_variable_index(variable)
        if i in self._velocities:
            self._adam_step(gradient, variable, rate, self._momentums[i], self._velocities[i])
            return
        momentum = self._momentums[i] * self.momentum + gradient
        self._momentums[i].assign(momentum)
        if self.nesterov:
            momentum = gradient + momentum * self.momentum
        scale = 1.0 if self.rms_rate is None else self.rms_rate * max(variable.shape) ** 0.5
        variable.assign_sub(self._orthogonal(momentum) * (rate * scale))

    def _orthogonal(self, x: Any) -> Any:
        """The orthogonal factor of a matrix, about: its singular values become 0.7 to 1.2."""
        is_tall = x.shape[0] > x.shape[1]
        x = ops.transpose(x) if is_tall else x
        x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)
        for _ in range(self.ns_steps):
            square = ops.matmul(x, ops.transpose(x))
            polynomial = self.muon_b * square + self.muon_c * ops.matmul(square, square)
            x = self.muon_a * x + ops.matmul(polynomial, x)
        return ops.transpose(x) if is_tall else x

    def _adam_step(self, gradient: Any, variable: Any, rate: Any, momentum: Any, velocity: Any) -> None:
        dtype, betas = variable.dtype, (self.adam_beta_1, self.adam_beta_2)
        corrected = self.shared(
            "corrected_rate",
            dtype,
            lambda: corrected_rate(rate * self.adam_lr_ratio, self.iterations, *betas, dtype),
        )
        m = moving_average(momentum, gradient, self.adam_beta_1)
        s = moving_average(velocity, ops.square(gradient), self.adam_beta_2)
        variable.assign_sub(m * corrected / (ops.sqrt(s) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "adam_beta_1": self.adam_beta_1,
            "adam_beta_2": self.adam_beta_2,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "exclude_embeddings": self.exclude_embeddings,
            "adam_weight_decay": self.adam_weight_decay,
            "rms_rate": self.rms_rate,
        }
