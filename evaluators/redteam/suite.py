"""The whole suite: controls first, then every exploit, each followed by a look at what it changed."""

from __future__ import annotations

import importlib
import pkgutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ...sandbox import Sandbox, SandboxError
from ..evaluation import State
from . import exploits
from .attacks import Ends
from .exploit import Exploit, Finding, Outcome
from .generic import cheats_of
from .lab import HONEST, TASKS, Lab

SECRET = b"of the red team's own instances"


def all_exploits() -> list[Exploit]:
    """All exploits, in the order of their ids."""
    names = sorted(module.name for module in pkgutil.iter_modules(exploits.__path__))
    return [importlib.import_module(f"{exploits.__name__}.{name}").exploit for name in names]


def attack_suite(sandbox: Sandbox, only: str | None = None) -> Iterator[Finding]:
    """Try the controls, the exploits (or the one with the id ``only``) and the generic cheats on the suite's tasks."""
    with tempfile.TemporaryDirectory(prefix="speciate-redteam-") as witness:
        lab = Lab(sandbox, SECRET, Path(witness))
        yield from controls(lab)
        for exploit in all_exploits():
            if only in (None, exploit.id):
                yield tried(exploit, lab)
        if only is None:
            for task in sorted(path.name for path in TASKS.iterdir() if (path / "task.py").is_file()):
                yield from cheats_of(lab.folder(task), sandbox, SECRET, lab.calibration(task))


def controls(lab: Lab) -> Iterator[Finding]:
    """A suite that finds everything invalid, or everything valid, would prove nothing."""
    evaluation = lab.score(HONEST)
    right = evaluation.state is State.VALID and evaluation.score is not None
    yield Finding(id="C1", name="a correct program", expected="valid", got=evaluation.state, held=right)
    wrong = Ends(("def solve(x):\n    return x[:-1]\n",)).mount(lab)
    yield Finding(id="C2", name="a wrong program", expected=wrong.expected, got=wrong.got, held=wrong.held)


def tried(exploit: Exploit, lab: Lab) -> Finding:
    outcome = _outcome(exploit.attack.mount, lab)
    harm = lab.harm()
    return Finding(
        id=exploit.id,
        name=exploit.name,
        expected=outcome.expected,
        got=f"{outcome.got}; {harm}" if harm else outcome.got,
        held=False if harm else outcome.held,
    )


def _outcome(mount: Callable[[Lab], Outcome], lab: Lab) -> Outcome:
    try:
        return mount(lab)
    except SandboxError as error:
        return Outcome("a state", f"the sandbox failed: {error}", False)
