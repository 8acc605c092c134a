"""Repeated runs of a program's experiment, their validation and their metrics."""

import importlib.util
import json
import time
from pathlib import Path

EXPERIMENT = None
"""``call(name, kwargs)`` where the program runs in another process; None where its file is to be loaded here."""

UNKNOWN_SCORE = 0.0


def run_shinka_eval(
    program_path,
    results_dir,
    experiment_fn_name,
    num_runs,
    get_experiment_kwargs=None,
    aggregate_metrics_fn=None,
    validate_fn=None,
    default_metrics_on_error=None,
    **others,
):
    """(metrics, whether all runs were valid, what was wrong first), also written to the two files of ``results_dir``.

    ``others`` are settings of how the runs are made (workers, plots): they change no score.
    """
    experiment = _experiment(program_path, experiment_fn_name)
    results, seconds, problems = [], [], []
    try:
        for number in range(num_runs):
            keywords = get_experiment_kwargs(number) if get_experiment_kwargs else {"seed": number + 1}
            begun = time.perf_counter()
            results.append(experiment(dict(keywords)))
            seconds.append(time.perf_counter() - begun)
            valid, problem = validate_fn(results[-1]) if validate_fn else (True, None)
            if not valid:
                problems.append(f"Validation failed: {problem or 'no reason given'}")
        metrics = aggregate_metrics_fn(results) if aggregate_metrics_fn else {"num_successful_runs": len(results)}
        metrics = {**metrics, "execution_time_mean": sum(seconds) / max(1, len(seconds))}
    except Exception as error:  # noqa: BLE001 - whatever the experiment or the evaluator raises is the result
        problems.append(f"{type(error).__name__}: {error}")
        metrics = dict(default_metrics_on_error or {"combined_score": UNKNOWN_SCORE})
    first = problems[0] if problems else None
    save_json_results(results_dir, metrics, not problems, first)
    return metrics, not problems, first


def save_json_results(results_dir, metrics, correct, error=None):
    """``metrics.json`` and ``correct.json``, without what is no JSON."""
    folder = Path(results_dir)
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in metrics.items() if name != "extra_data"}
    (folder / "metrics.json").write_text(json.dumps(kept, default=_plain))
    (folder / "correct.json").write_text(json.dumps({"correct": bool(correct), "error": error}))


def _plain(value):
    """Numbers and arrays of numpy as Python's; text for anything else."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _experiment(program_path, name):
    if EXPERIMENT is not None:
        return lambda keywords: EXPERIMENT(name, keywords)
    spec = importlib.util.spec_from_file_location("program", program_path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, name)
    return lambda keywords: function(**keywords)
