"""The harness for attacks finds what it is for: each kind of fault, by an attack that has all of them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "bench" / "attacks"
SCRIPT = """
    import os, signal, sys, time
    sys.path.insert(0, {folder!r})
    import victim
    victim.SLOW_SECONDS, victim.GIVE_UP_SECONDS = 0.2, 1.0

    def attack(state, case):
        case.note(f"note {{case.index}}")
        if case.index == 3: os.kill(os.getpid(), signal.SIGSEGV)
        if case.index == 5: os._exit(0)
        if case.index == 7: raise KeyError("seven")
        if case.index == 11: time.sleep(60)
        if case.index == 13: time.sleep(0.3); raise ValueError
        if case.index == 17: raise victim.Fault("half-changed model", "by hand")
        if case.index == 19: bytearray(1 << 40)
        if case.index == 23: open("left", "w").close()
        if case.index == 29: raise type("AxisError", (ValueError,), {{}})("of another library")
        if case.index % 2: raise ValueError("odd")

    def prepare():
        if "--broken" in sys.argv: sys.argv.remove("--broken"); raise OSError("no state")

    suite = victim.Attack("test", prepare, attack, (ValueError,), ("half-changed model", "lost"), batch=10)
    broken = ["--count", "1"] if "--broken" in sys.argv else None
    raise SystemExit(victim.main(suite, broken))
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("victim") / "attack.py"
    path.write_text(textwrap.dedent(SCRIPT.format(folder=str(FOLDER))))
    return path


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, timeout=60, cwd=script.parent
    )


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_every_kind_of_fault_is_counted_and_named(script: Path, jobs: str) -> None:
    done = run(script, "--count", "40", "--jobs", jobs)
    assert done.returncode == 1, done.stderr
    counts = dict(line.rsplit(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("  "))
    counts = {key.strip(): count for key, count in counts.items()}
    assert counts.items() >= {
        "accepted": "20", "refused": "12", "ValueError": "12", "death": "2", "no end": "1",
        "undocumented exception": "3", "slow refusal": "1", "half-changed model": "1", "lost": "0",
    }.items()  # fmt: skip
    for line in (
        "case 3: death: SIGSEGV: Fatal Python error: Segmentation fault",
        "case 5: death: exit status 0",
        "case 7: undocumented exception: KeyError: 'seven', attack.py:",
        "case 11: no end: SIGKILL",
        "case 13: slow refusal: ValueError",
        "case 17: half-changed model: by hand",
        "case 19: undocumented exception: MemoryError",
        "case 29: undocumented exception: AxisError: of another library",
        "    note 3",
    ):
        assert line in done.stdout
    assert [path.name for path in script.parent.iterdir()] == ["attack.py"]  # nothing is left by case 23


def test_one_case_is_repeated_with_its_traceback(script: Path) -> None:
    done = run(script, "--only", "7")
    assert done.returncode == 1 and "KeyError: 'seven'" in done.stderr and done.stdout == "note 7\n"
    done = run(script, "--only", "2")
    assert done.returncode == 0 and done.stdout == "note 2\n"
    assert run(script, "--only", "3").returncode < 0


def test_no_faults(script: Path) -> None:
    done = run(script, "--count", "3")
    assert done.returncode == 0 and done.stdout.startswith("test: 3 cases in ")


def test_a_child_that_cannot_begin_is_an_error(script: Path) -> None:
    done = run(script, "--broken")
    assert done.returncode not in (0, None) and "a child ended before its first case" in done.stderr
    assert "no state" in done.stderr
