"""GRU: gated recurrent units."""

from __future__ import annotations

from typing import Any

from ranvier import activations, ops
from ranvier.layers.rnn.cell import GatedCell
from ranvier.layers.rnn.gated_rnn import GatedRNN


class GRUCell(GatedCell):
    """One step of `GRU`.

    A state with gates that say how much of it is kept and read (Cho et al., 2014).

    Args:
        units: the size of the output, a positive integer.
        activation: an activation function or its name; None: linear.
        recurrent_activation: the activation of the gates, or its name.
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
        reset_after: whether the reset gate is applied after the product with the state's kernel.
        seed: an integer that fixes what is dropped; None: drawn from the global seed.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for `units` that are not a positive integer, an unknown name, or a share outside [0, 1].
    """

    _gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
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
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _input_bias(self) -> Any:
        return self.bias if self.bias is None or not self.reset_after else ops.take(self.bias, 0, axis=0)

    def step(self, projected: Any, states: Any, context: Any) -> tuple[Any, Any]:
        state = states[0] if isinstance(states, (list, tuple)) else states
        seen = state if context[1] is None else ops.multiply(state, context[1])
        keep, read, new = ops.split(projected, 3, axis=-1)
        if self.reset_after:
            sums = ops.matmul(seen, self.recurrent_kernel)
            if self.bias is not None:
                sums = ops.add(sums, ops.take(self.bias, 1, axis=0))
            keep_sum, read_sum, new_sum = ops.split(sums, 3, axis=-1)
            keep = self.recurrent_activation(ops.add(keep, keep_sum))
            read = self.recurrent_activation(ops.add(read, read_sum))
            new = ops.add(new, ops.multiply(read, new_sum))
        else:
            gates, last = ops.split(ops.convert_to_tensor(self.recurrent_kernel), [2 * self.units], axis=-1)
            keep_sum, read_sum = ops.split(ops.matmul(seen, gates), 2, axis=-1)
            keep = self.recurrent_activation(ops.add(keep, keep_sum))
            read = self.recurrent_activation(ops.add(read, read_sum))
            new = ops.add(new, ops.matmul(ops.multiply(read, seen), last))
        new = self.activation(new)
        output = ops.add(new, ops.multiply(keep, ops.subtract(state, new)))
        return output, [output]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
        }


class GRU(GatedRNN):
    """A state with gates that say how much of it is kept and read (Cho et al., 2014).

    It is called as `RNN` is, on inputs of shape `(batch, steps, features)`.

    Args:
        units: the size of the output, a positive integer.
        activation: an activation function or its name; None: linear.
        recurrent_activation: the activation of the gates, or its name.
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
        reset_after: whether the reset gate is applied after the product with the state's kernel.
        use_cudnn: "auto" or False; this library has no GPU.
        **kwargs: `zero_output_for_mask` of `RNN` and the arguments of `Layer`; the `implementation` of old
            programs is ignored, as in Keras: it never changed what is computed.

    Raises:
        ValueError: for `units` that are not a positive integer, an unknown name, a share outside [0, 1], or
            `use_cudnn=True`.

    Example:
        >>> rv.layers.GRU(16, return_sequences=True)(sequences)
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
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        self._check_cudnn(use_cudnn)
        kwargs.pop("implementation", None)
        cell = GRUCell(
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
            reset_after=reset_after,
            name="gru_cell",
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
