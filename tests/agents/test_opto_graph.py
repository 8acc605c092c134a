"""Recording, cutting and telling of workflows; models that optimise them, scripted."""

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from speciate.agents.opto.graph import Constraint, Node, OpFailed, backward, bundle, merged, node
from speciate.agents.opto.optimizer import Opro, OptoPrime
from speciate.agents.opto.sections import OptoSections
from speciate.agents.opto.workflow import graph_sections, masked_sections
from speciate.evaluators import Evaluation, Evaluator, calibrate, load_task
from speciate.sandbox import Backend, open_sandbox

from .opto_pipeline import pipeline

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"


@bundle
def add(a: float, b: float) -> float:
    """Their sum."""
    return a + b


@bundle
def double(a: float) -> float:
    """Twice the value."""
    return 2 * a


@bundle
def divide(a: float, b: float) -> float:
    return a / b


def variable(value: Any, name: str, **more: Any) -> Node:
    return node(value, name, trainable=True, **more)


def test_a_diamond_is_cut_to_four_nodes_each_once_in_topological_order() -> None:
    a, other = variable(1.0, "a"), node(5.0, "other")
    b, c = double(a), add(a, other)
    beside = double(b)
    d = add(b, c)
    graph = backward(d, "too low")[a]
    assert graph.nodes == (a, b, c, d)
    assert beside not in graph.nodes
    assert other not in graph.nodes, "it is an input of the cut, not part of it"
    assert graph.feedback == ((d, "too low"),)


def test_another_branch_gives_another_graph() -> None:
    def program(x: Node) -> Node:
        return double(x) if x.value > 0 else add(x, x)

    names = [
        [one.op.name for one in backward(program(x), "")[x].nodes if one.op]
        for x in (variable(1.0, "x"), variable(-1.0, "x"))
    ]
    assert names == [["double"], ["add"]]


def test_feedback_on_an_exception_reaches_the_parameters_upstream_of_it_only() -> None:
    x, y, z = variable(3.0, "x"), variable(0.0, "y"), variable(9.0, "z")
    double(z)
    with pytest.raises(OpFailed) as caught:
        divide(add(x, 1.0), double(y))
    failed = caught.value.node
    assert "ZeroDivisionError" in failed.value
    reached = backward(failed, str(failed.value))
    assert set(reached) == {x, y}
    assert failed in reached[y].nodes
    assert "raised an exception" in graph_sections(merged(reached.values())).code


def test_nodes_in_containers_are_seen_and_unpacked() -> None:
    @bundle
    def total(values: list[float], more: dict[str, float]) -> float:
        return sum(values) + sum(more.values())

    x, y = variable(1.0, "x"), variable(2.0, "y")
    out = total([x, 10.0], more={"k": y})
    assert out.value == 13.0
    assert set(backward(out, "")) == {x, y}


def test_merging_keeps_each_node_and_each_word_once() -> None:
    x, y = variable(1.0, "x"), variable(2.0, "y")
    s = add(x, y)
    first, second = double(s), add(s, s)
    graphs = [*backward(first, "low").values(), *backward(second, "high").values()]
    whole = merged(graphs)
    assert len(whole.nodes) == len(set(whole.nodes)) == 5
    assert whole.feedback == ((first, "low"), (second, "high"))
    assert [one for one in whole.nodes if one.trainable] == [x, y]


def test_the_sections_tell_the_graph_and_the_mask_hides_it() -> None:
    x = variable(3.0, "x", constraint=Constraint("between 0 and 9", lambda v: 0 <= v <= 9))
    out = add(double(x), node(4.0, "shift", description="given"))
    told = graph_sections(merged(backward(out, "should be 12").values()))
    assert told.code == "double = double(a=x)\nadd = add(a=double, b=shift)"
    assert told.documentation == "[double] Twice the value.\n[add] Their sum."
    assert told.variables == "(float) x = 3.0"
    assert told.constraints == "x: between 0 and 9"
    assert told.inputs == "shift = 4.0    # given"
    assert told.others == "double = 6.0"
    assert told.outputs == "add = 10.0"
    assert told.feedback == "add: should be 12"
    masked = masked_sections(merged(backward(out, "should be 12").values()))
    assert masked == OptoSections(variables=told.variables, constraints=told.constraints, feedback="should be 12")


class Descends:
    """Stands for a model: moves the variable against the error that it reads off the outputs, else stays."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    async def __call__(self, prompt: str) -> str:
        self.prompts.append(prompt)
        name, value = re.search(r"\(float\) (\w+) = (\S+)", prompt).groups()  # type: ignore[union-attr]
        output = re.search(r"# outputs\n```\n\w+ = (\S+)", prompt)
        wanted = float(re.search(r"it should be (\S+)", prompt).group(1))  # type: ignore[union-attr]
        moved = float(value) - 0.5 * (float(output.group(1)) - wanted) if output else float(value)
        answer = {"reasoning": "against the error", "suggestion": {name: moved}}
        return f"Here it is:\n```json\n{json.dumps(answer)}\n```"


def steps_to_solve(optimizer: OptoPrime) -> int | None:
    x = variable(9.0, "x")
    for step in range(10):
        out = add(divide(double(x), 1.6), 1.0)
        if abs(out.value - 4.0) < 0.01:
            return step
        made = asyncio.run(optimizer.step(backward(out, "it should be 4.0").values()))
        x = variable(made.values[x], "x")
    return None


def test_a_model_solves_a_workflow_with_the_trace_and_not_without() -> None:
    sees, blind = Descends(), Descends()
    assert steps_to_solve(OptoPrime(sees)) is not None
    assert steps_to_solve(Opro(blind)) is None
    assert "# code" in sees.prompts[0]
    assert "# code" not in blind.prompts[0]
    assert sees.prompts[4].count("-> add: it should be 4.0") == 4, "four earlier tries are remembered"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("I would rather not.", "no JSON object"),
        ('{"suggestion": {"x": 3', "broken"),
        ("{" * 100_000, "broken"),
        ('{"suggestion": [3]}', "no 'suggestion'"),
        ('{"suggestion": {"x": 99.0}}', "breaks the constraint"),
        ('{"suggestion": {"x": "3"}}', "must be float, not str"),
        ('{"suggestion": {"x": true}}', "must be float, not bool"),
        ('{"suggestion": {"x": NaN}}', "finite"),
        ('{"suggestion": {"z": 3.0}}', "no variable of that name"),
    ],
)
def test_a_suggestion_that_cannot_be_taken_changes_nothing_and_is_logged(
    reply: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def write(prompt: str) -> str:
        return reply

    x = variable(3.0, "x", constraint=Constraint("between 0 and 9", lambda v: 0 <= v <= 9))
    with caplog.at_level(logging.WARNING):
        step = asyncio.run(OptoPrime(write).step(backward(double(x), "low").values()))
    assert step.values == {}
    assert said in step.refused[0]
    assert said in caplog.text


def test_what_can_be_taken_of_a_suggestion_is_taken() -> None:
    async def write(prompt: str) -> str:
        return '{"reasoning": "r", "suggestion": {"x": 4, "y": 77}}'

    x, y = variable(3.0, "x"), variable("text", "y")
    step = asyncio.run(OptoPrime(write).step(backward(bundle(lambda a, b: a)(x, y), "low").values()))
    assert step.values == {x: 4.0}
    assert type(step.values[x]) is float
    assert len(step.refused) == 1


def test_our_own_pipeline_takes_the_judges_words_to_prompt_settings_and_program() -> None:
    folder = load_task(str(LINEAR))
    template = variable("Improve this:\n{program}", "template")
    settings = variable({"factor": 2.0}, "settings")
    parent = variable(folder.baseline, "parent")

    def write(prompt: str, settings: Any) -> str:
        assert folder.baseline in prompt
        return f"def solve(x):\n    return {settings['factor']} * x\n"

    with open_sandbox(folder.spec(Backend.BUBBLEWRAP)) as sandbox:
        evaluator = Evaluator(folder, sandbox, b"secret", calibrate(folder, sandbox, b"secret"))

        def evaluate(source: str) -> Evaluation:
            return evaluator.evaluate({"program.py": source}, "program")

        out = pipeline(template, settings, parent, write, evaluate)
    graphs = backward(out, out.value.feedback)
    assert set(graphs) == {template, settings, parent}
    assert "error=0.2" in graphs[settings].feedback[0][1]
    assert [one.name for one in graphs[settings].nodes] == ["settings", "program", "evaluation"]
    told = graph_sections(merged(graphs.values()))
    assert "evaluation = evaluation(program=program)" in told.code
    assert "return 2.0 * x" in told.others


def test_a_step_of_the_pipeline_that_fails_reaches_what_led_to_it() -> None:
    def refuses(prompt: str, settings: Any) -> str:
        raise TimeoutError("the endpoint does not answer")

    template, settings = variable("{program}", "template"), variable({}, "settings")
    with pytest.raises(OpFailed) as caught:
        pipeline(template, settings, variable("x = 1", "parent"), refuses, lambda source: pytest.fail("not reached"))
    assert {one.name for one in backward(caught.value.node, "")} == {"template", "settings", "parent"}
