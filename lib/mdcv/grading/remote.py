"""Asks a student's function from outside: arguments go in as data, answers come back as data.

Whatever comes from there was made by a stranger's process. Its size is bounded before it is read,
and its types are checked before anything looks at it.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from mdcv.exercises.calling import Answer, Asking, Caller
from mdcv.exercises.packing import pack_call, unpack_answer
from mdcv.grading.tensors import from_bytes, to_bytes
from mdcv.grading.wire import Channel, Closed, Late, Malformed

if TYPE_CHECKING:
    from mdcv.grading.running import Run

#: An answer with more than this is none.
MOST_JSON, MOST_PAYLOAD = 1_000_000, 64_000_000

#: A late function is stopped from within; if that does not help, from outside, after so long.
PATIENCE = 3.0

OPENING_SECONDS = 30.0


class Died(Exception):
    """The kernel is gone, or speaks no more."""


class Missing(Exception):
    """The symbol is not there. Holds the name and the words of the error."""


class Question:
    """One graded symbol of a student, in a kernel that can be asked about it.

    Args:
        run: of the submission.
        symbol: an expression that the kernel knows.
        among: how many questions the kernel may have open, this one included. With more than
            one, the kernel has gone on when they are asked: none is asked again after it was late.
    """

    def __init__(self, run: Run, symbol: str, *, among: int = 1) -> None:
        self._run, self._symbol, self._among = run, symbol, among
        #: Nothing else has happened since: a late answer can be asked for again.
        self.alone = among == 1
        self._channel: Channel | None = None
        self._over = False

    def open(self) -> None:
        """Lets the kernel get ready for questions.

        Raises:
            Died: there is no kernel any more.
            Missing: it knows no such symbol.
        """
        here, there = Channel.pair()
        there.socket.setblocking(True)
        try:
            order = {"do": "question", "symbol": self._symbol, "among": self._among}
            self._run.order(order, handle=there.fileno())
            there.close()
            opening, _ = here.receive(seconds=OPENING_SECONDS, most_json=MOST_JSON, most_payload=0)
            if "missing" in opening:
                raise Missing(str(opening["missing"])[:200], str(opening.get("words"))[:1000])
        except BaseException as error:
            here.close()
            if isinstance(error, Closed | Late | Malformed):
                raise Died from error
            raise
        finally:
            there.close()
        self._channel = here

    def ask(self, asking: Asking, limit: float) -> Answer | None:
        """The answer, or None when it did not come in time.

        Raises:
            Died: the function took its process with it.
        """
        if self._over:
            return None
        if self._channel is None:
            self.open()
        message, payload = _packed(asking)
        end = monotonic() + 2 * limit + PATIENCE
        try:
            self._channel.send({**message, "limit": limit}, payload, seconds=limit + PATIENCE)
            reply, content = self._receive(end)
        except Late:
            self._end_hard()
            return None
        except (Closed, Malformed) as error:
            raise Died from error
        if reply.get("late") is True:
            self.close(again=True)
            return None
        try:
            tensors = from_bytes(reply.get("tensors"), content)
            return unpack_answer(reply.get("answer"), tensors)
        except ValueError as error:
            raise Died from error

    def _receive(self, end: float) -> tuple[dict[str, Any], bytes]:
        while True:
            if self._run.stop.is_set():
                raise Closed
            wait = min(end - monotonic(), 0.5)
            try:
                return self._channel.receive(
                    seconds=max(wait, 0.0), most_json=MOST_JSON, most_payload=MOST_PAYLOAD
                )
            except Late:
                if wait <= 0:
                    raise

    def _end_hard(self) -> None:
        """Ends the process that answers; without forks that is the kernel itself."""
        self.close(again=True)
        if not self._run.forks:
            self._over = True
            self._run.bury()

    def close(self, *, again: bool = False) -> None:
        """Hangs up. With `again` the next question is asked of a fresh fork, where there is one."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            if self._run.forks and self.alone:
                self._run.order({"do": "drop"})
        renewed = self.alone and (self._run.forks or self._run.has_kernel)
        self._over = self._over or (again and not renewed)


#: Questions as they travel, by the objects they are made of, which are kept so that they stay.
_sent: dict[tuple, tuple[Asking, tuple[dict[str, Any], bytes]]] = {}

#: No more questions than this are kept, and none with more bytes.
_MOST_SENT, _MOST_SENT_BYTES = 1_000, 100_000


def _packed(asking: Asking) -> tuple[dict[str, Any], bytes]:
    """A question as it travels; a whole class is asked the same ones."""
    key = (
        *(id(asking.arguments), id(asking.options)),
        *(asking.cotangent_seed, asking.through, asking.number),
    )
    if key in _sent:
        return _sent[key][1]
    call, tensors = pack_call(asking)
    listed, payload = to_bytes(tensors)
    packed = {"call": call, "tensors": listed}, payload
    if len(payload) <= _MOST_SENT_BYTES:
        if len(_sent) >= _MOST_SENT:
            _sent.clear()
        _sent[key] = asking, packed
    return packed


def sounds_disturbed(error: str, words: str) -> bool:
    """Whether an error may come from a fork beside: an interrupt, or no place for a process.

    >>> sounds_disturbed("RuntimeError", "can't start new thread")
    True
    """
    return error in ("KeyboardInterrupt", "BlockingIOError") or "start new thread" in words


class RemoteCaller(Caller):
    """The caller of the exercises, at the other end of a wire."""

    def __init__(self, question: Question) -> None:
        super().__init__(None)
        self._question = question
        #: The kernel died, or said what no kernel says; there is no more to be asked.
        self.died = False

    def ask(self, *arguments, **options) -> Answer:
        """The answer to one call. Who is late or disturbed, and not alone, is asked in turn."""
        answer = super().ask(*arguments, **options)
        disturbed = answer.late or sounds_disturbed(answer.error, answer.text)
        self.died = self.died or (disturbed and not self._question.alone)
        return answer

    def answer_within(self, asking: Asking, limit: float) -> Answer | None:
        """The answer, or None when it did not come in time."""
        if self.died:
            return None
        try:
            return self._question.ask(asking, limit)
        except Died:
            self.died = True
            return None
