"""The doctor finds what is broken, and says so."""

from __future__ import annotations

from importlib import metadata

import pytest

from mdcv.grading.course import CannotRun, find_course
from mdcv.grading.doctor import BROKEN, GOOD, NOTE, examine, find_course_or_none
from mdcv.grading.walls import best_isolation


@pytest.fixture
def hurried(monkeypatch):
    """Leaves out what takes seconds: compiling, and making a gradebook."""
    for look in ("_kernels", "_gradebook"):
        monkeypatch.setattr(f"mdcv.grading.doctor.{look}", lambda: iter(()))


def test_this_machine_is_well_and_isolation_is_told_honestly():
    findings = list(examine(find_course()))
    assert [finding for finding in findings if finding.state == BROKEN] == []
    assert {"Python", "packages", "torch", "kernels", "alembic", "gradebook", "course", "disk"} < {
        finding.what for finding in findings if finding.state == GOOD
    }
    told = [finding.words for finding in findings if finding.what == "isolation"]
    assert told[0].startswith(best_isolation() + ": ")


def told_about_isolation(monkeypatch, best, **obstacles):
    """What the doctor says where the better walls fail."""
    walls = "mdcv.grading.walls"
    monkeypatch.setattr(f"{walls}.best_isolation", lambda: best)
    monkeypatch.setattr(f"{walls}.obstacle", obstacles.get)
    monkeypatch.setattr(f"{walls}.advice", lambda: ["Get a newer kernel."])
    monkeypatch.setattr(f"{walls}.bubblewrap_obstacle", lambda: obstacles.get("bubblewrap"))
    return [f for f in examine(None) if f.what in ("isolation", "bubblewrap")]


def test_the_better_walls_that_fail_are_named_with_what_to_do(hurried, monkeypatch):
    found = told_about_isolation(monkeypatch, "basic", full="unshare: not permitted")
    assert [finding.state for finding in found] == [NOTE, NOTE, NOTE]
    assert found[0].words.startswith("basic: ")
    assert found[1].words == "not full: unshare: not permitted"
    assert found[2].words == "Get a newer kernel."


def test_without_any_wall_the_warning_is_plain(hurried, monkeypatch):
    found = told_about_isolation(monkeypatch, "none", full="no unshare", basic="no Landlock")
    assert "Grade only what you would run yourself" in found[0].words
    assert [f.words for f in found[1:3]] == ["not full: no unshare", "not basic: no Landlock"]


def test_full_isolation_without_bubblewrap_is_good_and_could_be_better(hurried, monkeypatch):
    good, note = told_about_isolation(monkeypatch, "full", bubblewrap="not installed")
    assert (good.state, note.state) == (GOOD, NOTE)
    assert note.words == "no second wall round the first: not installed"
    assert len(told_about_isolation(monkeypatch, "full")) == 1


def test_old_and_missing_packages_are_broken(toy, hurried, monkeypatch):
    installed = metadata.version

    def version(name: str) -> str:
        if name == "rich":
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "torch" else installed(name)

    monkeypatch.setattr(metadata, "version", version)
    words = [finding.words for finding in examine(toy) if finding.state == BROKEN]
    assert len(words) == 2
    assert words[0].startswith("torch is 0.1 (>=") and words[1].startswith("rich is missing")


@pytest.mark.parametrize(
    ("package", "extra"), [("distributed", "cluster"), ("psycopg", "postgres")]
)
def test_what_only_some_courses_want_is_a_note_with_the_way_to_get_it(
    toy, hurried, monkeypatch, package, extra
):
    installed = metadata.version

    def version(name: str) -> str:
        if name == package:
            raise metadata.PackageNotFoundError(name)
        return "9999" if name in ("distributed", "psycopg", "cryptography") else installed(name)

    monkeypatch.setattr(metadata, "version", version)
    found = {f.what: f for f in examine(toy) if f.what in ("cluster", "postgres")}
    assert [what for what, finding in found.items() if finding.state == NOTE] == [extra]
    assert f"{package} is missing" in found[extra].words
    assert found[extra].words.endswith(f"pip install -e '.[{extra}]'")
    assert BROKEN not in {finding.state for finding in found.values()}


def test_a_program_that_is_not_there_is_broken(toy, hurried, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    broken = {finding.what for finding in examine(toy) if finding.state == BROKEN}
    assert broken == {"jupyter", "nbgrader", "alembic"}


def test_what_raises_on_the_way_is_a_finding(hurried, monkeypatch):
    def fails():
        raise OSError("no disk")

    monkeypatch.setattr("mdcv.grading.doctor._torch", fails)
    [finding] = [finding for finding in examine(None) if finding.state == BROKEN]
    assert (finding.what, finding.words) == ("torch", "OSError: no disk")


def test_without_a_course_it_looks_at_the_rest(hurried, tmp_path):
    assert find_course_or_none(None) is not None
    with pytest.raises(CannotRun):
        find_course_or_none(tmp_path)
    findings = {finding.what: finding.state for finding in examine(None)}
    assert findings["course"] == NOTE
