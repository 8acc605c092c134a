"""Row llambo_warmstart_bo: programs and numbers to begin with, from what a model knows of the problem."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from speciate.agents.llm.numbers import NotANumber, named_numbers, with_numbers
from speciate.archive import Dropped, Launched, Proposed, Replied
from speciate.discovery.run import resume, start
from speciate.discovery.setup import run_config

from .endpoint import Endpoint, Reply
from .model import improver
from .test_runs import LINEAR, events, journal_problems, run, story

ANSWER = """A larger factor is likely.
```json
{"FACTOR": 2.3}
```
The solution in one step, without the loop.
```python
import numpy as np


def solve(x):
    return 2.6 * x
```
This one is broken.
```python
def solve(x:
```
```json
{"FACTOR": "large"}
```
The median of what such tasks use.
```json
{"FACTOR": 2.0}
```
"""


STARTS = ("llm.warm_start=5",)


def begins(messages: list[dict[str, str]]) -> bool:
    return "promising starts" in messages[1]["content"]


def model(messages: list[dict[str, str]], number: int) -> Reply:
    return Reply(ANSWER) if begins(messages) else improver(messages, number)


def test_a_model_is_asked_once_and_its_starts_are_the_first_proposals(
    tmp_path: Path, serve: Callable[..., Endpoint]
) -> None:
    endpoint = serve(model)
    run(endpoint, tmp_path / "run", STARTS, budget__evaluations=12)
    asked = [request["messages"] for request in endpoint.requests if begins(request["messages"])]
    assert len(asked) == 1
    assert endpoint.requests[0]["messages"] == asked[0]
    assert "FACTOR = 1.4" in asked[0][1]["content"]
    assert "y = y + 0.5" not in asked[0][1]["content"], "no more of the baseline than its numbers"
    told = events(tmp_path / "run")
    made = [event for event in told if isinstance(event, Proposed)][1:]
    starts = [event for event in made if event.operator == "start"]
    assert starts == made[:3]
    assert [event.index for event in starts] == [1, 2, 3]
    assert {event.island for event in starts} == {0, 1}
    assert "FACTOR = 2.3" in starts[0].files["program.py"]
    assert "return 2.6 * x" in starts[1].files["program.py"]
    assert "EVOLVE-BLOCK-START" in starts[1].files["program.py"]
    assert "FACTOR = 2.0" in starts[2].files["program.py"]
    assert starts[0].rationale.startswith("A larger factor is likely.")
    assert starts[0].faults == ("a block does not parse or does not define solve", "FACTOR must be a finite number")
    assert [event.tokens for event in starts] == [150, 0, 0]
    assert journal_problems(tmp_path / "run") == ()
    start(str(LINEAR), run_config(None, replay=tmp_path / "run"), tmp_path / "again")
    assert story(tmp_path / "again") == story(tmp_path / "run")
    assert len(endpoint.requests) == sum(isinstance(event, Replied) for event in told)


def test_a_reply_without_a_start_costs_one_call_and_no_more(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(lambda messages, number: Reply("No idea.") if begins(messages) else improver(messages, number))
    outcome = run(endpoint, tmp_path / "run", STARTS, budget__evaluations=4)
    assert outcome.evaluations == 4
    told = events(tmp_path / "run")
    dropped = next(event for event in told if isinstance(event, Dropped) and event.index == 1)
    assert (dropped.reason, dropped.tokens) == ("no program to begin with: the reply holds no block", 150)
    assert [event.index for event in told if isinstance(event, Launched)][:2] == [1, 2]


def test_a_run_that_died_after_the_reply_does_not_ask_again(
    tmp_path: Path, serve: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    from speciate.discovery.conductor import Conductor

    def die(*about: object) -> None:
        raise KeyError("died between the reply and its programs")

    endpoint = serve(model)
    with monkeypatch.context() as patch:
        patch.setattr(Conductor, "_further", die)
        with pytest.raises(KeyError):
            run(endpoint, tmp_path / "run", STARTS, budget__evaluations=5)
    assert [event.index for event in events(tmp_path / "run") if isinstance(event, Replied)] == [1]
    resume(tmp_path / "run")
    assert sum(begins(request["messages"]) for request in endpoint.requests) == 1
    assert sum(isinstance(event, Proposed) and event.operator == "start" for event in events(tmp_path / "run")) == 3


def test_only_settings_are_named_numbers() -> None:
    source = (
        "KEPT = 1.0\n# EVOLVE-BLOCK-START\nRATE = -0.5  # ä\nSTEPS: int = 12\nNAME = 'x'\n\n\n"
        "def solve(x):\n    total = 0.0\n    decay = 0.9\n    for step in range(STEPS):\n        total += decay * x\n"
        "    return total * RATE\n\n\n# EVOLVE-BLOCK-END\n"
    )
    assert {one.name: one.value for one in named_numbers(source).values()} == {"RATE": -0.5, "STEPS": 12, "decay": 0.9}
    changed = with_numbers(source, {"RATE": 2, "STEPS": 7.0, "decay": -1e-3})
    assert "RATE = 2.0  # ä\nSTEPS: int = 7\n" in changed
    assert "    decay = -0.001\n" in changed
    for values, said in (
        ({"KEPT": 2.0}, "no named number 'KEPT'"),
        ({"STEPS": 1.5}, "whole number"),
        ({"RATE": True}, "finite number"),
        ({"RATE": math.inf}, "finite number"),
        ({}, "no number is set"),
    ):
        with pytest.raises(NotANumber, match=said):
            with_numbers(source, values)
