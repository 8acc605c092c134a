"""``speciate check``."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .catalogue import SizeName, sized
from .output import DeviceName, Json, SandboxName, Unsafe, backend, emit_json, note, number, table

if TYPE_CHECKING:
    from ..evaluators import CheckResult, Size, TaskFolder
    from ..sandbox import Backend


def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[TASK]...", help="Tasks to check.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Check every task of the catalogue.")] = False,
    size: SizeName = "default",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the fresh instances.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Keep the results here, and do not check again what passed as it is."),
    ] = None,
    sandbox: SandboxName = None,
    unsafe: Unsafe = False,
    device: DeviceName = None,
    json: Json = False,
) -> None:
    """Lint tasks and measure the reference against the baseline on fresh instances."""
    from ..evaluators import TaskError, catalogue, load_task

    chosen_backend = backend(sandbox, unsafe, device)
    chosen = sorted(catalogue()) if everything else list(names or ())
    if not chosen:
        raise TaskError("name the tasks to check, or give --all")
    asked, kept = sized(size), _kept(out)
    results = []
    for number_of, name in enumerate(chosen, 1):
        folder = load_task(name).at(asked)
        result = kept.get((folder.digest, asked, seed))
        if result is None:
            note(f"checking {folder.task.id} ({number_of} of {len(chosen)}) ...")
            result = _checked(folder, asked, seed, chosen_backend)
            _keep(out, result)
        results.append(result)
    if json:
        emit_json([result.model_dump(mode="json") for result in results])
    else:
        _show(results)
    if not all(result.ok for result in results):
        raise typer.Exit(1)


def _checked(folder: TaskFolder, size: Size, seed: int, chosen: Backend) -> CheckResult:
    from ..evaluators import check_task
    from ..sandbox import open_sandbox

    with contextlib.closing(open_sandbox(folder.spec(chosen))) as opened:
        return check_task(folder, opened, size, seed)


def _kept(out: Path | None) -> dict[tuple[str, str, int], CheckResult]:
    """What passed before, by the task's files, size and seed. Raises: TaskError for a file that holds other things."""
    from pydantic import ValidationError

    from ..evaluators import CheckResult, TaskError

    if out is None or not out.exists():
        return {}
    try:
        results = [CheckResult.model_validate_json(line) for line in out.read_text(encoding="utf-8").splitlines()]
    except (ValidationError, UnicodeDecodeError):
        raise TaskError(f"{out} does not hold results of 'speciate check': give another -o") from None
    return {(result.digest, result.size, result.seed): result for result in results if result.ok}


def _keep(out: Path | None, result: CheckResult) -> None:
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write(result.model_dump_json() + "\n")


def _show(results: list[CheckResult]) -> None:
    columns = ("task", "ok", "baseline", "reference", "margin", "seconds", "reason")
    table(
        columns,
        [
            (
                r.task,
                "yes" if r.ok else "NO",
                number(r.baseline),
                number(r.reference),
                r.margin_text,
                f"{r.seconds:.1f}",
                r.reason,
            )
            for r in results
        ],
    )
