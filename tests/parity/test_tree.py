"""Nests: each call gives what Keras gives, or an error of the same type."""

from __future__ import annotations

import collections
from typing import Any

import pytest
from tests.parity.oracle import keras

from ranvier import tree

CALLS = """
flatten(1)
flatten([])
flatten([1, (2, {"b": 3, "a": 4}), None])
flatten({"b": 1, "a": [2, 3]})
flatten(P(1, [2, 3]))
flatten(OD([("z", 1), ("a", 2)]))
flatten(DD(list, {"z": 1, "a": 2}))
flatten("text")
flatten({1, 2})
flatten(deque([1, 2]))
is_nested(1)
is_nested([1])
is_nested(())
is_nested({})
is_nested("text")
is_nested({1})
is_nested(P(1, 2))
is_nested(None)
map_structure(neg, [1, (2, {"a": 3})])
map_structure(add, [1, {"a": 2}], [3, {"a": 4}])
map_structure(add, [1, 2], [1, 2, 3])
map_structure(add, [1, 2], (1, 2))
map_structure(add, {"a": 1}, {"b": 1})
map_structure(add, [1, [2]], [1, 2])
map_structure(neg, P(1, 2))
map_structure(neg, OD([("z", 1), ("a", 2)]))
map_structure(is_none, [None, 1])
map_structure(is_none, [None, 1], none_is_leaf=False)
map_structure(add)
map_structure(1, [1])
map_structure(add, 1, [2])
pack_sequence_as([1, (2, {"b": 3, "a": 4})], [10, 20, 30, 40])
pack_sequence_as([1, 2], [1])
pack_sequence_as([1, 2], [1, 2, 3])
pack_sequence_as(1, [5])
pack_sequence_as(1, [5, 6])
pack_sequence_as(P(1, [2]), [5, 6])
pack_sequence_as([None, 1], [5, 6])
pack_sequence_as([1], 5)
assert_same_structure([1, (2,)], [3, (4,)])
assert_same_structure([1, (2,)], [3, [4]])
assert_same_structure([1, 2], [1])
assert_same_structure({"a": 1}, {"b": 1})
assert_same_structure({"a": 1, "b": 2}, {"b": 1, "a": 2})
assert_same_structure([1], 1)
assert_same_structure(None, 1)
assert_same_structure([None], [1])
assert_same_paths([1, (2,)], [3, [4]])
assert_same_paths([1, (2,)], [3, 4])
assert_same_paths({"a": 1}, {"b": 1})
flatten_with_path([1, {"b": 2, "a": (3,)}])
flatten_with_path(1)
flatten_with_path(P(1, [2]))
flatten_with_path([None, []])
lists_to_tuples([1, [2, {"a": [3]}], (4, [5])])
lists_to_tuples(1)
lists_to_tuples({"a": [1]})
map_shape_structure(total, (2, 3))
map_shape_structure(total, [(2, 3), {"a": (4, None)}])
map_shape_structure(total, [2, 3])
map_shape_structure(total, [[2, 3], (4,)])
map_structure_up_to([0, 0], second, [1, [2]], [3, [4]])
map_structure_up_to([0, [0, 0]], neg, [1, [2, 3]])
map_structure_up_to([0, 0], neg, [1, 2, 3])
map_structure_up_to({"a": 0}, second, {"a": 1}, {"a": [7]})
map_structure_up_to({"a": 0}, second, {"b": 1}, {"a": [7]})
map_structure_up_to([0, (0,)], second, [1, [2]], [3, (4,)])
map_structure_up_to(0, second, [1], [2])
traverse(none_of_lists, [1, [2, 3], (4,)])
traverse(double, [1, (2, {"a": 3})])
traverse(double, [1, (2, {"a": 3})], top_down=False)
traverse(drop, [1, (2,)])
traverse(drop, 2)
""".strip().splitlines()

P = collections.namedtuple("P", "x y")


def outcome(module: Any, call: str) -> Any:
    scope = {name: getattr(module, name) for name in dir(keras.tree) if not name.startswith("_")}
    scope |= {
        "P": P,
        "OD": collections.OrderedDict,
        "DD": collections.defaultdict,
        "deque": collections.deque,
        "neg": lambda x: -x,
        "add": lambda *xs: sum(xs),
        "is_none": lambda x: x is None,
        "total": lambda shape: ("shape", tuple(shape)),
        "second": lambda *xs: xs[-1],
        "none_of_lists": lambda x: "list" if isinstance(x, list) and len(x) == 2 else None,
        "double": lambda x: 2 * x if isinstance(x, int) else None,
        "drop": lambda x: module.MAP_TO_NONE if x == 2 else None,
    }
    try:
        return eval(call, scope)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("call", CALLS)
def test_same_as_keras(call: str) -> None:
    ours, theirs = outcome(tree, call), outcome(keras.tree, call)
    assert type(ours) is type(theirs) and ours == theirs
