"""Search methods: each is the one loop with another configuration, so that nothing but the method differs.

Sources: evolution is MAP-Elites on islands (Mouret and Clune 2015; Romera-Paredes et al. 2024); hill climbing is the
(1+1) evolution strategy (Rechenberg 1973); best-of-n and beam are the baselines that surveys of LLM-driven search use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .config import ConfigError, RunConfig, override

_ALONE = {"islands.count": 1, "islands.archive": "single", "selection.inspirations": 0}
"""No population: one island that keeps its best program, whose elites are shown to nobody."""

METHODS: Mapping[str, Mapping[str, Any]] = {
    # The loop as it is configured.
    "evolution": {},
    # Random search: each program is the end of a random walk from the baseline, of random length, and what the search
    # has found changes nothing.
    "random": _ALONE | {"selection.parents": "baseline", "chain": 4},
    # As random, but each program is one proposal away from the baseline: what the proposer finds with no search at all.
    "best_of_n": _ALONE | {"selection.parents": "baseline"},
    # (1+1): one parent, replaced by a child that is not worse. One proposal at a time, or the parent would be stale.
    "hill_climbing": _ALONE | {"selection.parents": "incumbent", "in_flight": 1},
    # The best few programs of the run, wherever they stand in the behaviour space, are the parents.
    "beam": {"islands.count": 1, "islands.archive": "single", "selection.parents": "beam"},
    # Ablations of evolution.
    "no_islands": {"islands.count": 1},
    "no_archive": {"islands.archive": "single"},
    # Variants of evolution.
    "resets": {"islands.count": 4, "islands.migration_interval": 10_000, "islands.reset_interval": 50},
    "unstructured": {"islands.archive": "unstructured"},
    "softmax": {"selection.parents": "softmax"},
    "weighted": {"selection.parents": "weighted"},
    "instance_front": {"selection.parents": "instance_front"},
    "pareto": {"selection.parents": "pareto"},
}


def configured(method: str, base: RunConfig) -> RunConfig:
    """``base`` with what the method changes. Raises: ConfigError for an unknown method."""
    if method not in METHODS:
        raise ConfigError(f"no method '{method}'; there are: {', '.join(METHODS)}")
    return override(base, METHODS[method])
