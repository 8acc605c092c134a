"""Certification: the best programs are scored again on instances that did not exist during the search (D10, D11)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from ..archive import RunState, certifies
from ..evaluators import Evaluation, Evaluator, TaskFolder, calibrate
from ..sandbox import open_sandbox
from .executor import sandbox_spec
from .secrets import certification_secret

MAX_TRIES = 10
"""How many programs, best first, are tried before the run ends without a certificate."""

PURPOSE = "certify"

SETS = 3
"""Independent draws of instances that a certification puts together."""


def candidates(state: RunState, first: Sequence[str] = ()) -> list[str]:
    """The programs to certify at the end of a run: ``first``, then the best; none where there is a certificate.

    Programs that were tried already, and the baseline itself, are left out.
    """
    if state.certified_best is not None:
        return []
    done = {state.baseline, *state.certificates}
    return [program for program in dict.fromkeys((*first, *state.ranking(MAX_TRIES))) if program not in done]


def certify(
    folder: TaskFolder, state: RunState, programs: Sequence[str], secret: bytes, unsafe: bool
) -> Iterator[tuple[str, Evaluation]]:
    """Evaluate programs on fresh secret instances, in their order, until one certificate holds.

    Baseline and reference are measured on the fresh instances too, so the scale is theirs.
    """
    if not programs:
        return
    fresh = certification_secret(secret)
    with contextlib.closing(open_sandbox(sandbox_spec(folder, unsafe))) as sandbox:
        evaluator = Evaluator(folder, sandbox, fresh, calibrate(folder, sandbox, fresh, purpose=PURPOSE, sets=SETS))
        for program in programs:
            evaluation = evaluator.evaluate(state.program(program).files, program, purpose=PURPOSE)
            yield program, evaluation
            if certifies(evaluation):
                return
