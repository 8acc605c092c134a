"""Cheap checks of a mutant: names never defined, values never used, statements never reached."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from itertools import pairwise

_BUILTINS = frozenset(dir(builtins))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_JUMPS = (ast.Return, ast.Break, ast.Continue, ast.Raise)


def undefined(tree: ast.AST, known: Iterable[str]) -> frozenset[str]:
    """Names that are read before any statement above them could have bound them.

    Branches count as taken, bodies of functions as run at the end of their scope.
    """
    reader = _Reader(set(known) | _BUILTINS)
    reader.visit(tree)
    return frozenset(reader.missing)


class _Reader(ast.NodeVisitor):
    def __init__(self, bound: set[str]) -> None:
        self.bound = bound
        self.missing: set[str] = set()
        self._later: list[tuple[ast.AST, set[str]]] = []

    def visit_Module(self, node: ast.Module) -> None:
        self._scope(node.body)

    def _scope(self, body: list[ast.stmt]) -> None:
        outer, self._later = self._later, []
        for statement in body:
            self.visit(statement)
        inner, self._later = self._later, outer
        for function, parameters in inner:
            reader = _Reader(self.bound | parameters)
            content = getattr(function, "body", [])
            reader._scope(content if isinstance(content, list) else [ast.Expr(content)])
            self.missing |= reader.missing

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bound.add(node.id)
        elif node.id not in self.bound:
            self.missing.add(node.id)

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> None:
        if node.value is not None:
            self.visit(node.value)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            self.visit(target)

    visit_AnnAssign = visit_NamedExpr = visit_Assign

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name) and node.target.id not in self.bound:
            self.missing.add(node.target.id)
        self.visit(node.target)

    def visit_For(self, node: ast.For) -> None:
        for child in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(child)

    def _comprehension(self, node: ast.AST) -> None:
        before = set(self.bound)
        for generator in getattr(node, "generators", []):
            for child in (generator.iter, generator.target, *generator.ifs):
                self.visit(child)
        for field in ("elt", "key", "value"):
            if hasattr(node, field):
                self.visit(getattr(node, field))
        self.bound = before

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        arguments = node.args
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.visit(default)
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        self._later.append((node, {argument.arg for argument in every if argument is not None}))
        if not isinstance(node, ast.Lambda):
            self.bound.add(node.name)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bound.add(node.name)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)


def useless(tree: ast.AST) -> int:
    """How many statements have no effect: after a jump, or a value that no later code reads."""
    return sum(_dead(block) for block in _blocks(tree)) + _unread(tree)


def _blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and block:
                yield block


def _dead(block: list[ast.stmt]) -> int:
    count = 0
    for one, other in pairwise(block):
        jumped = isinstance(one, _JUMPS)
        count += jumped or _is_bare(other) or _overwritten(one, other)
    return count


def _is_bare(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, (ast.Name, ast.BinOp, ast.Compare))


def _overwritten(one: ast.stmt, other: ast.stmt) -> bool:
    """``x = 1`` before ``x = 2``."""
    if not (isinstance(one, ast.Assign) and isinstance(other, ast.Assign)):
        return False
    target, again = one.targets[0], other.targets[0]
    if not (isinstance(target, ast.Name) and isinstance(again, ast.Name) and target.id == again.id):
        return ast.dump(one) == ast.dump(other)
    return all(not (isinstance(node, ast.Name) and node.id == target.id) for node in ast.walk(other.value))


def _unread(tree: ast.AST) -> int:
    """Names that functions bind and nothing in them reads."""
    count = 0
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
            read = {node.id for node in names if not isinstance(node.ctx, ast.Store)}
            count += len({node.id for node in names if isinstance(node.ctx, ast.Store)} - read)
    return count
