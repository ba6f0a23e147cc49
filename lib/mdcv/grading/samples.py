"""Sample submissions, built from small readable files so that they cannot go stale.

A file `course/samples/<assignment>/<student>.py` is what one student wrote:

- a function goes into the answer cell that holds a function of that name; what stands before
  it (imports, helpers) goes into the same cell;
- a text, `written_answer = "..."`, goes into the written answer named so, with `-` for `_`;
- `DAMAGE = "..."` says what happened to the file on its way, one of the words in `DAMAGES`;
- the docstring says who this is.

Answers that a file does not mention stay as they were released.
"""

from __future__ import annotations

import ast
import copy
import json
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mdcv.grading.course import CannotRun
from mdcv.grading.skeleton import grade_id_of, is_answer


@dataclass(frozen=True)
class Sample:
    """One student's file: what they wrote, by name, and what happened to the notebook."""

    student: str
    about: str
    code: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    damage: str | None = None


def read_sample(path: Path) -> Sample:
    """The sample in one file. Nothing of it is run."""
    text = path.read_text(encoding="utf-8")
    module = ast.parse(text)
    code, texts, damage = {}, {}, None
    lines, begin = text.splitlines(), 0
    for node in module.body:
        last = node.end_lineno
        if isinstance(node, ast.Expr) and node is module.body[0]:
            begin = last
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            name, begin = node.targets[0].id, last
            if name == "DAMAGE":
                damage = node.value.value
            else:
                texts[name] = textwrap.dedent(node.value.value).strip()
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            code[node.name] = "\n".join(lines[begin:last]).strip("\n")
            begin = last
    return Sample(path.stem, ast.get_docstring(module) or "", code, texts, damage)


def fill_in(released: NotebookNode, sample: Sample) -> NotebookNode:
    """The released notebook with the sample's answers.

    Raises:
        CannotRun: the sample answers a question that the assignment does not have.
    """
    notebook = copy.deepcopy(released)
    used = set()
    for cell in filter(is_answer, notebook.cells):
        name = grade_id_of(cell).replace("-", "_")
        defined = re.search(r"^def\s+(\w+)", cell.source, flags=re.MULTILINE)
        function = defined.group(1) if defined else None
        if cell.cell_type == "markdown" and name in sample.texts:
            cell.source = sample.texts[name]
            used.add(name)
        elif function in sample.code:
            cell.source = sample.code[function]
            used.add(function)
    unused = ({*sample.code} | {*sample.texts}) - used
    if unused:
        names = ", ".join(sorted(unused))
        raise CannotRun(f"the sample {sample.student} answers {names}, which is not asked")
    return notebook


def _cut(notebook: NotebookNode) -> str:
    """The file broke off in the middle, as after a full disk."""
    text = nbformat.writes(notebook)
    return text[: len(text) // 2]


def _double(notebook: NotebookNode) -> str:
    """A test cell was copied and pasted, once, with everything in it."""
    cells = notebook.cells
    index = next(
        i for i, cell in enumerate(cells) if cell.metadata.get("nbgrader", {}).get("grade")
    )
    cells.insert(index + 1, copy.deepcopy(cells[index]))
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


DAMAGES: dict[str | None, Callable[[NotebookNode], str]] = {
    None: nbformat.writes,
    "cut in half": _cut,
    "test cell copied": _double,
}


def build_samples(samples: Path, released: Path, submitted: Path) -> list[str]:
    """Writes the submission of every sample student; returns their names.

    Args:
        samples: the folder with one Python file a student.
        released: the released notebook, `<assignment>/<assignment>.ipynb`.
        submitted: where `<student>/<assignment>/<assignment>.ipynb` is written.

    Raises:
        CannotRun: there are no samples, or one answers what is not asked.
    """
    files = sorted(samples.glob("*.py"))
    if not files:
        raise CannotRun(f"there are no sample submissions in {samples}")
    notebook = nbformat.read(released, as_version=4)
    for path in files:
        sample = read_sample(path)
        folder = submitted / sample.student / released.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        text = DAMAGES[sample.damage](fill_in(notebook, sample))
        (folder / released.name).write_text(text, encoding="utf-8")
    return [path.stem for path in files]
