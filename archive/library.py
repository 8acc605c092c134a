"""The files of an exported library."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..evaluators import import_lint
from . import recorded
from .benchmark import Benchmark
from .chosen import Chosen
from .function import SHIPPED, Function, imported
from .program import MAIN
from .recorded import Call
from .rendering import module, relative_imports, render, stub

if TYPE_CHECKING:
    from ..evaluators import TaskFolder


def write(
    library: Path,
    name: str,
    chosen: Sequence[Chosen],
    recordings: Mapping[str, Sequence[Call]],
    benchmarks: Mapping[str, Benchmark],
) -> tuple[str, ...]:
    """Write all files below ``library``; recordings and benchmarks are by the task's id.

    Returns the qualified names of the functions.
    """
    ids = [each.folder.task.id for each in chosen]
    functions = [
        Function(name, each, recordings[task], benchmarks[task]) for task, each in zip(ids, chosen, strict=True)
    ]
    functions.sort(key=lambda function: function.task)
    package, tests = library / "src" / name, library / "tests"
    package.mkdir(parents=True)
    for function in functions:
        _write_module(package, function)
    tasks = [function.task for function in functions]
    (package / "__init__.py").write_text(render("init.py.j2", tasks=tasks))
    (package / "py.typed").touch()
    dependencies = requirements(package.rglob("*.py"))
    (library / "pyproject.toml").write_text(
        render("pyproject.toml.j2", name=name, tasks=tasks, dependencies=dependencies)
    )
    (library / "README.md").write_text(
        render(
            "README.md.j2",
            name=name,
            version=__version__,
            functions=functions,
            all_certified=all(function.is_certified for function in functions),
        )
    )
    _write_tests(tests, name, functions)
    _write_benchmarks(library / "benchmarks", name, functions)
    return tuple(f"{name}.{function.task}.{entry}" for function in functions for entry in function.entries)


def _write_module(package: Path, function: Function) -> None:
    program = function.chosen.state.program(function.program)
    description = render("description.txt.j2", f=function)
    text = module(program.source, description, function.local, function.documentation)
    (package / f"{function.task}.py").write_text(text)
    types = stub(function.signature, function.documentation) if not function.oracle else None
    if types is not None:
        (package / f"{function.task}.pyi").write_text(types)
    for name, source in program.files.items():
        if name != MAIN:
            (package / f"{function.local[Path(name).stem]}.py").write_text(relative_imports(source, function.local))
    if "helpers" in function.local:
        assert function.folder.helpers is not None
        target = package / function.local["helpers"]
        shutil.copytree(function.folder.helpers, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        (target / "__init__.py").touch()
        for file in target.rglob("*.py"):
            depth = 1 + len(file.relative_to(target).parts)
            file.write_text(relative_imports(file.read_text(), {"helpers": target.name}, depth))


def _write_tests(tests: Path, name: str, functions: Sequence[Function]) -> None:
    (tests / "data").mkdir(parents=True)
    (tests / "programs").mkdir()
    for source in (import_lint.__file__, recorded.__file__):
        shutil.copyfile(source, tests / Path(source).name)
    for function in functions:
        program = function.chosen.state.program(function.program)
        if function.calls:
            recorded.save(list(function.calls), tests / "data" / function.task)
        if len(program.files) == 1:
            (tests / "programs" / f"{function.task}.py").write_text(program.source)
    facts = {
        "name": name,
        "recorded": _literal([function.task for function in functions if function.calls]),
        "entries": _literal([(function.task, function.entries) for function in functions]),
        "modules": _literal(sorted({module for f in functions for module in f.folder.task.limits.imports})),
        "rejudged": _literal(
            [
                (f.task, _where(f.folder), not f.local, f.is_certified)
                for f in functions
                if len(f.chosen.state.program(f.program).files) == 1
            ]
        ),
    }
    for test in ("test_recorded.py", "test_imports.py", "test_rejudge.py"):
        (tests / test).write_text(render(f"{test}.j2", **facts))


def _write_benchmarks(folder: Path, name: str, functions: Sequence[Function]) -> None:
    folder.mkdir()
    (folder / "README.md").write_text(render("benchmarks.md.j2", name=name, functions=functions))
    for function in functions:
        rows = [
            {"program": row.name, "kind": row.kind, **row.evaluation.model_dump(mode="json", exclude={"feedback"})}
            for row in function.benchmark.rows
        ]
        (folder / f"{function.task}.json").write_text(json.dumps(rows, indent=1) + "\n")
    tasks = _literal([(function.task, _where(function.folder)) for function in functions])
    (folder / "measure.py").write_text(render("measure.py.j2", name=name, tasks=tasks))


def _literal(value: object) -> str:
    """A Python literal on one line."""
    return repr(json.loads(json.dumps(value)))


def _where(folder: TaskFolder) -> str:
    """The folder of a user's task; empty for one that speciate ships."""
    return "" if folder.path.is_relative_to(SHIPPED) else str(folder.path)


def requirements(files: Iterable[Path]) -> list[str]:
    """The distributions that the files import from, each at least in the major version that is installed here."""
    owners = importlib.metadata.packages_distributions()
    found = {owner for file in files for name in imported(file.read_text()) for owner in owners.get(name, [])}
    return sorted(f"{owner}>={importlib.metadata.version(owner).split('.', maxsplit=1)[0]}" for owner in found)
