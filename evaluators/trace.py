"""What a program's lines did on a smoke instance, as its own process told it.

The program can forge every word and number of a trace: it goes to feedback, never to a score. Its text is bounded and
without control characters, like all that a program says.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from ..sandbox.text import bounded_text
from .evaluation import Record, State

MAX_WORD = 120
MAX_SENTENCE = 600
MAX_LINES = 500


def _word(value: Any) -> Any:
    return bounded_text(value, MAX_WORD)[:MAX_WORD].replace("\n", " ") if isinstance(value, str) else value


def _sentence(value: Any) -> Any:
    return bounded_text(value, MAX_SENTENCE)[:MAX_SENTENCE] if isinstance(value, str) else value


Word = Annotated[str, BeforeValidator(_word)]
Sentence = Annotated[str, BeforeValidator(_sentence)]
Count = Annotated[int, Field(ge=0, lt=1 << 62)]


class Value(Record):
    """A value by its form: never its content beyond a short beginning. ``odd`` counts NaN and infinity."""

    kind: Word
    text: Word = ""
    size: Count | None = None
    dtype: Word = ""
    shape: Annotated[tuple[Count, ...], Field(max_length=8)] | None = None
    norm: float | None = None
    low: float | None = None
    high: float | None = None
    odd: Count = 0

    @property
    def form(self) -> str:
        """Kind, dtype, shape and size."""
        parts = [self.kind]
        if self.shape is not None:
            parts.append(f"{self.dtype}[{', '.join(map(str, self.shape))}]")
        if self.size is not None:
            parts.append(f"of {self.size}")
        return " ".join(parts)

    @property
    def measure(self) -> str:
        """What distinguishes it from others of the same form."""
        parts = [self.text] if self.text else []
        if self.norm is not None and self.low is not None and self.high is not None:
            parts.append(f"norm {self.norm:.4g}, {self.low:.4g} to {self.high:.4g}")
        if self.odd:
            parts.append(f"{self.odd} NaN or infinite")
        return " ".join(parts)

    def __str__(self) -> str:
        return f"{self.form} {self.measure}".strip()


Values = Annotated[dict[Word, Value], Field(max_length=64)]


class Sample(Record):
    """The value of ``name`` after the line's visit number ``visit``."""

    name: Word
    visit: Count
    value: Value


class TracedLine(Record):
    """A statement by its first line. ``uses`` are indices of lines whose doing it depends on, ``inputs`` arguments.

    ``seconds`` is its own time, without that of functions of the program that it calls, on the program's clock.
    """

    file: Word
    line: Count
    visits: Count
    seconds: float
    asks: Count = 0
    """Requests to the oracle."""
    uses: Annotated[tuple[Count, ...], Field(max_length=MAX_LINES)] = ()
    inputs: Annotated[tuple[Word, ...], Field(max_length=64)] = ()
    values: Annotated[tuple[Sample, ...], Field(max_length=128)] = ()


class TracedCall(Record):
    """A function of the program: how often it was called, its first arguments and what it returned later."""

    function: Word
    file: Word
    line: Count
    count: Count
    arguments: Values
    returned: Value | None


class Raised(Record):
    """An exception, at the program's own line nearest to where it arose, with the names there."""

    kind: Word
    message: Sentence
    file: Word
    line: Count
    function: Word
    locals: Values


class Recorded(Record):
    """What one process recorded. ``target`` is the line of the output, or of the exception."""

    lines: Annotated[tuple[TracedLine, ...], Field(max_length=MAX_LINES)]
    calls: Annotated[tuple[TracedCall, ...], Field(max_length=64)]
    events: Count
    complete: bool
    inputs: Values
    output: Value | None
    target: Count | None
    raised: Raised | None


class Trace(Record):
    """A program on a smoke instance. ``state`` and ``note`` are the judge's word on this very run."""

    instance: str
    state: State
    note: str
    processes: Count
    """How many the run took; ``recorded`` holds the first ones and the last."""
    recorded: tuple[Recorded, ...]

    @property
    def last(self) -> Recorded | None:
        """Where the run ended, or failed."""
        return self.recorded[-1] if self.recorded else None


def read(report: Any) -> Recorded | None:
    """A process's own report, or None where it is not of the form."""
    try:
        recorded = Recorded.model_validate(report)
    except ValidationError:
        return None
    size = len(recorded.lines)
    sound = (recorded.target is None or recorded.target < size) and all(
        used < size for line in recorded.lines for used in line.uses
    )
    return recorded if sound else None
