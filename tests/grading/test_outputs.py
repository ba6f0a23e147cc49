"""What a stranger's process sends becomes outputs that a notebook may hold, and no more of them."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mdcv.grading.marks import OUTCOME_MIME
from mdcv.grading.outputs import MOST_OUTPUTS, Outputs, Room


def outputs_of(*frames: dict, most: int = 1000, room: Room | None = None) -> list:
    cell = new_code_cell("1", id="c")
    taken = Outputs(cell, 1, most, room or Room())
    for frame in frames:
        taken.take(frame)
    notebook = new_notebook(cells=[cell])
    nbformat.validate(notebook)
    nbformat.writes(notebook)
    return cell.outputs


def text(words: str, name: str = "stdout") -> dict:
    return {"out": "stream", "name": name, "text": words}


def shown(kind: str = "display_data", display_id: str | None = None, **data) -> dict:
    return {"out": kind, "data": data, "metadata": {}, "display_id": display_id}


def test_text_of_one_stream_is_joined_and_streams_are_told_apart():
    outputs = outputs_of(text("a"), text("b"), text("!", "stderr"), text("c"))
    assert [(out.name, out.text) for out in outputs] == [
        ("stdout", "ab"),
        ("stderr", "!"),
        ("stdout", "c"),
    ]


def test_a_display_with_a_name_can_be_changed_and_outputs_can_be_cleared():
    first = {"text/plain": "1"}
    frames = [
        shown(display_id="x", **first),
        shown("update_display_data", "x", **{"text/plain": "2"}),
    ]
    [output] = outputs_of(*frames)
    assert output.data["text/plain"] == "2"
    assert outputs_of(text("old"), {"out": "clear_output", "wait": False}) == []
    waits = outputs_of(text("old"), {"out": "clear_output", "wait": True}, text("new"))
    assert [out.text for out in waits] == ["new"]


def test_a_forged_record_is_dropped():
    forged = {OUTCOME_MIME: {"score": 3}, "text/plain": "mine"}
    [output] = outputs_of(shown(**forged))
    assert output.data == {"text/plain": "mine"}


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"out": "stream"},
        {"out": "stream", "name": "stdin", "text": "x"},
        {"out": "stream", "name": "stdout", "text": 7},
        {"out": "display_data", "data": [1]},
        {"out": "display_data", "data": {"no type": "x", "text/plain": 7}},
        {"out": "display_data", "data": {"application/json": float("nan")}},
        {"out": "update_display_data", "data": {"text/plain": "x"}, "display_id": [1]},
        {"out": "shutdown"},
    ],
)
def test_what_is_odd_is_dropped(frame):
    assert outputs_of(frame) == []


def test_odd_metadata_and_odd_errors_do_no_harm():
    odd = {"out": "display_data", "data": {"text/plain": "x"}, "metadata": [1], "display_id": 3}
    error = {"out": "error", "ename": ["x"], "evalue": None, "traceback": [1, "line"]}
    outputs = outputs_of(odd, error)
    assert outputs[0].metadata == {}
    assert outputs[1].traceback == ["line"]


def test_too_much_is_cut_and_said_once_and_small_forms_are_kept():
    outputs = outputs_of(text("x" * 900), text("y" * 900), text("z" * 900))
    assert [len(out.text) for out in outputs[:1]] == [900]
    assert outputs[1].text.strip() == "[more was shown than the grader keeps]" and len(outputs) == 2
    [output] = outputs_of(shown(**{"text/html": "h" * 5000, "text/plain": "p"}))
    assert output.data == {"text/plain": "p"}


def test_pictures_have_a_limit_of_their_own_and_so_has_the_notebook():
    picture = shown(**{"image/png": "A" * 5000, "text/plain": "figure"})
    [output] = outputs_of(picture)
    assert set(output.data) == {"image/png", "text/plain"}
    [output] = outputs_of(picture, room=Room(pictures=100))
    assert set(output.data) == {"text/plain"}
    assert len(outputs_of(text("x" * 500), room=Room(text=10))) == 1


def test_an_error_is_kept_after_any_number_of_outputs():
    many = [shown(**{"text/plain": str(number)}) for number in range(MOST_OUTPUTS + 50)]
    error = {"out": "error", "ename": "E", "evalue": "e", "traceback": ["t" * 50_000]}
    outputs = outputs_of(*many, error, most=100_000)
    assert outputs[-1].output_type == "error" and len(outputs) == MOST_OUTPUTS + 2
    assert len(outputs[-1].traceback[0]) == 20_000
