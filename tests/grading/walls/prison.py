"""A stand-in for the grader's process: forks, confines the fork, and lets it run one probe.

Run as a script by whichever user the test wants. It reads one question a line and writes one
answer a line, both JSON, and knows nothing of pytest.
"""

import importlib
import json
import os
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

#: Basic isolation as a kernel can put it up whose Landlock guards neither truncation nor signals.
OLD = "basic, on an old kernel"


def answer_one(question: dict) -> dict:
    """What a probe got hold of ("evidence"), or what stopped it ("error"); always how it ended."""
    from mdcv.grading.walls import WallLimits, confine

    module, probe = importlib.import_module(question["module"]), question["probe"]
    world = {**question["world"], "wall": question["wall"], "template": os.getpid()}
    scratch = Path(tempfile.mkdtemp(dir=world["scratch"]))
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        answer = {}
        try:
            if question.get("sabotage"):
                spoil(question["sabotage"])
            if question.get("delay"):
                delay(question["delay"])
            if question["wall"] == OLD:
                pretend_to_be_old()
            confine(
                "basic" if question["wall"] == OLD else question["wall"],
                scratch=scratch,
                limits=WallLimits(**question["limits"]),
                readable=map(Path, world["readables"]),
                hidden=[Path(world["hidden"])],
                keep_fds=[theirs],
            )
            os.write(theirs, b'{"inside": true}\n')
            if isinstance(probe, str):
                answer["evidence"] = evidence_of(getattr(module, probe), world)
            else:
                answer["evidence"] = {name: tried(getattr(module, name), world) for name in probe}
        except BaseException as error:
            answer["error"] = f"{type(error).__name__}: {error}"
        os.write(theirs, json.dumps(answer).encode() + b"\n")
        os._exit(0)
    os.close(theirs)
    text, deadline = b"", time.monotonic() + question.get("seconds", 8)
    while select.select([ours], [], [], max(0.0, deadline - time.monotonic()))[0]:
        piece = os.read(ours, 65536)
        if not piece:
            break
        text += piece
        if b"inside" in piece and question.get("signal"):
            time.sleep(0.3)
            os.kill(child, question["signal"])
    else:
        os.kill(child, signal.SIGTERM)
    os.close(ours)
    _, status = os.waitpid(child, 0)
    answer = {"code": os.waitstatus_to_exitcode(status)}
    for line in text.splitlines():
        answer |= json.loads(line)
    return answer


def evidence_of(probe, world: dict) -> str | None:
    """What the probe got hold of, as text."""
    evidence = probe(world)
    return repr(evidence)[:900] if evidence else None


def tried(probe, world: dict) -> str | None:
    """What the probe got hold of in a folder of its own; nothing if it failed."""
    start = os.getcwd()
    os.mkdir(probe.__name__)
    os.chdir(probe.__name__)
    try:
        return evidence_of(probe, world)
    except Exception:
        return None
    finally:
        os.chdir(start)


def pretend_to_be_old() -> None:
    """Uses of Landlock what came with Linux 5.13."""
    from mdcv.grading.walls import landlock

    landlock.abi = lambda: 1


def spoil(name: str) -> None:
    """Lets one step of the way in fail."""

    def fail(*arguments, **options):
        raise OSError(1, "sabotage")

    module, _, function = name.partition(".")
    setattr(importlib.import_module(f"mdcv.grading.walls.{module}"), function, fail)


def delay(name: str) -> None:
    """Lets one step take long, as on a machine with too much to do."""
    module, _, function = name.partition(".")
    module = importlib.import_module(f"mdcv.grading.walls.{module}")
    step = getattr(module, function)

    def late(*arguments, **options):
        time.sleep(1)
        return step(*arguments, **options)

    setattr(module, function, late)


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(answer_one(json.loads(line))), flush=True)


if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:]
    main()
