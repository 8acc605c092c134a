"""Candidate text that can stand before any program: what it patches, prints or leaves must not change its score."""

EXITS = {
    "exit status 0": "import sys\ndef end(): sys.exit(0)\n",
    "exit without a word": "import os\ndef end(): os._exit(0)\n",
    "the channel closed": "import os\ndef end(): os.close(3)\n",
    "a claim that the machine failed": "def end(): raise RuntimeError('infra: the sandbox failed')\n",
    "a forged verdict on the channel": "import os\ndef end(): os.write(3, b'SPC1' + bytes(64)); os._exit(0)\n",
    "endless recursion": "def end(): end()\n",
}
PRELUDES = {
    "frozen clocks": """
import time
for name in ("time", "perf_counter", "process_time", "monotonic", "thread_time"):
    setattr(time, name, lambda: 0.0)
""",
    "judge's functions patched": """
import numpy as np
for module, names in ((np, ("allclose", "isfinite", "array_equal")), (np.linalg, ("norm", "det"))):
    for name in names:
        setattr(module, name, lambda *a, **k: True)
""",
    "a printed score": 'print(\'{"state": "valid", "score": 1000.0}\')\n',
    "a second reply at exit": """
import atexit, os, sys
atexit.register(lambda: os.write(3, b"SPC1" + bytes(64)))
""",
    "modules replaced": """
import sys, types
for name in ("speciate", "speciate.evaluators", "judge", "task", "reference"):
    sys.modules[name] = types.ModuleType(name)
""",
    "a seed for everybody's generator": "import random, numpy\nrandom.seed(0)\nnumpy.random.seed(0)\n",
}
