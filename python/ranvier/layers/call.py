"""What happens around a layer's `call`: its signature, the `training` flag, its arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ranvier import ops
from ranvier.core import dtypes, tree
from ranvier.core.context import context
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.keywords import suggest_keywords
from ranvier.core.masks import get_mask, masked, set_mask
from ranvier.core.tensor import Tensor
from ranvier.core.user_code import harmless
from ranvier.core.variable import Variable


class CallSignature(NamedTuple):
    """What a `call` method accepts besides `self`.

    Attributes:
        names: its parameters in order, without `*args` and `**kwargs`.
        training: the position of `training` among them, or None.
        training_default: the default of `training`.
        mask: the position of `mask`, or None.
        open: whether it takes any keyword.
    """

    names: tuple[str, ...]
    training: int | None
    training_default: Any
    mask: int | None
    open: bool


@functools.lru_cache(maxsize=512)
def call_signature(call: Callable[..., Any]) -> CallSignature:
    """The signature of a `call` method, given as the function of its class."""
    parameters = list(inspect.signature(call).parameters.values())[1:]
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    names = tuple(p.name for p in named)
    training = names.index("training") if "training" in names else None
    default = None
    if training is not None and named[training].default is not inspect.Parameter.empty:
        default = named[training].default
    mask = names.index("mask") if "mask" in names else None
    return CallSignature(names, training, default, mask, any(p.kind is p.VAR_KEYWORD for p in parameters))


def refuse_unknown(signature: CallSignature, kwargs: dict[str, Any], layer: Any) -> None:
    """Refuses a keyword that `call` does not take, where it is not called: the shape is known without.

    Raises:
        TypeError: as Python raises it.
    """
    unknown = [] if signature.open else [name for name in kwargs if name not in signature.names]
    if unknown:
        raise TypeError(
            f"{type(layer).__name__}.call() got an unexpected keyword argument '{unknown[0]}'."
            f"{suggest_keywords(unknown[:1], signature.names)}"
        )


def resolve_training(
    signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[bool | None, tuple[Any, ...], dict[str, Any]]:
    """The `training` flag of a call, and the arguments with the flag where `call` wants it.

    An explicit argument decides; else the flag of the calling layer; else the default in `call`'s signature.
    """
    position = signature.training
    explicit = kwargs.pop("training", None)
    positional = position is not None and len(args) > position
    if position is not None and positional:
        explicit = args[position]
    if isinstance(explicit, (np.bool_, np.ndarray)) and explicit.ndim == 0:
        explicit = bool(explicit)
    training = context.training if explicit is None else explicit
    if training is None:
        training = signature.training_default
    if position is not None and positional:
        args = (*args[:position], training, *args[position + 1 :])
    elif position is not None and training is not None:
        kwargs["training"] = training
    return training, args, kwargs


def resolve_context(
    call: Callable[..., Any], names: frozenset[str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The context arguments of a call: those that layers hand down to the layers they call.

    As with `training`, an explicit argument decides; else the calling layer's; else the default in `call`'s
    signature.

    Args:
        call: the `call` method, as the function of its class.
        names: the names that the layer registered.
        args: the positional arguments.
        kwargs: the others.

    Returns:
        The keyword arguments with those that `call` takes, and all that are handed down.
    """
    signature, parameters = call_signature(call), inspect.signature(call).parameters
    kwargs, handed_down = dict(kwargs), dict(context.call_arguments)
    for name in names:
        if name in signature.names[: len(args)]:
            handed_down[name] = args[signature.names.index(name)]
            continue
        value = kwargs.pop(name, handed_down.get(name))
        default = parameters[name].default if name in parameters else None
        value = default if value is None and default is not inspect.Parameter.empty else value
        if value is None:
            continue
        handed_down[name] = value
        if name in signature.names or signature.open:
            kwargs[name] = value
    return kwargs, handed_down


def resolve_mask(
    signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any], attached: Any
) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
    """The `mask` of a call: the argument, or else the masks that the inputs carry.

    Returns:
        The call's arguments with it, and the mask.
    """
    position = signature.mask
    if position is not None and len(args) > position:
        return args, kwargs, attached if args[position] is None else args[position]
    if attached is not None:
        kwargs.setdefault("mask", attached)
    given = kwargs.get("mask")
    return args, kwargs, attached if given is None else given


def is_tensor(x: Any) -> bool:
    """Whether `x` is a value or placeholder that layers compute on."""
    return isinstance(x, (np.ndarray, np.generic, Tensor, Variable, KerasTensor))


def convert_input(x: Any, dtype: str | None, own: bool = False) -> Any:
    """An argument as layers want it.

    Args:
        x: an array of any layout, byte order and width becomes an array of the engine; anything else but a
            tensor is returned as it is.
        dtype: the dtype that floating-point tensors are cast to; None: they keep theirs.
        own: whether an array becomes another one, so that nothing that is done with it reaches `x`.
    """
    if isinstance(x, (KerasTensor, Variable)):
        return x
    if isinstance(x, Tensor):
        if not dtype or x.dtype == dtype or not dtypes.is_float(x.dtype):
            return x
        return _with_mask_of(x, ops.cast(x, dtype))
    if isinstance(x, (np.ndarray, np.generic)) or dtypes.is_array_like(x):
        array = dtypes.as_array(x)
        if dtype and array.dtype.kind == "f" and array.dtype != dtype:
            array = array.astype(dtype)
        elif own:
            array = array.copy()
        return array if array is x else _with_mask_of(x, array)
    return x


def _with_mask_of(x: Any, converted: Any) -> Any:
    mask = get_mask(x)
    if mask is not None:
        set_mask(converted, mask)
    return converted


def with_masks(outputs: Any, masks: Any, inputs: Any) -> Any:
    """The outputs, each with the mask at its place, unless it has one or there is none for it.

    An output that is one of the inputs, as they came, becomes an object of its own: they get no masks.
    """
    flat = tree.flatten(outputs)
    passed = False
    if not flat:
        return outputs
    for i, mask in enumerate(tree.flatten(masks)[: len(flat)] if len(flat) > 1 else [masks]):
        if mask is None or get_mask(flat[i]) is not None:
            continue
        if any(flat[i] is x for x in tree.flatten(inputs)):
            flat[i], passed = masked(flat[i], mask), True
        else:
            set_mask(flat[i], mask)
    return tree.pack_sequence_as(outputs, flat) if passed else outputs


def convert_arguments(
    args: tuple[Any, ...], kwargs: dict[str, Any], dtype: str | None, own: bool
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """`convert_input` on every leaf of a call's arguments."""
    if len(args) == 1 and not kwargs and is_tensor(args[0]):  # the usual call
        return (convert_input(args[0], dtype, own),), kwargs

    def convert(x: Any) -> Any:
        return convert_input(x, dtype, own)

    return tuple(tree.map_structure(convert, a) for a in args), {
        k: tree.map_structure(convert, v) for k, v in kwargs.items()
    }


def refuse_values(signature: CallSignature, args: tuple[Any, ...]) -> None:
    """Checks that the positional arguments of a call are tensors.

    Raises:
        ValueError: for a number, a string, a list of such, or any other object that is not a tensor.
    """
    for position, arg in enumerate(args):
        if position == signature.training:
            continue
        for leaf in tree.flatten(arg):
            if leaf is not None and not is_tensor(leaf) and not dtypes.is_array_like(leaf):
                raise ValueError(
                    "Only input tensors may be passed as positional arguments; pass other values by keyword, "
                    f"and lists of numbers as an array, `np.array(...)`. Received: {leaf!r} (of type "
                    f"{type(leaf)})"
                )


def holds_keras_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether any leaf of a call's arguments is a KerasTensor."""
    if len(args) == 1 and not kwargs:
        if isinstance(args[0], KerasTensor):
            return True
        if is_tensor(args[0]):
            return False
    return any(isinstance(leaf, KerasTensor) for leaf in tree.flatten([args, kwargs]))


def shapes_of(x: Any) -> Any:
    """The shape of a tensor, or the nest of the shapes of a nest of tensors; None for anything else."""
    if tree.is_nested(x):
        return tree.map_structure(lambda leaf: tuple(leaf.shape) if is_tensor(leaf) else None, x)
    return tuple(x.shape) if is_tensor(x) else None


def build_shapes(
    build: Callable[..., Any], signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any] | tuple[Any, ...]:
    """The arguments for `build`, taken from the arguments of a call.

    A `build` with one parameter gets the shape of the call's first argument; one with several gets, for each
    parameter called "<name>_shape", the shape of the argument called "<name>". Parameters that have a default
    and go by no argument of `call` keep the default.

    Returns:
        A tuple of positional arguments or a dict of keyword arguments.

    Raises:
        ValueError: for a parameter that is neither.
    """
    by_name = dict(zip(signature.names, args, strict=False)) | kwargs
    first = args[0] if args else next(iter(by_name.values()), None)
    parameters = inspect.signature(build).parameters.values()
    every = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    wanted = [
        p
        for p in parameters
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and (p.default is p.empty or _argument_of(p.name) in signature.names)
    ]
    if not wanted:
        return (shapes_of(first),) if every or parameters else ()
    if len(wanted) == 1:
        return {wanted[0].name: shapes_of(first)}
    for p in wanted:
        if _argument_of(p.name) not in signature.names:
            raise ValueError(
                "A `build()` with several parameters takes a shape `<name>_shape` for each argument `<name>` "
                f"of `call()`. Parameter `{p.name}` is none of these: `call()` has the arguments "
                f"{list(signature.names)}."
            )
    found = {p.name: by_name.get(_argument_of(p.name)) for p in wanted}
    return {name: shapes_of(x) for name, x in found.items() if x is not None}


def _argument_of(parameter: str) -> str:
    """The argument of `call` whose shape a parameter of `build` is."""
    return parameter.removesuffix("_shape")


@harmless
def locate_error(error: BaseException, layer: Any, args: tuple[Any, ...]) -> None:
    """Adds to the message of an error from inside a layer's `call` which layer it was and what it was given.

    Only the innermost layer says so.
    """
    if not isinstance(error, (ValueError, TypeError)) or getattr(error, "_layer_named", False):
        return
    if len(error.args) != 1 or not isinstance(error.args[0], str):
        return
    shapes = ", ".join(
        f"{getattr(a, 'dtype', '')}{list(a.shape)}" for a in tree.flatten(list(args)) if is_tensor(a)
    )
    where = f'layer "{layer.name}" ({type(layer).__name__})'
    message = error.args[0]
    if f'"{layer.name}"' not in message:
        error.args = (f"{message}\nRaised while calling {where} on {shapes or 'no tensors'}.",)
    error._layer_named = True  # type: ignore[union-attr]
