"""Programs are kept by signature, and the ones used longest ago go."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

import ranvier as rv
from ranvier import _core
from ranvier.core.program_cache import ProgramCache, ambient_key


def entry(nbytes: int) -> Any:
    return SimpleNamespace(program=SimpleNamespace(arena_bytes=nbytes))


def keys(cache: ProgramCache[Any]) -> list[Any]:
    return list(cache._slots)


def test_one_that_was_not_used_goes() -> None:
    cache: ProgramCache[Any] = ProgramCache(most=3)
    kept = {key: entry(1) for key in "abc"}
    for key, value in kept.items():
        cache.put(key, value)
    assert cache.get("a") is kept["a"] and cache.get("z") is None
    cache.put("d", entry(1))
    assert keys(cache) == ["c", "d", "a"] and len(cache) == 3
    cache.put("c", entry(2))
    assert keys(cache) == ["d", "a", "c"]
    for key in "dac":
        cache.get(key)
    cache.put("e", entry(1))  # all were used: the oldest goes, and not the new one
    assert sorted(keys(cache)) == ["a", "c", "e"]


@pytest.mark.parametrize("sizes, left", [([4, 4, 4], [1, 2]), ([100, 1, 1], [1, 2]), ([1, 100, 100], [1, 2])])
def test_bytes_are_bounded_but_two_are_kept(sizes: list[int], left: list[int]) -> None:
    cache: ProgramCache[Any] = ProgramCache(most_bytes=10)
    for i, size in enumerate(sizes):
        cache.put(i, entry(size))
    assert keys(cache) == left


def test_a_program_that_another_thread_drops_meanwhile() -> None:
    class Dropped(dict):  # type: ignore[type-arg]
        def get(self, key: Any) -> Any:  # type: ignore[override]
            return super().pop(key, None)

        def pop(self, key: Any, *default: Any) -> Any:
            super().pop(key, None)
            return None

    fn = rv.jit(lambda x: x * 2.0)
    fn._programs._slots = Dropped()
    assert [float(fn(n)) for n in (1.0, 2.0, 3.0)] == [2, 4, 6]
    cache: ProgramCache[Any] = ProgramCache(most=3)
    cache._slots = Dropped()
    for key in "abcdefg":
        cache.put(key, entry(1))
    assert len(cache) == 3


def test_what_programs_depend_on_besides_their_inputs() -> None:
    before, threads = ambient_key(), _core.num_threads()
    assert ambient_key() == before and os.getpid() in before
    _core.set_num_threads(threads + 1)
    try:
        assert ambient_key() != before
    finally:
        _core.set_num_threads(threads)
    with rv.name_scope("other"):
        assert ambient_key() == before
