"""Secrets that candidates can neither read nor guess: derived from a key of this installation (D10)."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

KEY_BYTES = 32


def key_file() -> Path:
    """``$XDG_CONFIG_HOME/speciate/key`` (``~/.config`` by default); jails do not see it."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "speciate" / "key"


def installation_key() -> bytes:
    """The key of this installation, made on first use with mode 0600.

    Seeds that users choose are small numbers which a candidate could try one by one; with the key in between, the
    same seed gives the same instances on this machine and unguessable ones everywhere.
    """
    path = key_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"key.{os.getpid()}")
    if not path.exists():
        scratch.touch(mode=0o600)
        scratch.write_bytes(os.urandom(KEY_BYTES))
        try:
            path.hardlink_to(scratch)
        except FileExistsError:
            pass
        finally:
            scratch.unlink()
    return path.read_bytes()


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
