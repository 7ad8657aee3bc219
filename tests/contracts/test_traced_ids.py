"""The ids that tracing derives are those that the ledger and payments derive: a trace is by rule, not by look-up."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from canonical.events.payments import PayoutPaid
from canonical.money import Money
from ledger_adapter.domain.journal_entry import journal_id
from ledger_adapter.domain.subledger import GroupKind, charge_posting_id, single_posting_id
from payments.application.publishing import publish
from payments.domain.payout import Payout, PayoutShare
from throughline.tracing import identities

ONE, OTHER = UUID(int=1), UUID(int=2)


def test_postings_have_the_ids_that_tracing_derives() -> None:
    assert identities.charge_posting(str(ONE), 2) == str(charge_posting_id(ONE, 2))
    assert identities.deposit_posting(str(ONE), str(OTHER)) == str(single_posting_id(GroupKind.DEPOSIT, ONE, OTHER))
    assert identities.payment_posting(str(ONE)) == str(single_posting_id(GroupKind.PATIENT_PAYMENT, ONE))
    assert identities.application_posting(str(ONE), 3) == str(single_posting_id(GroupKind.APPLICATION, ONE, 3))
    assert identities.payout_posting(str(ONE), "N") == str(single_posting_id(GroupKind.PAYOUT, ONE, "N"))


def test_journal_entries_of_every_kind_have_the_ids_that_tracing_derives() -> None:
    for kind in GroupKind:
        assert identities.journal(kind.value, str(ONE), 4) == str(journal_id(kind, ONE, 4))


def test_the_share_of_a_payout_has_the_id_that_payments_announces() -> None:
    share = PayoutShare(entity="NORTH", gross=Money(100), fees=Money(3), net=Money(97))
    fields: dict[str, Any] = {"originator_id": ONE, "shares": (share,), "effective_date": date(2026, 6, 1)}
    composed = Payout.Composed.model_construct(**fields)
    (announced,) = publish(composed)
    assert isinstance(announced, PayoutPaid)
    assert identities.payout_share(str(ONE), "NORTH") == str(announced.payout_id)
