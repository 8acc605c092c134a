"""``speciate new``: a scaffold, or what a model makes of a description."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..agents.formulation.model import DESCRIPTION, TURNED, reply, saying
from ..agents.llm.endpoint import Endpoint, serving

Command = Callable[..., Any]


@pytest.fixture
def description(tmp_path: Path) -> Path:
    file = tmp_path / "problem.md"
    file.write_text(DESCRIPTION)
    return file


def test_without_a_model_the_description_lies_beside_the_example(
    description: Path, tmp_path: Path, command: Command
) -> None:
    said = command("new", tmp_path / "van", "--from", description)
    assert said.status == 0
    assert "--model" in said.err
    assert {path.name for path in (tmp_path / "van").iterdir()} == {
        *("task.py", "baseline.py", "reference.py", "problem.md"),
    }
    assert (tmp_path / "van" / "problem.md").read_text().strip() == DESCRIPTION.strip()


def test_a_model_formulates(description: Path, tmp_path: Path, command: Command) -> None:
    with serving(Endpoint(saying([reply(TURNED), reply()]))) as endpoint:
        order = ("new", tmp_path / "van", "--from", description, "--model", f"scripted@{endpoint.url}")
        refused = command(*order, "--rounds", 1)
        assert refused.status == 1
        assert "direction is wrong" in refused.err
        assert "150 tokens, at a price that is unknown" in refused.err
        done = command(*order, "--json")
    assert done.status == 0
    document = json.loads(done.out)
    assert document["task"] == str(tmp_path / "van")
    assert document["cost"] == {"tokens": 300, "usd": None}
    assert len(document["problems"]) == 1
    assert "round 1 of 3" in done.err
    assert {path.name for path in (tmp_path / "van").iterdir()} == {
        *("task.py", "problem.py", "baseline.py", "reference.py", "formulation.md", "formulation.jsonl"),
    }
    described = command("describe", tmp_path / "van", "--json")
    assert "def load(weights" in described.out


def test_mistakes_are_one_line(description: Path, tmp_path: Path, command: Command) -> None:
    empty, full = tmp_path / "empty.md", tmp_path / "full"
    empty.write_text(" \n")
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    with serving(Endpoint(saying([]))) as endpoint:
        model = f"scripted@{endpoint.url}"
        for options, words in (
            (("x", "--model", model), "--from FILE"),
            (("x", "--model", model, "--from", tmp_path / "none.md"), "none.md"),
            (("x", "--model", model, "--from", empty), "no description"),
            (("full", "--model", model, "--from", description), "not empty"),
            (("x", "--model", f"{model},{model.replace('scripted', 'b')}", "--from", description), "no model 'b'"),
            (("x", "--model", model, "--from", description, "--usd", 1), "price of model"),
            (("x", "--model", model, "--from", description, "--tokens", 9), "tokens"),
            (("x", "--model", "nonsense", "--from", description), "no model 'nonsense'"),
        ):
            said = command("new", tmp_path / options[0], *options[1:])
            assert said.status == 2, said
            line = said.err.strip().splitlines()[-1]
            assert line.startswith("speciate: ")
            assert words in line
        assert not (tmp_path / "x").exists()
        assert endpoint.requests == []
