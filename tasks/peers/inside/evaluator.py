"""Runs in a jail: an evaluator of OpenEvolve's, SkyDiscover's or ShinkaEvolve's form, as it is."""

import asyncio
import inspect
import json
import math
import os
import random
import sys
from pathlib import Path

import numpy as np
from loading import FOLDER, loaded

MAX_TEXT = 400
SEEDS = 2**32


def evaluated(file, form, source, seed, smoke, oracle=None):
    """What the evaluator says of the program ``source``: metrics, an error text where it failed, and feedback.

    With ``oracle`` the program runs elsewhere, and is not known here.
    """
    sys.path.insert(0, str(FOLDER))
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    random.seed(seed)
    np.random.seed(seed % SEEDS)
    program = Path.cwd() / "candidate_program.py"
    program.write_text("# It runs in a process of its own.\n" if source is None else source)
    if oracle is not None:
        import shinka.core

        shinka.core.EXPERIMENT = oracle.run
    module = loaded(file, "evaluation_module")
    return _shinka(module, program) if form == "shinka" else _openevolve(module, str(program), smoke)


def _openevolve(module, path, smoke):
    """The first stage of a cascade for smoke; else ``evaluate``, or all stages where there is none."""
    stages = [getattr(module, f"evaluate_stage{number}", None) for number in (1, 2, 3)]
    stages = [stage for stage in stages if stage is not None]
    whole = getattr(module, "evaluate", None)
    if smoke and stages:
        asked = stages[:1]
    else:
        asked = [whole] if whole is not None else stages
    metrics, artifacts = {}, {}
    for evaluate in asked:
        result = evaluate(path)
        if inspect.isawaitable(result):
            result = asyncio.run(result)
        metrics |= dict(result if isinstance(result, dict) else result.metrics)
        artifacts |= dict(getattr(result, "artifacts", None) or {})
    error = metrics.get("error") if isinstance(metrics.get("error"), str) else ""
    if metrics.get("timeout") is True:
        error = error or "timed out"
    return _report(metrics, error, artifacts)


def _shinka(module, program):
    results = program.parent / "results"
    results.mkdir()
    try:
        module.main(str(program), str(results))
    except SystemExit:
        pass  # many end like this after they have written their results
    metrics = json.loads((results / "metrics.json").read_text())
    correct = json.loads((results / "correct.json").read_text())
    public = metrics.get("public")
    named = {**(public if isinstance(public, dict) else {}), **metrics}
    error = "" if correct.get("correct") is True else str(correct.get("error") or "not correct")
    return _report(named, error, {"feedback": metrics.get("text_feedback") or ""})


def _report(metrics, error, artifacts):
    numbers = {str(name): float(value) for name, value in metrics.items() if _is_number(value)}
    feedback = "; ".join(f"{name}: {text}" for name, text in artifacts.items() if isinstance(text, str) and text)
    return {"metrics": numbers, "error": error[:MAX_TEXT], "feedback": feedback[:MAX_TEXT]}


def _is_number(value):
    return isinstance(value, (bool, int, float, np.bool_, np.number)) and not math.isnan(float(value))
