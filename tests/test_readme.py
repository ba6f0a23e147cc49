"""The README leads somewhere: each link exists, each command it names is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "course").glob("*.md")),
]


def links(text: str) -> list[str]:
    """Targets of Markdown links and pictures that are files of this repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [t.split("#")[0] for t in targets if "://" not in t and not t.startswith("#")]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(page):
    here = ROOT / page
    missing = [t for t in links(here.read_text()) if not (here.parent / t).exists()]
    assert not missing


def test_a_dead_link_is_found():
    assert links("see [this](no/such/file.md#part), [that](https://example.org), ![p](a.png)") == [
        "no/such/file.md",
        "a.png",
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_named_exists(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / page).read_text(), flags=re.M))
    assert named <= targets


def map_rows() -> list[list[str]]:
    """The cells of the map's rows, header and rule left out."""
    text = (ROOT / "README.md").read_text().split("## The map")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_every_row_of_the_map_names_a_module_and_a_test():
    rows = map_rows()
    assert len(rows) >= 10
    for term, _lecture, module, _assignment, test in rows:
        assert links(module) and links(test), f"{term}: a cell leads nowhere"


def test_the_map_names_every_lecture_assignment_and_exercise():
    text = (ROOT / "README.md").read_text().split("## The map")[1]
    for path in [*ROOT.glob("lectures/*.ipynb"), *ROOT.glob("assignments/*/*.ipynb")]:
        assert str(path.relative_to(ROOT)) in text
    taught = [row for row in map_rows() if links(row[1])]
    assert len(taught) >= 10
