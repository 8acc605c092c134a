"""Row llambo_warmstart_bo: a search of numbers that a language model's start points warm up."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

from speciate.agents import Cost, Operator
from speciate.agents.bandit import mixed
from speciate.agents.llm.calls import Call
from speciate.agents.llm.client import Answer
from speciate.agents.llm.proposer import AgentProposer, Habits
from speciate.agents.llm.settings import ModelSettings
from speciate.agents.tuning import TuningProposer
from speciate.evaluators import Evaluation, Interval, State

BASELINE = """import numpy as np

# EVOLVE-BLOCK-START
STEP = 0.0003


def solve(x):
    return x * STEP


# EVOLVE-BLOCK-END
"""


class Scripted:
    """A model that knows, or thinks that it knows, what to begin with, and nothing else."""

    model = ModelSettings()
    paid = True

    def __init__(self, starts: str) -> None:
        self._starts = starts

    async def answer(self, call: Call) -> Answer:
        begins = "promising starts" in call.messages[-1].content
        return Answer(self._starts if begins else "No idea.", finish="stop")

    def redacted(self, text: str) -> str:
        return text

    async def close(self) -> None: ...


def asking(starts: str) -> AgentProposer:
    habits = Habits(
        models={"scripted": 1.0},
        operators={Operator.DIFF: 1.0},
        concurrency=4,
        repairs=0,
        plans=False,
        starts=3,
        tries=1,
        backoff_seconds=1.0,
        allowance=Cost(tokens=10**6),
    )
    return AgentProposer("llm", habits, lambda desk: {"scripted": Scripted(starts)})


def needed(imagine: Any, seed: int, starts: str | None) -> int:
    """Evaluations until the step size, 1000 times too small at first, is within a factor of 1.5."""
    count, found = itertools.count(), []

    def judge(source: str) -> Evaluation:
        value = re.search(r"STEP = (\S+)", source)
        assert value is not None
        score, number = 1.0 - abs(math.log10(float(value[1]) / 0.3)) / 3.0, next(count)
        if not found and score > 1.0 - math.log10(1.5) / 3.0:
            found.append(number)
        interval = Interval(low=score - 0.01, high=score + 0.01)
        return Evaluation(state=State.VALID, size="default", score=score, interval=interval)

    proposer = TuningProposer() if starts is None else mixed([TuningProposer(), asking(starts)])
    imagine(judge, proposer, BASELINE, seed=seed, budget__evaluations=40)
    return found[0] if found else 40


def test_start_points_of_a_model_save_evaluations(imagine: Any) -> None:
    """The same search of numbers, without a model and with one that knows the order of magnitude."""
    knows = 'Mostly below 1.\n```json\n{"STEP": 0.1}\n```\n```json\n{"STEP": 0.5}\n```\n'
    alone = [needed(imagine, seed, None) for seed in range(4)]
    warmed = [needed(imagine, seed, knows) for seed in range(4)]
    misled = [needed(imagine, seed, "```json\n{oops\n```\n") for seed in range(4)]
    assert sum(warmed) < 0.7 * sum(alone), (warmed, alone)
    assert sum(misled) < 40 * 4, "a malformed reply leaves the search as it was"
