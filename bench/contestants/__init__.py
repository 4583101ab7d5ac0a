"""Who takes part: the same tasks, each done in its library's fastest idiom.

A contestant's module imports its library at the top, so that one that is not installed shows at once.
"""

from __future__ import annotations

import importlib

from contestants.contestant import Contestant

# name -> (module, class, the module whose import is timed)
_CLASSES = {
    "ranvier": ("contestants.ours", "Ranvier", "ranvier"),
    "numpy": ("contestants.numpy_loop", "NumpyLoop", "numpy"),
    "torch": ("contestants.pytorch", "PyTorch", "torch"),
    "jax": ("contestants.jax_scan", "JaxScan", "jax"),
    "keras": ("contestants.keras_jax", "KerasOnJax", "keras"),
    "sklearn": ("contestants.scikit_learn", "ScikitLearn", "sklearn.neural_network"),
}
RIVALS = tuple(name for name in _CLASSES if name != "ranvier")


def imported_module(name: str) -> str:
    """The module that a user of this contestant imports."""
    return _CLASSES[name][2]


def open_contestant(name: str) -> Contestant:
    """The contestant of a name.

    Raises:
        ImportError: if its library is not installed.
    """
    module, class_name, _ = _CLASSES[name]
    contestant = getattr(importlib.import_module(module), class_name)()
    assert isinstance(contestant, Contestant)
    return contestant


__all__ = ["RIVALS", "Contestant", "imported_module", "open_contestant"]
