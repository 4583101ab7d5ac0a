from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers, utils


class TestToCategorical:
    @pytest.mark.parametrize(
        ("x", "classes", "shape"),
        [
            ([0, 2, 1], None, (3, 3)),
            ([[0], [2]], 4, (2, 4)),
            (np.ones((2, 3), int), None, (2, 3, 2)),
            (1, 3, (3,)),
        ],
    )
    def test_shapes(self, x, classes, shape):
        y = utils.to_categorical(x, classes)
        assert y.shape == shape and y.dtype == np.float64
        np.testing.assert_array_equal(y.argmax(-1), np.asarray(x).reshape(shape[:-1]))

    @pytest.mark.parametrize("label", [-1, 3])
    def test_out_of_range(self, label):
        with pytest.raises(IndexError, match=f"Class {label} is out of range: there are 3 classes"):
            utils.to_categorical([0, label], 3)


class TestPadSequences:
    @pytest.mark.parametrize(
        ("sequences", "options", "expected"),
        [  # what Keras 3.15 gives
            ([[1], [2, 3], [4, 5, 6]], {}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
            ([[1], [2, 3], [4, 5, 6]], {"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
            (
                ([1], (2, 3), np.array([4, 5, 6])),
                {"maxlen": 2, "padding": "post", "truncating": "post", "value": -1.0},
                [[1, -1], [2, 3], [4, 5]],
            ),
            ([[], [1]], {}, [[0], [1]]),
            ([[], []], {}, np.zeros((2, 0))),
            ([[1, 2]], {"maxlen": 0}, np.zeros((1, 0))),
            ([[[1, 2], [3, 4]], [[5, 6]]], {}, [[[1, 2], [3, 4]], [[0, 0], [5, 6]]]),
            ([[1.5], [2, 3]], {}, [[0, 1], [2, 3]]),
            ([[1.5], [2, 3]], {"dtype": "float64"}, [[0, 1.5], [2, 3]]),
            ([["a"], ["b", "c"]], {"dtype": object, "value": "-"}, [["-", "a"], ["b", "c"]]),
        ],
    )
    def test_values(self, sequences, options, expected):
        padded = utils.pad_sequences(sequences, **options)
        assert padded.dtype == np.dtype(options.get("dtype", "int32")) and padded.shape == np.shape(expected)
        assert padded.tolist() == np.asarray(expected, padded.dtype).tolist()

    def test_its_other_name(self):
        assert rv.preprocessing.sequence.pad_sequences is utils.pad_sequences

    @pytest.mark.parametrize(
        ("sequences", "options", "match"),
        [
            (5, {}, "`sequences` must be a list of sequences.*5"),
            ([[1], 2], {}, "position 1: 2"),
            ([[[1, 2]], [[1]]], {}, r"Expected \(2,\).*\(1,\) at position 1"),
            ([[1]], {"padding": "before"}, "padding='before'"),
            ([[1]], {"truncating": "after"}, "truncating='after'"),
            ([[1]], {"value": "x"}, "`value` is a string"),
        ],
    )
    def test_refusals(self, sequences, options, match):
        with pytest.raises(ValueError, match=match):
            utils.pad_sequences(sequences, **options)


class TestNormalize:
    def test_rows(self):
        x = np.array([[3.0, 4.0], [0.0, 0.0]])
        np.testing.assert_allclose(utils.normalize(x), [[0.6, 0.8], [0, 0]])
        np.testing.assert_allclose(utils.normalize(x, axis=0, order=1), [[1, 1], [0, 0]])
        np.testing.assert_allclose(utils.normalize([3.0, 4.0]), [0.6, 0.8], rtol=1e-6)

    def test_order(self):
        with pytest.raises(ValueError, match="order"):
            utils.normalize([1.0], order=0)


class TestSeeds:
    def test_everything_repeats(self):
        draws = []
        for _ in range(2):
            utils.set_random_seed(5)
            layer = layers.Dense(3)
            layer.build((None, 4))
            noise = rv.random.normal((3,))
            draws.append((layer.get_weights()[0], noise, np.random.rand(), random.random()))
        for a, b in zip(*draws, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_layers_draw_different_values(self):
        one, two = layers.Dense(3), layers.Dense(3)
        one.build((None, 4))
        two.build((None, 4))
        assert not np.array_equal(one.get_weights()[0], two.get_weights()[0])

    @pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "a", True])
    def test_bad_seeds(self, seed):
        with pytest.raises(ValueError, match="seed"):
            utils.set_random_seed(seed)


class TestSession:
    def test_clear_session_begins_the_names_anew(self):
        for _ in range(2):
            rv.backend.clear_session()
            assert [layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]


class TestSerialization:
    def test_registered_layers(self):
        @utils.register_keras_serializable(package="tests")
        class Plus(layers.Layer):
            def __init__(self, amount=1.0, **kwargs):
                super().__init__(**kwargs)
                self.amount = amount

            def call(self, inputs):
                return inputs + self.amount

        assert utils.get_registered_name(Plus) == "tests>Plus"
        assert utils.get_registered_object("tests>Plus") is Plus
        config = utils.serialize_keras_object(Plus(2.5, name="p"))
        assert config["registered_name"] == "tests>Plus"
        again = utils.deserialize_keras_object(config)
        assert again.amount == 2.5 and again.name == "p"
        model = rv.Sequential([rv.Input((1,)), again])
        copy = rv.models.model_from_json(model.to_json())
        assert copy(np.ones((1, 1), "float32")).tolist() == [[3.5]]

    def test_scopes(self):
        class Minus(layers.Layer):
            def call(self, inputs):
                return -inputs

        config = utils.serialize_keras_object(Minus())
        with pytest.raises(TypeError, match="Could not locate class 'Minus'"):
            utils.deserialize_keras_object(config)
        with utils.custom_object_scope({"Minus": Minus}):
            assert isinstance(utils.deserialize_keras_object(config), Minus)


class TestNamespaces:
    def test_top_level(self):
        for name in rv.__all__:
            assert hasattr(rv, name), name
        assert rv.version() == rv.__version__

    def test_settings(self):
        assert rv.config.floatx() == rv.backend.floatx() == "float32"
        assert rv.config.backend() == "ranvier" and rv.config.image_data_format() == "channels_last"
        assert rv.backend.is_float_dtype("float64") and rv.backend.is_int_dtype("uint8")

    def test_import_brings_in_no_heavy_library(self):
        heavy = {"rich", "h5py", "pooch", "difflib", "tempfile", "gzip", "pathlib", "dataclasses"}
        code = f"""
import sys, numpy
before = set(sys.modules)
import ranvier
print(sorted({heavy} & (set(sys.modules) - before)))
"""
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert out.stdout.strip() == "[]"
