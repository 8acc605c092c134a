def norms(X):
    return (X * X).sum(axis=1)
