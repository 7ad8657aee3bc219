"""Opens the bytes that a fact came from, for those who may, and compares what they say with what was booked."""

from __future__ import annotations

import re
from dataclasses import replace

from canonical.money import Money, MoneyRefused, parse_x12_amount

from throughline.outcome import Failure
from throughline.tracing.books import Books
from throughline.tracing.origins import Origin
from throughline.tracing.records import Place

OPENED_BYTES_MAX = 65_536
_CODE = re.compile("[^0-9A-Z]")
"""What ends a PLB code, whatever the component separator is."""
_TERMINATOR = re.compile("[^0-9A-Za-z.]+$")


def opened(books: Books, origin: Origin) -> Origin:
    """The origin with the content of its places, each cut at 64 KB; what may not be read says why."""
    places = tuple(_opened(books, place) for place in origin.places)
    return replace(origin, places=places, bytes_agree=_bytes_agree(origin, places))


def claim_amounts_in(content: bytes) -> tuple[Money, Money] | None:
    """CLP03 and CLP04 of the claim that these bytes of an 835 begin with; None where they are not a CLP loop.

    Source: X12 005010X221A1, segment CLP.
    """
    start = content.find(b"CLP")
    if start < 0 or start + 3 >= len(content):
        return None
    text = content[start:].decode("latin-1")
    fields = text.split(text[3], 5)
    try:
        return parse_x12_amount(fields[3]), parse_x12_amount(fields[4])
    except (MoneyRefused, IndexError):
        return None


def adjustments_in(content: bytes) -> tuple[tuple[str, Money], ...] | None:
    """Code and amount of each pair of the PLB that these bytes of an 835 begin with; None where they are none.

    Source: X12 005010X221A1, segment PLB.
    """
    start = content.find(b"PLB")
    if start < 0 or start + 3 >= len(content):
        return None
    text = _TERMINATOR.sub("", content[start:].decode("latin-1"))
    fields = text.split(text[3])
    try:
        pairs = [
            (_CODE.split(code, maxsplit=1)[0], parse_x12_amount(amount))
            for code, amount in zip(fields[3:15:2], fields[4:15:2], strict=False)
            if code and amount
        ]
    except MoneyRefused:
        return None
    return tuple(pairs)


def _opened(books: Books, place: Place) -> Place:
    try:
        return replace(place, content=books.raw(place.message, place.start, min(place.length, OPENED_BYTES_MAX)))
    except Failure as failure:
        return replace(place, refusal=failure.message)


def _bytes_agree(origin: Origin, places: tuple[Place, ...]) -> bool | None:
    contents = [place.content for place in places if place.content is not None]
    if origin.adjustment is not None and contents:
        return origin.adjustment in (adjustments_in(contents[0]) or ())
    if origin.claim_amounts is None or not contents:
        return None
    charge, paid = origin.claim_amounts
    said = claim_amounts_in(contents[0])
    return said is not None and said[1] == paid and charge in (None, said[0])
