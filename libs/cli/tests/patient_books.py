"""What became of the small hospital's card payment: refunded in part, disputed, and taken back; and a balance given up."""

from __future__ import annotations

from throughline.tracing import identities
from throughline.tracing.books import State
from throughline.tracing.records import Journal

from .small_books import ACCOUNT, ENCOUNTER, ENTITY, PAYMENT, WEBHOOK, Booked, SmallBooks, entry, identity, parts_of

REFUND, DISPUTE, RETURN, WRITE_OFF, TRANSFER, CASH, OTHER_ACCOUNT = (
    identity(name)
    for name in ("refund", "dispute", "return", "write-off", "transfer", "transferred-cash", "other-account")
)
PATIENTS = f"PATIENTS-{ENTITY}"


def moved(**state: object) -> State:
    return {"entity": ENTITY, "channel": "gateway", **state}


EVENTS: list[tuple[str, State]] = [
    ("payments.payment.refund-told", {"refund_id": REFUND, "message_id": WEBHOOK, "state": "succeeded"}),
    ("payments.payment.refund-moved", moved(refund_id=REFUND, step="approved", amount="4.00 USD")),
    ("payments.payment.refund-moved", moved(refund_id=REFUND, step="paid", amount="4.00 USD")),
    ("payments.payment.dispute-told", {"dispute_id": DISPUTE, "message_id": WEBHOOK, "state": "lost"}),
    ("payments.payment.dispute-moved", moved(dispute_id=DISPUTE, step="withdrawn", amount="9.00 USD", fee="1.50 USD")),
    ("payments.payment.dispute-moved", moved(dispute_id=DISPUTE, step="lost", amount="9.00 USD", fee="1.50 USD")),
    ("payments.payment.return-told", {"return_id": RETURN, "message_id": WEBHOOK}),
    ("payments.payment.returned", moved(return_id=RETURN, amount="3.00 USD")),
]
GIVEN_UP = moved(write_off_id=WRITE_OFF, kind="charity", amount="2.00 USD", encounter_id=ENCOUNTER)
ALLOWED: State = {
    "entity": ENTITY, "portfolio": "SELF-PAY", "move": 1, "amount": "5.00 USD", "encounter_id": ENCOUNTER
}  # fmt: skip
MADE: State = {
    "moved": "cash",
    "source": PAYMENT,
    "origin": PAYMENT,
    "entity": ENTITY,
    "from_account_id": ACCOUNT,
    "to_account_id": OTHER_ACCOUNT,
    "amount": "2.00 USD",
    "made_by": "user:ann",
}
BOOKED: dict[tuple[str, str, str], list[Booked]] = {
    ("refund", REFUND, "approved"): [("unapplied-patient", "", "4.00"), ("refunds-payable", "", "-4.00")],
    ("refund", REFUND, "paid"): [("refunds-payable", "", "4.00"), ("gateway-clearing", "", "-4.00")],
    ("dispute", DISPUTE, "withdrawn"): [
        ("disputes-receivable", "", "9.00"),
        ("dispute-fees", "", "1.50"),
        ("gateway-clearing", "", "-10.50"),
    ],
    ("dispute", DISPUTE, "lost"): [("unapplied-patient", "", "9.00"), ("disputes-receivable", "", "-9.00")],
    ("return", RETURN, ""): [("unapplied-patient", "", "3.00"), ("gateway-clearing", "", "-3.00")],
    ("patient-write-off", WRITE_OFF, ""): [("charity-care", "", "2.00"), ("ar-patient", PATIENTS, "-2.00")],
}


class PatientBooks(SmallBooks):
    """The small books with what happened to the payment later."""

    def __init__(self) -> None:
        super().__init__()
        for (kind, cause, step), booked in BOOKED.items():
            group = identities.single_posting(kind, cause, *([step] if step else []))
            item = PAYMENT if kind == "return" else cause
            journal = entry(kind, group, parts_of(group, item, "J18", booked))
            self.journals.append(journal)
            self.erp_lines[journal.journal_id] = journal.lines
        self.history["payments", PAYMENT] = [*self.history["payments", PAYMENT], *EVENTS]
        given_up = ("payments.patient-account.written-off", GIVEN_UP)
        self.history["payments", ACCOUNT] = [*self.history["payments", ACCOUNT], given_up]
        self.history["payments", ACCOUNT].append(("payments.patient-account.allowance-moved", ALLOWED))
        self._book(
            "price-concession",
            ACCOUNT,
            ["1"],
            [("price-concession", "", "5.00"), ("concession-allowance", "", "-5.00")],
        )
        self._move_cash()
        self.payments_of = {REFUND: PAYMENT, DISPUTE: PAYMENT}
        self.accounts_of = {WRITE_OFF: ACCOUNT, CASH: OTHER_ACCOUNT}

    def _move_cash(self) -> None:
        """Two dollars of the payment go to another account, and pay one there."""
        self.history["payments", TRANSFER] = [("payments.account-transfer.made", MADE)]
        applied = {"payment_id": CASH, "application": 3, "amount": "1.00 USD"}
        self.history["payments", OTHER_ACCOUNT] = [("payments.patient-account.unapplied-applied", applied)]
        self.transfers_of = {CASH: TRANSFER}
        group = identities.application_posting(CASH, 3)
        lines: list[Booked] = [("unapplied-patient", "", "1.00"), ("ar-patient", PATIENTS, "-1.00")]
        self._keep(entry("application", group, parts_of(group, CASH, "J16", lines)))

    def _book(self, kind: str, item: str, more: list[str], booked: list[Booked]) -> None:
        group = identities.single_posting(kind, item, *more)
        self._keep(entry(kind, group, parts_of(group, item, "J22", booked)))

    def _keep(self, journal: Journal) -> None:
        self.journals.append(journal)
        self.erp_lines[journal.journal_id] = journal.lines
