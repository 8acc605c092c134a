"""``speciate export`` and ``speciate new``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Json, SandboxName, emit_json, note
from .running import INTERRUPTED

if TYPE_CHECKING:
    from ..agents import Cost
    from ..discovery.config import RunConfig


def export(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of runs.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the library to write.")],
    uncertified: Annotated[
        bool, typer.Option("--uncertified", help="Export best programs without a certificate too.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the certified programs of runs as an installable library with its own tests and benchmarks."""
    from ..archive.export import export as write_library

    result = write_library(directories, out, uncertified=uncertified)
    if json:
        emit_json({"library": result.library, "functions": result.functions})
        return
    note(f"wrote {out} with {', '.join(result.functions)}")
    note(f"  pip install {_as_path(out)}   # or: pip wheel --no-deps --no-build-isolation {_as_path(out)}")


def _as_path(place: Path) -> str:
    """As pip takes it for a folder and not for the name of a package."""
    return str(place) if len(place.parts) > 1 else f"./{place}"


def new(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new task.")],
    description: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A description of the problem in plain words.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The language model that formulates it: NAME, or NAME@http://host:port/v1.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Drafts that the model may write until one is sound.")] = 3,
    usd: Annotated[float | None, typer.Option(min=0.0, help="Spend at most this much money.")] = None,
    tokens: Annotated[int | None, typer.Option(min=1, help="Use at most this many tokens.")] = None,
    config: Annotated[str | None, typer.Option(help="A preset's name or a YAML file, for models and prices.")] = None,
    sandbox: SandboxName = None,
    json: Json = False,
) -> None:
    """A task of your own: a small working one to change, or what a model makes of a description."""
    from ..agents.formulation import is_free
    from ..evaluators import TaskError

    text = None if description is None else _described(description)
    if not is_free(directory):
        raise TaskError(f"{directory} is not empty: choose a folder that does not exist yet")
    if model is not None:
        if text is None:
            raise typer.BadParameter("it needs a description to formulate: give --from FILE", param_hint="--model")
        _formulated(directory, text, _settled(config, model, usd, tokens, sandbox), rounds, json)
        return
    _scaffolded(directory, text, json)


def _described(file: Path) -> str:
    """Raises: TaskError, OSError."""
    from ..evaluators import TaskError

    try:
        text = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise TaskError(f"{file} holds no description: write the problem into it, as UTF-8 text")
    return text


def _scaffolded(directory: Path, text: str | None, json: bool) -> None:
    from .scaffold import scaffold

    scaffold(directory)
    if text is not None:
        (directory / "problem.md").write_text(text + "\n", encoding="utf-8")
    if json:
        emit_json({"task": directory})
        return
    note(f"wrote {directory}/task.py, baseline.py and reference.py; try:")
    note(f"  speciate check {directory}")
    note(f"  speciate run {directory} --evaluations 300")
    if text is not None:
        note("it is an example to change into what problem.md says; with --model a model formulates it")


def _settled(config: str | None, model: str, usd: float | None, tokens: int | None, sandbox: str | None) -> RunConfig:
    """Models, limits and sandbox as a run has them. Raises: ConfigError, also where the model cannot be asked."""
    from ..agents.llm.preflight import unready
    from ..discovery.config import ConfigError
    from ..discovery.proposers import unpriced
    from ..discovery.setup import run_config

    settled = run_config(config, (), model=model, budget__usd=usd, budget__tokens=tokens, sandbox=sandbox)
    problem = unready(settled.llm, settled.budget.usd is not None)
    if problem is not None:
        raise ConfigError(problem)
    for line in unpriced(settled):
        note(line)
    return settled


def _formulated(directory: Path, text: str, config: RunConfig, rounds: int, json: bool) -> None:
    """Ends with status 1 where no draft was sound, 130 after Ctrl-C."""
    import asyncio

    from ..agents.formulation import Order, Refused, formulate

    order = Order(text, directory, config.llm, rounds, config.budget.tokens, config.budget.usd, config.backend)
    try:
        done = asyncio.run(formulate(order, note))
    except Refused as refused:
        note(f"{refused} ({_spent(refused.cost)})")
        if json:
            emit_json({"task": None, "problem": str(refused), "cost": _cost(refused.cost)})
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        note("interrupted; the same command goes on, with the replies that are paid for")
        raise typer.Exit(INTERRUPTED) from None
    if json:
        emit_json({"task": done.task, "problems": list(done.problems), "cost": _cost(done.cost)})
        return
    note(f"wrote {directory}: accepted in round {len(done.problems) + 1} of {rounds}; {_spent(done.cost)}")
    note(
        "read formulation.md and problem.py before you believe a score: only you can tell whether they ask for what you"
    )
    note("meant. The model's code runs in jails, the judge too.")
    note(f"  speciate check {directory}")
    note(f"  speciate run {directory} --evaluations 300")


def _spent(cost: Cost) -> str:
    return f"{cost.tokens} tokens, " + ("at a price that is unknown" if cost.usd is None else f"${cost.usd:.4f}")


def _cost(cost: Cost) -> dict[str, Any]:
    return {"tokens": cost.tokens, "usd": cost.usd}
