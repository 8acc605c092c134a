"""Programs scored in the real jail."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from speciate.evaluators import Evaluation, Evaluator, State, TaskError, calibrate, check_task, load_task
from speciate.evaluators.seeds import draw
from speciate.sandbox import Sandbox, SandboxSpec, open_sandbox

TOYS = Path(__file__).parent.parent / "toy_tasks"
SECRET = b"of the tests"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec()) as opened:
        yield opened


Score = Callable[[str, str], Evaluation]


@pytest.fixture(scope="module")
def score(sandbox: Sandbox) -> Score:
    """``score(toy, source)`` on the search instances of one secret."""
    evaluators: dict[str, Evaluator] = {}

    def once(toy: str, source: str) -> Evaluation:
        if toy not in evaluators:
            folder = load_task(str(TOYS / toy))
            evaluators[toy] = Evaluator(folder, sandbox, SECRET, calibrate(folder, sandbox, SECRET))
        return evaluators[toy].evaluate({"program.py": source}, "program")

    return once


@pytest.mark.parametrize("toy", ["linear", "timed", "asking", "staged", "rounds"])
def test_every_style_is_sound_and_scores_its_own_programs(toy: str, sandbox: Sandbox, score: Score) -> None:
    folder = load_task(str(TOYS / toy))
    assert check_task(folder, sandbox).reason == ""
    baseline, reference = (score(toy, folder.programs[name]) for name in ("baseline", "reference"))
    assert baseline.score is not None
    assert reference.score is not None
    assert baseline.score == pytest.approx(0.0, abs=0.3)
    assert reference.score == pytest.approx(1.0, abs=0.3)
    assert set(reference.descriptors) == {axis.name for axis in folder.task.descriptors}


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("def solve(x):\n    while True: pass", State.TIMEOUT),
        ("import numpy as np\ndef solve(x): return np.ones(2**31)", State.MEMORY),
        ("import os\ndef solve(x): return [os.fork() for _ in range(50)]", State.FORBIDDEN),
        ("import os\ndef solve(x): os._exit(0)", State.CRASHED),
        ("print('{\"score\": 1e9}')\ndef solve(x): return x[:1]", State.INVALID),
        ("def solve(x): open('/usr/mine', 'w')", State.FORBIDDEN),
        ("import socket\ndef solve(x): socket.socket()", State.FORBIDDEN),
        ("def solve(x): return x * float('nan')", State.INVALID),
        ("def solve(x): return x.astype(complex)", State.INVALID),
        ("def solve(x): return [10**400] * 8", State.INVALID),
        ("def solve(x): return {'y': x}", State.INVALID),
        ("def solve(x): return lambda: x", State.INVALID),
        ("def solve(x): return x * 1e300", State.INVALID),
        ("def solve(x): raise ValueError(x)", State.CRASHED),
    ],
)
def test_each_misdeed_ends_in_its_state_and_the_next_program_is_untouched(
    source: str, state: State, score: Score
) -> None:
    evaluation = score("linear", source)
    assert evaluation.state is state, evaluation.feedback
    assert evaluation.score is None
    assert evaluation.interval is None
    following = score("linear", "def solve(x): return 2.5 * x")
    assert following.score == pytest.approx(1.0)


def test_a_forged_clock_gains_nothing(score: Score) -> None:
    forged = (
        "import time\nfor name in ('time', 'perf_counter', 'process_time'):\n    setattr(time, name, lambda: 0.0)\n"
    )
    evaluation = score("timed", forged + (TOYS / "timed" / "baseline.py").read_text())
    assert evaluation.score is None or evaluation.score < 0.3


def test_what_a_program_says_on_hidden_instances_is_not_passed_on(sandbox: Sandbox, tmp_path: Path) -> None:
    for file in (TOYS / "linear").glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text().replace("size=8", "size=4 if size == 'smoke' else 8"))
    folder = load_task(str(tmp_path))
    evaluator = Evaluator(folder, sandbox, SECRET, calibrate(folder, sandbox, SECRET))
    source = """
def solve(x):
    print("I saw", len(x))
    if len(x) == 8:
        raise ValueError(f"the secret is {x.tolist()}")
    return 2.5 * x
"""
    evaluation = evaluator.evaluate({"program.py": source}, "program")
    assert evaluation.state is State.CRASHED
    assert "ValueError" in evaluation.feedback
    assert "I saw 4" in evaluation.feedback
    assert "I saw 8" not in evaluation.feedback
    assert "secret" not in evaluation.feedback


def test_an_oracle_that_is_asked_too_often_refuses(score: Score) -> None:
    evaluation = score("asking", "def search(oracle, budget):\n    while True: oracle.value(0.5)\n")
    assert evaluation.state is State.CRASHED
    assert "budget" in evaluation.feedback


def test_a_gain_beyond_belief_is_quarantined(sandbox: Sandbox, tmp_path: Path) -> None:
    for file in (TOYS / "staged").glob("*.py"):
        (tmp_path / file.name).write_text(
            file.read_text().replace("    drive=drive,", "    drive=drive,\n    suspicious_ratio=1.0,")
        )
    (tmp_path / "reference.py").write_text((TOYS / "staged" / "baseline.py").read_text().replace("0.9", "0.95"))
    folder = load_task(str(tmp_path))
    evaluator = Evaluator(folder, sandbox, SECRET, calibrate(folder, sandbox, SECRET))
    evaluation = evaluator.evaluate({"program.py": (TOYS / "staged" / "reference.py").read_text()}, "program")
    assert evaluation.state is State.QUARANTINED
    assert evaluation.score is None


def test_a_baseline_that_fails_on_one_draw_is_measured_on_another(sandbox: Sandbox) -> None:
    folder = load_task(str(TOYS / "linear"))
    met = draw(folder.task, SECRET, "default", "search")[0].inputs["x"][0]
    failing = f"def solve(x):\n    if abs(x[0] - {float(met)!r}) < 1e-12:\n        raise ValueError\n"
    sometimes = replace(folder, baseline=folder.baseline.replace("def solve(x):\n", failing))
    calibration = calibrate(sometimes, sandbox, SECRET)
    evaluator = Evaluator(sometimes, sandbox, SECRET, calibration)
    assert evaluator.evaluate({"program.py": sometimes.baseline}, "same").score == 0.0
    with pytest.raises(TaskError, match="baseline"):
        calibrate(replace(folder, baseline="def solve(x):\n    raise ValueError"), sandbox, SECRET)
