"""What holds for every test."""

from hypothesis import settings

# How long an example takes depends on what else the machine does; speed has benchmarks of its own.
settings.register_profile("speciate", deadline=None)
settings.load_profile("speciate")
