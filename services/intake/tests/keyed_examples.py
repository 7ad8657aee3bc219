"""One example of each stored event of a remittance that was keyed from paper."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimPayment
from chassis.domain import Event
from intake.domain.keyed_remittance import KeyedContent, KeyedRemittance

PAID = ClaimPayment(
    position=0,
    patient_control_number="T1",
    status="1",
    charge=Money(8000),
    paid=Money(8000),
    patient_responsibility=Money(0),
)
CONTENT = KeyedContent(
    payer="ACME",
    entity="NORTH",
    trace_number="CHECK 4711",
    payment_method="CHK",
    effective_date=date(2026, 3, 2),
    payment=Money(8000),
    claims=(PAID,),
)


def of_keying() -> Iterator[tuple[type[Event], dict[str, Any]]]:
    yield KeyedRemittance.Keyed, {"content": CONTENT}
    yield KeyedRemittance.Checked, {"payment": Money(8000), "claim_count": 1}
    yield KeyedRemittance.TurnedDown, {"reason": "the day is wrong"}
    yield KeyedRemittance.Received, {"message_id": derive("test-message", 1), "findings": ("set 1: odd",)}
