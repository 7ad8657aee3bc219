"""The facts behind what happened to patients' payments later, and to what patients owe: refunds, disputes, returns, write-offs,
price concessions and transfers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from canonical.money import Money

from throughline.checker.expected import (
    Sums,
    by_dispute,
    by_patient_write_off,
    by_price_concession,
    by_refund,
    by_return,
)
from throughline.tracing import identities
from throughline.tracing.books import Books, State
from throughline.tracing.origins import Origin, booked_amounts
from throughline.tracing.records import Part
from throughline.tracing.stored_facts import OriginMissing, StoredFacts, money_in
from throughline.wire import amount_text


@dataclass(frozen=True, slots=True)
class LaterMove:
    """What one kind of event books: the event as it is announced, the field of its id, and its lines."""

    kind: str
    event: str
    cause: str
    booked: Callable[[State], Sums]

    def posting(self, state: State) -> str:
        """The subledger posting of this event."""
        steps = [str(state[name]) for name in ("step", "move") if name in state]
        return identities.single_posting(self.kind, str(state[self.cause]), *steps)

    def words(self, state: State) -> str:
        """What happened, and how much of it."""
        what = state.get("step") or state.get("kind") or state.get("portfolio") or "taken back by the payer's bank"
        return f"{self.kind.replace('-', ' ')} {state[self.cause]}, {what}: {amount_text(money_in(state['amount']))}"


MOVES: Final[Mapping[str, LaterMove]] = {
    "payments.payment.refund-moved": LaterMove("refund", "PatientRefundMoved", "refund_id", by_refund),
    "payments.payment.dispute-moved": LaterMove("dispute", "PatientDisputeMoved", "dispute_id", by_dispute),
    "payments.payment.returned": LaterMove("return", "PatientPaymentReturned", "return_id", by_return),
    "payments.patient-account.written-off": LaterMove(
        "patient-write-off", "PatientBalanceWrittenOff", "write_off_id", by_patient_write_off
    ),
    "payments.patient-account.allowance-moved": LaterMove(
        "price-concession", "PriceConcessionMoved", "account_id", by_price_concession
    ),
}
TRANSFER_MADE: Final = "payments.account-transfer.made"
PAYMENT_SUCCEEDED: Final = "payments.payment.succeeded"
TOLD: Final = {
    "refund": "payments.payment.refund-told",
    "dispute": "payments.payment.dispute-told",
    "return": "payments.payment.return-told",
}
"""Where the gateway's word of each is kept."""


class PatientOrigins:
    """The origins of the parts of refunds, disputes, returned payments, write-offs, price concessions and transfers."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._facts = StoredFacts(books)

    @property
    def finders(self) -> Mapping[str, Callable[[Part, str], Origin]]:
        """By the kind of the journal entry."""
        of_payments = dict.fromkeys(("refund", "dispute", "return"), self._of_payment_move)
        of_accounts = {"patient-write-off": self._of_write_off, "price-concession": self._of_price_concession}
        return {**of_payments, **of_accounts, "patient-transfer": self._of_transfer}

    def _of_payment_move(self, part: Part, entity: str) -> Origin:
        payment_id = self._books.payment_of(part.item_id) or part.item_id
        paid = money_in(self._facts.state("payments", payment_id, "payments.payment.succeeded")["amount"])
        events = self._books.events("payments", payment_id)
        for move, state in later_moves(events):
            if move.posting(state) == part.posting_id:
                amount = money_in(state["amount"])
                return self._origin(
                    move,
                    state,
                    (move.words(state), f"of payment {payment_id}, which was {amount_text(paid)}"),
                    f"{amount_text(amount)} of {amount_text(paid)}",
                    holds=Money(0) <= amount <= paid,
                    messages=_told_in(events, move, state),
                )
        raise OriginMissing(f"payment {payment_id} has no such refund, dispute or return")

    def _of_write_off(self, part: Part, entity: str) -> Origin:
        account_id = self._books.account_of(part.item_id)
        for move, state in later_moves(self._books.events("payments", account_id) if account_id else ()):
            if move.posting(state) == part.posting_id:
                amount = amount_text(money_in(state["amount"]))
                told = (move.words(state), f"account {account_id}, encounter {state['encounter_id']}")
                return self._origin(move, state, told, f"{amount} is owed no more", holds=True, messages=())
        raise OriginMissing(f"payments knows no write-off {part.item_id}")

    def _of_price_concession(self, part: Part, entity: str) -> Origin:
        for move, state in later_moves(self._books.events("payments", part.item_id), part.item_id):
            if move.posting(state) == part.posting_id:
                amount = amount_text(money_in(state["amount"]))
                told = (move.words(state), f"encounter {state['encounter_id']}")
                return self._origin(move, state, told, f"{amount} is not expected to be paid", holds=True, messages=())
        raise OriginMissing(f"account {part.item_id} has no such price concession")

    def _of_transfer(self, part: Part, entity: str) -> Origin:
        """What left one patient stands on the same account for the other, so that its lines come to nothing."""
        made = self._facts.state("payments", part.item_id, TRANSFER_MADE)
        amount = amount_text(money_in(made["amount"]))
        account = "unapplied-patient" if made["moved"] == "cash" else f"ar-patient PATIENTS-{entity}"
        return Origin(
            event="PatientMoneyTransferred",
            service="payments",
            story=(
                f"transfer {part.item_id} of {made['moved']} {made['source']}, made by {made['made_by']}: {amount}",
                f"from account {made['from_account_id']} to account {made['to_account_id']}",
            ),
            amounts={account: Money(0)},
            equation=f"{amount} from the one is {amount} to the other",
            equation_holds=part.posting_id == identities.single_posting("patient-transfer", part.item_id),
            places=self._facts.places("payments", messages_of_transfer(self._books, made)),
        )

    def _origin(
        self,
        move: LaterMove,
        state: State,
        story: tuple[str, ...],
        equation: str,
        *,
        holds: bool,
        messages: Sequence[str],
    ) -> Origin:
        return Origin(
            event=move.event,
            service="payments",
            story=story,
            amounts=booked_amounts(move.booked(state)),
            equation=equation,
            equation_holds=holds,
            places=self._facts.places("payments", messages),
        )


def later_moves(events: Sequence[tuple[str, State]], account_id: str = "") -> Iterator[tuple[LaterMove, State]]:
    """What of the events of a payment or an account moved the books later, in order."""
    for topic, state in events:
        if topic in MOVES:
            yield MOVES[topic], {"account_id": account_id, **state}


def messages_of_transfer(books: Books, made: State) -> list[str]:
    """The messages that told of the payment whose cash was moved; none of a share."""
    events = books.events("payments", str(made["origin"])) if made.get("origin") else ()
    return [str(state["message_id"]) for topic, state in events if topic == PAYMENT_SUCCEEDED]


def _told_in(events: Sequence[tuple[str, State]], move: LaterMove, state: State) -> list[str]:
    """The gateway's messages that told of it."""
    told = TOLD.get(move.kind)
    found = [each for topic, each in events if topic == told and each.get(move.cause) == state[move.cause]]
    return list(dict.fromkeys(str(each["message_id"]) for each in found if each.get("message_id")))
