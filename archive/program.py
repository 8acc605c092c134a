"""Program: immutable source text with an identity that ignores layout and comments."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from ..evaluators.outline import outline, stripped

MAIN = "program.py"


UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python's parser raises for text that is no program, or is nested too deeply for it."""


def canonical(source: str) -> str:
    """The source without comments, docstrings and layout, or the text itself where it does not parse."""
    try:
        return outline(source).canonical
    except UNREADABLE:
        return source


@dataclass(frozen=True)
class Program:
    """A mapping of file names to text; ``program.py`` is the one that defines the entry."""

    files: Mapping[str, str]

    def __post_init__(self) -> None:
        files = {writable(name): writable(text) for name, text in self.files.items()}
        object.__setattr__(self, "files", MappingProxyType(files))

    @classmethod
    def of(cls, source: str) -> Program:
        return cls({MAIN: source})

    @classmethod
    def known(cls, files: Mapping[str, str], program_id: str) -> Program:
        """A program whose id was computed before, as a journal holds it; ``verify`` checks those."""
        program = cls(files)
        program.__dict__["id"] = program_id
        return program

    @property
    def source(self) -> str:
        return self.files[MAIN]

    @cached_property
    def id(self) -> str:
        """SHA-256 (hex) over the names and canonical texts of the files."""
        digest = hashlib.sha256()
        for name in sorted(self.files):
            digest.update(f"{name}\0{canonical(self.files[name])}\0".encode())
        return digest.hexdigest()

    @cached_property
    def size(self) -> int:
        """Number of AST nodes over all files; 0 for files that do not parse."""
        return sum(_nodes(text) for text in self.files.values())

    @cached_property
    def form(self) -> str:
        """SHA-256 (hex) as ``id``, but with every number blanked: programs that differ only in numbers share it."""
        digest = hashlib.sha256()
        for name in sorted(self.files):
            digest.update(f"{name}\0{_formed(self.files[name])}\0".encode())
        return digest.hexdigest()

    def __hash__(self) -> int:
        return hash(self.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.id == other.id


def _nodes(source: str) -> int:
    try:
        return sum(1 for _ in ast.walk(stripped(source)))
    except UNREADABLE:
        return 0


def _formed(source: str) -> str:
    try:
        return ast.unparse(_Blank().visit(stripped(source)))
    except UNREADABLE:
        return source


class _Blank(ast.NodeTransformer):
    """Puts one name in the place of all numbers, their signs with them."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name("_", ast.Load()) if is_number(node) else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.USub) and is_number(node.operand):
            return self.visit(node.operand)
        self.generic_visit(node)
        return node


def is_number(node: ast.AST) -> bool:
    """Whether a node is the literal of an int or a float."""
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def writable(text: str) -> str:
    """The text with a question mark for each lone surrogate, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
