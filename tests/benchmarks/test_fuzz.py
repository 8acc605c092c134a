"""Hostile bytes on the channel, and proof that the fuzzer would notice a broken decoder."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tracemalloc

import pytest

from speciate.benchmarks import fuzz
from speciate.sandbox.inside import wire


def test_mutated_frames_are_plain_data_or_refused_within_bounded_memory() -> None:
    tracemalloc.start()
    tally = fuzz.by_mutation(3000, seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert tally.values > 300
    assert tally.refused > 300
    assert peak < 50 * fuzz.MAX_FRAME + (8 << 20)


def test_seeds_are_values_and_mutants_differ() -> None:
    assert all(map(fuzz.fed, fuzz.seeds()))
    rng = random.Random(0)
    frame = fuzz.seeds()[0]
    assert len({fuzz.mutated(frame, rng) for _ in range(100)}) > 50


@pytest.mark.parametrize("fault", [KeyError("x"), MemoryError(), RecursionError()])
def test_a_decoder_that_raises_anything_else_is_noticed(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise fault

    monkeypatch.setattr(wire._Decoder, "_rare", broken)
    with pytest.raises(fuzz.Broken):
        fuzz.by_mutation(2000, seed=0)


def test_a_decoder_that_builds_objects_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire._Decoder, "_text", lambda self: bytes(self._take(self._count())))
    with pytest.raises(fuzz.Broken):
        fuzz.by_mutation(2000, seed=0)


@pytest.mark.slow
def test_the_command_counts_what_it_tried() -> None:
    command = [sys.executable, "-m", "speciate.benchmarks.fuzz", "--inputs", "50000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if done.stdout:  # atheris writes to stderr and ends the process itself
        assert json.loads(done.stdout)["inputs"] == 50000
