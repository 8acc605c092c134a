"""What a run is told on the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """``90``, ``90s``, ``5m`` or ``2h`` in seconds. Raises: typer.BadParameter."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if match is None:
        raise typer.BadParameter(f"'{text}' is no time: write 90, 90s, 5m or 2h")
    return float(match[1]) * UNITS[match[2]]


Evaluations = Annotated[int | None, typer.Option(min=1, help="Stop after this many evaluations.")]
TimeLimit = Annotated[str | None, typer.Option("--time", help="Stop after this time: 90s, 5m, 2h.")]
Money = Annotated[float | None, typer.Option(help="Stop when this much money is spent.")]
Tokens = Annotated[int | None, typer.Option(min=1, help="Stop when this many tokens are used.")]

TaskOrFiles = Annotated[
    list[str],
    typer.Argument(metavar="TASK", help="A task of the catalogue, a task folder, or another system's files."),
]
ProposerName = Annotated[
    str | None, typer.Option(help="Who proposes: symbolic, tuning, llm, inbox, or several: symbolic+llm.")
]
Models = Annotated[
    str | None, typer.Option(help="Language models: names, or NAME@http://host:port/v1; several with commas.")
]
Islands = Annotated[int | None, typer.Option(min=1, help="Number of islands.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Evaluations at once.")]
ExecutorName = Annotated[
    str | None, typer.Option(help="Where programs are evaluated: local, or ray for a Ray cluster.")
]
Address = Annotated[str | None, typer.Option(help="The Ray cluster, HOST:PORT; auto by default.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of all random choices.")]
ConfigSource = Annotated[str | None, typer.Option(help="A preset's name or a YAML file.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Set one configuration key: a.b=c.")]
Start = Annotated[
    list[Path] | None,
    typer.Option("--start", metavar="FILE|DIR", help="Begin with this program too, or with the best one of a run."),
]
Out = Annotated[Path | None, typer.Option(help="Folder of the run; runs/<task>-<time> by default.")]
JournalUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Keep the journal at postgresql://USER@HOST/DATABASE.")
]
Replay = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Use a run's recorded replies again; asks no endpoint.")
]


def limits(evaluations: int | None, time_limit: str | None, usd: float | None, tokens: int | None) -> dict[str, Any]:
    """By their keys in the configuration."""
    duration = seconds(time_limit) if time_limit else None
    return {"evaluations": evaluations, "seconds": duration, "usd": usd, "tokens": tokens}
