"""What a jail sees of this machine: the system's libraries, the interpreter, the packages that a task names."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives")
VENV = Path("/venv")


def site_folders() -> list[Path]:
    """Where packages are installed, existing folders only."""
    named = {sysconfig.get_paths()[key] for key in ("purelib", "platlib")}
    found = {path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")}
    return sorted(Path(path) for path in named | found if Path(path).is_dir())


def distributions(modules: Iterable[str]) -> set[str]:
    """Names of the distributions that the modules belong to, with all they require."""
    owners = importlib.metadata.packages_distributions()
    todo = [name for module in modules for name in owners.get(module.partition(".")[0], ())]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in found:
            continue
        try:
            requirements = importlib.metadata.distribution(name).requires or ()
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        todo += [_name(text) for text in requirements if "extra ==" not in text]
    return found


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return match[0] if match else requirement


def package_paths(modules: Iterable[str]) -> set[Path]:
    """Top-level files and folders in site-packages of those distributions."""
    paths: set[Path] = set()
    for name in distributions(modules):
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or ():
            if file.parts and file.parts[0] != ".." and file.parts[0] != "__pycache__":
                paths.add(Path(str(distribution.locate_file(file.parts[0]))))
    return {path for path in paths if path.exists()}


def inside(path: Path) -> str:
    """Where a path of the virtual environment is in the jail: at VENV, as its own may lie under the private /tmp."""
    prefix = Path(sys.prefix)
    if sys.prefix != sys.base_prefix and path.is_relative_to(prefix):
        return str(VENV / path.relative_to(prefix))
    return str(path)


def arguments(modules: Iterable[str]) -> list[str]:
    """bwrap arguments that mount all this read-only; everything else does not exist in the jail."""
    result: list[str] = ["--tmpfs", "/"]
    for path in SYSTEM:
        result += ["--ro-bind-try", path, path]
    for prefix in sorted({Path(sys.base_prefix), Path(sys.prefix)}):
        if not prefix.is_relative_to("/usr"):
            result += ["--ro-bind", str(prefix), inside(prefix)]
    base_site = Path(sys.base_prefix) / Path(sysconfig.get_paths()["purelib"]).relative_to(sys.prefix)
    for folder in sorted({*site_folders(), base_site}):
        if folder.is_dir():
            result += ["--tmpfs", inside(folder)]
    for path in sorted(package_paths(modules)):
        result += ["--ro-bind", str(path), inside(path)]
    return result
