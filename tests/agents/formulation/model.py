"""What a scripted model says of a knapsack: replies that are wrong in one way each, and a right one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..llm.endpoint import Reply, Script

DESCRIPTION = """We load a van with parcels. Each parcel has a weight and a worth, and the van carries only so much.
Which parcels do we take, so that their worth together is greatest? Taking them in the order in which they came is what
we do now; we have heard that one should sort by worth per weight.
"""

RECORD: dict[str, Any] = {
    "title": "Loading a van",
    "sets": {"n": "the parcels"},
    "parameters": {
        "weights": "kg, float64 array (n,)",
        "worths": "euros, float64 array (n,)",
        "capacity": "kg that the van carries",
    },
    "variables": {"taken": "1 for parcels that are taken, else 0; int64 array (n,)"},
    "objective": {"name": "share", "direction": "maximize", "meaning": "worth taken over the worth of all parcels"},
    "constraints": ["the weights taken sum to at most the capacity"],
    "statement": "Choose parcels.\n\n`load(weights, worths, capacity)` returns an int64 array of 0 and 1.\n",
    "entry": "def load(weights: np.ndarray, worths: np.ndarray, capacity: float) -> np.ndarray",
    "imports": ["numpy"],
    "descriptors": [{"name": "code_size", "low": 20, "high": 500, "scale": "log"}],
    "method": "Greedy by worth per weight",
    "year": 1957,
    "claim": "Sorting by worth per weight beats the order of arrival.",
}

PROBLEM = """import numpy as np

from speciate.evaluators.checks import Rejected, as_array


def instances(rng, size):
    count, n = (2, 8) if size == "smoke" else (8, 40)
    return [(f"van{i}", one(rng, n), None) for i in range(count)]


def one(rng, n):
    weights = rng.uniform(1, 10, size=n)
    return {"weights": weights, "worths": rng.uniform(1, 10, size=n), "capacity": float(weights.sum() / 4)}


def judge(inputs, secret, output):
    taken = as_array(output, shape=inputs["weights"].shape, integer=True, low=0, high=1)
    if not (float(taken @ inputs["weights"]) <= inputs["capacity"] * (1 + 1e-9)):
        raise Rejected("the van is overloaded")
    return {"share": float(taken @ inputs["worths"]) / float(inputs["worths"].sum())}
"""

LOAD = """import numpy as np


# EVOLVE-BLOCK-START
def load(weights, worths, capacity):
    taken = np.zeros(len(weights), dtype=np.int64)
    for i in ORDER:
        if weights[i] <= capacity:
            taken[i] = 1
            capacity -= weights[i]
    return taken


# EVOLVE-BLOCK-END
"""
BASELINE = LOAD.replace("ORDER", "range(len(weights))")
REFERENCE = LOAD.replace("ORDER", "np.argsort(-worths / weights)")

RETURNS = PROBLEM.strip().splitlines()[-1]
TURNED = PROBLEM.replace('{"share": ', '{"share": -')
CRASHING = PROBLEM.replace(RETURNS, '    return {"share": inputs["no_such_key"]}')


def reply(problem: str = PROBLEM, baseline: str = BASELINE, reference: str = REFERENCE, **record: Any) -> str:
    blocks = [f"```json\n{json.dumps({**RECORD, **record}, indent=1)}\n```"]
    for name, text in {"problem.py": problem, "baseline.py": baseline, "reference.py": reference}.items():
        blocks.append(f"```python {name}\n{text}```")
    return "A knapsack.\n\n" + "\n\n".join(blocks) + "\n\nI hope that this helps.\n"


def saying(texts: Sequence[str]) -> Script:
    """Answers by how often the prompt says that a draft was not accepted: what it says depends on the prompt alone."""
    spoken: dict[str, int] = {}

    def script(messages: list[dict[str, str]], number: int) -> Reply:
        key = json.dumps(messages)
        return Reply(texts[spoken.setdefault(key, len(spoken))])

    return script
