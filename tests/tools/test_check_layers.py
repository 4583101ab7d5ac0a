"""The layering check: the repository passes it, and every rule fires on a small tree that breaks it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "check_layers.py"


def run(root: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, str(TOOL), str(root)], capture_output=True, text=True, timeout=60)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def tree(root: Path, files: dict[str, str]) -> Path:
    base = {"csrc/base/status.h": "#pragma once\n", "python/ranvier/__init__.py": ""}
    for name, text in {**base, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_this_repository():
    code, report = run(ROOT)
    assert code == 0, report


def test_a_clean_tree(tmp_path):
    files = {
        "csrc/base/threading.cpp": "#include <atomic>\n",
        "csrc/base/team.cpp": "std::thread(f).detach();\n",
        "csrc/kernels/kernels.def": '#include "kernels/gemm/kernels.def"\n',
        "csrc/kernels/gemm/kernels.def": "",
        "csrc/kernels/gemm/gemm.isa.cpp": '#include <cstdint>\n#include "base/status.h"\n',
        "csrc/backends/backend.h": '#include "base/status.h"\n',
        "csrc/backends/cpu/gemm.cpp": '#include "backends/backend.h"\n#include "kernels/kernels.def"\n',
        "csrc/runtime/epoch.cpp": '#include <vector>\n#include "backends/backend.h"\n',
        "csrc/bindings/module.cpp": '#include <pybind11/pybind11.h>\n#include "runtime/epoch.cpp"\n',
        "python/ranvier/core/__init__.py": "",
        "python/ranvier/core/tensor.py": "import sys\nimport numpy as np\nfrom ranvier import _core\n",
        "python/ranvier/ops/__init__.py": "from ranvier.ops.nn import relu\n",
        "python/ranvier/ops/nn.py": "from ..core import tensor\n\ndef relu():\n    import rich\n",
    }
    assert run(tree(tmp_path, files)) == (0, "layers: ok\n")


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("csrc/base/a.cpp", '#include "graph/g.h"\n', 'a.cpp:1: base may not include "graph/g.h"'),
        ("csrc/graph/a.cpp", '\n  #  include "kernels/k.h"\n', "a.cpp:2: graph may not include"),
        ("csrc/backends/cpu/a.cpp", '#include "backends/cuda/c.h"\n', "backends/cpu may not include"),
        ("csrc/backends/a.cpp", '#include "kernels/k.h"\n', "backends may not include"),
        ("csrc/runtime/a.cpp", '#include "backends/cpu/c.h"\n', "runtime may not include"),
        ("csrc/kernels/a.cpp", '#include "no/such.h"\n', '"no/such.h" does not exist'),
        ("csrc/kernels/a.cpp", '#include "k.h"\n', "by its path below csrc/"),
        ("csrc/kernels/a.cpp", "#include <omp.h>\n", "OpenMP is not used"),
        ("csrc/kernels/a.cpp", "  #pragma omp simd\n", "OpenMP is not used"),
        ("csrc/kernels/a.cpp", "std::thread t(f);\n", "only base/team.cpp may start threads"),
        ("csrc/runtime/a.cpp", "#include <pybind11/numpy.h>\n", "only bindings/ may see pybind11"),
        ("csrc/kernels/a.isa.cpp", "#include <vector>\n", "compiled per instruction set"),
        ("csrc/kernels/norm/kernels.def", "", "the list of kernels/norm is not included"),
        ("csrc/attic/a.cpp", "", "csrc/attic is no known room"),
        (
            "python/ranvier/ops/a.py",
            "from ranvier.layers import b\n",
            "a.py:1: ops may not import ranvier.layers",
        ),
        ("python/ranvier/ops/a.py", "import ranvier as rv\n", "ops may not import ranvier"),
        ("python/ranvier/ops/a.py", "from ..layers.b import c\n", "ops may not import ranvier.layers.b"),
        (
            "python/ranvier/ops/a.py",
            "def f():\n  import ranvier.layers\n",
            "a late import does not undo that",
        ),
        ("python/ranvier/ops/a.py", "x = importlib.import_module('ranvier.layers')\n", "ops may not import"),
        ("python/ranvier/ops/a.py", "import rich\n", "import rich inside the function"),
        ("python/ranvier/ops/a.py", "try:\n  import h5py\nexcept ImportError: pass\n", "import h5py inside"),
        ("python/ranvier/ops/a.py", "try:\n  pass\nexcept Exception:\n  import h5py\n", "import h5py inside"),
        ("python/ranvier/ops/a.py", "from ranvier.ops import b\n", "ranvier.ops.a -> ranvier.ops.b -> "),
        ("python/ranvier/attic/a.py", "", "ranvier.attic is no known room"),
    ],
)
def test_each_rule(tmp_path, file, text, complaint):
    files = {
        "csrc/graph/g.h": "",
        "csrc/kernels/k.h": "",
        "csrc/backends/cpu/c.h": "",
        "csrc/backends/cuda/c.h": "",
        "python/ranvier/ops/b.py": "def f():\n  from ranvier.ops.a import x\n",
        "python/ranvier/layers/b.py": "",
        "python/ranvier/layers/__init__.py": "",
        file: text,
    }
    code, report = run(tree(tmp_path, files))
    assert code == 1
    assert complaint in report
    assert report.count("\n") == 2, report  # that one, and the count


def test_imports_for_type_checkers(tmp_path):
    """They may name heavy packages and stand in circles, but not reach into a higher room."""
    guard = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  "
    files = {
        "python/ranvier/ops/a.py": guard + "import rich\n  from ranvier.ops.b import y\n",
        "python/ranvier/ops/b.py": "from ranvier.ops.a import x\n",
    }
    assert run(tree(tmp_path, files))[0] == 0
    files["python/ranvier/layers/b.py"] = ""
    files["python/ranvier/ops/a.py"] = guard + "from ranvier.layers import b\n"
    code, report = run(tree(tmp_path, files))
    assert code == 1 and "a.py:3: ops may not import ranvier.layers.b" in report
