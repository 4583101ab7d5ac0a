"""How layers turn into configs and back."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from ranvier import regularizers
from ranvier.core import registry
from ranvier.core.user_code import short_traceback
from ranvier.dtype_policies import DTypePolicy

C = TypeVar("C", bound="LayerConfig")


class LayerConfig:
    """The part of `Layer` that reads and writes configs."""

    name: str
    activity_regularizer: Any
    _rv_trainable: bool
    _rv_dtype_policy: DTypePolicy
    _rv_build_shapes: dict[str, Any] | None
    _rv_init_arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values.

        A class that does not override this method gets the arguments it was made with, as long as they are
        values that a config can hold.

        Raises:
            NotImplementedError: if they are not.
        """
        base: dict[str, Any] = {
            "name": self.name,
            "trainable": self._rv_trainable,
            "dtype": registry.serialize_object(self._rv_dtype_policy),
        }
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        owner = next(cls for cls in type(self).__mro__ if "get_config" in cls.__dict__)
        if not owner.__module__.startswith("ranvier.") or registry.public_module(type(self)):
            return base
        own, accepted = self._rv_recorded_arguments()
        return {k: v for k, v in base.items() if accepted is None or k in accepted} | own

    def _rv_recorded_arguments(self) -> tuple[dict[str, Any], set[str] | None]:
        """The arguments the object was made with, and the names its constructor accepts (None: any)."""
        signature = inspect.signature(type(self).__init__)
        args, kwargs = self._rv_init_arguments
        given = dict(list(signature.bind(self, *args, **kwargs).arguments.items())[1:])
        accepted: set[str] | None = set(signature.parameters)
        for parameter in signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                given.update(given.pop(parameter.name, {}))
                accepted = None
            elif parameter.kind is parameter.VAR_POSITIONAL and given.pop(parameter.name, ()):
                self._rv_refuse_config("it takes `*args`")
        try:
            own = {k: registry.serialize_object(v) for k, v in given.items()}
        except (TypeError, ValueError) as error:
            self._rv_refuse_config(str(error))
        return {k: v for k, v in own.items() if k not in ("name", "trainable", "dtype")}, accepted

    def _rv_refuse_config(self, why: str) -> None:
        raise NotImplementedError(
            f"{type(self).__name__} was made from arguments that a config cannot hold ({why}), so it must "
            "override `get_config()` (and `from_config()` where the constructor needs more than its result)."
        )

    @classmethod
    @short_traceback
    def from_config(cls: type[C], config: dict[str, Any]) -> C:
        """A new object from `get_config`'s dict.

        Raises:
            TypeError: for arguments that the constructor does not take.
        """
        parameters = inspect.signature(cls.__init__).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            # Keras writes these for every class, whatever its constructor accepts.
            drop = {"name", "trainable", "dtype"} - set(parameters)
            config = {k: v for k, v in config.items() if k not in drop}
        if registry.public_module(cls) is None:
            config = {
                k: registry.deserialize_object(v) if isinstance(v, dict) else v for k, v in config.items()
            }
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes `build` was called with, or None before."""
        if not self._rv_build_shapes:
            return None
        if len(self._rv_build_shapes) == 1:
            return {"input_shape": next(iter(self._rv_build_shapes.values()))}
        return {"shapes_dict": dict(self._rv_build_shapes)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer for the shapes of `get_build_config`'s dict."""
        build: Any = self.build  # type: ignore[attr-defined]
        if not config:
            return
        if "input_shape" in config:
            build(_as_shapes(config["input_shape"]))
        elif "shapes_dict" in config:
            build(**{k: _as_shapes(v) for k, v in config["shapes_dict"].items()})


def _as_shapes(shape: Any) -> Any:
    """Lists of dimensions (as JSON has them) as tuples, in nests too."""
    if isinstance(shape, dict):
        return {k: _as_shapes(v) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)):
        if all(dim is None or isinstance(dim, int) for dim in shape):
            return tuple(shape)
        return [_as_shapes(item) for item in shape]
    return shape
