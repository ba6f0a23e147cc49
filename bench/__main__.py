"""The command line of the measurements; `mdcv bench` passes its options on to it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.catalog import CASES, OPERATIONS
from bench.judging import judge, ratios, spread
from bench.machine import cores
from bench.measure import TIMED
from bench.report import as_factor, goal_in_words, markdown, milliseconds
from bench.run import run


def main(arguments: list[str] | None = None) -> None:
    """Measures, tells each case when it is there, prints the tables, writes the results."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    _check(asked, parser)
    results = run(
        asked.op or OPERATIONS,
        device=asked.device,
        threads=thread_settings(asked.device, asked.threads),
        quick=asked.quick,
        curves=asked.json is not None,
        tell=_tell,
    )
    if asked.json is not None:
        asked.json.write_text(json.dumps(results, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"Every single time is in {asked.json}.")
    print(f"\n{markdown(results)}")


def thread_settings(device: str, choice: str) -> list[int]:
    """The numbers of threads to measure with; on a GPU they do not matter."""
    if device != "cpu":
        return [cores()]
    settings = {"one": [1], "all": [cores()], "both": [1, cores()]}
    return list(dict.fromkeys(settings[choice]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mdcv bench",
        description="Measure mdcv beside its peers, with equal answers, in turns.",
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:<n>; default cpu")
    parser.add_argument(
        "--op",
        metavar="NAME",
        nargs="+",
        action="extend",
        choices=OPERATIONS,
        help=f"these operations only: {', '.join(OPERATIONS)}",
    )
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="follow growing sizes too, and write everything"
    )
    parser.add_argument(
        "--threads", choices=("one", "all", "both"), default="both", help="default: both, in turn"
    )
    parser.add_argument("--quick", action="store_true", help="a few rounds only, to try it out")
    return parser


def _check(asked: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """What would fail after minutes of measuring is refused now."""
    from mdcv.device import choose_device

    try:
        choose_device(asked.device)
    except ValueError as error:
        parser.error(str(error))
    if asked.json is not None:
        try:
            asked.json.open("a").close()
        except OSError as error:
            parser.error(f"{asked.json} cannot be written: {error.strerror}")


def _tell(job: str, threads: int, result: dict) -> None:
    """A few lines for a case that is done."""
    if job not in CASES:
        print(f"{job}: {result.get('died', 'done')}", flush=True)
        return
    times = ratios(result)
    print(f"{result['title']} ({'1 thread' if threads == 1 else f'{threads} threads'})")
    for entrant in result["entrants"]:
        words = f"{entrant['status']}: {entrant['reason']}"
        if entrant["status"] == TIMED:
            words = f"{milliseconds(spread(entrant['seconds']).median):>12}"
            words += f"  {as_factor(times[entrant['name']])}" if entrant["name"] in times else ""
        print(f"    {entrant['name']:28} {words}")
    if threads == 1 and result["goals"]:
        print(f"    goal {goal_in_words(result)}: {' '.join(judge(result))}")
    print(flush=True)


if __name__ == "__main__":
    main()
