"""The catalogue's table: what each task is, and what of its paper's claim was measured.

``speciate check --all --out checks.jsonl``, which can be stopped and goes on, then
``python -m speciate.benchmarks.catalogue checks.jsonl > docs/catalogue.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..evaluators import CheckResult, Task
from ..evaluators.loader import shipped_tasks

HEAD = """# The catalogue

{tasks} documented algorithms of {families} families. Written by

```
speciate check --all --out checks.jsonl
python -m speciate.benchmarks.catalogue checks.jsonl > docs/catalogue.md
```

*Baseline* and *reference* are the values of the objective (the standard method's and the paper's), aggregated over one
draw of instances. *Margin* is the reference's mean gain over the baseline on {sets} fresh draws, with its 95 %
interval: the logarithm of the ratio, or the difference where the objective's scale is linear. A task passes where the
margin is at least three standard errors above 0 and no generic cheat scores. *Known* methods are simple ones outside
the paper that rival it, with their scores; 1 is the paper's, so a discovery is what is ahead of both. *CPU* is what the
baseline takes for one draw, in seconds. What is scaled down and what was changed against the paper stands at the top of
each task's `task.py`.
"""


def document(results: Sequence[CheckResult], tasks: Sequence[Task], sets: int) -> str:
    """The whole page; of several results for a task the last one counts."""
    by_task = {result.task: result for result in results}
    families = sorted({task.family for task in tasks})
    parts = [HEAD.format(tasks=len(tasks), families=len(families), sets=sets)]
    for family in families:
        members = [task for task in tasks if task.family == family]
        parts.append(
            "\n".join([f"## {family.replace('_', ' ')}", "", *_table(members, by_task), "", *_claims(members)])
        )
    return "\n".join(parts)


def _table(members: Sequence[Task], results: Mapping[str, CheckResult]) -> Iterator[str]:
    yield "| task | paper | objective | baseline | reference | margin | known | CPU | check |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for task in members:
        cells = [
            f"`{task.id}`",
            f"{task.paper.title}, {task.paper.year}",
            f"{task.objective.direction.value} {task.objective.name.replace('_', ' ')}",
            *_measured(results.get(task.id)),
        ]
        yield "| " + " | ".join(cells) + " |"


def _measured(result: CheckResult | None) -> list[str]:
    if result is None:
        return ["", "", "", "", "", "not run"]
    known = ", ".join(f"{name.replace('_', ' ')} {_number(score)}" for name, score in result.known.items())
    verdict = "passes" if result.ok else f"fails: {result.reason}"
    numbers = [_number(result.baseline), _number(result.reference), result.margin_text, known]
    return [*numbers, _number(result.cpu_seconds), verdict]


def _claims(members: Sequence[Task]) -> Iterator[str]:
    for task in members:
        yield f"- `{task.id}`: {task.claim}"
    yield ""


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def main() -> None:
    from ..evaluators.check import FRESH_SETS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checks", type=Path, help="what 'speciate check --out' wrote")
    lines = parser.parse_args().checks.read_text(encoding="utf-8").splitlines()
    print(document([CheckResult.model_validate_json(line) for line in lines], shipped_tasks(), FRESH_SETS), end="")


if __name__ == "__main__":
    main()
