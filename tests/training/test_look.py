"""Silence where a warning saves a day: what is said, once, of data and settings that cannot be meant."""

import warnings

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers
from ranvier.training import look

X = np.linspace(0, 1, 40 * 4, dtype="float32").reshape(40, 4)
Y = (np.arange(40) % 2).astype("float32")
CLASSES = np.arange(40) % 3


def net(units=1, activation="sigmoid", loss="binary_crossentropy", **compiled):
    model = rv.Sequential([rv.Input((4,)), layers.Dense(units, activation=activation)])
    model.compile("sgd", loss, **compiled)
    return model


def said(run):
    """What is warned of, and whether it points at this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    assert all(warning.filename == __file__ for warning in caught)
    return [str(warning.message) for warning in caught]


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


class Batches(rv.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return 4

    def __getitem__(self, index):
        part = slice(10 * index, 10 * index + 10)
        return self.x[part], self.y[part]


# --- numbers that are not finite ---


@pytest.mark.parametrize("method", ["fit", "evaluate"])
@pytest.mark.parametrize(
    ("x", "y", "parts"),
    [
        (changed(X, (3, 2), np.nan), Y, ("`x`", "NaN", "row 3, column 2", "np.nan_to_num(x)")),
        (changed(X, (3, 2), -np.inf), Y, ("`x`", "infinity", "row 3, column 2")),
        (changed(X, (slice(3, 5), 2), np.nan), Y, ("row 3", "and 1 more such values")),
        (X, changed(Y, 7, np.nan), ("`y`", "NaN", "row 7")),
    ],
)
def test_not_finite(method, x, y, parts):
    more = {"epochs": 3} if method == "fit" else {}
    # A sigmoid makes a number of infinity: without training only the activation's input is infinite, too.
    activation = "sigmoid" if method == "fit" else None
    messages = said(lambda: getattr(net(activation=activation, loss="mse"), method)(x, y, verbose=0, **more))
    assert len(messages) == 1
    for part in parts:
        assert part in messages[0]


@pytest.mark.parametrize("rows", [20, 8000])
def test_infinity_that_a_model_makes_a_number_of(rows):
    """A result that is finite is not in doubt; many numbers are looked at before they cost time."""
    x, y = np.zeros((rows, 4), "float32"), np.zeros(rows, "float32")
    x[3, 2] = -np.inf
    messages = said(lambda: net(loss="mse").evaluate(x, y, verbose=0))
    assert [("row 3" in message) for message in messages] == [True] * (rows > 20)


@pytest.mark.parametrize("kind", [list, iter])
def test_small_batches_are_looked_at_together(kind):
    batches = [(X[:2], Y[:2])] * 30
    batches[17] = (changed(X[:2], (1, 3), np.nan), Y[:2])
    batches[23] = (changed(X[:2], (0, 0), np.nan), Y[:2])
    source = Rows(batches) if kind is list else iter(batches)
    (message,) = said(lambda: net(loss="mse").fit(source, shuffle=False, verbose=0))
    assert "`x` holds NaN: in row 1 of batch 17, column 3" in message


class Rows(rv.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_finite_data_are_not_spoken_of(verbose, capsys):
    huge = changed(X, (0, 0), 1e30)  # its square is not finite
    for x in (X, huge):
        assert said(lambda x=x: net(loss="mae").fit(x, Y, epochs=2, verbose=verbose)) == []
    assert said(lambda: net(loss="mse").evaluate(X, Y, verbose=verbose)) == []


def test_arrays_in_a_nest_go_by_their_names():
    a, b = rv.Input((2,), name="a"), rv.Input((4,), name="b")
    model = rv.Model({"a": a, "b": b}, layers.Dense(1)(layers.Concatenate()([a, b])))
    model.compile("sgd", "mse")
    bad = {"a": X[:, :2], "b": changed(X, (5, 1), np.nan)}
    (message,) = said(lambda: model.fit(bad, Y, verbose=0))
    assert "`x['b']`" in message and "row 5, column 1" in message


def test_what_lies_far_behind_is_seen_once_the_loss_is_not_finite(monkeypatch):
    monkeypatch.setattr(look, "_MOST", 16)
    bad = changed(X, (39, 0), np.nan)
    (message,) = said(lambda: net(loss="mse").fit(bad, Y, epochs=3, verbose=0))
    assert "row 39, column 0" in message
    (message,) = said(lambda: net(loss="mse").evaluate(bad, Y, verbose=0))
    assert "row 39, column 0" in message
    assert said(lambda: net(loss="mse").fit(bad, Y, epochs=3, steps_per_epoch=1, verbose=0)) != []


@pytest.mark.parametrize("kind", ["data set", "generator"])
def test_batches_are_looked_at_in_the_first_pass(kind):
    bad = Batches(changed(X, (23, 1), np.nan), Y)
    data = bad if kind == "data set" else (bad[i % 4] for i in range(12))
    more = {"shuffle": False} if kind == "data set" else {"steps_per_epoch": 4}
    (message,) = said(lambda: net(loss="mse").fit(data, epochs=3, verbose=0, **more))
    assert "row 3 of batch 2, column 1" in message


# --- a loss and what it is given ---


@pytest.mark.parametrize("loss", ["binary_crossentropy", "bce", rv.losses.BinaryFocalCrossentropy()])
def test_labels_that_are_no_probabilities(loss):
    for y, least, most in (
        (2 * Y - 1, "-1", "1"),
        (CLASSES.astype("float32"), "0", "2"),
        (CLASSES, "0", "2"),
    ):
        (message,) = said(lambda y=y: net(loss=loss).fit(X, y, epochs=2, verbose=0))
        assert f"from {least} to {most}" in message
    (message,) = said(lambda: net(loss=loss).fit(Batches(X, 2 * Y - 1), epochs=2, verbose=0))
    assert "of batch 0" in message


def test_outputs_that_are_no_probabilities():
    model = net(activation=None)
    model.layers[0].bias.assign([7.0])
    (message,) = said(lambda: [model.fit(X, Y, epochs=2, verbose=0), model.fit(X, Y, verbose=0)])
    assert model.layers[0].name in message
    assert "from_logits=True" in message and 'activation="sigmoid"' in message


@pytest.mark.parametrize(
    "make",
    [
        lambda: net(),
        lambda: net(activation="hard_sigmoid"),
        lambda: net(activation=None, loss=rv.losses.BinaryCrossentropy(from_logits=True)),
        lambda: net(activation=None, loss="mse"),
        lambda: net(2, "softmax", "sparse_categorical_crossentropy"),
    ],
)
def test_outputs_that_fit_are_not_spoken_of(make):
    assert said(lambda: make().fit(X, Y, verbose=0)) == []


def test_looking_at_outputs_changes_nothing():
    rv.utils.set_random_seed(3)
    plain = net(activation=None, loss=lambda y, p: rv.losses.binary_crossentropy(y, p))
    plain.fit(X, Y[:, None], epochs=3, verbose=0)
    rv.utils.set_random_seed(3)
    seen = net(activation=None)
    said(lambda: seen.fit(X, Y[:, None], epochs=3, verbose=0))
    for a, b in zip(plain.get_weights(), seen.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_softmax_over_one_unit():
    messages = said(lambda: net(1, "softmax", "mse").fit(X, Y, verbose=0))
    assert messages and "sigmoid" in messages[0] and "always 1" in messages[0]
    assert said(lambda: net(2, "softmax", "sparse_categorical_crossentropy").fit(X, Y, verbose=0)) == []


def test_a_class_without_a_weight():
    model = net(3, "softmax", "sparse_categorical_crossentropy")
    (message,) = said(lambda: model.fit(X, CLASSES, class_weight={0: 1.0, 1: 2.0}, epochs=2, verbose=0))
    assert "classes 2 in" in message and "weight of 1" in message
    assert said(lambda: model.fit(X, CLASSES, class_weight={0: 1.0, 1: 2.0, 2: 1.0}, verbose=0)) == []


# --- shapes that broadcasting makes fit ---


@pytest.mark.parametrize(
    ("shape", "y_shape", "parts"),
    [
        ((8, 8), (40,), ("(40,)", "(40, 8, 1)", "Flatten")),
        ((8,), (40, 3), ("(40, 3)", "(40, 1)", "3 units")),
        ((8,), (40,), ()),
        ((8,), (40, 1), ()),
        ((5, 8), (40, 5), ()),
        ((5, 8), (40, 5, 1), ()),
    ],
)
@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_targets_of_other_shapes_than_the_outputs(shape, y_shape, parts, loss):
    model = rv.Sequential([layers.Dense(1)])
    model.compile("sgd", loss, metrics=["mae"])
    x, y = np.ones((40, *shape), "float32"), np.ones(y_shape, "float32")
    messages = said(
        lambda: [model.fit(x, y, batch_size=40, epochs=2, verbose=0), model.evaluate(x, y, verbose=0)]
    )
    assert len(messages) == bool(parts) and all(part in messages[0] for part in parts)


# --- frames ---


def test_a_frame_names_its_columns():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["age", "fare", "sex", "class"])
    frame.loc[4, "fare"] = np.nan
    (message,) = said(lambda: net(loss="mse").fit(frame, Y, verbose=0))
    assert "row 4, column 'fare'" in message


@pytest.mark.parametrize("method", ["predict", "evaluate"])
def test_columns_in_another_order(method):
    pd = pytest.importorskip("pandas")
    names = ["age", "fare", "sex", "class"]
    frame = pd.DataFrame(X, columns=names)
    model = net()
    model.fit(frame, Y, verbose=0)

    def call(x):
        return getattr(model, method)(*((x,) if method == "predict" else (x, Y)), verbose=0)

    (message,) = said(lambda: [call(frame[names[::-1]]) for _ in range(3)])
    assert "another order" in message and str(names) in message and str(names[::-1]) in message
    (message,) = said(lambda: call(frame.rename(columns={"age": "years"})))
    assert "others" in message
    assert said(lambda: [call(frame), call(X)]) == []
    model = net()
    (message,) = said(lambda: model.fit(frame, Y, validation_data=(frame[names[::-1]], Y), verbose=0))
    assert "another order" in message
