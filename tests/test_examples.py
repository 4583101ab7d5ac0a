"""Every example runs, and says what it should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def accuracy_in(output: str) -> float:
    match = re.search(r"test accuracy ([\d.]+)%", output)
    assert match, output
    return float(match[1])


def test_all_examples_are_tested():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {"xor.py", "digits.py", "mnist.py"}


def test_xor():
    perceptron, network = re.findall(r": (\d+)% right", run("xor.py"))
    assert int(perceptron) <= 75 and int(network) == 100


def test_digits():
    assert accuracy_in(run("digits.py")) >= 96


def test_mnist(tmp_path):
    """On made-up images, each class a fixed pattern under noise: the real ones need a network to fetch."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 128, (10, 28, 28))
    arrays = {}
    for part, n in (("train", 1000), ("test", 200)):
        labels = rng.integers(0, 10, n)
        arrays[f"x_{part}"] = (patterns[labels] + rng.integers(0, 128, (n, 28, 28))).astype("uint8")
        arrays[f"y_{part}"] = labels.astype("uint8")
    np.savez(tmp_path / "data.npz", **arrays)
    assert accuracy_in(run("mnist.py", "--epochs", "3", "--data", str(tmp_path / "data.npz"))) >= 95
