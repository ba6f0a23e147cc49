"""The catalog: every row of the goals, cases that can tell right from wrong, seeded inputs."""

from __future__ import annotations

import pytest
import torch
from bench import clouds, grouping, surfaces, transport
from bench.__main__ import thread_settings
from bench.agreement import relative_gap, same_indices, within
from bench.catalog import CASES, CURVES, OPERATIONS
from bench.machine import cores

CPU = torch.device("cpu")
GOALS = {
    "chamfer-backward-16x2048": [(20, "pytorch3d"), (60, "torch cdist")],
    "nearest-cube-10000": [(3, "SciPy cKDTree")],
    "nearest-cube-100000": [(3, "SciPy cKDTree")],
    "nearest-sphere-10000": [(3, "SciPy cKDTree")],
    "nearest-sphere-100000": [(3, "SciPy cKDTree")],
    "nearest-clusters-10000": [(2, "SciPy cKDTree")],
    "nearest-clusters-100000": [(2, "SciPy cKDTree")],
    "earth-movers-sphere-cube-2048": [(3, "POT")],
    "earth-movers-sphere-sphere-2048": [(3, "POT")],
    "earth-movers-lattice-2048": [(3, "POT")],
    "earth-movers-duplicates-2048": [(3, "POT")],
    "farthest-10000-1024": [(1.5, "fpsample bucket, height 5")],
    "farthest-100000-4096": [(1.2, "fpsample bucket, height 5")],
    "ball-query-20000-2048": [(2, "torch-cluster"), (15, "torch cdist + topk")],
    "nms-spread-1000": [(4, "torchvision")],
    "nms-spread-10000": [(20, "torchvision")],
    "nms-clustered-10000": [(5, "torchvision")],
    "batched-nms-10000": [(2.5, "torchvision")],
    "box-iou-10000x2000": [(10, "torchvision")],
    "roi-align-forward": [(4, "torchvision")],
    "roi-align-backward": [(4, "torchvision")],
    "frechet-distance-2048": [(2, "torchmetrics")],
    "fid-1000x2048": [(20, "torchmetrics")],
    "marching-cubes-256": [(1.5, "scikit-image")],
}


def test_the_goals_are_those_that_were_set():
    found = {
        name: [(goal.times, goal.peers[0]) for goal in case.goals]
        for name, case in CASES.items()
        if case.goals
    }
    assert found == GOALS


@pytest.mark.parametrize("name", CASES)
def test_a_goal_names_peers_that_take_part(name):
    case = CASES[name]
    names = [entrant.name for entrant in (case.ours, *case.peers)]
    assert len(set(names)) == len(names) and names[0] == "mdcv"
    for goal in case.goals:
        assert set(goal.peers) <= set(names)


def test_curves_belong_to_measured_operations():
    assert {curve.operation for curve in CURVES.values()} <= set(OPERATIONS)


@pytest.mark.parametrize("cloud", [clouds.cube, clouds.sphere, clouds.clusters])
def test_clouds_repeat_themselves_and_seeds_differ(cloud):
    assert torch.equal(cloud(64, 1), cloud(64, 1))
    assert not torch.equal(cloud(64, 1), cloud(64, 2))


@pytest.mark.parametrize("n", [64, 256, 2048, 4096])
def test_a_lattice_has_as_many_nodes_as_asked_for(n):
    assert clouds.lattice(n, 0.5).unique(dim=0).shape == (n, 3)


def test_duplicates_come_in_pairs():
    _, counts = clouds.duplicated(clouds.cube(64, 1)).unique(dim=0, return_counts=True)
    assert counts.tolist() == [2] * 32


def test_a_relative_gap_sees_values_shapes_and_zeros():
    assert relative_gap(torch.tensor([3.0, 4.0]), torch.tensor([3.0, 5.0])) == pytest.approx(
        1 / 34**0.5
    )
    assert relative_gap(torch.ones(2), torch.ones(3)) == float("inf")
    assert relative_gap(0.0, 0.0) == 0.0 and relative_gap(1.0, 0.0) == float("inf")


def test_a_nan_never_agrees():
    compare = within({"value": 1e-3})
    assert compare({}, {"value": torch.tensor(1.0)}, {"value": torch.tensor(1.0)}) is None
    assert compare({}, {"value": torch.tensor(1.0)}, {"value": torch.tensor(torch.nan)})


def test_indices_that_differ_are_counted():
    assert same_indices({}, torch.tensor([1, 2, 3]), torch.tensor([1, 3, 2])) == (
        "2 of 3 indices differ"
    )
    assert same_indices({}, torch.tensor([1, 2]), torch.tensor([1, 2])) is None


def test_a_choice_that_is_not_farthest_is_found():
    points = torch.tensor([[0.0], [1.0], [3.0], [10.0]])
    assert grouping.first_fault(points, torch.tensor([0, 3, 2]), None) is None
    assert grouping.first_fault(points, torch.tensor([0, 2, 3]), 1e-5) == 1
    assert grouping.first_fault(points, torch.tensor([0, 3, 1]), 1e-5) == 2


def test_a_tie_may_go_either_way_for_peers_but_not_for_us():
    points = torch.tensor([[0.0], [1.0], [-1.0]])
    assert grouping.first_fault(points, torch.tensor([0, 2]), 1e-5) is None
    assert grouping.first_fault(points, torch.tensor([0, 2]), None) == 1


def test_a_cost_outside_its_certificate_disagrees():
    compare = CASES["earth-movers-lattice-2048"].compare
    assert compare({}, {"cost": 100.05}, 100.0) is None
    assert compare({}, {"cost": 100.2}, 100.0)
    assert compare({}, {"cost": 99.0}, 100.0)  # a peer that is worse than ours is not exact
    assert transport.CASES[0].verify({}, {"gap": 2e-3}) == "a gap of 0.002 is certified"


def test_balls_are_compared_but_for_their_rims(monkeypatch):
    monkeypatch.setattr(grouping, "MOST", 2)
    compare = CASES["ball-query-20000-2048"].compare
    points = torch.tensor([[[0.0], [0.05], [0.06], [0.5]]])
    inputs = {"points": points, "centers": torch.tensor([[[0.0]]])}
    assert compare(inputs, torch.tensor([[0, 1]]), torch.tensor([[0, 2]])) is None
    assert compare(inputs, torch.tensor([[0, 1]]), torch.tensor([[0, 3]]))
    assert compare(inputs, torch.tensor([[0, 1]]), torch.tensor([[0, -1]]))
    inputs["points"] = torch.tensor([[[0.0], [0.1]]])
    assert compare(inputs, torch.tensor([[0, 1]]), torch.tensor([[0, -1]])) is None


def test_a_mesh_is_measured_by_area_and_volume():
    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    measured = surfaces._measured((corners, faces))
    assert measured["area"] == pytest.approx(1.5 + 3**0.5 / 2)
    assert measured["enclosed volume"] == pytest.approx(1 / 6)


def test_threads_are_one_all_or_both():
    assert thread_settings("cpu", "one") == [1]
    assert thread_settings("cpu", "all") == [cores()]
    assert thread_settings("cpu", "both") == list(dict.fromkeys([1, cores()]))
    assert thread_settings("cuda", "both") == [cores()]
