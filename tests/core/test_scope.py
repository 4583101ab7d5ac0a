"""Unique names, name scopes and the global seed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ranvier.core import scope


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    scope.clear_session()
    yield
    scope.clear_session()


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("Dense", "dense"),
        ("MyBigLayer", "my_big_layer"),
        ("LSTM", "lstm"),
        ("GRUCell", "gru_cell"),
        ("Conv2DTranspose", "conv2d_transpose"),
        ("ReLU", "re_lu"),
        ("a-b c", "abc"),
    ],
)
def test_snake_case(name: str, snake: str) -> None:
    assert scope.to_snake_case(name) == snake


def test_names_are_unique_until_the_session_is_cleared() -> None:
    assert [scope.auto_name("Dense") for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert scope.auto_name("Other") == "other"
    scope.clear_session()
    assert scope.auto_name("Dense") == "dense"


def test_scopes_nest() -> None:
    with scope.name_scope("model"), scope.name_scope("dense"):
        assert scope.current_path() == "model/dense"
        assert scope.variable_path("kernel") == "model/dense/kernel"
    assert scope.variable_path("kernel") == "kernel"


def test_a_scope_is_left_when_an_error_passes() -> None:
    with pytest.raises(RuntimeError), scope.name_scope("a"):
        raise RuntimeError
    assert scope.current_path() == ""


@pytest.mark.parametrize("name", ["a/b", "", 3])
def test_bad_scope_names(name: object) -> None:
    with pytest.raises(ValueError, match="without '/'"), scope.name_scope(name):  # type: ignore[arg-type]
        pass


def test_the_global_seed_starts_the_sequence_anew() -> None:
    scope.set_global_seed(3)
    first = [scope.next_seed() for _ in range(4)]
    scope.set_global_seed(3)
    assert [scope.next_seed() for _ in range(4)] == first
    assert len(set(first)) == 4
    assert all(0 <= seed < 2**31 for seed in first)


@pytest.mark.parametrize("seed", [1.5, "a", None])
def test_the_global_seed_is_an_integer(seed: object) -> None:
    with pytest.raises(ValueError, match="integer"):
        scope.set_global_seed(seed)  # type: ignore[arg-type]


def test_session_objects_are_made_once() -> None:
    made = scope.session_object("thing", list)
    assert scope.session_object("thing", list) is made
    scope.clear_session()
    assert scope.session_object("thing", list) is not made
