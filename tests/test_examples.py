"""The examples of the Python face run as they are written."""

import doctest
from pathlib import Path

import pytest

from speciate import api


@pytest.mark.parametrize("name", ["tasks", "evaluate", "discover", "load_run"])
def test_examples_hold(name: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shared(tmp_path_factory))
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(getattr(api, name), name, module=api, globs=dict(vars(api)))
    assert example.examples
    if name == "load_run" and not Path("first").is_dir():
        api.discover("alf_lb_online_dual", "first", evaluations=8, seed=1, settings={"certify": False})
    report = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report.run(example)
    assert report.failures == 0, "see the captured output"


def shared(factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples, as one reader would have it."""
    folder = factory.getbasetemp() / "examples"
    folder.mkdir(exist_ok=True)
    return folder
