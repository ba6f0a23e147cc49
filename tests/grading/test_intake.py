"""A submission is rebuilt where the student's work is clear, and reported always."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from mdcv.grading.intake import Unreadable, copy_files, find_notebook, read_cells, rebuild
from mdcv.grading.skeleton import grade_id_of, load_skeleton


@pytest.fixture
def skeleton(toy):
    return load_skeleton(toy.notebook("toy"), toy.config())


@pytest.fixture
def rebuilt(skeleton, pupil, tmp_path):
    """Hands a changed notebook in, reads it again and rebuilds it."""

    def run(change):
        student = pupil().answers(double="return 2 * x", triple="return 3 * x", why="I know.")
        content = json.loads(nbformat.writes(student.notebook))
        change(content["cells"])
        path = tmp_path / "handed.ipynb"
        path.write_text(json.dumps(content))
        return rebuild(read_cells(path), skeleton)

    return run


def by_id(cells: list[dict], name: str) -> int:
    return next(index for index, cell in enumerate(cells) if cell["id"] == name)


def sources(notebook) -> dict[str, str]:
    return {grade_id_of(cell): cell.source for cell in notebook.cells if grade_id_of(cell)}


def test_an_honest_submission_keeps_its_answers_and_gets_the_hidden_cases(rebuilt):
    notebook, problems = rebuilt(lambda cells: None)
    assert problems == []
    assert sources(notebook)["double-solution"] == "def double(x):\n    return 2 * x"
    assert sources(notebook)["why"] == "I know."
    assert 'grade("double", double, points=3)' in sources(notebook)["double"]
    nbformat.validate(notebook)


def test_cells_that_a_student_added_stay_where_they_stood_and_lose_their_tags(rebuilt):
    def change(cells):
        helper = new_code_cell("helper = 2", id="mine", metadata={"tags": ["skip-execution"]})
        cells.insert(by_id(cells, "double-solution"), helper)
        cells.append({**new_markdown_cell("bye"), "id": "not a good id"})

    notebook, problems = rebuilt(change)
    ids = [cell.id for cell in notebook.cells]
    assert problems == []
    assert ids.index("mine") == ids.index("double-solution") - 1
    assert notebook.cells[ids.index("mine")].metadata == {}
    assert notebook.cells[-1].source == "bye"
    assert len(set(ids)) == len(ids)


def test_a_duplicated_test_cell_counts_once(rebuilt):
    notebook, problems = rebuilt(lambda cells: cells.append(dict(cells[by_id(cells, "double")])))
    assert [cell.id for cell in notebook.cells].count("double") == 1
    assert problems == ["the locked cell double was there 2 times; it counts once"]


def test_of_two_answers_the_first_that_was_written_in_counts(rebuilt, skeleton):
    def change(cells):
        index = by_id(cells, "double-solution")
        untouched = {**cells[index], "source": skeleton.released_source("double-solution")}
        later = {**cells[index], "source": "def double(x):\n    return 0"}
        cells[index:index] = [untouched]
        cells.append(later)

    notebook, problems = rebuilt(change)
    assert sources(notebook)["double-solution"] == "def double(x):\n    return 2 * x"
    assert "was there 3 times; the first one that was written in counts" in problems[0]


def test_a_deleted_test_cell_is_put_back(rebuilt):
    notebook, problems = rebuilt(lambda cells: cells.pop(by_id(cells, "triple")))
    assert 'grade("triple"' in sources(notebook)["triple"]
    assert problems == ["the locked cell triple was missing; it was put back"]


def test_a_deleted_answer_is_reported_and_the_others_stay(rebuilt):
    notebook, problems = rebuilt(lambda cells: cells.pop(by_id(cells, "triple-solution")))
    assert "NotImplementedError" in sources(notebook)["triple-solution"]
    assert sources(notebook)["double-solution"].endswith("return 2 * x")
    assert problems == ["the answer cell triple-solution was missing"]


def test_a_retyped_answer_is_code_again(rebuilt):
    def change(cells):
        cell = cells[by_id(cells, "double-solution")]
        cell["cell_type"] = "markdown"
        del cell["outputs"], cell["execution_count"]

    notebook, problems = rebuilt(change)
    cell = next(cell for cell in notebook.cells if cell.id == "double-solution")
    assert (cell.cell_type, cell.source) == ("code", "def double(x):\n    return 2 * x")
    assert "was of type markdown; it was read as code" in problems[0]


def test_an_edited_test_and_toggled_metadata_come_from_the_release(rebuilt):
    def change(cells):
        judged = cells[by_id(cells, "double")]
        judged["source"] = "3.0"
        judged["metadata"]["nbgrader"].update(points=300, locked=False, solution=True, grade=False)
        judged["metadata"]["tags"] = ["raises-exception"]

    notebook, problems = rebuilt(change)
    cell = next(cell for cell in notebook.cells if cell.id == "double")
    assert cell.metadata.nbgrader["points"] == 3
    assert cell.metadata.nbgrader["grade"] and not cell.metadata.nbgrader["solution"]
    assert "tags" not in cell.metadata
    assert 'grade("double"' in cell.source
    assert problems == ["the locked cell double was changed; the original was used"]


def test_answers_without_any_metadata_are_found_by_id_or_by_the_function_they_define(rebuilt):
    def change(cells):
        for number, cell in enumerate(cells):
            cell["metadata"] = {}
            if cell["id"] == "double-solution":
                cell["id"] = f"other-{number}"

    notebook, problems = rebuilt(change)
    assert sources(notebook)["double-solution"].endswith("return 2 * x")
    assert sources(notebook)["triple-solution"].endswith("return 3 * x")
    assert "the answer cell double-solution had lost its name" in " ".join(problems)


def test_cells_without_a_name_are_the_students_to_change(rebuilt):
    def change(cells):
        cells[by_id(cells, "title")]["source"] = "# My toy"

    notebook, problems = rebuilt(change)
    assert notebook.cells[0].source == "# My toy"
    assert problems == []


@pytest.mark.parametrize(
    "damage",
    [
        {"metadata": None},
        {"metadata": {"nbgrader": ["grade"]}},
        {"metadata": {"nbgrader": {"grade_id": 7}}},
        {"source": None},
        {"source": ["def double(x):\n", 3, "    return 2 * x"]},
        {"source": "print('\ud800')"},
        {"cell_type": "python"},
        {"attachments": "none"},
        {"id": 12},
    ],
)
def test_no_damage_to_a_cell_is_fatal(rebuilt, damage):
    notebook, _ = rebuilt(lambda cells: cells[by_id(cells, "double-solution")].update(damage))
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode("utf-8")
    assert sources(notebook)["triple-solution"].endswith("return 3 * x")


def test_another_notebook_is_refused(skeleton, tmp_path):
    path = tmp_path / "other.ipynb"
    path.write_text(json.dumps({"cells": [new_code_cell("1 + 1")], "nbformat": 4}))
    with pytest.raises(Unreadable, match="another notebook"):
        rebuild(read_cells(path), skeleton)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\0\0\0\n", "empty"),
        (b'{"cells": [{"cell_type": "co', "broken"),
        (b"[" * 100_000, "broken"),
        (b"\xff\xfe\x00garbage", "broken"),
        (b"3", "no notebook cells"),
        (b'{"cells": {}}', "no notebook cells"),
        (b'{"cells": [1, null]}', "no notebook cells"),
    ],
)
def test_a_file_without_cells_says_what_it_is(tmp_path, content, reason):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=reason):
        read_cells(path)


def test_a_notebook_of_version_three_is_read(tmp_path):
    cell = {"cell_type": "code", "input": ["def double(x):\n", "    return 2 * x"]}
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": [cell]}]}))
    assert read_cells(path)[0].source == "def double(x):\n    return 2 * x"


def place(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return folder


def test_the_notebook_in_its_place_is_taken_whatever_lies_beside_it(tmp_path):
    folder = place(tmp_path, "toy/toy.ipynb", "toy/draft.ipynb")
    assert find_notebook(folder, "toy") == (folder / "toy/toy.ipynb", [])


@pytest.mark.parametrize("name", ["toy/toy (1).ipynb", "Untitled.ipynb"])
def test_a_single_notebook_of_another_name_or_place_is_taken_and_reported(tmp_path, name):
    path, problems = find_notebook(place(tmp_path, name), "toy")
    assert path == tmp_path / name
    assert problems == [f"the notebook is {name}; expected toy/toy.ipynb"]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["toy/readme.txt"], "no notebook was handed in"),
        (["toy/.ipynb_checkpoints/toy.ipynb"], "no notebook was handed in"),
        (["toy/a.ipynb", "toy/b.ipynb"], "several notebooks and none named toy.ipynb: a.ipynb, b"),
    ],
)
def test_without_one_clear_notebook_it_says_what_is_there(tmp_path, names, reason):
    with pytest.raises(Unreadable, match=reason):
        find_notebook(place(tmp_path, *names), "toy")


@pytest.mark.parametrize("linked", ["toy/toy.ipynb", "toy"])
def test_a_link_is_no_notebook(tmp_path, linked):
    elsewhere, folder = place(tmp_path / "elsewhere", "toy/toy.ipynb"), tmp_path / "ada"
    (folder / linked).parent.mkdir(parents=True)
    os.symlink(elsewhere / linked, folder / linked)
    with pytest.raises(Unreadable, match="no notebook"):
        find_notebook(folder, "toy")


def test_files_beside_the_notebook_come_along_but_links_and_hiding_modules_do_not(tmp_path):
    source, target = tmp_path / "from", tmp_path / "to"
    place(source, "data/points.csv", "helper.py", "torch.py", "numpy/__init__.py", "a.ipynb")
    place(source, ".hidden", "kept.txt")
    place(target, "kept.txt").joinpath("kept.txt").write_text("ours")
    os.symlink("/etc/hostname", source / "link.txt")
    problems = copy_files(source, target)
    assert sorted(str(path.relative_to(target)) for path in target.rglob("*.*")) == [
        "data/points.csv",
        "helper.py",
        "kept.txt",
    ]
    assert (target / "kept.txt").read_text() == "ours"
    assert problems == [
        "link.txt is a link or no ordinary file; it was left out",
        "torch.py would hide the package torch; it was left out",
        "numpy/__init__.py would hide the package numpy; it was left out",
    ]


def test_what_is_too_large_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr("mdcv.grading.belongings.MAX_COPIED_BYTES", 3)
    source, target = place(tmp_path / "from", "a.txt", "b.txt"), place(tmp_path / "to")
    target.mkdir()
    problems = copy_files(source, target)
    assert (target / "a.txt").exists() and not (target / "b.txt").exists()
    assert "beyond 50 MB" in problems[0]


def test_another_kernel_is_reported_and_the_courses_is_used(skeleton, pupil, tmp_path):
    content = json.loads(nbformat.writes(pupil().answers(double="return 2 * x").notebook))
    path = tmp_path / "a.ipynb"
    for kernel, said in (
        ({"name": "ir", "language": "R"}, "the notebook asks for R; it was run as Python"),
        ({"name": "conda\x1b-mine"}, "the notebook asks for the kernel conda -mine; the course's"),
    ):
        content["metadata"] = {"kernelspec": kernel}
        path.write_text(json.dumps(content))
        notebook, problems = rebuild(read_cells(path), skeleton)
        assert problems[0].startswith(said)
        assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize(
    "change",
    [{"tags": ["skip-execution"]}, {"nbgrader": {"grade_id": "double", "points": 300}}],
)
def test_a_retagged_test_is_reported(rebuilt, change):
    _, problems = rebuilt(lambda cells: cells[by_id(cells, "double")]["metadata"].update(change))
    assert problems == ["the locked cell double had other settings; the original was used"]


def test_a_flood_of_cells_is_cut_and_takes_no_time(rebuilt):
    flood = [{"cell_type": "code", "source": "1", "metadata": {}} for _ in range(100_000)]
    begin = time.process_time()
    notebook, problems = rebuilt(lambda cells: cells.extend(flood))
    assert time.process_time() - begin < 10
    assert problems == ["of the added cells the last 98000 were left out"]
    assert len(notebook.cells) < 2_100


def test_nested_attachments_and_huge_cells_do_no_harm(rebuilt):
    deep: dict = {}
    for _ in range(400):
        deep = {"a": deep}

    def change(cells):
        cells[by_id(cells, "why")]["attachments"] = {"a.png": deep, "b.png": {"image/png": "00"}}
        cells.append({"cell_type": "code", "source": "x" * 2_000_000, "metadata": deep})

    notebook, problems = rebuilt(change)
    why = next(cell for cell in notebook.cells if cell.id == "why")
    assert why.attachments == {"b.png": {"image/png": "00"}}
    assert problems == ["1 cells with more than a million characters were read as empty"]
    nbformat.validate(notebook)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_encodings_are_read(tmp_path, encoding):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": "ü"}]}), encoding)
    assert read_cells(path)[0].source == "ü"


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["toy/toy-2.ipynb", "toy/notes.ipynb"], "toy/toy-2.ipynb"),
        (["toy/Toy.ipynb.txt"], "toy/Toy.ipynb.txt"),
        (["toy/unpacked/toy/toy.ipynb", "toy/__MACOSX/toy.ipynb"], "toy/unpacked/toy/toy.ipynb"),
    ],
)
def test_the_one_notebook_that_can_be_meant_is_taken(tmp_path, names, taken):
    path, problems = find_notebook(place(tmp_path, *names), "toy")
    assert path == tmp_path / taken
    assert problems == [f"the notebook is {taken}; expected toy/toy.ipynb"]


def test_pipes_and_sockets_are_left_alone(tmp_path):
    source, target = place(tmp_path / "from", "toy/kept.txt"), tmp_path / "to"
    target.mkdir()
    os.mkfifo(source / "toy" / "toy.ipynb")
    os.mkfifo(source / "toy" / "data.txt")
    with pytest.raises(Unreadable, match="no notebook was handed in"):
        find_notebook(source, "toy")
    problems = copy_files(source / "toy", target)
    assert problems == ["data.txt is a link or no ordinary file; it was left out"]
    assert [path.name for path in target.iterdir()] == ["kept.txt"]


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["toy/scratch.ipynb", "toy.ipynb"], "toy.ipynb"),
        (["toy/scratch.ipynb", "toy/toy/toy.ipynb"], "toy/toy/toy.ipynb"),
        (["toy/scratch.ipynb", "toy/ada_lovelace_toy.ipynb"], "toy/ada_lovelace_toy.ipynb"),
        (["Toy/TOY.IPYNB", "notes.ipynb"], "Toy/TOY.IPYNB"),
        (["toy/toy.ipynb/toy.ipynb"], "toy/toy.ipynb/toy.ipynb"),
    ],
)
def test_the_right_name_counts_wherever_it_stands(tmp_path, names, taken):
    assert find_notebook(place(tmp_path, *names), "toy")[0] == tmp_path / taken


def test_a_students_folder_that_is_a_link_is_not_followed(tmp_path):
    place(tmp_path / "ada", "toy/toy.ipynb")
    os.symlink("ada", tmp_path / "mallory")
    with pytest.raises(Unreadable, match="folder is a link"):
        find_notebook(tmp_path / "mallory", "toy")


SHOWN = ['{"step": [1, 2', "]]]}\\", 'a "quoted" \\"text\\"', "", "x" * 90_000]


def test_what_a_large_notebook_shows_is_not_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("mdcv.grading.handed_in.MAX_NOTEBOOK_BYTES", 20_000)
    path = tmp_path / "a.ipynb"
    outputs = [{"output_type": "stream", "text": SHOWN, "more": [[], [{"outputs": [1]}]]}]
    source = 'x = {"outputs": [1, 2]}\n"\\"outputs\\": ["'
    cell = {"cell_type": "code", "source": source, "outputs": outputs, "id": "mine"}
    path.write_text(json.dumps({"cells": [cell, {**cell, "id": "other"}]}, indent=1))
    assert [(one.source, one.cell_id) for one in read_cells(path)] == [
        (source, "mine"),
        (source, "other"),
    ]
    for content in ({"cells": [{**cell, "source": "#" * 30_000}]}, {"cells": [["[" * 30_000]]}):
        path.write_text(json.dumps(content))
        with pytest.raises(Unreadable, match="at most 20 MB are read"):
            read_cells(path)


@pytest.mark.parametrize("end", ['"', '\\"' * 50_000, "[" * 90_000, "", '"outputs": ["', "]" * 9])
def test_a_large_broken_notebook_takes_no_time(tmp_path, monkeypatch, end):
    monkeypatch.setattr("mdcv.grading.handed_in.MAX_NOTEBOOK_BYTES", 200_000)
    path = tmp_path / "a.ipynb"
    path.write_text('{"cells": [{"outputs": ["' + "x" * 300_000 + '"]}, "' + end)
    begin = time.process_time()
    with pytest.raises(Unreadable, match="is broken"):
        read_cells(path)
    assert time.process_time() - begin < 2


def test_numbers_of_thousands_of_digits_and_padding_do_no_harm(tmp_path):
    path = tmp_path / "a.ipynb"
    cells = '{"cells": [{"cell_type": "code", "source": "1"}], "worksheets": [], "n": '
    path.write_text(cells + "9" * 5000 + "}\n\0\0\0\n")
    assert read_cells(path)[0].source == "1"


def test_a_file_that_is_too_large_takes_no_other_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr("mdcv.grading.belongings.MAX_COPIED_BYTES", 5)
    source, target = place(tmp_path / "from", "b.txt"), place(tmp_path / "to", "kept")
    (source / "a.txt").write_text("too much")
    assert copy_files(source, target) == ["a.txt is beyond 50 MB; it was left out"]
    assert (target / "b.txt").exists()


def test_of_many_files_that_are_left_out_the_number_is_told(tmp_path):
    source, target = place(tmp_path / "from", "kept.txt"), place(tmp_path / "to", "kept")
    for number in range(300):
        os.symlink("/etc/hostname", source / f"{number}.txt")
    problems = copy_files(source, target)
    assert len(problems) == 21 and problems[-1] == "280 more files were left out"


def test_paths_that_may_not_fit_and_folders_called_like_notebooks_are_left_out(tmp_path):
    deep = "/".join(["d" * 150] * 4)
    source = place(tmp_path / "from", "kept.txt", f"{deep}/x.txt", "toy.ipynb/x.txt", "B.IPYNB")
    (tmp_path / "to").mkdir()
    problems = copy_files(source, tmp_path / "to")
    assert len(problems) == 1 and "more than 500 bytes; it was left out" in problems[0]
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["kept.txt"]
