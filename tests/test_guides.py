"""Every Python block of the guides runs: a page's blocks in order, in one namespace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs" / "guides").glob("*.md"))
# A block that cannot run here has another info string: "```python no-run".
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_there_are_guides():
    assert {"coming-from-keras", "custom-steps"} <= {page.stem for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)  # a page may write files
    text = page.read_text(encoding="utf-8")
    scope: dict[str, object] = {"__name__": f"guide_{page.stem}".replace("-", "_")}
    for match in BLOCK.finditer(text):
        line = text[: match.start()].count("\n") + 1
        exec(compile("\n" * line + match[1], str(page), "exec"), scope)
