"""What a cell leaves behind, from frames that a stranger's process sent: checked, and bounded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from nbformat import NotebookNode, from_dict

from mdcv.grading.marks import OUTCOME_MIME

#: Pictures count apart from text, by their base64; this many characters of them a cell.
PICTURE_CHARACTERS = 8_000_000

#: A cell has no more outputs than this, each however small.
MOST_OUTPUTS = 500

#: An error is always kept, and cut to this.
ERROR_CHARACTERS = 20_000

CUT = "\n[more was shown than the grader keeps]\n"

_MIME = re.compile(r"[a-z]+/[A-Za-z0-9.+-]+")


@dataclass
class Room:
    """Characters that all cells of a notebook together may leave behind."""

    text: int = 10_000_000
    pictures: int = 40_000_000


def output_of(kind: str, data: dict | None = None, **fields: object) -> NotebookNode:
    """An output as nbformat makes it, without the check that takes longer than the judging.

    >>> output_of("display_data", {"text/plain": "7"})
    {'output_type': 'display_data', 'metadata': {}, 'data': {'text/plain': '7'}}
    """
    output = NotebookNode(output_type=kind)
    if data is not None:
        output.update(metadata=NotebookNode(), data=from_dict(data))
    if kind == "execute_result":
        output.execution_count = None
    output.update(fields)
    return output


class Outputs:
    """The outputs of one cell as they come in.

    Args:
        cell: whose outputs are filled.
        count: its execution count.
        most: characters of text that are kept.
        room: what the whole notebook may still hold; is used up.
    """

    def __init__(self, cell: NotebookNode, count: int, most: int, room: Room) -> None:
        self.cell, self.count, self._room = cell, count, room
        self._left, self._pictures = most, PICTURE_CHARACTERS
        self._cut = self._clear_next = False
        self._shown: dict[str, list[NotebookNode]] = {}
        cell.outputs, cell.execution_count = [], count

    def take(self, frame: dict) -> None:
        """Takes one frame in; whatever is odd about it is dropped."""
        kind = frame.get("out")
        if kind == "clear_output":
            self._clear_next = bool(frame.get("wait"))
            if not self._clear_next:
                self.cell.outputs = []
        elif kind == "stream":
            self._stream(frame.get("name"), frame.get("text"))
        elif kind in ("display_data", "execute_result", "update_display_data"):
            self._bundle(kind, frame)
        elif kind == "error":
            self._error(frame)

    def _stream(self, name: object, text: object) -> None:
        if name not in ("stdout", "stderr") or not isinstance(text, str) or not text:
            return
        if not self._take_room(len(text), picture=False):
            return self._cut_off()
        last = self.cell.outputs[-1] if self.cell.outputs and not self._clear_next else None
        if last is not None and last.output_type == "stream" and last.name == name:
            last.text += text
        else:
            self._append(output_of("stream", name=name, text=text))
        return None

    def _bundle(self, kind: str, frame: dict) -> None:
        data, metadata = frame.get("data"), frame.get("metadata")
        fit = _fit(data) if isinstance(data, dict) else {}
        kept = {}
        for mime in sorted(fit, key=lambda mime: _size(fit[mime])):  # the smallest forms first
            if self._take_room(_size(fit[mime]), picture=mime.startswith("image/")):
                kept[mime] = fit[mime]
        if not kept:
            return self._cut_off() if fit else None
        metadata = metadata if isinstance(metadata, dict) and 0 <= _size(metadata) < 10_000 else {}
        name = frame.get("display_id")
        if kind == "update_display_data":
            for output in self._shown.get(name, []) if isinstance(name, str) else []:
                output.data, output.metadata = from_dict(kept), from_dict(metadata)
            return None
        more = {"execution_count": self.count} if kind == "execute_result" else {}
        output = output_of(kind, kept, metadata=metadata, **more)
        if isinstance(name, str):
            self._shown.setdefault(name, []).append(output)
        return self._append(output)

    def _take_room(self, size: int, *, picture: bool) -> bool:
        if picture:
            fits = size <= min(self._pictures, self._room.pictures)
            self._pictures -= size * fits
            self._room.pictures -= size * fits
        else:
            fits = size <= min(self._left, self._room.text)
            self._left -= size * fits
            self._room.text -= size * fits
        return fits

    def _error(self, frame: dict) -> None:
        traceback = frame.get("traceback")
        lines = traceback if isinstance(traceback, list) else []
        lines = [line for line in lines if isinstance(line, str)]
        if sum(map(len, lines)) > ERROR_CHARACTERS:
            lines = ["\n".join(lines)[-ERROR_CHARACTERS:]]
        name, words = str(frame.get("ename"))[:200], str(frame.get("evalue"))[:ERROR_CHARACTERS]
        self._append(output_of("error", ename=name, evalue=words, traceback=lines))

    def _append(self, output: NotebookNode) -> None:
        if self._clear_next:
            self.cell.outputs, self._clear_next = [], False
        if len(self.cell.outputs) < MOST_OUTPUTS or output.output_type == "error":
            self.cell.outputs.append(output)
        else:
            self._cut_off()

    def _cut_off(self) -> None:
        if not self._cut:
            self._cut = True
            self.cell.outputs.append(output_of("stream", name="stderr", text=CUT))


def _fit(data: dict) -> dict[str, object]:
    """What of a bundle a notebook may hold; a record of a judgment comes from the grader alone."""
    return {
        mime: value
        for mime, value in data.items()
        if isinstance(mime, str)
        and _MIME.fullmatch(mime)
        and mime != OUTCOME_MIME
        and (isinstance(value, str) or (mime.endswith("json") and _size(value) >= 0))
    }


def _size(value: object) -> int:
    """Characters that the value takes in a notebook; -1 when it cannot stand in one."""
    if isinstance(value, str):
        return len(value)
    try:
        return len(json.dumps(value, allow_nan=False))
    except (ValueError, TypeError, RecursionError):
        return -1
