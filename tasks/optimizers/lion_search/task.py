"""Optimizers with one word of state per parameter (Chen et al. 2023, Symbolic Discovery of Optimization Algorithms).

The paper evolves training programs from AdamW and arrives at Lion: momentum in one buffer, steps by its sign. Here the
program is one ``update`` with one buffer, and trains nets that it never sees: gradients are computed on the trusted
side.

Scaled down: numpy perceptrons of a few thousand weights and 160 steps, no ImageNet and no large language model.
Geometric mean excess loss over six seeds, rates and decays from a grid: SGD with momentum 0.47, Lion 0.36, Signum 0.33.
The paper's claim "better than AdamW" does not show at this size (two language models and one glyph problem, 200 steps:
AdamW with its two buffers 0.28, Lion 0.35, SGD 0.53); what is measured is how far a one-buffer rule gets. One rule
with one step size must serve both kinds of problem, and part of Lion's lead comes from there, since the best rates of
SGD lie a factor of five apart: tuned for each kind alone, SGD reached 0.37 and Lion 0.30 at those 200 steps, and on
glyphs the two tie. Lion's decay is chosen to serve both kinds, not for the least mean.

Changed against the catalogue's sketch: ``update`` is a plain function instead of a factory, so that one buffer is
enforced by a shape; the tensors' shapes are among the hints, so that rules that treat tensors apart can be found; the
second problem is made of synthetic glyphs (real digits lie in the clear where scikit-learn is installed) and is already
the one with wrong labels; the excess over the known label distribution replaces the ratio to AdamW, which the
logarithmic scale cancels. There are as many glyph problems as language models: with one among four, rules were found
that diverge on every tenth of them. Hidden state is caught by replay: at secret steps the process is replaced, the new
one must repeat the old one's last answer bit for bit, and weights and state then move by about one part in a million,
which destroys whatever was packed into low bits.
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
from ..workloads import Training, excess_loss, loss_gradient, noisy_glyphs, trigram_language

Array = np.ndarray[Any, Any]

STATEMENT = """
Write the update rule of an optimizer that keeps **one** number of state per parameter.

`update(w, g, state, step, total_steps, hints)` is called once per training step:

- `w` float32 (n,): all weights of a net, flattened; `g` float32 (n,): gradient of the mean loss on a fresh minibatch.
- `state` float32 (1, n): the rule's only memory, zeros at step 0.
- `step` = 0 ... `total_steps` - 1. Step-size schedule and weight decay are the rule's own.
- `hints`: `"batch"` (samples per gradient), `"param_scale"` (root mean square of the initial weights), `"shapes"` (the
  tensors that `w` concatenates, in order, each flattened row by row).

Return `(new_w, new_state)`: float32 arrays of the same shapes, finite.

**Measured.** A few small nets are trained on hidden data, each from its start by this one rule: language models on
Zipf-distributed words, and a classifier of glyphs with wrong labels. The objective is the final excess of the held-out
cross-entropy over the entropy of the true label distribution (nats), geometric mean over the problems; smaller is
better. Widths, data and starts are drawn anew for every run.

**Rules.** `update` must be a deterministic function of its arguments. At secret steps the process is replaced by a
fresh one, which must repeat the last answer bit for bit; weights and state are then multiplied by 1 + 1e-6 u with
random |u| <= 1. Memory outside `state` is therefore useless, and so are numbers hidden in low bits. A diverged run
(a value that is not finite) is invalid.
"""

SWAPS_PER_RUN = 3
NUDGE = 1e-6


@dataclass(frozen=True)
class Run:
    """What the trusted side knows of one training: the problem, its minibatches and where processes are replaced."""

    problem: Training
    steps: int
    swaps: tuple[int, ...]
    seed: int


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    steps = {"smoke": 30, "default": 160, "gpu": 2000}[size]
    wide = 4 if size == "gpu" else 1
    names = ("language-1",) if size == "smoke" else ("language-1", "language-2", "glyphs-1", "glyphs-2")
    made = []
    for name in names:
        hidden = wide * int(rng.integers(28, 37))
        if name.startswith("glyphs"):
            problem = noisy_glyphs(rng, classes=10, hidden=hidden, batch=128, wrong=0.2)
        else:
            words = wide * int(rng.integers(56, 81))
            problem = trigram_language(rng, words, classes=6, width=12 * wide, hidden=hidden, batch=160)
        swaps = np.sort(rng.choice(np.arange(steps // 8, steps), SWAPS_PER_RUN, replace=False))
        run = Run(problem, steps, tuple(swaps.tolist()), int(rng.integers(2**62)))
        hints = {
            "batch": problem.batch,
            "param_scale": float(np.sqrt(np.mean(problem.start**2))),
            "shapes": [list(shape) for shape in problem.shapes],
        }
        made.append(Instance(name, {"total_steps": steps, "hints": hints}, run))
    return made


def drive(instance: Instance, session: Any) -> dict[str, Any]:
    """Train with the candidate's rule. Returns the final weights and the update at half time, or what was wrong."""
    run: Run = instance.secret
    rng = np.random.default_rng(run.seed)
    w, state = run.problem.start, np.zeros((1, run.problem.start.size), np.float32)
    middle, last = np.zeros_like(w), None
    for first, end in zip((0, *run.swaps), (*run.swaps, run.steps), strict=True):
        with session.process() as process:
            if last is not None:
                if not _same(process.call("update", last[0]), last[1]):
                    return {"fault": "update gave another answer to the same call in a fresh process"}
                w, state = _nudged(w, rng), _nudged(state, rng)
            for step in range(first, end):
                rows = rng.integers(0, len(run.problem.labels), run.problem.batch)
                with np.errstate(over="ignore", invalid="ignore"):
                    gradient = loss_gradient(run.problem, w, rows)
                if not np.isfinite(gradient).all():
                    return {"fault": f"training diverged at step {step}"}
                inputs = {"w": w, "g": gradient, "state": state, "step": step, **instance.inputs}
                reply = process.call("update", inputs)
                if fault := _refusal(reply, w):
                    return {"fault": f"step {step}: {fault}"}
                last = (inputs, reply)
                if step == run.steps // 2:
                    middle = reply[0] - w
                w, state = reply
    return {"fault": "", "weights": w, "middle": middle}


def _refusal(reply: Any, w: Array) -> str:
    if not isinstance(reply, tuple | list) or len(reply) != 2:
        return "update must return (new_w, new_state)"
    for name, value, shape in zip(("new_w", "new_state"), reply, (w.shape, (1, w.size)), strict=True):
        if not isinstance(value, np.ndarray) or value.dtype != np.float32 or value.shape != shape:
            return f"{name} must be a float32 array of shape {shape}"
        if not np.isfinite(value).all():
            return f"{name} is not finite"
    return ""


def _same(reply: Any, earlier: Any) -> bool:
    """Whether a reply is well formed and equals an earlier, accepted one bit for bit."""
    if _refusal(reply, earlier[0]):
        return False
    return all(a.tobytes() == b.tobytes() for a, b in zip(reply, earlier, strict=True))


def _nudged(values: Array, rng: np.random.Generator) -> Array:
    return (values * (1 + NUDGE * rng.uniform(-1, 1, values.shape))).astype(np.float32)


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    if output["fault"]:
        return Verdict.invalid(output["fault"])
    problem: Training = instance.secret.problem
    excess = excess_loss(problem, output["weights"])
    if not (0 <= excess < 1e3):
        return Verdict.invalid("the trained net's loss is not finite")
    size, spread = np.abs(output["middle"]).mean(), np.sqrt(np.mean(output["middle"].astype(np.float64) ** 2))
    return Verdict(
        valid=True,
        metrics={
            "excess_loss": excess,
            "update_rms": float(spread),
            "update_evenness": float(size / spread) if spread > 0 else 0.0,
            "weight_growth": float(np.linalg.norm(output["weights"]) / np.linalg.norm(problem.start)),
        },
    )


task = Task(
    id="lion_search",
    family="optimizers",
    title="An optimizer with one buffer",
    paper=Paper("Symbolic Discovery of Optimization Algorithms", 2023),
    entry=Entry(
        "def update(w: np.ndarray, g: np.ndarray, state: np.ndarray, step: int, total_steps: int, hints: dict)"
        " -> tuple[np.ndarray, np.ndarray]"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("excess_loss", Direction.MINIMIZE, "log", floor=1e-3, unit="nats"),
    descriptors=(
        Descriptor("update_evenness", 0.0, 1.0, bins=8),
        Descriptor("update_rms", 1e-4, 1e-1, bins=8, scale="log"),
        Descriptor("code_size", 40, 240, bins=8),
    ),
    style="rounds",
    kind="both",
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=20.0, memory_bytes=512 * MIB), imports=("numpy",)),
    drive=drive,
    claim=(
        "The paper's evolved optimizer Lion matches or beats AdamW with half the state; measured here is its held-out "
        "loss against SGD with momentum, the standard with one buffer."
    ),
)
