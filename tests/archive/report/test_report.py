"""The page holds what the run found, as text only, and works without anything beside it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from speciate.archive.history import read_history, yields_by_mutation, yields_by_proposer
from speciate.archive.report import FIGURES, Content, NothingToDraw, write_figure, write_report
from speciate.archive.report.code import diff

from .conftest import ATTACK

VOID = {"meta", "br", "img", "hr", "link", "input"}


class Page(HTMLParser):
    """Elements, ids, attributes and texts; notices an element that is closed out of order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.crossed: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    file = tmp_path_factory.mktemp("page") / "report.html"
    write_report(Content(read_history(hostile), None, {"change_loop_bound": "More or fewer `passes`."}), file)
    return Page(file.read_text())


def test_nothing_of_a_run_becomes_markup(page: Page) -> None:
    assert page.crossed == page.open == []
    assert not {"script", "img", "iframe", "object", "link"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.text.count("<script>window.hacked=1") >= 8


def test_the_page_needs_nothing_beside_it_and_keeps_the_secret(page: Page, hostile: Path) -> None:
    policy = next(value for name, value in page.attributes if value.startswith("default-src"))
    assert "default-src 'none'" in policy
    loaded = [value for name, value in page.attributes if name in ("src", "href") and not value.startswith("#")]
    assert loaded == []
    assert "5ec4e7" not in page.text


def test_ids_are_unique_and_references_reach_them(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    wanted = {value[1:] for name, value in page.attributes if name == "href"}
    wanted |= {part for name, value in page.attributes for part in re.findall(r"url\(#([^)]+)\)", value)}
    wanted |= {value for name, value in page.attributes if name == "aria-labelledby"}
    assert wanted <= set(page.ids)


def test_it_says_what_the_run_came_to(page: Page) -> None:
    for words in (
        "On fresh secret instances the best program scores 0.500 [0.400, 0.600] at 97.5 %",
        "better than the baseline, short of the paper's method",
        "The score of the search minus the one on fresh instances is 0.100",
        "607 tokens, 0.0600 USD",
        "Tier full",
        "1 proposal came to nothing",
    ):
        assert words in page.text, words


def test_every_figure_has_a_description(page: Page) -> None:
    assert page.tags.count("svg") >= 7
    assert sum(name == "aria-label" for name, _ in page.attributes) >= page.tags.count("svg")


@pytest.mark.parametrize("ending", [".svg", ".png", ".pdf"])
def test_figures_are_files_of_their_kind(hostile: Path, tmp_path: Path, ending: str) -> None:
    content = Content(read_history(hostile), None, {})
    begins = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}[ending]
    for name in FIGURES if ending == ".svg" else ("progress", "maps"):
        if name == "timing" and not content.clocked:
            with pytest.raises(NothingToDraw, match="not clocked"):
                write_figure(content, name, tmp_path / f"{name}{ending}")
            continue
        write_figure(content, name, tmp_path / f"{name}{ending}")
        assert (tmp_path / f"{name}{ending}").read_bytes().startswith(begins)


def test_the_same_run_gives_the_same_page(hostile: Path, tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_report(Content(read_history(hostile), None, {}), tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_history_counts_what_became_of_proposals(hostile: Path) -> None:
    history = read_history(hostile)
    (llm, dropped) = yields_by_proposer(history)
    assert (llm.attempts, llm.valid, llm.records, llm.tokens) == (3, 3, 2, 600)
    assert (dropped.name, dropped.attempts, dropped.evaluated, dropped.tokens) == ("llm", 1, 0, 7)
    by_mutation = {row.name: row for row in yields_by_mutation(history)}
    assert by_mutation["change_loop_bound"].attempts == 3
    bests = [one.best for one in history.evaluated]
    assert bests == [0.0, 0.0, 0.2, 0.6]


def test_a_diff_shows_what_changed_and_nothing_else() -> None:
    before = "".join(f"a{number} = {number}\n" for number in range(30))
    lines = diff(before, before.replace("a20 = 20\n", f"a20 = '{ATTACK}'\n"), context=1)
    assert [line.sign for line in lines] == ["…", " ", "-", "+", " "]
    assert "<script>" not in lines[3].html
    assert diff(before, before) == []
