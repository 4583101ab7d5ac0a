"""What layers of preprocessing share: their inputs may be lists of numbers, as they come from files."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import tree
from ranvier.layers.layer import Layer


class FromLists(Layer):
    """The base of layers that take nested lists of numbers for an array of them."""

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer: see `Layer.__call__`."""
        if isinstance(inputs, (list, tuple)) and all(map(_is_number, tree.flatten(inputs))):
            inputs = np.asarray(inputs)
        return super().__call__(inputs, *args, **kwargs)


def _is_number(x: Any) -> bool:
    return isinstance(x, (bool, int, float, np.generic))
