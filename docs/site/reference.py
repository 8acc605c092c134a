"""Reference pages of the site, made when it is built: of the command line, the configuration and the Python face."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
import types
import typing
from collections.abc import Iterator
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

FACE = ("tasks", "evaluate", "discover", "load_run")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """A hook of mkdocs."""
    for name, content in (("commands", commands()), ("configuration", configuration()), ("api", api())):
        files.append(File.generated(config, f"{name}.md", content=content))
    return files


def commands() -> str:
    import typer.main

    from speciate.cli.app import app

    parts = [
        "# Commands\n",
        "Every command has `--help`, and nearly all have `--json`: one JSON document on stdout, all else on stderr. "
        "The exit status is 0 for done, 1 where what was asked for does not hold, 2 for wrong usage or input with one "
        "line that says what to do, and 130 after Ctrl-C.\n",
        "`speciate --install-completion` teaches the shell to complete commands and options "
        "(bash, zsh, fish); `speciate --show-completion` prints what it would add.\n",
    ]
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        parts += [f"## speciate {name}\n", f"{(command.help or '').strip()}\n", _usage(name, command), ""]
    return "\n".join(parts)


def _usage(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    words = " ".join(_word(one) for one in arguments)
    lines = [f"```\nspeciate {name} {words}".rstrip() + f"{' [OPTIONS]' if options else ''}\n```\n"]
    rows = [(f"`{_word(one)}`", one.help or "") for one in arguments]
    rows += [(f"`{', '.join(one.opts)}`", f"{one.help or ''}{_default(one)}") for one in options]
    lines += ["| | |", "| --- | --- |", *(f"| {left} | {_cell(right)} |" for left, right in rows if right)]
    return "\n".join(lines) + "\n"


def _word(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _default(option: Any) -> str:
    default = option.default
    shown = default is not None and not callable(default) and default not in (False, [], ())
    return f" Default: {default}." if shown else ""


def configuration() -> str:
    from speciate.discovery.config import PRESETS, RunConfig

    presets = ", ".join(f"`{one.stem}`" for one in sorted(PRESETS.glob("*.yaml")))
    parts = [
        "# Configuration\n",
        "Everything that, with the task, determines a run. Keys are set in a YAML file (`speciate run TASK --config "
        "mine.yaml`), one by one (`--set islands.count=4`), or by the options of "
        "[speciate run](commands.md#speciate-run), each overriding the one before. A key that does not exist, or a "
        "value that does not fit, ends in one line.\n",
        f"Presets, by name instead of a file: {presets}.\n",
    ]
    for prefix, model in _models("", RunConfig):
        title = f"`{prefix}`" if prefix else "The run"
        parts += [
            f"## {title}\n",
            f"{inspect.cleandoc(model.__doc__ or '').replace('``', '`')}\n",
            _keys(prefix, model),
        ]
    return "\n".join(parts)


def _models(prefix: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The model and, by their dotted keys, those of its groups."""
    yield prefix, model
    for name, field in model.model_fields.items():
        for inner in _inner(field.annotation):
            mapped = typing.get_origin(field.annotation) is not None
            yield from _models(".".join(filter(None, (prefix, name, "NAME" if mapped else ""))), inner)


def _inner(annotation: Any) -> list[type[BaseModel]]:
    kinds = [annotation, *typing.get_args(annotation)]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _keys(prefix: str, model: type[BaseModel]) -> str:
    said = _said(model)
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        if _inner(field.annotation):
            continue
        made = field.default is PydanticUndefined and field.default_factory is not None
        default = "of this machine" if made else "required" if field.is_required() else _value(field.default)
        key = f"{prefix}.{name}" if prefix else name
        rows.append(f"| `{key}` | {_cell(_type(field.annotation))} | {default} | {_cell(said.get(name, ''))} |")
    return "\n".join(rows) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"`{json.dumps(value)}`" if value else "empty"
    return "none" if value is None else f"`{json.dumps(value) if isinstance(value, bool) else value}`"


def _type(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(f"`{one}`" for one in typing.get_args(annotation))
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " or ".join(_type(one) for one in typing.get_args(annotation) if one is not type(None))
    if typing.get_origin(annotation) is dict:
        key, value = map(_type, typing.get_args(annotation))
        return f"{value} by {key}"
    if typing.get_origin(annotation) is typing.Annotated:
        return _type(typing.get_args(annotation)[0])
    return getattr(annotation, "__name__", str(annotation)) if not typing.get_args(annotation) else str(annotation)


def _said(model: type[BaseModel]) -> dict[str, str]:
    """What stands in a string below each field."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(node, ast.ClassDef)
    found: dict[str, str] = {}
    for field, after in zip(node.body, node.body[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = text
    return found


def api() -> str:
    from speciate import api as face

    parts = [
        "# Python\n",
        "The commands as functions. `import speciate` takes no time: what they need is imported when they are used.\n",
    ]
    for name in FACE:
        function = getattr(face, name)
        parts.append(f"## speciate.{name}\n\n```python\n{_signature(name, function)}\n```\n")
        parts.append(_documented(inspect.getdoc(function) or ""))
    return "\n".join(parts)


def _signature(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    parameters = ",\n".join(f"    {one}" for one in _parameters(signature))
    return f"{name}(\n{parameters},\n) -> {signature.return_annotation}"


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    starred = False
    for one in signature.parameters.values():
        if one.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        default = "" if one.default is one.empty else f" = {one.default!r}"
        yield f"{one.name}: {one.annotation}{default}"


def _documented(text: str) -> str:
    """Prose as it is, examples as code."""
    prose, _, examples = text.partition(">>>")
    return f"{prose.strip()}\n" + (f"\n```python\n>>>{examples.rstrip()}\n```\n" if examples else "")


def _cell(text: str) -> str:
    return re.sub("`+", "`", " ".join(text.split())).replace("|", "\\|")
