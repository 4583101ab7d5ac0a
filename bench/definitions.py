"""The definitions that the package's `ranvier bench` and this suite share, for any interpreter.

They are files of the package. They are loaded by their place, because importing them as parts of ranvier
would need ranvier in the interpreter of every rival.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

PLACE = "RANVIER_BENCH_DEFINITIONS"  # the environment variable that tells a contestant's process the folder


def find() -> Path:
    """The folder in the package that this interpreter has installed.

    Raises:
        SystemExit: if there is none.
    """
    package = importlib.util.find_spec("ranvier")
    if package is None or not package.submodule_search_locations:
        raise SystemExit(f"ranvier is not installed in {sys.executable}")
    return Path(package.submodule_search_locations[0]) / "_bench"


def load(name: str) -> ModuleType:
    """One of the shared modules: "tasks", "numpy_net" or "keras_model"."""
    known = f"ranvier_bench_{name}"
    if known not in sys.modules:
        folder = Path(os.environ[PLACE]) if PLACE in os.environ else find()
        spec = importlib.util.spec_from_file_location(known, folder / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = sys.modules[known] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[known]
