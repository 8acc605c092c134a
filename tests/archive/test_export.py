"""A library is written from runs, built, installed, and its own tests pass; what must not leave is refused."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from speciate.archive import (
    ArchiveSettings,
    Certified,
    Evaluated,
    ExportError,
    Journal,
    Program,
    Proposed,
    RunStarted,
)
from speciate.archive.export import ExportResult, export
from speciate.evaluators import Evaluation, Interval, State, TaskError, load_task

TASK = """
import numpy as np
from speciate.evaluators import *

def instances(rng, size):
    return [Instance(f"i{k}", {"x": rng.normal(size=8), "k": k + 2}, None) for k in range(2)]

def judge(instance, output, log):
    if not isinstance(output, np.ndarray) or output.shape != (8,) or not np.isfinite(output).all():
        return Verdict.invalid("eight finite numbers, please")
    return Verdict(True, {"error": float(np.abs(output).sum()) + 1.0})

class Slope(Oracle):
    methods = ("grad",)
    budget = 3
    def grad(self, x):
        return 2 * x

def drive(instance, session):
    x = instance.inputs["x"]
    with session.process() as process:
        for _ in range(3):
            x = process.call("solve", {"x": x, "k": 2})
    return session.call("solve", {"x": x, "k": 3})

task = Task(
    id="NAME", family="toys", title="A toy", paper=Paper("Toys", 2024),
    entry=Entry("def solve(x: np.ndarray, k: int) -> np.ndarray"),
    statement="# Task\\nMake `x` small.", instances=instances, judge=judge,
    objective=Objective("error", Direction.MINIMIZE, "log"), descriptors=(Descriptor("error", 0, 20),),
    claim="Smaller is better.", EXTRA
)
"""
BASELINE = """# EVOLVE-BLOCK-START
def solve(x, k, **oracle):
    return x
# EVOLVE-BLOCK-END
"""
SORTING = '''"""Sorts."""
import numpy as np

# EVOLVE-BLOCK-START
def solve( x, k ):
    return np.sort(x) / k  # exactly so
# EVOLVE-BLOCK-END
'''
ASKING = """def solve(x, k, oracle):
    for _ in range(9):
        try:
            x = x - 0.25 * oracle.grad(x)
        except Exception:
            return x
"""
HELPED = """import numpy as np
from helpers.util import halve

calls = 0


def solve(x, k):
    global calls
    calls += 1
    return halve(x) / calls
"""
RANDOM = """import numpy as np


def solve(x, k):
    return np.random.default_rng().random(8)
"""
HELPER = "from helpers.more import TWO\n\n\ndef halve(x):\n    return x / TWO\n"

MakeRun = Callable[..., Path]


def scored(score: float) -> Evaluation:
    interval = Interval(low=score - 0.1, high=score + 0.1)
    return Evaluation(
        state=State.VALID, size="default", score=score, interval=interval, descriptors={"error": 1.0}, tier="test"
    )


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A user's task with a finished run of it, in which ``source`` scored 0.5."""

    def make(
        name: str,
        source: str,
        extra: str = "",
        certified: float | None = 0.4,
        run: str = "",
        reference: str = BASELINE.replace("return x", "return 0 * x"),
    ) -> Path:
        folder = tmp_path / name
        if not folder.exists():
            (folder / "helpers").mkdir(parents=True)
            (folder / "helpers" / "__init__.py").touch()
            (folder / "helpers" / "util.py").write_text(HELPER)
            (folder / "helpers" / "more.py").write_text("TWO = 2\n")
            (folder / "task.py").write_text(TASK.replace("NAME", name).replace("EXTRA", extra))
            (folder / "baseline.py").write_text(BASELINE)
            (folder / "reference.py").write_text(reference)
            (folder / "known_quarter.py").write_text(BASELINE.replace("return x", "return x / 4"))
        events: list[Any] = []
        programs = [Program.of(BASELINE), Program.of(source)]
        for index, program in enumerate(programs):
            events.append(
                Proposed(
                    index=index,
                    island=0,
                    files=dict(program.files),
                    program=program.id,
                    parents=tuple(p.id for p in programs[:index]),
                    operator="mutate" if index else "seed",
                    proposer="symbolic" if index else "baseline",
                    detail='swap """ \\',
                )
            )
            events.append(Evaluated(index=index, evaluation=scored(index / 2)))
        if certified is not None:
            events.append(Certified(program=programs[1].id, evaluation=scored(certified)))
        task = load_task(str(folder))
        started = RunStarted(
            task=name,
            task_path=str(folder),
            task_digest=task.digest,
            config={},
            archive=ArchiveSettings.of(task.task.descriptors),
            seed=0,
            secret="00",
            version="0",
        )
        directory = tmp_path / f"run-{name}{run}"
        with contextlib.closing(Journal.create(directory)) as journal:
            journal.append(started, *events)
        return directory

    return make


def run_tests(result: ExportResult, site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, "tests"]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        command, cwd=result.library, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_a_library_of_three_styles_is_built_installed_and_passes_its_tests(tmp_path: Path, make_run: MakeRun) -> None:
    runs = [
        make_run("sorting", SORTING),
        make_run("asking", ASKING, 'style="oracle", oracle=lambda instance: Slope()'),
        make_run("helped", HELPED, 'style="rounds", drive=drive'),
        make_run("chance", RANDOM),
    ]
    result = export(runs, tmp_path / "my-lib")
    assert result.functions == tuple(f"my_lib.{task}.solve" for task in ("asking", "chance", "helped", "sorting"))
    assert SORTING.split('"""')[2].strip() in (result.library / "src/my_lib/sorting.py").read_text()
    readme = (result.library / "README.md").read_text()
    assert "| `my_lib.sorting.solve` | 0.500 [0.400, 0.600] | 0.400 [0.300, 0.500] |" in readme
    assert "`my_lib.chance.solve` has no recorded calls" in readme
    assert not list(result.library.rglob("*.pkl"))

    wheels = tmp_path / "wheels"
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(wheels), str(result.library)]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (wheel,) = wheels.glob("my_lib-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    done = run_tests(result, tmp_path / "site", "-k", "not fresh")
    assert done.returncode == 0, done.stdout
    code = "import my_lib, numpy; print(my_lib.sorting.solve(numpy.arange(2.0), 2), my_lib.__file__)"
    environment = {"PYTHONPATH": str(tmp_path / "site")}
    used = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert used.stdout.startswith("[0.  0.5]")


def test_the_benchmark_puts_a_function_beside_what_was_known_before(tmp_path: Path, make_run: MakeRun) -> None:
    result = export([make_run("sorting", SORTING)], tmp_path / "lib")
    table = (result.library / "benchmarks" / "README.md").read_text()
    names = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    assert names == ["program", "---", "baseline", "**`lib.sorting.solve`**", "reference", "known: quarter"]
    rows = {row["kind"]: row for row in json.loads((result.library / "benchmarks" / "sorting.json").read_text())}
    assert rows["baseline"]["score"] == 0
    assert rows["reference"]["score"] == pytest.approx(1)
    assert 0 < rows["program"]["score"] < rows["known"]["score"] < 1
    assert "known method *quarter* scores at least as much" in table
    measured = subprocess.run(
        [sys.executable, str(result.library / "benchmarks" / "measure.py")], capture_output=True, text=True, check=True
    )
    assert [line.split()[:2] for line in measured.stdout.splitlines()[1:]] == [
        [name, "valid"] for name in ("baseline", "lib", "reference", "quarter")
    ]


def test_a_task_whose_reference_no_longer_wins_is_exported_without_a_benchmark(
    tmp_path: Path, make_run: MakeRun
) -> None:
    result = export([make_run("sorting", SORTING, reference=BASELINE)], tmp_path / "lib")
    assert "Not measured: the reference of task 'sorting'" in (result.library / "benchmarks/README.md").read_text()


def test_functions_say_what_they_take(tmp_path: Path, make_run: MakeRun) -> None:
    runs = [make_run("sorting", SORTING), make_run("asking", ASKING, 'style="oracle", oracle=lambda instance: Slope()')]
    result = export(runs, tmp_path / "lib")
    code = "import lib; print(lib.sorting.solve.__doc__, lib.asking.solve.__doc__)"
    environment = {"PYTHONPATH": str(result.library / "src")}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "x: float64 array of shape (8,)" in said.stdout
    assert "Returns: float64 array of shape (8,)" in said.stdout
    assert "oracle: an object with the methods grad" in said.stdout
    stub = (result.library / "src/lib/sorting.pyi").read_text()
    assert "def solve(x: np.ndarray, k: int) -> np.ndarray:" in stub
    assert "x: float64 array of shape (8,)" in stub
    compile(stub, "stub", "exec")


def test_its_tests_notice_a_program_that_changed(tmp_path: Path, make_run: MakeRun) -> None:
    result = export([make_run("sorting", SORTING)], tmp_path / "lib")
    module = result.library / "src/lib/sorting.py"
    module.write_text(module.read_text().replace("np.sort(x) / k", "np.sort(x) / k + 1e-3"))
    done = run_tests(result, result.library / "src", "-k", "recorded")
    assert done.returncode == 1
    assert "differs by up to 0.001" in done.stdout
    module.write_text(module.read_text() + "\nimport os\n")
    assert "imports os" in run_tests(result, result.library / "src", "-k", "compute").stdout


def test_a_program_without_a_certificate_is_refused_unless_asked_for(tmp_path: Path, make_run: MakeRun) -> None:
    run = make_run("sorting", SORTING, certified=None)
    with pytest.raises(ExportError, match=r"no certified program.*--uncertified"):
        export([run], tmp_path / "lib")
    assert not (tmp_path / "lib").exists()
    result = export([run], tmp_path / "lib", uncertified=True)
    assert "Not all of them are certified" in (result.library / "README.md").read_text()
    assert "NOT CERTIFIED" in (result.library / "src/lib/sorting.py").read_text()


def test_a_certificate_that_does_not_hold_is_none(tmp_path: Path, make_run: MakeRun) -> None:
    run = make_run("sorting", SORTING, certified=0.05)
    with pytest.raises(ExportError, match="no certified program"):
        export([run], tmp_path / "lib")
    result = export([run], tmp_path / "lib", uncertified=True)
    assert "0.050 [-0.050, 0.150], which does not hold" in (result.library / "README.md").read_text()


def test_of_two_runs_of_one_task_the_better_certificate_wins(tmp_path: Path, make_run: MakeRun) -> None:
    weak = make_run("sorting", SORTING, certified=0.3, run="-1")
    strong = make_run("sorting", SORTING.replace("/ k", "/ k / 2"), certified=0.6, run="-2")
    for runs in ([weak, strong], [strong, weak]):
        result = export(runs, tmp_path / f"lib{len(list(tmp_path.glob('lib*')))}")
        assert "np.sort(x) / k / 2" in next((result.library / "src").rglob("sorting.py")).read_text()


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import os\n" + SORTING, "imports os"),
        (SORTING.replace("np.sort(x)", "np.load(x)"), "uses .load"),
        (SORTING.replace("np.sort(x)", "x[:3]"), "eight finite numbers"),
        (SORTING.replace("np.sort(x)", "nothing"), "does not hold"),
    ],
)
def test_programs_that_reach_out_or_fail_are_refused(
    tmp_path: Path, make_run: MakeRun, source: str, problem: str
) -> None:
    with pytest.raises(ExportError, match=problem):
        export([make_run("sorting", source)], tmp_path / "lib")
    assert not (tmp_path / "lib").exists()
    assert not list(tmp_path.glob(".lib*"))


def test_a_changed_task_and_a_used_folder_are_refused(tmp_path: Path, make_run: MakeRun) -> None:
    run = make_run("sorting", SORTING)
    with pytest.raises(ExportError, match="not empty"):
        export([run], tmp_path)
    with pytest.raises(ExportError, match="no name for a library"):
        export([run], tmp_path / "1lib")
    with (tmp_path / "sorting" / "baseline.py").open("a") as file:
        file.write("changed = 1\n")
    with pytest.raises(TaskError, match="have changed"):
        export([run], tmp_path / "lib")


def test_a_run_that_found_nothing_is_refused(tmp_path: Path, make_run: MakeRun) -> None:
    run = make_run("sorting", SORTING, certified=None)
    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        first = [event for _, _, event in journal.events()][:3]
    only_baseline = tmp_path / "only_baseline"
    with contextlib.closing(Journal.create(only_baseline)) as journal:
        journal.append(*first)
    with pytest.raises(ExportError, match="nothing better than the baseline"):
        export([only_baseline], tmp_path / "lib", uncertified=True)
