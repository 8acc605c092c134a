"""Where instances come from: HMAC of a secret that no candidate sees (D10)."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np


def instance_rng(secret: bytes, purpose: str, size: str, program_id: str | None) -> np.random.Generator:
    """The generator of a set of instances; another purpose, size, program or secret gives an unrelated one."""
    message = "\0".join((purpose, size, program_id or "")).encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return np.random.default_rng(int.from_bytes(digest))
