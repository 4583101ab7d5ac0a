"""Adafactor: second moments by rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core.variable import Variable
from ranvier.optimizers.optimizer import Optimizer


class Adafactor(Optimizer):
    """Divides the gradient by the root of its mean squares along rows and columns (Shazeer & Stern, 2018).

    With `b = 1 - t^beta_2_decay`, t the number of the step, and `s = g^2 + epsilon_1`, a variable of two axes
    or more keeps `r = b r + (1 - b) mean(s)` over its last axis and c over the last but one, and
    `w = r c / mean(r)`; others keep `w = b w + (1 - b) s`. The step is `u = g / sqrt(w)`, scaled down to a
    root mean square of at most `clip_threshold`, times `max(epsilon_2, rms(v)) * min(lr, 1 / sqrt(t))`.

    Args:
        learning_rate: see `Optimizer`. Default 0.001.
        beta_2_decay: the exponent of the decay. Default -0.8.
        epsilon_1: is added to squares. Default 1e-30.
        epsilon_2: the least root mean square that a variable counts with. Default 1e-3.
        clip_threshold: the largest root mean square of a step. Default 1.
        relative_step: kept in the config, as in Keras; the rate is limited to `1 / sqrt(t)` either way.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step
        self._r: list[Variable] = []
        self._c: list[Variable] = []
        self._v: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        for variable in variables:
            shape = tuple(variable.shape)
            if len(shape) < 2:
                # Nothing to factor: Keras keeps two numbers that stand for the slots, and files hold them.
                self._r.append(self._placeholder(variable.name))
                self._c.append(self._placeholder(variable.name))
            else:
                self._r.append(self.add_variable(shape[:-1], dtype=variable.dtype, name=variable.name))
                columns = (*shape[:-2], shape[-1])
                self._c.append(self.add_variable(columns, dtype=variable.dtype, name=variable.name))
            self._v.append(self.add_variable_from_reference(variable, "velocity"))

    def _placeholder(self, name: str) -> Variable:
        variable = Variable(np.int32(0), name=name, trainable=False)
        self._rv_tracker.track(variable)
        return variable

    def _rates(self, learning_rate: Any, dtype: str) -> tuple[Any, Any]:
        """The limited learning rate, and how much of the averages a step keeps."""
        step = ops.cast(self.iterations + 1, dtype)
        rate = ops.minimum(self.shared_rate(learning_rate, dtype), ops.rsqrt(step))
        return rate, 1.0 - ops.power(step, self.beta_2_decay)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dtype = variable.dtype
        rate, kept = self.shared("rates", dtype, lambda: self._rates(learning_rate, dtype))
        gradient = ops.cast(gradient, dtype)
        i = self._rv_get_variable_index(variable)
        squares = ops.square(gradient) + self.epsilon_1
        if len(variable.shape) < 2:
            velocity = kept * self._v[i] + (1.0 - kept) * squares
        else:
            rows = kept * self._r[i] + (1.0 - kept) * ops.mean(squares, axis=-1)
            columns = kept * self._c[i] + (1.0 - kept) * ops.mean(squares, axis=-2)
            self._r[i].assign(rows)
            self._c[i].assign(columns)
            shares = rows / ops.mean(rows, axis=-1, keepdims=True)
            velocity = ops.expand_dims(shares, axis=-1) * ops.expand_dims(columns, axis=-2)
        self._v[i].assign(velocity)
        step = gradient / ops.sqrt(velocity)
        limit = ops.maximum(1.0, _rms(step) / self.clip_threshold)
        variable.assign_sub(step * (ops.maximum(self.epsilon_2, _rms(variable)) * rate / limit))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }


def _rms(x: Any) -> Any:
    return ops.sqrt(ops.mean(ops.square(x)))
