"""Fixed sparse patterns for attention over long contexts (Zhang 2024, SinkLoRA).

Shifted sparse attention computes scores within groups of tokens only, shifted by half a group in half of the heads. The
paper returns part of the shifted heads to their places and lets the first tokens, which draw much attention, see and be
seen by all.

Scaled down: 256 tokens, eight synthetic heads, and the error of the heads' output; no model is tuned, and perplexity is
not measured. (The public code is essentially the shifted pattern; the paper's text is what the reference follows.)

Changed against the catalogue's sketch: scores are inner products with a penalty on distance, so that a head is given by
its queries, keys and slope; density counts causal pairs only. Of several heads some look for far keys of the same
topic, which no fixed pattern can know. A window with the first tokens, a known program, is clearly better than the
paper's pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....evaluators import (
    CallLog,
    Descriptor,
    Direction,
    Entry,
    Instance,
    Objective,
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....sandbox import MIB, Limits
from ..workloads import Heads, attention_output, long_context_heads

Array = np.ndarray[Any, Any]
SINKS = 4
KINDS = {"moderate sinks": (3.0, 1), "weak sinks": (1.0, 0), "strong sinks": (5.0, 1), "far keys": (3.0, 3)}
"""Strength of the sinks, and how many of eight heads look for far keys."""

STATEMENT = """
Choose which attention scores to compute, once and for all, for some heads over a long context.

`pattern(Q, K, slopes, group, budget)` receives queries and keys of H heads on one text, float64 (H, n, dh), and the
heads' `slopes` (H,). The causal score of query i and key j <= i is q_i . k_j / sqrt(dh) - slope (i - j). It returns a
mask, bool (H, n, n): True where head h computes the score of query i (second axis) and key j (third axis). `group` is
the group size that is customary, n / 4.

**Validity.** Of all H n (n + 1) / 2 causal pairs at most the share `budget` may be True. Entries with j > i do not
count and change nothing; the pairs (i, i) are computed in any case, and count where they are True.

**Measured.** The mask is used on hidden other texts with the same heads: softmax over the computed scores only, times
the values. The objective is |O_masked - O_full| / |O_full| (Frobenius norms), mean over heads and texts, geometric mean
over several sets of heads; smaller is better.

H is 8, n 256, dh 16. Heads differ in how far they look; in many the first few tokens draw attention whatever the text,
and some look for keys of the same topic anywhere. Only numpy may be used.
"""


@dataclass(frozen=True)
class Text:
    """Hidden queries, keys and values (heads, n, dh)."""

    Q: Array
    K: Array
    V: Array


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    n, texts = {"smoke": (64, 1), "default": (256, 2), "gpu": (4096, 2)}[size]
    made = []
    for kind, (strength, far) in list(KINDS.items())[: 1 if size == "smoke" else None]:
        heads = long_context_heads(rng, n, strength, far)
        Q, K = heads.queries_and_keys(rng, n)
        hidden = [Text(*heads.queries_and_keys(rng, n), rng.standard_normal(Q.shape)) for _ in range(texts)]
        inputs = {"Q": Q, "K": K, "slopes": heads.slopes, "group": n // 4, "budget": budget_of(n, n // 4)}
        made.append(Instance(kind, inputs, (heads, hidden)))
    return made


def budget_of(n: int, group: int) -> float:
    """The causal density of groups together with that of the columns of the sinks."""
    pairs = n * (n + 1) / 2
    return ((n // group) * group * (group + 1) / 2 + SINKS * (n - group)) / pairs


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    heads: Heads = instance.secret[0]
    count, n, _ = instance.inputs["Q"].shape
    causal = np.tri(n, dtype=bool)
    if not isinstance(output, np.ndarray) or output.dtype != np.bool_ or output.shape != (count, n, n):
        return Verdict.invalid(f"the output must be a bool array of shape {(count, n, n)}")
    mask = output & causal
    density = float(mask.sum() / (count * causal.sum()))
    if not density <= instance.inputs["budget"] + 1e-9:
        return Verdict.invalid(f"the density is {density:.4f}, above the budget of {instance.inputs['budget']:.4f}")
    errors = []
    for text in instance.secret[1]:
        scores = heads.scores(text.Q, text.K)
        full = attention_output(scores, text.V, np.broadcast_to(causal, mask.shape))
        masked = attention_output(scores, text.V, mask | np.eye(n, dtype=bool))
        errors.append(np.linalg.norm(masked - full, axis=(1, 2)) / np.linalg.norm(full, axis=(1, 2)))
    shares = mask.mean(axis=(1, 2))
    return Verdict(
        valid=True,
        metrics={
            "error": float(np.mean(errors)),
            "column_share": float(mask[:, :, :SINKS].sum() / max(mask.sum(), 1)),
            "unevenness": float(shares.std() / max(shares.mean(), 1e-9)),
        },
    )


task = Task(
    id="sinklora_sf_attn",
    family="attention_kernels",
    title="Sparse patterns for long contexts",
    paper=Paper("SinkLoRA: Enhanced Efficiency and Chat Capabilities for Long-Context Large Language Models", 2024),
    entry=Entry(
        "def pattern(Q: np.ndarray, K: np.ndarray, slopes: np.ndarray, group: int, budget: float) -> np.ndarray"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("error", Direction.MINIMIZE, "log", floor=1e-3),
    descriptors=(
        Descriptor("column_share", 0.0, 0.3, bins=6),
        Descriptor("unevenness", 0.0, 1.0, bins=6),
        Descriptor("code_size", 40, 500, bins=8, scale="log"),
    ),
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=20.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Returning heads to their places and global first tokens give 92 % instead of 39 % of full attention's gain in "
        "perplexity; measured is the output error of the pattern at equal density."
    ),
)
