"""Weight files: the variables of a model in HDF5, in the layout of Keras 3."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from ranvier.core.files import may_write, write_whole
from ranvier.core.stateless_scope import StagedAssignments
from ranvier.core.user_code import short_traceback, warn
from ranvier.random import SeedGenerator
from ranvier.saving import archive_members, hdf5
from ranvier.saving.walk import walk


@short_traceback
def save_weights(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Writes the weights of a model, and the state of its optimizer, into a file that Keras reads too.

    Args:
        model: the model.
        filepath: the file; its name ends in ".weights.h5".
        overwrite: whether an existing file is replaced; if not, the user is asked.
        max_shard_size: must be None: weights go into one file.
        **kwargs: none.

    Raises:
        ValueError: for another ending, a model that is not built, or an argument that is not offered.
        OSError: if the file cannot be written; the old one is as it was.
        ImportError: without h5py.
    """
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {kwargs}")
    if max_shard_size is not None:
        raise ValueError(
            "Argument `max_shard_size` must be None: weights are written into one file. "
            f"Received: max_shard_size={max_shard_size!r}"
        )
    path = os.fspath(filepath)
    if not path.endswith(".weights.h5"):
        raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={path}")
    _check_built(model, "saving", "")
    hdf5.h5py()
    if may_write(path, overwrite):
        content = h5_content(model)
        write_whole(path, lambda file: file.write(content))


@short_traceback
def load_weights(
    model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any
) -> None:
    """Reads weights that `save_weights`, `save_model` or Keras wrote.

    Everything is checked before the first weight is changed.

    Args:
        model: the model.
        filepath: a ".weights.h5" or ".keras" file.
        skip_mismatch: whether layers that the file lacks, or has in another shape, keep their weights, with a
            warning.
        **kwargs: `objects_to_skip`, layers or other objects of the model that keep what they have, with all
            in them, for ".weights.h5"; `by_name=True` is for older files than these and is refused.

    Raises:
        ValueError: for a file of another kind, a model that is not built, and (without `skip_mismatch`) for
            layers that do not fit the file. The message names what the model has and what the file has.
        OSError: for a file that is missing, truncated or damaged.
        ImportError: without h5py.
    """
    path = os.fspath(filepath)
    if kwargs.pop("by_name", False):
        raise ValueError(f"`by_name` only supports loading legacy '.h5' or '.hdf5' files. Received: {path}")
    skipped = kwargs.pop("objects_to_skip", None)
    if skipped is not None and not path.endswith(".weights.h5"):
        raise ValueError(f"`objects_to_skip` only supports loading '.weights.h5' files. Received: {path}")
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {kwargs}")
    if not path.endswith((".weights.h5", ".keras")):
        what = "File format not supported" if os.path.exists(path) else "File not found"
        raise ValueError(f"{what}: filepath={path}. Weights are read from `.weights.h5` and `.keras` files.")
    _check_built(model, "loading", " weights into")
    file: Any = path
    if path.endswith(".keras"):
        (file,) = archive_members.read(path, "model.weights.h5")
    with hdf5.open_file(file, path, os.path.getsize(path) if file is not path else None) as h5:
        load_h5(model, h5, path, skip_mismatch, skipped or ())


def _check_built(model: Any, doing: str, what: str) -> None:
    if not model.built:
        raise ValueError(
            f"You are {doing}{what} a model that has not yet been built. Try building the model first by "
            "calling it on some data or by using `build()`."
        )


def h5_content(model: Any) -> memoryview:
    """The variables of a model, its layers and its optimizer as the bytes of an HDF5 file.

    It is made in memory: where libhdf5 itself writes to a disk that is full, it ends the process.

    Raises:
        MemoryError: if there is not enough of it.
    """
    content = _Memory()
    try:
        with hdf5.h5py().File(content, "w") as h5:
            for place, obj in walk(model):
                values: dict[str, Any] = {}
                obj.save_own_variables(values)
                group = h5.create_group(f"{place}/vars" if place else "vars")
                group.attrs["name"] = str(getattr(obj, "name", ""))
                for key, value in values.items():
                    group.create_dataset(key, data=_numbers(obj, key, value))
    except Exception as error:
        if not content.is_full:
            raise
        raise MemoryError(f"The weights of model '{model.name}' do not fit into memory once more.") from error
    return content.getbuffer()


def _numbers(obj: Any, key: str, value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype not in hdf5.NUMBERS:
        raise TypeError(
            f"{type(obj).__name__} '{getattr(obj, 'name', '')}' saves {key!r} as an array of {array.dtype}; "
            "files of weights hold numbers and booleans. Text can go as "
            "`np.frombuffer(text.encode(), 'uint8')`, or into the config."
        )
    return array


class _Memory(io.BytesIO):
    """Remembers that it could not grow; libhdf5 does not pass the error on."""

    is_full = False

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except MemoryError:
            self.is_full = True
            raise


def load_h5(
    model: Any, h5: hdf5.H5File, shown: str, skip_mismatch: bool = False, skipped: Iterable[Any] = ()
) -> None:
    """Reads what `h5_content` or Keras wrote into a model. All is read and checked before any is written.

    Args:
        model: the model.
        h5: the open file.
        shown: what messages call the file.
        skip_mismatch: whether what does not fit is left as it is, with a warning.
        skipped: objects that are not read, nor what is in them.

    Raises:
        ValueError: if something does not fit; nothing is changed then.
        OSError: if the file is damaged; nothing is changed then.
    """
    loading = _Loading(shown)
    optimizers = []
    for place, obj in walk(model, skipped):
        where = f"{place}/vars" if place else "vars"
        if where not in h5.groups and isinstance(obj, SeedGenerator):
            continue  # Keras 3.15 does not keep the state of random draws
        values: dict[str, Any] = dict(h5.read(where))
        if hasattr(obj, "learning_rate") and hasattr(obj, "iterations"):
            optimizers.append((where, obj, values))
        else:
            loading.stage(where, obj, values)
    loading.check(skip_mismatch)
    # They may have to be built first, which is not done for a file that does not fit.
    for where, optimizer, values in optimizers:
        why = _optimizer_mismatch(model, optimizer, values)
        if why is None:
            loading.stage(where, optimizer, values)
        else:
            warn(why)
    loading.check(skip_mismatch)
    loading.commit()


class _Loading:
    """What is to be assigned, and what does not fit."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._staged: list[StagedAssignments] = []
        self._failed: list[str] = []
        self._cause: Exception | None = None

    def stage(self, where: str, obj: Any, values: dict[str, Any]) -> None:
        """Has an object read its values; what it assigns is kept until `commit`."""
        assignments = StagedAssignments()
        with assignments:
            try:
                obj.load_own_variables(values)
            except Exception as error:
                module = getattr(obj.load_own_variables, "__module__", None) or ""
                self._cause = self._cause if module.startswith("ranvier.") else error
                why = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
                self._failed.append(f"- {why} ({where!r} in {self._shown})")
                return
        self._staged.append(assignments)

    def check(self, skip_mismatch: bool) -> None:
        """Refuses what did not fit, or warns of it."""
        if not self._failed:
            return
        count, lines = len(self._failed), "\n".join(self._failed)
        message = f"A total of {count} objects could not be loaded from {self._shown}:\n{lines}"
        if not skip_mismatch:
            raise ValueError(message) from self._cause
        warn(message)
        self._failed = []

    def commit(self) -> None:
        """Writes everything."""
        for assignments in self._staged:
            assignments.commit()


def _optimizer_mismatch(model: Any, optimizer: Any, values: dict[str, Any]) -> str | None:
    """Why the state of an optimizer is not read: it has other variables. It is not worth an error."""
    is_models = getattr(model, "optimizer", None) is optimizer
    if is_models and not optimizer.built and len(values) > len(optimizer.variables):
        optimizer.build(model.trainable_variables)
    variables = optimizer.variables
    shapes = [tuple(v.shape) for v in variables]
    given = [values[str(i)].shape for i in range(len(values)) if str(i) in values]
    if shapes == given:
        return None
    if len(shapes) != len(given):
        what = f"it has {len(shapes)} variables, and the file has {len(given)}."
    else:
        i = next(i for i, pair in enumerate(zip(shapes, given, strict=True)) if pair[0] != pair[1])
        what = f"its variable {variables[i].path} has shape {shapes[i]}, in the file it has shape {given[i]}."
    return f"The state of optimizer '{optimizer.name}' is not loaded: {what}"
