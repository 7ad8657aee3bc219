"""I10: no PHI anywhere but where it is sealed. Canaries are PHI planted on purpose; whatever holds one has leaked."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping

from throughline.checker.result import Failures, Result, judged

BLOCK_BYTES = 4_000_000
SURE_LENGTH = 8
"""From this length on a canary cannot stand in base64 or hex by accident; a shorter one counts only as a word."""

_WORD = rb"A-Za-z0-9+/"


class Canaries:
    """The planted strings, also as base64 shows them; hits name the line of a canary, never the canary."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.count = 0
        self._needles: dict[bytes, int] = {}
        for number, line in enumerate(lines, 1):
            canary = line.strip().encode()
            if canary:
                self.count += 1
                for needle in (canary, *in_base64(canary)):
                    self._needles.setdefault(needle, number)

    def found_in(self, data: bytes) -> list[int]:
        """The lines of the canaries that stand in these bytes."""
        return sorted({number for needle, number in self._needles.items() if needle in data and _counts(needle, data)})


def in_base64(canary: bytes) -> list[bytes]:
    """How a canary looks inside base64, by where it begins; nothing for a short one."""
    if len(canary) < SURE_LENGTH:
        return []
    shown = []
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + canary)
        first = (shift * 8 + 5) // 6
        last = (shift + len(canary)) * 8 // 6
        shown.append(encoded[first:last])
    return shown


def _counts(needle: bytes, data: bytes) -> bool:
    if len(needle) >= SURE_LENGTH:
        return True
    word = rb"(?<![" + _WORD + rb"])" + re.escape(needle) + rb"(?![" + _WORD + rb"])"
    return re.search(word, data) is not None


class Search:
    """Looks through many small pieces as a few large blocks, and names the piece where there is a hit."""

    def __init__(self, canaries: Canaries) -> None:
        self.failures = Failures()
        self.searched_bytes: dict[str, int] = {}
        self._canaries = canaries
        self._pieces: list[tuple[str, bytes]] = []
        self._size = 0

    def look(self, kind: str, place: str, data: bytes) -> None:
        """Takes one piece; `kind` is what it is counted under."""
        self.searched_bytes[kind] = self.searched_bytes.get(kind, 0) + len(data)
        self._pieces.append((place, data))
        self._size += len(data)
        if self._size >= BLOCK_BYTES:
            self.finish()

    def finish(self) -> None:
        """Searches what has gathered."""
        if self._canaries.found_in(b"\n".join(data for _, data in self._pieces)):
            for place, data in self._pieces:
                for number in self._canaries.found_in(data):
                    self.failures.add(f"{place}: canary {number}")
        self._pieces.clear()
        self._size = 0


def no_phi(search: Search, canary_count: int, skipped_parts: Mapping[str, str]) -> Result:
    """I10, of everything that was looked through."""
    search.finish()
    value: dict[str, object] = {"canaries": canary_count, "searched_bytes": dict(search.searched_bytes)}
    if skipped_parts:
        value["not_searched"] = dict(skipped_parts)
    return judged("I10", "No PHI outside sealed places", search.failures, **value)
