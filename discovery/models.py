"""Models by their names: those of the configuration, the shipped ones, and NAME@ADDRESS."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..agents.llm.settings import OPENAI
from .config import ConfigError

SHIPPED = Path(__file__).parent.parent / "configs" / "models" / "shipped.yaml"

ANY_KEY = "SPECIATE_API_KEY"
"""Environment variable for the key of an address that was given on the command line, where it needs one."""


@cache
def shipped_models() -> Mapping[str, dict[str, Any]]:
    import yaml

    return yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))


def chosen_models(names: str, known: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The settings of ``--model A,B``. ``known`` are the models of the configuration.

    Raises: ConfigError for a name that is not known.
    """
    return {_plain(name): _one(name, known, environment) for name in filter(None, map(str.strip, names.split(",")))}


def _plain(name: str) -> str:
    return name.partition("@http")[0]


def _one(name: str, known: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    plain, at, rest = name.partition("@http")
    settings = dict(known.get(plain) or shipped_models().get(plain) or {})
    if at:
        address = "http" + rest
        if address.rstrip("/") != OPENAI:
            settings["api_key_env"] = ANY_KEY if environment.get(ANY_KEY) else None
        return settings | {"base_url": address}
    if plain not in known and plain not in shipped_models():
        names = ", ".join([*known, *(other for other in shipped_models() if other not in known)])
        raise ConfigError(f"no model '{plain}'; there are {names}, and any other as NAME@http://host:port/v1")
    return settings
