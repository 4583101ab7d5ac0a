"""Files of models and weights against Keras's, in both directions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import assert_agrees, keras

import ranvier

pytest.importorskip("h5py")
RNG = np.random.default_rng(7)
X = RNG.normal(size=(16, 4)).astype("float32")
Y = RNG.normal(size=(16, 2)).astype("float32")


def sequential(k: Any) -> Any:
    L = k.layers
    return k.Sequential([
        k.Input((4,)), L.Dense(6, activation="relu"), L.BatchNormalization(), L.Dropout(0.0, seed=3),
        L.Dense(6, kernel_regularizer="l2"), L.LayerNormalization(), L.Dense(2),
    ])  # fmt: skip


def shared(k: Any) -> Any:
    """Shared layers, a model as a layer, layers of equal class."""
    L = k.layers
    inner = k.Sequential([k.Input((4,)), L.Dense(5, activation="tanh"), L.Dense(4)], name="inner")
    dense = L.Dense(4, name="shared")
    x = k.Input((4,))
    y = L.Concatenate()([dense(dense(x)), inner(x), inner(dense(x))])
    return k.Model(x, L.Dense(2, name="last")(L.Dense(3)(y)))


def wrapped(k: Any) -> Any:
    L = k.layers
    x = k.Input((4,))
    y = L.Reshape((2, 2))(x)
    y = L.TimeDistributed(L.Dense(3))(y)
    y = L.GroupNormalization(groups=3)(L.RMSNormalization()(y))
    y = L.PReLU(shared_axes=[1])(L.EinsumDense("abc,cd->abd", output_shape=(2, 3), bias_axes="d")(y))
    return k.Model(x, L.SpectralNormalization(L.Dense(2))(L.Flatten()(y)))


def normalized(k: Any) -> Any:
    layer = k.layers.Normalization()
    layer.adapt(np.linspace(-1, 3, 40, dtype="float32").reshape(10, 4))
    return k.Sequential([k.Input((4,)), layer, k.layers.Dense(2)])


def attention(k: Any) -> Any:
    L = k.layers
    x = k.Input((4,))
    y = L.Reshape((2, 2))(x)
    y = L.MultiHeadAttention(2, 3, dropout=0.0)(y, y)
    y = L.GroupQueryAttention(3, 4, 2)(y, y)
    return k.Model(x, L.Dense(2)(L.Flatten()(y)))


def custom(k: Any) -> Any:
    """A subclassed model with layers in attributes, lists, dicts, tuples and layers."""
    block, net = classes(k)
    model = net(3)
    model(X[:1])
    assert isinstance(model.blocks[0], block)
    return model


CLASSES: dict[str, Any] = {}


def classes(k: Any) -> Any:
    if k.__name__ in CLASSES:
        return CLASSES[k.__name__]
    L = k.layers

    @k.saving.register_keras_serializable("parity")
    class Block(L.Layer):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self._dense = L.Dense(units)
            self.Also = self.also = self._dense
            self.more = {"z": [L.Dense(units)], "a": L.Dense(units)}

        def build(self, input_shape: Any) -> None:
            self.shift = self.add_weight(shape=(self.units,), name="shift", initializer="ones")
            self.moved = self.add_weight(shape=(1,), name="moved", trainable=False)
            self._dense.build(input_shape)
            for layer in (self.more["z"][0], self.more["a"]):
                layer.build((None, self.units))

        def call(self, x: Any) -> Any:
            return self.more["a"](self.more["z"][0](self._dense(x))) + self.shift + self.moved

        def get_config(self) -> dict[str, Any]:
            return super().get_config() | {"units": self.units}

    @k.saving.register_keras_serializable("parity")
    class Net(k.Model):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.first = L.Dense(units)
            self.blocks = [Block(units), self.first, [L.Dense(units)], [L.Dense(units)], Block(units)]
            self.tail = (L.Dense(2), L.Dense(2))
            self.Upper = L.Dense(units)
            self._again = [self.tail[0]]

        def call(self, x: Any) -> Any:
            x = self.Upper(self.first(x))
            for layer in (self.blocks[0], self.blocks[2][0], self.blocks[3][0], self.blocks[4]):
                x = layer(x)
            return self.tail[1](self.tail[0](x))

        def get_config(self) -> dict[str, Any]:
            return super().get_config() | {"units": self.units}

    CLASSES[k.__name__] = (Block, Net)
    return Block, Net


def own_graph(k: Any) -> Any:
    """Attributes beside the layers of a functional model."""
    L = k.layers

    class Owner(k.Model):
        def __init__(self) -> None:
            x = k.Input((4,))
            dense = L.Dense(3)
            super().__init__(x, L.Dense(2)(dense(x)))
            self.a_first, self.Upper, self._b = dense, dense, [dense]
            self.other = L.Dense(5)
            self.other.build((None, 3))

    return Owner()


MODELS = {f.__name__: f for f in (sequential, shared, wrapped, normalized, attention, custom)}
OPTIMIZERS = {
    "adam": lambda k: k.optimizers.Adam(0.01, amsgrad=True),
    "momentum": lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "schedule": lambda k: k.optimizers.RMSprop(k.optimizers.schedules.CosineDecay(0.01, 10), centered=True),
    "decay": lambda k: k.optimizers.AdamW(0.01, weight_decay=0.1, clipnorm=1.0),
    "scaled": lambda k: k.optimizers.LossScaleOptimizer(k.optimizers.Adam(0.01)),
}
PAIRS = [(ranvier, keras), (keras, ranvier)]
WAYS = ["ours -> keras", "keras -> ours"]


def compiled(k: Any, name: str, optimizer: str = "adam") -> Any:
    model = MODELS[name](k)
    model.compile(OPTIMIZERS[optimizer](k), k.losses.MeanSquaredError(), metrics=["mae"])
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, shuffle=False)
    return model


def assert_same(model: Any, again: Any) -> None:
    assert_agrees(again.predict(X, verbose=0), model.predict(X, verbose=0))
    ours, theirs = (values(m) for m in (again, model))
    assert [v.shape for v in ours] == [v.shape for v in theirs]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def values(model: Any) -> list[np.ndarray]:
    return [np.asarray(v) for v in model.get_weights()]


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_models(name: str, source: Any, target: Any, tmp_path: Path) -> None:
    model = compiled(source, name)
    if name == "custom":
        classes(target)
    model.save(tmp_path / "m.keras")
    again = target.models.load_model(tmp_path / "m.keras")
    assert_same(model, again)
    if name == "custom":  # its config does not hold names
        return
    assert again.name == model.name
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=WAYS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on(optimizer: str, source: Any, target: Any, tmp_path: Path) -> None:
    model = compiled(source, "sequential", optimizer)
    model.save(tmp_path / "m.keras")
    again = target.models.load_model(tmp_path / "m.keras")
    for a, b in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    ours, theirs = (m.train_on_batch(X, Y, return_dict=True) for m in (again, model))
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert_agrees(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-4)


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=WAYS)
@pytest.mark.parametrize("make", [*MODELS.values(), own_graph])
def test_weights(make: Any, source: Any, target: Any, tmp_path: Path) -> None:
    model, again = make(source), make(target)
    model.save_weights(tmp_path / "m.weights.h5")
    again.load_weights(tmp_path / "m.weights.h5")
    assert_same(model, again)


@pytest.mark.parametrize("make", [*MODELS.values(), own_graph])
def test_layout(make: Any, tmp_path: Path) -> None:
    """The same datasets, but for the states of random draws, which Keras does not keep."""
    import h5py

    places = []
    for k in (ranvier, keras):
        make(k).save_weights(tmp_path / "m.weights.h5")
        found: dict[str, Any] = {}
        with h5py.File(tmp_path / "m.weights.h5") as h5:
            h5.visititems(lambda name, item, found=found: found.update({name: getattr(item, "shape", None)}))
        places.append(
            {n: shape for n, shape in found.items() if shape is not None and "seed_generator" not in n}
        )
    assert places[0] == places[1]
