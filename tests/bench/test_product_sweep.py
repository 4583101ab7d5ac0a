"""The sweep of products runs in slices, and judges by the better rival."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def sweep(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import product_sweep

    return product_sweep


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / "product_sweep.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "CC": "/nowhere/cc"},  # the peak takes seconds
    )


def test_slices_are_merged(tmp_path):
    parts = []
    for i in (1, 2):
        parts.append(tmp_path / f"{i}.json")
        what = ("--only", "64-64, batch 1, ", "--slice", f"{i}/2", "--rivals", "numpy", "--rounds", "1")
        done = run("--threads", "1", *what, "--json", str(parts[-1]))
        assert done.returncode == 0, done.stderr
    table = tmp_path / "table.md"
    done = run("--from", *map(str, parts), "--markdown", str(table), "--json", str(tmp_path / "all.json"))
    assert done.returncode == 0, done.stderr
    whole = json.loads((tmp_path / "all.json").read_text())
    kinds = [row["name"].rpartition(", ")[2] for row in whole["shapes"]]
    assert kinds == ["forward", "kernel gradient", "input gradient"], "in the sweep's order, from both slices"
    assert whole["geometric_mean"] > 0 and table.read_text().count("| 64-64, batch 1, ") == 3


@pytest.mark.parametrize("wrong", [["--slice", "3/2"], ["--slice", "x"], ["--python-for", "jax=x"]])
def test_wrong_arguments_are_refused(wrong):
    done = run(*wrong)
    assert done.returncode == 2 and wrong[1].partition("=")[0] in done.stderr


def test_the_sweep_covers_training(sweep):
    shapes = sweep.products.swept()
    assert len({shape.name for shape in shapes}) == len(shapes) >= 60
    assert {(s.transpose_a, s.transpose_b) for s in shapes} == {(a, b) for a in (0, 1) for b in (0, 1)}
    assert {s.m for s in shapes if s.name.endswith("forward")} >= {1, 8, 32, 128, 512, 2048}


def test_judgement(sweep):
    """Peak 1e9 and 1e9 bytes/s: arithmetic of 1 ms and memory of 2 ms. Calls take 0.1 ms, ours nothing."""
    shape = {
        "name": "a",
        "sizes": [1, 1, 1],
        "form": "nn",
        "flops": 1e6,
        "bytes": 2e6,
        "seconds": {"ranvier": 4e-3, "numpy": 3.1e-3, "torch": 8.1e-3},
        "better": "numpy",
        "ratio": {"median": 3.1 / 4, "low": 0.7, "high": 0.8},
    }
    results = {
        "machine": {"peak": {"flops": 1e9}},
        "rates": {"4000000": 1e9, "1000": 9e9},
        "dtype": "float32",
        "calls": {"ranvier": 0.0, "numpy": 1e-4, "torch": 1e-4},
        "shapes": [shape],
    }
    assert sweep.floor(shape, results) == (pytest.approx(2e-3), "memory")
    assert sweep.net(shape, results) == pytest.approx(0.75)
    assert sweep.summary(results)["short"] == ["a"]
    results["dtype"] = "float64"  # half the peak: both take 2 ms
    assert sweep.floor(shape, results)[0] == pytest.approx(2e-3)
