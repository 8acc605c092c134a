"""What every fork is about to do, done by the zygote first.

Python specialises code and fills caches while it runs. What that writes once in the zygote is not written, and no page
copied for it, in every fork.
"""

from __future__ import annotations

import contextlib
import socket

import numpy as np

from .channel import Channel, Closed, Kind
from .runner import Runner
from .system import Call, libc, make

_TIMES = 24
"""Code is specialised from its eighth run on, and in several steps."""
_PROGRAM = {"program.py": "import numpy as np\ndef entry(vector, number): return [np.array([number]), vector]\n"}
_INPUTS = {"vector": np.ones(3), "number": 1.0}


def rehearse() -> None:
    """Raises: OSError."""
    _numpy()
    for _ in range(_TIMES):
        make([Call("process id", libc.getpid, ())])
        _conversation()


def _numpy() -> None:
    """What most programs use of it; numpy and its BLAS settle much on the first use."""
    vector = np.random.default_rng(0).normal(size=64)
    matrix = np.outer(vector, vector) / len(vector) + np.eye(64)
    for function in (np.tanh, np.exp, np.sin, np.abs, np.sqrt, np.square, np.sign, np.negative):
        function(np.abs(matrix[:32, :32]))
    for function in (np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum, np.less, np.equal):
        function(np.abs(matrix), 2)
        function(np.abs(matrix), np.abs(vector))
    for function in (np.sum, np.mean, np.max, np.argmax, np.sort, np.cumsum, np.all):
        function(matrix, axis=0)
    np.concatenate([matrix @ matrix, matrix.T @ vector[:, None]], axis=1)
    np.where(vector > 0, np.zeros(64), np.arange(64))
    np.linalg.solve(matrix, vector)
    np.linalg.norm(matrix)


def _conversation() -> None:
    """A whole life of a candidate, but for its jail."""
    ours, theirs = socket.socketpair()
    channel = Channel(theirs.detach())
    runner = Runner(channel)
    with ours, contextlib.closing(channel):
        Channel(ours.fileno()).send((Kind.LOAD, _PROGRAM), *[(Kind.CALL, ("entry", _INPUTS, False))] * 2)
        ours.shutdown(socket.SHUT_WR)
        with contextlib.suppress(Closed):
            runner.run()
    runner.forget()
