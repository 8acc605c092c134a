"""The least distance between points that a program places in the unit square."""

import argparse
import sys

import numpy as np
from geometry import least_distance
from shinka.core import run_shinka_eval

COUNT = 9


def get_kwargs(run_index):
    return {"seed": int(np.random.randint(0, 1_000_000)), "count": COUNT + run_index}


def validate(result):
    points, claimed = result
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        return False, f"points of shape {points.shape}"
    if points.min() < 0 or points.max() > 1:
        return False, "a point is outside the unit square"
    if abs(claimed - least_distance(points)) > 1e-6:
        return False, "the claimed distance is not the true one"
    return True, None


def aggregate(results):
    distances = [least_distance(points) for points, _ in results]
    return {
        "combined_score": float(np.mean(distances)),
        "public": {"worst": float(min(distances))},
        "private": {"all": distances},
        "extra_data": {"points": [points for points, _ in results]},
        "text_feedback": f"the worst of {len(distances)} runs has {min(distances):.4f}",
    }


def main(program_path, results_dir):
    metrics, correct, error = run_shinka_eval(
        program_path=program_path,
        results_dir=results_dir,
        experiment_fn_name="run_placement",
        num_runs=3,
        get_experiment_kwargs=get_kwargs,
        validate_fn=validate,
        aggregate_metrics_fn=aggregate,
    )
    print("correct" if correct else f"wrong: {error}", metrics["combined_score"])
    sys.exit(0 if correct else 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program_path", default="initial.py")
    parser.add_argument("--results_dir", default="results")
    arguments = parser.parse_args()
    main(arguments.program_path, arguments.results_dir)
