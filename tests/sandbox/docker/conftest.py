"""A real engine: the one that DOCKER_HOST names, else one that is started for these tests, which takes root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from speciate.sandbox import Backend, NoJail, Sandbox, SandboxSpec, open_sandbox
from speciate.sandbox.docker.engine import connect
from speciate.sandbox.docker.image import USUAL_MODULES, find_image, import_machine
from speciate.sandbox.visible import visible_packages

START_SECONDS = 30


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """Its address, also in DOCKER_HOST; it has the image."""
    given = os.environ.get("DOCKER_HOST")
    if given:
        _with_image()
        yield given
        return
    if shutil.which("dockerd") is None or os.getuid() != 0:
        pytest.skip("the Docker backend is NOT tested: set DOCKER_HOST, or be root and install dockerd (docker.io)")
    # A short name, because of the sockets in it.
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    os.environ["DOCKER_HOST"] = address = f"unix://{folder}/socket"
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(_command(folder, address), stdout=log, stderr=log, start_new_session=True)
    try:
        _await(daemon, folder / "log")
        _with_image()
        yield address
    finally:
        del os.environ["DOCKER_HOST"]
        daemon.terminate()
        daemon.wait(60)
        for line in Path("/proc/self/mounts").read_text().splitlines():
            if line.split()[1].startswith(str(folder)):
                subprocess.run(["umount", "--lazy", line.split()[1]], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _command(folder: Path, address: str) -> list[str]:
    no_network = ["--iptables=false", "--ip6tables=false", "--bridge=none"]
    places = ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    return ["dockerd", *no_network, *places, "--host", address]


def _await(daemon: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and daemon.poll() is None:
        try:
            connect().close()
        except NoJail:
            time.sleep(0.1)
        else:
            return
    said = log.read_text(errors="replace").splitlines()[-1:]
    pytest.skip(f"the Docker backend is NOT tested: dockerd does not start here: {said}")


def _with_image() -> None:
    client = connect()
    try:
        find_image(client, USUAL_MODULES)
    except NoJail:
        import_machine(client, visible_packages(USUAL_MODULES))
    finally:
        client.close()


@pytest.fixture(scope="module")
def sandbox(engine: str) -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec(backend=Backend.DOCKER)) as opened:
        yield opened
