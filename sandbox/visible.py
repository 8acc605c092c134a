"""Which of the installed packages a candidate may see."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from .outcome import SandboxError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ALWAYS = "numpy"
"""The runner needs it."""


def visible_packages(imports: Iterable[str]) -> dict[str, Path]:
    """Name in site-packages -> its path: what the modules' distributions installed, with their requirements'.

    Raises: SandboxError where a module is not installed.
    """
    found: dict[str, Path] = {}
    seen: set[str] = set()
    for top in dict.fromkeys([_ALWAYS, *(name.partition(".")[0] for name in imports)]):
        if top in sys.stdlib_module_names or top == "helpers":
            continue
        distributions = owners(top)
        if not distributions:
            found |= _located(top)
        for owner in distributions:
            _collect(owner, seen, found)
    return found


def owners(top: str) -> list[str]:
    """Distributions that installed the module ``top``. Most are called like it, and asking all of them is slow."""
    try:
        distribution = importlib.metadata.distribution(top)
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.packages_distributions().get(top, [])
    return [distribution.metadata["Name"]] if top in dict(_top_level(distribution)) else []


def _collect(name: str, seen: set[str], found: dict[str, Path]) -> None:
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return
    seen.add(key)
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return  # a requirement for another platform or an extra
    found |= dict(_top_level(distribution))
    for requirement in distribution.requires or ():
        match = _NAME.match(requirement)
        if match and "extra ==" not in requirement:
            _collect(match.group(), seen, found)


def _top_level(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, Path]]:
    record = distribution.read_text("RECORD") or ""
    root = Path(str(distribution.locate_file("")))
    for name in dict.fromkeys(line.partition(",")[0].partition("/")[0] for line in record.splitlines()):
        if name and name not in ("..", "__pycache__") and not name.endswith(".pth") and (root / name).exists():
            yield name, root / name
    if not record:  # a system's package manager wrote none
        yield from _located(distribution.metadata["Name"]).items()


def _located(top: str) -> dict[str, Path]:
    spec = importlib.util.find_spec(top)
    if spec is None:
        raise SandboxError(f"the task imports {top}, which is not installed here; install it with pip")
    places = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if not places and spec.origin is not None:
        places = [Path(spec.origin)]
    return {place.name: place for place in places}


def site_folders() -> list[Path]:
    """Where packages are installed for this interpreter; all of it is hidden in the jail."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    places = [Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")]
    for prefix in {Path(sys.base_prefix), Path("/usr"), Path("/usr/local")}:
        for library in ("lib", "lib64"):
            places += [prefix / library / version / name for name in ("site-packages", "dist-packages")]
        places.append(prefix / "lib" / "python3" / "dist-packages")
    return [place for place in dict.fromkeys(places) if place.is_dir()]
