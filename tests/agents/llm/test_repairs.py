"""What a model is shown of a program that it is to repair, as the endpoint received it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speciate.archive import Proposed, Replied
from speciate.archive.events import Traced
from speciate.discovery.run import start
from speciate.discovery.setup import run_config
from speciate.evaluators import State

from .endpoint import Endpoint, Reply
from .model import diff
from .test_runs import LINEAR, events, journal_problems, run

CRASH = "    table = np.ones((3, 4))\n    y = table @ x\n    return y"
ENDLESS = "    while True:\n        y = y + 1.0"
ONE_AT_A_TIME: dict[str, Any] = {"in_flight": 1, "llm__concurrency": 1}


def mended(fault: str, number: int) -> str:
    """The first reply puts the fault in, the second takes it out again."""
    return diff(fault, "    return 1.1 * y") if number else diff("    return y", fault)


def last(endpoint: Endpoint, number: int) -> str:
    return endpoint.requests[number]["messages"][-1]["content"]


def test_a_draft_that_fails_comes_back_with_the_lines_that_led_there(
    tmp_path: Path, serve: Callable[..., Endpoint]
) -> None:
    endpoint = serve(lambda messages, number: Reply(mended(CRASH, number)))
    run(endpoint, tmp_path / "run", budget__evaluations=2, **ONE_AT_A_TIME)
    shown = last(endpoint, 1)
    assert "does not work" in shown
    trace = shown.partition("those that led there:")[2]
    assert "y = table @ x" in trace
    assert "array float64[3, 4]" in trace
    assert "x = array float64[8]" in trace
    assert "y = y + 0.5" not in trace, "what the exception does not follow from is cut away"
    traced = [event.trace for event in events(tmp_path / "run") if isinstance(event, Traced)]
    told = [trace for trace in traced if trace.state is not State.VALID]
    assert len(told) == 1
    assert told[0].recorded[0].raised is not None
    assert told[0].recorded[0].inputs["x"].shape == (8,)
    assert journal_problems(tmp_path / "run") == ()


def test_the_repair_of_an_evaluated_program_is_told_what_its_lines_did(
    tmp_path: Path, serve: Callable[..., Endpoint]
) -> None:
    def model(messages: list[dict[str, str]], number: int) -> Reply:
        text = messages[1]["content"]
        if "The failing program" in text:
            return Reply(diff("    y = table @ x", "    y = 2.0 * x"))
        return Reply(diff("    return y", CRASH.replace("3, 4", f"3, {number + 1}")))

    endpoint, settings = serve(model), ("llm.operators={diff: 1, repair: 20}", "llm.repairs=0")
    run(endpoint, tmp_path / "run", settings, budget__evaluations=2, **ONE_AT_A_TIME)
    repairs = [prompt["messages"][1]["content"] for prompt in endpoint.requests if "The failing" in str(prompt)]
    assert repairs
    failing = repairs[0].partition("## The failing program")[2]
    assert "y = table @ x" in failing
    assert "led there:" in failing
    assert "table = array float64[3, " in failing
    assert "Trace of the program" not in repairs[0]
    mended = [event for event in events(tmp_path / "run") if isinstance(event, Proposed) and event.operator == "repair"]
    assert mended
    assert len(mended[0].parents) == 2


def test_a_replay_shows_where_a_program_was_ended_for_time(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    """Two runs end it at different lines: a replay uses the recorded trace, so that its prompts find their replies."""
    endpoint = serve(lambda messages, number: Reply(mended(ENDLESS, number)))
    run(endpoint, tmp_path / "run", budget__evaluations=2, **ONE_AT_A_TIME)
    assert "while True:    # " in last(endpoint, 1)
    start(str(LINEAR), run_config(None, replay=tmp_path / "run"), tmp_path / "again")
    first, second = (
        [json.loads(event.model_dump_json()) for event in events(tmp_path / name) if isinstance(event, Traced)]
        for name in ("run", "again")
    )
    assert first == second
    assert len(endpoint.requests) == sum(isinstance(event, Replied) for event in events(tmp_path / "run"))
