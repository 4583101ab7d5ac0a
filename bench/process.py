"""The suite's side of a contestant's process."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import definitions
from contestants import imported_module

HERE = Path(__file__).resolve().parent
PATIENCE_SECONDS = 900  # for one answer

# Settings that choose kernels, threads or devices for the rivals. None of them is passed on: a rival runs as
# its library chooses, and the number of processors is set by affinity, for all alike.
_HELD_BACK = tuple(
    "OPENBLAS_ GOTO_ NVPL_ MKL_ OMP_ GOMP_ KMP_ ONEDNN_ DNNL_ NPY_ ATEN_ TORCH_ XLA_ JAX_ KERAS_".split()
)
_SETTINGS = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


class Gone(Exception):
    """The contestant cannot answer; the message says why."""


def held_back() -> dict[str, str]:
    """The environment variables that are kept from the contestants."""
    return {key: value for key, value in os.environ.items() if key.startswith(_HELD_BACK)}


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_HELD_BACK)}
    return {**kept, **_SETTINGS, definitions.PLACE: str(definitions.find())}


class Process:
    """A contestant in a process of its own, which lives as long as it has work.

    Args:
        name: a contestant of contestants/.
        python: the interpreter that has its library.
        cpus: how many processors it may use; None: as many as this process.
    """

    def __init__(self, name: str, python: str = sys.executable, cpus: int | None = None) -> None:
        self.name, self.python, self.cpus = name, python, cpus
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> dict[str, str]:
        """Starts it, or starts it afresh. Returns the versions of its libraries.

        Raises:
            Gone: if its library is not installed or it cannot start.
        """
        self.stop()
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        command = [self.python, str(HERE / "worker.py"), self.name, *([str(self.cpus)] if self.cpus else [])]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                text=True,
                env=_environment(),
            )
        except OSError as error:
            raise Gone(f"{self.python}: {error}") from None
        versions: dict[str, str] = self._read()["versions"]
        return versions

    def ask(self, do: str, **details: Any) -> dict[str, Any]:
        """Sends a request and waits for its answer, starting the process if it does not run.

        Raises:
            Gone: if it fails.
        """
        if self._process is None:
            self.start()
        assert self._process is not None and self._process.stdin is not None
        try:
            print(json.dumps({"do": do, **details}), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            pass  # reading says why
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        # An answer is one line and none is sent unasked, so nothing can be left in the reader's buffer.
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_SECONDS)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            reason = self._last_words() if ready else f"no answer in {PATIENCE_SECONDS} s"
            self.stop()
            raise Gone(reason)
        answer: dict[str, Any] = json.loads(line)
        for problem in ("absent", "failed"):
            if problem in answer:
                raise Gone(str(answer[problem]))
        return answer

    def _last_words(self) -> str:
        assert self._process is not None
        status = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().strip().splitlines()
        return f"it ended with status {status}: {lines[-1] if lines else 'no message'}"

    def stop(self) -> None:
        """Ends the process if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout, self._complaints):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def import_seconds(self) -> float:
        """How long importing its library takes in a fresh interpreter that has imported NumPy.

        Raises:
            Gone: if it cannot be imported.
        """
        module = imported_module(self.name)
        backend = "import os; os.environ['KERAS_BACKEND'] = 'jax'; " if module == "keras" else ""
        code = f"{backend}import time, numpy; t = time.perf_counter(); import {module}; "
        code += "print(time.perf_counter() - t)"
        done = subprocess.run(
            [self.python, "-c", code],
            capture_output=True,
            text=True,
            env=_environment(),
            timeout=PATIENCE_SECONDS,
        )
        if done.returncode:
            raise Gone((done.stderr.strip().splitlines() or ["it failed"])[-1])
        return float(done.stdout.split()[-1])
