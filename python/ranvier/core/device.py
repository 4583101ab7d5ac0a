"""The device that computations run on: there is one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def device(device_name: str) -> Iterator[None]:
    """Says which device to use inside: the CPU, as outside.

    Args:
        device_name: "cpu" or "cpu:0", in any case.

    Raises:
        RuntimeError: for another device.
        ValueError: for something that is no name.

    Example:
        ```python
        with rv.device("cpu:0"):
            model = build_model()
        ```
    """
    if not isinstance(device_name, str):
        raise ValueError(
            f"Argument `device_name` must be a string like 'cpu:0'. Received: device_name={device_name!r}"
        )
    if device_name.lower() not in ("cpu", "cpu:0"):
        raise RuntimeError(f"The only device here is 'cpu:0'. Received: device_name={device_name!r}")
    yield
