"""Every mutation, by what it makes of a small program."""

import re
from collections.abc import Sequence

import pytest

from speciate.agents.symbolic.registry import GROUPS
from speciate.agents.symbolic.scene import Mutation
from speciate.agents.symbolic.workshop import Workshop

MUTATIONS: dict[str, Mutation] = {mutation.name: mutation for group in GROUPS for mutation in group.mutations}


@pytest.fixture(name="children", scope="session")
def _children(make_brief):
    def children(name: str, source: str, inspirations: Sequence[str] = ()) -> list[str]:
        """The sound programs that a mutation makes, over many seeds and all pieces."""
        workshop, found = Workshop(16), []
        for seed in range(150):
            brief = make_brief(source, seed, inspirations)
            program = brief.parent.program
            for piece in workshop.outline(program).pieces:
                mutant = MUTATIONS[name].apply(workshop.scene(program, piece, brief))
                child = workshop.assembled(program, piece, mutant) if mutant is not None else None
                found += [child.source] if child is not None else []
        return found

    return children


def solve(*body: str) -> str:
    return "import numpy as np\n\n\ndef solve(x, n):\n" + "".join(f"    {line}\n" for line in body)


LOOP = ("y = np.zeros(n)", "for t in range(100):", "    y = y - 0.1 * (y - x)", "return y")
LINES = ("a = x * 2.0", "b = x + 1.0", "a = a + b", "return a * b")
SCALING = ("y = np.ones(n)", "for t in range(100):", "    y = x / (y + 1.0)", "return y")
NESTED = ("for i in range(n):", "    u = x + 1.0", "    for j in range(5):", "        u = u * 0.5", "return u")

RATED = "import numpy as np\nRATE = 0.1\n" + solve(*LOOP).replace("0.1", "RATE")
INVARIANT = solve("for i in range(n):", "    c = np.exp(2.0)", "    x = x * c", "return x")
TRANSPOSED = solve("A = np.outer(x, x)", "for i in range(n):", "    x = A.T @ x", "return x")
WRITING = solve("y = np.zeros_like(x)", "for i in range(n):", "    y = np.exp(x)", "return y")

EFFECTS = [
    ("perturb_constants", solve("return 1.5 * x + 2.5"), ("1.5 *", "+ 2.5\n"), False),
    ("refine_constant", solve("return 1.5 * x"), "return 1.5", True),
    ("snap_constant", solve("return 0.47 * x"), "return 0.5 * x", True),
    ("snap_constant", solve("return 0.047 * x"), "return 0.1 * x", True),
    ("scale_expression", solve("return x"), " * x", True),
    ("change_tolerance", solve("if x.sum() < 1e-6:", "    return x", "return -x"), "< 1e-05", True),
    ("change_parameter", RATED, "RATE = 0.5", True),
    ("change_parameter", RATED.replace("0.1", "10"), "RATE = 11", True),
    ("schedule_constant", solve(*LOOP), "0.1 / (t + 1)", True),
    ("schedule_constant", solve(*LOOP), "0.1 * (1.0 - t / 100)", True),
    ("schedule_constant", RATED, "RATE / np.sqrt", True),
    ("schedule_uncounted", solve(*LOOP).replace("for t", "for _"), "for t in range", True),
    ("replace_expression", solve("y = 2.0 * x", "return x - 1.0"), "return y - 1.0", True),
    ("wrap_expression", solve("return x"), "return np.sign(x)", True),
    ("unwrap_expression", solve("return np.sign(x)"), "return x", True),
    ("unwrap_expression", solve("y = x + 1.0", "return x * y"), "return y", True),
    ("extend_expression", solve("y = x * 2.0", "return x"), "return x + y", True),
    ("swap_operator", solve("return x + n"), "return x / n", True),
    ("swap_operator", solve("x += n", "return x"), "x -= n", True),
    ("swap_operands", solve("return x - n"), "return n - x", True),
    ("swap_operands", solve("return x if n > 2 else -x"), "return -x if n > 2 else x", True),
    ("swap_function", solve("return np.maximum(x, n)"), "np.minimum(x, n)", True),
    ("swap_function", solve("return x.sum()"), "x.mean()", True),
    ("swap_function", solve("return np.sign(x)"), "np.tanh(x)", True),
    ("swap_comparison", solve("return x if n > 2 else -x"), "n >= 2", True),
    ("delete_statement", solve(*LINES), "a = x * 2.0\n    b = x + 1.0\n    return", True),
    ("duplicate_statement", solve(*LINES), "a = a + b\n    a = a + b", True),
    ("swap_statements", solve(*LINES), "b = x + 1.0\n    a = x * 2.0", True),
    ("move_statement", solve(*LINES), "b = x + 1.0\n    a = x * 2.0", True),
    ("clone_statement", solve(*LINES), "b = x + 1.0\n    b = b + b", True),
    ("change_loop_bound", solve(*LOOP), "range(2 * 100)", True),
    ("reverse_loop", solve(*LOOP[:2], "    y = y - 0.1 / (t + 1) * (y - x)", "return y"), "reversed(range(100))", True),
    ("change_interval", solve("return x if n % 20 == 0 else -x"), "n % 5 ", True),
    ("insert_early_exit", solve(*LOOP), "y_before = np.copy(y)", True),
    ("run_rarely", solve(*LOOP), "% 10 == 0:\n            y = y", True),
    ("drop_condition", solve("if n > 2:", "    x = -x", "return x"), "n):\n    x = -x\n    return x", True),
    ("scale_threshold", solve("return x if n > 2 else -x"), "n > 0.5 * 2", True),
    ("add_momentum", solve(*LOOP), "y_momentum = 0.9 * y_momentum + (0.1 * (y - x))", True),
    ("average_iterates", solve(*LOOP), "y_mean = y_mean + (y - y_mean) / (t + 1)\n    y = y_mean", True),
    ("relax_update", solve(*LOOP), "y = y - 1.5 * (0.1 * (y - x))", True),
    ("relax_update", solve(*SCALING), "y = y * ((x / (y + 1.0)) / y) ** 1.5", True),
    ("relax_update", solve(*SCALING), "y = y + 1.5 * (x / (y + 1.0) - y)", True),
    ("carry_over", solve(*NESTED), "u = x + 1.0\n    for i in range(n):\n        for j", True),
    ("restart", solve(*LOOP), "if t % 10 == 9:\n            y = np.zeros(n)", True),
    ("blend_values", solve("y = x + 1.0", "return x"), "return 0.9 * x + (1 - 0.9) * y", True),
    ("hoist_invariant", INVARIANT, "c = np.exp(2.0)\n    for", True),
    ("hoist_expression", TRANSPOSED, "shared = A.T\n    for", True),
    ("share_expression", solve("a = np.exp(x) + 1.0", "return a * np.exp(x)"), "a * np.exp(x)", False),
    ("share_expression", solve("return np.exp(x) * np.exp(x)"), "shared = np.exp(x)\n    return shared * shared", True),
    ("update_in_place", solve("x = x * 2.0", "return x"), "x *= 2.0", True),
    ("write_into", WRITING, "np.exp(x, out=y)", True),
    ("single_precision", solve("y = x + 1.0", "return y"), "(x + 1.0).astype(np.float32)", True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "source", "text", "present"), EFFECTS)
def test_effect(children, name, source, text, present):
    found = children(name, source)
    assert found
    if present:
        assert any(text in child for child in found), found[:5]
    else:
        assert all(part not in child for child in found for part in ([text] if isinstance(text, str) else text))


def test_every_mutation_has_a_test():
    grafts = {"graft_definition", "graft_value", "graft_statement", "extrapolate_constants"}
    others = {"perturb_constant", "apply_rule"}
    assert set(MUTATIONS) == {effect[0] for effect in EFFECTS} | grafts | others


def test_numbers_are_perturbed_on_several_scales(children):
    found = children("perturb_constant", solve("return 0.99 * x"))
    values = [float(child.split("return ")[1].split(" *")[0].strip("()")) for child in found]
    assert any(0.9 < value < 0.985 for value in values)
    assert any(0.99 < value < 1.0 for value in values)
    assert any(value > 1.2 for value in values)


def test_whole_numbers_stay_whole_where_they_count(children):
    found = children("perturb_constant", solve("return x if n % 20 == 0 else -x"))
    assert any("n % 10 ==" in child for child in found)
    assert all(child.split("n % ")[1].split(" ==")[0].lstrip("-").isdigit() for child in found)


def test_axes_indices_and_shapes_are_no_constants_to_tune(children):
    assert not children("perturb_constant", solve("y = np.zeros((n, 3))", "return y.sum(axis=1)[0]"))


RULES = [
    ("np.linalg.inv(x) @ n", "np.linalg.solve(x, n)"),
    ("x ** 2", "x * x"),
    ("(x + n) ** 2", "(x + n) * (x + n)"),
    ("np.dot(x, n)", "x @ n"),
    ("np.outer(x, n)", "x[:, None] * n[None, :]"),
    ("np.argsort(x)[:n]", "np.argpartition(x, n)[:n]"),
    ("np.einsum('ij,jk->ik', x, n)", "x @ n"),
    ("x @ x @ n", "x @ (x @ n)"),
    ("np.sum(x * n)", "np.vdot(x, n)"),
    ("np.where(x > n, x, n)", "np.maximum(x, n)"),
    ("np.zeros(n)", "np.zeros(n, dtype=np.float32)"),
]


@pytest.mark.parametrize(("before", "after"), RULES)
def test_rewriting_rules(children, before, after):
    assert any(after in child for child in children("apply_rule", solve(f"return {before}")))


def test_rules_follow_the_name_that_numpy_has(children):
    source = "import numpy\n\n\ndef solve(x, n):\n    return numpy.dot(x, n) + numpy.zeros(n)\n"
    found = children("apply_rule", source)
    assert any("numpy.zeros(n, dtype=numpy.float32)" in child for child in found)
    assert all(" np." not in child for child in found)


OTHER = "import numpy as np\n\nRATE = 0.25\n\n\ndef solve(x, n):\n    z = np.tanh(x)\n    return RATE * z\n"
MINE = "import numpy as np\n\nRATE = 0.5\n\n\ndef solve(x, n):\n    y = x + 1.0\n    return RATE * y\n"


def test_a_definition_comes_from_an_inspiration(children):
    found = children("graft_definition", MINE, [OTHER])
    assert set(found) == {OTHER.replace("0.25", "0.5")}


def test_a_value_comes_from_an_inspiration(children):
    assert MINE.replace("0.5", "0.25") in children("graft_value", MINE, [OTHER])


def test_a_statement_comes_from_an_inspiration_with_its_names_matched(children):
    found = children("graft_statement", MINE, [OTHER.replace("np.tanh(x)", "np.tanh(unknown)")])
    assert all("unknown" not in child for child in found)
    assert any("np.tanh(" in child for child in found)


def test_numbers_move_along_the_line_to_an_inspiration(children):
    found = children("extrapolate_constants", MINE, [MINE.replace("0.5", "0.6")])
    values = [float(child.split("RATE = ")[1].split()[0]) for child in found]
    assert any(0.4 < value < 0.5 for value in values)
    assert any(0.5 < value < 0.6 for value in values)


def test_an_object_that_is_asked_for_something_is_no_number(children):
    source = solve("y = n.query(x)", "z = x + y", "return z * 2.0").replace("solve", "helper")
    for name in ("replace_expression", "extend_expression", "blend_values", "scale_expression", "wrap_expression"):
        for child in children(name, source):
            assert not re.search(r"[-+*/] n\b(?!\.)|\bn [-+*/]", child), child
