"""Initializers: shapes, dtypes, laws, seeds, and configs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ranvier import initializers
from ranvier.core import scope
from ranvier.initializers.random_initializers import compute_fans
from ranvier.random import SeedGenerator

RANDOM = [
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "Orthogonal",
    "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
]  # fmt: skip
PLAIN = ["Constant", "Identity", "Ones", "Zeros"]
SHAPE = (
    200,
    300,
)  # 60,000 draws: their mean is within 5 standard errors, 0.02 deviations, but once in a million


def draw(name: str, shape: tuple[int, ...] = SHAPE, **kwargs: Any) -> np.ndarray:
    return np.asarray(getattr(initializers, name)(**kwargs)(shape))


@pytest.mark.parametrize("name", RANDOM + PLAIN)
@pytest.mark.parametrize("dtype", ["float32", "float64", None])
def test_shape_and_dtype(name: str, dtype: str | None) -> None:
    value = getattr(initializers, name)()((4, 6), dtype=dtype)
    assert value.shape == (4, 6)
    assert value.dtype == (dtype or "float32")


# name, arguments, standard deviation, largest possible size (None: unbounded)
LAWS = [
    ("RandomNormal", {"mean": 1.0, "stddev": 0.5}, 0.5, None),
    ("RandomUniform", {"minval": 0.0, "maxval": 2.0}, 2 / math.sqrt(12), 1.0),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 0.5}, 0.5 * 0.87962566, 1.0),
    ("GlorotUniform", {}, math.sqrt(2 / 500), math.sqrt(6 / 500)),
    ("GlorotNormal", {}, math.sqrt(2 / 500), 2 * math.sqrt(2 / 500) / 0.87962566),
    ("HeUniform", {}, math.sqrt(2 / 200), math.sqrt(6 / 200)),
    ("HeNormal", {}, math.sqrt(2 / 200), 2 * math.sqrt(2 / 200) / 0.87962566),
    ("LecunUniform", {}, math.sqrt(1 / 200), math.sqrt(3 / 200)),
    ("LecunNormal", {}, math.sqrt(1 / 200), 2 * math.sqrt(1 / 200) / 0.87962566),
    ("VarianceScaling", {"scale": 3.0, "mode": "fan_out", "distribution": "untruncated_normal"}, 0.1, None),
    (
        "VarianceScaling",
        {"scale": 3.0, "mode": "fan_out", "distribution": "uniform"},
        0.1,
        0.1 * math.sqrt(3),
    ),
]


@pytest.mark.parametrize(("name", "kwargs", "stddev", "limit"), LAWS)
def test_laws(name: str, kwargs: dict[str, Any], stddev: float, limit: float | None) -> None:
    x = draw(name, seed=7, **kwargs).astype("float64")
    mean = 1.0 if "mean" in kwargs or "maxval" in kwargs else 0.0
    assert abs(x.mean() - mean) < 0.02 * stddev
    assert abs(x.std() / stddev - 1) < 0.02
    if limit is not None:
        assert np.abs(x - mean).max() <= limit * (1 + 1e-6)
        assert np.abs(x - mean).max() > 0.98 * limit


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name: str) -> None:
    cls = getattr(initializers, name)
    one = cls(seed=3)
    first = np.asarray(one((5, 7)))
    np.testing.assert_array_equal(one((5, 7)), first)  # an instance repeats itself
    np.testing.assert_array_equal(cls(seed=3)((5, 7)), first)
    assert (np.asarray(cls(seed=4)((5, 7))) != first).any()
    without = cls()
    np.testing.assert_array_equal(without((5, 7)), without((5, 7)))
    assert (np.asarray(cls()((5, 7))) != np.asarray(without((5, 7)))).any()
    moving = cls(seed=SeedGenerator(3))
    assert (np.asarray(moving((5, 7))) != np.asarray(moving((5, 7)))).any()
    for bad in (1.5, "x", True):
        with pytest.raises(ValueError, match="`seed` argument"):
            cls(seed=bad)


def test_the_global_seed_rules_where_there_is_none() -> None:
    draws = []
    for _ in range(2):
        scope.set_global_seed(11)
        draws.append(draw("GlorotUniform", (4, 4)))
    np.testing.assert_array_equal(*draws)


def test_constants() -> None:
    assert draw("Zeros", (2, 2)).tolist() == [[0, 0], [0, 0]]
    assert draw("Ones", (2,)).tolist() == [1, 1]
    assert draw("Constant", (2, 2), value=[1, 2]).tolist() == [[1, 2], [1, 2]]
    assert draw("Identity", (2, 3), gain=2.0).tolist() == [[2, 0, 0], [0, 2, 0]]
    assert initializers.Zeros()((2,), dtype="bool").dtype == bool
    with pytest.raises(ValueError, match="rank 3"):
        draw("Identity", (2, 2, 2))


STFT_ROWS: list[tuple[dict[str, Any], Any]] = [
    ({"window": None}, np.ones(8)),
    ({"scaling": None}, np.hanning(8)),
    ({"window": "hamming"}, np.hamming(8) / np.sqrt((np.hamming(8) ** 2).sum())),
    ({"window": "bartlett", "scaling": "spectrum"}, np.bartlett(8) / np.bartlett(8).sum()),
    ({"scaling": None, "periodic": True}, np.hanning(9)[:8]),
    ({"window": np.arange(8.0), "scaling": "spectrum"}, np.arange(8) / 28),
    ({"window": "rectangular"}, np.ones(8) / np.sqrt(8)),
]


@pytest.mark.parametrize(("kwargs", "window"), STFT_ROWS)
def test_stft_takes_the_transform_of_a_frame(kwargs: dict[str, Any], window: np.ndarray) -> None:
    frame = np.random.default_rng(0).normal(size=8)
    real, imag = (draw("STFT", (8, 1, 5), side=side, **kwargs)[:, 0] for side in ("real", "imag"))
    np.testing.assert_allclose(frame @ real + 1j * (frame @ imag), np.fft.rfft(frame * window), atol=1e-6)


@pytest.mark.parametrize(
    ("kwargs", "shape", "match"),
    [
        ({"side": "x"}, None, "side should be"),
        ({"scaling": "x"}, None, "scaling=x"),
        ({"window": "foo"}, None, "'foo'"),
        ({"window": np.ones(3)}, (4, 1, 3), r"window shape=\(3,\)"),
        ({}, (4, 3), r"shape=\(4, 3\)"),
    ],
)
def test_stft_refuses(kwargs: dict[str, Any], shape: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        draw("STFT", shape, **kwargs)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 2, 5)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    x = draw("Orthogonal", shape, gain=2.0, seed=1).reshape(-1, shape[-1]).astype("float64")
    gram = x @ x.T if x.shape[0] < x.shape[1] else x.T @ x
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-6)
    with pytest.raises(ValueError, match="at least two-dimensional"):
        draw("Orthogonal", (4,))


@pytest.mark.parametrize(
    ("shape", "axes", "fans"),
    [
        ((), (None, None), (1, 1)),
        ((5,), (None, None), (5, 5)),
        ((4, 6), (None, None), (4, 6)),
        ((3, 2, 4, 8), (None, None), (24, 48)),
        ((2, 3, 5), ([0, 1], [2]), (6, 5)),
        ((2, 3, 5), ([2], [0, 1]), (5, 6)),
        ((2, 3, 5), ([0], None), (6, 10)),
    ],
)
def test_fans(shape: tuple[int, ...], axes: tuple[Any, Any], fans: tuple[int, int]) -> None:
    assert compute_fans(shape, *axes) == fans


CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("STFT", {"side": "imag", "window": "hamming", "scaling": "spectrum", "periodic": True}),
    ("Constant", {"value": 2.0}),
    ("Identity", {"gain": 3.0}),
    ("Ones", {}),
    ("Zeros", {}),
    ("RandomNormal", {"seed": 1, "mean": 1.0, "stddev": 2.0}),
    ("RandomUniform", {"seed": 1, "minval": 1.0, "maxval": 2.0}),
    ("TruncatedNormal", {"seed": None, "mean": 1.0, "stddev": 2.0}),
    ("Orthogonal", {"seed": 1, "gain": 2.0}),
    (
        "VarianceScaling",
        {
            "seed": 1,
            "scale": 2.0,
            "mode": "fan_avg",
            "distribution": "uniform",
            "input_axes": [0],
            "output_axes": [1],
        },
    ),
    *[
        (f"{family}{law}", {"seed": 1, "input_axes": None, "output_axes": None})
        for family in ("Glorot", "He", "Lecun")
        for law in ("Normal", "Uniform")
    ],
]


@pytest.mark.parametrize(("name", "config"), CONFIGS)
def test_configs(name: str, config: dict[str, Any]) -> None:
    one = getattr(initializers, name)(**config)
    assert one.get_config() == config
    saved = initializers.serialize(one)
    assert (saved["module"], saved["class_name"]) == ("keras.initializers", name)
    again = initializers.deserialize(saved)
    assert type(again) is type(one)
    assert again.get_config() == config
    if config.get("seed", 1) is not None:
        shape = (3, 1, 4) if name == "STFT" else (3, 4)
        np.testing.assert_array_equal(again(shape), one(shape))
        np.testing.assert_array_equal(one.clone()(shape), one(shape))


def test_every_initializer_has_a_config_row() -> None:
    assert sorted(name for name, _ in CONFIGS) == sorted([*RANDOM, *PLAIN, "STFT"])


def test_arrays_in_configs() -> None:
    one = initializers.Constant(np.float32([1, 2]))
    assert initializers.deserialize(initializers.serialize(one))((2,)).tolist() == [1, 2]
    moving = initializers.HeNormal(seed=SeedGenerator(5))
    again = initializers.deserialize(initializers.serialize(moving))
    assert isinstance(again.seed, SeedGenerator)


def test_get() -> None:
    assert initializers.get(None) is None
    assert isinstance(initializers.get("glorot_uniform"), initializers.GlorotUniform)
    assert isinstance(initializers.get("HeNormal"), initializers.HeNormal)
    assert isinstance(initializers.get("uniform"), initializers.RandomUniform)
    assert isinstance(initializers.get("normal"), initializers.RandomNormal)
    assert isinstance(initializers.get("one"), initializers.Ones)
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)
    assert initializers.get({"class_name": "glorot_uniform", "config": {"seed": 1}}).seed == 1
    assert initializers.get(np.zeros) is np.zeros
    given = initializers.get(np.float64([1, 2]))
    assert given((2,), dtype="float32").dtype == "float32"
    with pytest.raises(ValueError, match="shape"):
        given((3,))
    for bad in ("glorot", 3.0):
        with pytest.raises(ValueError, match="initializer identifier"):
            initializers.get(bad)
    with pytest.raises(ValueError, match="Did you mean:.* glorot_"):
        initializers.get("glorot")


@pytest.mark.parametrize("kwargs", [{"scale": 0.0}, {"mode": "fan"}, {"distribution": "cauchy"}])
def test_bad_arguments(kwargs: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        initializers.VarianceScaling(**kwargs)
