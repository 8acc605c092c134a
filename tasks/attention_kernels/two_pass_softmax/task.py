"""Softmax of long vectors in two passes over memory (Dukhan and Ablavatski 2020, The Two-Pass Softmax Algorithm).

Out of cache a softmax takes the time of its transfers. Three passes move each number four or five times; the paper's
algorithm, which represents exponentials with an exponent of its own, moves it three times.

Scaled down: a kernel is data for a small streaming machine, its results are computed in float32 and its time comes from
a roofline and cache model, so that nothing has to be compiled and a time is the same on every computer. On real
processors the paper finds 18 to 28 %; the model, which hides arithmetic fully behind transfers, gives more.

Changed against the catalogue's sketch: the machine's cache, bandwidth and speed are inputs, and instances differ in
them; the accuracy is tried on 8,192 numbers of each family while the time is that of long vectors; registers are 32,
of any kind. The variant of three passes that computes exponentials twice is a known program.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from ..stream_machine import Machine, modelled, parsed, run
from ..workloads import softmax_inputs

RELATIVE = 1e-5
SMALLEST = 1e-30
"""Probabilities below are compared absolutely."""
NEGLIGIBLE = 2e-30

STATEMENT = """
Write a softmax kernel for a machine that streams over memory, as data.

The machine holds an input array x and an output array y of n float32 numbers and goes over them in vectors of 16 lanes.
`kernel(n, cache, bandwidth, speed)` returns a list of at most 8 passes, each a dict

`{"direction": 1 or -1, "init": {register: number}, "body": [operation, ...], "reduce": [operation, ...]}`.

A pass first sets the registers in `init`, then runs `body` for each vector (from the first to the last, or backwards),
then runs `reduce` once. Registers hold 16 float32 lanes each and keep their values until they are written again, also
from pass to pass; there are at most 32 (a name is a short identifier). An operation is `[name, target, operand, ...]`;
operands are registers or numbers (the same in all lanes):

- `["load", r, "x"]`, `["load", r, "y"]`: the current vector of an array; `["store", "y", r]`. In `body` only.
- `add`, `sub`, `mul`, `div`, `max`, `min` with two operands; `rint` with one (to the nearest whole number);
  `["fma", r, a, b, c]`: a b + c, and `fms`: a b - c, rounded once; `["select", r, a, b, c, d]`: c where a < b, else d.
- `["exp2", r, f]`: 2^f for |f| <= 0.5, correctly rounded (outside 0.51: NaN). `["ldexp", r, a, e]`: a 2^e for a whole
  number e in float32; results too small for a normal number become 0.
- `["rotate", r, a, k]`: lane i gets lane (i + k) mod 16 of a. In `reduce` only.

At the end y must hold softmax(x): y_i = exp(x_i) / sum_j exp(x_j). The kernel has at most 400 operations in all.

**Validity.** On hidden inputs (moderate, spread between -1e4 and 1e4, ascending, with one outlier, all equal) every y_i
is within 1e-5 of the exact value relatively, or within 2e-30 absolutely.

**Measured.** The modelled time in ns a number; geometric mean over several machines, smaller is better. A pass takes
the longer of bytes / `bandwidth` and operations / `speed`. Every operation of `body` counts 1 for each vector, but
`exp2` 6 and `div` 8; `reduce` is free. Bytes are 4 for each number that a load does not find in the cache, and for each
number of y written back. The cache holds `cache` numbers of x and y, in blocks of 256, those used last; changed blocks
are written back when they leave it and at the end; a store does not fetch. n is far larger than `cache`.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    machines = {"wide": (12.0, 5.0), "balanced": (16.0, 4.0), "small cache": (10.0, 4.0)}
    count = {"smoke": 1024, "default": 8192, "gpu": 1 << 17}[size]
    made = []
    for name, (bandwidth, speed) in list(machines.items())[: 1 if size == "smoke" else 3]:
        cache = 256 * int(rng.integers(16, 33) if name == "small cache" else rng.integers(64, 129))
        inputs = {
            "n": 4096 * int(rng.integers(32, 65)),
            "cache": cache,
            "bandwidth": bandwidth * float(rng.uniform(0.9, 1.1)),
            "speed": speed * float(rng.uniform(0.9, 1.1)),
        }
        made.append(Instance(name, inputs, softmax_inputs(rng, count)))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    passes = parsed(output)
    x = instance.secret
    found = run(passes, x).astype(np.float64)
    shifted = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
    exact = shifted / shifted.sum(axis=1, keepdims=True)
    allowed = np.where(exact > SMALLEST, RELATIVE * exact, NEGLIGIBLE)
    within = np.abs(found - exact) <= allowed
    if not within.all():
        return Verdict.invalid(f"{(~within).any(axis=1).sum()} of {len(x)} inputs have a y outside the tolerance")
    n, machine = instance.inputs["n"], Machine(*(instance.inputs[name] for name in ("cache", "bandwidth", "speed")))
    cost = modelled(passes, n, machine)
    return Verdict(
        valid=True,
        metrics={"ns": cost.ns, "bytes": cost.bytes, "operations": cost.operations, "passes": len(passes)},
    )


task = Task(
    id="two_pass_softmax",
    family="attention_kernels",
    title="Softmax of long vectors",
    paper=Paper("The Two-Pass Softmax Algorithm", 2020),
    entry=Entry("def kernel(n: int, cache: int, bandwidth: float, speed: float) -> list"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("ns", Direction.MINIMIZE, "log", unit="ns"),
    descriptors=(
        Descriptor("bytes", 8, 24, bins=8),
        Descriptor("operations", 0.5, 4, bins=6, scale="log"),
        Descriptor("passes", 1, 8, bins=7),
    ),
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=20.0, memory_bytes=512 * MIB), imports=("numpy",)),
    suspicious_ratio=4.0,
    claim=(
        "Two passes instead of three over memory are up to 28 % faster out of cache; measured is the time in a "
        "roofline and cache model against three passes with stored exponentials."
    ),
)
