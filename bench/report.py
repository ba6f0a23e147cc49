"""Tables in Markdown from the results: python -m bench.report bench/results.json"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.judging import MET, MISSED, judge, ratios, spread
from bench.measure import ABSENT, DISAGREES, FAILED, TIMED

#: On a GPU, Chamfer is to stay within so many times its floor.
FLOOR_GOAL = 3


def markdown(results: dict) -> str:
    """All tables of a run, with the machine, the versions and who was missing, for the README."""
    parts = []
    for run in results["runs"]:
        first = run is results["runs"][0]
        parts.append(f"**{_setting(results, run)}**\n\n{table(run['cases'], with_goals=first)}")
    parts += [floor(results)] if results["floor"] else []
    return "\n\n".join([*parts, *troubles(results), machine(results)])


def table(records: Sequence[dict], *, with_goals: bool) -> str:
    """One row per case: our time, the fastest peer's, the ratio, the goal, the other peers."""
    head = ["operation", "mdcv", "fastest peer", "ratio"]
    head += ["goal", "", "others"] if with_goals else ["others"]
    return _aligned([head, *(_row(record, with_goals) for record in records)])


def _row(record: dict, with_goals: bool) -> list[str]:
    ours, *peers = record["entrants"]
    row = [record["title"], _time(ours)]
    by_name = {peer["name"]: peer for peer in peers}
    fastest, *others = [*ratios(record).items()] or [("–", None)]
    name, ratio = fastest
    row += [name if ratio is None else f"{name}, {_time(by_name[name])}"]
    row += ["–" if ratio is None else f"**{as_factor(ratio)}**"]
    if with_goals:
        row += [goal_in_words(record), judge(record)[0]]
    notes = [f"{name} {as_factor(ratio)}" for name, ratio in others]
    notes += [f"{peer['name']} {peer['status']}" for peer in peers if peer["status"] == DISAGREES]
    return [*row, ", ".join(notes)]


def goal_in_words(record: dict) -> str:
    """Such as "20x pytorch3d or 60x torch cdist"."""
    return " or ".join(f"{goal['times']:g}x {_in_short(goal['peers'])}" for goal in record["goals"])


def _in_short(peers: Sequence[str]) -> str:
    """Variants of one peer, "SciPy" and "SciPy, unbalanced", count as that peer."""
    return " and ".join(dict.fromkeys(peer.partition(",")[0] for peer in peers))


def milliseconds(seconds: float) -> str:
    """Three digits that count.

    >>> milliseconds(0.01234), milliseconds(2.4321), milliseconds(0.00004)
    ('12.3 ms', '2,432 ms', '0.0400 ms')
    """
    value = 1000 * seconds
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits if value >= 0.1 else 4}f} ms"


def as_factor(ratio: float) -> str:
    """A ratio in three digits.

    >>> as_factor(3.14159), as_factor(1234.5)
    ('3.14x', '1,234x')
    """
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.3g}x"


def _time(entrant: dict) -> str:
    if entrant["status"] != TIMED:
        return entrant["status"]
    times = spread(entrant["seconds"])
    spreads = (times.high - times.low) / 2 / times.median
    return f"{milliseconds(times.median)} ± {100 * spreads:.0f} %"


def floor(results: dict) -> str:
    """How near the Chamfer distance comes to what the GPU could do at most."""
    found = results["floor"]
    if "died" in found:
        return f"The floor of the Chamfer distance could not be measured: {found['died']}"
    records = {r["name"]: r for run in results["runs"] for r in run["cases"]}
    ours = records[found["case"]]["entrants"][0]
    words = (
        f"The floor of {records[found['case']]['title']} is {milliseconds(found['seconds'])}: "
        f"{found['bytes'] / 1e6:.1f} MB at {found['bytes_per_second'] / 1e9:,.0f} GB/s, or "
        f"{found['instructions'] / 1e9:.2f} billion instructions at "
        f"{found['instructions_per_second'] / 1e12:.1f} trillion a second, both measured here."
    )
    if ours["status"] != TIMED:
        return f"{words} mdcv: {ours['status']}."
    times = spread(ours["seconds"]).median / found["seconds"]
    verdict = MET if times <= FLOOR_GOAL else MISSED
    return f"{words} mdcv takes {times:.3g} times that; the goal is {FLOOR_GOAL}: {verdict}."


def troubles(results: dict) -> list[str]:
    """Who could not take part, disagreed or failed, each with its reason, once."""
    sentences = {ABSENT: {}, DISAGREES: {}, FAILED: {}}
    for run in results["runs"]:
        for record in run["cases"]:
            for entrant in record["entrants"]:
                if entrant["status"] == ABSENT:
                    sentences[ABSENT][f"{entrant['name']} ({entrant['reason']})"] = None
                elif entrant["status"] in sentences:
                    words = f"{entrant['name']} in {record['title']} ({entrant['reason']})"
                    sentences[entrant["status"]][words] = None
    openings = {
        ABSENT: "Could not be imported here, so not measured: ",
        DISAGREES: "Gave another answer, so its time does not count: ",
        FAILED: "Failed: ",
    }
    return [
        f"{openings[status]}{'; '.join(found)}." for status, found in sentences.items() if found
    ]


def machine(results: dict) -> str:
    """Where and when, with the versions of all that was there."""
    place, versions = results["machine"], results["machine"]["versions"]
    there = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    parts = [
        f"Measured on {results['date']} at commit {results['commit']}",
        *([place["gpu"]] if results["device"] != "cpu" else []),
        f"{place['processor']}, {place['cores']} cores, {place['memory_gib']} GiB",
        place["system"],
        f"load {place['load']} at the start",
        f"Python {place['python']}, {there}",
    ]
    pace = (
        " Tried out with a few rounds only; these numbers are not firm." if results["quick"] else ""
    )
    return (
        f"{'; '.join(parts)}.{pace} Times are medians of calls taken in turns, ± half the distance "
        "of the quartiles; the ratio says how many times as long the peer takes."
    )


def _setting(results: dict, run: dict) -> str:
    if results["device"] != "cpu":
        return results["device"]
    return "1 thread" if run["threads"] == 1 else f"{run['threads']} threads"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in rows
    ]
    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([lines[0], rule, *lines[1:]])


def main() -> None:
    """Prints the tables of the results file that is named."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m bench.report RESULTS.json")
    print(markdown(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
