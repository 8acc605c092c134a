"""``--size gpu`` and ``--device``."""

import json

import pytest

from speciate.evaluators import load_task
from speciate.sandbox.device import gpus

from .conftest import LINEAR, Command

SOFTMAX = load_task("two_pass_softmax_gpu").path


def test_a_size_for_a_gpu_has_programs_of_its_own(command: Command) -> None:
    told = json.loads(command("describe", "two_pass_softmax", "--size", "gpu", "--json").out)
    assert told["id"] == "two_pass_softmax_gpu"
    assert "torch" in told["baseline"]
    assert json.loads(command("describe", "two_pass_softmax", "--json").out)["id"] == "two_pass_softmax"


@pytest.mark.skipif(bool(gpus()), reason="there is a GPU")
def test_without_a_gpu_one_line_says_so(command: Command) -> None:
    said = command("evaluate", "two_pass_softmax", SOFTMAX / "reference.py", "--size", "gpu")
    assert said.status == 2
    assert len(said.err.strip().splitlines()) == 1
    assert "--device cpu" in said.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--device", "tpu"), "choose cuda or cpu"),
        (("--device", "cpu", "--unsafe"), "without --sandbox and --unsafe"),
        (("--device", "cpu"), "leave --device out"),
    ],
)
def test_wrong_uses_of_device(options: tuple[str, ...], words: str, command: Command) -> None:
    said = command("evaluate", LINEAR, LINEAR / "reference.py", *options)
    assert said.status == 2
    assert words in said.err


def test_a_program_is_scored_on_the_cpu_in_a_gpus_place(command: Command) -> None:
    arguments = ("evaluate", "two_pass_softmax_gpu", SOFTMAX / "reference.py", "--size", "smoke", "--device", "cpu")
    said = command(*arguments, "--json")
    assert said.status == 0, said.err
    told = json.loads(said.out)
    assert told["state"] == "valid"
    assert told["tier"] == "cpu-device"
    assert told["objective"]["name"] == "device_seconds"
