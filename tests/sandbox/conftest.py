"""One jail for a whole module of tests, so that every test also shows that the earlier ones left it sound."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from speciate.sandbox import CandidateFailed, Limits, Sandbox, SandboxSpec, Usage, open_sandbox

QUICK = Limits(cpu_seconds=2.0, wall_seconds=5.0)
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec()) as opened:
        yield opened


class Outcome:
    """What one call came to: ``value`` or ``failed``, and the usage."""

    def __init__(self, value: Any, failed: CandidateFailed | None, usage: Usage) -> None:
        self.value = value
        self.failed = failed
        self.usage = usage

    @property
    def failure(self) -> str | None:
        return None if self.failed is None else self.failed.failure

    @property
    def message(self) -> str:
        return "" if self.failed is None else self.failed.message


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    """``run(source, limits=..., oracle=..., **inputs)`` calls ``f`` in a fresh process."""

    def once(source: str, limits: Limits = QUICK, oracle: Any = None, **inputs: Any) -> Outcome:
        value, failed = None, None
        with sandbox.process({"program.py": textwrap.dedent(source)}, limits) as process:
            try:
                value = process.call("f", inputs, oracle)
            except CandidateFailed as failure:
                failed = failure
        return Outcome(value, failed, process.usage)

    return once


@pytest.fixture(autouse=True)
def next_candidate_is_untouched(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a candidate did, the next one in the same jail runs as if it had been the first."""
    run = request.getfixturevalue("run") if "run" in request.fixturenames else None
    yield
    if run is not None:
        outcome = run("import os\ndef f(x): return [x.sum(), os.listdir('/tmp')]", x=_ones())
        assert outcome.value == [3.0, []]


def _ones() -> Any:
    import numpy as np

    return np.ones(3)
