"""The agent as a graph: plan -> write -> check -> smoke -> (repair -> check ...) -> done.

LangGraph keeps no checkpoints here: what must survive a kill is what was paid for, and that is in the run's journal.
A proposal that is resumed walks the graph again from its beginning with the brief that it had; each prompt finds its
reply in the journal (``calls.py``), so that only the step which was under way is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...archive import MAIN, Program, Replied
from ...evaluators import Evaluation
from ..memory.steps import failure_of
from ..proposer import Brief, Desk, NoProposal, Operator
from . import prompts
from .calls import Calls
from .cost import Message, Purse, prompt_estimate
from .edits import Unusable, edited, said_before
from .turns import Turn

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph


@dataclass(frozen=True, slots=True)
class Arm:
    """Which model does what."""

    model: str
    operator: Operator

    @property
    def name(self) -> str:
        return f"{self.model}:{self.operator.value}"


@dataclass(frozen=True)
class Draft:
    """What a proposal knows of itself between two nodes; each gives back the fields that it changes."""

    brief: Brief
    arm: Arm
    purse: Purse
    turn: Turn
    source: str
    """What the next reply changes."""
    messages: tuple[Message, ...] = ()
    reply: Replied | None = None
    step: int = 0
    """Calls so far."""
    program: Program | None = None
    """The last one that keeps the rules."""
    problem: str | None = None
    """Of the last reply, or of the program that came of it."""
    faults: tuple[str, ...] = ()
    """All problems so far, one line each."""
    mend: Message | None = None
    """How the problem is put to the model."""
    rationale: str = ""


Update = dict[str, Any]

MAX_LINE = 300


def one_line(text: str) -> str:
    return " ".join(text.split())[:MAX_LINE]


@dataclass(frozen=True)
class Agent:
    """Makes one program per call of ``make``; any number of them at once."""

    calls: Calls
    desk: Desk
    repairs: int
    plans: bool

    async def make(self, brief: Brief, arm: Arm, purse: Purse, turn: Turn) -> Draft:
        """The last state of the graph. Raises: NoProposal, ProposerFailed."""
        varied = brief.failed[0].program if arm.operator is Operator.REPAIR else brief.parent.program
        begin = Draft(brief, arm, purse, turn, varied.source)
        return Draft(**await self._graph.ainvoke(begin, {"recursion_limit": 10 + 4 * self.repairs}))

    @cached_property
    def _graph(self) -> CompiledStateGraph[Any, Any, Any, Any]:
        from langgraph.graph import END, START, StateGraph

        graph = StateGraph(Draft)
        for name in ("plan", "write", "check", "smoke", "repair"):
            graph.add_node(name, getattr(self, f"_{name}"))
        graph.add_edge(START, "plan")
        graph.add_edge("plan", "write")
        graph.add_edge("write", "check")
        graph.add_conditional_edges("check", self._after_check, {"smoke": "smoke", "repair": "repair", "done": END})
        graph.add_conditional_edges("smoke", self._after_smoke, {"repair": "repair", "done": END})
        graph.add_edge("repair", "check")
        return graph.compile()

    async def _plan(self, draft: Draft) -> Update:
        """The prompt; with a plan of the model's own in it where that is wanted."""
        operator = draft.arm.operator
        brief = await self._explained(draft) if operator is Operator.REPAIR else draft.brief
        most = self._most_tokens(draft)
        if not self.plans:
            return {"messages": prompts.opening(brief, operator, most)}
        messages = prompts.opening(brief, operator, most, prompts.render("plan"))
        reply = await self._ask(draft, messages)
        said = Message("assistant", reply.text)
        return {"messages": (*messages, said, prompts.after_plan(operator)), "step": 1, "rationale": reply.text}

    async def _explained(self, draft: Draft) -> Brief:
        """The brief of a repair: what the failing program's lines did takes the place of what its parent's did."""
        brief, failed = draft.brief, draft.brief.failed[0]
        trace = await self._traced(draft.turn, failed.program, failed.evaluation)
        parents = (replace(brief.parent, trace=""), *brief.parents[1:])
        return replace(brief, parents=parents, failed=(replace(failed, trace=trace), *brief.failed[1:]))

    async def _traced(self, turn: Turn, program: Program, failed: Evaluation) -> str:
        """What its lines did, in words."""
        async with turn.given():
            trace = await self.desk.trace(program, failed)
        return prompts.told(trace, program)

    async def _write(self, draft: Draft) -> Update:
        reply = await self._ask(draft, draft.messages)
        return {"reply": reply, "step": draft.step + 1, "rationale": said_before(reply.text) or draft.rationale}

    async def _check(self, draft: Draft) -> Update:
        """Take the edit out of the reply, apply it, and see whether the program keeps the rules."""
        brief, reply = draft.brief, draft.reply
        assert reply is not None
        if reply.finish == "filtered":
            raise NoProposal("the model refused to answer")
        try:
            source = edited(draft.source, reply.text, brief.task.entries)
        except Unusable as error:
            problem = str(error)
            if reply.finish == "length":
                problem = f"it was cut off at the limit of its length; be shorter ({problem})"
            return self._faulty(draft, problem, prompts.unusable(problem))
        program = Program({**brief.parent.program.files, MAIN: source})
        if program.id in self._known(brief):
            problem = "it changes nothing that matters: the program is one that you were shown"
            return self._faulty(draft, problem, prompts.unusable(problem))
        violations = self.desk.violations(program.files)
        if violations:
            problem = "\n".join(violations[:5])
            return self._faulty(draft, problem, prompts.broken(problem, source))
        return {"program": program, "problem": None, "source": source}

    @staticmethod
    def _faulty(draft: Draft, problem: str, mend: Message) -> Update:
        return {"problem": problem, "mend": mend, "faults": (*draft.faults, one_line(problem))}

    @staticmethod
    def _known(brief: Brief) -> set[str]:
        return {candidate.program.id for candidate in (*brief.parents, *brief.inspirations, *brief.failed)}

    async def _smoke(self, draft: Draft) -> Update:
        program = draft.program
        assert program is not None
        async with draft.turn.given():
            failed = await self.desk.smoke(program, draft.brief.counterexamples)
        if failed is None:
            return {"problem": None}
        fault = f"{failed.state.value} on a smoke instance - {failure_of(failed)}"
        update: Update = {"problem": failed.feedback, "faults": (*draft.faults, fault)}
        if not self._may_repair(draft):
            return update
        trace = await self._traced(draft.turn, program, failed)
        return {**update, "mend": prompts.broken(failed.feedback, program.source, trace)}

    async def _repair(self, draft: Draft) -> Update:
        """Show the model what is wrong with its last reply, and take another one."""
        mend, reply = draft.mend, draft.reply
        assert mend is not None
        assert reply is not None
        opening = draft.messages[:2]
        messages = (*opening, Message("assistant", reply.text), mend)
        if prompt_estimate(messages) > self._most_tokens(draft):
            messages = (*opening, mend)
        return {"reply": await self._ask(draft, messages), "step": draft.step + 1}

    def _after_check(self, draft: Draft) -> str:
        if draft.problem is None:
            return "smoke"
        return "repair" if self._may_repair(draft) else "done"

    def _after_smoke(self, draft: Draft) -> str:
        return "repair" if draft.problem is not None and self._may_repair(draft) else "done"

    def _may_repair(self, draft: Draft) -> bool:
        return draft.step - (1 if self.plans else 0) <= self.repairs

    async def _ask(self, draft: Draft, messages: Sequence[Message]) -> Replied:
        arm = draft.arm
        async with draft.turn.given():
            return await self.calls.ask(arm.model, messages, draft.purse, draft.brief.index, draft.step)

    def _most_tokens(self, draft: Draft) -> int:
        return self.calls.transports[draft.arm.model].model.max_prompt_tokens
