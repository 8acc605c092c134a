"""The examples of deployment, as far as they can be tried without a cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from speciate.discovery.config import PRESETS, load_config

DEPLOY = PRESETS / "deploy"
FAKES = {
    "scontrol": "printf 'one\\ntwo\\nthree\\n'",
    "srun": """echo "srun $*" >> "$LOG"
while [[ $1 != --nodelist ]]; do shift; done
shift 2
exec "$@\"""",
    "hostname": "echo 10.0.0.1 fe80::1",
    "ray": 'echo "ray $*" >> "$LOG"; [[ $* != *--block* ]] || exec sleep 60',
    "python3": "echo 3",
    "speciate": """echo "speciate $*" >> "$LOG"
trap 'echo "speciate told to end" >> "$LOG"; exit 130' TERM
for _ in $(seq "$STEPS"); do sleep 0.1; done""",
}


def submitted(folder: Path, *words: str, steps: int, **variables: str) -> tuple[subprocess.Popen[bytes], Path]:
    """The script as SLURM would run it, with stand-ins for all other programs; and what these were told."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name, text in FAKES.items():
        (programs / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
        (programs / name).chmod(0o755)
    log = folder / "log"
    log.touch()
    job = {"SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n[1-3]", "SLURM_CPUS_PER_TASK": "16", "STEPS": str(steps)}
    given = {**os.environ, **job, **variables, "PATH": f"{programs}:{os.environ['PATH']}", "LOG": str(log)}
    command = ["bash", str(DEPLOY / "slurm.sh"), *words]
    return subprocess.Popen(command, env=given, cwd=folder, start_new_session=True), log


def ended(process: subprocess.Popen[bytes], status: int) -> None:
    try:
        assert process.wait(60) == status
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the Ray nodes, which SLURM would end with the job


def test_slurm_starts_ray_on_all_nodes_and_the_run_on_the_first(tmp_path: Path) -> None:
    process, log = submitted(tmp_path, "fasterpam", "--evaluations", "9000", steps=0)
    ended(process, 0)
    told = log.read_text()
    for node in ("one", "two", "three"):
        assert f"--cpus-per-task=16 --nodelist {node} ray start" in told
    assert told.count("ray start --address 10.0.0.1:6379 --num-cpus 16 --block") == 4  # as srun has it and as ray does
    run = "speciate run fasterpam --executor ray --address 10.0.0.1:6379 --out runs/slurm-7 --evaluations 9000"
    assert run in told.splitlines()


def test_slurm_goes_on_where_there_is_a_run_and_passes_on_the_end_of_the_time(tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "journal.url").touch()
    process, log = submitted(tmp_path, "fasterpam", steps=300, SPECIATE_RUN="big")
    deadline = time.monotonic() + 60
    while "speciate resume big" not in log.read_text().splitlines():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    ended(process, 130)
    assert "speciate told to end" in log.read_text()


def test_ray_itself_takes_the_clusters_description() -> None:
    pytest.importorskip("ray", reason="NOT TRIED: pip install 'speciate[ray]'")
    from ray.autoscaler._private.util import prepare_config, validate_config

    described = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    validate_config(prepare_config(described))


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def test_kubernetes_has_a_job_whose_volume_and_options_exist() -> None:
    job, claim = documents("kuberay.yaml")
    assert (job["apiVersion"], job["kind"], claim["kind"]) == ("ray.io/v1", "RayJob", "PersistentVolumeClaim")
    head = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    (volume,) = head["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    (mount,) = head["containers"][0]["volumeMounts"]
    assert mount["name"] == volume["name"]
    assert f"{mount['mountPath']}/big" in job["spec"]["entrypoint"]
    groups = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    images = {one["template"]["spec"]["containers"][0]["image"] for one in groups}
    assert images == {head["containers"][0]["image"]}  # the same speciate everywhere


def test_they_are_no_presets() -> None:
    assert load_config("default").proposer == "symbolic"
    assert not {file.stem for file in DEPLOY.iterdir()} & {file.stem for file in PRESETS.glob("*.yaml")}
