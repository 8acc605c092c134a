"""The configuration of a run as the command line gives it: models by their names, or a run that is run again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .config import RunConfig, load_config, override
from .models import chosen_models
from .reopening import recorded_config


def run_config(
    source: str | None,
    settings: Sequence[str] = (),
    *,
    model: str | None = None,
    replay: Path | None = None,
    **values: Any,
) -> RunConfig:
    """As ``load_config``; with ``replay`` the settings of that run take the place of the defaults.

    ``model`` are names of models; the proposer is then ``llm``, unless ``values`` or the file name one.
    Raises: ConfigError, JournalError.
    """
    if replay is not None and source is None:
        changes = {key.replace("__", "."): value for key, value in values.items() if value is not None}
        config = override(recorded_config(replay), {**changes, "replay": str(replay.absolute())}, settings)
    else:
        again = None if replay is None else str(replay.absolute())
        config = load_config(source, settings, **values, replay=again)
    return with_models(config, model, values.get("proposer") is not None)


def with_models(config: RunConfig, model: str | None, chosen: bool) -> RunConfig:
    """With models by their names; the proposer is then ``llm``, unless it was ``chosen``. Raises: ConfigError."""
    if model is None:
        return config
    changes: dict[str, Any] = {}
    if not chosen and "llm" not in config.proposer.split("+"):
        changes["proposer"] = "llm"
    known = {name: one.model_dump(mode="json", exclude_defaults=True) for name, one in config.llm.models.items()}
    return override(config, {**changes, "llm.models": chosen_models(model, known, os.environ)})
