"""`keras.tree`: nests of lists, tuples, dicts and deques, and what is done with their leaves."""

from __future__ import annotations

from ranvier.core import tree as _tree
from ranvier.core.tree import MAP_TO_NONE
from ranvier.core.user_code import short_traceback

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]

# The package itself calls the plain ones, on its fast paths.
assert_same_paths = short_traceback(_tree.assert_same_paths)
assert_same_structure = short_traceback(_tree.assert_same_structure)
flatten = short_traceback(_tree.flatten)
flatten_with_path = short_traceback(_tree.flatten_with_path)
is_nested = short_traceback(_tree.is_nested)
lists_to_tuples = short_traceback(_tree.lists_to_tuples)
map_shape_structure = short_traceback(_tree.map_shape_structure)
map_structure = short_traceback(_tree.map_structure)
map_structure_up_to = short_traceback(_tree.map_structure_up_to)
pack_sequence_as = short_traceback(_tree.pack_sequence_as)
traverse = short_traceback(_tree.traverse)
