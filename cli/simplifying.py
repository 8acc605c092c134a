"""``speciate simplify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Json, emit_json, note, number, show_code, span, table

if TYPE_CHECKING:
    from ..discovery.afterwards import Simplified


def simplify(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a run that is not at work.")],
    program: Annotated[
        str | None, typer.Argument(metavar="[HASH]", help="A program's id or its beginning; the best by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Remove from a program what its score does not need, and certify what is left."""
    from ..discovery.afterwards import simplify_in

    done = simplify_in(directory, program, note)
    if json:
        emit_json(document(done))
    else:
        _show(done)


def document(done: Simplified) -> dict[str, Any]:
    """The JSON of simplify; ``program`` is null where nothing could be removed."""
    from ..archive import certifies

    result, certificate = done.result, done.certificate
    return {
        "run": done.run,
        "original": done.original.id,
        "program": result and result.program.id,
        "source": result and result.program.source,
        "size": {"before": done.original.size, "after": result.program.size if result else done.original.size},
        "score": {"before": done.before.score, "after": result.evaluation.score if result else done.before.score},
        "evaluations": result.evaluations if result else None,
        "certified": certificate is not None and certifies(certificate),
        "certificate": certificate
        and {"score": certificate.score, "interval": certificate.interval and certificate.interval.model_dump()},
    }


def _show(done: Simplified) -> None:
    result = done.result
    if result is None:
        note(f"nothing can be removed from {done.original.id[:12]} without losing score")
        return
    show_code(result.program.source)
    rows: list[tuple[object, ...]] = [
        (name, program.id[:12], program.size, number(scored.score), span(scored.interval))
        for name, program, scored in (
            ("original", done.original, done.before),
            ("simplified", result.program, result.evaluation),
        )
    ]
    if done.certificate:
        rows.append(("  on fresh instances", "", "", number(done.certificate.score), span(done.certificate.interval)))
    table(("program", "id", "nodes", "score", "95 % interval"), rows)
    note(f"{result.evaluations} evaluations")
