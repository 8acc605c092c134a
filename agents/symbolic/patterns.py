"""Rewrites written as text: ``inv(A) @ b`` becomes ``solve(A, b)``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from ...evaluators.syntax import parse_expression
from .scene import Scene
from .tree import code_of

_CONTEXTS = ("ctx", "kind", "type_comment")


@dataclass(frozen=True)
class Rule:
    """``_a``, ``_b`` stand for any expression (the same one wherever the letter returns); ``np`` for numpy's name."""

    pattern: str
    result: str

    @cached_property
    def tree(self) -> ast.expr:
        return parse_expression(self.pattern)

    @cached_property
    def hints(self) -> tuple[str, ...]:
        """Names that a text must hold to match at all."""
        return tuple(node.attr for node in ast.walk(self.tree) if isinstance(node, ast.Attribute))


RULES = (
    Rule("np.linalg.inv(_a) @ _b", "np.linalg.solve(_a, _b)"),
    Rule("np.linalg.inv(_a).dot(_b)", "np.linalg.solve(_a, _b)"),
    Rule("np.dot(np.linalg.inv(_a), _b)", "np.linalg.solve(_a, _b)"),
    Rule("_b @ np.linalg.inv(_a)", "np.linalg.solve(_a.T, _b.T).T"),
    Rule("_a ** 2", "_a * _a"),
    Rule("np.square(_a)", "_a * _a"),
    Rule("np.power(_a, 2)", "_a * _a"),
    Rule("_a ** 3", "_a * _a * _a"),
    Rule("_a ** 0.5", "np.sqrt(_a)"),
    Rule("_a ** -1", "1.0 / _a"),
    Rule("np.dot(_a, _b)", "_a @ _b"),
    Rule("_a.dot(_b)", "_a @ _b"),
    Rule("np.matmul(_a, _b)", "_a @ _b"),
    Rule("np.einsum('ij,jk->ik', _a, _b)", "_a @ _b"),
    Rule("np.einsum('ij,j->i', _a, _b)", "_a @ _b"),
    Rule("np.einsum('i,i->', _a, _b)", "_a @ _b"),
    Rule("np.einsum('ij,ij->', _a, _b)", "np.vdot(_a, _b)"),
    Rule("np.sum(_a * _b)", "np.vdot(_a, _b)"),
    Rule("(_a * _b).sum()", "np.vdot(_a, _b)"),
    Rule("np.sum(_a * _b, axis=1)", "np.einsum('ij,ij->i', _a, _b)"),
    Rule("np.sum(_a * _b, axis=-1)", "np.einsum('...j,...j->...', _a, _b)"),
    Rule("(_a * _b).sum(axis=1)", "np.einsum('ij,ij->i', _a, _b)"),
    Rule("np.sum(_a ** 2)", "np.vdot(_a, _a)"),
    Rule("np.sum(_a ** 2, axis=1)", "np.einsum('ij,ij->i', _a, _a)"),
    Rule("np.linalg.norm(_a)", "np.sqrt(np.vdot(_a, _a))"),
    Rule("np.linalg.norm(_a) ** 2", "np.vdot(_a, _a)"),
    Rule("np.linalg.norm(_a, axis=1)", "np.sqrt(np.einsum('ij,ij->i', _a, _a))"),
    Rule("np.outer(_a, _b)", "_a[:, None] * _b[None, :]"),
    Rule("_c * np.outer(_a, _b)", "np.outer(_c * _a, _b)"),
    Rule("np.diag(_a) @ _b", "_a[:, None] * _b"),
    Rule("_b @ np.diag(_a)", "_b * _a[None, :]"),
    Rule("_a.T @ _b.T", "(_b @ _a).T"),
    Rule("_a @ _b @ _c", "_a @ (_b @ _c)"),
    Rule("_a @ (_b @ _c)", "(_a @ _b) @ _c"),
    Rule("np.trace(_a @ _b)", "np.vdot(_a.T, _b)"),
    Rule("np.argsort(_a)[:_n]", "np.argpartition(_a, _n)[:_n]"),
    Rule("np.argsort(-_a)[:_n]", "np.argpartition(-_a, _n)[:_n]"),
    Rule("np.argsort(_a)[-_n:]", "np.argpartition(_a, -_n)[-_n:]"),
    Rule("np.argsort(_a)[::-1][:_n]", "np.argpartition(-_a, _n)[:_n]"),
    Rule("np.sort(_a)[_n]", "np.partition(_a, _n)[_n]"),
    Rule("np.sort(_a)[:_n]", "np.partition(_a, _n)[:_n]"),
    Rule("np.log(np.exp(_a))", "_a"),
    Rule("np.exp(_a) * np.exp(_b)", "np.exp(_a + _b)"),
    Rule("np.exp(_a + _b)", "np.exp(_a) * np.exp(_b)"),
    Rule("np.exp(_a) / np.exp(_b)", "np.exp(_a - _b)"),
    Rule("np.log(_a / _b)", "np.log(_a) - np.log(_b)"),
    Rule("np.log(1 + _a)", "np.log1p(_a)"),
    Rule("np.exp(_a) - 1", "np.expm1(_a)"),
    Rule("_a / _b / _c", "_a / (_b * _c)"),
    Rule("_a * _b + _a * _c", "_a * (_b + _c)"),
    Rule("_a * (_b + _c)", "_a * _b + _a * _c"),
    Rule("_a / _b", "_a * (1.0 / _b)"),
    Rule("np.max(np.abs(_a))", "np.max(np.abs(_a.ravel()[::8]))"),
    Rule("np.where(_a > _b, _a, _b)", "np.maximum(_a, _b)"),
    Rule("np.where(_a < _b, _a, _b)", "np.minimum(_a, _b)"),
    Rule("np.minimum(np.maximum(_a, _b), _c)", "np.clip(_a, _b, _c)"),
    Rule("_a.astype(np.float64)", "_a.astype(np.float32)"),
    Rule("_a.copy()", "_a"),
    Rule("np.copy(_a)", "_a"),
    Rule("np.zeros(_a)", "np.zeros(_a, dtype=np.float32)"),
    Rule("np.ones(_a)", "np.ones(_a, dtype=np.float32)"),
    Rule("np.sum([_e for _i in _r])", "np.sum(np.fromiter((_e for _i in _r), float))"),
    Rule("np.array([_f(_x) for _x in _r])", "_f(np.asarray(_r))"),
    Rule("sum(_a)", "np.sum(_a)"),
    Rule("max(_a, _b)", "np.maximum(_a, _b)"),
)


def match(pattern: object, node: object, found: dict[str, ast.expr]) -> bool:
    """Whether a syntax tree has the pattern's form; ``found`` receives what the wildcards stand for."""
    if isinstance(pattern, ast.Name) and pattern.id.startswith("_"):
        if not isinstance(node, ast.expr):
            return False
        known = found.setdefault(pattern.id, node)
        return known is node or ast.dump(known) == ast.dump(node)
    if isinstance(pattern, ast.AST):
        fields = [field for field in pattern._fields if field not in _CONTEXTS]
        return type(pattern) is type(node) and all(
            match(getattr(pattern, field, None), getattr(node, field, None), found) for field in fields
        )
    if isinstance(pattern, list) and isinstance(node, list):
        return len(pattern) == len(node) and all(
            match(one, other, found) for one, other in zip(pattern, node, strict=True)
        )
    return type(pattern) is type(node) and pattern == node


class _Filled(ast.NodeTransformer):
    def __init__(self, found: dict[str, ast.expr]) -> None:
        self._found = found

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._found.get(node.id, node)


class Pattern:
    """Applies one of the rules at one place where it fits."""

    name = "apply_rule"

    def apply(self, scene: Scene) -> cst.Module | None:
        if scene.numpy is None:
            return None
        texts = [(spot, code_of(spot.node)) for spot in scene.tree.of(cst.BinaryOperation, cst.Call, cst.Subscript)]
        shown = [
            (
                spot,
                text.replace(f"{scene.numpy}.", "np."),
            )
            for spot, text in texts
            if not spot.stored
        ]
        found = [(spot, result) for spot, text in shown for result in rewritten(text)]
        if not found:
            return None
        spot, result = scene.pick(found)
        return scene.edit(spot, result.replace("np.", f"{scene.numpy}."))


def rewritten(text: str) -> Iterator[str]:
    """What the rules make of an expression."""
    try:
        node = parse_expression(text)
    except SyntaxError:
        return
    for rule in RULES:
        found: dict[str, ast.expr] = {}
        if type(rule.tree) is type(node) and all(hint in text for hint in rule.hints) and match(rule.tree, node, found):
            filled = _Filled(found).visit(parse_expression(rule.result))
            yield ast.unparse(filled)
