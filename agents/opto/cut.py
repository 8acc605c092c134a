"""A recorded run, cut to the lines that led to its output or exception, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...evaluators.source import changeable_lines
from ...evaluators.trace import Raised, Recorded, Sample, Trace, TracedCall, TracedLine, Value
from .subgraph import minimal

MOST_VISITS = 3
"""Values of a name that are told: the first ones and the last."""
NOTED_SHARE = 0.05
"""Of the time; lines that took less say nothing of it."""


def cut(recorded: Recorded, files: Mapping[str, str]) -> tuple[TracedLine, ...]:
    """The lines that the target follows from and that follow from one in an EVOLVE-BLOCK, in the order of execution.

    Where a program has not failed, what it asked the oracle is judged too. All lines where no target is known: the
    recording ended before.
    """
    return tuple(recorded.lines[index] for index in _kept(recorded, files))


def concise(trace: Trace, files: Mapping[str, str], timed: bool) -> Trace:
    """A trace with no more than what ``cut`` leaves of its last process, to be kept.

    Times only where they are what a program is judged by: nothing else in a trace differs from run to run.
    """
    last = trace.last
    if last is None:
        return trace
    kept = _kept(last, files)
    numbers = {index: number for number, index in enumerate(kept)}
    lines = tuple(
        line.model_copy(
            update={
                "uses": tuple(numbers[used] for used in line.uses if used in numbers),
                "seconds": line.seconds if timed else 0.0,
            }
        )
        for line in (last.lines[index] for index in kept)
    )
    target = None if last.target is None else numbers.get(last.target)
    return trace.model_copy(update={"recorded": (last.model_copy(update={"lines": lines, "target": target}),)})


def _kept(recorded: Recorded, files: Mapping[str, str]) -> Sequence[int]:
    if recorded.target is None:
        return range(len(recorded.lines))
    asking = [index for index, line in enumerate(recorded.lines) if line.asks and recorded.raised is None]
    free = {name: changeable_lines(text) for name, text in files.items()}

    def changeable(index: int) -> bool:
        line = recorded.lines[index]
        return line.line in free.get(line.file, ())

    return sorted(minimal([recorded.target, *asking], changeable, lambda index: recorded.lines[index].uses))


def code_text(lines: Iterable[TracedLine], files: Mapping[str, str]) -> str:
    """The program's own lines, each with its number, its visits and its share of the time where those tell something.

    The time is rounded to tenths: it is a hint, and what is said shall not change with every run.
    """
    lines = sorted(lines, key=lambda line: (line.file, line.line))
    total = sum(line.seconds for line in lines if line.seconds > 0)
    several = len({line.file for line in lines}) > 1
    told: list[str] = []
    for number, line in enumerate(lines):
        if several and (number == 0 or lines[number - 1].file != line.file):
            told.append(f"-- {line.file}")
        told.append(f"{line.line:4d} {_source_line(files, line)}{_remark(line, total)}")
    return "\n".join(told)


def _remark(line: TracedLine, total: float) -> str:
    said = [f"{line.visits} times"] if line.visits > 1 else []
    if line.asks:
        said.append(f"{line.asks} requests to the oracle")
    share = line.seconds / total if total > 0 else 0.0
    if share >= NOTED_SHARE:
        said.append(f"about {max(10, 10 * round(10 * share))} % of the time")
    return f"    # {', '.join(said)}" if said else ""


def _source_line(files: Mapping[str, str], line: TracedLine) -> str:
    lines = files.get(line.file, "").splitlines()
    return lines[line.line - 1].rstrip() if 0 < line.line <= len(lines) else "(no such line)"


def values_text(lines: Iterable[TracedLine]) -> str:
    """The values in between, per line and name, over the visits."""
    return "\n".join(
        f"line {line.line}: {name} = {_over_visits(samples, line.visits)}"
        for line in sorted(lines, key=lambda line: (line.file, line.line))
        for name, samples in _by_name(line.values).items()
        if not all(sample.value.kind in ("function", "type") for sample in samples)
    )


def _by_name(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    grouped: dict[str, list[Sample]] = {}
    for sample in samples:
        grouped.setdefault(sample.name, []).append(sample)
    return grouped


def _over_visits(samples: list[Sample], visits: int) -> str:
    """What stays the same is told once."""
    forms = {sample.value.form for sample in samples}
    if visits <= 1 or len({str(sample.value) for sample in samples}) == 1:
        return str(samples[-1].value)
    shown = samples if len(samples) <= MOST_VISITS else [*samples[: MOST_VISITS - 1], samples[-1]]
    if len(forms) > 1:
        return "; ".join(f"visit {sample.visit}: {sample.value}" for sample in shown)
    return f"{forms.pop()}; " + "; ".join(f"visit {sample.visit}: {sample.value.measure}" for sample in shown)


def named(values: Mapping[str, Value]) -> str:
    """One line per name."""
    return "\n".join(f"{name} = {value}" for name, value in values.items())


def calls_text(calls: Iterable[TracedCall], lines: Iterable[TracedLine]) -> str:
    """The functions that the lines are of: calls, first arguments, what was returned."""
    kept = {(line.file, line.line) for line in lines}
    return "\n".join(
        f"{call.function}({', '.join(f'{name}: {value}' for name, value in call.arguments.items())})"
        f" -> {call.returned if call.returned is not None else 'nothing'}, called {call.count} times"
        for call in calls
        if call.count > 1 and (call.file, call.line) in kept
    )


def raised_text(raised: Raised) -> str:
    """The exception, where it arose, and the names there."""
    place = f"{raised.file}, line {raised.line}, in {raised.function}"
    return f"{raised.kind}: {raised.message} ({place})\nwhere\n{named(raised.locals)}".removesuffix("\nwhere\n")
