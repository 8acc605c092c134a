"""Every task of the catalogue at smoke size: its programs are VALID, the reference is ahead, cheats get nothing."""

import contextlib

import pytest

from speciate.evaluators import catalogue, check_task, load_task
from speciate.sandbox import Backend, open_sandbox


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(catalogue()))
def test_is_sound(name: str) -> None:
    folder = load_task(name)
    with contextlib.closing(open_sandbox(folder.spec(Backend.BUBBLEWRAP))) as sandbox:
        result = check_task(folder, sandbox, "smoke")
    assert result.reason == ""
    assert result.ok
