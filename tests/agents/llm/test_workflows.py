"""OptoPrime on a workflow of a user's own, with a model behind an endpoint."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable

import pytest

from speciate.agents.llm.assembly import writing
from speciate.agents.llm.settings import ModelSettings
from speciate.agents.opto.graph import Node, backward, bundle, node
from speciate.agents.opto.optimizer import OptoPrime

from .endpoint import Endpoint, Reply


@bundle
def double(x: float) -> float:
    """Twice the value."""
    return 2 * x


def against_the_error(messages: list[dict[str, str]], number: int) -> Reply:
    text = messages[0]["content"]
    value = float(re.findall(r"\(float\) x = (\S+)", text)[0])
    output = float(re.findall(r"# outputs\n```\n\w+ = (\S+)", text)[0])
    return Reply(json.dumps({"reasoning": "too low", "suggestion": {"x": value - 0.4 * (output - 10.0)}}))


def test_a_model_at_an_endpoint_solves_a_workflow(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(against_the_error)

    async def solved() -> Node:
        x = node(3.0, "x", trainable=True)
        async with writing("scripted", ModelSettings(base_url=endpoint.url, api_key_env=None)) as write:
            optimizer = OptoPrime(write)
            for _ in range(5):
                step = await optimizer.step(backward(double(x), "it should be 10").values())
                x = node(step.values.get(x, x.value), "x", trainable=True)
        return x

    assert asyncio.run(solved()).value == pytest.approx(5.0, abs=0.01)
    assert "Twice the value." in endpoint.prompts[0]
