"""What a run is told: pydantic models, YAML presets, ``--set a.b=c`` overrides."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..agents.llm.settings import InboxSettings, LLMSettings
from ..archive.settings import Axes, Count, Distance, Kind
from ..archive.topology import TopologyName
from ..sandbox import Backend

Probability = Annotated[float, Field(ge=0, le=1)]

PRESETS = Path(__file__).parent.parent / "configs"


def cores() -> int:
    """Of this machine, for this process."""
    return len(os.sched_getaffinity(0))


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
    """How many islands, what moves between them, and what keeps their elites. Intervals count evaluations."""

    count: Count = 2
    migration_interval: Count = 50
    """How often an elite of each island is offered to its neighbours."""
    topology: TopologyName = "ring"
    """Where the best elites migrate."""
    reset_interval: Count | None = None
    """How often the weaker half of the islands is emptied and re-seeded from the stronger; ``None`` means never."""
    stagnation: Count | None = None
    """Evaluations without a better score after which an island is added, up to ``max_islands``; ``None``: never."""
    max_islands: Count = 8
    """Up to which ``stagnation`` adds some."""
    archive: Kind = "grid"
    """What an island's cells are: bins of the descriptors, cells around points, room for what is new, one for all."""
    axes: Axes = "all"
    """``omit_one``: island 0 uses all descriptors, the others leave out one in turn."""
    novelty: Distance = 0.05
    """Distance (in the unit cube of the descriptors) from the nearest elites that opens an ``unstructured`` cell."""
    neighbours: Count = 5
    """How many nearest elites that distance is the mean of."""
    cells: Count = 100
    """Number of cells of the ``cvt`` archive; a grid takes the bins of the task's descriptors."""


Parents = Literal[
    "mixture",
    "uniform",
    "tournament",
    "softmax",
    "weighted",
    "instance_front",
    "pareto",
    "baseline",
    "incumbent",
    "beam",
]
Direction = Literal["minimize", "maximize"]


class SelectionSettings(Settings):
    """Who becomes a parent; ``discovery/selection.py`` says what each name means."""

    parents: Parents = "mixture"
    explore: Probability = 0.3
    """How often ``mixture`` draws uniformly; else it holds a tournament."""
    tournament: Count = 4
    """How many elites take part in one."""
    beam: Count = 5
    """How many of the best programs ``beam`` keeps."""
    temperature: Annotated[float, Field(gt=0)] = 0.1
    """Of ``softmax``, in units of score."""
    secondary: dict[str, Direction] = {"code_size": "minimize"}
    """Objectives of ``pareto`` beside the score: code_size, cpu_seconds, peak_memory, or a metric of the judge."""
    inspirations: Annotated[int, Field(ge=0)] = 2
    """How many other elites a proposer is shown."""


class RunConfig(Settings):
    """Everything that, with the task, determines a run."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Of all random choices, and of the instances."""
    budget: BudgetSettings = BudgetSettings(evaluations=300)
    islands: IslandSettings = IslandSettings()
    selection: SelectionSettings = SelectionSettings()
    proposer: str = "symbolic"
    """One of ``symbolic``, ``tuning``, ``llm`` and ``inbox``, or several joined by ``+``, with a bandit over them."""
    llm: LLMSettings = LLMSettings()
    inbox: InboxSettings = InboxSettings()
    replay: str | None = None
    """Folder of a run whose recorded replies are used again; no endpoint is asked."""
    adaptive: bool = False
    """Whether the symbolic proposer draws its groups of mutations by their successes on the island."""
    mutations: dict[str, Annotated[float, Field(ge=0)]] = {}
    """How often the symbolic proposer draws groups of mutations, by name, in place of the default weights."""
    chain: Count = 1
    """Mean number of proposals in a row that make one program; those in between are not evaluated."""
    executor: Literal["local", "ray"] = "local"
    """Where programs are evaluated: in jails of this machine, or of the nodes of a Ray cluster."""
    address: str = "auto"
    """Of the cluster, HOST:PORT; ``auto`` is the one that this machine belongs to."""
    workers: Count | None = None
    """Evaluations at once, each with a jail of its own; ``None`` means the cores of this machine, and with ``ray`` as
    many as the cluster has room for when the run begins."""
    in_flight: Count | None = None
    """Evaluations in flight; ``None`` means twice the workers, so that a slow evaluation does not idle the others."""
    ordered: bool = True
    """Whether evaluations land in the order in which they began, so that a run repeats exactly; if not, they land as
    they end, and a slow one holds up nothing. For many workers and durations of which some are far above the mean."""
    certify: bool = True
    """Whether the best program is scored again on fresh instances at the end."""
    simplify: bool = True
    """Whether the best program is simplified before it is certified, at most a fifth more evaluations and at most 60,
    which the budget does not count."""
    sandbox: Literal["bubblewrap", "docker", "cpu-device"] = "bubblewrap"
    """What programs run in; ``cpu-device`` is bubblewrap for tasks that run on a GPU, with the CPU in its place."""
    unsafe: bool = False
    """Run programs without a jail, where this machine has none."""

    @model_validator(mode="after")
    def _one_backend(self) -> RunConfig:
        if self.unsafe and self.sandbox != "bubblewrap":
            raise ValueError(f"give either unsafe or sandbox: {self.sandbox}, not both")
        return self

    @property
    def backend(self) -> Backend:
        return Backend.UNSAFE if self.unsafe else Backend(self.sandbox)

    @property
    def lines(self) -> int:
        return self.in_flight or 2 * (self.workers or cores())


def load_config(source: str | None, overrides: Sequence[str] = (), **values: Any) -> RunConfig:
    """A preset's name or a YAML file, then ``a.b=c`` overrides, then the given values (``None`` is left out).

    Raises: ConfigError with one line naming the key.
    """
    tree = _read(source) if source else {}
    _apply(tree, overrides)
    for key, value in values.items():
        if value is not None:
            _put(tree, key.replace("__", "."), value)
    return validate(tree)


def override(config: RunConfig, changes: Mapping[str, Any], overrides: Sequence[str] = ()) -> RunConfig:
    """The configuration with ``a.b=c`` overrides and the values of ``changes`` (keys ``a.b``) in place of its own.

    Raises: ConfigError.
    """
    tree = config.model_dump(mode="json")
    _apply(tree, overrides)
    for key, value in changes.items():
        _put(tree, key, value)
    return validate(tree)


def granted(config: RunConfig, limits: Mapping[str, float | None]) -> RunConfig:
    """The configuration with limits of ``BudgetSettings`` changed, each counted from the run's beginning.

    Raises: ConfigError.
    """
    return override(config, {f"budget.{name}": value for name, value in limits.items() if value is not None})


def _apply(tree: dict[str, Any], overrides: Sequence[str]) -> None:
    for setting in overrides:
        key, sign, text = setting.partition("=")
        if not sign or not all(key.split(".")):
            raise ConfigError(f"--set {setting}: write it as key=value, for example --set islands.count=4")
        _put(tree, key, _parse(text))


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
        field = model.model_fields.get(str(part))
        kinds = [] if field is None else [field.annotation, *get_args(field.annotation)]
        model = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), model)
    return "known keys here: " + ", ".join(model.model_fields)


def _read(source: str) -> dict[str, Any]:
    import yaml

    preset = PRESETS / f"{source}.yaml"
    path = preset if preset.is_file() else Path(source)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text: save it as UTF-8") from None
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
