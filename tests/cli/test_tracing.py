"""``--trace`` shows a person what a program's lines did."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speciate.discovery import load_config
from speciate.discovery.run import start

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"


def test_evaluate_shows_the_lines_that_matter_and_their_values(command: Callable[..., Any], tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("def solve(x):\n    aside = x.sum()\n    y = 2 * x\n    return y\n")
    said = command("evaluate", LINEAR, program, "--trace")
    assert said.status == 0, said.err
    assert "y = 2 * x" in said.out
    assert "aside" not in said.out
    assert "x = array float64[8] norm" in said.out
    assert "traced on the smoke instance vector0: valid" in said.err


def test_evaluate_shows_where_a_program_fails(command: Callable[..., Any], tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("def solve(x):\n    y = 2 * x\n    return y[99]\n")
    said = command("evaluate", LINEAR, program, "--trace")
    assert said.status == 1
    assert "IndexError" in said.err
    assert "y = array float64[8]" in said.err


def test_show_traces_a_program_of_a_run(command: Callable[..., Any], tmp_path: Path) -> None:
    run = tmp_path / "run"
    start(str(LINEAR), load_config(None, budget__evaluations=5, workers=1, certify=False), run)
    shown = command("show", run)
    assert shown.status == 0
    program = shown.out.splitlines()[1].split()[0]
    said = command("show", run, program, "--trace")
    assert said.status == 0, said.err
    assert "what led to the output" in said.out
    without = command("show", run, "--trace")
    assert without.status == 2
    assert "--trace needs a HASH" in without.err


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from speciate.cli.app import app; print([m for m in ('numpy', 'pydantic') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
