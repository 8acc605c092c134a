"""From a program to a module: nothing of its code is lost, nothing in its texts becomes code."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speciate.archive.rendering import docstring, module, relative_imports, stub


@given(st.one_of(st.text(), st.text('"\\\n a')))
def test_any_text_stays_text_in_a_docstring(text: str) -> None:
    body = ast.parse(docstring(text)).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


def test_the_program_keeps_its_code_and_comments() -> None:
    source = (
        "import numpy as np\n\n# EVOLVE-BLOCK-START\ndef f(x):  # fast\n    return np.exp( x )\n# EVOLVE-BLOCK-END\n"
    )
    text = module(source, "What it is.", {}, {})
    assert text.endswith(source)
    assert ast.get_docstring(ast.parse(text)) == "What it is."


def test_its_own_docstring_and_future_imports_still_compile() -> None:
    text = module(
        '"""Own words."""\nfrom __future__ import annotations\n\ndef solve(x):\n    return x\n', "Ours.", {}, {}
    )
    compile(text, "m", "exec")
    assert "Own words." in (ast.get_docstring(ast.parse(text)) or "")
    assert text.count("Own words.") == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from helpers import a, b as c", "from ._t_helpers import a, b as c"),
        ("from helpers.x import (\n    y,\n    z,\n)", "from ._t_helpers.x import y, z"),
        ("import helpers", "from . import _t_helpers as helpers"),
        ("import helpers as h", "from . import _t_helpers as h"),
        ("import helpers.x as hx", "from ._t_helpers import x as hx"),
        ("import helpers.x.y as hy", "from ._t_helpers.x import y as hy"),
        ("import math, helpers", "import math; from . import _t_helpers as helpers"),
        ("import helpersome", "import helpersome"),
        ("def f():\n    from helpers import a\n    return a", "def f():\n    from ._t_helpers import a\n    return a"),
    ],
)
def test_imports_of_local_modules_become_relative(before: str, after: str) -> None:
    assert relative_imports(before + "\n", {"helpers": "_t_helpers"}) == after + "\n"


def test_stubs_carry_the_types_of_the_task_or_are_left_out() -> None:
    text = stub(
        "def fit(x: np.ndarray) -> dict[str, Any]:\ndef predict(artefact: dict, x: np.ndarray) -> np.ndarray",
        {"fit": "Fits."},
    )
    assert text is not None
    compile(text, "s", "exec")
    assert "def predict(artefact: dict, x: np.ndarray) -> np.ndarray:\n    ..." in text
    assert 'dict[str, Any]:\n    """Fits.' in text
    assert stub("def f(x: Tensor) -> int", {}) is None
