"""A user's session, as it looks on a terminal, in a pipe and in a notebook: the lines are counted."""

from __future__ import annotations

import html
import os
import re
import struct
import subprocess
import sys

import pytest
from tests.callbacks.emulator import Emulator

SESSION = """
import time
import numpy as np
import ranvier as rv

x = np.random.default_rng(0).random((160, 4), dtype="float32")
y = (x.sum(axis=1) > 2).astype("float32")[:, None]


class Slow(rv.callbacks.Callback):  # so that the line is drawn often
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.06)


model = rv.Sequential([rv.Input((4,)), rv.layers.Dense(1, activation="sigmoid")])
model.compile("sgd", "binary_crossentropy", metrics=["accuracy", "mae", "mse"])
model.fit(x, y, epochs=2, batch_size=16, callbacks=[Slow()])
model.evaluate(x, y)
_ = model.predict(x)
"""
# Two epochs with a heading each, the evaluation, the prediction.
TEXT = """\
Epoch 1/2
10/10 # 0s #/step - accuracy: # - loss: # - mae: # - mse: #
Epoch 2/2
10/10 # 0s #/step - accuracy: # - loss: # - mae: # - mse: #
5/5 # 0s #/step - accuracy: # - loss: # - mae: # - mse: #
5/5 # 0s #/step
"""


def pattern(text: str) -> str:
    """`TEXT` as a regular expression in which "#" is a number, a time or a bar, which may be missing."""
    text = re.escape(text).replace(r"\ ", " ").replace(r"\#/step", r"\d+(?:s|ms|us)/step")
    text = text.replace(r" \# 0s", r"(?: ━+)? \d+s").replace(r"\#", r"[0-9.]+(?:e-\d+)?")
    return text


def environment() -> dict[str, str]:
    """The variables of a plain terminal, whatever the tests run in."""
    kept = {
        name: v for name, v in os.environ.items() if name not in ("NO_COLOR", "PYCHARM_HOSTED", "COLUMNS")
    }
    return {**kept, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}


def on_a_terminal(columns: int) -> str:
    """All that the session writes on a terminal of this width."""
    pty, termios, fcntl = (pytest.importorskip(name) for name in ("pty", "termios", "fcntl"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([sys.executable, "-c", SESSION], stdout=theirs, env=environment())
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:  # how Linux says that the other end was closed
        pass
    assert process.wait() == 0
    os.close(ours)
    return written.decode()


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_on_a_terminal(columns):
    """Six lines stay; those that are too long for the window are folded, when they are complete."""
    written = on_a_terminal(columns)
    assert written.count("\r") > 12  # it was drawn often
    whole = re.sub(r"(?m)^.*\r", "", re.sub(r"\x1b\[[0-9;]*[mK]", "", written.replace("\r\n", "\n")))
    assert re.fullmatch(pattern(TEXT), whole), whole
    rows = [
        line[i : i + columns].rstrip() for line in whole.splitlines() for i in range(0, len(line), columns)
    ]
    assert Emulator(columns).feed(written).lines() == rows
    assert len(rows) == 6 or columns < 200


def test_in_a_pipe():
    done = subprocess.run(
        [sys.executable, "-c", SESSION],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        env=environment(),
    )
    assert "\r" not in done.stdout and "\x1b" not in done.stdout and not done.stderr
    assert re.fullmatch(pattern(TEXT), done.stdout), done.stdout


@pytest.fixture(scope="module")
def notebook():
    """A notebook with the session, executed."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = [SESSION, "model.summary()\nmodel.fit(x, y, epochs=2)"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    return book


def test_in_a_notebook(notebook):
    """The line that moves is one output, empty in the end; the text is what a pipe would get."""
    first, second = notebook.cells
    moving = [output for output in first.outputs if output.output_type == "display_data"]
    assert [output.data for output in moving] == [{"text/html": "", "text/plain": ""}]
    text = "".join(output.text for output in first.outputs if output.output_type == "stream")
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert re.fullmatch(pattern(TEXT), text), text
    # So short a run needs no moving line; and the summary is text, too.
    assert {output.output_type for output in second.outputs} == {"stream", "execute_result"}
    assert second.outputs[-1].data["text/plain"].startswith("<History: 2 epochs")


def test_a_rendered_notebook(notebook):
    nbconvert = pytest.importorskip("nbconvert")
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    shown = html.unescape(re.sub(r"<[^>]*>", "", page[page.index("<main") :]))
    assert "\r" not in shown and "\x1b" not in shown
    for text, times in {"Epoch 1/2": 2, "Epoch 2/2": 2, "10/10": 2, "5/5": 4, "Total params": 1}.items():
        assert shown.count(text) == times, text
