"""``speciate check --out``: what passed is kept, and checked again only where something changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]


def rows(said: Any) -> list[dict[str, Any]]:
    return json.loads(said.out)


def test_what_passed_is_not_checked_again(task: Path, tmp_path: Path, command: Command) -> None:
    kept = tmp_path / "checks.jsonl"
    first = command("check", task, "--json", "--out", kept)
    assert "checking linear (1 of 1)" in first.err
    again = command("check", task, "--json", "--out", kept)
    assert again.err == ""
    assert rows(again) == rows(first)
    assert len(kept.read_text().splitlines()) == 1


def test_other_files_another_seed_and_another_size_are_checked(task: Path, tmp_path: Path, command: Command) -> None:
    kept = tmp_path / "checks.jsonl"
    command("check", task, "--out", kept)
    assert "checking" in command("check", task, "--out", kept, "--seed", 1).err
    assert "checking" in command("check", task, "--out", kept, "--size", "smoke").err
    (task / "baseline.py").write_text((task / "baseline.py").read_text() + "\n# another\n")
    assert "checking" in command("check", task, "--out", kept).err


def test_what_failed_is_tried_again(task: Path, tmp_path: Path, command: Command) -> None:
    kept, right = tmp_path / "checks.jsonl", (task / "reference.py").read_text()
    (task / "reference.py").write_text((task / "baseline.py").read_text())
    for _ in range(2):
        failed = command("check", task, "--json", "--out", kept)
        assert failed.status == 1
        assert "checking" in failed.err
    (task / "reference.py").write_text(right)
    assert rows(command("check", task, "--json", "--out", kept))[0]["ok"]


def test_a_file_with_other_things_is_left_alone(task: Path, tmp_path: Path, command: Command) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("dear diary\n")
    said = command("check", task, "--out", mine)
    assert said.status == 2
    assert said.err == (f"speciate: {mine} does not hold results of 'speciate check': give another -o\n")
    assert mine.read_text() == "dear diary\n"
