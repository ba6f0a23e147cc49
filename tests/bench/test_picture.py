"""The growth curves: the fastest variant of each library, and a small file."""

from __future__ import annotations

from bench.measure import ABSENT, TIMED
from bench.picture import growth, in_short, lines


def point(size: int, **seconds: float | None) -> dict:
    entrants = [
        {
            "name": name.replace("_", ", "),
            "status": ABSENT if time is None else TIMED,
            "reason": "",
            "seconds": [] if time is None else [time],
        }
        for name, time in seconds.items()
    ]
    return {"size": size, "entrants": entrants}


CURVE = {
    "name": "toy",
    "operation": "toy",
    "title": "a toy",
    "counts": "blocks",
    "points": [
        point(1_000, mdcv=0.001, tree=0.004, tree_quick=0.003, gone=None),
        point(10_000, mdcv=0.01, tree=0.04, tree_quick=0.05),
        point(100_000, mdcv=0.1),
    ],
}


def test_a_line_is_the_faster_variant_at_each_size():
    assert lines(CURVE) == {
        "mdcv": {1_000: 0.001, 10_000: 0.01, 100_000: 0.1},
        "tree": {1_000: 0.003, 10_000: 0.04},
    }


def test_the_picture_has_a_panel_per_curve_and_is_small(tmp_path):
    place = {"processor": "Toy 9000", "gpu": None}
    results = {
        "curves": [CURVE] * 4,
        "runs": [{"threads": 1}],
        "device": "cpu",
        "machine": place,
    }
    figure = growth(results)
    axes = figure.axes[0]
    assert len(figure.axes) == 4 and figure.get_suptitle() == "Toy 9000, one thread"
    assert [line.get_label() for line in axes.lines] == ["mdcv", "tree"]
    assert list(axes.lines[1].get_ydata()) == [3.0, 40.0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1k", "10k", "100k"]
    figure.savefig(tmp_path / "growth.png", dpi=100)
    assert (tmp_path / "growth.png").stat().st_size < 200_000


def test_sizes_are_short():
    assert [in_short(n) for n in (256, 2048, 3_000, 1_000_000)] == ["256", "2048", "3k", "1M"]
