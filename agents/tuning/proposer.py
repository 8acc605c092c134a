"""CMA-ES (Hansen and Ostermeier 2001) over the numbers of one form of program."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst
import numpy as np
from numpy.typing import NDArray

from ...archive import Program
from ...evaluators import Evaluation
from ..proposer import Brief, Candidate, Cost, NoProposal, Operator, Proposal, TaskCard
from .scales import Scale, scale_of
from .steps import leap, valley_of
from .template import Template

if TYPE_CHECKING:
    from cmaes import CMA

SPREAD = 0.4
"""First standard deviation, in coordinates: a factor of 1.5 on a log scale."""

FAR = 1.0
"""Steps longer than so many typical first ones are cut before they are told, as Hansen (2011) does with solutions that
CMA-ES did not draw itself."""

MAX_NUMBERS = 100
ASKS = 10
"""Draws until one is new: whole numbers and six digits make some of them equal."""

LEAPS, MODELLED = 0.3, 0.4
"""How often a step is a leap, while programs of the form are few, and how often it comes from the model."""

EARLY = 5
"""Programs of the form per number up to which there are leaps."""

SHAKEN = 0.1
"""Part of a drawn step that is added to the model's, so that programs in flight differ and the model keeps learning."""

Vector = NDArray[np.float64]


class TuningProposer:
    """Gives ``brief.parent`` other numbers. There is one search per form of program, and it has no memory of its own.

    On every call CMA-ES is run again over the evaluated programs of that form, in the order in which they were
    proposed, whoever proposed them; then it is asked for one step, from the best of them. So the lineage warms it up,
    and a resumed run goes on as it was. CMA-ES uses ranks only, so scores may be of any scale, clocked or not; what has
    none ranks last. Some steps are not its own (steps.py): a run has a few dozen evaluations for a form, which is
    before CMA-ES has learnt much.
    """

    def __init__(self, name: str = "tuning", relatives: int = 200) -> None:
        self.name = name
        self.relatives = relatives

    async def propose(self, brief: Brief) -> Proposal:
        """Raises: NoProposal where the parent has no numbers to tune, or too many, or no draw gave a new program."""
        begun = time.process_time()
        template = _template(brief.parent.program, brief.task)
        history = _history(template, brief.relatives or (brief.parent,))
        program = _drawn(template, history, brief.rng)
        return Proposal(
            program=program,
            parents=(history.best.id,),
            operator=Operator.TUNE,
            proposer=self.name,
            detail=f"cma_es[{len(template.slots)}]",
            rationale=f"{len(template.slots)} numbers, {len(history.losses)} programs of this form so far",
            cost=Cost(cpu_seconds=time.process_time() - begun),
        )


@dataclass(frozen=True)
class History:
    """What is known of a form: (programs, numbers) coordinates and what to minimise, in the order of evaluation."""

    scales: tuple[Scale, ...]
    places: Vector
    losses: Vector
    programs: tuple[Program, ...]

    @property
    def first(self) -> int:
        """Index of the best program."""
        return int(np.argmin(self.losses))

    @property
    def best(self) -> Program:
        return self.programs[self.first]


def _template(program: Program, task: TaskCard) -> Template:
    try:
        template = Template.of(program, task)
    except (SyntaxError, RecursionError, cst.ParserSyntaxError) as error:
        raise NoProposal(f"{program.id[:12]} cannot be parsed") from error
    if not 0 < len(template.slots) <= MAX_NUMBERS:
        raise NoProposal(f"{program.id[:12]} has {len(template.slots)} numbers to tune")
    return template


def _history(template: Template, relatives: tuple[Candidate, ...]) -> History:
    """The relatives that fit the template; the first of them decides the scales."""
    fitting = [(shown, values) for shown in relatives if (values := template.values(shown.program)) is not None]
    if not fitting:
        raise NoProposal("no program of this form has been evaluated")
    scales = tuple(scale_of(slot, value) for slot, value in zip(template.slots, fitting[0][1], strict=True))
    places, losses, programs = [], [], []
    for shown, values in fitting:
        try:
            places.append([scale.place(value) for scale, value in zip(scales, values, strict=True)])
        except ValueError:  # a number that left its scale, e.g. changed its sign
            continue
        losses.append(_loss(shown.evaluation))
        programs.append(shown.program)
    return History(scales, np.array(places), np.array(losses), tuple(programs))


def _loss(evaluation: Evaluation) -> float:
    """Less is better: minus the lower end of the score's interval.

    Tuning overfits a run's few instances before anything else does; a gain on all of them counts for more than a large
    one on some.
    """
    if evaluation.score is None or evaluation.interval is None:
        return math.inf
    return -evaluation.interval.low


def _drawn(template: Template, history: History, rng: np.random.Generator) -> Program:
    """A new program, one step from the best."""
    from cmaes import CMA

    places = history.places
    search = CMA(mean=places[0].copy(), sigma=SPREAD, seed=int(rng.integers(2**31)))
    _tell(search, history)
    known = {program.id for program in history.programs}
    for _ in range(ASKS):
        step = _step(search.ask() - search.mean, history, rng)
        place = places[history.first] + step
        program = template.filled([scale.value(at) for scale, at in zip(history.scales, place, strict=True)])
        if program.id not in known:
            return program
    raise NoProposal("no draw gave new numbers")


def _step(drawn: Vector, history: History, rng: np.random.Generator) -> Vector:
    """From the best program: what CMA-ES drew, or a leap, or to where a model of what is known has its minimum."""
    farthest = [scale.farthest for scale in history.scales]
    drawn = np.clip(drawn, np.negative(farthest), farthest)
    kind = rng.random()
    if kind < LEAPS and len(history.losses) <= EARLY * len(farthest):
        return leap(farthest, rng)
    if kind > 1 - MODELLED:
        valley = valley_of(history.places - history.places[history.first], history.losses, farthest)
        return drawn if valley is None else valley + SHAKEN * drawn
    return drawn


def _tell(search: CMA, history: History) -> None:
    """Generations in the order of evaluation, each with the best so far as one of its members."""
    reach = FAR * SPREAD * (math.sqrt(search.dim) + 2.0)
    size, best = search.population_size - 1, 0
    for start in range(1, len(history.losses) - size + 1, size):
        members = [*range(start, start + size), best]
        steps = [history.places[member] - search.mean for member in members]
        near = [step * min(1.0, reach / max(float(np.linalg.norm(step)), reach)) for step in steps]
        search.tell([(search.mean + step, history.losses[member]) for step, member in zip(near, members, strict=True)])
        best = min(members, key=history.losses.__getitem__)
