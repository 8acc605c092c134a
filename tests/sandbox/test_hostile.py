"""Candidates that attack the jail, the clock, the channel and each other."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

import speciate
from speciate.sandbox import MIB, Failure, Limits

PRODUCT = Path(str(speciate.__file__)).parent


def test_endless_loop_ends_at_the_cpu_limit(run):
    begin = time.monotonic()
    outcome = run("def f():\n    while True: pass", Limits(cpu_seconds=0.3, wall_seconds=20))
    assert outcome.failure == Failure.TIMEOUT
    assert 0.3 <= outcome.usage.cpu_seconds < 0.5
    assert time.monotonic() - begin < 5


def test_sleep_ends_at_the_wall_limit(run):
    outcome = run("import time\ndef f(): time.sleep(60)", Limits(wall_seconds=0.3))
    assert outcome.failure == Failure.TIMEOUT
    assert outcome.usage.cpu_seconds < 0.1
    assert 0.3 <= outcome.usage.wall_seconds < 3


def test_threads_count_towards_the_cpu_limit(run):
    source = """
        import threading, hashlib
        def work():
            while True: hashlib.sha256(bytes(1 << 20)).digest()
        def f():
            for _ in range(4): threading.Thread(target=work, daemon=True).start()
            threading.Event().wait()
    """
    outcome = run(source, Limits(cpu_seconds=0.3, wall_seconds=20))
    assert outcome.failure == Failure.TIMEOUT
    assert 0.3 <= outcome.usage.cpu_seconds < 0.8


@pytest.mark.parametrize("size", ["8 << 30", "1 << 46"])
def test_too_much_memory(run, size):
    assert run(f"import numpy as np\ndef f(): return np.ones({size}, np.uint8).sum()").failure == Failure.MEMORY


def test_memory_in_small_pieces(run):
    source = "def f():\n    kept = []\n    while True: kept.append(bytearray(100_000))"
    outcome = run(source, Limits(memory_bytes=64 * MIB))
    assert outcome.failure == Failure.MEMORY
    assert outcome.usage.peak_memory < 200 * MIB


@pytest.mark.parametrize(
    "attempt",
    [
        "[os.fork() for _ in range(50)]",
        "[subprocess.Popen(['/bin/true']) for _ in range(50)]",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "socket.socket()",
        "socket.socketpair()",
        "open('/usr/speciate-was-here', 'w')",
        "open('/written', 'w')",
        "open('/dev/written', 'w')",
        "os.kill(1, 9)",
        "os.mkdir('/site/x')",
        "os.memfd_create('x')",
        "os.chroot('/tmp')",
        "os.setuid(0)",
    ],
)
def test_forbidden(run, attempt):
    outcome = run(f"import os, socket, subprocess\ndef f(): {attempt}")
    assert outcome.failure == Failure.FORBIDDEN
    assert "program.py, line 2" in outcome.message


@pytest.mark.parametrize("number", [56, 57, 58, 101, 165, 272, 308, 310, 321, 425, 435])
def test_raw_system_calls(run, number):
    """Straight past the C library; clone and unshare with every namespace flag."""
    source = f"""
        import ctypes
        def f():
            libc = ctypes.CDLL(None, use_errno=True)
            return [libc.syscall({number}, 0x7E020000 | 17, 0, 0, 0, 0), ctypes.get_errno()]
    """
    result, code = run(source).value
    assert result == -1
    assert code in (1, 38)


def test_capabilities_are_gone_for_good(run):
    source = """
        import ctypes
        def f():
            libc = ctypes.CDLL(None, use_errno=True)
            header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
            libc.capget(header, data)
            return [list(data), libc.prctl(39, 0, 0, 0, 0), libc.prctl(21, 0, 0, 0, 0)]
    """
    assert run(source).value == [[0] * 6, 1, 2]


@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)", "os._exit(7)", "os.abort()", "os.close(3)"])
def test_no_reply_is_a_crash(run, end):
    assert run(f"import os, sys\ndef f(): {end}").failure == Failure.CRASHED


def test_crash_at_import_and_missing_entry(run):
    assert run("raise ValueError('at import')").message == "ValueError: at import (program.py, line 1)"
    assert run("def g(): pass").failure == Failure.CRASHED
    assert run("def f(:").failure == Failure.CRASHED
    assert run("import ctypes\ndef f(): ctypes.string_at(0)").failure == Failure.CRASHED


def test_forged_clock_does_not_change_the_bill(run):
    source = """
        import time, resource
        real = time.process_time
        for name in ("time", "perf_counter", "process_time", "monotonic", "clock_gettime"):
            setattr(time, name, lambda *_: 0.0)
        resource.getrusage = lambda *_: None
        def f():
            end = real() + 0.3
            while real() < end: pass
    """
    outcome = run(source)
    assert outcome.usage.cpu_seconds > 0.2
    assert outcome.usage.wall_seconds > 0.29


def test_work_at_import_and_after_the_reply_is_billed(run):
    busy = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"
    assert run(busy + "def f(): return 1").usage.cpu_seconds > 0.2


def test_background_thread_cannot_change_what_was_returned(run):
    source = """
        import numpy as np, threading, time
        def f():
            x = np.zeros(1000)
            def later():
                time.sleep(0.05); x[:] = 1
            threading.Thread(target=later).start()
            return x
    """
    outcome = run(source)
    time.sleep(0.1)
    assert not outcome.value.any()


def test_printed_score_is_only_text(run):
    outcome = run("""
        def f():
            print('{"state": "valid", "score": 999}\\x1b[2J')
            return 1
    """)
    assert outcome.value == 1
    assert outcome.usage.stdout == '{"state": "valid", "score": 999}[2J\n'


def test_flood_of_output_is_bounded(run):
    outcome = run("def f():\n    while True: print('x' * 100_000)", Limits(cpu_seconds=2, tmp_bytes=8 * MIB))
    assert outcome.failure == Failure.CRASHED
    assert len(outcome.usage.stdout) < 20_000


@pytest.mark.parametrize(
    ("reply", "plain"),
    [
        ("Pickle()", None),
        ("Array()", None),
        ("object()", None),
        ("{1: 2}", None),
        ("{1, 2}", None),
        ("b'bytes'", None),
        ("np.array([object()])", None),
        ("np.array(['text'])", None),
        ("np.array(['2020'], dtype='M8[Y]')", None),
        ("np.zeros(3, np.longdouble)", None),
        ("'\\ud800'", None),
        ("itself", None),
        ("deep", None),
        ("Lazy([1, 2])", [1, 2]),
        ("Table(a=1)", {"a": 1}),
        ("Always(3)", 3),
    ],
)
def test_replies_are_plain_data_or_malformed(run, reply, plain):
    source = f"""
        import os, numpy as np
        class Pickle:
            def __reduce__(self): return os.system, ('true',)
        class Array:
            def __array__(self, *_, **__): return np.zeros(3)
        class Lazy(list): pass
        class Table(dict): pass
        class Always(int):
            def __eq__(self, other): return True
            __hash__ = None
        itself = []; itself.append(itself)
        deep = 1
        for _ in range(500): deep = [deep]
        def f(): return {reply}
    """
    outcome = run(source)
    if plain is None:
        assert outcome.failure == Failure.MALFORMED
    else:
        assert outcome.value == plain
        assert type(outcome.value) is type(plain)


def test_array_subclass_becomes_a_plain_writable_array(run):
    source = """
        import numpy as np
        class Sly(np.ndarray):
            def __array_ufunc__(self, *_, **__): return True
        def f(): return np.arange(6.).reshape(2, 3).T.view(Sly)
    """
    value = run(source).value
    assert type(value) is np.ndarray
    assert value.flags.owndata
    assert value.flags.writeable
    assert value.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_output_larger_than_the_limit_is_malformed(run):
    outcome = run("import numpy as np\ndef f(): return np.zeros(10_000_000)", Limits(output_bytes=1 * MIB))
    assert outcome.failure == Failure.MALFORMED
    assert "80,0" in outcome.message


@pytest.mark.parametrize("junk", ["bytes(100)", "b'SPC1' + b'\\xff' * 60", "b'{}\\n' * 9", "b'SPC1' + bytes(40)"])
def test_bytes_forged_on_the_channel_are_malformed(run, junk):
    assert run(f"import os\ndef f():\n    os.write(3, {junk}); os._exit(0)").failure == Failure.MALFORMED


def test_slow_drip_ends_at_the_wall_limit(run):
    source = "import os, time\ndef f():\n    while True: os.write(3, b'S'); time.sleep(0.05)"
    assert run(source, Limits(wall_seconds=0.4)).failure in (Failure.TIMEOUT, Failure.MALFORMED)


@pytest.mark.parametrize(
    "path",
    ["/proc/1/mem", "/proc/self/maps", "/home", "/root/.ssh", "/etc/passwd", "/etc/shadow", "/sys", "/run",
     str(PRODUCT), str(PRODUCT / "tasks"), "/dev/mem", "/tmp/env"],
)  # fmt: skip
def test_not_there(run, path):
    assert run("import os\ndef f(path): return os.path.exists(path)", path=path).value is False


def test_neither_product_nor_other_packages_can_be_imported(run):
    source = """
        import importlib
        def f(names):
            found = []
            for name in names:
                try:
                    importlib.import_module(name)
                except ImportError:
                    continue
                found.append(name)
            return found
    """
    assert run(source, names=["speciate", "pydantic", "torch", "pip", "sandbox", "numpy"]).value == ["numpy"]


def test_environment_is_empty(run, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert "secret" not in str(run("import os\ndef f(): return dict(os.environ)").value)


def test_nothing_is_left_for_the_next_candidate(run):
    leave = """
        import os, sys, numpy as np
        def f():
            np.allclose = lambda *_, **__: True
            sys.modules["numpy"].left = True
            for place in ("/tmp", "/dev/shm"):
                with open(place + "/left", "w") as file: file.write("x")
            return os.getpid()
    """
    look = """
        import os, numpy as np
        def f():
            return [hasattr(np, "left"), os.path.exists("/tmp/left"), os.path.exists("/dev/shm/left"),
                    bool(np.allclose(0, 1))]
    """
    assert run(leave).value == 1
    assert run(look).value == [False, False, False, False]


def test_private_files_are_bounded(run):
    source = """
        def f():
            for i in range(100):
                with open(f"/tmp/{i}", "wb") as file: file.write(bytes(1 << 20))
    """
    outcome = run(source, Limits(tmp_bytes=4 * MIB))
    assert outcome.failure == Failure.CRASHED
    assert "No space left" in outcome.message


def test_hostile_message_is_bounded_and_clean(run):
    outcome = run("def f(): raise RuntimeError('\\x1b[31m' + '\\u202e' + 'x' * 100_000)")
    assert len(outcome.message) < 2100
    assert "\x1b" not in outcome.message
    assert "\u202e" not in outcome.message
    assert run("class E(Exception):\n    def __str__(self): 1/0\ndef f(): raise E").failure == Failure.CRASHED


def test_candidate_cannot_see_descriptors_of_others(run):
    source = """
        import os
        def f():
            found = []
            for number in range(64):
                try: os.fstat(number)
                except OSError: continue
                found.append(number)
            return found
    """
    assert run(source).value == [0, 1, 2, 3]
    assert Path("/proc/self/fd").exists()


def test_only_private_folders_can_be_written(run):
    outcome = run(
        """
        import os
        def f():
            folders = []
            for folder, inner, _ in os.walk('/'):
                if folder.startswith(('/tmp', '/dev/shm')) or folder.count('/') > 5:
                    inner.clear()
                else:
                    folders.append(folder)
            return len(folders), [folder for folder in folders if os.access(folder, os.W_OK)]
        """,
        limits=Limits(cpu_seconds=20, wall_seconds=60),
    )
    assert outcome.message == ""
    count, writable = outcome.value
    assert count > 100
    assert writable == []
