"""Text of strangers made safe to show: titles, handles and the names of files can contain anything."""

from __future__ import annotations

import re

# Control characters, halves of surrogate pairs, and marks that turn the direction of what follows.
_OBEYED = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069"
OBEYED = re.compile(f"[{_OBEYED}]")
"""What a terminal may obey instead of showing it; ends of lines and tabs are not among it."""
_BREAKS_A_LINE = re.compile(f"[\t\n\u2028\u2029{_OBEYED}]")


def printable(text: str) -> str:
    """``text`` with a replacement character for each sign that a terminal may obey."""
    return OBEYED.sub("\ufffd", text)


def one_line(text: str) -> str:
    """``text`` in one line that no terminal obeys, with Python's escapes."""
    return _BREAKS_A_LINE.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)
