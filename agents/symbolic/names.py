"""Cheap checks of a mutant: names never defined, values never used, statements never reached."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

_BUILTINS = frozenset(dir(builtins))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_JUMPS = (ast.Return, ast.Break, ast.Continue, ast.Raise)


@dataclass(frozen=True)
class Findings:
    """What looks wrong with a piece of code. A mutant is held against its parent: only what is new counts."""

    undefined: frozenset[str]
    """Names read before any statement above them could have bound them; branches count as taken."""
    unread: frozenset[str]
    """Names that functions bind and nothing reads."""
    idle: int
    """Statements without effect: after a jump, overwritten at once, or bare values."""

    def no_worse_than(self, other: Findings) -> bool:
        return self.undefined <= other.undefined and self.unread <= other.unread and self.idle <= other.idle


def review(tree: ast.Module, known: Iterable[str]) -> Findings:
    """``known`` are the names that the module around the piece defines."""
    bound = set(known) | _BUILTINS
    reader = _Reader(bound)
    reader.visit(tree)
    unread = reader.stored - reader.read
    return Findings(frozenset(reader.missing), frozenset(unread), sum(_dead(block) for block in _blocks(tree)))


class _Reader(ast.NodeVisitor):
    """Follows a scope in source order; bodies of functions count as run at the end of the scope they stand in."""

    def __init__(self, bound: set[str], inner: bool = False) -> None:
        self.bound = bound
        self.missing: set[str] = set()
        self.stored: set[str] = set()
        self.read: set[str] = set()
        self._inner = inner
        self._later: list[tuple[ast.AST, set[str]]] = []

    def visit_Module(self, node: ast.Module) -> None:
        self._scope(node.body)

    def _scope(self, body: list[ast.stmt]) -> None:
        outer, self._later = self._later, []
        for statement in body:
            self.visit(statement)
        inner, self._later = self._later, outer
        for function, parameters in inner:
            reader = _Reader(self.bound | parameters, inner=True)
            content = getattr(function, "body", [])
            reader._scope(content if isinstance(content, list) else [ast.Expr(content)])
            self.missing |= reader.missing
            self.stored |= reader.stored
            self.read |= reader.read

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bound.add(node.id)
            if self._inner:
                self.stored.add(node.id)
            return
        self.read.add(node.id)
        if node.id not in self.bound:
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

    def visit_If(self, node: ast.If) -> None:
        """What only one branch binds is not bound after it, unless the test holds at first: ``t % 5 == 0``."""
        self.visit(node.test)
        before, ends = set(self.bound), []
        for block in (node.body, node.orelse):
            self.bound = set(before)
            for statement in block:
                self.visit(statement)
            if not (block and isinstance(block[-1], _JUMPS)):
                ends.append(self.bound)
            if _holds_at_first(node.test):
                ends = [self.bound]
                break
        self.bound = set.intersection(*ends) if ends else before

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


def _holds_at_first(test: ast.expr) -> bool:
    if not (isinstance(test, ast.Compare) and isinstance(test.left, ast.BinOp) and isinstance(test.left.op, ast.Mod)):
        return False
    right = test.comparators[0]
    return isinstance(test.ops[0], ast.Eq) and isinstance(right, ast.Constant) and right.value == 0


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody", "handlers"):
        block = getattr(node, field, None)
        if isinstance(block, list) and block:
            if field != "handlers":
                yield block
            for statement in block:
                yield from _blocks(statement)


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


def alike(one: object, other: object) -> bool:
    """Whether two syntax trees are the same but for places in the text."""
    if isinstance(one, ast.AST):
        return type(one) is type(other) and all(
            alike(getattr(one, field, None), getattr(other, field, None)) for field in one._fields
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(alike(mine, its) for mine, its in zip(one, other, strict=True))
    return type(one) is type(other) and one == other
