"""The plan of a view: links stay links, the longer path decides, what is missing is left out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mdcv.grading.walls import landlock
from mdcv.grading.walls.landlock import READ, READ_DIR
from mdcv.grading.walls.readable import LIBRARY, WALLS, python_environment
from mdcv.grading.walls.view import Step, plan


@pytest.fixture
def packages(tmp_path):
    """A folder of packages, one of which is half hidden."""
    for name in ("numpy/a.py", "mdcv/seeds.py", "mdcv/points/chamfer.py", "top.py"):
        path = tmp_path / "packages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "packages"


def steps_at(folder: Path, **lists) -> list[tuple[str, str]]:
    """The steps below a folder, without the folders on the way."""
    return [
        (step.make, os.path.relpath(step.path, folder))
        for step in plan(**lists)
        if Path(step.path).is_relative_to(folder) and step.make != "folder"
    ]


def test_a_hidden_folder_is_covered_and_parts_of_it_shown_on_top(packages):
    steps = steps_at(
        packages,
        readable=[packages, packages / "mdcv/seeds.py"],
        hidden=[packages / "mdcv"],
    )
    assert steps == [("show", "."), ("cover", "mdcv"), ("show", "mdcv/seeds.py")]


def test_a_hidden_file_is_shown_empty(packages):
    hidden = packages / "top.py"
    assert Step("show", str(hidden), os.devnull) in plan(readable=[packages], hidden=[hidden])


def test_what_lies_in_a_shown_folder_needs_no_step(packages):
    assert plan(readable=[packages, packages / "numpy"]) == plan(readable=[packages])


def test_what_is_missing_is_left_out(packages):
    assert plan(readable=[packages / "nothing"], hidden=[packages / "neither"]) == []


def test_links_stay_links_and_lead_somewhere(tmp_path):
    (tmp_path / "real" / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    steps = steps_at(tmp_path, readable=[tmp_path / "link" / "below"])
    assert steps == [("link", "link"), ("show", "real/below")]


def test_absolute_links_work_too(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert steps_at(tmp_path, readable=[tmp_path / "link"]) == [("link", "link"), ("show", "real")]


def test_no_link_leads_around_what_is_hidden(packages, tmp_path):
    (packages / "alias").symlink_to("mdcv")
    (tmp_path / "link").symlink_to("packages")
    lists = {"readable": [tmp_path / "link"], "hidden": [packages / "mdcv"]}
    steps = plan(**lists)
    assert Step("cover", str(packages / "mdcv")) in steps
    assert Step("link", str(tmp_path / "link"), "packages") in steps
    rules = dict(landlock.spread(**lists))
    assert set(rules) == {packages, packages / "numpy", packages / "top.py"}
    assert rules[packages] == READ_DIR


def test_two_ways_to_one_folder_are_both_there(packages, tmp_path):
    (tmp_path / "link").symlink_to("packages")
    for readable in ([packages, tmp_path / "link"], [tmp_path / "link", packages]):
        made = [step.make for step in plan(readable=readable) if step.make != "folder"]
        assert sorted(made) == ["link", "show"]


def test_links_in_a_circle_are_left_out(tmp_path):
    (tmp_path / "circle").symlink_to("circle")
    assert plan(readable=[tmp_path / "circle"]) == []


def test_landlock_opens_a_folder_up_where_something_in_it_is_hidden(packages):
    rules = dict(landlock.spread([packages, packages / "mdcv/seeds.py"], [packages / "mdcv"]))
    assert rules == {
        packages: READ_DIR,
        packages / "numpy": READ,
        packages / "top.py": READ,
        packages / "mdcv/seeds.py": READ,
    }


def test_landlock_needs_one_rule_where_nothing_is_hidden(packages):
    assert list(landlock.spread([packages], [])) == [(packages, READ)]


def test_the_environment_holds_this_python_and_not_this_library():
    import numpy

    environment = python_environment()

    def covered(path):
        return any(path == shown or shown in path.parents for shown in environment)

    assert covered(Path(numpy.__file__)) and covered(Path(os.path.realpath(os.sys.executable)))
    assert not covered(Path("/etc/passwd")) and not covered(Path("/home"))
    assert LIBRARY not in environment
    assert all(path.exists() for path in (*environment, *WALLS))
