"""What a user reads when something is wrong: what was expected, what came, what to do.

Each case: what somebody wrote, the exception (Keras's type where Keras refuses too), parts of its message.
"""

import warnings

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers as L
from ranvier import ops

X = np.linspace(0, 1, 32 * 4, dtype="float32").reshape(32, 4)
Y = (np.arange(32) % 2).astype("float32")
CLASSES = np.arange(32) % 3


def net(*parts, shape=(4,), **compiled):
    model = rv.Sequential([rv.Input(shape), *(parts or (L.Dense(1),))])
    model.compile(**({"optimizer": "sgd", "loss": "mse"} | compiled))
    return model


def fit(model, *data, **more):
    return model.fit(*(data or (X, Y)), **({"verbose": 0} | more))


def softmax(units=3, **compiled):
    return net(L.Dense(units, activation="softmax"), **compiled)


class WithoutReturn(rv.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(1)

    def call(self, inputs):
        self.dense(inputs)


class LayerWithoutReturn(L.Layer):
    def call(self, inputs):
        ops.exp(inputs)


class WithoutSuper(rv.Model):
    def __init__(self):
        self.dense = L.Dense(1)

    def call(self, inputs):
        return self.dense(inputs)


class LayerWithoutSuper(L.Layer):
    def __init__(self):
        self.factor = 2

    def call(self, inputs):
        return self.factor * inputs


class OptimizerWithoutSuper(rv.optimizers.SGD):
    def __init__(self):
        self.factor = 2


class Steps(rv.Model):
    """Its loss is made by `where` of constants."""

    def __init__(self):
        super().__init__()
        self.dense = L.Dense(1)

    def call(self, inputs):
        return self.dense(inputs)

    def train_step(self, data):
        x, _ = data
        with rv.GradientTape() as tape:
            loss = ops.mean(ops.where(self(x) > 0.5, 1.0, 0.0))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


def compiled(cls):
    model = cls()
    model.compile("sgd", "mse")
    return model


def embedding(rows):
    model = rv.Sequential([L.Embedding(5, 2, name="words"), L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    return model, np.array([[1, 2]] * rows + [[1, 7]])


def of_rows(rows, method):
    model, x = embedding(rows)
    return model.fit(x, np.zeros(len(x)), verbose=0) if method == "fit" else model.predict(x, verbose=0)


KEYWORDS = {
    "compile": (lambda: net(metric=["accuracy"]), TypeError, ("compile()", "Did you mean `metrics`?")),
    "fit": (lambda: fit(net(), epoch=3), TypeError, ("fit()", "'epoch'", "`epochs`")),
    "fit, old": (lambda: fit(net(), nb_epoch=3), TypeError, ("`epochs`",)),
    "evaluate": (lambda: net().evaluate(X, Y, batchsize=3), TypeError, ("evaluate()", "`batch_size`")),
    "predict": (lambda: net().predict(X, batch_sise=3), TypeError, ("predict()", "`batch_size`")),
    "layer": (lambda: L.Dense(3, activtion="relu"), ValueError, ("passed to Dense", "`activation`")),
    "layer, of the base": (lambda: L.LSTM(3, trainabel=False), ValueError, ("`trainable`",)),
    "layer, of its kind": (lambda: L.LSTM(3, return_sequence=True), ValueError, ("`return_sequences`",)),
    "layer, needed": (lambda: L.Dense(unit=3), TypeError, ("missing", "'units'", "`units` for `unit`")),
    "layer, needed, old": (lambda: L.Dense(output_dim=3), TypeError, ("`units` for `output_dim`",)),
    "layer, needed, none": (lambda: L.Dense(name="a"), TypeError, ("argument: 'units'",)),
    "layer, far": (lambda: L.Dense(3, foo=1), ValueError, ("Known arguments: units, activation",)),
    "layer, called": (lambda: L.Dense(3)(rv.Input((2,)), trainin=True), TypeError, ("'trainin'",)),
    "input": (lambda: rv.Input(shap=(3,)), TypeError, ("Input()", "`shape`")),
    "model": (lambda: rv.Model(input=1, output=2), ValueError, ("`inputs` for `input`",)),
    "sequential": (lambda: rv.Sequential([], nam="a"), ValueError, ("`name`",)),
    "optimizer": (lambda: rv.optimizers.Adam(learnin_rate=1), ValueError, ("`learning_rate`",)),
    "optimizer, old": (lambda: rv.optimizers.SGD(lr=1), ValueError, ("`learning_rate`",)),
    "callback": (lambda: rv.callbacks.EarlyStopping(moniter="a"), TypeError, ("`monitor`",)),
    "loss": (lambda: rv.losses.BinaryCrossentropy(from_logit=1), TypeError, ("`from_logits`",)),
    "metric": (lambda: rv.metrics.AUC(num_threshold=3), TypeError, ("`num_thresholds`",)),
    "initializer": (lambda: rv.initializers.RandomNormal(std=3), TypeError, ("`stddev`",)),
    "regularizer": (lambda: rv.regularizers.L1L2(l_1=3), TypeError, ("`l1`",)),
    "constraint": (lambda: rv.constraints.MaxNorm(max_valu=3), TypeError, ("`max_value`",)),
    "schedule": (
        lambda: rv.optimizers.schedules.ExponentialDecay(0.1, decay_step=3, decay_rate=0.1),
        TypeError,
        ("`decay_steps`",),
    ),
}
SHAPES = {
    "concatenate one": (lambda: L.Concatenate()(rv.Input((3,))), ValueError, ("([a, b])", "one tensor")),
    "add one": (lambda: L.Add()(X), ValueError, ("([a, b])", "one tensor")),
    "images into a classifier": (
        lambda: fit(
            softmax(10, shape=(5, 4), loss="sparse_categorical_crossentropy"), np.zeros((8, 5, 4)), Y[:8]
        ),
        ValueError,
        ("(8, 5, 10)", "layers.Flatten()"),
    ),
    "images into a one-hot classifier": (
        lambda: fit(
            softmax(shape=(5, 4), loss="categorical_crossentropy"), np.zeros((8, 5, 4)), np.zeros((8, 3))
        ),
        ValueError,
        ("(8, 5, 3)", "layers.Flatten()"),
    ),
    "images where flat ones go": (
        lambda: fit(net(), np.zeros((8, 2, 2)), Y[:8]),
        ValueError,
        ("x.reshape(len(x)",),
    ),
    "no time axis": (
        lambda: L.LSTM(3)(rv.Input((4,))),
        ValueError,
        ("(batch, time, features)", "x[:, :, None]"),
    ),
    "recurrent after recurrent": (
        lambda: rv.Sequential([rv.Input((5, 4)), L.GRU(3), L.GRU(3)]),
        ValueError,
        ("return_sequences=True",),
    ),
    "a single row": (lambda: net().predict(X[0]), ValueError, ("x[None]",)),
    "a single image": (
        lambda: net(L.Flatten(), shape=(4, 4)).predict(np.zeros((4, 4))),
        ValueError,
        ("x[None]",),
    ),
    "a single row to a functional model": (
        lambda: rv.Model(i := rv.Input((4,)), L.Dense(1)(i)).predict(X[0]),
        ValueError,
        ("x[None]",),
    ),
    "a layer as outputs": (
        lambda: rv.Model(rv.Input((3,)), L.Dense(3)),
        ValueError,
        ("`outputs`", "Dense(...)(x)"),
    ),
    "an array as inputs": (lambda: rv.Model(X, L.Dense(3)(X)), ValueError, ("(32, 4)", "Input(shape)")),
    "units in quotes": (lambda: L.Dense("10"), ValueError, ("units='10'",)),
    "rate in quotes": (lambda: L.Dropout("0.5"), ValueError, ("rate='0.5'",)),
    "class numbers with a one-hot loss": (
        lambda: fit(softmax(loss="categorical_crossentropy"), X, CLASSES),
        ValueError,
        ("(32,)", "(32, 3)", "use 'sparse_categorical_crossentropy'"),
    ),
    "class numbers in a column": (
        lambda: fit(softmax(loss=rv.losses.CategoricalCrossentropy()), X, CLASSES[:, None]),
        ValueError,
        ("use 'sparse_categorical_crossentropy'",),
    ),
    "one-hot with a loss of class numbers": (
        lambda: fit(softmax(loss="sparse_categorical_crossentropy"), X, np.eye(3)[CLASSES]),
        ValueError,
        ("use 'categorical_crossentropy'",),
    ),
    "one-hot to one unit": (
        lambda: fit(net(loss="binary_crossentropy"), X, np.eye(3)[CLASSES]),
        ValueError,
        ("the last layer one of 3 units",),
    ),
}
OTHERS = {
    "call without return": (lambda: fit(compiled(WithoutReturn)), ValueError, ("WithoutReturn", "`return`")),
    "a layer without return": (lambda: net(LayerWithoutReturn(), L.Dense(1)), ValueError, ("`return`",)),
    "no super, in a stack": (
        lambda: rv.Sequential([LayerWithoutSuper()]),
        RuntimeError,
        ("LayerWithoutSuper", "super().__init__()"),
    ),
    "no super, of an optimizer": (
        lambda: net(optimizer=OptimizerWithoutSuper()),
        RuntimeError,
        ("OptimizerWithoutSuper", "super().__init__("),
    ),
    "no super": (lambda: compiled(WithoutSuper), RuntimeError, ("WithoutSuper", "super().__init__()")),
    "validation: an array": (
        lambda: fit(net(), X, Y, validation_data=X),
        ValueError,
        ("`validation_data`", "(x, y)"),
    ),
    "validation: x alone": (
        lambda: fit(net(), X, Y, validation_data=(X,)),
        ValueError,
        ("`validation_data`",),
    ),
    "validation: the other order": (
        lambda: fit(net(), X, Y, validation_data=(Y, X)),
        ValueError,
        ("`validation_data`", "(x, y)", "(None, 4)"),
    ),
    "validation: lengths": (
        lambda: fit(net(), X, Y, validation_data=(X, Y[:3])),
        ValueError,
        ("`validation_data`",),
    ),
    "validation: a pair of pairs": (
        lambda: fit(net(), X, Y, validation_data=((X, Y),)),
        ValueError,
        ("`validation_data`",),
    ),
    "no such model": (lambda: rv.models.load_model("nope.h5"), ValueError, ("File not found", ".keras")),
    "no such weights": (lambda: net().load_weights("nope.h5"), ValueError, ("File not found", ".weights.h5")),
    "an index, called": (
        lambda: L.Embedding(5, 3, name="e")(np.array([[1], [7]])),
        ValueError,
        ('"e"', "7", "row 1"),
    ),
    "an index, fit": (lambda: of_rows(40, "fit"), ValueError, ('"words"', "input_dim=5", "7 in row 40")),
    "an index, predict": (
        lambda: of_rows(40, "predict"),
        ValueError,
        ('"words"', "input_dim=5", "7 in row 40"),
    ),
    "no gradient": (lambda: fit(compiled(Steps)), ValueError, ("`where` with constants", "no derivative")),
}
DATA = {
    "text labels": (np.array(["a", "b"] * 16), ("`y`", "LabelEncoder", "pandas.factorize")),
    "a list of text": (["a", "b"] * 16, ("`y`", "LabelEncoder")),
    "numbers as objects": (Y.astype(object), ("astype('float32')",)),
    "numbers as text": (Y.astype(str), ("astype('float32')",)),
    "dates": (np.array(["2020-01-01"] * 32, "datetime64[D]"), ("np.timedelta64",)),
}


@pytest.mark.parametrize(
    "case", [*KEYWORDS.values(), *SHAPES.values(), *OTHERS.values()], ids=[*KEYWORDS, *SHAPES, *OTHERS]
)
def test_messages(case):
    run, kind, parts = case
    with warnings.catch_warnings(), pytest.raises(kind) as caught:
        warnings.simplefilter("ignore")
        run()
    message = str(caught.value)
    for part in parts:
        assert part in message
    for internal in ("Steps.", "Trainer.", "_rv_", "NoneType'"):
        assert internal not in message or "Got None" in message


@pytest.mark.parametrize(("y", "parts"), DATA.values(), ids=DATA)
def test_data_that_are_not_numbers(y, parts):
    with pytest.raises(ValueError, match="must hold numbers") as caught:
        fit(net(), X, y)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("column", "parts"),
    [
        (lambda pd: ["1", "b"] * 16, ("'a'", "get_dummies", "factorize")),
        (lambda pd: pd.Series([1, 2.5] * 16, dtype=object), ("'a' (object)", "pandas.to_numeric")),
        (lambda pd: ["1", "2.5"] * 16, ("'a'", "pandas.to_numeric")),
        (lambda pd: pd.Series([1, "2.5"] * 16, dtype=object), ("'a' (object)", "pandas.to_numeric")),
        (lambda pd: pd.to_datetime(["2020-01-01"] * 32), ("'a'", "datetime", ".dt.")),
        (lambda pd: pd.Categorical(["u", "v"] * 16), ("'a' (category)", ".cat.codes")),
    ],
)
def test_columns_that_are_not_numbers(column, parts):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": column(pd), "b": Y, "c": Y, "d": Y})
    with pytest.raises(ValueError, match="must hold numbers") as caught:
        fit(net(), frame, Y)
    for part in (*parts, "frame.drop"):
        assert part in str(caught.value)
    with pytest.raises(ValueError, match="LabelEncoder"):
        fit(net(), X, pd.Series(["a", "b"] * 16))


def test_metrics_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    with pytest.raises(TypeError, match=r"accuracy_score\(y, model.predict\(x\)\)"):
        fit(net(metrics=[sklearn.accuracy_score]))


def test_a_keyword_that_a_class_passes_on_is_not_refused():
    class Mine(L.Dense):
        def __init__(self, units, factor=2, **kwargs):
            super().__init__(units, **kwargs)

    assert Mine(3, factor=1, activation="relu", name="mine").name == "mine"
    with pytest.raises(ValueError, match="Did you mean `factor`"):
        Mine(3, faktor=1)


def test_a_layer_that_computes_nothing_may_return_nothing():
    class Counts(L.Layer):
        def __init__(self):
            super().__init__()
            self.count = self.add_weight((), "zeros", trainable=False)

        def call(self, inputs):
            self.count.assign_add(1.0)

    counts = Counts()
    assert counts(X) is None and float(counts.count) == 1.0
