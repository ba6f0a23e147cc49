"""Text from strangers, made fit to be written down and read out."""

from __future__ import annotations

import re

#: A sentence for a table; the longest of ours has about a thousand characters.
MAX_SENTENCE = 2000


def writable(text: str) -> str:
    """The text without half characters, which no file takes.

    >>> writable("a\\ud800b")
    'a?b'
    """
    return text.encode("utf-8", errors="replace").decode("utf-8")


def sentence(text: str) -> str:
    """The text on one line, without the codes that move a terminal's cursor or change its colors.

    >>> sentence("wrong\\x1b[2J\\n  shape")
    'wrong shape'
    """
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", writable(text))
    text = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text)
    text = " ".join(text.split())
    return text if len(text) <= MAX_SENTENCE else text[: MAX_SENTENCE - 1] + "…"
