"""What a progress line leaves on a screen of a certain width, and what kinds of screens there are."""

from __future__ import annotations

import io
import os
import re
import sys
from types import SimpleNamespace

import pytest
from tests.callbacks.emulator import Emulator

import ranvier as rv
from ranvier.callbacks import progbar, screen
from ranvier.callbacks.progbar import Progbar

METRICS = [("accuracy", 0.5), ("loss", 0.25), ("mean_absolute_error", 0.125), ("正解率", 0.75)]


class Tty(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True

    def fileno(self):
        return 1


@pytest.fixture
def window(monkeypatch):
    """A terminal in the place of stdout, whose width can be changed: `window.columns`."""
    stream = Tty()
    stream.columns = 80
    monkeypatch.setattr(os, "get_terminal_size", lambda fd: os.terminal_size((stream.columns, 24)))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLUMNS", raising=False)

    def install():  # to be called in the test: pytest replaces stdout before it
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return install


@pytest.mark.parametrize("columns", [7, 20, 40, 60, 79, 80, 81, 100, 117, 118, 200])
def test_each_line_is_drawn_over_the_last(columns, window):
    stream = window()
    stream.columns = columns
    bar = Progbar(20, interval=0, stateless_metrics=())
    for step in range(1, 20):
        bar.update(step, METRICS, finalize=False)
        assert len(Emulator(columns).feed(stream.getvalue()).lines()) == 1
    bar.update(20, METRICS)
    emulator = Emulator(columns).feed(stream.getvalue())
    whole = "".join("".join(row) for row in emulator.rows)
    assert all(f"{name}: {value:.4f}" in whole for name, value in METRICS)  # the last line is not cut
    assert len(emulator.lines()) == 1 or columns < 119


def test_a_window_is_resized(window):
    stream = window()
    stream.columns = 120
    seen, emulator = 0, Emulator(120)
    bar = Progbar(20, interval=0, stateless_metrics=())
    for step in range(1, 20):
        if step % 5 == 0:
            stream.columns -= 30 if step < 15 else -60
            emulator.resize(stream.columns)
        bar.update(step, METRICS, finalize=False)
        emulator.feed(stream.getvalue()[seen:])
        seen = len(stream.getvalue())
        assert len(emulator.lines()) == 1


@pytest.mark.parametrize(
    ("columns", "longest", "end"),
    [
        (200, 20, "正解率: 0.7500"),
        (119, 20, "正解率: 0.7500"),
        (118, 19, "正解率: 0.7500"),
        (104, 5, "正解率: 0.7500"),
        (103, 0, "正解率: 0.7500"),
        (98, 0, "正解率: 0.7500"),
        (97, 0, "正解率: 0.750"),
    ],
)
def test_the_bar_makes_room(columns, longest, end, window, monkeypatch):
    monkeypatch.setattr(progbar, "time", SimpleNamespace(perf_counter=lambda: 1.0))
    stream = window()
    stream.columns = columns
    Progbar(20, interval=0, stateless_metrics=()).update(7, METRICS, finalize=False)
    line = Emulator(columns).feed(stream.getvalue()).lines()[0]
    assert line.count("━") == longest and line.endswith(end)


@pytest.mark.parametrize("size", [0, OSError(25, "not a terminal"), ValueError("no file")])
def test_a_width_that_is_not_known(size, window, monkeypatch):
    window()

    def get_terminal_size(fd):
        if isinstance(size, Exception):
            raise size
        return os.terminal_size((size, 0))

    monkeypatch.setattr(os, "get_terminal_size", get_terminal_size)
    assert screen.Terminal().width() == 79
    monkeypatch.setenv("COLUMNS", "50")
    assert screen.Terminal().width() == 49
    monkeypatch.setenv("COLUMNS", "no number")
    assert screen.Terminal().width() == 79


@pytest.mark.parametrize(
    ("text", "room", "kept"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("正解率", 6, "正解率"),
        ("正解率", 5, "正解"),
        ("e\u0301te", 2, "e\u0301t"),
        ("abc", 0, ""),
    ],
)
def test_cut(text, room, kept):
    assert "".join(t for t, _ in screen.cut([(text, "")], room)) == kept
    line = screen.cut([("xy", ""), (text, ""), ("!", "")], room + 2)
    assert "".join(t for t, _ in line).startswith(f"xy{kept}")


def stream_of(module, tty=False, fd=None):
    def fileno():
        if fd is None:
            raise io.UnsupportedOperation("fileno")
        return fd

    kind = type("Stream", (SimpleNamespace,), {"__module__": module})
    return kind(isatty=lambda: tty, fileno=fileno, encoding="utf-8", write=lambda s: None, flush=lambda: None)


@pytest.mark.parametrize(
    ("stream", "environment", "kind"),
    [
        (None, {}, screen.Screen),
        (stream_of("_io", tty=True, fd=1), {}, screen.Terminal),
        (stream_of("_io", fd=1), {}, screen.Screen),
        (stream_of("_io", tty=True, fd=1), {"TERM": "dumb"}, screen.Console),
        (stream_of("_io", fd=1), {"PYCHARM_HOSTED": "1"}, screen.Console),
        (stream_of("_io"), {"PYCHARM_HOSTED": "1"}, screen.Screen),  # a StringIO keeps what is printed
        (stream_of("_pydev_bundle.pydev_io"), {"PYCHARM_HOSTED": "1"}, screen.Console),
        (stream_of("ipykernel.iostream"), {}, screen.Notebook),
        (stream_of("spyder_kernels.console.outstream", tty=True), {}, screen.Console),
        (stream_of("idlelib.run", tty=True), {}, screen.Screen),
    ],
    ids=lambda value: str(getattr(value, "__name__", value))[:40],
)
def test_kinds(stream, environment, kind, monkeypatch):
    monkeypatch.delenv("PYCHARM_HOSTED", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", stream)
    assert type(screen.find_screen()) is kind
    rv.config.disable_interactive_logging()
    try:
        assert type(screen.find_screen()) is screen.Screen
    finally:
        rv.config.enable_interactive_logging()


def test_a_console_without_commands(monkeypatch):
    """It draws over the last line with spaces, and its lines are as long as they are."""
    stream = Tty()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "dumb")
    bar = Progbar(10, interval=0, stateless_metrics=())
    bar.update(1, [("loss", 1e9)], finalize=False)
    bar.update(2, [("loss", 1.0)], finalize=False)
    bar.update(10, [("loss", 0.5)])
    text = stream.getvalue()
    assert "\x1b" not in text
    assert Emulator(200).feed(text).lines()[0].endswith("loss: 0.5000")
    assert re.search(r"-{18} ", text)  # what is to come, where there are no colours


def test_no_colours_where_none_are_wanted(monkeypatch):
    stream = Tty()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    Progbar(2, interval=0).update(1, finalize=False)
    assert stream.getvalue().replace("\x1b[K", "").count("\x1b") == 0


@pytest.mark.parametrize("columns", [97, 98])
def test_a_last_line_that_fills_the_row_is_whole(columns, window, monkeypatch):
    monkeypatch.setattr(progbar, "time", SimpleNamespace(perf_counter=lambda: 1.0))
    stream = window()
    stream.columns = columns
    Progbar(20, interval=0, stateless_metrics=()).update(20, METRICS)
    assert "正解率: 0.7500" in "".join(Emulator(columns).feed(stream.getvalue()).lines())
