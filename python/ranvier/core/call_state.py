"""What the layer calls that are open on a thread share."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class CallState(threading.local):
    """What the layers that are being called on this thread share.

    Attributes:
        depth: how many calls are open, one inside the other.
        training: the flag handed down from the outer calls; None where nobody set it.
        context: the other arguments that are handed down, by their names; see
            `Layer._register_call_context_args`.
    """

    depth: int = 0
    training: bool | None = None
    context: Mapping[str, Any] = MappingProxyType({})


call_state = CallState()
