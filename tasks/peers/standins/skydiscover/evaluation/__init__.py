"""Stands in for skydiscover where evaluators import it: only what they need of it."""
