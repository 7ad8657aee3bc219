"""Payments in its two halves, the ledger, a card gateway, a bank and an ERP: all that patients' money needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from uuid import UUID

import grpc
import httpx
from billing.common.v1 import common_pb2
from billing.payments.v1 import patient_payments_pb2 as pb
from billing.payments.v1 import patient_payments_pb2_grpc
from canonical.codes import AccountRole
from canonical.ids import derive
from canonical.money import Money
from payments.domain.payment import payment_id_of
from sandbox.world.bank import Bank
from sandbox.world.expected_patient_books import GatewayEnd, patient_side
from sandbox.world.file_drop import Exchange
from sandbox.world.gateway import CardGateway
from sandbox.world.gateway_book import account_of

from tests.integration.forking import ForkedService
from tests.integration.legacy_erp import LegacyErp
from tests.integration.story import until
from tests.integration.suite import Bench
from tests.integration.test_gateway import token_of

ENTITY = "NORTH"
WORK, CALLS, LEDGER = "payments", "payments-calls", "ledger"
SCOPES = "payments.read payments.write payments.approve"
PAID, REFUNDED, POSTED = Money(100_00), Money(40_00), Money(10_00)
CALL_SECONDS = 10
BOOKS = """
SELECT entity, account, party, subledger_minor, intended_minor, confirmed_minor FROM account_balances
WHERE subledger_minor <> 0 OR intended_minor <> 0 OR confirmed_minor <> 0
"""
Books = Mapping[tuple[str, str, str], int]


@dataclass
class MoneyAtWork:
    """One suite and its outside; a context manager. What was posted by call is noted in `posted`, in cents."""

    bench: Bench
    posted: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.cards = CardGateway(17, retry_pause_seconds=0.2, port=self.bench.ports["card-gateway"])
        self.bank = Bank()
        self.erp = LegacyErp(self.bench.folder / "file-erp")
        self.patient = derive("money-at-work", 1)
        self.account = ""

    def __enter__(self) -> Self:
        self.cards.start(f"http://{self.bench.address('payments', 'http')}/webhooks/stripe")
        self.erp.start()
        for process in (WORK, CALLS, LEDGER):
            self.start(process)
        until(lambda: self.post("the first"), "an account is opened")
        return self

    def __exit__(self, *_: object) -> None:
        self.erp.stop()
        self.cards.stop()
        self.bench.kill_services()

    def start(self, process: str, crash_at: str = "", mark: Path | None = None) -> ForkedService:
        """Starts a process, to die at that step where one is given."""
        armed = {"CRASH_AT": f"{process}:{crash_at}", "CRASH_MARK": str(mark)} if crash_at else {}
        if process == CALLS:
            return self.bench.start_calls(WORK, armed)
        return self.bench.start_service(process, armed)

    def end(self, process: str) -> None:
        """As with `kill -9`."""
        running = self.bench.running[process]
        running.kill()
        running.wait_for_exit(5)

    def post(self, name: str) -> bool:
        """Posts a payment by call under a key of that name; whether there was an answer, which is the same each time."""
        request = pb.PostPaymentRequest(
            idempotency_key=f"money-at-work {name}",
            amount=_sent(POSTED),
            channel="front-desk",
            **({"account_id": self.account} if self.account else {"patient_id": str(self.patient), "entity": ENTITY}),
        )
        try:
            answer = self._stub().PostPayment(request, timeout=CALL_SECONDS, metadata=self._token())
        except grpc.RpcError:
            return False
        self.posted[name] = POSTED.minor
        self.account = self.account or answer.account_id
        return True

    def pay(self) -> str:
        """A patient pays by card; the payment's id at the gateway."""
        return self.cards.pay(PAID, self.account, ENTITY).id

    def ask_for_refund(self, intent_id: str) -> UUID:
        """Somebody asks for a part of it."""
        request = pb.RequestRefundRequest(
            payment_id=str(payment_id_of(intent_id)),
            idempotency_key=f"refund of {intent_id}",
            amount=_sent(REFUNDED),
            reason="goodwill",
        )
        until(lambda: self._is_there(request.payment_id), "the payment is there")
        answer = self._stub().RequestRefund(request, timeout=CALL_SECONDS, metadata=self._token())
        return UUID(answer.refund.refund_id)

    def _is_there(self, payment_id: str) -> bool:
        return bool(self.rows("payments", "SELECT 1 FROM payments WHERE payment_id = %s", [payment_id]))

    def approve(self, refund_id: UUID) -> bool:
        """Somebody else approves it; whether it is approved, also where that was not told before."""
        request = pb.ApproveRefundRequest(refund_id=str(refund_id), amount=_sent(REFUNDED))
        token = self._token("manager")
        try:
            self._stub().ApproveRefund(request, timeout=CALL_SECONDS, metadata=token)
        except grpc.RpcError as failed:
            return failed.code() is grpc.StatusCode.FAILED_PRECONDITION
        return True

    def pay_out(self) -> None:
        """The gateway pays out, and the bank reports it."""
        payout = self.cards.pay_out(ENTITY)
        today = datetime.now(UTC).date()
        self.bank.deposit_payout(ENTITY, payout.id, Money(payout.amount), today)
        self.bank.drop_statement(Exchange(self.bench.exchange), today, datetime.now(UTC))

    def expected(self) -> Books:
        """What the books must show, by the gateway's own book, what was posted, and the bank."""
        end = GatewayEnd(self.cards.book, self.cards.later)
        books = end.books({account_of(ENTITY): ENTITY})
        at_the_desk = sum(self.posted.values())
        cash = sum(end.cash_of(intent) for intent in self.cards.book.intents.values())
        books[ENTITY, AccountRole.UNAPPLIED_PATIENT, ""] -= cash + at_the_desk
        for amount in self.bank.credited.values():
            books[ENTITY, AccountRole.CASH, ""] += amount.minor
        desk = (ENTITY, AccountRole.FRONT_DESK_CLEARING.value, "")
        return {**patient_side(books), desk: at_the_desk}

    def booked(self) -> Mapping[tuple[str, str, str], tuple[int, ...]]:
        """Subledger, journals and ERP of each account."""
        rows = self.rows("ledger", BOOKS)
        return {
            (str(entity), str(account), str(party)): tuple(int(str(cents or 0)) for cents in sums)
            for entity, account, party, *sums in rows
        }

    def is_settled(self) -> bool:
        """Whether every webhook is answered, nothing waits for the gateway, and all three books say what they must."""
        wanted = {place: (minor,) * 3 for place, minor in self.expected().items()}
        return not self.cards.webhooks.waiting_count and not self.open_orders() and self.booked() == wanted

    def open_orders(self) -> int:
        return self.bench.count("payments", "SELECT count(*) FROM gateway_orders WHERE state <> 'known'")

    def lost_webhooks(self) -> set[str]:
        """Events that were answered with 200 and are not kept."""
        answered = {each.event_id for each in self.cards.webhooks.attempts if each.status == httpx.codes.OK}
        query = "SELECT delivery_key FROM inbound_messages WHERE source_system = 'stripe'"
        return answered - {str(key) for (key,) in self.rows("payments", query)}

    def refunds_made(self) -> Counter[str]:
        """How often the gateway made each refund of ours."""
        return Counter(each.metadata["refund_id"] for each in self.cards.later.refunds.values())

    def _stub(self) -> patient_payments_pb2_grpc.PatientPaymentsServiceStub:
        """On a channel of its own: one that knew a dead process waits before it looks for the next."""
        return patient_payments_pb2_grpc.PatientPaymentsServiceStub(
            grpc.insecure_channel(
                self.bench.address("payments", "grpc"), options=[("grpc.use_local_subchannel_pool", 1)]
            )
        )

    def _token(self, who: str = "clerk") -> tuple[tuple[str, str | bytes], ...]:
        token = token_of(self.bench, sub=who, client_id=who, scope=SCOPES)
        return (("authorization", f"Bearer {token}"),)

    def rows(self, name: str, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        with self.bench.admin(name) as store:
            return store.execute(query, list(values)).fetchall()


def _sent(amount: Money) -> common_pb2.Money:
    return common_pb2.Money(minor=amount.minor, currency="USD")
