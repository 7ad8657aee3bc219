"""Which adjustments are contractual, as master data says for a payer and a day."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from canonical.master_data import KnownMasterData, Payer, UnknownMasterData
from chassis.domain import Refusal

ReasonsOf = Callable[[str, date], Collection[str]]


class PayerGone(Refusal):
    """Master data no longer knows the payer of a claim on its service date; put it back and retry."""


def payer_on(master_data: KnownMasterData, payer: str, day: date) -> Payer:
    """The payer as it stood on that day.

    Raises:
        PayerGone: see there.
    """
    try:
        return master_data.payer(payer, day)
    except UnknownMasterData as unknown:
        raise PayerGone(str(unknown)) from None


def contractual_reasons_by(master_data: KnownMasterData) -> ReasonsOf:
    """Which CO reasons are contractual with a payer on a day, by master data as it is when it is asked."""
    return lambda payer, day: payer_on(master_data, payer, day).contractual_reasons
