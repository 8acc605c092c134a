"""Bare forks of a process that is as warm as the sandbox's: ``python fork.py PROGRAM``, then a count on each line.

A script of its own, so that what is forked holds numpy and nothing of ours: the measure that isolation is compared to.
"""

import gc
import os
import sys
from pathlib import Path

import numpy as np


def main() -> None:
    source = Path(sys.argv[1]).read_text()
    x = np.random.default_rng(0).normal(size=256)

    def run() -> None:
        names = {}
        exec(compile(source, "workload", "exec"), names)
        names["work"](x)

    run()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        for _ in range(int(line)):
            child = os.fork()
            if child == 0:
                run()
                os._exit(0)
            os.waitpid(child, 0)
        print("done", flush=True)


if __name__ == "__main__":
    main()
