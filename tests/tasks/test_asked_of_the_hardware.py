"""What clocked tasks of the catalogue say that their instances ask of the hardware."""

import numpy as np
import pytest

from speciate.evaluators import Task, array_bytes
from speciate.evaluators.loader import shipped_tasks

CLOCKED = [task for task in shipped_tasks() if task.objective.measure.timed]


@pytest.mark.parametrize("task", CLOCKED, ids=[task.id for task in CLOCKED])
def test_a_clocked_task_counts_what_arrives(task: Task) -> None:
    assert task.bytes is not None
    for instance in task.instances(np.random.default_rng(0), "smoke"):
        arrived = array_bytes(instance.inputs)
        assert arrived > 0
        assert arrived <= task.bytes(instance) < 4 * arrived
        assert task.flops is None or 0 < task.flops(instance) < arrived
