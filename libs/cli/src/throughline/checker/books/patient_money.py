"""Patients' money recomputed: payments, refunds, disputes and returns, accounts with what is owed, paid and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from throughline.checker.amounts import cents
from throughline.checker.books.every_store import Handler
from throughline.checker.identity import derive
from throughline.checker.records import Fact
from throughline.checker.rows import Rebuilt

PAYMENT_COLUMNS = (
    "gateway_id",
    "entity",
    "state",
    "amount_minor",
    "taken_back_minor",
    "account_id",
    "message_id",
    "payout_id",
)
MOVE_COLUMNS = ("kind", "payment_id", "entity", "amount_minor", "effective_date", "payout_id")
REFUND_COLUMNS = ("payment_id", "entity", "state", "amount_minor", "gateway_id")
ACCOUNT_COLUMNS = (
    "entity",
    "patient_id",
    "responsibility_minor",
    "written_off_minor",
    "applied_minor",
    "unapplied_minor",
    "allowance_minor",
    "owed_minor",
)
ACTIVITY_COLUMNS = ("kind", "amount_minor", "effective_date", "source_id")
OF_REFUND: Final = {"approved": (1, 0), "paid": (0, -1), "failed": (0, 1), "cancelled": (-1, 0)}
"""By step: what it takes of the payment, and what it adds to the balance at the gateway."""


class PatientMoney:
    """`owed_for` holds, by cause, what was left to patients; `cash_on_accounts`, by entity, applied and unapplied cash;
    `unmatched`, by payment, the cash that is on no account."""

    def __init__(self, miscounted: list[str]) -> None:
        self.miscounted = miscounted
        self.unmatched: dict[str, tuple[str, int]] = {}
        self.cash_on_accounts: dict[str, list[int]] = {}
        self.owed_for: dict[str, list[int]] = {}
        self.payments = Rebuilt("payments", ("payment_id",), PAYMENT_COLUMNS)
        self.moves = Rebuilt("gateway_moves", ("move_id",), MOVE_COLUMNS)
        self.refunds = Rebuilt("refunds", ("refund_id",), REFUND_COLUMNS)
        self.accounts = Rebuilt("patient_accounts", ("account_id",), ACCOUNT_COLUMNS)
        self.activity = Rebuilt("account_activity", ("account_id", "ordinal"), ACTIVITY_COLUMNS)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "payments.payment.succeeded": self._succeeded,
            "payments.payment.processing": self._without_cash,
            "payments.payment.failed": self._without_cash,
            "payments.payment.cancelled": self._without_cash,
            "payments.payment.matched": self._payment_matched,
            "payments.payment.refund-requested": self._refund_requested,
            "payments.payment.refund-told": self._refund_told,
            "payments.payment.refund-moved": self._refund_moved,
            "payments.payment.refund-denied": self._refund_denied,
            "payments.payment.dispute-moved": self._dispute_moved,
            "payments.payment.returned": self._returned,
            "payments.patient-account.payer-heard": self._account_heard_of,
            "payments.patient-account.responsibility-assigned": self._assigned_to_patient,
            "payments.patient-account.payment-received": self._account_paid,
            "payments.patient-account.unapplied-applied": self._applied_later,
            "payments.patient-account.cash-taken-back": self._cash_taken_back,
            "payments.patient-account.written-off": self._written_off,
            "payments.patient-account.allowance-moved": self._allowance_moved,
        }

    def tables(self) -> tuple[Rebuilt, ...]:
        return (self.payments, self.moves, self.refunds, self.accounts, self.activity)

    def _succeeded(self, fact: Fact) -> None:
        state = fact.state
        amount = cents(state["amount"])
        if amount != cents(state["applied"]) + cents(state["unapplied"]):
            self.miscounted.append(f"payment {fact.id}: applied and unapplied are not its amount")
        if state["account_id"] is None:
            self.unmatched[fact.id] = (state["entity"], amount)
        names = ("gateway_id", "entity", "account_id", "message_id")
        told = {name: state[name] for name in names}
        self.payments.put((fact.id,), state="succeeded", amount_minor=amount, taken_back_minor=0, **told)

    def _without_cash(self, fact: Fact) -> None:
        state = fact.state
        told = {name: state[name] for name in ("gateway_id", "entity", "message_id")}
        name = fact.topic.rpartition(".")[2]
        amount = cents(state["amount"])
        self.payments.put((fact.id,), state=name, amount_minor=amount, taken_back_minor=0, account_id=None, **told)

    def _payment_matched(self, fact: Fact) -> None:
        self.unmatched.pop(fact.id, None)
        self.payments.put((fact.id,), account_id=fact.state["account_id"])

    def _refund_requested(self, fact: Fact) -> None:
        entity = fact.state.get("entity") or None
        self._refund(fact, state="requested", entity=entity, amount_minor=cents(fact.state["amount"]))

    def _refund_told(self, fact: Fact) -> None:
        state = fact.state
        told = {"state": state["state"], "gateway_id": state["gateway_refund_id"]}
        self._refund(fact, amount_minor=cents(state["amount"]), **told)

    def _refund_denied(self, fact: Fact) -> None:
        self._refund(fact, state="denied")

    def _refund_moved(self, fact: Fact) -> None:
        state = fact.state
        taken, held = OF_REFUND[state["step"]]
        amount = cents(state["amount"])
        self.refunds.put((state["refund_id"],), entity=state["entity"], state=state["step"])
        self._take_back(fact, taken * amount)
        if held and state["channel"] == "gateway":
            self._move(fact, state["refund_id"], "refund", state["step"], held * amount)

    def _refund(self, fact: Fact, **columns: object) -> None:
        self.refunds.put((fact.state["refund_id"],), payment_id=fact.id, **columns)

    def _dispute_moved(self, fact: Fact) -> None:
        state = fact.state
        amount, step = cents(state["amount"]), state["step"]
        self._take_back(fact, {"lost": amount, "recovered": -amount}.get(step, 0))
        held = {"withdrawn": -amount - cents(state["fee"]), "won": amount}.get(step, 0)
        if held:
            self._move(fact, state["dispute_id"], "dispute", step, held)

    def _returned(self, fact: Fact) -> None:
        amount = cents(fact.state["amount"])
        self._take_back(fact, amount)
        self._move(fact, fact.state["return_id"], "return", "returned", -amount)

    def _take_back(self, fact: Fact, amount: int) -> None:
        """Off the payment; off its account too where it is on none."""
        self.payments.add((fact.id,), taken_back_minor=amount)
        if fact.id in self.unmatched:
            entity, left = self.unmatched[fact.id]
            self.unmatched[fact.id] = (entity, left - amount)

    def _move(self, fact: Fact, cause: str, kind: str, step: str, amount: int) -> None:
        told = {"entity": fact.state["entity"], "effective_date": fact.state["effective_date"]}
        key = derive("gateway-move", cause, step)
        self.moves.put((key,), kind=kind, payment_id=fact.id, amount_minor=amount, **told)

    def _account_heard_of(self, fact: Fact) -> None:
        """Its payers left nothing to the patient; the account is there."""
        self._account(fact, responsibility_minor=0, written_off_minor=0, applied_minor=0, unapplied_minor=0)

    def _assigned_to_patient(self, fact: Fact) -> None:
        amount = cents(fact.state["amount"])
        self.owed_for.setdefault(fact.state["source_id"], []).append(amount)
        self._account(fact, responsibility_minor=amount)
        self._activity(fact, "responsibility", amount, fact.state["source_id"])

    def _account_paid(self, fact: Fact) -> None:
        applied, unapplied = cents(fact.state["applied"]), cents(fact.state["unapplied"])
        self._account(fact, applied_minor=applied, unapplied_minor=unapplied)
        self._cash(fact, applied, unapplied)
        self._activity(fact, "payment", -(applied + unapplied), fact.state["payment_id"])

    def _applied_later(self, fact: Fact) -> None:
        amount = cents(fact.state["amount"])
        self._account(fact, applied_minor=amount, unapplied_minor=-amount)
        self._cash(fact, amount, -amount)
        self._activity(fact, "application", -amount, fact.state["payment_id"])

    def _allowance_moved(self, fact: Fact) -> None:
        self.accounts.add((fact.id,), allowance_minor=cents(fact.state["amount"]))

    def _account(self, fact: Fact, **amounts: int) -> None:
        self.accounts.put((fact.id,), entity=fact.state["entity"], patient_id=fact.state["patient_id"])
        less = amounts.get("written_off_minor", 0) + amounts.get("applied_minor", 0)
        self.accounts.add((fact.id,), owed_minor=amounts.get("responsibility_minor", 0) - less, **amounts)

    def _cash(self, fact: Fact, applied: int, unapplied: int) -> None:
        sums = self.cash_on_accounts.setdefault(fact.state["entity"], [0, 0])
        sums[0] += applied
        sums[1] += unapplied

    def _activity(self, fact: Fact, kind: str, amount: int, source: str) -> None:
        day = fact.state["effective_date"]
        key = (fact.id, str(fact.version))
        self.activity.put(key, kind=kind, amount_minor=amount, effective_date=day, source_id=source)

    def _cash_taken_back(self, fact: Fact) -> None:
        amount = cents(fact.state["amount"])
        self._account(fact, unapplied_minor=-amount)
        self._cash(fact, 0, -amount)
        self._activity(fact, fact.state["reason"], amount, fact.state["cause_id"])

    def _written_off(self, fact: Fact) -> None:
        amount = cents(fact.state["amount"])
        self._account(fact, written_off_minor=amount)
        self._activity(fact, fact.state["kind"], -amount, fact.state["write_off_id"])
