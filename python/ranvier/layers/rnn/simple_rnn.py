"""SimpleRNN: the fully connected recurrent layer."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.layers.rnn.cell import GatedCell
from ranvier.layers.rnn.gated_rnn import GatedRNN


class SimpleRNNCell(GatedCell):
    """One step of `SimpleRNN`.

    `output = activation(inputs @ kernel + state @ recurrent_kernel + bias)`; the output is
    the state (Elman, 1990).

    Args:
        units: the size of the output, a positive integer.
        activation: an activation function or its name; None: linear.
        use_bias: whether there is a bias.
        kernel_initializer: the initializer of the inputs' kernel.
        recurrent_initializer: the initializer of the state's kernel.
        bias_initializer: the initializer of the bias.
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

    _gates = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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

    def step(self, projected: Any, states: Any, context: Any) -> tuple[Any, Any]:
        state = states[0] if isinstance(states, (list, tuple)) else states
        seen = state if context[1] is None else ops.multiply(state, context[1])
        output = self.activation(ops.add(projected, ops.matmul(seen, self.recurrent_kernel)))
        return output, [output]


class SimpleRNN(GatedRNN):
    """`activation(inputs @ kernel + state @ recurrent_kernel + bias)`, step by step; the output is the state.

    (Elman, 1990.)

    It is called as `RNN` is, on inputs of shape `(batch, steps, features)`.

    Args:
        units: the size of the output, a positive integer.
        activation: an activation function or its name; None: linear.
        use_bias: whether there is a bias.
        kernel_initializer: the initializer of the inputs' kernel.
        recurrent_initializer: the initializer of the state's kernel.
        bias_initializer: the initializer of the bias.
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
        **kwargs: `zero_output_for_mask` of `RNN` and the arguments of `Layer`.

    Raises:
        ValueError: for `units` that are not a positive integer, an unknown name, a share outside [0, 1].

    Example:
        >>> rv.layers.SimpleRNN(16, return_sequences=True)(sequences)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        cell = SimpleRNNCell(
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
            name="simple_rnn_cell",
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
