"""What of this machine goes into the image, and what does not. No engine is needed."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

import speciate
from speciate.sandbox import SandboxError
from speciate.sandbox.docker.image import build_image
from speciate.sandbox.docker.rootfs import INTERPRETER, LIBRARIES, SITE, write_root
from speciate.sandbox.visible import visible_packages


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    with (folder / "tar").open("w+b") as archive:
        write_root(archive, visible_packages(("numpy",)))
        archive.seek(0)
        with tarfile.open(fileobj=archive) as tar:
            tar.extractall(folder / "root", filter="tar")
    return folder / "root"


def test_it_runs_with_nothing_else(root):
    """The loader is called by hand, so that it finds libraries of the image only."""
    loader = next(path for path in root.rglob("ld-*") if path.is_file())
    command = [loader, "--library-path", root / LIBRARIES[1:], "--inhibit-cache", root / INTERPRETER[1:], "-I", "-S"]
    script = f"import sys; sys.path.append({str(root / SITE[1:])!r}); import numpy, ssl, ctypes; print(sys.prefix)"
    done = subprocess.run([*command, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(root / "python"), done.stderr


def test_neither_product_nor_other_packages_are_in_it(root):
    names = {path.name for path in root.rglob("*")}
    assert "numpy" in names
    assert names.isdisjoint({"speciate", "scipy", "pydantic", "pip", "sandbox", "evaluators", "tasks", "home", "root"})
    own = Path(str(speciate.__file__)).read_bytes()
    assert all(path.read_bytes() != own for path in root.rglob("__init__.py"))


def test_all_of_it_can_be_read_by_any_user(root):
    assert all(path.stat().st_mode & 0o004 for path in root.rglob("*") if not path.is_symlink())


def test_a_module_that_is_not_installed_is_said_before_anything_is_made():
    with pytest.raises(SandboxError, match="imports no_such_module, which is not installed"):
        build_image(("no_such_module",), print)
