"""Output of other programs, made safe to show: control sequences out, colours at wish."""

from __future__ import annotations

import re

_SGR = r"\x1b\[[0-9;:]*m"
_STRINGS = r"\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"
_CSI = r"\x1b\[[0-?]*[ -/]*(?:[@-~]|$)"
_OTHER = r"\x1b(?:[ -/]*[0-~]|$)"
_SEQUENCE = re.compile(f"(?P<sgr>{_SGR})|{_STRINGS}|{_CSI}|{_OTHER}", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f\x80-\x9f]")
_ANY_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]")


def sanitise(line: str, *, colours: bool = False) -> str:
    """One line without anything that moves the cursor, sets a title or writes a clipboard.

    Of a line that redraws itself with carriage returns only the last state stays.

    Args:
        line: as the program wrote it.
        colours: whether SGR sequences (colour, bold) stay.
    """
    line = line.rstrip("\r").rpartition("\r")[2]
    if "\x1b" not in line:
        return _ANY_CONTROL.sub("", line)
    kept = _SEQUENCE.sub(lambda found: (found["sgr"] or "") if colours else "", line)
    return (_CONTROL if colours else _ANY_CONTROL).sub("", kept)
