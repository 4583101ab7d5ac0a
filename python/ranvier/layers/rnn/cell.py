"""What a recurrent layer asks of its cell, and the base of the cells that come with the library."""

from __future__ import annotations

from typing import Any

from ranvier import activations, constraints, initializers, ops, regularizers
from ranvier import random as random_ops
from ranvier.core import arguments, tree
from ranvier.core.keras_tensor import Shape
from ranvier.core.variable import Variable
from ranvier.layers.call import call_signature
from ranvier.layers.layer import Layer
from ranvier.random import SeedGenerator


class SteppedCell(Layer):
    """A cell in three parts, so that a loop repeats only what needs the state.

    `prepare` draws what lasts for the whole sequence, `project` handles the inputs of all steps at once, and
    `step` goes from a state to the next.
    """

    state_size: Any
    output_size: Any

    def prepare(self, batch: int, training: bool | None) -> Any:
        """What `project` and `step` get as `context`.

        Args:
            batch: the number of sequences.
            training: whether there is dropout.
        """
        raise NotImplementedError

    def project(self, inputs: Any, context: Any) -> Any:
        """The part of a step that depends on its input alone, for inputs `(..., batch, features)`."""
        raise NotImplementedError

    def step(self, projected: Any, states: Any, context: Any) -> tuple[Any, Any]:
        """The output of a step and the next states."""
        raise NotImplementedError

    def call(self, inputs: Any, states: Any, training: bool | None = False) -> Any:
        """One step.

        Args:
            inputs: shape `(batch, features)`.
            states: a list of the states.
            training: whether there is dropout.

        Returns:
            The output and the list of the next states.
        """
        context = self.prepare(inputs.shape[0], training)
        return self.step(self.project(inputs, context), states, context)

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        """States of zeros.

        Args:
            batch_size: the number of sequences.
        """
        return zero_states(self.state_size, batch_size, self.compute_dtype)


class CustomCell:
    """Any layer with a `state_size`, as a loop calls a `SteppedCell`."""

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def prepare(self, batch: int, training: bool | None) -> Any:
        takes = call_signature(type(self._cell).call).training is not None
        return {"training": training} if takes and training is not None else {}

    def project(self, inputs: Any, context: Any) -> Any:
        return inputs

    def step(self, projected: Any, states: Any, context: Any) -> tuple[Any, Any]:
        output, states = self._cell(projected, states, **context)
        return output, states


def stepped(cell: Any) -> SteppedCell | CustomCell:
    """The cell in three parts."""
    return cell if isinstance(cell, SteppedCell) else CustomCell(cell)


def zero_states(sizes: Any, batch: int | None, dtype: str) -> Any:
    """Zeros for a nest of state sizes; a single size gives a list of one."""
    if batch is None:
        raise ValueError("`get_initial_state()` needs a `batch_size`. Received: batch_size=None")
    sizes = [sizes] if isinstance(sizes, int) else sizes
    return tree.map_structure(lambda size: ops.zeros((batch, size), dtype=dtype), list(sizes))


class GatedCell(SteppedCell):
    """The base of cells with a kernel for the inputs, one for the state, and a bias.

    A subclass states how many blocks of `units` columns the kernels have (`_gates`).
    """

    _gates = 1

    def __init__(
        self,
        units: int,
        *,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        units = arguments.positive_integer(units, "units")
        dropout = arguments.share(dropout, "dropout")
        recurrent_dropout = arguments.share(recurrent_dropout, "recurrent_dropout")
        super().__init__(**kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = arguments.plain(seed)
        self.seed_generator = SeedGenerator(seed)
        self.state_size = self.units
        self.output_size = self.units
        self.bias: Variable | None = None

    def build(self, input_shape: Shape) -> None:
        columns = self._gates * self.units
        features = input_shape[-1]
        if features is None:
            raise ValueError(f"The inputs' last axis must have a known size. Received: {input_shape}")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, columns),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, columns),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=self._bias_shape(),
                initializer=self._bias_start(),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _bias_shape(self) -> tuple[int, ...]:
        return (self._gates * self.units,)

    def _bias_start(self) -> Any:
        """The initializer of the bias."""
        return self.bias_initializer

    def _input_bias(self) -> Any:
        """The bias that is added to the inputs' product, or None."""
        return self.bias

    def prepare(self, batch: int, training: bool | None) -> Any:
        """The masks of the inputs and the state, or None; one draw serves all steps."""

        def mask(rate: float, size: int) -> Any:
            if not training or rate == 0:
                return None
            ones = ops.ones((batch, size), dtype=self.compute_dtype)
            return (
                ops.zeros_like(ones)
                if rate == 1
                else random_ops.dropout(ones, rate, seed=self.seed_generator)
            )

        return mask(self.dropout, self.kernel.shape[0]), mask(self.recurrent_dropout, self.units)

    def project(self, inputs: Any, context: Any) -> Any:
        if context[0] is not None:
            inputs = ops.multiply(inputs, context[0])
        product, bias = ops.matmul(inputs, self.kernel), self._input_bias()
        return product if bias is None else ops.add(product, bias)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": constraints.serialize(self.recurrent_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }
