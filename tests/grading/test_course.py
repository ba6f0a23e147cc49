"""Where a course lies, and what stays the same in it."""

from __future__ import annotations

import dataclasses
import os

import pytest

from mdcv.grading.course import CannotRun, find_course, open_course, read_config


def test_the_course_of_the_repository_has_its_folders_where_the_readme_says():
    course = find_course()
    assert course.source == course.root.parent / "solutions"
    assert course.release == course.root.parent / "assignments"
    assert course.database == f"sqlite:///{course.root / 'gradebook.db'}"


def test_a_course_is_found_from_any_folder_inside_its_repository(toy, monkeypatch):
    deep = toy.source / "toy"
    monkeypatch.chdir(deep)
    assert find_course() == toy


def test_a_named_folder_wins_and_must_hold_a_configuration(toy, tmp_path):
    assert find_course(toy.root) == toy
    with pytest.raises(CannotRun, match=r"it holds no nbgrader_config\.py"):
        find_course(tmp_path)


def test_a_configuration_that_does_not_run_is_named(toy):
    toy.config_file.write_text("c.CourseDirectory = = 3")
    with pytest.raises(CannotRun, match="does not run: invalid syntax"):
        open_course(toy.root)


@pytest.mark.parametrize("text", ["", "c.CourseDirectory.source_directory = '../a/../b'"])
def test_what_a_configuration_leaves_open_is_as_in_nbgrader(tmp_path, text):
    from nbgrader.coursedir import CourseDirectory

    (tmp_path / "nbgrader_config.py").write_text(f"c = get_config()\n{text}\n")
    course = open_course(tmp_path)
    config = read_config(course.config_file)
    config.CourseDirectory.root = str(tmp_path)
    directory = CourseDirectory(config=config)
    assert course.database == directory.db_url
    for step in ("source", "release", "submitted", "autograded", "feedback"):
        named = os.path.normpath(tmp_path / getattr(directory, f"{step}_directory"))
        assert str(getattr(course, step)) == named


def test_a_folder_that_is_no_text_is_refused(toy):
    toy.config_file.write_text("c = get_config()\nc.CourseDirectory.source_directory = 3\n")
    with pytest.raises(CannotRun, match="sets source_directory to 3; expected text"):
        open_course(toy.root)


def test_folders_that_were_replaced_reach_nbgrader(toy, tmp_path):
    moved = dataclasses.replace(toy, submitted=tmp_path / "elsewhere", database="sqlite:////x.db")
    directory = moved.directory("toy")
    assert directory.format_path(directory.submitted_directory, "ada", "toy") == str(
        tmp_path / "elsewhere/ada/toy"
    )
    assert directory.db_url == "sqlite:////x.db"


def test_an_unknown_assignment_is_refused_with_those_that_are_there(toy):
    assert toy.assignments() == ["toy"]
    with pytest.raises(CannotRun, match="no assignment 'a9'; there are: toy"):
        toy.notebook("a9")


def test_the_seed_stays_and_differs_between_assignments_and_courses(toy, tmp_path):
    first = toy.seed("toy")
    assert toy.seed("toy") == first
    assert toy.seed("other") != first
    other = dataclasses.replace(toy, root=tmp_path)
    assert other.seed("toy") != first
    assert (toy.root / ".secret").stat().st_mode & 0o077 == 0
    assert 0 <= first < 2**63


@pytest.mark.parametrize("left", ["", " \n"])
def test_an_empty_secret_that_a_death_left_is_made_anew(toy, left):
    (toy.root / ".secret").write_text(left)
    seed = toy.seed("toy")
    assert seed == toy.seed("toy")
    assert len((toy.root / ".secret").read_text().strip()) == 32
    assert (toy.root / ".secret").stat().st_mode & 0o077 == 0
    assert [path.name for path in toy.root.glob(".secret*")] == [".secret"]


def test_a_secret_that_is_no_text_is_named(toy):
    (toy.root / ".secret").write_bytes(b"\xff\xfe")
    with pytest.raises(CannotRun, match=r"secret .* cannot be used"):
        toy.seed("toy")
