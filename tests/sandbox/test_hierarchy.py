"""Where control groups may be made, read from folders like the kernel's; test_cgroup.py has the kernel itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from speciate.sandbox.cgroup import Group
from speciate.sandbox.hierarchy import Controller, Unavailable, places

MEMORY, PIDS = Controller.MEMORY, Controller.PIDS

Told = Callable[[str, str], Path]
"""A process's folder, from the lines of its ``mountinfo`` (device - filesystem and options) and ``cgroup``."""


@pytest.fixture
def told(tmp_path: Path) -> Told:
    def of(mountinfo: str, cgroup: str) -> Path:
        folder = tmp_path / "self"
        folder.mkdir()
        lines = [f"{30 + n} 23 0:{n} {line}" for n, line in enumerate(mountinfo.splitlines())]
        (folder / "mountinfo").write_text("\n".join(lines) + "\n")
        (folder / "cgroup").write_text(cgroup)
        return folder

    return of


def unified(
    folder: Path, *, has: str = "cpu memory pids", shares: str = "", holds: str = "", root: bool = False
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = {"cgroup.controllers": has, "cgroup.subtree_control": shares, "cgroup.procs": holds}
    for name, text in files.items() if root else {**files, "cgroup.type": "domain"}.items():
        (folder / name).write_text(text)


def test_version_1_has_a_folder_for_each_controller(told: Told, tmp_path: Path) -> None:
    for name in ("memory/box/own", "both/box"):
        (tmp_path / name).mkdir(parents=True)
    process = told(
        f"/ {tmp_path}/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n"
        f"/ {tmp_path}/memory rw - cgroup cgroup rw,memory\n"
        f"/out {tmp_path}/both rw - cgroup cgroup rw,cpu,pids",
        "5:cpu,pids:/out/box\n4:memory:/box/own\n0::/\n",
    )
    memory, pids = places(process)
    assert (memory.folder, dict(memory.limits)) == (tmp_path / "memory/box/own", {MEMORY: "memory.limit_in_bytes"})
    assert (pids.folder, dict(pids.limits)) == (tmp_path / "both/box", {PIDS: "pids.max"})
    assert not memory.kills
    (tmp_path / "both/box").rmdir()
    with pytest.raises(Unavailable, match="both/box may not be written to"):
        places(process)


def test_nothing_is_mounted(told: Told) -> None:
    with pytest.raises(Unavailable, match="is mounted"):
        places(told("/ / rw - ext4 /dev/sda rw", "0::/\n"))


@pytest.fixture
def own(told: Told, tmp_path: Path) -> tuple[Path, Path]:
    """Version 2: the process's folder and that of its group ``app/shell``."""
    return told(f"/ {tmp_path}/v2 rw - cgroup2 cgroup2 rw,nsdelegate", "0::/app/shell\n"), tmp_path / "v2/app/shell"


def test_a_group_beside_ours_where_the_parent_shares_out(own: tuple[Path, Path]) -> None:
    process, group = own
    unified(group, holds="1\n2\n")
    unified(group.parent, shares="memory pids")
    (place,) = places(process)
    assert place.folder == group.parent
    assert place.switches == ""
    assert place.kills
    assert set(place.limits) == {MEMORY, PIDS}


def test_a_parent_that_has_no_processes_is_made_to_share_out(own: tuple[Path, Path]) -> None:
    process, group = own
    unified(group, holds="1\n2\n")
    unified(group.parent, shares="memory")
    (place,) = places(process)
    place.make("speciate-1-1")
    assert (group.parent / "cgroup.subtree_control").read_text() == "+pids"
    assert (group.parent / "speciate-1-1").is_dir()


def test_no_group_where_all_above_hold_processes(own: tuple[Path, Path]) -> None:
    process, group = own
    unified(group, holds="1\n")
    unified(group.parent, holds="7\n")
    with pytest.raises(Unavailable, match=r"shell holds processes, and .*app holds processes: .*systemd-run --user"):
        places(process)


def test_a_controller_that_nobody_hands_down_is_named(own: tuple[Path, Path]) -> None:
    process, group = own
    unified(group, has="memory", holds="1\n")
    unified(group.parent, has="memory", shares="memory")
    with pytest.raises(Unavailable, match="app has no controller 'pids'"):
        places(process)


def test_a_parent_that_is_not_ours_is_left_alone(own: tuple[Path, Path]) -> None:
    process, group = own
    unified(group, holds="1\n")
    unified(group.parent, shares="memory pids")
    (group.parent / "cgroup.procs").unlink()  # what may not be written to: root could write to any file that is there
    with pytest.raises(Unavailable, match="shell holds processes"):
        places(process)


def test_the_root_of_all_may_hold_processes(told: Told, tmp_path: Path) -> None:
    unified(tmp_path / "v2", holds="1\n2\n", root=True)
    (place,) = places(told(f"/ {tmp_path}/v2 rw - cgroup2 cgroup2 rw", "0::/\n"))
    assert place.folder == tmp_path / "v2"
    assert place.switches == "+memory +pids"


def test_the_root_of_a_container_may_not(told: Told, tmp_path: Path) -> None:
    unified(tmp_path / "v2", holds="1\n2\n")
    with pytest.raises(Unavailable, match=r"v2 holds processes$"):
        places(told(f"/ {tmp_path}/v2 rw - cgroup2 cgroup2 rw", "0::/\n"))


def test_a_group_outside_of_what_is_mounted_is_not_ours(told: Told, tmp_path: Path) -> None:
    unified(tmp_path / "v2", shares="memory pids")
    with pytest.raises(Unavailable, match="is mounted"):
        places(told(f"/ {tmp_path}/v2 rw - cgroup2 cgroup2 rw", "0::/../elsewhere\n"))


def test_version_2_kills_where_a_limit_is_below_what_is_held(own: tuple[Path, Path]) -> None:
    process, group = own
    unified(group, holds="1\n")
    unified(group.parent, shares="memory pids")
    (place,) = places(process)
    leaf = Group(place, group.parent / "leaf")
    leaf.folder.mkdir()
    (leaf.folder / "memory.stat").write_text("anon 600\nfile 9000\nshmem 300\nkernel 5\n")
    (leaf.folder / "memory.max").write_text("max")
    assert not leaf.limit(MEMORY, 800)
    assert (leaf.folder / "memory.max").read_text() == "max"
    assert leaf.limit(MEMORY, 1000)
    assert (leaf.folder / "memory.max").read_text() == "1000"
    assert leaf.limit(PIDS, 9)
