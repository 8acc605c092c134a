"""The tasks' sizes for a GPU: their programs on tensors of the CPU, their judges, and their kernels where Triton is."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from speciate.evaluators import Instance, Measure, check_source, check_task, load_task
from speciate.evaluators.loader import gpu_forms
from speciate.evaluators.trial import judged
from speciate.sandbox import Backend, open_sandbox

FORMS = sorted(gpu_forms())
KERNELS = ("sinklora_sf_attn_gpu", "two_pass_softmax_gpu")
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="needs triton, for its interpreter"
)


def drawn(name: str, seed: int = 3) -> Instance:
    [instance] = load_task(name).task.instances(np.random.default_rng(seed), "smoke")
    return instance


def plain(value: Any) -> Any:
    """As it comes back from a device."""
    if isinstance(value, torch.Tensor):
        return value.numpy()
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def called(source: str, name: str, instance: Instance) -> Any:
    space: dict[str, Any] = {}
    exec(compile(source.replace("import triton\n", "raise ImportError\n"), name, "exec"), space)
    inputs = {
        key: torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value
        for key, value in instance.inputs.items()
    }
    return plain(space[load_task(name).task.entry.name](**inputs))


def test_tasks_without_a_form_stay_as_they_are() -> None:
    folder = load_task("fastpam_swap")
    assert folder.at("gpu") is folder
    assert load_task("fasterpam").at("default").task.id == "fasterpam"
    assert load_task("fasterpam").at("gpu").task.id == "fasterpam_gpu"


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_a_task_on_a_device(name: str) -> None:
    folder = load_task(name)
    assert folder.task.limits.gpus > 0
    assert folder.task.objective.measure is Measure.DEVICE_SECONDS
    for source in folder.programs.values():
        assert check_source(folder.task, {"program.py": source}) == []
    assert load_task(name.removesuffix("_gpu")).task.limits.gpus == 0


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("program", ["baseline", "reference"])
def test_its_programs_are_right(name: str, program: str) -> None:
    folder, instance = load_task(name), drawn(name)
    verdict = judged(folder.task, instance, called(folder.programs[program], name, instance), None)
    assert verdict.valid, verdict.note


@pytest.mark.parametrize("name", FORMS)
def test_wrong_outputs_are_invalid(name: str) -> None:
    folder, instance = load_task(name), drawn(name)
    right = called(folder.baseline, name, instance)
    other = called(folder.baseline, name, drawn(name, seed=4))
    parts = right if isinstance(right, tuple) else (right,)

    def spoiled(change: Any) -> Any:
        made = tuple(change(part.copy()) for part in parts)
        return made if isinstance(right, tuple) else made[0]

    outputs = [None, 0.0, other if name != "fasterpam_gpu" else right[:-1], spoiled(np.zeros_like)]
    outputs += [spoiled(lambda part: part[:-1]), spoiled(lambda part: part + 1), spoiled(lambda part: part.astype(str))]
    if parts[0].dtype.kind == "f":
        outputs.append(spoiled(lambda part: part * np.nan))
    for output in outputs:
        assert not judged(folder.task, instance, output, None).valid


@pytest.mark.parametrize("name", FORMS)
def test_instances_differ_but_have_one_shape(name: str) -> None:
    one, other = drawn(name, 1), drawn(name, 2)
    shapes = [{key: getattr(value, "shape", None) for key, value in each.inputs.items()} for each in (one, other)]
    assert shapes[0] == shapes[1]
    arrays = [key for key, value in one.inputs.items() if isinstance(value, np.ndarray)]
    assert any(not np.array_equal(one.inputs[key], other.inputs[key]) for key in arrays)


INTERPRETED = """
import sys
import numpy as np
import torch
from speciate.evaluators import load_task
from speciate.evaluators.trial import judged

folder = load_task(sys.argv[1])
[instance] = folder.task.instances(np.random.default_rng(5), "smoke")
sys.path.insert(0, str(folder.path))
import reference

inputs = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in instance.inputs.items()}
setattr(reference, sys.argv[2], reference.by_kernel)
found = getattr(reference, folder.task.entry.name)(**inputs)
verdict = judged(folder.task, instance, found.numpy(), None)
sys.exit(0 if verdict.valid else verdict.note)
"""


@needs_triton
@pytest.mark.parametrize(("name", "replaced"), list(zip(KERNELS, ("by_groups", "by_rows"), strict=True)))
def test_a_kernel_in_tritons_interpreter_computes_what_the_judge_wants(name: str, replaced: str) -> None:
    environment = {"TRITON_INTERPRET": "1", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    command = [sys.executable, "-c", INTERPRETED, name, replaced]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sinklora_sf_attn_gpu", "smash_spgemm_gpu"])
def test_is_sound_on_the_cpu_in_its_place(name: str) -> None:
    """Two of which a CPU decides in seconds as a GPU should."""
    folder = load_task(name)
    with open_sandbox(folder.spec(Backend.CPU_DEVICE)) as sandbox:
        result = check_task(replace(folder), sandbox, "smoke")
    assert result.reason == ""
