"""Stands in for openevolve where evaluators import it: only what they need of it."""
