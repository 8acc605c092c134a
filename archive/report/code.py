"""Programs as HTML: highlighted lines, and diffs of them. Whatever a program holds, it stays text."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

CONTEXT = 3
"""Unchanged lines around each change of a diff."""


@dataclass(frozen=True, slots=True)
class Line:
    """``sign`` is ``+``, ``-``, a space, or ``…`` where lines are left out."""

    sign: str
    html: Markup


def highlighted(source: str) -> list[Markup]:
    """The lines of Python text, tokens marked by classes; all else escaped."""
    from markupsafe import Markup
    from pygments import lex
    from pygments.lexers import PythonLexer

    lines = [Markup("")]
    for kind, text in lex(source, PythonLexer(stripnl=False, ensurenl=False)):
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append(Markup(""))
            if part:
                lines[-1] += _marked(str(kind), part)
    return lines[:-1] if source.endswith("\n") else lines


CLASSES = (
    ("Token.Keyword", "k"),
    ("Token.Operator.Word", "k"),
    ("Token.Comment", "c"),
    ("Token.Literal.String", "s"),
    ("Token.Literal.Number", "n"),
    ("Token.Name.Function", "f"),
    ("Token.Name.Class", "f"),
)


def _marked(kind: str, text: str) -> Markup:
    from markupsafe import Markup

    name = next((name for prefix, name in CLASSES if kind.startswith(prefix)), None)
    return Markup("{}").format(text) if name is None else Markup('<i class="{}">{}</i>').format(name, text)


def diff(before: str, after: str, context: int = CONTEXT) -> list[Line]:
    """What changed between two programs, line by line; empty where nothing did."""
    from markupsafe import Markup

    old, new = before.splitlines(), after.splitlines()
    marked = highlighted("\n".join(old)), highlighted("\n".join(new))
    lines: list[Line] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(context):
        if lines or group[0][1] > 0:
            lines.append(Line("…", Markup("")))
        for change in group:
            lines += _changed(change, *marked)
    return lines


def _changed(change: tuple[str, int, int, int, int], old: list[Markup], new: list[Markup]) -> Iterator[Line]:
    tag, i1, i2, j1, j2 = change
    if tag == "equal":
        yield from (Line(" ", line) for line in old[i1:i2])
        return
    yield from (Line("-", line) for line in old[i1:i2])
    yield from (Line("+", line) for line in new[j1:j2])
