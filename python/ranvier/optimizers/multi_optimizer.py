"""MultiOptimizer: several optimizers, each for some of the variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from ranvier.core import registry
from ranvier.core.variable import Variable
from ranvier.optimizers.optimizer import Optimizer


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Which optimizer a variable takes, by its path.

    Looking up a path gives the optimizer under this very key; else the one whose key, a regular expression,
    matches all of the path; else the default.

    Args:
        default_optimizer: the optimizer of all other variables.
        optimizer_map: regular expression -> optimizer.

    Raises:
        TypeError: for something else.
        ValueError: for an entry that is no optimizer; when looked up, if several keys match.
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None
    ) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                f"default_optimizer must be a Keras Optimizer instance. Received: {default_optimizer}"
            )
        if optimizer_map is not None and not isinstance(optimizer_map, Mapping):
            raise TypeError(f"optimizer_map must be a dictionary. Received: {optimizer_map}")
        self._default = default_optimizer
        self._map: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of variables that no key matches."""
        return self._default

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._map:
            return self._map[key]
        found = [pattern for pattern in self._map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"Multiple optimizers assigned to variable {key}: {found} all match its path.")
        return self._map[found[0]] if found else self._default

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"key must be a string. Received: {key}")
        if key in self._map:
            raise ValueError(
                f"'{key}' already exists in the OptimizerMap with value {self._map[key]}. Please make sure "
                "to not use duplicated keys."
            )
        if not isinstance(optimizer, Optimizer):
            raise ValueError(f"optimizer must be a Keras Optimizer instance. Received: {optimizer}")
        self._map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._map[key]

    def __contains__(self, key: object) -> bool:
        return key in self._map

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        return {
            "default_optimizer": registry.serialize_object(self._default),
            "optimizer_map": {key: registry.serialize_object(value) for key, value in self._map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> OptimizerMap:
        """The map with these constructor arguments."""
        return cls(
            **{key: registry.deserialize_object(value, custom_objects) for key, value in config.items()}
        )


class MultiOptimizer(Optimizer):
    """Several optimizers, each for some of the variables.

    Args:
        optimizer_map: an `OptimizerMap`, or a function from a variable to its optimizer.
        loss_scale_factor: the factor of all of them; it replaces theirs.
        name: a name; None: made up from the class.

    Raises:
        TypeError: for another `optimizer_map`.
        ValueError: when built, if the function returns something else.

    Example:
        model.compile(
            MultiOptimizer(OptimizerMap(SGD(0.1), {"encoder/.*": Adam()})), loss="mse"
        )
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(optimizer_map, OptimizerMap) and (
            not callable(optimizer_map) or isinstance(optimizer_map, (type, Optimizer))
        ):
            raise TypeError(
                "`optimizer_map` must be an OptimizerMap, or a function from a variable to its optimizer. "
                f"Received: {optimizer_map}"
            )
        self.optimizer_map = optimizer_map
        self.optimizers: list[Optimizer] = []
        self._rv_assigned: list[Optimizer] = []
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        if isinstance(optimizer_map, OptimizerMap):
            self._add([*optimizer_map.values(), optimizer_map.default_optimizer])

    def _add(self, optimizers: Iterable[Optimizer]) -> None:
        for optimizer in optimizers:
            if not any(optimizer is known for known in self.optimizers):
                optimizer.loss_scale_factor = self.loss_scale_factor
                self.optimizers.append(optimizer)

    @property
    def loss_scale_factor(self) -> float | None:
        """The factor of all optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self.optimizers:
            optimizer.loss_scale_factor = value

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of the optimizers."""
        return [*self._rv_variables, *(v for optimizer in self.optimizers for v in optimizer.variables)]

    @property
    def learning_rate(self) -> Any:
        """Refused: each optimizer has its own.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on the "
            "individual sub-optimizers instead."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on the individual "
            "sub-optimizers instead."
        )

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        chosen = [self._choose(variable) for variable in variables]
        super().build(variables)
        self._add(chosen)
        self._rv_assigned = chosen
        for optimizer in self.optimizers:
            own = [v for v, its in zip(variables, chosen, strict=True) if its is optimizer]
            if own:
                optimizer.build(own)

    def _choose(self, variable: Any) -> Optimizer:
        if isinstance(self.optimizer_map, OptimizerMap):
            return self.optimizer_map[variable.path]
        optimizer = self.optimizer_map(variable)
        if not isinstance(optimizer, Optimizer):
            raise ValueError(f"Optimizer for variable {variable} is not an Optimizer instance: {optimizer}.")
        return optimizer

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """Hands the gradients to the optimizers of their variables; see `Optimizer.apply`."""
        grads = list(grads)
        if not grads:
            return
        variables = self._rv_targets(grads, trainable_variables)
        for optimizer in self.optimizers:
            own = [
                (gradient, variable)
                for gradient, variable in zip(grads, variables, strict=True)
                if self._rv_assigned[self._rv_get_variable_index(variable)] is optimizer
            ]
            if own:
                optimizer.apply_gradients(own)
        self._rv_iterations.assign_add(1)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Any] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Names variables that do not decay; see `Optimizer`. Counts for the optimizers known so far."""
        variables, names = list(var_list or ()), list(var_names or ())
        for optimizer in self.optimizers:
            optimizer.exclude_from_weight_decay(variables, names)

    def finalize_variable_values(self, var_list: Iterable[Any]) -> None:
        """Sets variables to their moving averages, where their optimizer keeps them."""
        for variable in var_list:
            if variable not in self._rv_index:
                raise ValueError(f"Unknown variable: {variable}. This optimizer was not built for it.")
            self._rv_assigned[self._rv_get_variable_index(variable)].finalize_variable_values([variable])

    def moving_averages(self) -> list[tuple[Any, Any]]:
        """Each variable of an optimizer that keeps moving averages, with its average.

        Raises:
            ValueError: if no optimizer keeps them, or before they are built.
        """
        keeping = [optimizer for optimizer in self.optimizers if optimizer.use_ema]
        if not keeping:
            raise ValueError(
                "No optimizer has moving averages: at least one must be made with `use_ema=True`."
            )
        return [pair for optimizer in keeping for pair in optimizer.moving_averages()]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        return {
            "optimizer_map": registry.serialize_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> MultiOptimizer:
        """The optimizer with these constructor arguments."""
        optimizers = registry.deserialize_object(config["optimizer_map"], custom_objects)
        return cls(**{**config, "optimizer_map": optimizers})
