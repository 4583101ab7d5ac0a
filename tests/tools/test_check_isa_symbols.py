"""The check of what object files offer, on object files made here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check_isa_symbols.py"
COMPILER = shutil.which("c++")

pytestmark = pytest.mark.skipif(not (COMPILER and shutil.which("nm")), reason="needs a C++ compiler and nm")


def check(tmp_path: Path, source: str, isa: str = "avx2") -> tuple[int, str]:
    folder = tmp_path / "CMakeFiles" / f"ranvier_{isa}.dir"
    folder.mkdir(parents=True)
    (tmp_path / "a.cpp").write_text(source)
    command = [str(COMPILER), "-O0", "-c", str(tmp_path / "a.cpp"), "-o", str(folder / "a.cpp.o")]
    subprocess.run(command, check=True, timeout=120)
    done = subprocess.run(
        [sys.executable, str(TOOL), str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout


def test_own_namespace_and_local_symbols_are_fine(tmp_path):
    source = """
    namespace ranvier::avx2 {
      static inline int twice(int x) { return 2 * x; }
      template <class T> T thrice(T x) { return 3 * x; }
      int kernel(int x) { return twice(x) + thrice(x); }
    }"""
    assert check(tmp_path, source) == (0, "isa symbols: ok in 1 objects\n")


@pytest.mark.parametrize(
    "source", ["inline int f(int x) { return x; } int (*g)(int) = f;", "int ranvier_f() { return 1; }"]
)
def test_others_are_not(tmp_path, source):
    code, report = check(tmp_path, source)
    assert code == 1 and "is offered to other instruction sets than avx2" in report


def test_the_baseline_may_offer_what_it_likes_but_something_must_be_there(tmp_path):
    code, report = check(tmp_path, "int f() { return 1; }", isa="baseline")
    assert code == 2 and "no object files" in report
