"""CSVLogger: the results of every epoch in a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TextIO

from ranvier.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes one line of comma-separated values for each epoch, below a line with the names.

    Args:
        filename: the file.
        separator: what stands between the values.
        append: whether to continue an existing file; else it is replaced.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._file: TextIO | None = None
        self._writer: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        continues = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")
        self._writer = None
        self._write_header = not continues

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if self._file is None:
            return
        if self._writer is None:
            self.keys = sorted(logs)
            # Without validation in the first epoch its columns would be missed later.
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            import csv  # here: most programs write none

            self._writer = csv.DictWriter(
                self._file, ["epoch", *self.keys], delimiter=self.sep, lineterminator="\n"
            )
            if self._write_header:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch} | {k: _cell(logs.get(k, "NA")) for k in self.keys or ()})
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._writer = None


def _cell(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f'"[{", ".join(map(str, value))}]"'
    return value
