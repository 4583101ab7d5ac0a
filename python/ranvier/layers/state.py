"""What a layer holds: variables, sublayers, and the losses that its calls added."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.core.body_trace import BodyTrace
from ranvier.core.names import Alias
from ranvier.core.stateless_scope import assign_all
from ranvier.core.tensor import Tensor
from ranvier.core.trace import current_trace
from ranvier.core.user_code import short_traceback
from ranvier.core.variable import Variable
from ranvier.layers.tracking import Tracker


def _unique(variables: Iterator[Variable]) -> list[Variable]:
    return list({id(v): v for v in variables}.values())


class LayerState:
    """The part of `Layer` that lists, reads and writes what the layer holds."""

    name: str
    built: bool
    _rv_layers: list[Any]
    _rv_metrics: list[Any]
    _rv_seed_generators: list[Any]
    _rv_trainable_variables: list[Variable]
    _rv_non_trainable_variables: list[Variable]
    _rv_tracker: Tracker
    _rv_trainable: bool
    _rv_losses: list[Any]
    _rv_losses_trace: Any

    # Keras's names for these.
    _layers = Alias("_rv_layers")
    _metrics = Alias("_rv_metrics")
    _seed_generators = Alias("_rv_seed_generators")
    _trainable_variables = Alias("_rv_trainable_variables")
    _non_trainable_variables = Alias("_rv_non_trainable_variables")
    _tracker = Alias("_rv_tracker")
    _losses = Alias("_rv_losses")
    _dtype_policy = Alias("_rv_dtype_policy")
    _flatten_layers = Alias("_rv_flatten_layers")
    _clear_losses = Alias("_rv_clear_losses")

    # --- variables ---

    def _rv_iter_weights(self) -> Iterator[Variable]:
        yield from self._rv_trainable_variables
        yield from self._rv_non_trainable_variables
        for layer in self._rv_layers:
            yield from layer._rv_iter_weights()

    def _rv_iter_variables(self) -> Iterator[Variable]:
        yield from self._rv_trainable_variables
        yield from self._rv_non_trainable_variables
        for generator in self._rv_seed_generators:
            yield generator.state
        for layer in self._rv_layers:
            yield from layer._rv_iter_variables()

    @property
    def variables(self) -> list[Variable]:
        """Every variable of the layer and its sublayers: weights and the states of seeds.

        The states of metrics are in `metrics_variables`.
        """
        return _unique(self._rv_iter_variables())

    @property
    def weights(self) -> list[Variable]:
        """The weights: `variables` without the states of seed generators.

        A layer's own trainable weights come first, then its other weights, then its sublayers' weights.
        """
        return _unique(self._rv_iter_weights())

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training updates; empty if the layer is not trainable."""
        return [v for v in self.variables if v.trainable] if self._rv_trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training does not update."""
        return [v for v in self.variables if not (self._rv_trainable and v.trainable)]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training updates; empty if the layer is not trainable."""
        return [v for v in self.weights if v.trainable] if self._rv_trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training does not update."""
        return [v for v in self.weights if not (self._rv_trainable and v.trainable)]

    @property
    def metrics(self) -> list[Any]:
        """The metrics of the layer and its sublayers."""
        return [metric for layer in self._rv_flatten_layers() for metric in layer._rv_metrics]

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of the metrics of the layer and its sublayers."""
        return _unique(
            v for layer in self._rv_flatten_layers() for m in layer._rv_metrics for v in m.variables
        )

    @property
    def trainable(self) -> bool:
        """Whether the layer is trained. Setting it sets it for the sublayers too."""
        return self._rv_trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        self._rv_trainable = value
        for variable in self._rv_trainable_variables:
            variable.trainable = value
        for layer in self._rv_layers:
            layer.trainable = value

    def _rv_flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """The layer and its sublayers, outermost first, each once."""
        seen = {id(self)}
        found: list[Any] = [self] if include_self else []
        stack: list[Any] = list(reversed(self._rv_layers))
        while stack:
            layer = stack.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            found.append(layer)
            if recursive and layer._rv_layers:
                stack.extend(reversed(layer._rv_layers))
        return found

    def _rv_holds(self, layer: Any) -> bool:
        """Whether a layer is this one or inside of it."""
        if "_rv_layers" not in self.__dict__:  # the constructor of the base class was never called
            return self is layer
        return any(inner is layer for inner in self._rv_flatten_layers())

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`, as a list of new arrays."""
        return [np.array(v.numpy()) for v in self.weights]

    @short_traceback
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the values of `weights`. All of them are checked before the first is changed.

        Args:
            weights: one array for each of `weights`, of the same shapes.

        Raises:
            ValueError: if the number of arrays or a shape differs; nothing is changed then.
            TypeError: for values that are not numbers.
        """
        variables = self.weights
        if len(variables) != len(weights):
            shapes = ", ".join(str(tuple(v.shape)) for v in variables)
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, but the layer was expecting {len(variables)} weights of shapes [{shapes}]."
            )
        arrays = [dtypes.as_array(w) for w in weights]
        for index, (variable, array) in enumerate(zip(variables, arrays, strict=True)):
            if tuple(variable.shape) != array.shape:
                raise ValueError(
                    f"Layer '{self.name}' weight {index} ('{variable.path}') has shape "
                    f"{tuple(variable.shape)}, which is not compatible with the provided weight shape "
                    f"{array.shape}. Nothing was changed."
                )
        assign_all(zip(variables, arrays, strict=True))

    def save_own_variables(self, store: Any) -> None:
        """Writes the layer's own variables, without those of its sublayers, into a mapping.

        Args:
            store: a dict; the variables get the keys "0", "1", ..., the trainable ones first.
        """
        for i, variable in enumerate([*self._rv_trainable_variables, *self._rv_non_trainable_variables]):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads what `save_own_variables` wrote.

        Args:
            store: key -> array.

        Raises:
            ValueError: if the number or a shape does not fit; nothing is changed then.
            TypeError: for values that are not numbers; nothing is changed then.
        """
        variables = [*self._rv_trainable_variables, *self._rv_non_trainable_variables]
        if len(variables) != len(store):
            raise ValueError(
                f"Layer '{self.name}' expected {len(variables)} variables, but received {len(store)} "
                f"variables during loading. Expected: {[v.name for v in variables]}"
            )
        for i, variable in enumerate(variables):
            shape = tuple(np.shape(store[str(i)])) if str(i) in store else "missing"
            if shape != tuple(variable.shape):
                raise ValueError(
                    f"Layer '{self.name}': variable '{variable.path}' has shape {tuple(variable.shape)} in "
                    f"the model, and shape {shape} in what is loaded"
                )
        assign_all((variable, np.asarray(store[str(i)])) for i, variable in enumerate(variables))

    def count_params(self) -> int:
        """The number of scalars in the weights.

        Raises:
            ValueError: if the layer has not been built.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. "
                "You can build it manually via: `layer.build(input_shape)`."
            )
        return sum(math.prod(v.shape) for v in self.weights)

    # --- losses ---

    def add_loss(self, loss: Any) -> None:
        """Adds a term to the loss that training minimizes.

        Args:
            loss: a scalar tensor or a list of such, computed inside `call`.

        Raises:
            ValueError: for a value that is not a tensor, or a tensor that is not a scalar.
        """
        trace = current_trace()
        kept = trace.losses if isinstance(trace, BodyTrace) else None
        if isinstance(trace, BodyTrace) and kept is None:
            raise ValueError(
                f"Layer '{self.name}' calls `add_loss()` in the body of a loop or branch, whose values do "
                "not leave it. Return the term from the body and add it outside."
            )
        # What an earlier trace left means nothing in this one.
        if kept is None and self._rv_losses_trace is not trace:
            self._rv_losses, self._rv_losses_trace = [], trace
        for term in loss if isinstance(loss, (list, tuple)) else [loss]:
            if not isinstance(term, (Tensor, np.ndarray, np.generic, Variable)):
                raise ValueError(
                    "`add_loss()` can only be called from inside `build()` or `call()`, on a tensor. "
                    f"Received invalid value: {term}"
                )
            if tuple(term.shape) != ():
                raise ValueError(
                    f"`add_loss()` takes scalars; layer '{self.name}' gave a tensor of shape "
                    f"{tuple(term.shape)}."
                )
            if kept is None:
                self._rv_losses.append(term)
            else:
                kept.append((self.add_loss, term))

    @property
    def losses(self) -> list[Any]:
        """The scalars that training adds to the loss.

        They are what `add_loss` and activity regularizers added in the last call, then one term for each
        trainable weight with a regularizer.
        """
        trace = current_trace()
        terms: list[Any] = []
        for layer in self._rv_flatten_layers():
            if layer._rv_losses_trace is trace:
                terms.extend(layer._rv_losses)
        for variable in self.trainable_weights:
            if variable.regularizer is not None:
                terms.append(variable.regularizer(variable))
        return terms

    def _rv_clear_losses(self) -> None:
        """Forgets what calls added to `losses`."""
        for layer in self._rv_flatten_layers():
            if layer._rv_losses:
                layer._rv_losses, layer._rv_losses_trace = [], None
