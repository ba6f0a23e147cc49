"""Nobody gets out: each way is first shown to lead somewhere, and then tried from inside."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .conftest import skip_without

#: Every function of `probes/` that takes a world is a way to try.
WAYS = [
    (path.stem, node.name)
    for path in sorted((Path(__file__).parent / "probes").glob("*.py"))
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef)
    and [argument.arg for argument in node.args.args] == ["world"]
]


@pytest.mark.parametrize(
    ("module", "probe"),
    [pytest.param(*way, id=way[1].replace("_", " ")) for way in WAYS],
)
def test_code_inside_cannot(prison, wall, module, probe):
    free = prison.ask_once(module, probe, "none")
    if not free.get("evidence"):
        pytest.skip(f"here not even code outside can: {free.get('error', free)}")
    walled = prison.ask_once(module, probe, wall)
    assert walled.get("inside"), f"the walls did not go up: {walled}"
    assert not walled.get("evidence"), f"it got hold of {walled['evidence']}"


@pytest.mark.parametrize("module", ["files", "processes"])
def test_the_first_landlock_is_wall_enough(prison, module):
    skip_without("basic")
    ways = [name for place, name in WAYS if place == module]
    answer = prison.ask(module, ways, "basic, on an old kernel")
    assert list(answer["evidence"]) == ways
    assert {name: got for name, got in answer["evidence"].items() if got} == {}


def test_most_ways_lead_somewhere_without_walls(prison):
    open_ways = [way for way in WAYS if prison.ask_once(*way, "none").get("evidence")]
    assert len(open_ways) >= 80
