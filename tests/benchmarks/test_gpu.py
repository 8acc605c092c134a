"""The checker for machines with a GPU, where there is none."""

import subprocess
import sys
from pathlib import Path

import pytest

from speciate.benchmarks.gpu import Ended, Report, Row, document
from speciate.benchmarks.gpu_overhead import Overhead
from speciate.benchmarks.gpu_states import ENDS
from speciate.sandbox.device import gpus


def test_the_tables_say_what_was_measured_and_what_not() -> None:
    report = Report(
        "cuda:0",
        "gpu",
        {"GPU": "a card"},
        [Row("one", 0.004, 0.001, 0.003, 0.002, 0.0011, 9.0), Row("two", reason="the reference failed")],
        [Ended("a hung kernel", "timeout", "timeout", False, False), Ended("other", "crashed", "skipped", True, None)],
        Overhead(plain=0.1, span=0.11, way=0.0095, work=0.1005),
    )
    told = document(report)
    assert "| one | 4 | 1 | 4 | 3 | 2 | 1.1 |" in told
    assert "| two | the reference failed |" in told
    assert "| a hung kernel | timeout | timeout | NO |" in told
    assert "+0.50 %" in told
    assert not report.ok
    assert Report("cpu", "gpu", {}, ends=report.ends[1:]).ok


def test_the_states_of_a_gpu_are_all_tried() -> None:
    assert {one.failure for one in ENDS if one.needs_gpu} == {"memory", "crashed", "timeout"}
    for one in ENDS:
        compile(one.program, one.name, "exec")


@pytest.mark.skipif(bool(gpus()), reason="there is a GPU")
def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "speciate.benchmarks.gpu", tmp_path / "out", "--task", "fasterpam_gpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--device cpu" in done.stderr
    assert not (tmp_path / "out").exists()
