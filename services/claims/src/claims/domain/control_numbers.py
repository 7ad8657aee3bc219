"""The numbers of our interchanges: nine digits, each given once, for ever."""

from __future__ import annotations

import re
from uuid import UUID

from canonical.classes import CanonicalModel
from canonical.ids import derive
from chassis.domain import Aggregate, Event, Refusal

CONTROL_NUMBER_MAX = 999_999_999
_DIGITS = re.compile("0{0,9}([0-9]{1,9})")


class ControlNumbersExhausted(Refusal):
    """All nine-digit numbers have been used; the receivers must be asked before any is used again."""


class ControlNumbersState(CanonicalModel):
    last: int


class ControlNumbers(Aggregate):
    """One row of numbers for every sender and receiver together.

    So a TA1 or 999, which names nothing but the number, leads to its interchange without a look-up. The same number
    stands in ISA13 and GS06.
    """

    snapshot_every = 200

    def start(self) -> None:
        self.last = 0

    class Issued(Event):
        TOPIC = "claims.control-numbers.issued"
        number: int

        def apply(self, numbers: ControlNumbers) -> None:
            numbers.last = self.number

    @property
    def next_number(self) -> str:
        """The number that would be issued now, with leading zeros.

        Raises:
            ControlNumbersExhausted: there is none left.
        """
        if self.last >= CONTROL_NUMBER_MAX:
            raise ControlNumbersExhausted(f"the last control number, {CONTROL_NUMBER_MAX}, has been used")
        return f"{self.last + 1:09d}"

    def issue(self) -> str:
        """Takes the next number, for ever."""
        number = self.next_number
        self.trigger_event(self.Issued, number=self.last + 1)
        return number

    def snapshot(self) -> ControlNumbersState:
        return ControlNumbersState(last=self.last)

    def restore(self, state: bytes) -> None:
        self.last = ControlNumbersState.model_validate_json(state).last


CONTROL_NUMBERS_ID = derive("control-numbers", "claims")


def interchange_id_of(control_number: str) -> UUID:
    """The interchange behind an ISA13 or GS06; leading zeros do not matter, for GS06 may come without them."""
    match = _DIGITS.fullmatch(control_number)
    return derive("interchange", f"{int(match[1]):09d}" if match else control_number)
