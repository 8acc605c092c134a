"""Programs to begin a search with, out of files of other forms."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import libcst as cst

from ...evaluators.source import END, START
from .forms import PROVIDED, Source, algotune_class

CALL = '''
def run(init_inputs, inputs, seed):
    """What is called: weights by the seed, outputs as arrays. It stays as it is."""
    torch.manual_seed(seed)
    model = ModelNew(*map(_tensor, init_inputs))
    torch.manual_seed(seed)
    with torch.no_grad():
        return _plain(model(*map(_tensor, inputs)))


def _tensor(value):
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else value


def _plain(value):
    if isinstance(value, torch.Tensor):
        return value.detach().numpy()
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return value
'''
RUN = "def run(init_inputs: list, inputs: list, seed: int) -> object"


def marked(text: str) -> str:
    """The program with marks around all of it, where it has none."""
    if START in text:
        return text
    return f"# {START}\n{text.strip()}\n# {END}\n"


def kernel(source: Source) -> str:
    """``Model`` as ``ModelNew`` between marks, and the function that is called."""
    module = cst.parse_module(source.text)
    kept = [one for one in module.body if _name(one) not in ("get_inputs", "get_init_inputs")]
    renamed = module.with_changes(body=kept).visit(_Renamed("Model", "ModelNew"))
    imports, body = _split(renamed)
    ours = [line for line in ("import numpy as np", "import torch") if line not in imports.splitlines()]
    head = "\n".join([*ours, imports.strip()]).strip()
    return f"{head}\n\n\n# {START}\n{body.strip()}\n# {END}\n\n{CALL}"


def solver(source: Source) -> str:
    """``solve(problem)`` as a function: of the class only what it needs, as functions where none keeps a state."""
    node = algotune_class(source)
    assert node is not None
    module = cst.parse_module(source.text)
    theirs = next(one for one in module.body if _name(one) == node.name)
    assert isinstance(theirs, cst.ClassDef)
    methods = {one.name.value: one for one in theirs.body.body if isinstance(one, cst.FunctionDef)}
    needed = _needed(node, "solve")
    written = _as_functions(theirs, methods, needed) if needed is not None else _as_class(theirs, node.name)
    kept = [one for one in module.body if one is not theirs and not _registers(one)]
    imports, rest = _split(module.with_changes(body=kept))
    body = f"{rest.strip()}\n\n\n{written.strip()}".strip()
    return f"{imports.strip()}\n\n\n# {START}\n{body}\n# {END}\n"


def _needed(node: ast.ClassDef, first: str) -> list[str] | None:
    """Methods that ``first`` calls on the way, itself last; None where ``self`` is used for anything else."""
    methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
    found: dict[str, None] = {}
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = None
        method = methods[name]
        if method.decorator_list or not method.args.args or method.args.args[0].arg != "self":
            return None
        attributes = [one for one in ast.walk(method) if isinstance(one, ast.Attribute) and _is_self(one.value)]
        selves = [one for one in ast.walk(method) if _is_self(one)]
        if len(attributes) != len(selves) or any(one.attr not in methods for one in attributes):
            return None
        waiting += [one.attr for one in attributes]
    return list(reversed(found))


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _as_functions(theirs: cst.ClassDef, methods: dict[str, cst.FunctionDef], needed: Sequence[str]) -> str:
    written = []
    for name in needed:
        method = methods[name].visit(_Selfless())
        assert isinstance(method, cst.FunctionDef)
        parameters = method.params.with_changes(params=method.params.params[1:])
        written.append(cst.Module([method.with_changes(params=parameters, leading_lines=())]).code.strip())
    return "\n\n\n".join(written)


def _as_class(theirs: cst.ClassDef, name: str) -> str:
    """The class without the methods that make and judge problems, its bases and decorators; and the entry."""
    left_out = ("generate_problem", "is_solution")
    body = [one for one in theirs.body.body if _name(one) not in left_out]
    alone = theirs.with_changes(
        body=theirs.body.with_changes(body=body),
        bases=(),
        keywords=(),
        decorators=(),
        leading_lines=(),
        lpar=cst.MaybeSentinel.DEFAULT,
        rpar=cst.MaybeSentinel.DEFAULT,
    )
    written = cst.Module([alone]).code
    return f"{written.strip()}\n\n\ndef solve(problem):\n    return {name}().solve(problem)\n"


def _split(module: cst.Module) -> tuple[str, str]:
    """Imports at the top level (but for those of other systems), and all else without the docstring."""
    imports, rest = [], []
    for place, one in enumerate(module.body):
        words = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        if isinstance(words, cst.Import | cst.ImportFrom):
            imports += [] if _is_theirs(module.code_for_node(one)) else [one]
        elif not (place == 0 and isinstance(words, cst.Expr) and isinstance(words.value, cst.SimpleString)):
            rest.append(one)
    return module.with_changes(body=imports, header=()).code, module.with_changes(body=rest, header=()).code


def _is_theirs(statement: str) -> bool:
    words = statement.split()
    return any(word.partition(".")[0] in PROVIDED for word in words[1:2])


def _registers(one: cst.BaseStatement | cst.SimpleStatementLine) -> bool:
    """``if __name__ == "__main__"`` and the like: what a program has no use for."""
    return isinstance(one, cst.If)


def _name(one: cst.CSTNode) -> str | None:
    return one.name.value if isinstance(one, cst.FunctionDef | cst.ClassDef) else None


class _Renamed(cst.CSTTransformer):
    def __init__(self, before: str, after: str) -> None:
        super().__init__()
        self._before = before
        self._after = after

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value=self._after) if updated_node.value == self._before else updated_node


class _Selfless(cst.CSTTransformer):
    """``self.method(...)`` becomes ``method(...)``."""

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        value = updated_node.value
        return updated_node.attr if isinstance(value, cst.Name) and value.value == "self" else updated_node
