"""What the screens show, without Textual: it agrees with a replay, and follows a journal that grows."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from speciate.archive import AddStatus, Journal, JournalError, Proposed, replay
from speciate.archive.lock import Lock
from speciate.benchmarks.browsing import events, written
from speciate.evaluators import State
from speciate.tui.model.book import Book
from speciate.tui.model.facts import arms, budget, states
from speciate.tui.model.maps import heat_map
from speciate.tui.model.programs import changed, diff_to_baseline, diff_to_parent, ranked_children, step
from speciate.tui.model.reader import RunReader
from speciate.tui.model.status import folders, glance, status_of, summaries, writer
from speciate.tui.model.told import in_full, reply, told
from speciate.tui.model.words import clean, duration, number


@pytest.fixture
def reader(journal: Path):
    with contextlib.closing(RunReader(journal)) as found:
        while found.step():
            pass
        yield found


def test_reading_step_by_step_gives_the_state_of_a_replay(journal: Path) -> None:
    with contextlib.closing(RunReader(journal)) as reader, contextlib.closing(Journal.open(journal, True)) as whole:
        steps = 0
        while reader.step(7):
            steps += 1
        assert steps > 50
        assert reader.state == replay(whole)


def test_every_program_has_an_entry_with_its_evaluation(reader: RunReader) -> None:
    assert list(reader.entries) == list(reader.state.programs)
    for program, entry in reader.entries.items():
        evaluation = reader.state.evaluation_of(program)
        assert (entry.state, entry.score) == (evaluation.state, evaluation.score)
        assert entry.elite == any(status is not AddStatus.REJECTED for status in entry.statuses)
    elites = {program for island in reader.state.archipelago.islands for program in island.elites()}
    assert elites <= {program for program, entry in reader.entries.items() if entry.elite}


def test_the_course_ends_with_the_best_program_and_never_falls(reader: RunReader) -> None:
    best = reader.state.best
    assert best is not None
    scores = [point.score for point in reader.course.points]
    assert scores == sorted(scores)
    assert reader.course.points[-1].program == best[0]
    assert reader.course.seconds == pytest.approx(0.2 * (len(set(reader.log.times)) - 1))
    assert reader.course.rate == pytest.approx(2.5, rel=0.2)  # a proposal, then an evaluation: two transactions


def test_a_reader_follows_a_journal_that_another_connection_writes(tmp_path: Path) -> None:
    batches = list(events(40, finished=False))
    with contextlib.closing(Journal.create(tmp_path / "run")) as journal:
        journal.append(*(event for batch in batches[:20] for event in batch))
        with contextlib.closing(RunReader(tmp_path / "run")) as reader:
            while reader.step():
                pass
            before, revision = len(reader.entries), reader.revision
            assert reader.step() == 0
            assert reader.revision == revision
            for batch in batches[20:]:
                journal.append(*batch)  # would raise or wait if the reader held the database
            assert reader.step() == sum(map(len, batches[20:]))
            assert len(reader.entries) > before
            assert reader.state == replay(journal)


def test_a_program_that_repeats_another_one_is_pending_no_longer(repeating: tuple[Path, Proposed]) -> None:
    directory, repeated = repeating
    with contextlib.closing(RunReader(directory)) as reader:
        while reader.step():
            pass
        assert {entry.program for entry in reader.entries.values() if entry.dropped} == {repeated.program}
        assert reader.repeats == {len(reader.log)}


def test_events_are_found_by_number_and_by_text(reader: RunReader) -> None:
    assert reader.event(1).kind == "run_started"
    assert reader.row(len(reader.log)).kind == "stopped"
    with pytest.raises(LookupError):
        reader.row(len(reader.log) + 1)
    matching = reader.containing("OUT OF BOUNDS")
    assert matching
    assert all("out of bounds" in reader.row(number_).payload for number_ in matching)
    assert len(matching) < len(reader.log)


def test_every_event_is_told_in_one_line_and_no_secret_is_shown(reader: RunReader) -> None:
    for number_ in range(1, len(reader.log) + 1):
        line = told(reader.event(number_))
        assert "\n" not in line
    started = json.loads(reader.row(1).payload)
    assert started["secret"] == "00"
    assert '"secret": "00"' not in in_full(reader.row(1).payload)


def test_a_heat_map_holds_the_elites_of_the_island(reader: RunReader) -> None:
    for number_, island in enumerate(reader.state.archipelago.islands):
        shown = heat_map(reader.state, [number_])
        assert {cell: elite.program for cell, elite in shown.elites.items()} == {
            cell: elite.program for cell, elite in island.elites_by_cell.items()
        }
        best = shown.best()
        assert best is not None
        assert shown.elites[best].program == island.best()
        assert shown.warmth(shown.high) == 1.0


def test_seen_along_an_axis_only_the_best_of_each_row_is_left(reader: RunReader) -> None:
    shown = heat_map(reader.state, [0], x=0, y=5)
    island = reader.state.archipelago.islands[0]
    assert {row for _, row in shown.elites} == {0}
    assert shown.hidden == len(island.elites_by_cell) - len(shown.elites)
    for (column, _), elite in shown.elites.items():
        assert elite.score == max(e.score for cell, e in island.elites_by_cell.items() if cell[0] == column)


def test_all_islands_together_show_the_best_of_each_cell(reader: RunReader) -> None:
    shown = heat_map(reader.state, range(3))
    for spot, elite in shown.elites.items():
        rivals = [island.elites_by_cell.get(spot) for island in reader.state.archipelago.islands]
        assert elite.score == max(rival.score for rival in rivals if rival is not None)


def test_a_step_says_what_it_changed_and_gained(reader: RunReader) -> None:
    state = reader.state
    child = next(program for program in state.programs if state.proposals[program].parents)
    made = step(state, child)
    assert made.parent == state.proposals[child].parents[0]
    assert (made.added, made.removed) == (3, 3)
    assert step(state, state.baseline).parent is None
    assert diff_to_parent(state, state.baseline) is None
    assert "+        momentum" in diff_to_baseline(state, child)
    assert changed("a\nb\n", "a\nc\nd\n") == (2, 1)


def test_children_are_ranked_by_score(reader: RunReader) -> None:
    children = ranked_children(reader.state, reader.state.baseline)
    scores = [reader.entries[child].score for child in children]
    scored = [score for score in scores if score is not None]
    assert scored == sorted(scored, reverse=True)
    assert scores == scored + [None] * (len(scores) - len(scored))


def test_figures_add_up(reader: RunReader) -> None:
    assert sum(count for _, count in states(reader.state)) == 150
    found = arms(reader)
    whole = [arm for arm in found if not arm.part]
    assert {arm.proposer for arm in whole} == {"symbolic", "tuning"}
    dropped = reader.log.kinds.count("dropped")
    assert sum(arm.proposals for arm in whole) == 149 + dropped
    evaluations = budget(reader)[0]
    assert (evaluations.share, evaluations.text) == (1.0, "150 of 150")


def test_the_next_program_is_that_of_the_table(reader: RunReader) -> None:
    book = Book(reader)
    first, second, *_ = reader.entries
    assert book.beside(1) == first
    book.program = first
    assert book.beside(1) == second
    assert book.beside(-1) is None
    book.order = [second, first]
    assert book.beside(-1) == second


def test_a_run_is_running_while_another_process_holds_its_lock(tmp_path: Path) -> None:
    run = written(tmp_path / "run", 5, finished=False)
    with contextlib.closing(RunReader(run)) as reader:
        reader.step()
        assert status_of(reader.state, run) == "not running"
        holder = "import sys; from pathlib import Path; from speciate.archive.lock import Lock;"
        holder += "lock = Lock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", holder, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            other.stdout.readline()
            assert writer(run) == other.pid
            assert status_of(reader.state, run) == "running"
            other.communicate()
        assert writer(run) is None
        lock = Lock(run)  # nobody's looking has taken it
        assert writer(run) == os.getpid()
        lock.release()


def test_runs_are_found_and_summarised(tmp_path: Path) -> None:
    done = written(tmp_path / "done", 12)
    cut = written(tmp_path / "compare" / "cut", 7, finished=False)
    (tmp_path / "notes").mkdir()
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "journal.db").write_text("no database at all")
    assert folders(tmp_path) == [damaged, done, cut]
    seen = {path: glance(path) for path in folders(tmp_path)}
    assert seen[done].status == "ended: evaluations"
    assert seen[cut].status == "not running"
    assert "damaged" in (seen[damaged].error or "")
    found = {path: summary for path, summary in summaries(folders(tmp_path)) if summary is not None}
    assert set(found) == {done, cut}
    assert (found[done].evaluations, found[done].limit, found[done].certified) == (12, 12, True)
    assert (found[cut].evaluations, found[cut].certified) == (7, False)


def test_what_a_program_wrote_cannot_steer_the_terminal() -> None:
    hostile = "x = 1\x1b]52;c;aGk=\x07\r\n\x9b2Jy\u202e = 2\tz"
    assert clean(hostile) == "x = 1·]52;c;aGk=·\n·2Jy· = 2\tz"


def test_a_reader_says_why_there_is_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="holds no run"):
        RunReader(tmp_path)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (200, "3 min 20 s"), (3600, "1 h"), (7500, "2 h 5 min"), (9e5, "10 d 10 h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_numbers_fit_their_columns() -> None:
    values = [None, 0.0, 0.5, -0.25, 1e-7, 123456.0, float("inf"), float("-inf"), float("nan")]
    assert [number(value) for value in values] == [
        "-",
        "0.000",
        "0.500",
        "-0.250",
        "1.00e-07",
        "1.23e+05",
        "inf",
        "-inf",
        "nan",
    ]
    assert State.VALID.value == "valid"


def test_a_models_reply_is_told_with_its_reasoning_and_what_broke_it() -> None:
    payload = {
        "kind": "replied",
        "index": 3,
        "step": 1,
        "model": "m",
        "text": "def solve():\n    pass",
        "reasoning": "hm\x1b",
    }
    assert reply(json.dumps(payload | {"prompt_tokens": 1000, "output_tokens": 234})) == [
        ("reasoning", "hm·"),
        ("reply 1 of m, 1,234 tokens", "def solve():\n    pass"),
    ]
    assert reply(json.dumps(payload | {"finish": "length"}))[1][0] == "reply 1 of m, 0 tokens, length"
