"""A terminal as far as progress lines need one: what stands on the screen after some output."""

from __future__ import annotations

import re
import unicodedata

_TOKEN = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n\b])|(.)", re.DOTALL)


class Emulator:
    """Rows of a fixed number of columns. A text that reaches the last one goes on in the next row.

    Args:
        columns: the width of the window.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.rows: list[list[str]] = [[]]
        self.row = self.column = 0

    def feed(self, text: str) -> Emulator:
        for parameters, command, control, character in _TOKEN.findall(text):
            if command == "K":
                assert parameters in ("", "0"), parameters
                # Behind a full row the cursor still stands on its last cell.
                del self.rows[self.row][min(self.column, self.columns - 1) :]
            elif command:
                assert command == "m", f"a command that this terminal does not know: {parameters}{command}"
            elif control == "\r":
                self.column = 0
            elif control == "\b":
                self.column = max(self.column - 1, 0)
            elif control == "\n":
                self._next_row()
            else:
                self._put(character)
        return self

    def resize(self, columns: int) -> None:
        """Cuts rows that are longer, as xterm does; others fold them."""
        self.columns = columns
        self.rows = [row[:columns] for row in self.rows]
        self.column = min(self.column, columns)

    def lines(self) -> list[str]:
        """What can be read, row by row, without the empty rows at the end."""
        lines = ["".join(row).rstrip() for row in self.rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def _put(self, character: str) -> None:
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self.column + width > self.columns:
            self._next_row()
        row = self.rows[self.row]
        row.extend(" " * (self.column - len(row)))
        row[self.column : self.column + width] = [character, ""][:width]  # a wide one has two cells
        self.column += width

    def _next_row(self) -> None:
        self.row += 1
        self.column = 0
        if self.row == len(self.rows):
            self.rows.append([])
