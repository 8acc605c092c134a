"""The jail needs no privilege: the same candidates under an ordinary user's id."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NOBODY = 65534
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


@pytest.mark.skipif(os.getuid() != 0, reason="all tests of this folder run as an ordinary user already")
def test_full_jail_for_an_ordinary_user():
    def run(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script],
            user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", env={},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    try:
        run("import speciate, numpy").check_returncode()
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip("the interpreter or its packages are in a folder that is closed to other users")
    done = run(SCRIPT)
    assert done.stderr == ""
    assert done.stdout == f"{NOBODY} full [1, [], False]\nforbidden\n"
