"""`python -m ranvier`: the same as the `ranvier` command."""

from __future__ import annotations

import sys

from ranvier.cli import main

sys.exit(main())
