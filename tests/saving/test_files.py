"""Models and weights in files: what comes back, and what is refused."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ranvier as rv

h5py = pytest.importorskip("h5py")
L = rv.layers
RNG = np.random.default_rng(3)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = RNG.normal(size=(24, 2)).astype("float32")


@rv.saving.register_keras_serializable("tests_saving")
class Scale(L.Layer):
    """Gates its input, at random while training."""

    def __init__(self, rate: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.dense = [L.Dense(4), L.Dense(4)]
        self.seeds = rv.random.SeedGenerator(5)

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=(4,), initializer="ones", name="scale")
        for dense in self.dense:
            dense.build(input_shape)

    def call(self, x: Any, training: bool = False) -> Any:
        x = self.dense[1](self.dense[0](x)) * self.scale
        return rv.random.dropout(x, self.rate, seed=self.seeds) if training else x

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"rate": self.rate}


@rv.saving.register_keras_serializable("tests_saving")
class Net(rv.Model):
    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.scale = Scale()
        self.layers_by_name = {"a": L.Dense(units), "b": L.Dense(2)}

    def call(self, x: Any, training: bool = False) -> Any:
        return self.layers_by_name["b"](self.layers_by_name["a"](self.scale(x, training=training)))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"units": self.units}


@rv.saving.register_keras_serializable("tests_saving")
def squared(y_true: Any, y_pred: Any) -> Any:
    return rv.ops.mean(rv.ops.square(y_true - y_pred), axis=-1)


def sequential() -> Any:
    return rv.Sequential([
        rv.Input((4,)), L.Dense(6, activation="relu"), L.BatchNormalization(), L.Dropout(0.3, seed=2),
        L.Dense(2),
    ])  # fmt: skip


def deferred() -> Any:
    model = rv.Sequential([L.Dense(5), L.GaussianNoise(0.1, seed=1), L.Dense(2)])
    model.build((None, 4))
    return model


def functional() -> Any:
    x = rv.Input((4,))
    dense = L.Dense(4, name="shared")
    inner = rv.Sequential([rv.Input((4,)), Scale(), L.Dense(3)], name="inner")
    y = L.Concatenate()([inner(dense(x)), rv.ops.tanh(dense(dense(x)))])
    return rv.Model(x, L.Dense(2)(y))


def subclassed() -> Any:
    model = Net()
    model(X[:1])
    return model


MODELS = {f.__name__: f for f in (sequential, deferred, functional, subclassed)}


def trained(name: str) -> Any:
    model = MODELS[name]()
    model.compile(rv.optimizers.Adam(0.01), squared, metrics=["mae", rv.metrics.MeanSquaredError(name="m")])
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, shuffle=False)
    return model


def small(units: int = 2, name: str = "a") -> Any:
    return rv.Sequential([rv.Input((4,)), L.Dense(units, name=name)], name="small")


# --- what comes back ---


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_is_the_same_and_goes_on_as_if_it_had_not_been_saved(
    name: str, tmp_path: Path
) -> None:
    model = trained(name)
    model.save(tmp_path / "m.keras")
    again = rv.models.load_model(tmp_path / "m.keras")
    assert type(again) is type(model) and again.name == model.name
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert int(again.optimizer.iterations.numpy()) == 6
    for one in (model, again):  # random draws included
        one.fit(X, Y, batch_size=8, epochs=2, verbose=0, shuffle=False)
    assert again.history.history == model.history.history
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
@pytest.mark.parametrize("name", MODELS)
def test_weights_alone(name: str, ending: str, tmp_path: Path) -> None:
    model, again = trained(name), MODELS[name]()
    again.compile(rv.optimizers.Adam(0.01), squared)
    path = tmp_path / f"m{ending}"
    (model.save_weights if ending == ".weights.h5" else model.save)(path)
    again.load_weights(path)
    for a, b in zip(again.variables, model.variables, strict=False):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_model_that_is_not_compiled(tmp_path: Path) -> None:
    model = trained("sequential")
    model.save(tmp_path / "m.keras")
    again = rv.saving.load_model(tmp_path / "m.keras", compile=False)
    assert not again.compiled
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_custom_objects(tmp_path: Path) -> None:
    class Plus(L.Layer):
        def call(self, x: Any) -> Any:
            return x + 1.0

    rv.Sequential([rv.Input((4,)), Plus()]).save(tmp_path / "m.keras")
    with pytest.raises(TypeError, match="Could not locate class 'Plus'"):
        rv.models.load_model(tmp_path / "m.keras")
    again = rv.models.load_model(tmp_path / "m.keras", custom_objects={"Plus": Plus})
    np.testing.assert_array_equal(again.predict(X, verbose=0), X + 1)


def test_variables_in_a_format_of_the_layers_own(tmp_path: Path) -> None:
    @rv.saving.register_keras_serializable("tests_saving")
    class Table(L.Layer):
        def build(self, input_shape: Any) -> None:
            self.words = self.add_weight(shape=(2,), name="words")

        def call(self, x: Any) -> Any:
            return x * self.words[0]

        def save_own_variables(self, store: Any) -> None:
            store["words"] = self.words.numpy()

        def load_own_variables(self, store: Any) -> None:
            self.words.assign(store["words"])

    model = rv.Sequential([rv.Input((4,)), Table()])
    model.save(tmp_path / "m.keras")
    again = rv.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_the_archive(tmp_path: Path) -> None:
    model = trained("sequential")
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert json.loads(archive.read("metadata.json")).keys() == {"keras_version", "date_saved"}
        assert json.loads(archive.read("config.json"))["class_name"] == "Sequential"
    assert os.listdir(tmp_path) == ["m.keras"]  # nothing temporary is left


# --- what does not fit ---


MISFITS: dict[str, tuple[Any, str]] = {
    "shape": (lambda: small(3), r"'small/a/kernel' has shape \(4, 3\) in the model, and shape \(4, 2\)"),
    "missing": (
        lambda: rv.Sequential([rv.Input((4,)), L.Dense(2), L.Dense(2, name="top")]),
        r"Layer 'top' expected 2 variables, but received 0 .*\['kernel', 'bias'\] "
        r"\('layers/dense_1/vars' in .*small.weights.h5\)",
    ),
    "number": (
        lambda: rv.Sequential([rv.Input((4,)), L.Dense(2, use_bias=False)]),
        "expected 1 variables, but received 2",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_misfits_are_named_and_change_nothing(case: str, tmp_path: Path) -> None:
    make, message = MISFITS[case]
    path = tmp_path / "small.weights.h5"
    small().save_weights(path)
    model = make()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match=message):
        model.load_weights(path, skip_mismatch=True)


def test_skip_mismatch_loads_the_rest(tmp_path: Path) -> None:
    source = rv.Sequential([rv.Input((4,)), L.Dense(3), L.Dense(2)])
    target = rv.Sequential([rv.Input((4,)), L.Dense(3), L.Dense(5)])
    source.save_weights(tmp_path / "m.weights.h5")
    top = target.layers[1].get_weights()
    with pytest.warns(UserWarning, match="A total of 1 objects could not be loaded"):
        target.load_weights(tmp_path / "m.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(target.layers[0].get_weights()[0], source.layers[0].get_weights()[0])
    np.testing.assert_array_equal(target.layers[1].get_weights()[0], top[0])


def test_the_state_of_another_optimizer_is_left_out_with_a_warning(tmp_path: Path) -> None:
    trained("sequential").save_weights(tmp_path / "m.weights.h5")
    model = sequential()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="The state of optimizer 'sgd.*is not loaded"):
        model.load_weights(tmp_path / "m.weights.h5")
    assert int(model.optimizer.iterations.numpy()) == 0


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "model ending": (lambda d: small().save(d / "m.h5"), ValueError, "Invalid filepath extension for saving"),
    "weights ending": (lambda d: small().save_weights(d / "m.h5"), ValueError, "must end in `.weights.h5`"),
    "folder": (lambda d: small().save(d / "m.keras", zipped=False), ValueError, "zipped=False"),
    "argument": (lambda d: small().save(d / "m.keras", nonsense=1), ValueError, "nonsense"),
    "shards": (
        lambda d: small().save_weights(d / "m.weights.h5", max_shard_size=1),
        ValueError,
        "max_shard_size",
    ),
    "unbuilt": (
        lambda d: rv.Sequential([L.Dense(2)]).save_weights(d / "m.weights.h5"),
        ValueError,
        "has not yet been built",
    ),
    "load unbuilt": (
        lambda d: rv.Sequential([L.Dense(2)]).load_weights(d / "w.weights.h5"),
        ValueError,
        "loading weights into a model that has not yet been built",
    ),
    "by name": (lambda d: small().load_weights(d / "w.weights.h5", by_name=True), ValueError, "by_name"),
    "load argument": (lambda d: small().load_weights(d / "w.weights.h5", x=1), ValueError, "{'x': 1}"),
    "load ending": (lambda d: small().load_weights(__file__), ValueError, "File format not supported"),
    "load model ending": (lambda d: rv.models.load_model(d / "w.weights.h5"), ValueError, "not supported"),
    "no weights": (lambda d: small().load_weights(d / "no.weights.h5"), FileNotFoundError, "no.weights.h5"),
    "no model": (lambda d: rv.models.load_model(d / "no.keras"), ValueError, "File not found: .*no.keras"),
    "cut weights": (
        lambda d: small().load_weights(d / "cut.weights.h5"),
        OSError,
        "cut.weights.h5 .*truncated",
    ),
    "cut model": (lambda d: rv.models.load_model(d / "cut.keras"), ValueError, "cut.keras .*truncated"),
    "cut model weights": (
        lambda d: small().load_weights(d / "cut.keras"),
        ValueError,
        "cut.keras .*truncated",
    ),
    "other zip": (
        lambda d: rv.models.load_model(d / "other.keras"),
        ValueError,
        "has no 'config.json', but a",
    ),
    "lambda": (
        lambda d: rv.Sequential([rv.Input((4,)), L.Lambda(lambda x: x)]).save(d / "m.keras"),
        ValueError,
        "lambda",
    ),
    "lambda in a file": (lambda d: rv.models.load_model(d / "lambda.keras"), ValueError, "lambda"),
    "lambda, unsafe": (
        lambda d: rv.models.load_model(d / "lambda.keras", safe_mode=False),
        ValueError,
        "lambda",
    ),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    small().save(folder / "m0.keras")
    small().save_weights(folder / "w.weights.h5")
    for whole, cut in (("m0.keras", "cut.keras"), ("w.weights.h5", "cut.weights.h5")):
        content = (folder / whole).read_bytes()
        (folder / cut).write_bytes(content[: len(content) // 2])
    with zipfile.ZipFile(folder / "other.keras", "w") as archive:
        archive.writestr("a", "b")
    with zipfile.ZipFile(folder / "m0.keras") as old, zipfile.ZipFile(folder / "lambda.keras", "w") as new:
        config = json.loads(old.read("config.json"))
        code = {"class_name": "__lambda__", "config": {"value": ["4wE=", None, None]}}
        config["config"]["layers"][1]["config"]["activation"] = code
        new.writestr("config.json", json.dumps(config))
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
    return folder


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str, files: Path) -> None:
    act, kind, message = REFUSED[case]
    before = sorted(os.listdir(files))
    with pytest.raises(kind, match=message):
        act(files)
    assert sorted(os.listdir(files)) == before


@pytest.mark.parametrize("save", ["save", "save_weights"])
def test_the_user_is_asked_before_a_file_is_replaced(
    save: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ("m.keras" if save == "save" else "m.weights.h5")
    path.write_bytes(b"old")
    asked: list[str] = []
    answers = iter(["what", "n", "y"])
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or next(answers))
    getattr(small(), save)(path, overwrite=False)
    assert path.read_bytes() == b"old"
    assert "already exists - overwrite? [y/n]" in asked[0] and len(asked) == 2
    getattr(small(), save)(path, overwrite=False)
    assert path.read_bytes() != b"old"


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.keras"
    small().save(path)
    before = path.read_bytes()

    def fail(*args: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail)
    with pytest.raises(OSError, match="disk full"):
        small(5).save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["m.keras"]


def test_without_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    for act in (
        lambda: small().save(tmp_path / "m.keras"),
        lambda: small().save_weights(tmp_path / "m.weights.h5"),
    ):
        with pytest.raises(ImportError, match="pip install h5py"):
            act()
    assert not os.listdir(tmp_path)


def test_arguments_of_older_programs(tmp_path):
    model = rv.Sequential([rv.Input((4,)), L.Dense(2)])
    with pytest.warns(UserWarning, match="`save_format` is deprecated"):
        model.save(tmp_path / "m.keras", save_format="keras", include_optimizer=False)
    np.testing.assert_array_equal(rv.saving.load_model(tmp_path / "m.keras")(X), model(X))
    with pytest.raises(ValueError, match=r"\.keras.*save_format=tf"):
        model.save(tmp_path / "folder", save_format="tf")


def test_objects_that_keep_what_they_have(tmp_path):
    model = rv.Sequential([rv.Input((4,)), L.Dense(4, name="a"), rv.Sequential([L.Dense(2, name="b")])])
    model.save_weights(tmp_path / "m.weights.h5")
    saved = model.get_weights()
    for skipped, kept in (([model.layers[0]], (0, 1)), ([model.layers[1]], (2, 3)), ([], ())):
        model.set_weights([np.zeros_like(w) for w in saved])
        model.load_weights(tmp_path / "m.weights.h5", objects_to_skip=skipped)
        for i, (weight, before) in enumerate(zip(model.get_weights(), saved, strict=True)):
            np.testing.assert_array_equal(weight, 0 * before if i in kept else before)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="objects_to_skip.*weights.h5"):
        model.load_weights(tmp_path / "m.keras", objects_to_skip=[])
