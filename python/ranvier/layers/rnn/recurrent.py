"""RNN: a cell applied to the steps of sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core import registry, tree
from ranvier.core.keras_tensor import KerasTensor, Shape
from ranvier.core.variable import Variable
from ranvier.layers.compiled_call import is_plain
from ranvier.layers.layer import Layer
from ranvier.layers.rnn.cell import SteppedCell, stepped, zero_states
from ranvier.layers.rnn.stacked_rnn_cells import StackedRNNCells
from ranvier.ops.control import native_scan


class RNN(Layer):
    """Applies a cell to one step of a sequence after the other, each time with the state of the last.

    The loop is a single node of the graph, however many the steps; its gradient is a loop as well.

    Call arguments:
        sequences: shape `(batch, steps, ...)`.
        initial_state: a state or the list of the states to begin with; None: zeros, or what a stateful layer
            kept.
        mask: bool, `(batch, steps)`: at steps where it is False the state stays and the output is repeated.
        training: handed to the cell.

    Returns the last output, `(batch, units)`, or with `return_sequences` those of all steps,
    `(batch, steps, units)`; with `return_state` a tuple of it and the last states.

    Args:
        cell: a layer with `call(inputs, states) -> (output, states)` and `state_size`, the size of its state
            or the list of their sizes; or a list of cells, which are stacked.
        return_sequences: whether the outputs of all steps are returned.
        return_state: whether the last states are returned too.
        go_backwards: whether to begin with the last step; the outputs are in the order of the loop.
        stateful: whether a batch begins with the states that the last one left. Batches
            must have a known size.
        unroll: whether the steps are written out instead of a loop.
        zero_output_for_mask: whether outputs are 0 at steps that the mask leaves out.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for a cell without `call` or `state_size`, and (when it is called) for states that do not
            fit, or a stateful layer and batches of unknown size.

    Example:
        >>> rv.layers.RNN(rv.layers.LSTMCell(8), return_sequences=True)
    """

    # The states of a stateful layer are no weights: they are not saved.
    _rv_untracked = Layer._rv_untracked | {"states"}

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cell
        if not callable(getattr(cell, "call", None)):
            raise ValueError(f"Argument `cell` should have a `call` method. Received: cell={cell!r}")
        if not hasattr(cell, "state_size"):
            raise ValueError(
                "The RNN cell should have a `state_size` attribute (an integer or a list of integers, one "
                f"per state). Received: cell={cell!r}"
            )
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = bool(go_backwards)
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.states: Any = None

    @property
    def state_size(self) -> Any:
        """The size of the cell's state, or the sizes of its states."""
        return self.cell.state_size

    def _sizes(self) -> list[Any]:
        sizes = self.cell.state_size
        return [sizes] if isinstance(sizes, int) else list(sizes)

    @property
    def _output_size(self) -> int:
        size = getattr(self.cell, "output_size", None)
        return int(tree.flatten(self._sizes())[0] if size is None else size)

    def build(self, sequences_shape: Any) -> None:
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
            self.cell.built = True
        if not self.stateful:
            return
        if sequences_shape[0] is None:
            raise ValueError(
                "When using `stateful=True` in a RNN, the batch size must be static. Found dynamic batch "
                f"size: sequence.shape={tuple(sequences_shape)}"
            )

        def keep(size: int) -> Variable:
            zeros = np.zeros((sequences_shape[0], size), self.variable_dtype)
            return Variable(zeros, trainable=False, name="rnn_state")

        self.states = tree.map_structure(keep, self._sizes())

    def get_initial_state(self, batch_size: int) -> Any:
        """The list of the states that a sequence begins with.

        Args:
            batch_size: the number of sequences.
        """
        make = getattr(self.cell, "get_initial_state", None)
        if make is None:
            return zero_states(self.cell.state_size, batch_size, self.compute_dtype)
        states = make(batch_size=batch_size)
        return list(states) if isinstance(states, (list, tuple)) else [states]

    def reset_state(self) -> None:
        """Sets the states that a stateful layer keeps to zero."""
        for state in tree.flatten(self.states) if self.states is not None else ():
            state.assign(ops.zeros(state.shape, dtype=state.dtype))

    def reset_states(self) -> None:
        """`reset_state`."""
        self.reset_state()

    def _begin(self, batch: int, initial_state: Any) -> Any:
        """The states to begin with."""
        if initial_state is None:
            if self.stateful:
                return tree.map_structure(lambda state: state.value, self.states)
            return self.get_initial_state(batch)
        states = list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
        if len(states) != len(self._sizes()):
            raise ValueError(
                f"Layer '{self.name}' has {len(self._sizes())} states, and `initial_state` has {len(states)}."
            )
        for state, size in zip(tree.flatten(states), tree.flatten(self._sizes()), strict=True):
            if tuple(state.shape) != (batch, size):
                raise ValueError(
                    f"`initial_state` of layer '{self.name}' must have the shape {(batch, size)}. Received: "
                    f"{tuple(state.shape)}"
                )
        return tree.map_structure(lambda state: ops.cast(state, self.compute_dtype), states)

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = False
    ) -> Any:
        batch = sequences.shape[0]
        states = self._begin(batch, initial_state)
        cell = stepped(self.cell)
        context = cell.prepare(batch, training)
        inputs = cell.project(ops.moveaxis(sequences, 1, 0), context)

        def step(inputs: Any, states: Any) -> Any:
            output, after = cell.step(inputs, states, context)
            after = list(after) if isinstance(after, (list, tuple)) else [after]
            return output, tree.pack_sequence_as(states, tree.flatten(after))

        if mask is not None and tuple(mask.shape) == (*tuple(sequences.shape)[:2], 1):
            mask = ops.squeeze(mask, axis=-1)
        last, outputs, states = self._run(step, inputs, states, batch, mask)
        if self.stateful:
            for kept, state in zip(tree.flatten(self.states), tree.flatten(states), strict=True):
                kept.assign(state)
        result = ops.moveaxis(outputs, 0, 1) if self.return_sequences else last
        return (result, *states) if self.return_state else result

    def _run(self, step: Callable[..., Any], inputs: Any, states: Any, batch: int, mask: Any) -> Any:
        """The last output, all of them (or None), and the last states."""
        zero = ops.zeros((batch, self._output_size), dtype=self.compute_dtype)
        if mask is not None:
            mask = ops.expand_dims(ops.moveaxis(ops.cast(mask, "bool"), 1, 0), axis=-1)

        def body(carry: Any, slices: Any) -> Any:
            before, previous = carry
            x, allowed = slices
            output, after = step(x, before)
            if allowed is not None:
                after = tree.map_structure(lambda new, old: ops.where(allowed, new, old), after, before)
                output = ops.where(allowed, output, zero if self.zero_output_for_mask else previous)
            return (after, output), (output if self.return_sequences else None)

        slices, reverse = (inputs, mask), self.go_backwards
        (states, last), outputs = self._loop()(body, (states, zero), slices, reverse=reverse)
        if self.return_sequences and self.go_backwards:
            outputs = ops.flip(outputs, axis=0)
        return last, outputs, states

    def _loop(self) -> Callable[..., Any]:
        if self.unroll:
            return _written_out
        is_ours = isinstance(self.cell, SteppedCell) and is_plain(self.cell)
        return native_scan if is_ours else ops.scan

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs: the inputs' if there is an output for each step."""
        mask = previous_mask[0] if isinstance(previous_mask, (list, tuple)) else previous_mask
        mask = mask if self.return_sequences else None
        return [mask, *(None for _ in tree.flatten(self._sizes()))] if self.return_state else mask

    def compute_output_shape(self, sequences_shape: Any) -> Any:
        batch, steps = sequences_shape[:2]
        shape: Shape = (batch, self._output_size)
        shape = (batch, steps, self._output_size) if self.return_sequences else shape
        if not self.return_state:
            return shape
        return (shape, *tree.map_structure(lambda size: (batch, size), self._sizes()))

    def compute_output_spec(self, sequences: Any, *args: Any, **kwargs: Any) -> Any:
        batch, steps = sequences.shape[:2]
        middle = (steps,) if self.return_sequences else ()
        output = KerasTensor((batch, *middle, self._output_size), dtype=self.compute_dtype)
        if not self.return_state:
            return output
        states = tree.map_structure(
            lambda n: KerasTensor((batch, n), dtype=self.compute_dtype), self._sizes()
        )
        return (output, *states)

    def _own_config(self) -> dict[str, Any]:
        return {
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
        }

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | self._own_config() | {"cell": registry.serialize_object(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The layer that `get_config` described.

        Args:
            config: the config.
            custom_objects: name -> class, for a cell that is not registered.
        """
        config = dict(config)
        if "cell" in config:
            config["cell"] = registry.deserialize_object(config["cell"], custom_objects)
        return cls(**config)


def _written_out(body: Callable[..., Any], carry: Any, xs: Any, reverse: bool) -> Any:
    """`ops.scan` with a copy of the body for each step."""
    inputs, mask = xs
    places = range(inputs.shape[0])
    outputs = {}
    for i in reversed(places) if reverse else places:
        carry, outputs[i] = body(carry, (inputs[i], None if mask is None else mask[i]))
    collected = [outputs[i] for i in places]
    return carry, None if collected[0] is None else ops.stack(collected, axis=0)
