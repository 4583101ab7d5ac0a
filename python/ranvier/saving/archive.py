"""Whole models in `.keras` files: a zip archive of the config and the weights, in the layout of Keras 3."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO

from ranvier.core import registry
from ranvier.core.files import may_write, write_whole
from ranvier.core.user_code import warn
from ranvier.saving import files
from ranvier.saving.weights import h5_content, read_h5

# The version of Keras whose format this is: what readers go by.
KERAS_VERSION = "3.15.1"


def save_model(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Writes a model into a file that `load_model` and Keras read: its config, weights and optimizer.

    Args:
        model: the model.
        filepath: the file; its name ends in ".keras".
        overwrite: whether an existing file is replaced; if not, the user is asked.
        zipped: None or True; folders are not written.
        **kwargs: none.

    Raises:
        ValueError: for another ending, an argument that is not offered, or a lambda in the model.
        TypeError: for an object in the model without `get_config`.
        OSError: if the file cannot be written; the old one is as it was.
        ImportError: without h5py.

    Example:
        >>> model.save("digits.keras")
        >>> again = rv.models.load_model("digits.keras")
    """
    import json
    import time
    import zipfile

    if kwargs:
        raise ValueError(f"The following argument(s) are not supported: {list(kwargs)}")
    path = str(filepath)
    if not path.endswith(".keras"):
        raise ValueError(
            "Invalid filepath extension for saving. Please add a `.keras` extension: models are saved in "
            f"Keras 3's own format. Received: filepath={path}."
        )
    if zipped not in (None, True):
        raise ValueError(
            "When using `zipped=False`, the `filepath` argument should not end in `.keras`, and models are "
            f"not written as folders. Received: filepath={path}"
        )
    if not model.built:
        warn(
            "You are saving a model that has not yet been built. It might not contain any weights yet. "
            "Consider building the model first by calling it on some data.",
        )
    config = json.dumps(registry.serialize_object(model))
    weights = h5_content(model)
    date = time.strftime("%Y-%m-%d@%H:%M:%S")
    metadata = json.dumps({"keras_version": KERAS_VERSION, "date_saved": date})

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("metadata.json", metadata)
            archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", weights)

    if may_write(path, overwrite):
        write_whole(path, write)


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """The model that `save_model`, or Keras, wrote into a ".keras" file.

    Args:
        filepath: the file.
        custom_objects: name -> class or function, for those that are not registered.
        compile: whether the model is compiled as it was, with the optimizer's state.
        safe_mode: accepted as in Keras; code in a file is refused in either mode.

    Raises:
        ValueError: for a file that is missing, truncated or of another kind, for a lambda in it, and if its
            config and its weights do not fit.
        TypeError: for an unknown class or function.
        ImportError: without h5py.
    """
    import json

    path = str(filepath)
    if not path.endswith(".keras"):
        raise ValueError(
            f"File format not supported: filepath={path}. Models are read from `.keras` files; for a file "
            "of weights build the model and call `load_weights`."
        )
    with files.open_archive(path) as archive:
        text = files.read_member(archive, "config.json", path)
        weights = files.read_member(archive, "model.weights.h5", path)
    try:
        config = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: its config is not JSON: {error}") from error
    if not compile:
        config.pop("compile_config", None)
    model = registry.deserialize_object(config, custom_objects, safe_mode)
    if not hasattr(model, "load_own_variables"):
        raise ValueError(f"{path} does not describe a model, but {model!r}.")
    read_h5(model, io.BytesIO(weights), path)
    return model
