"""What a model answers: the five elements of a problem as plain data, and three files of code."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from ...evaluators import Direction, Entry
from ...evaluators.jailed import PROBLEM
from ...evaluators.task import Scale
from ...sandbox.text import bounded_text
from ..llm.edits import Unusable

CODE = (PROBLEM, "baseline.py", "reference.py")

MAX_PROSE = 12_000


def _harmless(text: str) -> str:
    return bounded_text(text, MAX_PROSE)


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\r\n]+$"),
    AfterValidator(_harmless),
]
Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_PROSE), AfterValidator(_harmless)
]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$", max_length=60)]
Module = Literal[
    "numpy",
    "scipy",
    "scipy.cluster",
    "scipy.integrate",
    "scipy.interpolate",
    "scipy.linalg",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.signal",
    "scipy.sparse",
    "scipy.sparse.csgraph",
    "scipy.sparse.linalg",
    "scipy.spatial",
    "scipy.special",
    "scipy.stats",
]
"""What a formulated task may import, in its programs and in problem.py."""

_FENCE = re.compile(
    r"^[ \t]*(?P<fence>`{3,})[ \t]*(?P<info>[^\n`]*)\n(?P<text>.*?)^[ \t]*(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Goal(_Part):
    """The objective: a metric of the judge. ``floor`` is added before logarithms, where it may be 0."""

    name: Name
    direction: Direction
    scale: Scale = "linear"
    floor: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    meaning: Line


class Axis(_Part):
    """A descriptor: another metric of the judge, or ``code_size``."""

    name: Name
    low: Annotated[float, Field(allow_inf_nan=False)]
    high: Annotated[float, Field(allow_inf_nan=False)]
    scale: Scale = "linear"


class Formulation(_Part):
    """The five elements (sets, parameters, variables, objective, constraints), and what else a task needs.

    As in LLMOPT: Learning to Define and Solve General Optimization Problems from Scratch. ``parameters`` are the inputs
    of the entry and what only the judge knows, ``variables`` what the entry returns.
    """

    title: Line
    sets: dict[Name, Line]
    parameters: dict[Name, Line]
    variables: dict[Name, Line]
    objective: Goal
    constraints: list[Line]
    statement: Prose
    entry: Line
    imports: list[Module] = ["numpy"]
    descriptors: Annotated[list[Axis], Field(min_length=1, max_length=3)]
    method: Line
    year: int
    claim: Line

    @field_validator("entry")
    @classmethod
    def _signature(cls, value: str) -> str:
        try:
            functions = Entry(value).functions
        except (SyntaxError, ValueError):
            functions = {}
        if len(functions) != 1:
            raise ValueError("write one signature: def name(argument: type) -> type")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Formulation:
        if not self.parameters or not self.variables:
            raise ValueError("there is no problem without a parameter and a variable")
        (arguments,) = Entry(self.entry).functions.values()
        unnamed = [name for name in arguments if name not in self.parameters and name not in self.sets]
        if unnamed:
            raise ValueError(f"the entry takes '{unnamed[0]}', which is neither one of the parameters nor of the sets")
        return self


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply that can be read. ``code`` holds the text of each file of ``CODE``."""

    formulation: Formulation
    code: dict[str, str]


def read(reply: str) -> Draft:
    """The blocks of a reply. Raises: Unusable, in words for the model."""
    found: dict[str, str] = {}
    for match in _FENCE.finditer(reply):
        named = _named(match["info"], match["text"])
        if named is not None:
            found[named] = match["text"]
    missing = [name for name in ("json", *CODE) if name not in found]
    if missing:
        raise Unusable(
            f"the reply has no block for {', '.join(missing)}: begin one with ```json and three with ```python and "
            "the file's name in the same line"
        )
    return Draft(_formulation(found["json"]), {name: found[name] for name in CODE})


def _named(info: str, text: str) -> str | None:
    """Which block it is: said behind the fence, or in a comment in the first line."""
    first = text.lstrip().partition("\n")[0]
    for place in (info, first if first.startswith("#") else ""):
        for name in CODE:
            if name in place:
                return name
    return "json" if info.strip().lower().startswith("json") else None


def _formulation(text: str) -> Formulation:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"the json block is not JSON: {error}") from None
    try:
        return Formulation.model_validate(document)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc'])) or 'json'}: {one['msg']}" for one in error.errors()[:5]]
        raise Unusable("the json block is not as asked for: " + "; ".join(wrong)) from None
