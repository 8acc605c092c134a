"""Parsed pieces of recent programs, and the checks that a mutant must pass before anyone pays for it."""

from __future__ import annotations

import ast
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import libcst as cst

from ...archive import MAIN, Program
from ...evaluators.syntax import parse
from ..proposer import Brief, TaskCard
from .kinds import Kind
from .names import Findings, alike, review
from .scene import Analysis, Scene, TreeSource
from .source import Outline, Piece, frozen_parts, outline, signatures
from .tree import Tree

K = TypeVar("K")
V = TypeVar("V")
Scope = frozenset[tuple[str, Kind]]


class Recent(Generic[K, V]):
    """The values used last, at most ``size`` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, build: Callable[[], V]) -> V:
        if key not in self._values:
            self._values[key] = build()
            if len(self._values) > self._size:
                self._values.popitem(last=False)
        self._values.move_to_end(key)
        return self._values[key]


@dataclass(frozen=True)
class _Standard:
    """What the checks compare a mutant of a piece to."""

    tree: ast.Module
    signatures: Mapping[str, tuple[str, ...]]
    findings: Findings


class Workshop:
    """Takes programs apart and puts them together again. Pieces that a child shares with its parent stay parsed."""

    def __init__(self, size: int) -> None:
        self._outlines: Recent[str, Outline] = Recent(size)
        self._trees: Recent[tuple[str, tuple[str, ...]], Tree] = Recent(size)
        self._analyses: Recent[tuple[str, Scope, str], Analysis] = Recent(size)
        self._standards: Recent[tuple[str, Scope], _Standard] = Recent(size)

    def outline(self, program: Program) -> Outline:
        """Raises: SyntaxError for a program that does not parse."""
        return self._outlines.get(program.source, partial(outline, program.source))

    def scene(self, program: Program, piece: Piece, brief: Brief) -> Scene:
        """Raises: SyntaxError, libcst.ParserSyntaxError."""
        around, task = self.outline(program), brief.task
        key = (piece.text, around.scope, task.signature)
        analysis = self._analyses.get(
            key, lambda: Analysis(self.tree(piece, task), around.names, promised_kinds(task.signature))
        )
        return Scene(
            tree=analysis.tree,
            analysis=analysis,
            rng=brief.rng,
            numpy=around.numpy,
            module_names=around.names,
            donors=tuple(partial(self.tree, other, task) for other in around.pieces if other is not piece),
            shown=partial(self._shown, piece, brief),
        )

    def _shown(self, piece: Piece, brief: Brief) -> list[TreeSource]:
        """The pieces of the inspirations, each program's taken apart but not parsed yet."""
        others = [other for shown in brief.inspirations for other in self._pieces(shown.program)]
        return [partial(self.tree, other, brief.task) for other in others if other.text != piece.text]

    def tree(self, piece: Piece, task: TaskCard) -> Tree:
        return self._trees.get((piece.text, task.entries), partial(Tree.parse, piece.text, frozenset(task.entries)))

    def assembled(self, program: Program, piece: Piece, mutant: cst.Module) -> Program | None:
        """The program with a piece replaced, or None where the mutant is implausible or no different."""
        around, text = self.outline(program), mutant.code
        try:
            tree = _compiled(text)
            standard = self._standards.get((piece.text, around.scope), partial(_standard, piece.text, around))
        except (SyntaxError, ValueError, RecursionError):
            return None
        source = around.replaced(piece, text)
        sound = (
            not alike(tree, standard.tree)
            and signatures(tree) == standard.signatures
            and review(tree, around.names).no_worse_than(standard.findings)
            and (not piece.guarded or frozen_parts(source) == frozen_parts(program.source))
        )
        return Program({**program.files, MAIN: source}) if sound else None

    def _pieces(self, program: Program) -> tuple[Piece, ...]:
        try:
            return self.outline(program).pieces
        except SyntaxError:
            return ()


def _compiled(text: str) -> ast.Module:
    """Raises: SyntaxError, also for what only the compiler finds, such as ``break`` outside a loop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = parse(text)
        compile(tree, MAIN, "exec", dont_inherit=True)
    return tree


def _standard(text: str, around: Outline) -> _Standard:
    tree = parse(text)
    return _Standard(tree, signatures(tree), review(tree, around.names))


def promised_kinds(signature: str) -> dict[str, dict[str, str]]:
    """Entry -> parameter -> annotation, as the task's signature promises them; nothing where it does not parse."""
    found: dict[str, dict[str, str]] = {}
    for line in signature.splitlines():
        try:
            nodes = parse(line.strip().rstrip(":") + ": ...").body
        except SyntaxError:
            continue
        for node in nodes:
            if isinstance(node, ast.FunctionDef):
                arguments = (*node.args.args, *node.args.kwonlyargs)
                found[node.name] = {a.arg: ast.unparse(a.annotation) for a in arguments if a.annotation is not None}
    return found
