"""The attack with damaged files: it passes, its damages can be repeated, and it sees a half-changed model."""

from __future__ import annotations

import importlib
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("h5py")

FOLDER = Path(__file__).parents[2] / "bench" / "attacks"


@pytest.fixture(scope="module")
def modules() -> Any:
    """The modules files, mutations and victim of the attack."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield [importlib.import_module(name) for name in ("files", "mutations", "victim")]
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture
def prepared(modules: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return modules[0].prepare()


def test_a_few_files() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "files.py", "--count", "60", "--seed", "4"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("damaged files: 60 cases in ")
    assert any(line.split() == ["half-changed", "model", "0"] for line in done.stdout.splitlines())


def test_damages_can_be_repeated_and_are_of_many_kinds(prepared: Any, modules: Any) -> None:
    _, mutations, _ = modules
    for change, content in (
        (mutations.archive, prepared[0].whole),
        (mutations.hdf5, prepared[0].weights),
        (mutations.config, json.dumps({"a": [1, {"b": None}], "c": "d"}).encode()),
    ):
        made = [change(content, random.Random(seed)) for seed in range(40)]
        assert made == [change(content, random.Random(seed)) for seed in range(40)]
        assert sum(damaged != content for damaged, _ in made) > 30
        assert len({words for _, words in made}) > 30


def test_good_files_are_good(prepared: Any) -> None:
    for chosen in prepared:
        assert chosen.changed() == []
        Path("good.keras").write_bytes(chosen.whole)
        assert zipfile.is_zipfile("good.keras")
        chosen.model.load_weights("good.keras")
        assert len(chosen.changed()) > 5  # the values in the files are others than those of the model
        chosen.restore()
        assert chosen.changed() == []


def test_a_half_changed_model_is_seen(prepared: Any, modules: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files, _, victim = modules
    chosen = prepared[0]

    def load_weights(path: str, skip_mismatch: bool = False) -> None:
        chosen.variables[-1].assign(chosen.values[-1] + 1)
        raise ValueError("in the middle")

    monkeypatch.setattr(chosen.model, "load_weights", load_weights)
    monkeypatch.setattr(files.mutations, "archive", lambda content, rng: (content, "nothing"))
    monkeypatch.setattr(files.mutations, "hdf5", lambda content, rng: (content, "nothing"))
    kinds = {
        victim._run_case(files.ATTACK, [chosen], victim._case(1, index, victim.Board()))[0]
        for index in range(30)
    }
    assert kinds == {"accepted", files.HALF_CHANGED}  # accepted: those that load a model of their own
    assert chosen.changed() == []
