from __future__ import annotations

from collections import namedtuple

import pytest

from ranvier.core import tree

Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("structure", "leaves"),
    [
        (3, [3]),
        ([1, (2, [3])], [1, 2, 3]),
        ({"b": 1, "a": [2, 3]}, [2, 3, 1]),  # sorted keys
        (Pair(1, [2]), [1, 2]),
        ([], []),
        ([None, 1], [None, 1]),
        ({"b": 1, 2: 3}, [1, 3]),  # keys without an order stay as they are
    ],
)
def test_flatten_and_pack(structure, leaves):
    assert tree.flatten(structure) == leaves
    packed = tree.pack_sequence_as(structure, leaves)
    assert packed == structure and type(packed) is type(structure)


def test_pack_refuses_another_number_of_leaves():
    with pytest.raises(ValueError, match="2 leaves, but 1 were given"):
        tree.pack_sequence_as([1, 2], [1])


def test_map_structure():
    assert tree.map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]}) == {"x": [11, 22]}
    assert tree.map_structure(lambda a: a * 2, Pair(1, (2,))) == Pair(2, (4,))


@pytest.mark.parametrize("other", [[1], {"a": 1}, 5])
def test_map_structure_refuses_other_structures(other):
    with pytest.raises(ValueError, match="Structures differ"):
        tree.map_structure(lambda a, b: a, [1, 2], other)
