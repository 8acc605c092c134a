"""``speciate compare``: search methods under one budget."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Json, SandboxName, Unsafe, emit_json, note, span, table

if TYPE_CHECKING:
    from ..discovery.comparison import Estimate, Row, Trial


def compare(
    task: Annotated[str, typer.Argument(help="A task of the catalogue, or a task folder.")],
    methods: Annotated[
        str, typer.Option(help="Names with commas between; the others are compared with the first.")
    ] = "evolution,random,hill_climbing",
    evaluations: Annotated[int, typer.Option(min=1, help="Evaluations per run.")] = 100,
    seeds: Annotated[int, typer.Option(min=1, help="Runs per method, with the same seeds for each.")] = 3,
    workers: Annotated[int | None, typer.Option(min=1, help="Evaluations at once.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The first seed.")] = None,
    config: Annotated[str | None, typer.Option(help="A preset's name or a YAML file, the base of all methods.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Set one configuration key: a.b=c.")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder of the runs.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the best score so far into this file, e.g. an SVG.")] = None,
    sandbox: SandboxName = None,
    unsafe: Unsafe = False,
    json: Json = False,
) -> None:
    """Compare search methods: same task, budget and seeds. Finished runs are kept, so that it can be interrupted."""
    from ..discovery.comparison import Interrupted, rows
    from ..discovery.comparison import compare as run_all
    from ..discovery.config import ConfigError, load_config
    from ..discovery.methods import configured
    from .curves import FORMATS, draw
    from .progress import Progress

    if plot is not None and plot.suffix not in FORMATS:
        raise ConfigError(f"--plot {plot}: the file must end in one of {', '.join(FORMATS)}")
    base = load_config(
        config,
        settings or (),
        budget__evaluations=evaluations,
        workers=workers,
        seed=seed,
        sandbox=sandbox,
        unsafe=unsafe or None,
    )
    configs = {name: configured(name, base) for name in map(str.strip, methods.split(","))}
    directory = out or Path("runs") / f"compare-{Path(task).name}-{evaluations}"
    try:
        with Progress(quiet=json) as progress:
            chosen = range(base.seed, base.seed + seeds)
            trials = run_all(task, configs, chosen, directory, observers=(progress,), stage=progress.stage)
    except Interrupted:
        note("interrupted; the same command goes on")
        raise typer.Exit(130) from None
    found = rows(trials, evaluations)
    if plot is not None:
        draw(trials, plot, title=Path(task).name)
    if json:
        emit_json({"task": task, "evaluations": evaluations, "seeds": seeds, "methods": _document(found, trials)})
    else:
        _show(found, task, evaluations)
        note(f"runs: {directory}")


def _document(found: list[Row], trials: list[Trial]) -> list[dict[str, Any]]:
    runs = {row.method: [asdict(one) for one in trials if one.method == row.method] for row in found}
    return [_plain(asdict(row)) | {"runs": _plain(runs[row.method])} for row in found]


def _plain(value: Any) -> Any:
    """Intervals, which are no dataclasses, as mappings."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.model_dump() if hasattr(value, "model_dump") else value


def _show(found: list[Row], task: str, evaluations: int) -> None:
    counts = list(found[0].at)
    columns = (
        "method",
        "best score",
        f"minus {found[0].method}",
        "certified",
        "fresh score",
        *(f"at {count}" for count in counts),
    )
    table(
        columns,
        [
            (
                row.method,
                _text(row.best),
                _text(row.difference) if row.difference else "",
                f"{row.certified}/{row.seeds}",
                f"{row.fresh.mean:.3f}",
                *(f"{row.at[count].mean:.3f}" for count in counts),
            )
            for row in found
        ],
        title=f"{Path(task).name}: {evaluations} evaluations, {found[0].seeds} seeds; 95 % bootstrap intervals",
    )


def _text(estimate: Estimate) -> str:
    return f"{estimate.mean:.3f} {span(estimate.interval)}".strip()
