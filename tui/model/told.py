"""Events in one line each, and in full."""

from __future__ import annotations

import json

from ...archive import (
    Added,
    Calibrated,
    Certified,
    Dropped,
    Evaluated,
    Event,
    IslandAdded,
    IslandReset,
    Joined,
    Migrated,
    Proposed,
    Remeasured,
    Resumed,
    RunStarted,
    Stopped,
    certifies,
)
from ...evaluators import Evaluation
from .programs import operator_of
from .scores import at_top
from .words import SHORT, clean, duration, gained, number, plural, score, span

HIDDEN = "(not shown: the run's secret instances derive from it)"


def told(event: Event) -> str:
    """One line."""
    return clean(_told(event)).replace("\n", " ")


def _told(event: Event) -> str:
    match event:
        case Evaluated():
            return f"#{event.index}  {_result(event.evaluation)}"
        case Proposed():
            return f"#{event.index}  {event.program[:SHORT]}  {operator_of(event.operator, event.detail)}{_from(event)}"
        case Added():
            gain = f" {gained(event.improvement)}" if event.improvement is not None else ""
            return f"#{event.index}  island {event.island}: {event.status.value}{gain} {event.reason}".rstrip()
        case Dropped():
            return f"#{event.index}  {event.reason}  {operator_of(event.proposer, event.detail)}"
        case Remeasured():
            outcome = "ahead of" if event.duel.won else "not shown ahead of"
            return f"#{event.index}  timed together: {outcome} {event.elite[:SHORT]}"
        case Migrated() | IslandReset() | IslandAdded():
            return f"{event.program[:SHORT]}  island {event.source} → {event.target}"
        case _:
            return _told_of_run(event)


def _told_of_run(event: Event) -> str:
    match event:
        case Certified():
            holds = "holds" if certifies(event.evaluation) else "does not hold"
            return f"{event.program[:SHORT]}  {holds}: {_result(event.evaluation)}"
        case RunStarted():
            return f"{event.task}, {plural(event.archive.islands, 'island')}, seed {event.seed}"
        case Calibrated():
            scale = event.calibration
            return f"baseline {number(scale.baseline_value, 5)}, {at_top(scale)}"
        case Stopped():
            return f"{event.reason} after {duration(event.seconds)}"
        case Resumed():
            who = f"conductor {event.conductor} goes on" if event.conductor else "goes on"
            more = ", ".join(f"{name} {limit:g}" for name, limit in (event.budget or {}).items() if limit is not None)
            return f"{who} within {more}" if more else who
        case Joined():
            return f"conductor {event.conductor} joins with {plural(event.islands, 'island')}"
        case _:
            data = event.model_dump(mode="json", exclude={"kind"})
            return "  ".join(
                f"{name} {value}" for name, value in data.items() if isinstance(value, int | str) and value
            )


def _from(event: Proposed) -> str:
    return f"  from {event.parents[0][:SHORT]}" if event.parents else ""


def _result(evaluation: Evaluation) -> str:
    if evaluation.score is None:
        first = evaluation.feedback.partition("\n")[0]
        return f"{evaluation.state.value}  {first}"
    return f"{evaluation.state.value}  {score(evaluation.score)} {span(evaluation.interval)}"


def in_full(payload: str) -> str:
    """The event as indented JSON, long texts as their lines; without the run's secret."""
    data = json.loads(payload)
    if "secret" in data:
        data["secret"] = HIDDEN
    texts: list[str] = []
    for name, text in list(_long_texts(data)):
        texts.append(f"\n{name}:\n{text}")
    return clean(json.dumps(data, indent=2, ensure_ascii=False) + "\n".join(texts))


def reply(payload: str) -> list[tuple[str, str]]:
    """(heading, text) of a model's answer: what it thought, where it told that, and what it said."""
    data = json.loads(payload)
    tokens = data.get("prompt_tokens", 0) + data.get("output_tokens", 0)
    broken = "" if data.get("finish", "stop") == "stop" else f", {data['finish']} {data.get('error', '')}"
    heading = f"reply {data.get('step', 0)} of {data.get('model', 'a model')}, {tokens:,} tokens{broken}"
    parts = [("reasoning", data.get("reasoning", "")), (heading, data.get("text", ""))]
    return [(clean(name).rstrip(), clean(text)) for name, text in parts if text]


def _long_texts(data: dict[str, object]) -> list[tuple[str, str]]:
    """Takes texts of several lines out of the event, for they are hard to read as JSON."""
    found: list[tuple[str, str]] = []
    for name, value in data.items():
        if isinstance(value, dict):
            found += _long_texts(value)
        elif isinstance(value, str) and "\n" in value:
            data[name] = "(below)"
            found.append((name, value))
    return found
