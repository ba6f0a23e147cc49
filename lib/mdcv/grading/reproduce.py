"""`mdcv reproduce`: a results table trained anew, printed beside what the papers say."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mdcv.grading.course import CannotRun

if TYPE_CHECKING:
    from rich.console import Console

    from mdcv.results import Measurement, Reading, Summary


def reproduce(
    table: str, *, preset: str, seeds: int, device: str, json_file: str | None, console: Console
) -> None:
    """Trains every model of the table, prints means and spreads, and writes all numbers.

    Raises:
        CannotRun: there is no table of that name.
    """
    from mdcv.results import GENERATIVE, SETS, reproduce_generative, reproduce_sets, summarize
    from mdcv.results.expectation import read

    tables = {"generative": (reproduce_generative, GENERATIVE), "sets": (reproduce_sets, SETS)}
    if table not in tables:
        raise CannotRun(f"there is no table {table!r}; expected one of {', '.join(tables)}")
    run, expectations = tables[table]
    measurements = run(preset, seeds=range(seeds), device=device, progress=console.is_terminal)
    summaries = summarize(measurements)
    readings = [read(expected, summaries) for expected in expectations]
    if json_file is not None:
        text = json.dumps(as_json(measurements, readings), indent=1)
        Path(json_file).write_text(text + "\n", encoding="utf-8")
    show(summaries, readings, console)


def show(summaries: list[Summary], readings: list[Reading], console: Console) -> None:
    """The table, one section for each data set, and a line for each expectation."""
    from rich.table import Table

    table = Table("data", "model", "measure", "mean ± spread", "seeds", box=None)
    for before, line in zip([None, *summaries], summaries, strict=False):
        same = before is not None and before.data == line.data
        first = "" if same else line.data
        model = "" if same and before.model == line.model else line.model
        table.add_row(first, model, line.measure, value_of(line), str(line.seeds))
    console.print(table)
    console.print()
    for reading in readings:
        found = f"{reading.left:.4g} against {reading.right:.4g}"
        console.print(f"{reading.expected} ({reading.expected.source}): {found}, {reading.verdict}")


def value_of(line: Summary) -> str:
    """Mean and spread with four digits.

    >>> from mdcv.results import Summary
    >>> value_of(Summary("ring", "GAN", "modes", 7.0, float("nan"), 1))
    '7'
    """
    spread = "" if math.isnan(line.spread) else f" ± {line.spread:.2g}"
    return f"{line.mean:.4g}{spread}"


def as_json(measurements: list[Measurement], readings: list[Reading]) -> dict[str, Any]:
    """All numbers, one by one, and every expectation with its verdict."""
    return {
        "measurements": [one._asdict() for one in measurements],
        "expectations": [
            {
                "expected": str(reading.expected),
                "source": reading.expected.source,
                "left": reading.left,
                "right": reading.right,
                "verdict": reading.verdict,
            }
            for reading in readings
        ],
    }
