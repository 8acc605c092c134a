"""Feedback is bounded and carries nothing that a program or a judge should not pass on."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speciate.evaluators import (
    Evaluator,
    Instance,
    InstanceResult,
    Rejected,
    State,
    Verdict,
    calibrate,
    load_task,
)
from speciate.evaluators.feedback import MAX_TEXT, describe, kind_of_failure
from speciate.evaluators.trial import MAX_NOTE, judged
from speciate.sandbox import Sandbox, SandboxSpec, open_sandbox

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"


@given(st.lists(st.text(max_size=3000), max_size=60), st.text(max_size=5000))
def test_it_is_bounded_and_has_no_control_characters(notes: list[str], printed: str) -> None:
    results = [InstanceResult(name=f"i{n}", state=State.VALID, note=note) for n, note in enumerate(notes)]
    text = describe(State.VALID, results, printed)
    assert len(text) <= MAX_TEXT + 16
    assert not {letter for letter in text if ord(letter) < 32} - {"\t", "\n"}


def test_of_many_instances_the_one_that_failed_is_told() -> None:
    results = [InstanceResult(name=f"i{n}", state=State.VALID) for n in range(99)]
    results.append(InstanceResult(name="last", state=State.CRASHED, note="ValueError"))
    lines = describe(State.CRASHED, results, "").splitlines()
    assert len(lines) < 30
    assert lines[-1] == "last: crashed (ValueError)"
    assert "80 more" in lines[-2]


@pytest.mark.parametrize(
    ("state", "message", "told"),
    [
        (State.CRASHED, "ValueError: the secret is 5", "ValueError"),
        (State.CRASHED, "LinAlgError: Singular matrix", "LinAlgError"),
        (State.CRASHED, "x_is_0_12345: y", ""),
        (State.CRASHED, "whatever the program forged", ""),
        (State.TIMEOUT, "used more than 5 s of CPU", "used more than 5 s of CPU"),
    ],
)
def test_a_failure_on_hidden_instances_has_only_words_of_ours(state: State, message: str, told: str) -> None:
    assert kind_of_failure(state, message) == told


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec()) as opened:
        yield opened


def test_an_exception_named_after_what_it_saw_tells_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    for file in LINEAR.glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text().replace("size=8", "size=4 if size == 'smoke' else 8"))
    folder = load_task(str(tmp_path))
    evaluator = Evaluator(folder, sandbox, b"secret", calibrate(folder, sandbox, b"secret"))
    source = (
        "def solve(x):\n"
        "    if len(x) == 8:\n"
        "        raise type('leak_' + '_'.join(str(int(v * 1000)) for v in x), (Exception,), {})()\n"
        "    return 2.5 * x\n"
    )
    evaluation = evaluator.evaluate({"program.py": source}, "program")
    assert evaluation.state is State.CRASHED
    assert "leak" not in evaluation.model_dump_json()


def test_a_judges_note_is_bounded_and_clean() -> None:
    task = load_task(str(LINEAR)).task
    instance = Instance("i", {})

    def said(judge: Callable[..., Verdict]) -> Verdict:
        return judged(dataclasses.replace(task, judge=judge), instance, None, None)

    def rejecting(*arguments: object) -> Verdict:
        raise Rejected("\x1b[2J" + "x" * 10_000)

    for verdict in (said(lambda *_: Verdict(False, {}, "\x1b[2J" + "x" * 10_000)), said(rejecting)):
        assert not verdict.valid
        assert "\x1b" not in verdict.note
        assert len(verdict.note) <= MAX_NOTE + 16


NO_VERDICT: list[Any] = [None, 5, "valid", Verdict(True, {"error": float("nan")})]


@pytest.mark.parametrize("answer", [*NO_VERDICT, dataclasses.replace(Verdict(True), metrics={"error": "low"})])
def test_a_judge_that_is_not_total_gives_nothing(answer: Any) -> None:
    task = dataclasses.replace(load_task(str(LINEAR)).task, judge=lambda *_: answer)
    assert not judged(task, Instance("i", {}), None, None).valid
