"""I10: no PHI anywhere but where it is sealed. Canaries are PHI planted on purpose; whatever holds one has leaked."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping

from throughline.checker.result import Failures, Result, judged

BLOCK_BYTES = 4_000_000
SURE_LENGTH = 8
"""From this length on a canary cannot stand in base64 or hex by accident; a shorter one counts only as a word."""
COMPARED_LENGTH = 60
"""Canaries are told apart by their beginnings."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")
_IN_A_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

_Node = dict[int, "_Node"]


class Canaries:
    """The planted strings; hits name the line of a canary, never the canary."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._numbers: dict[bytes, int] = {}
        for number, line in enumerate(lines, 1):
            canary = line.strip().encode()[:COMPARED_LENGTH]
            if canary:
                self._numbers.setdefault(canary, number)
        self._pattern = re.compile(any_of(self._numbers) if self._numbers else rb"(?!)")

    @property
    def count(self) -> int:
        return len(self._numbers)

    def found_in(self, data: bytes) -> list[int]:
        """The lines of the canaries that stand in these bytes, as they are or in base64."""
        found = self._plain(data)
        for blob in _BASE64.findall(data):
            whole = len(blob.rstrip(b"=")) // 4 * 4
            found |= self._plain(base64.b64decode(blob[:whole]))
        return sorted(found)

    def _plain(self, data: bytes) -> set[int]:
        hits = self._pattern.finditer(data)
        return {self._numbers[hit.group()] for hit in hits if _counts(hit, data)}


def any_of(words: Iterable[bytes]) -> bytes:
    """A pattern for any of many words that looks at each byte about once: words share what they begin with."""
    root: _Node = {}
    for word in words:
        node = root
        for byte in word:
            node = node.setdefault(byte, {})
        node[_END] = {}
    return _pattern_of(root)


_END = -1


def _pattern_of(node: _Node) -> bytes:
    by_rest: dict[bytes, list[int]] = {}
    for byte, following in node.items():
        if byte != _END:
            by_rest.setdefault(_pattern_of(following), []).append(byte)
    choices = [_class_of(letters) + rest for rest, letters in by_rest.items()]
    if not choices:
        return b""
    if len(choices) == 1 and _END not in node:
        return choices[0]
    return b"(?:" + b"|".join(choices) + b")" + (b"?" if _END in node else b"")


def _class_of(letters: list[int]) -> bytes:
    escaped = [re.escape(bytes([letter])) for letter in letters]
    return escaped[0] if len(escaped) == 1 else b"[" + b"".join(escaped) + b"]"


def _counts(hit: re.Match[bytes], data: bytes) -> bool:
    """A long canary always counts, a short one only where it stands by itself."""
    start, end = hit.span()
    if end - start >= SURE_LENGTH:
        return True
    before = start > 0 and data[start - 1] in _IN_A_WORD
    return not before and not (end < len(data) and data[end] in _IN_A_WORD)


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
