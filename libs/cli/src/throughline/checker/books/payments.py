"""Payments recomputed: remittances and the verdict on each copy, deposits, patient payments, payouts, patient accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from throughline.checker.amounts import cents
from throughline.checker.books.every_store import Book, Handler
from throughline.checker.books.patient_money import PatientMoney
from throughline.checker.expected import DUE_TO_PAYER_CODES
from throughline.checker.identity import derive
from throughline.checker.records import Fact
from throughline.checker.rows import Rebuilt

REMITTANCE_COLUMNS = (
    "receipt_id",
    "message_id",
    "entity",
    "payer",
    "trace_number",
    "payment_minor",
    "claim_count",
    "chunk_count",
    "chunks_accepted",
    "effective_date",
    "deposit_id",
)
RECEIPT_COLUMNS = ("remittance_id", "message_id", "entity", "trace_number", "verdict", "payment_minor")
DEPOSIT_COLUMNS = (
    "entity",
    "kind",
    "reference",
    "amount_minor",
    "effective_date",
    "matched_to",
    "booked_as",
    "told_again_by",
    "message_id",
)
PAYOUT_COLUMNS = ("gateway_id", "state", "net_minor", "arrives_on", "deposit_id")

OVERPAYMENT_COLUMNS = (
    "entity",
    "payer",
    "reason",
    "amount_minor",
    "open_minor",
    "recouped_minor",
    "withdrawn_minor",
    "due_on",
)
BALANCE_COLUMNS = ("entity", "payer", "provider", "open_minor", "other_minor", "move_count")
MOVE_COLUMNS = ("balance_id", "entity", "payer", "provider", "reason", "reference", "amount_minor", "effective_date")


@dataclass(slots=True)
class Remittance:
    """One accepted remittance."""

    entity: str
    payer: str
    payment: int
    claim_count: int
    chunk_count: int
    chunks: int = 0
    deposit_id: str = ""


@dataclass(frozen=True, slots=True)
class ProviderMove:
    """One provider-level adjustment as a provider's balance keeps it; an amount above zero lowered the payment."""

    entity: str
    reason: str
    amount: int


class PaymentsBook(Book):
    """`provider_moves` by remittance and adjustment; `verdicts` by copy; `handed_on` says how often each claim payment, by remittance and position, was passed on;
    `patients` is what patients owe and paid."""

    def __init__(self) -> None:
        self.remittances: dict[str, Remittance] = {}
        self.verdicts: dict[str, list[str]] = {}
        self.provider_moves: dict[tuple[str, int], ProviderMove] = {}
        self.handed_on: dict[tuple[str, int], int] = {}
        self.miscounted: list[str] = []
        self.remittance_rows = Rebuilt("remittances", ("remittance_id",), REMITTANCE_COLUMNS)
        self.receipts = Rebuilt("remittance_receipts", ("receipt_id",), RECEIPT_COLUMNS)
        self.deposits = Rebuilt("deposits", ("deposit_id",), DEPOSIT_COLUMNS)
        self.patients = PatientMoney(self.miscounted)
        self.payouts = Rebuilt("payouts", ("payout_id",), PAYOUT_COLUMNS)
        self.balances = Rebuilt("provider_balances", ("balance_id",), BALANCE_COLUMNS)
        self.overpayments = Rebuilt("payer_overpayments", ("overpayment_id",), OVERPAYMENT_COLUMNS)
        self.moves = Rebuilt("provider_moves", ("remittance_id", "adjustment"), MOVE_COLUMNS)
        super().__init__()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "payments.remittance.accepted": self._accepted,
            "payments.remittance.refused": self._refused,
            "payments.remittance.deposit-matched": self._remittance_deposited,
            "payments.provider-balance.moved": self._balance_moved,
            "payments.payer-overpayment.identified": self._overpaid,
            "payments.payer-overpayment.moved": self._overpayment_moved,
            "payments.remittance-chunk.accepted": self._chunk,
            "payments.deposit.recorded": self._deposit,
            "payments.deposit.matched": self._deposit_matched,
            "payments.deposit.unidentified": self._unidentified,
            "payments.deposit.told-again": self._told_again,
            "payments.payout.announced": self._announced,
            "payments.payout.composed": self._composed,
            "payments.payout.returned": self._payout_returned,
            "payments.payout.deposit-matched": self._payout_deposited,
            **self.patients.handlers(),
        }

    def tables(self) -> tuple[Rebuilt, ...]:
        money_in = (self.deposits, self.payouts, *self.patients.tables())
        providers = (self.balances, self.moves, self.overpayments)
        own = (self.remittance_rows, self.receipts, *money_in, *providers)
        return (*super().tables(), *own)

    def _accepted(self, fact: Fact) -> None:
        summary = fact.state["summary"]
        payment = cents(summary["payment"])
        if fact.id in self.remittances:
            self.miscounted.append(f"remittance {fact.id}: accepted twice")
        self.remittances[fact.id] = Remittance(
            summary["entity"], summary["payer_id"], payment, summary["claim_count"], summary["chunk_count"]
        )
        self.verdicts.setdefault(summary["receipt_id"], []).append("accepted")
        names = ("receipt_id", "message_id", "entity", "trace_number", "claim_count", "chunk_count", "effective_date")
        told = {name: summary[name] for name in names}
        self.remittance_rows.put((fact.id,), payer=summary["payer_id"], payment_minor=payment, **told)
        self._receipt(fact, summary["receipt_id"], "accepted", summary)

    def _refused(self, fact: Fact) -> None:
        state = fact.state
        self.verdicts.setdefault(state["receipt_id"], []).append(state["verdict"])
        self._receipt(fact, state["receipt_id"], state["verdict"], state)

    def _receipt(self, fact: Fact, receipt: str, verdict: str, facts: Mapping[str, str]) -> None:
        self.receipts.put(
            (receipt,),
            remittance_id=fact.id,
            verdict=verdict,
            payment_minor=cents(facts["payment"]),
            **{name: facts[name] for name in ("message_id", "entity", "trace_number")},
        )

    def _remittance_deposited(self, fact: Fact) -> None:
        remittance = self._accepted_remittance(fact.id, "a deposit is matched to it")
        if remittance is not None:
            remittance.deposit_id = fact.state["deposit_id"]
        self.remittance_rows.put((fact.id,), deposit_id=fact.state["deposit_id"])

    def _balance_moved(self, fact: Fact) -> None:
        state = fact.state
        place, amount = (state["remittance_id"], state["adjustment"]), cents(state["amount"])
        if place in self.provider_moves:
            self.miscounted.append(f"remittance {place[0]}, adjustment {place[1]}: moved a balance twice")
        self.provider_moves[place] = ProviderMove(state["entity"], state["reason"], amount)
        whose = {name: state[name] for name in ("entity", "payer", "provider")}
        is_item = state["reason"] in DUE_TO_PAYER_CODES
        self.balances.put((fact.id,), **whose)
        sums = {"open_minor": amount if is_item else 0, "other_minor": 0 if is_item else amount}
        self.balances.add((fact.id,), move_count=1, **sums)
        told = {name: state[name] for name in ("reason", "reference", "effective_date")}
        key = (place[0], str(place[1]))
        self.moves.put(key, balance_id=fact.id, amount_minor=amount, **whose, **told)

    def _overpaid(self, fact: Fact) -> None:
        amount = cents(fact.state["amount"])
        told = {name: fact.state[name] for name in ("entity", "payer", "reason", "due_on")}
        self.overpayments.put((fact.id,), amount_minor=amount, recouped_minor=0, withdrawn_minor=0, **told)
        self.overpayments.add((fact.id,), open_minor=amount)

    def _overpayment_moved(self, fact: Fact) -> None:
        amount, step = cents(fact.state["amount"]), fact.state["step"]
        further = {f"{step}_minor": amount} if step in ("recouped", "withdrawn") else {}
        self.overpayments.add((fact.id,), open_minor=-amount, **further)

    def _chunk(self, fact: Fact) -> None:
        identity = fact.state["remittance_id"]
        remittance = self._accepted_remittance(identity, "a part of it is handed on")
        if remittance is not None:
            remittance.chunks += 1
        for claim in fact.state["claims"]:
            place = (identity, claim["position"])
            self.handed_on[place] = self.handed_on.get(place, 0) + 1
        self.remittance_rows.add((identity,), chunks_accepted=1)

    def _accepted_remittance(self, identity: str, what: str) -> Remittance | None:
        remittance = self.remittances.get(identity)
        if remittance is None:
            self.miscounted.append(f"remittance {identity}: {what}, and it was never accepted")
        return remittance

    def _deposit(self, fact: Fact) -> None:
        state = fact.state
        names = ("entity", "kind", "reference", "effective_date", "message_id")
        told = {name: state[name] for name in names}
        self.deposits.put((fact.id,), amount_minor=cents(state["amount"]), **told)

    def _deposit_matched(self, fact: Fact) -> None:
        self.deposits.put((fact.id,), matched_to=fact.state["matched_to"])

    def _unidentified(self, fact: Fact) -> None:
        self.deposits.put((fact.id,), booked_as="unidentified-receipts")

    def _told_again(self, fact: Fact) -> None:
        told = {name: fact.state[name] for name in ("kind", "reference")}
        self.deposits.put((fact.id,), told_again_by=fact.state["told_by"], **told)

    def _announced(self, fact: Fact) -> None:
        state = fact.state
        told = {name: state[name] for name in ("gateway_id", "arrives_on")}
        self.payouts.put((fact.id,), state="announced", net_minor=cents(state["net"]), **told)

    def _composed(self, fact: Fact) -> None:
        for share in fact.state["shares"]:
            gross, fees, net = cents(share["gross"]), cents(share["fees"]), cents(share["net"])
            if gross - fees != net:
                self.miscounted.append(f"payout {fact.id}, {share['entity']}: gross minus fees is not net")
        self.payouts.put((fact.id,), state="composed")
        for payment in fact.state["payment_ids"]:
            self.patients.payments.put((payment,), payout_id=fact.id)
        for move in fact.state.get("move_ids", ()):
            self.patients.moves.put((move,), payout_id=fact.id)

    def _payout_returned(self, fact: Fact) -> None:
        """What came back is in the gateway's balance again until another payout has it."""
        self.payouts.put((fact.id,), state="returned")
        for share in fact.state["shares"]:
            cause = derive("payout-share-returned", fact.id, share["entity"])
            self.patients.moves.put(
                (derive("gateway-move", cause, "returned"),),
                kind="payout",
                entity=share["entity"],
                amount_minor=-cents(share["gross"]),
                effective_date=fact.state["effective_date"],
            )

    def _payout_deposited(self, fact: Fact) -> None:
        self.payouts.put((fact.id,), deposit_id=fact.state["deposit_id"])
