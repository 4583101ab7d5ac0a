"""What a type checker learns from the package's annotations. It runs where mypy is installed."""

from __future__ import annotations

import re

import pytest

SCRIPT = """
import numpy as np
import ranvier as rv

x = np.ones((4, 3))
model = rv.Sequential([rv.Input((3,)), rv.layers.Dense(2)])
model.compile("adam", "mse", metrics=["mae"])
history = model.fit(x, x[:, :2], verbose=0)
reveal_type(history)
reveal_type(history.history["loss"])
reveal_type(model.predict(x))
reveal_type(model.predict_on_batch(x))
reveal_type(model(x))
reveal_type(model.evaluate(x, x[:, :2], return_dict=True))
loss, mae = model.evaluate(x, x[:, :2])
first = model.predict(x).argmax(axis=1)
"""
REVEALED = ["History", "list[Any]", "numpy.ndarray", "numpy.ndarray", "numpy.ndarray", "dict[str, float]"]


def test_types(tmp_path):
    api = pytest.importorskip("mypy.api")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    said, _, status = api.run(["--cache-dir", str(tmp_path), "--follow-imports", "silent", str(script)])
    revealed = re.findall(r'Revealed type is "(.*)"', said)
    assert status == 0 and len(revealed) == len(REVEALED), said
    assert all(wanted in found for wanted, found in zip(REVEALED, revealed, strict=True)), revealed
