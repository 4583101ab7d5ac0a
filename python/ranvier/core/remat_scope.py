"""RematScope: which layers compute their values again for the backward pass instead of keeping them.

How that is done is an op (`rv.remat`), and ops are a room above this one: `ranvier.ops` hands it in with
`bind` when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, NamedTuple

from ranvier.core.context import context

_MODES = ("full", "activations", "larger_than", "list_of_layers", None)
_remat: list[Callable[..., Any]] = []


class RematMode(NamedTuple):
    """What a scope asks of the layers that are made in it.

    Attributes:
        mode: one of the scope's modes.
        output_size_threshold: for "larger_than".
        layer_names: for "list_of_layers".
    """

    mode: str | None
    output_size_threshold: int
    layer_names: tuple[str, ...]


class RematScope:
    """Layers that are made inside compute their values again for the backward pass, to save memory.

    The values and gradients are the same as without. A layer remembers the scope that it was made in, so the
    scope need not be open where the layer is called; of nested scopes the innermost counts. What is kept is
    what goes into such a layer, so the layers to gain by are those made of several others.

    Args:
        mode: which layers do so. "full": all; a model leaves it to its layers, and the layers inside of one
            that does so are part of it. "activations": those with an attribute `activation`, the activation
            alone. "larger_than": like "full", those whose outputs have more than `output_size_threshold`
            elements in all, the batch counted. "list_of_layers": those named in `layer_names`, be they
            models. None: none.
        output_size_threshold: for "larger_than".
        layer_names: for "list_of_layers"; None: no layer.

    Raises:
        ValueError: for another mode.

    Example:
        ```python
        with rv.RematScope(mode="list_of_layers", layer_names=["wide"]):
            hidden = rv.layers.Dense(4096, activation="gelu", name="wide")
            last = rv.layers.Dense(10)
        ```
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ) -> None:
        if mode not in _MODES:
            raise ValueError(
                f"Invalid mode '{mode}'. Supported modes are: 'full', 'activations', 'larger_than', "
                "'list_of_layers', or None."
            )
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = layer_names or []

    def __enter__(self) -> RematScope:
        context.remat_scopes.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        scopes = context.remat_scopes
        if scopes and scopes[-1] is self:
            scopes.pop()


def current_remat_mode() -> RematMode | None:
    """What the innermost open scope of this thread asks for; None outside of all."""
    scopes = context.remat_scopes
    if not scopes:
        return None
    scope = scopes[-1]
    return RematMode(scope.mode, scope.output_size_threshold, tuple(scope.layer_names))


def bind(remat: Callable[..., Any]) -> None:
    """Says how a function is rematerialised.

    Args:
        remat: `(function, threshold, nested)` -> a function of the same arguments; the threshold is the
            number of elements up to which its outputs are kept after all, or None; `nested`, whether it is
            done also inside of what is rematerialised already.
    """
    _remat[:] = [remat]


def rematerialized(operation: Any, call: Callable[..., Any], mode: RematMode) -> Callable[..., Any]:
    """An operation's `call` as the scope that the operation was made in wants it.

    Args:
        operation: a layer or another operation.
        call: a function of tensors, which the operation is to call.
        mode: what the scope asked for.
    """
    (remat,) = _remat
    if mode.mode == "list_of_layers":
        return remat(call) if operation.name in mode.layer_names else call
    if mode.mode == "activations":
        has_one = getattr(operation, "activation", None) is not None
        return _with_activation(operation, call, remat) if has_one else call
    if mode.mode is None or operation._rv_holds_layers_only:
        return call
    threshold = mode.output_size_threshold if mode.mode == "larger_than" else None
    return remat(call, threshold, nested=False)


class _Activation:
    """An activation that is computed again, in the place of a layer's own while the layer is called."""

    def __init__(self, own: Any, remat: Callable[..., Any]) -> None:
        self.own = own
        self._again = remat(own)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._again(*args, **kwargs)


def _with_activation(
    operation: Any, call: Callable[..., Any], remat: Callable[..., Any]
) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        own = operation.activation
        if isinstance(own, _Activation):  # in a call that is open, here or in another thread
            own = own.own
        # Not by assignment: the layer has not changed, and its compiled calls stay good.
        object.__setattr__(operation, "activation", _Activation(own, remat))
        try:
            return call(*args, **kwargs)
        finally:
            object.__setattr__(operation, "activation", own)

    return wrapped
