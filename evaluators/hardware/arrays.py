"""What numpy reaches on the CPU: copies, reads, and products of matrices."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..task import Precision
from .clock import Clock, best_rate

SIDE = 1024
LARGEST_SIDE = 4096
BATCH = 32 << 20
"""Bytes that a thread moves between two meetings with the others."""

Array = np.ndarray
Move = Callable[[Array, Array], object]


def clock_for(threads: int) -> Clock:
    """One thread is clocked by its own CPU time, as programs are; several by the time until the last one is done."""
    return time.process_time if threads == 1 else time.perf_counter


def side(threads: int) -> int:
    """Of the square matrices that keep so many cores busy."""
    return min(LARGEST_SIDE, SIDE * round(threads**0.5))


def bandwidth(working: int, threads: int) -> tuple[float, float]:
    """Bytes per second of copies (read and written) and of reads; each thread has ``working`` bytes of its own."""
    length = max(1, working // 16)
    pairs = [(np.ones(length), np.ones(length)) for _ in range(threads)]
    copied = _moved(pairs, np.copyto, 16 * length)
    read = max(_moved(pairs, np.dot, 16 * length), _moved(pairs, lambda x, y: x.max(), 8 * length))
    return copied, read


def _moved(pairs: list[tuple[Array, Array]], move: Move, amount: int) -> float:
    if len(pairs) == 1:
        ((first, second),) = pairs
        return best_rate(lambda: move(first, second), amount, clock_for(1))
    times = max(1, BATCH // amount)

    def share(pair: tuple[Array, Array]) -> None:
        for _ in range(times):
            move(*pair)

    with ThreadPoolExecutor(len(pairs)) as pool:
        return best_rate(lambda: list(pool.map(share, pairs)), amount * times * len(pairs), clock_for(len(pairs)))


def products(threads: int) -> dict[Precision, float]:
    """Floating-point operations per second; the threads are those that numpy's BLAS was started with."""
    return {"float64": _product(np.float64, threads), "float32": _product(np.float32, threads)}


def _product(kind: type[np.floating], threads: int) -> float:
    n = side(threads)
    rng = np.random.default_rng(0)
    a, b, out = rng.random((n, n)).astype(kind), rng.random((n, n)).astype(kind), np.empty((n, n), kind)
    return best_rate(lambda: np.matmul(a, b, out=out), 2 * n**3, clock_for(threads))
