"""Stands in for shinka where evaluators import it: only what they need of it."""
