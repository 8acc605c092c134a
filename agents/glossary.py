"""Glossary: what each operator and mutation does, in one sentence for people."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from .symbolic.registry import GROUPS

OPERATORS = {
    "seed": "The standard method, from which the search starts.",
    "given": "The program was given to the run to begin with.",
    "start": "The program was written from the statement of the task alone.",
    "rewrite": "The program was written anew.",
    "diff": "Some passages of the program were replaced.",
    "crossover": "Statements of another elite went into the program.",
    "repair": "A fault of the program was mended.",
    "tune": "The numbers in the program were tuned, its form stayed.",
    "simplify": "What does not matter for the score was taken away.",
}


def glossary() -> Mapping[str, str]:
    """Name -> sentence."""
    return OPERATORS | {
        mutation.name: _sentence(inspect.getdoc(type(mutation)) or "")
        for group in GROUPS
        for mutation in group.mutations
    }


def _sentence(text: str) -> str:
    """The first paragraph on one line."""
    return " ".join(text.partition("\n\n")[0].split())
