"""The streaming splitter: bytes of any size to segments with their spans, in bounded memory and without losing a byte."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, count
from operator import add
from typing import BinaryIO

from x12.errors import LimitExceeded, NotAnInterchange
from x12.segments import DEFAULT_LIMITS, Delimiters, Limits, Segment

Source = bytes | BinaryIO | Iterable[bytes]

_BYTE_ORDER_MARK = "\xef\xbb\xbf"
_BLANK = "".join(map(chr, range(28))) + " "
_WHITE_SPACE = " \t\r\n\x0b\x0c"
_HEADER_BYTES_MAX = 1024
_HEADER_START = re.compile(r"ISA[^A-Za-z0-9 \t\r\n]")
_COMPONENT_WHEN_UNDECLARED = ":"


@dataclass(slots=True)
class Block:
    """Neighbouring segments of one interchange: `texts[i]` spans `offsets[i]` to `offsets[i + 1]`.

    `opens` says that the only segment is an ISA header. `complete` is false when the file ends inside the last segment.
    """

    texts: list[str]
    offsets: list[int]
    delimiters: Delimiters
    opens: bool = False
    complete: bool = True


@dataclass(slots=True)
class Gap:
    """Bytes that belong to no interchange; `blank` when there is nothing but line breaks and padding."""

    offset: int
    length: int
    blank: bool


def blocks(source: Source, limits: Limits = DEFAULT_LIMITS) -> Iterator[Block | Gap]:
    """Blocks of segments, in file order; their spans and the gaps tile the file.

    Raises:
        NotAnInterchange: the bytes do not begin with a readable ISA header.
        LimitExceeded: a segment is longer than `limits.segment_bytes`.
    """
    window = _Window(source, limits)
    opened = False
    while window.skip_blanks(byte_order_mark=not opened):
        header = window.header()
        if header is not None:
            opened = True
            yield window.take_header(*header)
            yield from window.take_interchange(header[0])
        elif opened:
            yield from window.take_gap()
        else:
            raise NotAnInterchange("no_isa", "the file does not begin with a readable ISA header", window.base)
    if not opened:
        raise NotAnInterchange("empty", "the file holds no segment")
    if window.emitted < window.base:
        yield Gap(window.emitted, window.base - window.emitted, blank=True)


def split(source: Source, limits: Limits = DEFAULT_LIMITS) -> Iterator[Segment]:
    """Segments one by one; the convenient form of `blocks`, with the same refusals. Gaps have an empty text."""
    ordinal = position = 0
    no_delimiters = Delimiters("*", _COMPONENT_WHEN_UNDECLARED, "", "~")
    for block in blocks(source, limits):
        if isinstance(block, Gap):
            yield Segment("", block.offset, block.length, 0, ordinal, no_delimiters)
            continue
        separator = block.delimiters.element
        for index, text in enumerate(block.texts):
            ordinal += 1
            if ordinal > limits.segments:
                raise LimitExceeded("segments", f"more than {limits.segments} segments", block.offsets[index])
            tag = text.split(separator, 1)[0]
            position = 1 if tag == "ST" else 0 if tag in _OUTSIDE_TAGS else position + 1 if position else 0
            offset = block.offsets[index]
            yield Segment(text, offset, block.offsets[index + 1] - offset, position, ordinal, block.delimiters)
            position = 0 if tag == "SE" else position


_OUTSIDE_TAGS = frozenset(["ISA", "IEA", "GS", "GE", "TA1"])


class _Window:
    """The part of the file in memory: `text` holds Latin-1 characters from byte `base` on."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self._chunks = _chunks_of(source, limits.block_bytes)
        self._limits = limits
        self.text = ""
        self.base = 0
        self.emitted = 0
        self.final = False

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        self.final = not chunk
        self.text += chunk.decode("latin-1")
        return not self.final

    def _drop(self, length: int) -> None:
        self.text = self.text[length:]
        self.base += length

    def skip_blanks(self, *, byte_order_mark: bool) -> bool:
        """Step over line breaks and padding, and over the byte-order mark at the start; false at the end of the file."""
        if byte_order_mark:
            while len(self.text) < len(_BYTE_ORDER_MARK) and self._more():
                pass
            self._drop(len(_BYTE_ORDER_MARK) if self.text.startswith(_BYTE_ORDER_MARK) else 0)
        while True:
            self._drop(len(self.text) - len(self.text.lstrip(_BLANK)))
            if self.text or not self._more():
                return bool(self.text)

    def header(self) -> tuple[Delimiters, int] | None:
        """Delimiters and length of the ISA header at the start of the window, if one is there."""
        while len(self.text) < _HEADER_BYTES_MAX and self._more():
            pass
        return read_header(self.text, 0)

    def take_header(self, delimiters: Delimiters, length: int) -> Block:
        text = _without_breaks(self.text[: length - 1])
        self._drop(length)
        noise = _BLANK.replace(delimiters.terminator, "") + delimiters.terminator
        while True:
            self._drop(len(self.text) - len(self.text.lstrip(noise)))
            if self.text or not self._more():
                break
        return self._emit(Block([text], [0, self.base], delimiters, opens=True))

    def _emit(self, block: Block) -> Block:
        block.offsets[0] = self.emitted
        self.emitted = block.offsets[-1]
        return block

    def take_interchange(self, delimiters: Delimiters) -> Iterator[Block]:
        """Blocks up to and including IEA, or up to the next ISA, or to the end of the file."""
        while self.text or self._more():
            cut = _whole_segments(self.text, delimiters.terminator, final=self.final)
            if cut:
                block = _split_block(self.text[:cut], self.base, delimiters)
                ended = _cut_at_boundary(block, self.text, self.base)
                self._check_segment_lengths(block)
                if block.texts:
                    yield self._emit(block)
                self._drop(block.offsets[-1] - self.base)
                if ended:
                    return
            if not cut or not self.final:
                if len(self.text) > self._limits.segment_bytes:
                    raise self._too_long(self.base)
                self._more()

    def _check_segment_lengths(self, block: Block) -> None:
        longest = max(map(len, block.texts), default=0)
        if longest > self._limits.segment_bytes:
            index = next(i for i, text in enumerate(block.texts) if len(text) == longest)
            raise self._too_long(block.offsets[index])

    def _too_long(self, offset: int) -> LimitExceeded:
        limit = self._limits.segment_bytes
        return LimitExceeded("segment_bytes", f"a segment is longer than {limit} bytes", offset)

    def take_gap(self) -> Iterator[Gap]:
        """What stands before the next readable ISA header, or before the end of the file."""
        while True:
            start = _next_header(self.text)
            length = (
                start if start is not None else len(self.text) if self.final else len(self.text) - _HEADER_BYTES_MAX
            )
            if length > 0:
                self._drop(length)
                yield Gap(self.emitted, self.base - self.emitted, blank=False)
                self.emitted = self.base
            if start is not None or self.final:
                return
            self._more()


def _chunks_of(source: Source, size: int) -> Iterator[bytes]:
    if isinstance(source, bytes):
        for start in range(0, len(source), size):
            yield source[start : start + size]
        return
    if hasattr(source, "read"):
        while chunk := source.read(size):
            yield chunk
        return
    pending: list[bytes] = []
    waiting = 0
    for chunk in source:
        pending.append(chunk)
        waiting += len(chunk)
        if waiting >= size:
            yield from _chunks_of(b"".join(pending), size)
            pending, waiting = [], 0
    if waiting:
        yield b"".join(pending)


def read_header(text: str, start: int) -> tuple[Delimiters, int] | None:
    """Delimiters and length (with terminator) of an ISA header at `start`, padded to 106 characters or not.

    A sender that leaves ISA16 out declares no component separator; `:` is assumed.
    """
    head = text[start : start + _HEADER_BYTES_MAX]
    element = head[3:4]
    if not head.startswith("ISA") or not _can_separate(element):
        return None
    parts = head.split(element, 16)
    if len(parts) < 17 or len(parts[16]) < 2 or not _plausible(parts):
        return None
    tail = parts[16]
    declared = not _isa16_is_missing(tail, element)
    component = tail[0] if declared else _COMPONENT_WHEN_UNDECLARED
    terminator = tail[1] if declared else tail[0]
    if not _can_separate(component) or terminator.isalnum() or terminator == " ":
        return None
    if len({element, component, terminator}) < 3:
        return None
    repetition = parts[11].strip(_WHITE_SPACE) if parts[12].strip() >= "00402" else ""
    repetition = repetition if _can_separate(repetition) else ""
    return Delimiters(element, component, repetition, terminator), len(head) - len(tail) + (2 if declared else 1)


def _plausible(parts: list[str]) -> bool:
    version = parts[12].strip()
    return len(version) == 5 and version.isascii() and version.isdigit() and max(map(len, parts[1:16])) <= 40


def _can_separate(candidate: str) -> bool:
    return len(candidate) == 1 and not candidate.isalnum() and candidate not in _WHITE_SPACE


def _isa16_is_missing(tail: str, element: str) -> bool:
    following = tuple(tag + element for tag in ("GS", "TA1", "IEA"))
    if tail[1:].startswith(following):
        return True
    line = tail[1:].lstrip("\r\n")
    return tail[1] in "\r\n" and line.startswith(following) and line.split("\n", 1)[0].rstrip("\r").endswith(tail[0])


def _next_header(text: str) -> int | None:
    for match in _HEADER_START.finditer(text):
        if match.start() and read_header(text, match.start()):
            return match.start()
    return None


def _without_breaks(text: str) -> str:
    return text.replace("\r", "").replace("\n", "") if "\n" in text or "\r" in text else text


def _whole_segments(text: str, terminator: str, *, final: bool) -> int:
    """How much of `text` is sure to end before a segment that may go on.

    A segment is held back until the first character of the next one is seen, so that the line break between them
    belongs to the same span however the file is cut into chunks.
    """
    if final:
        return len(text)
    noise = _BLANK + terminator
    held = text.rstrip(noise) if text.endswith(tuple(noise)) else text
    end = text.rfind(terminator, 0, len(held))
    if end < 0:
        return 0
    rest = text[end + 1 :]
    return end + 1 + len(rest) - len(rest.lstrip(noise))


def _split_block(text: str, base: int, delimiters: Delimiters) -> Block:
    """Segments of `text`, which begins with one; the separators are those of this interchange."""
    terminator = delimiters.terminator
    ends = text.count(terminator)
    separator = terminator
    for line_break in ("\r\n", "\n"):
        if terminator != "\n" and ends and text.count(terminator + line_break) == ends:
            separator = terminator + line_break
            break
    pieces = text.split(separator)
    clean = all(text.count(char) == ends * separator.count(char) for char in "\r\n")
    if not clean or pieces.pop() or not pieces or min(pieces) < "!":
        return _split_irregular(text, base, delimiters)
    offsets = list(map(add, accumulate(map(len, pieces), initial=base), count(0, len(separator))))
    return Block(pieces, offsets, delimiters)


def _split_irregular(text: str, base: int, delimiters: Delimiters) -> Block:
    """As `_split_block`, for text with blank segments, wrapped lines, or line breaks after some segments only."""
    block = Block([], [], delimiters)
    end = base
    pieces = text.split(delimiters.terminator)
    for piece in pieces:
        content = piece.lstrip(_BLANK)
        if content:
            block.offsets.append(end + len(piece) - len(content))
            block.texts.append(_without_breaks(content))
        end += len(piece) + 1
    if block.texts and pieces[-1].strip(_BLANK):
        block.complete = False
        block.texts[-1] = block.texts[-1].rstrip(_BLANK)
    block.offsets.append(base + len(text))
    return block


def _cut_at_boundary(block: Block, text: str, base: int) -> bool:
    """Shorten the block to this interchange: after its IEA, or before the ISA of another. True if it ends here."""
    if "IEA" not in text and "ISA" not in text:
        return False
    separator = block.delimiters.element
    for index, segment in enumerate(block.texts):
        if segment == "IEA" or segment.startswith("IEA" + separator):
            keep = index + 1
        elif segment.startswith("ISA") and read_header(text, block.offsets[index] - base):
            keep = index
        else:
            continue
        block.complete = block.complete or keep < len(block.texts)
        del block.texts[keep:], block.offsets[keep + 1 :]
        return True
    return False
