"""The catalogue's page."""

from pathlib import Path

from speciate.benchmarks.catalogue import document
from speciate.evaluators import CheckResult, Interval
from speciate.evaluators.loader import shipped_tasks

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"


def result(task: str, ok: bool, margin: float) -> CheckResult:
    return CheckResult(
        task=task,
        digest="0",
        size="default",
        seed=0,
        ok=ok,
        baseline=2.0,
        reference=1.0,
        margin=margin,
        margin_interval=Interval(low=margin - 1, high=margin + 1),
        known={"simple_method": 0.5},
        claim="",
        cpu_seconds=0.25,
        reason="" if ok else "a cheat scores",
    )


def test_each_task_has_a_row_and_its_claim() -> None:
    tasks = shipped_tasks()
    page = document([result("fasterpam", True, 1.5)], tasks, 2)
    for task in tasks:
        assert f"| `{task.id}` | {task.paper.title}, {task.paper.year} |" in page
        assert f"- `{task.id}`: {task.claim}" in page
    (row,) = [line for line in page.splitlines() if line.startswith("| `fasterpam`")]
    assert row.endswith("| 2 | 1 | 1.5 [0.5, 2.5] | simple method 0.5 | 0.25 | passes |")
    assert page.count("| not run |") == len(tasks) - 1


def test_the_last_result_counts_and_a_failure_says_why() -> None:
    page = document([result("fasterpam", True, 1.5), result("fasterpam", False, 9.0)], shipped_tasks("clustering"), 2)
    assert "fails: a cheat scores" in page
    assert "1.5 [" not in page


def test_the_page_in_the_documentation_has_all_tasks() -> None:
    page = PAGE.read_text()
    assert [task.id for task in shipped_tasks() if f"`{task.id}`" not in page] == []
