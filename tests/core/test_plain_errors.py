"""Errors of the package's insides are told in words about a call, those of the user's code as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import _core, layers

X = np.ones((3, 4), "float32")
TEXT = np.array(["a", "b"])


def numpys() -> Any:
    return np.negative(TEXT)


def lists() -> Any:
    return [1, 2].shape  # type: ignore[attr-defined]


def misspelt() -> Any:
    return [1, 2].shpae  # type: ignore[attr-defined]


class Own(layers.Layer):
    def __init__(self, fails: Callable[[], Any]) -> None:
        super().__init__()
        self.fails = fails

    def call(self, x: Any) -> Any:
        return x + self.fails()


@pytest.mark.parametrize("fails", [numpys, lists, misspelt])
@pytest.mark.parametrize("run", ["a call", "in a model", "a jitted function", "a lambda"])
def test_what_the_users_code_raises_is_shown_as_it_is(fails: Callable[[], Any], run: str) -> None:
    with pytest.raises((TypeError, AttributeError)) as expected:
        fails()
    calls: dict[str, Callable[[], Any]] = {
        "a call": lambda: Own(fails)([X, X]),
        "in a model": lambda: rv.Sequential([rv.Input((4,)), Own(fails)]).predict(X, verbose=0),
        "a jitted function": lambda: rv.jit(lambda x: x + fails())([1.0]),
        "a lambda": lambda: layers.Lambda(lambda x: fails())([X, X]),
    }
    with pytest.raises(type(expected.value)) as caught:
        calls[run]()
    assert type(caught.value) is type(expected.value)
    assert str(expected.value).partition("\n")[0] in str(caught.value)


def test_a_fault_of_the_packages_own_is_not_hidden() -> None:
    """Only what is asked of tensors is taken for a list in a tensor's place."""

    def fault(values: list[int]) -> Any:
        return values.sizes  # type: ignore[attr-defined]

    fault.__globals__["__name__"], before = "ranvier.faulty", __name__
    try:
        with pytest.raises(AttributeError, match="sizes"):
            rv.core.user_code.short_traceback(fault)([1, 2])  # type: ignore[attr-defined]
    finally:
        fault.__globals__["__name__"] = before


class Sequence:
    """Whose length cannot be had."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __len__(self) -> int:
        raise self.error("mine")

    def __getitem__(self, i: int) -> int:
        raise self.error("mine")


@pytest.mark.parametrize(
    ("error", "shown"),
    [(TypeError, TypeError), (IndexError, TypeError), (KeyError, TypeError), (RuntimeError, RuntimeError)],
)
def test_only_a_refusal_to_be_a_sequence_is_taken_for_one(error: Any, shown: Any) -> None:
    words = "mine" if shown is error is RuntimeError else "sequence of integers"
    with pytest.raises(shown, match=words):
        _core.eager("transpose", [X], {"axes": Sequence(error)})
