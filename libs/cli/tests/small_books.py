"""The books of a very small hospital: one encounter, one remittance with its deposit, one card payment with its payout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from canonical.ids import derive, external_number
from canonical.money import Money
from throughline.connection import Service
from throughline.operations.cases import Case
from throughline.outcome import Refused
from throughline.tracing import identities
from throughline.tracing.books import State
from throughline.tracing.records import (
    Charge,
    ChargePosting,
    Claim,
    Decision,
    Encounter,
    ErpAnswer,
    Journal,
    Line,
    Message,
    Part,
    Remittance,
)


def identity(name: str) -> str:
    return str(derive("small-books", name))


def usd(text: str) -> Money:
    return Money.of(text)


ENCOUNTER, CLAIM, REMITTANCE, DEPOSIT = (identity(name) for name in ("encounter", "claim", "remittance", "deposit"))
PAYMENT, ACCOUNT, PAYOUT, PATIENT = (identity(name) for name in ("payment", "account", "payout", "patient"))
BUNDLE, FILE, STATEMENT, WEBHOOK, PAYOUT_WEBHOOK = (
    identity(name) for name in ("bundle", "file", "bank statement", "webhook", "payout webhook")
)
NUMBER = "T0123456789ABCDEF"
ENTITY, PAYER = "NORTH", "ACME"
CLP = b"CLP*T0123456789ABCDEF*1*120*70*20*12*PAYER1~NM1*QC*1*DOE*JANE~"
CHARGES = identities.charge_posting(ENCOUNTER, 1)
DECIDED, UNKNOWN = identity("posting of the decision"), identity("posting of the unknown claim")
APPLIED = identities.application_posting(PAYMENT, 7)
SHARE = identities.payout_share(PAYOUT, ENTITY)
BATCHES = identity("batches of the day")

Booked = tuple[str, str, str]


def parts_of(
    posting_id: str,
    item_id: str,
    rules: str,
    booked: Iterable[Booked],
    *,
    position: int = -1,
    claim_id: str = "",
    adjustment: int = -1,
) -> list[Part]:
    return [
        Part(
            posting_id=posting_id,
            event_id=identity(f"event of {posting_id}"),
            line=Line(account, party, usd(amount)),
            rules=rules,
            effective_date="2026-06-01",
            item_id=item_id,
            position=position,
            claim_id=claim_id,
            encounter_id=ENCOUNTER if posting_id == CHARGES else "",
            adjustment=adjustment,
        )
        for account, party, amount in booked
    ]


def entry(kind: str, group_id: str, parts: Sequence[Part]) -> Journal:
    sums: dict[tuple[str, str], Money] = {}
    for part in parts:
        sums[part.line.place] = sums.get(part.line.place, Money(0)) + part.line.amount
    journal_id = identities.journal(kind, group_id)
    return Journal(
        journal_id=journal_id,
        external_number=external_number(derive("number", journal_id)),
        entity=ENTITY,
        kind=kind,
        effective_date="2026-06-01",
        state="confirmed",
        erp="tryton",
        erp_document=f"{kind}-1",
        lines=tuple(Line(account, party, amount) for (account, party), amount in sums.items()),
        parts=tuple(parts),
    )


def all_entries() -> list[Journal]:
    patients = f"PATIENTS-{ENTITY}"
    charged = [("ar-payer", PAYER, "120.00"), ("gross-revenue", "", "-120.00")]
    expected = [("contractual-allowance", "", "36.00"), ("ar-allowance", "", "-36.00")]
    decided = [("eft-clearing", "", "70.00"), ("ar-payer", PAYER, "-120.00"), ("ar-patient", patients, "20.00")]
    released = [("contractual-allowance", "", "-6.00"), ("ar-allowance", "", "36.00")]
    unknown = [("eft-clearing", "", "5.00"), ("unapplied-payer", "", "-5.00")]
    paid = [("gateway-clearing", "", "20.00"), ("ar-patient", patients, "-15.00"), ("unapplied-patient", "", "-5.00")]
    applied = [("unapplied-patient", "", "5.00"), ("ar-patient", patients, "-5.00")]
    paid_out = [("cash", "", "19.12"), ("processing-fees", "", "0.88"), ("gateway-clearing", "", "-20.00")]
    deposited = [("cash", "", "75.00"), ("eft-clearing", "", "-75.00")]
    of_claim = parts_of(DECIDED, REMITTANCE, "J04,J05,J07", [*decided, *released], position=0, claim_id=CLAIM)
    of_unknown = parts_of(UNKNOWN, REMITTANCE, "J26", unknown, position=1)
    deposit, payment = identities.deposit_posting(DEPOSIT, REMITTANCE), identities.payment_posting(PAYMENT)
    payout = identities.payout_posting(SHARE, ENTITY)
    return [
        entry("charges", BATCHES, parts_of(CHARGES, ENCOUNTER, "J01,J03", [*charged, *expected])),
        entry("remittance", REMITTANCE, [*of_claim, *of_unknown]),
        entry("deposit", deposit, parts_of(deposit, REMITTANCE, "J14", deposited)),
        entry("patient-payment", payment, parts_of(payment, PAYMENT, "J15", paid)),
        entry("application", APPLIED, parts_of(APPLIED, PAYMENT, "J16", applied)),
        entry("payout", payout, parts_of(payout, SHARE, "J17", paid_out)),
    ]


DECISION = Decision(
    remittance_id=REMITTANCE,
    position=0,
    claim_id=CLAIM,
    control_number=NUMBER,
    first=True,
    charge=usd("120.00"),
    paid=usd("70.00"),
    contractual=usd("30.00"),
    patient=usd("20.00"),
    span_start=400,
    span_length=len(CLP),
)


def all_events() -> dict[tuple[Service, str], list[tuple[str, State]]]:
    lines = [{"account": "ar-payer", "amount": "120.00 USD"}, {"account": "ar-allowance", "amount": "-36.00 USD"}]
    drafted = {"group_id": BATCHES, "lines": lines}
    recorded = {
        "amount": "75.00 USD",
        "reference": "TRACE1",
        "message_id": STATEMENT,
        "span_start": 90,
        "span_length": 44,
    }
    matched = {"deposit_id": DEPOSIT, "entity": ENTITY, "amount": "75.00 USD"}
    paid = {
        "amount": "20.00 USD",
        "applied": "15.00 USD",
        "unapplied": "5.00 USD",
        "gateway_id": "pi_1",
        "account_id": ACCOUNT,
        "message_id": WEBHOOK,
    }
    applied = {"payment_id": PAYMENT, "application": 7, "amount": "5.00 USD"}
    announced = {"gateway_id": "po_1", "net": "19.12 USD", "message_id": PAYOUT_WEBHOOK}
    composed = {"shares": [{"entity": ENTITY, "gross": "20.00 USD", "fees": "0.88 USD", "net": "19.12 USD"}]}
    return {
        ("ledger", CHARGES): [("ledger.subledger-posting.drafted", drafted)],
        ("payments", DEPOSIT): [
            ("payments.deposit.recorded", recorded),
            ("payments.deposit.matched", {"matched_to": REMITTANCE}),
        ],
        ("payments", REMITTANCE): [("payments.remittance.deposit-matched", matched)],
        ("payments", PAYMENT): [("payments.payment.succeeded", paid)],
        ("payments", ACCOUNT): [("payments.patient-account.unapplied-applied", applied)],
        ("payments", PAYOUT): [("payments.payout.announced", announced), ("payments.payout.composed", composed)],
    }


class SmallBooks:
    """Everything in memory; tests change what they want to see found."""

    def __init__(self) -> None:
        self.journals = all_entries()
        self.erp_lines = {journal.journal_id: journal.lines for journal in self.journals}
        self.erp_note = ""
        self.decisions = [
            DECISION,
            replace(
                DECISION,
                position=1,
                claim_id="",
                control_number="X9",
                first=False,
                charge=Money(0),
                paid=usd("5.00"),
                contractual=Money(0),
                patient=Money(0),
                span_start=900,
            ),
        ]
        self.claims = [Claim(CLAIM, NUMBER, "adjudicated", ENTITY, PAYER, ENCOUNTER, 1, usd("120.00"))]
        self.remittances = [
            Remittance(REMITTANCE, ENTITY, PAYER, "TRACE1", usd("75.00"), 2, "2026-06-01", DEPOSIT, FILE)
        ]
        charges = (Charge("c1", usd("80.00"), BUNDLE), Charge("c2", usd("40.00"), BUNDLE))
        posting = ChargePosting(1, PAYER, usd("120.00"), ("c1", "c2"), (BUNDLE,))
        self.encounters = [Encounter(ENCOUNTER, ENTITY, "finished", charges, (posting,))]
        self.history = all_events()
        self.payments_of: dict[str, str] = {}
        self.accounts_of: dict[str, str] = {}
        self.transfers_of: dict[str, str] = {}
        self.cases: list[Case] = []
        self.bytes = CLP
        self.may_read_raw = True

    def replace_journal(self, journal: Journal) -> None:
        self.journals = [journal if each.journal_id == journal.journal_id else each for each in self.journals]

    def of_kind(self, kind: str) -> Journal:
        return next(journal for journal in self.journals if journal.kind == kind)

    def journal(self, reference: str) -> Journal | None:
        return next((each for each in self.journals if reference in (each.journal_id, each.external_number)), None)

    def journal_of_document(self, erp_document: str) -> Journal | None:
        return next((each for each in self.journals if each.erp_document == erp_document), None)

    def erp_document(self, journal: Journal) -> ErpAnswer:
        lines = self.erp_lines.get(journal.journal_id)
        return ErpAnswer("tryton", journal.erp_document if lines else "", lines, self.erp_note)

    def claim(self, claim_id: str) -> tuple[Claim, Sequence[Decision]] | None:
        for claim in self.claims:
            if claim.claim_id == claim_id:
                return claim, [each for each in self.decisions if each.claim_id == claim_id]
        return None

    def claims_numbered(self, control_number: str) -> Sequence[Claim]:
        return [claim for claim in self.claims if claim.control_number == control_number]

    def claims_of_encounter(self, encounter_id: str) -> Sequence[Claim]:
        return [claim for claim in self.claims if claim.encounter_id == encounter_id]

    def decision(self, remittance_id: str, position: int) -> Decision | None:
        return next(
            (each for each in self.decisions if (each.remittance_id, each.position) == (remittance_id, position)), None
        )

    def unknown_payment(self, remittance_id: str, position: int) -> Decision | None:
        found = self.decision(remittance_id, position)
        return found if found and not found.claim_id else None

    def remittance(self, remittance_id: str) -> Remittance | None:
        return next((each for each in self.remittances if each.remittance_id == remittance_id), None)

    def encounter(self, encounter_id: str) -> Encounter | None:
        return next((each for each in self.encounters if each.encounter_id == encounter_id), None)

    def encounters_of_message(self, message_id: str) -> Sequence[Encounter]:
        return [each for each in self.encounters if any(charge.message_id == message_id for charge in each.charges)]

    def remittances_of_message(self, message_id: str) -> Sequence[str]:
        return [REMITTANCE] if message_id == FILE else []

    def money_of_message(self, message_id: str) -> Sequence[str]:
        return {WEBHOOK: [PAYMENT], STATEMENT: [DEPOSIT]}.get(message_id, [])

    def message(self, service: Service, message_id: str) -> Message | None:
        kept: dict[Service, tuple[str, ...]] = {
            "intake": (BUNDLE, FILE),
            "payments": (STATEMENT, WEBHOOK, PAYOUT_WEBHOOK),
        }
        if message_id not in kept.get(service, ()):
            return None
        return Message(service, message_id, "source", "key-1", "x12", "accepted", 2000, "")

    def payouts(self) -> Sequence[str]:
        return [identity("another payout"), PAYOUT]

    def payment_of(self, identity: str) -> str:
        return self.payments_of.get(identity, "")

    def account_of(self, identity: str) -> str:
        return self.accounts_of.get(identity, "")

    def transfer_of(self, identity: str) -> str:
        return self.transfers_of.get(identity, "")

    def events(self, service: Service, aggregate_id: str) -> Sequence[tuple[str, State]]:
        return self.history.get((service, aggregate_id), [])

    def case(self, case_id: str) -> Case | None:
        return next((each for each in self.cases if each.case_id == case_id), None)

    def raw(self, message: Message, start: int, length: int) -> bytes:
        if not self.may_read_raw:
            raise Refused("intake: the scope intake.raw.read is missing", "Forbidden")
        return self.bytes[:length]
