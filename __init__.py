"""speciate discovers algorithms, with scores that can be believed."""

__version__ = "0.1.0"
