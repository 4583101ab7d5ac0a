"""Downloads into Keras's cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Where Keras keeps its data sets. Tests point this at a server of their own.
BASE_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def keras_home() -> Path:
    """The folder of Keras's files: `$KERAS_HOME`, else `~/.keras`, else (home not writable) one under /tmp.

    Nothing is created.
    """
    from pathlib import Path

    if "KERAS_HOME" in os.environ:
        return Path(os.environ["KERAS_HOME"]).expanduser()
    home = Path.home()
    return home / ".keras" if os.access(home, os.W_OK) else _temporary_home()


def _temporary_home() -> Path:
    import tempfile  # rarely needed, and it loads the compression libraries
    from pathlib import Path

    return Path(tempfile.gettempdir()) / ".keras"


def cache_dir() -> Path:
    """The folder that downloaded data sets are kept in. It may not exist yet."""
    home = keras_home()
    if home.exists() and not os.access(home, os.W_OK):
        home = _temporary_home()
    return home / "datasets"


def fetch(name: str, sha256: str | None, subdir: str = "", save_as: str | None = None) -> Path:
    """The path of a data file, downloaded unless the cache has it.

    Args:
        name: the file's name on the server.
        sha256: its checksum in hexadecimal, or None where none is published. A cached file that differs is
            downloaded again; a download that differs is discarded.
        subdir: the folder below the cache folder.
        save_as: the file's name in the cache; by default `name`.

    Raises:
        ValueError: if `save_as` is not a plain file name, or the downloaded file has another checksum.
        OSError: if the file cannot be downloaded or stored.
    """
    import pooch
    import requests

    save_as = name if save_as is None else save_as
    if not save_as or os.path.basename(save_as) != save_as:
        raise ValueError(f"A data set needs a plain file name, without folders; received {save_as!r}")
    folder = cache_dir() / subdir
    path, url = folder / save_as, BASE_URL + name
    if not path.exists():
        print(f"Downloading data from {url}")
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")  # its advice on unknown checksums is for the caller of pooch, not for ours
    try:
        pooch.retrieve(url, None if sha256 is None else f"sha256:{sha256}", save_as, folder)
    except ValueError as error:  # pooch has discarded the download
        raise ValueError(
            f"The file downloaded from {url} is incomplete or corrupted: its SHA-256 checksum is not the "
            f"expected {sha256}. It was not kept; try again."
        ) from error
    except requests.exceptions.RequestException as error:
        raise OSError(
            f"Could not download {url}: {error}. Without a network, put the file at {path} yourself."
        ) from error
    except OSError as error:  # pooch has discarded what there was
        if error.errno is None:
            raise
        why = f"{os.strerror(error.errno)}: the file from {url} could not be stored"
        raise OSError(error.errno, why, os.fspath(path)) from None
    finally:
        logger.setLevel(level)
    return path
