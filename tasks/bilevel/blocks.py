"""Bilevel problems with many lower problems, of which only a few can be sampled at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

RIDGE = 0.1


@dataclass(frozen=True)
class Sample:
    """Errors of the derivatives of some blocks: of H (k, ny, ny), of M (k, ny, nx), of g's and f's slope (k, ny)."""

    blocks: Array
    hessian: Array
    matrix: Array
    lower: Array
    upper: Array


@dataclass(frozen=True)
class Blocks:
    """Upper f = mean over i of |y_i - c_i|^2 / 2 + 0.05 |x|^2 at the minimisers y_i = H_i^-1 (M_i x + b_i).

    The lower problems are g_i(x, y) = y'H_i y / 2 - y'(M_i x + b_i). ``hessians`` (m, ny, ny), ``matrices``
    (m, ny, nx), ``offsets`` and ``wanted`` (m, ny). A sample's errors have standard deviation ``noise`` in slopes and
    a tenth of that in second derivatives.
    """

    hessians: Array
    matrices: Array
    offsets: Array
    wanted: Array
    noise: float

    def sample(self, rng: np.random.Generator, blocks: Array) -> Sample:
        _, ny, nx = self.matrices.shape
        count = len(blocks)
        skew = 0.1 * self.noise * rng.standard_normal((count, ny, ny))
        return Sample(
            blocks=blocks,
            hessian=(skew + skew.mT) / 2,
            matrix=0.1 * self.noise * rng.standard_normal((count, ny, nx)),
            lower=self.noise * rng.standard_normal((count, ny)),
            upper=self.noise * rng.standard_normal((count, ny)),
        )

    def lower_gradients(self, at: Sample, x: Array, y: Array) -> Array:
        """dg_i/dy at x (nx,), y (k, ny): shape (k, ny)."""
        curved = _times(self.hessians[at.blocks] + at.hessian, y)
        return curved - (self.matrices[at.blocks] + at.matrix) @ x - self.offsets[at.blocks] + at.lower

    def upper_gradients(self, at: Sample, x: Array, y: Array) -> tuple[Array, Array]:
        """df_i/dx (nx,), the same for all blocks and without noise, and df_i/dy (k, ny)."""
        return RIDGE * x, y - self.wanted[at.blocks] + at.upper

    def lower_products(self, at: Sample, v: Array) -> tuple[Array, Array]:
        """The second derivatives g_yy v (k, ny) and g_xy v (k, nx) for v (k, ny)."""
        mixed = (self.matrices[at.blocks] + at.matrix).mT
        return _times(self.hessians[at.blocks] + at.hessian, v), -_times(mixed, v)

    @cached_property
    def _responses(self) -> tuple[Array, Array]:
        """R (m, ny, nx), r (m, ny) with y_i = R_i x + r_i."""
        return np.linalg.solve(self.hessians, self.matrices), _times(np.linalg.inv(self.hessians), self.offsets)

    def excess(self, x: Array) -> float:
        """F(x) - min F for F(x) = f at the lower minimisers."""
        away = x - self.optimum
        return 0.5 * float(away @ self._curvature @ away)

    @cached_property
    def _curvature(self) -> Array:
        gains, _ = self._responses
        return (gains.mT @ gains).mean(axis=0) + RIDGE * np.eye(gains.shape[2])

    @cached_property
    def optimum(self) -> Array:
        gains, shifts = self._responses
        return np.linalg.solve(self._curvature, _times(gains.mT, self.wanted - shifts).mean(axis=0))


def _times(matrices: Array, vectors: Array) -> Array:
    """Matrices (k, p, q) times vectors (k, q): shape (k, p)."""
    return (matrices @ vectors[:, :, None])[:, :, 0]


def blocks(rng: np.random.Generator, count: int, nx: int, ny: int, noise: float) -> Blocks:
    """Random axes; the eigenvalues of each H spread from 0.3 to 2."""
    axes = np.linalg.qr(rng.standard_normal((count, ny, ny)))[0]
    return Blocks(
        hessians=(axes * 10 ** np.linspace(-0.5, 0.3, ny)) @ axes.mT,
        matrices=rng.standard_normal((count, ny, nx)) / np.sqrt(nx),
        offsets=rng.standard_normal((count, ny)),
        wanted=rng.standard_normal((count, ny)),
        noise=noise,
    )
