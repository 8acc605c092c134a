"""Tasks without a reference: the task says what counts as 1."""

import math
from pathlib import Path

import pytest

from speciate.evaluators import Evaluation, State, TaskError, calibrate, check_task, load_task
from speciate.evaluators.evaluation import AS_TRUSTED
from speciate.evaluators.scoring import ahead, gain
from speciate.evaluators.task import Direction, Objective
from speciate.sandbox import Backend, open_sandbox

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"


@pytest.fixture
def unreferenced(tmp_path: Path) -> Path:
    """The toy task ``linear`` with a unit in place of its reference."""
    folder = tmp_path / "alone"
    folder.mkdir()
    text = (LINEAR / "task.py").read_text().replace("task = Task(", 'task = Task(\n    unit=Unit(0.5, "half as much"),')
    (folder / "task.py").write_text("from speciate.evaluators import Unit\n" + text)
    (folder / "baseline.py").write_text((LINEAR / "baseline.py").read_text())
    return folder


def test_the_scale_is_the_units(unreferenced: Path) -> None:
    folder = load_task(str(unreferenced))
    assert folder.reference is None
    with open_sandbox(folder.spec(Backend.BUBBLEWRAP)) as sandbox:
        scale = calibrate(folder, sandbox, b"secret")
        checked = check_task(folder, sandbox)
    assert scale.reference_gain == 0.5
    assert scale.top == "half as much"
    assert not scale.smoke_tells
    assert scale.reference_value == ahead(folder.task.objective, scale.baseline_value, 0.5)
    assert checked.ok, checked.reason
    assert checked.margin is None


def test_a_task_needs_a_reference_or_a_unit(unreferenced: Path) -> None:
    (unreferenced / "task.py").write_text((LINEAR / "task.py").read_text())
    with pytest.raises(TaskError, match=r"has no reference\.py"):
        load_task(str(unreferenced))


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("direction", list(Direction))
def test_ahead_undoes_gain(direction: Direction, scale: str) -> None:
    objective = Objective("x", direction, scale, floor=0.25 if scale == "log" else 0.0)  # type: ignore[arg-type]
    assert gain(objective, ahead(objective, 3.0, math.log(2)), 3.0) == pytest.approx(math.log(2))


@pytest.mark.parametrize(("tier", "caveat"), [("shared", AS_TRUSTED), ("full", ""), ("unsafe", "")])
def test_only_what_ran_beside_its_evaluator_has_a_caveat(tier: str, caveat: str) -> None:
    assert Evaluation(state=State.VALID, size="default", tier=tier).caveat == caveat
