"""Briefs without a run around them."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from speciate.agents import Brief, Candidate, TaskCard
from speciate.archive import Program
from speciate.evaluators import Evaluation, State

MakeBrief = Callable[..., Brief]


def candidate(source: str) -> Candidate:
    return Candidate(Program.of(source), Evaluation(state=State.VALID, size="default", score=0.0))


def make_brief(
    source: str,
    seed: int = 0,
    inspirations: Sequence[str] = (),
    signature: str = "def solve(x: np.ndarray, n: int) -> np.ndarray",
) -> Brief:
    card = TaskCard(
        id="toy",
        statement="",
        signature=signature,
        entries=("solve",),
        imports=("numpy",),
        objective="error",
        direction="minimize",
        style="function",
    )
    return Brief(card, (candidate(source),), tuple(map(candidate, inspirations)), np.random.default_rng(seed))


@pytest.fixture(name="make_brief", scope="session")
def _make_brief() -> MakeBrief:
    return make_brief
