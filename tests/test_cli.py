"""The `ranvier` command, run as a user runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

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


def test_threads_come_from_the_environment():
    assert re.search(r"^threads +3$", run("info", RANVIER_NUM_THREADS="3").stdout, re.MULTILINE)


def test_version():
    assert run("--version").stdout == f"ranvier {rv.__version__}\n"


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",)])
def test_help(arguments, capsys):
    try:
        assert cli.main(arguments) == 0
    except SystemExit as end:  # argparse's own --help
        assert end.code == 0
    shown = capsys.readouterr()
    assert all(name in shown.out for name in ("demo", "info", "bench")) and not shown.err


def test_help_of_a_command(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["help", "demo"])
    assert end.value.code == 0 and "--epochs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["demoo"], "there is no command 'demoo'; the nearest is 'demo'."),
        (["x"], "there is no command 'x'; the commands are demo, info, bench, help."),
        (["help", "x"], "there is no command 'x'"),
        (["demo", "--epochs", "many"], "argument --epochs: expected a whole number, got 'many'."),
        (["demo", "--epochs", "0"], "argument --epochs: expected at least 1, got 0."),
        (["demo", "--seed", "1.5"], "argument --seed: expected a whole number, got '1.5'."),
        (["bench", "--rounds"], "argument --rounds: expected one argument."),
        (["--fast"], "unrecognized arguments: --fast."),
    ],
)
def test_wrong_arguments(arguments, sentence, capsys):
    """One sentence, and where to read on; no names of functions."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    shown = capsys.readouterr().err
    assert end.value.code == 2 and sentence in shown and shown.count("\n") == 1 and " _" not in shown
    assert re.search(r"`ranvier( \w+)? --help` says what there is", shown)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "RANVIER_ISA",
            "mmx",
            "RANVIER_ISA='mmx' is not an instruction set of this build",
        ),
        ("RANVIER_NUM_THREADS", "none", "RANVIER_NUM_THREADS must be an integer"),
        ("RANVIER_PROFILE", "trace.txt", "RANVIER_PROFILE must be 1 or the name of a .json file"),
    ],
)
def test_settings_that_cannot_be_had(name, value, sentence):
    """The command ends with one sentence; in Python it is one error that points at the import."""
    done = run("info", **{name: value})
    assert done.returncode == 1 and done.stderr.startswith(f"ranvier: {sentence}")
    assert done.stderr.count("\n") == 1 and not done.stdout
    environment = {**os.environ, name: value}
    code = [sys.executable, "-c", "import ranvier"]
    done = subprocess.run(code, capture_output=True, text=True, env=environment)
    assert done.stderr.count("Traceback") == 1 and done.stderr.count("File ") == 3
    assert f"Error: {sentence}" in done.stderr.splitlines()[-1]


def test_a_profile_that_cannot_be_written():
    done = run("demo", "--epochs", "1", RANVIER_PROFILE="/no/such/folder/a.json")
    assert "Traceback" not in done.stderr and "ranvier: RANVIER_PROFILE=/no/such/folder" in done.stderr


def test_the_numpy_nets_of_the_benchmark_learn():
    """A rival that does less work than ours would flatter us."""
    epochs = {"tiny_sgd": 15, "mnist_mlp": 1, "simplechains": 80}
    for task in _bench.tasks():
        net = _bench.NumpyNet(task)
        before = net.loss(net.forward(task.x)[-1], net.targets)
        net.fit(epochs[task.name])
        assert net.loss(net.forward(task.x)[-1], net.targets) < 0.5 * before, task.name


@pytest.mark.parametrize("others", [0.0, 1.5])
def test_bench(others, monkeypatch, capsys):
    monkeypatch.setattr(_bench, "busy_processors", lambda: others)
    monkeypatch.setattr(_bench, "MEASUREMENT_SECONDS", 0.001)
    monkeypatch.setattr(_bench, "WORKLOADS", ("tiny_sgd", "simplechains"))
    monkeypatch.setattr(_bench, "PRODUCTS", [(8, 8, 8)])
    assert cli.main(["bench", "--rounds", "1"]) == 0
    shown = capsys.readouterr().out
    for name in ("tiny_sgd", "simplechains", "product"):
        assert name in shown
    if others:  # nothing is compared
        assert "other programs keep 1.5 of its processors at work" in shown
        assert "faster" not in shown and not re.search(r"\d\.\d\dx", shown)
    else:
        assert "busy" not in shown and len(re.findall(r"\d\.\d\dx", shown)) == 3


def test_a_busy_machine_is_noticed(monkeypatch):
    """Of two processors one is idle, the other half of the time."""
    times = iter([(100.0, 200.0), (101.5, 202.0)])
    monkeypatch.setattr(_bench, "_idle_and_all", lambda: next(times))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    assert _bench.busy_processors(0.0) == pytest.approx(0.5)
    monkeypatch.setattr(_bench, "_idle_and_all", lambda: None)
    assert _bench.busy_processors(0.0) == 0.0


def test_the_demo_points_at_what_is_there():
    for name in re.findall(r"rv\.([\w.]+)", _demo._HOW_TO_GO_ON.split("Next, in Python")[1]):
        thing = rv
        for part in name.split("."):
            thing = getattr(thing, part)
    for command in re.findall(r"^ +ranvier (\w+)", _demo._HOW_TO_GO_ON, re.MULTILINE):
        assert command in cli._COMMANDS
