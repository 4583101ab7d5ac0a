"""The curves are measured, kept from run to run, and drawn: small files, the same for the same numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).parents[2] / "bench"
CURVES = ("batch", "width", "depth", "threads", "memory", "plan", "start", "fits")


@pytest.fixture
def bench(monkeypatch):
    """The modules import each other as they do when curves.py is run as a program."""
    monkeypatch.syspath_prepend(str(BENCH))


def curves(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / "curves.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "CC": "/nowhere/cc"},  # the peak takes seconds
    )


def record() -> dict:
    """A record with two points of each curve, in which a step takes 10 µs and 3 µs for each layer or row."""

    def entries(x: float) -> dict:
        return {
            "ranvier": {"seconds": [1e-5 + 3e-6 * x], "resident": 1 << 20, "peak": 1 << 21},
            "numpy": {"seconds": [4e-5 + 9e-6 * x], "resident": 1 << 20, "peak": 1 << 22},
            "keras": {"refused": "it starts elsewhere", "seconds": []},
        }

    trained = [
        {"x": x, "batch": 32, "flops": 1e6 * x, "parameters": 1000, "entries": entries(x)}
        for x in (8, 16, 64, 128)
    ]
    by = [{**point, "by": name} for name in ("batch", "width", "parameters") for point in trained]
    stages = {"build": [2e-3], "trace": [3e-3], "plan": [1e-3]}
    planned = [
        {"x": x, "nodes": 60 * x, "steps": 4 * x, "seconds": {k: [v[0] * x] for k, v in stages.items()}}
        for x in (1, 50, 100)
    ]
    points = dict.fromkeys(("batch", "width", "depth"), trained)
    points["threads"] = [{**p, "seconds": {"one": [2e-3], "all": [1e-3]}} for p in by]
    points |= {"memory": by, "plan": planned, "start": planned}
    points["fits"] = [{"x": "one model", "read": [[0, 1e6], [10, 2e6]], "seconds": 1.0}] * 2
    machine = {"cpus": 2, "peak": {"flops": 1e11}}
    return {
        "curves": {
            name: {"date": "2030-01-02", "machine": machine, "rounds": 3, "points": points[name]}
            for name in CURVES
        }
    }


def test_what_was_measured_before_is_kept(tmp_path):
    path = tmp_path / "curves.json"
    for names in (("batch",), ("plan", "fits")):
        done = curves(*names, "--short", "--rounds", "1", "--rivals", "numpy", "--json", path)
        assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text())["curves"]
    assert list(found) == ["batch", "plan", "fits"]
    for point in found["batch"]["points"]:
        for name in ("ranvier", "numpy"):
            assert point["entries"][name]["seconds"][0] > 0, point
    for point in found["plan"]["points"]:
        assert point["nodes"] > point["steps"] > 0 and min(point["seconds"]["plan"]) > 0
    assert [point["x"] for point in found["fits"]["points"]] == ["one model", "a new model each"]


@pytest.mark.parametrize(
    "wrong", [["lenght"], ["--rivals", "nympy"], ["--rounds", "0"], ["--from", "/nowhere/curves.json"]]
)
def test_wrong_arguments_are_refused(wrong):
    done = curves(*wrong)
    assert done.returncode == 2 and wrong[-1] in done.stderr + "--rounds 0"


def test_statistics(bench):
    import curve_text

    x = np.array([1.0, 2.0, 5.0, 10.0])
    fit = curve_text.line(x, 3 + 2 * x)
    assert (fit.slope, fit.start, fit.r2) == pytest.approx((2, 3, 1))
    assert curve_text.line(x, [1, 5, 2, 4]).r2 < 0.5
    assert curve_text.power(x, 7 * x**1.5) == pytest.approx(1.5)


def test_figures_in_words(bench):
    import curve_text

    text = curve_text.markdown(record(), "plots")
    assert all(f"](plots/{name}.svg)" in text for name in CURVES)
    assert "10.0 µs + 3.00 µs per layer, R² = 1.00000" in text
    assert "| batch 8 | 2,000 | 1,000 | 4.0 | 8.0 | 2.00x |" in text
    assert "to the power of 1.00 (trace) and 1.00 (plan)" in text
    assert "Keras (JAX) at 8 is not compared: it starts elsewhere" in text


def test_drawing(tmp_path):
    pytest.importorskip("matplotlib")
    stored, page = tmp_path / "curves.json", tmp_path / "page.md"
    stored.write_text(json.dumps(record()))
    page.write_text("before\n<!-- curves -->\nold\n<!-- /curves -->\nafter\n")
    drawn = []
    for folder in ("one", "two"):
        done = curves("--from", stored, "--plots", tmp_path / folder, "--markdown", page)
        assert done.returncode == 0, done.stderr
        drawn.append({path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()})
    assert sorted(drawn[0]) == sorted(f"{name}.svg" for name in CURVES)
    assert drawn[0] == drawn[1], "the same bytes for the same numbers"
    for name, content in drawn[0].items():
        assert len(content) < 100_000 and b"prefers-color-scheme:dark" in content, name
    text = page.read_text()
    assert text.startswith("before\n<!-- curves -->\n") and text.endswith("<!-- /curves -->\nafter\n")
    assert "](two/fits.svg)" in text and "old" not in text
