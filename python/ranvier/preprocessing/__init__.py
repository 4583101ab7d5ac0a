"""Data on their way to a model, under the name that Keras's scripts import them by."""

from __future__ import annotations

from ranvier.preprocessing import sequence

__all__ = ["sequence"]
