"""The rules themselves: a small lecture that keeps them all, and one bad example per rule."""

from __future__ import annotations

import copy

import lecture_rules as rules
import pytest

HEADER = """# 09 · A small lecture

After it you will be able to add. It takes 2 minutes. **Prerequisites:** none.

| notation | variable | shape |
|---|---|---|
| $x$ | `x` | a number |
"""

EQUATION = """## {k}. Block {k}

The sum of two numbers does not depend on their order.

$$
a + {k} = {k} + a \\tag{{9.{k}}}
$$
"""


def text(cell_id: str, source: str) -> dict:
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": source}


def code(cell_id: str, source: str) -> dict:
    return {
        "cell_type": "code",
        "id": cell_id,
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


@pytest.fixture
def lecture() -> dict:
    """A lecture of four blocks with one equation each."""
    body = [text("header", HEADER)]
    for k in range(1, 5):
        body.append(text(f"block-{k}", EQUATION.format(k=k)))
        body.append(code(f"claim-{k}", f'claim("9.{k}", a + {k}, {k} + a)'))
    body += [
        text("predict-sum", "**Predict.** Will it hold? Write your answer down."),
        code("predict-sum-answer", "prediction = None"),
        code("slider", "slider_with_fallback(draw)"),
        text("exercises", "## Exercises\n\nFind a number; see [the notes](notes.md)."),
        code("exercise-number", 'claim("exercise A", mine, 3)'),
        text("references", "## References\n\nA book, [online](https://arxiv.org/abs/1612.00603)."),
        text("filler", "word " * 2600),
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": rules.METADATA, "cells": body}


def find(lecture: dict, cell_id: str) -> dict:
    return next(cell for cell in lecture["cells"] if cell["id"] == cell_id)


def remove(lecture: dict, cell_id: str) -> None:
    lecture["cells"].remove(find(lecture, cell_id))


def the_one(problems: list[str]) -> str:
    """The single breach found; the rule must neither miss it nor find others."""
    assert len(problems) == 1, problems
    return problems[0]


def test_a_good_lecture_keeps_every_rule(lecture, tmp_path):
    (tmp_path / "notes.md").touch()
    assert rules.equation_coverage(lecture, 9) == []
    assert rules.form(lecture) == []
    assert rules.size(lecture) == []
    assert rules.parts(lecture) == []
    assert rules.slider(lecture) == []
    assert rules.links(lecture, tmp_path) == []
    assert rules.shared_definitions({"a": lecture, "b": lecture}) == []
    assert rules.tags(lecture) == ["9.1", "9.2", "9.3", "9.4"]


# Equations


def test_an_equation_without_a_claim_is_found(lecture):
    remove(lecture, "claim-3")
    assert the_one(rules.equation_coverage(lecture, 9)) == "equation 9.3 has 0 claims"


def test_an_equation_with_two_claims_is_found(lecture):
    find(lecture, "claim-3")["source"] += '\nclaim("9.3", a, b)'
    assert the_one(rules.equation_coverage(lecture, 9)) == "equation 9.3 has 2 claims"


def test_a_claim_without_an_equation_is_found(lecture):
    find(lecture, "claim-4")["source"] += '\nclaim("9.7", a, b)'
    assert "'9.7' in cell 'claim-4' has no equation" in the_one(rules.equation_coverage(lecture, 9))


def test_a_claim_in_another_block_than_its_equation_is_found(lecture):
    moved = find(lecture, "claim-1")
    remove(lecture, "claim-1")
    lecture["cells"].insert(lecture["cells"].index(find(lecture, "claim-2")), moved)
    assert "stands in another block" in the_one(rules.equation_coverage(lecture, 9))


def test_a_displayed_equation_without_a_number_is_found(lecture):
    find(lecture, "block-2")["source"] += "\n\n$$ a = a $$"
    assert "0 tags on 'a = a'" in the_one(rules.equation_coverage(lecture, 9))


def test_one_display_with_two_numbers_is_found(lecture):
    find(lecture, "block-4")["source"] += "\n\n$$ a = a \\tag{9.5} \\tag{9.6} $$"
    find(lecture, "claim-4")["source"] += '\nclaim("9.5", a, b)\nclaim("9.6", a, b)'
    assert "2 tags on" in the_one(rules.equation_coverage(lecture, 9))


def test_numbers_of_another_lecture_or_out_of_order_are_found(lecture):
    assert "not ['4.1', '4.2'" in the_one(rules.equation_coverage(lecture, 4))
    swapped = copy.deepcopy(lecture)
    first, second = find(swapped, "block-1"), find(swapped, "block-2")
    first["source"], second["source"] = second["source"], first["source"]
    assert any("are numbered ['9.2', '9.1'" in p for p in rules.equation_coverage(swapped, 9))


def test_displayed_mathematics_in_another_dress_is_found(lecture):
    find(lecture, "block-2")["source"] += "\n\n\\begin{align} a &= a \\end{align}"
    assert "outside $$ ... $$" in the_one(rules.equation_coverage(lecture, 9))


def test_an_equation_inside_fenced_code_is_not_one(lecture):
    find(lecture, "block-2")["source"] += "\n\n```\n$$ a = a $$\n```\n"
    assert rules.equation_coverage(lecture, 9) == []


def test_a_claim_whose_number_is_computed_is_found(lecture):
    find(lecture, "claim-4")["source"] += "\nclaim(name, a, b)"
    assert "not written out" in the_one(rules.equation_coverage(lecture, 9))


@pytest.mark.parametrize(
    ("call", "breach"),
    [
        ('claim("9.2", f(a), f(a))', "compares an expression with itself"),
        ('claim("9.2", 0.5, 1.0)', "compares two constants"),
        ('claim("9.2", lhs=a, rhs=b)', "does not name its two sides by position"),
    ],
)
def test_a_claim_that_cannot_fail_is_found(lecture, call, breach):
    find(lecture, "claim-2")["source"] = call
    assert breach in the_one(rules.equation_coverage(lecture, 9))


def test_a_commented_out_claim_does_not_count(lecture):
    find(lecture, "claim-2")["source"] = '# claim("9.2", a + 2, 2 + a)\n"claim(9.2)"'
    assert the_one(rules.equation_coverage(lecture, 9)) == "equation 9.2 has 0 claims"


# Form and size


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        ({"outputs": [{"output_type": "stream"}]}, "still has outputs"),
        ({"execution_count": 3}, "still has outputs or an execution count"),
        ({"source": " \n"}, "is empty"),
        ({"id": "claim-2"}, "'claim-2' stands 2 times"),
        ({"id": "3f2a9c01"}, "not made of readable words"),
        ({"id": "b1c2d3e4-aaaa-4bbb-8ccc-0123456789ab"}, "not made of readable words"),
        ({"id": "Cell 7"}, "not made of readable words"),
    ],
)
def test_a_cell_out_of_form_is_found(lecture, change, breach):
    find(lecture, "claim-1").update(change)
    assert breach in the_one(rules.form(lecture))


def test_metadata_of_the_writers_machine_are_found(lecture):
    lecture["metadata"] = {**rules.METADATA, "toc": True}
    assert "metadata" in the_one(rules.form(lecture))
    lecture["metadata"], lecture["nbformat_minor"] = rules.METADATA, 4
    assert "nbformat 4.5" in the_one(rules.form(lecture))


def test_prose_too_short_or_too_long_is_found(lecture):
    find(lecture, "filler")["source"] = "word " * 100
    assert "words of prose; expected 2500 to 4000" in the_one(rules.size(lecture))
    find(lecture, "filler")["source"] = "word " * 4100
    assert "words of prose" in the_one(rules.size(lecture))


def test_code_and_mathematics_are_not_words(lecture):
    find(lecture, "filler")["source"] = (
        "```\n" + "word " * 2600 + "\n```\n$$" + "x " * 2600 + "$$ `" + "x " * 2600 + "`"
    )
    assert rules.count_words(lecture) < 200


def test_too_much_code_is_found(lecture):
    lecture["cells"] += [code(f"more-{k}", "x = 1") for k in range(40)]
    assert "code cells; expected at most 35" in the_one(rules.size(lecture))
    lecture["cells"] = [*lecture["cells"][:-40], code("long", "x = 1\n\n" * 350)]
    assert "lines of code; expected at most 350" in the_one(rules.size(lecture))


# Parts


@pytest.mark.parametrize(
    ("part", "breach"),
    [
        ("you will be able to add", "what the reader will learn"),
        ("2 minutes", "the time"),
        ("Prerequisites", "what the reader needs"),
        ("notation", "the notation"),
    ],
)
def test_a_header_with_a_missing_part_is_found(lecture, part, breach):
    find(lecture, "header")["source"] = HEADER.replace(part, "")
    assert breach in the_one(rules.parts(lecture))


@pytest.mark.parametrize(
    ("cell", "breach"),
    [
        ("predict-sum", "no question to predict"),
        ("predict-sum-answer", "writes a prediction"),
        ("exercise-number", "verifies"),
        ("references", "## References"),
        ("block-4", "numbered [1, 2, 3]"),
        ("block-2", "numbered [1, 3, 4]"),
    ],
)
def test_a_missing_part_is_found(lecture, cell, breach):
    remove(lecture, cell)
    assert breach in the_one(rules.parts(lecture))


def test_too_many_blocks_are_found(lecture):
    lecture["cells"] += [text(f"more-{k}", f"## {k}. More") for k in range(5, 9)]
    assert "expected 1 to 4..7" in the_one(rules.parts(lecture))


def test_no_slider_two_sliders_and_one_without_a_fallback_are_found(lecture):
    find(lecture, "slider")["source"] += "\nslider_with_fallback(draw)"
    assert the_one(rules.slider(lecture)) == "2 calls of slider_with_fallback; expected one"
    find(lecture, "slider")["source"] = "slider_with_fallback(draw)\nimport ipywidgets"
    assert "no fallback" in the_one(rules.slider(lecture))
    remove(lecture, "slider")
    assert the_one(rules.slider(lecture)) == "0 calls of slider_with_fallback; expected one"


# Relations to other files


@pytest.mark.parametrize(
    ("link", "breach"),
    [
        ("[a](gone.md)", "gone.md does not exist"),
        ("![a](pictures/gone.png)", "pictures/gone.png does not exist"),
        ("[a](/etc/hosts)", "is absolute"),
        ("[a](http://example.org)", "is not an https address"),
        ("[a](https://example.org)", "belongs into the references"),
    ],
)
def test_a_bad_link_is_found(lecture, tmp_path, link, breach):
    (tmp_path / "notes.md").touch()
    find(lecture, "block-1")["source"] += link
    assert breach in the_one(rules.links(lecture, tmp_path))


def test_a_link_to_a_heading_of_an_existing_file_is_good(lecture, tmp_path):
    (tmp_path / "notes.md").touch()
    find(lecture, "block-1")["source"] += "[a](notes.md#top) and [b](#references)"
    assert rules.links(lecture, tmp_path) == []


def test_a_function_defined_in_two_lectures_is_found(lecture):
    other = copy.deepcopy(lecture)
    find(lecture, "claim-1")["source"] += "\ndef nearest(x):\n    return x"
    assert rules.shared_definitions({"a": lecture, "b": other}) == []
    find(other, "claim-2")["source"] += "\nif True:\n    class nearest: ..."
    problem = the_one(rules.shared_definitions({"a": lecture, "b": other}))
    assert problem == "nearest is defined in a and b; it belongs into the library"


def test_methods_and_inner_functions_may_have_the_same_name_in_two_lectures(lecture):
    other = copy.deepcopy(lecture)
    find(lecture, "claim-1")["source"] += "\nclass A:\n    def forward(self, x): ..."
    find(other, "claim-1")["source"] += "\ndef outer():\n    def forward(x): ..."
    assert rules.shared_definitions({"a": lecture, "b": other}) == []
