"""What all tests rely on."""

from __future__ import annotations

import signal

from ranvier import config

config.disable_traceback_filtering()  # a failing test is to show where in the library it fails

# Jobs that a shell starts in the background, as some runners do, ignore Ctrl-C, and so do their children.
# Tests of how it is handled need it to arrive.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
