"""What pip installs: from the wheel, from a source distribution, and editable; each in a fresh environment."""

import json
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINEAR = ROOT / "tests" / "toy_tasks" / "linear"
SHIPPED = (".py", ".yaml", ".j2", ".npz", "py.typed", "Dockerfile", "deploy/slurm.sh")
NOT_SHIPPED = ("tests", "docs", "build", "dist", "runs")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="not run from a source tree"),
]


def run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree as git has it, so that nothing built here gets in."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    place = tmp_path_factory.mktemp("source")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes((ROOT / name).read_bytes())
    return place


@pytest.fixture(scope="module")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, and the wheel that ``build`` makes from it."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", out, source)
    return out


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """The interpreter of a new environment that sees what speciate depends on, but not speciate."""
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    borrowed = tmp_path / "borrowed"
    borrowed.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "speciate" not in entry.name:
            (borrowed / entry.name).symlink_to(entry)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(site) / "borrowed.pth").write_text(f"{borrowed}\n")
    return python


def shipped_files(source: Path) -> set[str]:
    files = (path.relative_to(source) for path in source.rglob("*") if path.is_file())
    return {str(path) for path in files if path.parts[0] not in NOT_SHIPPED and str(path).endswith(SHIPPED)}


def test_the_wheel_holds_every_file_that_is_needed_and_nothing_else(source: Path, built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name.removeprefix("speciate/") for name in archive.namelist() if name.startswith("speciate/")}
    assert held == shipped_files(source)
    assert {"py.typed", "cli/template/task.py", "sandbox/inside/zygote.py", "configs/default.yaml"} <= held


def test_the_source_distribution_holds_the_tests_and_documents_too(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"tests/cli/test_faces.py", "docs/measured.md", "LICENSE", "CONTRIBUTING.md", "README.md"} <= held


def assert_it_works(python: Path, place: Path, below: Path) -> None:
    where = run(python, "-c", "import speciate; print(speciate.__file__)", cwd=place)
    assert Path(where.strip()).is_relative_to(below)
    assert run(python, "-m", "speciate", "--version", cwd=place) == run(python.parent / "speciate", "--version")
    reference = LINEAR / "reference.py"
    scored = run(python.parent / "speciate", "evaluate", LINEAR, reference, "--json", cwd=place)
    assert json.loads(scored)["score"] == pytest.approx(1.0)
    run(python, "-m", "speciate", "new", "mine", cwd=place)
    assert json.loads(run(python, "-m", "speciate", "check", "mine", "--json", cwd=place))[0]["ok"]
    done = run(
        python, "-m", "speciate", "run", LINEAR, "--evaluations", 10, "--config", "thorough", "--json", cwd=place
    )
    assert json.loads(done)["evaluations"] == 10
    assert len(json.loads(run(python, "-m", "speciate", "tasks", "--json", cwd=place))) >= 6


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_an_installed_distribution_works(kind: str, built: Path, fresh: Path, tmp_path: Path) -> None:
    (distribution,) = built.glob(kind)
    run(fresh, "-m", "pip", "install", "--no-deps", "--force-reinstall", distribution)
    assert_it_works(fresh, tmp_path, fresh.parent.parent)


def test_an_editable_install_works(source: Path, fresh: Path, tmp_path: Path) -> None:
    run(fresh, "-m", "pip", "install", "--no-deps", "--force-reinstall", "--editable", source)
    assert_it_works(fresh, tmp_path, source)
