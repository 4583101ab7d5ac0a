#!/usr/bin/env python3
"""Checks that code compiled for one instruction set cannot be called by code meant for another.

usage: check_isa_symbols.py BUILD_DIR

Kernels are compiled once per instruction set, each into a namespace of its own. If such an object file also
defines an inline function or template outside that namespace, the linker keeps one copy of it for the whole
library, maybe the one with AVX-512, and older processors stop with an illegal instruction. So every symbol
that an object of an instruction set above the baseline offers to others must stand in `ranvier::<isa>::`.

Prints one line per violation and exits with 1, or says how many objects are clean. Needs `nm`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# nm's letters for what other objects can refer to: code, data, read-only data, zeros, weak, unique.
OFFERED = set("TDRBWVu")


def foreign_symbols(listing: str, isa: str) -> list[str]:
    """The symbols of an `nm -C --defined-only` listing that stand outside the instruction set's namespace."""
    foreign = []
    for line in listing.splitlines():
        parts = line.split(maxsplit=2)
        if len(parts) == 3 and parts[1] in OFFERED and f"ranvier::{isa}::" not in parts[2]:
            foreign.append(parts[2])
    return foreign


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__)
        return 2
    objects = violations = 0
    for folder in sorted(Path(arguments[0]).glob("CMakeFiles/ranvier_*.dir")):
        isa = folder.name.removeprefix("ranvier_").removesuffix(".dir")
        if isa in {"baseline", "core"}:
            continue
        for path in sorted(folder.rglob("*.o")):
            objects += 1
            nm = subprocess.run(
                ["nm", "-C", "--defined-only", str(path)], capture_output=True, text=True, check=True
            )
            for symbol in foreign_symbols(nm.stdout, isa):
                violations += 1
                print(f"{path.relative_to(folder)}: {symbol} is offered to other instruction sets than {isa}")
    if not objects:
        print(f"no object files of an instruction set below {arguments[0]}")
        return 2
    print(
        f"isa symbols: {violations} violation(s)" if violations else f"isa symbols: ok in {objects} objects"
    )
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
