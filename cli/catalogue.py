"""``speciate tasks``, ``describe`` and ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import (
    DeviceName,
    Json,
    SandboxName,
    Unsafe,
    backend,
    console,
    emit_json,
    note,
    number,
    show_code,
    span,
    table,
)
from .tracing import WithTrace, show_trace

if TYPE_CHECKING:
    from ..evaluators import Calibration, Evaluation, Size, Task, TaskFolder

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="A task of the catalogue, or a task folder.")]
SizeName = Annotated[str, typer.Option("--size", help="smoke, default or gpu.")]


def tasks(
    family: Annotated[str | None, typer.Argument(help="Only this family.")] = None,
    json: Json = False,
) -> None:
    """List the catalogue."""
    from ..evaluators.loader import shipped_tasks

    rows = [_row(task) for task in shipped_tasks(family)]
    if json:
        emit_json(rows)
        return
    table(
        ("task", "family", "objective", "style", "title"),
        [(row["id"], row["family"], row["objective"], row["style"], row["title"]) for row in rows],
    )


def _row(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "family": task.family,
        "kind": task.kind,
        "title": task.title,
        "objective": f"{task.objective.direction.value} {task.objective.name}",
        "style": task.style,
    }


def describe(task: TaskName, size: SizeName = "default", json: Json = False) -> None:
    """Statement, signature, objective, baseline and reference of a task; with --size gpu, of its form for a GPU."""
    from ..evaluators import load_task

    folder = load_task(task).at(sized(size))
    if json:
        emit_json(_description(folder))
        return
    from rich.markdown import Markdown

    out = console()
    definition = folder.task
    out.print(f"[bold]{definition.title}[/] ({definition.paper.title}, {definition.paper.year})\n")
    out.print(Markdown(definition.statement))
    out.print(f"\nobjective: {_row(folder.task)['objective']} ({definition.objective.scale} scale)")
    out.print(f"claim: {definition.claim}\n")
    for name, source in folder.programs.items():
        out.rule(name)
        show_code(source)


def _description(folder: TaskFolder) -> dict[str, Any]:
    task = folder.task
    return {
        **_row(folder.task),
        "paper": {"title": task.paper.title, "year": task.paper.year},
        "statement": task.statement,
        "signature": task.entry.signature,
        "scale": task.objective.scale,
        "descriptors": [
            {"name": axis.name, "low": axis.low, "high": axis.high, "bins": axis.bins, "scale": axis.scale}
            for axis in task.descriptors
        ],
        "imports": task.limits.imports,
        "claim": task.claim,
        "path": folder.path,
        "baseline": folder.baseline,
        "reference": folder.reference,
        "known": dict(folder.known),
    }


def sized(text: str) -> Size:
    """Raises: typer.BadParameter for a size that does not exist."""
    sizes: tuple[Size, ...] = ("smoke", "default", "gpu")
    for size in sizes:
        if size == text:
            return size
    raise typer.BadParameter(f"no size '{text}': choose smoke, default or gpu")


def evaluate(
    task: TaskName,
    file: Annotated[Path, typer.Argument(help="The program to score.")],
    size: SizeName = "default",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the secret instances.")] = 0,
    trace: WithTrace = False,
    sandbox: SandboxName = None,
    unsafe: Unsafe = False,
    device: DeviceName = None,
    json: Json = False,
) -> None:
    """Score one program against baseline and reference; exit status 1 where it has no score."""
    from ..api import score, traced
    from ..archive import Program
    from ..discovery.secrets import run_secret
    from ..evaluators import State, TaskError, check_source, load_task

    asked = sized(size)
    folder = load_task(task).at(asked)
    try:
        program = Program.of(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise TaskError(f"{file} is not UTF-8 text: save it as UTF-8") from None
    problems = check_source(folder.task, program.files)
    if problems:
        raise TaskError(f"{file}: {problems[0]}")
    chosen = backend(sandbox, unsafe, device)
    evaluation, calibration = score(folder, program, asked, seed, chosen)
    seen = traced(folder, program, run_secret(folder.task.id, seed), chosen, evaluation) if trace else None
    if json:
        told = {} if seen is None else {"trace": seen.model_dump(mode="json")}
        emit_json(_evaluated(folder, evaluation, calibration) | told)
    else:
        _show(folder, evaluation, calibration)
        if seen is not None:
            show_trace(seen, program)
    if evaluation.state is not State.VALID:
        raise typer.Exit(1)


def _evaluated(folder: TaskFolder, evaluation: Evaluation, calibration: Calibration) -> dict[str, Any]:
    objective = folder.task.objective
    return {
        "task": folder.task.id,
        "state": evaluation.state.value,
        "score": evaluation.score,
        "interval": evaluation.interval and evaluation.interval.model_dump(),
        "objective": {
            "name": objective.name,
            "value": evaluation.value,
            "direction": objective.direction.value,
            "baseline": calibration.baseline_value,
            "reference": calibration.reference_value,
        },
        "metrics": evaluation.metrics,
        "descriptors": evaluation.descriptors,
        "feedback": evaluation.feedback,
        "cpu_seconds": evaluation.cpu_seconds,
        "tier": evaluation.tier,
        **_roofline(evaluation, calibration),
    }


def _roofline(evaluation: Evaluation, calibration: Calibration) -> dict[str, Any]:
    """Fractions of the hardware's limit, where the task says what its instances ask of it."""
    if evaluation.roofline is None:
        return {}
    others = {"baseline": calibration.baseline_roofline, "reference": calibration.reference_roofline}
    return {"roofline": {"fraction": evaluation.roofline, **others}}


def _show(folder: TaskFolder, evaluation: Evaluation, calibration: Calibration) -> None:
    objective = folder.task.objective
    table(
        ("program", "score", "95 % interval", f"{objective.name} ({objective.direction.value})"),
        [
            ("baseline", "0", "", number(calibration.baseline_value)),
            (
                f"this program: {evaluation.state.value}",
                number(evaluation.score),
                span(evaluation.interval),
                number(evaluation.value),
            ),
            (calibration.top, "1", "", number(calibration.reference_value)),
        ],
        title=folder.task.id,
    )
    if evaluation.feedback:
        note(evaluation.feedback)
    if evaluation.caveat:
        note(f"scored {evaluation.caveat}")
    if evaluation.nearness:
        note(calibration.nearness(evaluation))
