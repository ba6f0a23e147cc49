"""Whose cell is it: for each cell that was handed in, the cell of the assignment that it is.

Names get lost on the way through other editors, are copied with a cell, or end up on another
one. So a cell is known by its name, else by its id, its text, the function it defines, or by the
place where only one answer is missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from nbformat import NotebookNode

from mdcv.grading.handed_in import Handed
from mdcv.grading.skeleton import Skeleton, grade_id_of, is_answer


def name_of(cell: NotebookNode) -> str:
    """What a cell of the skeleton is called here: its grade id, else its cell id."""
    return grade_id_of(cell) or f"#{cell.id}"


def symbol_of(cell: NotebookNode | None) -> str | None:
    """The function or class that an answer cell of the skeleton is there for."""
    if cell is None or not is_answer(cell) or cell.cell_type != "code":
        return None
    found = re.search(r"^(?:async\s+def|def|class)\s+(\w+)", cell.source, flags=re.MULTILINE)
    return found.group(1) if found else None


def defines(source: str, symbol: str) -> bool:
    """Whether a cell makes a symbol at its left margin.

    >>> defines("import math\\ntwice = lambda x: 2 * x", "twice")
    True
    >>> defines("print(twice(3))", "twice")
    False
    """
    begins = rf"(?:async\s+def|def|class)\s+{symbol}\b|{symbol}\s*(?:=(?!=)|:)"
    return re.search(rf"^(?:{begins})", source, flags=re.MULTILINE) is not None


def may_define(source: str, symbol: str) -> bool:
    """Whether a cell may make a symbol in some other way: further in, by an import, in a text.

    >>> may_define("if True:\\n    def twice(x): ...", "twice")
    True
    >>> may_define("# twice = 2\\nprint(twice(3))", "twice")
    False
    """
    ways = (
        rf"\b(?:def|class)\s+{symbol}\b",
        rf"^[ \t]*(?:from|import)\b[^\n]*\b{symbol}\b",
        rf"\b{symbol}\s*(?:=(?!=)|[:,])",
    )
    return re.search("|".join(ways), re.sub(r"#.*", "", source), flags=re.MULTILINE) is not None


class Matching:
    """The owner of each handed-in cell: a name of the skeleton, or None for an added one.

    Args:
        handed: the cells in order.
        skeleton: what they are to be found in.
    """

    def __init__(self, handed: list[Handed], skeleton: Skeleton) -> None:
        self.handed, self.skeleton = handed, skeleton
        self.cells = {name_of(cell): cell for cell in skeleton.notebook.cells}
        self.place = {name: index for index, name in enumerate(self.cells)}
        self.texts = {name_of(cell): cell.source for cell in skeleton.released.cells}
        self.owners = [cell.grade_id if cell.grade_id in self.cells else None for cell in handed]
        self.copies: set[str] = set()
        self._by_id()
        self._by_text()
        self._by_symbol()
        self._by_place()
        self._let_go()
        self._beside()

    @property
    def missing(self) -> set[str]:
        """The cells of the skeleton that nobody was found for."""
        return set(self.cells) - set(self.owners)

    def is_another_notebook(self) -> bool:
        """Whether nothing of the assignment is there, or most of it belongs to another one."""
        known = [owner for owner in self.owners if owner is not None and owner[0] != "#"]
        foreign = [
            cell.grade_id
            for cell, owner in zip(self.handed, self.owners, strict=True)
            if owner is None and cell.grade_id not in (None, *self.cells)
        ]
        return len(foreign) >= len(known)

    def _by_id(self) -> None:
        """By the cell's id, which also tells where a name was copied from one cell to another."""
        ids = {cell.id: name_of(cell) for cell in self.skeleton.notebook.cells}
        missing, times = self.missing, Counter(self.owners)
        for index, cell in enumerate(self.handed):
            name, owner = ids.get(cell.cell_id), self.owners[index]
            if name in missing and (owner is None or times[owner] > 1):
                self.owners[index] = name
                times[owner] -= 1
                missing.discard(name)

    def _by_text(self) -> None:
        """By a text that is as it was released; of several with that text, the next in order."""
        waiting: dict[str, list[str]] = {}
        for name in sorted(self.missing, key=self.place.get):
            waiting.setdefault(self.texts.get(name, ""), []).append(name)
        last = -1
        for index, cell in enumerate(self.handed):
            names = waiting.get(cell.source, ())
            if self.owners[index] is None and names and cell.source.strip():
                name = next((one for one in names if self.place[one] > last), names[0])
                names.remove(name)
                self.owners[index] = name
            last = self.place.get(self.owners[index], last)

    def _by_symbol(self) -> None:
        """An answer without a name, by the function that it defines."""
        for name in sorted(self.missing, key=self.place.get):
            symbol = symbol_of(self.cells[name])
            for index, cell in enumerate(self.handed if symbol else ()):
                if self.owners[index] is None and defines(cell.source, symbol):
                    self.owners[index] = name
                    break

    def _by_place(self) -> None:
        """A written answer without a name: the first text between the neighbors it had.

        Without one, it is the longest text that nobody owns: a person reads it anyway.
        """
        written = [n for n in self.missing if is_answer(self.cells[n]) and not self._is_code(n)]
        for name in sorted(written, key=self.place.get):
            free = [
                index
                for index, cell in enumerate(self.handed)
                if self.owners[index] is None and cell.kind != "code" and cell.source.strip()
            ]
            if free and set(self.owners) != {None}:
                longest = max(free, key=lambda index: len(self.handed[index].source))
                self.owners[next(self._between(name, free), longest)] = name

    def _is_code(self, name: str) -> bool:
        return self.cells[name].cell_type == "code"

    def _between(self, name: str, free: list[int]) -> Iterator[int]:
        """Which of the cells stand behind those before `name`, and before those behind it."""
        places = [self.place.get(owner, -1) for owner in self.owners]
        before = [index for index, at in enumerate(places) if 0 <= at < self.place[name]]
        after = [index for index, at in enumerate(places) if at > self.place[name]]
        begin = max(before, default=-1)
        end = min((index for index in after if index > begin), default=len(places))
        return (index for index in free if begin < index < end)

    def _let_go(self) -> None:
        """Of several cells with one name, those that hold something else become added ones.

        So a cell that was split, or copied and written anew, loses nothing.
        """
        groups: dict[str, list[int]] = {}
        for index, owner in enumerate(self.owners):
            if owner is not None:
                groups.setdefault(owner, []).append(index)
        for name, group in groups.items():
            if len(group) > 1:
                for index in self._others(name, group):
                    self.owners[index] = None
                    self.copies.add(name)

    def _beside(self) -> None:
        """A text directly behind a written answer that is untouched is the answer."""
        written = {
            owner
            for cell, owner in zip(self.handed, self.owners, strict=True)
            if owner is not None and not self._is_untouched(cell, owner)
        }
        for index, name in enumerate(self.owners[:-1]):
            following = self.handed[index + 1]
            if (
                name is not None
                and name not in written
                and is_answer(self.cells[name])
                and not self._is_code(name)
                and self.owners[index + 1] is None
                and following.kind != "code"
            ):
                self.owners[index + 1] = name
                written.add(name)

    def _is_untouched(self, cell: Handed, name: str) -> bool:
        return cell.source.strip() in ("", self.texts.get(name, "").strip())

    def _others(self, name: str, group: list[int]) -> list[int]:
        symbol = symbol_of(self.cells[name])
        written = [i for i in group if not self._is_untouched(self.handed[i], name)]
        seen = {self.handed[i].source for i in written}
        if not is_answer(self.cells[name]):
            return written if len(written) < len(group) else written[1:]
        if symbol is None:
            return written[1:] if len(seen) > 1 else []
        if not any(defines(self.handed[i].source, symbol) for i in written):
            return written[1:]
        return [i for i in written if not defines(self.handed[i].source, symbol)]
