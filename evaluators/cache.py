"""A trusted disk cache for what is costly to build; never charged to a candidate, never visible to one."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


def cache_folder() -> Path:
    """``$SPECIATE_CACHE``, else ``$XDG_CACHE_HOME/speciate``, else ``~/.cache/speciate``."""
    chosen = os.environ.get("SPECIATE_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "speciate"


def costly(name: str, version: int, key: Mapping[str, int | float | str], build: Callable[[], Arrays]) -> Arrays:
    """``build()``, or what it returned before for the same name, version and key.

    ``version`` is the generator's: raise it when its results change. A damaged file is built again.
    """
    digest = hashlib.sha256(json.dumps([name, version, sorted(key.items())]).encode()).hexdigest()[:32]
    path = cache_folder() / name / f"{digest}.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        arrays = build()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as scratch:
        np.savez(scratch, allow_pickle=False, **arrays)
    Path(scratch.name).replace(path)
    return arrays
