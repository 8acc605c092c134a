"""Drafts of a scripted model are tried, what is wrong goes back, and only a sound task is written."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from speciate.agents.formulation import Formulated, FormulationError, Order, Refused, formulate
from speciate.agents.llm import LLMSettings, ModelSettings
from speciate.evaluators import check_task, load_task
from speciate.sandbox import Backend, SandboxSpec, open_sandbox

from ..llm.endpoint import Endpoint, Reply, serving
from .model import BASELINE, CRASHING, DESCRIPTION, PROBLEM, REFERENCE, RETURNS, TURNED, reply, saying

Formulate = Callable[..., Formulated]


@pytest.fixture
def endpoint() -> Iterator[Callable[[list[str]], Endpoint]]:
    with ExitStack() as stack:
        yield lambda texts: stack.enter_context(serving(Endpoint(saying(texts))))


def formulated(endpoint: Endpoint, directory: Path, said: list[str] | None = None, **options: Any) -> Formulated:
    model = ModelSettings(base_url=endpoint.url, api_key_env=None, input_price=2.0, output_price=8.0)
    settings = LLMSettings(models={"scripted": model}, tries=2, backoff_seconds=0.05)
    order = Order(**({"description": DESCRIPTION, "directory": directory, "settings": settings} | options))
    return asyncio.run(formulate(order, (said if said is not None else []).append))


def log(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "formulation.jsonl").read_text().splitlines()]


def problems(directory: Path) -> list[str]:
    return [one["problem"] for one in log(directory) if one["kind"] == "tried" and not one["accepted"]]


def test_a_model_that_errs_twice_is_accepted_in_round_three(
    endpoint: Callable[[list[str]], Endpoint], tmp_path: Path
) -> None:
    server, folder, said = endpoint([reply(TURNED), reply(CRASHING), reply()]), tmp_path / "van", []
    done = formulated(server, folder, said)
    first, second = problems(folder)
    assert done.problems == (first, second)
    assert "direction is wrong" in first
    assert "the judge in problem.py fails" in second
    assert "no_such_key" in second
    assert f"problem.py, line {PROBLEM.splitlines().index(RETURNS) + 1}" in second
    assert [line.split(":")[0] for line in said] == ["round 1 of 3", "round 2 of 3"]
    assert "direction is wrong" in server.prompts[1]
    assert [one["kind"] for one in log(folder)] == ["replied", "tried"] * 3
    assert done.cost.tokens == 3 * 150
    assert done.cost.usd == pytest.approx(3 * (100 * 2 + 50 * 8) / 1e6)
    assert not (folder / "drafts").exists()
    task = load_task(str(folder))
    assert task.task.id == "van"
    assert not [name for name in sys.modules if name.endswith(".problem")]
    with open_sandbox(SandboxSpec()) as sandbox:
        result = check_task(task, sandbox)
    assert result.ok, result.reason


def test_one_round_is_refused_and_more_go_on_from_it(endpoint: Callable[[list[str]], Endpoint], tmp_path: Path) -> None:
    server, folder = endpoint([reply(TURNED), reply()]), tmp_path / "van"
    with pytest.raises(Refused, match=r"after 1 round.*direction is wrong"):
        formulated(server, folder, rounds=1)
    assert not (folder / "task.py").exists()
    assert (folder / "drafts" / "round_1" / "problem.py").read_text() == TURNED
    with (folder / "formulation.jsonl").open("a") as file:
        file.write('{"kind": "replied", "torn by a kill')
    formulated(server, folder, rounds=2)
    assert len(server.requests) == 2, "the first reply was paid for already"
    assert (folder / "task.py").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I cannot do that.", "no block for json, problem.py, baseline.py, reference.py"),
        (reply(objective={"name": "share"}), "objective.direction"),
        (reply(entry="def load(weights, bulk)"), "'bulk', which is neither"),
        (reply(imports=["os"]), "imports.0"),
        (reply(problem=PROBLEM.replace("def instances", "def examples")), "instances"),
        (reply(problem=PROBLEM.replace("import numpy as np", "import numpy as np\nimport requests")), "requests"),
        (reply(problem=PROBLEM.replace("float(weights.sum() / 4)", "object()")), "plain data"),
        (reply(problem=PROBLEM.replace('"share": ', '"worth": ')), "no metric 'share', which is the objective"),
        (reply(problem=PROBLEM.replace("    if not (", "    if False and not (")), "random outputs"),
        (
            reply(problem=PROBLEM.replace(RETURNS, RETURNS[:-1] + " + np.random.default_rng().normal()}")),
            "not deterministic",
        ),
        (reply(baseline=BASELINE.replace("return taken", "return 1 / 0")), "baseline.py is crashed"),
        (reply(baseline=BASELINE.replace("if weights", "if -weights")), "baseline.py is invalid"),
        (reply(baseline=REFERENCE), "is not better"),
        (reply(descriptors=[{"name": "speed", "low": 0, "high": 1}]), "descriptor 'speed'"),
        (reply(descriptors=[{"name": "code_size", "low": 9, "high": 1}]), "low < high"),
        (reply(title="two\nlines"), "title"),
        (reply(reference=REFERENCE.replace("def load", "def pack")), "reference.py: it must define the function load"),
    ],
)
def test_what_is_wrong_is_named(
    text: str, words: str, endpoint: Callable[[list[str]], Endpoint], tmp_path: Path
) -> None:
    with pytest.raises(Refused):
        formulated(endpoint([text]), tmp_path / "van", rounds=1)
    (problem,) = problems(tmp_path / "van")
    assert words in problem
    assert str(tmp_path) not in problem


def test_a_judge_that_accepts_anything_is_found_out(endpoint: Callable[[list[str]], Endpoint], tmp_path: Path) -> None:
    lax = PROBLEM.replace("    taken = as_array", '    if output is None: return {"share": 0.0}\n    taken = as_array')
    blind = PROBLEM.replace(RETURNS, '    return {"share": 0.5 + 0.1 * float(inputs["weights"][0] > 5)}')
    with pytest.raises(Refused):
        formulated(endpoint([reply(lax), reply(blind)]), tmp_path / "van", rounds=2)
    first, second = problems(tmp_path / "van")
    assert "accepts None" in first
    assert "'share'" in second


def test_what_a_model_writes_reaches_no_file_of_the_user(
    endpoint: Callable[[list[str]], Endpoint], tmp_path: Path
) -> None:
    """In problem.py, and in words that would be code if they were not quoted."""
    mark = tmp_path / "mark"
    attack = f"open({str(mark)!r}, 'w').write('x')"
    evil = PROBLEM.replace("def one", f"try:\n    {attack}\nexcept Exception:\n    pass\n\n\ndef one")
    words = f'""" + {attack} + """ {{{{ {attack} }}}}'
    record = {"statement": f"{words}\n' + {attack} + '\n", "claim": words, "title": words, "method": words}
    formulated(endpoint([reply(evil, **record)]), tmp_path / "van")
    folder = load_task(str(tmp_path / "van"))
    assert folder.task.claim == words
    with open_sandbox(SandboxSpec()) as sandbox:
        assert check_task(folder, sandbox).ok
    assert not mark.exists()


def test_limits_are_kept_before_a_call_is_made(endpoint: Callable[[list[str]], Endpoint], tmp_path: Path) -> None:
    server = endpoint([reply(TURNED), reply()])
    with pytest.raises(FormulationError, match="tokens"):
        formulated(server, tmp_path / "a", tokens=500)
    with pytest.raises(FormulationError, match=r"\$"):
        formulated(server, tmp_path / "b", usd=0.01)
    assert server.requests == []
    with pytest.raises(FormulationError, match="shorten it"):
        formulated(server, tmp_path / "c", description="word " * 9000)
    with pytest.raises(FormulationError, match="jail"):
        formulated(server, tmp_path / "d", backend=Backend.UNSAFE)
    assert not any(tmp_path.iterdir())


def test_a_reply_that_breaks_off_is_told_so(tmp_path: Path) -> None:
    def script(messages: list[dict[str, str]], number: int) -> Reply:
        return Reply(reply()[:200], finish="length") if number == 0 else Reply(reply())

    with serving(Endpoint(script)) as server:
        done = formulated(server, tmp_path / "van")
    assert "broke off at its limit" in done.problems[0]


def test_an_endpoint_that_fails_is_one_line_and_the_replies_stay(tmp_path: Path) -> None:
    def script(messages: list[dict[str, str]], number: int) -> Reply:
        return (
            Reply(reply(TURNED)) if number == 0 else Reply("overloaded", status=503) if number < 3 else Reply(reply())
        )

    with serving(Endpoint(script)) as server:
        with pytest.raises(FormulationError, match=r"overloaded.*150 tokens.*same command") as raised:
            formulated(server, tmp_path / "van")
        assert "\n" not in str(raised.value)
        assert formulated(server, tmp_path / "van").cost.tokens == 300


def test_words_of_a_draft_hold_no_control_characters(endpoint: Callable[[list[str]], Endpoint], tmp_path: Path) -> None:
    said: list[str] = []
    loud = PROBLEM.replace('"share": ', '"\\x1b[2Jshare": ')
    with pytest.raises(Refused):
        formulated(endpoint([reply(loud)]), tmp_path / "van", said, rounds=1)
    assert "\x1b" not in said[0]
    assert "[2Jshare" in said[0]
    done = formulated(endpoint([reply(statement="clear \x1b[2J it")]), tmp_path / "other")
    assert "\x1b" not in load_task(str(done.task)).task.statement
