"""A full disk is an OSError that names the file, the old file is whole, and the process lives on."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ranvier.core import files

pytest.importorskip("h5py")

# What writes a file: before the limit the old contents, at the limit the new ones.
WRITERS = {
    "model.weights.h5": "model().save_weights(path)",
    "model.keras": "model().save(path)",
    "checkpoint.keras": "fit(rv.callbacks.ModelCheckpoint(path))",
    "checkpoint.weights.h5": "fit(rv.callbacks.ModelCheckpoint(path, save_weights_only=True))",
    "latest.weights.h5": "fit(rv.callbacks.BackupAndRestore(folder, delete_checkpoint=False))",
    "log.csv": "fit(rv.callbacks.CSVLogger(path, append=True))",
    "trace.json": "profile(path)",
}
SCRIPT = """
    import gc, os, resource, signal, sys
    import numpy as np
    import ranvier as rv

    def model():
        made = rv.Sequential([rv.Input((64,)), rv.layers.Dense(256), rv.layers.Dense(1)])
        made.compile("adam", "mse")
        return made

    def fit(callback):
        fit.epochs += 1  # BackupAndRestore goes on where it was
        model().fit(np.ones((8, 64)), np.ones((8, 1)), epochs=fit.epochs, verbose=0, callbacks=[callback])

    fit.epochs = 0

    def profile(path):
        with rv.utils.profiling.profile() as measured:
            fit(rv.callbacks.Callback())
        measured.save(path)

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for name, act in {writers}.items():
        folder = os.path.join(sys.argv[1], name)
        path = os.path.join(folder, name)
        os.mkdir(folder)
        exec(act)
        old = open(path, "rb").read()
        limit = len(old) + 10 if path.endswith(".csv") else len(old) // 2
        for _ in range(2):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
            try:
                exec(act)
            except OSError as error:
                is_whole = open(path, "rb").read() == old
                print(name, error.errno, error.filename == path, is_whole, len(os.listdir(folder)))
            gc.collect()
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
"""


def test_every_writer(tmp_path: Path) -> None:
    script = textwrap.dedent(SCRIPT.replace("{writers}", repr(WRITERS)))
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    files_there = {name: 2 if name.startswith("latest") else 1 for name in WRITERS}
    expected = [f"{name} {errno.EFBIG} True True {files_there[name]}" for name in WRITERS for _ in range(2)]
    assert done.stdout.splitlines() == expected


def test_no_memory_for_the_file(tmp_path: Path) -> None:
    script = """
    import resource, sys
    import ranvier as rv
    model = rv.Sequential([rv.Input((2048,)), rv.layers.Dense(16384), rv.layers.Dense(2)])
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (160 << 20), -1))
    for _ in range(2):
        try:
            model.save_weights(sys.argv[1])
        except MemoryError as error:
            print(error)
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    model.save_weights(sys.argv[1])
    """
    path = tmp_path / "m.weights.h5"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), path], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("do not fit into memory once more") == 2 and path.exists()


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device.*m.weights.h5"):
        files.write_whole(str(path), lambda file: file.write(b"new"))
    with pytest.raises(OSError, match="No space left on device.*m.weights.h5"):
        files.append(str(path), "new")
    assert path.is_symlink() and stat.S_ISCHR(os.stat("/dev/full").st_mode)
    files.write_whole("/dev/null", lambda file: file.write(b"new"))
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_links_and_permissions_are_kept(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"old")
    old.chmod(0o640)
    (tmp_path / "link").symlink_to("old")
    files.write_whole(str(tmp_path / "link"), lambda file: file.write(b"new"))
    assert (tmp_path / "link").is_symlink() and old.read_bytes() == b"new"
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    umask = os.umask(0o027)
    try:
        files.write_whole(str(tmp_path / "fresh"), lambda file: file.write(b"new"))
        files.append(str(tmp_path / "line"), "a line\n")
    finally:
        os.umask(umask)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("fresh", "line")} == {0o640}
    files.append(str(tmp_path / "line"), "another\n")
    assert (tmp_path / "line").read_text() == "a line\nanother\n"
    files.copy_whole(str(tmp_path / "line"), str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_text() == "a line\nanother\n"


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    files.write_whole(str(path), lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"


def test_what_fails_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(file: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_whole(str(path), fail)
    with pytest.raises(FileNotFoundError, match="'.*nowhere/file'"):
        files.write_whole(str(tmp_path / "nowhere" / "file"), fail)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]
