"""The catalogue: one folder per documented algorithm."""
