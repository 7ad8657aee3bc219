"""A chunk asks the store so many times, however many claims it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

import pytest
from canonical.remittance import ClaimPayment
from chassis.eventstore.port import History

from .money_world import SECOND, charged_to, paid_by_line, reversal_of
from .world import DENIAL, ClaimsUnderTest, chunk, paid

LOADS_MAX = 12


def insured(number: int) -> ClaimPayment:
    return paid_by_line(number, number)


def loads_of_the_last(monkeypatch: pytest.MonkeyPatch, size: int, *told: Callable[[int], ClaimPayment]) -> int:
    """How often the last remittance of the story made the store load, with so many claims in each."""
    service = ClaimsUnderTest()
    numbers = range(1, size + 1)
    service.receive(*(charged_to(*((SECOND,) if number % 2 else ()), number=number) for number in numbers))
    service.sweep()
    for index, payment in enumerate(told[:-1]):
        service.receive(chunk(*map(payment, numbers), remittance=index))
        service.sweep()
    loads = 0
    load = service.store.load

    def counted(ids: Iterable[UUID]) -> dict[UUID, History]:
        nonlocal loads
        loads += 1
        return load(ids)

    monkeypatch.setattr(service.store, "load", counted)
    assert service.receive(chunk(*map(told[-1], numbers), remittance="last")).done == 1
    return loads


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("first decisions", (insured,)),
        ("denials", (lambda number: paid(number, number, amount="0.00", adjustments=(DENIAL,)),)),
        ("reversals", (insured, lambda number: reversal_of(insured(number), number))),
        ("originals of reversals that wait", (lambda number: reversal_of(insured(number), number), insured)),
        ("payments that are paid twice", (insured, insured)),
    ],
)
def test_the_store_is_asked_no_more_often_for_many_claims_than_for_few(
    monkeypatch: pytest.MonkeyPatch, case: str, told: tuple[Callable[[int], ClaimPayment], ...]
) -> None:
    few, many = (loads_of_the_last(monkeypatch, size, *told) for size in (4, 40))

    assert few == many <= LOADS_MAX, case
