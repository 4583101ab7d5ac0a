"""Programs by their signatures: those that were not used for long go when they are too many or too large."""

from __future__ import annotations

import os
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from ranvier import _core
from ranvier.core import dtypes


class Entry(Protocol):
    """What is kept: a program and what goes with it."""

    @property
    def program(self) -> _core.Program: ...


E = TypeVar("E", bound=Entry)


def ambient_key() -> tuple[Hashable, ...]:
    """What every program depends on besides its inputs and what was traced, as a part of its signature.

    The process is one of them: a fork may have copied a program while another thread held its lock.
    """
    return (_core.num_threads(), dtypes.settings(), os.getpid())


class _Slot(Generic[E]):
    __slots__ = ("entry", "used")

    def __init__(self, entry: E) -> None:
        self.entry = entry
        self.used = False  # since it was put there, or last passed over


class ProgramCache(Generic[E]):
    """The programs of one function, step or layer.

    Looking up is a part of every call, so a use is a mark, and no order is kept. When room is needed, the
    oldest program without a mark goes, and older ones that have one lose it (the "clock" of page caches).

    There is no lock: a child of fork() might find it taken for ever. Each operation on the dict is atomic.

    Args:
        most: how many programs are kept at most.
        most_bytes: how many bytes their arenas take at most; two programs are kept whatever they take.
    """

    __slots__ = ("_most", "_most_bytes", "_slots")

    def __init__(self, most: int = 64, most_bytes: int = 256 << 20) -> None:
        self._slots: dict[Hashable, _Slot[E]] = {}
        self._most, self._most_bytes = most, most_bytes

    def get(self, key: Hashable) -> E | None:
        """What was put there under a signature and has not been dropped since; None if nothing."""
        slot = self._slots.get(key)
        if slot is None:
            return None
        slot.used = True
        return slot.entry

    def put(self, key: Hashable, entry: E) -> None:
        """Keeps a program under its signature, in the place of what was there."""
        self._slots.pop(key, None)
        self._slots[key] = _Slot(entry)
        size = sum(slot.entry.program.arena_bytes for slot in list(self._slots.values()))
        while len(self._slots) > 2 and (len(self._slots) > self._most or size > self._most_bytes):
            oldest = list(self._slots)[0]
            slot = self._slots.pop(oldest, None)
            if slot is None:  # another thread has just dropped it
                continue
            if slot.used or oldest == key:
                slot.used = False
                self._slots[oldest] = slot
            else:
                size -= slot.entry.program.arena_bytes

    def entries(self) -> list[E]:
        """All that is kept."""
        return [slot.entry for slot in list(self._slots.values())]

    def __len__(self) -> int:
        return len(self._slots)
