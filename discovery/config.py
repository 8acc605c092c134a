"""What a run is told: pydantic models, YAML presets, ``--set a.b=c`` overrides."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Count = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(ge=0, le=1)]

PRESETS = Path(__file__).parent.parent / "configs"


class ConfigError(Exception):
    """A configuration that cannot be used; the message says which key and what to write instead."""


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BudgetSettings(Settings):
    """When a run stops: whichever limit is reached first. ``None`` means no limit of that kind."""

    evaluations: Count | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    usd: Annotated[float, Field(gt=0)] | None = None
    tokens: Count | None = None

    @model_validator(mode="after")
    def _bounded(self) -> BudgetSettings:
        if all(value is None for value in (self.evaluations, self.seconds, self.usd, self.tokens)):
            raise ValueError("give at least one limit: evaluations, seconds, usd or tokens")
        return self


class IslandSettings(Settings):
    """How many islands, how often (in evaluations) their best elites migrate, and what keeps their elites."""

    count: Count = 2
    migration_interval: Count = 50
    archive: Literal["grid", "cvt"] = "grid"
    cells: Count = 100
    """Number of cells of the ``cvt`` archive; a grid takes the bins of the task's descriptors."""


class SelectionSettings(Settings):
    """Parents: uniform over the island's elites with probability ``explore``, else the best of a tournament."""

    explore: Probability = 0.3
    tournament: Count = 4
    inspirations: Annotated[int, Field(ge=0)] = 2


class RunConfig(Settings):
    """Everything that, with the task, determines a run."""

    seed: Annotated[int, Field(ge=0)] = 0
    budget: BudgetSettings = BudgetSettings(evaluations=300)
    islands: IslandSettings = IslandSettings()
    selection: SelectionSettings = SelectionSettings()
    proposer: str = "symbolic"
    """One of ``symbolic`` and ``tuning``, or both joined by ``+``, with a bandit over them."""
    adaptive: bool = False
    """Whether the symbolic proposer draws its groups of mutations by their successes on the island."""
    workers: Count = Field(default_factory=lambda: len(os.sched_getaffinity(0)))
    in_flight: Count | None = None
    """Proposals in flight; ``None`` means twice the workers, so that a slow evaluation does not idle the others."""
    certify: bool = True
    simplify: bool = True
    """Whether the best program is simplified before it is certified, at most a fifth more evaluations and at most 60,
    which the budget does not count."""
    unsafe: bool = False

    @property
    def lines(self) -> int:
        return self.in_flight or 2 * self.workers


def load_config(source: str | None, overrides: Sequence[str] = (), **values: Any) -> RunConfig:
    """A preset's name or a YAML file, then ``a.b=c`` overrides, then the given values (``None`` is left out).

    Raises: ConfigError with one line naming the key.
    """
    tree = _read(source) if source else {}
    for override in overrides:
        key, sign, text = override.partition("=")
        if not sign or not key:
            raise ConfigError(f"--set {override}: write it as key=value, for example --set islands.count=4")
        _put(tree, key, _parse(text))
    for key, value in values.items():
        if value is not None:
            _put(tree, key.replace("__", "."), value)
    return validate(tree)


def validate(tree: dict[str, Any]) -> RunConfig:
    """Raises: ConfigError naming the first key that is unknown or wrong."""
    try:
        return RunConfig.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "configuration"
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"unknown configuration key '{key}'; {_known_keys(first['loc'])}") from None
        raise ConfigError(f"configuration key '{key}': {first['msg']}") from None


def _known_keys(location: tuple[int | str, ...]) -> str:
    model: type[BaseModel] = RunConfig
    for part in location[:-1]:
        annotation = model.model_fields[str(part)].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return "known keys here: " + ", ".join(model.model_fields)


def _read(source: str) -> dict[str, Any]:
    import yaml

    preset = PRESETS / f"{source}.yaml"
    path = preset if preset.is_file() else Path(source)
    try:
        tree = yaml.safe_load(path.read_text())
    except OSError:
        names = ", ".join(sorted(file.stem for file in PRESETS.glob("*.yaml")))
        raise ConfigError(f"no configuration '{source}': give a YAML file or one of the presets {names}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(tree or {}, dict):
        raise ConfigError(f"{path} must hold keys and values, for example 'seed: 1'")
    return tree or {}


def _parse(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    *parents, leaf = key.split(".")
    for parent in parents:
        child = tree.setdefault(parent, {})
        if not isinstance(child, dict):
            raise ConfigError(f"configuration key '{key}': '{parent}' is a value, not a group of keys")
        tree = child
    tree[leaf] = value
