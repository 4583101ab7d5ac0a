"""Names: what the engine keeps in an object, or calls on it, is out of the way of a subclass's own names.

A subclass of a layer, a model, a metric, a loss, an optimizer or a callback may call its attributes and
methods what it likes. So every private name in those base classes begins with `OWN`; the public ones are
Keras's.
"""

from __future__ import annotations

from typing import Any

OWN = "_rv_"


class Alias:
    """Keras's private name for what the engine keeps under one of its own; for programs that read it.

    An object that has an attribute of this name, or a subclass that defines it, hides the alias and changes
    nothing else.

    Args:
        name: the name that the engine uses.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        return self if owner is None else getattr(owner, self.name)


def is_own(name: str) -> bool:
    """Whether a name is the engine's."""
    return name.startswith(OWN)
