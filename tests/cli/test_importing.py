"""Other systems' tasks run as they are: from their files to a certificate, with what is said of their trust."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PEERS = Path(__file__).parent.parent / "peer_tasks"
OPENEVOLVE = (PEERS / "openevolve" / "initial_program.py", PEERS / "openevolve" / "evaluator.py")
SHINKA = (PEERS / "shinka" / "initial.py", PEERS / "shinka" / "evaluate.py")
ALGOTUNE = (PEERS / "algotune" / "pairwise_sums.py",)
KERNELBENCH = (PEERS / "kernelbench" / "gated_rows.py",)
SHORT = ("--seed", 1, "--workers", 2)

Command = Callable[..., Any]


def baseline(task: Path) -> str:
    return (task / "baseline.py").read_text()


def scored(command: Command, task: Path, source: str) -> dict[str, Any]:
    file = task / "tried.txt"
    file.write_text(source)
    return json.loads(command("evaluate", task, file, "--json").out)


@pytest.mark.slow
def test_an_openevolve_evaluator_runs_together_with_the_program_and_that_is_said(
    tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    done = command("run", *OPENEVOLVE, "--evaluations", 12, "--out", run, *SHORT)
    assert done.status == 0, done.err
    assert "in one process with their evaluator" in done.err
    assert "as trusted as its evaluator" in done.err
    assert "combined_score higher by 1" in done.out
    assert "reference" not in done.out
    best = json.loads(command("show", run, "--json").out)[0]["program"]
    shown = json.loads(command("show", run, best, "--json").out)
    assert shown["evaluation"]["tier"] == "shared"
    assert shown["certificate"]["tier"] == "shared"
    assert "as trusted as its evaluator" in command("show", run, best).err
    assert "as trusted as its evaluator" in command("runs", run).err
    assert json.loads(command("runs", run, "--json").out)[0]["tier"] == "shared"
    assert command("verify", run).status == 0
    assert command("report", run, "-o", tmp_path / "run.html").status == 0
    assert "as trusted as its evaluator" in (tmp_path / "run.html").read_text()
    assert json.loads(command("resume", run, "--json").out)["evaluations"] == 12


@pytest.mark.slow
def test_a_run_of_files_keeps_their_task_in_its_folder(tmp_path: Path, command: Command) -> None:
    copied = tmp_path / "theirs"
    shutil.copytree(PEERS / "shinka", copied)
    run = tmp_path / "run"
    done = command("run", copied / "initial.py", copied / "evaluate.py", "--evaluations", 8, "--out", run, *SHORT)
    assert done.status == 0, done.err
    assert "apart from what judges them" in done.err
    shutil.rmtree(copied)
    assert json.loads(command("resume", run, "--json").out)["evaluations"] == 8
    best = json.loads(command("show", run, "--json").out)[0]["program"]
    assert json.loads(command("show", run, best, "--json").out)["evaluation"]["tier"] in ("full", "namespaces")


def test_a_shinka_experiment_is_called_apart_from_its_evaluator(tmp_path: Path, command: Command) -> None:
    task = tmp_path / "place"
    assert command("import", *SHINKA, task).status == 0
    same = scored(command, task, baseline(task))
    assert same["state"] == "valid"
    assert same["score"] == pytest.approx(0.0)
    better = scored(command, task, baseline(task).replace("0.5 + 0.5 * (points - 0.5)", "points"))
    assert better["score"] > 0.01
    assert "the worst of 3 runs" in better["feedback"]
    lying = scored(command, task, baseline(task).replace("float(gaps.min())", "1.0"))
    assert lying["state"] == "invalid"
    assert "claimed" in lying["feedback"]
    peek = "    import sys as s\n    assert not [m for m in s.modules if 'shinka' in m or 'evaluation' in m]\n"
    allowed = (task / "task.py").read_text().replace("imports=('numpy',)),", "imports=('numpy', 'sys')),")
    (task / "task.py").write_text(allowed)
    looking = scored(command, task, baseline(task).replace("    points = place", f"{peek}    points = place"))
    assert looking["state"] == "valid", "nothing of the evaluator is in the program's process"


def test_an_algotune_solver_is_timed_and_judged_apart(tmp_path: Path, command: Command) -> None:
    task = tmp_path / "sums"
    said = command("import", *ALGOTUNE, task, "--n", 2000)
    assert said.status == 0
    assert "apart from what judges them" in said.err
    fast = (
        "import numpy as np\n\ndef solve(problem):\n    ordered = np.sort(problem['numbers'])\n"
        "    return int(np.searchsorted(ordered, problem['bound'] - ordered, side='left').sum())\n"
    )
    faster = scored(command, task, fast)
    assert faster["state"] == "valid"
    assert faster["score"] > 0.5, "score 1 is twice as fast"
    wrong = scored(command, task, "def solve(problem):\n    return 3\n")
    assert wrong["state"] == "invalid"
    assert "the count is wrong" in wrong["feedback"]


@pytest.mark.slow
def test_a_kernelbench_model_is_timed_and_compared_apart(tmp_path: Path, command: Command) -> None:
    task = tmp_path / "rows"
    assert command("import", *KERNELBENCH, task).status == 0
    loop = baseline(task)
    head, tail = loop.split("        rows = []\n")[0], loop.split("mean(dim=0)\n")[1]
    whole = f"{head}        return (self.linear(x) * torch.sigmoid(self.gate(x))).mean(dim=0)\n{tail}"
    faster = scored(command, task, whole)
    assert faster["state"] == "valid"
    assert faster["score"] > 0.3
    wrong = scored(command, task, whole.replace("mean(dim=0)", "mean(dim=0) + 0.01"))
    assert wrong["state"] == "invalid"
    assert "differs from the model's" in wrong["feedback"]


@pytest.mark.slow
@pytest.mark.parametrize("files", [ALGOTUNE, KERNELBENCH])
def test_timed_forms_run_with_the_symbolic_proposer(files: tuple[Path, ...], tmp_path: Path, command: Command) -> None:
    settings = ("--set", "certify=false", "--evaluations", 6, "--json", "--out", tmp_path / "run")
    done = command("run", *files, *settings, *SHORT)
    assert done.status == 0, done.err
    assert json.loads(done.out)["evaluations"] == 6
    assert json.loads(done.out)["best"]["tier"] in ("full", "namespaces")


def test_a_program_beside_its_evaluator_cannot_reach_the_user(tmp_path: Path, command: Command) -> None:
    task = tmp_path / "search"
    assert command("import", *OPENEVOLVE, task).status == 0
    own = f"    import os, subprocess\n    assert not os.path.exists({str(tmp_path)!r}) and 'HOME' not in os.environ\n"
    own += "    assert subprocess.run(['/bin/true']).returncode == 0\n"
    source = baseline(task).replace('"""What the evaluator calls."""', '"""What the evaluator calls."""\n' + own)
    (task / "task.py").write_text((task / "task.py").read_text().replace("imports=(", "imports=('os', 'subprocess', "))
    found = scored(command, task, source)
    assert found["state"] == "valid", found
    assert found["tier"] == "shared"


def test_mistakes_are_one_line(tmp_path: Path, command: Command) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    broken = tmp_path / "broken.py"
    broken.write_text(ALGOTUNE[0].read_text().replace('{"numbers": np.random', '{1: 2, "numbers": np.random'))
    for arguments, words in (
        (("import", OPENEVOLVE[0], tmp_path / "x"), "no form is known"),
        (("import", tmp_path / "x"), "then the folder to write"),
        (("import", *OPENEVOLVE, tmp_path / "full"), "not empty"),
        (("import", *OPENEVOLVE, tmp_path / "x", "--n", 3), "AlgoTune"),
        (("import", broken, tmp_path / "x", "--n", 30), "a dict key of type int"),
        (("run", OPENEVOLVE[0], "--out", tmp_path / "x"), "no form is known"),
        (("run", "fasterpam", "--together"), "--together"),
    ):
        said = command(*arguments)
        assert said.status == 2, (arguments, said)
        assert words in said.err.strip().splitlines()[-1]
    assert not (tmp_path / "x").exists()
