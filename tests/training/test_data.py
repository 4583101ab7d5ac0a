from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier.training.data import (
    ArrayFeed,
    check_class_numbers,
    class_weights,
    make_feed,
    pack_x_y_sample_weight,
    split_feed,
    to_array,
    unpack_x_y_sample_weight,
)


class Frame:
    """Like a data frame: it becomes an array when asked."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([[1.0, 2.0]], "float32"),
        ([[1, 2]], "int32"),
        ([True], "bool"),
        (np.ones(2), "float32"),
        (np.ones(2, "float16"), "float32"),
        (np.ones(2, ">i8"), "int64"),
        (np.ones(2, "uint8"), "uint8"),
        (np.ones(2, "uint64"), "int64"),
        (Frame([[1.5]]), "float32"),
    ],
)
def test_to_array(value, dtype):
    array = to_array(value, "x")
    assert array.dtype == dtype and array.dtype.isnative and array.flags.c_contiguous


def test_arrays_that_fit_are_not_copied():
    x = np.ones((3, 2), "float32")
    assert make_feed(x).x[0] is x


def test_floatx_decides():
    rv.config.set_floatx("float64")
    try:
        assert to_array(np.ones(2, "float32"), "x").dtype == np.float64
    finally:
        rv.config.set_floatx("float32")


A = np.ones(4, "float32")


def test_nests():
    feed = make_feed({"b": np.ones((4, 1)), "a": [np.zeros(4), None]}, np.ones(4))
    assert [a.shape for a in feed.x] == [(4,), (4, 1)] and feed.num_samples == 4
    x, y = feed.pack(["A", "B"], ["Y"], [])
    assert x == {"b": "B", "a": ["A", None]} and y == "Y"


@pytest.mark.parametrize(
    ("given", "kind", "length"),
    [
        ((A,), np.ndarray, 4),
        (({"a": A},), dict, 1),
        (([A, A],), tuple, 1),
        ((A, A), tuple, 2),
        ((A, [A, A]), tuple, 2),
        ((A, A, A), tuple, 3),
    ],
)
def test_a_step_is_given_what_there_is(given, kind, length):
    feed = make_feed(*given)
    packed = feed.pack(feed.x, feed.y, feed.sample_weight)
    assert isinstance(packed, kind) and len(packed) == length


def test_rows_are_views():
    x = np.arange(10.0, dtype="float32")
    feed = make_feed(x, x, x)
    part = feed.rows(2, 5)
    assert part.num_samples == 3 and np.shares_memory(part.x[0], x)
    np.testing.assert_array_equal(part.sample_weight[0], [2, 3, 4])


@pytest.mark.parametrize(
    ("n", "split", "sizes"), [(10, 0.2, (8, 2)), (7, 0.5, (3, 4)), (100, 0.001, (99, 1))]
)
def test_split(n, split, sizes):
    train, test = split_feed(make_feed(np.arange(n)), split)
    assert (train.num_samples, test.num_samples) == sizes
    assert train.x[0][0] == 0 and test.x[0][-1] == n - 1


@pytest.mark.parametrize(
    ("y", "weights"),
    [
        (np.array([0, 1, 5]), [1, 2, 1]),
        (np.array([[0], [1], [5]]), [1, 2, 1]),
        (np.array([[0.9, 0.1], [0.2, 0.8]]), [1, 2]),
        (np.array([0.1, 0.9]), [1, 2]),
        (np.array([False, True]), [1, 2]),
    ],
)
def test_class_weights(y, weights):
    found = class_weights(y, {1: 2.0})
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, weights)


@pytest.mark.parametrize(
    ("data", "unpacked"),
    [
        ("x", ("x", None, None)),
        (("x",), ("x", None, None)),
        (("x", "y"), ("x", "y", None)),
        (["x", "y", "w"], ("x", "y", "w")),
    ],
)
def test_unpack(data, unpacked):
    assert unpack_x_y_sample_weight(data) == unpacked


def test_pack():
    assert pack_x_y_sample_weight("x") == "x"
    assert pack_x_y_sample_weight(["x"]) == (["x"],)
    assert pack_x_y_sample_weight("x", "y") == ("x", "y")
    assert pack_x_y_sample_weight("x", "y", "w") == ("x", "y", "w")
    with pytest.raises(ValueError, match="tuple of 4"):
        unpack_x_y_sample_weight((1, 2, 3, 4))


def test_feed_of_one_array():
    x = np.ones((3, 2), "float32")
    quick, checked = ArrayFeed.of_array(x), ArrayFeed(x)
    for name in ArrayFeed.__slots__:
        assert getattr(quick, name) == getattr(checked, name) or name in ("x", "structures")


@pytest.mark.parametrize("container", [list, tuple])
def test_a_list_of_one_array_means_the_array(container):
    x, y = np.ones((3, 2), "float32"), np.arange(3)
    feed = make_feed(container([x]), container([y]), container([Frame([1.0, 2.0, 3.0])]))
    assert all(isinstance(structure, np.ndarray) for structure in feed.structures)
    assert feed.x[0] is x and feed.y[0] is y and feed.sample_weight[0].shape == (3,)


def test_a_list_of_one_number_or_row_is_an_array():
    assert make_feed([np.float32(1)]).x[0].shape == (1,)
    assert make_feed([[1.0, 2.0]]).x[0].shape == (1, 2)


def test_a_split_leaves_class_weights_to_the_training():
    x, y = np.arange(10.0), np.arange(10) % 2
    train, test = split_feed(make_feed(x, y, class_weight={0: 3.0}), 0.4)
    np.testing.assert_array_equal(train.sample_weight[0], [3, 1, 3, 1, 3, 1])
    assert test.sample_weight == [] and test.num_samples == 4
    _, test = split_feed(make_feed(x, y, x), 0.4)
    np.testing.assert_array_equal(test.sample_weight[0], [6, 7, 8, 9])


@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "nan in row 2"), (np.inf, "inf in row 2"), (1.5, "1.5 in row 2")]
)
def test_class_numbers_are_whole(value, said):
    y = np.array([[0.0], [-1.0], [value], [value]], "float32")
    check_class_numbers(y[:2])
    check_class_numbers(np.array([0, 1]))
    with pytest.raises(ValueError, match=said):
        check_class_numbers(y)


class MixedFrame:
    """What is used of a pandas DataFrame, and that NumPy makes objects of it."""

    iloc = columns = ()

    def __init__(self, **columns):
        self.values = {name: np.array(column) for name, column in columns.items()}
        self.dtypes = {name: column.dtype for name, column in self.values.items()}

    def __array__(self, dtype=None, copy=None):
        return np.column_stack([column.astype(object) for column in self.values.values()])

    def items(self):
        return self.values.items()

    def to_numpy(self, dtype, na_value):
        assert np.isnan(na_value)
        return np.asarray(self).astype(dtype)


def test_a_frame_of_columns_of_different_types():
    frame = MixedFrame(age=[20, 30], rich=[True, False], fare=[1.5, 2.5])
    array = to_array(frame, "x")
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, [[20, 1, 1.5], [30, 0, 2.5]])
    with pytest.raises(
        ValueError, match=r"`x` .* found MixedFrame: .*'sex' \(<U1\), 'name' \(object\)\. Text"
    ):
        to_array(MixedFrame(age=[20], sex=["f"], name=np.array(["A"], object)), "x")


def test_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": [True, False]})
    np.testing.assert_array_equal(to_array(frame, "x"), [[1, 0.5, 1], [2, 1.5, 0]])
    assert to_array(frame["a"], "y").dtype == np.int64 and to_array(frame[["a"]], "y").shape == (2, 1)
    missing = pandas.Series([1, None], dtype="Int64", name="n")
    np.testing.assert_array_equal(to_array(missing, "x"), np.float32([1, np.nan]))
    for text in (
        pandas.Series(["x", "y"], name="t"),
        pandas.DataFrame({"t": pandas.Categorical(["x", "y"])}),
    ):
        with pytest.raises(ValueError, match="'t'"):
            to_array(text, "x")


@pytest.mark.parametrize("eager", [False, True])
def test_programs_know_which_array_is_where(eager):
    """Arrays of the same shapes, in another nest or under other keys, are other inputs and targets."""
    a, b = (rv.Input((2,), name=name) for name in "ab")
    net = rv.Model([b, a], [a - b, b])
    net.compile("sgd", ["mse", "mae"], run_eagerly=eager)
    x = {name: np.float32([[i, i + 1]]) for i, name in enumerate("ab")}
    for given in ([x["b"], x["a"]], x, (x["b"], x["a"]), {"b": x["b"], "a": x["a"]}):
        first, second = net.predict(given, verbose=0)
        assert first.tolist() == [[-1, -1]] and second.tolist() == [[1, 2]]
    y = [x["a"] - x["b"], x["b"]]
    names = net.output_names
    for targets in (y, dict(zip(names, y, strict=True)), dict(zip(names[::-1], y[::-1], strict=True)), (*y,)):
        assert net.evaluate(x, targets, verbose=0) == [0, 0, 0]
    with pytest.raises(ValueError, match="expected are the outputs' names"):
        net.evaluate(x, {names[0]: y[0], "other": y[1]}, verbose=0)


def test_predictions_have_the_structure_of_their_own_step():
    class Mirror(rv.Model):
        def call(self, x):
            return rv.tree.map_structure(lambda t: t + 1, x)

    net, x = Mirror(), np.ones((2, 1), "float32")
    for given in ([x, x], {"p": x, "q": x}, [x, x], {"p": x, "q": x}):
        assert rv.tree.map_structure(np.ndim, net.predict(given, verbose=0)) == rv.tree.map_structure(
            np.ndim, given
        )


def test_sparse_matrices_are_refused_by_name():
    sparse = pytest.importorskip("scipy.sparse")
    model = rv.Sequential([rv.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"`x` is sparse, of type csr_matrix.*`toarray\(\)`"):
        model.fit(sparse.csr_matrix(np.eye(3)), np.ones(3), verbose=0)
