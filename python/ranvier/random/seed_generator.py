"""Seeds of random operations: numbers, generators that count their draws, and the global generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ranvier.core import arguments, scope
from ranvier.core.shown import Shown
from ranvier.core.trace import variables_allowed
from ranvier.core.variable import Variable
from ranvier.ops._common import Value
from ranvier.ops._emit import emit

_STEP = np.array([0, 1], "int64")


class SeedGenerator(Shown):
    """A source of seeds that never repeats one: a variable that holds (seed, number of draws).

    Inside a trace the variable belongs to the graph, so that every step of a compiled program draws anew;
    saving and restoring it resumes the sequence.

    Args:
        seed: an integer; None: the next number of the global seed sequence (see `utils.set_random_seed`).
        name: a name; None: one is made up.
        **kwargs: none are offered.

    Raises:
        ValueError: if `seed` is not an integer, or for unknown arguments.
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        kwargs.pop("backend", None)
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
        if seed is not None and not arguments.is_integer(seed):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed!r}")
        if seed is not None and not -(2**63) <= seed < 2**63:
            raise ValueError(f"Argument `seed` must fit 64 bits. Received: seed={seed}")
        self.name = scope.given_name(name, SeedGenerator)
        self._initial_seed = None if seed is None else int(seed)
        start = scope.next_seed() if seed is None else int(seed)
        with scope.name_scope(self.name):
            self.state = Variable(
                np.array([start, 0], "int64"),
                shape=(2,),
                dtype="int64",
                trainable=False,
                name="seed_generator_state",
            )

    def next(self, ordered: bool = True) -> Value:
        """The present state, an int64 pair; the generator moves on to the next.

        Args:
            ordered: accepted for compatibility: draws are always ordered.
        """
        del ordered
        state = self.state.value
        self.state.assign(emit("add", state, _STEP))
        return state

    def save_own_variables(self, store: Any) -> None:
        """Writes the state into a mapping, under "0"."""
        store["0"] = self.state.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads what `save_own_variables` wrote.

        Raises:
            ValueError: if that is not a pair of numbers.
        """
        shapes = [np.shape(value) for value in store.values()]
        if shapes != [(2,)] or "0" not in store:
            raise ValueError(
                f"Seed generator '{self.name}' has a state of shape (2,), what is loaded has shapes {shapes}"
            )
        self.state.assign(np.asarray(store["0"]).astype("int64"))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make a generator like this one."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """The generator that `get_config` described."""
        return cls(**config)


def global_seed_generator() -> SeedGenerator:
    """The generator behind `seed=None`; `clear_session` and `set_random_seed` start a new one."""
    with variables_allowed():
        return scope.session_object("global_seed_generator", SeedGenerator)


def draw_seed(seed: Any) -> Value:
    """The state, an int64 pair, that a random operation with this `seed` argument uses.

    Args:
        seed: an int: always the same state; a SeedGenerator: its next; None: the global generator's next.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return global_seed_generator().next()
    if arguments.is_integer(seed) and -(2**63) <= seed < 2**63:
        return np.array([int(seed), 0], "int64")
    raise ValueError(
        "Argument `seed` must be either an integer of 64 bits or an instance of `SeedGenerator`. "
        f"Received: seed={seed!r} (of type {type(seed)})"
    )
