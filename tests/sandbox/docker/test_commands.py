"""``--sandbox docker`` in the commands, in a configuration and in the Python face."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import speciate
from speciate.discovery.config import ConfigError

LINEAR = str(Path(__file__).parent.parent.parent / "toy_tasks" / "linear")
REFERENCE = str(Path(LINEAR) / "reference.py")


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "speciate", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_an_evaluation_is_the_same_as_under_bubblewrap(engine):
    source = Path(REFERENCE).read_text()
    here = speciate.evaluate(LINEAR, source, sandbox="docker")
    there = speciate.evaluate(LINEAR, source)
    assert here.tier == "docker"
    assert there.tier != "docker"
    for name in ("state", "score", "interval", "value", "metrics", "feedback"):
        assert getattr(here, name) == getattr(there, name)


def test_a_run_by_a_configuration_is_on_record(engine, tmp_path):
    (tmp_path / "mine.yaml").write_text("sandbox: docker\nbudget: {evaluations: 6}\nworkers: 1\ncertify: false\n")
    run = tmp_path / "run"
    done = command("run", LINEAR, "--config", tmp_path / "mine.yaml", "--out", run, "--json")
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout)["best"]["program"]
    assert json.loads(command("show", run, best, "--json").stdout)["evaluation"]["tier"] == "docker"


def test_check_in_a_container(engine):
    (result,) = json.loads(command("check", LINEAR, "--sandbox", "docker", "--json").stdout)
    assert result["ok"], result


def test_bench_measures_the_container(engine):
    done = command("bench", "--sandbox", "docker", "--candidates", "20", "--json")
    rows = {row["what"]: row for row in json.loads(done.stdout)}
    assert rows["docker container"]["cpu_ms"] > 0
    assert "whole engine" not in rows


def test_doctor_reports_engine_image_and_tier(engine):
    layers = json.loads(command("doctor", "--json").stdout)["layers"]
    assert layers["docker"].startswith("engine ")
    assert "numpy" in layers["docker image"]
    assert layers["docker tier"].startswith("docker: no network")


def test_without_an_engine_status_2_and_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    done = command("evaluate", LINEAR, REFERENCE, "--sandbox", "docker")
    assert done.returncode == 2
    assert "speciate doctor --build-image" in done.stderr.splitlines()[-1]
    layers = json.loads(command("doctor", "--json").stdout)["layers"]
    assert "no Docker engine answers" in layers["docker"]


def test_wrong_choices_status_2_and_one_line():
    wrong = command("evaluate", LINEAR, REFERENCE, "--sandbox", "podman")
    assert (wrong.returncode, "'bubblewrap', 'docker' or 'cpu-device'" in wrong.stderr) == (2, True)
    both = command("run", LINEAR, "--sandbox", "docker", "--unsafe")
    assert (both.returncode, "not both" in both.stderr) == (2, True)
    lone = command("doctor", "--with", "torch")
    assert (lone.returncode, "--build-image" in lone.stderr) == (2, True)
    with pytest.raises(ConfigError):
        speciate.evaluate(LINEAR, "", sandbox="docker", unsafe=True)


@pytest.mark.slow
def test_the_command_makes_an_image_with_or_without_a_registry(engine):
    done = command("doctor", "--build-image", "--json")
    assert "image made: " in done.stderr
    assert json.loads(done.stdout)["layers"]["docker tier"].startswith("docker: ")
    assert json.loads(command("evaluate", LINEAR, REFERENCE, "--sandbox", "docker", "--json").stdout)["score"] == 1
