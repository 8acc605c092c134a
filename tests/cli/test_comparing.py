"""``speciate compare`` as scripts use it, interrupted and taken up again."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LINEAR = str(Path(__file__).parent.parent / "toy_tasks" / "linear")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "speciate", "compare", *arguments]


def test_an_interrupted_comparison_goes_on_and_draws_its_curves(tmp_path: Path) -> None:
    options = ("--methods", "evolution,hill_climbing", "--evaluations", "60", "--seeds", "2", "-o", "runs")
    whole = command(LINEAR, *options, "--plot", "curves.svg", "--json")
    with subprocess.Popen(whole, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as begun:
        deadline = time.monotonic() + 60
        while not (tmp_path / "runs" / "hill_climbing-seed0").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.5)
        begun.send_signal(signal.SIGINT)
        begun.wait(60)
    assert begun.returncode == 130
    assert not (tmp_path / "curves.svg").exists()
    done = subprocess.run(whole, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert [row["method"] for row in found["methods"]] == ["evolution", "hill_climbing"]
    for row in found["methods"]:
        assert row["seeds"] == 2
        assert row["best"]["interval"]["low"] <= row["best"]["mean"] <= row["best"]["interval"]["high"]
        assert set(row["at"]) == {"7", "15", "30", "60"}
        assert [len(run["curve"]) for run in row["runs"]] == [60, 60]
        assert 0 <= row["certified"] <= 2
    first, second = found["methods"]
    assert first["difference"] is None
    assert second["difference"]["mean"] == pytest.approx(second["best"]["mean"] - first["best"]["mean"])
    drawing = (tmp_path / "curves.svg").read_text()
    assert drawing.count("<svg") == 1
    assert "fill-opacity: 0.15" in drawing


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(("--methods", "evolution,magic"), "magic"), (("--methods", ""), "evolution"), (("--plot", "a.xyz"), ".svg")],
)
def test_a_users_mistake_is_one_line_and_status_2(arguments: tuple[str, ...], word: str, tmp_path: Path) -> None:
    done = subprocess.run(
        command(LINEAR, "--methods", "evolution", "--evaluations", "2", "--seeds", "1", *arguments),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert word in done.stderr.splitlines()[-1]
    assert not (tmp_path / "runs").exists()
