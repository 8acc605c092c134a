"""Runs of three tasks climb on what a model says that is wrong more often than right."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from speciate.archive import Dropped, Journal, Proposed, Replied, verify
from speciate.archive.history import read_events
from speciate.discovery.run import start

from .endpoint import Endpoint, Reply
from .model import diff
from .test_runs import events, scripted

TOYS = Path(__file__).parent.parent.parent / "toy_tasks"

UPDATE = "        p = p + STEP * np.sign(target - load)"


def balance(dice: random.Random) -> str:
    rate = dice.uniform(0.03, 0.15)
    rule = dice.choice(
        ("(target - load) / target", "(target - load) / target / np.sqrt(_ + 1)", "np.sign(target - load)")
    )
    return diff(UPDATE, f"        p = p + {rate:.3f} * {rule}", "In proportion to the error, and smaller with time.")


def pack(dice: random.Random) -> str:
    return diff("MOVES = 20", f"MOVES = {dice.randint(40, 160)}", "The climb stops long before it is at the top.")


def quotient(dice: random.Random) -> str:
    change = dice.choice((("MOST_BELOW = 0", f"MOST_BELOW = {dice.randint(1, 2)}"), ("ROUNDS = 20", "ROUNDS = 60")))
    return diff(*change, "A quotient follows a curve with fewer terms, once its weights have settled.")


def search(dice: random.Random) -> str:
    if dice.random() < 0.8:
        return diff("POINTS = 21", f"POINTS = {dice.randint(3, 40)}", "Ask less.")
    code = (
        f"def search(oracle, budget):\n    step = {dice.uniform(0.1, 0.6):.3f}\n"
        "    a, b, c = (oracle.value(x) for x in (0.0, step, 2 * step))\n"
        "    return 0.5 * step * (3 * a - 4 * b + c) / (a - 2 * b + c)\n"
    )
    return f"Three values make a parabola.\n```python\n{code}```\n"


def line(dice: random.Random) -> str:
    return diff("* 0.9", f"* {dice.uniform(0.85, 1.05):.3f}", "Shrink less.")


IDEAS = {
    "alf_lb_online_dual": balance,
    "alphaevolve_geometry": pack,
    "autonumerics_zero": quotient,
    "asking": search,
    "staged": line,
}
BAD = (
    "I would need more information about the task.",
    diff("def nothing_like_this(a, b, c):", "def x():", "Lines of another program."),
    "```python\nimport os\n\n\ndef search():\n    return os.environ\n```",
    "```python\ndef balance(oracle, E, k, tokens, steps:\n```",
    "Here:\n```python\nprint('no entry')\n```\nThat should do.",
    "<<<<<<< SEARCH\nnever ended",
    "",
)
FAULTS = (
    Reply("slow down", status=429, headers={"retry-after": "0.05"}),
    Reply("overloaded", status=503),
    Reply("cut off in the middle", cut=7),
    Reply(raw=b'{"choi'),
)


def model(good: Callable[[random.Random], str], served: list[Reply]) -> Callable[[list[dict[str, str]], int], Reply]:
    """One in three replies is worth something; one in eight requests fails."""

    def script(messages: list[dict[str, str]], number: int) -> Reply:
        dice = random.Random(f"{[message['content'] for message in messages]} {number}")
        if dice.random() < 1 / 8:
            reply = dice.choice(FAULTS)
        else:
            reply = Reply(good(dice) if dice.random() < 1 / 3 else dice.choice(BAD))
        served.append(reply)
        return reply

    return script


@pytest.mark.slow
@pytest.mark.parametrize(("task", "evaluations", "goal"), [("asking", 10, 0.1), ("staged", 24, 0.3)])
def test_a_toy_climbs(task: str, evaluations: int, goal: float, tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    climbs(str(TOYS / task), task, evaluations, goal, tmp_path, serve)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "evaluations", "goal"),
    [("alf_lb_online_dual", 9, 0.02), ("alphaevolve_geometry", 5, 0.02), ("autonumerics_zero", 6, 0.02)],
)
def test_a_task_of_the_catalogue_climbs(
    task: str, evaluations: int, goal: float, tmp_path: Path, serve: Callable[..., Endpoint]
) -> None:
    climbs(task, task, evaluations, goal, tmp_path, serve)


def climbs(task: str, name: str, evaluations: int, goal: float, tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    served: list[Reply] = []
    endpoint = serve(model(IDEAS[name], served))
    config = scripted(endpoint, ("llm.tries=8",), budget__evaluations=evaluations, seed=1)
    outcome = start(task, config, tmp_path / "run")
    assert outcome.evaluations == evaluations
    assert outcome.score is not None
    assert outcome.score > goal
    told = events(tmp_path / "run")
    made = [event for event in told if isinstance(event, Proposed) and event.proposer == "llm"]
    assert all(event.prompt_hash for event in made)
    met = {event.text.strip() for event in told if isinstance(event, Replied)} & {text.strip() for text in BAD}
    assert len(met) >= 2, met
    seen = {one.stage for one in read_events(tmp_path / "run").failures.rows()}
    assert "reply" in seen
    # What is met differs between installations, since the instances do.
    assert ("call to a model" in seen) == any(reply in FAULTS for reply in served)
    assert ("proposal" in seen) == any(isinstance(event, Dropped) for event in told)
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        assert verify(journal).problems == ()
