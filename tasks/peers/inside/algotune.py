"""Runs in a jail: a task file of AlgoTune's form, as it is."""

import logging
import time

from loading import loaded

MAX_TEXT = 200
SLOWEST = 10.0
"""Seconds of wall time after which no larger problem is tried."""


def made(file, n, seeds):
    """One problem of size ``n`` for each seed."""
    task = _task(file)
    return [task.generate_problem(n, random_seed=seed) for seed in seeds]


def judged(file, problem, solution):
    """An empty text for a solution, else what is wrong with it."""
    said = _Said()
    logging.getLogger().addHandler(said)
    if _task(file).is_solution(problem, solution):
        return ""
    return said.first[:MAX_TEXT] or "is_solution says no"


def fitting(file, seconds, largest):
    """The first power of two for which its own ``solve`` takes at least so many seconds of CPU."""
    task, begun, n = _task(file), time.monotonic(), 4
    while n < largest and time.monotonic() - begun < SLOWEST:
        problem = task.generate_problem(n, random_seed=1)
        before = time.process_time()
        task.solve(problem)
        if time.process_time() - before >= seconds:
            break
        n *= 2
    return n


class _Said(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.first = ""

    def emit(self, record):
        self.first = self.first or record.getMessage()


def _task(file):
    module = loaded(file, "task_module")
    from AlgoTuneTasks.base import TASK_REGISTRY

    found = [*TASK_REGISTRY.values(), *(one for one in vars(module).values() if _is_task(one, module))]
    return found[0]()


def _is_task(one, module):
    return isinstance(one, type) and one.__module__ == module.__name__ and hasattr(one, "is_solution")
