"""Proposers as the configuration names them."""

import asyncio
import contextlib

import numpy as np
import pytest

from speciate.agents import Brief, Candidate, NoProposal
from speciate.agents.symbolic.registry import MEMBERS
from speciate.archive import Program
from speciate.discovery.briefing import task_card
from speciate.discovery.config import ConfigError, load_config
from speciate.discovery.proposers import make_proposer
from speciate.evaluators import Evaluation, State, load_task


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["proposer=oracle"], ["oracle", "symbolic"]),
        (["proposer=tuning+tuning"], ["twice"]),
        (["mutations.constant=1"], ["mutations", "constant", "constants"]),
        (["mutations.constants=-1"], ["mutations.constants", "greater than or equal to 0"]),
    ],
)
def test_what_is_no_proposer_is_one_clear_line(settings: list[str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        make_proposer(load_config(None, settings))
    assert all(word in str(caught.value) for word in words)


def test_groups_of_mutations_are_drawn_as_set() -> None:
    others = [f"mutations.{group}=0" for group in MEMBERS if group != "expressions"]
    proposer = make_proposer(load_config(None, ["mutations.expressions=1", *others]))
    folder = load_task("lion_search")
    parent = Candidate(Program.of(folder.baseline), Evaluation(state=State.VALID, size="default", score=0.0))
    drawn = set()
    for index in range(30):
        brief = Brief(task_card(folder), (parent,), (), np.random.default_rng(index), index=index)
        with contextlib.suppress(NoProposal):
            drawn |= set(asyncio.run(proposer.propose(brief)).detail.split("+"))
    assert drawn
    assert drawn <= set(MEMBERS["expressions"])
