"""What of a program may change, and what is wrong with a mutant."""

import ast

import pytest

from speciate.agents.symbolic.names import alike, review
from speciate.agents.symbolic.source import frozen_parts, outline

MARKED = """import numpy as np

FIXED = 1.0
# EVOLVE-BLOCK-START
RATE = 0.1  # why

SIZE = 3


@staticmethod
def f(x):
    return x


# EVOLVE-BLOCK-END
def g(x):
    return x
"""


def test_only_what_stands_between_the_markers_may_change():
    pieces = outline(MARKED).pieces
    assert [piece.text for piece in pieces] == [
        "RATE = 0.1  # why\n\nSIZE = 3\n",
        "@staticmethod\ndef f(x):\n    return x\n",
    ]


def test_without_markers_everything_but_imports_may_change():
    assert [piece.text for piece in outline("import numpy\nA = 1\ndef f(): return A\n").pieces] == [
        "A = 1\n",
        "def f(): return A\n",
    ]


def test_a_piece_goes_back_to_its_place():
    around = outline(MARKED)
    assert around.replaced(around.pieces[0], "RATE = 0.2") == MARKED.replace(
        "RATE = 0.1  # why\n\nSIZE = 3", "RATE = 0.2"
    )


def test_markers_inside_a_function_guard_the_rest_of_it():
    source = "def f(x):\n    y = 1\n    # EVOLVE-BLOCK-START\n    y = 2\n    # EVOLVE-BLOCK-END\n    return y\n"
    (piece,) = outline(source).pieces
    assert piece.guarded
    assert frozen_parts(source) == frozen_parts(source.replace("y = 2", "y = 3"))
    assert frozen_parts(source) != frozen_parts(source.replace("y = 1", "y = 3"))


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("def f(x):\n    return x + y\n", {"y"}),
        ("def f(x):\n    y = x\n    return y + len(x)\n", set()),
        ("def f(x):\n    z = y\n    y = x\n    return z\n", {"y"}),
        ("def f(x):\n    for i in x:\n        a = i\n    return a\n", set()),
        ("def f(x):\n    a += x\n    return a\n", {"a"}),
        ("def f(x):\n    def g():\n        return y\n    y = x\n    return g()\n", set()),
        ("def f(x):\n    return [i for i in x], i\n", {"i"}),
        ("f = lambda x: x + KNOWN\n", set()),
        ("def f(x):\n    if x:\n        a = 1\n    return a\n", {"a"}),
        ("def f(x):\n    if x:\n        a = 1\n    else:\n        a = 2\n    return a\n", set()),
        ("def f(x):\n    if x:\n        return 0\n    else:\n        a = 2\n    return a\n", set()),
        ("def f(x):\n    for t in x:\n        if t % 5 == 0:\n            a = t\n    return a\n", set()),
    ],
)
def test_names_that_nothing_defines_are_found(source, missing):
    assert review(ast.parse(source), ["KNOWN"]).undefined == missing


@pytest.mark.parametrize(
    ("source", "idle", "unread"),
    [
        ("def f(x):\n    return x\n    x = 1\n", 1, set()),
        ("def f(x):\n    x + 1\n    x * 2\n    return x\n", 1, set()),
        ("def f(x):\n    a = 1\n    a = x\n    return a\n", 1, set()),
        ("def f(x):\n    a = 1\n    a = a + x\n    return a\n", 0, set()),
        ("def f(x):\n    a = 1\n    return x\n", 0, {"a"}),
    ],
)
def test_statements_without_effect_are_found(source, idle, unread):
    findings = review(ast.parse(source), [])
    assert (findings.idle, findings.unread) == (idle, unread)


def test_layout_and_comments_make_no_difference():
    assert alike(ast.parse("a = (1 +  2) # x"), ast.parse("a = 1 + 2"))
    assert not alike(ast.parse("a = 1 + 2"), ast.parse("a = 2 + 1"))
    assert not alike(ast.parse("a = 1"), ast.parse("a = 1.0"))
