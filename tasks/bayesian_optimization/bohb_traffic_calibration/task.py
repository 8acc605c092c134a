"""Calibrating a traffic simulation on a parallel cluster (Kumar et al. 2023, Parallel Bayesian Optimization of
Agent-based Transportation Simulation).

Constants of eight modes of travel are to be found that give the shares seen in the city. A run takes many iterations,
and its shares say something before it ends; four workers run at once.

Scaled down: a logit simulation of 600 travellers with congestion takes the place of a road network; the clock is
simulated.

Changed against the catalogue's sketch: jobs go on from another job's state only with the same constants. The L1
distance is compared as a ratio, after adding 0.02. Early stopping showed no gain in the row's trials; it is kept, as
in the paper. Moving each constant by the log of wanted over reached share is far better on a logit model, which the row
says: it is the known program.
"""

from __future__ import annotations

import heapq
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
    Oracle,
    OracleRefused,
    Paper,
    Rejected,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from .. import travellers
from ..travellers import City, Plans

Array = np.ndarray[Any, Any]
LOW, HIGH = -4.0, 4.0
WORKERS, FULL = 4, 27
SPREAD = 0.3
JUDGED_ITERATIONS, JUDGED_SEEDS = 40, 3
MOST_JOBS = 2000

STATEMENT = """
Calibrate a simulation of travellers: find the constants of eight modes of travel that give the wanted shares.

`calibrate(oracle, target, low, high, workers, full)` is given the wanted shares `target` float64 (8,), bounds `low` and
`high` of every constant (-4, 4), the number of `workers` (4) and the length `full` (27) of a full run. Calls:

- `job = oracle.submit(theta, iterations, resumed)`: start a job, an int, with constants `theta` (8,) for 1 to `full`
  iterations. `resumed` is None, or a finished job with the same constants, from whose end it goes on. At most `workers`
  jobs run at once.
- `job, shares, clock = oracle.wait()`: the next job that ends, its shares float64 (8,) at its end, and the simulated
  clock. An iteration takes about one unit of time, more or less by job. When the clock's limit is reached first, or no
  job runs, `job` is None and everything is over.

In an iteration some travellers choose their best mode anew under the present crowding, so that shares after few
iterations are not yet those of the end. Only differences of constants matter. The limit of the clock lets each worker
do about 12 full runs.

Return constants (8,). **Measured.** The sum of |share - target| after 40 iterations with other random numbers, mean of
three; geometric mean over the cities (after adding 0.02), smaller is better.

**Rules.** A malformed call is refused with an exception, so is one for which no worker is free; the CPU time of your
own program does not count on the clock.
"""


@dataclass(frozen=True)
class Judged:
    city: City
    limit: float
    seed: int


@dataclass
class Job:
    theta: Array
    iterations: int
    resumed: int | None
    plans: Plans | None = None


class Cluster(Oracle):
    """Jobs run when they end: what is never waited for is never computed."""

    methods = ("submit", "wait")

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = 2.0 * MOST_JOBS
        self._judged: Judged = instance.secret
        self._rng = np.random.default_rng(self._judged.seed)
        self._jobs: list[Job] = []
        self._running: list[tuple[float, int]] = []
        self._clock = 0.0

    def submit(self, *args: Any) -> int:
        if len(args) != 3 or type(args[1]) is not int or not 1 <= args[1] <= FULL:
            raise OracleRefused(f"submit takes constants, 1 to {FULL} iterations, and a job to go on from or None")
        if len(self._running) >= WORKERS or len(self._jobs) >= MOST_JOBS:
            raise OracleRefused("no worker is free")
        try:
            theta = as_array(args[0], shape=(travellers.MODES,), name="theta", low=LOW, high=HIGH)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        self._check_resumed(args[2], theta)
        number = len(self._jobs)
        self._jobs.append(Job(theta, args[1], args[2]))
        duration = args[1] * (1 + self._rng.lognormal(0, SPREAD)) / 2
        heapq.heappush(self._running, (self._clock + duration, number))
        return number

    def _check_resumed(self, resumed: Any, theta: Array) -> None:
        """Raises: OracleRefused."""
        if resumed is None:
            return
        known = type(resumed) is int and 0 <= resumed < len(self._jobs)
        if not known or self._jobs[resumed].plans is None:
            raise OracleRefused("there is no such finished job")
        if not np.array_equal(self._jobs[resumed].theta, theta):
            raise OracleRefused("a job goes on with the same constants only")

    def wait(self, *args: Any) -> tuple[int | None, Array, float]:
        if args:
            raise OracleRefused("wait takes no argument")
        limit = self._judged.limit
        if not self._running or self._running[0][0] > limit:
            self._running, self._clock = [], limit
            return None, np.zeros(travellers.MODES), limit
        self._clock, number = heapq.heappop(self._running)
        job, city = self._jobs[number], self._judged.city
        before = city.start() if job.resumed is None else self._jobs[job.resumed].plans
        assert before is not None
        job.plans = city.replanned(before, job.theta, job.iterations)
        return number, city.shares(job.plans), self._clock


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    agents, runs, copies = {"smoke": (200, 6, 4), "default": (600, 12, 12), "gpu": (10_000, 25, 6)}[size]
    made = []
    for copy in range(copies):
        city = travellers.city(rng, agents)
        truth = rng.uniform(-2.5, 2.5, travellers.MODES)
        target = city.shares(city.replanned(city.start(), truth, JUDGED_ITERATIONS))
        inputs = {"target": target, "low": LOW, "high": HIGH, "workers": WORKERS, "full": FULL}
        made.append(
            Instance(f"city of draw {copy}", inputs, Judged(city, float(runs * FULL), int(rng.integers(2**31))))
        )
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    judged: Judged = instance.secret
    theta = as_array(output, shape=(travellers.MODES,), name="the constants", low=LOW, high=HIGH)
    city, target = judged.city, instance.inputs["target"]
    ends = [
        city.replanned(city.start(), theta, JUDGED_ITERATIONS, seed=judged.seed + k) for k in range(1, JUDGED_SEEDS + 1)
    ]
    submitted = [call for call in (log.calls if log else []) if call.method == "submit"]
    return Verdict(
        valid=True,
        metrics={
            "distance": float(np.mean([np.abs(city.shares(plans) - target).sum() for plans in ends])),
            "jobs": float(len(submitted)),
            "iterations": float(np.mean([call.args[1] for call in submitted])) if submitted else 0.0,
        },
    )


task = Task(
    id="bohb_traffic_calibration",
    family="bayesian_optimization",
    title="Calibrating a traffic simulation",
    paper=Paper("Parallel Bayesian Optimization of Agent-based Transportation Simulation", 2023),
    entry=Entry(
        "def calibrate(oracle: Oracle, target: np.ndarray, low: float, high: float, workers: int, full: int)"
        " -> np.ndarray"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("distance", Direction.MINIMIZE, "log", floor=0.02),
    descriptors=(
        Descriptor("jobs", 10, 400, bins=6, scale="log"),
        Descriptor("iterations", 1.0, 27.0, bins=6),
        Descriptor("code_size", 50, 1500, bins=8, scale="log"),
    ),
    kind="both",
    style="oracle",
    oracle=Cluster,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Parallel BOHB with early stopping calibrates a simulation without manual work; measured is the distance to "
        "the wanted shares at equal simulated time."
    ),
)
