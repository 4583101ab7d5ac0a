"""Quantizer: the base class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops


class Halves(rv.Quantizer):
    def __init__(self, step: float, output_dtype: str = "int8") -> None:
        super().__init__(output_dtype)
        self.step = step

    def __call__(self, x: Any) -> Any:
        return ops.cast(ops.round(x / self.step), self.output_dtype)

    def get_config(self) -> dict[str, Any]:
        return {"step": self.step, "output_dtype": self.output_dtype}


def test_base_class() -> None:
    quantizer = rv.Quantizer()
    assert quantizer.output_dtype == "int8" and quantizer(3.5) == 3.5
    assert rv.Quantizer.from_config({"output_dtype": "int4"}).output_dtype == "int4"
    with pytest.raises(NotImplementedError, match=r"Quantizer.*does not implement get_config"):
        quantizer.get_config()


def test_subclass() -> None:
    quantizer = Halves.from_config(Halves(0.5).get_config())
    found = quantizer(np.float32([0.4, 1.1]))
    assert found.dtype == "int8" and found.tolist() == [1, 2]
