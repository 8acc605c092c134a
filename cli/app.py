"""The commands, gathered from the modules that define them."""

from __future__ import annotations

from typing import Annotated

import typer

from . import browsing, catalogue, machine, making, running, simplifying

app = typer.Typer(
    name="speciate",
    help="Discovers algorithms, with scores that can be believed.",
    no_args_is_help=True,
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
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Discovers algorithms, with scores that can be believed."""


app.command("tasks")(catalogue.tasks)
app.command("describe")(catalogue.describe)
app.command("check")(catalogue.check)
app.command("evaluate")(catalogue.evaluate)
app.command("run")(running.run)
app.command("resume")(running.resume)
app.command("runs")(browsing.runs)
app.command("show")(browsing.show)
app.command("simplify")(simplifying.simplify)
app.command("verify")(browsing.verify)
app.command("export")(making.export)
app.command("new")(making.new)
app.command("doctor")(machine.doctor)
app.command("bench")(machine.bench)
