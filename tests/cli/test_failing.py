"""Whatever goes wrong in a run with a model can be seen in ``speciate show`` and in the report."""

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from speciate.discovery.run import start
from speciate.discovery.secrets import run_secret
from speciate.discovery.setup import run_config
from speciate.evaluators import load_task
from speciate.evaluators.seeds import draw

from ..agents.llm.endpoint import Endpoint, Reply, serving
from ..agents.llm.model import diff

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"
Command = Callable[..., Any]


def whole(factor: str) -> str:
    return f"```python\nimport numpy as np\n\nFACTOR = {factor}\n\n\ndef solve(x):\n    return FACTOR * x\n```\n"


CASES = (
    ("call to a model", Reply("slow down", status=429, headers={"retry-after": "0"}), "answered at a later try"),
    ("call to a model", Reply("cut off in the middle", cut=7), "broken and paid for"),
    ("reply", Reply("Thinking took it all", finish="length"), "cut off at the limit of its length"),
    ("reply", Reply("I must not.", finish="content_filter"), "refused by the model"),
    ("reply", Reply("I have no idea."), "there is neither a SEARCH/REPLACE block nor a program"),
    ("reply", Reply(diff("def other():", "def one():")), "these lines of a SEARCH block are not in the program"),
    ("reply", Reply("<<<<<<< SEARCH\nnever ended"), "a SEARCH block has no end"),
    ("reply", Reply("```python\nimport os\n\n\ndef solve(x):\n    return x\n```"), "importing '...' is not allowed"),
    ("reply", Reply("```python\ndef solve(x:\n```"), "a syntax error"),
    ("reply", Reply(diff("    return y", "    return y / nothing")), "crashed on a smoke instance - NameError"),
    ("proposal", Reply("No."), "there is neither a SEARCH/REPLACE block nor a program"),
    ("proposal", Reply(whole("1.50")), "duplicate"),
    ("smoke instances", Reply(diff("    return y", "    return y[:, 99]")), "crashed (IndexError)"),
    ("evaluation", Reply(diff("    return y", "    return 1.1 * y if x[0] > 0 else x[99]")), "crashed (IndexError)"),
)


LASTING = ("proposal", "smoke instances", "evaluation")
"""Cases in which the second chance brings the same again."""


class Model:
    """Makes each case in a proposal of its own."""

    def __init__(self) -> None:
        self._case = -1
        self._again = False
        self._factors = iter(range(50, 90))

    def __call__(self, messages: list[dict[str, str]], number: int) -> Reply:
        if len(messages) == 2 and not self._again:
            self._case += 1
        elif self._again or CASES[self._case][0] not in LASTING:
            self._again = False
            return Reply(whole(f"1.{next(self._factors)}"))
        stage, reply, _ = CASES[min(self._case, len(CASES) - 1)]
        self._again = stage == "call to a model"
        return reply


def seed() -> int:
    """Of a run in which a program that fails on a negative beginning passes the smoke instances and no more."""
    task = load_task(str(LINEAR)).task
    for number in range(1000):
        secret = run_secret(task.id, number)
        smoke, full = (draw(task, secret, size, "search") for size in ("smoke", "default"))
        if smoke[0].inputs["x"][0] > 0 > min(one.inputs["x"][0] for one in full):
            return number
    raise AssertionError("no such seed")


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    endpoint, directory = Endpoint(Model()), tmp_path_factory.mktemp("runs") / "failing"
    settings = (
        f"llm.models.scripted.base_url={endpoint.url}",
        "llm.models.scripted.api_key_env=null",
        "llm.operators={diff: 1}",
        "llm.repairs=1",
        "llm.warm_start=0",
        "llm.concurrency=1",
        "llm.backoff_seconds=0.01",
        "selection={parents: baseline, inspirations: 0}",
        "islands.count=1",
    )
    options = {"workers": 1, "in_flight": 1, "certify": False, "proposer": "llm", "budget__evaluations": 11}
    with serving(endpoint):
        start(str(LINEAR), run_config(None, settings, seed=seed(), **options), directory)
    return directory


@pytest.mark.parametrize(("stage", "kind"), [(stage, kind) for stage, _, kind in CASES])
def test_a_failure_is_shown_and_reported(
    stage: str, kind: str, failing: Path, command: Command, tmp_path: Path
) -> None:
    rows = json.loads(command("show", failing, "--failures", "--json").out)
    found = [row for row in rows if row["stage"] == stage and kind in row["kind"]]
    assert len(found) == 1, rows
    assert found[0]["count"] >= 1
    assert found[0]["example"]
    if stage in ("smoke instances", "evaluation"):
        assert len(found[0]["program"]) == 64
    assert command("report", failing, "-o", tmp_path / "page.html").status == 0
    assert found[0]["kind"] in html.unescape((tmp_path / "page.html").read_text())


def test_the_elites_are_followed_by_what_went_wrong(failing: Path, command: Command) -> None:
    said = command("show", failing)
    assert "what went wrong" in said.out
    assert "smoke instances" in said.out
    refused = command("show", failing, "--failures", "--trace")
    assert refused.status == 2
    assert "leave out HASH and --trace" in refused.err
