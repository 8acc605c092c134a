"""Where instances come from: HMAC of a secret that no candidate sees (D10)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from .task import Instance, Size, Task

DRAW = " of draw "
"""Between an instance's name and the number of its draw, where there are several."""


def instance_rng(secret: bytes, purpose: str, size: str, program_id: str | None) -> np.random.Generator:
    """The generator of a set of instances; another purpose, size, program or secret gives an unrelated one."""
    message = "\0".join((purpose, size, program_id or "")).encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return np.random.default_rng(int.from_bytes(digest))


def draw(
    task: Task, secret: bytes, size: Size, purpose: str, *, program_id: str | None = None, sets: int = 1
) -> Sequence[Instance]:
    """Instances of the program's own, or (``program_id`` None) those that all programs of a run meet.

    ``sets`` independent draws are put together, for a narrower interval.
    """
    if sets == 1:
        return _made(task, instance_rng(secret, purpose, size, program_id), size)
    return [
        instance
        for number in range(sets)
        for instance in numbered_draw(task, secret, size, purpose, number, program_id=program_id)
    ]


def numbered_draw(
    task: Task, secret: bytes, size: Size, purpose: str, number: int, *, program_id: str | None = None
) -> Sequence[Instance]:
    """The ``number``-th of several independent draws; its instances carry the number in their names."""
    instances = _made(task, instance_rng(secret, f"{purpose}.{number}", size, program_id), size)
    return [replace(instance, name=f"{instance.name}{DRAW}{number}") for instance in instances]


def number_of(name: str) -> int | None:
    """The number of an instance's draw, where its name carries one."""
    number = name.rpartition(DRAW)[2]
    return int(number) if DRAW in name and number.isdecimal() else None


def kind_of(name: str) -> str:
    """An instance's name in its draw: what instances of several draws have in common."""
    return name.partition(DRAW)[0]


def _made(task: Task, rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    """From here on this process's linear algebra has one thread.

    More would take CPU from programs on the clock, and sum in another order on a machine with more cores, so that a
    run would not repeat there.
    """
    threadpool_limits(1)
    return task.instances(rng, size)
