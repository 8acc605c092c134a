"""Our own pipeline as a workflow: prompt template -> program -> jail and judge, each with what may be changed of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from speciate.agents.opto.graph import Node, bundle
from speciate.evaluators import Evaluation


def pipeline(
    template: Node,
    settings: Node,
    parent: Node,
    write: Callable[[str, Mapping[str, Any]], str],
    evaluate: Callable[[str], Evaluation],
) -> Node:
    """The evaluation of the program that ``write`` makes of the prompt, as a node that follows from all three.

    ``template`` holds text with ``{program}`` in it, ``settings`` a dict for the model, ``parent`` the source of a
    program. Feedback on the result reaches each of them apart. Raises: OpFailed where a step of it fails.
    """

    @bundle
    def program(prompt: str, settings: Mapping[str, Any]) -> str:
        """A language model answers the prompt with a program."""
        return write(prompt, settings)

    @bundle
    def evaluation(program: str) -> Evaluation:
        """The program runs in a jail, and a judge scores what it gives."""
        return evaluate(program)

    return evaluation(program(_prompt(template, parent), settings))


@bundle
def _prompt(template: str, program: str) -> str:
    """The template with the program in its place."""
    return template.replace("{program}", program)
