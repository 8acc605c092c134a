"""A key is in the environment of the run and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from speciate.sandbox import Backend, Limits, SandboxSpec, open_sandbox

from .endpoint import Endpoint, Reply
from .model import improver
from .test_runs import LINEAR

KEY = "sk-not-to-be-seen-anywhere"
SNOOP = "import os\n\n\ndef f():\n    return sorted(f'{name}={value}' for name, value in os.environ.items())\n"


@pytest.mark.parametrize("backend", [Backend.BUBBLEWRAP, Backend.UNSAFE])
def test_a_candidate_does_not_see_the_key(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPECIATE_API_KEY", KEY)
    with open_sandbox(SandboxSpec(backend=backend)) as sandbox:
        limits = Limits(cpu_seconds=2.0, wall_seconds=10.0)
        with sandbox.process({"program.py": SNOOP}, limits) as process:
            seen = process.call("f", {}, None)
    assert seen
    assert KEY not in "\n".join(seen)


def test_neither_journal_nor_output_holds_the_key(
    tmp_path: Path, serve: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    def chatty(messages: list[dict[str, str]], number: int) -> Reply:
        if number % 5 == 4:
            return Reply(f"bad key {KEY}", status=400)
        return Reply(f"I know your key: {KEY}\n" + improver(messages, number).text, reasoning=KEY)

    monkeypatch.setenv("SPECIATE_API_KEY", KEY)
    endpoint = serve(chatty, key=KEY)
    run = tmp_path / "run"
    arguments = ["run", LINEAR, "--model", f"scripted@{endpoint.url}", "--evaluations", 6, "--workers", 1, "--out", run]
    done = subprocess.run(
        [sys.executable, "-m", "speciate", *map(str, arguments)], capture_output=True, text=True, check=True
    )
    assert endpoint.keys[0] == f"Bearer {KEY}"
    assert KEY not in done.stdout + done.stderr
    for file in run.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()
