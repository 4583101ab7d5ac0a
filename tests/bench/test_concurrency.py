"""The measurement of threads and processes at once runs and prints a line for each case."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "bench" / "concurrency.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, timeout=300
    )


def test_threads() -> None:
    done = run("--only", "threads", "--most", "2", "--seconds", "0.03")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("thread(s) a step: ") >= 3 and done.stdout.count("(1.00x)") >= 3


def test_processes() -> None:
    done = run("--only", "processes", "--most", "1", "--seconds", "0.03")
    assert done.returncode == 0, done.stderr
    assert "all threads each: " in done.stdout and "one thread each: " in done.stdout


def test_an_interpreter_without_it_is_reported() -> None:
    done = run("--only", "processes", "--most", "1", "--python", "/bin/false")
    assert done.returncode != 0 and "a training process ended with status 1" in done.stderr
