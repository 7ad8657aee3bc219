"""Mutates FHIR by its structure: members, entries, types and values as well as bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence

NASTY: tuple[object, ...] = (
    *(
        None,
        True,
        -1,
        0,
        10**30,
        1.005,
        "",
        " ",
        "NaN",
        "#p1",
        "Patient/../1",
        "urn:uuid:x",
        "A" * 300,
        "\u0663",
        "\ud800",
    ),
    *([], {}, [[]], [None], {"reference": "Patient/x"}, {"value": -5, "currency": "EUR"}, {"coding": [{}]}),
    *(
        "entered-in-error",
        "batch",
        "transaction",
        "active",
        "9999-12-31",
        "2026-02-30",
        "2026-02",
        "2026-02-06T24:00:00Z",
    ),
)
TOKENS = (
    b"1e400",
    b"NaN",
    b'"resourceType":"Patient",',
    b"\xff\xfe",
    b"\x00",
    b"[[[[[[[[",
    b"{}",
    b"-0.0",
    b"34.",
    b'\\ud800"',
)
SIZE_MAX = 200_000
Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def mutate(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """`raw` after one to three mutations, at most `SIZE_MAX` long."""
    for _ in range(dice.randint(1, 3)):
        raw = dice.choice(MUTATIONS)(dice, raw, seeds)[:SIZE_MAX]
    return raw


def _bytes(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    start = dice.randint(0, len(raw))
    end = min(len(raw), start + dice.randint(0, 12))
    return raw[:start] + dice.choice([dice.choice(TOKENS), dice.randbytes(3), b""]) + raw[end:]


def _value(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    return _within(dice, raw, lambda holder, key: holder.__setitem__(key, dice.choice(NASTY)))


def _removed(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    return _within(dice, raw, lambda holder, key: holder.__delitem__(key))


def _borrowed(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """A value from somewhere else, of the same message or of another."""
    other = _places(_read(dice.choice([raw, *seeds])))
    if not other:
        return raw
    source, name = dice.choice(other)
    return _within(dice, raw, lambda holder, key: holder.__setitem__(key, source[name]))


def _renamed(dice: random.Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    def rename(holder: dict[object, object], key: object) -> None:
        if isinstance(key, str):
            holder[dice.choice(["id", "meta", "status", "class", "reason", "extension", "_" + key])] = holder.pop(key)

    return _within(dice, raw, rename)


def _within(dice: random.Random, raw: bytes, change: Callable[[dict[object, object], object], None]) -> bytes:
    content = _read(raw)
    places = _places(content)
    if not places:
        return raw
    change(*dice.choice(places))
    return json.dumps(content).encode("utf-8", "surrogatepass")


def _read(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _places(content: object) -> list[tuple[dict[object, object], object]]:
    """Every holder and key of the content; a list holds by number."""
    found: list[tuple[dict[object, object], object]] = []
    waiting = [content]
    while waiting:
        node = waiting.pop()
        keys: Sequence[object] = list(node) if isinstance(node, dict) else ()
        keys = range(len(node)) if isinstance(node, list) else keys
        for key in keys:
            found.append((node, key))  # type: ignore[arg-type]
            waiting.append(node[key])  # type: ignore[index]
    return found


MUTATIONS: tuple[Mutation, ...] = (_bytes, _value, _value, _value, _removed, _borrowed, _renamed)
