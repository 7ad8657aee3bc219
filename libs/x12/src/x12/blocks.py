"""A piece of text of one interchange, cut into its segments with their spans."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, count
from operator import add

from x12.headers import read_header
from x12.segments import Delimiters

BLANK = "".join(map(chr, range(28))) + " "
ZERO = "\x00"
ZERO_MESSAGE = "the segment holds a zero byte, which is no part of any text"


@dataclass(slots=True)
class Block:
    """Neighbouring segments of one interchange: `texts[i]` spans `offsets[i]` to `offsets[i + 1]`.

    `opens` says that the only segment is an ISA header. `complete` is false when the file ends inside the last segment.
    `raw` is all of the span as it stands, with terminators, line breaks and what was stepped over before it. `oversized` are the
    indexes of segments that are longer than the limit and cut off there.
    """

    texts: list[str]
    offsets: list[int]
    delimiters: Delimiters
    opens: bool = False
    raw: str = ""
    complete: bool = True
    oversized: tuple[int, ...] = ()


@dataclass(slots=True)
class Gap:
    """Bytes that belong to no interchange; `blank` when there is nothing but line breaks and padding."""

    offset: int
    raw: str
    blank: bool

    @property
    def length(self) -> int:
        return len(self.raw)


def unreadable_segments(block: Block) -> list[tuple[int, str, str]]:
    """Segments that cost their set: by index, with rule and message. A zero byte between segments is padding."""
    found = [(index, "segment_over_limit", "the segment is longer than any real one") for index in block.oversized]
    if ZERO in block.raw:
        found += [(index, "zero_byte", ZERO_MESSAGE) for index, text in enumerate(block.texts) if ZERO in text]
    return found


def without_breaks(text: str) -> str:
    """A segment of a file whose lines were wrapped, in one piece."""
    return text.replace("\r", "").replace("\n", "") if "\n" in text or "\r" in text else text


def whole_segments(text: str, terminator: str, *, final: bool) -> int:
    """How much of `text` is sure to end before a segment that may go on.

    A segment is held back until the first character of the next one is seen, so that the line break between them
    belongs to the same span however the file is cut into chunks.
    """
    if final:
        return len(text)
    noise = BLANK + terminator
    held = text.rstrip(noise) if text.endswith(tuple(noise)) else text
    end = text.rfind(terminator, 0, len(held))
    if end < 0:
        return 0
    rest = text[end + 1 :]
    return end + 1 + len(rest) - len(rest.lstrip(noise))


def split_block(text: str, base: int, delimiters: Delimiters) -> Block:
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
    """As `split_block`, for text with blank segments, wrapped lines, or line breaks after some segments only."""
    block = Block([], [], delimiters)
    end = base
    pieces = text.split(delimiters.terminator)
    for piece in pieces:
        content = piece.lstrip(BLANK)
        if content:
            block.offsets.append(end + len(piece) - len(content))
            block.texts.append(without_breaks(content))
        end += len(piece) + 1
    if block.texts and pieces[-1].strip(BLANK):
        block.complete = False
        block.texts[-1] = block.texts[-1].rstrip(BLANK)
    block.offsets.append(base + len(text))
    return block


def cut_at_boundary(block: Block, text: str, base: int) -> bool:
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
