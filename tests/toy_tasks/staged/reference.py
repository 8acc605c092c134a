def fit(X, y):
    return float(X @ y / (X @ X))


def predict(model, X):
    return model * X
