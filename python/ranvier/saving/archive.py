"""Whole models in `.keras` files: a zip archive of the config and the weights, in the layout of Keras 3."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

from ranvier.core import registry
from ranvier.core.allowance import allowance
from ranvier.core.files import may_write, write_whole
from ranvier.core.user_code import short_traceback, warn
from ranvier.saving import archive_members, hdf5
from ranvier.saving.weights import h5_content, load_h5

# The version of Keras whose format this is: what readers go by.
KERAS_VERSION = "3.15.1"

# What a config may have: in memory, each bracket takes some hundred bytes.
MOST_CONFIG = 64 << 20
MOST_BRACKETS = 1_000_000
# The memory that the variables of a loaded model may take: this much anyway, else so many times that of the
# arrays in the file. An optimizer's state may not be in it, nor that of metrics: RMSprop with all of its
# options has five variables for each of the model's, and its average and gradients come on top.
FREE_MEMORY = 128 << 20
MOST_MEMORY = 8


@short_traceback
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
        **kwargs: the `save_format` and `include_optimizer` of older programs, which change nothing: the
            file's name says the format, and the optimizer's state is always written.

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

    kwargs.pop("include_optimizer", None)
    if kwargs.get("save_format") and str(filepath).endswith(".keras"):
        warn("Argument `save_format` is deprecated: the file's name says the format. Just remove it.")
    save_format = kwargs.pop("save_format", None)
    if kwargs:
        raise ValueError(f"The following argument(s) are not supported: {list(kwargs)}")
    path = str(filepath)
    if not path.endswith(".keras"):
        raise ValueError(
            "Invalid filepath extension for saving. Please add a `.keras` extension: models are saved in "
            f"Keras 3's own format. Received: filepath={path}"
            + (f", save_format={save_format}" if save_format else "")
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


@short_traceback
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
    path = str(filepath)
    if not path.endswith(".keras"):
        what = "File format not supported" if os.path.exists(path) else "File not found"
        raise ValueError(
            f"{what}: filepath={path}. Models are read from `.keras` files; for a file "
            "of weights build the model and call `load_weights`."
        )
    text, weights = archive_members.read(path, "config.json", "model.weights.h5")
    config = _parsed(text.getvalue(), path)
    if not compile:
        config.pop("compile_config", None)
    with hdf5.open_file(weights, path, os.path.getsize(path)) as h5:
        what = (
            f"It asks for more memory than its weights justify, which have {h5.nbytes:,} bytes (a file that "
            "you trust can be read by `load_weights` of a model made in Python)"
        )
        with allowance(max(FREE_MEMORY, MOST_MEMORY * h5.nbytes), what):
            model = _described(config, custom_objects, safe_mode, path)
        if not hasattr(model, "load_own_variables"):
            raise ValueError(f"{path} does not describe a model, but {model!r}.")
        load_h5(model, h5, path)
    return model


def _described(config: Any, custom_objects: Any, safe_mode: bool, path: str) -> Any:
    """The object of a config; errors name the file."""
    try:
        return registry.deserialize_object(config, custom_objects, safe_mode)
    except RecursionError as error:
        raise ValueError(f"{path} cannot be loaded: its config is nested too deeply.") from error
    except (TypeError, ValueError) as error:
        registry.prepend(error, f"{path} cannot be loaded: ")
        raise


def _parsed(text: bytes, path: str) -> dict[str, Any]:
    """The config in a file.

    Raises:
        ValueError: if it is no JSON, no dict, or so large that it was not written for a model.
    """
    import json

    brackets = text.count(b"[") + text.count(b"{")
    if len(text) > MOST_CONFIG or brackets > MOST_BRACKETS:
        raise ValueError(
            f"{path} is refused: its config has {len(text):,} bytes and {brackets:,} brackets. Those that "
            f"are read have at most {MOST_CONFIG:,} and {MOST_BRACKETS:,}."
        )
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: its config is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path} is damaged: its config is a {type(config).__name__}, not a dict.")
    return config
