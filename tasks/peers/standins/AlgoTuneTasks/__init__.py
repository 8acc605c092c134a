"""Stands in for AlgoTuneTasks where task files import it: only what they need of it."""
