"""Which names files may have, and which say that a file is not finished."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,150}")
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart")


def is_plain(name: str) -> bool:
    """Whether a name is safe to use and to tell of."""
    return _NAME.fullmatch(name) is not None


def is_unfinished(name: str) -> bool:
    """Whether the name says that somebody is still writing."""
    return name.startswith(".") or name.lower().endswith(_UNFINISHED)
