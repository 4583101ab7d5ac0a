"""What the import of the package has to say about settings of the environment that cannot be had."""

from __future__ import annotations

import os
import sys


def _is_command() -> bool:
    """Whether this process is the `ranvier` command, or `python -m ranvier`."""
    words = sys.orig_argv
    if "-m" in words:
        return words[words.index("-m") + 1 :][:1] == ["ranvier"]
    return os.path.basename(sys.argv[0] if sys.argv else "") == "ranvier"


def refuse(error: Exception) -> None:
    """Says in one sentence that a setting such as `RANVIER_ISA` cannot be had.

    Args:
        error: what came of it. An error that does not begin with the setting's name is raised as it is.

    Raises:
        SystemExit: in the package's own command, which ends with the sentence.
        Exception: elsewhere an error of the same type, without the way through the package's files.
    """
    if not str(error).startswith("RANVIER_"):  # the core is damaged or missing
        raise error
    if _is_command():
        raise SystemExit(f"ranvier: {error}")
    raise type(error)(str(error)) from None
