"""CSVLogger: the results of every epoch in a file."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from typing import Any

from ranvier.callbacks.callback import Callback, Logs
from ranvier.core.files import append


class CSVLogger(Callback):
    """Writes one line of comma-separated values for each epoch, below a line with the names.

    A line is written whole or not at all, and the file is closed in between.

    Args:
        filename: the file.
        separator: what stands between the values.
        append: whether to continue an existing file; else it is replaced.

    Raises:
        OSError: from `fit`, if the file cannot be written.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._training = False
        self._write_header = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        continues = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        with open(self.filename, "a" if self.append else "w", encoding="utf-8"):
            pass  # it is there, and empty, before the first epoch ends
        self.keys = None
        self._training, self._write_header = True, not continues

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if not self._training:
            return
        rows: list[list[Any]] = []
        if self.keys is None:
            self.keys = sorted(logs)
            # Without validation in the first epoch its columns would be missed later.
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            rows += [["epoch", *self.keys]] if self._write_header else []
        rows.append([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        import csv  # here: most programs write none

        text = io.StringIO()
        csv.writer(text, delimiter=self.sep, lineterminator="\n").writerows(rows)
        append(self.filename, text.getvalue())

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._training = False


def _cell(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f'"[{", ".join(map(str, value))}]"'
    return value
