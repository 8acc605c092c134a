"""Tasks from the catalogue or from any folder."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import itertools
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..sandbox import Backend, SandboxSpec
from ..sandbox.device import CPU, a_gpu
from .contract import TaskError, guarded, located, violations
from .task import OPTIONAL_IMPORTS, Size, Task

CATALOGUE = Path(__file__).parent.parent / "tasks"
ROOT = __name__.rpartition(".evaluators.")[0]
REQUIRED = ("task.py", "baseline.py")
REFERENCE = "reference.py"
GPU_FORM = "gpu"
_turns = itertools.count()
"""Sandboxes of GPU tasks are spread over the GPUs."""


@dataclass(frozen=True)
class TaskFolder:
    """A task with the programs beside it, as text. ``digest`` (SHA-256, hex) covers every Python file of the folder.

    There is no ``reference`` where the task says itself what counts as 1.
    """

    path: Path
    task: Task
    baseline: str
    reference: str | None
    known: Mapping[str, str]
    helpers: Path | None
    digest: str

    @property
    def programs(self) -> Mapping[str, str]:
        """Baseline and, where there is one, reference: file name without ending -> source."""
        both = {"baseline": self.baseline, "reference": self.reference}
        return {name: source for name, source in both.items() if source is not None}

    def spec(self, backend: Backend) -> SandboxSpec:
        """What its programs find in their jail. Raises: NoDevice, TaskError."""
        task = self.task
        imports = task.limits.imports
        if task.limits.gpus <= 0 and backend is Backend.CPU_DEVICE:
            raise TaskError(f"task '{task.id}' runs on no device: leave --device out")
        if task.limits.gpus <= 0:
            return SandboxSpec(imports=imports, helpers=self.helpers, backend=backend, shared=task.shared)
        if backend is Backend.DOCKER:
            raise TaskError(f"task '{task.id}' runs on a GPU, which the sandbox docker does not give: leave it out")
        device = CPU if backend is Backend.CPU_DEVICE else a_gpu(next(_turns))
        beside = tuple(name for name in imports if name in OPTIONAL_IMPORTS)
        if device.kind == "cpu":
            beside = tuple(name for name in beside if importlib.util.find_spec(name) is not None)
        warm = tuple(name for name in imports if name not in OPTIONAL_IMPORTS)
        return SandboxSpec(imports=warm, helpers=self.helpers, backend=backend, device=device, beside=beside)

    def at(self, size: Size) -> TaskFolder:
        """The task as it stands at a size: of size ``gpu`` the folder ``gpu`` in it, where there is one.

        That is a task folder of its own, whose programs get tensors on a device. Raises: TaskError.
        """
        form = self.path / GPU_FORM
        return load_task(str(form)) if size == GPU_FORM and (form / "task.py").is_file() else self


def catalogue() -> Mapping[str, Path]:
    """Id -> folder of every task that is shipped, without importing any."""
    return {path.parent.name: path.parent for path in sorted(CATALOGUE.glob("*/*/task.py"))}


def gpu_forms() -> Mapping[str, Path]:
    """Id -> folder of the shipped tasks as they stand at size ``gpu``, where that is another program's work."""
    return {f"{name}_{GPU_FORM}": path / GPU_FORM for name, path in catalogue().items() if _is_task(path / GPU_FORM)}


def shipped_tasks(family: str | None = None) -> list[Task]:
    """The tasks of the catalogue, or of one family of it. Raises: TaskError for a family that does not exist."""
    entries = catalogue()
    families = sorted({path.parent.name for path in entries.values()})
    if family is not None and family not in families:
        raise TaskError(f"no family '{family}'; there are: {', '.join(families)}")
    return [load_task(name).task for name, path in sorted(entries.items()) if family in (None, path.parent.name)]


def load_task(name_or_path: str) -> TaskFolder:
    """A task by its id in the catalogue, or by its folder. Raises: TaskError."""
    shipped = catalogue().get(name_or_path) or gpu_forms().get(name_or_path)
    path = shipped or Path(name_or_path)
    if not path.is_dir():
        raise TaskError(f"no task '{name_or_path}': give an id that 'speciate tasks' lists, or a folder with task.py")
    path = path.resolve()
    _complete(path, REQUIRED)
    module = _import(path)
    task = getattr(module, "task", None)
    if not isinstance(task, Task):
        raise TaskError(f"{path / 'task.py'} must define 'task = Task(...)' with Task from speciate.evaluators")
    wrong = next(violations(task), None)
    if wrong is not None:
        raise TaskError(f"{path / 'task.py'}: {wrong}")
    if task.unit is None:
        _complete(path, (REFERENCE,))
    helpers = next((folder for folder in (path / "helpers", path.parent / "helpers") if folder.is_dir()), None)
    known = {file.stem.removeprefix("known_"): _source(file) for file in sorted(path.glob("known_*.py"))}
    return TaskFolder(
        path=path,
        task=guarded(task, path),
        baseline=_source(path / "baseline.py"),
        reference=_source(path / REFERENCE) if task.unit is None else None,
        known=known,
        helpers=helpers,
        digest=_digest(path),
    )


def _complete(path: Path, names: Sequence[str]) -> None:
    missing = [name for name in names if not (path / name).is_file()]
    if missing:
        raise TaskError(
            f"the task folder {path} has no {missing[0]}: 'speciate new' writes an example of all three files"
        )


def reload_task(task_id: str, path: str, digest: str) -> TaskFolder:
    """The task that a run was started with. Raises: TaskError where it is gone or cannot be used."""
    return load_task(task_place(task_id, path, digest))


def task_place(task_id: str, path: str, digest: str) -> str:
    """The folder of the task that a run was started with: the one of that id that is shipped, else the one at ``path``.

    Raises: TaskError where neither has the run's digest.
    """
    shipped = catalogue().get(task_id) or gpu_forms().get(task_id)
    places = [] if shipped is None else [str(shipped)]
    for place in dict.fromkeys([*places, path]):
        if _is_task(Path(place)) and _digest(Path(place).resolve()) == digest:
            return place
    raise TaskError(
        f"the files of task '{task_id}' ({path}) are gone or have changed since the run began, so its scores no longer "
        "compare: restore them or start a new run"
    )


def _is_task(path: Path) -> bool:
    return all((path / name).is_file() for name in REQUIRED)


def _import(path: Path) -> types.ModuleType:
    """The folder's ``task`` module; relative imports reach its files and its family's."""
    if path.is_relative_to(CATALOGUE.resolve()):
        package = ".".join((ROOT, "tasks", *path.relative_to(CATALOGUE.resolve()).parts))
    else:
        package = _private_package(path)
    try:
        return importlib.import_module(f"{package}.task")
    except (Exception, SystemExit) as error:
        raise TaskError(located(path, error)) from error


def _source(file: Path) -> str:
    """The text of a program of the task, which must at least parse. Raises: TaskError."""
    try:
        text = file.read_text(encoding="utf-8")
        ast.parse(text)
    except UnicodeDecodeError:
        raise TaskError(f"{file} is not UTF-8 text: save it as UTF-8") from None
    except SyntaxError as error:
        raise TaskError(f"{file}, line {error.lineno}: {type(error).__name__}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise TaskError(f"{file} cannot be parsed: {error or type(error).__name__}") from None
    return text


def _private_package(path: Path) -> str:
    """A package for a folder outside the catalogue: its parent is the family."""
    family = "_speciate_family_" + hashlib.sha256(str(path.parent).encode()).hexdigest()[:12]
    name = "task_" + hashlib.sha256((str(path) + _digest(path)).encode()).hexdigest()[:12]
    for package, folder in ((family, path.parent), (f"{family}.{name}", path)):
        if package not in sys.modules:
            module = types.ModuleType(package)
            module.__path__ = [str(folder)]
            sys.modules[package] = module
    return f"{family}.{name}"


def _digest(path: Path) -> str:
    """Of the task's own files and what it shares with its family."""
    digest = hashlib.sha256()
    shared = [file for file in (path.parent / "workloads.py",) if file.is_file()]
    shared += (path.parent / "helpers").rglob("*.py")
    for file in sorted([*path.rglob("*.py"), *shared]):
        digest.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()
