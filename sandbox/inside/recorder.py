"""What the candidate's own lines do, recorded in its process while they run.

The candidate can forge all of it, so it goes to feedback and nowhere else. ``sys.settrace`` works alike in all versions
of Python that we support. Statements are the nodes of a graph of dynamic dependences (Agrawal and Horgan 1990): one
depends on those that last bound or changed what it reads, on the head that decided that it runs, and, where it calls a
function of the candidate's, on what that returned. The visits of a statement share a node, so that loops stay small.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import CO_GENERATOR
from types import CodeType, FrameType, TracebackType
from typing import Any

from .dependences import Statement, dependences
from .record import MAX_CALLS, MAX_LINES, MAX_NAMES, Call, Changes, Key, Line, powers_of_two
from .summary import summary

MAX_EVENTS = 50_000
"""Lines run; what runs after them is not recorded any more."""
_MAX_MESSAGE = 500
_clock = time.perf_counter


class TracedTooLong(BaseException):
    """The traced call took too long; no ``Exception``, so that the candidate's handlers let it through."""


@dataclass(slots=True)
class _Scope:
    """One execution of a function or module: who bound its names, and the statement at work."""

    file: str
    frame: int
    """Identity, by which a generator that goes on is known."""
    call: Call | None
    bound: dict[str, Key | str]
    """A name's last statement, or the input that it is."""
    now: Statement | None = None


class Recorder:
    """``watch`` runs a function under its eyes, for at most ``seconds``; ``report`` tells what it saw.

    ``origin`` begins the file names of the candidate's code objects, ``ask`` is the code that asks an oracle.
    """

    def __init__(self, files: Mapping[str, str], origin: str, ask: CodeType, seconds: float) -> None:
        self._origin = origin
        self._ask = ask
        self._seconds = seconds
        self._sources = dict(files)
        self._statements: dict[str, dict[int, Statement]] = {}
        self._lines: dict[Key, Line] = {}
        self._calls: dict[str, Call] = {}
        self._scopes: dict[tuple[str, str], _Scope] = {}
        """(file, qualified name) -> the latest execution, where closures look for their names."""
        self._stack: list[_Scope] = []
        self._changes = Changes()
        self._events = 0
        self._mark = 0.0
        self._target: Key | None = None
        self._told: dict[str, Any] = {"inputs": {}, "output": None, "raised": None}

    def watch(self, function: Callable[..., Any], keywords: Mapping[str, Any]) -> Any:
        """Raises: whatever the function raises; TracedTooLong."""
        told = {name: summary(value) for name, value in list(keywords.items())[:MAX_NAMES]}
        self._told = {"inputs": told, "output": None, "raised": None}
        self._target = None
        previous = signal.signal(signal.SIGALRM, self._too_long)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
        try:
            self._start()
            output = function(**keywords)
            self._stop()
            self._told["output"] = summary(output)
            return output
        except BaseException as error:
            self._stop()
            self._told["raised"] = self._raised(error)
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, previous)

    def report(self) -> dict[str, Any]:
        """Plain data; ``uses`` and ``target`` are indices into ``lines``."""
        numbers = {key: number for number, key in enumerate(self._lines)}
        for (file, first), line in self._lines.items():
            line.uses |= {(file, head) for head in self._statements[file][first].controls}
        return {
            "lines": [line.told(numbers) for line in self._lines.values()],
            "calls": [call.told(name) for name, call in self._calls.items()],
            "events": self._events,
            "complete": self._events < MAX_EVENTS and len(self._lines) < MAX_LINES,
            "target": None if self._target is None else numbers.get(self._target),
            **self._told,
        }

    def _too_long(self, number: int, frame: FrameType | None) -> None:
        raise TracedTooLong(f"no end after {self._seconds:g} s of tracing")

    def _start(self) -> None:
        self._mark = _clock()
        if self._events < MAX_EVENTS:
            sys.settrace(self._called)

    def _stop(self) -> None:
        sys.settrace(None)
        self._stack.clear()

    def _called(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        """Told by the interpreter of every call; what it returns is told of the lines."""
        code = frame.f_code
        if code is self._ask and self._stack and (line := self._at_work(self._stack[-1])) is not None:
            line.asks += 1
        if not code.co_filename.startswith(self._origin) or (code.co_name[0] == "<" and code.co_name != "<module>"):
            return None  # a comprehension belongs to the line that it stands in
        self._pass_time()
        file = code.co_filename[len(self._origin) :]
        scope = self._scopes.get((file, code.co_qualname))
        if scope is None or not code.co_flags & CO_GENERATOR or scope.frame != id(frame):
            scope = self._scopes[file, code.co_qualname] = self._entered(frame, file)
        self._stack.append(scope)
        self._mark = _clock()
        return self._stepped

    def _stepped(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        if not self._stack:
            return None
        self._pass_time()
        scope = self._stack[-1]
        if event == "line":
            self._line(scope, frame)
        elif event == "return":
            self._returned(scope, frame, argument)
        if self._events >= MAX_EVENTS:
            self._give_up(frame)
        self._mark = _clock()
        return self._stepped

    def _give_up(self, frame: FrameType) -> None:
        """The rest runs untraced, at its own speed."""
        self._stop()
        above: FrameType | None = frame
        while above is not None:
            above.f_trace = None
            above = above.f_back

    def _pass_time(self) -> None:
        line = self._at_work(self._stack[-1]) if self._stack else None
        if line is not None:
            line.seconds += _clock() - self._mark

    def _at_work(self, scope: _Scope) -> Line | None:
        return None if scope.now is None else self._lines.get((scope.file, scope.now.line))

    def _entered(self, frame: FrameType, file: str) -> _Scope:
        code = frame.f_code
        if code.co_name == "<module>":
            return _Scope(file, id(frame), None, {})
        scope = _Scope(file, id(frame), self._counted(frame, file), {})
        caller = self._stack[-1] if self._stack else None
        for name in _parameters(frame):
            if caller is None:
                scope.bound[name] = name
            elif caller.now is not None:
                scope.bound[name] = (caller.file, caller.now.line)
        return scope

    def _counted(self, frame: FrameType, file: str) -> Call | None:
        name = frame.f_code.co_qualname
        call = self._calls.get(name)
        if call is None:
            if len(self._calls) >= MAX_CALLS:
                return None
            call = self._calls[name] = Call(file, frame.f_code.co_firstlineno)
            known = frame.f_locals
            call.arguments = {name: summary(known[name]) for name in _parameters(frame)[:MAX_NAMES] if name in known}
        call.count += 1
        return call

    def _line(self, scope: _Scope, frame: FrameType) -> None:
        self._events += 1
        statement = self._parsed(scope.file).get(frame.f_lineno)
        # Over several lines of a simple statement the interpreter goes to and fro.
        if statement is None or (statement is scope.now and statement.simple and statement.long):
            return
        names = frame.f_locals
        self._sample(scope, names)
        scope.now = statement
        key = (scope.file, statement.line)
        if key not in self._lines and len(self._lines) >= MAX_LINES:
            return
        line = self._lines.setdefault(key, Line(key))
        line.visits += 1
        values = {name: names[name] if name in names else frame.f_globals.get(name) for name in statement.reads}
        for name, value in values.items():
            self._connect(line, value, self._binder(name, scope, frame.f_code.co_qualname))
        for name in statement.changes:
            self._changes.note(values.get(name), key)
        for name in statement.binds:
            scope.bound[name] = key

    def _connect(self, line: Line, value: Any, source: Key | str | None) -> None:
        """From whom a statement has what it reads: who bound the name, and who changed its object."""
        if isinstance(source, str):
            line.inputs.add(source)
        elif source is not None:
            line.uses.add(source)
        changed = self._changes.last(value) if self._changes else None
        if changed is not None:
            line.uses.add(changed)

    def _binder(self, name: str, scope: _Scope, qualified: str) -> Key | str | None:
        """In this scope, else in those around it, else in the module."""
        source = scope.bound.get(name)
        while source is None and ".<locals>." in qualified:
            qualified = qualified.rpartition(".<locals>.")[0]
            around = self._scopes.get((scope.file, qualified))
            source = None if around is None else around.bound.get(name)
        module = self._scopes.get((scope.file, "<module>"))
        return module.bound.get(name) if source is None and module is not None else source

    def _sample(self, scope: _Scope, names: Mapping[str, Any]) -> None:
        """What the statement that has ended left in the names that it bound or changed."""
        line = self._at_work(scope)
        if line is None or scope.now is None or not powers_of_two(line.visits):
            return
        for name in dict.fromkeys((*scope.now.binds, *scope.now.changes)):
            if name in names:
                line.keep(name, names[name])

    def _returned(self, scope: _Scope, frame: FrameType, value: Any) -> None:
        self._sample(scope, frame.f_locals)
        self._stack.pop()
        caller = self._stack[-1] if self._stack else None
        if scope.call is None or scope.now is None:
            return
        if caller is None or powers_of_two(scope.call.count):
            scope.call.returned = summary(value)
            self._sample_last(scope, frame.f_locals)
        if caller is None:
            self._target = (scope.file, scope.now.line)
        elif value is not None and (line := self._at_work(caller)) is not None:
            line.uses.add((scope.file, scope.now.line))

    def _sample_last(self, scope: _Scope, names: Mapping[str, Any]) -> None:
        """What is left in each name, for the statement that bound it or changed its object last."""
        for name, source in scope.bound.items():
            last = self._changes.last(names.get(name)) or source
            line = self._lines.get(last) if isinstance(last, tuple) else None
            if line is None or name not in names:
                continue
            statement = self._parsed(line.key[0])[line.key[1]]
            if name in statement.binds or name in statement.changes:
                line.keep(name, names[name])

    def _raised(self, error: BaseException) -> dict[str, Any] | None:
        """The candidate's own line that is nearest to where the error arose, with the names there."""
        nearest: TracebackType | None = None
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename.startswith(self._origin):
                nearest = trace
            trace = trace.tb_next
        if nearest is None:
            return None
        frame = nearest.tb_frame
        file = frame.f_code.co_filename[len(self._origin) :]
        statement = self._parsed(file).get(nearest.tb_lineno)
        self._target = None if statement is None else (file, statement.line)
        names = [name for name in frame.f_locals if not name.startswith("__")][:MAX_NAMES]
        return {
            "kind": type(error).__name__[:_MAX_MESSAGE],
            "message": _message(error),
            "file": file,
            "line": nearest.tb_lineno,
            "function": frame.f_code.co_qualname,
            "locals": {name: summary(frame.f_locals[name]) for name in names},
        }

    def _parsed(self, file: str) -> dict[int, Statement]:
        if file not in self._statements:
            self._statements[file] = dependences(self._sources.get(file, ""))
        return self._statements[file]


def _parameters(frame: FrameType) -> tuple[str, ...]:
    code = frame.f_code
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MAX_MESSAGE].encode(errors="replace").decode()
    except Exception:  # noqa: BLE001 - the error's class is the candidate's
        return ""
