"""Archives and configs that are damaged or hostile: what is refused, with which words, and at what cost."""

from __future__ import annotations

import functools
import io
import json
import struct
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier.saving import archive

h5py = pytest.importorskip("h5py")
L = rv.layers

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


def model() -> Any:
    made = rv.Sequential([rv.Input((4,)), L.Dense(3, name="first"), L.Dense(2, name="last")], name="m")
    made.compile(rv.optimizers.SGD(0.1, momentum=0.9), "mse", metrics=[rv.metrics.MeanSquaredError()])
    made.optimizer.build(made.trainable_variables)
    return made


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The members of a good file."""
    path = tmp_path_factory.mktemp("good") / "m.keras"
    model().save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_field(content: bytes, local: int, central: int, form: str, value: int) -> bytes:
    """An archive whose members all have another value in a field of both their headers."""
    changed = bytearray(content)
    for signature, offset in ((b"PK\3\4", local), (b"PK\1\2", central)):
        at = content.find(signature)
        while at >= 0:
            struct.pack_into(form, changed, at + offset, value)
            at = content.find(signature, at + 1)
    return bytes(changed)


def doubled(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as archive:
        warnings.simplefilter("ignore")
        for name in (*members, CONFIG):
            archive.writestr(name, members[name])
    return file.getvalue()


def linked(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo(CONFIG)
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return file.getvalue()


ARCHIVES: dict[str, tuple[Callable[[dict[str, bytes]], bytes], str]] = {
    "encrypted": (lambda m: with_field(zipped(m), 6, 8, "<H", 1), "'config.json' is encrypted"),
    "unknown method": (lambda m: with_field(zipped(m), 8, 10, "<H", 99), "is compressed by method 99"),
    "bzip2": (lambda m: zipped(m, zipfile.ZIP_BZIP2), "is compressed by method 12"),
    "checksum": (lambda m: with_field(zipped(m), 14, 16, "<I", 7), "'config.json' cannot be read: Bad CRC"),
    "version": (lambda m: with_field(zipped(m), 4, 6, "<H", 99), "damaged: zip file version 9.9"),
    "not deflated": (lambda m: with_field(zipped(m), 8, 10, "<H", 8), "'config.json' cannot be read: Error"),
    "announced size": (lambda m: with_field(zipped(m), 22, 24, "<I", 10**8), "grows to more than 64 MiB"),
    "cut": (lambda m: zipped(m)[:-100], "may be truncated or damaged"),
    "empty": (lambda m: b"", "may be truncated or damaged"),
    "no member": (lambda m: zipped({"a": b""}), "it has no 'config.json', but a"),
    "no weights": (lambda m: zipped({CONFIG: m[CONFIG]}), "it has no 'model.weights.h5', but config.json"),
    "absolute": (lambda m: zipped(m | {"/etc/x": b""}), "its member '/etc/x' leads out"),
    "upwards": (lambda m: zipped(m | {"assets/../../x": b""}), "its member 'assets/../../x' leads out"),
    "upwards, other slashes": (lambda m: zipped(m | {"a\\..\\..\\x": b""}), "leads out of the archive"),
    "a link": (linked, "'config.json' leads out of the archive"),
    "twice": (doubled, "it has two members 'config.json'"),
    "many members": (lambda m: zipped(m | {str(i): b"" for i in range(10_001)}), "more than 10,000 members"),
}  # fmt: skip


@pytest.mark.parametrize("case", ARCHIVES)
def test_archives(case: str, good: dict[str, bytes], tmp_path: Path) -> None:
    make, message = ARCHIVES[case]
    path = tmp_path / "bad.keras"
    path.write_bytes(make(good))
    with pytest.raises(ValueError, match=message) as caught:
        rv.models.load_model(path)
    assert "bad.keras" in str(caught.value)


def test_a_deflated_archive_is_read(good: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(zipped(good, zipfile.ZIP_DEFLATED))
    assert rv.models.load_model(tmp_path / "m.keras").name == "m"


# --- configs ---


def dense(config: dict[str, Any]) -> dict[str, Any]:
    """The config of the layer "last"."""
    return config["config"]["layers"][2]


def put(where: Callable[[dict[str, Any]], Any], key: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: where(config).__setitem__(key, value)


def nested(depth: int) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        value: Any = {}
        for _ in range(depth):
            value = {"class_name": "Dense", "config": {"units": value}, "module": "keras.layers"}
        dense(config)["config"]["units"] = value

    return change


CONFIGS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no layers": (lambda c: c["config"].pop("layers"), "Sequential 'm' could not be .* KeyError: 'layers'"),
    "layers are a number": (put(lambda c: c["config"], "layers", 3), "Sequential 'm' could not be"),
    "no units": (lambda c: dense(c)["config"].pop("units"), "Dense 'last' could not be deserialized"),
    "units are text": (put(lambda c: dense(c)["config"], "units", "many"), "Dense 'last' could not be"),
    "units are a nest": (put(lambda c: dense(c)["config"], "units", [{}]), "Dense 'last' could not be"),
    "a config that is a list": (put(dense, "config", []), "Expected 'config' to be a dict for Dense"),
    "an unknown class": (put(dense, "class_name", "Dance"), "Could not locate class 'Dance'"),
    "a class of Keras alone": (put(dense, "class_name", "Conv2D"), "'Conv2D': Keras has it, this version"),
    "a class that is a number": (put(dense, "class_name", 3), "Could not locate class '3'"),
    "a class that is a list": (put(dense, "class_name", []), r"Could not locate class '\[\]'"),
    "an unknown initializer": (
        put(lambda c: dense(c)["config"], "kernel_initializer", "zeal"), "Dense 'last' could not be .*zeal",
    ),
    "an error of NumPy's": (
        put(lambda c: dense(c)["config"], "kernel_initializer",
            {"module": "keras.initializers", "class_name": "Constant", "config": {"value": "two"}}),
        "Dense 'last' could not be",
    ),
    "a gain that is no number": (
        put(lambda c: dense(c)["config"], "kernel_initializer",
            {"module": "keras.initializers", "class_name": "Orthogonal", "config": {"gain": "two"}}),
        "Orthogonal could not be deserialized properly: `gain` must be a number",
    ),
    "build shapes": (put(dense, "build_config", {"input_shape": "xyz"}), "could not be deserialized"),
    "build config": (put(dense, "build_config", 3), "could not be deserialized properly"),
    "an optimizer that is a list": (put(lambda c: c["compile_config"], "optimizer", []), "Sequential 'm'"),
    "compile config": (put(lambda c: c, "compile_config", [1]), "Sequential 'm' could not be"),
    "an array": (
        put(lambda c: dense(c)["config"], "units", {"class_name": "__numpy__", "config": {"value": 1}}),
        "could not be deserialized properly",
    ),
    "nested deeply": (nested(200), "could not be|nested too deeply"),
    "no model": (lambda c: (c.clear(), c.update(x=1)), "does not describe a model"),
    "another object": (
        lambda c: (c.clear(), c.update(module="keras.losses", class_name="Huber", config={})),
        "does not describe a model",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONFIGS)
def test_configs(case: str, good: dict[str, bytes], tmp_path: Path) -> None:
    change, message = CONFIGS[case]
    config = json.loads(good[CONFIG])
    change(config)
    path = tmp_path / "bad.keras"
    path.write_bytes(zipped(good | {CONFIG: json.dumps(config).encode()}))
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        rv.models.load_model(path)
    assert type(caught.value) in (ValueError, TypeError)
    assert str(caught.value).startswith(str(path)) and len(str(caught.value)) < 5000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "its config is not JSON"),
        (b"{", "its config is not JSON"),
        (b"\xff\xfe{", "its config is not JSON"),
        (b"[1]", "its config is a list, not a dict"),
        (b"[" * 100_000 + b"]" * 100_000, "its config is not JSON"),
        (b"[" + b"{}," * 1_000_000 + b"0]", "and 1,000,001 brackets"),
        (b" " * (65 << 20), "grows to more than 64 MiB|has 68,157,440 bytes"),
    ],
)
def test_texts(text: bytes, message: str, good: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "bad.keras").write_bytes(zipped(good | {CONFIG: text}, zipfile.ZIP_DEFLATED))
    with pytest.raises(ValueError, match=message):
        rv.models.load_model(tmp_path / "bad.keras")


def test_errors_of_users_classes_are_theirs(tmp_path: Path) -> None:
    @rv.saving.register_keras_serializable("tests_damage")
    class Picky(L.Layer):
        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            raise LookupError("mine")

        def call(self, x: Any) -> Any:
            return x

    rv.Sequential([rv.Input((4,)), Picky()]).save(tmp_path / "m.keras")
    with pytest.raises(LookupError, match="^mine$"):
        rv.models.load_model(tmp_path / "m.keras")


# --- bombs ---


@functools.cache
def deflated_zeros(count: int) -> tuple[bytes, int]:
    """So many zeros, deflated, and their checksum."""
    deflating = zlib.compressobj(9, wbits=-15)
    block = bytes(1 << 20)
    parts, checksum = [], 0
    for _ in range(count >> 20):
        parts.append(deflating.compress(block))
        checksum = zlib.crc32(block, checksum)
    return b"".join((*parts, deflating.flush())), checksum


def zip_bomb(name: str, announced: int | None) -> Callable[[dict[str, bytes]], bytes]:
    """A member of 256 MiB of zeros that says that it has so many bytes."""

    def make(members: dict[str, bytes]) -> bytes:
        size = 256 << 20
        packed, checksum = deflated_zeros(size)
        content = zipped(members | {name: b"?" * len(packed)})
        at = content.index(name.encode()) + len(name)
        changed = bytearray(content)
        changed[at : at + len(packed)] = packed
        changed[at - len(name) - 30 + 8 : at - len(name) - 30 + 10] = struct.pack("<H", 8)
        central = content.rindex(b"PK\1\2", 0, content.rindex(name.encode()))
        struct.pack_into("<H", changed, central + 10, 8)
        for place in (central + 16, at - len(name) - 30 + 14):
            struct.pack_into("<I", changed, place, checksum)
        for place in (central + 24, at - len(name) - 30 + 22):
            struct.pack_into("<I", changed, place, size if announced is None else announced)
        return bytes(changed)

    return make


def large_layer(**values: Any) -> Callable[[dict[str, bytes]], bytes]:
    def make(members: dict[str, bytes]) -> bytes:
        config = json.loads(members[CONFIG])
        dense(config)["config"].update(values)
        return zipped(members | {CONFIG: json.dumps(config).encode()})

    return make


def large_metric(members: dict[str, bytes]) -> bytes:
    config = json.loads(members[CONFIG])
    metric = {"module": "keras.metrics", "class_name": "MeanIoU", "config": {"num_classes": 20_000}}
    config["compile_config"]["metrics"] = [metric]
    return zipped(members | {CONFIG: json.dumps(config).encode()})


BOMBS: dict[str, tuple[Callable[[dict[str, bytes]], bytes], str]] = {
    "config": (zip_bomb(CONFIG, None), "'config.json' grows to more than"),
    "weights": (zip_bomb(WEIGHTS, None), "'model.weights.h5' grows to more than"),
    "weights that announce little": (zip_bomb(WEIGHTS, 100_000), "model.weights.h5|cannot be read as HDF5"),
    "a large layer": (large_layer(units=1 << 28), "more memory than its weights justify.*last/kernel'"),
    "an impossible layer": (large_layer(units=1 << 62), "more memory than its weights justify"),
    "a large metric": (large_metric, "more memory than its weights justify"),
}


MANY_VARIABLES = {"use_ema": True, "gradient_accumulation_steps": 2}


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: rv.optimizers.RMSprop(centered=True, momentum=0.9, **MANY_VARIABLES),
        lambda: rv.optimizers.Adam(amsgrad=True, **MANY_VARIABLES),
        lambda: rv.optimizers.LossScaleOptimizer(rv.optimizers.Nadam(**MANY_VARIABLES)),
    ],
)
def test_a_large_model_that_was_not_trained_is_no_bomb(
    optimizer: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file has none of the optimizer's variables, which are made for it."""
    monkeypatch.setattr(archive, "FREE_MEMORY", 0)
    model = rv.Sequential([rv.Input((64,)), rv.layers.Dense(64)])
    model.compile(optimizer(), "mse")
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="state of optimizer"):
        again = rv.models.load_model(tmp_path / "m.keras")
    assert np.array_equal(again.layers[0].kernel, model.layers[0].kernel)


@pytest.mark.parametrize("case", BOMBS)
def test_bombs_are_refused_before_they_take_memory(case: str, good: dict[str, bytes], tmp_path: Path) -> None:
    make, message = BOMBS[case]
    path = tmp_path / "bomb.keras"
    path.write_bytes(make(good))
    assert path.stat().st_size < 3_000_000
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, OSError), match=message):
            rv.models.load_model(path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


# --- nothing is half changed ---


@rv.saving.register_keras_serializable("tests_damage")
class Own(L.Layer):
    """Saves in a format of its own, and assigns before it finds that something is missing."""

    def build(self, input_shape: Any) -> None:
        self.a = self.add_weight(shape=(2,), name="a")
        self.b = self.add_weight(shape=(2,), name="b")

    def call(self, x: Any) -> Any:
        return x * self.a[0] + self.b[0]

    def save_own_variables(self, store: Any) -> None:
        store["a"], store["b"] = self.a.numpy(), self.b.numpy()

    def load_own_variables(self, store: Any) -> None:
        self.a.assign(store["a"])
        assert np.array_equal(self.a.numpy(), store["a"])  # it sees what it assigned
        self.b.assign(store["b"])


def with_own() -> Any:
    made = rv.Sequential([rv.Input((4,)), L.Dense(3), L.Dropout(0.5, seed=3), Own(), L.Dense(2)], name="m")
    made.compile(rv.optimizers.Adam(0.1), "mse", metrics=["mae"])
    return made


def bits(of: Any) -> list[bytes]:
    variables = [*of.variables, *of.optimizer.variables, *of.metrics_variables]
    return [variable.numpy().tobytes() for variable in variables]


def remove(place: str) -> Callable[[Any], None]:
    return lambda h5: h5.__delitem__(place)


def replace(place: str, value: Any) -> Callable[[Any], None]:
    def change(h5: Any) -> None:
        del h5[place]
        h5[place] = value

    return change


MISFITS: dict[str, tuple[Callable[[Any], None], str]] = {
    "own format, missing": (remove("layers/own/vars/b"), "KeyError: 'b' \\('layers/own/vars' in"),
    "own format, shape": (replace("layers/own/vars/b", np.zeros(3, "f4")), "must match.*'layers/own/vars'"),
    "last layer, shape": (replace("layers/dense_1/vars/1", np.zeros(3, "f4")), "'m/dense_.*/bias' has shape"),
    "last layer, missing": (remove("layers/dense_1/vars"), "expected 2 variables, but received 0"),
    "seed": (replace("layers/dropout/seed_generator/vars/0", np.zeros(3, "i8")), "has a state of shape"),
}


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("case", MISFITS)
def test_a_failed_load_changes_nothing(case: str, built: bool, tmp_path: Path) -> None:
    change, message = MISFITS[case]
    path = tmp_path / "m.weights.h5"
    source = with_own()
    source.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)
    source.save_weights(path)
    with h5py.File(path, "a") as h5:
        change(h5)
    target = with_own()
    if built:
        target.optimizer.build(target.trainable_variables)
    before = bits(target)
    with pytest.raises(ValueError, match=message):
        target.load_weights(path)
    assert bits(target) == before
    with pytest.warns(UserWarning, match=message):
        target.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(target.layers[0].get_weights()[0], source.layers[0].get_weights()[0])
    own, other = target.layers[2], source.layers[2]
    is_own = case.startswith("own")
    assert np.array_equal(own.a.numpy(), other.a.numpy()) is not is_own  # the whole layer, or none of it


def test_warnings_as_errors_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    with_own().save_weights(path)
    with h5py.File(path, "a") as h5:
        del h5["layers/own/vars/b"]
    target = with_own()
    before = bits(target)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="1 objects could not be loaded"):
            target.load_weights(path, skip_mismatch=True)
    assert bits(target) == before


def test_variables_may_be_made_while_loading(tmp_path: Path) -> None:
    class Late(L.Layer):
        def call(self, x: Any) -> Any:
            return x

        def build(self, input_shape: Any) -> None:
            self.table = self.add_weight(shape=(3,), name="table")

        def load_own_variables(self, store: Any) -> None:
            scratch = rv.Variable(np.zeros(3, "float32"))
            scratch.assign(store["0"] + 1)
            self.table.assign(scratch)

    target = rv.Sequential([rv.Input((4,)), Late()])
    target.save_weights(tmp_path / "m.weights.h5")
    before = target.layers[0].table.numpy()
    target.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(target.layers[0].table.numpy(), before + 1)


def test_what_cannot_be_read_again_is_not_written(tmp_path: Path) -> None:
    class Words(L.Layer):
        def call(self, x: Any) -> Any:
            return x

        def save_own_variables(self, store: Any) -> None:
            store["words"] = np.array([b"one", b"two"])

    with pytest.raises(TypeError, match="Words 'w' saves 'words' as an array of .*S3"):
        rv.Sequential([rv.Input((4,)), Words(name="w")]).save_weights(tmp_path / "m.weights.h5")
    assert not list(tmp_path.iterdir())


SETTERS: dict[str, Callable[[Any, list[Any]], None]] = {
    "set_weights": lambda m, values: m.set_weights(values[:4]),
    "set_weights of an optimizer": lambda m, values: m.optimizer.set_weights([1, 0.5, *values[:4]]),
    "load_own_variables": lambda m, values: m.layers[1].load_own_variables({"0": values[2], "1": values[3]}),
    "load_own_variables of an optimizer": lambda m, values: m.optimizer.load_own_variables(
        {str(i): value for i, value in enumerate([1, 0.5, *values[:4]])}
    ),
    "set_state_tree": lambda m, values: m.set_state_tree(
        {"trainable_variables": {"m": {"last": {"kernel": values[2], "bias": values[3]}}}}
    ),
}


@pytest.mark.parametrize("setter", SETTERS)
def test_setters_change_all_or_nothing(setter: str) -> None:
    target = model()
    before = bits(target)
    values: list[Any] = [np.ones(shape, "f4") for shape in ((4, 3), (3,), (3, 2), (2,))]
    with pytest.raises(TypeError, match="expected numbers"):
        SETTERS[setter](target, [*values[:3], np.array(["a", "b"])])
    assert bits(target) == before
    SETTERS[setter](target, values)
    assert bits(target) != before


def test_json_nested_deeply() -> None:
    for depth in (500, 100_000):
        with pytest.raises((ValueError, TypeError)):
            rv.models.model_from_json('{"a": ' * depth + "0" + "}" * depth)


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("AUC", {"num_thresholds": 10**7}),
        ("AUC", {"num_thresholds": 10**9}),
        ("PrecisionAtRecall", {"recall": 0.5, "num_thresholds": 10**7}),
        ("MeanIoU", {"num_classes": 10**7}),
        ("OneHotMeanIoU", {"num_classes": 10**7}),
        ("IoU", {"num_classes": 10**7, "target_class_ids": [0]}),
    ],
)
def test_counts_in_a_config_are_refused_before_there_are_lists(
    metric: str, values: dict[str, Any], good: dict[str, bytes], tmp_path: Path
) -> None:
    config = json.loads(good[CONFIG])
    made = {"module": "keras.metrics", "class_name": metric, "config": values}
    config["compile_config"]["metrics"] = [made]
    path = tmp_path / "m.keras"
    path.write_bytes(zipped(good | {CONFIG: json.dumps(config).encode()}))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"{metric} could not be deserialized properly"):
            rv.models.load_model(path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_growth_within_growth(good: dict[str, bytes], tmp_path: Path) -> None:
    """An archive that inflates to a file of arrays that inflate: it is the size on the disk that counts."""
    file = io.BytesIO(good[WEIGHTS])
    with h5py.File(file, "a") as h5:
        h5["padding"] = np.zeros(10 << 20, "u1")
        h5.create_dataset("x", data=np.zeros(100 << 20, "u1"), chunks=(1 << 20,), compression="gzip")
    path = tmp_path / "m.keras"
    path.write_bytes(zipped(good | {WEIGHTS: file.getvalue()}, zipfile.ZIP_DEFLATED))
    for act in (lambda: rv.models.load_model(path), lambda: model().load_weights(path)):
        with pytest.raises(ValueError, match="'x' has shape .* more than 20 times the size of the file"):
            act()
