"""``speciate runs``, ``show`` and ``verify``: they read journals and nothing else."""

from __future__ import annotations

import contextlib
import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .failing import show_failures
from .output import Json, console, emit_json, note, number, show_code, span, table
from .tracing import WithTrace, show_trace, trace_of

if TYPE_CHECKING:
    from ..archive import RunState
    from ..evaluators import Evaluation, Trace

RunDirectory = Annotated[Path, typer.Argument(metavar="DIR", help="The run's folder.")]


def runs(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the runs are.")] = Path("runs"),
    json: Json = False,
) -> None:
    """List the runs below a folder."""
    from ..archive import is_run

    found = [path for path in (directory, *sorted(directory.glob("*"))) if is_run(path)]
    rows = [row for path in found if (row := _summary(path)) is not None]
    if json:
        emit_json(rows)
        return
    if not rows:
        note(f"no runs in {directory}; begin one with: speciate run TASK")
    table(
        ("run", "task", "evaluations", "best", "tier", "certified", "ended"),
        [
            (
                row["run"],
                row["task"],
                row["evaluations"],
                number(row["score"]),
                row["tier"] or "",
                "yes" if row["certified"] else "",
                row["stopped_by"],
            )
            for row in rows
        ],
    )
    for tier, caveat in {(row["tier"], row["caveat"]) for row in rows if row["caveat"]}:
        note(f"tier {tier}: scored {caveat}")


def _summary(path: Path) -> dict[str, Any] | None:
    """None, and a note, for a run that cannot be read: it must not hide the others."""
    from ..api import load_run
    from ..archive import JournalError

    try:
        state = load_run(path)
    except JournalError as error:
        note(str(error))
        return None
    best = state.best
    return {
        "run": path,
        "task": state.started and state.started.task,
        "seed": state.started and state.started.seed,
        "evaluations": state.evaluations,
        "valid": state.valid,
        "score": best[1].score if best else None,
        "tier": best[1].tier if best else None,
        "caveat": best[1].caveat if best else "",
        "certified": state.certified_best is not None,
        "stopped_by": state.stopped or "not ended",
    }


def show(
    directory: RunDirectory,
    program: Annotated[str | None, typer.Argument(metavar="[HASH]", help="A program's id or its beginning.")] = None,
    trace: WithTrace = False,
    failures: Annotated[
        bool, typer.Option("--failures", help="What went wrong instead: replies, proposals, programs.")
    ] = False,
    json: Json = False,
) -> None:
    """The elites of a run and what went wrong in it, or one program with its lineage, diff and evaluation."""
    from ..api import load_run

    if failures and (program is not None or trace):
        raise typer.BadParameter("--failures is about the whole run: leave out HASH and --trace")
    if failures:
        show_failures(directory, json)
        return
    state = load_run(directory)
    if trace and program is None:
        raise typer.BadParameter("--trace needs a HASH: 'speciate show DIR' lists the elites")
    if program is None:
        _show_elites(state, json)
        if not json:
            show_failures(directory, json)
    else:
        found = state.find(program)
        _show_program(state, found, json, trace_of(state, found) if trace else None)


def _show_elites(state: RunState, json: bool) -> None:
    seen: dict[str, list[int]] = {}
    for number_, island in enumerate(state.archipelago.islands):
        for program in island.elites():
            seen.setdefault(program, []).append(number_)
    if state.certified_best is not None:  # another one may have taken its cell
        seen.setdefault(state.certified_best[0], [])
    ranked = sorted(seen, key=lambda name: -(state.evaluation_of(name).score or 0.0))
    rows = [_elite(state, program, seen[program]) for program in ranked]
    if json:
        emit_json(rows)
        return
    table(
        ("program", "score", "95 % interval", "gap", "islands", "operator", "descriptors"),
        [
            (
                row["program"][:12],
                number(row["score"]),
                span(state.evaluation_of(row["program"]).interval),
                number(row["gap"]),
                ",".join(map(str, row["islands"])) or "-",
                row["operator"],
                "  ".join(f"{name}={number(value)}" for name, value in row["descriptors"].items()),
            )
            for row in rows
        ],
    )
    _caveat(state)


def _caveat(state: RunState) -> None:
    best = state.best
    if best is not None and best[1].caveat:
        note(f"scores are {best[1].caveat}")


def _elite(state: RunState, program: str, islands: list[int]) -> dict[str, Any]:
    from ..archive import certifies

    evaluation = state.evaluation_of(program)
    proposed = state.proposals[program]
    return {
        "program": program,
        "score": evaluation.score,
        "interval": evaluation.interval and evaluation.interval.model_dump(),
        "islands": islands,
        "operator": f"{proposed.operator} {proposed.detail}".strip(),
        "parents": proposed.parents,
        "descriptors": evaluation.descriptors,
        "certified": program in state.certificates and certifies(state.certificates[program]),
        "gap": state.gap(program),
    }


def _show_program(state: RunState, program: str, json: bool, trace: Trace | None) -> None:
    proposed = state.proposals[program]
    evaluation = state.evaluation_or_none(program)
    lineage = state.lineage(program)
    diff = _diff(state, proposed.parents[0], program) if proposed.parents else ""
    certificate = state.certificates.get(program)
    if json:
        emit_json(
            {
                "program": program,
                "source": state.program(program).source,
                "operator": proposed.operator,
                "detail": proposed.detail,
                "proposer": proposed.proposer,
                "rationale": proposed.rationale,
                "parents": proposed.parents,
                "lineage": lineage,
                "diff": diff,
                "evaluation": evaluation and evaluation.model_dump(mode="json"),
                "certificate": certificate and certificate.model_dump(mode="json"),
                "gap": state.gap(program) if certificate else None,
            }
            | ({} if trace is None else {"trace": trace.model_dump(mode="json")})
        )
        return
    show_code(state.program(program).source)
    table(
        ("step", "operator", "score", "95 % interval"),
        [
            (
                name[:12],
                f"{state.proposals[name].operator} {state.proposals[name].detail}".strip(),
                *_scored(state, name),
            )
            for name in reversed(lineage)
        ],
        title="lineage, from the baseline",
    )
    if diff:
        console().rule("diff to its parent")
        show_code(diff, "diff")
    if evaluation is not None:
        note(f"{evaluation.state.value}: {evaluation.feedback or 'no remarks'}")
        note(f"tier: {evaluation.tier}{' - ' if evaluation.caveat else ''}{evaluation.caveat}")
        if evaluation.nearness:
            note(state.calibration.nearness(evaluation) if state.calibration else evaluation.nearness)
    if certificate is not None:
        note(f"certificate: {certificate.state.value}, score {number(certificate.score)} {_certain(certificate)}")
        note(f"gap (search - certificate): {number(state.gap(program))}")
    if trace is not None:
        show_trace(trace, state.program(program))


def _certain(certificate: Evaluation) -> str:
    """The certificate's interval with its confidence, which is above 95 % (see discovery/certification.py)."""
    interval = certificate.interval
    return "" if interval is None else f"{span(interval)} at {100 * interval.confidence:.4g} %"


def _scored(state: RunState, program: str) -> tuple[str, str]:
    evaluation = state.evaluation_or_none(program)
    return ("-", "") if evaluation is None else (number(evaluation.score), span(evaluation.interval))


def _diff(state: RunState, parent: str, program: str) -> str:
    before, after = state.program(parent).source, state.program(program).source
    return "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True), "parent", "program"))


def verify(directory: RunDirectory, json: Json = False) -> None:
    """Check a journal: nothing missing, nothing changed, the replay equals what the run saw."""
    from ..archive import Journal
    from ..archive import verify as verify_journal

    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        report = verify_journal(journal)
    if json:
        emit_json(
            {"ok": report.ok, "events": report.events, "evaluations": report.evaluations, "problems": report.problems}
        )
    else:
        for problem in report.problems:
            note(problem)
        note(f"{'ok' if report.ok else 'NOT ok'}: {report.events} events, {report.evaluations} evaluations")
    if not report.ok:
        raise typer.Exit(1)
