"""What the README shows, works. Its two commands are run by .ci/run."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def block(language: str) -> str:
    text = README.read_text(encoding="utf-8")
    match = re.search(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert match, f"no ```{language} block in {README}"
    return match[1]


def test_the_ten_lines(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # they save a model
    scope: dict[str, object] = {}
    exec(block("python"), scope)
    loss, accuracy = re.findall(r"\d\.\d+", capsys.readouterr().out.splitlines()[-1])
    assert float(accuracy) > 0.95, (loss, accuracy)


def test_the_two_commands_are_complete_in_themselves():
    for name in ("demo", "test"):
        command = block(f"sh {name}")
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert command.count("\n") == 1
