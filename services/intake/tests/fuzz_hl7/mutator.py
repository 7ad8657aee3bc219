"""Mutates HL7 v2 by its structure: segments, fields, repetitions, components and delimiters, and bytes as well."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

NASTY = (
    *(
        b"",
        b'""',
        b"\\",
        b"\\E",
        b"\\X00\\",
        b"\\X0D\\",
        b"\\.br\\",
        b"|^~\\&",
        b"^^^^^^^",
        b"&&&",
        b"~" * 300,
        b"A" * 300,
    ),
    *(
        b"-1",
        b"1E9",
        b"NaN",
        b"9" * 40,
        b".",
        b"0.005",
        b"\xd9\xa3",
        b"20261340",
        b"20260301+9999",
        b"99991231235959-1400",
    ),
    *(b"\x00", b"\x0b", b"\x1c\r", b"\xff\xfe", b"8859/1", b"UNICODE UTF-8", b"2.3", b"2.8", b"ADT^A40", b"BAR^P02"),
    *(b"DFT^P11", b"ADT^A37", b"AL", b"NE", b"CD", b"PY", b"CO", b"AJ", b"\r", b"\n", b"MSH", b"T"),
)
SIZE_MAX = 60_000
Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def mutate(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """`raw` after one to five mutations; never larger than `SIZE_MAX`."""
    for _ in range(dice.randint(1, 5)):
        raw = dice.choice(MUTATIONS)(dice, raw, seeds)[:SIZE_MAX]
    return raw


def _rows(raw: bytes) -> list[bytes]:
    return raw.split(b"\r")


def _field(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    rows = _rows(raw)
    place = dice.randrange(len(rows))
    fields = rows[place].split(b"|")
    fields += [b""] * dice.choice((0, 0, 0, 40))
    fields[dice.randrange(len(fields))] = dice.choice(NASTY)
    rows[place] = b"|".join(fields)
    return b"\r".join(rows)


def _drop(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    rows = _rows(raw)
    del rows[dice.randrange(len(rows))]
    return b"\r".join(rows)


def _repeat(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    rows = _rows(raw)
    row = dice.choice(rows)
    rows[dice.randrange(len(rows)) : 0] = [row] * dice.choice((1, 2, 60))
    return b"\r".join(rows)


def _borrow(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    rows = _rows(raw)
    rows.insert(dice.randrange(len(rows) + 1), dice.choice(_rows(dice.choice(seeds))))
    return b"\r".join(rows)


def _mark(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    marks = b"|^~\\&\r\n#$!"
    return raw.replace(bytes([dice.choice(marks)]), bytes([dice.choice(marks)]))


def _bytes(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    start = dice.randint(0, len(raw))
    return raw[:start] + dice.randbytes(dice.randint(0, 6)) + raw[start + dice.randint(0, 6) :]


def _end_early(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    return raw[: dice.randint(0, len(raw))] + dice.choice((b"", b"\r", dice.choice(seeds)))


MUTATIONS: tuple[Mutation, ...] = (_field, _field, _field, _drop, _repeat, _borrow, _mark, _bytes, _end_early)
