"""Secrets that candidates can neither read nor guess: derived from a key of this installation (D10)."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
from pathlib import Path

from .config import ConfigError

KEY_BYTES = 32
CHOOSE = "set XDG_CONFIG_HOME to a folder that you can write"


def key_file() -> Path:
    """``$XDG_CONFIG_HOME/speciate/key`` (``~/.config`` by default); jails do not see it.

    Raises: ConfigError where there is no home.
    """
    try:
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    except RuntimeError:
        raise ConfigError(f"there is no home folder for this installation's key: {CHOOSE}") from None
    return Path(base) / "speciate" / "key"


def installation_key() -> bytes:
    """The key of this installation, made on first use with mode 0600.

    Seeds that users choose are small numbers which a candidate could try one by one; with the key in between, the
    same seed gives the same instances on this machine and unguessable ones everywhere.
    Raises: ConfigError where the key cannot be read or made, or is damaged.
    """
    path = key_file()
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"the key of this installation, {path}, cannot be used ({error.strerror}): {CHOOSE}"
        ) from None
    if len(key) != KEY_BYTES:
        raise ConfigError(f"this installation's key, {path}, is damaged: delete it, and a new one is made")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"key.{os.getpid()}")
    try:
        scratch.touch(mode=0o600)
        scratch.write_bytes(os.urandom(KEY_BYTES))
        with contextlib.suppress(FileExistsError):  # another process was first
            path.hardlink_to(scratch)
    finally:
        scratch.unlink(missing_ok=True)


def derive(key: bytes, *parts: str | int) -> bytes:
    """HMAC-SHA256 of the parts, joined unambiguously."""
    message = b"\0".join(str(part).encode() for part in parts)
    return hmac.new(key, message, hashlib.sha256).digest()


def run_secret(task: str, seed: int) -> bytes:
    """What the search instances of a run derive from."""
    return derive(installation_key(), "run", task, seed)


def certification_secret(secret: bytes) -> bytes:
    """What a run's certification instances derive from; unknowable from the run's own secret."""
    return derive(installation_key(), "certify", secret.hex())
