"""Replies as models write them, and what they make of a program."""

from __future__ import annotations

import pytest

from speciate.agents.llm.edits import Change, Unusable, changed, edited, said_before

SOURCE = """import numpy as np


# EVOLVE-BLOCK-START
def solve(x, n):
    total = 0.0
    for i in range(n):
        total += x[i] * 0.5
    return total


def other(y):
    return y + 1
# EVOLVE-BLOCK-END
"""


def block(search: str, replace: str) -> str:
    return f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE"


def test_a_block_replaces_the_lines_that_it_repeats() -> None:
    reply = "Double it.\n\n" + block("        total += x[i] * 0.5", "        total += x[i]") + "\nDone."
    assert edited(SOURCE, reply, ["solve"]) == SOURCE.replace("x[i] * 0.5", "x[i]")
    assert said_before(reply) == "Double it."


def test_blocks_apply_one_after_another_and_inside_a_fence_too() -> None:
    reply = "```\n" + block("    return y + 1", "    return y + 2") + "\n```\nand\n" + block("y + 2", "y + 3")
    with pytest.raises(Unusable, match="not in the program"):
        edited(SOURCE, block("    return y + 2", "    return y + 3"), ["solve"])
    assert edited(SOURCE, reply, ["solve"]) == SOURCE.replace("y + 1", "y + 3")


@pytest.mark.parametrize(
    "search",
    [
        "        total += x[i] * 0.5   ",
        "\n        total += x[i] * 0.5\n\n",
        "total += x[i] * 0.5",
        "    for i in range(n):\n        total += x[i]*0.5",
        "    for i in range(n):\n        total += x[i] * 0.5  # the half",
    ],
)
def test_white_space_and_comments_need_not_match(search: str) -> None:
    indent = search.lstrip("\n")[: len(search.lstrip("\n")) - len(search.strip("\n").lstrip())]
    lines = search.strip("\n").splitlines()
    new = "\n".join([*(line for line in lines[:-1]), lines[-1].split("total")[0] + "total += 1"])
    made = changed(SOURCE, Change(search + "\n", new))
    assert "        total += 1\n" in made, indent
    assert "for i in range(n):" in made
    compile(made, "program.py", "exec")


def test_lines_that_are_nearly_right_are_found_if_nothing_else_is_like_them() -> None:
    made = changed(SOURCE, Change("    for i in range(n):\n        totals += x[i] * 0.5\n", "    pass\n"))
    assert "    pass\n    return total" in made


def test_what_is_nowhere_is_shown_beside_what_is_most_like_it() -> None:
    with pytest.raises(Unusable) as error:
        changed(SOURCE, Change("    while True:\n        total -= x[i] / 3\n", "    pass\n"))
    assert "while True" in str(error.value)
    assert "for i in range(n)" in str(error.value)


def test_what_stands_twice_is_not_guessed() -> None:
    with pytest.raises(Unusable, match="2 places"):
        changed("a = 1\nb = 2\na = 1\n", Change("a = 1\n", "a = 3\n"))


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("I cannot help with that.", "neither"),
        ("", "neither"),
        ("<<<<<<< SEARCH\n    return y + 1\n=======\n    return y", "no end"),
        (block("", "x = 1"), "empty"),
        (block("   \n", "x = 1"), "empty"),
    ],
)
def test_a_reply_without_an_edit_says_what_is_missing(reply: str, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        edited(SOURCE, reply, ["solve"])


def test_a_whole_program_keeps_what_stands_outside_the_block() -> None:
    new = "def solve(x, n):\n    return 0.5 * np.sum(x[:n])\n"
    expected = f"import numpy as np\n\n\n# EVOLVE-BLOCK-START\n{new}# EVOLVE-BLOCK-END\n"
    for program in (new, SOURCE.partition("def solve")[0] + new + "# EVOLVE-BLOCK-END\n"):
        assert edited(SOURCE, f"Vectorise.\n```python\n{program}```\nIt is faster.", ["solve"]) == expected
    assert edited(SOURCE, new, ["solve"]) == expected


def test_of_several_programs_the_one_with_the_entry_is_taken() -> None:
    reply = (
        "For example:\n```python\nprint(1)\n"
        + "# long\n" * 50
        + "```\nSo:\n```py\ndef solve(x, n):\n    return 1\n```\n"
    )
    assert "return 1" in edited("def solve(x, n):\n    return 0\n", reply, ["solve"])


def test_without_a_block_the_program_is_taken_as_it_is() -> None:
    assert edited("def solve(x):\n    return 0\n", "```\ndef solve(x):\n    return 1\n```", ["solve"]) == (
        "def solve(x):\n    return 1\n"
    )
