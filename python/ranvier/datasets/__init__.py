"""Data sets: handwritten digits that come with the package, and those that Keras downloads.

`digits` needs no network. `mnist` and `fashion_mnist` are downloaded at first use into the same cache as
Keras's (`$KERAS_HOME/datasets` or `~/.keras/datasets`), so that files fetched by either are found by both.
"""

from __future__ import annotations

from ranvier.datasets import digits, fashion_mnist, mnist

__all__ = ["digits", "fashion_mnist", "mnist"]
