"""Switches of the whole process that Keras's `config` names, beside those of dtypes and policies."""

from __future__ import annotations

import operator
import os

_switches: dict[str, bool | None] = {
    "interactive_logging": True,
    "traceback_filtering": os.environ.get("RANVIER_TRACEBACKS") != "full",
    "flash_attention": None,
}
_limits: dict[str, int | None] = {"max_epochs": None}


def enable_interactive_logging() -> None:
    """Lets progress bars be redrawn in place where the output is a terminal; the default."""
    _switches["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Has progress bars printed once, when they are complete, as suits the log of a job."""
    _switches["interactive_logging"] = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress bars may be redrawn in place."""
    return bool(_switches["interactive_logging"])


def enable_traceback_filtering() -> None:
    """Has tracebacks of errors end at the user's line; the default; see `RANVIER_TRACEBACKS`."""
    _switches["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Has tracebacks show the library's frames, too."""
    _switches["traceback_filtering"] = False


def is_traceback_filtering_enabled() -> bool:
    """Whether the library's frames are left out of tracebacks."""
    return bool(_switches["traceback_filtering"])


def enable_flash_attention() -> None:
    """Refused: attention has one way of computing.

    Raises:
        ValueError: always.
    """
    raise ValueError("enable_flash_attention: flash attention is not offered on this backend.")


def disable_flash_attention() -> None:
    """States that attention is not to use flash attention, which it never does."""
    _switches["flash_attention"] = False


def is_flash_attention_enabled() -> bool | None:
    """None (undecided), or False after `disable_flash_attention`."""
    return _switches["flash_attention"]


def enable_unsafe_deserialization() -> None:
    """Refused: code in a config is never run.

    Raises:
        ValueError: always.
    """
    raise ValueError(
        "enable_unsafe_deserialization: code in a config is never run. Register the function with "
        "`register_keras_serializable` and refer to it by name."
    )


def is_nnx_enabled() -> bool:
    """False: Flax's NNX belongs to another backend."""
    return False


def max_epochs() -> int | None:
    """The most epochs that `fit` runs; None: no limit."""
    return _limits["max_epochs"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Limits the epochs of every `fit`, so that a script can be tried quickly.

    Args:
        max_epochs: the most epochs; None or a negative number: no limit.
    """
    limit = None if max_epochs is None else operator.index(max_epochs)
    _limits["max_epochs"] = None if limit is None or limit < 0 else limit


def max_steps_per_epoch() -> int | None:
    """None: there is no limit."""
    return None


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Refused, unless it asks for no limit: `fit`, `evaluate` and `predict` take the number of steps.

    Args:
        max_steps_per_epoch: None or a negative number: no limit.

    Raises:
        ValueError: for a limit.
    """
    if max_steps_per_epoch is not None and operator.index(max_steps_per_epoch) >= 0:
        raise ValueError(
            "set_max_steps_per_epoch: a limit for all calls is not offered; give `fit` the argument "
            "`steps_per_epoch`, `evaluate` and `predict` the argument `steps`."
        )


def set_backend(backend: str) -> None:
    """Checks that a script asks for the one backend that there is.

    Args:
        backend: "ranvier".

    Raises:
        ValueError: for any other name.
    """
    if backend != "ranvier":
        raise ValueError(f"Unable to import backend : {backend}. The only one is 'ranvier'.")
