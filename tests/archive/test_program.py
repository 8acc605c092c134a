"""A program's identity ignores layout, and no text from outside breaks it."""

from __future__ import annotations

import pytest

from speciate.archive import Program, Proposed, canonical

SOURCE = "def solve(x):\n    return x + 1\n"


@pytest.mark.parametrize(
    "same",
    [
        "# a comment\ndef solve( x ):\n\n    return x+1  # more\n",
        '"""Words."""\n\ndef solve(x):\n    """More words."""\n    return (x + 1)\n',
        'def solve(x):\n    """"""\n    return x + 1\n',
    ],
)
def test_comments_docstrings_and_layout_do_not_count(same: str) -> None:
    assert Program.of(same) == Program.of(SOURCE)
    assert Program.of(same).size == Program.of(SOURCE).size
    assert len({Program.of(same), Program.of(SOURCE)}) == 1


@pytest.mark.parametrize(
    "other", [SOURCE.replace("1", "2"), SOURCE.replace("x", "y"), SOURCE + "y = 1\n", "", "not python ("]
)
def test_code_counts(other: str) -> None:
    assert Program.of(other) != Program.of(SOURCE)


def test_names_of_files_count() -> None:
    assert Program({"program.py": SOURCE}) != Program({"other.py": SOURCE})
    assert Program({"program.py": SOURCE, "b.py": ""}) != Program({"program.py": SOURCE, "c.py": ""})


@pytest.mark.parametrize("hostile", ["-" * 100_000 + "1", "(" * 5000, "x = '\ud800'", "\x00", "a." * 20_000 + "b"])
def test_hostile_text_has_an_identity_too(hostile: str) -> None:
    program = Program.of(hostile)
    assert len(program.id) == 64
    assert program.size >= 0
    assert canonical(program.source) is not None
    event = Proposed(
        index=0,
        island=0,
        files=dict(program.files),
        program=program.id,
        parents=(),
        operator="rewrite",
        proposer="llm",
        rationale="\udfff",
    )
    restored = Proposed.model_validate_json(event.model_dump_json())
    assert Program(restored.files).id == program.id


def test_a_program_does_not_change_with_the_mapping_it_was_made_of() -> None:
    files = {"program.py": SOURCE}
    program = Program(files)
    files["program.py"] = "other"
    assert program.source == SOURCE
    assert Program.known(dict(program.files), program.id) == program


def test_programs_that_differ_in_numbers_only_have_one_form() -> None:
    one, other = Program.of("x = 0.5 * y[1]  # half"), Program.of("x = -2 * y[3]")
    assert one.form == other.form
    assert one.id != other.id
    assert one.form != Program.of("x = 0.5 + y[1]").form
    assert one.form != Program.of("x = True * y[1]").form
