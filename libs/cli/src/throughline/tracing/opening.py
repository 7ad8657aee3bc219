"""Opens the bytes that a fact came from, for those who may, and compares what they say with what was booked."""

from __future__ import annotations

from dataclasses import replace

from canonical.money import Money, MoneyRefused, parse_x12_amount

from throughline.outcome import Failure
from throughline.tracing.books import Books
from throughline.tracing.origins import Origin
from throughline.tracing.records import Place

OPENED_BYTES_MAX = 65_536


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


def _opened(books: Books, place: Place) -> Place:
    try:
        return replace(place, content=books.raw(place.message, place.start, min(place.length, OPENED_BYTES_MAX)))
    except Failure as failure:
        return replace(place, refusal=failure.message)


def _bytes_agree(origin: Origin, places: tuple[Place, ...]) -> bool | None:
    contents = [place.content for place in places if place.content is not None]
    if origin.claim_amounts is None or not contents:
        return None
    charge, paid = origin.claim_amounts
    said = claim_amounts_in(contents[0])
    return said is not None and said[1] == paid and charge in (None, said[0])
