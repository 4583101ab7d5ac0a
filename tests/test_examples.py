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
    names = {"test_" + path.stem for path in EXAMPLES.glob("*.py")}
    assert names <= set(globals())


def numbers(output: str, pattern: str) -> list[float]:
    """What the groups of a pattern hold."""
    match = re.search(pattern, output)
    assert match, output
    return [float(number) for number in match.groups()]


def test_gan():
    near, emptiest = numbers(run("gan.py"), r"circle: ([\d.]+)%\n.*: ([\d.]+)%")
    assert near > 90 and emptiest > 6


def test_vae():
    first, last, error = numbers(run("vae.py"), r"epoch ([\d.]+), last ([\d.]+)\n.*: ([\d.]+)%")
    assert last < 0.7 * first and error < 45


def test_distillation():
    pattern = r"teacher: .* ([\d.]+)%\nstudent alone: .* ([\d.]+)%\nstudent of the teacher: .* ([\d.]+)%"
    teacher, alone, taught = numbers(run("distillation.py"), pattern)
    assert teacher > 96 and taught > alone + 3


def test_gradient_penalty():
    distance, moved = numbers(run("gradient_penalty.py"), r"distance ([\d.]+), moved by ([\d.]+)")
    assert abs(distance - moved) < 0.05 * moved


def test_custom_loop():
    assert accuracy_in(run("custom_loop.py")) >= 96


def test_two_outputs():
    digit, total = numbers(run("two_outputs.py"), r"digit: ([\d.]+)% right, sum: ([\d.]+)% right")
    assert digit > 95 and total > 88


def test_transfer():
    pattern = r"scratch: .* moved: True, ([\d.]+)%.*\ntransferred: 130 .* moved: False, ([\d.]+)%"
    scratch, transferred = numbers(run("transfer.py"), pattern)
    assert transferred > scratch + 2


def test_autoencoder():
    noisy, clean = numbers(run("autoencoder.py"), r"noise ([\d.]+), without ([\d.]+)")
    assert clean < 0.3 * noisy


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
