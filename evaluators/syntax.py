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


def parse_expression(source: str) -> ast.expr:
    """One expression, likewise."""
    with _ALONE:
        return ast.parse(source, mode="eval").body
