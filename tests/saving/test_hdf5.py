"""HDF5 files that are more than arrays of numbers are refused before a byte of their data is read."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ranvier as rv

h5py = pytest.importorskip("h5py")
from ranvier.saving import hdf5  # noqa: E402

SECRET = np.arange(8, dtype="float32") + 41.0
KERNEL = np.arange(8, dtype="float32").reshape(4, 2)


def model() -> Any:
    made = rv.Sequential([rv.Input((4,)), rv.layers.Dense(2, use_bias=False, name="a")], name="m")
    made.compile(rv.optimizers.SGD(0.1, momentum=0.9), "mse")
    made.optimizer.build(made.trainable_variables)
    return made


WEIGHTS, SLOT = "layers/dense/vars", "optimizer/vars"


def external(group: Any, key: str, folder: Path) -> None:
    group.create_dataset(key, (4, 2), "float32", external=[(str(folder / "secret"), 0, 32)])


def virtual(group: Any, key: str, folder: Path) -> None:
    layout = h5py.VirtualLayout((4, 2), "float32")
    layout[...] = h5py.VirtualSource(str(folder / "secret.h5"), "x", (4, 2))
    group.create_virtual_dataset(key, layout)


def virtual_of_any_number(group: Any, key: str, folder: Path) -> None:
    layout = h5py.VirtualLayout((4, 2), "float32", maxshape=(None, 2))
    unlimited = h5py.VirtualSource(str(folder / "secret.h5"), "x", (4, 2), maxshape=(None, 2))
    layout[: h5py.h5s.UNLIMITED, :] = unlimited[: h5py.h5s.UNLIMITED, :]
    group.create_virtual_dataset(key, layout)


def external_link(group: Any, key: str, folder: Path) -> None:
    group[key] = h5py.ExternalLink(str(folder / "secret.h5"), "/x")


def soft_link(group: Any, key: str, folder: Path) -> None:
    group.file["elsewhere"] = KERNEL
    group[key] = h5py.SoftLink("/elsewhere")


def second_link(group: Any, key: str, folder: Path) -> None:
    group.file["elsewhere"] = KERNEL
    group[key] = group.file["elsewhere"]


def cycle(group: Any, key: str, folder: Path) -> None:
    group[key] = group.parent


def object_references(group: Any, key: str, folder: Path) -> None:
    group.create_dataset(key, (4, 2), h5py.ref_dtype)


def region_references(group: Any, key: str, folder: Path) -> None:
    group.create_dataset(key, (4, 2), h5py.regionref_dtype)


def of_type(dtype: Any) -> Callable[[Any, str, Path], None]:
    return lambda group, key, folder: group.create_dataset(key, (4, 2), dtype)


def null(group: Any, key: str, folder: Path) -> None:
    group.create_dataset(key, data=h5py.Empty("float32"))


def lzf(group: Any, key: str, folder: Path) -> None:
    group.create_dataset(key, data=KERNEL, compression="lzf")


def named_type(group: Any, key: str, folder: Path) -> None:
    group[key] = np.dtype("float32")


def never_written(group: Any, key: str, folder: Path) -> None:
    group.create_dataset(key, (4, 2), "float32")


def odd_float(group: Any, key: str, folder: Path) -> None:
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_ebias(99)
    space = h5py.h5s.create_simple((4, 2))
    h5py.h5d.create(group.id, key.encode(), kind, space).write(h5py.h5s.ALL, h5py.h5s.ALL, KERNEL)


def bomb(group: Any, key: str, folder: Path) -> None:
    made = group.create_dataset(key, (1 << 40,), "float32", chunks=(1 << 20,), compression="gzip")
    made[:4] = 1.0


def large_blocks(group: Any, key: str, folder: Path) -> None:
    block = np.zeros(1 << 20, "float32")
    group.create_dataset(key, data=np.tile(block, 32), chunks=(1 << 20,), compression="gzip")


ATTACKS: dict[str, tuple[Callable[[Any, str, Path], Any], str]] = {
    "external storage": (external, "keeps its values in other files"),
    "virtual dataset": (virtual, "keeps its values in other files"),
    "virtual dataset of any number": (virtual_of_any_number, "keeps its values in other files"),
    "link to another file": (external_link, "is a link to another file"),
    "soft link": (soft_link, "is a soft link"),
    "second link": (second_link, "is a second link"),
    "cycle of links": (cycle, "is a second link"),
    "object references": (object_references, "holds references"),
    "region references": (region_references, "holds references"),
    "compound": (of_type([("a", "f4"), ("b", "i4")]), "holds compounds"),
    "complex": (of_type("complex64"), "holds compounds"),
    "array": (of_type(np.dtype(("f4", (2,)))), "holds arrays as elements|has shape"),
    "lists": (of_type(h5py.vlen_dtype("f4")), "holds lists of any length"),
    "strings": (of_type(h5py.string_dtype()), "holds strings"),
    "fixed strings": (of_type("S4"), "holds strings"),
    "opaque": (of_type("V4"), "holds opaque bytes"),
    "enumeration": (of_type(h5py.enum_dtype({"a": 1, "b": 2})), "holds enumerations"),
    "long double": (of_type(np.longdouble), "holds numbers of an unusual type"),
    "odd float": (odd_float, "holds numbers of an unusual type"),
    "null dataspace": (null, "has no values"),
    "filter": (lzf, "went through the filter lzf.*h5repack"),
    "named type": (named_type, "is a named type"),
    "never written": (never_written, "has too few bytes"),
    "bomb": (bomb, "is stored in 1 blocks instead of"),
    "large blocks": (large_blocks, "more than 20 times the size of the file"),
}  # fmt: skip


def attacked(folder: Path, attack: str, where: str) -> Path:
    """A file of good weights in which one array is replaced."""
    path = folder / "m.weights.h5"
    model().save_weights(path)
    with h5py.File(path, "a") as h5:
        key = "0" if where == WEIGHTS else "2"
        del h5[where][key]
        ATTACKS[attack][0](h5[where], key, folder)
    return path


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(SECRET.tobytes())
    with h5py.File(tmp_path / "secret.h5", "w") as h5:
        h5.create_dataset("x", data=SECRET.reshape(4, 2), maxshape=(None, 2))
    return tmp_path


@pytest.mark.parametrize("where", [WEIGHTS, SLOT])
@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks(attack: str, where: str, secrets: Path) -> None:
    message = ATTACKS[attack][1]
    path = attacked(secrets, attack, where)
    victim = model()
    before = [v.numpy() for v in victim.variables + victim.optimizer.variables]
    for skip_mismatch in (False, True):
        with pytest.raises(ValueError, match=message) as caught:
            victim.load_weights(path, skip_mismatch=skip_mismatch)
        assert where in str(caught.value) and path.name in str(caught.value)
    for variable, value in zip(victim.variables + victim.optimizer.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_inside_of_a_model(attack: str, secrets: Path) -> None:
    model().save(secrets / "good.keras")
    weights = attacked(secrets, attack, WEIGHTS).read_bytes()
    path = secrets / "m.keras"
    with zipfile.ZipFile(secrets / "good.keras") as good, zipfile.ZipFile(path, "w") as bad:
        for name in good.namelist():
            bad.writestr(name, weights if name.endswith(".h5") else good.read(name))
    with pytest.raises(ValueError, match=ATTACKS[attack][1]):
        rv.models.load_model(path)
    with pytest.raises(ValueError, match=ATTACKS[attack][1]):
        model().load_weights(path)


def test_the_attacks_would_succeed(secrets: Path) -> None:
    """The files that the tests above refuse do give away a secret to who reads them without a check."""
    for attack in [name for name in ATTACKS if name.startswith(("external", "virtual", "link to"))]:
        with h5py.File(attacked(secrets, attack, WEIGHTS), "r") as h5:
            np.testing.assert_array_equal(h5[WEIGHTS]["0"][...].ravel(), SECRET)


def test_what_nobody_asks_for_is_looked_at_too(secrets: Path) -> None:
    path = secrets / "m.weights.h5"
    model().save_weights(path)
    with h5py.File(path, "a") as h5:
        external(h5.create_group("some/where"), "x", secrets)
    with pytest.raises(ValueError, match="'some/where/x' keeps its values in other files"):
        model().load_weights(path)


# --- what is read ---

ARRAYS: dict[str, dict[str, Any]] = {
    **{kind: {"data": KERNEL.astype(kind)} for kind in "f2 f4 f8 >f2 >f4 >f8 i1 i2 i4 i8 >i8".split()},
    **{kind: {"data": KERNEL.astype(kind)} for kind in "u1 u2 u4 u8 >u2 bool".split()},
    "scalar": {"data": np.float32(7)},
    "empty": {"data": np.zeros((0, 3), "f4")},
    "compact": {"data": KERNEL, "dcpl": "compact"},
    "blocks": {"data": np.arange(35.0).reshape(5, 7), "chunks": (2, 3)},
    "deflated": {"data": np.arange(35).reshape(5, 7), "chunks": (2, 3), "compression": "gzip"},
    "shuffled": {"data": np.arange(350.0), "chunks": (64,), "compression": 4, "shuffle": True},
    "big-endian blocks": {"data": np.arange(35, dtype=">i4"), "chunks": (16,), "shuffle": True},
    "extensible": {"data": KERNEL, "maxshape": (None, None)},
}  # fmt: skip


@pytest.mark.parametrize("how", ARRAYS)
def test_arrays_are_read(how: str) -> None:
    options = dict(ARRAYS[how])
    data = options["data"]
    if options.pop("dcpl", None):
        options["dcpl"] = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        options["dcpl"].set_layout(h5py.h5d.COMPACT)
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5.create_dataset("a/b/x", **options)
    with hdf5.open_file(file, "shown") as read:
        assert read.groups.keys() == {"", "a", "a/b"} and read.nbytes == data.nbytes
        (values,) = read.read("a/b").values()
        assert read.read("nowhere") == {}
    np.testing.assert_array_equal(values, data)
    assert values.dtype == data.dtype.newbyteorder("=")


def test_a_block_that_inflates_to_more_than_it_should(tmp_path: Path) -> None:
    import zlib

    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as h5:
        made = h5.create_dataset("x", (16,), "f4", chunks=(16,), compression="gzip")
        made.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 26)))
    with pytest.raises(OSError, match="'x' cannot be read: a block of 64 bytes has another size"):
        with hdf5.open_file(os.fspath(path), "shown") as h5:
            h5.read("")


def test_deep_and_wide_files(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5.create_group("/".join("abcdefgh"))
    with hdf5.open_file(file, "shown"):
        pass
    with monkeypatch.context() as patch:
        patch.setattr(hdf5, "MOST_DEPTH", 5)
        with pytest.raises(ValueError, match="lies more than 5 groups deep"), hdf5.open_file(file, "shown"):
            pass
    monkeypatch.setattr(hdf5, "MOST_OBJECTS", 5)
    with pytest.raises(ValueError, match="beyond 5 groups and arrays"), hdf5.open_file(file, "shown"):
        pass


@pytest.mark.parametrize("options", [{}, {"chunks": (3, 2)}, {"chunks": (2, 2), "compression": "gzip"}])
def test_bfloat16_becomes_float32_exactly(options: dict[str, Any], tmp_path: Path) -> None:
    """Keras writes it as two opaque bytes: the upper half of a float32."""
    numbers = np.array([[1.0, -2.5], [0.0, 3e38], [np.inf, -1e-30], [1.5, np.nan]], "float32")
    upper = (numbers.view("u4") >> 16).astype("<u2")
    expected = (upper.astype("u4") << 16).view("float32")
    path = tmp_path / "w.weights.h5"
    made = model()
    made.save_weights(path)
    with h5py.File(path, "a") as file:
        del file[WEIGHTS]["0"]
        dataset = file[WEIGHTS].create_dataset("0", data=upper.view("V2"), **options)
        dataset.attrs["dtype"] = "bfloat16"
    made.load_weights(path)
    np.testing.assert_array_equal(made.layers[0].kernel, expected)
    assert expected[0, 1] == -2.5
