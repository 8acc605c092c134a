"""``speciate doctor`` and ``speciate bench``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from .hardware import bench_hardware, known_ceilings, machine_document, show_ceilings, show_machine
from .output import Json, SandboxName, backend, emit_json, note, table


def doctor(
    image: Annotated[
        bool, typer.Option("--build-image", help="Make the image for --sandbox docker, offline of this Python.")
    ] = False,
    modules: Annotated[
        list[str] | None, typer.Option("--with", metavar="MODULE", help="One more module in the image; repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """How well this machine can contain candidates, what to install, what its hardware can do; status 1 without a jail.

    The hardware is measured once, which takes about ten seconds; 'bench --hardware' measures again.
    """
    from ..evaluators.hardware import this_machine
    from ..sandbox import probe_tier

    if modules and not image:
        raise typer.BadParameter("it says what to put into the image: give --build-image too", param_hint="--with")
    if image:
        from ..sandbox.docker.image import build_image

        note(f"image made: {build_image(modules or (), note)}")
    report, machine, ceilings = probe_tier(), this_machine(), known_ceilings()
    if json:
        emit_json(
            {
                "tier": report.tier,
                "layers": report.layers,
                "advice": report.advice,
                "hardware": machine_document(machine),
                "ceilings": ceilings and ceilings.model_dump(mode="json", exclude={"machine"}),
                "python": sys.version.split()[0],
            }
        )
    else:
        table(("layer", "here"), list(report.layers.items()), title=f"isolation tier: {report.tier}")
        for line in report.advice:
            note(line)
        show_machine(machine)
        if ceilings is not None:
            show_ceilings(ceilings)
    if not report.contained:
        raise typer.Exit(1)


def bench(
    hardware: Annotated[
        bool, typer.Option("--hardware", help="Measure what the hardware can do instead, and keep it for later runs.")
    ] = False,
    candidates: Annotated[int, typer.Option(min=10, help="Candidates for each of the isolation measurements.")] = 200,
    engine: Annotated[
        list[int] | None, typer.Option(min=1, help="Candidates for the engine measurement; repeatable.")
    ] = None,
    sandbox: SandboxName = None,
    json: Json = False,
) -> None:
    """CPU per candidate of the whole process tree: no isolation, bare fork, the jail's layers, the whole engine.

    With --hardware: how fast this machine moves data and calculates at best.
    """
    if hardware:
        bench_hardware(json)
        return
    from ..benchmarks import measure

    rows = measure(candidates, tuple(engine or (100, 1000, 5000)), note, backend(sandbox))
    if json:
        emit_json(rows)
        return
    table(
        ("what", "candidates", "CPU ms per candidate", "times a bare fork", "tree memory MB"),
        [
            (
                row["what"],
                row["candidates"],
                f"{row['cpu_ms']:.2f}",
                f"{row['ratio']:.2f}",
                f"{row['memory_mb']:.0f}" if row["memory_mb"] else "",
            )
            for row in rows
        ],
    )
