"""What the services tell of the things on the way from a journal line to its bytes, as small values."""

from __future__ import annotations

from dataclasses import dataclass

from canonical.money import Money

from throughline.connection import Service

NOTHING = Money(0)


@dataclass(frozen=True, slots=True)
class Line:
    """An amount on an account, by party where the account is a receivable; debits are positive."""

    account: str
    party: str
    amount: Money

    @property
    def place(self) -> tuple[str, str]:
        return self.account, self.party


@dataclass(frozen=True, slots=True)
class Part:
    """What one financial fact contributes to one line: one line of our subledger.

    `item_id` is the remittance, payment, payout, claim or encounter that the fact belongs to; `adjustment` the ordinal of a
    provider-level adjustment, -1 where it is none.
    """

    posting_id: str
    event_id: str
    line: Line
    rules: str
    effective_date: str
    item_id: str
    position: int
    claim_id: str
    encounter_id: str
    adjustment: int = -1


@dataclass(frozen=True, slots=True)
class Journal:
    """One journal entry with its lines and all of the parts they are summed from."""

    journal_id: str
    external_number: str
    entity: str
    kind: str
    effective_date: str
    state: str
    erp: str
    erp_document: str
    lines: tuple[Line, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ErpAnswer:
    """What the ERP holds under our number, read now; `lines` is None where it could not be read, and `note` says why."""

    erp: str = ""
    document: str = ""
    lines: tuple[Line, ...] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim; `posting` says which posting of the encounter's charges it was made of."""

    claim_id: str
    control_number: str
    state: str
    entity: str
    payer: str
    encounter_id: str
    posting: int
    charge: Money


@dataclass(frozen=True, slots=True)
class Decision:
    """A payer's decision on one claim as one remittance reports it, with the place of its bytes in the message.

    A payment for a claim that is not ours has no `claim_id`, and nothing but `paid`. `sequestration` and `memo` are parts of
    `other`; a memo is told of earlier payers and moves no account. `match` counts the moves of a payment that came first
    as unapplied cash.
    """

    remittance_id: str
    position: int
    claim_id: str
    control_number: str
    first: bool
    charge: Money
    paid: Money
    contractual: Money = NOTHING
    denied: Money = NOTHING
    patient: Money = NOTHING
    other: Money = NOTHING
    span_start: int = 0
    span_length: int = 0
    kind: str = "decision"
    match: int = 0
    sequence: int = 1
    next_payer: str = ""
    sequestration: Money = NOTHING
    memo: Money = NOTHING
    takes_back: str = ""

    @property
    def divided(self) -> Money:
        return self.paid + self.contractual + self.denied + self.patient + self.other

    @property
    def taken_off_receivable(self) -> Money:
        return self.divided - self.memo

    @property
    def releases_estimate(self) -> bool:
        """Only a primary claim's first decision does, and nothing that takes another back."""
        return self.first and self.sequence == 1 and self.kind in ("decision", "correction")

    @property
    def adds_up(self) -> bool:
        return not self.claim_id or self.charge == self.divided


@dataclass(frozen=True, slots=True)
class Remittance:
    """A remittance that was accepted."""

    remittance_id: str
    entity: str
    payer: str
    trace_number: str
    payment: Money
    claim_count: int
    effective_date: str
    deposit_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Charge:
    charge_id: str
    amount: Money
    message_id: str


@dataclass(frozen=True, slots=True)
class ChargePosting:
    """One announcement of an encounter's charges; self-pay has no payer."""

    number: int
    payer: str
    total: Money
    charge_ids: tuple[str, ...]
    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Encounter:
    encounter_id: str
    entity: str
    state: str
    charges: tuple[Charge, ...]
    postings: tuple[ChargePosting, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came through a door of `service`, which keeps its bytes."""

    service: Service
    message_id: str
    source_system: str
    delivery_key: str
    format: str
    state: str
    size_bytes: int
    received_at: str


@dataclass(frozen=True, slots=True)
class Place:
    """Some bytes of a message. `content` is there only when they were opened; `refusal` says why they were not."""

    message: Message
    start: int
    length: int
    content: bytes | None = None
    refusal: str = ""
