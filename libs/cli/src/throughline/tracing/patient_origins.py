"""The facts behind what happened to patients' payments later, and to what patients owe: refunds, disputes, returns, write-offs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from canonical.money import Money

from throughline.checker.expected import Sums, by_dispute, by_patient_write_off, by_refund, by_return
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
        steps = [str(state["step"])] if "step" in state else []
        return identities.single_posting(self.kind, str(state[self.cause]), *steps)

    def words(self, state: State) -> str:
        """What happened, and how much of it."""
        what = state.get("step") or state.get("kind") or "taken back by the payer's bank"
        return f"{self.kind.replace('-', ' ')} {state[self.cause]}, {what}: {amount_text(money_in(state['amount']))}"


MOVES: Final[Mapping[str, LaterMove]] = {
    "payments.payment.refund-moved": LaterMove("refund", "PatientRefundMoved", "refund_id", by_refund),
    "payments.payment.dispute-moved": LaterMove("dispute", "PatientDisputeMoved", "dispute_id", by_dispute),
    "payments.payment.returned": LaterMove("return", "PatientPaymentReturned", "return_id", by_return),
    "payments.patient-account.written-off": LaterMove(
        "patient-write-off", "PatientBalanceWrittenOff", "write_off_id", by_patient_write_off
    ),
}
TOLD: Final = {
    "refund": "payments.payment.refund-told",
    "dispute": "payments.payment.dispute-told",
    "return": "payments.payment.return-told",
}
"""Where the gateway's word of each is kept."""


class PatientOrigins:
    """The origins of the parts of refunds, disputes, returned payments and patients' write-offs."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._facts = StoredFacts(books)

    @property
    def finders(self) -> Mapping[str, Callable[[Part, str], Origin]]:
        """By the kind of the journal entry."""
        of_payments = dict.fromkeys(("refund", "dispute", "return"), self._of_payment_move)
        return {**of_payments, "patient-write-off": self._of_write_off}

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


def later_moves(events: Sequence[tuple[str, State]]) -> Iterator[tuple[LaterMove, State]]:
    """What of the events of a payment or an account moved the books later, in order."""
    for topic, state in events:
        if topic in MOVES:
            yield MOVES[topic], state


def _told_in(events: Sequence[tuple[str, State]], move: LaterMove, state: State) -> list[str]:
    """The gateway's messages that told of it."""
    told = TOLD.get(move.kind)
    found = [each for topic, each in events if topic == told and each.get(move.cause) == state[move.cause]]
    return list(dict.fromkeys(str(each["message_id"]) for each in found if each.get("message_id")))
