"""Ctrl-C and SIGTERM at any stage of a real run."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from speciate.archive import Evaluated, Journal, JournalError, verify

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"


def speciate(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "speciate", *map(str, arguments)]


def evaluated(run: Path) -> int:
    with contextlib.suppress(JournalError), contextlib.closing(Journal.open(run, readonly=True)) as journal:
        return sum(isinstance(event, Evaluated) for _, _, event in journal.events())
    return 0


@contextlib.contextmanager
def running(run: Path, task: Path = LINEAR, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = speciate("run", task, "--evaluations", "100000", "--workers", "2", "--out", run, "--json", *options)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        time.sleep(0.05)


def assert_nothing_is_left_of(family: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("options", [(), ("--unsafe",)])
def test_sigterm_ends_cleanly_and_says_how_to_go_on(tmp_path: Path, options: tuple[str, ...]) -> None:
    run = tmp_path / "run"
    with running(run, LINEAR, *options) as process:
        wait_until(lambda: evaluated(run) > 2, process)
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["stopped_by"] == "interrupted"
    assert f"speciate resume {run}" in err
    assert family
    assert_nothing_is_left_of(family)


@pytest.mark.parametrize("options", [(), ("--unsafe",)])
def test_a_second_signal_ends_at_once_and_nothing_is_lost(tmp_path: Path, options: tuple[str, ...]) -> None:
    run = tmp_path / "run"
    with running(run, LINEAR, *options) as process:
        wait_until(lambda: evaluated(run) > 2, process)
        kept = evaluated(run)
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGSTOP)  # both signals are there before it can act on the first
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        begin = time.monotonic()
        out, err = process.communicate(timeout=60)
        assert time.monotonic() - begin < 5
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == f"ended at once; go on with: speciate resume {run}"
    assert_nothing_is_left_of(family)
    assert evaluated(run) >= kept
    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        assert verify(journal).ok


def test_ctrl_c_before_the_search_began_leaves_nothing(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    for file in LINEAR.glob("*.py"):
        (slow / file.name).write_text(file.read_text())
    text = (slow / "task.py").read_text()
    (slow / "task.py").write_text("import time\n" + text.replace("    count = 1", "    time.sleep(60)\n    count = 1"))
    run = tmp_path / "run"
    with running(run, slow) as process:
        wait_until((run / "journal.db").exists, process)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "interrupted before the search" in err
    assert "Traceback" not in err
    assert not run.exists()


def test_an_interrupted_certification_is_made_up_for_by_resume(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    for file in LINEAR.glob("*.py"):
        (slow / file.name).write_text(file.read_text())
    flag = tmp_path / "hurry"
    text = (slow / "task.py").read_text()
    wait = f"    while calls.append(1) or len(calls) > 4 and not os.path.exists({str(flag)!r}): time.sleep(0.1)\n"
    text = text.replace("    count = 1", wait + "    count = 1")
    (slow / "task.py").write_text("import os, time\ncalls = []\n" + text)
    run = tmp_path / "run"
    with running(run, slow, "--evaluations", "30", "--workers", "1", "--seed", "1") as process:
        wait_until(lambda: evaluated(run) == 30, process)
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert json.loads(out)["stopped_by"] == "interrupted"
    assert json.loads(out)["best"]["certificate"] is None
    flag.touch()
    done = subprocess.run(speciate("resume", run, "--json"), capture_output=True, text=True, check=True)
    again = json.loads(done.stdout)
    assert again["evaluations"] == 30
    assert again["stopped_by"] == "evaluations"
    assert again["best"]["certificate"] is not None
