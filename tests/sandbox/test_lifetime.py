"""What is left when a part dies: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from speciate.sandbox import CandidateFailed, Limits, NoJail, SandboxError, SandboxSpec, open_sandbox, probe_tier

FILES = {"program.py": "import time\ndef f(): return 1\ndef g(): time.sleep(60)"}
SUPERVISOR = """
import sys
from speciate.sandbox import *
files = {"program.py": "import time\\ndef f():\\n    while True: time.sleep(0.01)"}
with open_sandbox(SandboxSpec(backend=Backend(sys.argv[1]))) as sandbox:
    with sandbox.process(files, Limits(wall_seconds=60)) as process:
        print("running", flush=True)
        process.call("f", {})
"""


def descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("kind", ["bubblewrap", "unsafe"])
def test_kill_9_of_the_supervisor_leaves_no_process(kind):
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR, kind], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "running\n"
    time.sleep(0.1)
    family = descendants(supervisor.pid)
    assert len(family) >= 2
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert wait_until(lambda: not any(map(alive, family)))


def test_closing_leaves_no_process():
    before = set(descendants(os.getpid()))
    with open_sandbox(SandboxSpec()) as sandbox, sandbox.process(FILES, Limits()) as process:
        process.call("f", {})
        family = set(descendants(os.getpid())) - before
    assert len(family) >= 3
    assert wait_until(lambda: not any(map(alive, family)))


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not alive(pid))


def test_a_dead_zygote_is_replaced():
    with open_sandbox(SandboxSpec()) as sandbox:
        for _ in range(2):
            kill(sandbox.pid)
            with sandbox.process(FILES, Limits()) as process:
                assert process.call("f", {}) == 1


def test_a_zygote_that_dies_under_a_process_is_no_fault_of_the_candidate():
    with open_sandbox(SandboxSpec()) as sandbox:
        with pytest.raises(SandboxError), sandbox.process(FILES, Limits()) as process:  # noqa: PT012
            kill(sandbox.pid)
            process.call("g", {})
        with sandbox.process(FILES, Limits()) as process:
            assert process.call("f", {}) == 1


def test_an_exception_of_ours_ends_the_process(tmp_path):
    with open_sandbox(SandboxSpec()) as sandbox:
        with pytest.raises(KeyError), sandbox.process(FILES, Limits()) as process:  # noqa: PT012
            process.call("f", {})
            raise KeyError
        assert process.usage.cpu_seconds >= 0


def test_without_bubblewrap_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr("speciate.sandbox.slot.bwrap_programs", lambda: iter(()))
    with pytest.raises(NoJail, match="install bubblewrap") as caught:
        open_sandbox(SandboxSpec())
    assert "\n" not in str(caught.value)


def test_where_bubblewrap_fails_one_line_says_why(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr("speciate.sandbox.slot.bwrap_programs", lambda: iter([str(broken)]))
    with pytest.raises(NoJail, match="setting up uid map") as caught:
        open_sandbox(SandboxSpec())
    assert "\n" not in str(caught.value)
    report = probe_tier()
    assert not report.contained
    assert report.advice


def test_probe_says_what_holds():
    report = probe_tier()
    assert report.contained
    assert report.tier in ("full", "namespaces")
    assert all(isinstance(value, str) for value in report.layers.values())


def test_failures_say_what_they_are():
    with open_sandbox(SandboxSpec()) as sandbox, sandbox.process(FILES, Limits(wall_seconds=0.2)) as process:  # noqa: SIM117
        with pytest.raises(CandidateFailed, match=r"no reply within 0\.2 s"):
            process.call("g", {})
