"""LSTM: long short-term memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier import activations, ops
from ranvier.layers.rnn.cell import GatedCell
from ranvier.layers.rnn.gated_rnn import GatedRNN


class LSTMCell(GatedCell):
    """One step of `LSTM`.

    A cell state and gates that say what it keeps, takes in and gives out (Hochreiter & Schmidhuber, 1997).

    Args:
        units: the size of the output, a positive integer.
        activation: an activation function or its name; None: linear.
        recurrent_activation: the activation of the gates, or its name.
        use_bias: whether there is a bias.
        kernel_initializer: the initializer of the inputs' kernel.
        recurrent_initializer: the initializer of the state's kernel.
        bias_initializer: the initializer of the bias.
        unit_forget_bias: whether the bias of the forget gate starts at 1.
        kernel_regularizer: a regularizer of the inputs' kernel.
        recurrent_regularizer: a regularizer of the state's kernel.
        bias_regularizer: a regularizer of the bias.
        kernel_constraint: a constraint of the inputs' kernel.
        recurrent_constraint: a constraint of the state's kernel.
        bias_constraint: a constraint of the bias.
        dropout: the share of inputs that are dropped while training, from 0 to 1.
        recurrent_dropout: the share of the state that the kernel does not see while training.
        seed: an integer that fixes what is dropped; None: drawn from the global seed.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for `units` that are not a positive integer, an unknown name, or a share outside [0, 1].
    """

    _gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _bias_start(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer
        units, start = self.units, self.bias_initializer

        def initialize(shape: tuple[int, ...], dtype: Any = None) -> Any:
            parts = (start((units,), dtype), np.ones(units, dtype), start((2 * units,), dtype))
            return np.concatenate([np.asarray(part) for part in parts])

        return initialize

    def step(self, projected: Any, states: Any, context: Any) -> tuple[Any, Any]:
        state, carried = states
        seen = state if context[1] is None else ops.multiply(state, context[1])
        sums = ops.add(projected, ops.matmul(seen, self.recurrent_kernel))
        take, keep, new, give = ops.split(sums, 4, axis=-1)
        carried = ops.add(
            ops.multiply(self.recurrent_activation(keep), carried),
            ops.multiply(self.recurrent_activation(take), self.activation(new)),
        )
        output = ops.multiply(self.recurrent_activation(give), self.activation(carried))
        return output, [output, carried]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }


class LSTM(GatedRNN):
    """A cell state and gates that say what it keeps, takes in and gives out (Hochreiter & Schmidhuber, 1997).

    It is called as `RNN` is, on inputs of shape `(batch, steps, features)`.

    Args:
        units: the size of the output, a positive integer.
        activation: an activation function or its name; None: linear.
        recurrent_activation: the activation of the gates, or its name.
        use_bias: whether there is a bias.
        kernel_initializer: the initializer of the inputs' kernel.
        recurrent_initializer: the initializer of the state's kernel.
        bias_initializer: the initializer of the bias.
        unit_forget_bias: whether the bias of the forget gate starts at 1.
        kernel_regularizer: a regularizer of the inputs' kernel.
        recurrent_regularizer: a regularizer of the state's kernel.
        bias_regularizer: a regularizer of the bias.
        activity_regularizer: a regularizer of the output.
        kernel_constraint: a constraint of the inputs' kernel.
        recurrent_constraint: a constraint of the state's kernel.
        bias_constraint: a constraint of the bias.
        dropout: the share of inputs that are dropped while training, from 0 to 1.
        recurrent_dropout: the share of the state that the kernel does not see while training.
        seed: an integer that fixes what is dropped; None: drawn from the global seed.
        return_sequences: whether the outputs of all steps are returned.
        return_state: whether the last states are returned too.
        go_backwards: whether to begin with the last step; the outputs are in the order of the loop.
        stateful: whether a batch begins with the states that the last one left.
        unroll: whether the steps are written out instead of a loop.
        use_cudnn: "auto" or False; this library has no GPU.
        **kwargs: `zero_output_for_mask` of `RNN` and the arguments of `Layer`; the `implementation` of old
            programs is ignored, as in Keras: it never changed what is computed.

    Raises:
        ValueError: for `units` that are not a positive integer, an unknown name, a share outside [0, 1], or
            `use_cudnn=True`.

    Example:
        >>> rv.layers.LSTM(16, return_sequences=True)(sequences)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        self._check_cudnn(use_cudnn)
        kwargs.pop("implementation", None)
        cell = LSTMCell(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            recurrent_activation=recurrent_activation,
            unit_forget_bias=unit_forget_bias,
            name="lstm_cell",
            **self._cell_kwargs(kwargs),
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.use_cudnn = use_cudnn
