"""Where a progress line is shown: a terminal, a notebook, the console of an IDE, or a file."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from ranvier.core.settings import is_interactive_logging_enabled

Part = tuple[str, str]  # a text, and the escape sequence of its style or ""

_PLAIN = "\x1b[0m"
_NEW_LINE = "\r\x1b[K"  # erased first: after a line that fills the row, its last character would go
_USUAL_WIDTH = 80  # of a terminal that does not tell
_WAIT = 0.3  # seconds for which a notebook shows no line yet: short runs need none


class Screen:
    """An output whose lines stay as they are written: a file, a pipe, a log. The others derive from it.

    Attributes:
        is_live: whether a line can be drawn again in place.
        is_styled: whether it understands bold and colours.
    """

    is_live = False
    is_styled = False

    def width(self) -> int | None:
        """The columns of a line; None: as many as it takes."""
        return None

    def draw(self, parts: Sequence[Part]) -> None:
        """Shows a line in the place of the last one that was drawn."""

    def finish(self, parts: Sequence[Part]) -> None:
        """Shows a line for good, in the place of the last one that was drawn."""
        self._write(self.styled(parts) + "\n")

    def break_off(self) -> None:
        """Leaves the line that was drawn last for good."""

    def close(self) -> None:
        """Says that for now there will be no further lines."""

    def styled(self, parts: Sequence[Part]) -> str:
        """The parts of a line as one text."""
        if not self.is_styled:
            return "".join(text for text, _ in parts)
        return "".join(f"{style}{text}{_PLAIN}" if style and text else text for text, style in parts)

    def _write(self, text: str) -> None:
        if sys.stdout is not None:  # a program without a console has none
            sys.stdout.write(text)
            sys.stdout.flush()


class Terminal(Screen):
    """A terminal. A line must not reach its last column: it would go on in the next row, out of reach.

    Args:
        is_styled: whether it understands bold and colours.
    """

    is_live = True

    def __init__(self, is_styled: bool = True) -> None:
        self.is_styled = is_styled and not os.environ.get("NO_COLOR")
        self._is_open = False

    def width(self) -> int | None:
        try:  # each time anew: windows are resized
            columns = os.get_terminal_size(sys.stdout.fileno()).columns
        except (AttributeError, OSError, ValueError):
            columns = 0
        if columns <= 0:
            given = os.environ.get("COLUMNS", "")
            columns = int(given) if given.isdecimal() and int(given) > 0 else _USUAL_WIDTH
        return max(columns - 1, 1)

    def draw(self, parts: Sequence[Part]) -> None:
        self._is_open = True
        self._write(f"{_NEW_LINE}{self.styled(parts)}")

    def finish(self, parts: Sequence[Part]) -> None:
        self._is_open = False
        self._write(f"{_NEW_LINE}{self.styled(parts)}\n")

    def break_off(self) -> None:
        if self._is_open:
            self._is_open = False
            self._write("\n")


class Console(Terminal):
    """The console of an IDE or editor: it knows how to return to the beginning of a line, and no more."""

    def __init__(self, is_styled: bool = True) -> None:
        super().__init__(is_styled)
        self._drawn = 0  # columns of the last line

    def width(self) -> int | None:
        return None

    def draw(self, parts: Sequence[Part]) -> None:
        self._is_open = True
        self._write(self._over_the_last(parts))

    def finish(self, parts: Sequence[Part]) -> None:
        self._is_open = False
        self._write(f"{self._over_the_last(parts)}\n")
        self._drawn = 0

    def _over_the_last(self, parts: Sequence[Part]) -> str:
        before, self._drawn = self._drawn, columns_of(parts)
        return f"\r{self.styled(parts)}{' ' * (before - self._drawn)}"


class Notebook(Screen):
    """A notebook. The line that moves is an output of its own, emptied at the end; finished ones are text.

    Text cannot be taken back: what is drawn over in it stays in the file, and an export shows all of it.
    """

    is_live = True

    def __init__(self) -> None:
        self.is_styled = not os.environ.get("NO_COLOR")
        self._since = time.perf_counter()
        self._handle: Any = None
        self._drawn: Sequence[Part] | None = None

    def draw(self, parts: Sequence[Part]) -> None:
        self._drawn = parts
        if self._handle is None and time.perf_counter() - self._since < _WAIT:
            return
        data = {"text/plain": self.styled(parts)}
        if self._handle is None:
            from IPython.display import display

            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def finish(self, parts: Sequence[Part]) -> None:
        self._drawn = None
        super().finish(parts)

    def break_off(self) -> None:
        if self._drawn is not None:
            self.finish(self._drawn)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.update({"text/html": "", "text/plain": ""}, raw=True)
            self._handle = None


def find_screen() -> Screen:
    """What the standard output is at this moment."""
    stream: Any = sys.stdout
    if stream is None or not is_interactive_logging_enabled():
        return Screen()
    module = type(stream).__module__
    if module.startswith("spyder_kernels") or (
        module.startswith("ipykernel") and "spyder_kernels" in sys.modules
    ):
        return Console()
    if module.startswith("ipykernel"):
        return Notebook()
    if module.startswith("idlelib"):  # it says that it is a terminal, but cannot write over a line
        return Screen()
    if hasattr(stream, "isatty") and stream.isatty():
        return Console(is_styled=False) if os.environ.get("TERM") == "dumb" else Terminal()
    if os.environ.get("PYCHARM_HOSTED") and _is_output_of_process(stream):
        return Console()
    return Screen()


def _is_output_of_process(stream: Any) -> bool:
    """Whether a stream is not one that a program put in the place of its output, to keep what is written."""
    if type(stream).__module__.startswith("_pydev"):  # PyCharm's interactive console
        return True
    try:
        return bool(stream.fileno() == 1)
    except (AttributeError, OSError, ValueError):
        return False


def can_write(text: str) -> bool:
    """Whether the standard output's encoding has all characters of a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def columns_of(parts: Sequence[Part]) -> int:
    """How many columns the parts of a line take."""
    return sum(_columns(text) for text, _ in parts)


def cut(parts: Sequence[Part], room: int) -> list[Part]:
    """The beginning of a line, as far as it goes into a number of columns."""
    kept: list[Part] = []
    for text, style in parts:
        if _columns(text) > room:
            while _columns(text) > room:
                text = text[:-1]
            return [*kept, (text, style)]
        kept.append((text, style))
        room -= _columns(text)
    return kept


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(_columns_of_character(c) for c in text)


def _columns_of_character(character: str) -> int:
    import unicodedata  # a line of ASCII needs none of it

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):  # on top of the one before, or not seen
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
