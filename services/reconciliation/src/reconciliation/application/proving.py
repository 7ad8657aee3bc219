"""Runs every control over one set of books, looking behind a residual only where one is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from reconciliation.application.drilling import Drilling
from reconciliation.domain.books import Books
from reconciliation.domain.controls import (
    OF_PAYERS,
    billing_against_platform,
    billing_against_subledger,
    clearing_against_zero,
    clearing_places,
    confirmed_against_erp,
    payer_places,
    platform_places,
    receivable_places,
    sides_of,
    subledger_against_erp,
    trial_balance_places,
)
from reconciliation.domain.findings import Compared, ControlResult, Place


def prove(books: Books, drilling: Drilling) -> tuple[ControlResult, ...]:
    """Every place, in the order of the controls."""
    return tuple(_results(books, drilling))


def _results(books: Books, drilling: Drilling) -> Iterator[ControlResult]:
    for place in receivable_places(books):
        if place.compared is Compared.BILLING_SUBLEDGER:
            yield _billing(books, drilling, place)
        else:
            found = subledger_against_erp(books, place)
            left = found.unexplained
            yield subledger_against_erp(books, place, drilling.journals(place, left)) if left else found
    for place in payer_places(books):
        yield _billing(books, drilling, place)
    for place in platform_places(books):
        result = billing_against_platform(books, place)
        yield billing_against_platform(books, place, drilling.platform(place)) if result.residual else result
    for place in clearing_places(books):
        yield _clearing(books, drilling, place)
    for place in trial_balance_places(books):
        found = confirmed_against_erp(books, place)
        left = found.unexplained
        yield confirmed_against_erp(books, place, drilling.journals(place, left)) if left else found


def _billing(books: Books, drilling: Drilling, place: Place) -> ControlResult:
    ours, theirs = sides_of(books, place)
    if ours == theirs:
        return billing_against_subledger(books, place, ())
    found = drilling.remittances(place) if place.account in OF_PAYERS else drilling.receivables(place)
    return billing_against_subledger(books, place, found)


def _clearing(books: Books, drilling: Drilling, place: Place) -> ControlResult:
    found = clearing_against_zero(books, place)
    if not found.unexplained:
        return found
    items = drilling.clearing(place)
    found = clearing_against_zero(books, place, items)
    if not found.unexplained or found.first_divergence:
        return found
    return clearing_against_zero(books, place, items, drilling.journals(place, found.unexplained))


def settle(
    results: Iterable[ControlResult],
    last: Sequence[ControlResult],
    *,
    now: datetime,
    patience: timedelta,
    stood_still: bool,
    lagging: bool = False,
) -> list[ControlResult]:
    """Unexplained differences are in motion while the books move, unless they have been the same for `patience`.

    While a service is behind with what others announced, no time makes a break of a difference: what it has not read yet
    may explain it.

    `last` are the results of the proof before: what has stayed apart by the same amount, on the same thing, since then
    is not in flight.
    """
    before = {result.place: result for result in last}
    settled: list[ControlResult] = []
    for result in results:
        if not result.unexplained:
            settled.append(result)
            continue
        earlier = before.get(result.place)
        since = earlier.since if earlier and earlier.since and _is_same(result, earlier) else now
        is_old = since < now and now - since >= patience
        settled.append(result.seen(since, in_motion=lagging or not (stood_still or is_old)))
    return settled


def _is_same(result: ControlResult, before: ControlResult) -> bool:
    return (before.unexplained, before.first_divergence) == (result.unexplained, result.first_divergence)
