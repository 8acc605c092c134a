"""Containers come and go with their slot, and what is missing is said in one line."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from speciate.sandbox import Backend, Limits, NoJail, Sandbox, SandboxError, SandboxSpec, open_sandbox
from speciate.sandbox.docker.container import Container
from speciate.sandbox.docker.engine import connect

SPEC = SandboxSpec(backend=Backend.DOCKER)
FILES = {"program.py": "import time\ndef f(): return 1\ndef g(): time.sleep(60)"}
SUPERVISOR = """
from speciate.sandbox import *
files = {"program.py": "def f():\\n    while True: pass"}
with open_sandbox(SandboxSpec(backend=Backend.DOCKER)) as sandbox:
    with sandbox.process(files, Limits(cpu_seconds=60, wall_seconds=60)) as process:
        print(sandbox.pid, process._pid, flush=True)
        process.call("f", {})
"""


def running(sandbox: Sandbox) -> Any:
    """The container of a slot, as the engine's library knows it."""
    enclosure = sandbox._zygote.enclosure
    assert isinstance(enclosure, Container)
    return enclosure._running


def slots() -> list[str]:
    client = connect()
    try:
        return [str(one.id) for one in client.containers.list(all=True, filters={"label": "speciate=slot"})]
    finally:
        client.close()


def wait_until(condition) -> bool:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_kill_9_of_the_supervisor_leaves_nothing(engine):
    before = set(slots())
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    pids = supervisor.stdout.readline().split()
    assert len(pids) == 2
    assert len(set(slots()) - before) == 1
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert wait_until(lambda: set(slots()) == before)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_closing_leaves_nothing(engine):
    before, folders = set(slots()), set(Path(tempfile.gettempdir()).glob("speciate-*"))
    with open_sandbox(SPEC) as sandbox, sandbox.process(FILES, Limits()) as process:
        assert process.call("f", {}) == 1
        assert len(set(slots()) - before) == 1
    assert set(slots()) == before
    assert set(Path(tempfile.gettempdir()).glob("speciate-*")) <= folders


def test_the_container_has_what_is_promised(engine):
    before = set(slots())
    client = connect()
    with open_sandbox(SPEC), contextlib.closing(client):
        (name,) = set(slots()) - before
        told = client.api.inspect_container(name)
    host = told["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert not host["Privileged"]
    assert host["PidsLimit"] < 100
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["CpusetCpus"]
    assert set(host["Tmpfs"]) >= {"/tmp", "/dev/shm"}
    assert [mount["RW"] for mount in told["Mounts"]] == [False]
    assert told["Config"]["User"].partition(":")[0] not in ("", "0", "root")


def test_a_dead_container_is_replaced(engine):
    with open_sandbox(SPEC) as sandbox:
        running(sandbox).kill()
        with sandbox.process(FILES, Limits()) as process:
            assert process.call("f", {}) == 1


def test_a_container_that_dies_under_a_process_is_no_fault_of_the_candidate(engine):
    with open_sandbox(SPEC) as sandbox:
        with pytest.raises(SandboxError), sandbox.process(FILES, Limits()) as process:  # noqa: PT012
            running(sandbox).kill()
            process.call("g", {})
        with sandbox.process(FILES, Limits()) as process:
            assert process.call("f", {}) == 1


def test_two_candidates_never_share_a_container(engine):
    """They would see each other's files; whose fault it is not gets no state."""
    with open_sandbox(SPEC) as sandbox, pytest.raises(SandboxError):  # noqa: SIM117
        with sandbox.process(FILES, Limits()) as first, sandbox.process(FILES, Limits()):
            first.call("f", {})


def test_more_memory_for_a_candidate_that_may_use_more(engine):
    source = "import numpy as np\ndef f(): return float(np.ones(300 << 20, np.uint8).sum())"
    many = Limits(memory_bytes=4 << 30)
    with open_sandbox(SPEC) as sandbox:
        with sandbox.process({"program.py": source}, many) as process:
            assert process.call("f", {}) == 300 << 20
        client = connect()
        with contextlib.closing(client):
            told = client.api.inspect_container(running(sandbox).id)
    assert told["HostConfig"]["Memory"] > 4 << 30


def test_helpers_are_there_read_only(engine, tmp_path):
    (tmp_path / "tools.py").write_text("def twice(x): return 2 * x\n")
    source = "import helpers.tools\ndef f(): return helpers.tools.twice(4)"
    spec = SandboxSpec(backend=Backend.DOCKER, helpers=tmp_path)
    with open_sandbox(spec) as sandbox, sandbox.process({"program.py": source}, Limits()) as process:
        assert process.call("f", {}) == 8


def test_without_an_engine_one_line_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    with pytest.raises(NoJail, match=r"no Docker engine answers.*speciate doctor --build-image") as caught:
        open_sandbox(SPEC)
    assert "\n" not in str(caught.value)


def test_an_engine_elsewhere_is_refused(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    with pytest.raises(NoJail, match="must be on this machine"):
        open_sandbox(SPEC)


def test_without_an_image_one_line_says_what_to_do(engine, monkeypatch):
    monkeypatch.setattr("speciate.sandbox.docker.image.IMAGE", "speciate-none")
    with pytest.raises(NoJail, match=r"no image.*run 'speciate doctor --build-image'"):
        open_sandbox(SPEC)


def test_an_image_without_a_module_says_how_to_get_it(engine):
    with pytest.raises(NoJail, match="lacks yaml: run 'speciate doctor --build-image --with yaml'"):
        open_sandbox(SandboxSpec(backend=Backend.DOCKER, imports=("numpy", "yaml")))


def test_an_image_whose_interpreter_does_not_start_says_why(engine, monkeypatch):
    monkeypatch.setattr("speciate.sandbox.docker.container.SITE", "/nowhere")
    with pytest.raises(SandboxError, match=r"did not start: .*No module named 'numpy'"):
        open_sandbox(SPEC)
