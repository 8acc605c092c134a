"""A device's lines of the sandbox, with the CPU in its place; what only CUDA does is tried by ``benchmarks.gpu``."""

from __future__ import annotations

import shutil
import subprocess
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speciate.sandbox import MIB, CandidateFailed, Failure, Limits, NoDevice, Sandbox, SandboxSpec, Tier, open_sandbox
from speciate.sandbox.device import CPU, Device, Slot, a_gpu, device_environment, gpus
from speciate.sandbox.inside import sealing
from speciate.sandbox.nvml import Gpu
from speciate.sandbox.on_device import Timing, Way

LIMITS = Limits(cpu_seconds=120, wall_seconds=120, memory_bytes=1024 * MIB, threads=128, open_files=256)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec(imports=("numpy", "torch"), device=CPU)) as opened:
        yield opened


def ran(sandbox: Sandbox, source: str, *inputs: dict[str, Any], limits: Limits = LIMITS) -> list[Any]:
    """What ``f`` returned for each of the inputs, all in one process."""
    with sandbox.device_process({"program.py": textwrap.dedent(source)}, limits) as process:
        process.place(inputs)
        process.load()
        return [process.run("f", number) for number in range(len(inputs))]


def failure(sandbox: Sandbox, source: str, limits: Limits = LIMITS, **inputs: Any) -> Failure:
    with pytest.raises(CandidateFailed) as raised:
        ran(sandbox, source, inputs or {"x": np.ones(4)}, limits=limits)
    return raised.value.failure


def test_arrays_become_tensors_and_tensors_arrays(sandbox: Sandbox) -> None:
    arrays = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.array([True, False]),
        "c": np.zeros((0, 3)),
        "d": np.array(7, dtype=np.int64),
        "e": np.array([1 + 2j], dtype=np.complex64),
        "f": np.array([1.5], dtype=np.float16),
    }
    source = """
        import torch
        def f(k, **given):
            assert all(isinstance(one, torch.Tensor) for one in given.values())
            return {"all": list(given.values()), "k": (k, given["a"].T), "half": given["a"].bfloat16()}
    """
    [found] = ran(sandbox, source, arrays | {"k": {"plain": [1, "text", None]}})
    for one, other in zip(found["all"], arrays.values(), strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    assert found["k"][0] == {"plain": [1, "text", None]}
    assert np.array_equal(found["k"][1], arrays["a"].T)
    assert found["half"].dtype == np.float32
    assert sandbox.tier == Tier.CPU_DEVICE


def test_each_call_meets_its_own_inputs_in_one_process(sandbox: Sandbox) -> None:
    source = "calls = []\ndef f(x):\n    calls.append(0)\n    return x.sum(), len(calls)\n"
    found = ran(sandbox, source, *({"x": np.full(5, float(number))} for number in range(3)))
    assert [(float(total), count) for total, count in found] == [(0.0, 1), (5.0, 2), (10.0, 3)]


def test_inputs_that_lie_on_the_device_cannot_be_read_before_the_clock_starts(sandbox: Sandbox) -> None:
    source = """
        import sys, torch
        frame = sys._getframe()
        while not hasattr(frame.f_locals.get("self"), "_placed"): frame = frame.f_back
        early = [words.view(torch.uint8).tolist() for _, words in frame.f_locals["self"]._placed.values()]
        def f(x): return early
    """
    x = np.zeros(64)
    [sealed] = ran(sandbox, source, {"x": x})[0]
    assert len(sealed) >= x.nbytes
    assert len(set(sealed)) > 50  # and not zeros


def test_memory_is_poisoned_between_calls(sandbox: Sandbox) -> None:
    source = """
        import torch
        kept = []
        def f(x):
            before = [bool(torch.isnan(one).all()) for one in kept]
            kept[:] = [x]
            return before
    """
    assert ran(sandbox, source, {"x": np.ones(512)}, {"x": np.ones(512)}) == [[], [True]]


def test_a_busy_call_takes_longer_than_an_idle_one(sandbox: Sandbox) -> None:
    source = """
        def f(x, steps):
            for _ in range(steps): x = (x * 1.01).sin()
            return x[:1]
    """
    x = np.ones(1 << 16)
    with sandbox.device_process({"program.py": textwrap.dedent(source)}, LIMITS) as process:
        process.place([{"x": x, "steps": steps} for steps in (1, 1, 400)])
        process.load()
        for number in range(3):
            process.run("f", number)
    _, idle, busy = process.timings
    assert busy.work > 10 * idle.work
    assert busy.span >= busy.work


def test_what_a_clock_in_the_process_says_changes_nothing(sandbox: Sandbox) -> None:
    source = """
        import sys
        sys.modules["inside.accelerator"].Cpu.timed = lambda self, work: (work(), -1e9)
        def f(x):
            for _ in range(300): x = (x * 1.01).sin()
            return x[:1]
    """
    with sandbox.device_process({"program.py": textwrap.dedent(source)}, LIMITS) as process:
        process.call("f", {"x": np.ones(1 << 16)})
    assert process.timings[0].device_clock == -1e9
    assert process.timings[0].work > 1e-3


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch\ndef f(x): return torch.ones(1 << 40)", Failure.MEMORY),
        ("def f(x): return x.no_such_method()", Failure.CRASHED),
        ("import os\ndef f(x): os._exit(0)", Failure.CRASHED),
        ("def f(x): return object()", Failure.MALFORMED),
        ("import os\ndef f(x): os.write(3, b'SPC1' + bytes(64))", Failure.MALFORMED),
        ("this is no Python", Failure.CRASHED),
        ("def f(x): raise SystemExit", Failure.CRASHED),
    ],
)
def test_bad_ends_are_told_apart_and_the_next_one_is_served(sandbox: Sandbox, source: str, expected: Failure) -> None:
    assert failure(sandbox, source) == expected
    assert ran(sandbox, "def f(x): return x + 1", {"x": np.ones(2)})[0].tolist() == [2.0, 2.0]


def test_a_call_that_hangs_ends_at_the_wall_limit(sandbox: Sandbox) -> None:
    short = Limits(cpu_seconds=60, wall_seconds=1.0, memory_bytes=1024 * MIB)
    assert failure(sandbox, "def f(x):\n    while True: pass", short) == Failure.TIMEOUT


def test_memory_in_use_is_looked_at_from_outside(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import time\ndef f(x): time.sleep(60)\n"
    with sandbox.device_process({"program.py": source}, LIMITS) as process:
        process.place([{"x": np.ones(4)}])
        process.load()
        monkeypatch.setattr(process, "_resident", lambda: 1 << 50)
        with pytest.raises(CandidateFailed) as raised:
            process.run("f", 0)
    assert raised.value.failure == Failure.MEMORY


def test_a_candidate_has_a_proc_of_its_own_and_may_start_processes(sandbox: Sandbox) -> None:
    source = """
        import os, socket, subprocess
        def f(x):
            seen = [name for name in os.listdir("/proc") if name.isdigit()]
            said = subprocess.run(["/bin/echo", "hello"], capture_output=True, text=True).stdout
            socket.socket(socket.AF_UNIX).close()
            try:
                socket.socket(socket.AF_INET)
            except PermissionError:
                return seen, said, "no network"
    """
    assert ran(sandbox, source, {"x": np.ones(1)}) == [(["1"], "hello\n", "no network")]


def test_compilers_keep_their_caches_in_the_private_files(sandbox: Sandbox) -> None:
    source = """
        import os
        NAMES = ("TMPDIR", "HOME", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "TORCH_EXTENSIONS_DIR")
        def f(x):
            open(os.path.join(os.environ["TMPDIR"], "left"), "w").write("for the next one")
            return [os.environ[name] for name in NAMES], os.listdir(os.environ["TMPDIR"])
    """
    for _ in range(2):
        [(places, found)] = ran(sandbox, source, {"x": np.ones(1)})
        assert {place.split("/")[1] for place in places} <= {"tmp", "var"}
        assert found == ["left"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None or shutil.which("ninja") is None, reason="needs g++ and ninja")
def test_an_inline_extension_is_compiled_in_the_jail(sandbox: Sandbox) -> None:
    source = """
        from torch.utils.cpp_extension import load_inline
        CODE = "torch::Tensor twice(torch::Tensor x) { return x * 2; }"
        made = load_inline("made", cpp_sources=CODE, functions=["twice"])
        def f(x): return made.twice(x)
    """
    patient = Limits(cpu_seconds=600, wall_seconds=600, memory_bytes=4096 * MIB, tmp_bytes=512 * MIB, threads=256)
    assert ran(sandbox, source, {"x": np.ones(3)}, limits=patient)[0].tolist() == [2.0, 2.0, 2.0]


def test_the_same_lines_seal_and_open_arrays_and_tensors() -> None:
    import torch

    inputs = {"x": np.random.default_rng(0).normal(size=(7, 3)), "n": 3, "flags": np.array([True])}
    packed, key = sealing.packed(inputs), sealing.key_of(bytes(range(16)))
    plain = packed.words.copy()
    assert packed.rest == {"n": 3}
    sealing.toggle(packed.words, np.arange(16), key)
    assert not (packed.words == plain).any()
    opened = torch.from_numpy(packed.words.copy())
    sealing.toggle(opened, torch.arange(10), key)
    assert np.array_equal(opened.numpy(), plain)
    other = torch.from_numpy(packed.words.copy())
    sealing.toggle(other, torch.arange(10), sealing.key_of(bytes(16)))
    assert not (other.numpy() == plain).any()


def test_a_sealed_array_looks_random() -> None:
    words = np.zeros(1 << 14, dtype=np.int64)
    sealing.toggle(words, np.arange(1 << 10), sealing.key_of(bytes(range(16))))
    bits = np.unpackbits(words.view(np.uint8)).reshape(-1, 64)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.03
    assert len(np.unique(words)) == len(words)


def test_the_way_is_taken_off() -> None:
    way = Way(fixed=1.0, per_input=0.5, per_output=0.25).seconds(4, 8)
    assert way == 5.0
    assert Timing(span=7.0, way=way, device_clock=0.0).work == 2.0
    assert Timing(span=4.0, way=way, device_clock=0.0).work > 0


def test_gpus_are_those_with_a_node_that_are_not_hidden(tmp_path: Path) -> None:
    assert gpus(tmp_path, {}) == ()
    for name in ("nvidiactl", "nvidia0", "nvidia1", "nvidia10", "nvidia-uvm", "nvidia-caps"):
        (tmp_path / name).touch()
    assert [one.name for one in gpus(tmp_path, {})] == ["cuda:0", "cuda:1", "cuda:10"]
    assert [one.index for one in gpus(tmp_path, {"CUDA_VISIBLE_DEVICES": "1"})] == [1]
    assert [one.index for one in gpus(tmp_path, {"CUDA_VISIBLE_DEVICES": "2,0,7"})] == [10, 0]
    assert gpus(tmp_path, {"CUDA_VISIBLE_DEVICES": ""}) == ()
    assert gpus(tmp_path, {"CUDA_VISIBLE_DEVICES": "GPU-0123"}) == gpus(tmp_path, {})
    found = gpus(tmp_path, {})
    assert [a_gpu(number, found).index for number in range(4)] == [0, 1, 10, 0]


def test_without_a_gpu_one_line_says_what_to_do() -> None:
    with pytest.raises(NoDevice) as raised:
        a_gpu(0, ())
    assert "--device cpu" in str(raised.value)


def test_a_jail_shows_one_gpu() -> None:
    assert device_environment(Device("cuda", 3), "/tmp", "/bin", True)["CUDA_VISIBLE_DEVICES"] == "0"
    assert device_environment(Device("cuda", 3), "/tmp", "/bin", False)["CUDA_VISIBLE_DEVICES"] == "3"


def test_a_gpu_is_used_by_one_at_a_time(tmp_path: Path) -> None:
    device, order = Device("cuda", 0), list[str]()
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with Slot(device, tmp_path).taken():
            order.append("second")

    with Slot(device, tmp_path).taken():
        thread = threading.Thread(target=second)
        thread.start()
        waiting.wait()
        with Slot(Device("cuda", 1), tmp_path).taken():
            order.append("another GPU")
        order.append("first")
    thread.join()
    assert order == ["another GPU", "first", "second"]


NVML = """
typedef struct { unsigned long long total, free, used; } memory;
int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) { *handle = (void *)(long)(index + 1); return 0; }
int nvmlDeviceGetMinorNumber(void *handle, unsigned *minor) { *minor = 4 - (long)handle; return 0; }
int nvmlDeviceGetMemoryInfo(void *handle, memory *m) { m->used = 40 + (long)handle; return m->used > 41 ? 15 : 0; }
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_memory_on_a_gpu_is_asked_of_its_driver(tmp_path: Path) -> None:
    (tmp_path / "nvml.c").write_text(NVML)
    library = tmp_path / "libnvml.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "nvml.c"], check=True)
    assert Gpu(3, str(library)).used_bytes() == 41
    with pytest.raises(OSError, match="nvmlDeviceGetMemoryInfo failed with status 15"):
        Gpu(2, str(library)).used_bytes()
    with pytest.raises(OSError, match="no GPU with the node 7"):
        Gpu(7, str(library))
    with pytest.raises(OSError, match=r"no-such\.so"):
        Gpu(0, "no-such.so")
