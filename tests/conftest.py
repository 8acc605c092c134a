"""What holds for every test."""

import os

from hypothesis import settings

# Tests run beside each other: threads of their own would only get into each other's way.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# How long an example takes depends on what else the machine does; speed has benchmarks of its own.
settings.register_profile("speciate", deadline=None)
settings.load_profile("speciate")
