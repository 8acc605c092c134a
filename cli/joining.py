"""``speciate join``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Address, Overrides
from .output import Json
from .running import finish, interruptible


def join(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The run's folder, or one on another machine with its journal.url.")
    ],
    islands: Annotated[int | None, typer.Option(min=1, help="Number of islands to add.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Evaluations at once, of this conductor.")] = None,
    proposer: Annotated[str | None, typer.Option(help="Who proposes here; the run's by default.")] = None,
    model: Annotated[str | None, typer.Option(help="Language models here; the run's by default.")] = None,
    executor: Annotated[
        str | None, typer.Option(help="Where programs are evaluated: local, or ray; the run's by default.")
    ] = None,
    address: Address = None,
    settings: Overrides = None,
    json: Json = False,
) -> None:
    """Take part in a run as a further conductor, with islands of its own, until the run ends."""
    from ..discovery.joining import join as join_run
    from .progress import Progress

    given = {"islands.count": islands, "workers": workers, "proposer": proposer}
    given |= {"executor": executor, "address": address}
    changes = {key: value for key, value in given.items() if value is not None}
    with interruptible(), Progress(quiet=json) as progress:
        result = join_run(directory, changes, settings or (), model=model, observers=(progress,), stage=progress.stage)
    finish(result, json)
