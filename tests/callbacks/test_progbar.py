from __future__ import annotations

import io
import re
import sys

import pytest

from ranvier.callbacks.progbar import Progbar, _clock, _number, _per_step


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


class Ascii(Terminal):
    encoding = "ascii"


def open_terminal(monkeypatch, kind=Terminal):
    """A terminal in the place of stdout (to be called in the test: pytest replaces stdout before it)."""
    stream = kind()
    monkeypatch.setattr(sys, "stdout", stream)
    return stream


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", text)


def test_on_a_terminal(monkeypatch):
    terminal = open_terminal(monkeypatch)
    bar = Progbar(4, interval=0)
    for step in range(1, 5):
        bar.update(step, [("loss", 2.0 / step)])
    text = terminal.getvalue()
    assert text.count("\r") == 4 and text.endswith("\n") and text.count("\n") == 1
    last = plain(text).split("\r")[-1]
    assert last.startswith("4/4 " + "━" * 20 + " 0s ") and "/step - loss: 1.0417" in last  # the mean


def test_values_shown_as_they_are(monkeypatch):
    terminal = open_terminal(monkeypatch)
    bar = Progbar(2, interval=0, stateful_metrics=["loss"])
    bar.update(1, [("loss", 2.0)])
    bar.update(2, [("loss", 1.0)])
    assert " - loss: 1.0000" in plain(terminal.getvalue()).split("\r")[-1]


def test_drawings_keep_their_distance(monkeypatch):
    terminal = open_terminal(monkeypatch)
    bar = Progbar(1000, interval=10)
    for step in range(1, 1001):
        bar.update(step)
    assert terminal.getvalue().count("\r") == 2  # the first and the last


def test_elsewhere_there_is_one_line(capsys):
    bar = Progbar(3)
    for _ in range(3):
        bar.add(1, [("loss", 1e-5)])
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "\r" not in out and "\x1b" not in out and "1.0000e-05" in out


def test_one_line_form(capsys):
    Progbar(3, verbose=2).update(3, [("loss", 0.5)])
    assert re.fullmatch(r"3/3 - 0s - \d+(us|ms|s)/step - loss: 0\.5000\n", capsys.readouterr().out)


def test_silent(capsys):
    Progbar(3, verbose=0).update(3)
    assert capsys.readouterr().out == ""


def test_unknown_length(monkeypatch):
    terminal = open_terminal(monkeypatch)
    bar = Progbar(None, interval=0, unit_name="batch")
    bar.update(5)
    bar.update(6, finalize=True)
    assert "6/Unknown" in plain(terminal.getvalue()) and "/batch" in terminal.getvalue()


def test_terminals_without_the_character(monkeypatch):
    stream = open_terminal(monkeypatch, Ascii)
    Progbar(2, interval=0).update(2)
    assert "=" * 20 in stream.getvalue() and "━" not in stream.getvalue()


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0s"), (59.9, "59s"), (75, "1:15"), (3671, "1:01:11")])
def test_clock(seconds, text):
    assert _clock(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(3.2, "3s"), (0.0123, "12ms"), (0.000377, "377us"), (0, "0s")])
def test_per_step(seconds, text):
    assert _per_step(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5000"), (0.0, "0.0000e+00"), (-1e-4, "-1.0000e-04"), (float("nan"), "nan"), ("x", "x")],
)
def test_number(value, text):
    assert _number(value) == text


def test_no_console(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    bar = Progbar(2)
    bar.update(1)
    bar.update(2)
    bar.break_off()


def test_an_interrupt_ends_the_line(monkeypatch):
    stream = open_terminal(monkeypatch)
    bar = Progbar(10)
    bar.break_off()
    assert stream.getvalue() == ""
    bar.update(3)
    assert not stream.getvalue().endswith("\n")
    bar.break_off()
    bar.break_off()
    assert stream.getvalue().endswith("\n") and stream.getvalue().count("\n") == 1
