"""In which order journal entries and questions use an ERP that takes few calls at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum

from ledger_adapter.domain.subledger import GroupKind


class Lane(IntEnum):
    """The lower goes first. READING is what people and reconciliation ask, which waits for all that is to be booked."""

    PATIENT_PAYMENT = 0
    REMITTANCE = 1
    CHARGES = 2
    MONTH_END = 3
    READING = 4


_OF_PATIENTS = (
    GroupKind.PATIENT_PAYMENT,
    GroupKind.APPLICATION,
    GroupKind.REFUND,
    GroupKind.DISPUTE,
    GroupKind.RETURN,
)
LANE_OF: Mapping[GroupKind, Lane] = {
    **dict.fromkeys(GroupKind, Lane.REMITTANCE),
    **dict.fromkeys(_OF_PATIENTS, Lane.PATIENT_PAYMENT),
    GroupKind.CHARGES: Lane.CHARGES,
    GroupKind.CREDIT_BALANCES: Lane.MONTH_END,
}
"""What is neither a patient's money nor charges nor of a month's end goes with the remittances."""

_LANE: ContextVar[Lane] = ContextVar("erp_lane", default=Lane.READING)


@contextmanager
def calling_in(lane: Lane) -> Iterator[None]:
    """Whatever this thread asks an ERP within is of this lane."""
    token = _LANE.set(lane)
    try:
        yield
    finally:
        _LANE.reset(token)


def lane_now() -> Lane:
    """The lane of what this thread asks an ERP."""
    return _LANE.get()
