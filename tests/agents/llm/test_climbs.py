"""Runs of three tasks climb on what a model says that is wrong more often than right."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from speciate.archive import Dropped, Journal, Proposed, verify
from speciate.discovery.run import start

from .endpoint import Endpoint, Reply
from .model import diff
from .test_runs import events, scripted

TOYS = Path(__file__).parent.parent.parent / "toy_tasks"

UPDATE = "        p = p + STEP * np.sign(target - load)"
IDEAS = {
    "alf_lb_online_dual": (
        diff(UPDATE, "        p = p + 0.05 * (target - load) / target", "In proportion to the error."),
        diff(UPDATE, "        p = p + 0.1 / np.sqrt(_ + 1) * (target - load) / target", "And smaller with time."),
        diff(UPDATE, "        p = p + STEP / (_ + 1) * np.sign(target - load)", "Decay the step."),
        diff("STEP = 0.01", "STEP = 0.02", "A bolder step."),
    ),
    "asking": (
        *(diff("POINTS = 21", f"POINTS = {points}", "Ask less.") for points in (17, 15, 13, 11, 9, 5, 3)),
        "A grid is wasteful: the minimum lies by symmetry.\n```python\ndef search(oracle, budget):\n    "
        "a, b, c = (oracle.value(x) for x in (0.0, 0.5, 1.0))\n    "
        "return 0.25 * (3 * a - 4 * b + c) / (a - 2 * b + c)\n```\n",
    ),
    "staged": (
        diff("* 0.9", "* 0.95", "Shrink less."),
        diff("* 0.9", "* 1.0", "Do not shrink."),
        "Least squares.\n```python\ndef fit(X, y):\n    return float(X @ y / (X @ X))\n\n\n"
        "def predict(model, X):\n    return model * X\n```\n",
    ),
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


def model(good: Sequence[str]) -> Callable[[list[dict[str, str]], int], Reply]:
    """One in three replies is worth something; one in eight requests fails."""

    def script(messages: list[dict[str, str]], number: int) -> Reply:
        dice = random.Random(f"{[message['content'] for message in messages]} {number}")
        if dice.random() < 1 / 8:
            return dice.choice(FAULTS)
        return Reply(dice.choice(good) if dice.random() < 1 / 3 else dice.choice(BAD))

    return script


@pytest.mark.slow
@pytest.mark.parametrize(("task", "evaluations", "goal"), [("asking", 12, 0.1), ("staged", 6, 0.4)])
def test_a_toy_climbs(task: str, evaluations: int, goal: float, tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    climbs(str(TOYS / task), task, evaluations, goal, tmp_path, serve)


@pytest.mark.slow
def test_a_task_of_the_catalogue_climbs(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    climbs("alf_lb_online_dual", "alf_lb_online_dual", 6, 0.02, tmp_path, serve)


def climbs(task: str, name: str, evaluations: int, goal: float, tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(model(IDEAS[name]))
    config = scripted(endpoint, ("llm.tries=8",), budget__evaluations=evaluations, seed=1)
    outcome = start(task, config, tmp_path / "run")
    assert outcome.evaluations == evaluations
    assert outcome.score is not None
    assert outcome.score > goal
    told = events(tmp_path / "run")
    reasons = Counter(event.reason.partition(":")[0] for event in told if isinstance(event, Dropped))
    assert len(reasons) >= 2, reasons
    assert all(event.prompt_hash for event in told if isinstance(event, Proposed) and event.proposer == "llm")
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        assert verify(journal).problems == ()
