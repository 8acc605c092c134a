"""The documentation as a site: links, references out of the code, and no page outside the navigation."""

import html.parser
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(not (ROOT / "mkdocs.yml").is_file(), reason="not run from a source tree")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="pip install '.[docs]' builds the site")
    place = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", place],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return place


class Text(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def words(page: Path) -> str:
    parser = Text()
    parser.feed(page.read_text())
    return " ".join(" ".join(parser.words).split())


def test_every_command_and_every_key_is_in_its_reference(site: Path) -> None:
    from speciate.cli.app import app
    from speciate.discovery.config import RunConfig

    commands, keys = words(site / "commands.html"), words(site / "configuration.html")
    for command in app.registered_commands:
        assert f"speciate {command.name}" in commands
    assert "--evaluations" in commands
    for name, value in RunConfig().model_dump().items():
        assert name in keys
        for inner in value if isinstance(value, dict) and value else ():
            assert inner in keys


def test_the_python_face_has_its_docstrings(site: Path) -> None:
    import speciate

    said = words(site / "api.html")
    assert all(f"speciate.{name}" in said for name in speciate.__all__)
    assert "Score one program against baseline and reference" in said


def test_pictures_are_there_and_all_pages_are_linked(site: Path) -> None:
    home = (site / "index.html").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f'href="{page.stem}.html"' in home or page.stem == "index", page
    for page in ("index.html", "concepts.html"):
        for picture in re.findall(r'src="(pictures/[^"]+)"', (site / page).read_text()):
            assert (site / picture).read_text().startswith("<svg")


def test_the_shell_completes_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "speciate"], capture_output=True, text=True, check=False,
        env={"_SPECIATE_COMPLETE": "complete_bash", "COMP_WORDS": "speciate re", "COMP_CWORD": "1", "PATH": "/usr/bin"},
    )  # fmt: skip
    assert {"report", "resume", "redteam"} <= set(done.stdout.split()), done
