"""formulation.jsonl: replies before they are used, and what came of each draft. No reply in it is paid for twice."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ...archive import Replied
from ...evaluators import Record

NAME = "formulation.jsonl"


class Tried(Record):
    """What came of the draft of a round; ``problem`` is what its author was told, empty where it was accepted."""

    kind: Literal["tried"] = "tried"
    round: int
    accepted: bool
    problem: str = ""


class Log:
    """The file in a task's folder; made with it by the first record."""

    replayed: Mapping[str, Sequence[Replied]] | None = None

    def __init__(self, folder: Path) -> None:
        self._file = folder / NAME
        self.replies: dict[str, list[Replied]] = {}
        for line in self._whole_lines():
            try:
                reply = Replied.model_validate(line)
            except ValidationError:
                continue
            self.replies.setdefault(reply.prompt_hash, []).append(reply)

    def record(self, entry: Replied | Tried) -> None:
        """On the disk when this returns. Raises: OSError."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry.model_dump(mode="json")) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _whole_lines(self) -> list[object]:
        """What a kill has torn is cut off, so that the next record begins a line."""
        if not self._file.exists():
            return []
        data = self._file.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            self._file.write_bytes(whole)
        return [json.loads(line) for line in whole.decode().splitlines()]
