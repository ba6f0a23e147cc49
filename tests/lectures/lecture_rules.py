"""What every lecture keeps to: each rule reads a notebook and returns the breaches as sentences.

An empty list means that the rule is kept. The rules are plain functions on the parsed notebook,
so that each can be fed a bad example and seen to object.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

WORDS = (2500, 4000)
MAX_CODE_CELLS = 35
MAX_CODE_LINES = 350
BLOCKS = (4, 7)
SLIDER = "slider_with_fallback"
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_OTHER_DISPLAY = re.compile(r"\\\[|\\begin\{(?:equation|align|gather|eqnarray)\*?\}")
_INLINE_CODE = re.compile(r"`[^`]+`")
_INLINE_MATH = re.compile(r"\$[^$]+\$")
_TAG = re.compile(r"\\tag\{([^}]*)\}")
_HEADING = re.compile(r"^## +(.+)$", re.MULTILINE)
_NUMBERED = re.compile(r"(\d+)\. ")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")
_RANDOM_ID = re.compile(r"[0-9a-f]{8,}(?:-[0-9a-f]{4,})*")
_READABLE_ID = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True)
class Cell:
    """A cell with the section ('' before the first '## ' heading) in which it stands."""

    id: str
    is_code: bool
    source: str
    section: str


def cells(notebook: Mapping) -> list[Cell]:
    """The cells in order. A heading counts for its own cell and for all that follow."""
    found, section = [], ""
    for raw in notebook["cells"]:
        source, is_code = "".join(raw["source"]), raw["cell_type"] == "code"
        if not is_code and (headings := _HEADING.findall(_without_fences(source))):
            section = headings[-1].strip()
        found.append(Cell(raw.get("id", ""), is_code, source, section))
    return found


def chapter(path: Path) -> int:
    """The number of a lecture, read from its file name.

    >>> chapter(Path("lectures/09_point_sets.ipynb"))
    9
    """
    return int(path.name.split("_")[0])


def _without_fences(source: str) -> str:
    return _FENCE.sub("", source)


def _prose_cells(notebook: Mapping) -> list[Cell]:
    return [cell for cell in cells(notebook) if not cell.is_code]


def _code_cells(notebook: Mapping) -> list[Cell]:
    return [cell for cell in cells(notebook) if cell.is_code]


def _outside(number: float, limits: tuple[float, float]) -> bool:
    return not limits[0] <= number <= limits[1]


# Size


def count_words(notebook: Mapping) -> int:
    """Words of prose: text cells without code, mathematics, tags and addresses.

    >>> count_words({"cells": [{"cell_type": "markdown", "source": "Two words, $x = 1$ `x`."}]})
    2
    """
    total = 0
    for cell in _prose_cells(notebook):
        text = _without_fences(cell.source)
        for pattern in (_INLINE_CODE, _DISPLAY, _INLINE_MATH):
            text = pattern.sub(" ", text)
        text = re.sub(r"\]\([^)]*\)|<[^>]+>", " ", text)
        total += sum(any(c.isalpha() for c in word) for word in text.split())
    return total


def count_code(notebook: Mapping) -> tuple[int, int]:
    """Code cells, and the lines in them that are not blank."""
    code = _code_cells(notebook)
    return len(code), sum(bool(line.strip()) for c in code for line in c.source.splitlines())


def size(notebook: Mapping) -> list[str]:
    """A lecture is read in one or two hours: not thinner, not thicker."""
    problems, words = [], count_words(notebook)
    code_cells, lines = count_code(notebook)
    if _outside(words, WORDS):
        problems.append(f"{words} words of prose; expected {WORDS[0]} to {WORDS[1]}")
    if code_cells > MAX_CODE_CELLS:
        problems.append(f"{code_cells} code cells; expected at most {MAX_CODE_CELLS}")
    if lines > MAX_CODE_LINES:
        problems.append(f"{lines} lines of code; expected at most {MAX_CODE_LINES}")
    return problems


# Form


def form(notebook: Mapping) -> list[str]:
    """Outputs stripped, metadata bare, cell ids unique and readable."""
    problems = []
    if (notebook.get("nbformat"), notebook.get("nbformat_minor")) != (4, 5):
        problems.append("the format is not nbformat 4.5")
    if notebook.get("metadata") != METADATA:
        problems.append(f"the notebook's metadata are {notebook.get('metadata')}")
    for raw in notebook["cells"]:
        if raw["cell_type"] == "code" and (raw["outputs"] or raw["execution_count"] is not None):
            problems.append(f"cell {raw.get('id')!r} still has outputs or an execution count")
        if not "".join(raw["source"]).strip():
            problems.append(f"cell {raw.get('id')!r} is empty")
    ids = [cell.id for cell in cells(notebook)]
    problems += [f"cell id {i!r} stands {n} times" for i, n in Counter(ids).items() if n > 1]
    for cell_id in ids:
        if not _READABLE_ID.fullmatch(cell_id) or _RANDOM_ID.fullmatch(cell_id):
            problems.append(f"cell id {cell_id!r} is not made of readable words")
    return problems


# Equations


@dataclass(frozen=True)
class _Located:
    name: str
    section: str
    cell: str


def _equations(notebook: Mapping) -> Iterator[tuple[str, Cell]]:
    for cell in _prose_cells(notebook):
        for body in _DISPLAY.findall(_without_fences(cell.source)):
            yield body, cell


def _claim_calls(notebook: Mapping) -> Iterator[tuple[ast.Call, Cell]]:
    for cell in _code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and "claim" in (
                getattr(node.func, "id", ""),
                getattr(node.func, "attr", ""),
            ):
                yield node, cell


def tags(notebook: Mapping) -> list[str]:
    """The equation numbers in the text, in order."""
    return [tag for body, _ in _equations(notebook) for tag in _TAG.findall(body)]


def equation_coverage(notebook: Mapping, number: int) -> list[str]:
    """Every displayed equation is numbered, and judged once by a claim of its own block.

    Claims that verify an exercise are named "exercise ..." and belong to no equation.
    """
    problems: list[str] = []
    equations: list[_Located] = []
    for body, cell in _equations(notebook):
        found = _TAG.findall(body)
        if len(found) != 1:
            problems.append(f"cell {cell.id!r}: {len(found)} tags on {' '.join(body.split())!r}")
        equations += [_Located(tag, cell.section, cell.id) for tag in found]
    for cell in _prose_cells(notebook):
        if _OTHER_DISPLAY.search(_without_fences(cell.source)):
            problems.append(f"cell {cell.id!r}: displayed mathematics outside $$ ... $$")
    expected = [f"{number}.{k}" for k in range(1, len(equations) + 1)]
    if [e.name for e in equations] != expected:
        problems.append(f"equations are numbered {[e.name for e in equations]}, not {expected}")

    claims: list[_Located] = []
    for call, cell in _claim_calls(notebook):
        name = call.args[0] if call.args else None
        if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
            problems.append(f"cell {cell.id!r}: a claim's number is not written out")
        elif not name.value.startswith("exercise"):
            claims.append(_Located(name.value, cell.section, cell.id))
            problems += _idle_claim(call, name.value)
    judged = Counter(c.name for c in claims)
    for equation in equations:
        if judged[equation.name] != 1:
            problems.append(f"equation {equation.name} has {judged[equation.name]} claims")
    for claim in claims:
        homes = [e.section for e in equations if e.name == claim.name]
        if not homes:
            problems.append(f"claim {claim.name!r} in cell {claim.cell!r} has no equation")
        elif claim.section not in homes:
            problems.append(f"claim {claim.name!r} stands in another block than its equation")
    return problems


def _idle_claim(call: ast.Call, name: str) -> list[str]:
    """A claim whose two sides are one expression, or two constants, cannot fail."""
    sides = call.args[1:3]
    if len(sides) < 2:
        return [f"claim {name!r} does not name its two sides by position"]
    if ast.dump(sides[0]) == ast.dump(sides[1]):
        return [f"claim {name!r} compares an expression with itself"]
    if all(isinstance(side, ast.Constant) for side in sides):
        return [f"claim {name!r} compares two constants"]
    return []


# Parts


def _numbered_blocks(notebook: Mapping) -> list[int]:
    headings = [
        heading
        for cell in _prose_cells(notebook)
        for heading in _HEADING.findall(_without_fences(cell.source))
    ]
    return [int(m.group(1)) for heading in headings if (m := _NUMBERED.match(heading))]


def parts(notebook: Mapping) -> list[str]:
    """Header, numbered blocks, predictions, slider, exercises and references are all there."""
    problems = []
    prose, code = _prose_cells(notebook), _code_cells(notebook)
    header = "\n".join(cell.source for cell in prose if cell.section in ("", prose[0].section))
    wanted = {
        "what the reader will learn": r"you will learn|you will be able",
        "the time it takes": r"\bminutes?\b",
        "what the reader needs before": r"prerequisite|before you start",
        "the notation": r"notation",
    }
    for what, pattern in wanted.items():
        if not re.search(pattern, header, re.IGNORECASE):
            problems.append(f"the header does not tell {what}")
    blocks = _numbered_blocks(notebook)
    if blocks != list(range(1, len(blocks) + 1)) or _outside(len(blocks), BLOCKS):
        problems.append(f"blocks are numbered {blocks}; expected 1 to {BLOCKS[0]}..{BLOCKS[1]}")
    if not any(re.search(r"\*\*Predict", cell.source) for cell in prose):
        problems.append("no question to predict (a text with **Predict ...)")
    if not any(cell.id.startswith("predict") for cell in code):
        problems.append("no code cell 'predict-...' in which the reader writes a prediction")
    sections = {cell.section.casefold() for cell in prose}
    for section in ("exercises", "references"):
        if section not in sections:
            problems.append(f"no section '## {section.capitalize()}'")
    if not any(cell.section.casefold() == "exercises" for cell in code):
        problems.append("no exercise comes with a cell that verifies it")
    return problems


def slider(notebook: Mapping) -> list[str]:
    """Exactly one slider, and it has a picture for pages that cannot run it."""
    calls = [
        node
        for cell in _code_cells(notebook)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call)
        and SLIDER in (getattr(node.func, "id", ""), getattr(node.func, "attr", ""))
    ]
    raw = [cell.id for cell in _code_cells(notebook) if "ipywidgets" in cell.source]
    problems = [f"cell {cell!r} uses ipywidgets, which has no fallback" for cell in raw]
    if len(calls) != 1:
        problems.append(f"{len(calls)} calls of {SLIDER}; expected one")
    return problems


# Relations to other files


def links(notebook: Mapping, folder: Path) -> list[str]:
    """Links inside the project are relative and lead somewhere; others stand in References."""
    problems = []
    for cell in _prose_cells(notebook):
        for target in _LINK.findall(_without_fences(cell.source)):
            if re.match(r"[a-z]+:", target):
                if not target.startswith("https://"):
                    problems.append(f"cell {cell.id!r}: {target} is not an https address")
                elif cell.section.casefold() != "references":
                    problems.append(f"cell {cell.id!r}: {target} belongs into the references")
            elif target.startswith("/"):
                problems.append(f"cell {cell.id!r}: {target} is absolute; expected a relative link")
            elif not target.startswith("#") and not (folder / target.split("#")[0]).exists():
                problems.append(f"cell {cell.id!r}: {target} does not exist")
    return problems


def definitions(notebook: Mapping) -> set[str]:
    """Names of the functions and classes that a notebook defines for later cells to use.

    Methods and functions inside functions are nobody else's: every network has a `forward`.
    """
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(cell.source) for cell in _code_cells(notebook)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, kinds):
            names.add(node.name)
        else:
            waiting += ast.iter_child_nodes(node)
    return names


def shared_definitions(notebooks: Mapping[str, Mapping]) -> list[str]:
    """A function defined in a second lecture moves to the library."""
    homes: dict[str, list[str]] = {}
    for name, notebook in notebooks.items():
        for definition in definitions(notebook):
            homes.setdefault(definition, []).append(name)
    return [
        f"{definition} is defined in {' and '.join(sorted(names))}; it belongs into the library"
        for definition, names in sorted(homes.items())
        if len(names) > 1
    ]
