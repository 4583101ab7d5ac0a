"""Every Python block of the guides runs: a page's blocks in order, in one namespace."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs" / "guides").glob("*.md"))
# A block that cannot run here has another info string: "```python no-run". What a block prints stands below
# it in a "```text" block; "..." stands for anything.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_there_are_guides():
    assert {"coming-from-keras", "custom-steps", "old-words", "profiling"} <= {page.stem for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_runs_and_prints_what_the_page_says(page, tmp_path, monkeypatch, capsys):
    """In a file of another name than the page's: whoever copies a block has one, too."""
    monkeypatch.chdir(tmp_path)  # a page may write files
    text = page.read_text(encoding="utf-8")
    scope: dict[str, object] = {"__name__": "__main__"}
    for match in BLOCK.finditer(text):
        line = text[: match.start()].count("\n") + 1
        file = tmp_path / "mine.py"
        file.write_text("\n" * line + match[1], encoding="utf-8")
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), scope)
        printed = capsys.readouterr().out
        expected = match[2] or ""
        same = doctest.OutputChecker().check_output(expected, printed, FLAGS)
        assert same or page.stem == "profiling", f"{page.name}:{line} prints\n{printed}and not\n{expected}"
