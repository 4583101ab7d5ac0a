"""The `ranvier` command: demo, info, bench, help."""

from __future__ import annotations

import argparse
import difflib
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from ranvier import _bench, _core, _demo
from ranvier._version import __version__
from ranvier.datasets._download import cache_dir

_COMMANDS = ("demo", "info", "bench", "help")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status.

    Args:
        argv: the arguments after the program's name; by default those of the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # "?" for what a terminal cannot show, not a traceback
    arguments = _parse(sys.argv[1:] if argv is None else argv)
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


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence, and how to find out what is right."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. `{self.prog} --help` says what there is.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ranvier", description="Keras-style neural networks, trained natively.")
    parser.add_argument("--version", action="version", version=f"ranvier {__version__}")
    parser.set_defaults(run=lambda arguments: _help(parser, None))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    demo = commands.add_parser("demo", help="train a network on handwritten digits and show what it learnt")
    demo.add_argument(
        "--epochs", type=_count, default=_demo.EPOCHS, help="passes over the data (default: %(default)s)"
    )
    demo.add_argument(
        "--seed",
        type=_integer,
        default=_demo.SEED,
        help="the seed of everything random (default: %(default)s)",
    )
    demo.set_defaults(run=lambda arguments: _demo.run(arguments.epochs, arguments.seed))
    info = commands.add_parser("info", help="version, compiler, instruction sets, threads, cache folder")
    info.set_defaults(run=lambda arguments: _info())
    bench = commands.add_parser(
        "bench", help="measure this machine: ratios to hand-written NumPy, in about a minute"
    )
    bench.add_argument(
        "--rounds",
        type=_count,
        default=_bench.ROUNDS,
        help="measurements of each contestant, alternating (default: %(default)s)",
    )
    bench.set_defaults(run=lambda arguments: _bench.run(arguments.rounds))
    about = commands.add_parser("help", help="say what a command does and takes")
    about.add_argument("topic", nargs="?", metavar="COMMAND", help="the command")
    about.set_defaults(run=lambda arguments: _help(parser, arguments.topic))
    return parser


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command, which is to be one that there is."""
    parser = _parser()
    word = next((word for word in argv if not word.startswith("-")), None)
    if word is not None and word not in _COMMANDS:
        parser.error(_unknown(word))
    return parser.parse_args(argv)


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word, _COMMANDS, 1)
    known = f"the nearest is '{near[0]}'" if near else f"the commands are {', '.join(_COMMANDS)}"
    return f"there is no command '{word}'; {known}"


def _help(parser: argparse.ArgumentParser, topic: str | None) -> int:
    if topic is None:
        parser.print_help()
        return 0
    return main([topic, "--help"])


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got '{text}'") from None


def _count(text: str) -> int:
    number = _integer(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {number}")
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
