"""Each screen and action as a user reaches it: by keys, in a terminal of 80 by 24."""

import asyncio
import contextlib
import csv
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static, TabbedContent, Tree

from speciate.archive import Journal, Proposed
from speciate.benchmarks.browsing import events, written
from speciate.tui.app import Browser, open_browser
from speciate.tui.screens.archive import ArchivePane
from speciate.tui.screens.dialogs import Choice, Help, SaveAs
from speciate.tui.screens.pane import ListPane
from speciate.tui.screens.program import VIEWS
from speciate.tui.screens.run import PANES, RunScreen
from speciate.tui.screens.runs import RunsScreen
from speciate.tui.widgets.cells import Cells
from speciate.tui.widgets.listing import Listing

Desk = Pilot[Any]


@contextlib.asynccontextmanager
async def opened(directory: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Desk]:
    """A browser on a run or a folder of runs, once all is read."""
    app = open_browser(directory)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield pilot


async def settled(pilot: Desk, until: Callable[[], bool] | None = None) -> None:
    """Until what the journal held is shown, or ``until`` holds."""
    screen = pilot.app.screen
    for _ in range(1200):
        await pilot.pause()
        if until() if until else not isinstance(screen, RunScreen) or screen.loaded:
            await pilot.pause()
            return
        await asyncio.sleep(0.025)
    raise AssertionError("it did not settle within half a minute")


def on_run(test: Callable[[Desk], Awaitable[None]]) -> Callable[[Path], None]:
    """A test with a browser that has the fixture's run open."""

    def run(journal: Path) -> None:
        async def body() -> None:
            async with opened(journal) as pilot:
                await test(pilot)

        asyncio.run(body())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


def run_screen(pilot: Desk) -> RunScreen:
    assert isinstance(pilot.app.screen, RunScreen)
    return pilot.app.screen


def seen(pilot: Desk) -> str:
    """The characters on the screen."""
    width, height = pilot.app.size
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines[:height])[: height * (width + 1)]


def words(pilot: Desk) -> str:
    """As ``seen``, whatever the lines are broken at."""
    return " ".join(seen(pilot).replace("▌", " ").split())


def table(pilot: Desk) -> Listing[Any]:
    pane = run_screen(pilot).pane if isinstance(pilot.app.screen, RunScreen) else pilot.app.screen.query_one(ListPane)
    assert isinstance(pane, ListPane)
    return pane.listing


@on_run
async def test_every_view_opens_by_its_number(pilot: Desk) -> None:
    expected = {
        "overview": "150 of 150",
        "programs": "150 programs",
        "archive": "island 0 of 3",
        "program": "no program is chosen",
        "lineage": "steps from",
        "events": "run_started",
        "proposals": "perturb_constant",
    }
    for number, name in enumerate(PANES, 1):
        await pilot.press(str(number))
        await pilot.pause()
        assert pilot.app.screen.query_one(TabbedContent).active == name
        assert expected[name] in seen(pilot), name


@on_run
async def test_the_overview_shows_curve_budget_states_and_arms(pilot: Desk) -> None:
    text = seen(pilot)
    best = run_screen(pilot).book.reader.state.best
    assert best is not None
    for word in ("paper 1", "base 0", "150 evaluations", f"{best[1].score:.3f}", "certified", "crashed", "symbolic"):
        assert word in text, word
    assert any(0x2800 < ord(letter) <= 0x28FF for letter in text)
    await pilot.press("x")
    await pilot.pause()
    seconds = run_screen(pilot).book.reader.course.seconds
    assert f"{seconds:,.0f} s" in seen(pilot)


@on_run
async def test_the_cursor_moves_and_enter_opens_the_program(pilot: Desk) -> None:
    await pilot.press("2", "down", "down", "j")
    listing = table(pilot)
    assert listing.cursor == 3
    await pilot.press("end")
    assert listing.cursor == 149
    assert listing.scroll_offset.y > 100
    await pilot.press("pageup", "home", "k", "down", "enter")
    await pilot.pause()
    screen = run_screen(pilot)
    assert screen.book.program == list(screen.book.reader.entries)[1]
    assert screen.pane.id == "program-pane"
    assert "EVOLVE-BLOCK-START" in seen(pilot)


@on_run
async def test_a_search_filters_while_it_is_typed_and_escape_ends_it(pilot: Desk) -> None:
    await pilot.press("2", "slash", *"swap_op")
    await pilot.pause()
    listing = table(pilot)
    entries = run_screen(pilot).book.reader.entries
    assert {entries[key].detail for key in listing.keys} == {"swap_operator"}
    assert "with “swap_op”" in seen(pilot)
    await pilot.press("enter")
    assert listing.has_focus
    await pilot.press("escape")
    await pilot.pause()
    assert len(listing.keys) == 150
    assert run_screen(pilot).pane.id == "programs-pane"


@on_run
async def test_programs_are_found_by_their_source(pilot: Desk) -> None:
    reader = run_screen(pilot).book.reader
    wanted = list(reader.entries)[70]
    number = reader.state.program(wanted).source.partition("momentum = ")[2].partition("momentum = ")[2].split()[0]
    await pilot.press("2", "slash", *number.replace(".", "."))
    await pilot.pause()
    assert list(table(pilot).keys) == [wanted]


@on_run
async def test_a_filter_shows_one_state_and_everything_again(pilot: Desk) -> None:
    await pilot.press("2", "f")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Choice)
    options = pilot.app.screen.query_one(OptionList)
    names = [str(option.prompt) for option in options.options]
    await pilot.press(*["down"] * names.index(next(name for name in names if name.startswith("crashed"))), "enter")
    await pilot.pause()
    entries = run_screen(pilot).book.reader.entries
    assert {entries[key].state for key in table(pilot).keys} == {"crashed"}
    await pilot.press("f", "home", "enter")
    await pilot.pause()
    assert len(table(pilot).keys) == 150


@on_run
async def test_sorting_by_score_puts_the_best_first_and_r_last(pilot: Desk) -> None:
    await pilot.press("2", "s", "down", "enter")
    await pilot.pause()
    reader = run_screen(pilot).book.reader
    assert reader.state.best is not None
    assert table(pilot).keys[0] == reader.state.best[0]
    await pilot.press("r")
    await pilot.pause()
    assert table(pilot).keys[-1] == reader.state.best[0]


@on_run
async def test_the_arrows_move_on_the_map_with_the_elite_beside_it(pilot: Desk) -> None:
    await pilot.press("3")
    await pilot.pause()
    cells = pilot.app.screen.query_one(Cells)
    island = run_screen(pilot).book.reader.state.archipelago.islands[0]
    assert cells.program == island.best()
    assert (cells.program or "")[:8] in seen(pilot)
    x, y = cells.spot or (0, 0)
    sideways, back = ("left", "right") if x else ("right", "left")
    await pilot.press(sideways)
    assert cells.spot == (x - 1 if x else x + 1, y)
    elite = island.elites_by_cell.get(cells.spot or ())
    await pilot.pause()
    assert (elite.program[:8] if elite else "no elite in this cell") in seen(pilot)
    await pilot.press(back, "enter")
    await pilot.pause()
    assert run_screen(pilot).book.program == island.best()


@on_run
async def test_brackets_go_through_the_islands_and_a_joins_them(pilot: Desk) -> None:
    await pilot.press("3", "right_square_bracket")
    await pilot.pause()
    state = run_screen(pilot).book.reader.state
    cells = pilot.app.screen.query_one(Cells)
    assert "island 1 of 3" in seen(pilot)
    assert cells.map is not None
    assert len(cells.map.elites) == len(state.archipelago.islands[1].elites_by_cell)
    await pilot.press("left_square_bracket", "left_square_bracket")
    await pilot.pause()
    assert "island 2 of 3" in seen(pilot)
    await pilot.press("a")
    await pilot.pause()
    assert "all 3 islands" in seen(pilot)
    joined = {cell for island in state.archipelago.islands for cell in island.elites_by_cell}
    assert set(cells.map.elites) == joined
    await pilot.press("x")
    await pilot.pause()
    assert isinstance(run_screen(pilot).pane, ArchivePane)
    assert cells.map.x.name == "cpu_seconds"


@on_run
async def test_a_program_shows_source_diffs_evaluation_feedback_and_certificate(pilot: Desk) -> None:
    await pilot.press("b")
    await pilot.pause()
    expected = {
        "source": "def solve(loads",
        "diff to parent": "+++ ",
        "to baseline": "--- baseline",
        "to reference": "gone or have changed",
        "evaluation": "skewed",
        "feedback": "no remarks",
        "certificate": "holds: its whole interval is above the baseline",
        "trace": "holds no trace of it",
    }
    for name in VIEWS:
        assert expected[name] in words(pilot), name
        await pilot.press("right_square_bracket")
        await pilot.pause()
    assert expected["source"] in seen(pilot)
    await pilot.press("d", "d")
    await pilot.pause()
    assert expected["to baseline"] in seen(pilot)
    await pilot.press("v")
    await pilot.pause()
    assert expected["evaluation"] in seen(pilot)


@on_run
async def test_n_p_and_u_go_to_other_programs(pilot: Desk) -> None:
    await pilot.press("2", "down", "enter", "n")
    await pilot.pause()
    screen = run_screen(pilot)
    order = list(screen.book.reader.entries)
    assert screen.book.program == order[2]
    await pilot.press("p", "u")
    await pilot.pause()
    assert screen.book.program == screen.book.reader.entries[order[1]].parent


@on_run
async def test_the_lineage_is_open_along_the_way_to_the_program(pilot: Desk) -> None:
    await pilot.press("b", "5")
    await settled(pilot, lambda: pilot.app.screen.query_one(Tree).cursor_node is not None)
    tree = pilot.app.screen.query_one(Tree)
    screen = run_screen(pilot)
    state = screen.book.reader.state
    best = screen.book.program
    assert best is not None
    await settled(pilot, lambda: tree.cursor_node is not None and tree.cursor_node.data == best)
    way, node = [], tree.cursor_node
    while node is not None:
        way.append(node.data)
        node = node.parent
    assert way == state.lineage(best)
    assert "+++ " in seen(pilot)
    await pilot.press("u", "enter")
    await pilot.pause()
    assert screen.book.program == state.lineage(best)[1]


@on_run
async def test_only_the_way_leaves_out_the_other_branches(pilot: Desk) -> None:
    await pilot.press("b", "5", "o")
    await pilot.pause()
    tree = pilot.app.screen.query_one(Tree)
    screen = run_screen(pilot)
    assert screen.book.program is not None
    lineage = screen.book.reader.state.lineage(screen.book.program)
    assert len(tree.root.children) == 1
    assert tree.last_line == len(lineage) - 1


@on_run
async def test_events_are_filtered_by_kind_and_shown_in_full(pilot: Desk) -> None:
    await pilot.press("6", "f")
    await pilot.pause()
    names = [str(option.prompt) for option in pilot.app.screen.query_one(OptionList).options]
    place = next(i for i, name in enumerate(names) if name.startswith("migrated"))
    await pilot.press(*["down"] * place, "enter")
    await pilot.pause()
    kinds = run_screen(pilot).book.reader.log.kinds
    assert {kinds[key - 1] for key in table(pilot).keys} == {"migrated"}
    assert '"source":' in seen(pilot)
    await pilot.press("enter")
    await pilot.pause()
    assert run_screen(pilot).pane.id == "program-pane"


@on_run
async def test_proposals_show_who_made_them_and_what_became_of_them(pilot: Desk) -> None:
    await pilot.press("7", "down")
    await pilot.pause()
    assert "Weigh the error" in seen(pilot)
    await pilot.press("slash", *"duplicate", "enter")
    await pilot.pause()
    kinds = run_screen(pilot).book.reader.log.kinds
    assert {kinds[key - 1] for key in table(pilot).keys} == {"dropped"}
    assert "dropped duplicate" in words(pilot)


@on_run
async def test_the_source_is_copied_and_exported(pilot: Desk) -> None:
    await pilot.press("b", "c")
    screen = run_screen(pilot)
    assert screen.book.program is not None
    source = screen.book.reader.state.program(screen.book.program).source
    assert pilot.app.clipboard == source
    await pilot.press("e")
    await pilot.pause()
    assert isinstance(pilot.app.screen, SaveAs)
    assert pilot.app.screen.query_one(Input).value == f"program_{screen.book.program[:8]}.py"


def test_what_is_shown_is_exported_and_nothing_is_written_over(journal: Path, tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(journal) as pilot:
            for key, name in (("1", "overview.json"), ("2", "programs.csv"), ("3", "elites.csv"), ("6", "events.csv")):
                await pilot.press(key, "e")
                await pilot.pause()
                box = pilot.app.screen.query_one(Input)
                assert box.value == name
                box.value = str(tmp_path / name)
                await pilot.press("enter")
                await pilot.pause()
                assert isinstance(pilot.app.screen, RunScreen)
            await pilot.press("e")
            await pilot.pause()
            pilot.app.screen.query_one(Input).value = str(tmp_path / "events.csv")
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(pilot.app.screen, SaveAs)
            assert "exists already" in seen(pilot)
            await pilot.press("escape")

    asyncio.run(body())
    assert json.loads((tmp_path / "overview.json").read_text())["curve"][0]["score"] == 0.0
    programs = list(csv.DictReader((tmp_path / "programs.csv").open()))
    assert len(programs) == 150
    assert programs[0]["operator"] == "seed"
    elites = list(csv.DictReader((tmp_path / "elites.csv").open()))
    assert {"island", "score", "code_size"} <= set(elites[0])


@on_run
async def test_help_lists_the_keys_of_the_view(pilot: Desk) -> None:
    await pilot.press("3", "question_mark")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Help)
    text = " ".join(str(part.content) for part in pilot.app.screen.query(Static))
    for words in ("The map of an island", "the next island", "copy to the clipboard", "the view events"):
        assert words in text, words
    await pilot.press("escape")
    assert isinstance(pilot.app.screen, RunScreen)


@on_run
async def test_every_key_of_every_view_is_a_command_of_the_palette(pilot: Desk) -> None:
    for number in range(1, len(PANES) + 1):
        await pilot.press(str(number))
        await pilot.pause()
        screen = run_screen(pilot)
        commands = {command.title for command in pilot.app.get_system_commands(screen)}
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.enabled and binding.tooltip and active.node is not pilot.app:
                assert any(title.startswith(binding.description) for title in commands), binding


@on_run
async def test_a_command_of_the_palette_acts(pilot: Desk) -> None:
    await pilot.press("ctrl+p")
    await pilot.pause()
    await pilot.press(*"Lineage (5)")
    await asyncio.sleep(0.5)
    await pilot.press("enter")
    await settled(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
    await settled(pilot, lambda: run_screen(pilot).pane.id == "lineage-pane")


@on_run
async def test_escape_goes_back_to_the_runs_and_enter_in_again(pilot: Desk) -> None:
    await pilot.press("escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, RunsScreen)
    await settled(pilot, lambda: "150/150" in seen(pilot))
    assert "balanced" in seen(pilot)
    await pilot.press("enter")
    await pilot.pause()
    assert isinstance(pilot.app.screen, RunScreen)


def test_a_folder_opens_on_its_runs_and_says_which_cannot_be_read(tmp_path: Path) -> None:
    written(tmp_path / "one", 10)
    written(tmp_path / "two", 20, finished=False)
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "journal.db").write_text("nothing of ours")

    async def body() -> None:
        async with opened(tmp_path) as pilot:
            await settled(pilot, lambda: "20/20" in seen(pilot) and "10/10" in seen(pilot))
            text = seen(pilot)
            assert "cannot be read" in text
            assert "not running" in text
            await pilot.press("slash", *"three", "enter", "enter")
            await settled(pilot, lambda: any("is damaged" in note.message for note in pilot.app._notifications))
            assert isinstance(pilot.app.screen, RunsScreen)

    asyncio.run(body())


def test_a_run_that_goes_on_is_followed(tmp_path: Path) -> None:
    batches = list(events(60, finished=True))

    async def body(journal: Journal) -> None:
        async with opened(tmp_path / "run") as pilot:
            await pilot.press("2", "end")
            count = len(table(pilot).keys)
            assert count < 60
            for batch in batches[50:]:
                journal.append(*batch)
            await settled(pilot, lambda: len(table(pilot).keys) == 60)
            assert table(pilot).cursor == 59
            await settled(pilot, lambda: "ended: evaluations" in seen(pilot))

    with contextlib.closing(Journal.create(tmp_path / "run")) as journal:
        journal.append(*(event for batch in batches[:50] for event in batch))
        asyncio.run(body(journal))


def test_a_program_that_repeats_another_one_is_told_once_and_not_as_pending(repeating: tuple[Path, Proposed]) -> None:
    directory, repeated = repeating

    async def body() -> None:
        async with opened(directory) as pilot:
            await pilot.press("7", "end")
            await pilot.pause()
            reader = run_screen(pilot).book.reader
            told = [
                event for event in map(reader.event, table(pilot).keys) if getattr(event, "index", -1) == repeated.index
            ]
            assert [event.kind for event in told] == ["proposed"]
            assert "does on the smoke" in seen(pilot)
            await pilot.press("2", "end")
            await pilot.pause()
            assert "repeats" in seen(pilot)

    asyncio.run(body())


def test_a_run_without_programs_yet_opens(tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(tmp_path / "run") as pilot:
            for number in range(1, len(PANES) + 1):
                await pilot.press(str(number), "c", "u", "n", "d", "a", "x")
                await pilot.pause()
            assert isinstance(pilot.app, Browser)

    with contextlib.closing(Journal.create(tmp_path / "run")) as journal:
        asyncio.run(body())
        journal.append(*next(iter(events(3))))
        asyncio.run(body())


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_every_view_opens_in_terminals_of_any_size(journal: Path, size: tuple[int, int]) -> None:
    async def body() -> None:
        async with opened(journal, size) as pilot:
            await pilot.press("b")
            for number in range(1, len(PANES) + 1):
                await pilot.press(str(number))
                await pilot.pause()
                assert seen(pilot).count("\n") == size[1] - 1

    asyncio.run(body())
