"""Room for layers inside of layers inside of layers: more calls in one another than Python allows."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

# A hundred models in one another take about 1200 calls to build. A stack of 8 MiB has room for several times
# as many as this, and code that calls itself without end is still stopped.
_LIMIT = 6000

_lock = threading.Lock()
_users = 0
_before = 0


@contextlib.contextmanager
def deep_calls() -> Iterator[None]:
    """Raises Python's limit of calls in one another for the block, and puts it back after the last one."""
    global _users, _before
    with _lock:
        if _users == 0:
            _before = sys.getrecursionlimit()
            sys.setrecursionlimit(max(_before, _LIMIT))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                with contextlib.suppress(RecursionError):  # of calls that were as deep as that before
                    sys.setrecursionlimit(_before)
