"""Models with several outputs: what `compile` and `fit` may be given. One row for each combination."""

from __future__ import annotations

from typing import Any

import numpy as np

RNG = np.random.default_rng(0)
X = RNG.normal(size=(10, 4)).astype("float32")
Y1, Y2 = (RNG.normal(size=(10, n)).astype("float32") for n in (1, 2))
W = np.linspace(0, 1, 10).astype("float32")
LIST, DICT, NEST = [Y1, Y2], {"p": Y1, "q": Y2}, {"p": [Y1, Y2], "q": Y2}


def outputs(kind: str, a: Any, b: Any) -> Any:
    return {
        "one": a,
        "one in a list": [a],
        "one in a dict": {"p": a},
        "list": [a, b],
        "tuple": (a, b),
        "dict": {"p": a, "q": b},
        "unsorted": {"z": a, "c": b},
        "nest": {"p": [a, b], "q": b},
        "nested list": [a, [b]],
        "twice": [a, a],
    }[kind]


def functional(m: Any, kind: str) -> Any:
    """Outputs of the layers "a" (1 unit) and "b" (2 units)."""
    x = m.Input((4,), name="x")
    a, b = (m.layers.Dense(n, name=name, kernel_initializer="ones")(x) for name, n in (("a", 1), ("b", 2)))
    return m.Model(x, outputs(kind, a, b))


def subclassed(m: Any, kind: str) -> Any:
    """The same as a class, whose outputs have no names."""

    class Several(m.Model):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = (m.layers.Dense(n, kernel_initializer="ones") for n in (1, 2))

        def call(self, x: Any) -> Any:
            return outputs(kind, self.a(x), self.b(x))

    return Several()


# Outputs, targets, arguments of compile, arguments of fit.
ROWS: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    ("one", Y1, {"loss": ["mse"], "metrics": [["mae"]]}, {}),
    ("one", Y1, {"loss": {"a": "mse"}, "metrics": {"a": ["mae"]}, "loss_weights": {"a": 2.0}}, {}),
    ("one", Y1, {"loss": "mse", "loss_weights": 2.0, "metrics": ["mae", "mae"]}, {"sample_weight": W}),
    ("one in a list", [Y1], {"loss": ["mse"], "metrics": [["mae"]]}, {}),
    ("one in a list", Y1, {"loss": "mse", "metrics": ["mae"]}, {}),
    ("one in a dict", {"p": Y1}, {"loss": {"p": "mse"}, "metrics": {"p": ["mae"]}}, {}),
    ("list", LIST, {"loss": "mse"}, {}),
    ("list", LIST, {"loss": ["mse", "mae"], "metrics": ["mae", "mse"]}, {}),
    ("list", LIST, {"loss": ["mse", "mae"], "metrics": [["mae", "mse"], ["mse"]]}, {}),
    ("list", LIST, {"loss": ["mse", "mae"], "metrics": [["mae"], None]}, {}),
    ("list", LIST, {"loss": ["mse", None], "metrics": [["mae"], ["mae"]]}, {}),
    ("list", LIST, {"loss": ["mse"]}, {}),
    ("list", LIST, {"loss": "mse", "loss_weights": 2.0}, {}),
    ("list", LIST, {"loss": ["mse", "mae"], "loss_weights": [1.0, None]}, {}),
    ("list", LIST, {"loss": "mse", "metrics": [["acc"], ["accuracy"]]}, {}),
    (
        "list",
        LIST,
        {"loss": "mse", "weighted_metrics": ["mae", "mse"], "metrics": ["mae", "mae"]},
        {"sample_weight": [W, W * 2]},
    ),
    ("list", LIST, {"loss": "mse", "weighted_metrics": [["mae"], ["mse"]]}, {"sample_weight": W}),
    ("list", LIST, {"loss": "mse", "weighted_metrics": [["mae"], ["mse"]]}, {"sample_weight": [W, None]}),
    ("list", LIST, {"loss": ["mse", "mae"], "metrics": [["mae"], None]}, {"validation_data": (X, LIST)}),
    ("tuple", (Y1, Y2), {"loss": ("mse", "mae"), "metrics": ("mae", "mse")}, {}),
    ("tuple", LIST, {"loss": ("mse", "mae")}, {}),
    ("dict", DICT, {"loss": "mse"}, {}),
    (
        "dict",
        DICT,
        {
            "loss": {"p": "mse", "q": "mae"},
            "metrics": {"p": ["mae"], "q": ["mse", "mae"]},
            "loss_weights": {"p": 2.0, "q": 3.0},
        },
        {},
    ),
    ("dict", DICT, {"loss": {"p": "mse"}, "metrics": {"p": ["mae"]}}, {}),
    ("dict", DICT, {"loss": ["mse", "mae"], "metrics": ["mae", "mse"]}, {}),
    ("dict", LIST, {"loss": ["mse", "mae"]}, {}),
    ("dict", DICT, {"loss": {"p": "mse", "q": None}}, {"sample_weight": {"p": W, "q": W}}),
    ("dict", DICT, {"loss": {"p": "mse", "q": "mse"}}, {"sample_weight": W}),
    ("dict", {"p": Y1}, {"loss": {"p": "mse"}}, {}),
    (
        "unsorted",
        {"z": Y1, "c": Y2},
        {"loss": {"z": "mse", "c": "mae"}, "metrics": {"z": ["mae"], "c": ["mse"]}},
        {},
    ),
    ("unsorted", {"z": Y1, "c": Y2}, {"loss": ["mse", "mae"], "metrics": ["mae", "mse"]}, {}),
    ("unsorted", [Y2, Y1], {"loss": "mse"}, {}),
    ("nest", NEST, {"loss": "mse"}, {}),
    (
        "nest",
        NEST,
        {"loss": {"p": ["mse", "mae"], "q": "mse"}, "metrics": {"p": ["mae", "mse"], "q": "mse"}},
        {},
    ),
    (
        "nest",
        NEST,
        {"loss": ["mse", "mae", None], "loss_weights": [2.0, 3.0, 4.0]},
        {},
    ),
    (
        "list",
        LIST,
        {"loss": [["mse"], ["mse", "mae"]], "loss_weights": [[2.0], [0.5, 3.0]]},
        {},
    ),
    (
        "dict",
        DICT,
        {"loss": {"p": ["mse"], "q": ["mse", "mae"]}},
        {},
    ),
]
NAMED = [  # only where the outputs have names
    (
        "list",
        LIST,
        {"loss": {"a": "mse", "b": "mae"}, "loss_weights": {"a": 0.5, "b": 2.0}, "metrics": {"b": "mae"}},
        {},
    ),
    ("list", LIST, {"loss": {"a": "mse", "b": "mae"}, "loss_weights": [0.5, 2.0]}, {}),
    ("list", {"a": Y1, "b": Y2}, {"loss": {"a": "mse", "b": "mae"}}, {}),
    ("list", {"a": Y1, "b": Y2}, {"loss": ["mse", "mae"]}, {}),
    ("twice", [Y1, Y1], {"loss": "mse", "metrics": ["mae", "mse"]}, {}),
]
UNNAMED = [("nested list", [Y1, [Y2]], {"loss": ["mse", ["mae"]]}, {})]
ALL = [(functional, row) for row in ROWS + NAMED]
ALL += [(subclassed, row) for row in ROWS + UNNAMED if row[0] in ("list", "nest", "nested list", "unsorted")]
IDS = [f"{make.__name__}-{row[0]}-{i}" for i, (make, row) in enumerate(ALL)]
