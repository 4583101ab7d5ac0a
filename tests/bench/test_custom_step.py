"""The measurement of own training code runs and prints a line for each way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "bench" / "custom_step.py"


def test_every_way_is_measured() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "1"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("us a step") == 8 and done.stdout.count("1.00 x the default") >= 2
