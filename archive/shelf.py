"""Shelf: many evaluations in little memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from ..evaluators import Evaluation

RECENT = 512


class Shelf(Mapping[str, Evaluation]):
    """Evaluations by program id, kept as JSON and read when asked for; the recently used ones stay at hand.

    An evaluation with a few instances takes about 10 KB as objects and 1 KB as text; most are never looked at again.
    """

    def __init__(self) -> None:
        self._texts: dict[str, bytes] = {}
        self._recent: OrderedDict[str, Evaluation] = OrderedDict()

    def put(self, program: str, evaluation: Evaluation) -> None:
        self._texts[program] = evaluation.model_dump_json().encode()
        self._remember(program, evaluation)

    def _remember(self, program: str, evaluation: Evaluation) -> None:
        self._recent[program] = evaluation
        self._recent.move_to_end(program)
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    def __getitem__(self, program: str) -> Evaluation:
        evaluation = self._recent.get(program)
        if evaluation is None:
            evaluation = Evaluation.model_validate_json(self._texts[program])
        self._remember(program, evaluation)
        return evaluation

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shelf) and self._texts == other._texts

    __hash__ = None  # type: ignore[assignment]
