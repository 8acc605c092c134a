"""Calls, oracles, files, helpers, several processes and tiers."""

from __future__ import annotations

import os
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from speciate.sandbox import (
    Backend,
    CandidateFailed,
    Failure,
    Limits,
    OracleRefused,
    SandboxError,
    SandboxSpec,
    open_sandbox,
)


class Squares:
    """Refuses after ``budget`` requests."""

    def __init__(self, budget=10, seconds=0.0):
        self.budget = budget
        self.seconds = seconds
        self.asked = []

    def serve(self, method, args, kwargs):
        time.sleep(self.seconds)
        if len(self.asked) == self.budget:
            raise OracleRefused("the budget is spent")
        self.asked.append((method, args, dict(kwargs)))
        return args[0] ** 2


def test_several_calls_share_one_process_and_its_state(sandbox):
    source = "n = 0\ndef f(k):\n    global n\n    n += k\n    return n\ndef g(): return -n"
    with sandbox.process({"program.py": source}, Limits()) as process:
        assert [process.call("f", {"k": 2}), process.call("f", {"k": 3}), process.call("g", {})] == [2, 5, -5]


def test_random_numbers_differ_from_process_to_process(run):
    source = "import random\ndef f(): return random.random()"
    assert len({run(source).value for _ in range(3)}) == 3


def test_threads_of_a_candidate_run_and_are_joined(run):
    source = """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        def f():
            with ThreadPoolExecutor(3) as pool: squares = list(pool.map(lambda x: x * x, range(5)))
            return squares, threading.active_count(), threading.current_thread() is threading.main_thread()
    """
    assert run(source).value == ([0, 1, 4, 9, 16], 1, True)


def test_a_candidate_finds_no_trace_of_the_rehearsal(run):
    source = """
        import linecache, sys
        def f():
            names = [type(finder).__name__ for finder in sys.meta_path]
            return names.count("Programs"), [path for path in linecache.cache if path.startswith("<candidate>")]
    """
    assert run(source).value == (1, ["<candidate>/program.py"])


def test_an_exception_ends_the_call_and_not_the_process(sandbox):
    with sandbox.process({"program.py": "def f(x): return 1 / x"}, Limits()) as process:
        with pytest.raises(CandidateFailed, match=r"ZeroDivisionError.*program\.py, line 1"):
            process.call("f", {"x": 0})
        assert process.call("f", {"x": 2}) == 0.5


def test_a_dead_process_stays_dead(sandbox):
    with sandbox.process({"program.py": "import os\ndef f(): os._exit(0)"}, Limits()) as process:
        for _ in range(2):
            with pytest.raises(CandidateFailed) as caught:
                process.call("f", {})
            assert caught.value.failure == Failure.CRASHED


def test_processes_side_by_side(sandbox):
    files = {"program.py": "kept = []\ndef f(x):\n    kept.append(x)\n    return kept"}
    with sandbox.process(files, Limits()) as one, sandbox.process(files, Limits()) as two:
        assert one.call("f", {"x": 1}) == [1]
        assert two.call("f", {"x": 2}) == [2]
        assert one.call("f", {"x": 3}) == [1, 3]
    assert one.usage.cpu_seconds > 0
    assert two.usage.cpu_seconds > 0


def test_files_are_modules_and_packages(sandbox):
    files = {
        "program.py": "from parts.double import twice\nimport constant\ndef f(): return twice(constant.N)",
        "parts/double.py": "def twice(x): return 2 * x",
        "constant.py": "N = 21",
    }
    with sandbox.process(files, Limits()) as process:
        assert process.call("f", {}) == 42


def test_oracle_is_served_on_this_side(run):
    oracle = Squares()
    source = """
        import numpy as np
        def f(oracle): return [oracle.square(3), oracle.square(x=1, *[4]), oracle.square(np.ones(2))]
    """
    value = run(source, oracle=oracle).value
    assert value[:2] == [9, 16]
    assert value[2].tolist() == [1, 1]
    assert [call[0] for call in oracle.asked] == ["square"] * 3
    assert oracle.asked[1][2] == {"x": 1}


def test_refusal_is_an_exception_that_a_candidate_may_catch(run):
    source = """
        def f(oracle):
            try:
                while True: oracle.square(1)
            except Exception as error:
                return [type(error).__name__, str(error)]
    """
    assert run(source, oracle=Squares(2)).value == ["OracleRefused", "the budget is spent"]
    assert run("def f(oracle): oracle.square(1)", oracle=Squares(0)).failure == Failure.CRASHED


def test_time_in_the_oracle_is_not_the_candidates(run):
    limits = Limits(wall_seconds=0.5)
    outcome = run("def f(oracle): return [oracle.square(i) for i in range(4)]", limits, Squares(seconds=0.2))
    assert outcome.value == [0, 1, 4, 9]
    assert outcome.usage.wall_seconds < 0.4


@pytest.mark.parametrize("number", [0, 2, 7])
def test_requests_out_of_order_are_malformed(run, number):
    source = f"""
        import sys
        def f(oracle):
            runner = oracle._ask.__self__
            runner._asked = {number} - 1
            oracle.square(1)
    """
    oracle = Squares()
    assert run(source, oracle=oracle).failure == Failure.MALFORMED
    assert oracle.asked == []


def test_requests_without_an_oracle_are_malformed(run):
    source = """
        import gc
        def f():
            runner, = (x for x in gc.get_objects() if type(x).__name__ == "Runner")
            return runner._ask("square", (1,), {})
    """
    assert run(source).failure in (Failure.MALFORMED, Failure.CRASHED)


def test_inputs_arrive_as_fresh_arrays_that_may_be_changed(run):
    x = np.arange(4.0)
    assert run("def f(x):\n    x += 1\n    return x.base is None and x", x=x).value.tolist() == [1, 2, 3, 4]
    assert x.tolist() == [0, 1, 2, 3]


def test_inputs_that_are_no_plain_data_are_our_fault(sandbox):
    with sandbox.process({"program.py": "def f(x): pass"}, Limits()) as process, pytest.raises(SandboxError):
        process.call("f", {"x": object()})


def test_usage_is_known_only_after_the_block(sandbox):
    with sandbox.process({"program.py": "def f(): pass"}, Limits()) as process, pytest.raises(SandboxError):
        process.usage
    assert process.usage.cpu_seconds >= 0


def test_hash_order_is_the_same_in_every_jail():
    orders = []
    for _ in range(2):
        with (
            open_sandbox(SandboxSpec()) as jail,
            jail.process({"program.py": "def f(): return list({'a', 'b', 'c', 'd'})"}, Limits()) as process,
        ):
            orders.append(process.call("f", {}))
    assert orders[0] == orders[1]


def test_helpers_are_a_read_only_package(tmp_path):
    folder = tmp_path / "helpers"
    folder.mkdir()
    (folder / "shapes.py").write_text("def area(x): return x * x\n")
    (tmp_path / "secret.py").write_text("ANSWER = 42\n")
    source = """
        import os
        from helpers.shapes import area
        def f(): return [area(3), os.path.exists(FOLDER)]
        def g():
            with open("/helpers/shapes.py", "a") as file: file.write("x")
    """
    files = {"program.py": textwrap.dedent(source).replace("FOLDER", repr(str(tmp_path)))}
    with open_sandbox(SandboxSpec(helpers=folder)) as jail, jail.process(files, Limits()) as process:
        assert process.call("f", {}) == [9, False]
        with pytest.raises(CandidateFailed) as caught:
            process.call("g", {})
        assert caught.value.failure == Failure.FORBIDDEN


def test_an_import_that_is_not_installed_is_said_in_one_line():
    with pytest.raises(SandboxError, match="not installed") as caught:
        open_sandbox(SandboxSpec(imports=("no_such_package",)))
    assert "\n" not in str(caught.value)


def test_unsafe_runs_with_limits_and_the_outside_clock():
    with open_sandbox(SandboxSpec(backend=Backend.UNSAFE)) as bare:
        assert bare.tier == "unsafe"
        with bare.process({"program.py": "def f():\n    while True: pass"}, Limits(cpu_seconds=0.2)) as process:  # noqa: SIM117
            with pytest.raises(CandidateFailed) as caught:
                process.call("f", {})
        assert caught.value.failure == Failure.TIMEOUT
        assert process.usage.cpu_seconds >= 0.2
        with bare.process({"program.py": "import os\ndef f(): return os.listdir()"}, Limits()) as process:
            assert process.call("f", {}) == []


def test_no_descriptor_is_left_open(sandbox):
    def once():
        with sandbox.process({"program.py": "def f(): return 1"}, Limits()) as process:
            process.call("f", {})

    once()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        once()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert os.getpid()
