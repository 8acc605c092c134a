"""The control group of a slot, against the kernel's own; skipped where this process may not make one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from speciate.sandbox import MIB, CandidateFailed, Failure, Limits, Sandbox, SandboxSpec, open_sandbox, probe_tier
from speciate.sandbox.cgroup import missing
from speciate.sandbox.hierarchy import Unavailable, places
from speciate.sandbox.inside.confine import Layer
from speciate.sandbox.slot import start_zygote

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"no control group here: {missing()}")

FAMILY = """
import os, time, numpy as np
def f(children, mib):
    pids = []
    for _ in range(children):
        pid = os.fork()
        if pid == 0:
            kept = np.ones(mib << 20, np.uint8)
            time.sleep(1)
            os._exit(0)
        pids.append(pid)
    return [os.waitpid(pid, 0)[1] for pid in pids]
"""


def groups(pid: int) -> set[str]:
    """Of one process: those of others come and go."""
    return {path.name for place in places() for path in place.folder.glob(f"speciate-{pid}-*")}


@pytest.fixture
def unfiltered():
    """A jail whose candidates can fork, as on a machine without a system call filter."""
    with Sandbox(SandboxSpec(), start_zygote(SandboxSpec(), omitted=(Layer.SYSTEM_CALLS,))) as sandbox:
        yield sandbox


def ended_by_the_kernel(outcome: list[int] | Failure) -> bool:
    return outcome is Failure.MEMORY if isinstance(outcome, Failure) else signal.SIGKILL in outcome


def family(sandbox: Sandbox, children: int, mib: int, limits: Limits) -> list[int] | Failure:
    with sandbox.process({"program.py": FAMILY}, limits) as process:
        try:
            return process.call("f", {"children": children, "mib": mib})
        except CandidateFailed as failed:
            return failed.failure


def test_a_family_of_processes_cannot_exceed_the_memory_together(unfiltered):
    limits = Limits(memory_bytes=256 * MIB, tmp_bytes=MIB)
    assert family(unfiltered, 2, 100, limits) == [0, 0]
    # Each of them alone is within the limit.
    outcome = family(unfiltered, 6, 200, limits)
    assert ended_by_the_kernel(outcome)
    assert family(unfiltered, 2, 100, limits) == [0, 0]


def test_the_limit_follows_that_of_the_candidate(unfiltered):
    wide, narrow = Limits(memory_bytes=900 * MIB), Limits(memory_bytes=128 * MIB, tmp_bytes=MIB)
    assert family(unfiltered, 3, 200, wide) == [0, 0, 0]
    outcome = family(unfiltered, 6, 100, narrow)
    assert ended_by_the_kernel(outcome)
    assert family(unfiltered, 3, 200, wide) == [0, 0, 0]


def test_a_family_is_bounded_in_number(unfiltered):
    assert family(unfiltered, 200, 1, Limits(threads=16)) == Failure.CRASHED


def test_no_group_is_left():
    before = groups(os.getpid())
    with open_sandbox(SandboxSpec()) as sandbox:
        assert len(groups(os.getpid()) - before) == 1  # version 1 has it twice, of the same name
        assert family(sandbox, 0, 0, Limits()) == []
    assert groups(os.getpid()) == before


def test_groups_of_a_killed_process_are_swept():
    script = "import os; from speciate.sandbox import *; open_sandbox(SandboxSpec()); os.kill(os.getpid(), 9)"
    killed = subprocess.Popen([sys.executable, "-c", script])
    killed.wait()
    assert len(groups(killed.pid)) == 1
    with open_sandbox(SandboxSpec()):
        pass
    assert not groups(killed.pid)


def test_the_doctor_says_so():
    assert "together by a control group" in probe_tier().layers["memory limit"]


def test_where_no_group_can_be_made_limits_hold_for_each_process(monkeypatch):
    def nowhere():
        raise Unavailable("/groups may not be written to")

    monkeypatch.setattr("speciate.sandbox.cgroup.places", nowhere)
    assert missing() == "/groups may not be written to"
    with open_sandbox(SandboxSpec()) as sandbox:
        assert family(sandbox, 0, 0, Limits()) == []
    assert "no control group: /groups" in probe_tier().layers["memory limit"]
