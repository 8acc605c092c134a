from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from speciate.cli import main

TOYS = Path(__file__).parent.parent / "toy_tasks"
LINEAR = TOYS / "linear"


class Said(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """``command("evaluate", task, file)`` in this process: exit status, stdout and stderr."""

    def once(*arguments: object) -> Said:
        monkeypatch.setattr("sys.argv", ["speciate", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Said(int(ended.value.code or 0), out, err)

    return once


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """A copy of the toy task ``linear`` to be broken."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for file in LINEAR.glob("*.py"):
        (folder / file.name).write_text(file.read_text())
    return folder
