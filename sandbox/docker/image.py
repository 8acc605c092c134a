"""The image that candidates find in their container: a Python, in /site the packages that they may import.

Its entry point is the interpreter. The label ``MODULES`` lists what can be imported, ``ORIGIN`` where it came from.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..outcome import SandboxError
from ..spec import NoJail
from ..visible import owners, visible_packages
from .engine import BUILD, asking, connect
from .rootfs import INTERPRETER, LIBRARIES, write_root

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.images import Image

IMAGE = "speciate-candidate"
MODULES, ORIGIN = "speciate.modules", "speciate.origin"
USUAL_MODULES = ("numpy", "scipy", "mpmath")
"""What the catalogue's tasks import. Larger packages such as torch only where they are asked for."""


def find_image(client: DockerClient, imports: Iterable[str] = ()) -> str:
    """Id of the image. Raises: NoJail where there is none, or it lacks a module; SandboxError."""
    labels = _look(client)
    if labels is None:
        raise NoJail(f"the Docker engine has no image '{IMAGE}' yet: run '{BUILD}'")
    tops = dict.fromkeys(name.partition(".")[0] for name in imports)
    known = {"helpers", *sys.stdlib_module_names, *labels.labels.get(MODULES, "").split()}
    missing = [name for name in tops if name not in known]
    if missing:
        wanted = " ".join(f"--with {name}" for name in missing)
        raise NoJail(f"the image '{IMAGE}' lacks {', '.join(missing)}: run '{BUILD} {wanted}'")
    return str(labels.id)


def describe_image(client: DockerClient) -> str | None:
    """Where the image came from and what can be imported in it; None where there is none. Raises: SandboxError."""
    image = _look(client)
    return image and f"{image.short_id}, {image.labels.get(ORIGIN)}, with {image.labels.get(MODULES)}"


def build_image(further: Sequence[str], note: Callable[[str], None]) -> str:
    """Make the image from the Dockerfile or, where no registry is reached, from this machine's own Python.

    ``further`` are modules that are installed here, beside ``USUAL_MODULES``. What came of it, in words.
    Raises: NoJail where there is no engine; SandboxError where a module is not installed or no image could be made.
    """
    modules = tuple(dict.fromkeys((*USUAL_MODULES, *further)))
    packages = visible_packages(modules)  # says what is not installed before anything is built
    client = connect()
    before = _look(client)
    try:
        try:
            build_from_registry(client, modules)
        except SandboxError as error:
            note(f"{error}; taking this machine's own Python")
            import_machine(client, packages)
        made = _look(client)
        if before is not None and made is not None and before.id != made.id:
            with contextlib.suppress(SandboxError), asking("the image before it is still in use"):
                client.images.remove(before.id)
        return describe_image(client) or ""
    finally:
        client.close()


def build_from_registry(client: DockerClient, modules: Sequence[str]) -> None:
    """Raises: SandboxError."""
    python = ".".join(map(str, sys.version_info[:2]))
    distributions = dict.fromkeys(owner for name in modules for owner in owners(name))
    pinned = " ".join(f"{name}=={importlib.metadata.version(name)}" for name in distributions)
    with asking("the Dockerfile could not be built"):
        client.images.build(
            path=str(Path(__file__).parent),
            tag=IMAGE,
            buildargs={"PYTHON": python, "PACKAGES": pinned},
            labels={MODULES: " ".join(modules), ORIGIN: f"python:{python}-slim"},
            rm=True,
            forcerm=True,
        )


def import_machine(client: DockerClient, packages: dict[str, Path]) -> None:
    """``packages``: name in site-packages -> its path. Raises: SandboxError."""
    modules = " ".join(name.removesuffix(".py") for name in packages if name.removesuffix(".py").isidentifier())
    changes = [
        f'ENTRYPOINT ["{INTERPRETER}"]',
        f"ENV LD_LIBRARY_PATH={LIBRARIES}",
        f'LABEL {MODULES}="{modules}"',
        f'LABEL {ORIGIN}="Python {sys.version.split()[0]} of this machine"',
    ]
    with tempfile.TemporaryFile() as archive:
        write_root(archive, packages)
        archive.seek(0)
        with asking("the image could not be imported"):
            answer = client.api.import_image_from_data(archive, IMAGE, "latest", changes)
    if '"error"' in answer:
        raise SandboxError(f"the image could not be imported: {answer}")


def _look(client: DockerClient) -> Image | None:
    from docker.errors import ImageNotFound

    with asking("the Docker engine does not answer"):
        try:
            return client.images.get(IMAGE)
        except ImageNotFound:
            return None
