"""Stored events stay readable for ever."""

from pathlib import Path

from chassis.eventstore import EventRegistry
from chassis.testing.golden import assert_golden
from payments.domain.deposit import Deposit
from payments.domain.patient_account import PatientAccount
from payments.domain.payment import Payment, Payout
from payments.domain.remittance import Remittance, RemittanceChunk

from .examples import EXAMPLES


def test_every_stored_event_is_as_it_was_first_written() -> None:
    registry = EventRegistry((Remittance, RemittanceChunk, Deposit, Payment, Payout, PatientAccount))
    assert_golden(registry, Path(__file__).parent / "golden", EXAMPLES)
