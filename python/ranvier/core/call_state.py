"""What the layer calls that are open on a thread share."""

from __future__ import annotations

import threading


class CallState(threading.local):
    """What the layers that are being called on this thread share.

    Attributes:
        depth: how many calls are open, one inside the other.
        training: the flag handed down from the outer calls; None where nobody set it.
    """

    depth: int = 0
    training: bool | None = None


call_state = CallState()
