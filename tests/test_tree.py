"""`ranvier.tree` without Keras beside it; tests/parity/test_tree.py compares the two call by call."""

from __future__ import annotations

import collections
import inspect

import pytest

from ranvier import tree

Pair = collections.namedtuple("Pair", "x y")
NEST = {"b": [1, Pair(2, None)], "a": collections.OrderedDict([("z", (3,)), ("c", 4)])}


def test_leaves_come_in_order_and_go_back() -> None:
    assert tree.flatten(NEST) == [3, 4, 1, 2, None]
    assert tree.flatten_with_path(NEST)[2] == (("b", 0), 1)
    assert tree.pack_sequence_as(NEST, tree.flatten(NEST)) == NEST
    counted = collections.defaultdict(list, {"z": [1]})
    again = tree.map_structure(lambda x: x + 1, counted)
    assert again == {"z": [2]} and again.default_factory is list


def test_maps_keep_the_structure() -> None:
    doubled = tree.map_structure(lambda x: None if x is None else 2 * x, NEST)
    assert doubled == {"b": [2, Pair(4, None)], "a": {"z": (6,), "c": 8}}
    assert tree.map_structure_up_to([0, 0], lambda x: x, [1, [2]]) == [1, [2]]
    assert tree.map_shape_structure(len, [(1, None), {"s": [2, 3, 4]}]) == [2, {"s": 3}]
    assert tree.lists_to_tuples([1, {"a": [2]}]) == (1, {"a": (2,)})
    assert tree.traverse(lambda x: tree.MAP_TO_NONE if x == 1 else None, [1, [2]]) == [None, [2]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tree.map_structure(max, [1], [1, 2]), "arity mismatch; expected: 1, got: 2"),
        (lambda: tree.map_structure(max, [1], (1,)), "instance of list"),
        (lambda: tree.map_structure(max, {"a": 1}, {"b": 1}), "key mismatch"),
        (lambda: tree.map_structure(max), "at least one"),
        (lambda: tree.pack_sequence_as([1, 2], [1]), "Too few leaves; expected: 2, got: 1"),
        (lambda: tree.assert_same_structure([1], 1), "instance of list"),
        (lambda: tree.assert_same_paths([1], {"a": 1}), "same paths"),
    ],
)
def test_differences_are_named(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_kinds_of_nests_and_not_their_classes_count() -> None:
    class Sub(list):
        pass

    assert tree.map_structure(lambda a, b: a + b, Sub([1]), [2]) == [3]
    with pytest.raises(ValueError, match="instance of Pair"):
        tree.map_structure(max, Pair(1, 2), (1, 2))


def test_keys_without_an_order_stay_as_they_are() -> None:
    assert tree.flatten({"b": 1, 2: 3}) == [1, 3]
    assert tree.pack_sequence_as({"b": 1, 2: 3}, [4, 5]) == {"b": 4, 2: 5}


def test_rooms_and_users_have_the_same_functions() -> None:
    from ranvier.core import tree as inner

    for name in tree.__all__:
        assert inspect.unwrap(getattr(tree, name)) is inspect.unwrap(getattr(inner, name))
