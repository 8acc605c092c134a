"""Smaller texts, and delta debugging on made-up oracles."""

import ast
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from speciate.discovery.reduction import Statements, ddmin, smaller

needs = st.lists(st.frozensets(st.integers(0, 14), min_size=1, max_size=4), max_size=4)


@given(alternatives=needs, count=st.integers(0, 15))
def test_what_is_left_is_1_minimal(alternatives: list[frozenset[int]], count: int) -> None:
    """The oracle wants one element of each set, so that what can go depends on what is still there."""
    items = list(range(count))
    wanted = [one & set(items) for one in alternatives if one & set(items)]

    def keeps(kept: Sequence[int]) -> bool:
        return all(one & set(kept) for one in wanted)

    left = ddmin(items, keeps)
    assert keeps(left)
    assert left == sorted(left)
    assert not any(keeps([item for item in left if item != gone]) for gone in left)


@given(st.integers(1, 64), st.data())
def test_one_culprit_is_found_in_few_questions(count: int, data: st.DataObject) -> None:
    culprit, asked = data.draw(st.integers(0, count - 1)), []

    def keeps(kept: Sequence[int]) -> bool:
        asked.append(kept)
        return culprit in kept

    assert ddmin(range(count), keeps) == [culprit]
    assert len(asked) <= 4 * count.bit_length() + 4


SOURCE = """import numpy as np

# EVOLVE-BLOCK-START
RATE = 0.5


# about nothing
def unused(a):
    return a


def solve(x):
    y = 1.0 * x + 0
    if x > 0:
        # gone with its statement
        z = np.float64(y)
    else:
        z = y
    for t in range(3):
        y = (RATE * y) / 1
    with np.errstate(all="ignore"):
        y = y * y
    return (y + z) * 1.0


# EVOLVE-BLOCK-END
LAST = 1
"""


@settings(max_examples=200)
@given(st.data())
def test_any_statements_can_go_and_what_stays_parses(data: st.DataObject) -> None:
    statements = Statements(SOURCE)
    gone = data.draw(st.sets(st.sampled_from(statements.removable)))
    text = statements.without(gone)
    ast.parse(text)
    assert text.startswith("import numpy as np\n")
    assert text.endswith("# EVOLVE-BLOCK-END\nLAST = 1\n")


def test_a_statement_takes_its_remarks_along_and_an_empty_block_gets_a_pass() -> None:
    statements = Statements(SOURCE)
    lines = SOURCE.splitlines()
    target = next(one for one in statements.removable if "np.float64" in lines[one.last - 1] and one.indent == 8)
    text = statements.without({target})
    assert "gone with its statement" not in text
    assert "    if x > 0:\n        pass\n    else:" in text


def test_smaller_texts_are_smaller_and_begin_with_what_changes_nothing() -> None:
    texts = list(smaller(SOURCE))
    size = len(list(ast.walk(ast.parse(SOURCE))))
    assert all(len(list(ast.walk(ast.parse(text)))) < size for text in texts)
    assert {"y = 1.0 * x\n", "y = x + 0\n"} <= {line.strip() + "\n" for text in texts[:4] for line in text.splitlines()}
    assert any("    return (y + z)\n" in text or "    return y + z\n" in text for text in texts[:4])
    assert any("        z = y\n    else" in text for text in texts), "np.float64 was wrapped around it"
    assert any("    y = y * y\n    return" in text for text in texts), "freed of with"
    assert any("    # gone with its statement\n" not in text and "if x" not in text for text in texts), "freed of if"
