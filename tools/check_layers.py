#!/usr/bin/env python3
"""Checks that every room of the house uses only the rooms it may, in C++ and in Python.

usage: check_layers.py [ROOT]        ROOT: the repository, by default the one this file stands in

C++ (csrc/): which room may include which; pybind11 only in bindings; threads only in base/team.cpp; no
library templates in files that are compiled once per instruction set; no kernel family left out of
kernels.def. Python (python/ranvier/): imports go down only, also those inside functions and under
TYPE_CHECKING; no two modules import each other, directly or round about (except for their types); at module
level only the standard library and NumPy are imported.

Prints one line per violation and exits with 1, or says that there are none.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# Which rooms a C++ room may include besides itself. A name with a slash is one file of that room.
CPP_MAY_INCLUDE: dict[str, set[str]] = {
    "base": set(),
    "simd": {"base"},
    "kernels": {"simd", "base"},
    "graph": {"base"},
    "ops": {"kernels/elementwise/elementwise.def", "graph", "base"},  # a list of names, no code
    "passes": {"ops", "graph", "base"},
    "backends": {"ops", "graph", "base"},
    "backends/cpu": {"backends/backend.h", "kernels", "ops", "graph", "base"},
    "backends/cuda": {"backends/backend.h", "ops", "graph", "base"},
    "runtime": {"backends/backend.h", "passes", "ops", "graph", "base"},
    "bindings": {"runtime", "backends", "passes", "ops", "graph", "kernels", "simd", "base"},
}

# Standard headers whose templates or inline functions may be emitted out of line. In a file compiled once per
# instruction set the linker would keep one copy for all of them, perhaps the one with AVX-512.
NOT_PER_ISA = set(
    "algorithm any array bitset deque filesystem format fstream functional iomanip iostream list map memory "
    "numeric optional ranges regex set span sstream string thread tuple unordered_map unordered_set variant "
    "vector".split()
)

# Python's rooms, lowest first; rooms on one line may import each other as long as no circle arises.
PYTHON_ORDER: list[set[str]] = [
    {"_core", "_version"},
    {"core"},
    {"ops", "random"},
    {"transforms"},
    {"initializers", "activations", "regularizers", "constraints", "dtype_policies"},
    {"layers"},
    {"losses", "metrics", "optimizers", "callbacks"},
    {"saving"},
    {"training"},
    {"models"},
    {"datasets", "utils", "backend", "config", "mixed_precision", "tree"},
    {"preprocessing"},
    {"__init__"},
    {"_bench", "_demo", "cli", "__main__"},
]
PYTHON_LEVEL = {room: level for level, rooms in enumerate(PYTHON_ORDER) for room in rooms}
IMPORTED_EVERYWHERE = {"numpy", "ranvier"} | set(sys.stdlib_module_names)

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


# ---------------------------------------------------------------------------------------------------- C++


def cpp_room(path: str) -> str:
    """The room of a path below csrc/: its folder, or for a backend its folder and the one below."""
    parts = path.split("/")
    if parts[0] == "backends" and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0]


def may_include(room: str, target: str) -> bool:
    """Whether a file of `room` may include `target`, a path below csrc/."""
    target_room = cpp_room(target)
    allowed = CPP_MAY_INCLUDE[room]
    if target_room == room or target in allowed or target_room in allowed:
        return True
    # Naming "backends" allows its subfolders too (bindings see everything).
    return target_room.split("/")[0] in allowed and not room.startswith("backends")


def check_include(source: Path, csrc: Path, quote: str, target: str) -> str | None:
    """What is wrong with one #include line, or None."""
    room = cpp_room(source.relative_to(csrc).as_posix())
    if quote == "<":
        if target.startswith("pybind11/") and room != "bindings":
            return "only bindings/ may see pybind11"
        if target == "omp.h":
            return "OpenMP is not used (call parallel_for)"
        if source.name.endswith(".isa.cpp") and target in NOT_PER_ISA:
            return f"<{target}> in a file compiled per instruction set: its code may be emitted out of line"
        return None
    if not (csrc / target).exists():
        if (source.parent / target).exists():
            return f'include "{target}" by its path below csrc/'
        return f'"{target}" does not exist below csrc/'
    if not may_include(room, target):
        allowed = ", ".join(sorted({room} | CPP_MAY_INCLUDE[room]))
        return f'{room} may not include "{target}" (it may include: {allowed})'
    return None


def check_cpp(root: Path) -> Iterator[str]:
    csrc = root / "csrc"
    for source in sorted(csrc.rglob("*")):
        if source.suffix not in {".h", ".cpp", ".def", ".inc", ".cu", ".cuh"}:
            continue
        where = source.relative_to(root).as_posix()
        room = cpp_room(source.relative_to(csrc).as_posix())
        if room not in CPP_MAY_INCLUDE:
            yield f"{where}: csrc/{room} is no known room; add it to CPP_MAY_INCLUDE"
            continue
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
            if match := INCLUDE.match(line):
                if problem := check_include(source, csrc, match[1], match[2]):
                    yield f"{where}:{number}: {problem}"
            elif re.match(r"\s*#\s*pragma\s+omp\b", line):
                yield f"{where}:{number}: OpenMP is not used (call parallel_for)"
            elif re.search(r"\bstd::j?thread\b(?!::)", line) and source != csrc / "base/team.cpp":
                yield f"{where}:{number}: only base/team.cpp may start threads (call parallel_for)"
    yield from check_kernel_lists(root)


def check_kernel_lists(root: Path) -> Iterator[str]:
    """A family whose list is not included in kernels.def would be left out without a word."""
    kernels = root / "csrc/kernels"
    listed = set()
    if (kernels / "kernels.def").exists():
        listed = set(
            re.findall(r'#include "kernels/(\w+)/kernels\.def"', (kernels / "kernels.def").read_text())
        )
    present = {path.parent.name for path in kernels.glob("*/kernels.def")}
    for family in sorted(present - listed):
        yield f"csrc/kernels/kernels.def: the list of kernels/{family} is not included"


# -------------------------------------------------------------------------------------------------- Python


def module_name(path: Path, package: Path) -> str:
    """`ranvier.ops.nn` for .../ranvier/ops/nn.py, `ranvier.ops` for .../ranvier/ops/__init__.py."""
    parts = list(path.relative_to(package.parent).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def python_room(module: str) -> str:
    """The room of a module: the second part of its name; the package itself is the room `__init__`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def when_run(tree: ast.Module) -> dict[ast.stmt, str]:
    """When a file's statements run: "import" for the body and what stands in its if, try and with blocks,
    "never" for what only type checkers read. Those missing from the answer run when a function is called."""
    when: dict[ast.stmt, str] = {}
    pending = [(statement, "import") for statement in tree.body]
    while pending:
        statement, moment = pending.pop()
        when[statement] = moment
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            moment = "never"
        if isinstance(statement, ast.If | ast.Try | ast.With):
            pending += [
                (child, moment) for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt)
            ]
            for handler in getattr(statement, "handlers", []):
                pending += [(child, moment) for child in handler.body]
    return when


def imports_of(tree: ast.Module, module: str, is_package: bool) -> Iterator[tuple[int, str, str, str]]:
    """(line, imported module, imported name or "", when) of every import; when: import, call or never."""
    when = when_run(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, "", when.get(node, "call")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")[: len(module.split(".")) - node.level + is_package]
                base = ".".join([*parents, base] if base else parents)
            for alias in node.names:
                yield node.lineno, base, alias.name, when.get(node, "call")
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = ast.unparse(node.func).rpartition(".")[2]
            if function in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value, "", "call"


def find_circle(graph: dict[str, set[str]]) -> list[str] | None:
    """One circle of a directed graph as the list of its nodes, or None."""
    done: set[str] = set()
    for start in sorted(graph):
        path: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = []
        if start not in done:
            stack.append((start, iter(sorted(graph[start]))))
            path.append(start)
        while stack:
            node, successors = stack[-1]
            following = next((s for s in successors if s in graph and s not in done), None)
            if following is None:
                done.add(node)
                stack.pop()
                path.pop()
            elif following in path:
                return [*path[path.index(following) :], following]
            else:
                stack.append((following, iter(sorted(graph[following]))))
                path.append(following)
    return None


def check_python(root: Path) -> Iterator[str]:
    package = root / "python/ranvier"
    files = {module_name(path, package): path for path in sorted(package.rglob("*.py"))}
    graph: dict[str, set[str]] = {module: set() for module in files}
    for module, path in files.items():
        where = path.relative_to(root).as_posix()
        room = python_room(module)
        if room not in PYTHON_LEVEL:
            yield f"{where}: ranvier.{room} is no known room; add it to PYTHON_ORDER"
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        for line, base, name, when in imports_of(tree, module, path.name == "__init__.py"):
            if base.split(".")[0] != "ranvier":
                if when == "import" and base.split(".")[0] not in IMPORTED_EVERYWHERE:
                    yield f"{where}:{line}: import {base} inside the function that uses it"
                continue
            target = base
            if f"{base}.{name}" in files or (base, name) == ("ranvier", "_core"):
                target = f"{base}.{name}"
            if when != "never":
                graph[module].add(target)
            target_room = python_room(target)
            if target_room not in PYTHON_LEVEL:
                yield f"{where}:{line}: {target} is in no known room"
            elif PYTHON_LEVEL[target_room] > PYTHON_LEVEL[room]:
                late = "" if when == "import" else " (a late import does not undo that)"
                yield f"{where}:{line}: {room} may not import {target}: its room is higher{late}"
    if circle := find_circle(graph):
        yield "python/ranvier: modules import each other: " + " -> ".join(circle)


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    problems = [*check_cpp(root), *check_python(root)]
    for problem in problems:
        print(problem)
    print(f"check_layers: {len(problems)} violation(s)" if problems else "layers: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
