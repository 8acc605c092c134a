import numpy as np


def least_distance(points):
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    return float(gaps[~np.eye(len(points), dtype=bool)].min())
