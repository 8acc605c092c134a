"""Messages between the trusted side and its zygote."""

from __future__ import annotations

import pytest

from speciate.sandbox.inside.control import (
    MESSAGE_BYTES,
    SPAWN_BYTES,
    Bounds,
    Ended,
    Failed,
    Ready,
    Spawned,
    pack,
    pack_spawn,
    unpack,
    unpack_bounds,
    unpack_spawn,
)


@pytest.mark.parametrize(
    "message", [Ready(True), Ready(False), Failed("no such module"), Spawned(7), Ended(7, 9, 0.25, 1 << 40)]
)
def test_message_comes_back_as_it_went(message):
    assert unpack(pack(message)) == message


def test_spawn_comes_back_as_it_went():
    bounds = Bounds(0.5, 1 << 46, 64 << 20, 32, 64)
    number, packed = unpack_spawn(pack_spawn(3, bounds))
    assert (number, unpack_bounds(packed)) == (3, bounds)
    assert len(pack_spawn(3, bounds)) == SPAWN_BYTES


def test_a_long_reason_fits_into_one_packet():
    assert len(pack(Failed("é" * MESSAGE_BYTES))) == MESSAGE_BYTES
    assert isinstance(unpack(pack(Failed("é" * MESSAGE_BYTES))), Failed)


def test_what_is_no_message_is_refused():
    with pytest.raises(ValueError, match="not a message"):
        unpack(b"?")
