"""Programs by their signatures: the ones used longest ago go when they are too many or too large."""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from ranvier import _core
from ranvier.core import dtypes
from ranvier.core.context import context


class Entry(Protocol):
    """What is kept: a program and what goes with it."""

    @property
    def program(self) -> _core.Program: ...


E = TypeVar("E", bound=Entry)


def ambient_key() -> tuple[Hashable, ...]:
    """What every program depends on besides its inputs and what was traced, as a part of its signature.

    The process is one of them: a fork may have copied a program while another thread held its lock.
    """
    return (context.training, _core.num_threads(), dtypes.settings(), os.getpid())


class ProgramCache(Generic[E]):
    """The programs of one function, step or layer.

    There is no lock: a child of fork() might find it taken for ever. Each operation on the dict is atomic.

    Args:
        most: how many programs are kept at most.
        most_bytes: how many bytes their arenas take at most; two programs are kept whatever they take.
    """

    __slots__ = ("_entries", "_most", "_most_bytes")

    def __init__(self, most: int = 64, most_bytes: int = 256 << 20) -> None:
        self._entries: OrderedDict[Hashable, E] = OrderedDict()
        self._most, self._most_bytes = most, most_bytes

    def get(self, key: Hashable) -> E | None:
        """What was put there under a signature and has not been dropped since; None if nothing."""
        entry = self._entries.get(key)
        if entry is not None:
            with contextlib.suppress(KeyError):  # another thread has just dropped it
                self._entries.move_to_end(key)
        return entry

    def put(self, key: Hashable, entry: E) -> None:
        """Keeps a program under its signature, in the place of what was there."""
        self._entries[key] = entry
        self._entries.move_to_end(key)
        size = sum(kept.program.arena_bytes for kept in list(self._entries.values()))
        while len(self._entries) > 2 and (len(self._entries) > self._most or size > self._most_bytes):
            _, dropped = self._entries.popitem(last=False)
            size -= dropped.program.arena_bytes

    def __len__(self) -> int:
        return len(self._entries)
