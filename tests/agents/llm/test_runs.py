"""Whole runs against an endpoint whose model says good and bad things."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from speciate.archive import Evaluated, Event, Journal, JournalError, Proposed, Replied, verify
from speciate.archive import replay as replayed_state
from speciate.discovery.config import ConfigError
from speciate.discovery.landing import RunFailed
from speciate.discovery.opened import Outcome
from speciate.discovery.run import resume, start
from speciate.discovery.setup import run_config

from .endpoint import Endpoint, Reply
from .model import diff, factor_of, improver

LINEAR = Path(__file__).parent.parent.parent / "toy_tasks" / "linear"
PRICED = ("llm.models.scripted.input_price=2", "llm.models.scripted.output_price=8")
SET = ("--set", "certify=false", "--set", "llm.warm_start=0")
TIMES = {"seconds", "cpu_seconds", "wall_seconds", "peak_memory", "load", "baseline_cpu"}


def scripted(endpoint: Endpoint, settings: tuple[str, ...] = (), **values: Any) -> Any:
    base = (
        f"llm.models.scripted.base_url={endpoint.url}",
        "llm.models.scripted.api_key_env=null",
        "llm.warm_start=0",
    )
    options = {"workers": 1, "seed": 3, "certify": False, "llm__backoff_seconds": 0.05, "proposer": "llm"} | values
    return run_config(None, (*base, *PRICED, *settings), **options)


def run(endpoint: Endpoint, directory: Path, settings: tuple[str, ...] = (), **values: Any) -> Outcome:
    return start(str(LINEAR), scripted(endpoint, settings, **values), directory)


def events(directory: Path) -> list[Event]:
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        return [event for _, _, event in journal.events()]


def journal_problems(directory: Path) -> tuple[str, ...]:
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        return verify(journal).problems


def story(directory: Path) -> list[str]:
    """The journal but for measured times; replies and traces, which come in any order, are sorted to the front."""
    told = [event for event in events(directory) if event.kind not in ("run_started", "resumed", "stopped")]
    lines = [(event.kind, json.dumps(plain(event.model_dump(mode="json")), sort_keys=True)) for event in told]
    unordered = [line for kind, line in lines if kind in ("replied", "traced")]
    return [*sorted(unordered), *(line for kind, line in lines if kind not in ("replied", "traced"))]


def plain(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: plain(value) for key, value in document.items() if key not in TIMES}
    return [plain(value) for value in document] if isinstance(document, list) else document


def test_a_run_climbs_though_most_replies_are_bad(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(improver)
    outcome = run(endpoint, tmp_path / "run", budget__evaluations=30)
    assert outcome.stopped_by == "evaluations"
    assert outcome.score is not None
    assert outcome.score > 0.5
    told = events(tmp_path / "run")
    replies = [event for event in told if isinstance(event, Replied)]
    assert len(replies) == len(endpoint.requests)
    assert outcome.tokens == 150 * len(replies)
    assert outcome.usd == pytest.approx(len(replies) * 6e-4)
    assert outcome.unpriced_tokens == 0
    proposed = [event for event in told if isinstance(event, Proposed) and event.proposer == "llm"]
    hashes = {reply.prompt_hash for reply in replies}
    assert {event.prompt_hash for event in proposed} <= hashes
    assert {event.model for event in proposed} == {"scripted"}
    assert len({event.operator for event in proposed}) >= 2
    repaired = Counter(reply.index for reply in replies)
    assert max(repaired.values()) > 1
    assert journal_problems(tmp_path / "run") == ()


def test_the_same_replies_give_the_same_run_whatever_their_order(
    tmp_path: Path, serve: Callable[..., Endpoint]
) -> None:
    def wavering(messages: list[dict[str, str]], number: int) -> Reply:
        reply = improver(messages, number)
        return Reply(reply.text, silent=0.05 * (number * 7 % 5))

    run(serve(improver), tmp_path / "one", budget__evaluations=25)
    run(serve(wavering), tmp_path / "two", budget__evaluations=25)
    assert story(tmp_path / "one") == story(tmp_path / "two")


def test_a_replay_needs_no_endpoint_and_gives_the_same_journal(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(improver)
    run(endpoint, tmp_path / "run", budget__evaluations=20)
    asked = len(endpoint.requests)
    config = run_config(None, replay=tmp_path / "run")
    start(str(LINEAR), config, tmp_path / "again")
    assert len(endpoint.requests) == asked
    assert story(tmp_path / "again") == story(tmp_path / "run")


def test_a_replay_that_asks_something_new_says_so(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    run(serve(improver), tmp_path / "run", budget__evaluations=10)
    config = run_config(None, replay=tmp_path / "run", budget__evaluations=40)
    with pytest.raises(RunFailed, match="replayed run has no reply"):
        start(str(LINEAR), config, tmp_path / "again")
    other = LINEAR.parent / "timed"
    with pytest.raises(ConfigError, match="run of task 'linear'"):
        start(str(other), run_config(None, replay=tmp_path / "run"), tmp_path / "other")


def test_money_stops_the_run_before_it_is_overspent(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    limits = ("llm.models.scripted.max_prompt_tokens=1500", "llm.models.scripted.max_output_tokens=100")
    outcome = run(serve(improver), tmp_path / "run", (*limits, "budget.usd=0.06"), budget__evaluations=500)
    assert outcome.stopped_by == "usd"
    assert 0.03 < outcome.usd <= 0.06
    config = scripted(serve(improver), (*limits, "budget.usd=0.01"))
    with pytest.raises(ConfigError, match="does not pay for one proposal"):
        start(str(LINEAR), config, tmp_path / "poor")
    assert not (tmp_path / "poor").exists()


def test_tokens_stop_the_run_too(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    limits = ("llm.models.scripted.max_prompt_tokens=1500", "llm.models.scripted.max_output_tokens=100")
    outcome = run(serve(improver), tmp_path / "run", limits, budget__tokens=15_000)
    assert outcome.stopped_by == "tokens"
    assert outcome.tokens <= 15_000


def test_an_endpoint_that_dies_leaves_a_run_that_goes_on(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    whole = serve(improver)
    run(whole, tmp_path / "whole", budget__evaluations=20)

    def dying(messages: list[dict[str, str]], number: int) -> Reply:
        return improver(messages, number) if number < 12 or revived else Reply("dead", status=500)

    revived: list[bool] = []
    endpoint = serve(dying)
    with pytest.raises(RunFailed, match=r"status 500.*speciate resume"):
        run(endpoint, tmp_path / "run", ("llm.tries=2",), budget__evaluations=20)
    revived.append(True)
    resume(tmp_path / "run")
    assert set(programs(tmp_path / "run")) == set(programs(tmp_path / "whole"))
    assert len(endpoint.answered) == count(tmp_path / "run", Replied)


def programs(directory: Path) -> list[tuple[int, str]]:
    return [(event.index, event.program) for event in events(directory) if isinstance(event, Proposed)]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "speciate", *map(str, arguments), "--json"]


def begin(endpoint: Endpoint, directory: Path, evaluations: int) -> list[str]:
    options = ("--evaluations", evaluations, "--seed", 3, "--workers", 1, *SET)
    return command("run", LINEAR, "--model", f"scripted@{endpoint.url}", *options, "--out", directory)


def count(directory: Path, kind: type) -> int:
    try:
        return sum(isinstance(event, kind) for event in events(directory))
    except JournalError:
        return 0


@pytest.mark.slow
def test_kills_in_the_middle_pay_for_no_reply_twice(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    def slow(messages: list[dict[str, str]], number: int) -> Reply:
        return Reply(improver(messages, number).text, silent=0.2 + 0.1 * (number % 3))

    whole = serve(improver)
    subprocess.run(begin(whole, tmp_path / "whole", 30), check=True, capture_output=True)
    endpoint, directory = serve(slow), tmp_path / "run"
    process = subprocess.Popen(begin(endpoint, directory, 30), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kills = 0
    for goal in (4, 9, 15):
        deadline = time.monotonic() + 120
        while count(directory, Evaluated) < goal and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.03)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        time.sleep(0.5)
        process = subprocess.Popen(command("resume", directory), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert process.wait(180) == 0
    assert kills == 3
    recorded = Counter(event.prompt_hash for event in events(directory) if isinstance(event, Replied))
    assert max(recorded.values()) == 1
    assert programs(directory) == programs(tmp_path / "whole")
    # What was on the wire when the process died is lost to it: at most the calls that were in flight, at each kill.
    assert len(endpoint.requests) - len(recorded) <= 8 * kills
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        assert verify(journal).problems == ()
        state = replayed_state(journal)
    assert state.spent.tokens == 150 * len(recorded)


def test_a_reply_in_the_journal_is_not_asked_for_again(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    """The process dies after some replies were written and before their proposals were."""
    gate: list[bool] = []

    def held(messages: list[dict[str, str]], number: int) -> Reply:
        deadline = time.monotonic() + 600
        while number == 0 and not gate and time.monotonic() < deadline:
            time.sleep(0.02)
        return improver(messages, number)

    endpoint, directory = serve(held), tmp_path / "run"
    process = subprocess.Popen(begin(endpoint, directory, 12), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 90
    while count(directory, Replied) < 7 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    gate.append(True)
    lost = len(endpoint.requests) - count(directory, Replied)
    assert lost >= 1
    done = subprocess.run(command("resume", directory), check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["evaluations"] == 12
    assert len(endpoint.requests) == count(directory, Replied) + lost
    recorded = Counter(event.prompt_hash for event in events(directory) if isinstance(event, Replied))
    assert max(recorded.values()) == 1


def test_what_no_price_is_known_of_is_said(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(improver)
    done = subprocess.run(begin(endpoint, tmp_path / "run", 5), check=True, capture_output=True, text=True)
    cost = json.loads(done.stdout)["cost"]
    assert cost["unpriced_tokens"] == cost["tokens"] > 0
    refused = subprocess.run(
        [*begin(endpoint, tmp_path / "other", 5), "--usd", "1"], check=False, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "price of model 'scripted' is unknown" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_repair_shows_the_model_what_went_wrong(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    def stumbling(messages: list[dict[str, str]], number: int) -> Reply:
        now, last = factor_of(messages[1]["content"]), messages[-1]["content"]
        if len(messages) == 2:
            return Reply(diff("FACTOR = 77", "FACTOR = 2", "Wrong lines."))
        if "FACTOR = 77" in last and "most like them" in last:
            return Reply(diff(f"FACTOR = {now}", f"FACTOR = {float(now) + 0.1} / nothing"))
        if "NameError" in last and "nothing" in last:
            return Reply(
                f"```python\nimport numpy as np\n\n\ndef solve(x):\n    return {float(now) + 0.1:.3f} * x\n```"
            )
        return Reply("What?")

    endpoint = serve(stumbling)
    run(endpoint, tmp_path / "run", budget__evaluations=2, in_flight=1, llm__concurrency=1)
    first = [event for event in events(tmp_path / "run") if isinstance(event, Proposed)][1]
    assert "EVOLVE-BLOCK-START" in first.files["program.py"]
    assert "return 1.500 * x" in first.files["program.py"]
    assert first.tokens == 450


def test_a_plan_is_asked_for_first_where_that_is_wanted(tmp_path: Path, serve: Callable[..., Endpoint]) -> None:
    def planning(messages: list[dict[str, str]], number: int) -> Reply:
        if len(messages) == 2:
            return Reply("The factor is too small.")
        now = factor_of(messages[1]["content"])
        return Reply(diff(f"FACTOR = {now}", f"FACTOR = {float(now) + 0.1:.4f}", ""))

    endpoint = serve(planning)
    run(endpoint, tmp_path / "run", budget__evaluations=2, llm__plan=True, llm__concurrency=1)
    first = [event for event in events(tmp_path / "run") if isinstance(event, Proposed)][1]
    assert first.rationale == "The factor is too small."
    assert first.tokens == 300
    assert "Do not write the program yet" in endpoint.requests[0]["messages"][-1]["content"]
    assert [one["role"] for one in endpoint.requests[1]["messages"]] == ["system", "user", "assistant", "user"]
