"""The commands, gathered from the modules that define them."""

from __future__ import annotations

from typing import Annotated

import typer

from . import (
    browsing,
    catalogue,
    checking,
    comparing,
    importing,
    joining,
    machine,
    making,
    redteam,
    reporting,
    running,
    simplifying,
    terminal,
)

app = typer.Typer(
    name="speciate",
    help="Discovers algorithms, with scores that can be believed.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(show: bool) -> None:
    if show:
        from .. import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Discovers algorithms, with scores that can be believed."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("tasks")(catalogue.tasks)
app.command("describe")(catalogue.describe)
app.command("check")(checking.check)
app.command("evaluate")(catalogue.evaluate)
app.command("run")(running.run)
app.command("resume")(running.resume)
app.command("join")(joining.join)
app.command("compare")(comparing.compare)
app.command("runs")(browsing.runs)
app.command("show")(browsing.show)
app.command("tui")(terminal.tui)
app.command("simplify")(simplifying.simplify)
app.command("verify")(browsing.verify)
app.command("report")(reporting.report)
app.command("plot")(reporting.plot)
app.command("export")(making.export)
app.command("new")(making.new)
app.command("import")(importing.import_)
app.command("doctor")(machine.doctor)
app.command("bench")(machine.bench)
app.command("redteam")(redteam.redteam)
