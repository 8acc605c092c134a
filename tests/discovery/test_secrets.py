from pathlib import Path

import pytest

from speciate.discovery.secrets import certification_secret, installation_key, key_file, run_secret


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_the_key_is_made_once_and_only_its_owner_reads_it() -> None:
    key = installation_key()
    assert installation_key() == key
    assert len(key) == 32
    assert key_file().stat().st_mode & 0o077 == 0
    assert [path.name for path in key_file().parent.iterdir()] == ["key"]


def test_the_same_seed_gives_the_same_secret_here_and_another_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = run_secret("task", 1)
    assert run_secret("task", 1) == here
    assert len({here, run_secret("task", 2), run_secret("other", 1), certification_secret(here)}) == 4
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    assert run_secret("task", 1) != here
