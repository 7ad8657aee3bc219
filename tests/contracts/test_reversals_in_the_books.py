"""What payers take back, from the claim to the ledger and the patient's account: in any order all three say the same."""

from __future__ import annotations

from random import Random
from uuid import UUID

from canonical.envelope import Envelope, PublicEvent
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimPayment
from chassis.eventstore import Work, transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.exceptions import CASES
from chassis.messaging import Delivery
from chassis.runtime import ServiceShape
from chassis.testing.contexts import context
from claims.application.adjudicating import settle_decisions
from claims.application.contractual_reasons import contractual_reasons_by
from claims.application.following import DecisionFollowing
from claims.application.matching import match_payment
from claims.application.queries import subledger_balances, unmatched_payments
from claims.domain.adjudicated_claim import ReversalNotProved
from claims.main import SHAPE as CLAIMS
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_adapter.adapters.fake_erp import FakeErp, OneErpForAll
from ledger_adapter.application.queries import BALANCES
from ledger_adapter.main import SHAPE as LEDGER
from ledger_adapter.main import assemble as assemble_ledger
from payments.application.patient_rows import ACCOUNTS
from payments.domain.payout import BalanceTransaction
from payments.main import SHAPE as PAYMENTS
from payments.main import assemble as assemble_payments

from services.claims.tests.money_world import CO, PR, paid_by_line, part, reversal_of
from services.claims.tests.world import EDITS, MASTER_DATA, ClaimsUnderTest, adjustment, charged, chunk, claim_id, paid

HALVES = (adjustment(CO, "45", "35.00"), adjustment(PR, "3", "15.00"))
HALF = paid(amount="75.00", charge=Money.of("125.00"), adjustments=HALVES, patient_responsibility=Money.of("15.00"))
STRANGER = paid_by_line().model_copy(update={"patient_control_number": "TNOBODYSENTTHIS01"})
BOTH_PARTS = reversal_of(paid_by_line(), payer_control_number="ICN1-1")
PART_OF_BOTH, REST_OF_BOTH = (
    reversal_of(paid(amount=amount, charge=Money.of(charge), adjustments=taken, patient_responsibility=Money.of(share)))
    for charge, amount, share, taken in (
        ("200.00", "120.00", "20.00", (adjustment(CO, "45", "60.00"), adjustment(PR, "3", "20.00"))),
        ("50.00", "30.00", "10.00", (adjustment(CO, "45", "10.00"), adjustment(PR, "3", "10.00"))),
    )
)
STORIES: dict[str, tuple[ClaimPayment, ...]] = {
    "one reversal of both parts of a split claim": (part(1), part(2), BOTH_PARTS),
    "both parts taken back, and paid again in one": (part(1), part(2), BOTH_PARTS, paid_by_line()),
    "a payment that a person matched, taken back": (STRANGER, reversal_of(paid_by_line())),
    "a part taken back, by a person": (paid_by_line(), reversal_of(HALF)),
    "a part of both parts taken back, by a person": (part(1), part(2), PART_OF_BOTH),
    "a part of both parts taken back by a person, then the rest": (part(1), part(2), PART_OF_BOTH, REST_OF_BOTH),
    "a part taken back by a person, then the rest": (paid_by_line(), reversal_of(HALF), reversal_of(HALF)),
}
REASONS_OF = contractual_reasons_by(MASTER_DATA)
ROUNDS_MAX = 10


class _NoGateway:
    """Nobody pays by card here."""

    def balance_transactions(self, payout_gateway_id: str) -> tuple[BalanceTransaction, ...]:
        return ()


class Books:
    """The claim, the ledger and the patient's account, each in its own service."""

    def __init__(self) -> None:
        self.claims = ClaimsUnderTest().submitted(1)
        clock = self.claims.clock
        erps = OneErpForAll(FakeErp(), ("NORTH", "SOUTH"))
        self.ledger = assemble_ledger(_store(LEDGER), clock, MASTER_DATA, erps)
        self.payments = assemble_payments(_store(PAYMENTS), clock, _NoGateway())
        self._told = 0
        self._tell(_delivery(charged(1), claim_id(1), 1))

    def remit(self, payment: ClaimPayment, number: int) -> None:
        self.claims.receive(chunk(payment, remittance=f"books-{number}"))
        self.tell()

    def work_on_unmatched(self) -> None:
        """A person gives every payment that nobody has to the claim, as long as one can be given."""
        for _ in range(ROUNDS_MAX):
            waiting = unmatched_payments(self.claims.store, {}, ROUNDS_MAX)
            if not sum(self._match(row["remittance_id"], row["position"]) for row in waiting):
                return

    def _match(self, remittance_id: object, position: object) -> bool:
        assert isinstance(remittance_id, UUID)
        assert isinstance(position, int)
        following = DecisionFollowing(MASTER_DATA)

        def match(work: Work) -> None:
            claim = match_payment(work, remittance_id, position, claim_id(1), REASONS_OF, "the member id says so")
            settle_decisions(work, [claim], REASONS_OF, EDITS, following)

        try:
            transact(self.claims.store, context(), match)
        except ReversalNotProved:
            return False
        self.tell()
        return True

    def tell(self) -> None:
        """What claims has announced since goes to both others, and again what they could not do yet."""
        for entry in self.claims.store.log(self._told, 10_000):
            self._told = entry.position
            for public in CLAIMS.publishing(entry.event):
                self._tell(_delivery(public, entry.event.originator_id, entry.event.originator_version))

    def _tell(self, delivery: Delivery) -> None:
        for core in (self.ledger, self.payments):
            service = Envelope.from_headers(delivery.headers).service
            core.consumers[service].handle([delivery])
            for consumer in core.consumers.values():
                consumer.release()

    def cases(self) -> list[str]:
        """Codes of the cases that are left open."""
        left = {"state": ["open", "assigned"]}
        return [str(row["code"]) for core in (self.ledger, self.payments) for row in core.store.rows(CASES, left)]

    def differences(self) -> dict[str, tuple[int, int]]:
        """Where two of the three differ, in cents."""
        ledger = {
            f"{row['account']} {row['party']}".strip(): row["subledger_minor"]
            for row in self.ledger.store.rows(BALANCES, {"entity": "NORTH"})
        }
        (payer,) = subledger_balances(self.claims.store, "NORTH").by_payer
        accounts = self.payments.store.rows(ACCOUNTS, {})
        owed = sum(minor for row in accounts if isinstance(minor := row["responsibility_minor"], int))
        pairs = {
            "ar-payer ACME": payer.open.minor,
            "ar-payer-denied ACME": payer.shares.denied.minor,
            "contractual-allowance": payer.shares.contractual.minor,
            "unapplied-payer": -payer.unknown_paid.minor,
            "ar-patient PATIENTS-NORTH": owed,
        }
        found = {name: (_whole(ledger.get(name, 0)), wanted) for name, wanted in pairs.items()}
        return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(STORIES)), st.integers(0, 2**32))
def test_the_claim_the_ledger_and_the_patients_account_agree_in_any_order(story: str, seed: int) -> None:
    books = Books()
    told = list(enumerate(STORIES[story]))
    Random(seed).shuffle(told)
    for number, payment in told:
        books.remit(payment, number)

    books.work_on_unmatched()

    assert books.cases() == []
    assert books.differences() == {}
    assert unmatched_payments(books.claims.store, {}, ROUNDS_MAX) == []
    assert books.claims.claim()["paid_minor"] == sum(payment.paid.minor for payment in STORIES[story])


def test_an_amount_that_only_one_of_them_has_is_seen() -> None:
    books = Books()
    books.claims.receive(chunk(paid_by_line()))

    assert books.differences().keys() == {"ar-payer ACME", "contractual-allowance"}


def _store(shape: ServiceShape) -> MemoryEventStore:
    return MemoryEventStore(shape.registry(), shape.all_projections)


def _delivery(event: PublicEvent, key: UUID, sequence: int) -> Delivery:
    identity = derive("books-test", key, sequence, event.TYPE)
    envelope = Envelope(
        id=identity,
        service=event.SERVICE,
        type=event.TYPE,
        key=key,
        sequence=sequence,
        time=context().now,
        correlation_id=identity,
        causation_id=identity,
        actor="service:test",
    )
    return Delivery(envelope.subject, envelope.to_headers(), event.model_dump_json().encode())


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
