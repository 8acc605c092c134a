"""``speciate run`` and ``speciate resume``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .importing import ProblemSize, Together, prepared
from .options import (
    Address,
    ConfigSource,
    Evaluations,
    ExecutorName,
    Islands,
    JournalUrl,
    Models,
    Money,
    Out,
    Overrides,
    ProposerName,
    Replay,
    Seed,
    Start,
    TaskOrFiles,
    TimeLimit,
    Tokens,
    Workers,
    limits,
)
from .output import Json, SandboxName, Unsafe, emit_json, note, number, span, table

if TYPE_CHECKING:
    from ..discovery.opened import Outcome

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def run(
    task: TaskOrFiles,
    evaluations: Evaluations = None,
    time_limit: TimeLimit = None,
    usd: Money = None,
    tokens: Tokens = None,
    proposer: ProposerName = None,
    model: Models = None,
    islands: Islands = None,
    workers: Workers = None,
    executor: ExecutorName = None,
    address: Address = None,
    seed: Seed = None,
    config: ConfigSource = None,
    settings: Overrides = None,
    begin_with: Start = None,
    out: Out = None,
    journal: JournalUrl = None,
    replay: Replay = None,
    together: Together = False,
    n: ProblemSize = None,
    sandbox: SandboxName = None,
    unsafe: Unsafe = False,
    json: Json = False,
) -> None:
    """Search for a better program; live progress, certified at the end."""
    from ..discovery.run import default_directory, start
    from ..discovery.setup import run_config
    from .progress import Progress

    budget = limits(evaluations, time_limit, usd, tokens)
    settled = run_config(
        config,
        settings or (),
        **{f"budget__{name}": limit for name, limit in budget.items()},
        proposer=proposer,
        model=model,
        replay=replay,
        islands__count=islands,
        workers=workers,
        executor=executor,
        address=address,
        seed=seed,
        sandbox=sandbox,
        unsafe=unsafe or None,
    )
    directory = out or default_directory(Path(task[0]).stem)
    place = prepared(task, directory, together, n)
    if "inbox" in settled.proposer.split("+") and not json:
        note(f"questions will lie in {directory}/inbox, one a folder; 'expected.md' there says how to answer")
    with interruptible(), Progress(quiet=json) as progress:
        result = start(
            place,
            settled,
            directory,
            observers=(progress,),
            stage=progress.stage,
            journal_url=journal,
            begin_with=begin_with or (),
        )
    finish(result, json)


def resume(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The run's folder.")],
    evaluations: Evaluations = None,
    time_limit: TimeLimit = None,
    usd: Money = None,
    tokens: Tokens = None,
    json: Json = False,
) -> None:
    """Go on with a run exactly where it stopped, also after a kill; or beyond its end, within other limits.

    Limits count from the run's beginning: a run of 300 evaluations goes on with --evaluations 500.
    """
    from ..discovery.run import resume as resume_run
    from .progress import Progress

    with interruptible(), Progress(quiet=json) as progress:
        granted = limits(evaluations, time_limit, usd, tokens)
        result = resume_run(directory, observers=(progress,), stage=progress.stage, limits=granted)
    finish(result, json)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Where Ctrl-C comes before there is an outcome to show."""
    try:
        yield
    except KeyboardInterrupt:
        note("interrupted before the search went on; nothing was lost")
        raise typer.Exit(INTERRUPTED) from None


def document(result: Outcome) -> dict[str, Any]:
    """The JSON of run, resume and join."""
    certificate = result.certificate
    best = None
    if result.best and result.evaluation:
        best = {
            "program": result.best,
            "score": result.score,
            "interval": result.evaluation.interval and result.evaluation.interval.model_dump(),
            "certified": result.certified,
            "tier": result.evaluation.tier,
            "certificate": certificate
            and {
                "state": certificate.state.value,
                "score": certificate.score,
                "interval": certificate.interval and certificate.interval.model_dump(),
                "gap": result.gap,
            },
        }
    return {
        "run": result.run,
        "task": result.task,
        "evaluations": result.evaluations,
        "valid": result.valid,
        "best": best,
        "seconds": result.seconds,
        "cost": {"tokens": result.tokens, "usd": result.usd, "unpriced_tokens": result.unpriced_tokens},
        "stopped_by": result.stopped_by,
        "at_work": result.at_work,
    }


def finish(result: Outcome, json: bool) -> None:
    """Print the outcome and end with status 0, or 130 after Ctrl-C."""
    if json:
        emit_json(document(result))
    else:
        _show(result)
    if result.at_work:
        others = ", ".join(map(str, result.at_work))
        note(f"conductor {others} of this run goes on, and the last one certifies; 'speciate resume {result.run}'")
        note("  takes the place of one that was killed")
    if result.stopped_by == "interrupted":
        note(f"interrupted; go on with: speciate resume {result.run}")
        raise typer.Exit(INTERRUPTED)


def _show(result: Outcome) -> None:
    rows = [("baseline", "0", "", number(result.baseline_value), "")]
    if result.evaluation and result.best:
        found = result.evaluation
        name = "best found" if found.state == "valid" else f"best found ({found.state})"
        rows.append((name, number(found.score), span(found.interval), number(found.value), result.best[:12]))
    if result.certificate:
        fresh = result.certificate
        name = "  on fresh instances" if result.certified else "  fresh, not certified"
        certain = f"{span(fresh.interval)} at {100 * fresh.interval.confidence:.4g} %" if fresh.interval else ""
        rows.append((name, number(fresh.score), certain, number(fresh.value), ""))
    if result.gap is not None:
        rows.append(("  gap", number(result.gap), "", "", ""))
    rows.append((result.top, "1", "", number(result.reference_value), ""))
    table(("program", "score", "95 % interval", result.objective, "id"), rows, title=f"{result.task}")
    if result.evaluation and result.evaluation.caveat:
        note(f"{'certified' if result.certified else 'scored'} {result.evaluation.caveat}")
    note(
        f"{result.evaluations} evaluations ({result.valid} valid) in {result.seconds:.0f} s; "
        f"stopped by {result.stopped_by}"
    )
    if result.tokens:
        note(f"{result.tokens} tokens, ${result.usd:.4f}{unpriced(result)}")
    note("next:")
    note(f"  speciate show {result.run}              # the elites")
    if result.best:
        note(f"  speciate show {result.run} {result.best[:12]} # the best program, its lineage and diff")
    if result.certified:
        note(f"  speciate export {result.run} -o mylib   # an installable library")


def unpriced(result: Outcome) -> str:
    """What is to be said where money was spent that nobody can count."""
    if not result.unpriced_tokens:
        return ""
    return f" and the price, which is unknown, of {result.unpriced_tokens} of them"
