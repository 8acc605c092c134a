"""What of this machine goes into the image, and what does not. No engine is needed; that it runs, the others show."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

import pytest

import speciate
from speciate.sandbox import SandboxError
from speciate.sandbox.docker.image import build_image
from speciate.sandbox.docker.rootfs import INTERPRETER, SITE, write_root
from speciate.sandbox.visible import visible_packages


@pytest.fixture(scope="module")
def entries() -> dict[str, tarfile.TarInfo]:
    with tempfile.TemporaryFile() as archive:
        write_root(archive, visible_packages(("mpmath",)))
        archive.seek(0)
        with tarfile.open(fileobj=archive) as tar:
            return {f"/{entry.name}": entry for entry in tar}


def test_interpreter_libraries_and_packages_are_in_it(entries):
    assert entries[INTERPRETER].mode & 0o111
    assert {f"{SITE}/numpy/__init__.py", f"{SITE}/mpmath/__init__.py"} <= set(entries)
    assert any(name.endswith("/os.py") for name in entries)
    assert any("libc" in Path(name).name for name in entries)


def test_neither_product_nor_other_packages_are_in_it(entries):
    parts = {part for name in entries for part in Path(name).parts}
    assert parts.isdisjoint({"speciate", "scipy", "pydantic", "pip", "docker", "site-packages", "dist-packages"})
    product = Path(str(speciate.__file__)).parent
    assert not any(name.startswith((str(product), str(Path.home()))) for name in entries)


def test_all_of_it_is_roots_and_can_be_read_by_any_user(entries):
    assert all(entry.mode & 0o004 and not entry.mode & 0o6022 for entry in entries.values())
    assert all(entry.uid == entry.gid == 0 for entry in entries.values())


def test_a_module_that_is_not_installed_is_said_before_anything_is_made():
    with pytest.raises(SandboxError, match="imports no_such_module, which is not installed"):
        build_image(("no_such_module",), print)
