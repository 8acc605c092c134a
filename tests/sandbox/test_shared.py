"""A jail in which an evaluator runs beside the program: both may start processes, and nothing else is allowed."""

from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from speciate.sandbox import CandidateFailed, Limits, Sandbox, SandboxSpec, Tier, open_sandbox

LIMITS = Limits(cpu_seconds=20, wall_seconds=40)


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec(shared=True)) as sandbox:
        yield sandbox


def answer(sandbox: Sandbox, source: str) -> Any:
    with sandbox.process({"program.py": source}, LIMITS) as process:
        return process.call("f", {})


def test_its_tier_says_so(shared: Sandbox) -> None:
    assert shared.tier is Tier.SHARED


def test_processes_and_pools_work(shared: Sandbox) -> None:
    source = (
        "import subprocess, sys\nfrom concurrent.futures import ProcessPoolExecutor\n"
        "def double(x):\n    return 2 * x\n"
        "def f():\n    said = subprocess.run([sys.executable, '-c', 'print(41 + 1)'], capture_output=True, text=True)\n"
        "    with ProcessPoolExecutor(2) as pool:\n        return said.stdout, list(pool.map(double, range(3)))\n"
    )
    assert answer(shared, source) == ("42\n", [0, 2, 4])


def test_what_was_started_ends_with_the_program(shared: Sandbox) -> None:
    source = (
        "import subprocess, sys\ndef f():\n"
        "    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
    )
    assert answer(shared, source) is None
    running = [child.cmdline() for child in psutil.Process(shared.pid).children(recursive=True)]
    assert not [words for words in running if "import time; time.sleep(600)" in words]
    sleepers = [one for one in psutil.process_iter(["cmdline"]) if "time.sleep(600)" in str(one.info["cmdline"])]
    assert sleepers == []


@pytest.mark.parametrize(
    "attack",
    [
        "__import__('socket').socket()",
        "libc.unshare(0x10000000)",
        "libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)",
        "libc.ptrace(16, 1, 0, 0)",
        "libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)",
    ],
)
def test_the_rest_is_refused_as_in_any_jail(attack: str, shared: Sandbox) -> None:
    source = (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"def f():\n    done = {attack}\n    if done == -1:\n"
        "        raise PermissionError(ctypes.get_errno(), 'refused')\n    return done\n"
    )
    with pytest.raises(CandidateFailed):
        answer(shared, source)
