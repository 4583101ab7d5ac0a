"""Progbar: a line in the terminal that says how far a loop has come."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from ranvier.core.settings import is_interactive_logging_enabled

_BOLD, _GREEN, _GREY, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"
_ERASE_REST = "\x1b[K"


class Progbar:
    """A progress bar with the averages of some values, the time left or taken, and the time per step.

    On a terminal (or in a notebook) the line is redrawn in place; elsewhere, and after
    `config.disable_interactive_logging()`, it is printed once, when it is complete.

    Args:
        target: the number of steps; None: not known.
        width: the bar's width in characters.
        verbose: 0: silent; 1: a bar; 2: one line at the end.
        interval: the least number of seconds between two drawings.
        stateful_metrics: names of values to show as they are, not averaged.
        stateless_metrics: names of values to average; None: all that are not stateful.
        unit_name: what a step is called.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._values: dict[str, Any] = {}  # name -> the value, or [sum, steps] where it is averaged
        self._seen_so_far = 0
        self._start = time.perf_counter()
        self._last_drawn = 0.0
        self._line_is_open = False
        is_terminal = hasattr(sys.stdout, "isatty") and sys.stdout.isatty()
        self._dynamic = is_interactive_logging_enabled() and (is_terminal or "ipykernel" in sys.modules)

    def _is_stateful(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name not in self.stateless_metrics
        return name in self.stateful_metrics

    def update(
        self, current: int, values: Sequence[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Draws the line.

        Args:
            current: the number of steps done.
            values: (name, value) pairs; each counts for the steps since the last update.
            finalize: whether this is the last update; None: it is when `current` reaches `target`.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        new_steps = max(current - self._seen_so_far, 0)
        for name, value in values or ():
            if self._is_stateful(name):
                self._values[name] = value
            else:
                total = self._values.setdefault(name, [0.0, 0])
                weight = new_steps or 1
                total[0] += value * weight
                total[1] += weight
        self._seen_so_far = current
        if self.verbose == 0 or (self.verbose == 2 and not finalize):
            return
        now = time.perf_counter()
        if not finalize and (not self._dynamic or now - self._last_drawn < self.interval):
            return
        self._last_drawn = now
        self._write(self._line(current, now - self._start, finalize), finalize)

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Draws the line for `n` more steps."""
        self.update(self._seen_so_far + n, values)

    # --- the line ---

    def _line(self, current: int, elapsed: float, finalize: bool) -> str:
        parts = [self._count_and_bar(current)]
        per_step = elapsed / current if current else 0.0
        left = 0.0 if self.target is None else per_step * (self.target - current)
        clock = _clock(elapsed if finalize or self.target is None else left)
        if self.verbose == 1:
            parts.append(f" {self._styled(clock, _BOLD)} {_per_step(per_step)}/{self.unit_name}")
        else:
            parts.append(f" - {clock} - {_per_step(per_step)}/{self.unit_name}")
        for name, value in self._values.items():
            mean = value[0] / max(1, value[1]) if isinstance(value, list) else value
            parts.append(f" - {name}: {_number(mean)}")
        return "".join(parts)

    def _count_and_bar(self, current: int) -> str:
        if self.target is None:
            return self._styled(f"{current}/Unknown", _BOLD)
        count = f"{current:>{len(str(self.target))}}/{self.target}"
        if self.verbose != 1:
            return count
        full = int(self.width * min(current / self.target, 1.0)) if self.target else self.width
        piece = "━" if _can_write("━") else "="
        bar = self._styled(piece * full, _GREEN) + self._styled(piece * (self.width - full), _GREY, space="-")
        return f"{self._styled(count, _BOLD)} {bar}"

    def _styled(self, text: str, style: str, space: str | None = None) -> str:
        """`text` in a terminal's style; `space` in its place, if given, where there is no terminal."""
        if self._dynamic and self.verbose == 1:
            return f"{style}{text}{_PLAIN}"
        return text if space is None else space * len(text)

    def _write(self, line: str, finalize: bool) -> None:
        if self._dynamic and self.verbose == 1:
            line = f"\r{line}{_ERASE_REST}"
        self._line_is_open = not finalize
        if sys.stdout is not None:  # a program without a console has none
            sys.stdout.write(line + ("\n" if finalize else ""))
            sys.stdout.flush()

    def break_off(self) -> None:
        """Ends a line that no update will end."""
        if self._line_is_open and sys.stdout is not None:
            self._line_is_open = False
            sys.stdout.write("\n")
            sys.stdout.flush()


def _can_write(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _clock(seconds: float) -> str:
    """75 -> "1:15"; less than a minute: "12s"."""
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def _per_step(seconds: float) -> str:
    """A duration with the unit that suits it: "3s", "12ms", "377us"."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _number(value: Any) -> str:
    try:
        value = float(value)
    except (TypeError, ValueError):
        return str(value)
    return f"{value:.4f}" if abs(value) > 1e-3 or value != value else f"{value:.4e}"
