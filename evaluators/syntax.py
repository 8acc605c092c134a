"""Python's own parser, for programs whose evaluations run side by side."""

from __future__ import annotations

import ast
import threading

_ALONE = threading.Lock()


def parse(source: str) -> ast.Module:
    """As ``ast.parse``, for one thread at a time.

    CPython 3.11 counts the depth of the tree that it builds in one place for all threads, and raises SystemError where
    a second one begins in between. Raises: what ``ast.parse`` raises.
    """
    with _ALONE:
        return ast.parse(source)


def code_size(source: str) -> int:
    """AST nodes, as a measure of size that layout and names do not change; 0 where the source does not parse."""
    try:
        return sum(1 for _ in ast.walk(parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        return 0


def parse_expression(source: str) -> ast.expr:
    """One expression, likewise."""
    with _ALONE:
        return ast.parse(source, mode="eval").body
