"""What each layer of the jail costs: the same candidates with one layer more each time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..sandbox import Sandbox, SandboxSpec
from ..sandbox.inside.confine import Layer
from ..sandbox.slot import start_zygote

FRAMES = "fork server: frames, clock"
ORDER = (Layer.LIMITS, Layer.CAPABILITIES, Layer.SYSTEM_CALLS, Layer.PIDS, Layer.FILES)
"""All of them; with the last one the jail is whole."""
FULL = "full isolation"


@contextlib.contextmanager
def sandboxes() -> Iterator[dict[str, Sandbox]]:
    """A warm sandbox for each stage, by what it adds to the one before. Never for programs that are not trusted."""
    with contextlib.ExitStack() as stack:
        opened = {}
        for count in range(len(ORDER) + 1):
            zygote = start_zygote(SandboxSpec(), omitted=ORDER[count:])
            opened[_name(count)] = stack.enter_context(Sandbox(SandboxSpec(), zygote))
        yield opened


def _name(count: int) -> str:
    if count == 0:
        return FRAMES
    return f"+ {ORDER[count - 1]}" if count < len(ORDER) else f"+ {ORDER[-1]}: {FULL}"
