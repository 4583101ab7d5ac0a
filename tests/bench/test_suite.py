"""The benchmark suite runs, refuses to compare what is not the same work, and writes what it measured."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch):
    """The suite's modules import each other as they do when it is run as a program."""
    monkeypatch.syspath_prepend(str(BENCH))


def suite(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / "suite.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


@pytest.fixture(scope="module")
def record(tmp_path_factory) -> Path:
    """A run with one rival that is there and one that is not."""
    path = tmp_path_factory.mktemp("bench") / "results.json"
    rivals = ("--contestants", "numpy,torch", "--python-for", "torch=/nowhere/python")
    workloads = ("tiny_batch", "predict_one", "import", "first_fit")
    # The second variable would make NumPy's BLAS slower than it is.
    done = suite("--rounds", "2", *rivals, "--json", str(path), *workloads, OPENBLAS_CORETYPE="Haswell")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "torch: skipped" in done.stderr and "/nowhere/python" in done.stderr
    assert "kept from all contestants: " in done.stdout and "OPENBLAS_CORETYPE" in done.stdout
    return path


def test_calls_are_measured_of_those_who_have_them():
    done = suite("--rounds", "1", "--contestants", "numpy", "calls")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "train_on_batch" in done.stdout and "a Python callback" in done.stdout
    assert "not compared" not in done.stdout


def test_a_run(record):
    results = json.loads(record.read_text())
    rows = {row["name"]: row for row in results["workloads"]}
    assert list(rows) == ["tiny_batch", "predict_one", "import", "first_fit"]
    for name, row in rows.items():
        for who in ("ranvier",) if name == "import" else ("ranvier", "numpy"):
            entry = row["entries"][who]
            assert "refused" not in entry, entry
            assert len(entry["seconds"]) == 2 and entry["median"] > 0
        assert name == "import" or row["entries"]["numpy"]["ratio"]["median"] > 0
    trained = rows["tiny_batch"]["entries"]
    for when in ("before", "after"):  # full batches of the same rows from the same weights: the same numbers
        assert trained["numpy"][when] == pytest.approx(trained["ranvier"][when], rel=1e-4)
    outputs = [entry["outputs"] for entry in rows["predict_one"]["entries"].values()]
    np.testing.assert_allclose(*outputs, atol=1e-6)


def test_the_tables_are_written_again_from_a_record(record, tmp_path):
    page, readme = tmp_path / "page.md", tmp_path / "README.md"
    page.write_text("before\n<!-- table -->\nold\n<!-- /table -->\nafter\n")
    readme.write_text("<!-- speeds: begin. Why. -->\n<!-- speeds: end -->\n")
    done = suite("--from", str(record), "--markdown", str(page), "--readme", str(readme))
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- table -->\n") and text.endswith("\n<!-- /table -->\nafter\n")
    assert "| tiny_batch: 2-10-10-1" in text and "old" not in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert len(widths) == 1
    assert "| tiny_batch: 2-10-10-1" in readme.read_text(encoding="utf-8")
    disturbed = "do not quote" in page.read_text(encoding="utf-8")
    assert ("these numbers are rough" in readme.read_text(encoding="utf-8")) == disturbed


def test_unknown_names():
    done = suite("mnist")
    assert done.returncode == 2 and "unknown workload 'mnist'" in done.stderr and "mnist_mlp" in done.stderr
    done = suite("--contestants", "tensorflow")
    assert done.returncode == 2 and "unknown contestant 'tensorflow'" in done.stderr


def test_only_equal_trainings_are_compared(bench):
    import measure

    ours = {"before": 2.0, "after": 0.5}
    for entry, reason in [
        ({"before": 2.0001, "after": 0.6}, ""),
        ({"before": 2.1, "after": 0.5}, "starts at"),
        ({"before": 2.0, "after": 1.99}, "does not learn"),
        ({"before": 2.0, "after": math.nan}, "does not learn"),
        ({"before": 2.0, "after": 1.2}, "falls to"),
    ]:
        difference = measure._other_training(entry, ours)
        assert reason in difference if reason else not difference
    for entry, reason in [
        ({"before": 2.0001, "after": 2.3}, ""),  # a few steps may go up at first
        ({"before": 2.1, "after": 0.5}, "starts at"),
        ({"before": 2.0, "after": 2.0}, "does not train"),
        ({"before": 2.0, "after": math.nan}, "does not train"),
    ]:
        difference = measure._other_point(entry, ours)
        assert reason in difference if reason else not difference


def test_ratios_are_taken_round_by_round(bench):
    """A round in which the machine was slow for both does not count."""
    import report

    found = report.ratio({"seconds": [2.0, 20.0, 2.0]}, {"seconds": [1.0, 10.0, 1.0]})
    assert found == (2.0, 2.0, 2.0)
    assert report.ratio({"seconds": [2.0], "refused": "why"}, {"seconds": [1.0]}) is None


def test_a_wrong_product_is_noticed(bench):
    import products

    for shape in (products.square(64), *products.of_training(batches=(8,), layers=((20, 10),))):
        a, b = shape.operands()
        result = (a.T if shape.transpose_a else a) @ (b.T if shape.transpose_b else b)
        assert result.shape == (shape.m, shape.n)
        assert shape.error(result) < products.TOLERANCE < shape.error(result * 1.001)
