# EVOLVE-BLOCK-START
def fit(X, y):
    return float((y[1] - y[0]) / (X[1] - X[0])) * 0.9


def predict(model, X):
    return model * X


# EVOLVE-BLOCK-END
