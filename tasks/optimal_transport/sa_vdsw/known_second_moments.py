"""The leading eigenvector of E[y y'] - E[x x'], without any training: where second moments tell the direction."""

import numpy as np


def fit(train_X, train_Y, kappa, seed):
    return {}


def predict(model, X, Y):
    moments = Y.transpose(0, 2, 1) @ Y - X.transpose(0, 2, 1) @ X
    return np.linalg.eigh(moments)[1][:, :, -1].copy()
