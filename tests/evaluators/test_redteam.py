"""The red team for real, and proof that it would notice a hole."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from speciate.evaluators import Evaluation, State
from speciate.evaluators.redteam import Attack, Exploit, Lab, all_exploits
from speciate.evaluators.redteam.attacks import Bounded, Ends, Finds, GainsNothing, Unseen
from speciate.evaluators.redteam.lab import HONEST
from speciate.evaluators.redteam.on_device import OnDevice
from speciate.evaluators.redteam.parts import ASKS_THRICE, FORGE, SAME, SYSCALL, ZEROS
from speciate.evaluators.redteam.suite import SECRET, controls, tried
from speciate.sandbox import Sandbox, SandboxSpec, open_sandbox

EXPLOITS = {exploit.id: exploit for exploit in all_exploits()}
FIRST_SUITE = [
    "R01",
    "R02",
    "R03",
    "R04",
    "R07",
    "R08",
    "R09",
    "R10",
    "R11",
    "R13",
    "R14",
    "R18",
    "R19",
    "R20",
    "R23",
    "R24",
    "R25",
    "R26",
    "R27",
    "R28",
    "R31",
    "R35",
    "R36",
    "R38",
    "R40",
    "R42",
    "R43",
    "R49",
    "R50",
    "R52",
    "R56",
    "R57",
    "R59",
    "R61",
    "R62",
    "R65",
    "R66",
    "R67",
    "R71",
    "R72",
    "R73",
    "R76",
    "R82",
    "R85",
    "R32",
    "R34",
    "R12",
    "R16",
]
LONG = {"R24", "R49", "R50", "R65", "R67", "X04", "X05", "X14", "X18"}
"""They wait for limits."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec()) as opened:
        yield opened


@pytest.fixture(scope="module")
def lab(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(sandbox, SECRET, tmp_path_factory.mktemp("witness"))


@pytest.mark.parametrize(
    "exploit",
    [
        pytest.param(exploit, id=f"{exploit.id} {exploit.name}", marks=[pytest.mark.slow] if exploit.id in LONG else [])
        for exploit in EXPLOITS.values()
    ],
)
def test_every_exploit_is_held(exploit: Exploit, lab: Lab) -> None:
    finding = tried(exploit, lab)
    assert finding.held, f"expected {finding.expected}, got {finding.got}"


def test_a_program_that_gains_on_a_device_would_be_noticed(lab: Lab) -> None:
    assert OnDevice(("def norms(X): return (X * X).sum(dim=1)\n",)).mount(lab).held is False


def test_the_first_suite_is_complete_and_there_is_more() -> None:
    assert len(EXPLOITS) == len(all_exploits())
    assert set(FIRST_SUITE) <= set(EXPLOITS)
    assert len(set(EXPLOITS) - set(FIRST_SUITE)) >= 10
    for exploit in EXPLOITS.values():
        assert all(word[0] == "D" and 1 <= int(word[1:]) <= 16 for word in exploit.defence.split()), exploit.id


def test_controls_pass_and_notice_a_judge_that_accepts_or_refuses_everything(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [finding.held for finding in controls(lab)] == [True, True]
    for state, score in ((State.VALID, 1.0), (State.INVALID, None)):
        answer = Evaluation(state=state, size="default", score=score)
        monkeypatch.setattr(lab, "score", lambda *_, answer=answer, **__: answer)
        assert not all(finding.held for finding in controls(lab))


@pytest.mark.parametrize(
    "attack",
    [
        Ends((HONEST,)),
        GainsNothing((HONEST,), honest=ZEROS),
        GainsNothing((SAME,), honest=ZEROS),
        Finds(("def probe(): return [1]",), expected=[]),
        Finds(("def probe(): 1 / 0",), expected=[]),
        Bounded((HONEST,)),
        Bounded(("import time\ndef solve(x): time.sleep(0.5)\n",), seconds=0.2),
        Unseen("def probe(): pass", "def probe(): return ['left']", expected=[]),
    ],
)
def test_what_succeeds_is_not_reported_as_held(attack: Attack, lab: Lab) -> None:
    finding = tried(Exploit("T", "a hole", "D1", attack), lab)
    assert finding.held is False


def test_harm_on_the_host_is_noticed(sandbox: Sandbox, tmp_path: Path) -> None:
    lab = Lab(sandbox, SECRET, tmp_path)
    assert lab.harm() == ""
    (tmp_path / "was_here").touch()
    assert "appeared" in tried(EXPLOITS["R09"], lab).got
    (tmp_path / "was_here").unlink()
    (tmp_path / "answers.txt").write_text("mine")
    assert "changed" in lab.harm()


def test_forged_frames_are_real_frames(lab: Lab) -> None:
    """Else the exploits that forge them would be held for the wrong reason."""
    forged = FORGE + "def solve(x):\n    os.write(3, returned(2.5 * x))\n    while True: os.read(3, 1)\n"
    assert lab.score(forged).score == pytest.approx(1.0)
    asking = FORGE + ASKS_THRICE.replace("oracle.value(x)", "ask(x)")
    asking += """
count = 0
def ask(x):
    global count
    count += 1
    os.write(3, asked(count, x))
    return struct.unpack("<d", os.read(3, 999)[-8:])[0]
"""
    assert lab.score(asking, "asking").score == pytest.approx(1.0, abs=0.1)


def test_system_calls_that_are_allowed_are_not_taken_for_refused(lab: Lab) -> None:
    assert lab.run(SYSCALL + "def probe(): return [refused(39), refused(57)]").value == [False, True]


def test_the_command_prints_findings_and_refuses_unknown_ids() -> None:
    command = [sys.executable, "-m", "speciate", "redteam", "--json", "--only"]
    done = subprocess.run([*command, "R08"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    findings = json.loads(done.stdout)
    assert [finding["id"] for finding in findings] == ["C1", "C2", "R08"]
    assert set(findings[0]) == {"id", "name", "expected", "got", "held"}
    assert subprocess.run([*command, "R999"], capture_output=True, check=False).returncode == 2


@pytest.mark.slow
def test_the_command_attacks_a_task_of_the_catalogue() -> None:
    command = [sys.executable, "-m", "speciate", "redteam", "alf_lb_online_dual", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    findings = json.loads(done.stdout)
    assert done.returncode == 0, [finding for finding in findings if not finding["held"]]
    assert {"C1", "G1", "G2", "G3"} == {finding["id"] for finding in findings}
