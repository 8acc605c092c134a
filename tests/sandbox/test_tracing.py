"""What a traced process tells of its lines: who depends on whom, how often, with what values, within what bounds."""

import textwrap
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from speciate.sandbox import CandidateFailed, Limits, Sandbox

Traced = Callable[..., Any]
QUICK = Limits(cpu_seconds=8.0, wall_seconds=8.0)


@pytest.fixture
def traced(sandbox: Sandbox) -> Traced:
    """``traced(source, **inputs)`` calls ``f`` and gives (output or failure, report)."""

    def once(source: str, oracle: Any = None, seconds: float = 2.0, **inputs: Any) -> tuple[Any, Any]:
        with sandbox.process({"program.py": textwrap.dedent(source)}, QUICK) as process:
            process.trace(seconds)
            try:
                outcome = process.call("f", inputs, oracle)
            except CandidateFailed as failure:
                outcome = failure
            return outcome, process.traced()

    return once


def used(report: Any) -> dict[int, set[int]]:
    """Line -> the lines that it depends on."""
    lines = report["lines"]
    return {line["line"]: {lines[index]["line"] for index in line["uses"]} for line in lines}


def at(report: Any, number: int) -> Any:
    return next(line for line in report["lines"] if line["line"] == number)


def target(report: Any) -> int:
    return report["lines"][report["target"]]["line"]


def test_a_line_depends_on_those_that_bound_what_it_reads(traced: Traced) -> None:
    _, report = traced(
        """\
        def f(x):
            a = x + 1
            b = x * 2
            c = a * 3
            return c
        """,
        x=2,
    )
    assert target(report) == 5
    assert used(report) == {1: set(), 2: {1}, 3: {1}, 4: {1, 2}, 5: {1, 4}}
    assert at(report, 2)["inputs"] == ["x"]
    assert at(report, 4)["values"] == [{"name": "c", "visit": 1, "value": {"kind": "int", "text": "9"}}]


@pytest.mark.parametrize(
    "change",
    ["w[0] = 5.0", "w += 1.0", "np.add(w, 1.0, out=w)", "w.fill(2.0)", "np.copyto(w, 3.0)", "change(w)"],
)
def test_a_change_through_a_view_reaches_who_reads_the_array(traced: Traced, change: str) -> None:
    source = (
        f"import numpy as np\ndef change(v):\n    v[:] = 7.0\ndef f(x):\n    w = x[1:]\n    {change}\n    return x\n"
    )
    _, report = traced(source.replace("return x", "y = x\n    return y"), x=np.ones(3))
    changed_at = 3 if change == "change(w)" else 6
    assert changed_at in used(report)[7]


def test_a_change_of_an_unrelated_object_reaches_nobody(traced: Traced) -> None:
    _, report = traced("def f(x):\n    other = []\n    other.append(1)\n    return x\n", x=1)
    assert used(report)[4] == {1}
    assert used(report)[3] == {1, 2}


def test_the_visits_of_a_loop_are_one_node_with_values_over_time(traced: Traced) -> None:
    output, report = traced(
        """\
        def f(n):
            total = 0
            for i in range(n):
                total += i
                if total > 5:
                    break
            return total
        """,
        n=100,
    )
    assert output == 6
    assert at(report, 4)["visits"] == 4
    values = [(sample["visit"], sample["value"]["text"]) for sample in at(report, 4)["values"]]
    assert values == [(1, "0"), (2, "1"), (4, "6")]
    assert used(report)[3] >= {5, 6}, "what may end a loop decides how often it runs"
    assert used(report)[7] >= {4}
    assert used(report)[4] >= {2, 3, 4}


def test_the_last_value_belongs_to_the_line_that_made_it(traced: Traced) -> None:
    _, report = traced(
        """\
        import numpy as np
        def f(n):
            for i in range(n):
                w = np.zeros(2)
                w[0] = i
            return w
        """,
        n=3,
    )
    assert [sample["value"]["high"] for sample in at(report, 4)["values"]] == [0.0, 0.0]
    assert [sample["value"]["high"] for sample in at(report, 5)["values"]] == [0.0, 1.0, 2.0]


def test_calls_connect_functions_methods_closures_and_generators(traced: Traced) -> None:
    output, report = traced(
        """\
        class Counter:
            def __init__(self, start):
                self.value = start
            def up(self, by):
                self.value += by
        def numbers(n):
            for i in range(n):
                yield i
        def f(n):
            counter = Counter(10)
            scale = 2
            def scaled(v):
                return scale * v
            for i in numbers(n):
                counter.up(scaled(i))
            return counter.value
        """,
        n=4,
    )
    assert output == 22
    uses = used(report)
    assert uses[13] >= {11, 15}, "a closure reads the name of the function around it"
    assert uses[14] >= {8}, "what a generator yields"
    assert uses[16] >= {5}, "what a method left in its object"
    calls = {call["function"]: call for call in report["calls"]}
    assert calls["f.<locals>.scaled"]["count"] == 4
    assert calls["Counter.up"]["arguments"]["by"] == {"kind": "int", "text": "0"}


def test_values_are_told_by_their_form(traced: Traced) -> None:
    _, report = traced(
        """\
        import numpy as np
        def f(x):
            bad = np.array([1.0, np.nan, -3.0])
            words = ["a"] * 1000
            table = {"k": 1}
            huge = np.full(3, 1e300)
            return x
        """,
        x=np.arange(6.0).reshape(2, 3),
    )
    x = report["inputs"]["x"]
    assert (x["kind"], x["dtype"], x["shape"], x["low"], x["high"]) == ("array", "float64", [2, 3], 0.0, 5.0)
    assert x["norm"] == pytest.approx(np.linalg.norm(np.arange(6.0)))
    bad = at(report, 3)["values"][0]["value"]
    assert (bad["low"], bad["high"], bad["odd"]) == (-3.0, 1.0, 1)
    assert at(report, 4)["values"][0]["value"] == {"kind": "list", "size": 1000, "text": "str"}
    assert at(report, 6)["values"][0]["value"]["norm"] == pytest.approx(3**0.5 * 1e300)
    assert report["output"] == x


def test_an_exception_is_told_with_the_names_where_it_arose(traced: Traced) -> None:
    failed, report = traced("def g(v):\n    half = v / 2\n    return half / 0\ndef f(x):\n    return g(x)\n", x=4)
    assert isinstance(failed, CandidateFailed)
    raised = report["raised"]
    assert (raised["kind"], raised["line"], raised["function"]) == ("ZeroDivisionError", 3, "g")
    assert raised["locals"]["half"] == {"kind": "float", "text": "2.0"}
    assert target(report) == 3
    assert report["output"] is None


def test_a_program_that_does_not_load_tells_where(traced: Traced) -> None:
    failed, report = traced("a = [1]\nb = a[3]\ndef f(x):\n    return x\n", x=1)
    assert isinstance(failed, CandidateFailed)
    assert (report["raised"]["kind"], target(report)) == ("IndexError", 2)


def test_an_endless_loop_is_ended_and_told(traced: Traced) -> None:
    begin = time.monotonic()
    failed, report = traced(
        "def f(x):\n    while True:\n        try:\n            x += 1\n        except Exception:\n            pass\n",
        seconds=0.5,
        x=0,
    )
    assert time.monotonic() - begin < 4.0
    assert "TracedTooLong" in failed.message
    assert at(report, 4)["visits"] > 100
    assert report["raised"]["line"] in (2, 3, 4)


def test_a_long_run_is_recorded_in_part_and_ends_as_it_would(traced: Traced) -> None:
    output, report = traced("def f(n):\n    s = 0\n    for i in range(n):\n        s += i\n    return s\n", n=1_000_000)
    assert output == 499_999_500_000
    assert not report["complete"]
    assert report["events"] == 50_000
    assert report["output"] == {"kind": "int", "text": "499999500000"}


def test_requests_to_the_oracle_are_counted_where_they_are_made(traced: Traced) -> None:
    class Doubles:
        def serve(self, method: str, args: tuple[Any, ...], kwargs: Any) -> Any:
            return 2 * args[0]

    source = """\
    def helper(o, v):
        return o.double(v)
    def f(n, oracle):
        return sum([helper(oracle, i) for i in range(n)]) + oracle.double(1)
    """
    output, report = traced(source, oracle=Doubles(), n=5)
    assert output == 22
    assert (at(report, 2)["asks"], at(report, 4)["asks"]) == (5, 1)


RUNNER = """\
import os, sys
def runner():
    frame = sys._getframe()
    while type(frame.f_locals.get("self")).__name__ != "Runner":
        frame = frame.f_back
    return frame.f_locals["self"]
def forever():
    while True: pass
"""


@pytest.mark.parametrize(
    "forged",
    [
        "def f(x): os._exit(0)",
        "def f(x): os.write(3, b'SPC1' + bytes(40)); return x",
        "def f(x): runner()._report = lambda: {'lines': 'forged'}; return x",
        "def f(x): runner()._report = lambda: 'x' * (1 << 22); return x",
        "def f(x): runner()._report = forever; return x",
        "def f(x): sys.settrace(None); return x",
        "class Odd:\n    __class__ = property(lambda self: 1 / 0)\n    __str__ = None\ndef f(x): odd = Odd(); return x",
    ],
)
def test_whatever_a_program_does_to_its_recorder_is_no_more_than_data(traced: Traced, forged: str) -> None:
    begin = time.monotonic()
    _, report = traced(RUNNER + forged, x=1)
    assert report is None or isinstance(report, dict)
    assert time.monotonic() - begin < 5.0


def test_no_other_process_is_traced(traced: Traced, run: Callable[..., Any]) -> None:
    traced("def f(x):\n    return x\n", x=1)
    source = "import sys, signal\ndef f(x): return [sys.gettrace() is None, signal.getitimer(signal.ITIMER_REAL)[0]]"
    assert run(source, x=1).value == [True, 0.0]
    assert "recorder" not in str(run("import sys\ndef f(x): return sorted(sys.modules)", x=1).value)
