"""What an exported module may and may not do."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import types
from collections.abc import Iterator

import numpy
import pytest

from speciate.evaluators.import_lint import SAFE_MODULES, forbidden


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "import os.path as p",
        "from subprocess import run",
        "import socket, math",
        "import ctypes",
        "import numpy.ctypeslib",
        "from numpy import ctypeslib",
        "import numpy as np\nnp.load('x')",
        "import numpy as np\nnp.lib.npyio.DataSource()",
        "def f(a):\n    a.tofile('x')",
        "exec('1')",
        "f = eval",
        "open('x')",
        "__import__('os')",
        "getattr(1, 'x')",
        "().__class__.__base__.__subclasses__()",
        "def f():\n    pass\nf.__globals__",
        "import random\nrandom._os",
        "import collections as c\nc._sys",
        "from math import *",
        "import importlib",
        "import sys",
        "import scipy.io",
        "try:\n    1/0\nexcept Exception as e:\n    e.__traceback__.tb_frame",
        "__builtins__['open']",
        "import types\ntypes.FunctionType",
    ],
)
def test_reaching_outside_is_found(source: str) -> None:
    assert forbidden(source, ("numpy", "scipy.optimize"))


@pytest.mark.parametrize(
    "source",
    [
        '"""Words."""\nfrom __future__ import annotations\nimport numpy as np\n\ndef f(x):\n    return np.exp(x)',
        "from scipy.optimize import linprog\nimport scipy.optimize as o\no.minimize",
        "import time\ntime.process_time()",
        "from . import _t_helpers as helpers\nfrom ._t_helpers.x import y",
        "class A:\n    def __init__(self):\n        self._x = 1\n    def __len__(self):\n        return self._x",
        "import numpy as np\nrng = np.random.default_rng(0)\nnp.linalg.solve",
    ],
)
def test_computing_is_allowed(source: str) -> None:
    assert forbidden(source, ("numpy", "scipy.optimize")) == []


def test_findings_name_the_line() -> None:
    assert forbidden("import math\nimport os\n", ()) == ["line 2: imports os"]


def _hidden(module: types.ModuleType, path: str, seen: set[str]) -> Iterator[str]:
    """Attribute paths from a module to modules of the standard library that no program may import."""
    for name, value in vars(module).items():
        if not isinstance(value, types.ModuleType) or forbidden(f"import m\nm.{name}", ("m",)):
            continue
        top = value.__name__.partition(".")[0]
        if top in sys.stdlib_module_names and top.lstrip("_") not in SAFE_MODULES:
            yield f"{path}.{name}"
        elif value.__name__ not in seen:
            seen.add(value.__name__)
            yield from _hidden(value, f"{path}.{name}", seen)


def test_no_forbidden_module_is_in_reach_through_attributes_of_allowed_ones() -> None:
    left_out = ("f2py", "testing", "conftest", "distutils", "matlib")
    for info in pkgutil.iter_modules(numpy.__path__, "numpy."):
        if not info.name.endswith(left_out):
            importlib.import_module(info.name)
    seen: set[str] = set()
    found = [path for name in (*SAFE_MODULES, "numpy") for path in _hidden(importlib.import_module(name), name, seen)]
    assert found == []
