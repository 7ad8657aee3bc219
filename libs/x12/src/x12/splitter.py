"""The streaming splitter: bytes of any size to segments with their spans, in bounded memory and without losing a byte."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from x12.blocks import BLANK, Block, Gap, cut_at_boundary, split_block, whole_segments, without_breaks
from x12.errors import LimitExceeded, NotAnInterchange
from x12.headers import COMPONENT_WHEN_UNDECLARED, HEADER_BYTES_MAX, read_bare_start, read_header
from x12.segments import DEFAULT_LIMITS, Delimiters, Limits, Segment

Source = bytes | BinaryIO | Iterable[bytes]

_BYTE_ORDER_MARK = "\xef\xbb\xbf"
_FIRST_PORTION_BYTES = 4_096
_HEADER_START = re.compile(r"ISA[^A-Za-z0-9 \t\r\n]")


def blocks(source: Source, limits: Limits = DEFAULT_LIMITS) -> Iterator[Block | Gap]:
    """Blocks of segments, in file order; their `raw` and that of the gaps is the file, byte for byte.

    A file that begins with a group or a set without a header is read too; its first block does not open.

    Raises:
        NotAnInterchange: the bytes do not begin with a readable ISA header, nor with a group or a set.
        LimitExceeded: a segment is so long that nothing after it can be trusted (`limits.section_bytes`).
    """
    window = _Window(source, limits)
    opened = False
    while True:
        yield from window.skip_blanks()
        if not window.text:
            break
        header = window.header()
        bare = None if opened or header else read_bare_start(window.text)
        if header is not None:
            yield window.take_header(*header)
            yield from window.take_interchange(header[0])
        elif bare is not None:
            yield from window.take_interchange(bare)
        elif opened:
            yield from window.take_gap()
        else:
            raise NotAnInterchange("no_isa", "the file does not begin with a readable ISA header", window.base)
        opened = True
    if not opened:
        raise NotAnInterchange("empty", "the file holds no segment")
    if window.held:
        yield window.gap(blank=True)


def split(source: Source, limits: Limits = DEFAULT_LIMITS) -> Iterator[Segment]:
    """Segments one by one with their bytes; the convenient form of `blocks`, with the same refusals. Gaps have an empty text."""
    ordinal = position = 0
    no_delimiters = Delimiters("*", COMPONENT_WHEN_UNDECLARED, "", "~")
    for block in blocks(source, limits):
        if isinstance(block, Gap):
            raw = block.raw.encode("latin-1")
            yield Segment("", block.offset, block.length, 0, ordinal, no_delimiters, raw)
            continue
        separator = block.delimiters.element
        for index, text in enumerate(block.texts):
            ordinal += 1
            if ordinal > limits.segments:
                raise LimitExceeded("segments", f"more than {limits.segments} segments", block.offsets[index])
            tag = text.split(separator, 1)[0]
            position = 1 if tag == "ST" else 0 if tag in _OUTSIDE_TAGS else position + 1 if position else 0
            offset, end, start = block.offsets[index], block.offsets[index + 1], block.offsets[0]
            raw = block.raw[offset - start : end - start].encode("latin-1")
            yield Segment(text, offset, end - offset, position, ordinal, block.delimiters, raw)
            position = 0 if tag == "SE" else position


_OUTSIDE_TAGS = frozenset(["ISA", "IEA", "GS", "GE", "TA1"])


class _Window:
    """The part of the file in memory: `text` holds Latin-1 characters from byte `base` on, `held` what was stepped over before it."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self._chunks = _chunks_of(source, limits.block_bytes)
        self._limits = limits
        self.text = ""
        self.held = ""
        self.base = 0
        self.final = False

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        self.final = not chunk
        self.text += chunk.decode("latin-1")
        return not self.final

    def _hold(self, length: int) -> None:
        self.held += self.text[:length]
        self.text = self.text[length:]
        self.base += length

    def _emitted(self) -> str:
        raw, self.held = self.held, ""
        return raw

    def gap(self, *, blank: bool) -> Gap:
        """What is held, as bytes that belong to no interchange."""
        return Gap(self.base - len(self.held), self._emitted(), blank)

    def skip_blanks(self) -> Iterator[Gap]:
        """Step over a byte-order mark, line breaks and padding; too much of it becomes a gap. No text: the end of the file."""
        while len(self.text) < len(_BYTE_ORDER_MARK) and self._more():
            pass
        self._hold(len(_BYTE_ORDER_MARK) if self.text.startswith(_BYTE_ORDER_MARK) else 0)
        while True:
            self._hold(len(self.text) - len(self.text.lstrip(BLANK)))
            if len(self.held) > self._limits.segment_bytes:
                yield self.gap(blank=True)
            if self.text or not self._more():
                return

    def header(self) -> tuple[Delimiters, int] | None:
        """Delimiters and length of the ISA header at the start of the window, if one is there."""
        while len(self.text) < HEADER_BYTES_MAX and self._more():
            pass
        return read_header(self.text, 0)

    def take_header(self, delimiters: Delimiters, length: int) -> Block:
        text = without_breaks(self.text[: length - 1])
        self._hold(length)
        noise = BLANK.replace(delimiters.terminator, "") + delimiters.terminator
        while True:
            self._hold(len(self.text) - len(self.text.lstrip(noise)))
            if len(self.held) > self._limits.segment_bytes + self._limits.block_bytes:
                raise self._too_long(self.base)
            if self.text or not self._more():
                break
        start = self.base - len(self.held)
        return Block([text], [start, self.base], delimiters, opens=True, raw=self._emitted())

    def take_interchange(self, delimiters: Delimiters) -> Iterator[Block | Gap]:
        """Blocks up to and including IEA, or up to the next ISA, or to the end of the file.

        They begin small and grow, so that many short interchanges in one window cost no more than a long one.
        """
        portion = _FIRST_PORTION_BYTES
        while self.text or self._more():
            text = self.text[:portion]
            cut = whole_segments(text, delimiters.terminator, final=self.final and len(text) == len(self.text))
            if cut:
                block = split_block(text[:cut], self.base, delimiters)
                ended = cut_at_boundary(block, self.text, self.base)
                self._cut_oversized(block)
                start = self.base - len(self.held)
                self._hold(block.offsets[-1] - self.base)
                if block.texts:
                    block.offsets[0], block.raw = start, self._emitted()
                    yield block
                if ended:
                    return
            elif len(text) > self._limits.segment_bytes:
                yield from self._take_oversized(text, delimiters)
            if not cut or portion < self._limits.block_bytes:
                portion *= 2
            if not self.final and len(self.text) <= portion:
                self._more()

    def _cut_oversized(self, block: Block) -> None:
        limit = self._limits.segment_bytes
        if max(map(len, block.texts), default=0) > limit:
            block.oversized = tuple(index for index, text in enumerate(block.texts) if len(text) > limit)
            block.texts = [text[:limit] for text in block.texts]

    def _take_oversized(self, text: str, delimiters: Delimiters) -> Iterator[Block | Gap]:
        """The beginning of a segment that is over the limit as a block, the rest of it as gaps. `text` has no whole segment."""
        if delimiters.terminator in text:
            if len(text) > self._limits.section_bytes:
                raise self._too_long(self.base)
            return
        content = text.lstrip(BLANK)
        start = self.base - len(self.held)
        self._hold(len(text) - len(content))
        if not content:
            yield self.gap(blank=True)
            return
        beginning = self.text[: self._limits.segment_bytes]
        self._hold(len(beginning))
        yield Block([without_breaks(beginning)], [start, self.base], delimiters, raw=self._emitted(), oversized=(0,))
        yield from self._skip_segment(delimiters.terminator)

    def _skip_segment(self, terminator: str) -> Iterator[Gap]:
        skipped = 0
        while self.text or self._more():
            end = self.text.find(terminator)
            self._hold(end + 1 or len(self.text))
            skipped += len(self.held)
            yield self.gap(blank=True)
            if end >= 0:
                return
            if skipped > self._limits.section_bytes:
                raise self._too_long(self.base)

    def _too_long(self, offset: int) -> LimitExceeded:
        limit = self._limits.segment_bytes
        return LimitExceeded("segment_bytes", f"a segment is longer than {limit} bytes", offset)

    def take_gap(self) -> Iterator[Gap]:
        """What stands before the next readable ISA header, or before the end of the file."""
        while True:
            start = _next_header(self.text)
            length = start if start is not None else len(self.text) if self.final else len(self.text) - HEADER_BYTES_MAX
            if length > 0:
                self._hold(length)
                yield self.gap(blank=False)
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


def _next_header(text: str) -> int | None:
    for match in _HEADER_START.finditer(text):
        if match.start() and read_header(text, match.start()):
            return match.start()
    return None
