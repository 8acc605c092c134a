"""Find the global minimum of sin(3x) + x^2/10 on [-5, 5]."""

import concurrent.futures
import importlib.util
import json
import time
from pathlib import Path

import numpy as np
from openevolve.evaluation_result import EvaluationResult

SETTINGS = json.loads((Path(__file__).parent / "settings.json").read_text())


def load(program_path):
    spec = importlib.util.spec_from_file_location("program", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


def with_timeout(function, seconds=5):
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(function).result(timeout=seconds)


def evaluate_stage1(program_path):
    try:
        x, _ = with_timeout(load(program_path).run_search)
        return {"runs_successfully": 1.0, "combined_score": 1.0 / (1.0 + abs(float(x) - SETTINGS["optimum"]))}
    except Exception as error:
        return {"runs_successfully": 0.0, "combined_score": 0.0, "error": str(error)}


def evaluate(program_path):
    try:
        program = load(program_path)
        begun, distances = time.time(), []
        for _ in range(SETTINGS["trials"]):
            x, value = with_timeout(program.run_search)
            if not np.isfinite(x):
                continue
            distances.append(abs(float(x) - SETTINGS["optimum"]))
        if not distances:
            return {"combined_score": 0.0, "error": "no trial succeeded"}
        accuracy = float(np.mean([1.0 / (1.0 + d) for d in distances]))
        return EvaluationResult(
            metrics={"combined_score": accuracy, "distance": float(np.mean(distances)), "note": "text"},
            artifacts={"hint": f"mean distance {np.mean(distances):.3f} after {time.time() - begun:.1f} s"},
        )
    except Exception as error:
        return {"combined_score": 0.0, "error": str(error)}
