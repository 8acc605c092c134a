"""The softmax of the distances as heatmap, with settings of the search as carefully chosen as for the prior."""

import numpy as np

TEMPERATURE = 0.66
CANDIDATES = 8


def search(oracle, xy, tour, steps, seed):
    n = len(xy)
    distances = np.hypot(xy[:, None, 0] - xy[:, 0], xy[:, None, 1] - xy[:, 1])
    np.fill_diagonal(distances, np.inf)
    nearest = distances.min(axis=1, keepdims=True)
    heat = np.exp((nearest - distances) / (TEMPERATURE * nearest.mean()))
    heat = heat / heat.sum(axis=1, keepdims=True)
    oracle.explore(heat, steps, CANDIDATES, 0.02, 10.0, 8, n)
