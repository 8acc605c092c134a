"""The jail needs no privilege: the same candidates under an ordinary user's id."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).with_name("ordinary.py")
TESTS = Path(__file__).parent
PROJECT = TESTS.parent.parent / "pyproject.toml"
SCRIPT = """
import os
from speciate.sandbox import CandidateFailed, Limits, SandboxSpec, open_sandbox
source = '''
import os
def f(): return [os.getpid(), os.listdir("/tmp"), os.path.exists("/etc/passwd")]
def g(): os.fork()
'''
with open_sandbox(SandboxSpec()) as sandbox:
    with sandbox.process({"program.py": source}, Limits()) as process:
        print(os.getuid(), sandbox.tier, process.call("f", {}))
        try:
            process.call("g", {})
        except CandidateFailed as failed:
            print(failed.failure)
"""
NOBODY = 65534
CAP_SYS_ADMIN, CAP_SETUID = 21, 7
PR_CAPBSET_READ = 23

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="all tests run as an ordinary user already")
AsNobody = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def as_nobody(tmp_path: Path) -> AsNobody:
    """Runs this interpreter with some arguments as an ordinary user."""
    libc = ctypes.CDLL(None)
    if not all(libc.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) for capability in (CAP_SYS_ADMIN, CAP_SETUID)):
        pytest.skip("this root may not mount or become another user")
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(LAUNCHER), str(home), sys.executable, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)

    return run


def test_full_jail_for_an_ordinary_user(as_nobody):
    done = as_nobody("-c", SCRIPT)
    assert done.stderr == ""
    assert done.stdout == f"{NOBODY} full [1, [], False]\nforbidden\n"


def test_the_red_team_is_held_as_an_ordinary_user(as_nobody):
    """One exploit of each kind; all of them in the slow test."""
    done = as_nobody("-m", "speciate", "redteam", "--only", "R20", "--json")
    assert done.returncode == 0, done.stderr
    assert all(row["held"] for row in json.loads(done.stdout))


@pytest.mark.slow
def test_the_whole_red_team_is_held_as_an_ordinary_user(as_nobody):
    done = as_nobody("-m", "speciate", "redteam", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert len(rows) > 100
    assert [row["id"] for row in rows if row["held"] is False] == []


@pytest.mark.slow
def test_the_tests_of_this_folder_pass_as_an_ordinary_user(as_nobody):
    done = as_nobody("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(PROJECT), str(TESTS))
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
def test_a_task_is_checked_as_an_ordinary_user(as_nobody):
    done = as_nobody("-m", "speciate", "check", "lion_search", "--size", "smoke", "--json")
    assert done.returncode == 0, done.stderr
