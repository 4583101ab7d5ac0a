"""The table of Keras's names is that of the Keras that is installed."""

import types

import pytest

from ranvier.core.keras_names import NAMES

keras = pytest.importorskip("keras")


@pytest.mark.parametrize("namespace", sorted(NAMES))
def test_names(namespace):
    module = keras
    for part in namespace.split(".") if namespace else ():
        module = getattr(module, part)
    public = {name for name in dir(module) if not name.startswith("_") and name != "src"}
    assert set(NAMES[namespace].split()) == public, "run tools/keras_names.py"
    for name in public:
        value = getattr(module, name)
        if isinstance(value, types.ModuleType) and not value.__name__.startswith("keras.src"):
            assert f"{namespace}.{name}".lstrip(".") in NAMES
