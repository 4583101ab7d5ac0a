"""The variables of an optimizer: how they are made, named, set and saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ranvier import initializers
from ranvier.core import scope
from ranvier.core.names import Alias, is_own
from ranvier.core.plain_arguments import PlainArguments
from ranvier.core.shown import Shown
from ranvier.core.stateless_scope import assign_all
from ranvier.core.user_code import short_traceback, warn
from ranvier.core.variable import Variable
from ranvier.layers.edits import note_edit, with_noted_reads
from ranvier.layers.tracked import Tracked
from ranvier.layers.tracking import Kind
from ranvier.optimizers.building import BuiltWhole


@with_noted_reads
class OptimizerState(PlainArguments, Tracked, Shown, BuiltWhole):
    """What an optimizer remembers from step to step, apart from its update rule.

    Variables in attributes, also inside lists and dicts, belong to it.
    """

    name: str
    _rv_always_shown = ("learning_rate",)
    _rv_variables: list[Variable]  # in the order they were made

    # Keras's names, which optimizers of a user's own call.
    _variables = Alias("_rv_variables")
    _trainable_variables = Alias("_rv_trainable_variables")
    _iterations = Alias("_rv_iterations")
    _learning_rate = Alias("_rv_learning_rate")
    _get_variable_index = Alias("_rv_get_variable_index")

    def __setattr__(self, name: str, value: Any) -> None:
        if not is_own(name):
            note_edit(self, name)
        super().__setattr__(name, value)

    def _rv_kinds(self) -> dict[str, Kind]:
        is_variable = (lambda v: isinstance(v, Variable), self.__dict__.setdefault("_rv_variables", []))
        return {"variables": is_variable}

    @property
    def variables(self) -> list[Variable]:
        """Iterations, learning rate (unless it is a schedule or function), then slots in order of making."""
        return list(self._rv_variables)

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Makes a variable of the optimizer's state.

        Args:
            shape: its shape.
            initializer: its first value: an initializer or the name of one.
            dtype: its dtype; None: `floatx()`.
            aggregation: kept for compatibility; there is one replica.
            layout: must be None; variables are not distributed.
            name: its name.
        """
        if layout is not None:
            raise ValueError(
                f"Argument `layout` is not supported: there is one device. Received: layout={layout!r}"
            )
        with scope.name_scope(self.name.replace("/", ">")):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._rv_tracker.track(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Makes a slot of the shape and dtype of a variable, named after it."""
        prefix = (getattr(reference_variable, "path", None) or reference_variable.name).replace("/", "_")
        return self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.dtype,
            name=f"{prefix}_{name}" if name else prefix,
        )

    def add_optimizer_variables(
        self, trainable_variables: Iterable[Any], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Makes one slot per variable, or several.

        Args:
            trainable_variables: the variables to make slots for.
            name: the slot's name, or a sequence of names.
            initializer: the slots' first value, or a sequence of these: one per name.

        Returns:
            A list of slots in the order of the variables; for a sequence of names a tuple of such lists.
        """
        names = [name] if isinstance(name, str) else list(name)
        firsts = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        if len(firsts) != len(names):
            raise ValueError(
                f"Expected one initializer per name: {len(names)} names, {len(firsts)} initializers."
            )
        slots: list[list[Variable]] = [[] for _ in names]
        for variable in trainable_variables:
            for slot, slot_name, first in zip(slots, names, firsts, strict=True):
                slot.append(self.add_variable_from_reference(variable, slot_name, first))
        return slots[0] if isinstance(name, str) else tuple(slots)

    @short_traceback
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets all variables.

        Args:
            weights: their values in the order of `variables`.

        Raises:
            ValueError: if the number or a shape does not fit; nothing is changed then.
            TypeError: for values that are not numbers; nothing is changed then.
        """
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(
                f"Expected {len(variables)} weights for optimizer {self.name}, got {len(weights)}."
            )
        values = [np.asarray(weight) for weight in weights]
        for variable, value in zip(variables, values, strict=True):
            if tuple(variable.shape) != value.shape:
                raise ValueError(
                    f"Optimizer variable {variable.name} has shape {tuple(variable.shape)}, "
                    f"which is not the shape of the value given, {value.shape}."
                )
        assign_all(zip(variables, values, strict=True))

    def save_own_variables(self, store: Any) -> None:
        """Writes the variables into a mapping, under "0", "1", ..."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads what `save_own_variables` wrote; of another number of variables, nothing, with a warning.

        Raises:
            ValueError: if a shape does not fit; nothing is changed then.
        """
        if len(store) != len(self.variables):
            warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has "
                f"{len(self.variables)} variables whereas the saved optimizer has {len(store)} variables."
            )
            return
        self.set_weights([store[str(i)] for i in range(len(store))])
