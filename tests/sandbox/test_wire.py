"""The codec: everything plain goes through unchanged; every other byte string is refused, and runs nothing."""

from __future__ import annotations

import math
import socket
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from speciate.sandbox.inside.channel import Channel, Kind
from speciate.sandbox.inside.wire import DTYPES, MAX_DEPTH, WireError, bytes_of, decode, encode

PLAIN = {type(None), bool, int, float, complex, str, list, tuple, dict, np.ndarray}
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | text | arrays
values = st.recursive(
    leaves | st.lists(st.integers()) | st.lists(st.floats()),
    lambda inner: st.lists(inner, max_size=5) | st.tuples(inner, inner) | st.dictionaries(text, inner, max_size=5),
    max_leaves=20,
)


def through(value: Any) -> Any:
    header, *blobs = encode(value)
    return rebuilt(bytes(header), b"".join(map(bytes, blobs)))


def rebuilt(header: bytes, blob: bytes) -> Any:
    value, places = decode(header, len(blob))
    for place in (place for place in places if place.nbytes):
        bytes_of(place)[:] = blob[: place.nbytes]
        blob = blob[place.nbytes :]
    return value


def same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return repr(a) == repr(b)


def only_plain(value: Any) -> bool:
    if type(value) is dict:
        return all(type(key) is str and only_plain(item) for key, item in value.items())
    if type(value) in (list, tuple):
        return all(map(only_plain, value))
    return type(value) in PLAIN and (type(value) is not np.ndarray or value.dtype in DTYPES)


@given(values)
@settings(max_examples=150)
def test_plain_data_goes_through_unchanged(value):
    assert same(through(value), value)


@pytest.mark.parametrize(
    "scalar", [np.float32(0.5), np.int8(-3), np.uint64(2**64 - 1), np.bool_(True), np.complex64(1j)]
)
def test_numpy_scalars_arrive_as_python_numbers(scalar):
    assert through(scalar) == scalar.item()
    assert type(through(scalar)) is type(scalar.item())


@pytest.mark.parametrize("number", [math.nan, -0.0, math.inf, 5e-324])
def test_special_floats(number):
    assert repr(through([number, {"x": number}])) == repr([number, {"x": number}])


def test_views_and_foreign_byte_orders_arrive_as_native_copies():
    matrix = np.arange(12, dtype=">i4").reshape(3, 4)
    for view in (matrix, matrix.T, matrix[::-1, ::2], np.broadcast_to(matrix, (2, 3, 4))):
        value = through(view)
        assert np.array_equal(value, view)
        assert value.flags.owndata
        assert value.dtype.isnative


@given(st.binary(max_size=80), st.integers(0, 64))
@settings(max_examples=300)
@example(b"l\xff\xff\xff\xff", 0)
@example(b"Q\xff\xff\xff\xff", 0)
@example(b"a\x05\x02" + (1 << 40).to_bytes(8, "little") * 2, 64)
@example(b"a\x05\x02" + bytes(8) + (1 << 63).to_bytes(8, "little"), 0)
@example(b"I\xff\xff\xff\x00", 0)
@example(b"l\x01\x00\x00\x00" * (MAX_DEPTH + 5) + b"N", 0)
def test_random_bytes_give_plain_data_or_wire_error(header, blob_bytes):
    try:
        value, _ = decode(header, blob_bytes)
    except WireError:
        return
    assert only_plain(value)


@given(values, st.data())
@settings(max_examples=200)
def test_damaged_frames_give_plain_data_or_wire_error(value, data):
    header, *blobs = encode(value)
    damaged = bytearray(header)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(damaged)))]
    try:
        got, _ = decode(bytes(damaged), sum(map(len, blobs)))
    except WireError:
        return
    assert only_plain(got)


def test_a_bomb_of_small_items_is_refused_before_it_is_built():
    bomb = b"l" + (60_000_000).to_bytes(4, "little") + b"m\x00\x00\x00\x00" * 12_000_000
    with pytest.raises(WireError):
        decode(bomb, 0)


def test_a_bomb_of_small_arrays_is_refused_on_both_sides():
    with pytest.raises(WireError):
        encode([np.zeros(0)] * 120_000)
    array = b"a\x0b\x01" + bytes(8)
    with pytest.raises(WireError):
        decode(b"l" + (120_000).to_bytes(4, "little") + array * 120_000, 0)
    assert len(decode(b"l" + (50_000).to_bytes(4, "little") + array * 50_000, 0)[0]) == 50_000


def test_frames_over_a_socket_one_after_the_other():
    ours, theirs = socket.socketpair()
    sender, receiver = Channel(ours.detach()), Channel(theirs.detach())
    sender.send((Kind.LOAD, {"a": np.arange(3)}), (Kind.CALL, [1.5, np.zeros((0, 3))]))
    kind, value = receiver.receive()
    assert kind is Kind.LOAD
    assert value["a"].tolist() == [0, 1, 2]
    kind, value = receiver.receive()
    assert kind is Kind.CALL
    assert value[1].shape == (0, 3)
    with pytest.raises(WireError):
        sender.send((Kind.CALL, object()))
    sender.close()
    receiver.close()
