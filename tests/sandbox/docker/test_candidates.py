"""Bad candidates in one container: each ends in the right state, and after each the next one is fine (see conftest)."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

import speciate
from speciate.evaluators.redteam import attack_suite
from speciate.sandbox import MIB, Backend, CandidateFailed, Failure, Limits, SandboxSpec, Tier, open_sandbox
from speciate.sandbox.jail import ENVIRONMENT, INSIDE

PRODUCT = Path(str(speciate.__file__)).parent
SHORT = Limits(cpu_seconds=0.3, wall_seconds=1.0)


@pytest.mark.parametrize(
    ("attempt", "failure"),
    [
        ("\n    while True: pass", Failure.TIMEOUT),
        ("time.sleep(60)", Failure.TIMEOUT),
        ("np.ones(8 << 30, np.uint8).sum()", Failure.MEMORY),
        ("[os.fork() for _ in range(50)]", Failure.FORBIDDEN),
        ("[subprocess.Popen(['/bin/true']) for _ in range(50)]", Failure.FORBIDDEN),
        ("[threading.Thread(target=time.sleep, args=(9,), daemon=True).start() for _ in range(50)]", Failure.CRASHED),
        ("os._exit(0)", Failure.CRASHED),
        ("os.abort()", Failure.CRASHED),
        ("ctypes.string_at(0)", Failure.CRASHED),
        ("open('/written', 'w')", Failure.FORBIDDEN),
        ("open('/site/numpy/written', 'w')", Failure.FORBIDDEN),
        ("open('/jail/inside/written', 'w')", Failure.FORBIDDEN),
        ("open('/dev/mqueue/written', 'w')", Failure.FORBIDDEN),
        ("os.kill(1, 9)", Failure.FORBIDDEN),
        ("os.setuid(0)", Failure.FORBIDDEN),
        ("socket.socket()", Failure.FORBIDDEN),
        ("open('/proc/1/mem', 'rb')", Failure.FORBIDDEN),
    ],
)
def test_ends_in_its_state(run, attempt, failure):
    modules = "ctypes, os, socket, subprocess, threading, time, numpy as np"
    assert run(f"import {modules}\ndef f(): {attempt}", SHORT).failure == failure


@pytest.mark.parametrize(
    "attempt",
    [
        "resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3))",
        "os.sched_setaffinity(1, {0})",
        "os.setpriority(os.PRIO_PROCESS, 1, 19)",
        "os.setpriority(os.PRIO_USER, 0, 19)",
        "os.chmod('/tmp', 0)",
        "os.utime('/tmp', (1, 1))",
        "os.setxattr('/dev/shm', 'user.note', b'left')",
    ],
)
def test_what_the_next_candidate_inherits_cannot_be_changed(run, attempt):
    assert run(f"import os, resource\ndef f(): {attempt}").failure == Failure.FORBIDDEN


def test_its_own_limits_can_be_lowered(run):
    lower = "resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9)); os.sched_setaffinity(0, os.sched_getaffinity(0))"
    source = f"import os, resource\ndef f(): {lower}"
    assert run(source).failed is None


@pytest.fixture
def without_landlock(engine, monkeypatch, tmp_path):
    """A container on a kernel without Landlock."""
    inside = tmp_path / "inside"
    shutil.copytree(INSIDE, inside)
    with (inside / "landlock.py").open("a") as file:
        file.write("\n\ndef version(): return 0\n")
    monkeypatch.setattr("speciate.sandbox.docker.container.INSIDE", inside)
    with open_sandbox(SandboxSpec(backend=Backend.DOCKER)) as opened:
        yield opened


def test_without_landlock_less_is_hidden_but_nothing_can_be_written_or_reached(without_landlock):
    def failure(attempt: str) -> Failure | None:
        with without_landlock.process({"program.py": f"def f(): {attempt}"}, SHORT) as process:
            try:
                process.call("f", {})
            except CandidateFailed as failed:
                return failed.failure
        return None

    assert failure("open('/proc/self/status')") is None
    for place in ("/written", "/site/written", "/jail/written", "/dev/written", "/dev/mqueue/written", "/proc/1/comm"):
        assert failure(f"open({place!r}, 'w')") == Failure.FORBIDDEN
    for name in ("mem", "maps", "environ"):
        assert failure(f"open('/proc/1/{name}')") == Failure.FORBIDDEN
    for exploit in ("R18", "R43", "X12"):
        assert all(finding.held for finding in attack_suite(without_landlock, exploit))


def test_cpu_is_read_from_outside(run):
    source = "import time\ntime.process_time = lambda: 0.0\ndef f():\n    while True: pass"
    outcome = run(source, Limits(cpu_seconds=0.3, wall_seconds=20))
    assert outcome.failure == Failure.TIMEOUT
    assert 0.3 <= outcome.usage.cpu_seconds < 0.5


def test_memory_in_small_pieces(run):
    source = "def f():\n    kept = []\n    while True: kept.append(bytearray(100_000))"
    outcome = run(source, Limits(memory_bytes=64 * MIB))
    assert outcome.failure == Failure.MEMORY
    assert outcome.usage.peak_memory < 200 * MIB


def test_flood_of_output_is_bounded(run):
    outcome = run("def f():\n    while True: print('x' * 100_000)", Limits(cpu_seconds=2, tmp_bytes=8 * MIB))
    assert outcome.failure == Failure.CRASHED
    assert len(outcome.usage.stdout) < 20_000


def test_a_killed_candidate_is_dead_with_all_its_threads(sandbox):
    source = """
import threading
def work():
    while True: pass
def f():
    for _ in range(3): threading.Thread(target=work, daemon=True).start()
    work()
"""
    with sandbox.process({"program.py": source}, Limits(cpu_seconds=0.3)) as process:
        pid = process._pid
        assert Path(f"/proc/{pid}").exists()
        with pytest.raises(Exception, match="of CPU"):
            process.call("f", {})
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("path", [PRODUCT, PRODUCT / "tasks", Path.home(), "/etc/shadow", "/var/run/docker.sock"])
def test_not_there(run, path):
    assert run("import os\ndef f(path): return os.path.exists(path)", path=str(path)).value is False


def test_what_a_candidate_sees(run, engine):
    source = """
        import ctypes, importlib, os
        def f():
            libc = ctypes.CDLL(None, use_errno=True)
            header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
            libc.capget(header, data)
            return {"environment": dict(os.environ), "root": 0 in (os.getuid(), os.getgid()),
                    "capabilities": list(data), "no new privileges": libc.prctl(39, 0, 0, 0, 0)}
    """
    assert run(source).value == {
        "environment": ENVIRONMENT,
        "root": False,
        "capabilities": [0] * 6,
        "no new privileges": 1,
    }


def test_the_product_cannot_be_imported(run):
    for name in ("speciate", "docker", "pytest"):
        assert run(f"import {name}\ndef f(): pass").failure == Failure.CRASHED


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_whatever_it_leaves_is_gone(run, place):
    leave = """
        import os
        def f(place):
            os.chdir(place)
            for name in (b"plain", b"\\xff\\n odd"):
                open(name, "w").close()
            os.symlink("/site", "link")
            os.symlink("link", "loop")
            os.mkdir("closed"); os.mkdir("closed/inner"); open("closed/inner/file", "w").close()
            os.chmod("closed/inner", 0); os.chmod("closed", 0)
            for _ in range(1500):
                os.mkdir("d" * 200); os.chdir("d" * 200)
            open("deep", "w").close()
            return 1
    """
    assert run(leave, Limits(), place=place).value == 1
    assert run("import os\ndef f(place): return os.listdir(place)", place=place).value == []


def test_private_files_are_bounded(run):
    source = """
        def f():
            for i in range(200):
                with open(f"/tmp/{i}", "wb") as file: file.write(bytes(1 << 20))
    """
    outcome = run(source, Limits())
    assert outcome.failure == Failure.CRASHED
    assert "No space left" in outcome.message


def test_output_is_that_of_the_other_jail(run):
    source = """
        import numpy as np
        def f(x):
            values, vectors = np.linalg.eigh(x @ x.T)
            return {"values": values, "sum": float(np.sin(x).sum()), "vectors": np.abs(vectors)}
    """
    x = np.random.default_rng(0).normal(size=(20, 20))
    here = run(source, x=x).value
    files = {"program.py": "\n".join(line[8:] for line in source.splitlines())}
    with open_sandbox(SandboxSpec()) as jail, jail.process(files, Limits()) as process:
        there = process.call("f", {"x": x})
    assert here["sum"] == there["sum"]
    assert all(np.array_equal(here[name], there[name]) for name in ("values", "vectors"))


def test_the_tier_is_told(sandbox):
    assert sandbox.tier is Tier.DOCKER


@pytest.mark.parametrize("id", ["R18", "R23", "R43", "X07", "X10", "X12"])
def test_exploits_that_a_container_could_let_through_are_held(sandbox, id):
    findings = list(attack_suite(sandbox, id))
    assert findings
    assert all(finding.held for finding in findings)


def test_wall_limit_is_kept(run):
    begin = time.monotonic()
    outcome = run("import time\ndef f(): time.sleep(60)", Limits(wall_seconds=0.3))
    assert outcome.failure == Failure.TIMEOUT
    assert outcome.usage.cpu_seconds < 0.1
    assert time.monotonic() - begin < 5
