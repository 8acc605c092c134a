"""The trusted cache: what it gives is what was built, whatever happens to its files."""

import multiprocessing
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speciate.evaluators import costly

KEY = {"n": 3, "kind": "small"}


class Builder:
    def __init__(self, value: float = 1.0) -> None:
        self.calls = 0
        self.value = value

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"x": np.arange(6.0).reshape(2, 3) * self.value, "n": np.array(7, dtype=np.int32)}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPECIATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def only_file(folder: Path) -> Path:
    (file,) = (path for path in folder.rglob("*") if path.is_file())
    return file


def test_what_was_built_once_comes_back_unchanged(folder: Path) -> None:
    build = Builder()
    first, second = costly("a", 1, KEY, build), costly("a", 1, KEY, build)
    assert build.calls == 1
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
        assert first[name].dtype == second[name].dtype
    assert len(list(folder.rglob("*.npz*"))) == 1


@pytest.mark.parametrize(("name", "version", "key"), [("b", 1, KEY), ("a", 2, KEY), ("a", 1, {"n": 4})])
def test_another_name_version_or_key_is_built_anew(name: str, version: int, key: dict[str, int]) -> None:
    costly("a", 1, KEY, Builder(1.0))
    assert costly(name, version, key, Builder(5.0))["x"][0, 1] == 5.0
    assert costly("a", 1, KEY, Builder(9.0))["x"][0, 1] == 1.0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_any_damage_to_the_file_leads_to_a_new_build(folder: Path, data: st.DataObject) -> None:
    costly("a", 1, KEY, Builder(2.0))
    content = bytearray(only_file(folder).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    only_file(folder).write_bytes(content)
    build = Builder(2.0)
    assert costly("a", 1, KEY, build)["x"][0, 1] == 2.0
    assert build.calls == 1
    costly("a", 1, KEY, build)
    assert build.calls == 1


def test_a_pickle_in_its_place_is_never_opened(folder: Path) -> None:
    costly("a", 1, KEY, Builder())
    only_file(folder).write_bytes(pickle.dumps({"x": "mine"}))
    assert costly("a", 1, KEY, Builder(4.0))["x"][0, 1] == 4.0


def test_objects_are_refused_and_leave_nothing(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        costly("a", 1, KEY, lambda: {"x": np.array([None])})
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_a_failing_builder_leaves_nothing(folder: Path) -> None:
    def fail() -> dict[str, np.ndarray]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        costly("a", 1, KEY, fail)
    assert not [path for path in folder.rglob("*") if path.is_file()]
    assert costly("a", 1, KEY, Builder(3.0))["x"][0, 1] == 3.0


def test_a_cache_that_cannot_be_written_builds_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPECIATE_CACHE", "/dev/null/cache")
    build = Builder()
    costly("a", 1, KEY, build)
    costly("a", 1, KEY, build)
    assert build.calls == 2


def _build_many(folder: str) -> None:
    os.environ["SPECIATE_CACHE"] = folder
    for number in range(30):
        arrays = costly("shared", 1, {"n": number}, lambda: {"x": np.full(2000, 3.0)})
        if not (arrays["x"] == 3.0).all():
            raise SystemExit(1)


def test_builders_at_the_same_time_do_not_disturb_each_other(folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_build_many, args=(str(folder),)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 30
