"""The `ranvier` command, run as a user runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import ranvier as rv
from ranvier import _bench, _demo, cli


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ranvier", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


def test_demo():
    done = run("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    accuracy = re.search(r"Test accuracy ([\d.]+)%", done.stdout)
    assert accuracy and float(accuracy[1]) >= 97
    assert "Epoch 15/15" in done.stdout and "val_accuracy" in done.stdout
    assert "Total params" in done.stdout
    assert "steps per second" in done.stdout
    assert "█" in done.stdout
    assert "import ranvier as rv" in done.stdout


def test_demo_on_a_plain_terminal():
    done = run("demo", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "@@" in done.stdout
    assert "+=====" in done.stdout and "??" not in done.stdout


def test_the_ten_lines_the_demo_ends_with(capsys):
    lines = _demo._HOW_TO_GO_ON.split("\n\n")[1]
    scope: dict[str, object] = {}
    exec("\n".join(line[4:] for line in lines.splitlines()).replace("epochs=15", "epochs=1"), scope)
    assert isinstance(scope["model"], rv.Sequential)


def test_info(capsys):
    assert cli.main(["info"]) == 0
    shown = capsys.readouterr().out
    for name in (
        "ranvier",
        "compiler",
        "instruction sets",
        "threads",
        "CUDA",
        "cache folder",
    ):
        assert re.search(rf"^{name} +\S", shown, re.MULTILINE), shown
    assert "(in use)" in shown


def test_info_with_an_unavailable_instruction_set():
    done = run("info", RANVIER_ISA="mmx")
    assert done.returncode == 1
    assert "RANVIER_ISA='mmx'" in done.stderr and "available: baseline" in done.stderr


def test_threads_come_from_the_environment():
    assert re.search(r"^threads +3$", run("info", RANVIER_NUM_THREADS="3").stdout, re.MULTILINE)
    done = run("info", RANVIER_NUM_THREADS="none")
    assert done.returncode == 1
    assert "RANVIER_NUM_THREADS must be an integer" in done.stderr and "'none'" in done.stderr


def test_version():
    assert run("--version").stdout == f"ranvier {rv.__version__}\n"


def test_no_command():
    done = run()
    assert done.returncode == 2 and "demo" in done.stderr


def test_the_numpy_nets_of_the_benchmark_learn():
    """A rival that does less work than ours would flatter us."""
    epochs = {"tiny_sgd": 20, "mnist_mlp": 1, "simplechains": 200}
    for task in _bench.tasks():
        net = _bench.NumpyNet(task)
        before = net.loss(net.forward(task.x)[-1], net.targets)
        net.fit(epochs[task.name])
        assert net.loss(net.forward(task.x)[-1], net.targets) < 0.5 * before, task.name


def test_bench():
    done = run("bench", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    for name in ("tiny_sgd", "mnist_mlp", "simplechains", "product"):
        assert name in done.stdout
