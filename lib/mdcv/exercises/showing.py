"""Shows an outcome: a table in a notebook, plain text elsewhere. `check` is what students call.

Imported where students' code runs, so nothing with answers is loaded before `check` needs it.
"""

from __future__ import annotations

import contextlib
import html
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mdcv.exercises.judging import Outcome, PartVerdict

#: Set to "1" where the grader runs a notebook behind walls; nothing is judged there.
WALLS_VARIABLE = "MDCV_BEHIND_WALLS"

#: The questions that `check` asks are always those of this seed, so that they can be shown.
PUBLIC_SEED = 0

MOST_ROWS = 4

_CELL = (
    "border:1px solid rgba(128,128,128,.45);padding:.25em .6em;text-align:left;vertical-align:top"
)
_MARKS = {
    "right": ("right", "#2e9e5b"),
    "part": ("in part", "#b7791f"),
    "open": ("open", "#d64545"),
}


class CheckFailed(AssertionError):
    """A check that did not pass. In a notebook its traceback is the message alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"CheckFailed: {self}"]


def check(name: str, implementation: Any) -> None:
    """Judges your function on the visible questions, and shows yours beside expected.

    A stub that still raises NotImplementedError gets a "not yet" line, and the notebook goes on.

    Args:
        name: one of `names()`.
        implementation: your function.

    Raises:
        CheckFailed: something is wrong; the message says what.
        ValueError: there is no exercise of that name.

    >>> check("chamfer_distance", None)
    Traceback (most recent call last):
    mdcv.exercises.showing.CheckFailed: What you handed in is not a function. ...
    """
    if behind_walls(name):
        return
    from mdcv.exercises.judging import judge  # loads every answer

    outcome = judge(name, implementation, seed=PUBLIC_SEED)
    if in_notebook():
        publish({"text/plain": as_text(outcome), "text/html": as_html(outcome)})
    elif outcome.passed or outcome.not_yet or outcome.rows:
        print(as_text(outcome))
    if not (outcome.passed or outcome.not_yet):
        raise CheckFailed(outcome.message)


@contextlib.contextmanager
def when_written(what: str) -> Iterator[None]:
    """Lets the code below it wait, with a friendly line, for functions that are still stubs.

    >>> with when_written("the figure"):
    ...     raise NotImplementedError
    Not yet: the figure waits for a function that you have still to write.
    """
    try:
        yield
    except NotImplementedError:
        print(f"Not yet: {what} waits for a function that you have still to write.")


def behind_walls(name: str) -> bool:
    """Whether this runs behind the grader's walls; says so in one line where it does."""
    if os.environ.get(WALLS_VARIABLE) != "1":
        return False
    print(f"{name} is judged outside this notebook.")
    return True


def in_notebook() -> bool:
    """Whether this runs in a notebook kernel, where HTML is shown."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def publish(bundle: dict[str, Any]) -> None:
    """Shows one output in several forms; the notebook picks the richest it knows."""
    from IPython.display import display

    display(bundle, raw=True)


def as_text(outcome: Outcome) -> str:
    """The outcome as plain text, one line a part."""
    lines = [outcome.message]
    for part in outcome.parts:
        lines.append(f"  {_mark(part)[0]:8} {part.name}")
    for row in outcome.rows[:MOST_ROWS]:
        lines += [f"  {row.kind}", f"    yours     {row.yours}", f"    expected  {row.expected}"]
    return "\n".join(lines)


def as_html(outcome: Outcome) -> str:
    """The outcome as HTML that needs nothing from the network and reads in light and dark."""
    color = _MARKS["right" if outcome.passed else "part" if outcome.not_yet else "open"][1]
    pieces = [
        f'<div style="border-left:4px solid {color};padding:.3em .8em;margin:.4em 0">',
        f'<p style="margin:.2em 0">{html.escape(outcome.message)}</p>',
    ]
    if outcome.parts:
        pieces.append(f'<p style="margin:.2em 0">{_parts_as_html(outcome.parts)}</p>')
    if outcome.rows:
        pieces.append(_rows_as_html(outcome))
    return "".join([*pieces, "</div>"])


def _parts_as_html(parts: tuple[PartVerdict, ...]) -> str:
    words = []
    for part in parts:
        mark, color = _mark(part)
        words.append(f'{html.escape(part.name)} <b style="color:{color}">{mark}</b>')
    return " · ".join(words)


def _rows_as_html(outcome: Outcome) -> str:
    head = "".join(
        f'<th style="{_CELL}">{word}</th>' for word in ("asked with", "yours", "expected")
    )
    body = ""
    for row in outcome.rows[:MOST_ROWS]:
        cells = (html.escape(text) for text in (row.kind, row.yours, row.expected))
        body += "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"
    return (
        '<table style="border-collapse:collapse;color:inherit;background:transparent">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _mark(part: PartVerdict) -> tuple[str, str]:
    return _MARKS["right" if part.earned == 1.0 else "part" if part.earned > 0.0 else "open"]
