"""What is printed on a stream that cannot show every character."""

from __future__ import annotations

import io
import re
import sys

import pytest

import ranvier as rv
from ranvier.models.summary import printable


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


def summary_on(encoding, monkeypatch, name="net", kind=io.TextIOWrapper):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", kind(raw, encoding=encoding))
    rv.Sequential([rv.Input((2,)), rv.layers.Dense(3, name=name)], name="m").summary()
    sys.stdout.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_ascii_frame(encoding, monkeypatch):
    lines = summary_on(encoding, monkeypatch).splitlines()
    assert set(lines[1]) == {"+", "="} and len({len(line) for line in lines[1:6]}) == 1
    assert lines[4].startswith("| net (Dense)") and "?" not in "".join(lines)


def test_other_characters_are_replaced(monkeypatch):
    assert "d?nse (Dense)" in summary_on("ascii", monkeypatch, name="dénse")


def test_the_frame_stays_where_it_can_be_shown(monkeypatch):
    assert "┏━" in summary_on("utf-8", monkeypatch)
    assert printable("┏━┓", None) == "┏━┓"


def test_colours_on_a_terminal(monkeypatch):
    """The text is the same; types, numbers and unknown sizes have colours of their own."""
    plain = summary_on("utf-8", monkeypatch)
    assert "\x1b" not in plain
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = summary_on("utf-8", monkeypatch, kind=Terminal)
    assert "\x1b[38;5;33mDense\x1b[0m" in coloured and "\x1b[38;5;45mNone\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert summary_on("utf-8", monkeypatch, kind=Terminal) == plain


def test_a_long_name_is_cut_in_ascii(monkeypatch):
    assert "Total params: 9" in summary_on("ascii", monkeypatch, name="a" * 90)
