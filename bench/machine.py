"""What the measurements were made on, and what it could do at best."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PEAK_SOURCE = Path(__file__).resolve().parent / "peak.c"
BANDWIDTH_SOURCE = PEAK_SOURCE.with_name("bandwidth.c")


def describe(cpus: int | None = None) -> dict[str, Any]:
    """The machine, its load and its peak.

    Args:
        cpus: how many processors are used; None: all that this process may use.
    """
    cpus = min(cpus or len(os.sched_getaffinity(0)), len(os.sched_getaffinity(0)))
    return {
        "processor": _processor(),
        "cpus": cpus,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        "peak": _peak(cpus),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()


def _peak(cpus: int) -> dict[str, float]:
    """Float32 operations per second on one processor and on all, and bytes per second of a triad on all.

    Empty where there is no C compiler.
    """
    measured = _run_c(PEAK_SOURCE, [str(cpus)])
    if not measured:
        return {}
    one, every, triad = measured
    return {"flops_one": one, "flops": every, "bytes": triad}


def read_rates(cpus: int, sizes: Sequence[int]) -> dict[int, float]:
    """Bytes per second at which `cpus` processors together read memory of each size again and again.

    Empty where there is no C compiler.

    Args:
        cpus: how many processors read, each its own part.
        sizes: bytes.
    """
    return dict(zip(sizes, _run_c(BANDWIDTH_SOURCE, [str(cpus), *map(str, sizes)]), strict=False))


def _run_c(source: Path, arguments: list[str]) -> list[float]:
    """The numbers that a program prints; none where there is no C compiler."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return []
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / source.stem
        flags = ["-O3", "-march=native", "-ffp-contract=fast", "-pthread", "-o", str(program)]
        try:
            subprocess.run([compiler, *flags, str(source)], check=True, capture_output=True, text=True)
            done = subprocess.run(
                [program, *arguments], check=True, capture_output=True, text=True, timeout=300
            )
        except (OSError, subprocess.SubprocessError):
            return []
    return [float(number) for number in done.stdout.split()]
