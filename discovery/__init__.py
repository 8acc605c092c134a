"""The loop: conductor, budget, selection, executors, run configuration."""
