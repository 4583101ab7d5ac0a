#!/usr/bin/env python3
"""Writes python/ranvier/core/keras_names.py: the public names of the Keras that is installed.

usage: keras_names.py > python/ranvier/core/keras_names.py; ruff format python/ranvier/core/keras_names.py

Run it when the version of Keras that Ranvier follows changes; it needs Keras and one of its backends.
"""

from __future__ import annotations

import textwrap
import types

HEAD = '''"""The public names of Keras {version} by namespace ("" is the top). By tools/keras_names.py.

They are read only when a name is missing, to say whether Keras has it.
"""

NAMES: dict[str, str] = {{
'''


def collect(module: types.ModuleType, namespace: str, found: dict[str, list[str]]) -> None:
    """Puts the names of a namespace and of those below it into `found`."""
    if namespace in found:
        return
    found[namespace] = names = [name for name in dir(module) if not name.startswith("_") and name != "src"]
    for name in names:
        value = getattr(module, name)
        if isinstance(value, types.ModuleType) and not value.__name__.startswith("keras.src"):
            collect(value, f"{namespace}.{name}".lstrip("."), found)


def source() -> str:
    """The text of the file."""
    import keras

    found: dict[str, list[str]] = {}
    collect(keras, "", found)
    text = HEAD.format(version=keras.__version__)
    for namespace, names in sorted(found.items()):
        lines = textwrap.wrap(" ".join(sorted(names)), 98)
        if len(lines) == 1 and len(namespace) + len(lines[0]) < 98:
            text += f'    "{namespace}": "{lines[0]}",\n'
        else:
            quoted = [f'        "{line} "' for line in lines[:-1]] + [f'        "{lines[-1]}"']
            text += f'    "{namespace}": (\n' + "\n".join(quoted) + "\n    ),\n"
    return text + "}\n"


if __name__ == "__main__":
    print(source(), end="")
