"""How many pairs of numbers have a sum below a bound?"""

import logging
import random
from typing import Any

import numpy as np
from AlgoTuneTasks.base import Task, register_task


@register_task("pairwise_sums")
class PairwiseSums(Task):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def generate_problem(self, n: int, random_seed: int = 42) -> dict[str, Any]:
        random.seed(random_seed)
        np.random.seed(random_seed)
        return {"numbers": np.random.normal(size=n), "bound": random.uniform(-1.0, 1.0)}

    def _below(self, row: np.ndarray, bound: float) -> int:
        # One row of all pairs.
        return int(np.sum(row < bound))

    def solve(self, problem: dict[str, Any]) -> int:
        numbers, bound = problem["numbers"], problem["bound"]
        count = 0
        for i in range(len(numbers)):
            row = numbers[i] + numbers
            count += self._below(row, bound)
        return count

    def is_solution(self, problem: dict[str, Any], solution: int) -> bool:
        if not isinstance(solution, int):
            logging.error("the solution is no integer")
            return False
        ordered = np.sort(problem["numbers"])
        expected = int(np.searchsorted(ordered, problem["bound"] - ordered, side="left").sum())
        if solution != expected:
            logging.error("the count is wrong")
        return solution == expected
