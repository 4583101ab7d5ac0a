"""StackedRNNCells: several cells as one, each fed with the output of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier.core import registry
from ranvier.core.keras_tensor import Shape
from ranvier.layers.rnn.cell import SteppedCell, stepped, zero_states


class StackedRNNCells(SteppedCell):
    """Several cells as one: the output of each is the input of the next.

    Its state is the list of the cells' states.

    Args:
        cells: a list of cells.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for a cell without `call` or `state_size`.
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        for cell in cells:
            for needed in ("call", "state_size"):
                if not hasattr(cell, needed):
                    kind = "method" if needed == "call" else "attribute"
                    raise ValueError(
                        f"All cells must have a `{needed}` {kind}. Received cell without a `{needed}` "
                        f"{kind}: {cell}"
                    )
        super().__init__(**kwargs)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The cells' state sizes."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        size = getattr(self.cells[-1], "output_size", None)
        if size is not None:
            return size
        sizes = self.cells[-1].state_size
        return sizes if isinstance(sizes, int) else sizes[0]

    def build(self, input_shape: Shape) -> None:
        for cell in self.cells:
            if not cell.built:
                cell.build(input_shape)
                cell.built = True
            sizes = cell.state_size
            size = getattr(cell, "output_size", None) or (sizes if isinstance(sizes, int) else sizes[0])
            input_shape = (input_shape[0], size)

    def prepare(self, batch: int, training: bool | None) -> Any:
        return [stepped(cell).prepare(batch, training) for cell in self.cells]

    def project(self, inputs: Any, context: Any) -> Any:
        return stepped(self.cells[0]).project(inputs, context[0])

    def step(self, projected: Any, states: Any, context: Any) -> tuple[Any, Any]:
        after, output = [], None
        for i, (cell, state, own) in enumerate(zip(self.cells, states, context, strict=True)):
            part = stepped(cell)
            single = not isinstance(state, (list, tuple))
            given = projected if i == 0 else part.project(output, own)
            output, next_state = part.step(given, [state] if single else state, own)
            after.append(next_state[0] if single and isinstance(next_state, (list, tuple)) else next_state)
        return output, after

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        states = [zero_states(cell.state_size, batch_size, self.compute_dtype) for cell in self.cells]
        pairs = zip(self.cells, states, strict=True)
        return [state[0] if isinstance(cell.state_size, int) else state for cell, state in pairs]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"cells": [registry.serialize_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The cell that `get_config` described.

        Args:
            config: the config.
            custom_objects: name -> class, for cells that are not registered.
        """
        config = dict(config)
        cells = [registry.deserialize_object(cell, custom_objects) for cell in config.pop("cells")]
        return cls(cells, **config)
