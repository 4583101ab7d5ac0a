"""What is said of a name that is not there: one of Keras that is not offered, an old one, a misspelt one.

Nothing here costs anything until a name is missing. The error stays Python's own: an AttributeError where an
attribute is read (so that `hasattr` is False), a ModuleNotFoundError where it is imported.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

_ROOT = "ranvier"
_public: dict[str, frozenset[str]] = {}  # namespace ("layers", "" at the top) -> its public names


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be; None if no one is near."""
    import difflib  # needed only here, for a message

    by_lower = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def publish(root: ModuleType, decorate: Callable[[Any], Any]) -> None:
    """Has every public namespace, `root` and below, list what is public, and explain what is missing.

    Args:
        root: the package. A namespace is a module whose `__all__` says what is public in it.
        decorate: applied to the functions that explain.
    """
    Retired.__get__ = decorate(Retired.__get__)  # type: ignore[method-assign]
    for module in _namespaces(root):
        namespace = module.__name__.removeprefix(_ROOT).lstrip(".")
        _public[namespace] = frozenset(module.__all__)
        _give_hooks(module, namespace, decorate)
    sys.meta_path.append(_Explainer)


def _namespaces(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, ModuleType) and hasattr(value, "__all__"):
            yield from _namespaces(value)


def _give_hooks(module: ModuleType, namespace: str, decorate: Callable[[Any], Any]) -> None:
    def missing(name: str) -> NoReturn:
        start = f"module '{module.__name__}' has no attribute '{name}'"
        # With `obj` set, too, Python would add a suggestion of its own.
        raise AttributeError(start + ("" if name.startswith("_") else explain(namespace, name)), name=name)

    hooks: dict[str, Any] = {"__getattr__": decorate(missing), "__dir__": lambda: sorted(_public[namespace])}
    if not hasattr(module, "__path__"):  # or `from ... import` would not ask further for a name
        hooks["__path__"] = []
    vars(module).update(hooks)


class _Explainer:
    """The last to be asked for a module: one that nobody found.

    `from ranvier.layers import Conv2D` looks for an attribute, and then for a module `ranvier.layers.Conv2D`.
    """

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> None:
        """Finds nothing; raises a ModuleNotFoundError if there is something to say of the name."""
        if not fullname.startswith(_ROOT + "."):
            return
        package, _, name = fullname.rpartition(".")
        namespace = package.removeprefix(_ROOT).lstrip(".")
        if name.startswith("_") or not (namespace in _public or _homes(name)):
            return
        text = f"cannot import '{name}' from '{package}'{explain(namespace, name)}"
        # By the module's own name, `from ... import` would take it for a missing attribute, without the text.
        raise ModuleNotFoundError(text, name=package)


# The import system leaves its own frames out of the tracebacks of ImportErrors, and this is part of it.
_find_spec = _Explainer.find_spec
_find_spec.__code__ = _find_spec.__code__.replace(co_filename="<frozen importlib._bootstrap>")


def explain(namespace: str, name: str) -> str:
    """What to say after "there is no such name": where it is today, or which one is near; "" if nothing.

    Args:
        namespace: "layers" for `ranvier.layers`; "" for the top.
        name: what was looked for there.
    """
    from ranvier.core.old_names import TODAY  # read now, and not when the package is imported

    full = f"{namespace}.{name}".lstrip(".")
    here = f"{_ROOT}.{namespace}".rstrip(".")
    homes = _homes(name)
    if full in TODAY:
        return f": it is of an older Keras. Today {TODAY[full]}."
    if homes:
        return f": it is in {homes[0]}. Write `{homes[0]}.{name}`."
    if is_of_keras(namespace, name):
        return f": Keras has it, this version of Ranvier does not. `dir({here})` lists what there is."
    near = nearest(name, _public.get(namespace, ()))
    return f". Did you mean `{near}`?" if near else f". `dir({here})` lists what there is."


def is_of_keras(namespace: str, name: str) -> bool:
    """Whether Keras has a public name."""
    from ranvier.core.keras_names import NAMES

    return name in NAMES.get(namespace, "").split()


def _homes(name: str) -> list[str]:
    """The public namespaces that have a name, the shortest first."""
    found = [f"{_ROOT}.{namespace}".rstrip(".") for namespace, names in _public.items() if name in names]
    return sorted(found, key=lambda home: (home.count("."), home == f"{_ROOT}.metrics"))


class Retired:
    """An attribute of an older Keras: reading it says what to write today.

    Args:
        name: its name.
        today: what to write.
    """

    def __init__(self, name: str, today: str) -> None:
        self.name = name
        self.today = today

    def __get__(self, instance: Any, owner: type) -> Retired:
        if instance is None:  # who reads all that a class has, as `inspect` does, must get through
            return self
        raise AttributeError(
            f"'{owner.__name__}' has no attribute '{self.name}': it is of an older Keras. "
            f"Today {self.today}.",
            name=self.name,
        )


def retired(attributes: Mapping[str, str]) -> Callable[[type[T]], type[T]]:
    """A decorator that has a class say, of attributes of an older Keras, what to write today.

    They cost nothing until they are read, `hasattr` is False, and an object may have its own of that name.
    """

    def decorate(cls: type[T]) -> type[T]:
        for name, today in attributes.items():
            if name not in vars(cls):
                setattr(cls, name, Retired(name, today))
        listed = cls.__dir__

        def listed_today(self: Any) -> list[str]:
            gone = {name for name in attributes if isinstance(inspect.getattr_static(self, name), Retired)}
            return [name for name in listed(self) if name not in gone]

        cls.__dir__ = listed_today  # type: ignore[method-assign]
        return cls

    return decorate
