"""Rounds style: parties average their numbers by messages, each step in a fresh process with explicit state."""

import numpy as np

from speciate.evaluators import Descriptor, Direction, Entry, Instance, Objective, Paper, Task, Verdict
from speciate.evaluators.checks import as_array, as_number

PARTIES, ROUNDS = 3, 2


def instances(rng, size):
    count = 1 if size == "smoke" else 2
    return [Instance(f"parties{i}", {}, rng.normal(size=PARTIES)) for i in range(count)]


def drive(instance, session):
    states = list(instance.secret)
    for _ in range(ROUNDS):
        message = sum(as_number(state, name="state") for state in states)
        states = [
            session.call("step", {"state": float(state), "message": message, "parties": PARTIES}) for state in states
        ]
    return states


def judge(instance, output, log):
    states = as_array(output, shape=(PARTIES,), name="the states")
    return Verdict(True, {"spread": float(np.abs(states - instance.secret.mean()).mean())})


task = Task(
    id="rounds",
    family="toys",
    title="Agree on the mean",
    paper=Paper("None", 2026),
    entry=Entry("def step(state: float, message: float, parties: int) -> float"),
    statement="Each party moves its number so that all end at the mean; the message is the sum of the numbers.",
    instances=instances,
    judge=judge,
    objective=Objective("spread", Direction.MINIMIZE, "log", floor=1e-3),
    descriptors=(Descriptor("code_size", 5, 100, 6, "log"),),
    style="rounds",
    drive=drive,
    claim="Taking over the mean is better than going half way.",
)
