"""What a task file derives from and registers itself with."""

TASK_REGISTRY = {}


def register_task(name):
    """A class decorator that keeps the class by its name."""

    def registered(cls):
        TASK_REGISTRY[name] = cls
        return cls

    return registered


class Task:
    """Base of a task, which has ``generate_problem``, ``solve`` and ``is_solution``."""

    def __init__(self, **settings):
        self.settings = settings

    def generate_problem(self, n, random_seed=1):
        raise NotImplementedError

    def solve(self, problem):
        raise NotImplementedError

    def is_solution(self, problem, solution):
        raise NotImplementedError
