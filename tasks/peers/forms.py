"""Which system's form some files have, and what can be read off them without running them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ...evaluators import TaskError

STANDINS = Path(__file__).parent / "standins"
PROVIDED = frozenset(path.name for path in STANDINS.iterdir() if path.is_dir())
"""Packages of the other systems; evaluators find stand-ins for them."""


class Form(StrEnum):
    OPENEVOLVE = "OpenEvolve"
    SHINKA = "ShinkaEvolve"
    ALGOTUNE = "AlgoTune"
    KERNELBENCH = "KernelBench"


EXPECTED = (
    "an OpenEvolve or SkyDiscover evaluator (defines evaluate(program_path)) or a ShinkaEvolve one "
    "(main(program_path, results_dir)) with its initial program, an AlgoTune task (a class with generate_problem, "
    "solve and is_solution), or a KernelBench problem (Model, get_inputs, get_init_inputs)"
)


@dataclass(frozen=True)
class Source:
    """A Python file and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def functions(self) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
        """Of the top level."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return {node.name: node for node in self.tree.body if isinstance(node, kinds)}

    @property
    def classes(self) -> dict[str, ast.ClassDef]:
        return {node.name: node for node in self.tree.body if isinstance(node, ast.ClassDef)}

    @property
    def imports(self) -> dict[str, None]:
        """Dotted names of absolute imports at any place, in their order."""
        found: dict[str, None] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name: None for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found[node.module] = None
        return found

    @property
    def texts(self) -> Iterator[str]:
        """Its string constants."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


@dataclass(frozen=True)
class Recognised:
    """``judge`` is the file that judges; ``initial`` the program to begin with, where it is another file."""

    form: Form
    judge: Source
    initial: Source | None = None


def recognise(files: Sequence[Path]) -> Recognised:
    """Raises: TaskError where the files have none of the forms."""
    sources = [read(file) for file in files]
    if len(sources) == 1:
        (one,) = sources
        if algotune_class(one):
            return Recognised(Form.ALGOTUNE, one)
        if "Model" in one.classes and "get_inputs" in one.functions:
            return Recognised(Form.KERNELBENCH, one)
    judges = [(form, one) for one in sources if (form := _judges(one)) is not None]
    if len(sources) == 2 and len(judges) == 1:
        form, judge = judges[0]
        return Recognised(form, judge, next(one for one in sources if one is not judge))
    names = ", ".join(str(file) for file in files)
    raise TaskError(f"no form is known that {names} would have; known are: {EXPECTED}; docs/interchange.md says more")


def read(file: Path) -> Source:
    """Raises: TaskError, OSError."""
    try:
        text = file.read_text(encoding="utf-8")
        return Source(file, text, ast.parse(text))
    except UnicodeDecodeError:
        raise TaskError(f"{file} is not UTF-8 text: save it as UTF-8") from None
    except SyntaxError as error:
        raise TaskError(f"{file}, line {error.lineno}: {error.msg}") from None


def algotune_class(source: Source) -> ast.ClassDef | None:
    """The class that has the three methods of an AlgoTune task."""
    wanted = {"generate_problem", "solve", "is_solution"}
    for node in source.classes.values():
        if wanted <= {one.name for one in node.body if isinstance(one, ast.FunctionDef)}:
            return node
    return None


def _judges(source: Source) -> Form | None:
    functions = source.functions
    main = functions.get("main")
    if main is not None and [one.arg for one in main.args.args[:2]] == ["program_path", "results_dir"]:
        return Form.SHINKA
    return Form.OPENEVOLVE if {"evaluate", "evaluate_stage1"} & functions.keys() else None


def companions(source: Source, initial: Source | None = None) -> list[Path]:
    """Files beside it that it imports or names, with what those need, but for the initial program."""
    folder, found, waiting = source.path.parent, dict[Path, None](), [source]
    own = {source.path, *([initial.path] if initial else ())}
    while waiting:
        one = waiting.pop()
        tops = {name.partition(".")[0] for name in one.imports}
        modules = [folder / f"{top}.py" for top in sorted(tops)]
        named = [folder / Path(text).name for text in one.texts if 0 < len(text) < 200 and "\n" not in text]
        for path in (*modules, *named):
            if path.is_file() and path not in found and path not in own:
                found[path] = None
                waiting += [read(path)] if path.suffix == ".py" else []
    return list(found)


def modules(source: Source, initial: Source | None = None) -> list[Source]:
    """Those of its companions that are Python."""
    return [read(path) for path in companions(source, initial) if path.suffix == ".py"]


def packages(sources: Sequence[Source]) -> tuple[str, ...]:
    """Modules that are to be warm and visible in a jail: all that is imported and neither standard, local nor ours."""
    local = {one.path.stem for one in sources}
    found = dict.fromkeys(name for one in sources for name in one.imports)
    foreign = [name for name in found if name.partition(".")[0] not in {*local, *PROVIDED, *sys.stdlib_module_names}]
    return tuple(dict.fromkeys(["numpy", *foreign]))


def called(initial: Source, judge: Source) -> str:
    """The function of the program that its evaluator names; else the last one. Raises: TaskError where it has none."""
    functions = [name for name, node in initial.functions.items() if isinstance(node, ast.FunctionDef)]
    if not functions:
        raise TaskError(f"{initial.path} defines no function: put the program into one that the evaluator calls")
    attributes = {node.attr for node in ast.walk(judge.tree) if isinstance(node, ast.Attribute)}
    words = {word for text in judge.texts for word in text.replace("'", " ").replace("(", " ").split()}
    named = [name for name in functions if name in words] or [name for name in functions if name in attributes]
    return (named or functions)[-1]


def experiment(judge: Source) -> str | None:
    """The literal ``experiment_fn_name`` that is given to ``run_shinka_eval``; None where there is no such call."""
    for node in ast.walk(judge.tree):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg == "experiment_fn_name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return None


def signature(source: Source, name: str) -> str:
    """``def name(a: int) -> object`` with the parameters that can be given by keyword. Raises: TaskError."""
    node = source.functions.get(name)
    if node is None:
        raise TaskError(f"{source.path} does not define the function {name} that its evaluator calls")
    parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    written = [f"{one.arg}: {ast.unparse(one.annotation)}" if one.annotation else one.arg for one in parameters]
    returned = ast.unparse(node.returns) if node.returns else "object"
    return f"def {name}({', '.join(written)}) -> {returned}"
