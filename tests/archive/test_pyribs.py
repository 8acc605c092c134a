"""Our islands and pyribs' archives keep the same elites. The import of ribs takes seconds."""

from __future__ import annotations

import numpy as np
import pytest

from speciate.archive import ArchiveSettings, BehaviourSpace, CVTSpace, Island, NoveltySpace
from speciate.archive.archipelago import Archipelago
from speciate.evaluators import Descriptor, Evaluation, State

pytestmark = pytest.mark.slow
AXES = (Descriptor("x", -1.0, 2.0, bins=13), Descriptor("y", 0.0, 0.7, bins=7), Descriptor("z", -3.0, -1.0, bins=2))
RANGES = [(axis.low, axis.high) for axis in AXES]


def additions(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties; points within, on the edges of, and far outside the bounds."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=count), 1)
    low, high = np.array(RANGES).T
    points = rng.uniform(low - 0.3, high + 0.3, size=(count, len(AXES)))
    edges = rng.random(points.shape) < 0.2
    bins = np.array([axis.bins for axis in AXES])
    on_edges = low + (high - low) * rng.integers(-1, bins + 2, size=points.shape) / bins
    points = np.where(edges, on_edges, points)
    points[rng.random(count) < 0.05] *= 1e6
    return scores, points


def evaluation(score: float, point: np.ndarray) -> Evaluation:
    values = {axis.name: float(value) for axis, value in zip(AXES, point, strict=True)}
    return Evaluation(state=State.VALID, size="default", score=float(score), descriptors=values)


@pytest.mark.parametrize("seed", range(3))
def test_the_grid_equals_ribs_grid_archive(seed: int) -> None:
    from ribs.archives import GridArchive

    theirs = GridArchive(solution_dim=1, dims=[axis.bins for axis in AXES], ranges=RANGES, dtype=np.float64)
    ours = Island(BehaviourSpace(AXES))
    scores, points = additions(seed, 10_000)
    for number, (score, point) in enumerate(zip(scores, points, strict=True)):
        answer = ours.add(str(number), evaluation(score, point))
        told = theirs.add_single([number], score, point)
        assert {"rejected": 0, "improved": 1, "new": 2}[answer.status.value] == int(told["status"])
    kept = theirs.data(return_type="dict")
    cells = [tuple(int(i) for i in cell) for cell in theirs.int_to_grid_index(kept["index"])]
    expected = dict(zip(cells, zip(kept["solution"][:, 0], kept["objective"], strict=True), strict=True))
    assert {cell: (int(e.program), e.score) for cell, e in ours.elites_by_cell.items()} == expected
    stats = ours.stats()
    assert stats.coverage == pytest.approx(theirs.stats.coverage)
    assert stats.best == theirs.stats.obj_max
    assert stats.mean == pytest.approx(theirs.stats.obj_mean)


def test_the_cvt_cells_equal_ribs_cvt_archive_and_come_back_from_the_settings() -> None:
    from ribs.archives import CVTArchive

    settings = ArchiveSettings.of(AXES, archive="cvt", cells=40)
    assert len(settings.centroids) == 40
    restored = ArchiveSettings.model_validate_json(settings.model_dump_json())
    space = Archipelago.of(restored, 0).islands[0].space
    assert isinstance(space, CVTSpace)
    assert space.cells == 40
    theirs = CVTArchive(solution_dim=1, centroids=np.array(settings.centroids), ranges=[(0.0, 1.0)] * len(AXES))
    points = np.random.default_rng(0).random((500, len(AXES)))
    low, high = np.array(RANGES).T
    for point, index in zip(points, theirs.index_of(points), strict=True):
        values = dict(zip("xyz", low + (high - low) * point, strict=True))
        assert space.cell(values) == (int(index),)
    assert space.cell({"x": float("nan"), "y": 0.1, "z": -2.0}) is None


@pytest.mark.parametrize(("seed", "neighbours"), [(0, 1), (1, 5), (2, 15)])
def test_the_unstructured_archive_equals_ribs_proximity_archive(seed: int, neighbours: int) -> None:
    from ribs.archives import ProximityArchive

    axes = tuple(Descriptor(name, 0.0, 1.0) for name in "xyz")
    theirs = ProximityArchive(
        solution_dim=1,
        measure_dim=3,
        k_neighbors=neighbours,
        novelty_threshold=0.15,
        local_competition=True,
        dtype=np.float64,
    )
    ours = Island(NoveltySpace(axes, 0.15, neighbours))
    rng = np.random.default_rng(seed)
    scores, points = np.round(rng.normal(size=3_000), 1), rng.random((3_000, 3)) ** 2
    for number, (score, point) in enumerate(zip(scores, points, strict=True)):
        values = dict(zip("xyz", point.tolist(), strict=True))
        added = Evaluation(state=State.VALID, size="default", score=float(score), descriptors=values)
        answer = ours.add(str(number), added)
        (told,) = theirs.add([[number]], [score], [point])["status"]
        assert {"rejected": 0, "improved": 1, "new": 2}[answer.status.value] == told
    kept = theirs.data(return_type="dict")
    expected = dict(zip(kept["solution"][:, 0].astype(int).tolist(), kept["objective"].tolist(), strict=True))
    assert {int(elite.program): elite.score for elite in ours.elites_by_cell.values()} == expected
    assert len(expected) > 30
    assert ours.stats().mean == pytest.approx(theirs.stats.obj_mean)
