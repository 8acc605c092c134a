"""Runs to report on: one whose every text is an attack on the page."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from speciate.archive import (
    ArchiveSettings,
    Calibrated,
    Certified,
    Dropped,
    Evaluated,
    Event,
    Journal,
    Program,
    Proposed,
    RunStarted,
    Stopped,
)
from speciate.evaluators import Calibration, Descriptor, Evaluation, InstanceResult, Interval, State

ATTACK = (
    "</code></pre></style></svg>]]>--><script>window.hacked=1;document.title='hacked'</script>"
    "<img src=x onerror=hacked=1>"
)
BASELINE = "def solve(x):\n    return x\n"
AXES = (Descriptor("size", 1.0, 100.0, bins=5, scale="log"), Descriptor("error", 0.0, 1.0, bins=4))


def evaluation(score: float, *, draws: int = 1, confidence: float = 0.95) -> Evaluation:
    instances = tuple(
        InstanceResult(name=f"{ATTACK}{kind}.{draw}", state=State.VALID, value=2.0 - score, gain=score + 0.01 * draw)
        for draw in range(draws)
        for kind in "ab"
    )
    return Evaluation(
        state=State.VALID,
        size="default",
        score=score,
        value=2.0 - score,
        interval=Interval(low=score - 0.1, high=score + 0.1, confidence=confidence),
        descriptors={"size": 10.0 + 50 * abs(score), "error": 0.4},
        feedback=ATTACK,
        tier="full",
        cpu_seconds=0.5,
        instances=instances,
    )


def events(clocked: bool) -> Iterator[Event]:
    yield RunStarted(
        task="hostile",
        task_path="/nowhere",
        task_digest="d" * 64,
        config={"seed": 1, "proposer": ATTACK},
        archive=ArchiveSettings.of(AXES, islands=2),
        seed=1,
        secret="5ec4e7",
        version="0",
    )
    names = {f"{ATTACK}{kind}.0": 2.0 for kind in "ab"}
    yield Calibrated(
        calibration=Calibration(
            size="default",
            purpose="search",
            sets=1,
            clocked=clocked,
            tier="full",
            baseline=names,
            reference=dict.fromkeys(names, 1.0),
            baseline_metrics={},
            reference_metrics={},
            baseline_cpu=dict.fromkeys(names, 0.1),
            reference_gain=1.0,
            gains=(0.9, 1.1),
            baseline_value=2.0,
            reference_value=1.0,
        )
    )
    programs = [Program.of(BASELINE + f"#{number}\nA = {number}\n" * bool(number)) for number in range(3)]
    programs.append(Program.of(f'def solve(x):\n    """{ATTACK}"""\n    return x + 1  # {ATTACK}\n'))
    for index, (program, score) in enumerate(zip(programs, (0.0, -0.3, 0.2, 0.6), strict=True)):
        yield Proposed(
            index=index,
            island=index % 2,
            files=dict(program.files),
            program=program.id,
            parents=(programs[index - 1].id,) if index else (),
            operator="rewrite" if index else "seed",
            proposer="llm" if index else "baseline",
            detail=f"{ATTACK}$x_{{1}}$+change_loop_bound" if index else "",
            rationale=ATTACK if index == 3 else "",
            model=ATTACK if index else None,
            tokens=100 * index,
            usd=0.01 * index,
        )
        yield Evaluated(index=index, evaluation=evaluation(score, draws=4))
    yield Dropped(index=4, island=0, reason=ATTACK, proposer="llm", tokens=7)
    yield Certified(program=programs[3].id, evaluation=evaluation(0.5, draws=3, confidence=0.975), gap=0.1)
    yield Stopped(reason="evaluations", seconds=3.0)


@pytest.fixture(scope="session", params=[False, True], ids=["metric", "clocked"])
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of a task whose files are gone; names, programs, models and feedback are attacks."""
    directory = tmp_path_factory.mktemp("hostile") / "run"
    with contextlib.closing(Journal.create(directory)) as journal:
        for event in events(request.param):
            journal.append(event)
    return directory
