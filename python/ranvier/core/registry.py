"""Names for objects: the custom-object registry, Keras 3's config format, and lookup with suggestions.

A serialized object is `{"module", "class_name", "config", "registered_name"}`. The library's own classes are
written with Keras's public module names ("keras.layers"), and those are read back as ours, so configs travel
both ways. Reading a config never imports a module and never runs code from it: a class must be registered,
passed in `custom_objects`, or be one of the library's own.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from ranvier.core import arguments
from ranvier.core.context import context
from ranvier.core.dtypes import standardize_dtype
from ranvier.core.missing_names import explain, is_of_keras
from ranvier.core.user_code import harmless

T = TypeVar("T")
Table = Mapping[str, Any]

_finders: dict[str, Callable[[str, str], type | None]] = {}  # by the prefix of a config's module
_objects: dict[str, Any] = {}  # registered name -> class or function
_names: dict[Any, str] = {}  # and back
_NAMES_OBJECT = "_rv_names_object"  # set for errors that do

# The package of a class -> the module that Keras's configs name. The first prefix that fits decides.
_PUBLIC_MODULES = (
    *((f"ranvier.ops.{name}", f"keras.src.ops.{name}") for name in ("numpy", "nn", "math", "linalg", "core")),
    ("ranvier.optimizers.schedules", "keras.optimizers.schedules"),
    ("ranvier.models.functional", "keras.src.models.functional"),
    ("ranvier.models", "keras"),
    ("ranvier.dtype_policies.dtype_policy", "keras"),
)
# Where the class of a config's module is found when it is not in the module of the same name.
_ALIASES = {
    "keras": ("ranvier", "ranvier.models", "ranvier.dtype_policies", "ranvier.layers"),
    "keras.models": ("ranvier.models",),
    "keras.src.models.functional": ("ranvier.models.functional", "ranvier.models"),
    "keras.src.models.sequential": ("ranvier.models",),
}
_FUNCTION_MODULES = (
    "ranvier.activations",
    "ranvier.losses",
    "ranvier.metrics",
    "ranvier.initializers",
    "ranvier.regularizers",
    "ranvier.constraints",
    "ranvier.ops",
)


# --- registered and custom objects ---


def register_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """A decorator that makes a class or function loadable from configs.

    Args:
        package: a namespace for the name.
        name: the object's name; None: its `__name__`.

    Returns:
        The decorator. It returns its argument, registered as "package>name".

    Raises:
        ValueError: (the decorator) for a class without `get_config`.
    """

    def register(obj: T) -> T:
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ValueError("Cannot register a class that does not have a get_config() method.")
        key = f"{package}>{name if name is not None else obj.__name__}"  # type: ignore[attr-defined]
        _objects[key] = obj
        _names[obj] = key
        return obj

    return register


def get_custom_objects() -> dict[str, Any]:
    """The registry itself, a dict from registered name to object; it may be changed."""
    return _objects


def get_registered_name(obj: Any) -> str:
    """The name under which a class or function is registered, or its `__name__`.

    Raises:
        TypeError: for what is neither.
    """
    if not hasattr(obj, "__name__"):
        raise TypeError(f"Classes and functions have registered names. Received: {obj!r}")
    return _names.get(obj, obj.__name__)


def get_registered_object(
    name: str, custom_objects: Table | None = None, module_objects: Table | None = None
) -> Any | None:
    """The object called `name`, or None.

    The open scopes, the registry, `custom_objects` and `module_objects` are asked in this order.
    """
    for table in (_scope_objects(), _objects, custom_objects, module_objects):
        if table and name in table:
            return table[name]
    return None


@contextlib.contextmanager
def custom_object_scope(custom_objects: Table | None) -> Iterator[None]:
    """Makes `custom_objects` (name -> class or function; None: none) known to this thread's lookups inside
    the block."""
    stack = context.custom_objects
    stack.append(dict(custom_objects or {}))
    try:
        yield
    finally:
        stack.pop()


def _scope_objects() -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for scope in context.custom_objects:
        merged.update(scope)
    return merged


def add_class_finder(prefix: str, finder: Callable[[str, str], type | None]) -> None:
    """Has `finder` asked for the library's classes that do not stand in a module by their name.

    Args:
        prefix: of the modules that a config names, such as "keras.src.ops".
        finder: (module, class name) -> class or None.
    """
    _finders[prefix] = finder


# --- lookup by name ---


def suggest(name: str, known: Table) -> str:
    """A sentence that lists the known names near `name`, or all of them; it begins with a space."""
    by_lower = {str(k).lower(): str(k) for k in known}
    import difflib  # needed only here, for a message

    near = difflib.get_close_matches(name.lower(), by_lower, n=5, cutoff=0.5)
    if near:
        return f" Did you mean: {', '.join(by_lower[n] for n in near)}?"
    return f" Known names: {', '.join(sorted(str(k) for k in known))}." if known else ""


def lookup(kind: str, identifier: Any, table: Mapping[str, T]) -> T:
    """The object that a string names, in the open custom-object scopes, the registry, or `table`.

    Args:
        kind: what is looked for, for the message ("activation function").
        identifier: the name.
        table: name -> object.

    Raises:
        ValueError: for an unknown name (the message lists near ones) or an identifier that is not a string.
    """
    if not isinstance(identifier, str):
        raise ValueError(f"Could not interpret {kind} identifier: {identifier}")
    found = get_registered_object(identifier, module_objects=table)
    if found is None:
        raise ValueError(f"Could not interpret {kind} identifier: {identifier}." + suggest(identifier, table))
    return found


# --- to a config ---


def public_module(cls: type) -> str | None:
    """The Keras module name of one of the library's own classes; None for any other class."""
    module = cls.__module__
    if cls in _names or module.partition(".")[0] != "ranvier":
        return None
    for prefix, public in _PUBLIC_MODULES:
        if module == prefix or module.startswith(prefix + "."):
            return public
    parts = module.split(".")
    return f"keras.{parts[1]}" if len(parts) > 1 else "keras"


def serialize_object(obj: Any) -> Any:
    """A JSON-like description of an object, in Keras 3's format.

    Args:
        obj: None, a number, a string, a list, tuple or dict of such, bytes, a slice, an Ellipsis, an array, a
            dtype class, a named function, or an object with `get_config`.

    Returns:
        The object itself where JSON has it; else a dict that `deserialize_object` understands.

    Raises:
        TypeError: for an object without `get_config`.
        ValueError: for a lambda, which has no name to be found by, and for a nest that holds itself.
    """
    if obj is None or isinstance(obj, (str, bool, int, float)):
        return obj.item() if isinstance(obj, np.generic) else obj
    if isinstance(obj, (list, tuple, dict)):
        try:
            return _serialize_nest(obj)
        except RecursionError:
            raise ValueError("What is to be saved is nested too deep, or holds itself.") from None
    if isinstance(obj, types.FunctionType):
        return _serialize_function(obj)
    special = _serialize_special(obj)
    return special if special is not None else _serialize_instance(obj)


def _serialize_nest(nest: Any) -> Any:
    if isinstance(nest, dict):
        return {key: serialize_object(value) for key, value in nest.items()}
    items = [serialize_object(item) for item in nest]
    return tuple(items) if isinstance(nest, tuple) else items


def _serialize_function(fn: types.FunctionType) -> dict[str, Any]:
    if fn.__name__ == "<lambda>":
        raise ValueError("Cannot serialize a lambda: give the function a name and register it.")
    return {
        "module": "builtins",
        "class_name": "function",
        "config": get_registered_name(fn),
        "registered_name": "function",
    }


def _serialize_special(obj: Any) -> Any | None:
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        value = arguments.listed(obj)
        return {"class_name": "__numpy__", "config": {"value": value, "dtype": obj.dtype.name}}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, slice):
        bounds = {key: serialize_object(getattr(obj, key)) for key in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": bounds}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, type) and issubclass(obj, np.generic):
        return {"module": "builtins", "class_name": "type", "config": obj.__name__, "registered_name": "type"}
    return None


def _serialize_instance(obj: Any) -> dict[str, Any]:
    if isinstance(obj, type) or not hasattr(obj, "get_config"):
        raise TypeError(
            f"Cannot serialize object {obj} of type {type(obj)}. "
            "To be serializable, a class must implement the `get_config()` method."
        )
    cls = type(obj)
    module = public_module(cls)
    is_public = module is not None and not module.startswith("keras.src")
    registered = None if is_public else get_registered_name(cls)
    config = {
        "module": module,
        "class_name": cls.__name__,
        "config": serialize_object(obj.get_config()),
        "registered_name": registered,
    }
    for key in ("build_config", "compile_config"):
        getter = getattr(obj, f"get_{key}", None)
        extra = getter() if getter is not None else None
        if extra is not None:
            config[key] = serialize_object(extra)
    return config


# --- from a config ---


def deserialize_object(
    config: Any,
    custom_objects: Table | None = None,
    safe_mode: bool = True,
    *,
    module_objects: Table | None = None,
) -> Any:
    """The object that `serialize_object` (or Keras) described.

    Args:
        config: what was returned there; strings stay strings unless `module_objects` names them.
        custom_objects: name -> class or function, consulted besides the registry.
        safe_mode: accepted for compatibility; code in a config is refused in either mode.
        module_objects: name -> object, for configs that give a bare name.

    Raises:
        TypeError: for an unknown class or function, or a class without `from_config`.
        ValueError: for a lambda, or a config that holds itself.
    """
    if config is None or isinstance(config, (bool, int, float)):
        return config
    if isinstance(config, str):
        found = None
        if module_objects is not None:
            found = get_registered_object(config, custom_objects, module_objects)
        return config if found is None else found
    try:
        if isinstance(config, (list, tuple)):
            read = functools.partial(deserialize_object, module_objects=module_objects)
            return [read(item, custom_objects, safe_mode) for item in config]
        if isinstance(config, Mapping) and (config.get("class_name") is None or "config" not in config):
            return {key: deserialize_object(i, custom_objects, safe_mode) for key, i in config.items()}
    except RecursionError:
        raise ValueError("A config is nested too deep, or holds itself.") from None
    if not isinstance(config, Mapping):
        raise TypeError(f"Could not parse config: {config}")
    name, inner = config["class_name"], config["config"]
    if not isinstance(name, str):
        raise _unknown("class", name, config, module_objects)
    if name in _SPECIAL_READERS:
        return _read_special(name, inner)
    if config.get("module") == "builtins" and name == "function":
        return _find_function(str(inner), config, custom_objects, module_objects)
    if config.get("module") == "builtins" and name == "type":
        return getattr(np, standardize_dtype(inner))
    return _build_instance(config, custom_objects, module_objects)


def _refuse_lambda(config: Any) -> Any:
    raise ValueError(
        "Requested the deserialization of a Python lambda. It would run code from the file and is not "
        "offered: use a named, registered function instead."
    )


_SPECIAL_READERS: dict[str, Callable[[Any], Any]] = {
    "__numpy__": lambda c: np.array(c["value"], dtype=c["dtype"]),
    "__tensor__": lambda c: np.array(c["value"], dtype=c["dtype"]),
    "__bytes__": lambda c: c["value"].encode(),
    "__slice__": lambda c: slice(c["start"], c["stop"], c["step"]),
    "__ellipsis__": lambda c: Ellipsis,
    "__lambda__": _refuse_lambda,
}


def _read_special(name: str, inner: Any) -> Any:
    try:
        return _SPECIAL_READERS[name](inner)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"{name} cannot be made of {str(inner):.200}: {error}") from error


def _unknown(kind: str, name: Any, config: Table, known: Table | None) -> TypeError:
    place, _, namespace = str(config.get("module") or "").partition(".")
    if place in ("keras", "ranvier") and is_of_keras(namespace, name):
        return TypeError(f"Could not locate {kind} '{name}'{explain(namespace, name)}")
    return TypeError(
        f"Could not locate {kind} '{name}'.{suggest(str(name), known) if known else ''} "
        "Make sure custom classes and functions are decorated with "
        "`@ranvier.saving.register_keras_serializable()` and are imported before they are loaded. "
        f"Full object config: {str(dict(config)):.1000}"
    )


def _find_function(
    name: str,
    config: Table,
    custom_objects: Table | None,
    module_objects: Table | None,
) -> Any:
    found = get_registered_object(name, custom_objects, module_objects)
    for module in () if found is not None or name.startswith("_") else _FUNCTION_MODULES:
        candidate = getattr(sys.modules.get(module), name, None)
        if isinstance(candidate, types.FunctionType) and candidate.__module__.startswith("ranvier."):
            return candidate
    if found is None:
        raise _unknown("function", name, config, module_objects)
    return found


def _own_class(module: Any, name: str) -> type | None:
    """One of the library's classes by the module and name of a config; only loaded modules are looked at."""
    if not isinstance(module, str) or module.partition(".")[0] not in ("keras", "ranvier"):
        return None
    for prefix, finder in _finders.items():
        if module.startswith(prefix):
            return finder(module, name)
    same_place = "ranvier" + module.removeprefix("keras").removeprefix("ranvier")
    for place in (*_ALIASES.get(module, ()), same_place):
        found = getattr(sys.modules.get(place), name, None)
        if isinstance(found, type) and found.__module__.startswith("ranvier."):
            return found
    return None


def _find_class(config: Table, custom_objects: Table | None, module_objects: Table | None) -> type:
    name, registered = config["class_name"], config.get("registered_name")
    found = get_registered_object(registered, custom_objects) if isinstance(registered, str) else None
    if found is None:
        found = get_registered_object(name, custom_objects)
    if found is None:
        found = _own_class(config.get("module"), name)
    if found is None and module_objects is not None:
        found = module_objects.get(name)
    if found is None:
        raise _unknown("class", name, config, module_objects)
    return found


def _build_instance(config: Table, custom_objects: Table | None, module_objects: Table | None) -> Any:
    cls = _find_class(config, custom_objects, module_objects)
    if isinstance(cls, types.FunctionType):
        return cls
    inner = config["config"]
    if not hasattr(cls, "from_config"):
        raise TypeError(
            f"Unable to reconstruct an instance of '{cls.__name__}' because the class is missing a "
            f"`from_config()` method. Full object config: {str(dict(config)):.1000}"
        )
    if not isinstance(inner, Mapping):
        raise TypeError(f"Expected 'config' to be a dict for {cls.__name__}, instead got {type(inner)}")
    with custom_object_scope(custom_objects or {}), _errors_name(cls, config):
        instance = cls.from_config(dict(inner))
        if config.get("build_config") and hasattr(instance, "build_from_config"):
            instance.build_from_config(config["build_config"])
        if config.get("compile_config") and hasattr(instance, "compile_from_config"):
            instance.compile_from_config(config["compile_config"])
    return instance


@contextlib.contextmanager
def _errors_name(cls: type, config: Table) -> Iterator[None]:
    """Errors of making an object name it, the innermost one, and are of the two documented types.

    A damaged config may lead the library's own classes into any error. What the user's classes raise
    otherwise than for wrong arguments is theirs.
    """
    try:
        yield
    except Exception as error:
        if getattr(error, _NAMES_OBJECT, False):
            raise
        inner = config["config"]
        name = f" {inner['name']!r}" if isinstance(inner.get("name"), str) else ""
        before = f"{cls.__name__}{name} could not be deserialized properly: "
        after = f"\nFull object config: {str(dict(config)):.1000}" if isinstance(error, TypeError) else ""
        named, is_ours = error, public_module(cls) is not None
        is_plain = type(error).__module__ == "builtins"  # NumPy has subclasses of both types
        if isinstance(error, (TypeError, ValueError)) and (is_plain or not is_ours):
            prepend(error, before, after)
        elif is_ours and not isinstance(error, MemoryError):
            kind = TypeError if isinstance(error, TypeError) else ValueError
            named = kind(f"{before}{type(error).__name__}: {str(error):.3000}")
        setattr(named, _NAMES_OBJECT, True)
        if named is error:
            raise
        raise named from error


@harmless
def prepend(error: Exception, before: str, after: str = "") -> None:
    """Puts words before (and after) the message of an error, which stays the same object."""
    if len(error.args) == 1:
        error.args = (f"{before}{str(error):.3000}{after}",)
