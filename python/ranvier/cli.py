"""The `ranvier` command: demo, info, bench."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ranvier import _bench, _core, _demo
from ranvier._version import __version__
from ranvier.datasets._download import cache_dir


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status.

    Args:
        argv: the arguments after the program's name; by default those of the process.
    """
    arguments = _parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="replace"
            )  # a terminal that cannot show a sign gets a "?", not a traceback
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ValueError as error:  # such as an unavailable RANVIER_ISA
        print(f"ranvier: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ranvier", description="Keras-style neural networks, trained natively."
    )
    parser.add_argument("--version", action="version", version=f"ranvier {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="{demo,info,bench}")
    demo = commands.add_parser("demo", help="train a network on handwritten digits and show what it learnt")
    demo.add_argument(
        "--epochs", type=_positive, default=_demo.EPOCHS, help="passes over the data (default: %(default)s)"
    )
    demo.add_argument(
        "--seed", type=int, default=_demo.SEED, help="the seed of everything random (default: %(default)s)"
    )
    demo.set_defaults(run=lambda arguments: _demo.run(arguments.epochs, arguments.seed))
    info = commands.add_parser("info", help="version, compiler, instruction sets, threads, cache folder")
    info.set_defaults(run=lambda arguments: _info())
    bench = commands.add_parser(
        "bench", help="measure this machine: ratios to hand-written NumPy, in about a minute"
    )
    bench.add_argument(
        "--rounds",
        type=_positive,
        default=_bench.ROUNDS,
        help="measurements of each contestant, alternating (default: %(default)s)",
    )
    bench.set_defaults(run=lambda arguments: _bench.run(arguments.rounds))
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; received {number}")
    return number


def _info() -> int:
    import numpy as np

    build = _core.build_info()
    rows = {
        "ranvier": __version__,
        "compiler": build["compiler"],
        "processor": _processor(),
        "instruction sets": ", ".join(
            f"{isa} (in use)" if isa == build["isa"] else isa for isa in build["isas_supported"]
        ),
        "compiled for": ", ".join(build["isas_compiled"]),
        "threads": build["threads"],
        "CUDA": "yes" if build["cuda"] else "no",
        "cache folder": cache_dir(),
        "Python": f"{platform.python_version()} ({platform.system()} {platform.machine()})",
        "NumPy": np.__version__,
    }
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:{width}}  {value}")
    return 0


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()
