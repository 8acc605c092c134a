"""The inbox: each question is a folder of files, and whoever writes ``answer.md`` into it is the model."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from .calls import Call
from .client import Answer, Failed
from .edits import first_code
from .prompts import render
from .settings import InboxSettings, ModelSettings

INBOX = "inbox"
"""The name that goes where a model's name would."""

PERSON = ModelSettings(
    api_key_env=None,
    input_price=0.0,
    output_price=0.0,
    context_tokens=400_000,
    max_prompt_tokens=200_000,
    max_output_tokens=100_000,
)

PROMPT, ANSWER, EXPECTED, STATUS, PROGRAM = "prompt.md", "answer.md", "expected.md", "status.json", "program.py"
OPEN, ANSWERED, CLOSED = "open", "answered", "closed"

SETTLED_SECONDS = 0.3
"""How long an answer must have been left alone before it is read: editors write in several steps."""

MAX_ANSWER_BYTES = 2_000_000


@dataclass
class InboxTransport:
    """Writes questions below ``folder`` and waits for answers. Questions of a killed run are found again."""

    folder: Path
    settings: InboxSettings
    model: ModelSettings = PERSON
    paid: bool = False
    _told: bool = field(default=False, repr=False)

    async def answer(self, call: Call) -> Answer:
        """Raises: Failed where no answer came in time."""
        place = self.folder / f"{call.index:06d}-{call.step}"
        self._ask(place, call)
        deadline = None if self.settings.timeout_seconds is None else time.monotonic() + self.settings.timeout_seconds
        while (text := settled_answer(place)) is None:
            if deadline is not None and time.monotonic() > deadline:
                _status(place, CLOSED, call.key)
                raise Failed(f"no {ANSWER} in {place} within {self.settings.timeout_seconds:g} s")
            await asyncio.sleep(self.settings.poll_seconds)
        _status(place, ANSWERED, call.key)
        return Answer(text=text, finish="stop", prompt_tokens=0, output_tokens=0)

    def _ask(self, place: Path, call: Call) -> None:
        """Write the question, unless it lies there from an earlier sitting; an answer to another question goes."""
        place.mkdir(parents=True, exist_ok=True)
        if _asked(place) != call.key:
            (place / ANSWER).unlink(missing_ok=True)
        prompt = "\n".join(f"<!-- {message.role} -->\n\n{message.content}" for message in call.messages)
        _write(place / PROMPT, prompt)
        _write(place / EXPECTED, render("expected", diff=render("form_diff"), whole=render("form_whole")))
        code = first_code(call.messages[1].content) if len(call.messages) > 1 else None
        if code is not None:
            _write(place / PROGRAM, code)
        _status(place, OPEN, call.key)

    def redacted(self, text: str) -> str:
        return text

    async def close(self) -> None:
        """Questions stay as they are: the run can be resumed."""


def settled_answer(place: Path) -> str | None:
    """The answer in a question's folder, or None while there is none, or it is still being written."""
    try:
        with (place / ANSWER).open("rb") as file:
            seen = os.fstat(file.fileno())
            text = file.read(MAX_ANSWER_BYTES)
    except OSError:
        return None
    if not text.strip() or time.time() - seen.st_mtime < SETTLED_SECONDS:
        return None
    return text.decode(errors="replace")


def _asked(place: Path) -> str | None:
    """The hash of the prompt that lies there."""
    try:
        return json.loads((place / STATUS).read_text())["prompt_hash"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _status(place: Path, state: str, key: str) -> None:
    _write(place / STATUS, json.dumps({"state": state, "prompt_hash": key}) + "\n")


def _write(file: Path, text: str) -> None:
    """At once: whoever watches the folder never sees half a file."""
    scratch = file.with_name(f".{file.name}.part")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(file)
