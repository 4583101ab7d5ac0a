"""Progbar: a line in the terminal that says how far a loop has come."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ranvier.callbacks.screen import Part, Screen, can_write, columns_of, cut, find_screen
from ranvier.core.user_code import ShortErrors

_BOLD, _GREEN, _GREY = "\x1b[1m", "\x1b[32m", "\x1b[37m"
_SHORTEST_BAR = 5


class Progbar(ShortErrors):
    """A progress bar with the averages of some values, the time left or taken, and the time per step.

    On a terminal, in a notebook and in the consoles of IDEs that can do so, the line is redrawn in place and
    kept within the window's width; elsewhere, and after `config.disable_interactive_logging()`, it is
    printed once, when it is complete. The complete line is never cut.

    Args:
        target: the number of steps; None: not known.
        width: the bar's width in characters; less where the line would not fit into the window.
        verbose: 0: silent; 1: a bar; 2: one line at the end.
        interval: the least number of seconds between two drawings.
        stateful_metrics: names of values to show as they are, not averaged.
        stateless_metrics: names of values to average; None: all that are not stateful.
        unit_name: what a step is called.

    Raises:
        ValueError: if both `stateful_metrics` and `stateless_metrics` are given.
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
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` and `stateless_metrics` can be given: all other values are "
                "of the other kind."
            )
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._screen = find_screen() if verbose == 1 else Screen()
        self._last_drawn = 0.0
        self.restart(target)

    def restart(self, target: int | None) -> None:
        """Begins the line of another loop.

        Args:
            target: its number of steps; None: not known.
        """
        self.target = target
        self._values: dict[str, Any] = {}  # name -> the value, or [sum, steps] where it is averaged
        self._seen_so_far = 0
        self._start = time.perf_counter()

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
        if finalize:
            self._screen.finish(self._line(current, now - self._start, finalize=True))
        elif self._screen.is_live and now - self._last_drawn >= self.interval:
            self._last_drawn = now
            self._screen.draw(self._line(current, now - self._start, finalize=False))

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Draws the line for `n` more steps."""
        self.update(self._seen_so_far + n, values)

    def break_off(self) -> None:
        """Ends a line that no update will end."""
        self._screen.break_off()
        self._screen.close()

    def close(self) -> None:
        """Says that for now there will be no further lines."""
        self._screen.close()

    # --- the line ---

    def _line(self, current: int, elapsed: float, finalize: bool) -> list[Part]:
        """The parts of the line. The bar is the first to make room; then it is cut, but not at the end."""
        room = self._screen.width()
        count, rest = self._count(current), self._rest(current, elapsed, finalize)
        if self.verbose != 1 or not self.target:
            parts = [count, *rest]
        else:
            width = self.width
            if room is not None:
                left = room - columns_of([count, *rest]) - 1
                width = min(width, left if left >= _SHORTEST_BAR else 0)
            parts = [count, *self._bar(current, width), *rest]
        return parts if room is None or finalize else cut(parts, room)

    def _count(self, current: int) -> Part:
        if self.target is None:
            return f"{current}/Unknown", _BOLD
        return f"{current:>{len(str(self.target))}}/{self.target}", _BOLD

    def _bar(self, current: int, width: int) -> list[Part]:
        if width <= 0 or not self.target:
            return []
        full = int(width * min(current / self.target, 1.0))
        piece = "━" if can_write("━") else "="
        space = piece if self._screen.is_styled else "-"
        return [(" ", ""), (piece * full, _GREEN), (space * (width - full), _GREY)]

    def _rest(self, current: int, elapsed: float, finalize: bool) -> list[Part]:
        per_step = elapsed / current if current else 0.0
        left = 0.0 if self.target is None else per_step * (self.target - current)
        clock = _clock(elapsed if finalize or self.target is None else left)
        if self.verbose == 1:
            parts = [(" ", ""), (clock, _BOLD), (f" {_per_step(per_step)}/{self.unit_name}", "")]
        else:
            parts = [(f" - {clock} - {_per_step(per_step)}/{self.unit_name}", "")]
        for name, value in self._values.items():
            mean = value[0] / max(1, value[1]) if isinstance(value, list) else value
            parts.append((f" - {name}: {_number(mean)}", ""))
        return parts


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
        value = float(np.mean(value))
    except (TypeError, ValueError):
        return str(value)
    return f"{value:.4f}" if abs(value) > 1e-3 or value != value else f"{value:.4e}"
