"""Sequences of different lengths."""

from __future__ import annotations

from ranvier.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
