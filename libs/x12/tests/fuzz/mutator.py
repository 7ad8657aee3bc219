"""Mutates X12 by its structure: segments, elements and separators as well as bytes; splices files, cuts them off, and builds bombs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

NASTY = (
    *(b"", b".", b"-", b"-0", b"0.001", b".5", b"34.", b"1E400", b"NaN", b"1_000", b"9" * 40, b"\xd9\xa3", b"+1"),
    *(b"ISA", b"IEA", b"ST", b"SE", b"CLP", b"\x00", b"\xff\xfe", b"20002316", b"00000000", b"CR", b"22", b"A" * 300),
)
MARKS = b"*:^~|>!\n\r'+_\x1c\x1d\x1e\x1f"
SIZE_MAX = 300_000
Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def mutate(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """`raw` after one to four mutations; never larger than `SIZE_MAX`."""
    for _ in range(dice.randint(1, 4)):
        raw = dice.choice(MUTATIONS)(dice, raw, seeds)[:SIZE_MAX]
    return raw


def _span(dice: random.Random, raw: bytes, length_max: int) -> tuple[int, int]:
    start = dice.randint(0, len(raw))
    return start, min(len(raw), start + dice.randint(0, length_max))


def _replace(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(dice, raw, 12)
    return raw[:start] + dice.randbytes(dice.randint(0, 8)) + raw[end:]


def _mark(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _span(dice, raw, 2)
    return raw[:start] + bytes([dice.choice(MARKS)]) + raw[end:]


def _cut_off(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    return raw[: dice.randint(0, len(raw))]


def _splice(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    other = dice.choice(seeds)
    return raw[: dice.randint(0, len(raw))] + other[dice.randint(0, len(other)) :]


def _join(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    return raw + dice.choice([b"", b"\n", b"\x00", b"junk", b"\xef\xbb\xbf"]) + dice.choice(seeds)


def _new_separator(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    return raw.replace(bytes([dice.choice(MARKS)]), bytes([dice.choice(MARKS)]))


def _segments(raw: bytes) -> tuple[bytes, list[bytes]]:
    terminator = raw[105:106] if raw.startswith(b"ISA") and len(raw) > 105 else b"~"
    return terminator, raw.split(terminator)


def _drop_segment(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    terminator, segments = _segments(raw)
    del segments[dice.randrange(len(segments))]
    return terminator.join(segments)


def _move_segment(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    terminator, segments = _segments(raw)
    segments.insert(dice.randrange(len(segments)), segments.pop(dice.randrange(len(segments))))
    return terminator.join(segments)


def _repeat_segments(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    terminator, segments = _segments(raw)
    start = dice.randrange(len(segments))
    end = start + dice.randint(1, 8)
    times = dice.choice([2, 3, 20, 400])
    return terminator.join([*segments[:start], *(segments[start:end] * times), *segments[end:]])


def _element(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    terminator, segments = _segments(raw)
    place = dice.randrange(len(segments))
    elements = segments[place].split(b"*")
    elements[dice.randrange(len(elements))] = dice.choice(NASTY)
    segments[place] = b"*".join(elements)
    return terminator.join(segments)


def _bomb(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    start, _ = _span(dice, raw, 0)
    filling = dice.choice([b"A", b"*", b":", b"~", b"*0", b"\n", b" ", b"CAS*CO*45*1~", b"ISA*", b"9"])
    return raw[:start] + filling * dice.choice([100, 5_000, 20_000]) + raw[start:]


MUTATIONS: tuple[Mutation, ...] = (
    *(_replace, _mark, _cut_off, _splice, _join, _new_separator),
    *(_drop_segment, _move_segment, _repeat_segments, _element, _element, _bomb),
)
