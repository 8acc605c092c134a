"""``speciate redteam``: ways of cheating, tried on this machine."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from .output import DeviceName, Json, SandboxName, backend, emit_json, note, table

if TYPE_CHECKING:
    from ..evaluators.redteam import Finding
    from ..sandbox import Backend

HELD = {True: "yes", False: "NO", None: "not tried"}


def redteam(
    task: Annotated[
        str | None, typer.Argument(metavar="[TASK]", help="A task to attack; the suite's own tasks by default.")
    ] = None,
    only: Annotated[str | None, typer.Option("--only", help="Only the exploit with this id, such as R28.")] = None,
    sandbox: SandboxName = None,
    device: DeviceName = None,
    json: Json = False,
) -> None:
    """Try known ways of cheating against this machine's sandbox and judges; exit status 1 where one is not held."""
    findings = _findings(task, only, backend(sandbox, device=device))
    if json:
        emit_json([finding.model_dump(mode="json") for finding in findings])
    else:
        table(
            ("id", "exploit", "expected", "got", "held"),
            [(one.id, one.name, one.expected, one.got, HELD[one.held]) for one in findings],
        )
        tried = [one for one in findings if one.held is not None]
        note(f"{sum(bool(one.held) for one in tried)} of {len(tried)} held; {len(findings) - len(tried)} not tried")
    if any(one.held is False for one in findings):
        raise typer.Exit(1)


def _findings(task: str | None, only: str | None, chosen: Backend) -> list[Finding]:
    from ..evaluators import load_task
    from ..evaluators.redteam import GENERIC, all_exploits, attack_suite, attack_task
    from ..sandbox import SandboxSpec, open_sandbox

    ids = list(GENERIC) if task else [exploit.id for exploit in all_exploits()]
    if only is not None and only not in ids:
        raise typer.BadParameter(f"no exploit '{only}': choose from {', '.join(ids)}", param_hint="--only")
    folder = load_task(task) if task else None
    spec = folder.spec(chosen) if folder else SandboxSpec(backend=chosen)
    with contextlib.closing(open_sandbox(spec)) as sandbox:
        found = attack_task(folder, sandbox, only) if folder else attack_suite(sandbox, only)
        return [_told(finding) for finding in found]


def _told(finding: Finding) -> Finding:
    note(f"{finding.id} {finding.name}: {HELD[finding.held]}")
    return finding
