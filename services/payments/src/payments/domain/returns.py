"""Returns of a patient's payment: the payer's bank takes back what had succeeded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Conflict


class ReturnChanged(Conflict):
    """The same return came with another amount."""


@dataclass(slots=True)
class TakenByBank:
    """What the payer's bank took back of one payment."""

    amount: Money
    on: date
    is_booked: bool = False


def return_id_of(gateway: str, charge_id: str) -> UUID:
    """The id of what undoes one attempt to pay."""
    return derive("return", gateway, charge_id)
