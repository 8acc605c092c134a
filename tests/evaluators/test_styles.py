"""A session: fresh processes on one instance that share one limit."""

from collections.abc import Iterator

import numpy as np
import pytest

from speciate.evaluators import Session
from speciate.sandbox import CandidateFailed, Failure, Limits, Process, Sandbox, SandboxSpec, open_sandbox

SOURCE = """
import time
seen = []

def remember(x):
    seen.append(x)
    print("saw", x)
    return list(seen)

def work(seconds):
    begin = time.process_time()
    while time.process_time() - begin < seconds:
        pass
    return 1
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec()) as opened:
        yield opened


def session(sandbox: Sandbox, limits: Limits = Limits()) -> Session:  # noqa: B008 - frozen
    return Session(sandbox, {"program.py": SOURCE}, limits)


def test_calls_share_nothing_but_a_process_does(sandbox: Sandbox) -> None:
    one = session(sandbox)
    assert [one.call("remember", {"x": n}) for n in range(2)] == [[0], [1]]
    with one.process() as process:
        assert [process.call("remember", {"x": n}) for n in range(2)] == [[0], [0, 1]]
    assert one.stdout.count("saw") == 4


def test_usage_adds_up_over_the_processes(sandbox: Sandbox) -> None:
    one = session(sandbox)
    one.call("work", {"seconds": 0.1})
    first = one.cpu_seconds
    one.call("work", {"seconds": 0.1})
    assert first >= 0.1
    assert one.cpu_seconds >= first + 0.1
    assert one.wall_seconds >= 0.2
    assert one.peak_memory > 1 << 20


def test_all_processes_together_stay_within_the_limit(sandbox: Sandbox) -> None:
    one = session(sandbox, Limits(cpu_seconds=0.5, wall_seconds=60.0))
    one.call("work", {"seconds": 0.2})
    with pytest.raises(CandidateFailed) as caught:
        one.call("work", {"seconds": 0.4})
    assert caught.value.failure is Failure.TIMEOUT
    with pytest.raises(CandidateFailed):
        one.call("work", {"seconds": 0.15})


def test_what_a_failed_process_used_is_counted(sandbox: Sandbox) -> None:
    one = session(sandbox)
    with pytest.raises(CandidateFailed):
        one.call("work", {"seconds": "many"})
    assert one.cpu_seconds > 0
    assert np.isfinite(one.cpu_seconds)


def test_an_interrupt_is_not_hidden_by_what_is_unknown_then(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(process: Process) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Process, "finish", interrupted)
    with open_sandbox(SandboxSpec()) as own:
        one = session(own)
        with pytest.raises(KeyboardInterrupt), one.process():
            pass
    assert one.cpu_seconds == 0.0
