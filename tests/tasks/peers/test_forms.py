"""What is read off files of other systems, and the programs that are made of them."""

from pathlib import Path

import pytest

from speciate.evaluators import TaskError
from speciate.tasks.peers.forms import (
    Form,
    called,
    companions,
    experiment,
    packages,
    read,
    recognise,
    signature,
)
from speciate.tasks.peers.programs import kernel, marked, solver

PEERS = Path(__file__).parents[2] / "peer_tasks"
OPENEVOLVE, SHINKA = PEERS / "openevolve", PEERS / "shinka"


@pytest.mark.parametrize(
    ("files", "form"),
    [
        (["openevolve/initial_program.py", "openevolve/evaluator.py"], Form.OPENEVOLVE),
        (["openevolve/evaluator.py", "openevolve/initial_program.py"], Form.OPENEVOLVE),
        (["shinka/initial.py", "shinka/evaluate.py"], Form.SHINKA),
        (["algotune/pairwise_sums.py"], Form.ALGOTUNE),
        (["kernelbench/gated_rows.py"], Form.KERNELBENCH),
    ],
)
def test_forms_are_told_apart(files: list[str], form: Form) -> None:
    found = recognise([PEERS / file for file in files])
    assert found.form is form
    assert (found.initial is not None) == (len(files) == 2)
    assert found.initial is None or "initial" in found.initial.path.name


@pytest.mark.parametrize("files", [["openevolve/evaluator.py"], ["shinka/geometry.py", "shinka/initial.py"]])
def test_files_of_no_form_are_refused(files: list[str]) -> None:
    with pytest.raises(TaskError, match="no form is known"):
        recognise([PEERS / file for file in files])


def test_an_evaluator_takes_along_what_it_imports_and_names() -> None:
    judge, initial = read(SHINKA / "evaluate.py"), read(SHINKA / "initial.py")
    assert [path.name for path in companions(judge, initial)] == ["geometry.py"]
    assert [path.name for path in companions(read(OPENEVOLVE / "evaluator.py"))] == ["settings.json"]
    assert packages([judge, read(SHINKA / "geometry.py")]) == ("numpy",)


def test_the_entry_is_what_the_evaluator_calls(tmp_path: Path) -> None:
    initial = read(OPENEVOLVE / "initial_program.py")
    assert called(initial, read(OPENEVOLVE / "evaluator.py")) == "run_search"
    assert experiment(read(SHINKA / "evaluate.py")) == "run_placement"
    assert signature(read(SHINKA / "initial.py"), "run_placement") == "def run_placement(seed, count) -> object"
    script = tmp_path / "script.py"
    script.write_text("print(1)\n")
    with pytest.raises(TaskError, match="defines no function"):
        called(read(script), read(OPENEVOLVE / "evaluator.py"))


def test_marks_stay_or_are_put_around_everything() -> None:
    with_marks = (OPENEVOLVE / "initial_program.py").read_text()
    assert marked(with_marks) == with_marks
    assert marked("x = 1\n") == "# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\n"


def test_a_stateless_solver_becomes_functions() -> None:
    text = solver(read(PEERS / "algotune" / "pairwise_sums.py"))
    space: dict[str, object] = {}
    exec(text, space)
    assert space["solve"]({"numbers": __import__("numpy").array([0.0, 2.0]), "bound": 1.0}) == 1  # type: ignore[operator]
    assert "self" not in text
    assert "AlgoTune" not in text
    assert "is_solution" not in text
    assert "# One row of all pairs." in text


def test_a_solver_with_a_state_stays_a_class(tmp_path: Path) -> None:
    file = tmp_path / "counted.py"
    file.write_text(
        "from AlgoTuneTasks.base import Task, register_task\n\n"
        "FACTOR = 3\n\n@register_task('counted')\nclass Counted(Task):\n"
        "    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n        self.calls = 0\n\n"
        "    def generate_problem(self, n, random_seed=1):\n        return {'n': n}\n\n"
        "    def solve(self, problem):\n        self.calls += 1\n        return FACTOR * problem['n'] + self.calls\n\n"
        "    def is_solution(self, problem, solution):\n        return True\n"
    )
    space: dict[str, object] = {}
    exec(solver(read(file)), space)
    assert space["solve"]({"n": 2}) == 7  # type: ignore[operator]
    assert "generate_problem" not in solver(read(file))


def test_a_model_becomes_a_program_with_its_call() -> None:
    text = kernel(read(PEERS / "kernelbench" / "gated_rows.py"))
    block, _, after = text.partition("# EVOLVE-BLOCK-END")
    assert "class ModelNew(nn.Module)" in block
    assert "super(ModelNew, self)" in block
    assert "get_inputs" not in text
    assert "def run(init_inputs, inputs, seed)" in after
