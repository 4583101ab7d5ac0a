"""Layers as functions of the values of their variables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ranvier.core.stateless_scope import StatelessScope, values_in


class StatelessCalls:
    """The part of a layer that calls it without touching its variables."""

    def stateless_call(
        self: Any,
        trainable_variables: Iterable[Any],
        non_trainable_variables: Iterable[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Calls the layer with these values of its variables, which stay as they are.

        Args:
            trainable_variables: the values of `trainable_variables`.
            non_trainable_variables: the values of `non_trainable_variables`.
            *args: what the layer is called with.
            return_losses: whether to return the layer's `losses` as well.
            **kwargs: what the layer is called with.

        Returns:
            The outputs and the new values of the non-trainable variables; then the losses if they are wanted.

        Raises:
            ValueError: if the layer is not built, or a number or a shape of the values does not fit.

        Example:
            ```python
            trainable = [v.value for v in layer.trainable_variables]
            fixed = [v.value for v in layer.non_trainable_variables]
            outputs, fixed = layer.stateless_call(trainable, fixed, x)
            ```
        """
        if not self.built:
            raise ValueError(
                f"To call stateless_call, {type(self).__name__} must be built (i.e. its variables must "
                "have been already created). You can build it by calling it on some data."
            )
        own = {
            "trainable_variables": (self.trainable_variables, list(trainable_variables)),
            "non_trainable_variables": (self.non_trainable_variables, list(non_trainable_variables)),
        }
        for name, (variables, values) in own.items():
            if len(variables) != len(values):
                raise ValueError(
                    f"Argument `{name}` must be a list of tensors corresponding 1:1 to "
                    f"{type(self).__name__}().{name}. Received list with length {len(values)}, but expected "
                    f"{len(variables)} variables."
                )
        pairs = [pair for lists in own.values() for pair in zip(*lists, strict=True)]
        self._rv_clear_losses()
        with StatelessScope(pairs) as scope:
            outputs = self(*args, **kwargs)
            losses = list(self.losses) if return_losses else []
        self._rv_clear_losses()
        after = values_in(scope, self.non_trainable_variables)
        return (outputs, after, losses) if return_losses else (outputs, after)
