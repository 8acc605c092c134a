"""A trusted disk cache for what is costly to build; never charged to a candidate, never visible to one."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]

CHECKSUM = hashlib.sha256().digest_size
"""Bytes at the head of a stored file: the SHA-256 of what follows."""


def cache_folder() -> Path:
    """``$SPECIATE_CACHE``, else ``$XDG_CACHE_HOME/speciate``, else ``~/.cache/speciate``.

    Raises: RuntimeError where there is no home.
    """
    chosen = os.environ.get("SPECIATE_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "speciate"


def costly(name: str, version: int, key: Mapping[str, int | float | str], build: Callable[[], Arrays]) -> Arrays:
    """``build()``, or what it returned before for the same name, version and key.

    ``version`` is the generator's: raise it when its results change. A damaged file is built again; where the cache
    cannot be written, every call builds.
    """
    digest = hashlib.sha256(json.dumps([name, version, sorted(key.items())]).encode()).hexdigest()[:32]
    try:
        path = cache_folder() / name / f"{digest}.npz"
    except RuntimeError:
        return build()
    stored = _load(path)
    if stored is None:
        stored = build()
        _store(path, stored)
    return stored


def _load(path: Path) -> Arrays | None:
    """What ``_store`` wrote there; None where nothing is, or not exactly that."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    checksum, archive = content[:CHECKSUM], content[CHECKSUM:]
    if hashlib.sha256(archive).digest() != checksum:
        return None
    with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
        return dict(arrays)


def _store(path: Path, arrays: Arrays) -> None:
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **arrays)
    put(path, hashlib.sha256(archive.getvalue()).digest() + archive.getvalue())


def put(path: Path, content: bytes) -> None:
    """Put a file in its place in one step, so that a reader beside us finds all of it or nothing.

    Nothing is said where it cannot be written.
    """
    scratch = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(content)
        scratch.replace(path)
    except OSError:
        # The cache only saves time: a full disk or a home that cannot be written must not end a run.
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
