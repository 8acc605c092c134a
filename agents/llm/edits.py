"""What a reply changes: SEARCH/REPLACE blocks or a whole program, found in whatever text surrounds them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...evaluators.source import END, START
from ...evaluators.syntax import parse

SIMILAR = 0.9
"""Ratio (difflib) from which lines that nearly match are taken for those that were meant, if no others come near."""
MARGIN = 0.05
SHOWN_LINES = 30

_DIFF = re.compile(
    r"^[ \t]*<{5,}[ \t]*SEARCH[^\n]*\n(?P<search>.*?)^[ \t]*={5,}[ \t]*\n(?P<replace>.*?)^[ \t]*>{5,}[ \t]*REPLACE",
    re.MULTILINE | re.DOTALL,
)
_FENCE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+.-]*)[^\n]*\n(?P<code>.*?)^[ \t]*(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


class Unusable(Exception):
    """A reply, or an edit in it, that cannot be used; the words tell its author what to write instead."""


@dataclass(frozen=True, slots=True)
class Change:
    search: str
    replace: str


def edited(source: str, reply: str, entries: Sequence[str]) -> str:
    """The program that a reply makes of ``source``. Raises: Unusable."""
    changes = [Change(match["search"], match["replace"]) for match in _DIFF.finditer(reply)]
    if changes:
        for change in changes:
            source = changed(source, change)
        return source
    if "<<<<< SEARCH" in reply:
        raise Unusable("a SEARCH block has no end: it needs a line of ======= and one of >>>>>>> REPLACE")
    return spliced(source, _code(reply, entries))


def said_before(reply: str) -> str:
    """What a reply says before its first edit: the idea, in its author's words."""
    places = [match.start() for match in (_DIFF.search(reply), _FENCE.search(reply)) if match]
    return reply[: min(places)].strip() if places else ""


def first_code(text: str) -> str | None:
    """What stands between the first fences that say ``python`` and hold more than a signature."""
    codes = [match["code"] for match in _FENCE.finditer(text) if match["language"] == "python"]
    return next((code for code in codes if "\n" in code.strip()), None)


def _code(reply: str, entries: Sequence[str]) -> str:
    """The program in a reply: of several blocks the longest one that defines the entries."""
    codes = [match["code"] for match in _FENCE.finditer(reply)]
    for candidates in ([code for code in codes if defines(code, entries)], codes):
        if candidates:
            return max(candidates, key=len)
    if defines(reply, entries):
        return reply
    raise Unusable("there is neither a SEARCH/REPLACE block nor a program between ```python and ``` in the reply")


def blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """What stands before each fenced block, the language that it names, and its content."""
    end = 0
    for match in _FENCE.finditer(text):
        yield text[end : match.start()].strip(), match["language"], match["code"]
        end = match.end()


def defines(code: str, entries: Sequence[str]) -> bool:
    """Whether the code parses and has functions of these names."""
    try:
        tree = parse(code)
    except _UNREADABLE:
        return False
    return set(entries) <= {getattr(node, "name", "") for node in tree.body}


def spliced(source: str, code: str) -> str:
    """``code`` with what stands outside the EVOLVE-BLOCK of ``source``, where both are plain about it."""
    mine, theirs = source.splitlines(), code.splitlines()
    here, there = _block(mine), _block(theirs)
    if here is None:
        return code
    begin, end = there if there is not None else (-1, len(theirs))
    if there is None and (START in code or END in code):
        return code
    return "\n".join([*mine[: here[0] + 1], *theirs[begin + 1 : end], *mine[here[1] :]]) + "\n"


def _block(lines: Sequence[str]) -> tuple[int, int] | None:
    """The lines of the two markers; None where there is not just one block."""
    starts = [number for number, line in enumerate(lines) if START in line]
    ends = [number for number, line in enumerate(lines) if END in line]
    return (starts[0], ends[0]) if len(starts) == len(ends) == 1 and starts[0] < ends[0] else None


def changed(source: str, change: Change) -> str:
    """The source with one block replaced: where its lines stand, else where they stand but for white space, else where
    they are part of a line, else where lines stand that are very like them.

    Raises: Unusable where they stand nowhere, or in several places.
    """
    lines, wanted = source.splitlines(), _trimmed(change.search)
    if not wanted:
        raise Unusable("a SEARCH block is empty: it must repeat the lines that are to be replaced")
    for norm in (str.rstrip, str.strip, _squeezed):
        places = _places([norm(line) for line in lines], [norm(line) for line in wanted])
        if len(places) == 1:
            return _replaced(lines, places[0], wanted, change.replace)
        if len(places) > 1:
            raise Unusable(
                f"these lines stand in {len(places)} places; repeat more of the lines around them:\n"
                + "\n".join(wanted[:SHOWN_LINES])
            )
    part = "\n".join(wanted).strip()
    if source.count(part) == 1:
        return source.replace(part, "\n".join(_trimmed(change.replace)).strip())
    place, ratio, second = _nearest(lines, wanted)
    if len(wanted) > 1 and ratio >= SIMILAR and ratio - second >= MARGIN:
        return _replaced(lines, place, wanted, change.replace)
    near = "\n".join(lines[place : place + min(len(wanted), SHOWN_LINES)])
    raise Unusable(
        "these lines of a SEARCH block are not in the program:\n"
        + "\n".join(wanted[:SHOWN_LINES])
        + f"\nthe lines most like them, from line {place + 1} on, are:\n{near}"
    )


def _squeezed(line: str) -> str:
    return re.sub(r"\s+", "", line.partition("#")[0])


def _trimmed(text: str) -> list[str]:
    """The lines without empty ones at both ends."""
    lines = text.splitlines()
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _places(lines: Sequence[str], wanted: Sequence[str]) -> list[int]:
    if not any(wanted):
        return []
    last = len(lines) - len(wanted)
    return [number for number in range(last + 1) if list(lines[number : number + len(wanted)]) == list(wanted)]


def _nearest(lines: Sequence[str], wanted: Sequence[str]) -> tuple[int, float, float]:
    """Where the lines most like the wanted ones begin, how like they are, and how like the next best that are apart."""
    text, count = "\n".join(wanted), len(wanted)
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(text)
    ratios: list[tuple[float, int]] = []
    for number in range(max(1, len(lines) - count + 1)):
        matcher.set_seq1("\n".join(lines[number : number + count]))
        ratios.append((matcher.ratio() if matcher.quick_ratio() > 0.5 else 0.0, number))
    best, place = max(ratios, key=lambda pair: (pair[0], -pair[1]))
    apart = [ratio for ratio, number in ratios if abs(number - place) >= max(1, count // 2)]
    return place, best, max(apart, default=0.0)


def _replaced(lines: Sequence[str], place: int, wanted: Sequence[str], replacement: str) -> str:
    """The replacement takes the place of the lines, moved by as much as these were indented differently."""
    new = _trimmed(replacement)
    shift = _indent(lines[place]) - _indent(wanted[0])
    moved = [_shifted(line, shift) for line in new]
    return "\n".join([*lines[:place], *moved, *lines[place + len(wanted) :]]) + "\n"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _shifted(line: str, shift: int) -> str:
    if not line.strip():
        return ""
    if shift >= 0:
        return " " * shift + line
    return line[min(-shift, _indent(line)) :]
