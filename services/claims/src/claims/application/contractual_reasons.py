"""Which adjustments are contractual, as master data says for a payer and a day."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from canonical.master_data import MasterData, UnknownMasterData
from chassis.domain import Refusal

ReasonsOf = Callable[[str, date], Collection[str]]


class PayerGone(Refusal):
    """Master data no longer knows the payer of a claim on its service date; put it back and retry."""


def contractual_reasons_by(master_data: MasterData) -> ReasonsOf:
    """Which CO reasons are contractual with a payer on a day, remembered: a remittance asks for few pairs, often."""
    known: dict[tuple[str, date], frozenset[str]] = {}

    def reasons_of(payer: str, day: date) -> Collection[str]:
        found = known.get((payer, day))
        if found is None:
            try:
                found = frozenset(master_data.payer(payer, day).contractual_reasons)
            except UnknownMasterData as unknown:
                raise PayerGone(str(unknown)) from None
            known[payer, day] = found
        return found

    return reasons_of
