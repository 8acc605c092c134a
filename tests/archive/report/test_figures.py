"""What the figures are drawn of: kinds of instances, and legends that stay beside their axes."""

import pytest
from matplotlib.figure import Figure

from speciate.archive.report.figures import Series, instances, kind_of


@pytest.mark.parametrize(
    ("instance", "kind"),
    [
        ("layer-1", "layer-1"),
        ("layer-1 of draw 3", "layer-1"),
        ("roads.2", "roads"),
        ("roads.2 of draw 14", "roads"),
        ("a draw 3", "a draw 3"),
    ],
)
def test_draws_of_one_instance_are_of_one_kind(instance: str, kind: str) -> None:
    assert kind_of(instance) == kind


@pytest.mark.parametrize("count", [1, 40])
def test_the_legend_is_near_its_axes_however_many_instances_there_are(count: int) -> None:
    figure = Figure(figsize=(4.3, 1.3 + 0.5 * count), layout="constrained")
    axes = figure.subplots()
    names = [f"kind {chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(count)]
    instances(axes, [Series("in the search", "#000000", tuple((name, 0.5) for name in names))], ratio=True)
    figure.draw_without_rendering()
    legend = axes.get_legend()
    assert legend is not None
    gap = axes.get_window_extent().y0 - legend.get_window_extent().y1
    assert 0 < gap / figure.dpi < 1.0  # inches
